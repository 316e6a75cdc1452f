/** What the lab's script tells ip(8); that the kernel takes it is what test/oracle shows. */
import { describe, expect, it } from 'vitest';
import { labScript } from '../../../engine/src/lab/script.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { clusterText } from '../data-plane/fixture.ts';

const linesOf = (text: string): readonly string[] => labScript(createSnapshot({ file: 'lab.k8snet', text }).topology()).split('\n');

describe('the script of a lab', () => {
  it('puts the nexthops of a route on the line of the route', () => {
    const lines = linesOf(clusterText({ host1: 'routes {\n203.0.113.0/24\n\tnexthop via 192.168.93.254 dev eth0 weight 1\n\tnexthop via 192.168.93.213 dev eth0 weight 2\n}' }));
    expect(lines).toContain('route replace 203.0.113.0/24 nexthop via 192.168.93.254 dev eth0 weight 1 nexthop via 192.168.93.213 dev eth0 weight 2');
  });

  it('leaves out what ip prints of a refusing route in IPv6, and does not take', () => {
    const lines = linesOf(clusterText({ host1: 'routes {\nunreachable fd00:77::/64 dev lo metric 1024 error -101 pref medium\n}' }));
    expect(lines).toContain('route replace unreachable fd00:77::/64 metric 1024');
  });

  it('tells a bridge its MTU where a port has another', () => {
    const port = /^link set (veth\w+) master cni0$/;
    const name = linesOf(clusterText()).map((line) => port.exec(line)?.[1]).find((n) => n !== undefined) ?? '';
    const lines = linesOf(clusterText({ host1: `links {\n9: ${name}@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue master cni0 state UP\n    veth\n    bridge_slave state forwarding\n}` }));
    expect(lines.indexOf('link set cni0 mtu 1450')).toBeGreaterThan(lines.findLastIndex((line) => port.test(line) && line.includes(name)));
  });

  it("gives each end of a pod's link its own MTU", () => {
    const lines = linesOf(clusterText({ pod1: 'links {\n2: eth0@if9: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n    veth\n}' }));
    const link = lines.find((line) => line.startsWith('link add eth0') && line.includes('netns $LAB-pod-default-pod1 '));
    expect(link).toMatch(/ mtu 1500 netns .* peer name veth\w+ address \S+ mtu 1450 netns /);
  });
});
