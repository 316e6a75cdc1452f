/** What the page and the simulator, which runs in a worker, say to each other. No one else is on the line. */
import type { Question } from '../protocol.ts';
import type { Answer, Offer, Why } from '../state/model.ts';

export type ToSimulator =
  /** Takes the place of every question before it. `said`: what the file says, packed; `null` where that is as before. */
  | { readonly type: 'ask'; readonly number: number; readonly said: string | null; readonly question: Question }
  | { readonly type: 'offers'; readonly number: number; readonly role: 'from' | 'to'; readonly typed: string };

/** The number is the question's. */
export type FromSimulator =
  | { readonly type: 'answered'; readonly number: number; readonly answer: Answer }
  /** Behind the answer, where the packet does not arrive: that it is being looked for, then why. */
  | { readonly type: 'why'; readonly number: number; readonly why: Why | null }
  | { readonly type: 'offers'; readonly number: number; readonly offers: readonly Offer[] };
