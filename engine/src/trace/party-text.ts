/** How a party of a trace is written: `[KIND/]NAME[:PORT][/PROTOCOL]`, an address, brackets around IPv6 with a port. */
import { parseAddress } from '../net/address.ts';
import type { Port } from '../net/address.ts';
import type { Protocol } from './flow.ts';

export interface PartyText {
  /** Without port and protocol, and without brackets. */
  readonly name: string;
  readonly port: Port | null;
  readonly protocol: Protocol | null;
}

const PROTOCOL = /^(.+)\/(icmp|tcp|udp|sctp)$/i;

/**
 * The readings of a text, the likeliest first: `a/udp` is `a` by UDP, or a pod or service named `udp` in the namespace
 * `a`. A port that is no port stays part of the name, so that nobody is found by it.
 */
export function partyReadings(text: string): readonly [PartyText, ...PartyText[]] {
  const trimmed = text.trim();
  const match = PROTOCOL.exec(trimmed);
  const whole = withPort(trimmed, null);
  if (match === null) return [whole];
  return [withPort(match[1] ?? '', (match[2] ?? '').toUpperCase() as Protocol), whole];
}

function withPort(text: string, protocol: Protocol | null): PartyText {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null && (bracketed[2] === undefined || portOf(bracketed[2]) !== null)) return { name: bracketed[1] ?? '', port: portOf(bracketed[2]), protocol };
  if (parseAddress(text) !== undefined) return { name: text, port: null, protocol };
  const match = /^(.*):(\d+)$/.exec(text);
  const port = portOf(match?.[2]);
  return match === null || port === null ? { name: text, port: null, protocol } : { name: match[1] ?? '', port, protocol };
}

function portOf(digits: string | undefined): Port | null {
  if (digits === undefined) return null;
  const port = Number(digits);
  return port >= 1 && port <= 65535 ? port : null;
}

/** The text of a destination with its port: `kube-system/kube-dns:53/UDP`, `[fd00::1]:53/UDP`. */
export const partyText = (name: string, port: Port, protocol: Protocol): string =>
  parseAddress(name)?.family === 6 ? `[${name}]:${port}/${protocol}` : `${name}:${port}/${protocol}`;
