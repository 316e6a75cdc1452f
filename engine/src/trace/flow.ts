/** What is traced: the first packet of a flow, as a socket of the sender would send it. */
import type { Address, Port } from '../net/address.ts';

export type Protocol = 'ICMP' | 'TCP' | 'UDP' | 'SCTP';

export interface Flow {
  /** As the caller wrote them, for the trace. */
  readonly fromText: string;
  readonly toText: string;
  /** The namespace that sends. */
  readonly host: string;
  readonly namespace: string;
  /** `null`: the kernel selects the source by the route. */
  readonly source: Address | null;
  readonly destination: Address;
  readonly protocol: Protocol;
  /** Ephemeral, unless the caller named one. */
  readonly sourcePort: Port;
  /** ICMP: unused. */
  readonly destinationPort: Port;
  /** How the destination's name was resolved, one entry a question; empty for an address or an object's name. */
  readonly resolution: readonly { readonly query: string; readonly answer: string }[];
  /** The cluster's DNS, which was asked for the name and has to answer; absent where the file does not have it. */
  readonly nameserver?: Address;
  /** What was taken for granted to find the destination, as one sentence. */
  readonly assumption?: string;
  /** TCP only, bits as on the wire; absent: a SYN. */
  readonly tcpFlags?: number;
  /** Bytes behind the transport header; 56 for a ping. */
  readonly payload: number;
}

const FLAG_BITS: ReadonlyMap<string, number> = new Map([['fin', 1], ['syn', 2], ['rst', 4], ['psh', 8], ['ack', 16], ['urg', 32]]);

/** `ack`, `syn,ack`, `FIN`: the flags of a segment; `undefined` where a name is none. */
export function tcpFlagsOf(text: string): number | undefined {
  let flags = 0;
  for (const name of text.toLowerCase().split(',')) {
    const bit = FLAG_BITS.get(name.trim());
    if (bit === undefined) return undefined;
    flags |= bit;
  }
  return flags;
}
