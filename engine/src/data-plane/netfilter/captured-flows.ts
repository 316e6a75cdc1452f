/** Flows that a node knew before the trace began, by the hashes of their two tuples. */
import { sameAddress } from '../../net/address.ts';
import { once } from '../../once.ts';
import type { ConntrackRecord } from '../../topology/netfilter.ts';
import { tupleHash } from './tuple.ts';
import type { Tuple } from './tuple.ts';

export interface CapturedTuple {
  readonly tuple: Tuple;
  readonly record: ConntrackRecord;
}

export type CapturedFlows = () => ReadonlyMap<number, readonly CapturedTuple[]>;

/** Indexed when it is first asked. */
export const capturedFlows = (records: readonly ConntrackRecord[]): CapturedFlows =>
  once(() => {
    const byHash = new Map<number, CapturedTuple[]>();
    for (const record of records) {
      for (const direction of ['original', 'reply'] as const) {
        const tuple = tupleOfRecord(record, direction);
        const hash = tupleHash(tuple);
        const same = byHash.get(hash);
        if (same === undefined) byHash.set(hash, [{ tuple, record }]);
        else same.push({ tuple, record });
      }
    }
    return byHash;
  });

export function tupleOfRecord(record: ConntrackRecord, direction: 'original' | 'reply'): Tuple {
  const { source, destination, ports, icmp } = record[direction];
  return {
    family: record.family,
    protocol: record.protocol,
    source,
    destination,
    sourcePort: ports?.source ?? icmp?.id ?? 0,
    destinationPort: ports?.destination ?? icmp?.id ?? 0,
    icmpType: icmp?.type ?? null,
    zone: record.zones[direction],
  };
}

/** Flows between the same ends but for the client's port that are translated to somewhere: where that client's next packet would go. */
export const fromOtherPorts = (records: readonly ConntrackRecord[], { protocol, source, destination, destinationPort, sourcePort, icmpType }: Tuple): readonly ConntrackRecord[] =>
  icmpType !== null
    ? []
    : records.filter(({ protocol: p, original, reply }) =>
        p === protocol && original.ports !== null && original.ports.source !== sourcePort && original.ports.destination === destinationPort &&
        sameAddress(original.source, source) && sameAddress(original.destination, destination) && !sameAddress(reply.source, destination));
