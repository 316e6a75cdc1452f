/** Why the packet does not arrive, and what would mend it: each repair was tried, and can be made in the file. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Cause, TriedRepair } from '../../../engine/src/verify/explanation.ts';
import { commandLines, editLines } from '../../../engine/src/verify/explanation-text.ts';
import type { SourceLine } from '../../../engine/src/trace/annotate.ts';
import type { Why } from '../state/model.ts';
import { withCode } from './code-text.ts';
import { tell } from './events.ts';
import { shared } from './styles.ts';

@customElement('k8snet-why')
export class WhyBlock extends LitElement {
  @property({ attribute: false }) why: Why | null = null;

  static override readonly styles = [shared, css`
    :host { display: block; }
    section { border: 1px solid var(--rule); border-inline-start: 3px solid var(--bad); border-radius: 3px; padding: 8px 12px; }
    h3 { font-size: inherit; font-weight: 600; margin: 0 0 4px; }
    h3:not(:first-child) { margin-top: 10px; }
    ol, ul { margin: 0; padding: 0; list-style: none; }
    ol.several { list-style: decimal; padding-inline-start: 20px; }
    p { margin: 0; line-height: 1.45; overflow-wrap: anywhere; }
    p + p { margin-top: 3px; }
    li + li { margin-top: 8px; }
    code { font-family: var(--mono); font-size: var(--small); overflow-wrap: anywhere; }
    .repair { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; align-items: start; }
    .repair details { grid-column: 1 / -1; }
    summary { cursor: pointer; color: var(--faint); font-size: var(--small); }
    pre { margin: 4px 0 0; padding: 4px 8px; font-family: var(--mono); font-size: var(--small); white-space: pre-wrap; overflow-wrap: anywhere; background: var(--vscode-textCodeBlock-background, #8881); border: 1px solid var(--vscode-contrastBorder, transparent); }
    button.apply {
      padding: 3px 12px; border-radius: 2px; cursor: pointer; border: 1px solid var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
      color: var(--vscode-button-foreground, #fff); background: var(--vscode-button-background, #0067b8);
    }
    button.apply:hover { background: var(--vscode-button-hoverBackground, #005ba4); }
    @container panel (max-width: 420px) { .repair { grid-template-columns: minmax(0, 1fr); justify-items: start; } }
  `];

  override render(): TemplateResult | typeof nothing {
    const { why } = this;
    if (why === null) return nothing;
    if (why === 'searching') return html`<section aria-busy="true"><p class="faint" role="status">Looking for the cause…</p></section>`;
    if (why.causes.length === 0) return nothing;
    return html`<section aria-label="Why, and what mends it">
      <h3>${why.causes.length === 1 ? 'Why' : `Why: ${why.causes.length} causes, one behind the other`}</h3>
      <ol class=${why.causes.length === 1 ? '' : 'several'}>${why.causes.map((cause) => this.cause(cause))}</ol>
      <h3>Repairs</h3>
      ${why.repairs.length === 0
        ? html`<p class="faint">No change was found with which the packet arrives and every expectation that holds goes on to hold.</p>`
        : html`<ul>${why.repairs.map((repair, i) => this.repair(repair, i === 0))}</ul>`}
    </section>`;
  }

  private cause({ sentence, at, nearest }: Cause): TemplateResult {
    return html`<li>
      <p>${withCode(unplaced(sentence, at))} ${this.line(at)}</p>
      ${nearest === null ? nothing : html`<p class="faint">Nearest: ${withCode(unplaced(nearest.sentence, nearest.at))} ${this.line(nearest.at)}</p>`}
    </li>`;
  }

  private line(at: SourceLine | null): TemplateResult | typeof nothing {
    return at === null ? nothing : html`<button class="link" @click=${() => { tell(this, 'reveal', at); }}>${at.file}:${at.line}</button>`;
  }

  private repair(repair: TriedRepair, open: boolean): TemplateResult {
    const title = repair.title.charAt(0).toUpperCase() + repair.title.slice(1);
    return html`<li class="repair">
      <p>${withCode(title)}</p>
      <button class="apply" aria-label=${`Apply: ${title}`} @click=${() => { tell(this, 'apply', repair); }}>Apply</button>
      <details ?open=${open && repair.edits.length < 3}><summary>What it changes</summary><pre>${repair.edits.flatMap(editLines).join('\n')}</pre></details>
      ${repair.commands.length === 0 ? nothing : html`<details><summary>The same on the cluster</summary><pre tabindex="0">${commandLines(repair).join('\n')}</pre></details>`}
    </li>`;
  }
}

/** The place stands behind the sentence, to be opened. */
const unplaced = (sentence: string, at: SourceLine | null): string => (at === null ? sentence : sentence.replace(` (${at.file}:${at.line})`, ''));
