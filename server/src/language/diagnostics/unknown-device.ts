import { formatAddress } from '../../../../engine/src/net/address.ts';
import type { Route } from '../../../../engine/src/topology/model.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import { devicesOf, isInvented } from '../bind/devices.ts';
import type { Dump } from '../bind/dumps.ts';
import { dumpsIn, lineOfRecord, ownerName, reportInDump, wordInLine } from '../bind/dumps.ts';
import type { Check } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, fixOf, replacement } from './define.ts';

/** `declare`: a statement that gives the node the device, and where to put it. */
export const unknownDevice = defineDiagnostic<{ readonly owner: string; readonly device: string; readonly instead: string | undefined; readonly declare: { readonly statement: string; readonly at: number } | null }>({
  code: 'K8N3010',
  slug: 'unknown-device',
  severity: 'warning',
  message: (p) => `${p.owner} has no device ${p.device}${didYouMean(p.instead) || `: declare it with 'interface ${p.device} …', or paste the 'links' too`}`,
  fix: (p, at) => [
    ...replacement(p.instead, at),
    ...(p.declare === null ? [] : [fixOf(`Add '${p.declare.statement}'`, { start: p.declare.at, end: p.declare.at }, `${p.declare.statement}\n  `)]),
  ],
});

/** Devices by the first line that names them. */
type Mention = readonly [device: string, line: number, route: Route | null];

const mentionsCache = new WeakMap<object, readonly Mention[]>();

function mentionsOf(dump: Dump): readonly Mention[] {
  const { content } = dump;
  const cached = mentionsCache.get(content);
  if (cached !== undefined) return cached;
  const found = new Map<string, Mention>();
  const mention = (device: string, line: number, route: Route | null): void => {
    if (!found.has(device)) found.set(device, [device, line, route]);
  };
  for (const route of content.state.routes ?? []) {
    for (const hop of route.nexthops) if (hop.device !== null) mention(hop.device, lineOfRecord(route), route);
  }
  for (const n of [...(content.state.neighbours ?? []), ...(content.state.fdb ?? [])]) mention(n.device, lineOfRecord(n), null);
  for (const table of content.state.tables ?? []) {
    for (const rule of table.chains.flatMap((c) => c.rules)) {
      for (const m of rule.matches) {
        if ((m.kind === 'in-interface' || m.kind === 'out-interface') && !m.name.endsWith('+')) mention(m.name, lineOfRecord(rule), null);
      }
    }
  }
  const mentions = [...found.values()];
  mentionsCache.set(content, mentions);
  return mentions;
}

/** `interface docker0 172.17.0.1/16`, from the connected route that names the device. */
function declarationFor(dump: Dump, device: string, route: Route | null): { readonly statement: string; readonly at: number } | null {
  if (dump.owner.declaration.kind !== 'node' || route === null || route.source === null || route.protocol !== 'kernel') return null;
  const statement = `interface ${device} ${formatAddress(route.source)}/${route.destination.length}`;
  return { statement, at: dump.owner.offset + dump.capture.at.start };
}

export const checkDevices: Check = function* ({ model, files }): Iterable<Diagnostic> {
  for (const owner of [...model.nodes, ...model.pods]) {
    if (owner.declaration.captures.length === 0) continue;
    const known = devicesOf(owner, model, files);
    if (known === null) continue;
    for (const dump of dumpsIn(owner, files, 'routes', 'neighbours', 'fdb', 'iptables', 'ip6tables')) {
      for (const [device, line, route] of mentionsOf(dump)) {
        if (known.has(device) || isInvented(device)) continue;
        const instead = closest(device, known);
        const declare = instead === undefined ? declarationFor(dump, device, route) : null;
        yield reportInDump(dump, unknownDevice, { owner: ownerName(owner), device, instead, declare }, wordInLine(dump.content, line, device));
      }
    }
  }
};
