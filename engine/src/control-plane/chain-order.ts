/** Chains by name, as iptables-save (nf_tables) lists them; of two with one name the later one counts. */
import { difference, keptFrom } from '../kept.ts';
import type { Chain } from '../topology/netfilter.ts';

const compareNames = (a: Chain, b: Chain): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

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

const sorted = (chains: readonly Chain[]): readonly Chain[] => [...chains].sort(compareNames).filter((chain, i, all) => all[i + 1]?.name !== chain.name);

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
