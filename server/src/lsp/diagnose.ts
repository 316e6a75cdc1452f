/**
 * Publishes diagnostics: what the text itself shows at once, then, when the typing pauses, what its expectations and
 * the drift of its captured state show.
 */
import type { Connection } from 'vscode-languageserver';
import type { Steps } from '../../../engine/src/steps.ts';
import type { Diagnostic } from '../language/diagnostics/define.ts';
import type { TextEdit } from '../language/syntax/tree.ts';
import { elsewherePublisher } from './elsewhere.ts';
import type { Documents, OpenDocument } from './documents.ts';
import type { Guard } from './guard.ts';
import { CHANGED_NOTIFICATION } from './protocol.ts';
import type { ChangedParams } from './protocol.ts';
import { diagnosticOf } from './to-lsp.ts';

/** The pause in typing after which expectations are traced and the panel is told. */
const PAUSE_MS = 150;
/** Tracing lets other work in between after this long. */
const SLICE_MS = 20;

export interface Diagnoser {
  /** After a new version; `edit` is what made it, `undefined` for a newly opened document. */
  analysed(document: OpenDocument, edit: TextEdit | undefined): void;
  closed(uri: string): void;
  /** Nothing is published any more. */
  readonly stop: () => void;
  /** What the expectations show, as far as it is known of the newest version. */
  verified(uri: string): readonly Diagnostic[];
}

/** Where a diagnostic stands after an edit; none where the edit touched it. */
function moved(d: Diagnostic, { start, end, text }: TextEdit): readonly Diagnostic[] {
  if (d.end < start) return [d];
  if (d.start <= end) return [];
  const by = text.length - (end - start);
  // Its fixes and related places are of the old text; the next verification gives new ones.
  return [{ ...d, start: d.start + by, end: d.end + by, related: [], fixes: [] }];
}

export function createDiagnoser(connection: Connection, documents: Documents, guard: Guard, pageUri: () => string | undefined): Diagnoser {
  const verified = new Map<string, readonly Diagnostic[]>();
  const timers = new Map<string, NodeJS.Timeout>();

  const elsewhere = elsewherePublisher(connection, pageUri);

  function publish(document: OpenDocument): void {
    const { uri, version, snapshot } = document;
    const all = [...snapshot.diagnostics, ...(verified.get(uri) ?? [])];
    void connection.sendDiagnostics({ uri, version, diagnostics: all.map((d) => diagnosticOf(document, uri, pageUri(), d)) });
    elsewhere.publish(uri, all);
  }

  function pause(uri: string, milliseconds: number, then: (document: OpenDocument) => void): void {
    timers.set(uri, setTimeout(() => {
      timers.delete(uri);
      const document = documents.get(uri);
      if (document !== undefined) guard.attempt('verification', () => then(document));
    }, milliseconds));
  }

  function tell(document: OpenDocument): void {
    const changed: ChangedParams = { uri: document.uri, version: document.version };
    void connection.sendNotification(CHANGED_NOTIFICATION, changed);
    // The panel's question, which the notification brings, is answered before the expectations are traced.
    pause(document.uri, 0, (same) => verify(same, same.snapshot.verifying()));
  }

  /** A slice at a time, so that an edit or a question never waits for many expectations or repairs; an edit ends it. */
  function verify(document: OpenDocument, steps: Steps<readonly Diagnostic[]>): void {
    const end = performance.now() + SLICE_MS;
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        verified.set(document.uri, step.value);
        return publish(document);
      }
      if (performance.now() > end) return pause(document.uri, 0, (same) => verify(same, steps));
    }
  }

  function cancel(uri: string): void {
    clearTimeout(timers.get(uri));
    timers.delete(uri);
  }

  return {
    analysed(document, edit) {
      const { uri } = document;
      cancel(uri);
      verified.set(uri, edit === undefined ? [] : (verified.get(uri) ?? []).flatMap((d) => moved(d, edit)));
      publish(document);
      pause(uri, PAUSE_MS, tell);
    },
    closed(uri) {
      cancel(uri);
      verified.delete(uri);
      elsewhere.closed(uri);
      void connection.sendDiagnostics({ uri, diagnostics: [] });
    },
    stop: () => {
      for (const uri of timers.keys()) cancel(uri);
    },
    verified: (uri) => verified.get(uri) ?? [],
  };
}
