/**
 * The language's statements, as one table: it drives decoding, the diagnostics of unknown words, completion, hover on
 * keywords, and the tables of docs/language.md (a test compares the two).
 */
import type { ValueKind } from './values.ts';

export type ContextName =
  | 'file' | 'cluster' | 'flannel' | 'kube-proxy' | 'network' | 'external' | 'node' | 'interface' | 'pod' | 'service' | 'namespace' | 'network-policy' | 'ingress' | 'egress';

/** What an object's name stands for where it is used. */
export type NameSpaceName = 'node' | 'network';

export interface ArgumentGrammar {
  /** As the usage prints it: `NODE`, `CIDR`. Unique in its statement. */
  readonly label: string;
  readonly kind: ValueKind;
  readonly need: 'required' | 'optional';
  /** `list`: several, separated by commas. */
  readonly count: 'one' | 'list';
  /** The word that stands before it: `on`, `->`, `node-port`. Arguments without one come first, in order. */
  readonly after?: string;
  readonly refersTo?: NameSpaceName;
  /** The words allowed for the kind `choice`, and beside the kind's own values for others (`None`). */
  readonly choices?: readonly string[];
}

export interface StatementGrammar {
  readonly keyword: string;
  readonly arguments: readonly ArgumentGrammar[];
  /** The context of its block; `dump` for verbatim lines; `null`: it has none. */
  readonly block: ContextName | 'dump' | null;
  readonly times: 'once' | 'many';
  readonly need: 'required' | 'optional';
  /** What it means, and its default: one line, for the hover and the reference. */
  readonly doc: string;
  /** Where the arguments are decoded by hand: the usage without the keyword. */
  readonly usage?: string;
}

type ArgumentOptions = Partial<Pick<ArgumentGrammar, 'need' | 'count' | 'after' | 'refersTo' | 'choices'>>;

const argument = (label: string, kind: ValueKind, options: ArgumentOptions = {}): ArgumentGrammar =>
  ({ label, kind, need: 'required', count: 'one', ...options });

const list = (label: string, kind: ValueKind, options: ArgumentOptions = {}): ArgumentGrammar =>
  argument(label, kind, { count: 'list', ...options });

type StatementOptions = Partial<Pick<StatementGrammar, 'block' | 'times' | 'need' | 'usage'>>;

const statement = (keyword: string, args: readonly ArgumentGrammar[], doc: string, options: StatementOptions = {}): StatementGrammar =>
  ({ keyword, arguments: args, block: null, times: 'once', need: 'optional', doc, ...options });

const flag = (keyword: string, doc: string): StatementGrammar => statement(keyword, [], doc);

const LISTEN = statement('listen', [list('PORT/PROTOCOL', 'listener')], 'where it says nothing, everything is taken to answer', { times: 'many' });
const LABELS = statement('labels', [list('KEY=VALUE', 'label')], 'what selectors look for', { times: 'many' });
const MTU = statement('mtu', [argument('N', 'mtu')], 'default 1500');

const dump = (keyword: string, doc: string): StatementGrammar => statement(keyword, [argument('"FILE"', 'file', { after: 'from', need: 'optional' })], doc, { block: 'dump', times: 'many' });

const ROUTES = dump('routes', '`ip route`, `ip route show table all`, `ip -6 route`');

const RESOLV_CONF = dump('resolv-conf', "a pod's `/etc/resolv.conf`, which replaces `search` and `ndots`");

/** Dumps, inside a node or a pod. */
export const CAPTURES: readonly StatementGrammar[] = [
  ROUTES,
  dump('rules', '`ip rule`'),
  dump('addresses', '`ip addr`'),
  dump('links', '`ip -d link`'),
  dump('neighbours', '`ip neigh`'),
  dump('fdb', '`bridge fdb show`'),
  dump('iptables', '`iptables-save`, or the `-A …` lines of `iptables -S` inside `table nat { }`'),
  dump('ip6tables', 'the same of `ip6tables-save`'),
  dump('ipset', '`ipset save`'),
  dump('conntrack', 'flows that are known already, as `conntrack -L` prints them'),
  dump('sysctl', '`key = value`'),
  RESOLV_CONF,
];

