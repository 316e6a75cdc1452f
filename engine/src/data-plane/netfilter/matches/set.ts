/** xt_set.c: set_match_v4. */
import type { Match } from '../../../topology/netfilter.ts';
import { sourceOf, step } from '../../run-state.ts';
import { membership } from '../sets.ts';
import { invert } from './match.ts';
import type { MatchInput, MatchResult } from './match.ts';

export function matchSet(match: Extract<Match, { kind: 'set' }>, input: MatchInput): MatchResult {
  const { run, ns } = input;
  const found = membership(match.name, match.directions, match.returnNomatch === true ? 'nomatch' : 'members', input);
  if (found.kind === 'missing') return { unknown: `the set \`${found.set}\`, which the file does not show: paste \`ipset save\` of ${ns.label} into \`ipset { }\`` };
  if (found.kind === 'changed') return { unknown: `the set \`${found.set}\`, which a rule has just changed` };
  if (found.kind === 'member' && found.member.timeout !== null) {
    step(run, { stage: 'assumption', sentence: `The member of the set ${found.set.name} that ${ns.label} looks for was to stay for ${found.member.timeout} seconds more; it is taken to be there still.`, source: sourceOf(found.member.origin) });
  }
  return invert(found.kind === 'member', match);
}
