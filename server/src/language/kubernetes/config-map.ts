/**
 * The ConfigMaps that a cluster's components are started with: kube-flannel-cfg, kube-proxy, coredns, kubeadm-config.
 * What they hold is a text of its own; what is wrong with it is told where it stands.
 */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { FlannelSettings, KubeProxySettings } from '../../../../engine/src/topology/spec.ts';
import type { Located } from '../bind/decode.ts';
import type { Elsewhere } from '../diagnostics/define.ts';
import { commaSeparated } from './cidrs.ts';
import { cniProblems } from './cni-config.ts';
import { sourceWithin } from './embedded.ts';
import { Fields, baseOf, located, tell } from './fields.ts';
import { readNetConf } from './flannel-config.ts';
import { readJson } from './json.ts';
import { readKubeProxyConfig } from './kube-proxy-config.ts';
import { metadataOf } from './metadata.ts';
import type { TreeReading } from './tree.ts';
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
  const part = { place: object.source.place(object.tree), base: baseOf(object) };
  switch (metadata.name.value) {
    case 'kube-flannel-cfg': {
      const cni = embedded(data, 'cni-conf.json', readJson);
      if (cni !== null) cniProblems(cni);
      const conf = embedded(data, 'net-conf.json', readJson);
      return conf === null ? null : { ...part, ...readNetConf(conf) };
    }
    case 'kube-proxy': {
      const config = embedded(data, 'config.conf', readYaml);
      return config === null ? null : { ...part, kubeProxy: readKubeProxyConfig(config) };
    }
    case 'coredns': {
      const domain = domainOf(data);
      return domain === null ? null : { ...part, domain };
    }
    case 'kubeadm-config': {
      const config = embedded(data, 'ClusterConfiguration', readYaml);
      return config === null ? null : { ...part, ...readKubeadm(config) };
    }
    default: return null;
  }
}

/** `key`: what problems are told of, too. */
function embedded(data: Fields, key: string, read: (text: string) => TreeReading): Fields | null {
  const text = data.text(key);
  const tree = data.get(key);
  if (text === null || tree?.kind !== 'scalar') return null;
  const source = sourceWithin(data.source, tree);
  const { documents: [first], problems } = read(text.value);
  for (const problem of problems) tell(source, 'bad', `${key}: ${problem.message}`, problem);
  if (first !== undefined && first.kind !== 'map') tell(source, 'bad', `${key} is a map`, first);
  return first?.kind === 'map' ? new Fields(source, first, key) : null;
}

/** The first zone of CoreDNS's plugin kubernetes. */
function domainOf(data: Fields): Located<string> | null {
  const text = data.text('Corefile');
  const tree = data.get('Corefile');
  const found = text === null ? null : /^\s*kubernetes\s+([A-Za-z0-9.-]+)/m.exec(text.value);
  if (found === null || tree?.kind !== 'scalar') return null;
  const [{ length }, domain = ''] = found;
  const end = found.index + length;
  return located(sourceWithin(data.source, tree), domain.replace(/\.$/, ''), { start: end - domain.length, end });
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
