/** The sysctls that the stages read, with the kernel's rule for combining `all` with the device's own. */
import type { Family } from '../net/address.ts';
import type { CompiledNamespace } from './compile.ts';

const number = (ns: CompiledNamespace, name: string): number | undefined => {
  const value = ns.sysctls.get(name)?.value;
  return value === undefined || !/^-?\d+$/.test(value) ? undefined : Number(value);
};

/** sysctl(8) writes a dot inside an interface's name as a slash. */
const deviceName = (device: string): string => device.replaceAll('.', '/');

const own = (ns: CompiledNamespace, family: Family, device: string, key: string): number | undefined =>
  number(ns, `net.ipv${family}.conf.${deviceName(device)}.${key}`) ?? number(ns, `net.ipv${family}.conf.default.${key}`);

const all = (ns: CompiledNamespace, family: Family, key: string): number => number(ns, `net.ipv${family}.conf.all.${key}`) ?? 0;

/** include/linux/inetdevice.h: IN_DEV_MAXCONF. */
export const maximum = (ns: CompiledNamespace, family: Family, device: string, key: string): number =>
  Math.max(all(ns, family, key), own(ns, family, device, key) ?? 0);

/** include/linux/inetdevice.h: IN_DEV_ORCONF. */
export const either = (ns: CompiledNamespace, family: Family, device: string, key: string): boolean =>
  all(ns, family, key) > 0 || (own(ns, family, device, key) ?? 0) > 0;

/**
 * Whether a packet that came in by `device` may be forwarded. `ip_forward` is another name for `conf.all.forwarding`,
 * and writing it sets every device: what was captured counts more than a default, whichever of the names it has. IPv6
 * asks only `all` (net/ipv6/ip6_output.c: ip6_forward).
 */
export function forwards(ns: CompiledNamespace, family: Family, device: string): boolean {
  const names =
    family === 4
      ? [`net.ipv4.conf.${deviceName(device)}.forwarding`, 'net.ipv4.conf.all.forwarding', 'net.ipv4.ip_forward']
      : ['net.ipv6.conf.all.forwarding'];
  const known = names.map((name) => ns.sysctls.get(name)).filter((s) => s !== undefined);
  const deciding = known.find((s) => s.origin.kind !== 'derived') ?? known[0];
  return deciding !== undefined && deciding.value !== '0';
}

/** br_netfilter's default is on, in every namespace. */
export const bridgeCallsNetfilter = (ns: CompiledNamespace, family: Family): boolean =>
  (number(ns, family === 4 ? 'net.bridge.bridge-nf-call-iptables' : 'net.bridge.bridge-nf-call-ip6tables') ?? 1) !== 0;

export const defaultTtl = (ns: CompiledNamespace, family: Family): number =>
  family === 4 ? (number(ns, 'net.ipv4.ip_default_ttl') ?? 64) : (number(ns, 'net.ipv6.conf.all.hop_limit') ?? number(ns, 'net.ipv6.conf.default.hop_limit') ?? 64);

export const ignoresEcho = (ns: CompiledNamespace, family: Family): boolean =>
  (number(ns, family === 4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all') ?? 0) !== 0;