const FILE: readonly StatementGrammar[] = [
  statement('cluster', [argument('NAME', 'name', { need: 'optional' })], 'settings of the whole cluster; at most one', { block: 'cluster' }),
  statement('network', [argument('NAME', 'name'), list('CIDR', 'cidr')], 'a layer-2 segment that hosts are plugged into', { block: 'network', times: 'many' }),
  statement('external', [argument('NAME', 'name'), list('ADDRESS', 'address')], "something beyond a network's gateway", { block: 'external', times: 'many' }),
  statement('node', [argument('NAME', 'name')], 'a host with its own kernel', { block: 'node', times: 'many' }),
  statement('pod', [argument('[NAMESPACE/]NAME', 'object-name'), argument('NODE', 'name', { after: 'on', refersTo: 'node' })], 'a pod; the namespace is `default` unless given', { block: 'pod', times: 'many' }),
  statement('service', [argument('[NAMESPACE/]NAME', 'object-name')], 'a Kubernetes service', { block: 'service', times: 'many' }),
  statement('namespace', [argument('NAME', 'name')], 'a Kubernetes namespace, where its labels matter', { block: 'namespace', times: 'many' }),
  statement('network-policy', [argument('[NAMESPACE/]NAME', 'object-name')], 'a Kubernetes NetworkPolicy: who may speak with the pods that it selects', { block: 'network-policy', times: 'many' }),
  statement('objects', [list('"FILES"', 'file', { after: 'from' })], 'Kubernetes objects, as `kubectl get -o yaml` or `-o json` prints them: nodes, pods, services, their endpoints, policies and settings', { times: 'many' }),
  statement('expect', [], 'what must hold', { times: 'many', usage: 'FROM -> TO[:PORT][/PROTOCOL] …' }),
];

const CLUSTER: readonly StatementGrammar[] = [
  statement('domain', [argument('NAME', 'name')], "the services' DNS domain; default `cluster.local`"),
  statement('pod-cidr', [list('CIDR', 'cidr')], "the pods' network; default `10.244.0.0/16`"),
  statement('service-cidr', [list('CIDR', 'cidr')], "the services' addresses; default `10.96.0.0/12`"),
  statement('flannel', [argument('BACKEND', 'choice', { choices: ['vxlan', 'udp', 'host-gw', 'none'] })], 'what carries packets between hosts: VXLAN (the default), a tun device that flanneld reads, routes to the hosts, or nothing', { block: 'flannel' }),
  statement('kube-proxy', [argument('MODE', 'choice', { choices: ['iptables', 'nftables', 'ipvs', 'other', 'none'] })], 'how services are programmed: as iptables rules (the default) or not at all; nftables, ipvs and what another program does are not simulated', { block: 'kube-proxy' }),
  statement('network-plugin', [argument('NAME', 'name')], 'connects pods instead of flannel and the bridge plugin: `calico`, `cilium` …; what leaves a pod, or would come to one, ends undecided'),
  flag('kubelet-chains', "kubelet's own chains and rules stand beside kube-proxy's: KUBE-IPTABLES-HINT, KUBE-KUBELET-CANARY, and KUBE-FIREWALL"),
];

const FLANNEL: readonly StatementGrammar[] = [
  statement('vni', [argument('N', 'vni')], 'of vxlan; default 1'),
  statement('port', [argument('N', 'port')], 'of the outer UDP packets; default 8472 for vxlan, 8285 for udp'),
  statement('mtu', [argument('N', 'mtu')], 'default 50 less than the underlay for vxlan (IPv6: 70), 28 less for udp'),
  flag('direct-routing', 'of vxlan: routes to hosts on the same network, without encapsulation'),
  statement('routes-per', [argument('UNIT', 'choice', { choices: ['lease', 'network'] })], "of vxlan: a route, neighbour and FDB entry for each lease (the default), or flannel's older single route to the whole network"),
  flag('no-masquerade', 'FLANNEL-POSTRTG is not programmed'),
  statement('subnet-manager', [argument('MANAGER', 'choice', { choices: ['kube', 'etcd'] })], "who hands out leases: Kubernetes, as each node's pod-cidr (the default), or flannel by its rules in etcd"),
  statement('subnet-len', [argument('N', 'prefix-length')], 'of the leases that etcd hands out; default 24'),
  statement('ipv6-subnet-len', [argument('N', 'prefix-length')], 'of their IPv6 leases; default 64'),
  statement('subnet-min', [list('ADDRESS', 'address')], 'the first lease; default the second subnet of the pod network'),
  statement('subnet-max', [list('ADDRESS', 'address')], 'the last lease; default the last subnet of the pod network'),
];

