/** flannel's declared MTU above what the underlay carries. A flow has no size yet, so the underlay is one that no ping fits into. */
import { expect, it } from 'vitest';
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
