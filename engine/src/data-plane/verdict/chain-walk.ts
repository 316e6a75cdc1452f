/**
 * One table at one hook, as netfilter/chain.ts walks it, over the code of its chains. Only rules that the index of a
 * long chain cannot rule out are asked, in the order of the chain.
 */
import type { Target } from '../../topology/netfilter.ts';
import { NO_RULE, NO_RULES } from '../netfilter/chain-index.ts';
import type { ChainIndex } from '../netfilter/chain-index.ts';
import { REJECT_CODES } from '../netfilter/targets/reject.ts';
import { DO_ACCEPT, DO_COUNT, DO_DROP, DO_GOTO, DO_JUMP, DO_RETURN } from './chain-code.ts';
import type { ChainLink } from './program.ts';
import { linkTo } from './program.ts';
import { flowOf, hasPorts, matchRule, MISS, OPEN } from './rule-match.ts';
import { reasonId } from './reason-id.ts';
import { ANSWER, endHere, giveUp } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { translateByRule } from './translation.ts';

/** How a chain was left. */
const RETURNED = 0;
const ACCEPTED = 1;
const STOPPED = 2;

const MAX_DEPTH = 64;

const RULE_DROP = reasonId('rule-drop');
const RULE_REJECT = reasonId('rule-reject');
const POLICY_DROP = reasonId('policy-drop');

/** False where the packet has ended. */
export function walkTable(s: Scratch, start: ChainLink): boolean {
  const how = walkChain(s, start, 0);
  if (how === STOPPED) return false;
  if (how === ACCEPTED || start.code.chain.policy !== 'DROP') return true;
  endHere(s, POLICY_DROP);
  return false;
}

function walkChain(s: Scratch, link: ChainLink, depth: number): number {
  if (link.active || depth > MAX_DEPTH) return stop(s);
  link.active = true;
  const how = walkRules(s, link, depth);
  link.active = false;
  return how;
}

function walkRules(s: Scratch, link: ChainLink, depth: number): number {
  const { index, actions } = link.code;
  if (index !== null) return walkIndexed(s, link, index, depth);
  for (let rule = 0; rule < actions.length; rule++) {
    const how = askRule(s, link, rule, depth);
    if (how !== GO_ON) return how;
  }
  return RETURNED;
}

/** Four lists of rules in order, merged. */
function walkIndexed(s: Scratch, link: ChainLink, index: ChainIndex, depth: number): number {
  const p = s.packet;
  const byDestination = index.byDestination?.get(s.book.hashes[p.destination] as number) ?? NO_RULES;
  const bySource = index.bySource?.get(s.book.hashes[p.source] as number) ?? NO_RULES;
  const byPort = (hasPorts(p) ? index.byPort?.get(p.destinationPort) : undefined) ?? NO_RULES;
  const { rest } = index;
  let d = 0;
  let o = 0;
  let t = 0;
  let r = 0;
  for (;;) {
    const rule = Math.min(rest[r] as number, byDestination[d] as number, byPort[t] as number, bySource[o] as number);
    if (rule === NO_RULE) return RETURNED;
    if (rule === rest[r]) r++;
    else if (rule === byDestination[d]) d++;
    else if (rule === byPort[t]) t++;
    else o++;
    const how = askRule(s, link, rule, depth);
    if (how !== GO_ON) return how;
  }
}

const GO_ON = -1;

function askRule(s: Scratch, link: ChainLink, rule: number, depth: number): number {
  const { code } = link;
  const result = matchRule(s, code, rule);
  if (s.over) return STOPPED;
  if (result === MISS) return GO_ON;
  const action = code.actions[rule] as number;
  if (result === OPEN) return action === DO_COUNT ? GO_ON : stop(s);
  if (s.hitCount < s.hits.length) s.hits[s.hitCount] = link.firstRule + rule;
  s.hitCount++;
  switch (action) {
    case DO_JUMP: {
      const to = jumpOf(s, link, rule);
      if (to === null) return stop(s);
      const how = walkChain(s, to, depth + 1);
      return how === RETURNED ? GO_ON : how;
    }
    case DO_ACCEPT:
      return ACCEPTED;
    case DO_RETURN:
      return RETURNED;
    case DO_COUNT:
      return GO_ON;
    case DO_DROP:
      endHere(s, RULE_DROP);
      return STOPPED;
    case DO_GOTO: {
      // After a goto the end of the chain leads to where the jump before it came from.
      const to = jumpOf(s, link, rule);
      return to === null ? stop(s) : walkChain(s, to, depth + 1);
    }
    default:
      return act(s, code.targets[rule] as Target);
  }
}

function jumpOf(s: Scratch, link: ChainLink, rule: number): ChainLink | null {
  const known = link.jumps[rule];
  if (known !== undefined) return known;
  const target = link.code.targets[rule];
  const to = target?.kind === 'jump' ? linkTo(s.program, link.namespace, link.table, target.chain) : null;
  link.jumps[rule] = to;
  return to;
}

function act(s: Scratch, target: Target): number {
  switch (target.kind) {
    case 'tcpmss':
      // The MSS changes no decision that is modelled here.
      return GO_ON;
    case 'mark':
      s.mark = (s.mark & ~target.mask) ^ target.value;
      return GO_ON;
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
      return translateByRule(s, target) ? ACCEPTED : STOPPED;
    case 'reject':
      if (s.answer === ANSWER.none) s.answer = ANSWER.unmodelled;
      endHere(s, RULE_REJECT);
      return target.with === 'tcp-reset' || REJECT_CODES[target.with] !== undefined ? STOPPED : stop(s);
    case 'connmark':
      connmark(s, target);
      return GO_ON;
    case 'ttl': {
      const { ttl } = s.packet;
      s.packet.ttl = Math.min(Math.max(target.action === 'set' ? target.value : target.action === 'inc' ? ttl + target.value : ttl - target.value, 0), 255);
      return GO_ON;
    }
    default:
      return stop(s);
  }
}

function connmark(s: Scratch, target: Extract<Target, { kind: 'connmark' }>): void {
  if (s.tracked < 0) return;
  const flow = flowOf(s);
  switch (target.action) {
    case 'set':
      flow.mark = (flow.mark & ~target.mask) ^ target.value;
      return;
    case 'save':
      flow.mark = (flow.mark & ~target.ctmask) ^ (s.mark & target.nfmask);
      return;
    case 'restore':
      s.mark = (s.mark & ~target.nfmask) ^ (flow.mark & target.ctmask);
  }
}

function stop(s: Scratch): number {
  giveUp(s);
  return STOPPED;
}
