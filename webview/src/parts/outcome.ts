/** How it ended, in a sentence or two; above it the branches where there are several. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { aftermath, headline, isAnswerLost, OUTCOME_WORDS, percent, secondText, signOf, supposition } from '../state/outcome.ts';
import { withCode } from './code-text.ts';
import { tell } from './events.ts';
import { shared } from './styles.ts';

/** More branches than this are chosen from a list. */
const TABS = 8;

const classOf = (branch: Branch): string => (branch.outcome === 'undecided' || isAnswerLost(branch) ? 'unsure' : branch.outcome === 'delivered' ? 'good' : 'bad');

const endIn = (branch: Branch): string => branch.deliveredTo?.name ?? OUTCOME_WORDS[branch.outcome];

const plain = (branch: Branch): string => supposition(branch).replaceAll('`', '');

@customElement('k8snet-outcome')
export class OutcomeHeader extends LitElement {
  @property({ attribute: false }) branches: readonly Branch[] = [];
  @property({ type: Number }) branch = 0;

  static override readonly styles = [shared, css`
    :host { display: block; }
    [role='tablist'] { display: flex; flex-wrap: wrap; gap: 2px; border-bottom: 1px solid var(--rule); margin-bottom: 8px; }
    [role='tab'] { background: none; border: 0; border-bottom: 2px solid transparent; padding: 5px 10px; cursor: pointer; color: var(--faint); }
    [role='tab'][aria-selected='true'] { color: var(--text); border-bottom-color: var(--vscode-panelTitle-activeBorder, var(--focus)); }
    [role='tab']:hover { color: var(--text); }
    .share { font-variant-numeric: tabular-nums; margin-inline-start: 6px; }
    .choice { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-bottom: 8px; color: var(--faint); }
    select {
      font: inherit; padding: 3px 6px; color: var(--vscode-dropdown-foreground, inherit); background: var(--vscode-dropdown-background, var(--paper));
      border: 1px solid var(--vscode-dropdown-border, var(--rule)); border-radius: 2px; max-width: 100%;
    }
    .end { display: flex; gap: 10px; align-items: flex-start; }
    .sign {
      flex: none; width: 24px; height: 24px; border-radius: 12px; display: flex; align-items: center; justify-content: center;
      border: 2px solid currentColor; font-weight: 700;
    }
    .good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); }
    p { margin: 0; line-height: 1.45; overflow-wrap: anywhere; }
    h2 { font-size: calc(var(--vscode-font-size, 13px) + 2px); font-weight: 600; margin: 2px 0 2px; overflow-wrap: anywhere; }
    code { font-family: var(--mono); font-size: var(--small); color: var(--faint); }
    .if { display: inline-block; vertical-align: bottom; max-width: min(30ch, 45cqw); margin-inline-start: 6px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  `];

  override render(): TemplateResult {
    const branch = this.branches[this.branch];
    return html`${this.branches.length > TABS ? this.choice() : this.branches.length > 1 ? this.tabs() : nothing}${branch === undefined ? nothing : this.end(branch)}`;
  }

  private tabs(): TemplateResult {
    return html`<div role="tablist" aria-label="Branches, each with its probability" @keydown=${this.pressed}>
      ${this.branches.map((branch, i) => html`
        <button role="tab" id=${`branch-${i}`} aria-selected=${i === this.branch ? 'true' : 'false'} tabindex=${i === this.branch ? 0 : -1}
          @click=${() => { tell(this, 'action', { type: 'branch', index: i }); }}>
          <span class=${classOf(branch)} aria-hidden="true">${signOf(branch)}</span>
          ${endIn(branch)}${branch.supposing.length > 0 ? html`<span class="if" title=${plain(branch)}>${plain(branch)}</span>` : html`<span class="share">${percent(branch.probability)}</span>`}
        </button>`)}
    </div>`;
  }

  private choice(): TemplateResult {
    return html`<label class="choice">branch <select @change=${this.chosen}>
      ${this.branches.map((branch, i) => html`<option value=${i} ?selected=${i === this.branch}>${branch.supposing.length > 0 ? `${endIn(branch)} ${plain(branch)}` : `${percent(branch.probability)} ${endIn(branch)}`}</option>`)}
    </select> of ${this.branches.length}</label>`;
  }

  private readonly chosen = (event: Event): void => {
    tell(this, 'action', { type: 'branch', index: Number((event.target as HTMLSelectElement).value) });
  };

  private end(branch: Branch): TemplateResult {
    const replyReason = branch.reply?.reason ?? null;
    return html`<div class="end" role="status">
      <div class=${`sign ${classOf(branch)}`} aria-hidden="true">${signOf(branch)}</div>
      <div>
        <h2>${headline(branch)}</h2>
        ${branch.supposing.length === 0 ? nothing : html`<p>This is so ${withCode(supposition(branch))}.</p>`}
        ${branch.reason === null ? nothing : html`<p>${withCode(branch.reason.sentence)} <code>${branch.reason.code}</code></p>`}
        <p class="faint">${aftermath(branch)}</p>
        ${replyReason === null ? nothing : html`<p>On the way back: ${withCode(replyReason.sentence)} <code>${replyReason.code}</code></p>`}
        ${branch.second === undefined ? nothing : html`<p>${secondText(branch.second, branch)}${branch.second.reason === null ? nothing : html` ${withCode(branch.second.reason.sentence)} <code>${branch.second.reason.code}</code>`}</p>`}
      </div>
    </div>`;
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const index = (this.branch + step + this.branches.length) % this.branches.length;
    tell(this, 'action', { type: 'branch', index });
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#branch-${index}`)?.focus());
  };
}
