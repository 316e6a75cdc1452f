/** Between a document's own name for a file, as in `from "…"`, and its URI. */
export const uriBeside = (documentUri: string, file: string): string => new URL(file.split('/').map(encodeURIComponent).join('/'), documentUri).href;
