/** EndpointSlices, and the older Endpoints: who is behind a service, as its controller saw it. */
import type { Address, Port } from '../../../../engine/src/net/address.ts';
import type { EndpointHints } from '../../../../engine/src/topology/model.ts';
import type { EndpointDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { EndpointValue, ObjectName } from '../bind/values.ts';
import type { Fields } from './fields.ts';
import { tellAt } from './fields.ts';
import { metadataOf, objectName } from './metadata.ts';

export interface EndpointsObject {
  readonly kind: 'EndpointSlice' | 'Endpoints';
  readonly name: Located<ObjectName>;
  /** `namespace/name` of the service. */
  readonly service: string;
  readonly endpoints: readonly EndpointDeclaration[];
}

interface PortObject {
  readonly name: string;
  readonly port: Port | null;
}

/** Null ports are all ports (discovery/v1, EndpointPort); a slice without ports has none. */
const portsOf = (fields: Fields): PortObject[] => fields.maps('ports').map((p) => {
  const made = { name: p.text('name')?.value ?? '', port: p.value('port', 'port')?.value ?? null };
  p.rest(['protocol', 'appProtocol']);
  return made;
});

export function readEndpointSlice(object: Fields): EndpointsObject | null {
  const metadata = metadataOf(object);
  const type = object.text('addressType');
  const ports = portsOf(object);
  const found = object.maps('endpoints');
  const endpoints = type?.value === 'FQDN' ? [] : found.flatMap((e) => endpointOf(e, ports));
  if (type?.value === 'FQDN') tellAt(object.source, 'not-modelled', 'a slice of FQDN addresses is not used: kube-proxy leaves it alone too', type);
  const service = metadata?.labels.find((l) => l.value[0] === 'kubernetes.io/service-name')?.value[1];
  if (metadata === null) return null;
  if (service === undefined || service === '') {
    tellAt(object.source, 'left-out', `EndpointSlice ${metadata.namespace}/${metadata.name.value} has no label kubernetes.io/service-name, so no service uses it`, metadata.name, 'no service');
    return null;
  }
  return { kind: 'EndpointSlice', name: objectName(metadata), service: `${metadata.namespace}/${service}`, endpoints };
}

/** An unset `ready` means ready, an unset `serving` the same as ready (discovery/v1, EndpointConditions). */
function endpointOf(endpoint: Fields, ports: readonly PortObject[]): EndpointDeclaration[] {
  const conditions = endpoint.map('conditions');
  const said = (key: string): boolean | null => conditions?.yesOrNo(key) ?? null;
  const [readySaid, servingSaid, terminating] = [said('ready'), said('serving'), said('terminating') ?? false];
  conditions?.rest([]);
  const hints = hintsOf(endpoint);
  const common = {
    ready: readySaid ?? true,
    serving: servingSaid ?? readySaid ?? true,
    terminating,
    node: endpoint.text('nodeName')?.value ?? null,
    hostname: endpoint.text('hostname')?.value ?? null,
    hints,
  };
  // kube-proxy takes the first address of each endpoint (pkg/proxy/endpointslicecache.go, addEndpoints).
  const [address] = endpoint.values('addresses', 'address');
  endpoint.rest(['targetRef', 'zone', 'deprecatedTopology', 'topology']);
  return address === undefined ? [] : withPorts(address, ports, common);
}

const withPorts = (address: Located<Address>, ports: readonly PortObject[], common: Omit<EndpointDeclaration, keyof Located<EndpointValue> | 'portName'>): EndpointDeclaration[] =>
  ports.map((p) => ({ ...address, value: { address: address.value, port: p.port }, ...common, portName: p.name }));

function hintsOf(endpoint: Fields): EndpointHints | null {
  const hints = endpoint.map('hints');
  if (hints === null) return null;
  const names = (key: string): string[] => hints.maps(key).flatMap((z) => z.text('name')?.value ?? []);
  const made = { zones: names('forZones'), nodes: names('forNodes') };
  hints.rest([]);
  return made.zones.length + made.nodes.length === 0 ? null : made;
}

export function readEndpoints(object: Fields): EndpointsObject | null {
  const metadata = metadataOf(object);
  const endpoints = object.maps('subsets').flatMap((subset) => {
    const ports = portsOf(subset);
    const of = (key: string, ready: boolean): EndpointDeclaration[] => subset.maps(key).flatMap((a) => {
      const address = a.value('ip', 'address');
      const common = { ready, serving: ready, terminating: false, node: a.text('nodeName')?.value ?? null, hostname: a.text('hostname')?.value ?? null, hints: null };
      a.rest(['targetRef']);
      return address === null ? [] : withPorts(address, ports, common);
    });
    const found = [...of('addresses', true), ...of('notReadyAddresses', false)];
    subset.rest([]);
    return found;
  });
  return metadata === null ? null : { kind: 'Endpoints', name: objectName(metadata), service: `${metadata.namespace}/${metadata.name.value}`, endpoints };
}
