/** The wiring table: which feature answers which request. */
import { CodeActionKind, TextDocumentSyncKind } from 'vscode-languageserver';
import type { Connection, InitializeParams, InitializeResult, TextDocumentIdentifier } from 'vscode-languageserver';
import { codeLenses } from '../language/features/code-lenses.ts';
import { completions } from '../language/features/completions.ts';
import { definition, definitionElsewhere, references } from '../language/features/definition.ts';
import { documentSymbols } from '../language/features/document-symbols.ts';
import { foldingRanges } from '../language/features/folding.ts';
import { hover } from '../language/features/hover.ts';
import { captureFiles } from './capture-files.ts';
import { codeActions } from './code-actions.ts';
import { createDiagnoser } from './diagnose.ts';
import { createDocuments } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { codeLensOf, completionItemOf, documentSymbolOf, foldingRangeOf, hoverOf } from './features-to-lsp.ts';
import { formatting } from './formatting.ts';
import { locationOf } from './elsewhere.ts';
import { guardOf } from './guard.ts';
import { imported } from './import.ts';
import { IMPORT_REQUEST, PARTIES_REQUEST, PARTNERS_REQUEST, REPAIR_REQUEST, SPEC_REQUEST } from './protocol.ts';
import type { ImportParams, ImportResult, PartiesParams, PartiesResult, PartnersParams, PartnersResult, RepairParams, RepairResult, ServerOptions, SpecParams, SpecResult } from './protocol.ts';
import { partiesIn, partnersIn, repairIn, specOf } from './questions.ts';
import { offsetAt, rangeOf } from './to-lsp.ts';
import { createWatches } from './watch.ts';

const CAPABILITIES: InitializeResult['capabilities'] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  hoverProvider: true,
  // Names hold dots and slashes, rules begin with dashes: letters alone do not tell when a new word begins.
  completionProvider: { triggerCharacters: [' ', '-', '/', '.'] },
  documentFormattingProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  codeLensProvider: {},
};

const isServerOptions = (value: unknown): value is ServerOptions =>
  typeof value === 'object' && value !== null && (!('pageUri' in value) || typeof value.pageUri === 'string');

export function serve(connection: Connection): void {
  let folders: readonly string[] = [];
  let options: ServerOptions = {};
  let canWatch = false;
  const guard = guardOf(connection);
  const documents = createDocuments(captureFiles(() => folders), guard.report);
  const diagnoser = createDiagnoser(connection, documents, guard, () => options.pageUri);
  const watches = createWatches(connection, () => canWatch, guard.report);

  /** A feature of one document; `null` while that is not open. */
  const feature = <P extends { readonly textDocument: TextDocumentIdentifier }, R>(name: string, work: (document: OpenDocument, params: P) => R | null) =>
    guard.answer<P, R>(name, (params) => {
      const document = documents.get(params.textDocument.uri);
      return document === undefined ? null : work(document, params);
    });
  /** The same for the requests beyond LSP. */
  const question = <P extends { readonly uri: string }, R>(name: string, work: (document: OpenDocument, params: P) => R) =>
    guard.answer<P, R>(name, (params) => {
      const document = documents.get(params.uri);
      return document === undefined ? null : work(document, params);
    });

  connection.onInitialize(({ workspaceFolders, initializationOptions, capabilities }: InitializeParams) => {
    folders = workspaceFolders?.map((folder) => folder.uri) ?? [];
    if (isServerOptions(initializationOptions)) options = initializationOptions;
    const watching = capabilities.workspace?.didChangeWatchedFiles;
    canWatch = watching?.dynamicRegistration === true && watching.relativePatternSupport === true;
    return { capabilities: CAPABILITIES, serverInfo: { name: 'k8snet' } };
  });

  connection.onShutdown(diagnoser.stop);

  connection.onDidOpenTextDocument(guard.heed('open', (params) => {
    const document = documents.open(params);
    diagnoser.analysed(document, undefined);
    watches.follow(document);
  }));
  connection.onDidChangeTextDocument(guard.heed('change', (params) => {
    const changed = documents.change(params);
    if (changed === undefined) return;
    diagnoser.analysed(changed.document, changed.edit);
    watches.follow(changed.document);
  }));
  connection.onDidCloseTextDocument(guard.heed('close', ({ textDocument: { uri } }) => {
    documents.close(uri);
    watches.forget(uri);
    diagnoser.closed(uri);
  }));
  connection.onDidChangeWatchedFiles(guard.heed('changed dumps', ({ changes }) => {
    for (const uri of watches.readersOf(changes.map((change) => change.uri))) {
      const document = documents.refresh(uri);
      if (document !== undefined) diagnoser.analysed(document, undefined);
    }
  }));

  connection.onCodeAction(feature('quick fixes', (document, params) => codeActions(document, diagnoser.verified(document.uri), params, options.pageUri)));
  connection.onHover(feature('hover', (document, { position }) => {
    const found = hover(document.snapshot, offsetAt(document, position));
    return found === undefined ? null : hoverOf(document, found);
  }));
  connection.onCompletion(feature('completion', (document, { position }) =>
    completions(document.snapshot, offsetAt(document, position)).map((item) => completionItemOf(document, item))));
  connection.onDocumentFormatting(feature('formatting', formatting));
  connection.onDefinition(feature('definition', (document, { position }) => {
    const offset = offsetAt(document, position);
    const object = definitionElsewhere(document.snapshot, offset);
    const here = definition(document.snapshot, offset).map((range) => ({ uri: document.uri, range: rangeOf(document, range) }));
    return object === undefined ? here : [...here, locationOf(document.uri, object)];
  }));
  connection.onReferences(feature('references', (document, { position, context }) => {
    const offset = offsetAt(document, position);
    const declared = new Set(context.includeDeclaration ? [] : definition(document.snapshot, offset).map((range) => range.start));
    return references(document.snapshot, offset).filter((range) => !declared.has(range.start)).map((range) => ({ uri: document.uri, range: rangeOf(document, range) }));
  }));
  connection.onDocumentSymbol(feature('symbols', (document) => documentSymbols(document.snapshot).map((symbol) => documentSymbolOf(document, symbol))));
  connection.onFoldingRanges(feature('folding', (document) => foldingRanges(document.snapshot).map((range) => foldingRangeOf(document, range))));
  connection.onCodeLens(feature('lenses', (document) => codeLenses(document.snapshot).map((lens) => codeLensOf(document, document.uri, lens))));
  connection.onRequest(IMPORT_REQUEST, guard.answer<ImportParams, ImportResult>('import', imported));
  connection.onRequest(SPEC_REQUEST, question<SpecParams, SpecResult>('spec', specOf));
  connection.onRequest(REPAIR_REQUEST, question<RepairParams, RepairResult>('repair', repairIn));
  connection.onRequest(PARTIES_REQUEST, question<PartiesParams, PartiesResult>('parties', partiesIn));
  connection.onRequest(PARTNERS_REQUEST, question<PartnersParams, PartnersResult>('partners', partnersIn));
}
