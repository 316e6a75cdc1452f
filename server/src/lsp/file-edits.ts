/** The edits of a fix or repair, file by file, each for the version that it was made of. */
import type { FixEdit } from '../language/diagnostics/define.ts';
import { uriBeside } from './beside.ts';
import type { OpenDocument } from './documents.ts';
import { lineStartsOf } from './lines.ts';
import type { OpenDumps } from './open-dumps.ts';
import type { FileEdits } from './protocol.ts';
import { editOf } from './to-lsp.ts';

/** `null` where a dump has changed since the document was analysed. */
export function fileEdits(document: OpenDocument, edits: readonly FixEdit[], dumps: OpenDumps): readonly FileEdits[] | null {
  const files = [...new Set(edits.map((edit) => edit.file))].map((file) => {
    const own = edits.filter((edit) => edit.file === file);
    return file === undefined ? { uri: document.uri, version: document.version, edits: own.map((edit) => editOf(document, edit)) } : dumpEdits(document, file, own, dumps);
  });
  return files.some((f) => f === null) ? null : files.flatMap((f) => f ?? []);
}

function dumpEdits(document: OpenDocument, file: string, edits: readonly FixEdit[], dumps: OpenDumps): FileEdits | null {
  const reading = document.snapshot.files.read(file);
  const uri = uriBeside(document.uri, file);
  const open = dumps.get(uri);
  if (!reading.ok || (open !== undefined && open.text !== reading.text)) return null;
  const lined = { text: reading.text, starts: lineStartsOf(reading.text) };
  return { uri, version: open?.version ?? null, edits: edits.map((edit) => editOf(lined, edit)) };
}
