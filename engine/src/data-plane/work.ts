/** Calls the stages, one piece of work after the other, until a journey has nothing left to do. */
import { MAX_WORK } from './budgets.ts';
import { transmit } from './device.ts';
import { receive, receiveCopy, receiveUp } from './receive.ts';
import { abandon, forget } from './run-state.ts';
import type { Run, Work } from './run-state.ts';
import { send } from './send.ts';

export function workOff(run: Run): void {
  let done = 0;
  for (let work = run.queue.pop(); work !== undefined; work = run.queue.pop()) {
    if (++done > MAX_WORK) return abandon(run);
    doWork(run, work);
  }
}

function doWork(run: Run, work: Work): void {
  switch (work.kind) {
    case 'receive':
      receive(run, work.ns, work.device, work.skb);
      return;
    case 'receive-copy':
      receiveCopy(run, work.ns, work.device, work.skb);
      return;
    case 'receive-up':
      receiveUp(run, work.ns, work.device, work.skb);
      return;
    case 'transmit':
      transmit(run, work.ns, work.device, work.skb);
      return;
    case 'send':
      send(run, work.ns, work.sending);
      return;
    case 'within':
      work.stage();
      return;
    case 'forget':
      forget(run, work.since);
  }
}
