/** Ports of the node-port range on a node that does not say what listens on it. */
import { describe, expect, it } from 'vitest';
import { branches, clusterText } from './fixture.ts';
import type { Parts } from './fixture.ts';

const ended = (to: string, parts: Parts = {}, from = 'out'): string[] => branches(clusterText(parts), { from, to }).map((b) => b.reason?.code ?? b.outcome);

const PORT = 'service np { cluster-ip 10.16.0.40; port 80 -> 8080 node-port 30080; selector app=far }';
const agent = (rest: string): Parts => ({ more: `pod agent on host1 { host-network; ${rest} }` });

describe('a port that is kept for node ports', () => {
  it.each(['30000', '32767', '31000/UDP', '30080/SCTP'])('is closed where no rule translates it: %s', (port) => {
    expect(ended(`192.168.93.212:${port}`)).toEqual(['port-closed']);
    expect(ended(`192.168.93.212:${port}`, {}, 'pod1')).toEqual(['port-closed']);
  });

  it('is told to be taken for closed', () => {
    const [branch] = branches(clusterText(), { from: 'out', to: '192.168.93.212:30080' });
    expect(JSON.stringify(branch)).toContain('are kept for node ports, and no rule gave 30080/TCP another destination');
  });

  it('leads where a rule translates it, and is closed by another protocol', () => {
    expect(ended('192.168.93.212:30080', { more: PORT })).toEqual(['delivered']);
    expect(ended('192.168.93.212:30080/UDP', { more: PORT })).toEqual(['port-closed']);
  });

  it('is closed on an address that answers no node ports', () => {
    expect(ended('192.168.93.212:30080', { more: PORT, cluster: 'kube-proxy iptables { node-port-addresses 10.99.0.0/16 }' })).toEqual(['port-closed']);
  });

  it.each(['29999', '32768', '22'])('is not %s, which is taken to answer', (port) => {
    expect(ended(`192.168.93.212:${port}`)).toEqual(['delivered']);
  });

  it('answers where the node or a pod on its network says so', () => {
    expect(ended('192.168.93.212:30080', { host1: 'listen 30080/TCP' })).toEqual(['delivered']);
    expect(ended('192.168.93.212:30080', agent('listen 30080/TCP'))).toEqual(['delivered']);
    expect(ended('192.168.93.212:30080', agent('port 30080'))).toEqual(['delivered']);
    expect(ended('192.168.93.213:30080', agent('port 30080'))).toEqual(['port-closed']);
  });

  it('answers a load balancer’s health check', () => {
    const more = 'service lb { cluster-ip 10.16.0.41; port 80 -> 8080; selector app=far; type LoadBalancer; external-traffic-policy Local; health-check-node-port 31234 }';
    expect(ended('192.168.93.212:31234', { more })).toEqual(['delivered']);
  });

  it('answers where a service’s endpoint is on the host’s network', () => {
    const service = 'service agents { cluster-ip 10.16.0.42; port 80 -> 30500; selector app=agent }';
    expect(ended('10.16.0.42:80', { more: `${service}\npod agent on host1 { host-network; labels app=agent }` }, 'pod2')).toEqual(['delivered']);
    expect(ended('10.16.0.42:80', { more: 'service agents { cluster-ip 10.16.0.42; port 80; endpoints 192.168.93.212:30500 }' }, 'pod2')).toEqual(['delivered']);
  });

  it('of a pod or an external is a port as any', () => {
    expect(ended('10.0.14.15:30080', {}, 'pod2')).toEqual(['delivered']);
    expect(ended('203.0.113.7:30080', {}, 'pod1')).toEqual(['delivered']);
  });
});
