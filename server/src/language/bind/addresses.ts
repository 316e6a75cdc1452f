/** Who has which address, in the order of the file. */
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { addressPlus, compareAddresses, firstAddress, formatAddress, lastAddress } from '../../../../engine/src/net/address.ts';
import type { Range } from '../diagnostics/define.ts';
import { assertNever } from '../../../../engine/src/assert-never.ts';
import type { ExternalDeclaration, NetworkDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from './declarations.ts';
import { declarationsOf } from './declarations-of.ts';
import type { Located } from './decode.ts';
import type { FileModel, Placed } from './file-model.ts';
import type { Spot } from './kept-index.ts';
import { keptIndex } from './kept-index.ts';
import { rangeIn } from './file-model.ts';
import { fullName } from './names.ts';

export interface Holder {
  readonly kind: 'pod' | 'node' | 'gateway' | 'external' | 'service';
  /** "pod default/pod1", "host1's eth0", "the gateway of network lan". */
  readonly what: string;
  readonly address: Address;
  /** The address as text. */
  readonly text: string;
  readonly at: Range;
}

type HolderDeclaration = NetworkDeclaration | ExternalDeclaration | NodeDeclaration | PodDeclaration | ServiceDeclaration;

/** A holder, its range inside the declaration. */
type Holding = Holder;

const holdings = new WeakMap<HolderDeclaration, readonly Holding[]>();

function holdingsOf(declaration: HolderDeclaration): readonly Holding[] {
  const found = holdings.get(declaration) ?? [...findHoldings(declaration)];
  holdings.set(declaration, found);
  return found;
}

/** Devices on no network are left out: their addresses are the node's own affair, docker0's the same on every node. */
function* findHoldings(d: HolderDeclaration): Iterable<Holding> {
  const of = (kind: Holder['kind'], what: string, addresses: readonly Located<Address>[]): Holding[] =>
    addresses.map((a) => ({ kind, what, address: a.value, text: formatAddress(a.value), at: a }));
  switch (d.kind) {
    case 'network': return yield* of('gateway', `the gateway of network ${d.name?.value ?? ''}`, d.gateways);
    case 'external': return yield* of('external', `external ${d.name?.value ?? ''}`, d.addresses);
    case 'node':
      for (const i of d.interfaces) {
        const what = `${d.name?.value ?? 'a node'}'s ${i.name.value}`;
        if (i.network !== null) yield* of('node', what, i.addresses.map((a) => ({ ...a, value: a.value.address })));
      }
      return;
    case 'pod':
      if (d.name !== null && !d.hostNetwork) yield* of('pod', `pod ${fullName(d.name.value)}`, d.addresses);
      return;
    case 'service':
      if (d.name !== null) yield* of('service', `service ${fullName(d.name.value)}`, d.clusterAddresses);
      return;
    default: return assertNever(d);
  }
}

const indexOf = keptIndex<HolderDeclaration>((d) => holdingsOf(d).map((h) => h.text));

interface Holders {
  /** By the address as `formatAddress` writes it; the first of several. */
  readonly get: (text: string) => Holder | undefined;
  /** Of addresses that another has, listed before. */
  readonly later: () => readonly Holder[];
}

const holders = new WeakMap<FileModel, Holders>();

export function holdersOf(model: FileModel): Holders {
  const known = holders.get(model) ?? findHolders(model);
  holders.set(model, known);
  return known;
}

function findHolders(model: FileModel): Holders {
  const placed: readonly Placed<HolderDeclaration>[] = [...model.networks, ...model.externals, ...model.nodes, ...model.pods, ...model.services];
  const index = indexOf(declarationsOf(placed));
  const holderAt = (spot: Spot | undefined): Holder | undefined => {
    const place = spot === undefined ? undefined : placed[spot.declaration];
    const holding = place === undefined || spot === undefined ? undefined : holdingsOf(place.declaration)[spot.key];
    return place === undefined || holding === undefined ? undefined : { ...holding, at: rangeIn(place, holding.at) };
  };
  return {
    get: (text) => holderAt(index.first.get(text)),
    later: () => index.later.flatMap(({ spot }) => holderAt(spot) ?? []),
  };
}

const MOST_TRIES = 1024;

/** The first address of a subnet that nobody has, behind the subnet's own and the bridge's or gateway's. */
export function firstFree(model: FileModel, prefix: Prefix): Address | undefined {
  const taken = holdersOf(model);
  const last = lastAddress(prefix);
  let candidate = addressPlus(firstAddress(prefix), 2);
  for (let i = 0; i < MOST_TRIES && compareAddresses(candidate, last) < 0; i++) {
    if (taken.get(formatAddress(candidate)) === undefined) return candidate;
    candidate = addressPlus(candidate, 1);
  }
  return undefined;
}
