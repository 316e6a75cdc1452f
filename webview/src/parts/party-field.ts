/** One end of the question: a text with offers, as a combobox with a list (ARIA's pattern: the focus stays in the text). */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Offer } from '../state/model.ts';
import { shared } from './styles.ts';

@customElement('k8snet-party')
export class PartyField extends LitElement {
  @property() label = '';
  @property() value = '';
  @property({ attribute: false }) offersFor: (typed: string) => Promise<readonly Offer[]> = () => Promise.resolve([]);
  @state() private text = '';
  @state() private offers: readonly Offer[] = [];
  @state() private active = -1;
  /** Counts what was typed, left or chosen: offers for what stood there before come too late. */
  private turn = 0;

  static override readonly styles = [shared, css`
    :host { display: flex; flex-direction: column; position: relative; flex: 1 1 200px; min-width: 0; }
    label { display: flex; align-items: center; gap: 6px; }
    label span { color: var(--faint); flex: none; width: 32px; }
    input {
      flex: 1; min-width: 0; width: 100%; height: 26px; padding: 0 6px; font-family: var(--mono); font-size: var(--small);
      color: var(--vscode-input-foreground, inherit); background: var(--vscode-input-background, var(--paper));
      border: 1px solid var(--vscode-input-border, var(--rule)); border-radius: 2px;
    }
    input:focus { outline: 1px solid var(--focus); outline-offset: -1px; }
    ul {
      position: absolute; z-index: 5; inset: 100% 0 auto 38px; max-height: 240px; overflow: auto; margin: 2px 0 0; padding: 2px; list-style: none;
      background: var(--vscode-dropdown-listBackground, var(--vscode-dropdown-background, var(--paper)));
      color: var(--vscode-dropdown-foreground, inherit);
      border: 1px solid var(--vscode-contrastBorder, var(--vscode-dropdown-border, var(--rule)));
    }
    li { padding: 3px 6px; cursor: pointer; display: flex; gap: 10px; justify-content: space-between; flex-wrap: wrap; }
    li .what { color: var(--faint); font-size: var(--small); }
    li[aria-selected='true'] {
      background: var(--vscode-list-activeSelectionBackground, #0060c0); color: var(--vscode-list-activeSelectionForeground, #fff);
      outline: 1px solid var(--vscode-contrastActiveBorder, transparent); outline-offset: -1px;
    }
    li[aria-selected='true'] .what { color: inherit; }
  `];

  protected override willUpdate(changed: ReadonlyMap<PropertyKey, unknown>): void {
    if (changed.has('value')) this.text = this.value;
  }

  override render(): TemplateResult {
    const open = this.offers.length > 0;
    return html`
      <label><span>${this.label}</span>
        <input type="text" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list" aria-controls="offers"
          aria-expanded=${open ? 'true' : 'false'} aria-activedescendant=${this.active >= 0 ? `offer-${this.active}` : nothing}
          .value=${this.text} @input=${this.typed} @keydown=${this.pressed} @click=${this.unfold} @blur=${this.left}></label>
      <ul id="offers" role="listbox" aria-label=${`Offers for ${this.label}`} ?hidden=${!open}>
        ${this.offers.map((offer, i) => html`
          <li id=${`offer-${i}`} role="option" aria-selected=${i === this.active ? 'true' : 'false'}
            @mousedown=${(event: Event) => { event.preventDefault(); this.choose(offer.text); }}>
            <span class="mono">${offer.text}</span><span class="what">${offer.detail}</span>
          </li>`)}
      </ul>`;
  }

  private readonly unfold = (): void => {
    // A field that is filled in offers everything: what stands there is what one wants to leave.
    if (this.offers.length === 0) this.ask(this.text === this.value ? '' : this.text);
  };

  private ask(typed: string): void {
    const turn = ++this.turn;
    void this.offersFor(typed).then((offers) => {
      if (turn === this.turn) this.offer(offers);
    });
  }

  private offer(offers: readonly Offer[]): void {
    this.turn++;
    this.offers = offers;
    this.active = -1;
  }

  private readonly typed = (event: Event): void => {
    this.text = (event.target as HTMLInputElement).value;
    this.ask(this.text);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      if (this.offers.length === 0) this.unfold();
      else this.active = (this.active + step + this.offers.length) % this.offers.length;
      void this.updateComplete.then(() => this.renderRoot.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }));
    } else if (event.key === 'Enter') this.choose(this.offers[this.active]?.text ?? this.text);
    else if (event.key === 'Escape') {
      if (this.offers.length > 0) event.stopPropagation();
      else this.text = this.value;
      this.offer([]);
    }
  };

  private choose(text: string): void {
    this.text = text;
    this.offer([]);
    this.commit();
  }

  private readonly left = (): void => {
    this.offer([]);
    this.commit();
  };

  private commit(): void {
    const text = this.text.trim();
    if (text !== '' && text !== this.value) this.dispatchEvent(new CustomEvent<string>('chosen', { detail: text }));
    else this.text = this.value;
  }
}
