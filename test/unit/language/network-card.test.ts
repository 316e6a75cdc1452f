/** A network card that the node calls otherwise than the file: what is said, and that the quick fix mends the trace. */
import { describe, expect, it } from 'vitest';
import { applyFix, snapshotOf } from './fixtures.ts';
import { quickFixes } from '../../../server/src/language/features/quick-fixes.ts';

const file = (statement: string, dump: string): string => `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 {
  ${statement}
  pod-cidr 10.244.1.0/24
  ${dump}
}
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24 }
expect host2 -> 192.168.93.212:22 delivered
`;

const ROUTES = `routes {
    default via 192.168.93.254 dev ens3
    10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
    192.168.93.0/24 dev ens3 proto kernel scope link src 192.168.93.212
  }`;

const LINKS = `links {
    1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000
        link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    2: ens3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
        link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
  }`;

const ADDRESSES = `addresses {
    1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
        link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
        inet 127.0.0.1/8 scope host lo
    2: ens3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
        link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
        inet 192.168.93.212/24 brd 192.168.93.255 scope global ens3
  }`;

const IN_ROUTES = 'host1 has no device ens3, and its 192.168.93.212 is declared on eth0: name the interface ens3';
const inLinks = (name: string): string => `What host1 printed shows no device ${name}: name it as the node does (ens3), or remove it`;

describe('a network card of another name', () => {
  it.each([
    ['in the routes', 'address 192.168.93.212/24 on lan', ROUTES, IN_ROUTES],
    ['in the links', 'address 192.168.93.212/24 on lan', LINKS, inLinks('eth0')],
    ['in the links, by its own name', 'interface em1 192.168.93.212/24 on lan', LINKS, inLinks('em1')],
  ])('%s is told, and the fix names it', (_, statement, dump, message) => {
    const snapshot = snapshotOf(file(statement, dump));
    expect(snapshot.diagnostics.map((d) => d.message)).toEqual([message]);
    expect(snapshot.verdicts().map((v) => v.passed)).toEqual([false]);
    const [fix] = snapshot.diagnostics.flatMap((d) => quickFixes(snapshot, d));
    if (fix === undefined) throw new Error('no fix');
    const fixed = snapshotOf(applyFix(snapshot.text, fix));
    expect(fixed.text).toContain('\n  interface ens3 192.168.93.212/24 on lan\n');
    expect(fixed.diagnostics).toEqual([]);
    expect(fixed.verdicts().map((v) => v.passed)).toEqual([true]);
  });

  it('is known where the addresses were pasted, too', () => {
    const snapshot = snapshotOf(file('address 192.168.93.212/24 on lan', `${ADDRESSES}\n  ${ROUTES}`));
    expect(snapshot.diagnostics).toEqual([]);
    expect(snapshot.verdicts().map((v) => v.passed)).toEqual([true]);
  });
});
