import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates } from '../../../engine/src/data-plane/netfilter/chain-index.ts';
import type { Packet } from '../../../engine/src/data-plane/packet.ts';
import { ipv4 } from '../../../engine/src/net/address.ts';
import type { Chain, Match, Rule } from '../../../engine/src/topology/netfilter.ts';
import { derived } from '../../../engine/src/topology/origin.ts';

interface Wanted {
  readonly source: number | null;
  readonly destination: number | null;
  readonly port: number | null;
  readonly inverted: boolean;
}

const small = fc.option(fc.integer({ min: 0, max: 3 }));
const wanted: fc.Arbitrary<Wanted> = fc.record({ source: small, destination: small, port: small, inverted: fc.boolean() });

const host = (n: number): { address: ReturnType<typeof ipv4>; length: number } => ({ address: ipv4(0x0a000000 + n), length: 32 });
const origin = derived('kernel', 'a test');

function ruleOf({ source, destination, port, inverted }: Wanted): Rule {
  const matches: Match[] = [];
  if (source !== null) matches.push({ kind: 'source', prefix: host(source), inverted });
  if (destination !== null) matches.push({ kind: 'destination', prefix: host(destination), inverted });
  if (port !== null) matches.push({ kind: 'destination-port', protocol: 'udp', ports: { from: port, to: port }, inverted });
  return { matches, target: null, text: '', origin };
}

const packetOf = (source: number, destination: number, port: number): Packet => ({
  frame: null,
  ip: { family: 4, source: host(source).address, destination: host(destination).address, protocol: 17, ttl: 64, tos: 0, id: 0, dontFragment: true, fragmentedTo: null, rejoined: false },
  transport: { kind: 'udp', sourcePort: 9, destinationPort: port, checksum: true, carried: null, payload: 0 },
});

const holds = (w: number | null, n: number, inverted: boolean): boolean => w === null || (w === n) !== inverted;

describe('the index of a long chain', () => {
  it('leaves out no rule that matches, and keeps the order', () => {
    const places = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 6, maxLength: 20 }), places, places, places, (rules, source, destination, port) => {
        const chain: Chain = { name: 'C', policy: null, rules: rules.map(ruleOf), origin };
        const asked = candidates(chain, packetOf(source, destination, port));
        const matching = rules.flatMap((r, i) => (holds(r.source, source, r.inverted) && holds(r.destination, destination, r.inverted) && holds(r.port, port, r.inverted) ? [i] : []));
        expect(asked?.filter((i) => matching.includes(i))).toEqual(matching);
        expect(asked).toEqual([...new Set(asked)].sort((a, b) => a - b));
      }),
    );
  });

  it('asks one rule of thousands that differ in their destination', () => {
    const rules = Array.from({ length: 5000 }, (_, i) => ruleOf({ source: null, destination: i, port: 53, inverted: false }));
    expect(candidates({ name: 'KUBE-SERVICES', policy: null, rules, origin }, packetOf(1, 4321, 53))).toEqual([4321]);
  });
});
