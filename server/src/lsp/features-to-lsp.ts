/** The features' own types as LSP has them. */
import { CompletionItemKind, FoldingRangeKind, MarkupKind, SymbolKind } from 'vscode-languageserver';
import type * as lsp from 'vscode-languageserver';
import type { CodeLens } from '../language/features/code-lenses.ts';
import type { Candidate, CompletionItem } from '../language/features/completions.ts';
import type { DocumentSymbol } from '../language/features/document-symbols.ts';
import type { FoldingRange } from '../language/features/folding.ts';
import type { Hover } from '../language/features/hover.ts';
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
  namespace: SymbolKind.Struct,
  'network-policy': SymbolKind.Operator,
  objects: SymbolKind.File,
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

export const hoverOf = (lined: Lined, hover: Hover): lsp.Hover => ({
  contents: { kind: MarkupKind.Markdown, value: hover.markdown },
  range: rangeOf(lined, hover),
});

const COMPLETION_KINDS: Readonly<Record<Candidate['kind'], CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword,
  node: CompletionItemKind.Module,
  network: CompletionItemKind.Folder,
  pod: CompletionItemKind.Class,
  service: CompletionItemKind.Interface,
  external: CompletionItemKind.Event,
  value: CompletionItemKind.Value,
  chain: CompletionItemKind.Function,
  target: CompletionItemKind.Operator,
  device: CompletionItemKind.Field,
  option: CompletionItemKind.Property,
  label: CompletionItemKind.Constant,
};

export const completionItemOf = (lined: Lined, item: CompletionItem): lsp.CompletionItem => ({
  label: item.label,
  kind: COMPLETION_KINDS[item.kind],
  detail: item.detail,
  textEdit: { range: rangeOf(lined, item), newText: item.insert ?? item.label },
});
