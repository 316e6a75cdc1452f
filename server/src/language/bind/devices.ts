/** The devices that a node or pod has, as far as the file tells. */
import { DEFAULT_FLANNEL } from '../../../../engine/src/control-plane/settings.ts';
import type { FileLookup } from './capture-content.ts';
import type { DumpOwner } from './dumps.ts';
import { dumpsIn } from './dumps.ts';
import type { FileModel } from './file-model.ts';

/** The devices that flannel makes (vxlan.go, vxlan_network.go; udp's tun device). */
function flannelDevices(model: FileModel): string[] {
  const { backend, vni } = model.clusters[0]?.declaration.flannel ?? DEFAULT_FLANNEL;
  if (backend === 'vxlan') return [`flannel.${vni}`, `flannel-v6.${vni}`];
  return backend === 'udp' ? ['flannel0'] : [];
}

/** Declared, derived and captured; `null` where the file says too little to know (a network's router). */
export function devicesOf(owner: DumpOwner, model: FileModel, files: FileLookup): ReadonlySet<string> | null {
  const { declaration: d } = owner;
  if (d.kind === 'network') return null;
  const names = new Set(['lo']);
  if (d.kind === 'node') {
    for (const i of d.interfaces) names.add(i.name.value);
    for (const name of ['cni0', ...(d.docker === null ? [] : ['docker0']), ...flannelDevices(model)]) names.add(name);
  } else if (d.hostNetwork) return null;
  else names.add('eth0');
  for (const { content } of dumpsIn(owner, files, 'addresses', 'links')) {
    for (const i of content.state.interfaces ?? []) names.add(i.name);
  }
  return names;
}

/** A bridge port's name is the CNI plugin's invention: nobody declares it. */
export const isInvented = (name: string): boolean => /^veth/.test(name);
