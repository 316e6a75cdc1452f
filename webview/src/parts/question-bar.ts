/** Who sends to whom; both ends can be changed in place, or swapped. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Question } from '../protocol.ts';
import { withoutPort } from '../state/parties.ts';
import type { Store } from '../state/store.ts';
import { tell } from './events.ts';
import { captureIcon, pictureIcon, swapIcon } from './icons.ts';
import './party-field.ts';
import { shared } from './styles.ts';

@customElement('k8snet-question')
export class QuestionBar extends LitElement {
  @property({ attribute: false }) question: Question | null = null;
  @property({ attribute: false }) offers: Store['offers'] = () => Promise.resolve([]);
  @property() picture: 'shown' | 'hidden' = 'shown';
  @property({ type: Boolean }) traced = false;

  static override readonly styles = [shared, css`
    :host { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; container: bar / inline-size; }
    @container bar (max-width: 900px) { .word { display: none; } }
    .ends { display: flex; flex-wrap: wrap; gap: 4px 8px; flex: 1 1 260px; align-items: center; min-width: 0; }
    .tools { display: flex; gap: 4px; margin-inline-start: auto; }
    button.plain { display: inline-flex; align-items: center; gap: 5px; height: 26px; }
    button[aria-pressed='true'] { background: var(--vscode-inputOption-activeBackground, #8883); border-color: var(--vscode-inputOption-activeBorder, transparent); }
    button:disabled { opacity: 0.5; cursor: default; }
  `];

  override render(): TemplateResult {
    const { from, to } = this.question ?? { from: '', to: '' };
    return html`
      <div class="ends">
        <k8snet-party label="from" .value=${from} .offersFor=${this.offersFrom}
          @chosen=${(event: CustomEvent<string>) => { tell(this, 'ask', { from: event.detail, to }); }}></k8snet-party>
        <button class="plain" title="Swap the two ends" aria-label="Swap the two ends" @click=${this.swap}>${swapIcon}</button>
        <k8snet-party label="to" .value=${to} .offersFor=${this.offersTo}
          @chosen=${(event: CustomEvent<string>) => { tell(this, 'ask', { from, to: event.detail }); }}></k8snet-party>
      </div>
      <div class="tools">
        <button class="plain" aria-pressed=${this.picture === 'shown' ? 'true' : 'false'} title="Show or hide the picture" aria-label="Picture"
          @click=${() => { tell(this, 'action', { type: 'picture', picture: this.picture === 'shown' ? 'hidden' : 'shown' }); }}>${pictureIcon}<span class="word">Picture</span></button>
        <button class="plain" ?disabled=${!this.traced} aria-label="Save capture (.pcapng)" title="Save the packets of this trace as a .pcapng for Wireshark"
          @click=${() => { tell(this, 'capture', null); }}>${captureIcon}<span class="word">Save capture (.pcapng)</span></button>
      </div>`;
  }

  private readonly offersFrom = (typed: string) => this.offers('from', typed);
  private readonly offersTo = (typed: string) => this.offers('to', typed);

  /** The port stays behind: it is the old receiver's. */
  private readonly swap = (): void => {
    if (this.question !== null) tell(this, 'ask', { from: withoutPort(this.question.to), to: this.question.from });
  };
}
