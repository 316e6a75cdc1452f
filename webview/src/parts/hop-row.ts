/** One hop in the table: where, the packet in one line, what decided; opened, its headers and steps. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { notesOf, type SourceLine, type StepNote } from '../../../engine/src/trace/annotate.ts';
import type { JourneyName } from '../../../engine/src/trace/journeys.ts';
import type { Hop } from '../../../engine/src/trace/model.ts';
import type { PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { summaryOf } from '../packet/summary.ts';
import { tell } from './events.ts';
import { chevronIcon } from './icons.ts';
import './packet-headers.ts';
import './step-list.ts';
import { numberStyles, shared } from './styles.ts';

@customElement('k8snet-hop')
export class HopRow extends LitElement {
  @property({ type: Number }) number = 0;
  @property({ attribute: false }) hop: Hop | null = null;
  @property({ attribute: false }) previous: PacketHeaders | null = null;
  @property() journey: JourneyName = 'request';
  @property({ type: Boolean }) expanded = false;
  @property({ type: Boolean, reflect: true }) selected = false;
  @property({ type: Boolean, reflect: true }) hovered = false;
  @property({ type: Boolean, reflect: true }) marked = false;
  @property({ type: Boolean }) reachable = false;
  @property({ attribute: false }) cursor: SourceLine | null = null;

  static override readonly styles = [shared, numberStyles, css`
    :host { display: block; border-top: 1px solid var(--rule); scroll-margin: 40px; }
    .row {
      display: grid; grid-template-columns: 30px minmax(110px, 5fr) minmax(140px, 10fr) minmax(0, 7fr) 16px; gap: 2px 10px; align-items: center; width: 100%;
      background: none; border: 0; padding: 5px 6px 5px 5px; text-align: start; cursor: pointer; border-inline-start: 3px solid transparent;
    }
    :host([hovered]) .row { background: var(--vscode-list-hoverBackground, #8882); outline: 1px dashed var(--vscode-contrastActiveBorder, transparent); outline-offset: -1px; }
    :host([marked]) .row { border-inline-start-color: var(--vscode-editorCursor-foreground, var(--focus)); }
    :host([selected]) .row {
      background: var(--vscode-list-inactiveSelectionBackground, #8883); color: var(--vscode-list-inactiveSelectionForeground, inherit);
      outline: 1px solid var(--vscode-contrastActiveBorder, transparent); outline-offset: -1px;
    }
    :host([selected]) .row .faint, :host([selected]) .row .host, :host([selected]) .row .rest, :host([selected]) .row .tunnel { color: inherit; }
    .row:focus-visible { outline: 1px solid var(--focus); outline-offset: -1px; }
    .number { justify-self: start; }
    .place { min-width: 0; overflow-wrap: anywhere; }
    .device { font-family: var(--mono); font-size: var(--small); font-weight: 600; }
    .host { color: var(--faint); font-size: var(--small); display: block; }
    .packet { min-width: 0; overflow-wrap: anywhere; font-family: var(--mono); font-size: 11px; }
    .packet .tunnel { display: block; color: var(--faint); }
    .packet .rest { color: var(--faint); display: block; }
    .notes { min-width: 0; overflow-wrap: anywhere; font-size: var(--small); }
    .notes span { display: block; }
    .notes .most { font-weight: 600; }
    .chevron { color: var(--faint); display: flex; transition: transform 120ms; }
    .row[aria-expanded='true'] .chevron { transform: rotate(90deg); }
    @media (prefers-reduced-motion: reduce) { .chevron { transition: none; } }
    .detail { padding: 4px 8px 10px 38px; }
    h4 { margin: 8px 0 2px; font-size: 11px; font-weight: 600; color: var(--faint); text-transform: uppercase; letter-spacing: 0.04em; }
    @container list (max-width: 640px) {
      .row { grid-template-columns: 30px 1fr 16px; }
      .packet, .notes { grid-column: 2 / 3; }
      .chevron { grid-row: 1; grid-column: 3; }
      .detail { padding-inline-start: 12px; }
    }
  `];

  override render(): TemplateResult | typeof nothing {
    const { hop } = this;
    if (hop === null) return nothing;
    const { tunnels, ends, rest } = summaryOf(hop.packet);
    const place = hop.namespace === 'root' ? hop.host : `${hop.namespace} on ${hop.host}`;
    return html`
      <button class=${`row ${this.journey}`} tabindex=${this.reachable ? 0 : -1} aria-expanded=${this.expanded ? 'true' : 'false'} aria-controls="detail"
        @mouseenter=${() => { tell(this, 'action', { type: 'hover', hop: this.number }); }}
        @mouseleave=${() => { tell(this, 'action', { type: 'hover', hop: null }); }}>
        <span class="number">${this.number}</span>
        <span class="place"><span class="device">${hop.interface}</span> <span class="faint">${hop.direction}</span><span class="host">${place}</span></span>
        <span class="packet">${tunnels.map((tunnel) => html`<span class="tunnel">${tunnel}</span>`)}${ends} <span class="rest">${rest}</span></span>
        <span class="notes">${worthSaying(hop).map((note, i) => html`<span class=${i === 0 && note.weight >= 4 ? 'most' : ''}>${note.text}</span>`)}</span>
        <span class="chevron">${chevronIcon}</span>
      </button>
      <div id="detail" class="detail" ?hidden=${!this.expanded}>${this.expanded ? this.detail(hop) : nothing}</div>`;
  }

  private detail(hop: Hop): TemplateResult {
    return html`
      <h4>Packet</h4><k8snet-packet .previous=${this.previous} .packet=${hop.packet}></k8snet-packet>
      <h4>What happened here</h4>
      ${hop.steps.length === 0 ? html`<p class="faint">The packet passed on; nothing was decided here.</p>`
        : html`<k8snet-steps .steps=${hop.steps} .cursor=${this.cursor}></k8snet-steps>`}`;
  }
}

/** Lookups and jumps only where nothing weightier was decided. */
function worthSaying(hop: Hop): readonly StepNote[] {
  const notes = notesOf(hop);
  const weighty = notes.filter((note) => note.weight >= 3);
  return weighty.length > 0 ? weighty.slice(0, 3) : notes.filter((note) => note.weight > 0).slice(0, 1);
}
