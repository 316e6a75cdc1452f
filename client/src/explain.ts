/** A diagnostic's page, shipped with the extension: what its code links to. */
import { commands, Uri, window } from 'vscode';

export const EXPLAIN_COMMAND = 'k8snet.explain';

export async function explain(extension: Uri, slug: unknown): Promise<void> {
  if (typeof slug !== 'string' || !/^[a-z0-9-]+$/.test(slug)) return;
  const page = Uri.joinPath(extension, 'docs/diagnostics', `${slug}.md`);
  try {
    await commands.executeCommand('markdown.showPreviewToSide', page);
  } catch {
    // Without the built-in Markdown extension there is no preview; the page reads well as text.
    await window.showTextDocument(page);
  }
}
