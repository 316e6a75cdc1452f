/** The names by which server and panel speak of files: relative to the document's folder, as its `from "…"` are. */
import { Uri } from 'vscode';

/** A document's own name: `article.k8snet`. */
export const fileOf = (document: Uri): string => document.path.slice(document.path.lastIndexOf('/') + 1);

/** The file that a trace of this document names. An untitled document has no folder, so it can name itself only. */
export function uriOf(document: Uri, file: string): Uri {
  return file === fileOf(document) || document.scheme === 'untitled' ? document : Uri.joinPath(document, '..', file);
}
