/** The root cause and its repairs on the command line. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();
beforeAll(() => {
  for (const name of ['drop-rule', 'two-causes']) cli.file(`${name}.k8snet`, readFileSync(path.join(root, 'examples/broken', `${name}.k8snet`)));
});

describe('k8snet trace of a packet that does not arrive', () => {
  it('ends with the cause, the nearest rule, the repair with what it changes and the command that does the same, and the titles of others', () => {
    const { code, out } = cli.run(['trace', 'drop-rule.k8snet', '--from', 'client', '--to', 'pod/web:8080']);
    expect(code).toBe(0);
    const end = out.slice(out.indexOf('\ncause: ')).trim().split('\n');
    expect(end[0]).toMatch(/^cause: host2 has the rule `-A FORWARD -s 10\.244\.1\.10\/32 -j DROP` \(drop-rule\.k8snet:14\)/);
    expect(end[1]).toMatch(/^ {2}nearest: .*rule 2 of FORWARD \(drop-rule\.k8snet:15\)/);
    expect(end.slice(2, 6)).toEqual(['repair: remove the rule `-A FORWARD -s 10.244.1.10/32 -j DROP` from host2', '  host2 iptables (filter):', '  - drop-rule.k8snet:14', '  on host2: iptables -t filter -D FORWARD -s 10.244.1.10/32 -j DROP']);
    expect(end.slice(6).every((line) => line.startsWith('or: '))).toBe(true);
  });

  it('has them in the JSON, as the schema says, and several causes in order', () => {
    const { out } = cli.run(['trace', 'two-causes.k8snet', '--from', 'client', '--to', 'pod/web:8080', '--json']);
    const trace = JSON.parse(out) as { explanation: { causes: { code: string }[]; repairs: { edits: object[] }[] } };
    const validate = new Ajv2020({ strict: true, allErrors: true }).compile(JSON.parse(readFileSync(path.join(root, 'docs/trace.schema.json'), 'utf8')) as object);
    expect(validate(trace), JSON.stringify(validate.errors)).toBe(true);
    expect(trace.explanation.causes.map((cause) => cause.code)).toEqual(['no-such-destination', 'rule-drop']);
    expect(trace.explanation.repairs[0]?.edits).toHaveLength(2);
  });
});

describe('k8snet trace of a packet put in at an interface', () => {
  it('has the cause and the repair that the whole way has', () => {
    const end = cli.run(['trace', 'drop-rule.k8snet', '--at', 'host2', '--in', 'flannel.1', '--src', '10.244.1.10:4000', '--dst', '10.244.2.11:8080']).out.split('\n');
    const cause = end.findIndex((line) => line.startsWith('cause: '));
    expect(end[cause]).toMatch(/^cause: host2 has the rule `-A FORWARD -s 10\.244\.1\.10\/32 -j DROP` \(drop-rule\.k8snet:14\)/);
    expect(end).toContain('repair: remove the rule `-A FORWARD -s 10.244.1.10/32 -j DROP` from host2');
  });

  it('has none where it arrives', () => {
    cli.file('article.k8snet', readFileSync(path.join(root, 'examples/article.k8snet')));
    const { out } = cli.run(['trace', 'article.k8snet', '--at', 'host1', '--in', 'cni0', '--src', '10.0.14.15', '--dst', '10.0.5.150']);
    expect(out).toContain('delivered to pod default/pod2');
    expect(out).not.toContain('cause: ');
  });
});

describe('k8snet trace of a segment with flags', () => {
  it('has the cause where a rule drops it', () => {
    const { out } = cli.run(['trace', 'drop-rule.k8snet', '--from', 'client', '--to', 'pod/web:8080', '--flags', 'ack']);
    expect(out).toMatch(/^cause: host2 has the rule `-A FORWARD -s 10\.244\.1\.10\/32 -j DROP`/m);
  });
});

describe('k8snet trace --size', () => {
  it('asks for a segment behind the handshake', () => {
    cli.file('mtu.k8snet', readFileSync(path.join(root, 'examples/broken/mtu-connection.k8snet')));
    expect(cli.run(['trace', 'mtu.k8snet', '--from', 'client', '--to', 'web:80']).out).not.toContain('cause: ');
    expect(cli.run(['trace', 'mtu.k8snet', '--from', 'client', '--to', 'web:80', '--size', '1500']).out).toMatch(/^cause: flannel's MTU of 1450/m);
  });

  it('is a number of bytes, and of one conversation', () => {
    expect(cli.run(['trace', 'mtu.k8snet', '--from', 'client', '--to', 'web:80', '--size', 'large']).code).toBe(2);
    expect(cli.run(['trace', 'mtu.k8snet', '--flows', '-', '--size', '1500']).code).toBe(2);
  });
});

describe('k8snet trace --flows', () => {
  it('explains the first of those that end alike', () => {
    cli.file('flows.jsonl', ['web:80', 'web:80', 'web'].map((to) => JSON.stringify({ from: 'client', to, size: 1500 })).join('\n'));
    const { out } = cli.run(['trace', 'mtu.k8snet', '--flows', 'flows.jsonl']);
    const traces = out.trim().split('\n').map((line) => JSON.parse(line) as { explanation?: { causes: { sentence: string }[] } });
    expect(traces.map((t) => t.explanation?.causes[0]?.sentence.slice(0, 24))).toEqual(["flannel's MTU of 1450 in", undefined, expect.any(String)]);
  });
});

describe('k8snet check', () => {
  it('tells drift beside what is wrong, and is content with warnings', () => {
    const { code, out } = cli.run(['check', 'two-causes.k8snet']);
    expect(code).toBe(0);
    expect(out).toMatch(/^two-causes\.k8snet:8:5: warning K8N6001: The routes of host1 lack flannel's route for the lease of host2/m);
  });
});
