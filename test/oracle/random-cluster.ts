/** Random clusters as `.k8snet` text with questions about them, so that the whole way from the file to the trace is judged. */
import fc from 'fast-check';
import { oneOf, PORTS } from './random-matches.ts';
import { node } from './random-node.ts';
import type { Flannel } from './random-node.ts';
import { both, familiesOf, has4, has6, hostAddress, podAddress, podName, podsOf, range, seldom, serviceAddress, shape } from './random-shape.ts';
import type { Shape } from './random-shape.ts';

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

const flannelText: Readonly<Record<Flannel, string>> = {
  vxlan: 'flannel vxlan',
  'vxlan direct': 'flannel vxlan { direct-routing }',
  'vxlan odd': 'flannel vxlan { vni 7; port 4789 }',
  'host-gw': 'flannel host-gw',
  'vxlan network': 'flannel vxlan { routes-per network }',
  none: 'flannel none',
};

/** A pod whose own device is wider than its node's. */
const WIDE = 'links {\n  2: eth0@if9: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n      veth\n}';

const pods = (s: Shape): fc.Arbitrary<string> =>
  fc.tuple(...podsOf(s).map(([n, p]) =>
    fc.record({ listen: seldom(2, oneOf(['listen 80/TCP, 53/UDP', 'listen 8080/TCP', 'listen 53/UDP'])), label: oneOf(['a', 'b']), extra: seldom(12, oneOf(['not-ready', `mac 02:00:00:00:02:${n}${p}`, WIDE])) }).map(({ listen, label, extra }) =>
      `pod ${podName(n, p)} on host${n} { ${[`ip ${both(s, podAddress(4, n, p), podAddress(6, n, p))}`, `labels app=${label}`, listen, extra].filter((t) => t !== '').join(extra === WIDE ? '\n' : '; ')}${extra === WIDE ? '\n' : ' '}}`),
  )).map((lines) => lines.join('\n'));

const service = (s: Shape, i: number): fc.Arbitrary<string> =>
  fc.record({
    name: fc.constant(`s${i}`),
    app: oneOf(['a', 'b', 'none']),
    protocol: oneOf(['TCP', 'UDP']),
    target: oneOf(['', ' -> 80', ' -> 8080', ' -> 53']),
    type: oneOf(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer']),
    policies: fc.subarray(['external-traffic-policy Local', 'internal-traffic-policy Local', 'session-affinity 100', `external-ip ${has4(s) ? `198.51.100.3${i}` : `2001:db8:9::3${i}`}`]),
    byHand: fc.integer({ min: 0, max: 5 }),
  }).map((p) => [
    `service ${p.name} {`,
    `  cluster-ip ${both(s, serviceAddress(4, i), serviceAddress(6, i))}`,
    ...(p.type === 'ClusterIP' ? [] : [`  type ${p.type}`]),
    ...(p.type === 'LoadBalancer' ? [`  load-balancer-ip ${has4(s) ? `198.51.100.2${i}` : `2001:db8:9::2${i}`}`] : []),
    `  port 80/${p.protocol}${p.target}${p.type === 'ClusterIP' ? '' : ` node-port 3008${i}`}`,
    p.byHand === 0 ? `  endpoints ${has4(s) ? '203.0.113.7' : '2001:db8::7'}:80` : `  selector app=${p.app}`,
    ...p.policies.map((line) => `  ${line}`).filter((line) => p.type !== 'ClusterIP' || !line.includes('external-traffic')),
    '}',
  ].join('\n'));

const ODD_DESTINATIONS = {
  4: ['203.0.113.7', '10.0.1.1', '10.0.1.99', '10.0.9.9', '10.16.0.99', '192.168.93.99', '192.168.93.254', '10.0.77.1', '10.0.78.1', '10.0.79.1', '10.0.80.1', '10.0.81.1', '10.0.82.1', '127.0.0.1', '198.51.100.21', '198.51.100.31', '10.0.2.0'],
  6: ['2001:db8::7', 'fd00:10:1::1', 'fd00:10:1::99', 'fd00:10:9::9', 'fd00:16::99', 'fd00:93::254', 'fd00:10:77::1', 'fd00:10:78::1', 'fd00:10:79::1', 'fd00:10:81::1', '2001:db8:9::21', '2001:db8:9::31', '::1'],
} as const;

/** Around the MTUs that there are, in both families, and far above them. */
const PAYLOADS = [0, 1000, 1272, 1273, 1352, 1353, 1372, 1373, 1382, 1392, 1402, 1403, 1422, 1423, 1452, 1472, 1473, 2000, 4000];

/** Anything to anything, in the families that there are. */
function question(s: Shape, services: number): fc.Arbitrary<Question> {
  const families = familiesOf(s);
  const names = podsOf(s).map(([n, p]) => podName(n, p));
  const port = fc.oneof({ weight: 3, arbitrary: fc.constant(80) }, { weight: 2, arbitrary: oneOf(PORTS) });
  const transport = fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 3, arbitrary: fc.tuple(port, oneOf(['TCP', 'UDP'])).map(([at, p]) => `:${at}/${p}`) });
  const address = oneOf(families).chain((family) => fc.oneof(
    { weight: 4, arbitrary: oneOf(podsOf(s).map(([n, p]) => podAddress(family, n, p))) },
    { weight: 2, arbitrary: oneOf(range(s.nodes).map((n) => hostAddress(family, n))) },
    { weight: 2, arbitrary: oneOf(services === 0 ? [podAddress(family, 1, 1)] : range(services).map((i) => serviceAddress(family, i))) },
    { weight: 1, arbitrary: oneOf(ODD_DESTINATIONS[family]) },
  ).map((text) => (family === 6 ? `[${text}]` : text)));
  const nodePort = fc.tuple(oneOf(families), oneOf(range(s.nodes)), oneOf([1, 2]), oneOf(['TCP', 'UDP'])).map(([family, n, i, p]) => `${family === 6 ? `[${hostAddress(6, n)}]` : hostAddress(4, n)}:3008${i}/${p}`);
  const plain = fc.tuple(address, transport).map(([to, rest]) => (rest === '' ? to.replace(/^\[(.*)\]$/, '$1') : `${to}${rest}`));
  return fc.record({
    from: fc.oneof({ weight: 6, arbitrary: oneOf(names) }, { weight: 2, arbitrary: oneOf(range(s.nodes).map((n) => `host${n}`)) }, { weight: 1, arbitrary: fc.constant('client') }),
    to: fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: nodePort }),
    payload: fc.option(oneOf(PAYLOADS), { nil: null, freq: 4 }),
  });
}

