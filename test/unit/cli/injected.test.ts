import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveInjection, runInjected } from '../../../engine/src/trace/inject.ts';
import type { InjectionText } from '../../../engine/src/trace/inject.ts';
import type { Hop, Trace } from '../../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();
const opened = (file: string): Snapshot => createSnapshot({ file, text: readFileSync(path.join(root, file), 'utf8') });
const article = opened('examples/article.k8snet');
const services = opened('test/fixtures/oracle/services.k8snet');
const dualStack = opened('examples/dual-stack.k8snet');

beforeAll(() => {
  cli.file('article.k8snet', readFileSync(path.join(root, 'examples/article.k8snet'), 'utf8'));
});

function injected(snapshot: Snapshot, at: string, device: string, source: string, destination: string): Trace {
  const injection = resolveInjection(snapshot.topology(), { at, interface: device, source, destination });
  if ('error' in injection) throw new Error(injection.error);
  return runInjected(snapshot.compiled(), injection);
}

const problem = (text: Partial<InjectionText>): { readonly error: string; readonly suggestions: readonly string[] } => {
  const found = resolveInjection(article.topology(), { at: 'host1', interface: 'cni0', source: '10.0.14.15', destination: '10.0.5.150', ...text });
  if (!('error' in found)) throw new Error('this can be injected');
  return found;
};

/** Places and headers without what a run counts up or draws by the time of sending. */
const essence = (hops: readonly Hop[]): readonly unknown[] =>
  hops.map(({ host, namespace, interface: device, direction, packet }) => [host, namespace, device, direction,
    packet.map((header) => ({ ...header, ...('id' in header ? { id: 0 } : {}), ...('identifier' in header ? { identifier: 0 } : {}) }))]);

describe('a packet put in at an interface', () => {
  it.each<readonly [string, Snapshot, string, string, number, string, string]>([
    ['from pod to pod on another host', article, 'pod1', 'pod2', 1, '10.0.14.15', '10.0.5.150'],
    ['to a service', article, 'pod1:4000', 'kube-dns.kube-system:53/UDP', 1, '10.0.14.15:4000', '10.16.0.10:53/UDP'],
    ['to a service, at the pod\'s bridge port, when the endpoint is on the same bridge', services, 'pod1:4000', 'web:80', 1, '10.0.14.15:4000', '10.16.0.20:80/TCP'],
    ['to a pod of the same host', services, 'pod1:4000', 'web-1:8080', 1, '10.0.14.15:4000', '10.0.14.21:8080'],
    ['from outside, at the node', services, 'client:4000', 'host1:30080', 3, '203.0.113.7:4000', '192.168.93.212:30080'],
    ['in IPv6', dualStack, '[fd00:10:244:1::10]:4000', '[fd00:10:244:2::11]:8080', 1, '[fd00:10:244:1::10]:4000', '[fd00:10:244:2::11]:8080/TCP'],
  ])('takes the way that it takes when it comes from its sender: %s', (_, snapshot, from, to, index, source, destination) => {
    const resolved = resolveQuestion(snapshot.topology(), { from, to });
    if ('error' in resolved) throw new Error(resolved.error);
    const whole = runTrace(snapshot.compiled(), resolved.flow);
    const start = whole.branches[0]!.request.hops[index]!;
    expect(start.direction).toBe('in');
    const part = injected(snapshot, start.host, start.interface, source, destination);
    expect(part).toMatchObject({ from: source, to: destination });
    expect(part.branches).toHaveLength(whole.branches.length);
    for (const [i, branch] of part.branches.entries()) {
      const other = whole.branches[i]!;
      expect(branch).toMatchObject({ outcome: other.outcome, probability: other.probability, deliveredTo: other.deliveredTo, answer: { kind: other.answer.kind, from: other.answer.from } });
      const ttl = (hops: readonly unknown[]): string => JSON.stringify(hops).replaceAll(/"(ttl|hopLimit|mss)":\d+/g, '"$1":0');
      expect(ttl(essence(branch.request.hops))).toBe(ttl(essence(other.request.hops.slice(index))));
    }
  });

  it('has a TTL of 64 where it is put in, and is for the interface itself', () => {
    const [branch] = injected(article, 'host2', 'eth0', '192.168.93.254', '192.168.93.213').branches;
    const eth0 = article.topology().hosts.find((host) => host.name === 'host2')!.namespaces[0]!.interfaces.find((device) => device.name === 'eth0')!;
    const [hop] = branch!.request.hops;
    expect(hop!.packet[1]).toMatchObject({ header: 'ipv4', ttl: 64 });
    expect(Number.parseInt((hop!.packet[0] as { readonly destination: string }).destination.replaceAll(':', ''), 16)).toBe(eth0.mac);
    expect(hop!.steps[0]).toMatchObject({ stage: 'send', sentence: 'A packet from 192.168.93.254 to 192.168.93.213 is put in at eth0 of host2, as if it had arrived there.' });
    expect(branch).toMatchObject({ outcome: 'delivered', deliveredTo: { kind: 'node', name: 'host2' } });
  });

  it('is no packet of an address of the host itself', () => {
    expect(injected(article, 'host1', 'eno16777984', '10.0.14.1', '192.168.93.212').branches[0]).toMatchObject({ outcome: 'dropped', reason: { code: 'martian-source' } });
  });

  it('may come from an address that nobody has', () => {
    expect(injected(article, 'host1', 'eno16777984', '172.31.9.9:5', '10.16.0.10:53/UDP').branches[0]).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'kube-system/kube-dns-1' }, answer: { kind: 'none' } });
  });

  it.each([
    ['lan', 'internet0', '203.0.113.7:9', '192.168.93.212:22'], ['qq.com', 'eth0', '192.168.93.212:9', '203.0.113.7:443'], ['pod1', 'eth0', '10.0.5.150:9', '10.0.14.15:80'],
    ['host1', 'lo', '192.168.93.212:9', '192.168.93.212:22'],
  ])('arrives at a router, an external, a pod, loopback: %s %s', (at, device, source, destination) => {
    const trace = injected(article, at, device, source, destination);
    expect(trace.branches[0]).toMatchObject({ outcome: 'delivered' });
    expect(trace.branches[0]!.request.hops[0]).toMatchObject({ interface: device, direction: 'in' });
  });

  it('is the same every time', () => {
    expect(injected(services, 'host1', 'eth0', '203.0.113.7:4000', '192.168.93.212:30080')).toEqual(injected(services, 'host1', 'eth0', '203.0.113.7:4000', '192.168.93.212:30080'));
  });
});

