/** Puts the panel on a page and connects it with the editor. */
import type { Simulator } from './simulator/line.ts';
import type { Host, Store } from './state/store.ts';
import { createStore } from './state/store.ts';
import { Panel } from './parts/panel.ts';

export function mount(host: Host, simulator: Simulator): Store {
  const store = createStore(host, simulator);
  // The page's own margins are the editor's default for webviews; the panel brings its own.
  const page = new CSSStyleSheet();
  page.replaceSync('body { margin: 0; padding: 0; background: var(--vscode-editor-background); }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, page];
  const panel = new Panel();
  panel.store = store;
  document.body.append(panel);
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => { store.receive(data); });
  store.post({ type: 'ready' });
  return store;
}
