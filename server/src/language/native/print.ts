/** Records as the tools print them: what `k8snet show` writes and the readers beside this file read back. */
import { formatAddress, formatMac, formatPrefix, bitsOf } from '../../../../engine/src/net/address.ts';
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { FdbEntry, Neighbour, Nexthop, PolicyRule, Route, RouteType, Sysctl } from '../../../../engine/src/topology/model.ts';
import { DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE } from '../../../../engine/src/topology/model.ts';

/** A bare address where the prefix is a host's, as iproute2 prints it. */
const formatHostOrPrefix = (prefix: Prefix): string =>
  prefix.length === bitsOf(prefix.address.family) ? formatAddress(prefix.address) : formatPrefix(prefix);

export function formatTable(table: number): string {
  return table === LOCAL_TABLE ? 'local' : table === MAIN_TABLE ? 'main' : table === DEFAULT_TABLE ? 'default' : String(table);
}

const REFUSING: ReadonlySet<RouteType> = new Set(['unreachable', 'blackhole', 'prohibit', 'throw']);

/** One route as `ip route show table all` prints it, its nexthops on lines of their own where there are several. */
export function printRoute(route: Omit<Route, 'text' | 'origin'>): string {
  const { family } = route.destination.address;
  const [single] = route.nexthops.length === 1 ? route.nexthops : [];
  const words = [
    route.type === 'unicast' ? '' : route.type,
    route.destination.length === 0 ? 'default' : formatHostOrPrefix(route.destination),
    route.tos === 0 ? '' : `tos 0x${route.tos.toString(16).padStart(2, '0')}`,
    single === undefined ? '' : gatewayAndDevice(single, family),
    // The kernel hangs an IPv6 route that refuses on the loopback device (ip6_route_info_create()).
    family === 6 && REFUSING.has(route.type) ? 'dev lo' : '',
    route.table === MAIN_TABLE ? '' : `table ${formatTable(route.table)}`,
    route.protocol === 'boot' ? '' : `proto ${route.protocol}`,
    route.scope === 'global' ? '' : `scope ${route.scope}`,
    route.source === null ? '' : `src ${formatAddress(route.source)}`,
    // The kernel always gives an IPv6 route's metric and preference, an IPv4 route's metric where it is not 0.
    route.metric === 0 && family === 4 ? '' : `metric ${route.metric}`,
    single?.onlink === true ? 'onlink' : '',
    route.mtu === null ? '' : `mtu ${route.mtu}`,
    family === 6 ? 'pref medium' : '',
  ];
  const line = words.filter((word) => word !== '').join(' ');
  if (route.nexthops.length < 2) return line;
  return [line, ...route.nexthops.map((hop) => `\tnexthop ${gatewayAndDevice(hop, family)} weight ${hop.weight}${hop.onlink ? ' onlink' : ''}`)].join('\n');
}

function gatewayAndDevice(hop: Nexthop, family: 4 | 6): string {
  const via = hop.via === null ? '' : `via ${hop.via.family === family ? '' : hop.via.family === 6 ? 'inet6 ' : 'inet '}${formatAddress(hop.via)}`;
  return [via, hop.device === null ? '' : `dev ${hop.device}`].filter((part) => part !== '').join(' ');
}

export function printNeighbour(neighbour: Omit<Neighbour, 'text' | 'origin'>): string {
  const mac = neighbour.mac === null ? '' : ` lladdr ${formatMac(neighbour.mac)}`;
  return `${formatAddress(neighbour.address)} dev ${neighbour.device}${mac} ${neighbour.state.toUpperCase()}`;
}

export function printFdbEntry(entry: Omit<FdbEntry, 'text' | 'origin'>): string {
  const words = [
    formatMac(entry.mac),
    `dev ${entry.device}`,
    entry.destination === null ? '' : `dst ${formatAddress(entry.destination)}`,
    entry.port === null ? '' : `port ${entry.port}`,
    entry.vni === null ? '' : `vni ${entry.vni}`,
    entry.via === null ? '' : `via ${entry.via}`,
    entry.master === null ? 'self' : `master ${entry.master}`,
    entry.permanent ? 'permanent' : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}

export function printPolicyRule(rule: Omit<PolicyRule, 'family' | 'text' | 'origin'>): string {
  const words = [
    rule.inverted ? 'not' : '',
    `from ${rule.from === null ? 'all' : formatHostOrPrefix(rule.from)}`,
    rule.to === null ? '' : `to ${formatHostOrPrefix(rule.to)}`,
    rule.mark === null ? '' : `fwmark 0x${rule.mark.value.toString(16)}${rule.mark.mask === 0xffff_ffff ? '' : `/0x${rule.mark.mask.toString(16)}`}`,
    rule.inInterface === null ? '' : `iif ${rule.inInterface}`,
    rule.outInterface === null ? '' : `oif ${rule.outInterface}`,
    rule.protocol === null ? '' : `ipproto ${IP_PROTOCOL_NAMES[rule.protocol] ?? rule.protocol}`,
    printRuleAction(rule.action),
  ];
  return `${rule.priority}:\t${words.filter((word) => word !== '').join(' ')}`;
}

const IP_PROTOCOL_NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp', 132: 'sctp' };

function printRuleAction(action: PolicyRule['action']): string {
  switch (action.kind) {
    case 'lookup':
      return `lookup ${formatTable(action.table)}${action.suppressPrefixLength === null ? '' : ` suppress_prefixlength ${action.suppressPrefixLength}`}`;
    case 'goto':
      return `goto ${action.priority}`;
    case 'unknown':
      return action.text;
    case 'unreachable':
    case 'blackhole':
    case 'prohibit':
    case 'nop':
      return action.kind;
  }
}

export const printSysctl = (sysctl: Omit<Sysctl, 'origin'>): string => `${sysctl.name} = ${sysctl.value}`;