const KUBE_PROXY: readonly StatementGrammar[] = [
  flag('masquerade-all', 'what goes to a service is always masqueraded'),
  statement('detect-local', [argument('MODE', 'choice', { choices: ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] }), argument('NAME', 'interface-name', { need: 'optional' })], "how pods' own traffic is told: by the pods' addresses (the default), by the node's, by the bridge NAME, or by devices whose names begin with NAME"),
  statement('cluster-cidr', [list('CIDR', 'cidr', { choices: ['None'] })], "the pods' addresses; default the cluster's `pod-cidr`"),
  statement('node-port-addresses', [list('CIDR', 'cidr', { choices: ['primary'] })], "which of a node's addresses answer node ports; default all, `primary` the node's own"),
  flag('no-localhost-node-ports', 'node ports do not answer on 127.0.0.1'),
  flag('conntrack-tcp-be-liberal', 'packets outside of the TCP window are not invalid, and the rule that drops invalid ones is left out'),
];

const NETWORK: readonly StatementGrammar[] = [
  statement('gateway', [list('ADDRESS', 'address')], 'the router that leads out'),
  MTU,
  { ...ROUTES, doc: 'routes of the gateway router, as `ip route` prints them' },
];

const NODE: readonly StatementGrammar[] = [
  statement('address', [list('ADDRESS/LENGTH', 'interface-address'), argument('NETWORK', 'name', { after: 'on', refersTo: 'network' })], 'short for `interface eth0 …`', { block: 'interface' }),
  statement('interface', [argument('NAME', 'interface-name'), list('ADDRESS/LENGTH', 'interface-address'), argument('NETWORK', 'name', { after: 'on', refersTo: 'network', need: 'optional' })], 'a device; without `on` it is plugged into nothing', { block: 'interface', times: 'many' }),
  statement('pod-cidr', [list('CIDR', 'cidr')], "the node's flannel lease; without it the /24 (IPv6: /64) around its pods, and without pods flannel does not run there"),
  statement('public-ip', [argument('ADDRESS', 'address')], "flannel's, where it is not the address on the network"),
  statement('vtep-mac', [argument('MAC', 'mac')], 'the MAC of flannel.1'),
  LABELS,
  { ...LISTEN, doc: 'where it says nothing, everything is taken to answer, but nothing on 30000 to 32767, the ports of node ports' },
  statement('docker', [argument('ADDRESS/LENGTH', 'interface-address', { need: 'optional' })], 'Docker runs here: docker0 (172.17.0.1/16 unless given), its chains, and a FORWARD policy of DROP'),
  ...CAPTURES.filter((c) => c !== RESOLV_CONF),
];

const INTERFACE: readonly StatementGrammar[] = [
  statement('mac', [argument('MAC', 'mac')], "default made from the node's and the device's name"),
  { ...MTU, doc: "default the network's" },
];

