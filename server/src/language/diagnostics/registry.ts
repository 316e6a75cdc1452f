/** Every check, in the order in which they run. */
import { checkAddressesInSubnets } from './address-outside-subnet.ts';
import { checkDumps } from './bad-dump.ts';
import { checkObjects } from './bad-object.ts';
import type { Check } from './check.ts';
import { checkTranslations } from './dnat-to-nobody.ts';
import { checkSets } from './wrong-set.ts';
import { checkDuplicateAddresses } from './duplicate-address.ts';
import { checkDuplicateNames } from './duplicate-name.ts';
import { checkEndpointAddresses } from './endpoint-of-nobody.ts';
import { checkContent } from './empty-file.ts';
import { checkGateways } from './gateway-not-on-link.ts';
import { checkIptables } from './iptables.ts';
import { checkFiles } from './missing-file.ts';
import { checkHomelessNodes } from './node-on-no-network.ts';
import { checkFlannelMtu } from './mtu-above-underlay.ts';
import { checkOverlaps } from './overlapping-cidrs.ts';
import { checkPolicySelectors } from './policy-selects-nothing.ts';
import { checkReservedAddresses } from './reserved-address.ts';
import { checkSelectors } from './selector-selects-nothing.ts';
import { checkServiceEndpoints } from './service-without-endpoints.ts';
import { checkTargetPorts } from './target-port-not-served.ts';
import { checkDevices } from './unknown-device.ts';
import { checkUnknownNames } from './unknown-name.ts';
import { checkPortNames } from './unknown-port-name.ts';

export const CHECKS: readonly Check[] = [
  checkContent, checkUnknownNames, checkDuplicateNames,
  checkOverlaps, checkAddressesInSubnets, checkDuplicateAddresses, checkReservedAddresses,
  checkFiles, checkObjects, checkHomelessNodes, checkDumps, checkIptables, checkDevices, checkGateways, checkTranslations, checkSets,
  checkServiceEndpoints, checkSelectors, checkEndpointAddresses, checkTargetPorts, checkPortNames, checkPolicySelectors, checkFlannelMtu,
];
