/** The outline: what is declared, with its main parts inside. */
import { formatAddress, formatPrefix } from '../../../../engine/src/net/address.ts';
import type { Declaration } from '../bind/declarations.ts';
import type { Placed } from '../bind/file-model.ts';
import { rangeIn } from '../bind/file-model.ts';
import { shortName } from '../bind/names.ts';
import { extentOf } from '../bind/statements.ts';
import type { Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';

export interface DocumentSymbol extends Range {
  readonly name: string;
  /** Addresses and the like; may be empty. */
  readonly detail: string;
  readonly kind: Declaration['kind'] | 'interface' | 'port' | 'dump';
  /** Of the name. */
  readonly selection: Range;
  readonly children: readonly DocumentSymbol[];
}

export const documentSymbols = (snapshot: Snapshot): readonly DocumentSymbol[] => snapshot.model.declarations.map(symbolOf);

function symbolOf(placed: Placed<Declaration>): DocumentSymbol {
  const { declaration: d } = placed;
  const named = d.kind === 'expect' || d.kind === 'objects' ? null : d.name;
  return {
    ...rangeIn(placed, d),
    name: nameOf(d),
    detail: detailOf(d),
    kind: d.kind,
    selection: rangeIn(placed, named ?? d.keyword),
    children: childrenOf(placed),
  };
}

function nameOf(d: Declaration): string {
  switch (d.kind) {
    case 'pod': case 'service': case 'network-policy': return d.name === null ? d.kind : shortName(d.name.value);
    case 'objects': return 'objects';
    case 'expect': return d.expectation?.text ?? `${d.from?.value ?? '?'} -> ${d.to?.value ?? '?'}`;
    case 'cluster': case 'network': case 'external': case 'node': case 'namespace': return d.name?.value ?? d.kind;
  }
}

function detailOf(d: Declaration): string {
  switch (d.kind) {
    case 'cluster': return d.podCidrs.map((c) => formatPrefix(c.value)).join(', ');
    case 'network': return d.prefixes.map((c) => formatPrefix(c.value)).join(', ');
    case 'external': return d.addresses.map((a) => formatAddress(a.value)).join(', ');
    case 'node': return d.podCidrs.map((c) => formatPrefix(c.value)).join(', ');
    case 'pod': return [...d.addresses.map((a) => formatAddress(a.value)), ...(d.host === null ? [] : [`on ${d.host.value}`])].join(' ');
    case 'service': return d.headless ? 'None' : d.clusterAddresses.map((a) => formatAddress(a.value)).join(', ');
    case 'namespace': return d.labels.map((l) => l.value.join('=')).join(', ');
    case 'network-policy': return d.pods?.labels.map((l) => l.value.join('=')).join(', ') ?? '';
    case 'objects': return d.patterns.map((p) => `"${p.value}"`).join(', ');
    case 'expect': return '';
  }
}

function childrenOf(placed: Placed<Declaration>): DocumentSymbol[] {
  const { declaration: d } = placed;
  const child = (name: string, detail: string, kind: DocumentSymbol['kind'], range: Range, selection: Range): DocumentSymbol =>
    ({ ...rangeIn(placed, range), name, detail, kind, selection: rangeIn(placed, selection), children: [] });
  const interfaces = d.kind === 'node' ? d.interfaces.map((i) => child(i.name.value || 'interface', i.addresses.map((a) => formatPrefix(a.value)).join(', '), 'interface', i, i.name)) : [];
  const ports = d.kind === 'service' ? d.ports.map((p) => child(p.name?.value ?? String(p.listener.value.port), `${p.listener.value.port}/${p.listener.value.protocol}`, 'port', p, p.listener)) : [];
  const dumps = d.kind === 'node' || d.kind === 'pod' || d.kind === 'network'
    ? d.captures.map((c) => child(c.keyword, c.from === null ? '' : `from "${c.from.value}"`, 'dump', extentOf(c.node, c.offset), c.at))
    : [];
  return [...interfaces, ...ports, ...dumps].sort((a, b) => a.start - b.start);
}
