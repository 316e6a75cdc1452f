/** Names of ICMP types and codes, RFC 792 and RFC 4443, in iptables' spelling. */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { PortRange } from '../../../../../engine/src/topology/netfilter.ts';

export type NamedType = readonly [name: string, { readonly type: number | 'any'; readonly codes: PortRange }];

const named = (name: string, type: number | 'any', code?: number): NamedType => [name, { type, codes: code === undefined ? { from: 0, to: 255 } : { from: code, to: code } }];

const V4: readonly NamedType[] = [
  named('any', 'any'),
  named('echo-reply', 0), named('pong', 0),
  named('destination-unreachable', 3), named('network-unreachable', 3, 0), named('host-unreachable', 3, 1), named('protocol-unreachable', 3, 2), named('port-unreachable', 3, 3),
  named('fragmentation-needed', 3, 4), named('source-route-failed', 3, 5), named('network-unknown', 3, 6), named('host-unknown', 3, 7), named('network-prohibited', 3, 9),
  named('host-prohibited', 3, 10), named('TOS-network-unreachable', 3, 11), named('TOS-host-unreachable', 3, 12), named('communication-prohibited', 3, 13),
  named('host-precedence-violation', 3, 14), named('precedence-cutoff', 3, 15),
  named('source-quench', 4),
  named('redirect', 5), named('network-redirect', 5, 0), named('host-redirect', 5, 1), named('TOS-network-redirect', 5, 2), named('TOS-host-redirect', 5, 3),
  named('echo-request', 8), named('ping', 8), named('router-advertisement', 9), named('router-solicitation', 10),
  named('time-exceeded', 11), named('ttl-exceeded', 11), named('ttl-zero-during-transit', 11, 0), named('ttl-zero-during-reassembly', 11, 1),
  named('parameter-problem', 12), named('ip-header-bad', 12, 0), named('required-option-missing', 12, 1),
  named('timestamp-request', 13), named('timestamp-reply', 14), named('address-mask-request', 17), named('address-mask-reply', 18),
];

const V6: readonly NamedType[] = [
  named('destination-unreachable', 1), named('no-route', 1, 0), named('communication-prohibited', 1, 1), named('beyond-scope', 1, 2), named('address-unreachable', 1, 3),
  named('port-unreachable', 1, 4), named('failed-policy', 1, 5), named('reject-route', 1, 6),
  named('packet-too-big', 2),
  named('time-exceeded', 3), named('ttl-exceeded', 3), named('ttl-zero-during-transit', 3, 0), named('ttl-zero-during-reassembly', 3, 1),
  named('parameter-problem', 4), named('bad-header', 4, 0), named('unknown-header-type', 4, 1), named('unknown-option', 4, 2),
  named('echo-request', 128), named('ping', 128), named('echo-reply', 129), named('pong', 129),
  named('mld-listener-query', 130), named('mld-listener-report', 131), named('mld-listener-done', 132), named('mld-listener-reduction', 132),
  named('router-solicitation', 133), named('router-advertisement', 134),
  named('neighbour-solicitation', 135), named('neighbor-solicitation', 135), named('neighbour-advertisement', 136), named('neighbor-advertisement', 136), named('redirect', 137),
];

export const icmpTypes = (family: Family): readonly NamedType[] => (family === 4 ? V4 : V6);
