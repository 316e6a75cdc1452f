/**
 * What an ICMP error about the size teaches who sent the packet: for ten minutes its own packets to that address are no
 * larger. Packets that it forwards do not ask (ip_forward_use_pmtu 0).
 *
 * RFC 1191, RFC 8201; net/ipv4/route.c: __ip_rt_update_pmtu, ip_dst_mtu_maybe_forward; net/ipv6/route.c:
 * __ip6_rt_update_pmtu.
 */
import { formatAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import type { CompiledNamespace } from './compile.ts';
import { ipHeaderLength } from './packet.ts';
import type { Packet } from './packet.ts';
import { kernel, stateKey, step } from './run-state.ts';
import type { Run } from './run-state.ts';
import { isOwn } from './source-address.ts';

/** net.ipv4.route.min_pmtu, below which the packet just may be fragmented; IPV6_MIN_MTU, below which nothing is believed. */
const SMALLEST: Readonly<Record<Family, number>> = { 4: 552, 6: 1280 };

const keyOf = (ns: CompiledNamespace, destination: Address): string => stateKey(ns, formatAddress(destination));

/** `undefined`: nothing was learned. */
export const pathMtu = (run: Run, ns: CompiledNamespace, destination: Address): number | undefined =>
  run.pathMtus.size === 0 ? undefined : run.pathMtus.get(keyOf(ns, destination));

/** Of an error that arrived: whoever has the address that the quoted packet came from believes it. */
export function learnPathMtu(run: Run, ns: CompiledNamespace, { transport, ip }: Packet): void {
  if (transport.kind !== 'icmp' || transport.mtu === null || transport.quoted === null || !isOwn(ns, transport.quoted.ip.source)) return;
  if (ip.family === 6 && transport.mtu < SMALLEST[6]) return;
  const { destination } = transport.quoted.ip;
  const mtu = Math.max(transport.mtu, SMALLEST[ip.family]);
  if ((pathMtu(run, ns, destination) ?? Number.POSITIVE_INFINITY) <= mtu) return;
  run.pathMtus.set(keyOf(ns, destination), mtu);
  const address = formatAddress(destination);
  const then = transport.quoted.transport.kind === 'tcp' ? `TCP sends it segments of at most ${mtu - ipHeaderLength(ip.family) - 20} bytes` : 'what is larger leaves in fragments';
  step(run, { stage: 'path-mtu', destination: address, mtu, sentence: `${ns.label} keeps for ten minutes that at most ${mtu} bytes at once reach ${address}: ${then} from now on.`, source: kernel('path MTU discovery') });
}
