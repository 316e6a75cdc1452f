/** Faults of the network below the cluster: netmasks, plugs, gateways, addresses that two have, a family that one side lacks. */
import { describe, expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

const LAN = 'network lan 192.168.93.0/24 { gateway 192.168.93.254 }';
const HOST1 = 'node host1 { address 192.168.93.211/24 on lan; pod-cidr 10.244.1.0/24 }';
const HOST2 = 'node host2 { address 192.168.93.212/24 on lan; pod-cidr 10.244.2.0/24 }';
const CLIENT = 'pod client on host1 { ip 10.244.1.10 }';
const WEB = 'pod web on host2 { ip 10.244.2.10; labels app=web; listen 8080/TCP }';

const DUAL = [
  'cluster { pod-cidr 10.244.0.0/16, fd00:10::/32; service-cidr 10.96.0.0/12, fd96::/108 }',
  'network lan 192.168.93.0/24, fd93::/64 { gateway 192.168.93.254, fd93::fe }',
  'node host1 { address 192.168.93.211/24, fd93::211/64 on lan; pod-cidr 10.244.1.0/24, fd00:10:1::/64 }',
  'node host2 { address 192.168.93.212/24, fd93::212/64 on lan; pod-cidr 10.244.2.0/24, fd00:10:2::/64 }',
  'pod client on host1 { ip 10.244.1.10, fd00:10:1::10 }',
  'pod web on host2 { ip 10.244.2.10, fd00:10:2::10; labels app=web; listen 8080/TCP }',
  'service web { cluster-ip 10.96.0.30, fd96::30; port http 80/TCP -> 8080; selector app=web }',
].join('\n');

/** The first cause, and the file after each repair with what it then says of the expectation. */
function judged(...lines: readonly string[]) {
  const text = `${lines.join('\n')}\n`;
  const snapshot = createSnapshot({ file: 'x.k8snet', text });
  const [verdict] = snapshot.verdicts();
  const repairs = (verdict?.explanation?.repairs ?? []).map(({ title, edits }) => {
    const after = applyFix(text, { title, edits: repairEdits(snapshot, edits) ?? [] });
    return { title, after, passes: createSnapshot({ file: 'x.k8snet', text: after }).verdicts()[0]?.passed };
  });
  return { passed: verdict?.passed, causes: verdict?.explanation?.causes.map((c) => c.sentence) ?? [], repairs };
}

const TO_WEB = 'expect client -> pod/web:8080 delivered';

describe('a device that stands wrongly on its network', () => {
  it('has its netmask set as the network has it', () => {
    const { causes, repairs } = judged(LAN, HOST1.replace('.211/24', '.211/30'), HOST2, CLIENT, WEB, TO_WEB);
    expect(causes).toEqual([expect.stringMatching(/^eth0 on host1 \(x\.k8snet:2\) has 192\.168\.93\.211\/30, and the network lan \(x\.k8snet:1\) is 192\.168\.93\.0\/24/) as string]);
    expect(repairs).toMatchObject([{ title: 'give eth0 on host1 the netmask of lan: 192.168.93.211/24', passes: true }]);
    expect(repairs[0]?.after).toContain(HOST1);
  });

  it('is plugged into the network of its address, and keeps its block', () => {
    const { causes, repairs } = judged(LAN, 'network other 192.168.94.0/24', HOST1, HOST2.replace('on lan', 'on other { mtu 1500 }'), CLIENT, WEB, TO_WEB);
    expect(causes).toEqual([expect.stringMatching(/^eth0 on host2 .* is plugged into other, and its address 192\.168\.93\.212\/24 is of the network lan/) as string]);
    expect(repairs).toMatchObject([{ title: 'plug eth0 on host2 into lan', passes: true }]);
    expect(repairs[0]?.after).toContain('address 192.168.93.212/24 on lan { mtu 1500 }; pod-cidr');
  });

  it('is plugged in where it is plugged into nothing', () => {
    const { repairs } = judged(LAN, HOST1, 'node host2 { interface eth0 192.168.93.212/24; pod-cidr 10.244.2.0/24 }', CLIENT, WEB, TO_WEB);
    expect(repairs).toMatchObject([{ title: 'plug eth0 on host2 into lan', passes: true }]);
    expect(repairs[0]?.after).toContain('node host2 { interface eth0 192.168.93.212/24 on lan;');
  });
});

describe('what only the administrator of the network knows is told in words', () => {
  it('a gateway that is missing on the way out', () => {
    expect(judged('network lan 192.168.93.0/24', 'external example.com 203.0.113.7', HOST1, CLIENT, 'expect client -> example.com:443 delivered').causes).toEqual([
      'The network lan (x.k8snet:1) has no IPv4 gateway, so host1 has no route to 203.0.113.7: write `gateway ADDRESS` in it.',
    ]);
  });

  it('a gateway that is missing where the other node is', () => {
    expect(judged(LAN, 'network far 192.168.94.0/24', HOST1, 'node host2 { address 192.168.94.212/24 on far; pod-cidr 10.244.2.0/24 }', CLIENT, WEB, TO_WEB).causes).toEqual([
      'The network far (x.k8snet:2) has no IPv4 gateway, so no route leads to 192.168.94.212 from elsewhere: write `gateway ADDRESS` in it.',
    ]);
  });

  it('an address that two nodes have', () => {
    expect(judged(LAN, HOST1, HOST2, 'node host3 { address 192.168.93.212/24 on lan; pod-cidr 10.244.3.0/24 }', CLIENT, WEB, TO_WEB).causes).toEqual([
      'host2 (x.k8snet:3) and host3 (x.k8snet:4) both have 192.168.93.212, and either answers for it: give one of them an address of its own.',
    ]);
  });

  it('a node with an IPv6 lease and no IPv6 address', () => {
    expect(judged(DUAL.replace('.212/24, fd93::212/64', '.212/24'), 'expect client -> [fd00:10:2::10]:8080 delivered').causes).toEqual([
      'host2 (x.k8snet:4) has an IPv6 pod-cidr, and no IPv6 address on a network, so flannel leads nothing to it and from it: give its device one.',
    ]);
  });

  it('a service of one family, and a sender of the other', () => {
    const text = DUAL.replace('.211/24, fd93::211/64 on lan; pod-cidr 10.244.1.0/24, ', '.211/24, fd93::211/64 on lan; pod-cidr ').replace('10.244.1.10, ', '').replace('10.96.0.30, fd96::30', '10.96.0.30');
    expect(judged(text, 'expect client -> service/web:80 delivered').causes).toEqual([
      'Service default/web (x.k8snet:7) has an IPv4 cluster IP only, and default/client (x.k8snet:5) an IPv6 address only: make the service dual-stack (`ipFamilyPolicy: PreferDualStack`), or the pod.',
    ]);
  });
});

describe('IPv6 that is half set up', () => {
  it('arrives where it is set up', () => {
    expect(judged(DUAL, 'expect client -> [fd96::30]:80 delivered').passed).toBe(true);
  });

  it("a node's lease is made of its pod's address", () => {
    const { causes, repairs } = judged(DUAL.replace('10.244.2.0/24, fd00:10:2::/64', '10.244.2.0/24'), 'expect client -> [fd00:10:2::10]:8080 delivered');
    expect(causes).toEqual(['host2 (x.k8snet:4) has no IPv6 pod-cidr, and web (x.k8snet:6) has an IPv6 address.']);
    expect(repairs).toMatchObject([{ title: 'give host2 the pod-cidr fd00:10:2::/64, too', passes: true }]);
  });

  it('a sender gets an address', () => {
    const { causes, repairs } = judged(DUAL.replace('10.244.1.10, fd00:10:1::10', '10.244.1.10'), 'expect client -> [fd00:10:2::10]:8080 delivered');
    expect(causes).toEqual([expect.stringMatching(/^client \(x\.k8snet:5\) has no IPv6 address/) as string]);
    expect(repairs).toMatchObject([{ title: 'give client the address fd00:10:1::2', passes: true }]);
  });

  it('so does the pod behind a service', () => {
    const { causes, repairs } = judged(DUAL.replace('10.244.2.10, fd00:10:2::10', '10.244.2.10'), 'expect client -> [fd96::30]:80 delivered');
    expect(causes).toEqual([expect.stringMatching(/^web \(x\.k8snet:6\) has no IPv6 address, .* so it is no endpoint there\.$/) as string]);
    expect(repairs).toMatchObject([{ title: 'give web the address fd00:10:2::2', passes: true }]);
  });
});
