import { formatAddress } from '../../../../engine/src/net/address.ts';
import { holdersOf } from '../bind/addresses.ts';
import { rangeIn, writtenHere } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const endpointOfNobody = defineDiagnostic<{ readonly address: string; readonly service: string }>({
  code: 'K8N4003',
  slug: 'endpoint-of-nobody',
  severity: 'warning',
  message: (p) => `No pod, node or external has ${p.address}, an endpoint of service ${p.service}: declare who has it, or correct the address`,
});

export const checkEndpointAddresses: Check = function* ({ model }) {
  for (const p of writtenHere(model.services)) {
    const { declaration: d } = p;
    for (const e of d.endpoints) {
      const holder = holdersOf(model).get(formatAddress(e.value.address));
      if (d.name === null || (holder !== undefined && holder.kind !== 'service')) continue;
      yield report(endpointOfNobody, { address: formatAddress(e.value.address), service: fullName(d.name.value) }, rangeIn(p, e));
    }
  }
};
