/** What the codecs of the single headers and the walk over a whole packet (codec.ts) say to each other. */
import type { IpHeader } from './checksum.ts';
import type { Header } from './headers.ts';

/** What the next bytes are; `ip` is told apart by its version field. */
export type Layer = Header['header'] | 'ip';

/** What is wrong or cannot be kept; the headers are given all the same. */
export interface PacketProblem {
  readonly layer: Layer;
  /** From the start of the packet. */
  readonly offset: number;
  readonly message: string;
}

export interface DecodeContext {
  /** The nearest IP header around: its addresses are in the transport's checksum. */
  readonly ip: IpHeader | null;
  /** Bytes that the lengths promise and that are not there: a truncated packet, or the quote in an ICMP error. */
  readonly missing: number;
  /** Inside the quote of an ICMP error, which is cut short by design. */
  readonly quoted: boolean;
  /** UDP destination ports behind which VXLAN is expected. */
  readonly vxlanPorts: readonly number[];
  /** UDP destination ports behind which a bare IP packet is expected (flannel's udp backend). */
  readonly ipPorts: readonly number[];
}

export interface Decoded {
  readonly header: Header;
  /** Bytes of the header. */
  readonly length: number;
  /** Bytes behind the header that are its own, as it says; what follows them is padding. `null`: all. */
  readonly body: number | null;
  readonly next: Layer;
  readonly problems: readonly string[];
}

/** `string`: why these bytes cannot be read as this header; they become payload. */
export type DecodeResult = Decoded | string;

export const shortOf = (name: string, needed: number, bytes: Uint8Array): string =>
  `${name} needs ${needed} bytes and only ${bytes.length} are left`;

/** The problems that hold. */
export const problemsOf = (...checks: readonly (readonly [boolean, string])[]): readonly string[] =>
  checks.filter(([holds]) => holds).map(([, message]) => message);
