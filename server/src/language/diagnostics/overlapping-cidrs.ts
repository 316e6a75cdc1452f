import type { Prefix } from '../../../../engine/src/net/address.ts';
import { compareAddresses, contains, firstAddress, formatPrefix, hostPrefix, networkOf, samePrefix } from '../../../../engine/src/net/address.ts';
import { DEFAULTS } from '../bind/defaults.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { Check, CheckInput } from './check.ts';
import type { Diagnostic, Range } from './define.ts';
import { defineDiagnostic, report } from './define.ts';

export const overlappingCidrs = defineDiagnostic<{ readonly what: string; readonly other: string }>({
  code: 'K8N2004',
  slug: 'overlapping-cidrs',
  severity: 'error',
  message: (p) => `${p.what} overlaps ${p.other}: an address in both has two ways to go; move one of them`,
});

/**
 * `lease`: a node's part of the pod network. `local`: the subnet of a device that is on no network, known to its node
 * alone. `host`: an external's single address.
 */
type Kind = 'pod' | 'service' | 'network' | 'lease' | 'local' | 'host';

interface Claim {
  readonly prefix: Prefix;
  readonly kind: Kind;
  /** The node, of `lease` and `local`; else empty. */
  readonly node: string;
  readonly what: string;
  /** `null`: a default that the file does not spell out. */
  readonly at: Range | null;
}

function* claimsOf({ model }: CheckInput): Iterable<Claim> {
  const cluster = model.clusters[0];
  const of = (kind: 'pod' | 'service', declared: readonly (Range & { readonly value: Prefix })[], defaults: readonly Prefix[]): Claim[] =>
    declared.length === 0 || cluster === undefined
      ? defaults.map((prefix) => ({ prefix, kind, node: '', what: `the default ${kind}-cidr ${formatPrefix(prefix)}`, at: null }))
      : declared.map((c) => ({ prefix: c.value, kind, node: '', what: `the ${kind}-cidr ${formatPrefix(c.value)}`, at: rangeIn(cluster, c) }));
  yield* of('pod', cluster?.declaration.podCidrs ?? [], DEFAULTS.podCidrs);
  yield* of('service', cluster?.declaration.serviceCidrs ?? [], DEFAULTS.serviceCidrs);
  for (const p of model.networks) {
    for (const c of p.declaration.prefixes) yield { prefix: c.value, kind: 'network', node: '', what: `network ${p.declaration.name?.value ?? ''} ${formatPrefix(c.value)}`, at: rangeIn(p, c) };
  }
  for (const p of model.externals) {
    for (const a of p.declaration.addresses) yield { prefix: hostPrefix(a.value), kind: 'host', node: '', what: `external ${p.declaration.name?.value ?? ''}'s address`, at: rangeIn(p, a) };
  }
  for (const p of model.nodes) {
    const { declaration: d } = p;
    const node = d.name?.value ?? '';
    for (const c of d.podCidrs) yield { prefix: c.value, kind: 'lease', node, what: `${node}'s pod-cidr ${formatPrefix(c.value)}`, at: rangeIn(p, c) };
    for (const i of d.interfaces) {
      if (i.network !== null) continue;
      for (const a of i.addresses) {
        const prefix = networkOf(a.value);
        // cni0 and flannel.N carry the node's own lease.
        if (d.podCidrs.some((c) => samePrefix(c.value, prefix) || (/^(cni|flannel)/.test(i.name.value) && contains(c.value, a.value.address)))) continue;
        yield { prefix, kind: 'local', node, what: `the subnet ${formatPrefix(prefix)} of ${node}'s ${i.name.value}`, at: rangeIn(p, a) };
      }
    }
  }
}

/** Claims on one and the same prefix. */
interface Group {
  readonly prefix: Prefix;
  readonly claims: readonly Claim[];
  /** The first claim of each kind, and of each node's devices. */
  readonly first: ReadonlyMap<string, Claim>;
}

const keyOf = (claim: Claim): string => (claim.kind === 'local' ? `local ${claim.node}` : claim.kind);

function groupsOf(claims: readonly Claim[]): Group[] {
  const order = (a: Claim, b: Claim): number => compareAddresses(firstAddress(a.prefix), firstAddress(b.prefix)) || a.prefix.length - b.prefix.length || startOf(a) - startOf(b);
  const groups: { prefix: Prefix; claims: Claim[]; first: Map<string, Claim> }[] = [];
  for (const claim of [...claims].sort(order)) {
    const last = groups.at(-1);
    const group = last !== undefined && samePrefix(last.prefix, claim.prefix) ? last : { prefix: claim.prefix, claims: [], first: new Map<string, Claim>() };
    if (group !== last) groups.push(group);
    group.claims.push(claim);
    for (const key of [keyOf(claim), claim.kind]) if (!group.first.has(key)) group.first.set(key, claim);
  }
  return groups;
}

/** A default stands before everything that is written. */
const startOf = (claim: Claim): number => claim.at?.start ?? -1;

/** The claim of `group` that `claim` conflicts with; of equals on one prefix only an earlier one, so that a pair is told once. */
function conflictIn(group: Group, claim: Claim, kinds: readonly Kind[], before: number): Claim | undefined {
  for (const kind of kinds) {
    const other = group.first.get(kind === 'local' && claim.kind === 'local' ? keyOf(claim) : kind);
    if (other !== undefined && startOf(other) < before) return other;
  }
  return undefined;
}

/** Which kinds exclude each other. Devices of different nodes never meet; a network may hold an external. */
const CONFLICTS: Readonly<Record<Kind, readonly Kind[]>> = {
  pod: ['pod', 'service', 'network', 'local', 'host'],
  service: ['pod', 'service', 'network', 'local', 'host', 'lease'],
  network: ['pod', 'service', 'network', 'local', 'lease'],
  lease: ['lease', 'service', 'network', 'local', 'host'],
  local: ['pod', 'service', 'network', 'local', 'lease'],
  host: ['pod', 'service', 'lease'],
};

/** A lease inside the pod network is spoken for by that. */
const LEASE_IN_POD_NETWORK: readonly Kind[] = ['lease'];

/** One sweep over the sorted prefixes: each is compared only with those that hold it. */
export const checkOverlaps: Check = function* (input): Iterable<Diagnostic> {
  const open: Group[] = [];
  for (const group of groupsOf([...claimsOf(input)])) {
    while (open.length > 0 && !contains((open.at(-1) as Group).prefix, group.prefix.address)) open.pop();
    open.push(group);
    for (const claim of group.claims) {
      const kinds = claim.kind === 'lease' && open.some((g) => g.first.has('pod')) ? LEASE_IN_POD_NETWORK : CONFLICTS[claim.kind];
      const other = open.map((g) => conflictIn(g, claim, kinds, g === group ? startOf(claim) : Infinity)).find((c) => c !== undefined);
      if (other !== undefined) yield* overlap(claim, other);
    }
  }
};

/** Told where the later of the two stands. */
function overlap(a: Claim, b: Claim): Diagnostic[] {
  const [late, early] = startOf(a) > startOf(b) ? [a, b] : [b, a];
  if (late.at === null) return [];
  return [report(overlappingCidrs, { what: late.what, other: early.what }, late.at, early.at === null ? [] : [{ ...early.at, message: early.what }])];
}
