/** KubeProxyConfiguration, `config.conf` of the ConfigMap kube-proxy (pkg/proxy/apis/config/types.go). */
import { DEFAULT_KUBE_PROXY } from '../../../../engine/src/control-plane/settings.ts';
import type { KubeProxySettings, LocalDetection } from '../../../../engine/src/topology/spec.ts';
import { readValue } from '../bind/values.ts';
import { commaSeparated } from './cidrs.ts';
import type { Fields } from './fields.ts';
import { tell, tellAt } from './fields.ts';

const MODES = ['iptables', 'ipvs', 'nftables', 'kernelspace', ''] as const;
/** The bit of KUBE-MARK-MASQ, 0x4000. */
const MASQUERADE_BIT = 14;

const IGNORED = [
  'apiVersion', 'kind', 'bindAddress', 'bindAddressHardFail', 'clientConnection', 'configSyncPeriod', 'enableProfiling', 'featureGates', 'healthzBindAddress', 'hostnameOverride', 'ipvs', 'logging',
  'metricsBindAddress', 'nftables', 'oomScoreAdj', 'portRange', 'showHiddenMetricsForVersion', 'winkernel', 'windowsRunAsService', 'udpIdleTimeout', 'linux', 'windows', 'syncPeriod', 'minSyncPeriod',
];

export function readKubeProxyConfig(config: Fields): KubeProxySettings {
  const mode = config.choice('mode', MODES) ?? '';
  if (mode === 'kernelspace') tell(config.source, 'not-modelled', "kube-proxy's mode kernelspace is of Windows: iptables is taken instead", config.get('mode') ?? config.tree);
  const iptables = config.map('iptables');
  const bit = iptables?.number('masqueradeBit') ?? MASQUERADE_BIT;
  if (bit !== MASQUERADE_BIT) tell(config.source, 'not-modelled', `masqueradeBit ${bit} is not simulated: 14 is taken`, iptables?.get('masqueradeBit') ?? config.tree);
  const settings: KubeProxySettings = {
    mode: mode === 'ipvs' || mode === 'nftables' ? mode : 'iptables',
    masqueradeAll: iptables?.flag('masqueradeAll') ?? false,
    detectLocal: detectionOf(config),
    nodePortAddresses: nodePortAddresses(config),
    localhostNodePorts: iptables?.yesOrNo('localhostNodePorts') ?? DEFAULT_KUBE_PROXY.localhostNodePorts,
    tcpBeLiberal: config.map('conntrack')?.flag('tcpBeLiberal') ?? false,
  };
  iptables?.rest(['minSyncPeriod', 'syncPeriod', 'masqueradeBit']);
  config.rest(IGNORED);
  return settings;
}

function detectionOf(config: Fields): LocalDetection {
  const cidrs = commaSeparated(config, 'clusterCIDR').map((c) => c.value);
  const detect = config.map('detectLocal');
  const bridge = detect?.text('bridgeInterface')?.value ?? '';
  const prefix = detect?.text('interfaceNamePrefix')?.value ?? '';
  switch (config.choice('detectLocalMode', ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix', ''])) {
    case 'NodeCIDR': return { mode: 'NodeCIDR' };
    case 'BridgeInterface': return bridge === '' ? unnamed(config, 'bridgeInterface') : { mode: 'BridgeInterface', name: bridge };
    case 'InterfaceNamePrefix': return prefix === '' ? unnamed(config, 'interfaceNamePrefix') : { mode: 'InterfaceNamePrefix', prefix };
    default: return { mode: 'ClusterCIDR', cidrs };
  }
}

/** kube-proxy does not start so (pkg/proxy/apis/config/validation). */
function unnamed(config: Fields, key: string): LocalDetection {
  config.bad(`detectLocalMode ${config.text('detectLocalMode')?.value ?? ''} needs detectLocal.${key}`, config.get('detectLocalMode') ?? config.tree);
  return { mode: 'ClusterCIDR', cidrs: [] };
}

function nodePortAddresses(config: Fields): KubeProxySettings['nodePortAddresses'] {
  const texts = config.texts('nodePortAddresses');
  if (texts.some((t) => t.value === 'primary')) return 'primary';
  return texts.flatMap((text) => {
    const reading = readValue('cidr', text.value);
    if (!reading.ok) tellAt(config.source, 'bad', `nodePortAddresses: ${reading.problem}`, text);
    return reading.ok ? [reading.value] : [];
  });
}
