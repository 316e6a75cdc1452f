/** The wiring table: which feature answers which request. */
import { CodeActionKind, TextDocumentSyncKind } from 'vscode-languageserver';
import type { CodeAction, Connection, InitializeParams, InitializeResult, TextDocumentIdentifier } from 'vscode-languageserver';
import { codeLenses } from '../language/features/code-lenses.ts';
import { completions } from '../language/features/completions.ts';
import { definition, definitionElsewhere, references } from '../language/features/definition.ts';
import { documentSymbols } from '../language/features/document-symbols.ts';
import { foldingRanges } from '../language/features/folding.ts';
import { hover } from '../language/features/hover.ts';
import { captureFiles } from './capture-files.ts';
import { codeActions, isChosen, resolvedAction } from './code-actions.ts';
import { createDiagnoser } from './diagnose.ts';
import { createRereading } from './rereading.ts';
import { createDocuments } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { codeLensOf, completionItemOf, documentSymbolOf, foldingRangeOf, hoverOf } from './features-to-lsp.ts';
import { formatting } from './formatting.ts';
import { locationOf } from './elsewhere.ts';
import { guardOf } from './guard.ts';
import { imported } from './import.ts';
import { openDumps } from './open-dumps.ts';
import { IMPORT_REQUEST, PARTIES_REQUEST, PARTNERS_REQUEST, REPAIR_REQUEST, SPEC_REQUEST } from './protocol.ts';
import type { ImportParams, ImportResult, PartiesParams, PartiesResult, PartnersParams, PartnersResult, RepairParams, RepairResult, ServerOptions, SpecParams, SpecResult } from './protocol.ts';
import { partiesIn, partnersIn, repairIn, specOf } from './questions.ts';
import { offsetAt, rangeOf } from './to-lsp.ts';
import { createWatches } from './watch.ts';
import type { ClientAbilities } from './watch.ts';

const CAPABILITIES: InitializeResult['capabilities'] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix], resolveProvider: true },
  hoverProvider: true,
  // Names hold dots and slashes, rules begin with dashes: letters alone do not tell when a new word begins.
  completionProvider: { triggerCharacters: [' ', '-', '/', '.'] },
  documentFormattingProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  codeLensProvider: {},
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

const LANGUAGE = 'k8snet';

/** A document whose dumps have changed: what was found in it stands where it stood. */
const NO_EDIT = { start: 0, end: 0, text: '' };

const isServerOptions = (value: unknown): value is ServerOptions =>
  typeof value === 'object' && value !== null && (!('pageUri' in value) || typeof value.pageUri === 'string');

export function serve(connection: Connection): void {
  let folders: readonly string[] = [];
  let options: ServerOptions = {};
  let can: ClientAbilities & { readonly folders: boolean } = { watch: false, sync: false, folders: false };
  const guard = guardOf(connection);
  const dumps = openDumps();
  const documents = createDocuments(captureFiles(() => folders, dumps.textOf), guard.report);
  const diagnoser = createDiagnoser(connection, documents, guard, () => options.pageUri);
  const watches = createWatches(connection, () => can, guard.report);

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
    can = {
      watch: watching?.dynamicRegistration === true && watching.relativePatternSupport === true,
      sync: capabilities.textDocument?.synchronization?.dynamicRegistration === true,
      folders: capabilities.workspace?.workspaceFolders === true,
    };
    return { capabilities: CAPABILITIES, serverInfo: { name: 'k8snet' } };
  });

  const rereading = createRereading((uri) => {
    const document = documents.refresh(uri);
    if (document !== undefined) diagnoser.analysed(document, NO_EDIT);
  });
  const reread = (changed: readonly string[]): void => rereading.soon(watches.readersOf(changed));

  connection.onInitialized(() => {
    if (!can.folders) return;
    connection.workspace.onDidChangeWorkspaceFolders(guard.heed('changed folders', ({ added, removed }) => {
      const gone = new Set(removed.map((folder) => folder.uri));
      folders = [...folders.filter((uri) => !gone.has(uri)), ...added.map((folder) => folder.uri)];
      // What a document may read depends on the folder that it is in.
      rereading.soon(documents.uris());
    }));
  });

  connection.onShutdown(() => {
    rereading.stop();
    diagnoser.stop();
  });

  connection.onDidOpenTextDocument(guard.heed('open', (params) => {
    const { uri, languageId } = params.textDocument;
    if (languageId !== LANGUAGE) {
      dumps.open(params);
      return reread([uri]);
    }
    const document = documents.open(params);
    diagnoser.analysed(document, undefined);
    watches.follow(document);
  }));
  connection.onDidChangeTextDocument(guard.heed('change', (params) => {
    const changed = documents.change(params);
    if (changed === undefined) {
      dumps.change(params);
      return reread([params.textDocument.uri]);
    }
    diagnoser.analysed(changed.document, changed.edit);
    watches.follow(changed.document);
  }));
  connection.onDidCloseTextDocument(guard.heed('close', ({ textDocument: { uri } }) => {
    if (documents.get(uri) === undefined) {
      dumps.close(uri);
      return reread([uri]);
    }
    documents.close(uri);
    watches.forget(uri);
    diagnoser.closed(uri);
  }));
  connection.onDidChangeWatchedFiles(guard.heed('changed dumps', ({ changes }) => reread(changes.map((change) => change.uri))));

  connection.onCodeAction(feature('quick fixes', (document, params) => codeActions(document, diagnoser.verified(document.uri), params, options.pageUri)));
  const resolve = guard.answer('resolution of a quick fix', (action: CodeAction) => {
    const document = isChosen(action.data) ? documents.get(action.data.uri) : undefined;
    return document === undefined ? action : resolvedAction(action, document, diagnoser.verified(document.uri), dumps);
  });
  connection.onCodeActionResolve((action, token) => resolve(action, token) ?? action);
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
  connection.onRequest(REPAIR_REQUEST, question<RepairParams, RepairResult>('repair', (document, params) => repairIn(document, params, dumps)));
  connection.onRequest(PARTIES_REQUEST, question<PartiesParams, PartiesResult>('parties', partiesIn));
  connection.onRequest(PARTNERS_REQUEST, question<PartnersParams, PartnersResult>('partners', partnersIn));
}
