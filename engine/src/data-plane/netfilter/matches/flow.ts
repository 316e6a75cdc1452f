/** Matches on the packet's flow: xt_conntrack.c. */
import { contains } from '../../../net/address.ts';
import type { Address, Family } from '../../../net/address.ts';
import type { ConnectionState, Match } from '../../../topology/netfilter.ts';
import { stateName } from '../conntrack.ts';
import type { ConntrackEntry } from '../conntrack.ts';
import type { Tuple } from '../tuple.ts';
import { invert } from './match.ts';
import type { MatchInput } from './match.ts';

export type FlowMatch = Extract<
  Match,
  { kind: 'conntrack-state' | 'conntrack-status' | 'conntrack-tuple' | 'conntrack-port' | 'conntrack-direction' }
>;

/** Without a flow only the state can match, inverted or not. */
export function matchFlow(match: FlowMatch, { skb }: MatchInput): boolean {
  const { tracked } = skb;
  if (tracked?.info === 'template') return matchTemplate(match, skb.packet.ip.family);
  const entry = tracked?.entry ?? null;
  if (match.kind === 'conntrack-state') {
    const states: ConnectionState[] = [stateName(tracked)];
    if (match.spelling === 'conntrack' && entry?.sourceNat === true) states.push('SNAT');
    if (match.spelling === 'conntrack' && entry?.destinationNat === true) states.push('DNAT');
    return invert(match.states.some((state) => states.includes(state)), match);
  }
  if (entry === null || tracked === null) return false;
  switch (match.kind) {
    case 'conntrack-status':
      return invert(match.statuses.some((status) => hasStatus(entry, status)), match);
    case 'conntrack-tuple':
      return invert(contains(match.prefix, addressOf(entry, match.field)), match);
    case 'conntrack-port': {
      const port = portOf(entry, match.field);
      return invert(port >= match.ports.from && port <= match.ports.to, match);
    }
    case 'conntrack-direction':
      return match.direction === (tracked.direction === 'original' ? 'ORIGINAL' : 'REPLY');
  }
}

const NOWHERE: Readonly<Record<Family, Address>> = { 4: { family: 4, words: [0, 0, 0, 0] }, 6: { family: 6, words: [0, 0, 0, 0] } };

/** What `CT --zone` attached in raw is a new, confirmed flow of nobody until conntrack has seen the packet (xt_CT.c: xt_ct_tg_check). */
function matchTemplate(match: FlowMatch, family: Family): boolean {
  switch (match.kind) {
    case 'conntrack-state':
      return invert(match.states.includes('NEW'), match);
    case 'conntrack-status':
      return invert(match.statuses.includes('CONFIRMED'), match);
    case 'conntrack-tuple':
      return invert(contains(match.prefix, NOWHERE[family]), match);
    case 'conntrack-port':
      return invert(match.ports.from === 0, match);
    case 'conntrack-direction':
      return match.direction === 'ORIGINAL';
  }
}

function hasStatus(entry: ConntrackEntry, status: Extract<Match, { kind: 'conntrack-status' }>['statuses'][number]): boolean {
  switch (status) {
    case 'CONFIRMED':
      return entry.confirmed;
    case 'SEEN_REPLY':
      return entry.seenReply;
    case 'ASSURED':
      // It takes more packets than a trace sends: only what the node knew before can be.
      return entry.assured;
    case 'NONE':
    case 'EXPECTED':
      // NONE is no bit of the status (libxt_conntrack.c), and no helper expects a flow here.
      return false;
  }
}

function addressOf(entry: ConntrackEntry, field: Extract<Match, { kind: 'conntrack-tuple' }>['field']): Address {
  switch (field) {
    case 'ctorigsrc':
      return entry.original.source;
    case 'ctorigdst':
      return entry.original.destination;
    case 'ctreplsrc':
      return entry.reply.source;
    case 'ctrepldst':
      return entry.reply.destination;
  }
}

/** ICMP has its type and code in the place of the destination port (include/net/netfilter/nf_conntrack_tuple.h). */
const destinationField = (tuple: Tuple): number => (tuple.icmpType === null ? tuple.destinationPort : tuple.icmpType << 8);

function portOf(entry: ConntrackEntry, field: Extract<Match, { kind: 'conntrack-port' }>['field']): number {
  switch (field) {
    case 'ctorigsrcport':
      return entry.original.sourcePort;
    case 'ctorigdstport':
      return destinationField(entry.original);
    case 'ctreplsrcport':
      return entry.reply.sourcePort;
    case 'ctrepldstport':
      return destinationField(entry.reply);
  }
}
