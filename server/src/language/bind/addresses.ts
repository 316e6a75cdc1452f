/** Who has which address, in the order of the file. */
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { addressPlus, compareAddresses, firstAddress, formatAddress, lastAddress } from '../../../../engine/src/net/address.ts';
import type { Range } from '../diagnostics/define.ts';
import type { FileModel } from './file-model.ts';
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

/** Devices on no network are left out: their addresses are the node's own affair, docker0's the same on every node. */
function* findHolders(model: FileModel): Iterable<Holder> {
  for (const p of model.networks) {
    const what = `the gateway of network ${p.declaration.name?.value ?? ''}`;
    for (const a of p.declaration.gateways) yield { kind: 'gateway', what, address: a.value, text: formatAddress(a.value), at: rangeIn(p, a) };
  }
  for (const p of model.externals) {
    const what = `external ${p.declaration.name?.value ?? ''}`;
    for (const a of p.declaration.addresses) yield { kind: 'external', what, address: a.value, text: formatAddress(a.value), at: rangeIn(p, a) };
  }
  for (const p of model.nodes) {
    for (const i of p.declaration.interfaces) {
      const what = `${p.declaration.name?.value ?? 'a node'}'s ${i.name.value}`;
      if (i.network !== null) for (const a of i.addresses) yield { kind: 'node', what, address: a.value.address, text: formatAddress(a.value.address), at: rangeIn(p, a) };
    }
  }
  for (const p of model.pods) {
    if (p.declaration.name === null || p.declaration.hostNetwork) continue;
    const what = `pod ${fullName(p.declaration.name.value)}`;
    for (const a of p.declaration.addresses) yield { kind: 'pod', what, address: a.value, text: formatAddress(a.value), at: rangeIn(p, a) };
  }
  for (const p of model.services) {
    if (p.declaration.name === null) continue;
    const what = `service ${fullName(p.declaration.name.value)}`;
    for (const a of p.declaration.clusterAddresses) yield { kind: 'service', what, address: a.value, text: formatAddress(a.value), at: rangeIn(p, a) };
  }
}

const holderLists = new WeakMap<FileModel, readonly Holder[]>();

export function holdersOf(model: FileModel): readonly Holder[] {
  const holders = holderLists.get(model) ?? [...findHolders(model)];
  holderLists.set(model, holders);
  return holders;
}

const holderIndexes = new WeakMap<FileModel, ReadonlyMap<string, Holder>>();

/** By the address as `formatAddress` writes it; the first of several. */
export function holdersByAddress(model: FileModel): ReadonlyMap<string, Holder> {
  const cached = holderIndexes.get(model);
  if (cached !== undefined) return cached;
  const index = new Map<string, Holder>();
  for (const holder of holdersOf(model)) {
    if (!index.has(holder.text)) index.set(holder.text, holder);
  }
  holderIndexes.set(model, index);
  return index;
}

const MOST_TRIES = 1024;

/** The first address of a subnet that nobody has, behind the subnet's own and the bridge's or gateway's. */
export function firstFree(model: FileModel, prefix: Prefix): Address | undefined {
  const taken = holdersByAddress(model);
  const last = lastAddress(prefix);
  let candidate = addressPlus(firstAddress(prefix), 2);
  for (let i = 0; i < MOST_TRIES && compareAddresses(candidate, last) < 0; i++) {
    if (!taken.has(formatAddress(candidate))) return candidate;
    candidate = addressPlus(candidate, 1);
  }
  return undefined;
}
