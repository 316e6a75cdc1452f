/** The lines of a device's own kind in `ip -d link`: iproute2's iplink_vxlan.c, iplink_bridge_slave.c and their neighbours. */
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { BridgePort, Device, Vxlan } from '../../../../engine/src/topology/model.ts';
import type { Report } from './dump.ts';
import type { Word } from './words.ts';

export type DeviceDetail = Device;

const MODELLED = ['veth', 'bridge', 'vxlan', 'dummy', 'tun'];
const NOT_MODELLED = [
  'vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'bond', 'team', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'erspan', 'ipip', 'ip6tnl', 'sit', 'vti', 'vti6', 'geneve', 'wireguard', 'vrf', 'xfrm',
  'ifb', 'nlmon', 'netkit', 'macsec', 'can', 'vcan', 'bareudp', 'hsr', 'vsockmon', 'tap', 'rmnet', 'gtp', 'lowpan', 'amt', 'dsa', 'openvswitch', 'bond_slave', 'team_slave', 'vrf_slave', 'macvlan_mode',
];

export const isDetailWord = (word: string): boolean => MODELLED.includes(word) || NOT_MODELLED.includes(word);

export function readDetail(words: readonly Word[], report: Report): DeviceDetail {
  const kind = words[0];
  switch (kind?.text) {
    case 'veth':
      return { kind: 'veth', peer: null };
    case 'bridge':
      tellOf(words, BRIDGE_UNKNOWN, 'a bridge', report);
      return { kind: 'bridge' };
    case 'dummy':
      return { kind: 'dummy' };
    case 'vxlan':
      return readVxlan(words, report);
    case 'tun':
      if (words[2]?.text === 'tap') {
        report(words[2], 'not-modelled', 'k8snet does not model a tap device: a trace that leaves by it ends undecided.', { severity: 'warning' });
        return { kind: 'unknown' };
      }
      // Only flannel's udp backend is modelled; the port is flanneld's own and is not printed.
      return { kind: 'tun', port: 8285, local: null, leases: [] };
    default:
      if (kind !== undefined) {
        report(kind, 'not-modelled', `k8snet does not model a device of the kind \`${kind.text}\`: a trace that leaves by it ends undecided.`, { severity: 'warning' });
      }
      return { kind: 'unknown' };
  }
}

/** What changes a frame's way over a bridge or a port of it where it has another value than the usual one, and is not modelled. */
const BRIDGE_UNKNOWN = { vlan_filtering: '0', nf_call_iptables: '0', nf_call_ip6tables: '0' } as const;
const PORT_UNKNOWN = { neigh_suppress: 'off', locked: 'off', proxy_arp: 'off', proxy_arp_wifi: 'off', bcast_flood: 'on', mcast_flood: 'on' } as const;
/** Of the spanning tree: no frame passes. */
const CLOSED_STATES = ['listening', 'learning', 'blocking'];

function tellOf(words: readonly Word[], usual: Readonly<Record<string, string>>, where: string, report: Report): void {
  for (const [i, word] of words.entries()) {
    const value = words[i + 1];
    if (value === undefined || !Object.hasOwn(usual, word.text) || usual[word.text] === value.text) continue;
    report(word, 'not-modelled', `k8snet does not model \`${word.text} ${value.text}\` of ${where} and traces without it.`, { severity: 'warning' });
  }
}

/** Words of a vxlan device that change a packet's way and are not modelled. */
const VXLAN_UNKNOWN = ['gbp', 'remcsum', 'proxy', 'rsc'];
/** With these the packet or another table says where it goes. */
const VXLAN_WITHOUT_VNI = ['external', 'gpe', 'vnifilter', 'vnifilterid'];

