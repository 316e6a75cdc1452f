/** What the kernel adds by itself when an address is put on a device, and the rules and devices of a new namespace. */
import { addressPlus, firstAddress, hostPrefix, isLinkLocal, isLoopback, lastAddress, networkOf, parseAddress, sameAddress, samePrefix } from '../net/address.ts';
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

export function loopback(): Interface {
  const origin = derived('kernel', 'every network namespace has a loopback device');
  return {
    name: 'lo',
    mac: null,
    mtu: 65536,
    up: true,
    addresses: [interfaceAddress(LOOPBACK_V4, 8, origin), interfaceAddress(LOOPBACK_V6, 128, origin)],
    port: null,
    device: { kind: 'loopback' },
    origin,
  };
}

/** A device with an IPv6 address has a link-local one too (net/ipv6/addrconf.c: addrconf_dev_config). */
export function withLinkLocal(device: Interface): Interface {
  if (device.mac === null || !device.addresses.some((a) => a.address.family === 6) || device.addresses.some((a) => a.address.family === 6 && isLinkLocal(a.address))) return device;
  const address = interfaceAddress(linkLocal(device.mac), 64, derived('kernel', `the link-local address of ${device.name}`));
  return { ...device, addresses: [...device.addresses, address] };
}

const originOf = (device: Interface, address: InterfaceAddress): Origin => {
  const because = `an address of ${device.name}`;
  const from = address.origin;
  return from.kind === 'derived' ? derived('kernel', because, from.at) : derived('kernel', because, from.at);
};

/** Connected, local, broadcast and multicast routes of every device (net/ipv4/fib_frontend.c: fib_add_ifaddr; net/ipv6/addrconf.c). */
export function kernelRoutes(interfaces: readonly Interface[]): readonly Route[] {
  return interfaces.flatMap((device) => device.addresses.flatMap((address, i) => (address.address.family === 4 ? routesV4(device, address, i) : routesV6(device, address))).concat(multicastV6(device)));
}

function routesV4(device: Interface, entry: InterfaceAddress, index: number): Route[] {
  const origin = originOf(device, entry);
  const prefix = { address: entry.address, length: entry.length };
  const primary = device.addresses.slice(0, index).find((a) => a.address.family === 4 && samePrefix(networkOf({ address: a.address, length: a.length }), networkOf(prefix)));
  const source = primary?.address ?? entry.address;
  const common = { device: device.name, protocol: 'kernel', source, origin };
  const routes = [makeRoute({ ...common, destination: hostPrefix(entry.address), type: 'local', table: LOCAL_TABLE, scope: 'host' })];
  if (!device.up || primary !== undefined) return routes;
  if (entry.length < 32) {
    const network = networkOf(prefix);
    routes.push(makeRoute(isLoopback(entry.address) ? { ...common, destination: network, type: 'local', table: LOCAL_TABLE, scope: 'host' } : { ...common, destination: network, scope: 'link' }));
  }
  if (entry.length < 31) routes.push(makeRoute({ ...common, destination: hostPrefix(lastAddress(prefix)), type: 'broadcast', table: LOCAL_TABLE, scope: 'link' }));
  return routes;
}

function routesV6(device: Interface, entry: InterfaceAddress): Route[] {
  const origin = originOf(device, entry);
  const common = { device: device.name, protocol: 'kernel', origin, scope: 'global' } as const;
  const routes = [makeRoute({ ...common, destination: hostPrefix(entry.address), type: 'local', table: LOCAL_TABLE, metric: 0 })];
  if (device.up && !isLoopback(entry.address)) routes.push(makeRoute({ ...common, destination: { address: firstAddress({ address: entry.address, length: entry.length }), length: entry.length }, metric: 256 }));
  return routes;
}

function multicastV6(device: Interface): Route[] {
  const entry = device.addresses.find((a) => a.address.family === 6 && !isLoopback(a.address));
  if (entry === undefined || !device.up) return [];
  return [makeRoute({ destination: MULTICAST_V6, type: 'multicast', table: LOCAL_TABLE, device: device.name, protocol: 'kernel', metric: 256, scope: 'global', origin: originOf(device, entry) })];
}

/** The rules of a new namespace: net/ipv4/fib_rules.c and net/ipv6/fib6_rules.c. */
export const defaultRules = (): readonly PolicyRule[] => [
  lookupRule(4, 0, LOCAL_TABLE, 'local'),
  lookupRule(4, 32766, MAIN_TABLE, 'main'),
  lookupRule(4, 32767, DEFAULT_TABLE, 'default'),
  lookupRule(6, 0, LOCAL_TABLE, 'local'),
  lookupRule(6, 32766, MAIN_TABLE, 'main'),
];

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

/** The address that a bridge plugin gives to the gateway, and flannel's IPAM never to a pod: the first of the subnet. */
export const gatewayOf = (subnet: Prefix): Address => addressPlus(firstAddress(subnet), 1);

export const hasAddress = (device: Interface, address: Address): boolean => device.addresses.some((a) => sameAddress(a.address, address));
