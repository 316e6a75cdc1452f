/** The sysctls that the stages read, with the kernel's rule for combining `all` with the device's own. */
import type { Family } from '../net/address.ts';
import { memo, perRecord } from '../memo.ts';
import type { CompiledNamespace } from './compile.ts';

const number = (ns: CompiledNamespace, name: string): number | undefined => {
  const value = ns.sysctls.get(name)?.value;
  return value === undefined || !/^-?\d+$/.test(value) ? undefined : Number(value);
};

/** sysctl(8) writes a dot inside an interface's name as a slash. */
const deviceName = (device: string): string => device.replaceAll('.', '/');

/** What is not 0 in a new namespace, of the keys that are asked for here. */
const INITIALLY: Readonly<Record<string, number>> = { send_redirects: 1 };

/** What `all` says of a key, and what the device or the default of a new one says. */
interface Setting {
  readonly all: number;
  readonly own: number;
}

const settingOf = perRecord((ns: CompiledNamespace, device: string) => {
  const read = (family: Family, key: string): Setting => ({
    all: number(ns, `net.ipv${family}.conf.all.${key}`) ?? INITIALLY[key] ?? 0,
    own: number(ns, `net.ipv${family}.conf.${deviceName(device)}.${key}`) ?? number(ns, `net.ipv${family}.conf.default.${key}`) ?? INITIALLY[key] ?? 0,
  });
  return { 4: memo((key: string) => read(4, key)), 6: memo((key: string) => read(6, key)) };
});

/** include/linux/inetdevice.h: IN_DEV_MAXCONF. */
export function maximum(ns: CompiledNamespace, family: Family, device: string, key: string): number {
  const { all, own } = settingOf(ns, device)[family](key);
  return Math.max(all, own);
}

/** include/linux/inetdevice.h: IN_DEV_ORCONF. */
export function either(ns: CompiledNamespace, family: Family, device: string, key: string): boolean {
  const { all, own } = settingOf(ns, device)[family](key);
  return all > 0 || own > 0;
}

/**
 * Whether a packet that came in by `device` may be forwarded. `ip_forward` is another name for `conf.all.forwarding`,
 * and writing it sets every device: what was captured counts more than a default, whichever of the names it has. IPv6
 * asks only `all` (net/ipv6/ip6_output.c: ip6_forward).
 */
export const forwards = (ns: CompiledNamespace, family: Family, device: string): boolean => forwarding(ns, device)[family];

const forwarding = perRecord((ns: CompiledNamespace, device: string) => {
  const decided = (...names: readonly string[]): boolean => {
    const known = names.map((name) => ns.sysctls.get(name)).filter((s) => s !== undefined);
    const deciding = known.find((s) => s.origin.kind !== 'derived') ?? known[0];
    return deciding !== undefined && deciding.value !== '0';
  };
  return { 4: decided(`net.ipv4.conf.${deviceName(device)}.forwarding`, 'net.ipv4.conf.all.forwarding', 'net.ipv4.ip_forward'), 6: decided('net.ipv6.conf.all.forwarding') };
});

/** net/ipv6/ndisc.c: ndisc_recv_ns: for a proxy entry, where the device itself forwards, which `all` asks nobody about. */
export function proxiesNeighbours(ns: CompiledNamespace, device: string): boolean {
  const own = number(ns, `net.ipv6.conf.${deviceName(device)}.forwarding`);
  return either(ns, 6, device, 'proxy_ndp') && (own === undefined ? forwards(ns, 6, device) : own !== 0);
}

const whole = perRecord((ns: CompiledNamespace, family: Family) => ({
  bridgeCalls: (number(ns, family === 4 ? 'net.bridge.bridge-nf-call-iptables' : 'net.bridge.bridge-nf-call-ip6tables') ?? 1) !== 0,
  ttl: family === 4 ? (number(ns, 'net.ipv4.ip_default_ttl') ?? 64) : (number(ns, 'net.ipv6.conf.all.hop_limit') ?? number(ns, 'net.ipv6.conf.default.hop_limit') ?? 64),
  ignoresEcho: (number(ns, family === 4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all') ?? 0) !== 0,
}));

/** br_netfilter's default is on, in every namespace. */
export const bridgeCallsNetfilter = (ns: CompiledNamespace, family: Family): boolean => whole(ns, family).bridgeCalls;

export const defaultTtl = (ns: CompiledNamespace, family: Family): number => whole(ns, family).ttl;

export const ignoresEcho = (ns: CompiledNamespace, family: Family): boolean => whole(ns, family).ignoresEcho;

/** IPv4 is silent to everyone by default, IPv6 is not. */
export const ignoresGroupEcho = (ns: CompiledNamespace, family: Family): boolean =>
  (family === 4 ? (number(ns, 'net.ipv4.icmp_echo_ignore_broadcasts') ?? 1) : (number(ns, 'net.ipv6.icmp.echo_ignore_multicast') ?? 0)) !== 0;
