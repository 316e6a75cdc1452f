/**
 * A packet for this namespace itself: INPUT, then the transport. Listeners answer, the kernel answers pings and closed
 * ports, and the flow's sender takes what comes back.
 *
 *   route -> [INPUT -> tunnel, listener, or none]
 *
 * net/ipv4/ip_input.c: ip_local_deliver; net/ipv4/udp.c: __udp4_lib_rcv; net/ipv4/tcp_ipv4.c: tcp_v4_rcv.
 */
import { formatAddress, sameAddress } from '../net/address.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Listeners } from '../topology/model.ts';
import type { Receiver } from '../trace/model.ts';
import { abortFor, replyTo, resetFor } from './answers.ts';
import type { CompiledNamespace } from './compile.ts';
import { castIn } from './group.ts';
import { icmpError, portUnreachable } from './icmp-error.ts';
import { attachedTo } from './netfilter/conntrack.ts';
import { runHook } from './netfilter/hooks.ts';
import { destinationPortOf, isEchoReply, isEchoRequest, isIcmpError, sourcePortOf, sourceText, SYN, ACK, withIp, RST } from './packet.ts';
import type { Packet } from './packet.ts';
import { learnPathMtu } from './path-mtu.ts';
import { delivered, end, kernel, sourceOf, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { ignoresEcho, ignoresGroupEcho } from './sysctl.ts';
import { tunDevice, writeToTun } from './tun.ts';
import { decapsulate, vxlanDevices } from './vxlan.ts';

export function deliverLocally(run: Run, ns: CompiledNamespace, device: string, skb: Skb): Fate {
  const verdict = runHook(run, ns, skb, { hook: 'INPUT', input: device, output: '', destinationLocal: true, nextHop: null });
  if (verdict.kind === 'ended') return verdict.fate;
  const now = verdict.skb;
  const { transport } = now.packet;
  if (transport.kind === 'udp') {
    const vxlans = vxlanDevices(ns, now.packet.ip.family, transport.destinationPort);
    if (vxlans.length > 0) return decapsulate(run, ns, now, transport, vxlans);
    const tun = tunDevice(ns, transport.destinationPort);
    if (tun !== undefined) return writeToTun(run, ns, now, transport, tun);
    if (transport.carried !== null) return closed(run, ns, now);
  }
  return run.phase === 'answer' ? takeAnswer(run, ns, now) : takeRequest(run, ns, now);
}

export function receiverOf(ns: CompiledNamespace, packet: Packet): Receiver {
  const kind = ns.host.kind !== 'node' ? 'external' : ns.namespace.name === ROOT_NAMESPACE ? 'node' : 'pod';
  return { kind, name: kind === 'pod' ? ns.namespace.name : ns.host.name, address: formatAddress(packet.ip.destination), port: destinationPortOf(packet) };
}

function takeRequest(run: Run, ns: CompiledNamespace, skb: Skb): Fate {
  const { packet } = skb;
  const group = castIn(ns, packet.ip.destination) !== 'unicast';
  if (isEchoRequest(packet)) {
    if (ignoresEcho(ns, packet.ip.family)) return end(run, ns, skb, 'echo-ignored', { what: 'echo_ignore_all' });
    if (group && ignoresGroupEcho(ns, packet.ip.family)) return end(run, ns, skb, 'echo-ignored', { what: packet.ip.family === 4 ? 'icmp_echo_ignore_broadcasts' : 'echo_ignore_multicast' });
    const sentence = `The kernel of ${ns.label} answers the ping.`;
    step(run, { stage: 'deliver', listener: 'ICMP echo', sentence, source: kernel('a ping is answered by the kernel') });
    return answer(run, ns, skb, sentence);
  }
  if (packet.transport.kind === 'icmp') return end(run, ns, skb, 'protocol-unsupported', { what: `an ICMP message of type ${packet.transport.type}` });
  if (group && packet.transport.kind !== 'udp') return end(run, ns, skb, 'protocol-unsupported', { what: `${packet.transport.kind.toUpperCase()} to an address of everyone` });
  return atPort(run, ns, skb, packet.transport.kind === 'tcp' && run.phase !== 'second' && (packet.transport.flags & (SYN | ACK)) !== SYN);
}

function atPort(run: Run, ns: CompiledNamespace, skb: Skb, outOfState: boolean): Fate {
  const port = destinationPortOf(skb.packet) ?? 0;
  const protocol = skb.packet.transport.kind.toUpperCase();
  const { listeners } = ns.namespace;
  const name = `${port}/${protocol}`;
  if (outOfState) return withoutConnection(run, ns, skb, name);
  if (listeners.kind === 'any' && !isOpen(listeners, port, protocol)) {
    const sentence = `Ports ${listeners.kept?.from ?? 0} to ${listeners.kept?.to ?? 0} are kept for node ports, and no rule gave ${name} another destination: nothing is taken to listen there in ${ns.label}.`;
    step(run, { stage: 'assumption', sentence, source: sourceOf(ns.namespace.origin) });
    return closed(run, ns, skb);
  }
  if (listeners.kind === 'any') {
    step(run, { stage: 'assumption', sentence: `Nothing is said of what listens in ${ns.label}, so it is taken to answer on ${name}.`, source: sourceOf(ns.namespace.origin) });
    step(run, { stage: 'deliver', listener: name, sentence: `${name} in ${ns.label} gets the packet from ${sourceText(skb.packet)}.`, source: sourceOf(ns.namespace.origin) });
    return answer(run, ns, skb, `${ns.label} answers from ${name}.`);
  }
  if (!isOpen(listeners, port, protocol)) return closed(run, ns, skb);
  step(run, { stage: 'deliver', listener: name, sentence: `${name} in ${ns.label} gets the packet from ${sourceText(skb.packet)}.`, source: sourceOf(listeners.origin) });
  return answer(run, ns, skb, `${ns.label} answers from ${name}.`);
}

function isOpen(listeners: Listeners, port: number, protocol: string): boolean {
  const { kept } = listeners.kind === 'any' ? listeners : {};
  const some = listeners.kind === 'only' ? listeners.listeners : kept === undefined || port < kept.from || port > kept.to ? null : kept.listeners;
  return some === null || some.some((l) => l.port === port && l.protocol === protocol);
}

function answer(run: Run, ns: CompiledNamespace, skb: Skb, sentence: string): Fate {
  run.answers.push({ kind: 'reply', ns, packet: replyTo(run, ns, skb.packet), tracked: null, device: null, sentence, source: kernel('the answer of the receiver') });
  return delivered(run, receiverOf(ns, skb.packet), skb.packet);
}

/** A segment of no connection: a reset is for nobody, a listener throws a bare FIN away, all else is reset (tcp_v4_rcv, tcp_rcv_state_process). */
function withoutConnection(run: Run, ns: CompiledNamespace, skb: Skb, name: string): Fate {
  const { transport } = skb.packet;
  if (transport.kind !== 'tcp') return closed(run, ns, skb);
  const { listeners } = ns.namespace;
  const open = isOpen(listeners, transport.destinationPort, 'TCP');
  if ((transport.flags & RST) !== 0) return end(run, ns, skb, 'no-socket', { what: `A reset for ${name}` });
  if (open && (transport.flags & ACK) === 0) return end(run, ns, skb, 'no-socket', { what: `A segment without SYN or ACK for ${name}` });
  if (!open) return closed(run, ns, skb);
  const sentence = `${ns.label} sends a reset, as it has no connection from ${sourceText(skb.packet)}.`;
  run.answers.push({ kind: 'reset', ns, tracked: attachedTo(null), device: null, sentence, source: kernel('a segment of no connection'), packet: withIp(resetFor(run, ns, skb.packet, transport), { tos: skb.packet.ip.tos }) });
  return end(run, ns, skb, 'no-connection', { what: name, address: sourceText(skb.packet) });
}

/** A closed port answers: TCP with a reset, UDP with port unreachable, SCTP with an abort. */
function closed(run: Run, ns: CompiledNamespace, skb: Skb): Fate {
  const { packet } = skb;
  const { transport } = packet;
  const { listeners } = ns.namespace;
  const source = listeners.kind === 'only' ? sourceOf(listeners.origin) : kernel('no socket has the port');
  const what = `${destinationPortOf(packet) ?? 0}/${transport.kind.toUpperCase()}`;
  if (castIn(ns, packet.ip.destination) !== 'unicast') return end(run, ns, skb, 'group-unheard', { what, address: formatAddress(packet.ip.destination) }, source);
  const reset = { kind: 'reset', ns, tracked: attachedTo(null), device: null, sentence: `${ns.label} refuses the connection, as nothing listens on ${what}.`, source } as const;
  switch (transport.kind) {
    case 'tcp':
      run.answers.push({ ...reset, packet: withIp(resetFor(run, ns, packet, transport), { tos: packet.ip.tos }) });
      break;
    case 'sctp':
      run.answers.push({ ...reset, packet: abortFor(run, ns, packet, transport.sourcePort, transport.destinationPort) });
      break;
    case 'udp':
    case 'icmp':
      // __udp4_lib_rcv, __udp6_lib_rcv: nf_reset_ct. Conntrack looks for the error's flow anew, and only in its zone.
      icmpError(run, ns, withSkb(skb, { tracked: null }), { ...portUnreachable(packet.ip.family), mtu: null, destinationLocal: true }, source);
  }
  return end(run, ns, skb, 'port-closed', { what }, source);
}

/** Something that came back: the sender's socket takes it only from whom it wrote to. */
function takeAnswer(run: Run, ns: CompiledNamespace, skb: Skb): Fate {
  const { packet } = skb;
  const { flow } = run;
  if (isIcmpError(packet)) {
    learnPathMtu(run, ns, packet);
    const quoted = packet.transport.kind === 'icmp' ? packet.transport.quoted : null;
    const own = quoted !== null && ns === run.sender && sameAddress(quoted.ip.destination, flow.destination) && portsMatch(run, quoted, 'sent');
    if (!own) return end(run, ns, skb, 'not-for-the-sender', { what: quoted === null ? 'unknown' : describe(quoted) });
    return accepted(run, ns, packet);
  }
  if (ns !== run.sender || (packet.transport.kind === 'icmp' && !isEchoReply(packet))) return end(run, ns, skb, 'no-socket', { what: `The answer from ${sourceText(packet)}` });
  if (!portsMatch(run, packet, 'received')) return end(run, ns, skb, 'unexpected-source', { address: flowTarget(run), what: sourceText(packet) });
  const expected = sameAddress(packet.ip.source, flow.destination) || castIn(ns, flow.destination) !== 'unicast';
  if (!expected) return end(run, ns, skb, 'unexpected-source', { address: flowTarget(run), what: sourceText(packet) });
  return accepted(run, ns, packet);
}

const flowTarget = (run: Run): string => `${formatAddress(run.flow.destination)}${run.flow.protocol === 'ICMP' ? '' : `:${run.flow.destinationPort}`}`;

const describe = (packet: Packet): string => `${formatAddress(packet.ip.source)} -> ${formatAddress(packet.ip.destination)}`;

function portsMatch(run: Run, packet: Packet, as: 'sent' | 'received'): boolean {
  const { flow } = run;
  if (packet.transport.kind === 'icmp') return flow.protocol === 'ICMP' && packet.transport.identifier === flow.sourcePort;
  const [own, other] = as === 'sent' ? [sourcePortOf(packet), destinationPortOf(packet)] : [destinationPortOf(packet), sourcePortOf(packet)];
  return flow.protocol === packet.transport.kind.toUpperCase() && own === flow.sourcePort && other === flow.destinationPort;
}

function accepted(run: Run, ns: CompiledNamespace, packet: Packet): Fate {
  step(run, { stage: 'deliver', listener: 'the sender', sentence: `The sender in ${ns.label} gets the answer from ${sourceText(packet)}.`, source: kernel('the socket that sent the request') });
  return delivered(run, receiverOf(ns, packet), packet);
}

