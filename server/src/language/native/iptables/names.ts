/** Names and numbers as iptables resolves them; the names are from IANA's registries as Debian's /etc/services and /etc/protocols spell them. */

/** As strtoul(3) with base 0 reads it: decimal, `0x` hexadecimal, a leading 0 octal; blanks and a plus before it are passed over. */
export function parseNumber(given: string): number | undefined {
  const text = /^[\s+]/.test(given) ? given.replace(/^\s*\+?/, '') : given;
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^\d+$/.test(text) && !/^0\d/.test(text) ? Number(text) : undefined;
}

/** The first of a number is what iptables-save prints: those that libxtables knows itself, then /etc/protocols. */
const PROTOCOLS: readonly (readonly [number, ...string[]])[] = [
  [0, 'all', 'ip', 'hopopt'], [1, 'icmp'], [2, 'igmp'], [3, 'ggp'], [4, 'ipencap'], [5, 'st'], [6, 'tcp'], [8, 'egp'], [9, 'igp'], [12, 'pup'], [17, 'udp'], [20, 'hmp'], [22, 'xns-idp'],
  [27, 'rdp'], [29, 'iso-tp4'], [33, 'dccp'], [36, 'xtp'], [37, 'ddp'], [38, 'idpr-cmtp'], [41, 'ipv6'], [43, 'ipv6-route'], [44, 'ipv6-frag'], [45, 'idrp'], [46, 'rsvp'], [47, 'gre'],
  [50, 'esp'], [51, 'ah'], [57, 'skip'], [58, 'ipv6-icmp', 'icmpv6'], [59, 'ipv6-nonxt'], [60, 'ipv6-opts'], [73, 'rspf'], [81, 'vmtp'], [88, 'eigrp'], [89, 'ospf'], [93, 'ax.25'],
  [94, 'ipip'], [97, 'etherip'], [98, 'encap'], [103, 'pim'], [108, 'ipcomp'], [112, 'vrrp'], [115, 'l2tp'], [124, 'isis'], [132, 'sctp'], [133, 'fc'],
  [135, 'mobility-header', 'ipv6-mh', 'mh'], [136, 'udplite'], [137, 'mpls-in-ip'], [138, 'manet'], [139, 'hip'], [140, 'shim6'], [141, 'wesp'], [142, 'rohc'], [143, 'ethernet'],
];

export const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map(PROTOCOLS.flatMap(([n, ...names]) => names.map((name) => [name, n] as const)));

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(PROTOCOLS.map(([n, name]) => [n, name ?? String(n)] as const));

/** The name under which /etc/services knows a protocol with ports; `null` for any other. */
export const transportName = (protocol: number | null): string | null =>
  ({ [TCP]: 'tcp', [UDP]: 'udp', [DCCP]: 'dccp', [SCTP]: 'sctp', [UDPLITE]: 'udplite' } as Readonly<Record<number, string>>)[protocol ?? -1] ?? null;

/** A name in upper or lower case, or a number up to 255. */
export function protocolNumber(text: string): number | undefined {
  const n = parseNumber(text) ?? PROTOCOL_NUMBERS.get(text.toLowerCase());
  return n !== undefined && n <= 255 ? n : undefined;
}

export const protocolName = (protocol: number): string => PROTOCOL_NAMES.get(protocol) ?? String(protocol);

export const TCP = 6;
export const UDP = 17;
export const DCCP = 33;
export const SCTP = 132;
export const UDPLITE = 136;
export const ICMP = 1;
export const ICMPV6 = 58;
