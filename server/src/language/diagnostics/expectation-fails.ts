import type { Verdict } from '../../../../engine/src/verify/model.ts';
import { BUILTIN_CHAINS, TABLE_NAMES } from '../../../../engine/src/topology/netfilter.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { Dump } from '../bind/dumps.ts';
import { dumpsIn, rangeOfLine, wholeLine } from '../bind/dumps.ts';
import type { TextEdit } from '../syntax/tree.ts';
import type { CheckInput } from './check.ts';
import type { Diagnostic, Fix } from './define.ts';
import { defineDiagnostic, report } from './define.ts';

/** A warning, not an error: the file is well formed; `k8snet test` is what fails. */
export const expectationFails = defineDiagnostic<{ readonly sentence: string; readonly repair: Fix | null }>({
  code: 'K8N5001',
  slug: 'expectation-fails',
  severity: 'warning',
  message: (p) => `This does not hold: ${p.sentence}`,
  fix: (p) => (p.repair === null ? [] : [p.repair]),
});

/** What is to be told of the verdicts. Verdicts come in the order of the complete `expect` statements. */
export function expectationDiagnostics(input: CheckInput, verdicts: readonly Verdict[]): readonly Diagnostic[] {
  const judged = input.model.expectations.filter((p) => p.declaration.expectation !== null);
  return judged.flatMap((placed, i) => {
    const verdict = verdicts[i];
    if (verdict === undefined || verdict.passed) return [];
    return [report(expectationFails, { sentence: verdict.sentence ?? 'the trace ends otherwise.', repair: repairFix(input, verdict) }, rangeIn(placed, placed.declaration))];
  });
}

/** The repair's lines in the captured block that lacks them; `null` where that is in another file. */
function repairFix({ text, names, files }: CheckInput, { repair }: Verdict): Fix | null {
  const owner = repair === null ? undefined : names.nodes.get(repair.node);
  if (repair === null || owner === undefined) return null;
  const dumps = dumpsIn(owner, files, repair.block).filter((d) => d.capture.from === null && d.capture.node.block?.closed === true);
  const title = repair.title.charAt(0).toUpperCase() + repair.title.slice(1);
  for (const dump of dumps) {
    const edits = repair.table === null ? [append(text, dump, dump.content.lines.length, repair.lines)] : tableEdits(text, dump, repair.table, repair.lines);
    if (edits !== null) return { title, edits };
  }
  return null;
}

/** Into the part of the dump that is `table`'s: chains where it lists chains, rules at its end. */
function tableEdits(text: string, dump: Dump, table: string, added: readonly string[]): TextEdit[] | null {
  const { lines } = dump.content;
  const start = lines.findIndex((l) => l.text === `*${table}`);
  if (start < 0) return null;
  let end = start + 1;
  while (end < lines.length && lines[end]?.text !== 'COMMIT' && !(lines[end]?.text.startsWith('*') ?? false)) end++;
  const section = lines.slice(start, end).map((l) => l.text);
  const rules = added.filter((l) => !l.startsWith(':'));
  const lastChain = section.findLastIndex((line) => line.startsWith(':'));
  if (lastChain < 0 && rules.length === added.length) return [append(text, dump, end, rules)];
  const chains = newChains(section, added, table);
  if (lastChain >= 0) return [...(chains.length === 0 ? [] : [append(text, dump, start + lastChain + 1, chains)]), append(text, dump, end, rules)];
  // A table that lists chains ends with COMMIT.
  return [append(text, dump, end, [...chains, ...rules, ...(lines[end]?.text === 'COMMIT' ? [] : ['COMMIT'])])];
}

/** `:CHAIN - [0:0]` for every chain that the lines to add name and the section does not have. */
function newChains(section: readonly string[], added: readonly string[], table: string): string[] {
  const chainOf = (line: string): string[] => /^(?::|-A )(\S+)/.exec(line)?.slice(1) ?? [];
  const known = new Set([...section.flatMap(chainOf), ...BUILTIN_CHAINS[TABLE_NAMES.find((t) => t === table) ?? 'filter']]);
  return [...new Set(added.flatMap(chainOf))].filter((c) => !known.has(c)).map((c) => `:${c} - [0:0]`);
}

/** New lines before line `index` of the dump, indented as the line above. */
function append(text: string, dump: Dump, index: number, lines: readonly string[]): TextEdit {
  const { content, owner, capture } = dump;
  if (index === 0) {
    const brace = owner.offset + capture.offset + (capture.node.block?.offset ?? 0) + 1;
    return { start: brace, end: brace, text: lines.map((l) => `\n    ${l}`).join('') };
  }
  const { start, end } = rangeOfLine(dump, wholeLine(content, index - 1));
  const indentation = /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', start - 1) + 1, start))?.[0] ?? '';
  return { start: end, end, text: lines.map((l) => `\n${indentation}${l}`).join('') };
}
