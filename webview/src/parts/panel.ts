/** The whole panel: the question, how it ended, the picture and the hops. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { captureOf } from '../../../engine/src/trace/capture.ts';
import type { Question } from '../protocol.ts';
import { toBase64 } from '../state/base64.ts';
import type { Shown, State } from '../state/model.ts';
import { branchOf, marked } from '../state/reduce.ts';
import type { Store } from '../state/store.ts';
import { listen } from './events.ts';
import './hop-list.ts';
import './outcome.ts';
import './picture.ts';
import './problem.ts';
import './question-bar.ts';
import './why.ts';
import { shared } from './styles.ts';

@customElement('k8snet-panel')
export class Panel extends LitElement {
  @property({ attribute: false }) store: Store | null = null;
  @state() private current: State | null = null;

  static override readonly styles = [shared, css`
    :host { display: block; container: panel / inline-size; padding: 10px 14px 24px; min-height: 100vh; }
    header { display: grid; gap: 10px; }
    main { display: grid; gap: 4px 24px; margin-top: 10px; grid-template-columns: minmax(0, 1fr); }
    main.stale { opacity: 0.45; }
    @container panel (min-width: 1080px) {
      main.both { grid-template-columns: minmax(440px, 46%) minmax(0, 1fr); align-items: start; }
      main.both .picture { position: sticky; top: 10px; max-height: calc(100vh - 20px); overflow: auto; }
    }
    .waiting { color: var(--faint); margin: 24px 0; }
  `];

  override connectedCallback(): void {
    super.connectedCallback();
    const { store } = this;
    if (store === null) return;
    this.current = store.state;
    store.subscribe(() => { this.current = store.state; });
    listen(this, 'action', (action) => { store.dispatch(action); });
    listen(this, 'ask', (question) => { store.ask(question); });
    listen(this, 'reveal', (at) => { store.post({ type: 'reveal', ...at }); });
    listen(this, 'apply', (repair) => { store.post({ type: 'apply', revision: store.state.revision, repair }); });
    listen(this, 'capture', () => { this.save(store.state.shown); });
  }

  override render(): TemplateResult {
    const now = this.current;
    if (now === null || (now.shown === null && now.problem === null)) return html`<p class="waiting" role="status">Waiting for the file's topology…</p>`;
    const branch = branchOf(now);
    return html`
      <header>
        <k8snet-question .question=${now.question} .offers=${this.offers} .picture=${now.picture} .traced=${now.shown !== null}></k8snet-question>
        ${now.problem === null
          ? html`<k8snet-outcome .branches=${now.shown?.trace.branches ?? []} .branch=${now.branch}></k8snet-outcome>`
          : html`<k8snet-problem .problem=${now.problem} .question=${now.question} .stale=${now.shown !== null}></k8snet-problem>`}
        ${now.problem === null && now.why !== null ? html`<k8snet-why .why=${now.why}></k8snet-why>` : nothing}
      </header>
      ${now.shown === null || branch === null ? nothing : html`
        <main class=${`${now.problem === null ? '' : 'stale'} ${now.picture === 'shown' ? 'both' : ''}`}>
          ${now.picture === 'hidden' ? nothing : html`<div class="picture">
            <k8snet-picture .scene=${now.shown.scenes[now.branch] ?? null} .flow=${now.shown.flow} .branch=${branch} .selected=${now.selected}
              .hovered=${now.hovered} .marked=${marked(branch, now.cursor)}></k8snet-picture></div>`}
          <k8snet-hops .branch=${branch} .selected=${now.selected} .expanded=${now.expanded} .hovered=${now.hovered} .cursor=${now.cursor}></k8snet-hops>
        </main>`}`;
  }

  private readonly offers: Store['offers'] = (role, typed) => this.store?.offers(role, typed) ?? Promise.resolve([]);

  private save(shown: Shown | null): void {
    if (shown === null) return;
    this.store?.post({ type: 'save', name: fileName(shown.question), base64: toBase64(captureOf(shown.trace)) });
  }
}

/** `pod1-to-kube-dns.kube-system-53-UDP.pcapng`: nothing that a file system minds. */
const fileName = ({ from, to }: Question): string => `${from}-to-${to}`.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|-+$/g, '') + '.pcapng';
