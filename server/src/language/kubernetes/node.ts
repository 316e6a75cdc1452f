/** A Node: its leases, labels, addresses, and what flannel wrote on it (pkg/subnet/kube/annotations.go). */
import type { Address, Mac } from '../../../../engine/src/net/address.ts';
import type { NodeDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { ValueKind, ValueTypes } from '../bind/values.ts';
import { readValue } from '../bind/values.ts';
import type { Fields } from './fields.ts';
import { baseOf, tellAt } from './fields.ts';
import { readJson } from './json.ts';
import type { Metadata } from './metadata.ts';
import { metadataOf } from './metadata.ts';

/** The declaration, and the addresses that the network devices of the node have: which device is not said. */
export interface NodeObject {
  readonly declaration: NodeDeclaration;
  /** InternalIP, or where there is none ExternalIP. */
  readonly addresses: readonly Located<Address>[];
}

const IGNORED_SPEC = ['providerID', 'externalID', 'taints', 'unschedulable', 'configSource'];
const IGNORED_STATUS = [
  'allocatable', 'capacity', 'conditions', 'config', 'daemonEndpoints', 'declaredFeatures', 'features', 'images', 'nodeInfo', 'phase', 'runtimeHandlers', 'volumesAttached', 'volumesInUse',
];

export function readNode(object: Fields): NodeObject | null {
  const metadata = metadataOf(object);
  const spec = object.map('spec');
  const podCidrs = spec?.values('podCIDRs', 'cidr') ?? [];
  const podCidr = spec?.value('podCIDR', 'cidr') ?? null;
  spec?.rest(IGNORED_SPEC);
  const status = object.map('status');
  const addresses = addressesOf(status);
  status?.rest(IGNORED_STATUS);
  if (metadata === null) return null;
  const data = metadata.annotations.get('flannel.alpha.coreos.com/backend-data');
  const declaration: NodeDeclaration = {
    kind: 'node',
    ...baseOf(object),
    name: metadata.name,
    interfaces: [],
    podCidrs: podCidrs.length === 0 && podCidr !== null ? [podCidr] : podCidrs,
    labels: metadata.labels,
    publicAddress: annotated(object, metadata, 'flannel.alpha.coreos.com/public-ip', 'address'),
    vtepMac: data === undefined ? null : vtepMacOf(object, data),
    listeners: null,
    docker: null,
    captures: [],
  };
  return { declaration, addresses };
}

function addressesOf(status: Fields | null): Located<Address>[] {
  const found = (status?.maps('addresses') ?? []).map((a) => {
    const type = a.text('type')?.value;
    const address = type === 'InternalIP' || type === 'ExternalIP' ? a.value('address', 'address') : null;
    a.rest(['address']);
    return { type, address };
  });
  const of = (type: string): Located<Address>[] => found.flatMap((a) => (a.type === type && a.address !== null ? [a.address] : []));
  const internal = of('InternalIP');
  return internal.length > 0 ? internal : of('ExternalIP');
}

function annotated<K extends ValueKind>(object: Fields, { annotations }: Metadata, key: string, kind: K): Located<ValueTypes[K]> | null {
  const text = annotations.get(key);
  if (text === undefined) return null;
  const reading = readValue(kind, text.value);
  if (reading.ok) return { ...text, value: reading.value };
  tellAt(object.source, 'bad', `${key}: ${reading.problem}`, text);
  return null;
}

/** `{"VNI": 1, "VtepMAC": "6a:8c:10:00:00:01"}`; `null` is what host-gw writes. */
function vtepMacOf(object: Fields, data: Located<string>): Mac | null {
  const [tree] = readJson(data.value).documents;
  const mac = tree?.kind === 'map' ? tree.entries.find((e) => e.key === 'VtepMAC')?.value : undefined;
  if (mac === undefined) return null;
  const reading = readValue('mac', mac.kind === 'scalar' ? String(mac.value) : '');
  if (reading.ok) return reading.value;
  tellAt(object.source, 'bad', `flannel.alpha.coreos.com/backend-data: ${reading.problem}`, data);
  return null;
}
