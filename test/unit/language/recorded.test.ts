import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { root } from './fixtures.ts';

const recorded = path.join(root, 'test/fixtures/recorded');

interface RecordedPod {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}

const objects = JSON.parse(readFileSync(path.join(recorded, 'objects/pods.json'), 'utf8')) as { readonly items: readonly RecordedPod[] };

const NODES = [['host1', '192.168.93.212', '10.0.14.0/24'], ['host2', '192.168.93.213', '10.0.5.0/24'], ['host3', '192.168.93.214', '10.0.0.0/24']] as const;

const DUMPS = { routes: 'ip-route-all', rules: 'ip-rule', addresses: 'ip-addr', links: 'ip-link', neighbours: 'ip-neigh', fdb: 'bridge-fdb', iptables: 'iptables-save', sysctl: 'sysctl' };

const dump = (node: string, name: string): string => readFileSync(path.join(recorded, 'nodes', node, `${name}.txt`), 'utf8');

/** A file of what a real cluster of three hosts printed, in blocks or from files. */
function clusterText(how: 'blocks' | 'files'): string {
  const capture = (node: string, keyword: string, file: string): string =>
    how === 'files' ? `  ${keyword} from "nodes/${node}/${file}.txt"\n` : `  ${keyword} {\n${dump(node, file)}\n  }\n`;
  return [
    'cluster demo { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/16 }',
    'network lan 192.168.93.0/24 { gateway 192.168.93.254 }',
    ...NODES.map(([node, address, lease]) => `node ${node} {\n  interface eno16777984 ${address}/24 on lan\n  pod-cidr ${lease}\n${Object.entries(DUMPS).map(([k, f]) => capture(node, k, f)).join('')}}`),
    ...objects.items.map((p) => `pod ${p.metadata.namespace}/${p.metadata.name} on ${p.spec.nodeName} { ip ${p.status.podIP} }`),
    '',
  ].join('\n');
}

const snapshot = (how: 'blocks' | 'files') => createSnapshot({ file: 'recorded.k8snet', text: clusterText(how), readFile: (p) => readFileSync(path.join(recorded, p), 'utf8') });

describe('what a real cluster printed', () => {
  it.each(['blocks', 'files'] as const)('is read without a problem from %s', (how) => {
    expect(snapshot(how).diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
  });

  it('becomes the same state from blocks and from files, each record with its own line', () => {
    const [blocks, files] = [snapshot('blocks').spec(), snapshot('files').spec()];
    const withoutPlaces = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (key, v: unknown) => (key === 'at' ? undefined : v)));
    expect(withoutPlaces(files)).toEqual(withoutPlaces(blocks));
    const nat = files.nodes[0]?.captured.tables?.find((t) => t.name === 'nat');
    const rule = nat?.chains.find((c) => c.name === 'POSTROUTING')?.rules[0];
    expect(rule?.origin.kind).toBe('captured');
    if (rule?.origin.kind !== 'captured') return;
    expect(rule.origin.at.file).toBe('nodes/host1/iptables-save.txt');
    expect(dump('host1', 'iptables-save').split('\n')[rule.origin.at.line - 1]).toBe(rule.text);
    const inBlock = blocks.nodes[0]?.captured.tables?.find((t) => t.name === 'nat')?.chains.find((c) => c.name === 'POSTROUTING')?.rules[0];
    if (inBlock?.origin.kind === 'captured') expect(clusterText('blocks').split('\n')[inBlock.origin.at.line - 1]?.trim()).toBe(rule.text);
  });

  it('has its dumps in the fixtures', () => {
    expect(readdirSync(path.join(recorded, 'nodes')).sort()).toEqual(NODES.map(([n]) => n));
  });
});
