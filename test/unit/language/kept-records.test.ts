import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpsOf } from '../../../server/src/language/bind/dumps.ts';
import { createSnapshot, updateSnapshot } from '../../../server/src/language/snapshot.ts';

const CLUSTER = `cluster small { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/12 }
network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { interface eth0 192.168.93.212/24 on lan; pod-cidr 10.0.14.0/24 }
node host2 { interface eth0 192.168.93.213/24 on lan; pod-cidr 10.0.5.0/24 }
pod client on host1 { ip 10.0.14.15 }
pod web on host1 { ip 10.0.14.16; labels app=web; listen http 8080/TCP }
pod web2 on host2 { ip 10.0.5.150; labels app=web,tier=back; listen http 8080/TCP }
pod agent on host2 { host-network; labels app=web; listen 9100/TCP }
service web { cluster-ip 10.16.0.1; port 80/TCP -> http; selector app=web }
service other { cluster-ip 10.16.0.2; port 80/TCP -> 8080; selector app=web; endpoint 10.0.5.150:9000 }
`;

/** Everything that a topology holds, rules and all, as text. */
const contents = (text: string): string => JSON.stringify(createSnapshot({ file: 'small.k8snet', text }).topology());

interface Edit {
  readonly start: number;
  readonly removed: number;
  readonly typed: string;
}

const edits = (length: number): fc.Arbitrary<Edit> =>
  fc.record({ start: fc.nat(length), removed: fc.nat(12), typed: fc.constantFrom('', '1', '\n', 'app=web', '; ', 'x', ' ready false', '# a\n', '}', 'domain example.org; ') });

describe('a file that was edited', () => {
  it.each([
    ['a label', 'labels app=web,', 'labels app=wib,'],
    ['a line above everything', 'cluster small', '# a comment\ncluster small'],
    ['the domain of the cluster', 'pod-cidr 10.0.0.0/16;', 'pod-cidr 10.0.0.0/16; domain example.org;'],
    ['the port that a pod has under a name', 'http 8080/TCP }\npod web2', 'http 8081/TCP }\npod web2'],
    ['the address of a node', '192.168.93.213', '192.168.93.214'],
    ['a pod taken away', 'pod web on host1 { ip 10.0.14.16; labels app=web; listen http 8080/TCP }', ''],
    ["a service's own endpoint", 'endpoint 10.0.5.150:9000', 'endpoint 10.0.14.15:9000'],
  ])('has the topology of its text, whatever was kept of the version before: %s', (_, before, after) => {
    const start = CLUSTER.indexOf(before);
    const text = CLUSTER.replace(before, after);
    const old = createSnapshot({ file: 'small.k8snet', text: CLUSTER });
    JSON.stringify(old.topology());
    const edited = updateSnapshot(old, [{ start, end: start + before.length, text: after }], text);
    expect(JSON.stringify(edited.topology())).toBe(contents(text));
    const back = updateSnapshot(edited, [{ start, end: start + after.length, text: before }], CLUSTER);
    expect(JSON.stringify(back.topology())).toBe(contents(CLUSTER));
  });

  it('has the topology of its text after any edits', () => {
    const files = [CLUSTER, readFileSync(path.resolve(import.meta.dirname, '../../../examples/dual-stack.k8snet'), 'utf8')];
    fc.assert(
      fc.property(fc.constantFrom(...files).chain((text) => fc.tuple(fc.constant(text), fc.array(edits(text.length), { minLength: 1, maxLength: 6 }))), ([first, list]) => {
        let text = first;
        let snapshot = createSnapshot({ file: 'small.k8snet', text });
        for (const { start, removed, typed } of list) {
          const from = Math.min(start, text.length);
          const end = Math.min(from + removed, text.length);
          const next = text.slice(0, from) + typed + text.slice(end);
          JSON.stringify(snapshot.topology());
          snapshot = updateSnapshot(snapshot, [{ start: from, end, text: typed }], next);
          text = next;
        }
        expect(JSON.stringify(snapshot.topology())).toBe(contents(text));
      }),
      { numRuns: 60 },
    );
  });
});

it('the rules of a dump in another file are the same records for its diagnostics and for the topology, where they stand in that file', () => {
  const rules = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n';
  const text = CLUSTER.replace('pod-cidr 10.0.14.0/24 }', 'pod-cidr 10.0.14.0/24; iptables from "rules.txt" }');
  const snapshot = createSnapshot({ file: 'dir/small.k8snet', text, readFile: (name) => (name === 'rules.txt' ? rules : undefined) });
  const [dump] = [...dumpsOf(snapshot.model, snapshot.files)];
  const ofDump = dump?.content.state.tables?.[0]?.chains[0]?.rules[0];
  expect(ofDump?.origin).toEqual({ kind: 'captured', at: { file: 'dir/rules.txt', line: 3 } });
  const ofNode = snapshot.spec().nodes[0]?.captured.tables?.[0]?.chains[0]?.rules[0];
  expect(ofNode).toBe(ofDump);
});
