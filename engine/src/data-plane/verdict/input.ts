/** The route of a packet that came in, with the checks of its source; as input-route.ts. */
import { routeTo, sourceCheck } from './asked.ts';
import { flagsOf, LIMITED_BROADCAST, LOOPBACK, MULTICAST, UNSPECIFIED } from './address-book.ts';
import { reasonId } from './reason-id.ts';
import type { ProgramDevice } from './program.ts';
import { ANSWER, endHere, giveUp } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** The packet has ended, or the exact engine must go on. */
export const DECIDED = 0;
export const LOCAL = 1;
export const FORWARDED = 2;

const MARTIAN_SOURCE = reasonId('martian-source');
const MARTIAN_DESTINATION = reasonId('martian-destination');
const NOT_FORWARDING = reasonId('not-forwarding');

export function inputRoute(s: Scratch, device: ProgramDevice): number {
  const p = s.packet;
  const to = flagsOf(s.book, p.destination);
  const from = flagsOf(s.book, p.source);
  if ((to & (MULTICAST | LIMITED_BROADCAST)) !== 0) return unknown(s);
  const martian = martianOf(to, from, p.family === 0, p.family === 0 && device.routeLocalnet);
  if (martian >= 0) return ended(s, martian);
  const route = routeTo(s, p.destination);
  const forwarding = device.forwarding[p.family];
  if (route.kind === 'unmodelled') return unknown(s);
  if (route.kind !== 'found') {
    if (!forwarding && p.family === 0) return bridged(s);
    if (s.answer === ANSWER.none) s.answer = ANSWER.unmodelled;
    return ended(s, route.reason);
  }
  if (route.type === 'broadcast' || route.type === 'multicast') return unknown(s);
  const local = route.type === 'local';
  if (!local && !forwarding) return bridged(s);
  if (p.family === 0) {
    const reason = sourceCheck(s, device, p.source);
    if (s.over) return DECIDED;
    if (reason >= 0) return ended(s, reason);
  }
  return local ? LOCAL : FORWARDED;
}

/** ip_route_input_slow; -1: no martian. */
function martianOf(to: number, from: number, isV4: boolean, localnet: boolean): number {
  if ((from & MULTICAST) !== 0 || (isV4 && (from & UNSPECIFIED) !== 0)) return MARTIAN_SOURCE;
  if ((to & UNSPECIFIED) !== 0 || ((to & LOOPBACK) !== 0 && !localnet)) return MARTIAN_DESTINATION;
  return (from & LOOPBACK) !== 0 && !localnet ? MARTIAN_SOURCE : -1;
}

/** A host that does not forward drops; a bridge with a translated frame may still send it on, which is rare. */
function bridged(s: Scratch): number {
  return s.preroutingDone ? unknown(s) : ended(s, NOT_FORWARDING);
}

function ended(s: Scratch, reason: number): number {
  endHere(s, reason);
  return DECIDED;
}

function unknown(s: Scratch): number {
  giveUp(s);
  return DECIDED;
}
