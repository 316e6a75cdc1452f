/**
 * A device gives a packet away: the hop is recorded here, and what the kind of device does with it follows.
 *
 *   neighbour -> [device] -> the peer, the segment, the bridge, the tunnel
 *
 * net/core/dev.c: dev_queue_xmit; drivers/net/veth.c: veth_xmit; drivers/net/loopback.c.
 */
import { BROADCAST_MAC, formatMac, isGroupMac } from '../net/address.ts';
import type { Interface } from '../topology/model.ts';
import { transmitOnBridge } from './bridge.ts';
import type { Attachment, CompiledNamespace } from './compile.ts';
import { MTU_TOLERANCE, pieceLength } from './packet.ts';
import { end, exhausted, hop, passCopies, passOn, sourceOf } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { ingressPolicy } from './policy/stage.ts';
import { facing, peerOf } from './segment.ts';
import { readFromTun } from './tun.ts';
import { encapsulate } from './vxlan.ts';

export function transmit(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): Fate {
  if (exhausted(run)) return end(run, ns, skb, 'too-many-hops', {});
  const source = sourceOf(device.origin);
  if (!device.up) return end(run, ns, skb, 'device-down', { device: device.name }, source);
  const there = device.device.kind === 'veth' ? peerOf(run.compiled, device) : undefined;
  const isolated = there === undefined ? null : ingressPolicy(run, ns, there.ns, skb);
  if (isolated !== null) return isolated;
  hop(run, ns, device, 'out', skb.packet);
  switch (device.device.kind) {
    case 'loopback':
      return passOn(run, { kind: 'receive', ns, device, skb });
    case 'veth':
      return overVeth(run, ns, device, skb);
    case 'physical':
      return overSegment(run, ns, device, skb);
    case 'bridge':
      return transmitOnBridge(run, ns, device, skb);
    case 'vxlan':
      return encapsulate(run, ns, device, device.device, skb);
    case 'tun':
      return readFromTun(run, ns, device, device.device, skb);
    case 'dummy':
      return end(run, ns, skb, 'dummy-device', { device: device.name }, source);
    case 'unknown':
      return end(run, ns, skb, 'device-unknown', { device: device.name }, source);
  }
}

/** In another namespace nothing of the sk_buff is left but the packet (skb_scrub_packet). */
const scrubbed = (skb: Skb, from: CompiledNamespace, to: CompiledNamespace): Skb => ({
  packet: skb.packet,
  mark: from === to ? skb.mark : 0,
  tracked: null,
  local: false,
  hasSocket: false,
  tunnels: 0,
  physIn: null,
  physOut: null,
  input: null,
  preroutingDone: false,
  packetType: 'unicast',
});

function overVeth(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): Fate {
  const peer = peerOf(run.compiled, device);
  if (peer === undefined) return end(run, ns, skb, 'no-peer', { device: device.name }, sourceOf(device.origin));
  return arrive(run, ns, peer, skb);
}

/** is_skb_forwardable: a frame above the receiver's MTU is dropped without a word. */
function arrive(run: Run, ns: CompiledNamespace, to: Attachment, skb: Skb): Fate {
  const { device } = to;
  if (!device.up) return end(run, to.ns, skb, 'device-down', { device: device.name }, sourceOf(device.origin));
  if (pieceLength(skb.packet) > device.mtu + MTU_TOLERANCE) return end(run, to.ns, skb, 'over-mtu', { device: device.name, what: String(device.mtu) }, sourceOf(device.origin));
  return passOn(run, { kind: 'receive', ns: to.ns, device, skb: scrubbed(skb, ns, to.ns) });
}

/** A switch: to the device that has the MAC, to bridge ports, which take everything, and to all for a group. */
function overSegment(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): Fate {
  const all = facing(run.compiled, ns, device);
  const source = sourceOf(device.origin);
  const wanted = skb.packet.frame?.destination ?? BROADCAST_MAC;
  if (all.length === 0) return end(run, ns, skb, 'no-peer', { device: device.name }, source);
  const takers = all.filter((a) => isGroupMac(wanted) || a.device.port !== null || a.device.mac === wanted);
  if (takers.length === 0) return end(run, ns, skb, 'other-host', { what: formatMac(wanted), device: device.name }, source);
  return passCopies(run, takers.map((taker) => ({ kind: 'within', stage: () => arrive(run, ns, taker, skb) })));
}
