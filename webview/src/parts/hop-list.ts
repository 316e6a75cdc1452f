/** The hops of each journey as a list that the arrow keys walk: Enter goes to the line, Escape closes. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { hopsOf, type SourceLine } from '../../../engine/src/trace/annotate.ts';
import { JOURNEY_WORDS, journeysOf, type NamedJourney } from '../../../engine/src/trace/journeys.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { OUTCOME_WORDS } from '../state/outcome.ts';
import { marked } from '../state/reduce.ts';
import { revealHop, tell } from './events.ts';
import './hop-row.ts';
import { shared } from './styles.ts';

@customElement('k8snet-hops')
export class HopList extends LitElement {
  @property({ attribute: false }) branch: Branch | null = null;
  @property({ attribute: false }) selected: number | null = null;
  @property({ attribute: false }) expanded: readonly number[] = [];
  @property({ attribute: false }) hovered: number | null = null;
  @property({ attribute: false }) cursor: SourceLine | null = null;
  /** The row that the Tab key reaches. */
  @state() private reachable = 1;

  static override readonly styles = [shared, css`
    :host { display: block; container: list / inline-size; }
    h3 { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; font-size: var(--vscode-font-size, 13px); margin: 14px 0 5px; }
    h3 .line { flex: none; width: 26px; height: 0; align-self: center; border-top: 2px solid var(--request); }
    h3.reply .line { border-top: 2px dashed var(--reply); }
    h3.second .line { border-top: 2px dotted var(--second); }
    h3 .faint { font-weight: 400; }
    ol { list-style: none; margin: 0; padding: 0; border-bottom: 1px solid var(--rule); }
  `];

  override render(): TemplateResult | typeof nothing {
    const { branch } = this;
    if (branch === null) return nothing;
    const marks = marked(branch, this.cursor);
    return html`${journeysOf(branch).map((journey) => html`
      <h3 class=${journey.name}><span class="line"></span>${capitalised(JOURNEY_WORDS[journey.name])} <span class="faint">${OUTCOME_WORDS[journey.outcome].toLowerCase()}</span></h3>
      ${this.rows(journey, marks)}`)}`;
  }

  private rows({ name, hops, before }: NamedJourney, marks: ReadonlySet<number>): TemplateResult {
    if (hops.length === 0) return html`<p class="faint">No packet left an interface.</p>`;
    return html`<ol @keydown=${this.pressed} @click=${this.clicked}>${repeat(hops, (_, i) => before + i + 1, (hop, i) => {
      const number = before + i + 1;
      return html`<li><k8snet-hop id=${`hop-${number}`} .number=${number} .hop=${hop} .previous=${hops[i - 1]?.packet ?? null} .journey=${name}
        .expanded=${this.expanded.includes(number)} .selected=${this.selected === number} .hovered=${this.hovered === number}
        .marked=${marks.has(number)} .reachable=${this.reachable === number} .cursor=${this.cursor}></k8snet-hop></li>`;
    })}</ol>`;
  }

  protected override willUpdate(changed: ReadonlyMap<PropertyKey, unknown>): void {
    const count = this.branch === null ? 0 : hopsOf(this.branch).length;
    if (changed.has('selected') && this.selected !== null) this.reachable = this.selected;
    this.reachable = Math.max(1, Math.min(this.reachable, count));
  }

  protected override updated(changed: ReadonlyMap<PropertyKey, unknown>): void {
    if (changed.has('selected') && this.selected !== null) this.row(this.selected)?.scrollIntoView({ block: 'nearest' });
    else if (changed.has('cursor') && this.branch !== null) {
      // The chosen hop's own line brings the cursor there: the list then stays where it is.
      const hops = marked(this.branch, this.cursor);
      const [first] = hops;
      if (first !== undefined && !hops.has(this.selected ?? 0)) this.row(first)?.scrollIntoView({ block: 'nearest' });
    }
  }

  private row(number: number): HTMLElement | null {
    return this.renderRoot.querySelector(`#hop-${number}`);
  }

  /** Only the row itself: its opened details have clicks and keys of their own. */
  private rowOf(event: Event): number | null {
    const path = event.composedPath();
    const button = path.find((node) => node instanceof HTMLElement && node.classList.contains('row'));
    const row = path.find((node) => node instanceof HTMLElement && node.localName === 'k8snet-hop') as HTMLElement | undefined;
    return button === undefined || row === undefined ? null : Number(row.id.slice('hop-'.length));
  }

  private readonly clicked = (event: Event): void => {
    const number = this.rowOf(event);
    if (number === null) return;
    if (this.selected === number && this.expanded.includes(number)) return tell(this, 'action', { type: 'collapse', hop: number });
    tell(this, 'action', { type: 'select', hop: number });
    revealHop(this, this.branch, number);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const number = event.key === 'Escape' ? this.reachable : this.rowOf(event);
    if (number === null) return;
    const count = this.branch === null ? 0 : hopsOf(this.branch).length;
    switch (event.key) {
      case 'ArrowDown': this.move(Math.min(count, number + 1)); break;
      case 'ArrowUp': this.move(Math.max(1, number - 1)); break;
      case 'Home': this.move(1); break;
      case 'End': this.move(count); break;
      case 'ArrowRight': tell(this, 'action', { type: 'expand', hop: number }); break;
      case 'ArrowLeft': case 'Escape': tell(this, 'action', { type: 'collapse', hop: number }); this.move(number); break;
      case 'Enter': revealHop(this, this.branch, number); break;
      default: return;
    }
    event.preventDefault();
  };

  private move(number: number): void {
    this.reachable = number;
    this.row(number)?.shadowRoot?.querySelector<HTMLElement>('.row')?.focus();
  }
}

const capitalised = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