function readVxlan(words: readonly Word[], report: Report): Vxlan | { readonly kind: 'unknown' } {
  const outside = words.find((word) => VXLAN_WITHOUT_VNI.includes(word.text));
  if (outside !== undefined) {
    report(outside, 'not-modelled', `k8snet does not model \`${outside.text}\` of a VXLAN device: a trace that leaves by it ends undecided.`, { severity: 'warning' });
    return { kind: 'unknown' };
  }
  const has = (name: string): boolean => words.some((word) => word.text === name);
  const valueAfter = (name: string): Word | undefined => {
    const at = words.findIndex((word) => word.text === name);
    return at < 0 ? undefined : words[at + 1];
  };
  const number = (name: string, max: number, fallback: number): number => {
    const word = valueAfter(name);
    const n = word !== undefined && /^\d+$/.test(word.text) ? Number(word.text) : null;
    if (n !== null && n <= max) return n;
    if (word !== undefined) report(word, 'bad-value', `\`${word.text}\` is no value of \`${name}\`: write a number from 0 to ${max}.`);
    return fallback;
  };
  for (const word of words) {
    if (VXLAN_UNKNOWN.includes(word.text)) {
      report(word, 'not-modelled', `k8snet does not model \`${word.text}\` of a VXLAN device and traces without it.`, { severity: 'warning' });
    }
  }
  const localWord = valueAfter('local') ?? valueAfter('local6');
  const local = localWord === undefined ? null : (parseAddress(localWord.text) ?? null);
  if (localWord !== undefined && local === null) report(localWord, 'bad-value', `\`${localWord.text}\` is no address.`);
  const df = valueAfter('df')?.text;
  const inherited = (name: string): number | 'inherit' | undefined => {
    const text = valueAfter(name)?.text ?? '0';
    // A TOS of 1 is how the kernel keeps `inherit`.
    return text === 'inherit' || (name === 'tos' && Number(text) === 1) ? 'inherit' : Number(text) > 0 && Number(text) <= 255 ? Number(text) : undefined;
  };
  const [ttl, tos, sourcePorts] = [inherited('ttl'), inherited('tos'), readSourcePorts(words)];
  return {
    kind: 'vxlan',
    vni: number('id', 0xff_ffff, 1),
    port: number('dstport', 65535, 8472),
    local,
    underlay: valueAfter('dev')?.text ?? null,
    learning: !has('nolearning'),
    df: df === 'set' || df === 'inherit' ? df : 'unset',
    checksum: local?.family === 6 ? !has('udp6zerocsumtx') : !has('noudpcsum'),
    misses: has('l2miss') || has('l3miss') ? [] : null,
    ...(ttl === undefined ? {} : { ttl }),
    ...(tos === undefined ? {} : { tos }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
  };
}

/** `srcport 0 0` is the kernel's own range. */
function readSourcePorts(words: readonly Word[]): Vxlan['sourcePorts'] {
  const at = words.findIndex((word) => word.text === 'srcport');
  const [from, to] = [Number(words[at + 1]?.text), Number(words[at + 2]?.text)];
  return at >= 0 && from < to && to <= 65535 ? { from, to } : undefined;
}

/** `on` and `off` after the flags' names; what is not printed has the kernel's default. */
export function readBridgePort(words: readonly Word[], report: Report): Omit<BridgePort, 'master'> {
  tellOf(words, PORT_UNKNOWN, 'a bridge port', report);
  const state = words[words.findIndex((word) => word.text === 'state') + 1];
  if (state !== undefined && CLOSED_STATES.includes(state.text)) {
    report(state, 'not-modelled', `The spanning tree lets no frame through a port that is ${state.text}; k8snet takes it for forwarding.`, { severity: 'warning' });
  }
  const flag = (name: string, initially: 'on' | 'off'): boolean => {
    const at = words.findIndex((word) => word.text === name);
    return (at < 0 ? initially : words[at + 1]?.text) === 'on';
  };
  return { hairpin: flag('hairpin', 'off'), isolated: flag('isolated', 'off'), learning: flag('learning', 'on'), flood: flag('flood', 'on') };
}
