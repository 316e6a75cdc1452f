/** A trace as a capture: every packet at every interface that it passed, in the order of the hops. */
import { encodePacket } from '../packet/codec.ts';
import { encodePcapng } from '../packet/pcapng.ts';
import type { CapturedPacket, CaptureInterface } from '../packet/pcapng.ts';
import { JOURNEY_WORDS, journeysOf } from './journeys.ts';
import type { Branch, Hop, Trace } from './model.ts';

/** 2024-01-01 00:00:00 UTC, in microseconds: a fixed time, as the simulator has no clock. */
const START = 1_704_067_200_000_000;
const BETWEEN_HOPS = 10;
/** Far enough for an analyser to take the branches for separate flows. */
const BETWEEN_BRANCHES = 3_600_000_000;

/**
 * pcapng with one interface for each `host/namespace/interface`; every packet's comment tells its branch and hop. The
 * branches follow one another, each with its request, its reply, and its second packet where that goes another way.
 */
export function captureOf(trace: Trace): Uint8Array {
  const interfaces: CaptureInterface[] = [];
  const packets: CapturedPacket[] = [];
  for (const [b, branch] of trace.branches.entries()) {
    for (const [n, { hop, comment }] of hopsOf(branch).entries()) {
      packets.push({
        interface: indexOf(interfaces, { name: `${hop.host}/${hop.namespace}/${hop.interface}`, link: linkOf(hop) }),
        direction: hop.direction, time: START + b * BETWEEN_BRANCHES + n * BETWEEN_HOPS, bytes: encodePacket(hop.packet),
        comment: trace.branches.length === 1 ? comment : `branch ${b + 1} of ${trace.branches.length}, ${comment}`,
      });
    }
  }
  return encodePcapng(interfaces, packets);
}

const hopsOf = (branch: Branch): readonly { readonly hop: Hop; readonly comment: string }[] =>
  journeysOf(branch).flatMap(({ name, hops, before }) => hops.map((hop, i) => ({ hop, comment: `${JOURNEY_WORDS[name]}, hop ${before + i + 1}` })));

const linkOf = (hop: Hop): CaptureInterface['link'] => (hop.packet[0]?.header === 'ethernet' ? 'ethernet' : 'ip');

function indexOf(interfaces: CaptureInterface[], wanted: CaptureInterface): number {
  const known = interfaces.findIndex((each) => each.name === wanted.name && each.link === wanted.link);
  return known >= 0 ? known : interfaces.push(wanted) - 1;
}
