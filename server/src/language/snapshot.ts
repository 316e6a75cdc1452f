/**
 * One version of a `.k8snet` file with everything that is known of it. Frozen; each part is computed when first asked
 * for, once. Nothing here knows an editor, a file system or a clock.
 */
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { SourceRef } from '../../../engine/src/topology/origin.ts';
import type { ClusterSpec } from '../../../engine/src/topology/spec.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { CompiledTopology } from '../../../engine/src/data-plane/compile.ts';
import { once } from '../../../engine/src/once.ts';
import { finished, onceInSteps } from '../../../engine/src/steps.ts';
import type { Steps } from '../../../engine/src/steps.ts';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { checkingExpectation } from '../../../engine/src/verify/expect.ts';
import type { Expectation, Verdict } from '../../../engine/src/verify/model.ts';
import type { FileLookup, Files } from './bind/capture-content.ts';
import { capturedState, fileLookup } from './bind/capture-content.ts';
import type { FileModel, Place } from './bind/file-model.ts';
import { fileModelOf, rangeIn } from './bind/file-model.ts';
import type { Names } from './bind/names.ts';
import { namesOf } from './bind/names.ts';
import type { Diagnostic, Range } from './diagnostics/define.ts';
import { diagnose } from './diagnostics/diagnose.ts';
import { driftDiagnostics } from './diagnostics/drift-check.ts';
import { expectationDiagnostics } from './diagnostics/expectation-fails.ts';
import type { RepairInput } from './features/repair-edits.ts';
import { lowerExpectations, lowerSpec } from './lower/lower.ts';
import type { LowerContext } from './lower/lower.ts';
import { createLineIndex, lineOf as lineNumber } from './syntax/cursor.ts';
import type { LineIndex } from './syntax/cursor.ts';
import { parse, reparse } from './syntax/parser.ts';
import type { FileNode, TextEdit } from './syntax/tree.ts';

export interface SnapshotInput extends Files {
  /** As it stands in the `file` of every source reference. */
  readonly file: string;
  readonly text: string;
}

export interface Snapshot extends SnapshotInput {
  readonly tree: FileNode;
  readonly lines: LineIndex;
  readonly model: FileModel;
  readonly names: Names;
  readonly files: FileLookup;
  /** What can be told without building the topology, by place. At most 1,000. */
  readonly diagnostics: readonly Diagnostic[];
  readonly expectations: readonly Expectation[];
  readonly spec: () => ClusterSpec;
  readonly topology: () => Topology;
  readonly compiled: () => CompiledTopology;
  readonly verdicts: () => readonly Verdict[];
  /** Expectations that do not hold. */
  readonly verifyDiagnostics: () => readonly Diagnostic[];
  /** Captured state that differs from what would be programmed. */
  readonly driftDiagnostics: () => readonly Diagnostic[];
  /** Both of these, which take longer, in steps for who must not be away for long. */
  readonly verifying: () => Steps<readonly Diagnostic[]>;
  /** From 1. */
  readonly lineOf: (offset: number) => number;
}

export const createSnapshot = (input: SnapshotInput): Snapshot => snapshotOf(input, parse(input.text), null);

/**
 * The version behind `edits`, which follow each other as an editor sends them: each holds offsets of the text before it.
 * Without edits, the same text with the files that it names as they are now.
 */
export function updateSnapshot(old: Snapshot, edits: readonly TextEdit[], newText: string): Snapshot {
  let tree = old.tree;
  let text = old.text;
  for (const [i, edit] of edits.entries()) {
    const next = i === edits.length - 1 ? newText : text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    tree = reparse(tree, text, edit, next);
    text = next;
  }
  const { file, readFile, listFolder } = old;
  const input = { file, text: newText, ...(readFile === undefined ? {} : { readFile }), ...(listFolder === undefined ? {} : { listFolder }) };
  return snapshotOf(input, edits.length === 0 && newText !== old.text ? parse(newText) : tree, old.files);
}

function snapshotOf(input: SnapshotInput, tree: FileNode, before: FileLookup | null): Snapshot {
  const files = fileLookup(input.file, input, before);
  const model = fileModelOf(tree, files);
  const names = once(() => namesOf(model));
  const lines = once(() => createLineIndex(input.text));
  const lineOf = (offset: number): number => lineNumber(lines(), offset) + 1;
  const at = (offset: number): SourceRef => ({ file: input.file, line: lineOf(offset) });
  const lineIn = (place: Place, range: Range): SourceRef => {
    const { start, elsewhere } = rangeIn(place, range);
    return elsewhere === undefined ? at(start) : { file: elsewhere.file, line: elsewhere.line };
  };
  const context: LowerContext = { model, at: lineIn, captured: (captures, offset) => capturedState(captures, offset, files, at) };
  const spec = once(() => lowerSpec(context));
  const topology = once(() => buildTopology(spec()));
  const compiled = once(() => compileTopology(topology()));
  const expectations = once(() => lowerExpectations(context));
  const judging = onceInSteps(function* (): Steps<readonly Verdict[]> {
    const judged: Verdict[] = [];
    for (const e of expectations()) {
      judged.push(yield* checkingExpectation(spec(), topology(), compiled(), e, expectations()));
      yield undefined;
    }
    return judged;
  });
  const verdicts = (): readonly Verdict[] => finished(judging());
  const diagnostics = once(() => diagnose({ text: input.text, model, names: names(), files }));
  const repairInput = once((): RepairInput => ({ file: input.file, text: input.text, lines: lines(), model, names: names(), files }));
  const verifyDiagnostics = once(() => expectationDiagnostics(repairInput(), verdicts()));
  const drifting = onceInSteps(() => driftDiagnostics(repairInput(), spec(), topology()));
  const verifying = function* (): Steps<readonly Diagnostic[]> {
    yield* judging();
    return [...verifyDiagnostics(), ...(yield* drifting())];
  };
  return Object.freeze({
    ...input,
    tree,
    model,
    files,
    get names() { return names(); },
    get lines() { return lines(); },
    get diagnostics() { return diagnostics(); },
    get expectations() { return expectations(); },
    spec,
    topology,
    compiled,
    verdicts,
    verifyDiagnostics,
    driftDiagnostics: () => finished(drifting()),
    verifying,
    lineOf,
  });
}