describe('a packet that cannot be put in', () => {
  it.each<readonly [Partial<InjectionText>, string, readonly string[]]>([
    [{ at: 'host9' }, 'No node, pod, router or external is named \'host9\'; did you mean \'host1\'?', ['host1', 'host2', 'host3']],
    [{ at: 'kube-system/kube-dns' }, '\'kube-system/kube-dns\' is a service, which has no interface: name a node or a pod.', []],
    [{ interface: 'cni1' }, '\'host1\' has no interface \'cni1\'; did you mean \'cni0\'?', ['cni0']],
    [{ interface: 'wlan0', at: 'pod1' }, '\'pod1\' has no interface \'wlan0\'; it has lo, eth0.', []],
    [{ source: 'fd00::1' }, 'The source fd00::1 is IPv6 and the destination 10.0.5.150 is IPv4: a packet has addresses of one family.', []],
    [{ source: 'pod1' }, 'The source \'pod1\' is no address: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT.', ['10.0.14.15']],
    [{ source: '10.0.14.15/UDP' }, 'The protocol stands behind the destination, not behind the source 10.0.14.15.', []],
    [{ destination: '10.0.5.150:80/ICMP' }, 'A ping has no port: leave it out, or write TCP, UDP or SCTP behind 10.0.5.150.', []],
    [{ source: '10.0.14.15:9' }, 'A ping has no port: leave it out, or write TCP, UDP or SCTP behind 10.0.5.150.', []],
    [{ source: 'fd00::1', destination: 'fd00::2/TCP' }, 'Say to which port of fd00::2: [fd00::2]:80/TCP.', []],
  ])('%j names the thing', (text, error, suggestions) => expect(problem(text)).toEqual({ error, suggestions }));
});

describe('k8snet trace --at', () => {
  const place = ['trace', 'article.k8snet', '--at', 'host1', '--in', 'vetha411b6c4'];

  it('tells the trace, as text and as JSON by the schema, and writes the capture', () => {
    const flow = ['--src', '10.0.14.15:4000', '--dst', '10.16.0.10:53/UDP'];
    expect(cli.run([...place, ...flow]).out).toMatch(/^10\.0\.14\.15:4000 -> 10\.16\.0\.10:53\/UDP\n\ndelivered to pod kube-system\/kube-dns-1 at 10\.0\.0\.46:53/);
    const result = cli.run([...place, ...flow, '--json', '--pcap', 'injected.pcapng']);
    expect(result).toMatchObject({ code: 0, err: '' });
    const schema = JSON.parse(readFileSync(path.join(root, 'docs/trace.schema.json'), 'utf8')) as object;
    expect(new Ajv2020({ strict: true }).compile(schema)(JSON.parse(result.out))).toBe(true);
    expect(readFileSync(path.join(cli.folder, 'injected.pcapng')).length).toBeGreaterThan(1000);
  });

  it.each([
    [['--src', '10.0.14.15'], '--dst is missing'],
    [['--src', '10.0.14.15', '--dst', '10.0.5.150', '--from', 'pod1'], 'leave these out'],
    [['--src', '10.0.14.15', '--dst', '10.0.5.150', '--flows', 'x'], 'leave these out'],
    [['--src', 'pod1', '--dst', '10.0.5.150'], 'did you mean \'10.0.14.15\'?'],
  ])('%j is wrong usage', (args, message) => {
    const result = cli.run([...place, ...args]);
    expect(result).toMatchObject({ code: 2, out: '' });
    expect(result.err).toContain(message);
  });
});
