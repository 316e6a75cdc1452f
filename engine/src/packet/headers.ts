/**
 * One packet as a list of headers, outermost first, as a trace shows it: plain JSON, addresses and MACs as text.
 * The codecs beside this file turn it into bytes and back; lengths and checksums are computed there and never stored.
 */

export interface EthernetHeader {
  readonly header: 'ethernet';
  readonly source: string;
  readonly destination: string;
  readonly etherType: number;
}

export interface ArpHeader {
  readonly header: 'arp';
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetMac: string;
  readonly targetAddress: string;
}

export interface Ipv4Header {
  readonly header: 'ipv4';
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
}

export interface Ipv6Header {
  readonly header: 'ipv6';
  readonly source: string;
  readonly destination: string;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
}

/** ICMP and ICMPv6 alike; an error's quoted packet follows as further headers. */
export interface IcmpHeader {
  readonly header: 'icmp' | 'icmpv6';
  readonly type: number;
  readonly code: number;
  /** Echo and its reply. */
  readonly identifier?: number;
  readonly sequence?: number;
  /** Fragmentation needed, packet too big. */
  readonly mtu?: number;
  /** Redirect. */
  readonly gateway?: string;
  /** Neighbour solicitation and advertisement. */
  readonly target?: string;
}

export interface UdpHeader {
  readonly header: 'udp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** False: the checksum field is 0 (noudpcsum). */
  readonly checksum: boolean;
  /**
   * The sum is left to the device (CHECKSUM_PARTIAL), as a capture on the sending host shows it: the field holds the
   * sum of the pseudo header only. The simulator sends none.
   */
  readonly partialChecksum?: true;
}

export interface TcpHeader {
  readonly header: 'tcp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  /** Wire order of the flags, `SYN`, `SYN ACK`, `RST ACK` … */
  readonly flags: readonly ('FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK' | 'URG')[];
  readonly window: number;
  readonly mss?: number;
  /** As in UDP. */
  readonly partialChecksum?: true;
}

export interface SctpHeader {
  readonly header: 'sctp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly verificationTag: number;
  readonly chunk: 'INIT' | 'INIT ACK' | 'ABORT';
}

export interface VxlanHeader {
  readonly header: 'vxlan';
  readonly vni: number;
  /** 0x0800: the VNI is valid. */
  readonly flags: number;
}

/** Bytes that belong to no header: `hex` where they matter, otherwise `length` bytes of filler. */
export interface PayloadHeader {
  readonly header: 'payload';
  readonly length: number;
  readonly hex?: string;
}

export type Header =
  | EthernetHeader | ArpHeader | Ipv4Header | Ipv6Header | IcmpHeader | UdpHeader | TcpHeader | SctpHeader | VxlanHeader | PayloadHeader;

/** Outermost first. */
export type PacketHeaders = readonly Header[];
