/** The simulator's side of the line: answers the newest question, then looks for the cause in slices. */
import type { Branch } from '../../../engine/src/trace/model.ts';
import { answerTo, explained, read } from './answer.ts';
import type { Known } from './answer.ts';
import type { FromSimulator, ToSimulator } from './messages.ts';
import { offersFor } from './offers.ts';

type Ask = Extract<ToSimulator, { type: 'ask' }>;

/** Between two slices of a search the next question is heard. */
const SLICE_MS = 40;

const NOTHING: Promise<Known> = Promise.resolve({ ok: false, message: 'the file has not been read yet' });

/** A branch that takes a packet nowhere else than it is meant to go. */
const isFine = (branch: Branch): boolean => branch.probability === 0 || (branch.outcome === 'delivered' && branch.answer.kind === 'reply');

export function serveSimulator(post: (message: FromSimulator) => void): (message: ToSimulator) => void {
  let known = NOTHING;
  let unread: string | null = null;
  let newest: Ask | null = null;
  let isWaiting = false;

  async function answer(ask: Ask): Promise<void> {
    if (unread !== null) known = read(unread);
    unread = null;
    const file = await known;
    if (newest !== ask) return;
    const { number, question } = ask;
    if (!file.ok) return post({ type: 'answered', number, answer: { kind: 'failed', message: file.message } });
    const found = answerTo(file, question);
    post({ type: 'answered', number, answer: found });
    if (found.kind !== 'traced' || found.trace.branches.every(isFine)) return;
    post({ type: 'why', number, why: 'searching' });
    search(ask, explained(file, question));
  }

  async function offer({ number, role, typed }: Extract<ToSimulator, { type: 'offers' }>): Promise<void> {
    const file = await known;
    post({ type: 'offers', number, offers: file.ok ? offersFor(file.topology, role, typed) : [] });
  }

  function search(ask: Ask, tries: ReturnType<typeof explained>): void {
    setTimeout(() => {
      const end = performance.now() + SLICE_MS;
      while (newest === ask) {
        const next = tries.next();
        if (next.done === true) return post({ type: 'why', number: ask.number, why: next.value });
        if (performance.now() > end) return search(ask, tries);
      }
    });
  }

  return (message) => {
    if (message.type === 'offers') return void offer(message);
    newest = message;
    unread = message.said ?? unread;
    // Of the versions that come while one is traced only the newest is: a large file on a slow machine must not fall behind.
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      if (newest !== null) void answer(newest);
    });
  };
}
