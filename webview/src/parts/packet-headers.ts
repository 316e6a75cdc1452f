/** A packet, header by header and field by field; what the hop before had otherwise is marked in words and in colour. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { compare, type ComparedField, type ComparedHeader } from '../packet/compare.ts';
import { shared } from './styles.ts';

const STATE_WORDS: Readonly<Record<ComparedHeader['state'], string>> = { same: '', changed: 'changed', added: 'new here' };

@customElement('k8snet-packet')
export class PacketHeadersPart extends LitElement {
  @property({ attribute: false }) previous: PacketHeaders | null = null;
  @property({ attribute: false }) packet: PacketHeaders = [];

  static override readonly styles = [shared, css`
    :host { display: block; }
    .header { display: flex; flex-wrap: wrap; gap: 0 12px; padding: 4px 0; border-top: 1px solid var(--rule); }
    .header:first-child { border-top: 0; }
    .title { flex: 0 0 84px; font-weight: 600; }
    .state { display: block; font-weight: 400; font-size: 11px; color: var(--mark); }
    dl { flex: 1 1 180px; margin: 0; display: flex; flex-wrap: wrap; gap: 2px 16px; min-width: 0; }
    dl div { display: flex; gap: 5px; flex-wrap: wrap; }
    dt { color: var(--faint); }
    dd { margin: 0; font-family: var(--mono); font-size: var(--small); overflow-wrap: anywhere; }
    :host { --mark: var(--vscode-gitDecoration-modifiedResourceForeground, #895503); }
    ins { text-decoration: none; font-weight: 700; color: var(--mark); border-bottom: 2px solid var(--mark); }
    del { color: var(--faint); }
    .removed { padding: 4px 0; color: var(--faint); }
  `];

  override render(): TemplateResult {
    const { headers, removed } = compare(this.previous, this.packet);
    return html`
      ${removed.length === 0 ? nothing : html`<div class="removed">taken off here: ${removed.join(', ')}</div>`}
      ${headers.map((header) => html`
        <div class="header">
          <div class="title">${header.title}${header.state === 'same' ? nothing : html`<span class="state">${STATE_WORDS[header.state]}</span>`}</div>
          <dl>${header.fields.map(fieldTemplate)}</dl>
        </div>`)}`;
  }
}

const fieldTemplate = ({ name, value, was }: ComparedField): TemplateResult => html`
  <div><dt>${name}</dt><dd>${was === null ? value : html`<ins>${value}</ins> <del aria-label=${`was ${was}`}>${was}</del>`}</dd></div>`;
