/** The names of files and folders within the quotes of `from "…"`. */
import type { Snapshot } from '../snapshot.ts';
import type { CompletionItem } from './completions.ts';

/** `undefined` where the cursor stands in no such quotes. */
export function fileCompletions({ text, listFolder }: Snapshot, offset: number): readonly CompletionItem[] | undefined {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  const typed = /\bfrom\s+(?:"[^"]*"\s*,\s*)*"([^"]*)$/.exec(line)?.[1];
  if (typed === undefined) return undefined;
  const slash = typed.lastIndexOf('/');
  const start = offset - (typed.length - slash - 1);
  return (listFolder ?? (() => []))(slash < 0 ? '' : typed.slice(0, slash))
    .filter(({ name }) => !name.startsWith('.') && !name.endsWith('.k8snet'))
    .map(({ name, kind }) => ({ label: kind === 'folder' ? `${name}/` : name, kind: 'value', detail: kind, start, end: offset }));
}
