import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../../engine/src/trace/model.ts';
import { complaints, fields } from '../packet/tshark.ts';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();
const article = readFileSync(path.join(root, 'examples/article.k8snet'), 'utf8');
const dualStack = readFileSync(path.join(root, 'examples/dual-stack.k8snet'), 'utf8');
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(JSON.parse(readFileSync(path.join(root, 'docs/trace.schema.json'), 'utf8')) as object);

beforeAll(() => {
  cli.file('article.k8snet', article);
  cli.file('dual-stack.k8snet', dualStack);
});

/** Runs a program in a network namespace of its own. */
const ISOLATED = 'unshare';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('k8snet check', () => {
  it('finds no error in the examples', () => {
    for (const file of ['article.k8snet', 'dual-stack.k8snet']) {
      const result = cli.run(['check', file]);
      expect(result.out).not.toMatch(/: error /);
      expect(result).toMatchObject({ code: 0, err: '' });
    }
  });

  it('gives an error with its file, line and column, and exit code 1', () => {
    cli.file('wrong/typo.k8snet', 'node host1 {\n  adress 192.168.93.212/24\n}\n');
    const result = cli.run(['check', 'article.k8snet', 'wrong/typo.k8snet']);
    expect(result.code).toBe(1);
    expect(lines(result.out).find((line) => line.includes('adress'))).toMatch(/^wrong\/typo\.k8snet:2:3: error K8N\d{4}: /);
  });

  it('gives the same as JSON', () => {
    cli.file('wrong/typo.k8snet', 'node host1 {\n  adress 192.168.93.212/24\n}\n');
    const result = cli.run(['check', 'wrong/typo.k8snet', '--format', 'json']);
    const found = JSON.parse(result.out) as Record<string, unknown>[];
    expect(result.code).toBe(1);
    expect(Object.keys(found[0]!)).toEqual(['file', 'line', 'column', 'endLine', 'endColumn', 'code', 'slug', 'severity', 'message']);
    expect(found.find((each) => each['line'] === 2)).toMatchObject({ file: 'wrong/typo.k8snet', line: 2, column: 3, endLine: 2, endColumn: 9, severity: 'error' });
  });

  it('gives an empty array for a clean file', () => {
    cli.file('clean.k8snet', 'network lan 192.168.93.0/24\n');
    expect(cli.run(['check', 'clean.k8snet', '--format', 'json'])).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('takes an empty file, a binary one and a byte order mark', () => {
    cli.file('empty.k8snet', '');
    cli.file('binary.k8snet', Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) & 255));
    cli.file('bom.k8snet', '\uFEFFnetwork lan 192.168.93.0/24\n');
    const empty = cli.run(['check', 'empty.k8snet']);
    expect(empty).toMatchObject({ code: 0, err: '' });
    expect(empty.out).not.toMatch(/: (error|warning) /);
    expect(cli.run(['check', 'bom.k8snet'])).toEqual({ code: 0, out: '', err: '' });
    const binary = cli.run(['check', 'binary.k8snet']);
    expect(binary).toMatchObject({ code: 1, err: '' });
    expect(binary.out).toMatch(/^binary\.k8snet:\d+:\d+: error K8N/);
  });

  it('reads a captured file from the folder of the file that names it', () => {
    cli.file('sub/host1.routes', 'default via 192.168.93.254 dev eth0\n10.9.9.0/24 dev eth0 scope link\n');
    cli.file('sub/captured.k8snet', 'network lan 192.168.93.0/24 { gateway 192.168.93.254 }\nnode host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24; routes from "host1.routes" }\n');
    expect(cli.run(['check', 'sub/captured.k8snet']).code).toBe(0);
    expect(lines(cli.run(['show', 'sub/captured.k8snet', 'host1', 'routes']).out).map((line) => line.trim())).toContain('10.9.9.0/24 dev eth0 scope link');
  });
});

