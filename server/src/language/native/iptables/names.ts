/** Names and numbers as iptables resolves them; the names are from IANA's registries as Debian's /etc/services and /etc/protocols spell them. */

/** As strtoul(3) with base 0 reads it: decimal, `0x` hexadecimal, a leading 0 octal. */
export function parseNumber(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^\d+$/.test(text) && !/^0\d/.test(text) ? Number(text) : undefined;
}

/** What people write for a port; iptables-save prints numbers. */
export const SERVICE_PORTS: ReadonlyMap<string, number> = new Map(Object.entries({
  'ftp-data': 20, ftp: 21, ssh: 22, telnet: 23, smtp: 25, time: 37, domain: 53, bootps: 67, bootpc: 68, tftp: 69, http: 80, www: 80, kerberos: 88, pop3: 110, sunrpc: 111, ntp: 123,
  'netbios-ns': 137, 'netbios-dgm': 138, 'netbios-ssn': 139, imap2: 143, snmp: 161, 'snmp-trap': 162, bgp: 179, ldap: 389, https: 443, 'microsoft-ds': 445, submission: 587, syslog: 514, ipp: 631,
  ldaps: 636, imaps: 993, pop3s: 995, nfs: 2049, mysql: 3306, postgresql: 5432, mdns: 5353, x11: 6000, 'http-alt': 8080,
}));

/** The first of a number is what iptables-save prints: those that libxtables knows itself, then /etc/protocols. */
const PROTOCOLS: readonly (readonly [number, ...string[]])[] = [
  [0, 'all', 'ip'], [1, 'icmp'], [2, 'igmp'], [3, 'ggp'], [4, 'ipencap'], [5, 'st'], [6, 'tcp'], [8, 'egp'], [9, 'igp'], [12, 'pup'], [17, 'udp'], [20, 'hmp'], [22, 'xns-idp'],
  [27, 'rdp'], [29, 'iso-tp4'], [33, 'dccp'], [36, 'xtp'], [37, 'ddp'], [38, 'idpr-cmtp'], [41, 'ipv6'], [43, 'ipv6-route'], [44, 'ipv6-frag'], [45, 'idrp'], [46, 'rsvp'], [47, 'gre'],
  [50, 'esp'], [51, 'ah'], [57, 'skip'], [58, 'ipv6-icmp', 'icmpv6'], [59, 'ipv6-nonxt'], [60, 'ipv6-opts'], [73, 'rspf'], [81, 'vmtp'], [88, 'eigrp'], [89, 'ospf'], [93, 'ax.25'],
  [94, 'ipip'], [97, 'etherip'], [98, 'encap'], [103, 'pim'], [108, 'ipcomp'], [112, 'vrrp'], [115, 'l2tp'], [124, 'isis'], [132, 'sctp'], [133, 'fc'],
  [135, 'mobility-header', 'ipv6-mh', 'mh'], [136, 'udplite'], [137, 'mpls-in-ip'], [138, 'manet'], [139, 'hip'], [140, 'shim6'], [141, 'wesp'], [142, 'rohc'], [143, 'ethernet'],
];

export const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map(PROTOCOLS.flatMap(([n, ...names]) => names.map((name) => [name, n] as const)));

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(PROTOCOLS.map(([n, name]) => [n, name ?? String(n)] as const));

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
