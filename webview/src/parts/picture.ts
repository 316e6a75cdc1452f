/** The picture: nested boxes and the numbered ways through them, as SVG that the Tab key and screen readers walk. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import { JOURNEY_WORDS, journeysOf } from '../../../engine/src/trace/journeys.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { draw, type Drawing } from '../layout/draw.ts';
import type { Scene } from '../layout/model.ts';
import { hopWords } from '../state/hop-words.ts';
import { revealHop, tell } from './events.ts';
import { boxesTemplate } from './picture-boxes.ts';
import { pictureStyles } from './picture-styles.ts';
import { wayTemplate } from './picture-way.ts';
import { shared } from './styles.ts';

@customElement('k8snet-picture')
export class Picture extends LitElement {
  @property({ attribute: false }) scene: Scene | null = null;
  @property({ attribute: false }) flow: Flow | null = null;
  @property({ attribute: false }) branch: Branch | null = null;
  @property({ attribute: false }) selected: number | null = null;
  @property({ attribute: false }) hovered: number | null = null;
  @property({ attribute: false }) marked: ReadonlySet<number> = new Set();
  @state() private available = 600;
  private drawing: Drawing | null = null;
  private readonly resized = new ResizeObserver(([entry]) => {
    if (entry !== undefined) this.available = Math.floor(entry.contentRect.width);
  });

  static override readonly styles = [shared, pictureStyles, css`
    :host { display: block; min-width: 0; }
    .scroll { overflow-x: auto; }
    .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; font-size: var(--small); color: var(--faint); }
    .legend span { display: inline-flex; align-items: center; gap: 6px; }
    .legend i { width: 26px; border-top: 2px solid var(--request); }
    .legend i.reply { border-top: 2px dashed var(--reply); }
    .legend i.second { border-top: 2px dotted var(--second); }
  `];

  override connectedCallback(): void {
    super.connectedCallback();
    this.resized.observe(this);
  }

  override disconnectedCallback(): void {
    this.resized.disconnect();
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: ReadonlyMap<PropertyKey, unknown>): void {
    if (!['scene', 'flow', 'branch', 'available'].some((name) => changed.has(name))) return;
    const { scene, flow, branch } = this;
    this.drawing = scene === null || flow === null || branch === null ? null : draw(scene, flow, branch, this.available);
  }

  override render(): TemplateResult | typeof nothing {
    const { drawing, branch } = this;
    if (drawing === null || branch === null) return nothing;
    const { width, height } = drawing.placement;
    return html`
      <div class="scroll"><svg role="group" aria-label="The packet's way through hosts, namespaces and interfaces" width=${width} height=${height}
        viewBox=${`0 0 ${width} ${height}`} @click=${this.clicked} @keydown=${this.pressed} @mouseover=${this.pointed} @mouseout=${this.pointed}>
        ${boxesTemplate(drawing.placement)}
        ${wayTemplate(drawing.way, { words: (hop) => hopWords(branch, hop), selected: this.selected, hovered: this.hovered, marked: this.marked })}
      </svg></div>
      <p class="legend">
        ${journeysOf(branch).map(({ name }) => html`<span><i class=${name}></i>${JOURNEY_WORDS[name]}</span>`)}
        ${drawing.others === '' ? nothing : html`<span>${drawing.others}</span>`}
      </p>`;
  }

  private hopOf(event: Event): number | null {
    const target = event.target instanceof Element ? event.target.closest('[data-hop]') : null;
    const number = Number(target?.getAttribute('data-hop') ?? 0);
    return number > 0 ? number : null;
  }

  private readonly clicked = (event: Event): void => {
    const hop = this.hopOf(event);
    if (hop === null) return;
    tell(this, 'action', { type: 'select', hop });
    revealHop(this, this.branch, hop);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const hop = this.hopOf(event);
    if (hop === null || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    this.clicked(event);
  };

  private readonly pointed = (event: Event): void => {
    const hop = event.type === 'mouseover' ? this.hopOf(event) : null;
    if (hop !== this.hovered) tell(this, 'action', { type: 'hover', hop });
  };
}
