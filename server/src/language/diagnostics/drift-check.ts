/** Captured beside declared: the drift that the engine finds, as diagnostics at the lines that it is about. */
import type { Steps } from '../../../../engine/src/steps.ts';
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import type { Topology } from '../../../../engine/src/topology/model.ts';
import type { ClusterSpec } from '../../../../engine/src/topology/spec.ts';
import { driftingOf } from '../../../../engine/src/verify/drift.ts';
import type { Drift, DriftKind } from '../../../../engine/src/verify/drift.ts';
import type { Repair } from '../../../../engine/src/verify/explanation.ts';
import type { Dump } from '../bind/dumps.ts';
import { dumpsIn, rangeOfLine, wholeLine } from '../bind/dumps.ts';
import { rangeIn } from '../bind/file-model.ts';
import { repairEdits } from '../features/repair-edits.ts';
import type { RepairInput } from '../features/repair-edits.ts';
import type { Definition, Diagnostic, DriftReport, Fix, Range, Related } from './define.ts';
import { report } from './define.ts';
import { inOrder } from './diagnose.ts';
import { drift } from './drift.ts';
import { forwardDrop } from './forward-drop.ts';
import { harmlessDrift } from './harmless-drift.ts';
import { partialDump } from './partial-dump.ts';
import { shadowedAccept } from './shadowed-accept.ts';
import { rulesetDiagnostics } from './rulesets.ts';

const DEFINITIONS: Readonly<Record<DriftKind, Definition<DriftReport>>> = {
  drift, harmless: harmlessDrift, partial: partialDump, shadowed: shadowedAccept, 'forward-drop': forwardDrop,
};

/** In steps, each a network namespace. */
export function* driftDiagnostics(input: RepairInput, spec: ClusterSpec, topology: Topology): Steps<readonly Diagnostic[]> {
  const drifts = yield* driftingOf(spec, topology);
  return inOrder([...drifts.flatMap((found) => diagnosticOf(input, found)), ...rulesetDiagnostics(input)]);
}

function diagnosticOf(input: RepairInput, found: Drift): readonly Diagnostic[] {
  const owner = found.owner.kind === 'node' ? input.names.nodes.get(found.owner.name) : input.names.pods.get(found.owner.name);
  if (owner === undefined) return [];
  const dumps = dumpsIn(owner, input.files, found.block, 'links', 'addresses');
  const place = found.at === null ? undefined : placeOf(input, dumps, found.at);
  const block = dumps.find((d) => d.capture.keyword === found.block)?.capture;
  const at = place?.range ?? (block === undefined ? rangeIn(owner, owner.declaration.keyword) : rangeIn(owner, block.at));
  // A dump without a line has none to name.
  const prefix = place?.prefix ?? (block === undefined || block.from === null ? '' : `${block.from.value}: `);
  const related = found.others.slice(0, 10).flatMap((other): readonly Related[] => {
    const where = placeOf(input, dumps, other.at);
    return where === undefined ? [] : [{ ...where.range, message: where.prefix + other.message }];
  });
  return [report(DEFINITIONS[found.kind], { sentence: `${prefix}${found.sentence.replace(/\.$/, '')}`, fixes: found.fixes.flatMap((fix) => fixOf(input, fix)) }, at, related)];
}

function fixOf(input: RepairInput, { title, edits }: Repair): readonly Fix[] {
  const made = repairEdits(input, edits);
  return made === null ? [] : [{ title: title.charAt(0).toUpperCase() + title.slice(1), edits: made }];
}

interface Found {
  readonly range: Range;
  /** `host1.iptables:12: `, for a line of another file. */
  readonly prefix: string;
}

/** Where a line of a dump stands: in this file, or where its own file is named. */
function placeOf(input: RepairInput, dumps: readonly Dump[], at: SourceRef): Found | undefined {
  if (at.file === input.file) {
    const start = input.lines.starts[at.line - 1] ?? 0;
    const text = /^[^\n]*/.exec(input.text.slice(start))?.[0] ?? '';
    return { range: { start: start + (text.length - text.trimStart().length), end: start + text.trimEnd().length }, prefix: '' };
  }
  const dump = dumps.find((d) => d.capture.from?.value === at.file || (d.capture.from !== null && at.file.endsWith(`/${d.capture.from.value}`)));
  return dump === undefined ? undefined : { range: rangeOfLine(dump, wholeLine(dump.content, at.line - 1)), prefix: `${at.file}:${at.line}: ` };
}
