/** Matches on the packet's other fields and on what the kernel notes about it: xt_mark.c, xt_connmark.c, xt_length.c, xt_hl.c, xt_dscp.c … */
import { compareAddresses } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { ipLength } from '../../packet.ts';
import { deviceMatches } from './ip.ts';
import { invert } from './match.ts';
import type { MatchInput, MatchResult } from './match.ts';

export type MetadataMatch = Extract<
  Match,
  { kind: 'mark' | 'connmark' | 'length' | 'ttl' | 'dscp' | 'packet-type' | 'mac-source' | 'physdev' | 'physdev-is' | 'address-range' }
>;

export function matchMetadata(match: MetadataMatch, input: MatchInput): MatchResult {
  const { skb, packet } = input;
  switch (match.kind) {
    case 'mark':
      return invert((skb.mark & match.mask) >>> 0 === match.value >>> 0, match);
    case 'connmark': {
      // xt_connmark.c: without a flow it does not match, inverted or not.
      const entry = skb.tracked?.entry ?? null;
      if (skb.tracked?.info === 'template') return invert(match.value === 0, match);
      return entry !== null && invert((entry.mark & match.mask) >>> 0 === match.value >>> 0, match);
    }
    case 'length': {
      const length = ipLength(packet);
      return invert(length >= match.lengths.from && length <= match.lengths.to, match);
    }
    case 'ttl':
      return compareTtl(match, packet.ip.ttl);
    case 'dscp':
      return invert(packet.ip.tos >> 2 === match.value, match);
    case 'packet-type':
      return invert(skb.packetType === match.type, match);
    case 'mac-source':
      // xt_mac.c: only where a link-layer header was received.
      return !skb.local && packet.frame !== null && invert(packet.frame.source === match.mac, match);
    case 'physdev':
      return invert(deviceMatches(match.name, (match.test === 'in' ? skb.physIn : skb.physOut) ?? ''), match);
    case 'physdev-is':
      return invert(physdevIs(match.test, input), match);
    case 'address-range':
      return invert(inAddressRange(match, input), match);
  }
}

function compareTtl(match: Extract<Match, { kind: 'ttl' }>, ttl: number): boolean {
  switch (match.compare) {
    case 'eq':
      return ttl === match.value;
    case 'ne':
      return ttl !== match.value;
    case 'lt':
      return ttl < match.value;
    case 'gt':
      return ttl > match.value;
  }
}

/** xt_physdev.c: bridged is what has both ports. */
function physdevIs(test: 'in' | 'out' | 'bridged', { skb }: MatchInput): boolean {
  if (test === 'in') return skb.physIn !== null;
  if (test === 'out') return skb.physOut !== null;
  return skb.physIn !== null && skb.physOut !== null;
}

function inAddressRange(match: Extract<Match, { kind: 'address-range' }>, { packet }: MatchInput): boolean {
  const address = match.which === 'source' ? packet.ip.source : packet.ip.destination;
  return address.family === match.from.family && compareAddresses(address, match.from) >= 0 && compareAddresses(address, match.to) <= 0;
}
