/** A sentence whose backticks mark what is in a tool's own notation. */
import { html, type TemplateResult } from 'lit';

/** What stands between backticks, as `<code>`. */
export const withCode = (sentence: string): readonly (string | TemplateResult)[] =>
  sentence.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`));
