/** The features' own types as LSP has them. */
import { FoldingRangeKind, SymbolKind } from 'vscode-languageserver';
import type * as lsp from 'vscode-languageserver';
import type { CodeLens } from '../language/features/code-lenses.ts';
import type { DocumentSymbol } from '../language/features/document-symbols.ts';
import type { FoldingRange } from '../language/features/folding.ts';
import { TRACE_COMMAND } from './protocol.ts';
import type { PartnersParams } from './protocol.ts';
import { positionAt, rangeOf } from './to-lsp.ts';
import type { Lined } from './to-lsp.ts';

export function codeLensOf(lined: Lined, uri: string, lens: CodeLens): lsp.CodeLens {
  const params: PartnersParams = { uri, party: lens.party, kind: lens.kind };
  return { range: rangeOf(lined, lens), command: { title: lens.title, command: TRACE_COMMAND, arguments: [params] } };
}

/** LSP knows the symbols of programs; these are the nearest that look different from each other. */
const SYMBOL_KINDS: Readonly<Record<DocumentSymbol['kind'], SymbolKind>> = {
  cluster: SymbolKind.Package,
  network: SymbolKind.Namespace,
  external: SymbolKind.Event,
  node: SymbolKind.Module,
  pod: SymbolKind.Class,
  service: SymbolKind.Interface,
  expect: SymbolKind.Boolean,
  interface: SymbolKind.Field,
  port: SymbolKind.Constant,
  dump: SymbolKind.Array,
};

export const documentSymbolOf = (lined: Lined, symbol: DocumentSymbol): lsp.DocumentSymbol => ({
  name: symbol.name,
  detail: symbol.detail,
  kind: SYMBOL_KINDS[symbol.kind],
  range: rangeOf(lined, symbol),
  selectionRange: rangeOf(lined, symbol.selection),
  children: symbol.children.map((child) => documentSymbolOf(lined, child)),
});

export function foldingRangeOf(lined: Lined, { kind, start, end }: FoldingRange): lsp.FoldingRange {
  const lines = { startLine: positionAt(lined, start).line, endLine: positionAt(lined, end).line };
  return kind === 'comment' ? { ...lines, kind: FoldingRangeKind.Comment } : lines;
}
