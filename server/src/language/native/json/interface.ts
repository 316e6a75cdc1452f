/** `ip -j addr`, `ip -j -d link` and `bridge -j -d link`: ipaddress.c print_linkinfo() and print_addrinfo(), bridge/link.c print_linkinfo(). */
import type { JsonMember, JsonNode } from './json-text.ts';
import type { Draft, Field, Fields, Strange, Transcript } from './transcript.ts';
import { draftLine, flags, ignored, memberOf, named, plainValue, write, writeMembers } from './transcript.ts';

const HEADER_WORDS = [
  'ifindex', 'ifname', 'link', 'link_index', 'flags', 'address', 'link_type', 'addr_info', 'linkinfo', 'stats', 'stats64', 'broadcast', 'qdisc', 'operstate', 'linkmode', 'group', 'txqlen', 'promiscuity', 'allmulti', 'min_mtu', 'max_mtu',
  'inet6_addr_gen_mode', 'num_tx_queues', 'num_rx_queues', 'gso_max_size', 'gso_max_segs', 'gro_max_size', 'gso_ipv4_max_size', 'gro_ipv4_max_size', 'tso_max_size', 'tso_max_segs', 'parentbus', 'parentdev', 'phys_port_name', 'phys_port_id',
  'phys_switch_id', 'altnames', 'ifalias', 'permaddr', 'vfinfo_list', 'num_vf', 'xdp', 'event', 'link_pointtopoint', 'carrier_changes', 'carrier_up_count', 'carrier_down_count', 'ipv6_addr_gen_mode', 'af_spec', 'nr_rx_queues', 'deleted',
  'proto_down', 'proto_down_reasons', 'dormant', 'tstamp', 'vlan', 'netns-immutable',
];

/** The flags of a bridge's port, as words and `on` or `off`; `ip` gives them among `linkinfo`, `bridge` beside the device's name. */
const onOff = (word: string): Field => ({
  kind: 'own',
  write: (draft, value, path) => { write(draft, `${word} ${plainValue(value) === 'true' ? 'on' : 'off'}`, value, path); },
});

const PORT_FLAGS = ['hairpin', 'isolated', 'learning', 'flood', 'neigh_suppress', 'locked', 'proxy_arp', 'proxy_arp_wifi', 'bcast_flood', 'mcast_flood'];

const PORT_IGNORED = [
  'guard', 'root_block', 'fastleave', 'mcast_router', 'mcast_to_unicast', 'neigh_vlan_suppress', 'vlan_tunnel', 'mab', 'cost', 'priority', 'id', 'no', 'designated_port', 'designated_cost',
  'bridge_id', 'root_id', 'hold_timer', 'message_age_timer', 'forward_delay_timer', 'topology_change_ack', 'config_pending', 'multicast_router', 'group_fwd_mask', 'group_fwd_mask_str', 'backup_port',
  'backup_nhid', 'mcast_n_groups', 'mcast_max_groups', 'hwmode',
];

const PORT: Fields = new Map<string, Field>([...PORT_FLAGS.map((word): [string, Field] => [word, onOff(word)]), ...named('state'), ...ignored(...PORT_IGNORED)]);

const HEADER: Fields = new Map<string, Field>([...named('mtu', 'master', 'state'), ...ignored('link_netnsid', 'link_netns', ...HEADER_WORDS, ...PORT_FLAGS, ...PORT_IGNORED)]);

const ADDRESS: Fields = new Map<string, Field>([
  ...named('scope', ['broadcast', 'brd'], ['protocol', 'proto'], ['metric', 'metric']),
  ...flags('tentative', 'dadfailed', 'secondary', 'temporary', 'deprecated', 'dynamic', 'noprefixroute', 'nodad', 'mngtmpaddr', 'home', 'autojoin', 'optimistic', 'stable-privacy', 'permanent'),
  ...ignored('family', 'local', 'address', 'prefixlen', 'label', 'valid_life_time', 'preferred_life_time', 'anycast'),
]);

const VXLAN: Fields = new Map<string, Field>([
  ...named('id', 'group', 'group6', 'local', 'local6', 'remote', 'remote6', ['link', 'dev'], ['port', 'dstport'], 'ttl', 'tos', 'df', 'ageing', 'maxaddr', 'label'),
  ...flags('external', 'vnifilter', 'proxy', 'rsc', 'l2miss', 'l3miss', 'gbp', 'gpe'),
  ['learning', negated('nolearning')],
  ['udp_csum', negated('noudpcsum')],
  ['udp_zero_csum6_tx', { kind: 'flag', word: 'udp6zerocsumtx' }],
  ['udp_zero_csum6_rx', { kind: 'flag', word: 'udp6zerocsumrx' }],
  ['remcsum_tx', { kind: 'flag', word: 'remcsum' }],
  ['remcsum_rx', { kind: 'flag', word: 'remcsum' }],
  ['port_range', { kind: 'own', write: (draft, value, path) => { write(draft, `srcport ${plainValue(memberOf(value, 'low')?.value) ?? ''} ${plainValue(memberOf(value, 'high')?.value) ?? ''}`, value, path); } }],
  ...ignored('fan_map', 'mode', 'localbypass', 'limit', 'link_index'),
]);

const BRIDGE: Fields = new Map(named('vlan_filtering', 'nf_call_iptables', 'nf_call_ip6tables'));