describe('k8snet trace', () => {
  const json = (...args: readonly string[]): Trace => {
    const result = cli.run(['trace', ...args, '--json']);
    expect(result).toMatchObject({ code: 0, err: '' });
    return JSON.parse(result.out) as Trace;
  };

  it.each([
    ['article.k8snet', 'pod1', 'pod2'], ['article.k8snet', 'pod1', 'kube-dns.kube-system:53/UDP'], ['article.k8snet', 'pod1', 'qq.com:443/TCP'],
    ['article.k8snet', 'pod1', 'kube-dns.kube-system'], ['article.k8snet', 'host1', 'pod2:80'], ['article.k8snet', 'pod2', '172.30.0.1'],
    ['dual-stack.k8snet', 'client', 'web-2'], ['dual-stack.k8snet', 'client', '[fd00:10:96::20]:80/TCP'], ['dual-stack.k8snet', 'client', 'web:80/TCP'],
    ['dual-stack.k8snet', 'client', 'web-2:81/TCP'], ['dual-stack.k8snet', 'client', '2001:db8::7'], ['dual-stack.k8snet', 'client', 'web-1:8080/SCTP'],
  ])('of %s, %s to %s, matches the schema, and its capture satisfies tshark', (file, from, to) => {
    const trace = json(file, '--from', from, '--to', to, '--pcap', 'trace.pcapng');
    expect(validate(trace), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
    expect(trace).toMatchObject({ from, to });
    expect(trace.branches.reduce((sum, branch) => sum + branch.probability, 0)).toBeCloseTo(1, 9);
    const capture = readFileSync(path.join(cli.folder, 'trace.pcapng'));
    expect(complaints(capture)).toEqual([]);
    const hops = trace.branches.flatMap((branch) => [...branch.request.hops, ...(branch.reply?.hops ?? [])]);
    expect(fields(capture, 'frame.interface_name').map(([name]) => name)).toEqual(hops.map((hop) => `${hop.host}/${hop.namespace}/${hop.interface}`));
  });

  it('tells the article\'s ping: over flannel.1, encapsulated, and back', () => {
    const [branch] = json('article.k8snet', '--from', 'pod1', '--to', 'pod2').branches;
    expect(branch).toMatchObject({
      outcome: 'delivered', reason: null, deliveredTo: { kind: 'pod', name: 'default/pod2', address: '10.0.5.150', port: null },
      seenAs: { address: '10.0.14.15' }, answer: { kind: 'reply', from: '10.0.5.150', ttl: 62 },
    });
    const places = branch!.request.hops.map((hop) => `${hop.host}/${hop.interface}`);
    expect(places.indexOf('host1/flannel.1')).toBeGreaterThan(0);
    expect(places.indexOf('host2/flannel.1')).toBeGreaterThan(places.indexOf('host1/flannel.1'));
    const wire = branch!.request.hops.find((hop) => hop.packet.some((each) => each.header === 'vxlan'));
    expect(wire!.packet.map((each) => each.header)).toEqual(['ethernet', 'ipv4', 'udp', 'vxlan', 'ethernet', 'ipv4', 'icmp', 'payload']);
  });

  it('writes a capture in which tshark sees the encapsulated ping as the article does', () => {
    cli.run(['trace', 'article.k8snet', '--from', 'pod1', '--to', 'pod2', '--pcap', 'ping.pcapng']);
    const rows = fields(readFileSync(path.join(cli.folder, 'ping.pcapng')), 'frame.interface_name', 'frame.protocols', 'udp.dstport', 'vxlan.vni', 'ip.ttl', 'frame.len');
    expect(rows.find(([name]) => name === 'host1/root/eno16777984')).toEqual(
      ['host1/root/eno16777984', 'eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:icmp:data', '8472', '1', '64,63', '148']);
  });

  it('prints a text for people, without colours where nobody looks', () => {
    const result = cli.run(['trace', 'article.k8snet', '--from', 'pod1', '--to', 'kube-dns.kube-system:53/UDP']);
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toContain('delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53');
    expect(result.out).toContain('KUBE-SEP-L5MHPWJPDKD7XIFG');
    expect(result.out).toContain('nat PREROUTING #1 → KUBE-SERVICES #1 → KUBE-SVC-TCOU7JCQXEZGVUNU #1 → KUBE-SEP-L5MHPWJPDKD7XIFG #1 DNAT\n');
    expect(result.out).toMatch(/DNAT --to-destination 10\.0\.0\.46:53 +\[article\.k8snet:28\]\n/);
    expect(result.out).not.toContain('\u001b');
  });

  it('tells the article\'s ping on about a screen', () => {
    const { out } = cli.run(['trace', 'article.k8snet', '--from', 'pod1', '--to', 'pod2']);
    expect(lines(out).length).toBeLessThanOrEqual(64);
  });

  it('names who is unknown, and who may be meant', () => {
    for (const [from, to] of [['pod1', 'kube-dsn.kube-system:53'], ['podd1', 'pod2']] as const) {
      const result = cli.run(['trace', 'article.k8snet', '--from', from, '--to', to]);
      expect(result).toMatchObject({ code: 2, out: '' });
      expect(result.err).toMatch(/^k8snet trace: /);
      expect(result.err.match(/did you mean/g)).toHaveLength(1);
    }
  });

  it('traces in spite of errors in the file, and tells them on stderr', () => {
    cli.file('broken.k8snet', `${article}\nnode { { oops\n`);
    const result = cli.run(['trace', 'broken.k8snet', '--from', 'pod1', '--to', 'pod2']);
    expect(result.code).toBe(0);
    expect(result.out).toContain('delivered to pod default/pod2');
    expect(result.err).toMatch(/^broken\.k8snet:\d+:\d+: error K8N/);
  });

  it('gives the same bytes every time', () => {
    const args = ['trace', 'dual-stack.k8snet', '--from', 'client', '--to', 'web:80/TCP', '--json'];
    expect(cli.run(args).out).toBe(cli.run(args).out);
  });
});

describe('k8snet trace --flows', () => {
  it('answers line by line, in order, from a file or from stdin', () => {
    const flows = '{"from":"pod1","to":"pod2"}\n\n{"from":"pod2","to":"pod1"}\n{"from":"pod1","to":"kube-system/kube-dns:53/UDP"}\n';
    cli.file('flows.jsonl', flows);
    const fromFile = cli.run(['trace', 'article.k8snet', '--flows', 'flows.jsonl']);
    expect(fromFile).toMatchObject({ code: 0, err: '' });
    const traces = lines(fromFile.out).map((line) => JSON.parse(line) as Trace);
    expect(traces.map(({ from, to }) => `${from} ${to}`)).toEqual(['pod1 pod2', 'pod2 pod1', 'pod1 kube-system/kube-dns:53/UDP']);
    for (const trace of traces) expect(validate(trace), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
    expect(cli.run(['trace', 'article.k8snet', '--flows', '-'], flows)).toEqual(fromFile);
  });

  it('a bad line gives an error in its place, the others go on, and the exit code is 1', () => {
    const flows = '{"from":"pod1","to":"pod3"}\n{"from":"pod1"}\nnot JSON\n{"from":"pod1","to":"pod2"}\n';
    const result = cli.run(['trace', 'article.k8snet', '--flows', '-'], flows);
    const answers = lines(result.out).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(result.code).toBe(1);
    expect(answers).toHaveLength(4);
    expect(answers[0]).toMatchObject({ from: 'pod1', to: 'pod3' });
    expect(answers[0]!['error']).toContain('pod3');
    expect(Object.keys(answers[0]!)).toEqual(['from', 'to', 'error']);
    expect(answers[1]).toMatchObject({ from: 'pod1', to: null, error: 'line 2: "from" and "to" must both be texts' });
    expect(answers[2]).toMatchObject({ from: null, to: null });
    expect(answers[3]!['branches']).toHaveLength(1);
  });
});

describe('k8snet test', () => {
  it('passes what holds, and says in the closing line how many', () => {
    const result = cli.run(['test', 'dual-stack.k8snet']);
    expect(lines(result.out).at(-1)).toBe('6 passed, 0 failed');
    expect(lines(result.out).slice(0, -1).every((line) => line.startsWith('pass dual-stack.k8snet:'))).toBe(true);
    expect(result).toMatchObject({ code: 0, err: '' });
  });

  it('says of a failure what happened, and of the article\'s missing masquerade rule what to add', () => {
    const result = cli.run(['test', 'article.k8snet']);
    const last = article.split('\n').findIndex((line) => line.includes('-> qq.com')) + 1;
    expect(result.code).toBe(1);
    expect(lines(result.out).at(-1)).toBe('3 passed, 1 failed');
    expect(result.out).toContain(`FAIL article.k8snet:${last}: pod1 -> qq.com:443/TCP`);
    expect(result.out).toContain('repair: ');
    expect(result.out).toContain('MASQUERADE');
  });

  it('counts over all files, and fails on a file with errors', () => {
    cli.file('broken.k8snet', 'nod host1 { }\n');
    const both = cli.run(['test', 'dual-stack.k8snet', 'broken.k8snet']);
    expect(both.code).toBe(1);
    expect(lines(both.out).at(-1)).toBe('6 passed, 0 failed');
    expect(both.err).toMatch(/^broken\.k8snet:1:1: error K8N/);
  });

  it('has nothing to say of a file without expectations', () => {
    cli.file('plain.k8snet', 'network lan 192.168.93.0/24\n');
    expect(cli.run(['test', 'plain.k8snet'])).toEqual({ code: 0, out: '0 passed, 0 failed\n', err: '' });
  });
});

describe('k8snet show', () => {
  const shown = (...args: readonly string[]): string => {
    const result = cli.run(['show', ...args]);
    expect(result).toMatchObject({ code: 0, err: '' });
    return result.out;
  };

  it('prints the captured routes as they were pasted', () => {
    const pasted = article.split('\n').slice(article.split('\n').findIndex((line) => line.trim() === 'routes {') + 1).slice(0, 5).map((line) => line.trim());
    expect(lines(shown('article.k8snet', 'host1', 'routes'))).toEqual(pasted);
    expect(lines(shown('article.k8snet', 'pod1', 'routes'))).toHaveLength(3);
  });

  it('prints the routes that flannel derives, one a lease', () => {
    const routes = lines(shown('dual-stack.k8snet', 'host1', 'routes'));
    expect(routes).toContain('10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink');
    expect(routes.some((line) => line.includes('table local'))).toBe(false);
    expect(lines(shown('dual-stack.k8snet', 'node/host1', 'routes', '--all')).some((line) => line.includes('table local'))).toBe(true);
  });

  it('prints the flows of a dump as they were pasted, IPv4 first', () => {
    const six = 'udp      17 29 src=fd00::1 dst=fd00::2 sport=4000 dport=53 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=53 dport=4000 mark=0 use=1';
    const four = 'udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=4000 [ASSURED] mark=0 use=1';
    cli.file('flows.k8snet', `network lan 192.168.93.0/24\nnode host1 {\n  address 192.168.93.1/24 on lan\n  conntrack {\n    ${six}\n    ${four}\n  }\n}\n`);
    expect(shown('flows.k8snet', 'host1', 'conntrack')).toBe(`${four}\n${six}\n`);
    expect(shown('dual-stack.k8snet', 'host1', 'conntrack')).toBe('');
  });

  it('prints neighbours and forwarding entries of the VTEPs', () => {
    expect(shown('dual-stack.k8snet', 'host1', 'neighbours')).toMatch(/^10\.244\.2\.0 dev flannel\.1 lladdr [0-9a-f:]{17} PERMANENT$/m);
    expect(shown('dual-stack.k8snet', 'host1', 'fdb')).toMatch(/^[0-9a-f:]{17} dev flannel\.1 dst 192\.168\.93\.213 self permanent$/m);
  });

  it('prints the devices with their kinds and addresses, and the policy rules of both families', () => {
    expect(shown('dual-stack.k8snet', 'host1', 'links')).toMatch(/^\d+: flannel\.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 group default\n {4}link\/ether [0-9a-f:]{17} brd ff:ff:ff:ff:ff:ff\n {4}vxlan id 1 local 192\.168\.93\.212 dev \S+ srcport 0 0 dstport 8472 nolearning ttl auto /m);
    expect(shown('dual-stack.k8snet', 'host1', 'addresses')).toMatch(/^ {4}inet 192\.168\.93\.212\/24 scope global \S+$/m);
    expect(lines(shown('dual-stack.k8snet', 'host1', 'rules'))).toEqual(['0:\tfrom all lookup local', '32766:\tfrom all lookup main', '32767:\tfrom all lookup default', '0:\tfrom all lookup local', '32766:\tfrom all lookup main']);
  });

  it.each([['iptables', 'iptables-legacy-restore'], ['ip6tables', 'ip6tables-legacy-restore']])('prints %s so that %s takes it', (kind, restore) => {
    for (const file of ['article.k8snet', 'dual-stack.k8snet']) {
      const saved = shown(file, 'host1', kind);
      expect(saved).toMatch(/^\*nat\n:PREROUTING ACCEPT \[0:0\]\n/m);
      expect(lines(saved).at(-1)).toBe('COMMIT');
      const result = spawnSync(ISOLATED, ['-Urn', restore, '--test'], { input: saved, encoding: 'utf8', env: { ...process.env, XTABLES_LOCKFILE: path.join(cli.folder, 'xtables.lock') } });
      expect(result.stderr).toBe('');
      expect(result.status).toBe(0);
    }
  });

  it('finds a pod of another namespace by its full name', () => {
    expect(shown('article.k8snet', 'kube-system/kube-dns-1', 'routes')).toContain('default via 10.0.0.1 dev eth0');
  });

  it('prints what can be pasted again', () => {
    const block = (kind: string, name: string): string => `${name} {\n${shown('dual-stack.k8snet', 'host1', kind)}}\n`;
    cli.file('again.k8snet', dualStack.replace('node host1 {', `node host1 {\n${block('addresses', 'addresses')}${block('links', 'links')}${block('rules', 'rules')}${block('routes', 'routes')}${block('neighbours', 'neighbours')}${block('fdb', 'fdb')}${block('iptables', 'iptables')}${block('ip6tables', 'ip6tables')}`));
    const errors = lines(cli.run(['check', 'again.k8snet']).out).filter((line) => line.includes(': error '));
    expect(errors).toEqual([]);
    expect(lines(cli.run(['test', 'again.k8snet']).out).at(-1)).toBe('6 passed, 0 failed');
  });
});
