/** `kube-proxy MODE { … }` as settings. */
import { DEFAULT_KUBE_PROXY } from '../../../../engine/src/control-plane/settings.ts';
import type { KubeProxySettings, LocalDetection } from '../../../../engine/src/topology/spec.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { report, shifted } from '../diagnostics/define.ts';
import { extraArgument } from '../diagnostics/extra-argument.ts';
import { proxyModeNotSimulated } from '../diagnostics/proxy-mode-not-simulated.ts';
import { missingArgument } from '../diagnostics/missing-argument.ts';
import { valuesOf } from './decode.ts';
import { usageOf } from './grammar.ts';
import type { Statement } from './statements.ts';
import { Statements } from './statements.ts';

export function declareKubeProxy(statement: Statement | undefined, out: Diagnostic[]): KubeProxySettings {
  if (statement === undefined) return DEFAULT_KUBE_PROXY;
  const inside = new Statements(statement, 'kube-proxy', out);
  const [said] = valuesOf(statement.decoded, 'MODE', 'choice', statement.offset);
  const mode = said?.value;
  if (said !== undefined && (mode === 'nftables' || mode === 'ipvs' || mode === 'other')) out.push(report(proxyModeNotSimulated, { mode }, said));
  return {
    mode: mode === 'none' || mode === 'nftables' || mode === 'ipvs' || mode === 'other' ? mode : 'iptables',
    masqueradeAll: inside.has('masquerade-all'),
    detectLocal: detectLocalOf(inside, out),
    nodePortAddresses: inside.says('node-port-addresses', 'primary') ? 'primary' : inside.values('node-port-addresses', 'cidr').map((c) => c.value),
    localhostNodePorts: !inside.has('no-localhost-node-ports'),
    tcpBeLiberal: inside.has('conntrack-tcp-be-liberal'),
  };
}

function detectLocalOf(inside: Statements, out: Diagnostic[]): LocalDetection {
  const [said] = inside.all('detect-local');
  const mode = inside.plain('detect-local', 'choice');
  const name = inside.value('detect-local', 'interface-name');
  if (mode === 'BridgeInterface' || mode === 'InterfaceNamePrefix') {
    if (name !== null) return mode === 'BridgeInterface' ? { mode, name: name.value } : { mode, prefix: name.value };
    const { grammar, keyword } = (said as Statement).decoded;
    out.push(shifted(report(missingArgument, { keyword: grammar.keyword, argument: 'NAME', usage: usageOf(grammar) }, keyword), (said as Statement).offset));
  } else if (name !== null && said !== undefined) {
    const { grammar, values } = said.decoded;
    const from = (values[0]?.end ?? said.decoded.keyword.end) + said.offset;
    out.push(report(extraArgument, { text: name.value, keyword: grammar.keyword, usage: usageOf(grammar), from }, name));
  }
  if (mode === 'NodeCIDR') return { mode };
  const cidrs = inside.values('cluster-cidr', 'cidr').map((c) => c.value);
  return { mode: 'ClusterCIDR', cidrs: inside.says('cluster-cidr', 'None') ? [] : cidrs.length > 0 ? cidrs : null };
}
