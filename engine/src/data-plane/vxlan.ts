/**
 * VXLAN: an Ethernet frame in UDP, to the VTEP that the forwarding table names.
 *
 *   vxlan device -> [FDB -> encapsulate] -> the outer packet's own route, OUTPUT, POSTROUTING
 *   UDP to the port -> INPUT -> [VNI -> decapsulate -> learn] -> vxlan device in
 *
 * drivers/net/vxlan/vxlan_core.c: vxlan_xmit, vxlan_xmit_one, vxlan_rcv; RFC 7348. The mark stays on the sk_buff
 * through the encapsulation, the conntrack entry does not (net/core/skbuff.c: skb_scrub_packet).
 */
import { perRecord } from '../memo.ts';
import { formatAddress, formatMac, isGroupMac } from '../net/address.ts';
import type { Address, Family, Mac } from '../net/address.ts';
import type { FdbEntry, Interface, Vxlan } from '../topology/model.ts';
import { defaultTtl } from './sysctl.ts';
import type { StepSource } from '../trace/model.ts';
import { MAX_TUNNELS } from './budgets.ts';
import type { CompiledNamespace, PerFamily } from './compile.ts';
import { destinationPortOf, sourcePortOf, UDP } from './packet.ts';
import type { Packet, UdpDatagram } from './packet.ts';
import { lookup } from './route.ts';
import { end, hashOf, kernel, nextId, passCopies, passOn, program, sourceOf, stateKey, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';

interface Remote {
  readonly address: Address;
  readonly port: number;
  readonly vni: number;
  readonly how: 'entry' | 'default' | 'l2miss';
  readonly source: StepSource;
}

const ZERO = 0 as Mac;

export function encapsulate(run: Run, ns: CompiledNamespace, device: Interface, vxlan: Vxlan, skb: Skb): Fate {
  const mac = skb.packet.frame?.destination ?? ZERO;
  const unknown = unknownOf(run, ns, device, mac);
  if (unknown !== undefined) return end(run, ns, skb, 'fdb-unknown', { device: device.name, rule: unknown.text, what: unknown.unmodelled ?? 'nexthop group' }, sourceOf(unknown.origin));
  const remotes = remotesOf(run, ns, device, vxlan, mac);
  if (remotes.length === 0) {
    const text = formatMac(mac);
    step(run, { stage: 'fdb', mac: text, destination: null, how: 'missing', sentence: `${device.name} on ${ns.label} has no forwarding entry for ${text}.`, source: sourceOf(device.origin) });
    return end(run, ns, skb, 'fdb-missing', { device: device.name, what: text }, sourceOf(device.origin));
  }
  return passCopies(run, remotes.map((remote) => ({ kind: 'within', stage: () => toRemote(run, ns, device, vxlan, skb, mac, remote) })));
}

/** The entry that decides, where it is not modelled: of the MAC itself, else the default. */
function unknownOf(run: Run, ns: CompiledNamespace, device: Interface, mac: Mac): FdbEntry | undefined {
  const entries = ns.fdb.get(device.name);
  const own = isGroupMac(mac) ? undefined : entries?.get(mac);
  const learned = run.learnedRemotes.get(stateKey(ns, device.name))?.has(mac) === true;
  return (own ?? (learned ? undefined : entries?.get(ZERO)))?.find((entry) => entry.unmodelled !== undefined);
}

function remotesOf(run: Run, ns: CompiledNamespace, device: Interface, vxlan: Vxlan, mac: Mac): readonly Remote[] {
  const remote = (how: 'entry' | 'default', of: Mac): Remote[] =>
    (ns.fdb.get(device.name)?.get(of) ?? []).flatMap((entry) =>
      entry.destination === null ? [] : [{ address: entry.destination, port: entry.port ?? vxlan.port, vni: entry.vni ?? vxlan.vni, how, source: sourceOf(entry.origin) }],
    );
  const own = isGroupMac(mac) ? [] : remote('entry', mac);
  if (own.length > 0) return own;
  const learned = run.learnedRemotes.get(stateKey(ns, device.name))?.get(mac);
  if (learned !== undefined) return [{ address: learned, port: vxlan.port, vni: vxlan.vni, how: 'entry', source: kernel('learned from a frame that came from there') }];
  const fallback = remote('default', ZERO);
  if (fallback.length > 0) return fallback;
  const lease = vxlan.misses?.find((l) => l.vtepMac === mac);
  return lease === undefined ? [] : [{ address: lease.publicAddress, port: vxlan.port, vni: vxlan.vni, how: 'l2miss', source: sourceOf(lease.origin) }];
}

function toRemote(run: Run, ns: CompiledNamespace, device: Interface, vxlan: Vxlan, skb: Skb, mac: Mac, remote: Remote): Fate {
  const to = formatAddress(remote.address);
  const text = formatMac(mac);
  const words = remote.how === 'l2miss' ? `The kernel asks flanneld for ${text} (L2 miss); it answers with ${to}` : remote.how === 'default' ? `${device.name} on ${ns.label} sends what it does not know to ${to}` : `${device.name} on ${ns.label} has ${text} behind ${to}`;
  step(run, { stage: 'fdb', mac: text, destination: to, how: remote.how, sentence: `${words}.`, source: remote.how === 'l2miss' ? { ...program('flannel', 'the answer to an L2 miss'), ...remote.source } : remote.source });
  const loops = lookup(run, ns, { family: remote.address.family, destination: remote.address, source: vxlan.local, mark: skb.mark, protocol: UDP, tos: 0, input: 'lo', output: vxlan.underlay });
  if (skb.tunnels >= MAX_TUNNELS || (loops.kind === 'found' && loops.device === device.name)) return end(run, ns, skb, 'tunnel-loop', { device: device.name, address: to }, sourceOf(device.origin));
  const sentence = `${device.name} puts the frame into UDP port ${remote.port} with VNI ${remote.vni}, for ${to}.`;
  step(run, { stage: 'encapsulate', kind: 'vxlan', vni: remote.vni, remote: to, sentence, source: sourceOf(device.origin) });
  const packet = outerPacket(run, ns, vxlan, skb.packet, remote);
  return passOn(run, { kind: 'send', ns, sending: { packet, tracked: null, mark: skb.mark, device: vxlan.underlay, tunnels: skb.tunnels + 1, hasSocket: skb.hasSocket, announce: null } });
}

function outerPacket(run: Run, ns: CompiledNamespace, vxlan: Vxlan, inner: Packet, remote: Remote): Packet {
  const { family } = remote.address;
  const sourcePort = flowPort(inner, vxlan.sourcePorts ?? EPHEMERAL);
  const dontFragment = family === 6 || vxlan.df === 'set' || (vxlan.df === 'inherit' && inner.ip.dontFragment);
  return {
    frame: null,
    ip: { family, source: vxlan.local ?? { family, words: [0, 0, 0, 0] }, destination: remote.address, protocol: UDP, ttl: vxlan.ttl === 'inherit' ? inner.ip.ttl : (vxlan.ttl ?? defaultTtl(ns, family)), tos: outerTos(vxlan, inner), id: nextId(run), dontFragment, fragmentedTo: null, rejoined: false },
    transport: { kind: 'udp', sourcePort, destinationPort: remote.port, checksum: vxlan.checksum, carried: { kind: 'vxlan', vni: remote.vni, packet: inner }, payload: 0 },
  };
}

const ECN = 3;

/** ip_tunnel_get_dsfield, ip_tunnel_ecn_encap: the DSCP where it is inherited, the ECN bits always. */
const outerTos = (vxlan: Vxlan, { ip: { tos } }: Packet): number => ((vxlan.tos === 'inherit' ? tos : (vxlan.tos ?? 0)) & ~ECN) | ((tos & ECN) === ECN ? 2 : tos & ECN);

/** net.ipv4.ip_local_port_range of a new namespace. */
const EPHEMERAL = { from: 32768, to: 61000 };

/** udp_flow_src_port: by a hash of the inner flow that is the same both ways. */
function flowPort(inner: Packet, { from, to }: NonNullable<Vxlan['sourcePorts']>): number {
  const end = (address: Address, port: number | null): string => `${formatAddress(address)} ${port ?? ''}`;
  const ends = [end(inner.ip.source, sourcePortOf(inner)), end(inner.ip.destination, destinationPortOf(inner))].sort();
  return from + (hashOf(`${ends.join(' ')} ${inner.ip.protocol}`) % Math.max(to - from, 1));
}

/** The vxlan devices of a namespace that share a UDP socket; there is one for each family (vxlan_sock_add). */
export const vxlanDevices = (ns: CompiledNamespace, family: Family, port: number): readonly (readonly [Interface, Vxlan])[] => sockets(ns, port)[family];

const sockets = perRecord((ns: CompiledNamespace, port: number): PerFamily<readonly (readonly [Interface, Vxlan])[]> => {
  const of = (family: Family): readonly (readonly [Interface, Vxlan])[] =>
    ns.namespace.interfaces.flatMap((device) =>
      device.device.kind === 'vxlan' && device.device.port === port && (device.device.local?.family ?? 4) === family && device.up ? [[device, device.device] as const] : [],
    );
  return { 4: of(4), 6: of(6) };
});

export function decapsulate(run: Run, ns: CompiledNamespace, skb: Skb, datagram: UdpDatagram, devices: readonly (readonly [Interface, Vxlan])[]): Fate {
  const { carried } = datagram;
  if (carried?.kind !== 'vxlan') return end(run, ns, skb, 'protocol-unsupported', { what: `a datagram on the VXLAN port ${datagram.destinationPort} that is no VXLAN` });
  const match = devices.find(([, vxlan]) => vxlan.vni === carried.vni);
  if (match === undefined) return end(run, ns, skb, 'vni-unknown', { what: String(carried.vni) });
  const [device, vxlan] = match;
  const remote = skb.packet.ip.source;
  const inner = carried.packet;
  if (inner.frame !== null && inner.frame.source === device.mac) return end(run, ns, skb, 'vxlan-own-mac', { device: device.name }, sourceOf(device.origin));
  const sentence = `${device.name} on ${ns.label} takes the frame with VNI ${carried.vni} out of the packet from ${formatAddress(remote)}.`;
  step(run, { stage: 'decapsulate', kind: 'vxlan', vni: carried.vni, remote: formatAddress(remote), sentence, source: sourceOf(device.origin) });
  if (vxlan.learning && inner.frame !== null) learnRemote(run, ns, device, inner.frame.source, remote);
  return passOn(run, { kind: 'receive', ns, device, skb: withSkb(skb, { packet: inner, tracked: null, local: false, hasSocket: false, packetType: 'unicast' }) });
}

function learnRemote(run: Run, ns: CompiledNamespace, device: Interface, mac: Mac, remote: Address): void {
  const key = stateKey(ns, device.name);
  const table = run.learnedRemotes.get(key) ?? new Map<Mac, Address>();
  run.learnedRemotes.set(key, table);
  table.set(mac, remote);
}