const POD: readonly StatementGrammar[] = [
  statement('ip', [list('ADDRESS', 'address')], 'of the pod; needed unless it is `host-network`'),
  statement('mac', [argument('MAC', 'mac')], 'default as the bridge plugin makes it: `0a:58:` and the IPv4 address'),
  LABELS,
  LISTEN,
  flag('host-network', "shares the node's namespace: its addresses are the node's, and the node listens where it does, too"),
  statement('port', [argument('NAME', 'name', { need: 'optional' }), argument('PORT[/PROTOCOL]', 'listener'), argument('N', 'port', { after: 'host-port', need: 'optional' }), argument('ADDRESS', 'address', { after: 'host-ip', need: 'optional' })], "a container's port: its name, and the node's port that leads to it", { times: 'many' }),
  flag('not-ready', "in no service's endpoints"),
  flag('terminating', "in a service's endpoints only where none is ready"),
  statement('dns-policy', [argument('POLICY', 'choice', { choices: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] })], "who writes resolv.conf; default ClusterFirst, which on the host's network means the node's own"),
  statement('nameserver', [list('ADDRESS', 'address')], "resolv.conf's name servers, where they are not the cluster's"),
  statement('hostname', [argument('NAME', 'name')], "its first name in the DNS of a headless service"),
  statement('subdomain', [argument('NAME', 'name')], 'the headless service whose DNS has its hostname'),
  statement('search', [list('DOMAIN', 'name')], "resolv.conf's search list, where it is not the cluster's"),
  statement('ndots', [argument('N', 'ndots')], "resolv.conf's ndots; default 5"),
  ...CAPTURES,
];

const SERVICE: readonly StatementGrammar[] = [
  statement('cluster-ip', [list('ADDRESS', 'address', { choices: ['None'] })], '`None` makes it headless'),
  statement('port', [argument('NAME', 'name', { need: 'optional' }), argument('PORT[/PROTOCOL]', 'listener'), argument('TARGET', 'target-port', { after: '->', need: 'optional' }), argument('N', 'port', { after: 'node-port', need: 'optional' })], "protocol TCP unless given; the target is the port unless given, or the name of the pods' port", { times: 'many' }),
  statement('selector', [list('KEY=VALUE', 'label')], 'the pods behind it, by their labels'),
  statement('endpoints', [list('ADDRESS[:PORT]', 'endpoint'), argument('PORT', 'name', { after: 'port', need: 'optional' }), argument('NODE', 'name', { after: 'on', need: 'optional', refersTo: 'node' }), argument('STATE', 'choice', { after: 'state', need: 'optional', choices: ['ready', 'not-ready', 'terminating', 'terminating-not-ready'] }), argument('HOSTNAME', 'name', { after: 'hostname', need: 'optional' }), list('ZONE', 'name', { after: 'for-zones', need: 'optional' }), list('FOR-NODE', 'name', { after: 'for-nodes', need: 'optional', refersTo: 'node' })], 'by hand, instead of a selector or besides it: of the service port PORT, on NODE, meant for zones and nodes', { times: 'many' }),
  flag('endpoints-only', 'the endpoints by hand are all there are, whatever the selector selects'),
  statement('type', [argument('TYPE', 'choice', { choices: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] })], 'default ClusterIP, or NodePort where a port has a node-port'),
  statement('external-ip', [list('ADDRESS', 'address')], 'addresses that the nodes answer to for it'),
  statement('load-balancer-ip', [list('ADDRESS', 'address'), argument('MODE', 'choice', { after: 'mode', need: 'optional', choices: ['VIP', 'Proxy'] })], "the load balancer's addresses; kube-proxy leaves those of the mode Proxy alone", { times: 'many' }),
  statement('load-balancer-source-ranges', [list('CIDR', 'cidr')], 'who may use the load balancer'),
  statement('external-name', [argument('NAME', 'name')], 'the DNS name that it stands for'),
  statement('session-affinity', [argument('SECONDS', 'seconds')], 'ClientIP affinity'),
  statement('external-traffic-policy', [argument('POLICY', 'choice', { choices: ['Cluster', 'Local'] })], 'which endpoints traffic from outside may reach; default Cluster'),
  statement('internal-traffic-policy', [argument('POLICY', 'choice', { choices: ['Cluster', 'Local'] })], 'which endpoints pods and nodes may reach; default Cluster'),
  statement('traffic-distribution', [argument('PREFERENCE', 'choice', { choices: ['PreferClose', 'PreferSameZone', 'PreferSameNode'] })], "endpoints near the sender first, by the nodes' label `topology.kubernetes.io/zone`"),
  flag('publish-not-ready-addresses', 'pods that are not ready are endpoints too'),
  flag('no-node-ports', 'a load balancer without node ports'),
  statement('health-check-node-port', [argument('N', 'port')], 'of a load balancer with the policy Local'),
];

