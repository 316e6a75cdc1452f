/** Targets that do something beside the packet: a copy, a member of a set, a label that no rule asks for. */
import type { Target } from '../../../topology/netfilter.ts';
import { end, sourceOf, step } from '../../run-state.ts';
import type { MatchInput } from '../matches/match.ts';
import { optionsOf } from '../matches/options.ts';
import { suppose } from '../suppose.ts';
import { accept, ended, goOn } from './target.ts';
import type { TargetResult } from './target.ts';

/** xt_CHECKSUM.c, xt_CLASSIFY.c, xt_AUDIT.c, xt_SECMARK.c, xt_CONNSECMARK.c, xt_LED.c, xt_IDLETIMER.c, xt_RATEEST.c: XT_CONTINUE, with nothing changed that is simulated. */
const WITHOUT_EFFECT: readonly string[] = ['CHECKSUM', 'CLASSIFY', 'AUDIT', 'SECMARK', 'CONNSECMARK', 'LED', 'IDLETIMER', 'RATEEST'];

export function applyAside(target: Extract<Target, { kind: 'unknown' }>, input: MatchInput): TargetResult {
  const { run, ns, skb, rule } = input;
  const options = optionsOf(target);
  if (WITHOUT_EFFECT.includes(target.name)) return goOn(skb);
  switch (target.name) {
    case 'TEE':
      step(run, { stage: 'assumption', sentence: `${ns.label} sends a copy to ${options.get('gateway')?.value ?? 'a gateway'} (TEE); the copy is not followed.`, source: sourceOf(rule.origin) });
      return goOn(skb);
    case 'SET': {
      const name = (options.get('add-set') ?? options.get('del-set'))?.value;
      if (name === undefined) break;
      run.netfilter.changedSets.add(`${ns.index} ${name}`);
      return goOn(skb);
    }
    case 'NFQUEUE':
      // nf_queue.c: without a listener a packet is dropped, unless the rule says that it then goes on to the next table.
      if (options.has('queue-bypass') && !suppose(run, `a program listens on queue ${options.get('queue-num')?.value ?? '0'} of ${ns.label}, which then decides`)) {
        step(run, { stage: 'assumption', sentence: `Nothing is said of a program on queue ${options.get('queue-num')?.value ?? '0'} of ${ns.label}, so the packet bypasses it.`, source: sourceOf(rule.origin) });
        return accept(skb);
      }
      break;
    default:
  }
  return ended(end(run, ns, skb, 'target-unknown', { rule: rule.text, what: `${target.name} ${target.text}`.trimEnd() }, sourceOf(rule.origin)));
}
