import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { updateSnapshot } from '../../../server/src/language/snapshot.ts';
import { snapshotOf } from './fixtures.ts';

/** Little that is right, so that most edits take a diagnostic away or bring one about. */
const TEXT = `cluster c {
  pod-cidr     10.0.0.0/16
  service-cidr 172.20.0.0/16
}
network lan 192.168.1.0/24 { gateway 192.168.1.254 }
network dmz 192.168.2.0/24
external client 192.168.1.50
node a {
  address 192.168.1.1/24 on lan
  pod-cidr 10.0.1.0/24
  iptables {
    *nat
    :KUBE-SERVICES - [0:0]
    :KUBE-SEP-A - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SERVICES -d 172.20.0.1/32 -p tcp -m tcp --dport 80 -j KUBE-SEP-A
    -A KUBE-SERVICES -d 172.20.0.2/32 -p tcp -m tcp --dport 80 -j KUBE-SEP-B
    -A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.0.1.10:8080
    -A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.0.1.255:8080
    -A KUBE-SEP-A -i eth7 -j KUBE-SERVICES
    COMMIT
  }
}
node b { address 192.168.1.2/24 on lan; pod-cidr 10.0.2.0/24 }
node b { address 192.168.2.1/24 on lan; pod-cidr 10.0.3.0/24 }
pod apps/one on a { ip 10.0.1.10; labels app=web; listen 8080/TCP }
pod apps/two on b { ip 10.0.1.10; labels app=web; listen 8081/TCP; not-ready }
pod apps/two on c { ip 10.0.2.1; labels app=db }
pod apps/three on b { ip 10.0.2.1; labels app=db; listen 80/TCP }
service apps/web { cluster-ip 172.20.0.1; type NodePort; port http 80/TCP node-port 30080; selector app=web }
service apps/db { cluster-ip 172.20.0.1; type NodePort; port http 80/TCP -> named node-port 30080; port http 80/TCP; selector app=db }
service apps/none { cluster-ip 10.0.1.10; port 80/TCP; selector app=nobody }
service apps/fixed { cluster-ip 172.20.0.2; port 80/TCP; endpoints 10.0.1.10:80 }
`;

/** Words of one kind take each other's places. */
const WORDS = [
  ['10.0.1.10', '10.0.2.11', '10.0.2.1', '10.0.1.255', '172.20.0.1', '172.20.0.2', '192.168.1.50', '192.168.1.2'],
  ['10.0.1.0/24', '10.0.2.0/24', '10.0.0.0/16', '172.20.0.0/16', '192.168.1.0/24'],
  ['apps/one', 'apps/two', 'apps/three', 'apps/web', 'apps/db', 'other/web'],
  ['on a', 'on b', 'on lan', 'on dmz', 'on nobody'],
  ['node a', 'node b', 'network lan', 'external client'],
  ['app=web', 'app=db', 'app=nobody'],
  ['8080/TCP', '8081/TCP', '80/TCP', '8080/UDP'],
  ['30080', '30081'], ['not-ready', 'host-network', 'terminating'],
  ['KUBE-SERVICES', 'KUBE-SEP-A', 'KUBE-SEP-B', 'PREROUTING'], ['eth7', 'eth0', 'cni0'],
] as const;

const LINES = TEXT.split('\n');

type Edit =
  | { readonly kind: 'word'; readonly words: readonly string[]; readonly from: number; readonly to: number; readonly which: number }
  | { readonly kind: 'insert'; readonly line: string; readonly before: number }
  | { readonly kind: 'remove'; readonly line: number };

const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('word' as const), words: fc.constantFrom(...WORDS), from: fc.nat(7), to: fc.nat(7), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), line: fc.constantFrom(...LINES), before: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), line: fc.nat(40) }) },
);

const startOfLine = (text: string, line: number): number => text.split('\n').slice(0, line).reduce((sum, l) => sum + l.length + 1, 0);

function placed(text: string, edit: Edit): { readonly start: number; readonly end: number; readonly text: string } {
  const lines = text.split('\n');
  switch (edit.kind) {
    case 'insert': {
      const start = startOfLine(text, edit.before % lines.length);
      return { start, end: start, text: `${edit.line}\n` };
    }
    case 'remove': {
      const line = edit.line % lines.length;
      const start = startOfLine(text, line);
      return { start, end: Math.min(text.length, start + (lines[line]?.length ?? 0) + 1), text: '' };
    }
    case 'word': {
      const from = edit.words[edit.from % edit.words.length] ?? '';
      const to = edit.words[edit.to % edit.words.length] ?? '';
      const found = [...text.matchAll(new RegExp(`${from.replace(/[./]/g, '\\$&')}(?![\\w.])`, 'g'))];
      const at = found[edit.which % Math.max(1, found.length)]?.index ?? text.length;
      return { start: at, end: Math.min(text.length, at + from.length), text: to };
    }
  }
}

describe('what a check remembers of the version before', () => {
  it('finds much in the text of this test', () => {
    expect(new Set(snapshotOf(TEXT).diagnostics.map((d) => d.slug))).toEqual(new Set([
      'address-outside-subnet', 'dnat-to-nobody', 'duplicate-address', 'duplicate-name', 'jump-loop', 'reserved-address', 'selector-selects-nothing', 'unknown-chain',
      'unknown-device', 'unknown-name', 'unknown-port-name', 'target-port-not-served',
    ]));
  });

  it('gives after every edit what is told of the same text read afresh', () => {
    fc.assert(fc.property(fc.array(edits, { minLength: 1, maxLength: 12 }), (several) => {
      let snapshot = snapshotOf(TEXT);
      expect(snapshot.diagnostics.length).toBeGreaterThan(0);
      for (const each of several) {
        const edit = placed(snapshot.text, each);
        snapshot = updateSnapshot(snapshot, [edit], snapshot.text.slice(0, edit.start) + edit.text + snapshot.text.slice(edit.end));
        const fresh = snapshotOf(snapshot.text);
        expect(snapshot.diagnostics).toEqual(fresh.diagnostics);
        expect(snapshot.spec()).toEqual(fresh.spec());
      }
    }), { numRuns: 150, seed: 20261122 });
  }, 120_000);
});
