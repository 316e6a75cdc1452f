/** A flow whose first packet arrives and is answered, and whose next one does not. */
import { expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { explain } from '../../../engine/src/verify/explain.ts';
import { applyFix } from '../language/fixtures.ts';

const open = (rules: string) => createSnapshot({ file: 'x.k8snet', text: `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24 }
node host2 {
  address 192.168.93.213/24 on lan
  pod-cidr 10.244.2.0/24
  iptables {
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
${rules}
    COMMIT
  }
}
pod client on host1 { ip 10.244.1.10 }
pod web on host2 { ip 10.244.2.11; listen 80/TCP }
expect client -> web:80 delivered
` });

const RULES = `    -A FORWARD -d 10.244.2.0/24 -m conntrack --ctstate ESTABLISHED -j DROP
    -A FORWARD -s 10.244.0.0/16 -j ACCEPT`;

it('fails an expectation, names the rule, and is mended', () => {
  const snapshot = open(RULES);
  const [verdict] = snapshot.verdicts();
  expect(verdict?.sentence).toMatch(/^The first packet arrives and is answered, but the flow's next one is dropped: .*host2 has the rule `-A FORWARD -d 10\.244\.2\.0\/24 -m conntrack --ctstate ESTABLISHED -j DROP` \(x\.k8snet:11\)/);
  expect(verdict?.explanation?.repairs[0]?.title).toMatch(/^remove the rule .* from host2$/);
  for (const { edits } of verdict?.explanation?.repairs ?? []) {
    const text = applyFix(snapshot.text, { title: '', edits: repairEdits(snapshot, edits) ?? [] });
    expect(createSnapshot({ file: 'x.k8snet', text }).verdicts().map((v) => v.sentence), text).toEqual([null]);
  }
});

it('is explained for a trace, too', () => {
  const snapshot = open(RULES);
  const asked = { spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), expectations: [], goal: null, wanted: 'arrival' } as const;
  expect(explain({ ...asked, question: { from: 'client', to: 'web:80' } })?.causes.map((c) => [c.code, c.host])).toEqual([['rule-drop', 'host2']]);
  expect(explain({ ...asked, question: { from: 'client', to: 'web' } })?.causes.map((c) => c.code)).toEqual(['rule-drop']);
});

it('a segment of no connection has a cause where a rule drops it, and none where it comes to the receiver', () => {
  const asked = (rules: string) => {
    const snapshot = open(rules);
    return explain({ spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), expectations: [], goal: null, wanted: 'arrival', question: { from: 'client', to: 'web:80', flags: 16 } });
  };
  expect(asked('    -A FORWARD -p tcp --tcp-flags SYN,ACK ACK -j DROP')?.repairs[0]?.title).toMatch(/^remove the rule/);
  expect(asked('    -A FORWARD -s 10.244.0.0/16 -j ACCEPT')).toBeNull();
});