const SELECTOR_DOC = 'as kubectl writes selectors: `app=web, tier in (front, back), !legacy`';

const NETWORK_POLICY: readonly StatementGrammar[] = [
  statement('pods', [], `whom it isolates, ${SELECTOR_DOC}; default every pod of the namespace`, { usage: '[SELECTOR]' }),
  statement('types', [list('TYPE', 'choice', { choices: ['Ingress', 'Egress'] })], 'in which directions; default Ingress, and Egress where it has an `egress`'),
  statement('ingress', [], 'what may come in; without one, nothing may', { block: 'ingress', times: 'many' }),
  statement('egress', [], 'what may go out; without one, nothing may', { block: 'egress', times: 'many' }),
];

const POLICY_PORT = statement('port', [list('PORT[-LAST][/PROTOCOL]', 'policy-port')], "of the receiving pod: a number, a range, the name of a pod's port, or `*`; protocol TCP unless given; default every port", { times: 'many' });
const PEER_USAGE = '[namespaces [SELECTOR]] [pods [SELECTOR]] | ip-block CIDR [except CIDR[, …]]';

export const GRAMMAR: Readonly<Record<ContextName, readonly StatementGrammar[]>> = {
  file: FILE,
  cluster: CLUSTER,
  flannel: FLANNEL,
  'kube-proxy': KUBE_PROXY,
  network: NETWORK,
  external: [LISTEN],
  node: NODE,
  interface: INTERFACE,
  pod: POD,
  service: SERVICE,
  namespace: [LABELS],
  'network-policy': NETWORK_POLICY,
  ingress: [statement('from', [], 'who sends; several are alternatives; default everybody', { times: 'many', usage: PEER_USAGE }), POLICY_PORT],
  egress: [statement('to', [], 'who receives; several are alternatives; default everybody', { times: 'many', usage: PEER_USAGE }), POLICY_PORT],
};

const byKeyword = new Map(Object.entries(GRAMMAR).map(([context, statements]) => [context, new Map(statements.map((s) => [s.keyword, s]))]));

export const statementOf = (context: ContextName, keyword: string): StatementGrammar | undefined => byKeyword.get(context)?.get(keyword);

/** The contexts in which a keyword has a meaning. */
export const contextsOf = (keyword: string): readonly ContextName[] =>
  (Object.keys(GRAMMAR) as ContextName[]).filter((context) => statementOf(context, keyword) !== undefined);

/** "in a node", "at the top of the file" */
export function placeOf(context: ContextName): string {
  switch (context) {
    case 'file': return 'at the top of the file';
    case 'external': case 'interface': case 'ingress': case 'egress': return `in an ${context}`;
    case 'flannel': case 'kube-proxy': return `in ${context}`;
    default: return `in a ${context}`;
  }
}

/** `interface NAME ADDRESS/LENGTH[, …] [on NETWORK] { … }`, as the reference prints it. */
export function usageOf(s: StatementGrammar): string {
  if (s.usage !== undefined) return `${s.keyword} ${s.usage}`;
  if (s.block === 'dump') return `${s.keyword} { }`;
  const words = s.arguments.map((a) => {
    const name = a.kind === 'choice' ? (a.choices ?? []).join('|') : a.label;
    const value = [...(a.kind === 'choice' || a.choices === undefined ? [] : a.choices.map((c) => `${c}|`)), name, a.count === 'list' ? '[, …]' : ''].join('');
    const phrase = a.after === undefined ? value : `${a.after} ${value}`;
    return a.need === 'optional' ? `[${phrase}]` : phrase;
  });
  return [s.keyword, ...words, ...(s.block === null ? [] : ['{ … }'])].join(' ');
}
