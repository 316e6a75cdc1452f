/** What is measured again on every run: one fact about the kernel a line, seen in the real one and said by the simulator alike. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Branch } from '../../engine/src/trace/model.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { clusterText, hopAt, ipOf, stages } from '../unit/data-plane/fixture.ts';
import type { Parts } from '../unit/data-plane/fixture.ts';
import { compare } from './judge.ts';
import { startKernel } from './kernel.ts';
import type { Observation } from './kernel.ts';

interface Fact {
  readonly fact: string;
  readonly from: string;
  readonly to: string;
  /** Bytes behind the transport header. */
  readonly payload?: number;
  /** What the fact is, of the branch that the kernel took. */
  readonly shows: (branch: Branch, seen: Observation) => void;
}

interface Cluster {
  readonly what: string;
  readonly parts: Parts;
  readonly facts: readonly Fact[];
}

const table = (name: string, chains: readonly string[], ...rules: readonly string[]): string => ['iptables {', `*${name}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), ...rules, 'COMMIT', '}'].join('\n');
const raw = (...rules: readonly string[]): string => table('raw', ['PREROUTING', 'OUTPUT'], ...rules);
const filter = (...rules: readonly string[]): string => table('filter', ['INPUT', 'FORWARD', 'OUTPUT'], ...rules);
const mangle = (...rules: readonly string[]): string => table('mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], ...rules);
const nat = (...rules: readonly string[]): string => table('nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], ...rules);
const sysctl = (...lines: readonly string[]): string => `sysctl {\n${lines.join('\n')}\n}`;

const PORTS = createSnapshot({ file: 'ports.k8snet', text: clusterText() }).topology().hosts[0]?.namespaces[0]?.interfaces.filter((i) => i.port !== null) ?? [];

/** The pods' ends on the bridge of host1, with the ports' flags. */
const ports = (flags: string): string =>
  ['links {', ...PORTS.flatMap(({ name }, i) => [`${6 + i}: ${name}@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master cni0 state UP`, '    veth', `    bridge_slave state forwarding ${flags}`]), '}'].join('\n');

const vxlan = (options: string): string => ['links {', '5: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN', `    vxlan id 1 local 192.168.93.212 dev eth0 srcport 0 0 dstport 8472 nolearning ${options}`, '}'].join('\n');

const ONE = 'service one { cluster-ip 10.16.0.9; port 80 -> 8080; endpoints 10.0.14.16:8080 }\nservice shut { cluster-ip 10.16.0.7; port 53/UDP; endpoints 10.0.14.16:54 }';
const CONNECTED = '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212';
const routes = (...lines: readonly string[]): string => `routes {\n${CONNECTED}\n${lines.join('\n')}\n}`;
/** The way to host2 is narrower than the devices. */
const NARROW = `routes {\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212 mtu 1400\n10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink\n}`;
const FLANNEL = '10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink';

const ttlAt = (branch: Branch, where: string): string => ipOf(hopAt(branch.request.hops, where)).split(' ').at(-1) ?? '';
const last = (branch: Branch): string => ipOf(branch.request.hops.at(-1));
const quotedTtl = (branch: Branch): number | undefined => {
  const quoted = branch.reply?.hops[0]?.packet.filter((h) => h.header === 'ipv4').at(-1);
  return quoted?.header === 'ipv4' ? quoted.ttl : undefined;
};
const rulesOf = (branch: Branch): readonly string[] => [...branch.request.hops, ...(branch.reply?.hops ?? [])].flatMap((h) => h.steps.flatMap((s) => (s.stage === 'netfilter' && s.event === 'rule' ? [`${h.host} ${s.table} ${s.chain} ${s.number}`] : [])));
/** IPv4 lengths of the frames that leave by a device, in order. */
const lengths = ({ frames }: Observation, tap: string, device: string): readonly number[] =>
  frames.filter((f) => f.out && f.tap === tap && f.interface === device && f.hex.slice(24, 28) === '0800').map((f) => Number.parseInt(f.hex.slice(32, 36), 16));

const ends = (expected: object) => (branch: Branch): void => expect(branch).toMatchObject(expected);
const delivered = ends({ outcome: 'delivered', answer: { kind: 'reply' } });

const CLUSTERS: readonly Cluster[] = [
  {
    what: 'a healthy cluster',
    parts: { more: `${ONE}\nservice lb { type LoadBalancer; load-balancer-ip 198.51.100.10; cluster-ip 10.16.0.8; port http 80 -> 8080 node-port 30080; selector app=far }`, network: 'routes {\n198.51.100.0/24 via 192.168.93.212 dev eth0\n}', host2: filter('-A FORWARD -d 10.0.5.150/32 -p udp -m udp --dport 9 -j REJECT --reject-with icmp-port-unreachable') },
    facts: [
      { fact: 'a packet on one bridge keeps its TTL', from: 'pod1', to: 'pod3:8080/TCP', shows: (b) => expect(last(b)).toMatch(/ttl 64$/) },
      { fact: 'a packet to its own node keeps its TTL', from: 'pod1', to: 'host1', shows: (b) => expect(last(b)).toMatch(/ttl 64$/) },
      { fact: 'a node\'s packet to a pod of another node loses one', from: 'host1', to: 'pod2', shows: (b) => expect(last(b)).toMatch(/ttl 63$/) },
      { fact: 'a pod\'s packet to another node loses two, the outer packet none; VNI 1, flag 8', from: 'pod1', to: 'pod2', shows: (b) => {
        expect(last(b)).toMatch(/ttl 62$/);
        expect(ttlAt(b, 'host2/eth0 in')).toBe('64');
        expect(hopAt(b.request.hops, 'host1/eth0 out')?.packet.find((h) => h.header === 'vxlan')).toEqual({ header: 'vxlan', vni: 1, flags: 0x0800 });
      } },
      { fact: 'a node port loses one on the endpoint\'s host (and one at the router)', from: 'out', to: '192.168.93.213:30080/TCP', shows: (b) => expect(last(b)).toMatch(/ttl 62$/) },
      { fact: 'a node port loses two by another host', from: 'out', to: '192.168.93.212:30080/TCP', shows: (b) => expect(last(b)).toMatch(/ttl 61$/) },
      { fact: 'the way to the internet by one router loses two', from: 'pod1', to: 'out:443/TCP', shows: (b) => expect(last(b)).toMatch(/ttl 62$/) },
      { fact: 'an error out of flannel.1 has the address of flannel.1, and a REJECT in FORWARD quotes the lowered TTL', from: 'pod1', to: 'pod2:9/UDP', shows: (b) => {
        expect(b.answer).toMatchObject({ kind: 'icmp', from: '10.0.5.0', type: 3, code: 3 });
        expect(quotedTtl(b)).toBe(62);
      } },
      { fact: 'an error about an address that nobody has quotes the lowered TTL', from: 'pod2', to: '10.0.14.99', shows: (b) => {
        expect(b.answer).toMatchObject({ kind: 'icmp', from: '10.0.14.0', type: 3, code: 1 });
        expect(quotedTtl(b)).toBe(62);
      } },
      { fact: 'a ping to a load balancer goes round between router and node until the TTL ends, which the error quotes as it came', from: 'out', to: '198.51.100.10', shows: (b) => {
        expect(b).toMatchObject({ outcome: 'looped', reason: { code: 'routing-loop' } });
        expect(quotedTtl(b)).toBe(1);
      } },
      { fact: 'a DNAT to the same bridge is bridged: TTL and the client\'s MAC stay, and cni0 shows the endpoint', from: 'pod1', to: 'one:80/TCP', shows: (b) => {
        expect(last(b)).toBe('10.0.14.15 > 10.0.14.16 ttl 64');
        const [first, arrived] = [b.request.hops[0]?.packet[0], b.request.hops.at(-1)?.packet[0]];
        expect(first?.header === 'ethernet' && arrived?.header === 'ethernet' && first.source === arrived.source).toBe(true);
        delivered(b);
      } },
      { fact: 'an error through a DNAT comes from the service, whoever sent it', from: 'pod1', to: 'shut:53/UDP', shows: (b) => expect(b.answer).toMatchObject({ kind: 'icmp', from: '10.16.0.7', type: 3, code: 3 }) },
      { fact: 'a ping to a ClusterIP matches nothing and leaves by the default route, masqueraded', from: 'pod1', to: '10.16.0.9', shows: (b) => {
        expect(b.reason?.code).toBe('no-such-destination');
        expect(stages(b.request.hops, 'nat')).toMatchObject([{ change: 'source' }]);
      } },
      { fact: 'a pod subnet that nobody has leaves with the pod\'s address', from: 'pod1', to: '10.0.99.1', shows: (b) => {
        expect(b.reason?.code).toBe('no-such-destination');
        expect(stages(b.request.hops, 'nat')).toEqual([]);
      } },
      { fact: 'a ping of 1422 bytes fills the outer packet of 1500', from: 'pod1', to: 'pod2', payload: 1422, shows: (b, seen) => {
        expect(lengths(seen, 'host1/root', 'eth0')).toEqual([1500]);
        delivered(b);
      } },
      { fact: 'a ping of 1423 bytes goes in two pieces', from: 'pod1', to: 'pod2', payload: 1423, shows: (b, seen) => {
        expect(lengths(seen, 'host1/root', 'eth0').length).toBe(2);
        delivered(b);
      } },
      { fact: 'the outer source port is one of 32768-60999, the outer checksum is set', from: 'pod1', to: 'pod2:8080/TCP', shows: (_, { frames }) => {
        const outer = frames.filter((f) => f.out && f.interface === 'eth0' && f.tap === 'host1/root');
        expect(outer.length).toBeGreaterThan(0);
        for (const { hex } of outer) {
          const port = Number.parseInt(hex.slice(68, 72), 16);
          expect(port >= 32768 && port <= 60999).toBe(true);
          expect(hex.slice(80, 84)).not.toBe('0000');
        }
      } },
      { fact: 'the loopback address of a node port is refused at once without route_localnet', from: 'host2', to: '127.0.0.1:30099/TCP', shows: (b) => expect(b.request.hops.every((h) => h.interface === 'lo')).toBe(true) },
    ],
  },
  {
    what: 'bridged packets and rules',
    parts: { more: ONE, host1: filter('-A FORWARD -i cni0 -o cni0 -m physdev --physdev-in veth+ --physdev-out veth+ --physdev-is-bridged -j ACCEPT', '-A FORWARD -s 10.0.14.16/32 -d 10.0.14.15/32', '-A FORWARD -s 10.16.0.9/32') },
    facts: [
      { fact: 'a packet on one bridge meets FORWARD, with the bridge on both sides and its ports', from: 'pod1', to: 'pod3', shows: (b) => expect(rulesOf(b)).toContain('host1 filter FORWARD 1') },
    ],
  },
  {
    what: 'bridge-nf-call-iptables 0',
    parts: { more: ONE, host1: `${filter('-A FORWARD -m physdev --physdev-is-bridged -j DROP')}\n${sysctl('net.bridge.bridge-nf-call-iptables = 0')}` },
    facts: [
      { fact: 'a packet on one bridge meets no rule', from: 'pod1', to: 'pod3', shows: delivered },
      { fact: 'cni0 shows the ClusterIP, the reply is not translated back, and the client drops it', from: 'pod1', to: 'one:80/TCP', shows: (b) => {
        expect(ipOf(hopAt(b.request.hops, 'host1/cni0 in'))).toBe('10.0.14.15 > 10.16.0.9 ttl 64');
        expect(b).toMatchObject({ answer: { kind: 'none' }, reply: { reason: { code: 'unexpected-source' } } });
      } },
    ],
  },
  {
    what: 'bridge ports without hairpin',
    parts: { more: 'service self { cluster-ip 10.16.0.9; port 80; endpoints 10.0.14.15:80 }', host1: ports('hairpin off isolated off learning on flood on') },
    facts: [{ fact: 'a pod does not reach itself through its service', from: 'pod1', to: 'self:80/TCP', shows: ends({ reason: { code: 'hairpin-off' } }) }],
  },
  {
    what: 'bridge ports with hairpin',
    parts: { more: 'service self { cluster-ip 10.16.0.9; port 80; endpoints 10.0.14.15:80 }', host1: ports('hairpin on isolated off learning on flood on') },
    facts: [{ fact: 'a pod reaches itself through its service', from: 'pod1', to: 'self:80/TCP', shows: delivered }],
  },
  {
    what: 'isolated bridge ports',
    parts: { host1: ports('hairpin off isolated on learning on flood on') },
    facts: [
      { fact: 'two isolated ports do not hear each other', from: 'pod1', to: 'pod3', shows: ends({ reason: { code: 'neighbour-failed' } }) },
      { fact: 'an isolated port reaches the bridge itself', from: 'pod1', to: 'host1', shows: delivered },
      { fact: 'an isolated port reaches what is beyond the bridge', from: 'pod1', to: 'pod2', shows: delivered },
    ],
  },
  {
    what: 'translation half done between the hooks',
    parts: { host1: `${nat('-A PREROUTING -d 10.16.0.20/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.5.150:8080', '-A POSTROUTING -d 10.0.5.150/32 -j MASQUERADE')}\n${filter('-A FORWARD -s 10.0.14.15/32 -d 10.0.5.150/32', '-A FORWARD -s 10.0.5.150/32 -d 10.0.14.15/32')}` },
    facts: [
      { fact: 'a reply is un-SNATed before FORWARD and un-DNATed after it; nat rules see the first packet only; MASQUERADE takes flannel.1\'s address', from: 'pod1', to: '10.16.0.20:80/TCP', shows: (b) => {
        expect(b.seenAs?.address).toBe('10.0.14.0');
        expect(rulesOf(b).filter((r) => r.startsWith('host1 nat'))).toEqual(['host1 nat PREROUTING 1', 'host1 nat POSTROUTING 1']);
        expect(rulesOf(b)).toContain('host1 filter FORWARD 2');
        expect(b.answer).toMatchObject({ kind: 'reply', from: '10.16.0.20' });
      } },
    ],
  },
  {
    what: 'a route with a source of its own',
    parts: { host1: `${routes(FLANNEL, 'default via 192.168.93.254 dev eth0 src 10.0.14.1')}\n${nat('-A POSTROUTING -p tcp -j MASQUERADE')}` },
    facts: [
      { fact: 'MASQUERADE leaves the route\'s source aside, takes the device\'s address, and keeps the port', from: 'pod1', to: 'out:80/TCP', shows: (b) => {
        const sent = b.request.hops[0]?.packet.find((h) => h.header === 'tcp');
        expect(b.seenAs).toEqual({ address: '192.168.93.212', port: sent?.header === 'tcp' ? sent.sourcePort : 0 });
      } },
      { fact: 'MASQUERADE to a pod of the node takes the bridge\'s address', from: 'host1', to: 'pod3:8080/TCP', shows: (b) => expect(b.seenAs?.address).toBe('10.0.14.1') },
    ],
  },
  {
    what: 'a mark that nobody takes back',
    parts: { host1: nat('-A PREROUTING -s 10.0.14.15/32 -j MARK --set-xmark 0x4000/0x4000', '-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN', '-A POSTROUTING -j MASQUERADE') },
    facts: [{ fact: 'the mark survives the encapsulation, and the outer packet is masqueraded too', from: 'pod1', to: 'pod2', shows: (b) => expect(rulesOf(b).filter((r) => r === 'host1 nat POSTROUTING 2').length).toBe(2) }],
  },
  {
    what: 'rules for the outer packet',
    parts: { host1: `${filter('-A OUTPUT -p udp -m udp --dport 8472', '-A INPUT -p udp -m udp --dport 8472', '-A INPUT -m conntrack --ctstate NEW')}\n${mangle('-A PREROUTING -p udp -m udp --dport 8472', '-A POSTROUTING -p udp -m udp --dport 8472')}` },
    facts: [
      { fact: 'the outer packet passes OUTPUT and POSTROUTING when sent, PREROUTING and INPUT when received, as two flows that nobody answers', from: 'pod1', to: 'pod2', shows: (b, seen) => {
        expect(rulesOf(b).filter((r) => /^host1 (filter|mangle)/.test(r))).toEqual(['host1 filter OUTPUT 1', 'host1 mangle POSTROUTING 1', 'host1 mangle PREROUTING 1', 'host1 filter INPUT 1', 'host1 filter INPUT 2']);
        const outer = (seen.flows['host1/root'] ?? []).filter(([original]) => original[4] === 8472);
        expect(outer.map(([original]) => [original[0], original[1]]).sort()).toEqual([['192.168.93.212', '192.168.93.213'], ['192.168.93.213', '192.168.93.212']]);
      } },
    ],
  },
  {
    what: 'packets that are not tracked',
    parts: { host1: raw('-A PREROUTING -d 10.16.0.20/32 -j CT --notrack') },
    facts: [{ fact: 'NOTRACK skips nat, so the service is not translated', from: 'pod1', to: 'far:80/TCP', shows: ends({ reason: { code: 'no-such-destination' } }) }],
  },
  {
    what: 'a zone in one direction',
    parts: { host1: raw('-A PREROUTING -s 10.0.14.15/32 -j CT --zone 7') },
    facts: [{ fact: 'the reply finds no flow, so it is not translated back', from: 'pod1', to: 'far:80/TCP', shows: (b) => expect(b).toMatchObject({ outcome: 'delivered', answer: { kind: 'none' } }) }],
  },
  {
    what: 'a narrow underlay',
    parts: { host1: NARROW },
    facts: [{ fact: 'the outer packet may be fragmented by default', from: 'pod1', to: 'pod2', payload: 1400, shows: (b, seen) => {
      delivered(b);
      expect(lengths(seen, 'host1/root', 'eth0').length).toBe(2);
    } }],
  },
  ...(['set', 'inherit'] as const).map((df): Cluster => ({
    what: `a narrow underlay, and df ${df}`,
    parts: { host1: `${NARROW}\n${vxlan(`df ${df}`)}` },
    facts: [{ fact: 'the packet is lost without a word', from: 'pod1', to: 'pod2', payload: 1400, shows: (b) => {
      expect(b).toMatchObject({ reason: { code: 'needs-fragmenting' }, answer: { kind: 'none' } });
    } }],
  })),
  {
    what: 'a tunnel without checksums',
    parts: { host1: vxlan('noudpcsum') },
    facts: [{ fact: 'the outer checksum is 0', from: 'pod1', to: 'pod2', shows: (b, { frames }) => {
      delivered(b);
      const outer = frames.filter((f) => f.out && f.interface === 'eth0' && f.tap === 'host1/root');
      expect(outer.map((f) => f.hex.slice(80, 84))).toEqual(['0000']);
    } }],
  },
  {
    what: 'a tunnel told to be wider than its underlay',
    parts: { network: 'mtu 1400', cluster: 'flannel vxlan { mtu 1450 }' },
    facts: [{ fact: 'the kernel makes it as wide as the underlay carries, and tells the pod', from: 'pod1', to: 'pod2:8080/UDP', payload: 1400, shows: (b) => expect(b.answer).toMatchObject({ kind: 'icmp', from: '10.0.14.1', type: 3, code: 4 }) }],
  },
  {
    what: 'a tunnel with a TTL and TOS of its own',
    parts: { host1: `${vxlan('ttl 9 tos inherit').replace('srcport 0 0', 'srcport 40000 40010')}\n${mangle('-A PREROUTING -s 10.0.14.0/24 -j DSCP --set-dscp 0x0a')}` },
    facts: [{ fact: 'the outer packet has them, and a source port of its range', from: 'pod1', to: 'pod2', shows: (b, { frames }) => {
      delivered(b);
      expect(hopAt(b.request.hops, 'host1/eth0 out')?.packet.find((h) => h.header === 'ipv4')).toMatchObject({ ttl: 9, tos: 0x28 });
      const outer = frames.filter((f) => f.out && f.interface === 'eth0' && f.tap === 'host1/root');
      for (const { hex } of outer) expect(Number.parseInt(hex.slice(68, 72), 16) - 40000).toBeLessThan(10);
    } }],
  },
  {
    what: 'a tunnel that inherits the TTL',
    parts: { host1: vxlan('ttl inherit') },
    facts: [{ fact: 'the outer packet has the inner one\'s', from: 'pod1', to: 'pod2', shows: (b) => expect(ttlAt(b, 'host1/eth0 out')).toBe('63') }],
  },
  {
    what: 'two ways of one route',
    parts: { host1: routes('10.0.5.0/24 nexthop via 10.0.5.0 dev flannel.1 weight 1 onlink nexthop via 192.168.93.213 dev eth0 weight 1') },
    facts: [
      { fact: 'a flow takes one of them', from: 'pod1', to: 'pod2:8080/UDP', shows: (b) => expect([0.5, 1]).toContain(b.probability) },
      { fact: 'so does another', from: 'pod3', to: 'pod2:8080/UDP', shows: (b) => expect(b.outcome).toBe('delivered') },
    ],
  },
  {
    what: 'a pod whose MTU is above its peer\'s',
    parts: { pod1: 'links {\n2: eth0@if6: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n    veth\n}' },
    facts: [
      { fact: 'a frame above the peer\'s MTU is dropped without a word', from: 'pod1', to: 'pod2', payload: 1440, shows: ends({ reason: { code: 'over-mtu' }, answer: { kind: 'none' } }) },
    ],
  },
  {
    what: 'a tunnel that is narrower than the pods',
    parts: { host1: 'links {\n5: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1300 qdisc noqueue state UNKNOWN\n    vxlan id 1 local 192.168.93.212 dev eth0 srcport 0 0 dstport 8472 nolearning\n}' },
    facts: [{ fact: 'fragmentation needed is told in 576 bytes, which quote the TTL as it came', from: 'pod1', to: 'pod2:8080/UDP', payload: 1400, shows: (b, { frames }) => {
      expect(b.answer).toMatchObject({ kind: 'icmp', from: '10.0.14.1', type: 3, code: 4 });
      expect(quotedTtl(b)).toBe(64);
      const error = frames.find((f) => !f.out && f.tap === 'host1/default/pod1');
      expect(Number.parseInt(error?.hex.slice(32, 36) ?? '', 16)).toBe(576);
    } }],
  },
  {
    what: 'a ruleset that tracks, and large packets',
    parts: { host1: filter('-A FORWARD -m conntrack --ctstate NEW', '-A FORWARD -f') },
    facts: [{ fact: 'conntrack puts the pieces together in PREROUTING: FORWARD sees one packet, and it leaves in pieces as long as they came', from: 'pod1', to: 'pod2:8080/UDP', payload: 2000, shows: (b, seen) => {
      expect(rulesOf(b).filter((r) => r.startsWith('host1 filter FORWARD'))).toEqual(['host1 filter FORWARD 1']);
      expect(lengths(seen, 'host1/root', 'flannel.1')).toEqual(lengths(seen, 'host1/default/pod1', 'eth0'));
      delivered(b);
    } }],
  },
  {
    what: 'a tunnel of which something is missing',
    parts: { host1: 'neighbours {\n}' },
    facts: [{ fact: 'without the neighbour ARP goes out of flannel.1 in vain, and the host is unreachable', from: 'pod1', to: 'pod2', shows: (b) => {
      expect(b).toMatchObject({ reason: { code: 'neighbour-failed' }, answer: { kind: 'icmp', from: '10.0.14.1', type: 3, code: 1 } });
      expect(quotedTtl(b)).toBe(63);
    } }],
  },
  {
    what: 'a tunnel with DF that is wider than its underlay leaves room for',
    parts: { network: 'mtu 1400', host1: vxlan('df set') },
    facts: [
      { fact: 'a node\'s own ping is told to the node, and the ping hears nothing of it', from: 'host1', to: 'pod2', payload: 1400, shows: ends({ reason: { code: 'needs-fragmenting' }, answer: { kind: 'none' } }) },
      { fact: 'so is a pod\'s', from: 'pod1', to: 'pod2:8080/UDP', payload: 1400, shows: ends({ reason: { code: 'needs-fragmenting' }, answer: { kind: 'none' } }) },
      { fact: 'what has room arrives', from: 'pod1', to: 'pod2', payload: 1322, shows: delivered },
    ],
  },
  {
    what: 'a tunnel without forwarding entries',
    parts: { host1: 'fdb {\n}' },
    facts: [{ fact: 'a missing entry drops without a word', from: 'pod1', to: 'pod2', shows: ends({ reason: { code: 'fdb-missing' }, answer: { kind: 'none' } }) }],
  },
  {
    what: 'a tunnel with another VNI',
    parts: { host1: vxlan('').replace('id 1', 'id 2') },
    facts: [{ fact: 'a wrong VNI drops without a word', from: 'pod1', to: 'pod2', shows: ends({ reason: { code: 'vni-unknown' }, answer: { kind: 'none' } }) }],
  },
  {
    what: 'a tunnel to another port',
    parts: { host1: vxlan('').replace('8472', '4789') },
    facts: [{ fact: 'a wrong port is told to the node, not to the pod', from: 'pod1', to: 'pod2', shows: (b) => {
      expect(b).toMatchObject({ reason: { code: 'port-closed' }, answer: { kind: 'none' }, reply: { reason: { code: 'not-for-the-sender' } } });
    } }],
  },
  {
    what: 'routes and policy rules',
    parts: { host1: `${routes(FLANNEL, 'default via 192.168.93.254 dev eth0', '192.168.93.212 via 192.168.93.254 dev eth0', 'blackhole 203.0.113.0/24 table 77')}\nrules {\n0:\tfrom all lookup local\n100:\tfrom 10.0.14.15 lookup 77\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n}\n${raw('-A PREROUTING -s 192.168.93.212/32')}\n${filter('-A FORWARD -s 192.168.93.212/32', '-A INPUT -s 192.168.93.212/32')}`, host2: nat('-A POSTROUTING -d 10.0.14.16/32 -j SNAT --to-source 192.168.93.212') },
    facts: [
      { fact: 'the local table wins over a host route of main', from: 'pod1', to: '192.168.93.212', shows: delivered },
      { fact: 'a rule of preference 100 beats main', from: 'pod1', to: 'out', shows: ends({ reason: { code: 'route-blackhole' } }) },
      { fact: 'the same rule leaves others alone', from: 'pod3', to: 'out', shows: delivered },
      { fact: 'the source is checked after raw PREROUTING, before FORWARD', from: 'pod2', to: 'pod3', shows: (b) => {
        expect(b.reason?.code).toBe('martian-source');
        expect(rulesOf(b).filter((r) => /^host1 (raw|filter)/.test(r))).toEqual(['host1 raw PREROUTING 1']);
      } },
    ],
  },
  {
    what: 'packets for everyone',
    // Nobody listens: of several answers a trace follows one.
    parts: {
      pod1: 'listen 1/TCP',
      cluster: 'flannel vxlan { no-masquerade }',
      host1: `listen 1/TCP\n${ports('hairpin on isolated off learning on flood on')}\n${filter('-A INPUT -m pkttype --pkt-type broadcast', '-A OUTPUT -m addrtype --dst-type BROADCAST', '-A FORWARD -m pkttype --pkt-type broadcast')}`,
    },
    facts: [
      { fact: 'a subnet broadcast reaches every pod of the bridge, the node, and by hairpin the sender', from: 'pod1', to: '10.0.14.255:9/UDP', shows: (b) => {
        for (const where of ['pod3/eth0 in', 'host1/cni0 in', 'pod1/eth0 in']) expect(hopAt(b.request.hops, where)).toBeDefined();
        expect(b.reason?.code).toBe('group-unheard');
      } },
      { fact: 'a limited broadcast reaches no other node', from: 'pod1', to: '255.255.255.255:9/UDP', shows: (b) => expect(b.request.hops.every((h) => h.host === 'host1')).toBe(true) },
      { fact: 'a node\'s broadcast to its pods meets POSTROUTING and its own INPUT', from: 'host1', to: '10.0.14.255:9/UDP', shows: (b) => expect(rulesOf(b)).toContain('host1 filter INPUT 1') },
      { fact: 'a ping to everyone is not answered', from: 'pod1', to: '10.0.14.255', shows: ends({ reason: { code: 'echo-ignored' } }) },
      { fact: 'nor is one to all hosts, whose TTL is 1', from: 'pod1', to: '224.0.0.1', shows: (b) => expect(last(b)).toMatch(/ttl 1$/) },
    ],
  },
  {
    what: 'a gateway that is not the nearest',
    parts: { cluster: 'flannel none', host1: routes('default via 192.168.93.254 dev eth0'), host2: 'routes {\n10.0.5.0/24 dev cni0 proto kernel scope link src 10.0.5.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.213\ndefault via 192.168.93.212 dev eth0\n}' },
    // The redirect itself is limited to a few, and the judge has asked before.
    facts: [{ fact: 'a packet that leaves by the device it came by goes on', from: 'host2', to: 'out:80/UDP', shows: (b) => {
      delivered(b);
      expect(stages(b.request.hops, 'icmp-error')).toMatchObject([{ type: 5, code: 1, to: '192.168.93.213' }]);
    } }],
  },
  ...[0, 1, 2, 8].map((value): Cluster => ({
    what: `arp_ignore ${value}`,
    parts: { host1: routes(FLANNEL, '10.0.5.1 dev eth0 scope link'), host2: sysctl(`net.ipv4.conf.all.arp_ignore = ${value}`) },
    facts: [
      { fact: value === 0 ? 'an address of another device is answered for' : 'an address of another device is not answered for', from: 'host1', to: '10.0.5.1', shows: (b) => expect(b.outcome).toBe(value === 0 ? 'delivered' : 'unreachable') },
      { fact: value === 8 ? 'its own address is not answered for' : 'its own address is answered for', from: 'host1', to: 'host2', shows: (b) => expect(b.outcome).toBe(value === 8 ? 'unreachable' : 'delivered') },
    ],
  })),
  // The kernel waits up to 0.8 seconds before it answers for another, longer than the judge.
  ...[0, 1].map((value): Cluster => ({
    what: `proxy_arp ${value}`,
    parts: { cluster: 'flannel none', host1: routes('10.0.5.0/24 dev eth0 scope link'), host2: `routes {\n10.0.5.0/24 dev cni0 proto kernel scope link src 10.0.5.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.213\n}\n${sysctl(`net.ipv4.conf.eth0.proxy_arp = ${value}`, 'net.ipv4.neigh.eth0.proxy_delay = 0')}` },
    facts: [{ fact: 'a forwarding host answers ARP for what it can reach', from: 'host1', to: 'pod2', shows: (b) => expect(b.outcome).toBe(value === 0 ? 'unreachable' : 'delivered') }],
  })),
  ...[0, 1, 2].map((value): Cluster => ({
    what: `rp_filter ${value} where the way back is another device`,
    parts: { host1: `${routes('10.0.5.0/24 via 192.168.93.213 dev eth0', 'default via 192.168.93.254 dev eth0')}\n${sysctl('net.ipv4.conf.all.rp_filter = 0', `net.ipv4.conf.flannel/1.rp_filter = ${value}`)}` },
    facts: [{ fact: 'only the strict one drops', from: 'pod2', to: 'pod1', shows: (b) => expect(b.reason?.code ?? b.outcome).toBe(value === 1 ? 'rp-filter' : 'delivered') }],
  })),
  {
    what: 'forwarding of a device switched off',
    parts: { host1: sysctl('net.ipv4.ip_forward = 1', 'net.ipv4.conf.cni0.forwarding = 0') },
    facts: [
      { fact: 'what comes in by it is not forwarded', from: 'pod1', to: 'pod2', shows: ends({ reason: { code: 'not-forwarding' } }) },
      { fact: 'what comes in by it for the node arrives', from: 'pod1', to: 'host1', shows: delivered },
    ],
  },
  {
    what: 'an answer in another conntrack zone than its request',
    parts: { more: ONE, host1: raw('-A PREROUTING -s 10.0.14.15/32 -d 10.0.5.150/32 -j CT --zone-reply 3', '-A PREROUTING -s 10.0.14.15/32 -d 10.16.0.20/32 -j CT --zone-reply 3') },
    facts: [
      { fact: 'of UDP it clashes with the request that it is the reverse of, and is lost', from: 'pod1', to: 'pod2:8080/UDP', shows: (b) => {
        expect(b.outcome).toBe('delivered');
        expect(b.reply?.reason?.code).toBe('conntrack-clash');
      } },
      { fact: 'of UDP and translated it comes from the endpoint', from: 'pod1', to: 'far:53/UDP', shows: (b) => expect(b.answer.kind).toBe('none') },
      { fact: 'of TCP it is invalid, which kube-proxy drops', from: 'pod1', to: 'pod2:8080/TCP', shows: ends({ outcome: 'delivered', reply: { reason: { code: 'rule-drop' } } }) },
      { fact: 'of a ping it is invalid, which kube-proxy drops', from: 'pod1', to: 'pod2', shows: ends({ outcome: 'delivered', reply: { reason: { code: 'rule-drop' } } }) },
    ],
  },
  {
    what: 'a request in another conntrack zone than its answer',
    parts: { host1: raw('-A PREROUTING -s 10.0.14.15/32 -j CT --zone-orig 3', '-A PREROUTING -s 10.0.5.150/32 -p icmp -j CT --zone 4') },
    facts: [
      { fact: 'the answer is found by its own zone', from: 'pod1', to: 'pod2:8080/UDP', shows: delivered },
      { fact: 'an answer in a third zone belongs to no flow', from: 'pod1', to: 'pod2', shows: ends({ outcome: 'delivered', reply: { reason: { code: 'rule-drop' } } }) },
    ],
  },
  {
    what: 'the protocol of a flow',
    parts: { host1: filter('-A FORWARD -m conntrack --ctproto udp -j DROP', '-A FORWARD -m conntrack ! --ctproto icmp -j ACCEPT', '-A FORWARD -j REJECT --reject-with icmp-admin-prohibited') },
    facts: [
      { fact: 'is the one that a rule names', from: 'pod1', to: 'pod2:8080/UDP', shows: ends({ outcome: 'dropped', reason: { code: 'rule-drop' } }) },
      { fact: 'is another than the one that a rule names', from: 'pod1', to: 'pod2:8080/TCP', shows: delivered },
      { fact: 'of an answer is that of its request', from: 'pod1', to: 'pod2', shows: ends({ outcome: 'rejected', reason: { code: 'rule-reject' } }) },
    ],
  },
  {
    what: 'accept_local',
    parts: { host1: sysctl('net.ipv4.conf.all.accept_local = 1'), host2: nat('-A POSTROUTING -d 10.0.14.16/32 -j SNAT --to-source 192.168.93.212') },
    facts: [{ fact: 'its own address from outside is no martian then', from: 'pod2', to: 'pod3:8080/UDP', shows: (b) => expect(b.outcome).toBe('delivered') }],
  },
  {
    what: 'route_localnet',
    parts: { more: 'service np { cluster-ip 10.16.0.40; port 80 -> 8080 node-port 30080; selector app=far }', host1: sysctl('net.ipv4.conf.all.route_localnet = 1'), host2: sysctl('net.ipv4.conf.all.route_localnet = 0') },
    facts: [
      { fact: 'with it the node port answers on the loopback address, masqueraded', from: 'host1', to: '127.0.0.1:30080/TCP', shows: (b) => {
        delivered(b);
        expect(b.seenAs?.address).not.toBe('127.0.0.1');
      } },
      { fact: 'without it the node port on the loopback address is refused', from: 'host2', to: '127.0.0.1:30080/TCP', shows: ends({ reason: { code: 'martian-source' } }) },
    ],
  },
];

const LABS = CLUSTERS.map(({ parts, facts }) => {
  const snapshot = createSnapshot({ file: 'fact.k8snet', text: clusterText(parts) });
  const flows = facts.map(({ from, to, payload }, i): Flow => {
    const answer = resolveQuestion(snapshot.topology(), { from, to });
    if (!('flow' in answer)) throw new Error(answer.error);
    // Ports of the flows of one lab differ, so that none meets another's leftovers.
    return { ...answer.flow, sourcePort: 20_000 + i, payload: payload ?? answer.flow.payload };
  });
  return { snapshot, flows };
});

const AT_ONCE = 6;

/** In haste first; a lab in which something differs is built once more, alone and with patience, for processors that others use. */
const observations: (readonly Observation[])[] = [];
beforeAll(async () => {
  const kernel = startKernel(0);
  const observe = ({ snapshot, flows }: (typeof LABS)[number], patience: number): Promise<readonly Observation[]> => kernel.observe(snapshot.topology(), flows, patience);
  for (let i = 0; i < LABS.length; i += AT_ONCE) observations.push(...(await Promise.all(LABS.slice(i, i + AT_ONCE).map((lab) => observe(lab, 1)))));
  for (const [i, lab] of LABS.entries()) if (differs(lab, observations[i] ?? [])) observations[i] = await observe(lab, PATIENT);
  kernel.stop();
}, 240_000);

const PATIENT = 8;

const differs = ({ snapshot, flows }: (typeof LABS)[number], seen: readonly Observation[]): boolean =>
  flows.some((flow, i) => {
    const observation = seen[i];
    return observation === undefined || compare(snapshot.topology(), flow, runTrace(snapshot.compiled(), flow), observation).differences.length > 0;
  });

describe.each(CLUSTERS.map(({ what, facts }, lab) => [what, facts, lab] as const))('%s', (_what, facts, lab) => {
  it.each(facts.map(({ fact, shows }, i) => [fact, shows, i] as const))('%s', (_fact, shows, i) => {
    const [observation, flow, snapshot] = [observations[lab]?.[i], LABS[lab]?.flows[i], LABS[lab]?.snapshot];
    if (observation === undefined || flow === undefined || snapshot === undefined) throw new Error('no observation');
    const { branch, differences } = compare(snapshot.topology(), flow, runTrace(snapshot.compiled(), flow), observation);
    expect(differences).toEqual([]);
    shows(branch, observation);
  });
});
