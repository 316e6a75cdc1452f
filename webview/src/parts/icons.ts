/** Small signs, drawn in the colour of the text. */
import { svg, html, type TemplateResult } from 'lit';

const icon = (shape: TemplateResult): TemplateResult => html`
  <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${shape}</svg>`;

export const swapIcon = icon(svg`<path d="M2.5 5.5h10M10 3l2.5 2.5L10 8M13.5 10.5h-10M6 8l-2.5 2.5L6 13"/>`);
export const pictureIcon = icon(svg`<rect x="1.7" y="2.7" width="5" height="4" rx="0.8"/><rect x="9.3" y="9.3" width="5" height="4" rx="0.8"/><path d="M4.2 6.7v4.6h5.1"/>`);
export const captureIcon = icon(svg`<path d="M8 2.2v7.3M4.9 6.6 8 9.7l3.1-3.1M2.7 11.2v2.1h10.6v-2.1"/>`);
export const chevronIcon = icon(svg`<path d="m6 3.5 4.5 4.5L6 12.5"/>`);
