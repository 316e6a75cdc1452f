/**
 * flannel's udp backend: flanneld reads IP packets from the tun device and sends them as the payload of UDP port 8285;
 * the flanneld on the other side writes them to its tun device. Each of the two takes one from the TTL.
 *
 *   route -> tun device -> [flanneld: lease -> TTL - 1 -> UDP] -> the outer packet's own way
 *   UDP to the port -> INPUT -> [flanneld: TTL - 1] -> tun device in
 *
 * flannel pkg/backend/udp/proxy_amd64.c: tun_to_udp, udp_to_tun.
 */
import { perRecord } from '../memo.ts';
import { formatAddress } from '../net/address.ts';
import { longestOf } from '../net/lpm.ts';
import type { Interface, Tun } from '../topology/model.ts';
import { MAX_TUNNELS } from './budgets.ts';
import type { CompiledNamespace } from './compile.ts';
import { icmpError, networkUnreachable } from './icmp-error.ts';
import { UDP, withFrame, withIp } from './packet.ts';
import type { Packet, UdpDatagram } from './packet.ts';
import { end, nextId, passOn, sourceOf, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { defaultTtl } from './sysctl.ts';

export function readFromTun(run: Run, ns: CompiledNamespace, device: Interface, tun: Tun, skb: Skb): Fate {
  const { packet } = skb;
  const address = formatAddress(packet.ip.destination);
  const lease = longestOf(tun.leases, (l) => l.subnet, packet.ip.destination);
  if (lease === undefined) {
    icmpError(run, ns, withSkb(skb, { tracked: null }), { ...networkUnreachable(packet.ip.family), mtu: null, destinationLocal: false }, sourceOf(device.origin));
    return end(run, ns, skb, 'no-lease', { address }, sourceOf(device.origin));
  }
  if (packet.ip.ttl <= 1) return end(run, ns, skb, 'ttl-exceeded', {}, sourceOf(device.origin));
  if (skb.tunnels >= MAX_TUNNELS) return end(run, ns, skb, 'tunnel-loop', { device: device.name, address }, sourceOf(device.origin));
  const remote = formatAddress(lease.publicAddress);
  const sentence = `flanneld on ${ns.label} reads the packet from ${device.name}, knows ${address} in the lease of ${lease.node}, takes one from the TTL and sends it to ${remote} in UDP port ${tun.port}.`;
  step(run, { stage: 'encapsulate', kind: 'udp', vni: null, remote, sentence, source: sourceOf(lease.origin) });
  const inner = withIp(withFrame(packet, null), { ttl: packet.ip.ttl - 1 });
  const outer = outerPacket(run, ns, tun, inner, lease.publicAddress);
  return passOn(run, { kind: 'send', ns, sending: { packet: outer, tracked: null, mark: 0, device: null, tunnels: skb.tunnels + 1, announce: null } });
}

function outerPacket(run: Run, ns: CompiledNamespace, tun: Tun, inner: Packet, remote: Packet['ip']['destination']): Packet {
  const { family } = remote;
  return {
    frame: null,
    ip: { family, source: tun.local ?? { family, words: [0, 0, 0, 0] }, destination: remote, protocol: UDP, ttl: defaultTtl(ns, family), tos: 0, id: nextId(run), dontFragment: true, fragmentedTo: null, rejoined: false },
    transport: { kind: 'udp', sourcePort: tun.port, destinationPort: tun.port, checksum: true, carried: { kind: 'ip', packet: inner }, payload: 0 },
  };
}

export const tunDevice = (ns: CompiledNamespace, port: number): Interface | undefined => sockets(ns, port)[0];

const sockets = perRecord((ns: CompiledNamespace, port: number) => ns.namespace.interfaces.filter((device) => device.device.kind === 'tun' && device.device.port === port));

export function writeToTun(run: Run, ns: CompiledNamespace, skb: Skb, datagram: UdpDatagram, device: Interface): Fate {
  const { carried } = datagram;
  if (carried?.kind !== 'ip') return end(run, ns, skb, 'protocol-unsupported', { what: `a datagram on flanneld's port ${datagram.destinationPort} that is no IP packet` });
  const inner = carried.packet;
  if (inner.ip.ttl <= 1) return end(run, ns, skb, 'ttl-exceeded', {}, sourceOf(device.origin));
  const remote = formatAddress(skb.packet.ip.source);
  const sentence = `flanneld on ${ns.label} takes the packet from ${remote}, takes one from its TTL and writes it to ${device.name}.`;
  step(run, { stage: 'decapsulate', kind: 'udp', vni: null, remote, sentence, source: sourceOf(device.origin) });
  const packet = withIp(inner, { ttl: inner.ip.ttl - 1 });
  return passOn(run, { kind: 'receive', ns, device, skb: withSkb(skb, { packet, mark: 0, tracked: null, local: false, hasSocket: false, packetType: 'unicast' }) });
}
