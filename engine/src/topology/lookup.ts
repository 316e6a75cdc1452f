/** Small questions to a topology. */
import type { Address } from '../net/address.ts';
import type { Interface, Namespace, Pod, Topology } from './model.ts';

/** What others can reach the device at: not loopback, not link-local. */
export const globalAddresses = (device: Interface): readonly Address[] =>
  device.device.kind === 'loopback' ? [] : device.addresses.filter((a) => a.scope === 'global').map((a) => a.address);

/** `namespace/name`, which is also the name of the pod's network namespace. */
export const podName = (pod: { readonly namespace: string; readonly name: string }): string => `${pod.namespace}/${pod.name}`;

/** A pod's own namespace; `undefined` on the host's network, and where its node is not declared. */
export const namespaceOfPod = (topology: Topology, pod: Pod): Namespace | undefined =>
  topology.hosts.find((h) => h.kind === 'node' && h.name === pod.node)?.namespaces.find((n) => n.name === podName(pod));
