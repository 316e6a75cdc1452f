/**
 * The bridge, with br_netfilter's hooks where they are on.
 *
 *   port in -> [PREROUTING] -> learn -> FDB -> up to the bridge device (no second PREROUTING)
 *                                          \-> [FORWARD -> POSTROUTING] -> port out
 *   the bridge device sends -> FDB -> port out
 *
 * net/bridge/br_input.c: br_handle_frame_finish; br_device.c: br_dev_xmit; br_forward.c: should_deliver, br_flood;
 * br_netfilter_hooks.c: br_nf_pre_routing_finish, br_nf_forward_ip, br_nf_post_routing.
 */
import { perRecord } from '../memo.ts';
import { formatMac, isGroupMac } from '../net/address.ts';
import type { Mac } from '../net/address.ts';
import type { FdbEntry, Interface } from '../topology/model.ts';
import { aboveMtu, fitPort, prerouteOnBridge } from './bridge-netfilter.ts';
import type { CompiledNamespace } from './compile.ts';
import { learn } from './neighbour.ts';
import { runHook } from './netfilter/hooks.ts';
import { egressPolicy } from './policy/stage.ts';
import { MTU_TOLERANCE, pieceLength } from './packet.ts';
import { end, kernel, passCopies, passOn, sourceOf, stateKey, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { bridgeCallsNetfilter } from './sysctl.ts';
import type { StepSource } from '../trace/model.ts';

/** A frame that came in by a port. */
export function receiveOnPort(run: Run, ns: CompiledNamespace, port: Interface, skb: Skb): Fate {
  const bridge = ns.devices.get(port.port?.master ?? '');
  if (bridge?.device.kind !== 'bridge') return end(run, ns, skb, 'device-unknown', { device: port.port?.master ?? port.name }, sourceOf(port.origin));
  if (!bridge.up) return end(run, ns, skb, 'device-down', { device: bridge.name }, sourceOf(bridge.origin));
  if (!bridgeCallsNetfilter(ns, skb.packet.ip.family)) return handle(run, ns, bridge, port, skb);
  const result = prerouteOnBridge(run, ns, bridge, withSkb(skb, { physIn: port.name }));
  return 'fate' in result ? result.fate : handle(run, ns, bridge, port, result.skb);
}

function handle(run: Run, ns: CompiledNamespace, bridge: Interface, port: Interface, skb: Skb): Fate {
  const { frame } = skb.packet;
  if (frame === null) return end(run, ns, skb, 'device-unknown', { device: port.name });
  if (!isGroupMac(frame.source)) learn(run, ns, bridge.name, frame.source, port.name);
  if (isGroupMac(frame.destination)) {
    return passCopies(run, [{ kind: 'within', stage: () => flood(run, ns, bridge, port, skb) }, { kind: 'receive-up', ns, device: bridge, skb }]);
  }
  const where = findPort(run, ns, bridge, frame.destination);
  if (where === 'local') {
    report(run, ns, bridge, [bridge.name], 'local', frame.destination, sourceOf(bridge.origin));
    return passOn(run, { kind: 'receive-up', ns, device: bridge, skb });
  }
  if (where !== null && 'mac' in where) return unknownEntry(run, ns, bridge, skb, where);
  const isolated = egressPolicy(run, ns, skb);
  if (isolated !== null) return isolated;
  if (where === null) return flood(run, ns, bridge, port, skb);
  return forwardTo(run, ns, bridge, port, where, skb);
}

/** The bridge device's own packets: they have been through POSTROUTING already. */
export function transmitOnBridge(run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb): Fate {
  const destination = skb.packet.frame?.destination;
  if (destination === undefined) return end(run, ns, skb, 'device-unknown', { device: bridge.name });
  const where = isGroupMac(destination) ? null : findPort(run, ns, bridge, destination);
  if (where === 'local') {
    report(run, ns, bridge, [bridge.name], 'local', destination, sourceOf(bridge.origin));
    return passOn(run, { kind: 'receive-up', ns, device: bridge, skb });
  }
  if (where !== null && 'mac' in where) return unknownEntry(run, ns, bridge, skb, where);
  return where === null ? flood(run, ns, bridge, null, skb) : forwardTo(run, ns, bridge, null, where, skb);
}

const unknownEntry = (run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb, entry: FdbEntry): Fate =>
  end(run, ns, skb, 'fdb-unknown', { device: bridge.name, rule: entry.text, what: entry.unmodelled ?? 'VLAN' }, sourceOf(entry.origin));

interface Way {
  readonly port: Interface;
  readonly how: 'entry' | 'learned';
  readonly source: StepSource;
}

const ownMacs = perRecord((ns: CompiledNamespace, bridge: Interface) => new Set([bridge.mac, ...(ns.ports.get(bridge.name) ?? []).map((port) => port.mac)]));

/** What the table of a bridge says of a MAC; of a VLAN's entry only where there is no other. */
export function bridgeEntry(ns: CompiledNamespace, bridge: string, mac: Mac): FdbEntry | undefined {
  const entries = (ns.fdb.get(bridge)?.get(mac) ?? []).filter((e) => e.master === bridge || e.device !== bridge);
  return entries.find((e) => e.unmodelled === undefined) ?? entries[0];
}

/** The bridge's own MACs are local; then what it learned, then what its table says. `null`: it does not know. */
function findPort(run: Run, ns: CompiledNamespace, bridge: Interface, mac: Mac): Way | FdbEntry | 'local' | null {
  if (ownMacs(ns, bridge).has(mac)) return 'local';
  const learned = ns.devices.get(run.learned.get(stateKey(ns, bridge.name))?.get(mac) ?? '');
  const entry = bridgeEntry(ns, bridge.name, mac);
  if (entry?.permanent === true) return 'local';
  if (entry?.unmodelled !== undefined && learned === undefined) return entry;
  const entered = ns.devices.get(entry?.device ?? '');
  if (learned !== undefined && learned !== entered) return { port: learned, how: 'learned', source: kernel('learned from a frame that came in there') };
  return entry === undefined || entered === undefined ? null : { port: entered, how: 'entry', source: sourceOf(entry.origin) };
}

function forwardTo(run: Run, ns: CompiledNamespace, bridge: Interface, from: Interface | null, way: Way, skb: Skb): Fate {
  const { port, how, source } = way;
  if (port.name === from?.name && from.port?.hairpin !== true) return end(run, ns, skb, 'hairpin-off', { what: bridge.name, device: port.name }, sourceOf(port.origin));
  if (from?.port?.isolated === true && port.port?.isolated === true) return end(run, ns, skb, 'port-isolated', { device: port.name }, sourceOf(port.origin));
  const destination = skb.packet.frame?.destination;
  if (destination !== undefined) report(run, ns, bridge, [port.name], how, destination, source);
  return leaveBy(run, ns, bridge, from, port, skb);
}

/** Unicast that nobody is known for goes to every port that floods. */
function flood(run: Run, ns: CompiledNamespace, bridge: Interface, from: Interface | null, skb: Skb): Fate {
  const destination = skb.packet.frame?.destination;
  const isGroup = destination !== undefined && isGroupMac(destination);
  const ports = (ns.ports.get(bridge.name) ?? []).filter(
    (p) =>
      p.up && (isGroup || p.port?.flood === true) && (p.name !== from?.name || from.port?.hairpin === true) && !(from?.port?.isolated === true && p.port?.isolated === true),
  );
  if (ports.length === 0 || destination === undefined) return end(run, ns, skb, 'no-bridge-port', { what: bridge.name }, sourceOf(bridge.origin));
  report(run, ns, bridge, ports.map((p) => p.name), 'flood', destination, sourceOf(bridge.origin));
  return passCopies(run, ports.map((port) => ({ kind: 'within', stage: () => leaveBy(run, ns, bridge, from, port, skb) })));
}

function leaveBy(run: Run, ns: CompiledNamespace, bridge: Interface, from: Interface | null, port: Interface, skb: Skb): Fate {
  let now = skb;
  if (from !== null && bridgeCallsNetfilter(ns, skb.packet.ip.family)) {
    const bridged = withSkb(skb, { physOut: port.name });
    const forward = runHook(run, ns, bridged, { hook: 'FORWARD', input: bridge.name, output: bridge.name, destinationLocal: false, nextHop: null });
    if (forward.kind === 'ended') return forward.fate;
    const post = runHook(run, ns, forward.skb, { hook: 'POSTROUTING', input: '', output: bridge.name, destinationLocal: false, nextHop: null });
    if (post.kind === 'ended') return post.fate;
    const fitted = fitPort(run, ns, bridge, port, post.skb);
    if ('fate' in fitted) return fitted.fate;
    now = fitted.skb;
  }
  // br_dev_queue_push_xmit
  if (pieceLength(now.packet) > port.mtu + MTU_TOLERANCE) return aboveMtu(run, ns, now, port);
  return passOn(run, { kind: 'transmit', ns, device: port, skb: now });
}

function report(run: Run, ns: CompiledNamespace, bridge: Interface, ports: readonly string[], how: 'entry' | 'learned' | 'flood' | 'local', mac: Mac, source: StepSource): void {
  const text = formatMac(mac);
  const sentence =
    how === 'local'
      ? `${text} is ${bridge.name}'s own, so the bridge gives the frame to ${ns.label}.`
      : how === 'flood'
        ? `${bridge.name} on ${ns.label} does not know where ${text} is, and floods the frame to ${ports.join(', ')}.`
        : `${bridge.name} on ${ns.label} ${how === 'learned' ? 'has learned' : 'has in its table'} that ${text} is behind ${ports.join(', ')}.`;
  step(run, { stage: 'bridge', bridge: bridge.name, ports, how, sentence, source });
}
