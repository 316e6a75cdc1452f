/** Changes of the cluster's and the devices' settings. */
import { formatAddress, formatPrefix } from '../net/address.ts';
import type { ClusterSettings, ClusterSpec } from '../topology/spec.ts';
import { inPlace, nodeOwner, withNode } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { Edit } from './explanation.ts';
import { askedService } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheSettings(situation: Situation): readonly Candidate[] {
  const { cluster } = situation.spec;
  return [...(cluster === null ? [] : clusterChanges(situation, cluster)), ...deviceMtus(situation)];
}

interface Setting {
  readonly wrong: string;
  readonly title: string;
  readonly inside: string | null;
  readonly keyword: string;
  readonly text: string | null;
  readonly changed: ClusterSettings;
}

function clusterChanges(situation: Situation, cluster: ClusterSettings): readonly Candidate[] {
  const { flannel, kubeProxy } = cluster;
  const found: Setting[] = [];
  const where = `the cluster${inPlace(cluster.at)}`;
  if (!flannel.masquerade && flannel.backend !== 'none') {
    found.push({ wrong: `flannel of ${where} does not masquerade what leaves the pod network (no-masquerade).`, title: "let flannel masquerade: remove 'no-masquerade'", inside: 'flannel', keyword: 'no-masquerade', text: null, changed: { ...cluster, flannel: { ...flannel, masquerade: true } } });
  }
  if (flannel.backend === 'none' && cluster.networkPlugin === undefined) {
    found.push({ wrong: `No pod network stretches between the nodes: ${where} has flannel none.`, title: 'let flannel carry packets between the nodes by vxlan', inside: null, keyword: 'flannel', text: 'flannel vxlan', changed: { ...cluster, flannel: { ...flannel, backend: 'vxlan', port: 8472 } } });
  }
  if (kubeProxy.mode === 'none' && askedService(situation) !== undefined) {
    found.push({ wrong: `Nothing programs services: ${where} has kube-proxy none.`, title: 'let kube-proxy program services', inside: null, keyword: 'kube-proxy', text: 'kube-proxy iptables', changed: { ...cluster, kubeProxy: { ...kubeProxy, mode: 'iptables' } } });
  }
  if (kubeProxy.nodePortAddresses.length > 0 && isNodePort(situation)) {
    const text = kubeProxy.nodePortAddresses === 'primary' ? 'primary' : kubeProxy.nodePortAddresses.map(formatPrefix).join(', ');
    found.push({ wrong: `kube-proxy of ${where} answers node ports on its node-port-addresses only (${text}), and ${formatAddress(situation.flow.destination)} is none of them.`, title: "let every address of the nodes answer node ports: remove 'node-port-addresses'", inside: 'kube-proxy', keyword: 'node-port-addresses', text: null, changed: { ...cluster, kubeProxy: { ...kubeProxy, nodePortAddresses: [] } } });
  }
  if (!kubeProxy.localhostNodePorts && isNodePort(situation)) {
    found.push({ wrong: `kube-proxy of ${where} does not answer node ports on 127.0.0.1 (no-localhost-node-ports).`, title: "let node ports answer on 127.0.0.1: remove 'no-localhost-node-ports'", inside: 'kube-proxy', keyword: 'no-localhost-node-ports', text: null, changed: { ...cluster, kubeProxy: { ...kubeProxy, localhostNodePorts: true } } });
  }
  if (flannel.mtu !== null && isTooLarge(situation)) {
    found.push({ wrong: `flannel's MTU of ${flannel.mtu} in ${where} does not fit the devices that carry it.`, title: "let flannel choose its MTU: remove 'mtu'", inside: 'flannel', keyword: 'mtu', text: null, changed: { ...cluster, flannel: { ...flannel, mtu: null } } });
  }
  return found.map(({ wrong, title, inside, keyword, text, changed }) => {
    const edit: Edit = { kind: 'statement', owner: { kind: 'cluster', name: '' }, inside, keyword, at: null, text };
    return { wrong, title, host: situation.last?.host ?? '', namespace: situation.last?.namespace ?? '', at: cluster.at, edits: [edit], applied: (spec: ClusterSpec) => ({ ...spec, cluster: changed }) };
  });
}

const isNodePort = ({ topology, flow }: Situation): boolean => topology.services.some((s) => s.ports.some((p) => p.nodePort === flow.destinationPort && p.protocol === flow.protocol));

const isTooLarge = ({ reason }: Situation): boolean => reason?.code === 'needs-fragmenting' || reason?.code === 'over-mtu';

/** A declared MTU that differs from the network's. */
function deviceMtus(situation: Situation): readonly Candidate[] {
  if (!isTooLarge(situation)) return [];
  // What is too large for the next host ends before it.
  return situation.spec.nodes.flatMap((node) => node.interfaces.flatMap((device): readonly Candidate[] => {
    const network = situation.spec.networks.find((n) => n.name === device.network);
    if (device.mtu === null || network === undefined || device.mtu === network.mtu) return [];
    return [{
      wrong: `${device.name} on ${node.name}${inPlace(device.at)} has an MTU of ${device.mtu}, and the network ${network.name} one of ${network.mtu}.`,
      title: `give ${device.name} on ${node.name} the MTU of ${network.name}`,
      host: node.name, namespace: 'root', at: device.at,
      edits: [{ kind: 'statement', owner: nodeOwner(node.name), inside: device.name, keyword: 'mtu', at: null, text: null }],
      applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, interfaces: n.interfaces.map((i) => (i.name === device.name ? { ...i, mtu: null } : i)) })),
    }];
  }));
}
