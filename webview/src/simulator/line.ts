/** The page's side of the line to the simulator. */
import type { Question } from '../protocol.ts';
import type { Answer, Offer, Why } from '../state/model.ts';
import type { FromSimulator, ToSimulator } from './messages.ts';

export type Told =
  | { readonly type: 'answered'; readonly answer: Answer }
  | { readonly type: 'why'; readonly why: Why | null };

export interface Simulator {
  /**
   * `hear` is told the answer, then, where the packet does not arrive, why. A later question takes this one's place, and
   * its `hear` is not called any more. `said`: what the file says, packed; `null` where that is as before.
   */
  ask(said: string | null, question: Question, hear: (told: Told) => void): void;
  /** Texts for one end of a question. */
  offers(role: 'from' | 'to', typed: string): Promise<readonly Offer[]>;
}

export interface Line {
  readonly simulator: Simulator;
  readonly receive: (message: FromSimulator) => void;
  /** The other side is gone, and why. */
  readonly broken: (message: string) => void;
}

export function lineTo(post: (message: ToSimulator) => void): Line {
  let number = 0;
  let asked: { readonly number: number; readonly hear: (told: Told) => void } = { number, hear: () => undefined };
  const offering = new Map<number, (offers: readonly Offer[]) => void>();
  return {
    simulator: {
      ask(said, question, hear) {
        asked = { number: ++number, hear };
        post({ type: 'ask', number, said, question });
      },
      offers(role, typed) {
        const mine = ++number;
        return new Promise((resolve) => {
          offering.set(mine, resolve);
          post({ type: 'offers', number: mine, role, typed });
        });
      },
    },
    receive(message) {
      if (message.type === 'offers') {
        offering.get(message.number)?.(message.offers);
        offering.delete(message.number);
      } else if (message.number === asked.number) asked.hear(message);
    },
    broken: (message) => { asked.hear({ type: 'answered', answer: { kind: 'failed', message } }); },
  };
}
