/** A node's rules in iptables-legacy and in iptables-nft: told by a comment, by two dumps of a node, or by one dump of both. */
import { otherRuleset, RULESET_NAMES } from '../../../../engine/src/topology/netfilter.ts';
import type { Ruleset } from '../../../../engine/src/topology/netfilter.ts';
import type { Dump, DumpOwner } from '../bind/dumps.ts';
import { dumpsIn, ownerName } from '../bind/dumps.ts';
import { rangeIn } from '../bind/file-model.ts';
import { extentOf } from '../bind/statements.ts';
import { flavourOf, rulesetsOf } from '../bind/rulesets.ts';
import type { RulesetPart } from '../bind/rulesets.ts';
import { statementRemoval } from '../features/statement-edits.ts';
import type { RepairInput } from '../features/repair-edits.ts';
import type { TextEdit } from '../syntax/tree.ts';
import type { Diagnostic, Fix } from './define.ts';
import { report } from './define.ts';
import { twoRulesets } from './two-rulesets.ts';

export function* rulesetDiagnostics(input: RepairInput): Iterable<Diagnostic> {
  for (const owner of input.model.nodes) {
    for (const keyword of ['iptables', 'ip6tables'] as const) yield* inFamily(input, readingsOf(input, owner, dumpsIn(owner, input.files, keyword)));
  }
}

interface RawLine {
  readonly text: string;
  /** In this file; of another file's line 0. */
  readonly start: number;
  readonly end: number;
  /** Of the header above; `null` where none says. */
  readonly flavour: Ruleset | null;
}

interface Reading {
  readonly owner: DumpOwner;
  readonly dump: Dump;
  readonly lines: readonly RawLine[];
  /** Those that it has, where the node has both. */
  readonly flavours: ReadonlySet<Ruleset>;
  readonly parts: readonly RulesetPart[];
}

/** iptables-nft-save prints it (iptables/xtables-save.c). */
const OTHER_RULESET = /^# Warning: (iptables-legacy|ip6tables-legacy|iptables|ip6tables) tables present/;

function readingsOf(input: RepairInput, owner: DumpOwner, dumps: readonly Dump[]): readonly Reading[] {
  const parts = rulesetsOf(dumps.map(({ capture, content }) => ({ lines: content.lines, file: capture.from?.value ?? null })));
  return dumps.map((dump, i) => {
    let flavour: Ruleset | null = null;
    const lines = rawLines(input, owner, dump).map((line) => {
      if (line.text.startsWith('#')) flavour = flavourOf(line.text) ?? flavour;
      return { ...line, flavour };
    });
    const own = parts[i] ?? [];
    return { owner, dump, lines, parts: own, flavours: new Set(own.flatMap((part) => part.ruleset ?? [])) };
  });
}

/** With its comments, which are no lines of a block's tree. */
function rawLines({ text }: RepairInput, owner: DumpOwner, { capture, content }: Dump): readonly Omit<RawLine, 'flavour'>[] {
  if (capture.from !== null || capture.node.block === null) return content.lines.map((l) => ({ text: l.text, start: 0, end: 0 }));
  const { offset, width, closed } = capture.node.block;
  const from = owner.offset + capture.offset + offset + 1;
  const to = owner.offset + capture.offset + offset + width - (closed ? 1 : 0);
  let start = from;
  return text.slice(from, to).split('\n').map((line) => {
    const placed = { text: line.trim(), start, end: Math.min(start + line.length + 1, to) };
    start += line.length + 1;
    return placed;
  });
}

function* inFamily(input: RepairInput, readings: readonly Reading[]): Iterable<Diagnostic> {
  const isBoth = readings.some((r) => r.flavours.size > 0);
  const fixes = isBoth ? (['legacy', 'nft'] as const).flatMap((flavour) => fixWithout(input, readings, flavour)) : [];
  const seen = new Set<Ruleset>();
  for (const [i, reading] of readings.entries()) {
    const { owner, dump, lines, parts } = reading;
    const at = rangeIn(owner, dump.capture.at);
    const name = ownerName(owner);
    const again = parts.flatMap((part) => [...part.again]);
    const [first] = readings;
    const related = i === 0 || first === undefined ? [] : [{ ...rangeIn(owner, first.dump.capture.at), message: 'the first dump' }];
    const before = seen.size;
    for (const flavour of reading.flavours) seen.add(flavour);
    const told = lines.map((l) => OTHER_RULESET.exec(l.text)?.[1]).find((other) => other !== undefined);
    if (seen.size === 2 && before < 2) yield report(twoRulesets, { kind: 'both', owner: name, isGuess: readings.some((r) => r.parts.some((part) => part.isGuess)), fixes }, at, related);
    if (again.length > 0) yield report(twoRulesets, { kind: 'twice', owner: name, again, fixes: [withoutDump(input, owner, dump)].map((edit) => ({ title: 'Remove this dump', edits: [edit] })) }, at, related);
    else if (told !== undefined && !isBoth) yield report(twoRulesets, { kind: 'told', owner: name, other: told, fixes: fixOfComment(reading) }, at);
  }
}

const withoutDump = ({ text }: RepairInput, owner: DumpOwner, { capture }: Dump): TextEdit => statementRemoval(text, extentOf(capture.node, owner.offset + capture.offset));

function withoutLines({ dump, lines }: Reading, are: (line: RawLine) => boolean): readonly TextEdit[] {
  return dump.capture.from !== null ? [] : lines.filter((l) => l.text !== '' && are(l)).map((l) => ({ start: l.start, end: l.end, text: '' }));
}

function fixOfComment(reading: Reading): readonly Fix[] {
  const edits = withoutLines(reading, (l) => OTHER_RULESET.test(l.text));
  return edits.length === 0 ? [] : [{ title: 'The others are flushed: remove the comment', edits }];
}

/** What is left when one of the two is flushed; a file that has both is not ours to edit. */
function fixWithout(input: RepairInput, readings: readonly Reading[], flavour: Ruleset): readonly Fix[] {
  const having = readings.filter((r) => r.flavours.has(flavour));
  if (having.some((r) => r.flavours.size > 1 && r.dump.capture.from !== null)) return [];
  const edits = readings.flatMap((r) => (r.flavours.size === 1 && r.flavours.has(flavour) ? [withoutDump(input, r.owner, r.dump)] : withoutLines(r, (l) => l.flavour === flavour || OTHER_RULESET.test(l.text))));
  return [{ title: `Keep ${RULESET_NAMES[otherRuleset(flavour)]}: remove the rules of ${RULESET_NAMES[flavour]}`, edits }];
}
