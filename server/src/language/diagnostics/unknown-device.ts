import { formatAddress, sameAddress } from '../../../../engine/src/net/address.ts';
import type { Route } from '../../../../engine/src/topology/model.ts';
import type { CapturedInterface } from '../../../../engine/src/topology/spec.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import { devicesOf, isInvented } from '../bind/devices.ts';
import type { FileLookup } from '../bind/capture-content.ts';
import type { InterfaceDeclaration } from '../bind/declarations.ts';
import type { Dump, DumpOwner } from '../bind/dumps.ts';
import { dumpsIn, hostsWithDumps, lineOfRecord, ownerName, reportInDump, wordInLine } from '../bind/dumps.ts';
import type { Check } from './check.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { Diagnostic, Range } from './define.ts';
import { defineDiagnostic, fixOf, replacement, report } from './define.ts';

/** A declared interface that goes by another name in the dump: where its name stands, and what to write there. */
interface Rename extends Range {
  readonly declared: string;
  readonly address: string;
  readonly text: string;
}

interface Problem {
  readonly owner: string;
  readonly device: string;
  readonly instead: string | undefined;
  /** A statement that gives the node the device, and where to put it. */
  readonly declare: { readonly statement: string; readonly at: number } | null;
  readonly rename: Rename | null;
  /** The device is declared, and the dump shows these others. */
  readonly shown: readonly string[] | null;
}

export const unknownDevice = defineDiagnostic<Problem>({
  code: 'K8N3010',
  slug: 'unknown-device',
  severity: 'warning',
  message: (p) => {
    if (p.shown !== null) return `What ${p.owner} printed shows no device ${p.device}: name it as the node does${p.shown.length === 0 ? '' : ` (${p.shown.join(', ')})`}, or remove it`;
    if (p.rename !== null) return `${p.owner} has no device ${p.device}, and its ${p.rename.address} is declared on ${p.rename.declared}: name the interface ${p.device}`;
    return `${p.owner} has no device ${p.device}${didYouMean(p.instead) || `: declare it with 'interface ${p.device} …', or paste the 'links' too`}`;
  },
  fix: (p, at) => [
    ...(p.rename === null ? [] : [fixOf(`Name the interface ${p.device}`, p.rename, p.rename.text)]),
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

/** `address` is short for eth0, and its name stands where the keyword does. */
function renamed(owner: DumpOwner, i: InterfaceDeclaration, device: string): Rename {
  const short = i.name.end - i.name.start !== i.name.value.length;
  const address = i.addresses[0] === undefined ? '' : formatAddress(i.addresses[0].value.address);
  return { ...rangeIn(owner, i.name), declared: i.name.value, address, text: short ? `interface ${device}` : device };
}

/** The connected route by the device has a source that is declared on an interface of another name. */
function renameFor(dump: Dump, device: string): Rename | null {
  const { owner } = dump;
  if (owner.declaration.kind !== 'node') return null;
  const sources = (dump.content.state.routes ?? []).flatMap((r) => (r.source !== null && r.protocol === 'kernel' && r.nexthops.some((n) => n.device === device) ? [r.source] : []));
  const found = owner.declaration.interfaces.find((i) => i.addresses.some((a) => sources.some((s) => sameAddress(s, a.value.address))));
  return found === undefined ? null : renamed(owner, found, device);
}

/** What a network card may be called: no bridge, no tunnel, no port of a bridge. */
const isCard = (i: CapturedInterface): boolean => i.port === null && (i.master ?? null) === null && ['physical', 'veth', undefined].includes(i.device?.kind);

/** Interfaces that a whole dump (one that shows lo) does not show, and whose address nothing else has there. */
function* notShown(owner: DumpOwner, files: FileLookup): Iterable<Diagnostic> {
  if (owner.declaration.kind !== 'node') return;
  const shown = dumpsIn(owner, files, 'addresses', 'links').flatMap((d) => d.content.state.interfaces ?? []);
  if (!shown.some((s) => s.name === 'lo')) return;
  const addresses = shown.flatMap((s) => s.addresses ?? []);
  const declared = new Set(owner.declaration.interfaces.map((i) => i.name.value));
  const free = shown.filter((s) => s.name !== 'lo' && !declared.has(s.name) && isCard(s)).map((s) => s.name);
  for (const i of owner.declaration.interfaces) {
    if (shown.some((s) => s.name === i.name.value) || i.addresses.some((a) => addresses.some((s) => sameAddress(s.address, a.value.address)))) continue;
    const [only, ...more] = free;
    const rename = only !== undefined && more.length === 0 ? renamed(owner, i, only) : null;
    const problem: Problem = { owner: ownerName(owner), device: i.name.value, instead: undefined, declare: null, rename: null, shown: free };
    const diagnostic = report(unknownDevice, problem, rangeIn(owner, i.name));
    yield rename === null || only === undefined ? diagnostic : { ...diagnostic, fixes: [fixOf(`Name the interface ${only}`, rename, rename.text)] };
  }
}

export const checkDevices: Check = function* ({ model, files }): Iterable<Diagnostic> {
  for (const owner of hostsWithDumps(model)) {
    yield* notShown(owner, files);
    const known = devicesOf(owner, model, files);
    if (known === null) continue;
    for (const dump of dumpsIn(owner, files, 'routes', 'neighbours', 'fdb', 'iptables', 'ip6tables')) {
      for (const [device, line, route] of mentionsOf(dump)) {
        if (known.has(device) || isInvented(device)) continue;
        const rename = renameFor(dump, device);
        const instead = rename === null ? closest(device, known) : undefined;
        const declare = rename === null && instead === undefined ? declarationFor(dump, device, route) : null;
        yield reportInDump(dump, unknownDevice, { owner: ownerName(owner), device, instead, declare, rename, shown: null }, wordInLine(dump.content, line, device));
      }
    }
  }
};
