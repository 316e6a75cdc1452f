/** DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP: they settle a half of the flow (xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c). */
import { bitsOf, firstAddress } from '../../../net/address.ts';
import type { Address, Prefix } from '../../../net/address.ts';
import type { NatRange, Target } from '../../../topology/netfilter.ts';
import { end } from '../../run-state.ts';
import { interfaceAddress } from '../../source-address.ts';
import type { MatchInput } from '../matches/match.ts';
import { halfAt, NO_CHANGE, settle } from '../nat.ts';
import { tupleText } from '../tuple.ts';
import { accept, ended } from './target.ts';
import type { TargetResult } from './target.ts';

export type NatTarget = Extract<Target, { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'netmap' }>;

export function applyNat(target: NatTarget, input: MatchInput): TargetResult {
  const { run, ns, skb, at, rule } = input;
  const half = halfAt(at.hook);
  const wanted = target.kind === 'dnat' || target.kind === 'redirect' ? 'destination' : target.kind === 'netmap' ? half : 'source';
  if (wanted !== half) return ended(end(run, ns, skb, 'target-misplaced', { rule: rule.text, what: `${target.kind.toUpperCase()} in ${at.hook}` }));
  const entry = skb.tracked?.entry ?? null;
  if (entry === null) return accept(skb);
  const range = rangeOf(target, input);
  if (range === null) return ended(end(run, ns, skb, 'no-source-address', { device: at.output }));
  if (!settle(run, ns, entry, half, range, rule)) return ended(end(run, ns, skb, 'nat-no-ports', { what: tupleText(entry.original) }));
  return accept(skb);
}

function rangeOf(target: NatTarget, { ns, packet, at }: MatchInput): NatRange | null {
  switch (target.kind) {
    case 'dnat':
    case 'snat':
      return target.range;
    case 'masquerade': {
      // nf_nat_masquerade.c: the device's address for the next hop; the route's `src` is not asked.
      const address = interfaceAddress(ns, at.output, packet.ip.family, at.nextHop ?? packet.ip.destination);
      const { ports, random, randomFully } = target;
      return address === null ? null : { ...NO_CHANGE, from: address, to: address, ports, random, randomFully };
    }
    case 'redirect': {
      const { ports, random, randomFully } = target;
      const address = redirectAddress(ns, at.hook === 'OUTPUT', at.input, packet.ip.family);
      return address === null ? null : { ...NO_CHANGE, from: address, to: address, ports, random, randomFully };
    }
    case 'netmap': {
      const old = at.hook === 'PREROUTING' || at.hook === 'OUTPUT' ? packet.ip.destination : packet.ip.source;
      const address = mapped(target.prefix, old);
      return { ...NO_CHANGE, from: address, to: address };
    }
  }
}

/** nf_nat_redirect.c: the first address of the device it came in by, loopback for local packets. */
function redirectAddress(ns: MatchInput['ns'], local: boolean, input: string, family: 4 | 6): Address | null {
  if (local) return { family, words: family === 4 ? [0, 0, 0, 0x7f000001] : [0, 0, 0, 1] };
  return ns.devices.get(input)?.addresses.find((a) => a.address.family === family)?.address ?? null;
}

/** The network part from the prefix, the host part from the address. */
function mapped(prefix: Prefix, address: Address): Address {
  const network = firstAddress(prefix);
  const base = firstAddress({ address, length: Math.min(prefix.length, bitsOf(address.family)) });
  const word = (i: 0 | 1 | 2 | 3): number => (network.words[i] | (address.words[i] ^ base.words[i])) >>> 0;
  return { family: address.family, words: [word(0), word(1), word(2), word(3)] };
}

