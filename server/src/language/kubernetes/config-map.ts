/**
 * The ConfigMaps that a cluster's components are started with: kube-flannel-cfg, kube-proxy, coredns, kubeadm-config.
 * What they hold is a text of its own; what is wrong with it is told where it stands.
 */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { FlannelSettings, KubeProxySettings } from '../../../../engine/src/topology/spec.ts';
import type { Located } from '../bind/decode.ts';
import type { Elsewhere } from '../diagnostics/define.ts';
import { commaSeparated } from './cidrs.ts';
import type { ObjectSource } from './fields.ts';
import { Fields, baseOf, tell } from './fields.ts';
import { cniProblems } from './cni-config.ts';
import { readNetConf } from './flannel-config.ts';
import { readJson } from './json.ts';
import { readKubeProxyConfig } from './kube-proxy-config.ts';
import { metadataOf } from './metadata.ts';
import { readYaml } from './yaml.ts';

/** What an object says of the whole cluster; absent where it says nothing. */
export interface ClusterPart {
  readonly place: Elsewhere;
  readonly base: ReturnType<typeof baseOf>;
  readonly domain?: Located<string>;
  readonly podCidrs?: readonly Located<Prefix>[];
  readonly serviceCidrs?: readonly Located<Prefix>[];
  readonly flannel?: FlannelSettings;
  /** Connects pods, and is not simulated. */
  readonly networkPlugin?: string;
  readonly kubeProxy?: KubeProxySettings;
}

export function readConfigMap(object: Fields): ClusterPart | null {
  const metadata = metadataOf(object);
  const data = object.map('data');
  if (metadata === null || data === null) return null;
  const place = object.source.place(object.tree);
  const base = baseOf(object);
  const inside = (key: string, read: (text: string) => Fields | null): Fields | null => {
    const text = data.text(key);
    return text === null ? null : read(text.value);
  };
  const source = (key: string): ObjectSource => ({ problems: object.source.problems, place: () => data.text(key)?.elsewhere ?? place });
  switch (metadata.name.value) {
    case 'kube-flannel-cfg': {
      const cni = inside('cni-conf.json', (text) => embedded(readJson(text), source('cni-conf.json'), 'cni-conf.json'));
      if (cni !== null) cniProblems(cni);
      const conf = inside('net-conf.json', (text) => embedded(readJson(text), source('net-conf.json'), 'net-conf.json'));
      return conf === null ? null : { place, base, ...readNetConf(conf) };
    }
    case 'kube-proxy': {
      const config = inside('config.conf', (text) => embedded(readYaml(text), source('config.conf'), 'config.conf'));
      return config === null ? null : { place, base, kubeProxy: readKubeProxyConfig(config) };
    }
    case 'coredns': {
      const domain = /^\s*kubernetes\s+([A-Za-z0-9.-]+)/m.exec(data.text('Corefile')?.value ?? '')?.[1];
      return domain === undefined ? null : { place, base, domain: { value: domain.replace(/\.$/, ''), start: 0, end: 0, elsewhere: source('Corefile').place(object.tree) } };
    }
    case 'kubeadm-config': {
      const config = inside('ClusterConfiguration', (text) => embedded(readYaml(text), source('ClusterConfiguration'), 'ClusterConfiguration'));
      return config === null ? null : { place, base, ...readKubeadm(config) };
    }
    default: return null;
  }
}

/** `path`: what problems are told of. */
function embedded({ documents, problems }: ReturnType<typeof readYaml>, source: ObjectSource, path: string): Fields | null {
  const [tree] = documents;
  for (const problem of problems) tell(source, 'bad', `${path}: ${problem.message}`, problem);
  return tree?.kind === 'map' ? new Fields(source, tree, path) : null;
}

function readKubeadm(config: Fields): Pick<ClusterPart, 'domain' | 'podCidrs' | 'serviceCidrs'> {
  const networking = config.map('networking');
  const domain = networking?.text('dnsDomain') ?? null;
  const cidrs = (key: string): Located<Prefix>[] => commaSeparated(networking, key);
  const [podCidrs, serviceCidrs] = [cidrs('podSubnet'), cidrs('serviceSubnet')];
  return { ...(domain === null ? {} : { domain }), ...(podCidrs.length === 0 ? {} : { podCidrs }), ...(serviceCidrs.length === 0 ? {} : { serviceCidrs }) };
}

/** ServiceCIDR of networking.k8s.io: where the services' addresses come from. */
export function readServiceCidr(object: Fields): ClusterPart | null {
  const metadata = metadataOf(object);
  const spec = object.map('spec');
  const serviceCidrs = spec?.values('cidrs', 'cidr') ?? [];
  spec?.rest([]);
  return metadata === null || serviceCidrs.length === 0 ? null : { place: object.source.place(object.tree), base: baseOf(object), serviceCidrs };
}
