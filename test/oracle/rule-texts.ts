/**
 * Rules as people and programs might write them, right and wrong, at random: every option of every modelled match and
 * target, in its spellings, with values at and beyond their bounds.
 */
import * as fc from 'fast-check';
import type { Family } from '../../engine/src/net/address.ts';
import type { TableName } from '../../engine/src/topology/netfilter.ts';

export interface RuleText {
  readonly family: Family;
  readonly table: TableName;
  readonly rule: string;
}

/** One of the values of a slot: good ones, and ones that no tool takes or only some places take. */
interface Slot {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const NUMBERS: Slot = { good: ['0', '1', '7', '0x10', '010', '255'], bad: ['', '-1', '1.5', '0x', '08', '1e3', '4294967296', '99999999999999999999', 'one', '1 2', '+1', ' 5'] };

const SLOTS: Readonly<Record<string, Slot>> = {
  port: {
    good: ['0', '80', '65535', '0x50', '0120', 'ssh', 'domain', 'http', '80:90', ':80', '80:', '1:1', 'ssh:http', '0:65535'],
    bad: ['', ':', '65536', '-1', '80-90', '90:80', '1:2:3', 'nosuch', 'http:', '80,90', '080', '0x', '1.5', 'ssh:1', ' 80'],
  },
  ports: { good: ['80', '80,90', 'ssh,http', '80:90,443', '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15', '0x50,0120'], bad: ['', ',', '80,', ',80', '90:80', '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16', '1,2:3,4:5,6:7,8:9,10:11,12:13,14:15', '80:', ':80', '80, 90', '65536', 'nosuch'] },
  dashports: { good: ['80', '80-90', '0', '65535', 'http'], bad: ['', '80:90', '90-80', '65536', '80-', '-80', 'nosuch', '1-2-3'] },
  device: { good: ['eth0', 'veth+', 'lo', '+', 'cni0', 'averylongname15', 'flannel.1', 'eth0:1', 'a-b_c'], bad: ['', 'averylongname16x', 'eth0/1', '-x', '!', 'et h0'] },
  chain: { good: ['CHAIN-A'], bad: ['NO-SUCH-CHAIN', 'INPUT', 'chain-a', '', 'A-CHAIN-NAME-THAT-IS-MUCH-TOO-LONG', '-x', '!x'] },
  number: NUMBERS,
  byte: { good: ['0', '1', '64', '255', '0xff', '010'], bad: ['', '256', '-1', 'x', '1:2'] },
  dscp: { good: ['0', '0x2e', '63', '10'], bad: ['64', '-1', 'EF', ''] },
  dscpclass: { good: ['EF', 'ef', 'BE', 'CS7', 'AF11', 'af43'], bad: ['AF14', '10', 'CS8', ''] },
  lengths: { good: ['0', '64', '64:128', '1500:', ':100', '0x40', '65535', '128:64'], bad: ['', '65536', 'x', '1:2:3', '64-128', '-1', ':'] },
  masked: { good: ['0', '1', '0x4000', '0x4000/0x4000', '1/0xff', '0xffffffff/0', '010/010', '4294967295'], bad: ['', '0x', '0x1ffffffff', '1/', '/1', '1/2/3', 'x', '-1', '1/x', '0x4000 /0x4000'] },
  bits: { good: ['0', '0x4000', '4294967295', '010'], bad: ['', '0x4000/0x4000', 'x', '-1', '4294967296'] },
  states: { good: ['NEW', 'RELATED,ESTABLISHED', 'ESTABLISHED,RELATED', 'new', 'INVALID', 'UNTRACKED,NEW', 'NEW,NEW'], bad: ['', 'NEWW', 'NEW,', ',NEW', 'NEW, INVALID', 'NE', 'ALL'] },
  ctstates: { good: ['NEW', 'SNAT', 'DNAT,NEW', 'INVALID,NEW,ESTABLISHED,RELATED,UNTRACKED,SNAT,DNAT', 'established'], bad: ['NEWW', '', 'SNAT,', 'NAT'] },
  statuses: { good: ['NONE', 'ASSURED', 'SEEN_REPLY,CONFIRMED', 'expected', 'NONE,ASSURED'], bad: ['', 'X', 'SEEN'] },
  types: { good: ['LOCAL', 'UNICAST', 'local', 'LOCAL,BROADCAST', 'BROADCAST,LOCAL', 'UNSPEC', 'PROHIBIT,THROW'], bad: ['', 'LOCALS', 'LOC', 'NAT', 'XRESOLVE', 'LOCAL,', '!LOCAL'] },
  flags: { good: ['SYN', 'SYN,ACK', 'ack,syn', 'ALL', 'NONE', 'FIN,SYN,RST,PSH,ACK,URG', 'syn,SYN'], bad: ['', 'FOO', 'SYN,', 'SYN;ACK', 'ECE'] },
  mac: { good: ['0a:58:0a:00:05:96', '0A:58:0A:00:05:96', '00:00:00:00:00:00'], bad: ['', '0a:58', '0a-58-0a-00-05-96', '0a:58:0a:00:05:9g', '0a:58:0a:00:05:96:00', 'a:b:c:d:e:f'] },
  probability: { good: ['0', '1', '0.5', '.5', '0.33333333349', '1e-3', '0.50000000000'], bad: ['', '1.5', '-0.1', 'x', '0,5', '50%'] },
  rate: { good: ['5/second', '5/sec', '5/s', '10/minute', '3/hour', '1/day', '5', '100/m', '7/min', '10000/s', '5/MINUTE'], bad: ['', '0', '5/fortnight', '/s', '5/', 'x', '-5/s', '10001/s', '5/ms'] },
  text: { good: ['a', '"a b"', '"say \\"hi\\""', '"back\\\\slash"', '"it\'s"', 'ab"c d"e', '""', '"a,b:c"', '"ü"'], bad: ['a b'] },
  types4: { good: ['8', '3/4', 'any', '255', 'echo-request', 'ping', 'port-unreachable', 'echo-req', 'PING', '0', '3/0', '0x8', 'redirect'], bad: ['', '256', 'x', '3/256', '3/', '/4', '3/4/5', 'echo', 'neighbour-solicitation', '-1', '3/any'] },
  types6: { good: ['128', '1/4', 'echo-request', 'neighbour-solicitation', 'packet-too-big', 'ping', '255', 'any', 'neighbor-advertisement', 'redirect'], bad: ['', '256', 'x', '1/256', 'echo', 'net-unreachable', '1/', '-1'] },
  reject4: { good: ['icmp-port-unreachable', 'port-unreach', 'icmp-net-unreachable', 'host-unreach', 'icmp-admin-prohibited', 'admin-prohib', 'ICMP-PORT-UNREACHABLE', 'icmp-port', 'net-prohib', 'proto-unreach'], bad: ['', 'icmp', 'nosuch', 'icmp6-no-route', 'icmp-host', 'tcp-reset'] },
  reject6: { good: ['icmp6-no-route', 'no-route', 'icmp6-adm-prohibited', 'adm-prohibited', 'icmp6-addr-unreachable', 'addr-unreach', 'icmp6-port-unreachable', 'port-unreach', 'icmp6-policy-fail', 'policy-fail', 'icmp6-reject-route', 'reject-route'], bad: ['', 'icmp6', 'icmp-port-unreachable', 'tcp-reset'] },
  directions: { good: ['src', 'dst', 'src,dst', 'dst,dst,src'], bad: ['', 'source', 'src,', 'src,dst,src,dst,src,dst,src'] },
  protocol: { good: ['tcp', 'udp', 'icmp', 'sctp', 'all', '6', '0x11', 'TCP', 'ipv6-icmp', 'icmpv6', 'esp', 'ah', 'gre', '0', '255', 'udplite', '41'], bad: ['', '256', 'nosuch', '-1', 'tcp,udp', 'tc'] },
  pkttype: { good: ['unicast', 'broadcast', 'multicast', 'BROADCAST', 'bcast', 'mcast', 'host'], bad: ['', 'x', 'uni', 'otherhost'] },
  owner: { good: ['0', '1000', '0-999', 'root'], bad: ['', 'nosuchuser', '-1', '5-', 'x-y', '10-5'] },
  level: { good: ['4', '7', 'debug', 'warning', 'info', '0', 'WARN'], bad: ['8', 'x', '', '-1'] },
  prefixtext: { good: ['"drop: "', 'x', '"exactly twenty nine chars 29!"'], bad: ['""', '"more than twenty nine characters!"'] },
};

const ADDRESSES: Readonly<Record<Family, Slot>> = {
  4: {
    good: ['10.0.0.1', '10.0.0.1/24', '10.0.0.0/255.255.255.0', '0/0', '0.0.0.0/0', '10/8', '10.1/16', '10.0.0.1,10.0.0.2', '10.0.0.0/8,11.0.0.0/8', '10.0.0.1/32', '10.0.0.1/0', '192.168.1.77/255.255.255.255', '10.0.0.0/0.0.0.0'],
    bad: ['', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/', '/8', '1.2.3.4.5', 'fd00::1', 'no.such.host.invalid', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.1,', ',10.0.0.1', '10.0.0.0/x', '10..0.1', '10.0.0.1-10.0.0.9', '0x0a000001', '010.0.0.1', '10.0.0.0/255.255.255', '10.0.0.0/08'],
  },
  6: {
    good: ['fd00::1', 'fd00::1/64', 'fd00::/ffff:ffff::', '::/0', 'FD00::1', 'fd00::1,fd00::2', '::ffff:10.0.0.1', 'fd00:0:0:0:0:0:0:1/128'],
    bad: ['', 'fd00::1/129', '10.0.0.1', 'fd00:::1', '[fd00::1]', 'fd00::1/', 'fd00::g', 'fd00::1%eth0', '::/-1', 'fd00::/x'],
  },
};

const RANGES: Readonly<Record<Family, Slot>> = {
  4: { good: ['10.0.0.1-10.0.0.9', '10.0.0.1', '10.0.0.9-10.0.0.1'], bad: ['', '10.0.0.1-', '-10.0.0.1', '10.0.0.1-x', '10.0.0.0/24', '10.0.0.1:10.0.0.9', '10.0-10.1', 'fd00::1-fd00::2'] },
  6: { good: ['fd00::1-fd00::9', 'fd00::1'], bad: ['', 'fd00::1-', '10.0.0.1-10.0.0.2', 'fd00::/64'] },
};

const DESTINATIONS: Readonly<Record<Family, Slot>> = {
  4: { good: ['10.0.0.1', '10.0.0.1:80', '10.0.0.1-10.0.0.9', '10.0.0.1-10.0.0.9:80-90', ':80', ':80-90', '10.0.0.1:0x50'], bad: ['', ':', '10.0.0.1:', '10.0.0.1:65536', '10.0.0.1:90-80', '10.0.0.9-10.0.0.1', '10.0.0:80', '10.0.0.0/24', 'x', '10.0.0.1:80:90', '10.0.0.1:http', '[10.0.0.1]:80', '10.0.0.1:0', 'fd00::1'] },
  6: { good: ['fd00::1', '[fd00::1]:80', 'fd00::1-fd00::9', '[fd00::1-fd00::9]:80-90', '[fd00::1]', ':80'], bad: ['', '[fd00::1', '[fd00::1]:', '[fd00::1]:65536', 'fd00::1]:80', '10.0.0.1', '[fd00::1]-[fd00::2]:80', '[fd00::1]x', '[fd00::1]80'] },
};

/** A part of a rule; `{slot}` is filled. `protocol`: one that it needs. */
interface Piece {
  readonly text: string;
  readonly protocol?: string;
  readonly family?: Family;
}

const piece = (text: string, rest: Omit<Piece, 'text'> = {}): Piece => ({ text, ...rest });

const HEADERS: readonly Piece[] = [
  '-s {address}', '-d {address}', '! -s {address}', '! -d {address}', '--source {address}', '--src {address}', '--destination {address}', '--dst {address}', '-s ! {address}', '--sourc {address}', '-s10.0.0.1', '--src=10.0.0.1',
  '-i {device}', '! -i {device}', '-o {device}', '! -o {device}', '--in-interface {device}', '--out-interface {device}', '-i ! {device}', '--in-int {device}',
  '-p {protocol}', '! -p {protocol}', '--protocol {protocol}', '--proto {protocol}', '-p ! {protocol}', '-f', '! -f', '--fragments', '-c 1 2', '-c 1', '-c x y', '--set-counters 3 4', '!', '! !', '--', '-', 'stray',
].map((text) => piece(text));

const PORT_OPTIONS = ['--sport {port}', '--dport {port}', '! --dport {port}', '! --sport {port}', '--source-port {port}', '--destination-port {port}', '--dport ! {port}', '--dpor {port}', '--dport={port}', '--sport {port} --dport {port}', '--destination {address}'];

const portPieces = ['tcp', 'udp', 'sctp', 'dccp', 'udplite'].flatMap((protocol) => [...PORT_OPTIONS, ...(protocol === 'udplite' ? [] : PORT_OPTIONS.map((o) => `-m ${protocol} ${o}`)), ...(protocol === 'udplite' ? [] : [`-m ${protocol}`])].map((text) => piece(text, { protocol })));

const MATCHES: readonly Piece[] = [
  ...portPieces,
  ...['--syn', '! --syn', '--tcp-flags {flags} {flags}', '! --tcp-flags {flags} {flags}', '-m tcp --tcp-flags {flags} {flags} --dport {port}', '-m tcp --syn --dport {port}', '--tcp-flags {flags}', '--tcp-option {byte}', '! --tcp-option {byte}', '-m tcpmss --mss {lengths}', '-m tcpmss ! --mss {lengths}', '-m tcpmss'].map((t) => piece(t, { protocol: 'tcp' })),
  ...['tcp', 'udp', 'sctp', 'dccp', 'udplite'].flatMap((protocol) => ['--sports {ports}', '--dports {ports}', '--ports {ports}', '! --dports {ports}', '--source-ports {ports}', '--destination-ports {ports}', '--dports ! {ports}', '--port {ports}', '--dports {ports} --sports {ports}', ''].map((t) => piece(`-m multiport ${t}`, { protocol }))),
  ...['--icmp-type {types4}', '-m icmp --icmp-type {types4}', '! --icmp-type {types4}', '-m icmp ! --icmp-type {types4}', '--icmp-type ! {types4}', '-m icmp'].map((t) => piece(t, { protocol: 'icmp', family: 4 })),
  ...['--icmpv6-type {types6}', '-m icmp6 --icmpv6-type {types6}', '! --icmpv6-type {types6}', '-m icmpv6 --icmpv6-type {types6}', '--icmp6-type {types6}', '-m ipv6-icmp --icmpv6-type {types6}'].map((t) => piece(t, { protocol: 'ipv6-icmp', family: 6 })),
  ...[
    '-m comment --comment {text}', '-m comment', '-m comment --comment={text}', '--comment {text}',
    '-m mark --mark {masked}', '-m mark ! --mark {masked}', '-m mark', '-m connmark --mark {masked}', '-m connmark ! --mark {masked}', '-m mark --mark ! {masked}',
    '-m conntrack --ctstate {ctstates}', '-m conntrack ! --ctstate {ctstates}', '-m state --state {states}', '-m state ! --state {states}', '-m conntrack --ctstatus {statuses}', '-m conntrack ! --ctstatus {statuses}', '-m conntrack --ctdir ORIGINAL', '-m conntrack --ctdir reply', '-m conntrack --ctdir x',
    '-m conntrack --ctorigsrc {address}', '-m conntrack ! --ctorigdst {address}', '-m conntrack --ctreplsrc {address} --ctrepldst {address}', '-m conntrack --ctorigdstport {port}', '-m conntrack ! --ctorigsrcport {port}', '-m conntrack --ctreplsrcport {port}', '-m conntrack --ctrepldstport {port}',
    '-m conntrack --ctproto {protocol}', '-m conntrack ! --ctproto {protocol}', '-m conntrack --ctexpire {lengths}', '-m conntrack --ctexpire {lengths} --ctstate {ctstates}', '-m conntrack --ctstate {ctstates} --ctdir ORIGINAL', '-m conntrack', '-m state',
    '-m addrtype --src-type {types}', '-m addrtype --dst-type {types}', '-m addrtype ! --dst-type {types}', '-m addrtype --dst-type {types} --limit-iface-in', '-m addrtype --src-type {types} --limit-iface-out', '-m addrtype --src-type {types} --dst-type {types}', '-m addrtype --limit-iface-in', '-m addrtype --dst-type LOCAL --limit-iface-in --limit-iface-out', '-m addrtype',
    '-m iprange --src-range {range}', '-m iprange --dst-range {range}', '-m iprange ! --src-range {range}', '-m iprange --src-range {range} --dst-range {range}', '-m iprange',
    '-m mac --mac-source {mac}', '-m mac ! --mac-source {mac}', '-m mac',
    '-m physdev --physdev-in {device}', '-m physdev ! --physdev-in {device}', '-m physdev --physdev-out {device} --physdev-is-bridged', '-m physdev --physdev-is-in', '-m physdev ! --physdev-is-in', '-m physdev --physdev-is-out --physdev-is-bridged', '-m physdev --physdev-is-bridged', '-m physdev',
    '-m statistic --mode random --probability {probability}', '-m statistic --mode random ! --probability {probability}', '-m statistic --mode nth --every {number}', '-m statistic --mode nth --every 5 --packet {number}', '-m statistic --mode nth ! --every 5 --packet 1', '-m statistic --mode x', '-m statistic --mode random', '-m statistic --probability {probability} --mode random', '-m statistic', '-m statistic --mode nth --probability {probability}', '-m statistic --mode random --every {number}', '-m statistic --mode nth --packet 1',
    '-m recent --set', '-m recent --set --name x', '-m recent --rcheck', '-m recent ! --rcheck --name x --rsource', '-m recent --update --seconds {number} --hitcount {number}', '-m recent --update --seconds 60 --reap', '-m recent --rcheck --rttl', '-m recent --rcheck --hitcount 5 --rttl --name y', '-m recent --remove --rdest', '-m recent --set --mask 255.255.255.0', '-m recent --set --rsource --rdest', '-m recent --remove --seconds 5', '-m recent',
    '-m limit --limit {rate}', '-m limit --limit {rate} --limit-burst {number}', '-m limit', '-m limit --limit-burst {number}', '-m limit ! --limit {rate}', '-m limit --limit ! {rate}',
    '-m hashlimit --hashlimit-upto {rate} --hashlimit-name x', '-m hashlimit --hashlimit-above {rate} --hashlimit-mode srcip --hashlimit-name x', '-m hashlimit --hashlimit {rate} --hashlimit-name y', '-m hashlimit ! --hashlimit-upto {rate} --hashlimit-name y', '-m hashlimit --hashlimit-upto {rate} --hashlimit-burst {number} --hashlimit-mode srcip,dstport --hashlimit-name z --hashlimit-htable-expire 10000', '-m hashlimit --hashlimit-upto {rate}', '-m hashlimit --hashlimit-name x', '-m hashlimit --hashlimit-above 1mb/s --hashlimit-name b', '-m hashlimit --hashlimit-above 512kb/s --hashlimit-burst 1mb --hashlimit-mode dstip --hashlimit-name b', '-m hashlimit --hashlimit-upto {rate} --hashlimit-name m --hashlimit-mode srcip --hashlimit-srcmask 24', '-m hashlimit --hashlimit-upto {rate} --hashlimit-name m --hashlimit-mode nosuch', '-m hashlimit --hashlimit-upto 10/sec --hashlimit-name q --hashlimit-htable-size {number} --hashlimit-htable-max 100 --hashlimit-htable-gcinterval 1000',
    '-m length --length {lengths}', '-m length ! --length {lengths}', '-m length', '-m dscp --dscp {dscp}', '-m dscp ! --dscp {dscp}', '-m dscp --dscp-class {dscpclass}', '-m dscp', '-m pkttype --pkt-type {pkttype}', '-m pkttype ! --pkt-type {pkttype}', '-m pkttype',
    '-m owner --uid-owner {owner}', '-m owner ! --uid-owner {owner}', '-m owner --gid-owner {owner}', '-m owner --socket-exists', '-m owner ! --socket-exists', '-m owner --uid-owner 0 --suppl-groups', '-m owner',
    '-m rpfilter', '-m rpfilter --invert', '-m rpfilter --loose --validmark --accept-local', '-m rpfilter --loose --invert',
    '-m set --match-set NAME {directions}', '-m set ! --match-set NAME {directions}', '-m set', '-m set --match-set NAME', '-m set --set NAME {directions}',
    '-m nosuch', '-m', '-m tcp', '-m udp --dport 53', '-m icmp --icmp-type 8', '--dport {port}', '--nosuch 5', '--match comment --comment {text}', '-m comment --comment a -m comment --comment b', '-m tcp -m udp',
    '-m string --string abc --algo bm', '-m u32 --u32 "6&0xFF=1"', '-m time --timestart 10:00', '-m connlimit --connlimit-above 5', '-m helper --helper ftp', '-m quota --quota 1000', '-m socket', '-m policy --dir in --pol ipsec', '-m ecn --ecn-tcp-cwr', '-m connbytes --connbytes 10:20 --connbytes-dir both --connbytes-mode packets', '-m bpf --bytecode "1,6 0 0 1"', '-m realm --realm 5', '-m cpu --cpu 0', '-m devgroup --src-group 1', '-m tos --tos 0x10', '-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7', '-m nfacct --nfacct-name x', '-m ah', '-m esp --espspi 5',
  ].map((t) => piece(t)),
  ...['--ttl-eq {byte}', '! --ttl-eq {byte}', '--ttl {byte}', '--ttl-lt {byte}', '--ttl-gt {byte}', '--ttl-eq 5 --ttl-gt 3', ''].map((t) => piece(`-m ttl ${t}`, { family: 4 })),
  ...['--hl-eq {byte}', '! --hl-eq {byte}', '--hl-lt {byte}', '--hl-gt {byte}', ''].map((t) => piece(`-m hl ${t}`, { family: 6 })),
];

type Target = readonly [table: TableName, chain: string, text: string, protocol?: string | undefined, family?: Family];

const targets: readonly Target[] = [
  ...['-j ACCEPT', '-j DROP', '-j RETURN', '', '-j {chain}', '-g {chain}', '--jump ACCEPT', '--goto {chain}', '-jACCEPT', '-j accept', '-j ACCEPT -j DROP', '-g ACCEPT', '-j', '-j ACCEPT x', '-j LOG', '-j LOG --log-prefix {prefixtext}', '-j LOG --log-level {level}', '-j LOG --log-prefix x --log-level {level} --log-uid', '-j LOG --log-tcp-options --log-ip-options --log-tcp-sequence --log-macdecode', '-j NFLOG', '-j NFLOG --nflog-group {number}', '-j NFLOG --nflog-prefix {prefixtext} --nflog-group 5 --nflog-size 128', '-j NFLOG --nflog-threshold {number}', '-j MARK --set-mark {masked}', '-j MARK --set-xmark {masked}', '-j CONNMARK --save-mark', '-j NFQUEUE --queue-num 3', '-j TEE --gateway 10.0.0.1', '-j CLASSIFY --set-class 1:2', '-j AUDIT --type drop', '-j nosuchtarget', '-j SET --add-set x src', '-j ACCEPT --random', '-j ACCEPT ! -s {address}', '! -j ACCEPT', '-j QUEUE'].map((t): Target => ['filter', 'FORWARD', t]),
  ...['-j REJECT', '-j REJECT --reject-with {reject4}', '-j REJECT --reject-with={reject4}'].map((t): Target => ['filter', 'FORWARD', t, undefined, 4]),
  ...['-j REJECT', '-j REJECT --reject-with {reject6}'].map((t): Target => ['filter', 'FORWARD', t, undefined, 6]),
  ...['-j REJECT --reject-with tcp-reset', '-j REJECT --reject-with tcp-rst'].map((t): Target => ['filter', 'FORWARD', t, 'tcp']),
  ...['-j DNAT --to-destination {destination}', '-j DNAT --to-destination {destination} --random', '-j DNAT --to-destination {destination} --persistent', '-j DNAT --to {destination}', '-j DNAT --random', '-j DNAT', '-j REDIRECT', '-j REDIRECT --to-ports {dashports}', '-j REDIRECT --to-ports {dashports} --random', '-j REDIRECT --random', '-j NETMAP --to {address}', '-j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2', '-j DNAT ! --to-destination {destination}'].flatMap((t): Target[] => [['nat', 'PREROUTING', t, 'tcp'], ['nat', 'OUTPUT', t]]),
  ...['-j SNAT --to-source {destination}', '-j SNAT --to-source {destination} --random-fully', '-j SNAT --to-source {destination} --random --persistent', '-j SNAT', '-j MASQUERADE', '-j MASQUERADE --random-fully', '-j MASQUERADE --random', '-j MASQUERADE --to-ports {dashports}', '-j MASQUERADE --to-ports {dashports} --random-fully --random', '-j NETMAP --to {address}'].flatMap((t): Target[] => [['nat', 'POSTROUTING', t, 'udp'], ['nat', 'POSTROUTING', t]]),
  ...['-j MARK --set-mark {masked}', '-j MARK --set-xmark {masked}', '-j MARK --and-mark {bits}', '-j MARK --or-mark {bits}', '-j MARK --xor-mark {bits}', '-j MARK', '-j MARK --set-mark 1 --or-mark 2', '-j CONNMARK --set-mark {masked}', '-j CONNMARK --set-xmark {masked}', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark --nfmask {bits} --ctmask {bits}', '-j CONNMARK --save-mark --mask {bits}', '-j CONNMARK --and-mark {bits}', '-j CONNMARK --or-mark {bits}', '-j CONNMARK --xor-mark {bits}', '-j CONNMARK', '-j CONNMARK --set-mark 1 --save-mark', '-j CONNMARK --nfmask 1', '-j DSCP --set-dscp {dscp}', '-j DSCP --set-dscp-class {dscpclass}', '-j DSCP', '-j TOS --set-tos 0x10', '-j CHECKSUM --checksum-fill', '-j TPROXY --on-port 80', '-j TRACE', '-j IDLETIMER --timeout 5 --label x'].map((t): Target => ['mangle', 'PREROUTING', t]),
  ...['-j TTL --ttl-set {byte}', '-j TTL --ttl-dec {byte}', '-j TTL --ttl-inc {byte}', '-j TTL', '-j TTL --ttl-set 1 --ttl-inc 1'].map((t): Target => ['mangle', 'PREROUTING', t, undefined, 4]),
  ...['-j HL --hl-set {byte}', '-j HL --hl-dec {byte}', '-j HL --hl-inc {byte}', '-j HL'].map((t): Target => ['mangle', 'PREROUTING', t, undefined, 6]),
  ...['-j TCPMSS --set-mss {lengths}', '-j TCPMSS --clamp-mss-to-pmtu', '-j TCPMSS', '-j TCPMSS --set-mss 1400 --clamp-mss-to-pmtu'].flatMap((t): Target[] => [['mangle', 'FORWARD', `-m tcp --tcp-flags SYN,RST SYN ${t}`, 'tcp'], ['mangle', 'POSTROUTING', t, 'tcp'], ['mangle', 'FORWARD', t]]),
  ...['-j CT --notrack', '-j CT --zone {number}', '-j CT --zone-orig {number}', '-j CT --zone-reply {number}', '-j CT --zone mark', '-j CT', '-j NOTRACK', '-j TRACE', '-j CT --ctevents new,destroy', '-j CT --notrack --zone 5', '-j CT --zone 1 --zone-orig 2'].map((t): Target => ['raw', 'PREROUTING', t]),
];

/** A slot's value, right in most cases: a rule with several faults tells little. */
const valueOf = (name: string, family: Family): fc.Arbitrary<string> => {
  const slot = name === 'address' ? ADDRESSES[family] : name === 'range' ? RANGES[family] : name === 'destination' ? DESTINATIONS[family] : SLOTS[name];
  if (slot === undefined) throw new Error(`no slot ${name}`);
  return fc.oneof({ weight: 7, arbitrary: fc.constantFrom(...slot.good) }, { weight: 1, arbitrary: fc.constantFrom(...slot.bad) });
};

function filled(text: string, family: Family): fc.Arbitrary<string> {
  const parts = text.split(/\{(\w+)\}/);
  return fc.tuple(...parts.map((part, i) => (i % 2 === 0 ? fc.constant(part) : valueOf(part, family)))).map((values) => values.join(''));
}

const some = (pieces: readonly Piece[], family: Family, most: number): fc.Arbitrary<readonly Piece[]> =>
  fc.array(fc.constantFrom(...pieces.filter((p) => p.family === undefined || p.family === family)), { maxLength: most });

const rule: fc.Arbitrary<RuleText> = fc.constantFrom<Family>(4, 6).chain((family) =>
  fc.oneof(fc.constantFrom(...targets), fc.constant<Target>(['filter', 'FORWARD', '-j ACCEPT'])).filter((t) => t[4] === undefined || t[4] === family).chain(([table, chain, target, targetProtocol]) =>
    fc.tuple(fc.oneof(fc.constant([]), some(HEADERS, family, 2)), some(MATCHES, family, 2), fc.integer({ min: 0, max: 19 }), fc.nat(3)).chain(([headers, matches, odd, order]) => {
      const protocol = targetProtocol ?? matches.find((m) => m.protocol !== undefined)?.protocol;
      // One rule in twenty lacks the protocol that its options need.
      const protocols = protocol === undefined || odd === 0 ? [] : [`-p ${protocol}`];
      const words = [...protocols, ...headers.map((h) => h.text), ...matches.map((m) => m.text)];
      const all = order === 0 ? [target, ...words] : [...words, target];
      return filled([`-A ${chain}`, ...all].join(' '), family).map((text) => ({ family, table, rule: text.replace('NAME', family === 6 ? 'NAME6' : 'NAME') }));
    }),
  ),
);

const UNKNOWN = ['eth0', '99999', '-x', '--no-such-option', '!', 'ACCEPT', '-j'];

/** A rule with one word dropped, doubled, put elsewhere or replaced, behind its `-A CHAIN`. */
const mutated: fc.Arbitrary<RuleText> = rule.chain((text) => {
  const words = text.rule.split(' ');
  const place = fc.nat(Math.max(words.length - 3, 0)).map((n) => n + 2);
  return fc.tuple(place, place, fc.constantFrom('drop', 'double', 'swap', 'replace'), fc.constantFrom(...UNKNOWN)).map(([at, other, how, unknown]) => {
    const [word = '', second = ''] = [words[at], words[other]];
    const changed =
      how === 'drop' ? words.toSpliced(at, 1)
      : how === 'double' ? words.toSpliced(at, 0, word)
      : how === 'swap' ? words.with(Math.min(at, words.length - 1), second).with(Math.min(other, words.length - 1), word)
      : words.with(Math.min(at, words.length - 1), unknown);
    return { ...text, rule: changed.join(' ') };
  });
});

export const mutatedTexts = (count: number, seed: number): readonly RuleText[] => fc.sample(mutated, { numRuns: count, seed });

export const ruleTexts = (count: number, seed: number): readonly RuleText[] => fc.sample(rule, { numRuns: count, seed });
