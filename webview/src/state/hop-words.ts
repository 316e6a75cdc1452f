/** A hop in one sentence, for those who hear the picture. */
import { notesOf } from '../../../engine/src/trace/annotate.ts';
import { JOURNEY_WORDS, journeysOf } from '../../../engine/src/trace/journeys.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { summaryOf } from '../packet/summary.ts';

/** "Hop 4, request: out of flannel.1 on host1. 10.0.14.15 → 10.0.5.150 …" */
export function hopWords(branch: Branch, number: number): string {
  const journey = journeysOf(branch).findLast(({ before }) => before < number);
  const hop = journey?.hops[number - 1 - journey.before];
  if (journey === undefined || hop === undefined) return '';
  const pod = hop.namespace === 'root' ? '' : ` in pod ${hop.namespace}`;
  const { tunnels, ends, rest } = summaryOf(hop.packet);
  const note = notesOf(hop)[0];
  return `Hop ${number}, ${JOURNEY_WORDS[journey.name]}: ${hop.direction === 'in' ? 'into' : 'out of'} ${hop.interface}${pod} on ${hop.host}. `
    + `${[...tunnels, ends].join(', ')} ${rest}${note === undefined ? '' : `. ${note.text}`}`;
}
