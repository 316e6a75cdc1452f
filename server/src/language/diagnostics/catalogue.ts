/** Every diagnostic that there is, by code: for the pages, the tests and whoever lists them. */
import type { Severity } from './define.ts';
import { addressOutsideSubnet } from './address-outside-subnet.ts';
import { badDump } from './bad-dump.ts';
import { badExpectation } from './bad-expectation.ts';
import { badObject } from './bad-object.ts';
import { badValue } from './bad-value.ts';
import { dnatToNobody } from './dnat-to-nobody.ts';
import { duplicateAddress } from './duplicate-address.ts';
import { duplicateName } from './duplicate-name.ts';
import { emptyFile } from './empty-file.ts';
import { endpointOfNobody } from './endpoint-of-nobody.ts';
import { expectationFails } from './expectation-fails.ts';
import { extraArgument } from './extra-argument.ts';
import { gatewayNotOnLink } from './gateway-not-on-link.ts';
import { hostBitsSet } from './host-bits-set.ts';
import { jumpLoop } from './jump-loop.ts';
import { misplacedStatement } from './misplaced-statement.ts';
import { missingArgument } from './missing-argument.ts';
import { missingFile } from './missing-file.ts';
import { missingStatement } from './missing-statement.ts';
import { moreProblems } from './more-problems.ts';
import { namelessBlock } from './nameless-block.ts';
import { nodeOnNoNetwork } from './node-on-no-network.ts';
import { notModelled } from './not-modelled.ts';
import { objectLeftOut } from './object-left-out.ts';
import { overlappingCidrs } from './overlapping-cidrs.ts';
import { pluginNotSimulated } from './plugin-not-simulated.ts';
import { policyOnUserChain } from './policy-on-user-chain.ts';
import { repeatedStatement } from './repeated-statement.ts';
import { reservedAddress } from './reserved-address.ts';
import { secretInObjects } from './secret-in-objects.ts';
import { selectorSelectsNothing } from './selector-selects-nothing.ts';
import { serviceWithoutEndpoints } from './service-without-endpoints.ts';
import { strayBrace } from './stray-brace.ts';
import { targetPortNotServed } from './target-port-not-served.ts';
import { tooDeep } from './too-deep.ts';
import { tooLong } from './too-long.ts';
import { unclosedBlock } from './unclosed-block.ts';
import { unclosedString } from './unclosed-string.ts';
import { unexpectedBlock } from './unexpected-block.ts';
import { unexpectedCharacter } from './unexpected-character.ts';
import { mtuAboveUnderlay } from './mtu-above-underlay.ts';
import { policySelectsNothing } from './policy-selects-nothing.ts';
import { proxyModeNotSimulated } from './proxy-mode-not-simulated.ts';
import { unknownPortName } from './unknown-port-name.ts';
import { unknownChain } from './unknown-chain.ts';
import { unknownDevice } from './unknown-device.ts';
import { unknownKeyword } from './unknown-keyword.ts';
import { unknownMatch } from './unknown-match.ts';
import { unknownName } from './unknown-name.ts';
import { unknownParty } from './unknown-party.ts';
import { unopenedBlock } from './unopened-block.ts';
import { unreachedChain } from './unreached-chain.ts';
import { wrongSet } from './wrong-set.ts';
import { wrongTable } from './wrong-table.ts';
import { drift } from './drift.ts';
import { forwardDrop } from './forward-drop.ts';
import { harmlessDrift } from './harmless-drift.ts';
import { partialDump } from './partial-dump.ts';
import { shadowedAccept } from './shadowed-accept.ts';
import { twoRulesets } from './two-rulesets.ts';

export const CATALOGUE: readonly { readonly code: string; readonly slug: string; readonly severity: Severity; readonly fix?: unknown }[] = [
  unclosedString,
  unclosedBlock,
  strayBrace,
  unexpectedCharacter,
  tooLong,
  unknownKeyword,
  misplacedStatement,
  missingArgument,
  extraArgument,
  badValue,
  missingStatement,
  repeatedStatement,
  unexpectedBlock,
  hostBitsSet,
  badExpectation,
  missingFile,
  moreProblems,
  namelessBlock,
  tooDeep,
  unopenedBlock,
  emptyFile,
  unknownName,
  unknownParty,
  duplicateName,
  overlappingCidrs,
  addressOutsideSubnet,
  duplicateAddress,
  reservedAddress,
  mtuAboveUnderlay,
  badDump,
  unknownMatch,
  notModelled,
  unknownChain,
  jumpLoop,
  unreachedChain,
  wrongTable,
  policyOnUserChain,
  dnatToNobody,
  wrongSet,
  badObject,
  objectLeftOut,
  secretInObjects,
  nodeOnNoNetwork,
  unknownDevice,
  gatewayNotOnLink,
  serviceWithoutEndpoints,
  selectorSelectsNothing,
  endpointOfNobody,
  targetPortNotServed,
  proxyModeNotSimulated,
  pluginNotSimulated,
  policySelectsNothing,
  unknownPortName,
  expectationFails,
  drift,
  harmlessDrift,
  partialDump,
  shadowedAccept,
  forwardDrop,
  twoRulesets,
];
