/**
 * xt_owner.c: who opened the socket that a packet comes from. Nothing in a file says that; the usual case is that it is
 * none of those that rules name.
 */
import type { Match } from '../../../topology/netfilter.ts';
import { isEchoReply, isIcmpError, RST } from '../../packet.ts';
import type { Packet } from '../../packet.ts';
import { suppose } from '../suppose.ts';
import { invert } from './match.ts';
import type { MatchInput, MatchResult } from './match.ts';
import { idRange, optionsOf } from './options.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What this run has said of the process: an id is in the one range, and in none of the others. */
export interface SocketOwner {
  is: Range | null;
  readonly isNot: Range[];
}

export function matchOwner(match: Extract<Match, { kind: 'owner' }>, input: MatchInput): MatchResult {
  const { skb, packet, ns, run } = input;
  if (!skb.hasSocket) return match.inverted;
  const [[name, { value }] = ['', { value: '' }]] = [...optionsOf(match)];
  if (name === 'socket-exists') return isReset(packet) ? { unknown: '`-m owner --socket-exists`, which differs between resets' } : invert(true, match);
  // The kernel's own socket has no file.
  if (isIcmpError(packet) || isEchoReply(packet) || isReset(packet)) return match.inverted;
  if (name !== 'uid-owner' && name !== 'gid-owner') return { unknown: `\`-m owner ${match.text}\`, and nothing tells the groups of the sender` };
  const key = `${ns.index} ${name}`;
  const owner = run.netfilter.owners.get(key) ?? { is: null, isNot: [] };
  run.netfilter.owners.set(key, owner);
  const result = isIn(owner, idRange(value), () => suppose(run, `the sending process in ${ns.label} runs with ${name === 'uid-owner' ? 'user' : 'group'} id ${value}`));
  return result === null ? { unknown: `\`-m owner ${match.text}\`, of which the id may be one or not` } : invert(result, match);
}

/** `null`: it may be in the range or not. */
function isIn(owner: SocketOwner, range: Range, supposed: () => boolean): boolean | null {
  const { is } = owner;
  if (is !== null) return holds(range, is) ? true : is.to < range.from || is.from > range.to ? false : null;
  if (owner.isNot.some((other) => holds(other, range))) return false;
  const unusual = supposed();
  if (unusual) owner.is = range;
  else owner.isNot.push(range);
  return unusual;
}

const holds = (outer: Range, inner: Range): boolean => inner.from >= outer.from && inner.to <= outer.to;

const isReset = ({ transport }: Packet): boolean => transport.kind === 'tcp' && (transport.flags & RST) !== 0;
