/** Random clusters as `.k8snet` text with questions about them, so that the whole way from the file to the trace is judged. */
import fc from 'fast-check';
import { iptablesText, PORTS } from './random-rules.ts';
import type { Vocabulary } from './random-rules.ts';

export interface Question {
  readonly from: string;
  readonly to: string;
  /** Bytes behind the transport header; `null`: as usual. */
  readonly payload: number | null;
}

export interface Case {
  readonly text: string;
  readonly questions: readonly Question[];
}

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** A part of the file that is there in one case of `n`; shrinks to nothing. */
const seldom = (n: number, arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.integer({ min: 1, max: n }).chain((i) => (i === n ? arbitrary : fc.constant('')));

type Stack = 'IPv4' | 'dual' | 'IPv6';

interface Shape {
  readonly stack: Stack;
  readonly nodes: number;
  readonly pods: readonly number[];
}

const shape: fc.Arbitrary<Shape> = fc.record({
  stack: fc.oneof({ weight: 5, arbitrary: fc.constant<Stack>('IPv4') }, { weight: 2, arbitrary: fc.constant<Stack>('dual') }, { weight: 1, arbitrary: fc.constant<Stack>('IPv6') }),
  nodes: fc.integer({ min: 1, max: 3 }),
  pods: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
});

const has4 = (stack: Stack): boolean => stack !== 'IPv6';
const has6 = (stack: Stack): boolean => stack !== 'IPv4';

/** Addresses of both families where the stack has both. */
const both = (stack: Stack, four: string, six: string): string => [...(has4(stack) ? [four] : []), ...(has6(stack) ? [six] : [])].join(', ');

const podName = (node: number, pod: number): string => `pod${node}${pod}`;
const podAddress = (family: 4 | 6, node: number, pod: number): string => (family === 4 ? `10.0.${node}.1${pod}` : `fd00:10:${node}::1${pod}`);
const hostAddress = (family: 4 | 6, node: number): string => (family === 4 ? `192.168.93.21${node}` : `fd00:93::21${node}`);
const serviceAddress = (family: 4 | 6, i: number): string => (family === 4 ? `10.16.0.1${i}` : `fd00:16::1${i}`);

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);
const podsOf = (s: Shape): readonly (readonly [number, number])[] => range(s.nodes).flatMap((node) => range(s.pods[node - 1] ?? 1).map((pod) => [node, pod] as const));

function vocabulary(s: Shape, family: 4 | 6): Vocabulary {
  const length = family === 4 ? 32 : 128;
  const pods = podsOf(s).map(([node, pod]) => podAddress(family, node, pod));
  const hosts = range(s.nodes).map((node) => hostAddress(family, node));
  const services = range(2).map((i) => serviceAddress(family, i));
  return {
    family, pods, hosts, services,
    prefixes: [...pods.map((a) => `${a}/${length}`), ...hosts.map((a) => `${a}/${length}`), ...services.map((a) => `${a}/${length}`), ...(family === 4 ? ['10.0.0.0/16', '10.0.1.0/24', '10.0.2.0/24', '10.16.0.0/16', '192.168.93.0/24', '203.0.113.0/24'] : ['fd00:10::/32', 'fd00:10:1::/64', 'fd00:16::/108', 'fd00:93::/64'])],
    devices: ['cni0', 'eth0', 'flannel.1', 'lo', 'flannel+', 'eth+'],
    macs: ['02:00:00:00:01:01', '0a:58:0a:00:01:0b', '02:00:00:00:00:99'],
  };
}

type Flannel = 'vxlan' | 'vxlan direct' | 'vxlan odd' | 'host-gw' | 'vxlan network' | 'none';

const flannelText: Readonly<Record<Flannel, string>> = {
  vxlan: 'flannel vxlan',
  'vxlan direct': 'flannel vxlan { direct-routing }',
  'vxlan odd': 'flannel vxlan { vni 7; port 4789 }',
  'host-gw': 'flannel host-gw',
  'vxlan network': 'flannel vxlan { routes-per network }',
  none: 'flannel none',
};

const sysctls = (s: Shape): fc.Arbitrary<string> =>
  fc.subarray([
    'net.ipv4.conf.all.rp_filter = 1', 'net.ipv4.conf.all.rp_filter = 2', 'net.ipv4.conf.cni0.rp_filter = 1', 'net.ipv4.conf.eth0.rp_filter = 2',
    'net.ipv4.ip_forward = 0', 'net.bridge.bridge-nf-call-iptables = 0', 'net.ipv4.conf.all.route_localnet = 0', 'net.ipv4.conf.eth0.forwarding = 0', 'net.ipv4.icmp_echo_ignore_all = 1', 'net.ipv4.ip_default_ttl = 128',
    ...(has6(s.stack) ? ['net.bridge.bridge-nf-call-ip6tables = 0', 'net.ipv6.conf.all.forwarding = 0'] : []),
  ], { minLength: 1, maxLength: 3 }).map((lines) => block('sysctl', lines));

