import type { Holder } from '../bind/addresses.ts';
import { holdersOf } from '../bind/addresses.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const duplicateAddress = defineDiagnostic<{ readonly address: string; readonly what: string; readonly other: string }>({
  code: 'K8N2006',
  slug: 'duplicate-address',
  severity: 'error',
  message: (p) => `${p.address} of ${p.what} is also that of ${p.other}: give one of them another`,
});

/** Told where the later of the two stands. */
export const checkDuplicateAddresses: Check = function* ({ model }) {
  const holders = holdersOf(model);
  const byAddress = new Map<string, Holder[]>();
  for (const later of holders.later()) {
    const alike = byAddress.get(later.text);
    if (alike === undefined) byAddress.set(later.text, [holders.get(later.text) ?? later, later]);
    else alike.push(later);
  }
  for (const [address, alike] of byAddress) {
    const [first, ...others] = alike.sort((a, b) => a.at.start - b.at.start);
    if (first === undefined) continue;
    for (const holder of others) yield report(duplicateAddress, { address, what: holder.what, other: first.what }, holder.at, [{ ...first.at, message: `${address} of ${first.what}` }]);
  }
};
