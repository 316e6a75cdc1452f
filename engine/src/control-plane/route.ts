/** Routes as records with the text that `ip route` prints for them (iproute2, ip/iproute.c: print_route). */
import { bitsOf, compareAddresses, formatAddress, formatPrefix } from '../net/address.ts';
import type { Address, Prefix } from '../net/address.ts';
import { DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE } from '../topology/model.ts';
import type { Route, RouteType, Scope } from '../topology/model.ts';
import type { Origin } from '../topology/origin.ts';

/** What a derived route says beyond the defaults; `device` and `via` make its one nexthop. */
export interface RouteParts {
  readonly destination: Prefix;
  readonly device: string;
  readonly via?: Address;
  readonly onlink?: true;
  readonly type?: RouteType;
  readonly table?: number;
  readonly protocol?: string;
  readonly scope?: Scope;
  readonly source?: Address;
  readonly metric?: number;
  /** The device has no carrier (RTNH_F_LINKDOWN). */
  readonly linkdown?: true;
  readonly origin: Origin;
}

/** The kernel's default metric of an IPv6 route is 1024 (IP6_RT_PRIO_USER), of an IPv4 one 0. */
export function makeRoute(parts: RouteParts): Route {
  const { family } = parts.destination.address;
  const route: Omit<Route, 'text'> = {
    destination: parts.destination,
    type: parts.type ?? 'unicast',
    table: parts.table ?? MAIN_TABLE,
    nexthops: [{ via: parts.via ?? null, device: parts.device, weight: 1, onlink: parts.onlink ?? false }],
    source: parts.source ?? null,
    metric: parts.metric ?? (family === 6 ? 1024 : 0),
    scope: parts.scope ?? (parts.via === undefined && family === 4 ? 'link' : 'global'),
    protocol: parts.protocol ?? 'boot',
    mtu: null,
    tos: 0,
    origin: parts.origin,
  };
  return { ...route, text: routeText(route) + (parts.linkdown === true ? ' linkdown' : '') };
}

const TABLE_TEXT: Readonly<Record<number, string>> = { [LOCAL_TABLE]: 'local', [DEFAULT_TABLE]: 'default' };

function destinationText(prefix: Prefix): string {
  if (prefix.length === 0) return 'default';
  return prefix.length === bitsOf(prefix.address.family) ? formatAddress(prefix.address) : formatPrefix(prefix);
}

/** One line of `ip route show table all`, without the trailing blank. */
function routeText(route: Omit<Route, 'text'>): string {
  const v6 = route.destination.address.family === 6;
  const words = route.type === 'unicast' ? [] : [route.type as string];
  words.push(destinationText(route.destination));
  const hop = route.nexthops[0];
  if (hop !== undefined && hop.via !== null) words.push('via', formatAddress(hop.via));
  if (hop !== undefined && hop.device !== null) words.push('dev', hop.device);
  if (route.table !== MAIN_TABLE) words.push('table', TABLE_TEXT[route.table] ?? String(route.table));
  if (route.protocol !== 'boot') words.push('proto', route.protocol);
  if (!v6 && route.scope !== 'global') words.push('scope', route.scope);
  if (route.source !== null) words.push('src', formatAddress(route.source));
  if (v6 || route.metric !== 0) words.push('metric', String(route.metric));
  if (hop?.onlink === true) words.push('onlink');
  if (v6) words.push('pref', 'medium');
  return words.join(' ');
}

/** The order of `ip route`: by family, main before local, then as the tables are walked. */
export function compareRoutes(a: Route, b: Route): number {
  return (
    a.destination.address.family - b.destination.address.family ||
    a.table - b.table ||
    compareAddresses(a.destination.address, b.destination.address) ||
    b.destination.length - a.destination.length ||
    a.metric - b.metric ||
    (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  );
}
