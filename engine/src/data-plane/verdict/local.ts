/** A packet for this namespace itself, as local-delivery.ts: INPUT, then tunnel, listener, or the flow's sender. */
import { reasonId } from './reason-id.ts';
import { runHook } from './hook.ts';
import { INPUT, listenerKey } from './program.ts';
import type { ProgramDevice, ProgramNamespace } from './program.ts';
import { hasPorts } from './rule-match.ts';
import { ANSWER, copyPacket, endHere, giveUp, TUNNEL } from './scratch.ts';
import type { Scratch } from './scratch.ts';

const UDP = 17;
const TCP = 6;
const SYN = 2;
const SYN_ACK = 18;

const ECHO_IGNORED = reasonId('echo-ignored');
const PORT_CLOSED = reasonId('port-closed');
const NO_SOCKET = reasonId('no-socket');
const UNEXPECTED_SOURCE = reasonId('unexpected-source');

export function deliverLocally(s: Scratch, device: ProgramDevice): void {
  if (!runHook(s, INPUT, device, null, -1)) return;
  const p = s.packet;
  const { namespace } = s;
  if (p.protocol === UDP) {
    if (namespace.vxlanPorts.includes(p.destinationPort)) {
      s.tunnelWork = TUNNEL.decapsulate;
      return;
    }
    if (p.vni >= 0 || namespace.tunPorts.includes(p.destinationPort)) return giveUp(s);
  }
  if (s.isAnswer) takeAnswer(s);
  else takeRequest(s);
}

function takeRequest(s: Scratch): void {
  const p = s.packet;
  const { namespace } = s;
  if (!hasPorts(p)) {
    if (p.icmpType !== 8 && p.icmpType !== 128) return giveUp(s);
    return namespace.ignoresEcho[p.family] ? endHere(s, ECHO_IGNORED) : arrived(s);
  }
  const inState = p.protocol !== TCP || (p.flags & SYN_ACK) === SYN;
  if (inState && isOpen(namespace, p.destinationPort, p.protocol)) return arrived(s);
  if (s.answer === ANSWER.none) {
    s.answer = p.protocol === UDP ? ANSWER.unmodelled : ANSWER.reset;
    s.answerFrom = namespace;
  }
  copyPacket(p, s.arrived);
  endHere(s, PORT_CLOSED);
}

const isOpen = (ns: ProgramNamespace, port: number, protocol: number): boolean => port < ns.listedFrom || port > ns.listedTo || ns.listeners.has(listenerKey(port, protocol));

function arrived(s: Scratch): void {
  copyPacket(s.packet, s.arrived);
  s.receiver = s.namespace;
  s.reason = -1;
  s.over = true;
  if (s.answer !== ANSWER.none) return;
  s.answer = ANSWER.reply;
  s.answerFrom = s.namespace;
}

/** The sender's socket takes an answer only from whom it wrote to. */
function takeAnswer(s: Scratch): void {
  const p = s.packet;
  const { handle } = s;
  if (s.namespace !== s.sender || (!hasPorts(p) && p.icmpType !== 0 && p.icmpType !== 129)) return endHere(s, NO_SOCKET);
  const ports = hasPorts(p) ? p.destinationPort === handle.sourcePort && p.sourcePort === handle.destinationPort : p.sourcePort === handle.sourcePort;
  if (p.protocol !== handle.protocol || !ports || p.source !== handle.destination) return endHere(s, UNEXPECTED_SOURCE);
  copyPacket(p, s.arrived);
  s.reason = -1;
  s.receiver = s.namespace;
  s.over = true;
}
