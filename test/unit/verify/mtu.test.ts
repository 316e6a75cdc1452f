/** flannel's declared MTU above what the underlay carries, for pings and for what a connection sends behind its handshake. */
import { describe, expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

const open = (text: string) => createSnapshot({ file: 'x.k8snet', text });

const TEXT = `cluster {
  flannel vxlan {
    mtu 1450
  }
}
network lan 192.168.93.0/24 { gateway 192.168.93.254; mtu 120 }
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24 }
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24 }
pod client on host1 { ip 10.244.1.10 }
pod web on host2 { ip 10.244.2.11 }
expect client -> web delivered to web
`;

it("names flannel's MTU that the underlay does not carry, and lets flannel choose", () => {
  const snapshot = open(TEXT);
  const [verdict] = snapshot.verdicts();
  expect(verdict?.explanation?.causes.map((c) => [c.code, c.sentence])).toEqual([['needs-fragmenting', expect.stringMatching(/^flannel's MTU of 1450 in the cluster \(x\.k8snet:1\) does not fit/) as string]]);
  const [repair] = verdict?.explanation?.repairs ?? [];
  expect(repair?.title).toBe("let flannel choose its MTU: remove 'mtu'");
  const edits = repairEdits(snapshot, repair?.edits ?? []) ?? [];
  expect(open(applyFix(TEXT, { title: '', edits })).verdicts().map((v) => v.sentence)).toEqual([null]);
});

it('is content where the underlay carries it', () => {
  expect(open(TEXT.replace('mtu 120', 'mtu 1500')).verdicts().map((v) => v.sentence)).toEqual([null]);
});

describe('an underlay that takes less on one host', () => {
  // 1450 in the pods and 50 around it are more than the 1400 that eth0 on host2 takes, and nobody is told (docs/outcomes.md, over-mtu).
  const text = (expectation: string, flannel = 'flannel vxlan { mtu 1450 }'): string => TEXT.replace(/flannel vxlan \{\s+mtu 1450\s+\}/, flannel).replace('mtu 120', 'mtu 1500').replace('213/24 on lan;', '213/24 on lan { mtu 1400 };').replace('web { ip 10.244.2.11 }', 'web { ip 10.244.2.11; listen 80/TCP }').replace(/expect.*\n/, `${expectation}\n`);
  const sentences = (expectation: string, flannel?: string): readonly (string | null)[] => open(text(expectation, flannel)).verdicts().map((v) => v.sentence);

  it('lets the handshake and small segments through, and loses what is large', () => {
    expect(sentences('expect client -> web:80 delivered')).toEqual([null]);
    expect(sentences('expect client -> web:80 size 1350 delivered')).toEqual([null]);
    expect(sentences('expect client -> web:80 size 1500 delivered')).toEqual([expect.stringMatching(/^The first packet arrives and is answered, but what is as large as 1500 bytes is dropped: eth0 on host2 takes no frame above its MTU of 1400\./) as string]);
  });

  it('is mended by the MTU that flannel would choose, or by that of the network', () => {
    const snapshot = open(text('expect client -> web:80 size 1500 delivered'));
    const [verdict] = snapshot.verdicts();
    expect(verdict?.explanation?.repairs.map((r) => r.title)).toEqual(["let flannel choose its MTU: remove 'mtu'", 'give eth0 on host2 the MTU of lan']);
    for (const { edits } of verdict?.explanation?.repairs ?? []) expect(open(applyFix(snapshot.text, { title: '', edits: repairEdits(snapshot, edits) ?? [] })).verdicts().map((v) => v.sentence)).toEqual([null]);
  });

  it('is no trouble to TCP where the pods announce a smaller MSS', () => {
    expect(sentences('expect client -> web:80 size 1500 delivered', 'flannel vxlan')).toEqual([null]);
  });

  it('loses large pings', () => {
    expect(sentences('expect client -> web size 1350 delivered')).toEqual([null]);
    expect(sentences('expect client -> web size 1450 delivered')).toEqual([expect.stringMatching(/^It is dropped: eth0 on host2/) as string]);
  });
});

it('a size that no packet of the protocol has is told', () => {
  expect(open(TEXT.replace('client -> web delivered', 'client -> web:80 size 39 delivered')).verdicts().map((v) => v.sentence)).toEqual(['A packet of 39 bytes cannot be: with its headers an IPv4 TCP packet has 40 to 65535.']);
});
