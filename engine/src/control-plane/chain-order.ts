/** Chains by name, as iptables-save (nf_tables) lists them; of two with one name the later one counts. */
import { difference, keptFrom } from '../kept.ts';
import type { Chain } from '../topology/netfilter.ts';

/** Each is put in by moving all that is behind it. */
const FEW = 500;

const kept = keptFrom<Chain, readonly Chain[]>();

/** Where few of the chains are others than before, the order of before is changed at their places. */
export function byName(chains: readonly Chain[]): readonly Chain[] {
  return kept(chains, (before) => {
    if (before === undefined || before.made.length !== before.items.length) return sorted(chains);
    const { gone, come } = difference(before.items, chains);
    if (gone.length + come.length === 0) return before.made;
    if (gone.length + come.length > FEW) return sorted(chains);
    const changed = withChains(without(before.made, gone), come);
    return changed.length === chains.length ? changed : sorted(chains);
  });
}

/** By the first letters that differ, as numbers: the names themselves lie all over the memory. */
function sorted(chains: readonly Chain[]): readonly Chain[] {
  const from = sharedLength(chains);
  const keys = Float64Array.from(chains, (chain) => keyOf(chain.name, from));
  const order = Uint32Array.from(keys, (_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || compareNames(chains[a], chains[b]) || a - b);
  const all = Array.from(order, (place) => chains[place] as Chain);
  return all.filter((chain, i) => all[i + 1]?.name !== chain.name);
}

function compareNames(a: Chain | undefined, b: Chain | undefined): number {
  const [left, right] = [a?.name ?? '', b?.name ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** How many letters every name begins with. */
function sharedLength(chains: readonly Chain[]): number {
  let shared = chains[0]?.name ?? '';
  for (const { name } of chains) while (!name.startsWith(shared)) shared = shared.slice(0, -1);
  return shared.length;
}

/** Seven letters of seven bits fit into a double; what stands behind a letter beyond ASCII is left to the names. */
function keyOf(name: string, from: number): number {
  let key = 0;
  for (let i = from, open = true; i < from + 7; i++) {
    const code: number = open && i < name.length ? Math.min(name.charCodeAt(i), 127) : 0;
    key = key * 128 + code;
    open &&= code < 127;
  }
  return key;
}

function without(chains: readonly Chain[], gone: readonly Chain[]): readonly Chain[] {
  const left = [...chains];
  for (const chain of gone) left.splice(placeOf(left, chain.name), 1);
  return left;
}

/** `few` among the chains, which are in order; in place of one with the same name. */
export function withChains(chains: readonly Chain[], few: readonly Chain[]): readonly Chain[] {
  const all = [...chains];
  for (const chain of few) {
    const place = placeOf(all, chain.name);
    all.splice(place, all[place]?.name === chain.name ? 1 : 0, chain);
  }
  return all;
}

/** Where a chain of that name stands, or would. */
function placeOf(chains: readonly Chain[], name: string): number {
  let low = 0;
  let high = chains.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chains[middle]?.name ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
