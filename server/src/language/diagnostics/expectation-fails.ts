import type { Verdict } from '../../../../engine/src/verify/model.ts';
import { rangeIn } from '../bind/file-model.ts';
import { repairEdits } from '../features/repair-edits.ts';
import type { RepairInput } from '../features/repair-edits.ts';
import type { Diagnostic, Fix } from './define.ts';
import { defineDiagnostic, report } from './define.ts';

/** A warning, not an error: the file is well formed; `k8snet test` is what fails. */
export const expectationFails = defineDiagnostic<{ readonly sentence: string; readonly repairs: readonly Fix[] }>({
  code: 'K8N5001',
  slug: 'expectation-fails',
  severity: 'warning',
  message: (p) => `This does not hold: ${p.sentence}`,
  fix: (p) => p.repairs,
});

/** What is to be told of the verdicts. Verdicts come in the order of the complete `expect` statements. */
export function expectationDiagnostics(input: RepairInput, verdicts: readonly Verdict[]): readonly Diagnostic[] {
  const judged = input.model.expectations.filter((p) => p.declaration.expectation !== null);
  return judged.flatMap((placed, i) => {
    const verdict = verdicts[i];
    if (verdict === undefined || verdict.passed) return [];
    return [report(expectationFails, { sentence: verdict.sentence ?? 'the trace ends otherwise.', repairs: repairFixes(input, verdict) }, rangeIn(placed, placed.declaration))];
  });
}

/** The repairs that change this file only. */
function repairFixes(input: RepairInput, { explanation }: Verdict): readonly Fix[] {
  return (explanation?.repairs ?? []).flatMap(({ title, edits }) => {
    const made = repairEdits(input, edits);
    return made === null ? [] : [{ title: title.charAt(0).toUpperCase() + title.slice(1), edits: made }];
  });
}
