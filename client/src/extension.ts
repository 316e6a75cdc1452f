/** Where VS Code enters: starts the language server, and ties the commands to the panel. */
import { commands, Uri, window } from 'vscode';
import type { Event, ExtensionContext } from 'vscode';
import { TRACE_COMMAND } from '../../server/src/lsp/protocol.ts';
import type { PartnersParams } from '../../server/src/lsp/protocol.ts';
import type { FromPanel } from '../../webview/src/protocol.ts';
import { askAbout, askBoth } from './ask.ts';
import { EXPLAIN_COMMAND, explain } from './explain.ts';
import { importCluster } from './import-cluster.ts';
import { memoryIn } from './memory.ts';
import { createNotes } from './notes.ts';
import { openExample } from './open-example.ts';
import { createPanelHost } from './panel.ts';
import { startServer } from './server.ts';

/** What `activate` exports. */
export interface K8snetApi {
  /** What the trace panel's page posts: that it is ready, the notes of the shown trace, the lines to open. */
  readonly onPanelMessage: Event<FromPanel>;
}

export async function activate(context: ExtensionContext): Promise<K8snetApi> {
  const log = window.createOutputChannel('k8snet', { log: true });
  const server = await startServer(context, log);
  const memory = memoryIn(context.workspaceState);
  const notes = createNotes();
  const panel = createPanelHost({ extension: context.extensionUri, server, memory, notes, log });
  const asking = { server, memory };

  async function traceTo(party: PartnersParams): Promise<void> {
    const question = await askAbout(asking, party);
    if (question !== undefined) panel.show(Uri.parse(party.uri), question);
  }

  async function trace(): Promise<void> {
    const document = window.activeTextEditor?.document;
    if (document?.languageId !== 'k8snet') {
      void window.showInformationMessage('Open a .k8snet file first; "k8snet: Open the Example Cluster" shows one.');
      return;
    }
    const question = await askBoth(asking, document.uri);
    if (question !== undefined) panel.show(document.uri, question);
  }

  context.subscriptions.push(
    log, server, notes, panel,
    commands.registerCommand(TRACE_COMMAND, traceTo),
    commands.registerCommand('k8snet.trace', trace),
    commands.registerCommand('k8snet.openExample', () => openExample(context.extensionUri)),
    commands.registerCommand('k8snet.importCluster', (folder: unknown) => importCluster(server, log, folder)),
    commands.registerCommand('k8snet.restartServer', () => server.restart()),
    commands.registerCommand(EXPLAIN_COMMAND, (slug: unknown) => explain(context.extensionUri, slug)),
  );
  return { onPanelMessage: panel.onMessage };
}
