/**
 * One table at one hook, as netfilter/chain.ts walks it, over the code of its chains. Only rules that the index of a
 * long chain cannot rule out are asked, in the order of the chain.
 */
import type { Target } from '../../topology/netfilter.ts';
import { REJECT_CODES } from '../netfilter/targets/reject.ts';
import { ACTION, NO_RULE, NO_RULES } from './chain-code.ts';
import type { ChainLink } from './program.ts';
import { linkTo } from './program.ts';
import { flowOf, hasPorts, MATCH, matchRule, MISS, OPEN } from './rule-match.ts';
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
  const { index } = link.code;
  const p = s.packet;
  const byDestination = index.byDestination.size === 0 ? NO_RULES : (index.byDestination.get(s.book.hashes[p.destination] as number) ?? NO_RULES);
  const bySource = index.bySource.size === 0 ? NO_RULES : (index.bySource.get(s.book.hashes[p.source] as number) ?? NO_RULES);
  const byPort = index.byPort.size === 0 || !hasPorts(p) ? NO_RULES : (index.byPort.get(p.destinationPort) ?? NO_RULES);
  const { rest } = index;
  let d = 0;
  let o = 0;
  let t = 0;
  let r = 0;
  for (;;) {
    let rule = rest[r] as number;
    let from = 0;
    if ((byDestination[d] as number) < rule) {
      rule = byDestination[d] as number;
      from = 1;
    }
    if ((byPort[t] as number) < rule) {
      rule = byPort[t] as number;
      from = 2;
    }
    if ((bySource[o] as number) < rule) {
      rule = bySource[o] as number;
      from = 3;
    }
    if (rule === NO_RULE) return RETURNED;
    if (from === 0) r++;
    else if (from === 1) d++;
    else if (from === 2) t++;
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
  if (result === OPEN) return action === ACTION.count && code.targets[rule]?.kind !== 'tcpmss' ? GO_ON : stop(s);
  if (result !== MATCH) return stop(s);
  if (s.hitCount < s.hits.length) s.hits[s.hitCount] = link.firstRule + rule;
  s.hitCount++;
  switch (action) {
    case ACTION.count:
      return GO_ON;
    case ACTION.accept:
      return ACCEPTED;
    case ACTION.return:
      return RETURNED;
    case ACTION.drop:
      endHere(s, RULE_DROP);
      return STOPPED;
    case ACTION.jump: {
      const to = jumpOf(s, link, rule);
      if (to === null) return stop(s);
      const how = walkChain(s, to, depth + 1);
      return how === RETURNED ? GO_ON : how;
    }
    case ACTION.goto: {
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
