/** What is said of an `expect` that cannot be read, and where. */
import { describe, expect, it } from 'vitest';
import { quickFixes } from '../../../server/src/language/features/quick-fixes.ts';
import { snapshotOf } from './fixtures.ts';

const FILE = `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24 }
pod a on host1 { ip 10.244.1.5 }
pod b on host1 { ip 10.244.1.6 }
`;

/** `the word it stands at: the message`, of each diagnostic. */
function told(statement: string): readonly string[] {
  const snapshot = snapshotOf(FILE + statement);
  return snapshot.diagnostics.map((d) => `${snapshot.text.slice(d.start, d.end)}: ${d.message}`);
}

describe('an expectation', () => {
  it.each([
    ['expect a -> b:80/TCP UDP delivered', "UDP: two protocols are given, TCP and UDP: write one"],
    ['expect a -> b:80/ICMP delivered', 'b:80/ICMP: a ping has no port: leave it out, or write TCP, UDP or SCTP'],
    ['expect a -> b:80 ICMP delivered', 'b:80: a ping has no port: leave it out, or write TCP, UDP or SCTP'],
    ['expect a -> b delivered to a to b', "to: 'to' stands twice: remove one of them"],
    ['expect a -> b delivered as 10.0.0.1 as 10.0.0.2', "as: 'as' stands twice: remove one of them"],
    ['expect a -> b delivered via host1/cni0 via host1/cni0', "via: 'via' stands twice: remove one of them"],
    ['expect a -> b size 20 delivered', "20: '20' is no size: a number of bytes from 28 to 65535 is needed, headers included"],
    ['expect a -> b size delivered', "delivered: 'delivered' is no size: a number of bytes from 28 to 65535 is needed, headers included"],
    ['expect a -> b delivered size 1400', "size: 'size' stands before the outcome: write size 1400 delivered"],
    ['expect -> b delivered', "->: 'expect' lacks who sends: write expect FROM -> TO[:PORT][/PROTOCOL] delivered"],
  ])('%s', (statement, message) => {
    expect(told(statement)).toEqual([message]);
  });

  it.each(['expect a -> b:80/TCP delivered', 'expect a -> b:80 udp delivered', 'expect a -> b ICMP delivered to b via host1/cni0, b/eth0 as 10.244.1.5', 'expect a -> b:80 UDP size 1400 not dropped'])('%s is none of these', (statement) => {
    expect(told(statement)).toEqual([]);
  });

  it('whose arrow is glued to the names is mended by blanks', () => {
    const snapshot = snapshotOf(`${FILE}expect a->b delivered`);
    const [diagnostic, ...more] = snapshot.diagnostics;
    if (diagnostic === undefined) throw new Error('nothing is told');
    expect([diagnostic.slug, diagnostic.message, more]).toEqual(['bad-expectation', "'->' stands between blanks; did you mean 'a -> b'?", []]);
    expect(quickFixes(snapshot, diagnostic).map((f) => f.edits[0]?.text)).toEqual(['a -> b']);
  });
});
