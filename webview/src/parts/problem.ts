/** Why there is no trace: the question names nothing that exists, or the engine failed. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Question } from '../protocol.ts';
import type { State } from '../state/model.ts';
import { tell } from './events.ts';
import { shared } from './styles.ts';

@customElement('k8snet-problem')
export class Problem extends LitElement {
  @property({ attribute: false }) problem: State['problem'] = null;
  @property({ attribute: false }) question: Question | null = null;
  @property({ type: Boolean }) stale = false;

  static override readonly styles = [shared, css`
    :host { display: block; }
    div {
      padding: 8px 10px; border: 1px solid var(--vscode-inputValidation-warningBorder, var(--unsure)); border-radius: 3px;
      background: var(--vscode-inputValidation-warningBackground, transparent); color: var(--vscode-inputValidation-warningForeground, inherit);
    }
    p { margin: 0; line-height: 1.45; overflow-wrap: anywhere; }
    .faint { color: inherit; }
    ul { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 6px 0 0; padding: 0; list-style: none; }
  `];

  override render(): TemplateResult | typeof nothing {
    const { problem } = this;
    if (problem === null) return nothing;
    return html`<div role="alert">
      ${problem.kind === 'failed'
        ? html`<p>The simulator failed on this question. This is a bug of k8snet, not of the file; please report it with the file. <code class="mono">${problem.message}</code></p>`
        : html`<p>${problem.message}</p>
          ${problem.suggestions.length === 0 ? nothing : html`<ul aria-label="Did you mean">${problem.suggestions.map((text) => html`
            <li><button class="link" @click=${() => { this.take(text); }}>${text}</button></li>`)}</ul>`}`}
      ${this.stale ? html`<p class="faint">Below stands the last trace that could be made.</p>` : nothing}
    </div>`;
  }

  /** A suggestion is for the end that the message quotes; where that cannot be told, for the receiver. */
  private take(text: string): void {
    const { problem, question } = this;
    if (question === null || problem === null) return;
    const ofSender = problem.message.includes(question.from) && !problem.message.includes(question.to);
    tell(this, 'ask', ofSender ? { ...question, from: text } : { ...question, to: text });
  }
}