const block = (name: string, lines: readonly string[]): string => (lines.length === 0 ? '' : [`  ${name} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n'));

/** A whole main table: what flannel makes, here and there with a fault; then what an administrator adds. */
function routes(s: Shape, node: number, flannel: Flannel): fc.Arbitrary<string> {
  const device = flannel === 'host-gw' || flannel === 'none' || flannel === 'vxlan direct' ? 'eth0' : 'flannel.1';
  const tunnel = device === 'flannel.1' && flannel === 'vxlan odd' ? 'flannel.7' : device;
  const others = range(s.nodes).filter((n) => n !== node);
  const base = ['default via 192.168.93.254 dev eth0', `192.168.93.0/24 dev eth0 proto kernel scope link src ${hostAddress(4, node)}`, `10.0.${node}.0/24 dev cni0 proto kernel scope link src 10.0.${node}.1`];
  const lease = (n: number): fc.Arbitrary<string> => {
    const right = device === 'flannel.1' ? `10.0.${n}.0/24 via 10.0.${n}.0 dev ${tunnel} onlink` : `10.0.${n}.0/24 via ${hostAddress(4, n)} dev eth0`;
    return fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constant(`${right} mtu 1300`) }, { weight: 1, arbitrary: fc.constant(`10.0.${n}.0/24 via ${hostAddress(4, n)} dev eth0 metric 50`) });
  };
  const extra = fc.subarray([
    'unreachable 10.0.77.0/24', 'blackhole 10.0.78.0/24', 'prohibit 10.0.79.0/24', 'throw 10.0.80.0/24', `prohibit ${podAddress(4, 2, 1)}`, `blackhole ${podAddress(4, 1, 2)} metric 5`,
    '10.0.81.0/24 dev cni0 scope link', '10.0.82.0/24 via 192.168.93.99 dev eth0 onlink', `203.0.113.0/24 via 192.168.93.254 dev eth0 src ${hostAddress(4, node)} metric 20`, 'unreachable 203.0.113.0/24 metric 4000',
    '10.0.77.0/24 via 192.168.93.254 dev eth0 table 100', 'default via 192.168.93.254 dev eth0 table 100', 'unreachable default table 101', '10.16.0.0/16 dev cni0 scope link',
  ], { maxLength: 5 });
  return fc.tuple(fc.tuple(...others.map(lease)), extra).map(([leases, more]) => block('routes', [...base, ...leases.filter((l) => l !== ''), ...more]));
}

const policyRules = (s: Shape): fc.Arbitrary<string> =>
  fc.subarray([
    '100: from 10.0.1.0/24 lookup 100', '101: from all to 10.0.2.0/24 lookup 101', '102: from all fwmark 0x10/0xff lookup 100', '103: from all iif cni0 lookup 100', '104: not from 10.0.0.0/16 lookup 101',
    '105: from all to 10.0.78.0/24 prohibit', '106: from all to 10.0.1.12 blackhole', '107: from all to 203.0.113.9 unreachable', `108: from ${podAddress(4, 1, 1)} lookup main suppress_prefixlength 0`, '109: from all ipproto udp lookup 100',
  ], { minLength: 1, maxLength: 3 }).map((lines) => (has4(s.stack) ? block('rules', ['0: from all lookup local', ...lines, '32766: from all lookup main', '32767: from all lookup default']) : ''));

const neighbours = (node: number, s: Shape): fc.Arbitrary<string> =>
  fc.subarray([
    ...range(s.nodes).filter((n) => n !== node).map((n) => `10.0.${n}.0 dev flannel.1 lladdr 02:00:00:00:0${node}:9${n} PERMANENT`),
    `10.0.${node}.11 dev cni0 lladdr 02:00:00:00:00:77 PERMANENT`, `192.168.93.254 dev eth0 lladdr 02:00:00:00:00:66 PERMANENT`,
  ], { maxLength: 2 }).map((lines) => ['  neighbours {', ...lines.map((line) => `    ${line}`), '  }'].join('\n'));

function node(s: Shape, n: number, flannel: Flannel): fc.Arbitrary<string> {
  const rulesOf = (family: 4 | 6) => iptablesText(vocabulary(s, family)).map((text) => block(family === 4 ? 'iptables' : 'ip6tables', text.split('\n')));
  return fc.record({
    iptables: has4(s.stack) ? seldom(2, rulesOf(4)) : fc.constant(''),
    ip6tables: has6(s.stack) ? seldom(2, rulesOf(6)) : fc.constant(''),
    sysctl: seldom(3, sysctls(s)),
    routes: has4(s.stack) ? seldom(3, routes(s, n, flannel)) : fc.constant(''),
    rules: has4(s.stack) ? seldom(5, policyRules(s)) : fc.constant(''),
    neighbours: has4(s.stack) && flannel.startsWith('vxlan') ? seldom(8, neighbours(n, s)) : fc.constant(''),
    fdb: flannel === 'vxlan' ? seldom(12, oneOf(['  fdb {\n  }', '  fdb {\n    02:00:00:00:00:99 dev flannel.1 dst 192.168.93.212 self permanent\n  }'])) : fc.constant(''),
    listen: seldom(3, oneOf(['  listen 80/TCP', '  listen 80/TCP, 53/UDP'])),
    mac: seldom(3, fc.constant(`mac 02:00:00:00:01:0${n}`)),
    mtu: seldom(8, oneOf(['mtu 1400', 'mtu 1480'])),
  }).map((p) => {
    const address = [both(s.stack, `${hostAddress(4, n)}/24`, `${hostAddress(6, n)}/64`)].join('');
    const settings = [p.mac, p.mtu].filter((t) => t !== '');
    return [
      `node host${n} {`,
      `  address ${address} on lan${settings.length === 0 ? '' : ` { ${settings.join('; ')} }`}`,
      `  pod-cidr ${both(s.stack, `10.0.${n}.0/24`, `fd00:10:${n}::/64`)}`,
      ...[p.listen, p.sysctl, p.routes, p.rules, p.neighbours, p.fdb, p.iptables, p.ip6tables].filter((t) => t !== ''),
      '}',
    ].join('\n');
  });
}

const pods = (s: Shape): fc.Arbitrary<string> =>
  fc.tuple(...podsOf(s).map(([n, p]) =>
    fc.record({ listen: seldom(2, oneOf(['listen 80/TCP, 53/UDP', 'listen 8080/TCP', 'listen 53/UDP'])), label: oneOf(['a', 'b']), extra: seldom(12, oneOf(['not-ready', `mac 02:00:00:00:02:${n}${p}`])) }).map(({ listen, label, extra }) =>
      `pod ${podName(n, p)} on host${n} { ${[`ip ${both(s.stack, podAddress(4, n, p), podAddress(6, n, p))}`, `labels app=${label}`, listen, extra].filter((t) => t !== '').join('; ')} }`),
  )).map((lines) => lines.join('\n'));

const service = (s: Shape, i: number): fc.Arbitrary<string> =>
  fc.record({
    name: fc.constant(`s${i}`),
    app: oneOf(['a', 'b', 'none']),
    protocol: oneOf(['TCP', 'UDP']),
    target: oneOf(['', ' -> 80', ' -> 8080', ' -> 53']),
    type: oneOf(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer']),
    policies: fc.subarray(['external-traffic-policy Local', 'internal-traffic-policy Local', 'session-affinity 100', `external-ip ${has4(s.stack) ? `198.51.100.3${i}` : `2001:db8:9::3${i}`}`]),
    byHand: fc.integer({ min: 0, max: 5 }),
  }).map((p) => [
    `service ${p.name} {`,
    `  cluster-ip ${both(s.stack, serviceAddress(4, i), serviceAddress(6, i))}`,
    ...(p.type === 'ClusterIP' ? [] : [`  type ${p.type}`]),
    ...(p.type === 'LoadBalancer' ? [`  load-balancer-ip ${has4(s.stack) ? `198.51.100.2${i}` : `2001:db8:9::2${i}`}`] : []),
    `  port 80/${p.protocol}${p.target}${p.type === 'ClusterIP' ? '' : ` node-port 3008${i}`}`,
    p.byHand === 0 ? `  endpoints ${has4(s.stack) ? '203.0.113.7' : '2001:db8::7'}:80` : `  selector app=${p.app}`,
    ...p.policies.map((line) => `  ${line}`).filter((line) => p.type !== 'ClusterIP' || !line.includes('external-traffic')),
    '}',
  ].join('\n'));

/** Anything to anything, in the families that there are. */
function question(s: Shape, services: number): fc.Arbitrary<Question> {
  const families = [...(has4(s.stack) ? [4 as const] : []), ...(has6(s.stack) ? [6 as const] : [])];
  const names = podsOf(s).map(([n, p]) => podName(n, p));
  const port = fc.oneof({ weight: 3, arbitrary: fc.constant(80) }, { weight: 2, arbitrary: oneOf(PORTS) });
  const transport = fc.oneof({ weight: 2, arbitrary: fc.constant('') }, fc.tuple(port, oneOf(['TCP', 'UDP'])).map(([at, p]) => `:${at}/${p}`), fc.tuple(port, oneOf(['TCP', 'UDP'])).map(([at, p]) => `:${at}/${p}`));
  const address = oneOf(families).chain((family) => fc.oneof(
    { weight: 4, arbitrary: oneOf(podsOf(s).map(([n, p]) => podAddress(family, n, p))) },
    { weight: 2, arbitrary: oneOf(range(s.nodes).map((n) => hostAddress(family, n))) },
    { weight: 2, arbitrary: oneOf(services === 0 ? [podAddress(family, 1, 1)] : range(services).map((i) => serviceAddress(family, i))) },
    { weight: 1, arbitrary: oneOf(family === 4 ? ['203.0.113.7', '10.0.1.1', '10.0.1.99', '10.0.9.9', '10.16.0.99', '192.168.93.99', '192.168.93.254', '10.0.77.1', '10.0.78.1', '10.0.79.1', '10.0.80.1', '10.0.81.1', '10.0.82.1', '127.0.0.1', '198.51.100.21', '198.51.100.31', '10.0.2.0'] : ['2001:db8::7', 'fd00:10:1::1', 'fd00:10:1::99', 'fd00:10:9::9', 'fd00:16::99', 'fd00:93::254', '2001:db8:9::21', '2001:db8:9::31']) },
  ).map((text) => (family === 6 ? `[${text}]` : text)));
  const nodePort = fc.tuple(oneOf(families), oneOf(range(s.nodes)), oneOf([1, 2]), oneOf(['TCP', 'UDP'])).map(([family, n, i, p]) => `${family === 6 ? `[${hostAddress(6, n)}]` : hostAddress(4, n)}:3008${i}/${p}`);
  const plain = fc.tuple(address, transport).map(([to, rest]) => (rest === '' ? to.replace(/^\[(.*)\]$/, '$1') : `${to}${rest}`));
  return fc.record({
    from: fc.oneof({ weight: 6, arbitrary: oneOf(names) }, { weight: 2, arbitrary: oneOf(range(s.nodes).map((n) => `host${n}`)) }, { weight: 1, arbitrary: fc.constant('client') }),
    to: fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: nodePort }),
    payload: fc.option(oneOf([0, 1000, 1372, 1373, 1392, 1402, 1403, 1422, 1423, 1472, 1473, 2000, 4000]), { nil: null, freq: 4 }).map((n) => n),
  });
}

export const randomCase: fc.Arbitrary<Case> = shape.chain((s) =>
  fc.record({
    flannel: fc.oneof({ weight: 5, arbitrary: fc.constant<Flannel>('vxlan') }, ...(has6(s.stack) ? (['host-gw', 'vxlan direct', 'vxlan odd'] as const) : (['vxlan direct', 'vxlan odd', 'host-gw', 'vxlan network', 'none'] as const)).map((f) => ({ weight: 1, arbitrary: fc.constant<Flannel>(f) }))),
    masqueradeAll: fc.integer({ min: 0, max: 9 }).map((n) => (n === 9 ? '  kube-proxy iptables { masquerade-all }' : n === 8 ? '  kube-proxy none' : '')),
    mtu: fc.integer({ min: 0, max: 9 }).map((n) => (n === 9 ? '; mtu 1400' : n === 8 ? '; mtu 9000' : '')),
    services: fc.integer({ min: 0, max: 2 }),
  }).chain((c) => {
    const nodes = fc.tuple(...range(s.nodes).map((n) => node(s, n, c.flannel)));
    return fc.tuple(nodes, pods(s), fc.tuple(...range(c.services).map((i) => service(s, i))), fc.array(question(s, c.services), { minLength: 1, maxLength: 6 })).map(([nodeTexts, podText, serviceTexts, questions]): Case => ({
      questions,
      text: [
        'cluster random {',
        `  pod-cidr ${both(s.stack, '10.0.0.0/16', 'fd00:10::/32')}`,
        `  service-cidr ${both(s.stack, '10.16.0.0/16', 'fd00:16::/108')}`,
        `  ${flannelText[c.flannel]}`,
        ...(c.masqueradeAll === '' ? [] : [c.masqueradeAll]),
        '}',
        `network lan ${both(s.stack, '192.168.93.0/24', 'fd00:93::/64')} { gateway ${both(s.stack, '192.168.93.254', 'fd00:93::254')}${c.mtu} }`,
        `external client ${both(s.stack, '203.0.113.7', '2001:db8::7')}`,
        ...nodeTexts, podText, ...serviceTexts, '',
      ].join('\n'),
    }));
  }));
