/** What the kernel adds by itself when an address is put on a device, and the rules and devices of a new namespace. */
import { addressPlus, firstAddress, hostPrefix, isLinkLocal, isLoopback, lastAddress, networkOf, parseAddress, samePrefix } from '../net/address.ts';
import type { Address, Family, Prefix } from '../net/address.ts';
import { DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE } from '../topology/model.ts';
import type { Interface, InterfaceAddress, PolicyRule, Route, Scope } from '../topology/model.ts';
import { derived } from '../topology/origin.ts';
import type { Origin } from '../topology/origin.ts';
import { linkLocal } from './mac.ts';
import { makeRoute } from './route.ts';

const LOOPBACK_V4 = parseAddress('127.0.0.1') as Address;
const LOOPBACK_V6 = parseAddress('::1') as Address;
const MULTICAST_V6: Prefix = { address: parseAddress('ff00::') as Address, length: 8 };

export const scopeOf = (address: Address): Scope => (isLoopback(address) ? 'host' : isLinkLocal(address) && address.family === 6 ? 'link' : 'global');

export const interfaceAddress = (address: Address, length: number, origin: Origin): InterfaceAddress => ({ address, length, scope: scopeOf(address), origin });

const NAMESPACE_ORIGIN = derived('kernel', 'the loopback device of every network namespace');

const LOOPBACK: Interface = {
  name: 'lo',
  mac: null,
  mtu: 65536,
  up: true,
  addresses: [interfaceAddress(LOOPBACK_V4, 8, NAMESPACE_ORIGIN), interfaceAddress(LOOPBACK_V6, 128, NAMESPACE_ORIGIN)],
  port: null,
  device: { kind: 'loopback' },
  origin: NAMESPACE_ORIGIN,
};

/** The same record in every namespace, so that its routes are made once. */
export const loopback = (): Interface => LOOPBACK;

/** A device with an IPv6 address has a link-local one too (net/ipv6/addrconf.c: addrconf_dev_config). */
export function withLinkLocal(device: Interface): Interface {
  const v6 = device.addresses.filter((a) => a.address.family === 6);
  if (device.mac === null || v6.length === 0 || v6.some((a) => isLinkLocal(a.address))) return device;
  const address = interfaceAddress(linkLocal(device.mac), 64, derived('kernel', `the link-local address of ${device.name}`));
  return { ...device, addresses: [...device.addresses, address] };
}

const originOf = (device: Interface, address: InterfaceAddress): Origin => derived('kernel', `an address of ${device.name}`, address.origin.at);

/** Connected, local, broadcast and multicast routes of every device (net/ipv4/fib_frontend.c: fib_add_ifaddr; net/ipv6/addrconf.c). */
export function kernelRoutes(interfaces: readonly Interface[]): readonly Route[] {
  return interfaces.flatMap((device) => (device === LOOPBACK ? LOOPBACK_ROUTES : deviceRoutes(device)));
}

const deviceRoutes = (device: Interface): readonly Route[] => [...device.addresses.flatMap((entry, i) => addressRoutes(device, entry, i)), ...multicastV6(device)];

const addressRoutes = (device: Interface, entry: InterfaceAddress, index: number): readonly Route[] =>
  entry.address.family === 4 ? routesV4(device, entry, index) : routesV6(device, entry);

/** docker0 as it is derived has no container, and a bridge without a port has no carrier. */
const isIdleBridge = (device: Interface): boolean => device.origin.kind === 'derived' && device.origin.by === 'docker';

function routesV4(device: Interface, entry: InterfaceAddress, index: number): Route[] {
  const origin = originOf(device, entry);
  // An address behind another one of the same subnet is secondary, and adds no subnet route.
  const primary = device.addresses.slice(0, index).find((a) => a.address.family === 4 && samePrefix(networkOf(a), networkOf(entry)));
  const source = primary?.address ?? entry.address;
  const common = { device: device.name, protocol: 'kernel', source, origin };
  const routes = [makeRoute({ ...common, destination: hostPrefix(entry.address), type: 'local', table: LOCAL_TABLE, scope: 'host' })];
  if (!device.up || primary !== undefined) return routes;
  const carrier = isIdleBridge(device) ? { linkdown: true } as const : {};
  if (entry.length < 32) {
    const subnet = { ...common, ...carrier, destination: networkOf(entry) };
    routes.push(makeRoute(isLoopback(entry.address) ? { ...subnet, type: 'local', table: LOCAL_TABLE, scope: 'host' } : { ...subnet, scope: 'link' }));
  }
  if (entry.length < 31) routes.push(makeRoute({ ...common, ...carrier, destination: hostPrefix(lastAddress(entry)), type: 'broadcast', table: LOCAL_TABLE, scope: 'link' }));
  return routes;
}

function routesV6(device: Interface, entry: InterfaceAddress): Route[] {
  const origin = originOf(device, entry);
  const common = { device: device.name, protocol: 'kernel', origin, scope: 'global' } as const;
  const routes = [makeRoute({ ...common, destination: hostPrefix(entry.address), type: 'local', table: LOCAL_TABLE, metric: 0 })];
  if (device.up && !isLoopback(entry.address)) routes.push(makeRoute({ ...common, destination: networkOf(entry), metric: 256 }));
  return routes;
}

function multicastV6(device: Interface): Route[] {
  const entry = device.addresses.find((a) => a.address.family === 6 && !isLoopback(a.address));
  if (entry === undefined || !device.up) return [];
  const common = { device: device.name, protocol: 'kernel', scope: 'global', origin: originOf(device, entry) } as const;
  return [makeRoute({ ...common, destination: MULTICAST_V6, type: 'multicast', table: LOCAL_TABLE, metric: 256 })];
}

const LOOPBACK_ROUTES = deviceRoutes(LOOPBACK);

/** The rules of a new namespace: net/ipv4/fib_rules.c and net/ipv6/fib6_rules.c. */
export const defaultRules = (): readonly PolicyRule[] => DEFAULT_RULES;

const lookupRule = (family: Family, priority: number, table: number, name: string): PolicyRule => ({
  family,
  priority,
  inverted: false,
  from: null,
  to: null,
  inInterface: null,
  outInterface: null,
  mark: null,
  protocol: null,
  action: { kind: 'lookup', table, suppressPrefixLength: null },
  text: `${priority}:\tfrom all lookup ${name}`,
  origin: derived('kernel', 'the rules of a new network namespace'),
});

const DEFAULT_RULES: readonly PolicyRule[] = [
  lookupRule(4, 0, LOCAL_TABLE, 'local'),
  lookupRule(4, 32766, MAIN_TABLE, 'main'),
  lookupRule(4, 32767, DEFAULT_TABLE, 'default'),
  lookupRule(6, 0, LOCAL_TABLE, 'local'),
  lookupRule(6, 32766, MAIN_TABLE, 'main'),
];

/** The address that a bridge plugin gives to the gateway, and flannel's IPAM never to a pod: the first of the subnet. */
export const gatewayOf = (subnet: Prefix): Address => addressPlus(firstAddress(subnet), 1);
