import { css } from 'lit';

/** The SVG's look. Lines have a halo in the paper's colour, so that what they cross stays readable. */
export const pictureStyles = css`
  svg { display: block; margin: 0 auto; font-family: var(--vscode-font-family, sans-serif); }
  text { fill: var(--text); text-anchor: middle; font-size: 12px; }
  text.start { text-anchor: start; }
  text.end { text-anchor: end; }
  rect.host { fill: var(--raised); stroke: var(--rule); }
  rect.host.external { stroke-dasharray: 1 0; rx: 14px; }
  rect.netns { fill: var(--paper); stroke: var(--rule); }
  rect.netns.root { fill: none; stroke-dasharray: 3 3; }
  rect.device { fill: var(--vscode-editorInlayHint-background, #8882); fill: var(--vscode-textCodeBlock-background, #8882); stroke: var(--rule); }
  rect.device.tunnel { stroke-width: 2; }
  rect.network { fill: none; stroke: var(--rule); stroke-width: 1.5; }
  .idle { opacity: 0.55; }
  .idle rect { stroke-dasharray: 2 3; fill: none; }
  .title { font-weight: 600; }
  .kind, .subtitle { fill: var(--faint); font-weight: 400; font-size: 11px; }
  .pod-name { font-size: 11px; font-weight: 600; }
  .device-name { font-family: var(--mono); font-size: 11px; }
  .address { fill: var(--faint); }
  .way .halo { fill: none; stroke: var(--paper); stroke-width: 6; opacity: 0.85; }
  .way .line { fill: none; stroke: var(--request); stroke-width: 2; }
  .way .arrow { fill: var(--request); }
  .way.reply .line { stroke: var(--reply); stroke-dasharray: 6 4; }
  .way.reply .arrow { fill: var(--reply); }
  .way.second .line { stroke: var(--second); stroke-dasharray: 2 3; }
  .way.second .arrow { fill: var(--second); }
  .note { font-family: var(--mono); font-size: 10.5px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; cursor: pointer; }
  circle.start { fill: var(--request); }
  circle.start.reply { fill: var(--paper); stroke: var(--reply); stroke-width: 2; }
  circle.start.second { fill: var(--second); }
  g.end circle { fill: var(--paper); stroke: var(--good); stroke-width: 2; }
  g.end text { fill: var(--good); font-weight: 700; font-size: 11px; }
  g.end.bad circle { stroke: var(--bad); }
  g.end.bad text { fill: var(--bad); }
  g.end.unsure circle { stroke: var(--unsure); }
  g.end.unsure text { fill: var(--unsure); }
  g.end { cursor: pointer; }
  .badge { cursor: pointer; outline: none; }
  .badge .disc { fill: var(--paper); stroke: var(--request); stroke-width: 2; }
  .badge.reply .disc { stroke: var(--reply); stroke-dasharray: 4 2; }
  .badge.second .disc { stroke: var(--second); stroke-dasharray: 2 2; }
  .badge text { font-size: 11px; font-variant-numeric: tabular-nums; }
  .badge .ring { fill: none; stroke: none; }
  .badge.hovered .disc, .badge:hover .disc { stroke-width: 3.5; }
  .badge.marked .ring { stroke: var(--vscode-editorCursor-foreground, var(--focus)); stroke-dasharray: 2 2; }
  .badge.selected .disc { fill: var(--text); }
  .badge.selected text { fill: var(--paper); font-weight: 700; }
  .badge.selected .ring { stroke: var(--vscode-contrastActiveBorder, none); }
  .badge:focus-visible .ring { stroke: var(--focus); stroke-width: 1.5; stroke-dasharray: none; }
`;
