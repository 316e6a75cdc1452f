/** Publishes what is wrong in files that a document names at its own place there, too: a Kubernetes object's token. */
import type { Connection } from 'vscode-languageserver';
import type * as lsp from 'vscode-languageserver';
import type { Diagnostic, Elsewhere } from '../language/diagnostics/define.ts';
import { uriBeside } from './beside.ts';
import { severityOf } from './to-lsp.ts';

/** The place in a file that the document `uri` names, relative to itself. */
export function locationOf(uri: string, { file, line, column, length }: Elsewhere): lsp.Location {
  const start = { line: line - 1, character: column - 1 };
  return { uri: uriBeside(uri, file), range: { start, end: { ...start, character: start.character + length } } };
}

export interface ElsewherePublisher {
  /** All that is known of a document's newest version. */
  publish(uri: string, diagnostics: readonly Diagnostic[]): void;
  closed(uri: string): void;
}

export function elsewherePublisher(connection: Connection, pageUri: () => string | undefined): ElsewherePublisher {
  /** By document, then by the file that it names. Two documents may name the same. */
  const known = new Map<string, ReadonlyMap<string, readonly lsp.Diagnostic[]>>();

  function replace(uri: string, now: ReadonlyMap<string, readonly lsp.Diagnostic[]>): void {
    const before = known.get(uri);
    known.set(uri, now);
    for (const file of new Set([...(before?.keys() ?? []), ...now.keys()])) {
      const diagnostics = [...known.values()].flatMap((files) => files.get(file) ?? []);
      void connection.sendDiagnostics({ uri: file, diagnostics });
    }
  }

  return {
    publish(uri, diagnostics) {
      const files = new Map<string, lsp.Diagnostic[]>();
      for (const d of diagnostics) {
        if (d.elsewhere === undefined || !uri.startsWith('file:')) continue;
        const { uri: file, range } = locationOf(uri, d.elsewhere);
        const found = files.get(file) ?? [];
        files.set(file, found);
        found.push(diagnosticThere(d, d.elsewhere, range, pageUri()));
      }
      replace(uri, files);
    },
    closed(uri) {
      replace(uri, new Map());
      known.delete(uri);
    },
  };
}

function diagnosticThere(d: Diagnostic, { file, line, column }: Elsewhere, range: lsp.Range, pageUri: string | undefined): lsp.Diagnostic {
  const place = `${file}:${line}:${column}: `;
  return {
    range,
    severity: severityOf(d),
    code: d.code,
    source: 'k8snet',
    message: d.message.startsWith(place) ? d.message.slice(place.length) : d.message,
    ...(pageUri === undefined ? {} : { codeDescription: { href: pageUri.replace('{slug}', d.slug) } }),
  };
}
