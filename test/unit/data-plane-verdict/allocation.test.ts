import { describe, expect, it } from 'vitest';
import { prepare, request, roundTrip, walk } from '../../../engine/src/data-plane/verdict/verdict.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { asking } from './agreement.ts';

const CLUSTER = `
cluster small { pod-cidr 10.0.0.0/16; pod-cidr fd00:10::/48; service-cidr 10.16.0.0/12; service-cidr fd00:16::/112 }
network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { interface eth0 192.168.93.212/24 on lan; pod-cidr 10.0.14.0/24 }
node host2 { interface eth0 192.168.93.213/24 on lan; pod-cidr 10.0.5.0/24 }
pod pod1 on host1 { ip 10.0.14.15 }
pod near on host1 { ip 10.0.14.16; labels app=near; listen 8080 }
pod far on host2 { ip 10.0.5.150; labels app=far; listen 8080; listen 8080/UDP }
pod far2 on host2 { ip 10.0.5.151; labels app=far; listen 8080; listen 8080/UDP }
service one { cluster-ip 10.16.0.1; port p 80 -> 8080; selector app=near }
service several { cluster-ip 10.16.0.2; port p 80 -> 8080; port u 53/UDP -> 8080; selector app=far }
`;

const PACKETS = 10_000;
/** Less than one byte a packet: what the compiler and the runtime themselves leave behind. */
const NOTHING = PACKETS;

/** Bytes on the heap after many calls that were not there before: the least of several times, for others allocate as well. */
function growth(f: (i: number) => void): number {
  for (let i = 0; i < 3 * PACKETS; i++) f(i);
  const times = Array.from({ length: 6 }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PACKETS; i++) f(i);
    return process.memoryUsage().heapUsed - before;
  });
  // A collection in between makes the heap smaller: such a time says nothing.
  return Math.min(...times.filter((bytes) => bytes >= 0));
}

describe('a verdict', () => {
  it.each([
    ['pod to pod', '10.0.14.16:8080'],
    ['to another host, through the tunnel', '10.0.5.150:8080/UDP'],
    ['to a service', '10.16.0.1:80'],
    ['to one of several endpoints, by chance', '10.16.0.2:53/UDP'],
    ['to a port that nobody listens on', '10.0.14.16:81'],
    ['of a ping', '10.0.5.150'],
  ])('allocates nothing, packet after packet: %s', (_, to) => {
    const compiled = createSnapshot({ file: 'small.k8snet', text: CLUSTER }).compiled();
    const question = resolveQuestion(compiled.topology, { from: 'pod1', to });
    if (!('flow' in question)) throw new Error(question.error);
    const { runner } = asking(compiled);
    const handle = prepare(runner, question.flow);
    if (handle === null) throw new Error('nobody to send');
    for (const ask of [walk, request, roundTrip]) {
      const bytes = growth((i) => {
        handle.sourcePort = 1024 + i;
        if (ask(runner, handle, i + 1, 0) === null) throw new Error('it gave up');
      });
      expect(bytes, ask.name).toBeLessThan(NOTHING);
    }
  }, 180_000);

  it('would be seen to allocate, were it one small object a packet', () => {
    const kept: { readonly n: number }[] = [];
    expect(growth((i) => { kept[i % 16] = { n: i }; })).toBeGreaterThan(NOTHING);
  });
});
