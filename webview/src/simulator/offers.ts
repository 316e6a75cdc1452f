/** Texts that the fields of the question offer while one types. */
import { formatAddress } from '../../../engine/src/net/address.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import { nameOf } from '../../../engine/src/trace/party-names.ts';
import { partyText } from '../../../engine/src/trace/party-text.ts';
import type { Offer } from '../state/model.ts';

const MOST = 40;

function* offers(topology: Topology, role: 'from' | 'to'): Generator<Offer> {
  if (role === 'to') yield* services(topology);
  for (const pod of topology.pods) {
    yield { text: nameOf(topology, { kind: 'pod', pod }), detail: `pod on ${pod.node}${pod.addresses[0] === undefined ? '' : `, ${formatAddress(pod.addresses[0])}`}` };
  }
  for (const host of topology.hosts) {
    if (host.kind !== 'router') yield { text: nameOf(topology, { kind: host.kind, host }), detail: host.kind };
  }
}

function* services(topology: Topology): Generator<Offer> {
  for (const service of topology.services) {
    const name = nameOf(topology, { kind: 'service', service });
    for (const port of service.ports) {
      yield { text: partyText(name, port.port, port.protocol), detail: `service${service.clusterAddresses[0] === undefined ? '' : `, ${formatAddress(service.clusterAddresses[0])}`}` };
    }
    if (service.ports.length === 0) yield { text: name, detail: 'service' };
  }
}

/** Made once for a topology: whether a name needs its kind before it depends on all the others. */
const known = { from: new WeakMap<Topology, readonly Offer[]>(), to: new WeakMap<Topology, readonly Offer[]>() };

function offersIn(topology: Topology, role: 'from' | 'to'): readonly Offer[] {
  const before = known[role].get(topology);
  if (before !== undefined) return before;
  const fresh = [...offers(topology, role)];
  known[role].set(topology, fresh);
  return fresh;
}

/** The first that contain what was typed, those that begin with it before the others. */
export function offersFor(topology: Topology, role: 'from' | 'to', typed: string): readonly Offer[] {
  const wanted = typed.trim().toLowerCase();
  const begin: Offer[] = [];
  const within: Offer[] = [];
  for (const offer of offersIn(topology, role)) {
    const at = offer.text.toLowerCase().indexOf(wanted);
    if (at === 0 && begin.length < MOST) begin.push(offer);
    else if (at > 0 && within.length < MOST) within.push(offer);
    if (begin.length === MOST) break;
  }
  return [...begin, ...within].slice(0, MOST);
}
