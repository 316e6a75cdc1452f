/** Where names stand: what defines them and what refers to them. A key says which thing a name means. */
import type { Range } from '../diagnostics/define.ts';
import type { FileLookup } from './capture-content.ts';
import { placesOf, targetOf } from '../native/iptables/saved-rule.ts';
import { readingOfIptablesLine } from './dump-formats.ts';
import type { Dump } from './dumps.ts';
import { dumpsIn, lineOfRecord, ownerName, rangeOfLine, wordInLine } from './dumps.ts';
import type { Declaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';
import { rangeIn } from './file-model.ts';
import type { Names } from './names.ts';
import { fullName } from './names.ts';
import { bindParty } from './parties.ts';

export interface Occurrence extends Range {
  /** `node host1`, `pod default/pod1`, `chain host1 nat 4 KUBE-SERVICES`, `device host1 cni0`, `label default app=web`. */
  readonly key: string;
  readonly role: 'definition' | 'reference';
}

export interface BoundFile {
  readonly model: FileModel;
  readonly names: Names;
  readonly files: FileLookup;
}

/** The key of a declared object. */
export function keyOf(d: Declaration): string | null {
  if (d.kind === 'expect' || d.kind === 'objects' || d.name === null) return null;
  if (d.kind === 'pod' || d.kind === 'service' || d.kind === 'network-policy') return `${d.kind} ${fullName(d.name.value)}`;
  return `${d.kind} ${d.name.value}`;
}

export function* occurrencesIn(placed: Placed<Declaration>, file: BoundFile): Iterable<Occurrence> {
  yield* declaredIn(placed, file);
  yield* dumpedIn(placed, file);
}

function* declaredIn(placed: Placed<Declaration>, file: BoundFile): Iterable<Occurrence> {
  const { declaration: d } = placed;
  const key = keyOf(d);
  if (key !== null && d.kind !== 'expect' && d.kind !== 'objects' && d.name !== null) yield { ...rangeIn(placed, d.name), key, role: 'definition' };
  if (d.kind === 'node') {
    const node = d.name?.value ?? '';
    for (const i of d.interfaces) {
      if (i.name.value !== '') yield { ...rangeIn(placed, i.name), key: `device ${node} ${i.name.value}`, role: 'definition' };
      if (i.network !== null) yield { ...rangeIn(placed, i.network), key: `network ${i.network.value}`, role: 'reference' };
    }
  } else if (d.kind === 'pod') {
    if (d.host !== null) yield { ...rangeIn(placed, d.host), key: `node ${d.host.value}`, role: 'reference' };
    const namespace = d.name?.value.namespace ?? '';
    for (const l of d.labels) yield { ...rangeIn(placed, l), key: `label ${namespace} ${l.value.join('=')}`, role: 'definition' };
  } else if (d.kind === 'service') {
    const namespace = d.name?.value.namespace ?? '';
    for (const l of d.selector ?? []) yield { ...rangeIn(placed, l), key: `label ${namespace} ${l.value.join('=')}`, role: 'reference' };
  } else if (d.kind === 'network-policy') {
    const namespace = d.name?.value.namespace ?? '';
    // A peer without namespaces is of the policy's own.
    const own = [d.pods, ...[...d.ingress, ...d.egress].flatMap((t) => t.peers.flatMap((p) => (p.kind === 'pods' && p.namespaces === null ? [p.pods] : [])))];
    for (const l of own.flatMap((s) => s?.labels ?? [])) yield { ...rangeIn(placed, l), key: `label ${namespace} ${l.value.join('=')}`, role: 'reference' };
  } else if (d.kind === 'expect') yield* partiesIn(placed as Placed<typeof d>, file);
}

function* dumpedIn({ declaration: d, offset }: Placed<Declaration>, file: BoundFile): Iterable<Occurrence> {
  if (d.kind !== 'node' && d.kind !== 'pod') return;
  for (const dump of dumpsIn({ declaration: d, offset }, file.files, 'routes', 'neighbours', 'fdb', 'iptables', 'ip6tables')) {
    if (dump.capture.from === null) yield* occurrencesInDump(dump);
  }
}

/** Dumps name their owner's chains and devices, and nothing else. */
function mayBeDumpedIn({ declaration: d, offset }: Placed<Declaration>, key: string): boolean {
  if ((d.kind !== 'node' && d.kind !== 'pod') || d.captures.length === 0) return false;
  const owner = ownerName({ declaration: d, offset });
  return key.startsWith(`chain ${owner} `) || key.startsWith(`device ${owner} `);
}

function* partiesIn(placed: Placed<Extract<Declaration, { readonly kind: 'expect' }>>, { names, model }: BoundFile): Iterable<Occurrence> {
  const { from, to, receiver, hops } = placed.declaration;
  let sender = 'default';
  for (const name of [from, to, receiver]) {
    if (name === null) continue;
    const binding = bindParty(name.value, names, model, sender);
    if (binding.kind !== 'object') continue;
    const { declaration } = binding.party;
    if (name === from && declaration.kind === 'pod') sender = declaration.name?.value.namespace ?? sender;
    const key = keyOf(declaration);
    if (key !== null) yield { ...rangeIn(placed, { start: name.start, end: Math.min(name.end, name.start + name.value.length) }), key, role: 'reference' };
  }
  for (const hop of hops) {
    const { host } = hop.value;
    if (!names.nodes.has(host)) continue;
    const range = rangeIn(placed, hop);
    yield { start: range.start, end: range.start + host.length, key: `node ${host}`, role: 'reference' };
    yield { start: range.start + host.length + 1, end: range.end, key: `device ${host} ${hop.value.interface}`, role: 'reference' };
  }
}

export function* occurrencesInDump(dump: Dump): Iterable<Occurrence> {
  const { content, capture } = dump;
  const owner = ownerName(dump.owner);
  if (capture.keyword === 'iptables' || capture.keyword === 'ip6tables') {
    yield* chainsIn(dump, owner, capture.keyword === 'iptables' ? 4 : 6);
    return;
  }
  const devices: (readonly [string, number])[] = [
    ...(content.state.routes ?? []).flatMap((r) => r.nexthops.flatMap((h) => (h.device === null ? [] : [[h.device, lineOfRecord(r)] as const]))),
    ...[...(content.state.neighbours ?? []), ...(content.state.fdb ?? [])].map((n) => [n.device, lineOfRecord(n)] as const),
  ];
  for (const [device, line] of devices) yield { ...rangeOfLine(dump, wordInLine(content, line, device)), key: `device ${owner} ${device}`, role: 'reference' };
}

/** A chain is defined by its `:CHAIN` line, or by the first rule appended to it. */
function* chainsIn(dump: Dump, owner: string, family: 4 | 6): Iterable<Occurrence> {
  let table = '';
  let defined = new Set<string>();
  for (const [line, text] of dump.content.lines.entries()) {
    const reading = readingOfIptablesLine(text, family);
    if (reading.kind === 'table') {
      table = reading.name ?? '';
      defined = new Set();
      continue;
    }
    if (reading.kind !== 'chain' && reading.kind !== 'rule' && reading.kind !== 'saved') continue;
    const { chainAt, targetAt } = reading.kind === 'chain' ? { chainAt: reading.at, targetAt: null } : placesOf(reading);
    const name = reading.kind === 'chain' ? reading.name : reading.chain;
    yield { ...rangeOfLine(dump, { line, ...chainAt }), key: `chain ${owner} ${table} ${family} ${name}`, role: defined.has(name) ? 'reference' : 'definition' };
    defined.add(name);
    const target = reading.kind === 'chain' ? null : targetOf(reading);
    if (target?.kind === 'jump' && targetAt !== null) yield { ...rangeOfLine(dump, { line, ...targetAt }), key: `chain ${owner} ${table} ${family} ${target.chain}`, role: 'reference' };
  }
}

/** The declaration in whose text the offset stands. */
export function declarationAt(model: FileModel, offset: number): Placed<Declaration> | undefined {
  return model.declarations.find(({ declaration: d, offset: o }) => offset >= o + d.start && offset <= o + d.end);
}

/** The narrowest name at an offset, either end included. */
export function occurrenceAt(file: BoundFile, offset: number): Occurrence | undefined {
  const placed = declarationAt(file.model, offset);
  if (placed === undefined) return undefined;
  let found: Occurrence | undefined;
  for (const o of occurrencesIn(placed, file)) {
    if (offset >= o.start && offset <= o.end && (found === undefined || o.end - o.start < found.end - found.start)) found = o;
  }
  return found;
}

export function* occurrencesOf(file: BoundFile, key: string): Iterable<Occurrence> {
  for (const placed of file.model.declarations) {
    for (const o of declaredIn(placed, file)) if (o.key === key) yield o;
    if (!mayBeDumpedIn(placed, key)) continue;
    for (const o of dumpedIn(placed, file)) if (o.key === key) yield o;
  }
}
