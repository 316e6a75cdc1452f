/** Opens the article's cluster as a new file, so that trying things out changes nothing that was installed. */
import { Uri, window, workspace } from 'vscode';

export async function openExample(extension: Uri): Promise<void> {
  const bytes = await workspace.fs.readFile(Uri.joinPath(extension, 'examples/article.k8snet'));
  const document = await workspace.openTextDocument({ language: 'k8snet', content: new TextDecoder().decode(bytes) });
  await window.showTextDocument(document);
}
