/** Which extensions there are: modelled ones, and those that iptables 1.8 has and k8snet does not model. */
import type { Family } from '../../../../../engine/src/net/address.ts';
import { PACKET_MATCHES } from './match-packet.ts';
import { RATE_MATCHES } from './match-rate.ts';
import { STATE_MATCHES } from './match-state.ts';
import { TRANSPORT_MATCHES } from './match-transport.ts';
import type { MatchModule, TargetModule } from './module.ts';
import { DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE } from './names.ts';
import { TARGETS } from './targets.ts';

const MATCHES: ReadonlyMap<string, MatchModule> = new Map([...TRANSPORT_MATCHES, ...STATE_MATCHES, ...RATE_MATCHES, ...PACKET_MATCHES].map((m) => [m.name, m] as const));

const ALIASES: ReadonlyMap<string, string> = new Map([['icmpv6', 'icmp6'], ['ipv6-icmp', 'icmp6']]);

/** Names of modules, with the family where it is one alone. */
const opaque = (both: string, v4: string, v6: string): ReadonlyMap<string, Family | null> =>
  new Map(([[both, null], [v4, 4], [v6, 6]] as const).flatMap(([names, family]) => names.split(' ').map((name) => [name, family] as const)));

const OPAQUE_MATCHES = opaque(
  'ah bpf cgroup cluster connbytes connlabel connlimit cpu devgroup ecn esp helper ipcomp ipvs nfacct osf policy quota rateest socket string time tos u32',
  'realm',
  'dst eui64 frag hbh ipv6header mh rt srh',
);

const OPAQUE_TARGETS = opaque(
  'AUDIT CHECKSUM CLASSIFY CONNSECMARK HMARK IDLETIMER LED NFQUEUE QUEUE RATEEST SECMARK SET SYNPROXY TCPOPTSTRIP TEE TOS TPROXY',
  'CLUSTERIP ECN ULOG',
  'DNPT SNPT',
);

const fitsOpaque = (names: ReadonlyMap<string, Family | null>, name: string, family: Family): boolean => {
  const only = names.get(name);
  return only === null || only === family;
};

const fits = (extension: { readonly family?: Family }, family: Family): boolean => extension.family === undefined || extension.family === family;

export function matchModule(name: string, family: Family): MatchModule | 'opaque' | undefined {
  const known = MATCHES.get(ALIASES.get(name) ?? name);
  if (known !== undefined) return fits(known, family) ? known : undefined;
  return fitsOpaque(OPAQUE_MATCHES, name, family) ? 'opaque' : undefined;
}

/** `undefined` where the name can only be a chain's. */
export function targetModule(name: string, family: Family): TargetModule | 'opaque' | undefined {
  const known = TARGETS.get(name);
  if (known !== undefined) return fits(known, family) ? known : undefined;
  return fitsOpaque(OPAQUE_TARGETS, name, family) ? 'opaque' : undefined;
}

/** The module whose options `-p` brings along without an `-m`. */
export function protocolModule(protocol: number | null, family: Family): MatchModule | undefined {
  const name = ({ [TCP]: 'tcp', [UDP]: 'udp', [UDPLITE]: 'udp', [SCTP]: 'sctp', [DCCP]: 'dccp', [ICMP]: 'icmp', [ICMPV6]: 'icmp6' } as Readonly<Record<number, string>>)[protocol ?? -1];
  const module = name === undefined ? undefined : matchModule(name, family);
  return module === 'opaque' ? undefined : module;
}

export const matchNames = (family: Family): string[] => [...MATCHES.values()].filter((m) => fits(m, family)).map((m) => m.name).concat([...OPAQUE_MATCHES.keys()].filter((name) => fitsOpaque(OPAQUE_MATCHES, name, family)));

export const targetNames = (family: Family): string[] => ['ACCEPT', 'DROP', 'RETURN', ...[...TARGETS.values()].filter((t) => fits(t, family)).map((t) => t.name), ...[...OPAQUE_TARGETS.keys()].filter((name) => fitsOpaque(OPAQUE_TARGETS, name, family))];

/** Every long option, for "did you mean". */
export const optionNames = (family: Family): string[] => [
  ...[...MATCHES.values(), ...TARGETS.values()].filter((m) => fits(m, family)).flatMap((m) => m.options.flatMap((o) => [o.name, ...(o.aliases ?? [])])),
];

/** The match module that has an option, for the message about one without its `-m`. */
export function moduleWithOption(option: string, family: Family): string | undefined {
  return [...MATCHES.values()].find((m) => fits(m, family) && m.options.some((o) => o.name === option || (o.aliases ?? []).includes(option)))?.name;
}

/** The tables that take a target; `null` where every table does. For the language's checks. */
export function tablesOfTarget(name: string): readonly string[] | null {
  return TARGETS.get(name)?.tables ?? null;
}
