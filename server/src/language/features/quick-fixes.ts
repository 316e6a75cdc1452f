/** The repairs of a diagnostic, and of whatever stands in a range. */
import type { Diagnostic, Fix, Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';

/** Of one diagnostic of this version. */
export const quickFixes = (_snapshot: Snapshot, diagnostic: Diagnostic): readonly Fix[] => diagnostic.fixes;

/** Diagnostics that touch a range and can be mended, both groups. `verify`: those of the second, where they are known. */
export const fixableAt = (snapshot: Snapshot, range: Range, verify: readonly Diagnostic[]): readonly Diagnostic[] =>
  [...snapshot.diagnostics, ...verify].filter((d) => d.fixes.length > 0 && d.start <= range.end && d.end >= range.start);
