/** One measurement, as `npm run bench -- --json` prints it. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** value / the value of `against`, in the same unit; `null` where nothing can be compared. */
  readonly ratio: number | null;
  readonly against: string | null;
  readonly goal: string | null;
  /** Whether the goal is met; `null` without one. */
  readonly holds: boolean | null;
}

export interface Setting {
  /** The checkout. */
  readonly root: string;
  /** A few rounds only. */
  readonly smoke: boolean;
}

export interface Bench {
  readonly name: string;
  readonly rows: (setting: Setting) => Promise<readonly Row[]> | readonly Row[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Milliseconds of each of `rounds` calls, after as many again to warm up. */
export function timings(rounds: number, f: (round: number) => unknown): readonly number[] {
  for (let i = 0; i < rounds; i++) f(i);
  return Array.from({ length: rounds }, (_, i) => {
    const start = performance.now();
    f(i);
    return performance.now() - start;
  });
}
