/** What was done with the packet at a hop, step by step: the sentence, the rule or route itself, and where it comes from. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { lineOf, type SourceLine } from '../../../engine/src/trace/annotate.ts';
import type { Step } from '../../../engine/src/trace/model.ts';
import { causedBy } from '../state/reduce.ts';
import { groupsOf, type StepGroup } from '../state/step-groups.ts';
import { placeOfStep, quotedText, sourceText } from '../state/step-text.ts';
import { withCode } from './code-text.ts';
import { tell } from './events.ts';
import { shared } from './styles.ts';

@customElement('k8snet-steps')
export class StepList extends LitElement {
  @property({ attribute: false }) steps: readonly Step[] = [];
  @property({ attribute: false }) cursor: SourceLine | null = null;

  static override readonly styles = [shared, css`
    :host { display: block; }
    ol { list-style: none; margin: 0; padding: 0; }
    li { padding: 5px 0 5px 10px; border-inline-start: 3px solid transparent; }
    li + li { border-top: 1px solid var(--rule); }
    li.here { border-inline-start-color: var(--vscode-editorCursor-foreground, var(--focus)); background: var(--vscode-editor-lineHighlightBackground, transparent); }
    li.known { cursor: pointer; }
    li.end { font-weight: 600; }
    summary { cursor: pointer; color: var(--faint); font-size: var(--small); overflow-wrap: anywhere; }
    .sentence code { font-family: var(--mono); font-size: var(--small); overflow-wrap: anywhere; }
    .where { font-family: var(--mono); font-size: 11px; color: var(--faint); margin-inline-end: 6px; overflow-wrap: anywhere; }
    code.quoted {
      display: block; margin: 3px 0; padding: 3px 6px; font-family: var(--mono); font-size: var(--small); font-weight: 400; overflow-wrap: anywhere;
      background: var(--vscode-textCodeBlock-background, #8881); border: 1px solid var(--vscode-contrastBorder, transparent);
    }
    .source { font-size: var(--small); font-weight: 400; color: var(--faint); overflow-wrap: anywhere; }
    .here-word { color: var(--faint); font-size: 11px; }
  `];

  override render(): TemplateResult {
    return html`<ol>${groupsOf(this.steps).map((group) => this.group(group))}</ol>`;
  }

  private group({ summary, steps }: StepGroup): TemplateResult {
    if (summary === '') return html`${steps.map((step) => this.row(step))}`;
    const here = steps.some((step) => causedBy(step, this.cursor));
    return html`<li class="idle"><details ?open=${here}><summary>${summary}</summary><ol>${steps.map((step) => this.row(step))}</ol></details></li>`;
  }

  private row(step: Step): TemplateResult {
    const here = causedBy(step, this.cursor);
    const quoted = quotedText(step);
    const where = placeOfStep(step);
    const ends = step.stage === 'drop' || step.stage === 'undecided' || step.stage === 'deliver';
    return html`<li class=${`${here ? 'here' : ''} ${ends ? 'end' : ''} ${lineOf(step) === null ? '' : 'known'}`} @click=${() => { this.reveal(step); }}>
      ${where === '' ? nothing : html`<span class="where">${where}</span>`}<span class="sentence">${withCode(step.sentence)}</span>
      ${quoted === null || step.sentence.includes(`\`${quoted}\``) ? nothing : html`<code class="quoted">${quoted}</code>`}
      <div class="source">${this.source(step)}${here ? html` <span class="here-word">← the cursor's line</span>` : nothing}</div>
    </li>`;
  }

  private source(step: Step): TemplateResult {
    const at = lineOf(step);
    const { link, rest } = sourceText(step.source);
    return html`${at === null ? nothing : html`<button class="link mono">${link}</button> `}${rest}`;
  }

  /** The whole step leads to its line; the link is for the keyboard. Selecting text to copy it is no click. */
  private reveal(step: Step): void {
    const at = lineOf(step);
    if (at !== null && getSelection()?.isCollapsed !== false) tell(this, 'reveal', at);
  }
}
