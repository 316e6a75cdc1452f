/**
 * The trace panel: one beside the editor, showing one question about one document. Its page runs the engine; this
 * side hands it what the file says, again after every change of the document.
 */
import { Disposable, EventEmitter, Uri, ViewColumn, window, workspace } from 'vscode';
import type { Event, FileRenameEvent, LogOutputChannel, TextEditorSelectionChangeEvent, WebviewPanel, WebviewPanelSerializer } from 'vscode';
import { isFromPanel } from '../../webview/src/protocol.ts';
import type { FromPanel, Question, ToPanel } from '../../webview/src/protocol.ts';
import { fileOf, nameIn, renamed, uriOf } from './files.ts';
import type { Memory } from './memory.ts';
import type { Notes } from './notes.ts';
import { applyRepair } from './apply-repair.ts';
import { distFolder, pageFor } from './panel-page.ts';
import { reveal } from './reveal.ts';
import { saveCapture } from './save-capture.ts';
import type { Server } from './server.ts';

export const PANEL_TYPE = 'k8snet.trace';

export interface PanelHost {
  show(document: Uri, question: Question): void;
  /** What the page posts, once it has been checked. */
  readonly onMessage: Event<FromPanel>;
  dispose(): void;
}

interface Surroundings {
  readonly extension: Uri;
  readonly server: Server;
  readonly memory: Memory;
  readonly notes: Notes;
  readonly log: LogOutputChannel;
}

interface Shown {
  readonly document: Uri;
  readonly question: Question;
}

export function createPanelHost({ extension, server, memory, notes, log }: Surroundings): PanelHost {
  const messages = new EventEmitter<FromPanel>();
  let panel: WebviewPanel | undefined;
  let shown: Shown | undefined;
  let isReady = false;
  /** Counts the requests: only the newest answer is shown. */
  let asked = 0;

  function post(message: ToPanel): void {
    if (isReady) void panel?.webview.postMessage(message);
  }

  async function postSpec(): Promise<void> {
    if (panel === undefined || shown === undefined || !isReady) return;
    const { document } = shown;
    const mine = ++asked;
    const answer = await server.spec(document);
    if (answer === null || mine !== asked || shown.document !== document) return;
    post({ type: 'show', file: fileOf(document), revision: answer.revision, said: answer.said, question: shown.question });
  }

  function remember(next: Shown): void {
    shown = next;
    memory.rememberShown({ uri: next.document.toString(), question: next.question });
    if (panel !== undefined) panel.title = `Trace: ${next.question.from} → ${next.question.to}`;
  }

  function receive(message: unknown): void {
    if (!isFromPanel(message)) {
      log.warn('the panel posted something that is no message of its protocol', message);
      return;
    }
    if (message.type === 'ready') {
      isReady = true;
      void postSpec();
    } else if (shown !== undefined) act(message, shown);
    messages.fire(message);
  }

  function act(message: Exclude<FromPanel, { type: 'ready' }>, { document }: Shown): void {
    switch (message.type) {
      case 'reveal': return void reveal(uriOf(document, message.file), message.line);
      case 'annotations': return notes.show(document, message.annotations);
      case 'apply': return void applyRepair(server, document, message.revision, message.repair);
      case 'asked': return remember({ document, question: message.question });
      case 'save': return void saveCapture(document, message.name, message.base64);
    }
  }

  function adopt(next: WebviewPanel): void {
    panel = next;
    isReady = false;
    next.webview.options = { enableScripts: true, localResourceRoots: [distFolder(extension)] };
    next.iconPath = Uri.joinPath(extension, 'media/icon.svg');
    next.webview.onDidReceiveMessage(receive);
    next.onDidDispose(() => {
      if (panel !== next) return;
      panel = undefined;
      shown = undefined;
      isReady = false;
      notes.clear();
      memory.rememberShown(undefined);
    });
    next.webview.html = pageFor(next.webview, extension);
  }

  function followCursor({ textEditor, selections }: TextEditorSelectionChangeEvent): void {
    const line = selections[0]?.active.line;
    if (shown === undefined || line === undefined) return;
    const file = nameIn(shown.document, textEditor.document.uri);
    if (file !== undefined) post({ type: 'cursor', file, line: line + 1 });
  }

  function followRename({ files }: FileRenameEvent): void {
    for (const { oldUri, newUri } of files) {
      const document = shown === undefined ? undefined : renamed(shown.document, oldUri, newUri);
      if (shown === undefined || document === undefined) continue;
      remember({ ...shown, document });
      void postSpec();
    }
  }

  /** After a reload of the window: the question is the one remembered. */
  const serializer: WebviewPanelSerializer = {
    deserializeWebviewPanel(restored) {
      const last = memory.shown();
      if (last === undefined || panel !== undefined) restored.dispose();
      else {
        shown = { document: Uri.parse(last.uri), question: last.question };
        adopt(restored);
      }
      return Promise.resolve();
    },
  };

  const subscriptions = Disposable.from(
    messages,
    window.registerWebviewPanelSerializer(PANEL_TYPE, serializer),
    window.onDidChangeTextEditorSelection(followCursor),
    workspace.onDidRenameFiles(followRename),
    server.onChanged(({ uri }) => {
      if (shown?.document.toString() === uri) void postSpec();
    }),
  );
  return {
    onMessage: messages.event,
    show(document, question) {
      if (panel === undefined) adopt(window.createWebviewPanel(PANEL_TYPE, 'Trace', { viewColumn: ViewColumn.Beside, preserveFocus: true }));
      else panel.reveal(undefined, true);
      remember({ document, question });
      void postSpec();
    },
    dispose: () => {
      subscriptions.dispose();
    },
  };
}
