/** Puts the panel on a page and connects it with the editor. */
import type { Host, Simulator, Store } from './state/store.ts';
import { createStore } from './state/store.ts';
import { Panel } from './parts/panel.ts';
import { isToPanel, type ToPanel } from './protocol.ts';

export function mount(host: Host, simulator: Simulator): Store {
  const store = createStore(host, simulator);
  // The page's own margins are the editor's default for webviews; the panel brings its own.
  const page = new CSSStyleSheet();
  page.replaceSync('body { margin: 0; padding: 0; background: var(--vscode-editor-background); }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, page];
  const panel = new Panel();
  panel.store = store;
  document.body.append(panel);
  window.addEventListener('message', receiving(store));
  store.post({ type: 'ready' });
  return store;
}

/** Of the versions of a file that came while the last one was traced, only the newest is: a large file on a slow machine must not fall behind. */
function receiving(store: Store): (event: MessageEvent<unknown>) => void {
  let newest: ToPanel | null = null;
  const trace = (): void => {
    const message = newest;
    newest = null;
    store.receive(message);
  };
  return ({ data }) => {
    if (!isToPanel(data) || data.type !== 'show') return store.receive(data);
    if (newest === null) setTimeout(trace);
    newest = data;
  };
}
