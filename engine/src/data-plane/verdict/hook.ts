/** One hook's callers in order, over numbers; as netfilter/hooks.ts. */
import { walkTable } from './chain-walk.ts';
import { confirm, track } from './flow-table.ts';
import { callersAt } from './program.ts';
import type { Caller, ChainLink, ProgramDevice } from './program.ts';
import { flowOf } from './rule-match.ts';
import { giveUp, INFO } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { isSettled, settle, translate } from './translation.ts';

/** True where the packet goes on. */
export function runHook(s: Scratch, hook: number, input: ProgramDevice | null, output: ProgramDevice | null, nextHop: number): boolean {
  s.hook = hook;
  s.input = input;
  s.output = output;
  s.nextHop = nextHop;
  const callers = callersAt(s.program, s.namespace, s.packet.family, hook);
  for (let i = 0; i < callers.length; i++) if (!call(s, callers[i] as Caller)) return false;
  return true;
}

function call(s: Scratch, caller: Caller): boolean {
  switch (caller.kind) {
    case 'table':
      return walkTable(s, caller.start);
    case 'conntrack':
      track(s);
      return !s.over;
    case 'nat':
      return callNat(s, caller.start);
    case 'confirm':
      return confirm(s);
    case 'unmodelled':
      giveUp(s);
      return false;
  }
}

/** nf_nat_inet_fn: rules see only the first packet of a flow; what they leave is a null binding. */
function callNat(s: Scratch, start: ChainLink | null): boolean {
  if (s.tracked < 0) return true;
  const flow = flowOf(s);
  if (s.info === INFO.new && !isSettled(s, flow)) {
    if (start !== null && !walkTable(s, start)) return false;
    if (!isSettled(s, flow) && !settle(s, -1, null, false)) return false;
  }
  translate(s);
  return true;
}
