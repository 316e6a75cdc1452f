/** What all parts share: the editor's colours by its own variables, so that every theme fits, and a few measures. */
import { css } from 'lit';

export const shared = css`
  :host {
    box-sizing: border-box;
    --request: var(--vscode-charts-blue, #3794ff);
    /* By default the charts' orange is the one that marks what a search found, two thirds transparent: too pale for a line. */
    --reply: rgb(from var(--vscode-charts-orange, #d18616) r g b / 1);
    --second: var(--vscode-charts-purple, #8d55c4);
    --good: var(--vscode-testing-iconPassed, var(--vscode-charts-green, #388a34));
    --bad: var(--vscode-editorError-foreground, var(--vscode-errorForeground, #e51400));
    --unsure: var(--vscode-editorWarning-foreground, #bf8803);
    --text: var(--vscode-foreground, #333);
    --faint: var(--vscode-descriptionForeground, #666);
    --paper: var(--vscode-editor-background, #fff);
    --raised: var(--vscode-editorWidget-background, transparent);
    /* The themes' own borders are made for widgets and too pale for nested boxes. */
    --rule: var(--vscode-contrastBorder, color-mix(in srgb, var(--vscode-foreground, #333) 24%, transparent));
    --focus: var(--vscode-focusBorder, #0078d4);
    --mono: var(--vscode-editor-font-family, monospace);
    --small: calc(var(--vscode-font-size, 13px) - 1px);
    color: var(--text);
    font-family: var(--vscode-font-family, sans-serif);
    font-size: var(--vscode-font-size, 13px);
  }
  * { box-sizing: border-box; }
  button { font: inherit; color: inherit; }
  button.plain {
    background: none; border: 1px solid transparent; border-radius: 3px; padding: 2px 6px; cursor: pointer;
  }
  button.plain:hover { background: var(--vscode-toolbar-hoverBackground, #8883); border-color: var(--vscode-contrastActiveBorder, transparent); }
  button.link {
    background: none; border: 0; padding: 0; cursor: pointer; text-align: start;
    color: var(--vscode-textLink-foreground, #006ab1); font-size: var(--small);
  }
  button.link:hover { text-decoration: underline; color: var(--vscode-textLink-activeForeground, #006ab1); }
  :focus-visible { outline: 1px solid var(--focus); outline-offset: 1px; }
  .mono { font-family: var(--mono); font-size: var(--small); }
  .faint { color: var(--faint); }
`;

export const numberStyles = css`
  .number {
    display: inline-flex; align-items: center; justify-content: center; flex: none;
    min-width: 20px; height: 20px; padding: 0 4px; border-radius: 10px;
    font-size: 11px; font-variant-numeric: tabular-nums;
    border: 2px solid var(--request); background: var(--paper); color: var(--text);
  }
  .reply .number { border-color: var(--reply); border-style: dashed; }
  .second .number { border-color: var(--second); border-style: dotted; }
`;
