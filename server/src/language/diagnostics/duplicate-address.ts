import type { Holder } from '../bind/addresses.ts';
import { holdersByAddress, holdersOf } from '../bind/addresses.ts';
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
  // Most files have none, and their index has been made already.
  if (holdersByAddress(model).size === holdersOf(model).length) return;
  const seen = new Map<string, Holder>();
  const holders = [...holdersOf(model)].sort((a, b) => a.at.start - b.at.start);
  for (const holder of holders) {
    const address = holder.text;
    const first = seen.get(address);
    if (first === undefined) seen.set(address, holder);
    else yield report(duplicateAddress, { address, what: holder.what, other: first.what }, holder.at, [{ ...first.at, message: `${address} of ${first.what}` }]);
  }
};
