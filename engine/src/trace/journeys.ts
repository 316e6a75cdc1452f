/** The journeys of a branch, one behind the other, with the numbers of their hops: everybody who shows a trace counts alike. */
import type { Branch, Journey } from './model.ts';

export type JourneyName = 'request' | 'reply' | 'second';

export interface NamedJourney extends Journey {
  readonly name: JourneyName;
  /** Hops of the journeys before this one: its first hop has the number behind. */
  readonly before: number;
}

/** As a heading says them. `reply` is whatever was sent in answer. */
export const JOURNEY_WORDS: Readonly<Record<JourneyName, string>> = { request: 'request', reply: 'reply', second: 'second packet' };

export function journeysOf({ request, outcome, reason, reply, second }: Branch): readonly NamedJourney[] {
  const sent: NamedJourney = { name: 'request', outcome, reason, hops: request.hops, before: 0 };
  const answered: readonly NamedJourney[] = reply === null ? [] : [{ name: 'reply', ...reply, before: request.hops.length }];
  const before = request.hops.length + (reply?.hops.length ?? 0);
  return [sent, ...answered, ...(second === undefined ? [] : [{ name: 'second', ...second, before } as const])];
}
