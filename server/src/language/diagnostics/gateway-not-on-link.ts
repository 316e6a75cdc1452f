import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { contains, formatAddress, isLinkLocal } from '../../../../engine/src/net/address.ts';
import type { Route } from '../../../../engine/src/topology/model.ts';
import type { Dump, DumpOwner } from '../bind/dumps.ts';
import { dumpsIn, hostsWithDumps, lineOfRecord, ownerName, reportInDump, wordInLine, wholeLine } from '../bind/dumps.ts';
import type { Check, CheckInput } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, fixOf } from './define.ts';

/** `lineEnd`: behind the route. */
export const gatewayNotOnLink = defineDiagnostic<{ readonly owner: string; readonly gateway: string; readonly device: string | null; readonly lineEnd: number }>({
  code: 'K8N3011',
  slug: 'gateway-not-on-link',
  severity: 'error',
  message: (p) => `${p.owner} cannot reach the gateway ${p.gateway} directly${p.device === null ? '' : ` on ${p.device}`} ("Nexthop has invalid gateway"): add the connected route to it, or 'onlink'`,
  fix: (p) => (p.device === null ? [] : [fixOf("Add 'onlink'", { start: p.lineEnd, end: p.lineEnd }, ' onlink')]),
});

/** What is directly reachable: connected subnets and routes without a gateway, each on its device. */
interface OnLink {
  readonly prefix: Prefix;
  readonly device: string | null;
}

function* onLinkOf(input: CheckInput, owner: DumpOwner, routes: readonly Route[]): Iterable<OnLink> {
  const { declaration: d } = owner;
  for (const r of routes) {
    if (r.type !== 'unicast') continue;
    for (const hop of r.nexthops) if (hop.via === null) yield { prefix: r.destination, device: hop.device };
  }
  for (const { content } of dumpsIn(owner, input.files, 'addresses')) {
    for (const i of content.state.interfaces ?? []) for (const a of i.addresses ?? []) yield { prefix: a, device: i.name };
  }
  if (d.kind === 'node') {
    for (const i of d.interfaces) for (const a of i.addresses) yield { prefix: a.value, device: i.name.value };
    for (const c of d.podCidrs) yield { prefix: c.value, device: 'cni0' };
  } else if (d.kind === 'network') {
    for (const c of d.prefixes) yield { prefix: c.value, device: null };
    // The routers of all networks see each other beyond their gateways.
    for (const n of input.model.networks) for (const g of n.declaration.gateways) yield { prefix: { address: g.value, length: g.value.family === 4 ? 32 : 128 }, device: null };
  } else {
    const node = d.host === null ? undefined : input.names.nodes.get(d.host.value);
    for (const c of node?.declaration.podCidrs ?? []) yield { prefix: c.value, device: 'eth0' };
  }
}

/** fib_check_nh() and ip6_route_check_nh(): a gateway must be reached by a route of link scope on the nexthop's device. */
function isOnLink(onLink: readonly OnLink[], gateway: Address, device: string | null): boolean {
  return onLink.some((l) => (device === null || l.device === null || l.device === device) && l.prefix.length > 0 && contains(l.prefix, gateway));
}

export const checkGateways: Check = function* (input): Iterable<Diagnostic> {
  const owners: DumpOwner[] = [...hostsWithDumps(input.model), ...input.model.networks];
  for (const owner of owners) {
    const dumps = dumpsIn(owner, input.files, 'routes');
    if (dumps.length === 0 || (owner.declaration.kind === 'pod' && owner.declaration.hostNetwork)) continue;
    const onLink = [...onLinkOf(input, owner, dumps.flatMap((d) => d.content.state.routes ?? []))];
    const judged = new Map<string, boolean>();
    for (const dump of dumps) yield* checkDump(dump, onLink, judged);
  }
};

function* checkDump(dump: Dump, onLink: readonly OnLink[], judged: Map<string, boolean>): Iterable<Diagnostic> {
  for (const route of dump.content.state.routes ?? []) {
    for (const { via, device, onlink } of route.nexthops) {
      if (via === null || onlink || (via.family === 6 && isLinkLocal(via))) continue;
      const gateway = formatAddress(via);
      const key = `${gateway} ${device ?? ''}`;
      const reachable = judged.get(key) ?? isOnLink(onLink, via, device);
      judged.set(key, reachable);
      if (reachable) continue;
      const line = lineOfRecord(route);
      const whole = wholeLine(dump.content, line);
      const lineEnd = dump.owner.offset + dump.capture.offset + (dump.content.lines[line]?.offset ?? 0) + whole.length;
      yield reportInDump(dump, gatewayNotOnLink, { owner: ownerName(dump.owner), gateway, device, lineEnd }, wordInLine(dump.content, line, gateway));
    }
  }
}
