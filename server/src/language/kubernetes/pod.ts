/** A Pod: where it runs, its addresses and ports, whether it is ready, how it asks names. */
import type { Address } from '../../../../engine/src/net/address.ts';
import type { DnsPolicy } from '../../../../engine/src/topology/spec.ts';
import type { ContainerPortDeclaration, PodDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { Fields } from './fields.ts';
import { baseOf, rangeOf, tellAt } from './fields.ts';
import { metadataOf, objectName } from './metadata.ts';

const IGNORED_SPEC = [
  'activeDeadlineSeconds', 'affinity', 'automountServiceAccountToken', 'enableServiceLinks', 'ephemeralContainers', 'hostAliases', 'hostIPC', 'hostPID', 'hostUsers', 'imagePullSecrets',
  'nodeSelector', 'os', 'overhead', 'preemptionPolicy', 'priority', 'priorityClassName', 'readinessGates', 'resourceClaims', 'resources', 'restartPolicy', 'runtimeClassName',
  'schedulerName', 'schedulingGates', 'securityContext', 'serviceAccount', 'serviceAccountName', 'setHostnameAsFQDN', 'shareProcessNamespace', 'terminationGracePeriodSeconds', 'tolerations',
  'topologySpreadConstraints', 'volumes',
];
const IGNORED_STATUS = [
  'containerStatuses', 'ephemeralContainerStatuses', 'extendedResourceClaimStatus', 'hostIP', 'hostIPs', 'initContainerStatuses', 'message', 'nominatedNodeName', 'observedGeneration', 'qosClass',
  'reason', 'resize', 'resourceClaimStatuses', 'startTime',
];
const IGNORED_CONTAINER = [
  'args', 'command', 'env', 'envFrom', 'image', 'imagePullPolicy', 'lifecycle', 'livenessProbe', 'name', 'readinessProbe', 'resizePolicy', 'resources', 'restartPolicy', 'restartPolicyRules',
  'securityContext', 'startupProbe', 'stdin', 'stdinOnce', 'terminationMessagePath', 'terminationMessagePolicy', 'tty', 'volumeDevices', 'volumeMounts', 'workingDir',
];
const DNS_POLICIES: readonly DnsPolicy[] = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

/** `null` for a pod that has no network: it has ended, or was never started. */
export function readPod(object: Fields): PodDeclaration | null {
  const metadata = metadataOf(object);
  const spec = object.map('spec');
  const hostNetwork = spec?.flag('hostNetwork') ?? false;
  const host = spec?.text('nodeName') ?? null;
  const ports = [...(spec?.maps('containers') ?? []), ...sidecars(spec)].flatMap(portsOf);
  const dns = dnsOf(spec);
  const names = { hostname: spec?.text('hostname')?.value ?? null, subdomain: spec?.text('subdomain')?.value ?? null };
  spec?.rest(IGNORED_SPEC);
  const status = statusOf(object.map('status'));
  if (metadata === null) return null;
  const homeless = status.addresses.length === 0 && !hostNetwork;
  const why = status.ended ?? (host === null ? 'is not on a node yet' : homeless && !status.saysAddress ? 'has no address yet' : null);
  if (why !== null) {
    tellAt(object.source, 'left-out', `pod ${metadata.namespace}/${metadata.name.value} ${why}`, metadata.name, why);
    return null;
  }
  if (host === null || homeless) return null;
  return {
    kind: 'pod',
    ...baseOf(object),
    name: objectName(metadata),
    host,
    addresses: status.addresses,
    mac: null,
    labels: metadata.labels,
    hostNetwork,
    ready: status.ready,
    terminating: metadata.terminating,
    ports,
    // A container may listen on more than it says.
    listeners: null,
    ...dns,
    ...names,
    captures: [],
  };
}

function statusOf(status: Fields | null): { readonly addresses: readonly Located<Address>[]; readonly saysAddress: boolean; readonly ready: boolean; readonly ended: string | null } {
  const phase = status?.text('phase')?.value ?? 'Running';
  const all = (status?.maps('podIPs') ?? []).flatMap((ip) => ip.value('ip', 'address') ?? []);
  const one = status?.value('podIP', 'address') ?? null;
  const conditions = (status?.maps('conditions') ?? []).map((c) => ({ type: c.text('type')?.value, status: c.text('status')?.value }));
  status?.rest(IGNORED_STATUS);
  return {
    addresses: all.length === 0 && one !== null ? [one] : all,
    saysAddress: status?.get('podIP') !== undefined || status?.get('podIPs') !== undefined,
    ready: conditions.find((c) => c.type === 'Ready')?.status === 'True',
    ended: phase === 'Succeeded' || phase === 'Failed' ? `has ended (${phase})` : null,
  };
}

/** An init container that is restarted always runs beside the others (KEP-753), and its ports have names like theirs. */
const sidecars = (spec: Fields | null): Fields[] => (spec?.maps('initContainers') ?? []).filter((c) => c.text('restartPolicy')?.value === 'Always');

function portsOf(container: Fields): ContainerPortDeclaration[] {
  const ports = container.maps('ports').flatMap((p): ContainerPortDeclaration[] => {
    const port = p.value('containerPort', 'port');
    const protocol = p.choice('protocol', PROTOCOLS) ?? 'TCP';
    // An empty address is the same as none (apis/core/types.go, ContainerPort).
    const hostIp = p.text('hostIP')?.value ?? '';
    const made = { ...rangeOf(p), name: p.text('name'), hostPort: p.value('hostPort', 'port'), hostAddress: hostIp === '' ? null : p.value('hostIP', 'address') };
    p.rest([]);
    return port === null ? [] : [{ ...made, listener: { ...port, value: { protocol, port: port.value } } }];
  });
  container.rest(IGNORED_CONTAINER);
  return ports;
}

function dnsOf(spec: Fields | null): Pick<PodDeclaration, 'dnsPolicy' | 'nameservers' | 'search' | 'ndots'> {
  const dnsPolicy = spec?.choice('dnsPolicy', DNS_POLICIES) ?? 'ClusterFirst';
  const config = spec?.map('dnsConfig') ?? null;
  const nameservers = config?.values('nameservers', 'address') ?? [];
  const searches = config?.texts('searches') ?? [];
  let ndots: number | null = null;
  for (const option of config?.maps('options') ?? []) {
    if (option.text('name')?.value === 'ndots') ndots = option.value('value', 'ndots')?.value ?? null;
    option.rest(['value']);
  }
  config?.rest([]);
  const plain = <T>(values: readonly Located<T>[]): T[] | null => (values.length === 0 ? null : values.map((v) => v.value));
  return { dnsPolicy, nameservers: plain(nameservers), search: plain(searches), ndots };
}
