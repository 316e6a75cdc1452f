/** Rules that no one would write on purpose: circles, jumps to nowhere, every match and target in any chain. */
import type { Family } from '../../engine/src/net/address.ts';
import { TABLE_NAMES } from '../../engine/src/topology/netfilter.ts';
import type { Table } from '../../engine/src/topology/netfilter.ts';
import { BUILTIN_CHAINS } from '../../engine/src/topology/netfilter.ts';
import { readIptables } from '../../server/src/language/native/iptables/tables.ts';
import { matchNames, targetNames } from '../../server/src/language/native/iptables/registry.ts';

export type Chance = (below: number) => number;

export const pick = <T>(next: Chance, values: readonly T[]): T => {
  const value = values[next(values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
};

export const several = <T>(next: Chance, most: number, make: (i: number) => T): readonly T[] => Array.from({ length: next(most + 1) }, (_, i) => make(i));

const CHAINS = ['A', 'B', 'C', 'D'];

const MATCHES = [
  '', '', '-i eth0', '! -i eth+', '-o cni0', '! -o +', '-p tcp', '! -p udp', '-p icmp', '-p 255', '-p tcp -m tcp --dport 80', '-p udp -m udp --sport 0:65535', '-p tcp -m tcp --tcp-flags ALL NONE', '-p tcp --syn',
  '-m conntrack --ctstate NEW', '-m conntrack --ctstate INVALID,RELATED', '! -m conntrack', '-m conntrack ! --ctstate ESTABLISHED', '-m conntrack --ctdir REPLY', '-m state --state NEW', '-m conntrack --ctstatus NONE',
  '-m mark --mark 0x4000/0x4000', '-m mark ! --mark 0xffffffff', '-m connmark --mark 0', '-m statistic --mode random --probability 0.5', '-m statistic --mode random --probability 0', '-m statistic --mode nth --every 3 --packet 0',
  '-m recent --name x --set', '-m recent --name x --rcheck --seconds 1', '-m recent --name x --remove', '-m addrtype --dst-type LOCAL', '-m addrtype ! --src-type UNICAST --limit-iface-in', '-m physdev --physdev-is-bridged', '-m physdev --physdev-in v+',
  '-m length --length 0:20', '-m ttl --ttl-lt 1', '-m limit --limit 1/day', '-m hashlimit --hashlimit-upto 1/sec --hashlimit-name h', '-m owner --uid-owner 0', '-m set --match-set none src', '-m rpfilter', '-m rpfilter --invert --loose', '-m string --algo bm --string x', '-m u32 --u32 0=0',
  '-m tcpmss --mss 0:1', '-m dscp --dscp 0x3f', '-m pkttype --pkt-type broadcast', '-m mac --mac-source 00:00:00:00:00:00', '-m multiport --ports 1,2:3,65535', '-f', '! -f', '-m iprange --src-range 10.0.0.0-10.255.255.255', '-s 0.0.0.0/0', '! -d 10.0.0.0/255.0.255.0', '-m comment --comment ""', '-s fd00::/8',
];

const TARGETS = [
  '-j ACCEPT', '-j DROP', '-j RETURN', '', '-j REJECT', '-j REJECT --reject-with tcp-reset', '-j REJECT --reject-with icmp-host-prohibited', '-j REJECT --reject-with icmp6-no-route', '-j MARK --set-xmark 0xffffffff/0xffffffff', '-j MARK --xor-mark 1', '-j CONNMARK --restore-mark', '-j CONNMARK --save-mark',
  '-j DNAT --to-destination 10.0.1.1', '-j DNAT --to-destination 10.0.1.1-10.0.1.250:1-65535', '-j DNAT --to-destination 127.0.0.1', '-j DNAT --to-destination 255.255.255.255', '-j DNAT --to-destination 224.0.0.1', '-j DNAT --to-destination 0.0.0.0', '-p tcp -j DNAT --to-destination :0', '-j DNAT --to-destination [fd00::1]:80',
  '-j SNAT --to-source 0.0.0.0', '-j SNAT --to-source 10.0.0.1-10.0.0.3:5-5', '-j SNAT --to-source 224.0.0.1', '-j MASQUERADE', '-j MASQUERADE --random-fully', '-p tcp -j MASQUERADE --to-ports 0', '-j REDIRECT', '-p udp -j REDIRECT --to-ports 65535', '-j NETMAP --to 10.0.0.0/0', '-j NETMAP --to 10.0.0.1/32',
  '-j CT --notrack', '-j NOTRACK', '-j CT --zone 65535', '-j CT --zone-orig 1', '-j LOG', '-j TRACE', '-j NFLOG', '-j TTL --ttl-set 0', '-j TTL --ttl-dec 255', '-j TTL --ttl-inc 255', '-j HL --hl-set 255', '-j DSCP --set-dscp 0x3f', '-j TCPMSS --clamp-mss-to-pmtu', '-j TCPMSS --set-mss 1', '-j TEE --gateway 10.0.0.1', '-j NFQUEUE', '-j SET --add-set none src', '-j SYNPROXY', '-j CLUSTERIP',
];

function ruleText(next: Chance, chain: string, family: Family): string {
  const jump = (): string => `${pick(next, ['-j', '-j', '-g'])} ${pick(next, [...CHAINS, 'GONE', chain])}`;
  const target = next(3) === 0 ? jump() : next(12) === 0 ? `-j ${pick(next, targetNames(family))}` : pick(next, TARGETS);
  const match = next(12) === 0 ? `-m ${pick(next, matchNames(family))}` : pick(next, MATCHES);
  return `-A ${chain} ${match} ${target}`.trim();
}

/** Mistakes of the text are the reader's to tell; what it makes of them is what the engine gets. */
export function hostileTables(next: Chance, family: Family): readonly Table[] {
  const lines = TABLE_NAMES.filter(() => next(3) > 0).flatMap((name) => {
    const chains = BUILTIN_CHAINS[name];
    const policies = chains.map((chain) => `:${chain} ${next(12) === 0 ? 'DROP' : 'ACCEPT'} [0:0]`);
    const own = next(2) === 0 ? CHAINS.map((chain) => `:${chain} - [0:0]`) : [];
    const rules = several(next, 14, () => ruleText(next, pick(next, [...chains, ...chains, ...CHAINS]), family));
    return [`*${name}`, ...policies, ...own, ...rules, 'COMMIT'];
  });
  return readIptables(lines.map((text, i) => ({ text, at: { file: 'hostile', line: i + 1 } })), family).tables;
}
