/**
 * What neither the file nor dice tell: the usual case is traced first, each other one on a branch of its own, without a
 * weight and with a clause that says what it supposes.
 */
import type { Run } from '../run-state.ts';

/**
 * Whether this run takes the unusual case; `clause` goes behind "if". A branch supposes one thing only, so that there is
 * one branch for each thing and not for each combination; the same clause gets the same answer.
 */
export function suppose(run: Run, clause: string): boolean {
  const { supposing } = run.netfilter;
  if (supposing.length > 0) return supposing.includes(clause);
  const unusual = run.choose(`suppose ${clause}`, [{ probability: 1 }, { probability: 0 }]) === 1;
  if (unusual) supposing.push(clause);
  return unusual;
}
