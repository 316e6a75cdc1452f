/** The language server's process, and the requests beyond LSP that it answers. */
import { EventEmitter, ProgressLocation, Uri, window, workspace } from 'vscode';
import type { CodeAction, Event, ExtensionContext, LogOutputChannel } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { LanguageClientOptions, ServerOptions } from 'vscode-languageclient/node';
import { CHANGED_NOTIFICATION, IMPORT_REQUEST, PARTIES_REQUEST, PARTNERS_REQUEST, REPAIR_REQUEST, SERVER_NODE_OPTIONS, SPEC_REQUEST } from '../../server/src/lsp/protocol.ts';
import type { ChangedParams, ImportParams, ImportResult, PartiesResult, PartnersParams, PartnersResult, RepairParams, RepairResult, ServerOptions as Initialization, SpecResult } from '../../server/src/lsp/protocol.ts';
import { EXPLAIN_COMMAND } from './explain.ts';

/** A wait shorter than this needs no words. */
const PATIENCE_MS = 400;

export interface Server {
  /** `null` where the server does not know the document or could not answer; it has logged why. */
  spec(document: Uri): Promise<SpecResult | null>;
  partners(params: PartnersParams): Promise<PartnersResult | null>;
  parties(document: Uri): Promise<PartiesResult | null>;
  /** The edits of a repair; `null` where it cannot be made in the document and its dumps as they stand. */
  repair(document: Uri, revision: number, repair: RepairParams['repair']): Promise<RepairResult>;
  /** A folder of dumps as a file. */
  importFolder(folder: Uri): Promise<ImportResult | null>;
  readonly onChanged: Event<ChangedParams>;
  restart(): Promise<void>;
  dispose(): void;
}

export async function startServer(context: ExtensionContext, log: LogOutputChannel): Promise<Server> {
  const module = context.asAbsolutePath('dist/server.cjs');
  const program = { module, transport: TransportKind.ipc };
  const programs: ServerOptions = {
    run: { ...program, options: { execArgv: [...SERVER_NODE_OPTIONS] } },
    debug: { ...program, options: { execArgv: [...SERVER_NODE_OPTIONS, '--nolazy', '--inspect=6009'] } },
  };
  const initialization: Initialization = { pageUri: `command:${EXPLAIN_COMMAND}?${encodeURIComponent('["')}{slug}${encodeURIComponent('"]')}` };
  const options: LanguageClientOptions = {
    // Not every scheme: the older side of a comparison needs no diagnostics.
    documentSelector: ['file', 'untitled', 'vscode-vfs'].map((scheme) => ({ scheme, language: 'k8snet' })),
    outputChannel: log,
    initializationOptions: initialization,
    middleware: { resolveCodeAction: async (action, token, next) => told(await next(action, token)) },
  };
  const client = new LanguageClient('k8snet', 'k8snet', programs, options);
  const changed = new EventEmitter<ChangedParams>();
  client.onNotification(CHANGED_NOTIFICATION, (params: ChangedParams) => changed.fire(params));
  await client.start();

  /** Opens the document first: the server knows open documents only, and a restored panel's may not be. */
  async function ask<R>(method: string, document: Uri, params: object): Promise<R | null> {
    try {
      await workspace.openTextDocument(document);
    } catch (error) {
      return failed(method, error);
    }
    return request<R>(method, params);
  }

  async function request<R>(method: string, params: object): Promise<R | null> {
    try {
      return await unlessQuick(client.sendRequest<R | null>(method, params));
    } catch (error) {
      return failed(method, error);
    }
  }

  function failed(method: string, error: unknown): null {
    log.error(`${method}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }

  return {
    spec: (document) => ask<SpecResult>(SPEC_REQUEST, document, { uri: document.toString() }),
    partners: (params) => ask<PartnersResult>(PARTNERS_REQUEST, Uri.parse(params.uri), params),
    parties: (document) => ask<PartiesResult>(PARTIES_REQUEST, document, { uri: document.toString() }),
    repair: (document, revision, repair) => {
      const params: RepairParams = { uri: document.toString(), revision, repair };
      return ask<RepairResult>(REPAIR_REQUEST, document, params);
    },
    importFolder: (folder) => {
      const params: ImportParams = { folder: folder.toString() };
      return request<ImportResult>(IMPORT_REQUEST, params);
    },
    onChanged: changed.event,
    restart: () => client.restart(),
    dispose: () => {
      changed.dispose();
      void client.dispose();
    },
  };
}

/** A fix comes without its edits where the file has changed since it was offered. */
function told<A extends CodeAction | null | undefined>(action: A): A {
  if (action?.edit === undefined) void window.showInformationMessage('The file has changed since this fix was offered: open the list of fixes again.');
  return action;
}

/** Shows that the server is busy where an answer takes long. */
async function unlessQuick<T>(answer: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    void window.withProgress({ location: ProgressLocation.Window, title: 'k8snet: working out the network' }, () => answer.then(undefined, () => undefined));
  }, PATIENCE_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
