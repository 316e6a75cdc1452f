/** The names by which server and panel speak of files: relative to the document's folder, as its `from "…"` are. */
import path from 'node:path';
import { Uri } from 'vscode';

/** A document's own name: `article.k8snet`. */
export const fileOf = (document: Uri): string => document.path.slice(document.path.lastIndexOf('/') + 1);

/** The file that a trace of this document names. An untitled document has no folder, so it can name itself only. */
export function uriOf(document: Uri, file: string): Uri {
  return file === fileOf(document) || document.scheme === 'untitled' ? document : Uri.joinPath(document, '..', file);
}

/** What the traces of a document call a file: the other way round. A file elsewhere, on another drive say, has no such name. */
export function nameIn(document: Uri, file: Uri): string | undefined {
  if (file.toString() === document.toString()) return fileOf(document);
  if (file.scheme !== document.scheme || file.authority !== document.authority || document.scheme === 'untitled') return undefined;
  return path.posix.relative(path.posix.dirname(document.path), file.path);
}

/** Where a file stands after it, or a folder above it, was renamed; `undefined` where it stays. */
export function renamed(file: Uri, from: Uri, to: Uri): Uri | undefined {
  if (file.toString() === from.toString()) return to;
  const folder = `${from.path}/`;
  if (file.scheme !== from.scheme || file.authority !== from.authority || !file.path.startsWith(folder)) return undefined;
  return Uri.joinPath(to, file.path.slice(folder.length));
}
