/** A top-level statement as a declaration, cached under its node. */
import { DEFAULT_FLANNEL } from '../../../../engine/src/control-plane/settings.ts';
import type { FlannelSubnets } from '../../../../engine/src/topology/spec.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { report, shifted } from '../diagnostics/define.ts';
import { missingStatement } from '../diagnostics/missing-statement.ts';
import { misplacedStatement } from '../diagnostics/misplaced-statement.ts';
import { pluginNotSimulated } from '../diagnostics/plugin-not-simulated.ts';
import type { StatementNode } from '../syntax/tree.ts';
import { capturesOf, listenersOf } from './captures.ts';
import type { ClusterDeclaration, Declaration, ExternalDeclaration, InterfaceDeclaration, NetworkDeclaration, NodeDeclaration } from './declarations.ts';
import type { Decoded, Located } from './decode.ts';
import { decode, valuesOf } from './decode.ts';
import { declareExpectation } from './expectation.ts';
import { statementOf } from './grammar.ts';
import { declareKubeProxy } from './declare-kube-proxy.ts';
import { declarePod, declareService } from './declare-objects.ts';
import { declareNamespace, declarePolicy } from './declare-policy.ts';
import type { Statement } from './statements.ts';
import { Statements, extentOf, unknownStatement } from './statements.ts';
import { syntaxDiagnosticsWithin } from './syntax-problems.ts';

/** What a top-level statement says; `declaration` is `null` where its keyword is unknown. */
export interface TopLevel {
  readonly declaration: Declaration | null;
  readonly diagnostics: readonly Diagnostic[];
}

const topLevels = new WeakMap<StatementNode, TopLevel>();

export function declare(node: StatementNode): TopLevel {
  const cached = topLevels.get(node);
  if (cached !== undefined) return cached;
  const made = declareStatement(node);
  topLevels.set(node, made);
  return made;
}

function declareStatement(node: StatementNode): TopLevel {
  const syntax = syntaxDiagnosticsWithin(node);
  const keyword = node.tokens[0]?.text ?? '';
  const grammar = statementOf('file', keyword);
  if (grammar === undefined) return { declaration: null, diagnostics: [...syntax, ...unknownStatement(node, 'file')] };
  if (keyword === 'expect') {
    const declaration = declareExpectation(node, [...syntax, ...decode(node, grammar).diagnostics]);
    return { declaration, diagnostics: declaration.diagnostics };
  }
  const decoded = decode(node, grammar);
  const out = [...syntax, ...decoded.diagnostics];
  const declaration = declareWithBlock(keyword, { node, offset: 0, decoded }, out);
  return { declaration, diagnostics: out };
}

function declareWithBlock(keyword: string, s: Statement, out: Diagnostic[]): Declaration | null {
  switch (keyword) {
    case 'cluster': return declareCluster(s, out);
    case 'network': return declareNetwork(s, out);
    case 'external': return declareExternal(s, out);
    case 'node': return declareNode(s, out);
    case 'pod': return declarePod(s, out);
    case 'service': return declareService(s, out);
    case 'namespace': return declareNamespace(s, out);
    case 'network-policy': return declarePolicy(s, out);
    case 'objects': return { kind: 'objects', ...baseOf(s, out), patterns: valuesOf(s.decoded, '"FILES"', 'file', 0) };
    default: return null;
  }
}

const baseOf = (s: Statement, out: readonly Diagnostic[]) => ({ node: s.node, keyword: s.decoded.keyword, ...extentOf(s.node, 0), diagnostics: out });

const nameOf = (decoded: Decoded): Located<string> | null => valuesOf(decoded, 'NAME', 'name', 0)[0] ?? null;

function declareCluster(s: Statement, out: Diagnostic[]): ClusterDeclaration {
  const inside = new Statements(s, 'cluster', out);
  const [flannel] = inside.all('flannel');
  const [kubeProxy] = inside.all('kube-proxy');
  const plugin = inside.value('network-plugin', 'name');
  if (plugin !== null) out.push(report(pluginNotSimulated, { plugin: plugin.value }, plugin));
  return {
    kind: 'cluster',
    ...baseOf(s, out),
    name: nameOf(s.decoded),
    domain: inside.value('domain', 'name'),
    podCidrs: inside.values('pod-cidr', 'cidr'),
    serviceCidrs: inside.values('service-cidr', 'cidr'),
    flannel: flannelOf(flannel, out),
    flannelMtu: flannel === undefined ? null : new Statements(flannel, 'flannel', []).value('mtu', 'mtu'),
    kubeProxy: declareKubeProxy(kubeProxy, out),
    ...(plugin === null ? {} : { networkPlugin: plugin.value }),
    kubeletChains: inside.has('kubelet-chains'),
  };
}

/** What each backend's block takes beside `mtu` and `no-masquerade`. */
const BACKEND_STATEMENTS: Readonly<Record<string, readonly string[]>> = {
  vxlan: ['vni', 'port', 'direct-routing', 'routes-per'],
  udp: ['port'],
};