const backends = (s: Shape): fc.Arbitrary<Flannel> => {
  const others: readonly Flannel[] = has6(s) ? ['host-gw', 'vxlan direct', 'vxlan odd'] : ['vxlan direct', 'vxlan odd', 'host-gw', 'vxlan network', 'none'];
  return fc.oneof({ weight: 5, arbitrary: fc.constant<Flannel>('vxlan') }, ...others.map((f) => ({ weight: 1, arbitrary: fc.constant(f) })));
};

export const randomCase: fc.Arbitrary<Case> = shape.chain((s) =>
  fc.record({
    flannel: backends(s),
    kubeProxy: fc.integer({ min: 0, max: 9 }).map((n) => (n === 9 ? '  kube-proxy iptables { masquerade-all }' : n === 8 ? '  kube-proxy none' : '')),
    mtu: fc.integer({ min: 0, max: 9 }).map((n) => (n === 9 ? '; mtu 1400' : n === 8 ? '; mtu 9000' : '')),
    services: fc.integer({ min: 0, max: 2 }),
  }).chain((c) =>
    fc.tuple(
      fc.tuple(...range(s.nodes).map((n) => node(s, n, c.flannel))), pods(s), fc.tuple(...range(c.services).map((i) => service(s, i))), fc.array(question(s, c.services), { minLength: 1, maxLength: 10, size: 'max' }),
    ).map(([nodeTexts, podText, serviceTexts, questions]): Case => ({
      questions,
      text: [
        'cluster random {',
        `  pod-cidr ${both(s, '10.0.0.0/16', 'fd00:10::/32')}`,
        `  service-cidr ${both(s, '10.16.0.0/16', 'fd00:16::/108')}`,
        `  ${flannelText[c.flannel]}`,
        ...(c.kubeProxy === '' ? [] : [c.kubeProxy]),
        '}',
        `network lan ${both(s, '192.168.93.0/24', 'fd00:93::/64')} { gateway ${both(s, '192.168.93.254', 'fd00:93::254')}${c.mtu} }`,
        `external client ${both(s, '203.0.113.7', '2001:db8::7')}`,
        ...nodeTexts, podText, ...serviceTexts, '',
      ].join('\n'),
    }))));