const TUN: Fields = new Map(named('type'));

function negated(word: string): Field {
  return { kind: 'own', write: (draft, value, path) => { if (plainValue(value) === 'false') write(draft, word, value, path); } };
}

export function interfaceLines(record: JsonNode, path: string, strange: Strange[]): Transcript[] {
  const lines = [header(record, path, strange)];
  const type = memberOf(record, 'link_type');
  if (type !== undefined) lines.push(linkLine(type, record, path));
  const info = memberOf(record, 'linkinfo')?.value;
  if (info !== undefined) lines.push(...detailLines(info, `${path}.linkinfo`, strange));
  // `bridge -j -d link` has the port's flags in the record itself.
  if (memberOf(record, 'hairpin') !== undefined && record.kind === 'object') {
    const line = draftLine(record, path);
    write(line, 'bridge_slave', record, path);
    writeMembers(line, only(record, PORT), path, PORT, [], strange);
    lines.push(line);
  }
  const addresses = memberOf(record, 'addr_info')?.value;
  for (const [i, address] of (addresses?.kind === 'array' ? addresses.items : []).entries()) lines.push(addressLine(address, `${path}.addr_info[${i}]`, strange));
  return lines;
}

function header(record: JsonNode, path: string, strange: Strange[]): Draft {
  const line = draftLine(record, path);
  const value = (key: string): JsonNode | undefined => memberOf(record, key)?.value;
  const behind = plainValue(value('link')) ?? (value('link_index') === undefined ? undefined : `if${plainValue(value('link_index')) ?? ''}`);
  const up = value('flags');
  const words = up?.kind === 'array' ? up.items.map((item) => plainValue(item) ?? '') : [];
  write(line, `${plainValue(value('ifindex')) ?? '0'}: ${plainValue(value('ifname')) ?? ''}${behind === undefined ? '' : `@${behind}`}: <${words.join(',')}>`, memberOf(record, 'ifname')?.value ?? record, `${path}.ifname`);
  writeMembers(line, record, path, HEADER, ['mtu'], strange);
  return line;
}

function linkLine(type: JsonMember, record: JsonNode, path: string): Draft {
  const line = draftLine(type.value, path);
  const [address, namespace] = [memberOf(record, 'address'), memberOf(record, 'link_netns')];
  write(line, `link/${plainValue(type.value) ?? ''}`, type.value, `${path}.link_type`);
  if (address !== undefined) write(line, plainValue(address.value) ?? '', address.value, `${path}.address`);
  if (namespace !== undefined) write(line, `link-netns ${plainValue(namespace.value) ?? ''}`, namespace.value, `${path}.link_netns`);
  return line;
}

function detailLines(info: JsonNode, path: string, strange: Strange[]): Draft[] {
  const lines: Draft[] = [];
  const kind = memberOf(info, 'info_kind');
  if (kind !== undefined) {
    const line = draftLine(kind.value, path);
    write(line, plainValue(kind.value) ?? '', kind.value, `${path}.info_kind`);
    const data = memberOf(info, 'info_data')?.value;
    const name = plainValue(kind.value);
    if (name === 'vxlan' && data !== undefined) writeMembers(line, data, `${path}.info_data`, VXLAN, [], strange);
    // Without `-j` this is `ttl inherit`; JSON says nothing then (iplink_vxlan.c).
    if (name === 'vxlan' && data !== undefined && memberOf(data, 'port') !== undefined && memberOf(data, 'ttl') === undefined) write(line, 'ttl inherit', data, `${path}.info_data`);
    if (name === 'bridge' && data !== undefined) writeMembers(line, only(data, BRIDGE), `${path}.info_data`, BRIDGE, [], strange);
    if (name === 'tun' && data !== undefined) writeMembers(line, only(data, TUN), `${path}.info_data`, TUN, [], strange);
    lines.push(line);
  }
  const slave = memberOf(info, 'info_slave_kind');
  const slaveData = memberOf(info, 'info_slave_data')?.value;
  if (slave !== undefined) {
    const line = draftLine(slave.value, path);
    write(line, `${plainValue(slave.value) ?? ''}_slave`, slave.value, `${path}.info_slave_kind`);
    if (plainValue(slave.value) === 'bridge' && slaveData !== undefined) writeMembers(line, slaveData, `${path}.info_slave_data`, PORT, [], strange);
    lines.push(line);
  }
  return lines;
}

/** The members of an object that are known; a bridge has fifty more, which say nothing of a packet's way. */
const only = (node: JsonNode, fields: Fields): JsonNode => (node.kind === 'object' ? { ...node, members: node.members.filter((m) => fields.has(m.key.value)) } : node);

function addressLine(address: JsonNode, path: string, strange: Strange[]): Draft {
  const line = draftLine(address, path);
  const value = (key: string): JsonNode | undefined => memberOf(address, key)?.value;
  const local = value('local') ?? value('anycast');
  const peer = value('address');
  const length = plainValue(value('prefixlen')) ?? '';
  const own = plainValue(local) ?? '';
  const family = memberOf(address, 'family')?.value;
  write(line, plainValue(family) ?? '', family ?? address, `${path}.family`);
  write(line, peer === undefined ? `${own}/${length}` : `${own} peer ${plainValue(peer) ?? ''}/${length}`, local ?? address, `${path}.local`);
  writeMembers(line, address, path, ADDRESS, [], strange);
  return line;
}