function flannelOf(statement: Statement | undefined, out: Diagnostic[]): ClusterDeclaration['flannel'] {
  if (statement === undefined) return DEFAULT_FLANNEL;
  const inside = new Statements(statement, 'flannel', out);
  const choice = valuesOf(statement.decoded, 'BACKEND', 'choice', 0)[0]?.value;
  const backend = choice === 'udp' || choice === 'host-gw' || choice === 'none' ? choice : 'vxlan';
  for (const keyword of ['vni', 'port', 'direct-routing', 'routes-per']) {
    const [found] = inside.all(keyword);
    if (found === undefined || BACKEND_STATEMENTS[backend]?.includes(keyword) === true) continue;
    const belongs = Object.keys(BACKEND_STATEMENTS).filter((b) => BACKEND_STATEMENTS[b]?.includes(keyword) === true).map((b) => `in 'flannel ${b}'`);
    const at = found.decoded.keyword;
    out.push(shifted(report(misplacedStatement, { keyword, place: `in 'flannel ${backend}'`, belongs }, at), found.offset));
  }
  return {
    ...DEFAULT_FLANNEL,
    backend,
    vni: inside.plain('vni', 'vni') ?? DEFAULT_FLANNEL.vni,
    port: inside.plain('port', 'port') ?? (backend === 'udp' ? 8285 : DEFAULT_FLANNEL.port),
    mtu: inside.plain('mtu', 'mtu'),
    routesPer: inside.plain('routes-per', 'choice') === 'network' ? 'network' : 'lease',
    directRouting: inside.has('direct-routing'),
    masquerade: !inside.has('no-masquerade'),
    subnets: subnetsOf(inside),
  };
}

/** flannel, pkg/subnet/config.go: ParseConfig; each of the words means that etcd hands out the leases. */
function subnetsOf(inside: Statements): FlannelSubnets {
  const said = ['subnet-len', 'ipv6-subnet-len', 'subnet-min', 'subnet-max'].some((keyword) => inside.has(keyword));
  if (inside.plain('subnet-manager', 'choice') !== 'etcd' && !said) return { manager: 'kube' };
  return {
    manager: 'etcd',
    lengths: { 4: inside.plain('subnet-len', 'prefix-length') ?? 24, 6: inside.plain('ipv6-subnet-len', 'prefix-length') ?? 64 },
    minimums: inside.values('subnet-min', 'address').map((a) => a.value),
    maximums: inside.values('subnet-max', 'address').map((a) => a.value),
  };
}

function declareNetwork(s: Statement, out: Diagnostic[]): NetworkDeclaration {
  const inside = new Statements(s, 'network', out);
  return {
    kind: 'network',
    ...baseOf(s, out),
    name: nameOf(s.decoded),
    prefixes: valuesOf(s.decoded, 'CIDR', 'cidr', 0),
    gateways: inside.values('gateway', 'address'),
    mtu: inside.plain('mtu', 'mtu') ?? 1500,
    captures: capturesOf(inside, out),
  };
}

function declareExternal(s: Statement, out: Diagnostic[]): ExternalDeclaration {
  const inside = new Statements(s, 'external', out);
  return {
    kind: 'external',
    ...baseOf(s, out),
    name: nameOf(s.decoded),
    addresses: valuesOf(s.decoded, 'ADDRESS', 'address', 0),
    listeners: listenersOf(inside),
  };
}

function declareNode(s: Statement, out: Diagnostic[]): NodeDeclaration {
  const inside = new Statements(s, 'node', out);
  const name = nameOf(s.decoded);
  const interfaces = [...inside.all('address'), ...inside.all('interface')].map((i) => interfaceOf(i, out));
  if (name !== null && inside.understood && interfaces.length === 0 && !inside.has('addresses')) {
    out.push(report(missingStatement, { what: `node ${name.value}`, statement: 'address ADDRESS/LENGTH on NETWORK' }, name));
  }
  return {
    kind: 'node',
    ...baseOf(s, out),
    name,
    interfaces: interfaces.sort((a, b) => a.start - b.start),
    podCidrs: inside.values('pod-cidr', 'cidr'),
    labels: inside.values('labels', 'label'),
    publicAddress: inside.value('public-ip', 'address'),
    vtepMac: inside.plain('vtep-mac', 'mac'),
    listeners: listenersOf(inside),
    docker: dockerOf(inside),
    captures: capturesOf(inside, out),
  };
}

function dockerOf(inside: Statements): NodeDeclaration['docker'] {
  const [docker] = inside.all('docker');
  if (docker === undefined) return null;
  const { start, end } = docker.decoded.keyword;
  return inside.value('docker', 'interface-address') ?? { value: 'default', start: start + docker.offset, end: end + docker.offset };
}

function interfaceOf(s: Statement, out: Diagnostic[]): InterfaceDeclaration {
  const inside = new Statements(s, 'interface', out);
  const extent = extentOf(s.node, s.offset);
  const keyword = { start: s.decoded.keyword.start + s.offset, end: s.decoded.keyword.end + s.offset };
  const name = s.decoded.grammar.keyword === 'address' ? { value: 'eth0', ...keyword } : (valuesOf(s.decoded, 'NAME', 'interface-name', s.offset)[0] ?? { value: '', ...keyword });
  return {
    ...extent,
    name,
    addresses: valuesOf(s.decoded, 'ADDRESS/LENGTH', 'interface-address', s.offset),
    network: valuesOf(s.decoded, 'NETWORK', 'name', s.offset)[0] ?? null,
    mac: inside.plain('mac', 'mac'),
    mtu: inside.plain('mtu', 'mtu'),
  };
}
