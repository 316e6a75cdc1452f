/** The panel's page: our script and our worker's, nothing inline, nothing from elsewhere. */
import { Uri } from 'vscode';
import type { Webview } from 'vscode';

export const distFolder = (extension: Uri): Uri => Uri.joinPath(extension, 'dist');

export function pageFor(webview: Webview, extension: Uri): string {
  const own = webview.cspSource;
  const script = webview.asWebviewUri(Uri.joinPath(distFolder(extension), 'webview.js')).toString();
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${own}; style-src ${own}; font-src ${own}; img-src ${own} data:; connect-src ${own}; worker-src blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trace</title>
<script type="module" src="${script}"></script>
</head>
<body></body>
</html>`;
}
