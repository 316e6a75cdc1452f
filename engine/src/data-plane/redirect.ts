/**
 * A packet that leaves by the device it came in by: the sender could have sent it to the next hop itself, and is told so. The
 * packet goes on all the same, and whether the sender listens (accept_redirects) concerns its later ones.
 *
 * net/ipv4/route.c: __mkroute_input (IPSKB_DOREDIRECT), ip_rt_send_redirect; net/ipv6/ip6_output.c: ip6_forward,
 * net/ipv6/ndisc.c: ndisc_send_redirect.
 */
import { formatAddress, isLinkLocal } from '../net/address.ts';
import type { CompiledNamespace } from './compile.ts';
import { lookup } from './route.ts';
import type { Found } from './route.ts';
import { kernel, step } from './run-state.ts';
import type { Run, Skb } from './run-state.ts';
import { either } from './sysctl.ts';

export function redirect(run: Run, ns: CompiledNamespace, device: string, { packet: { ip } }: Skb, found: Found): void {
  if (found.device !== device || !mayBeTold(run, ns, device, ip, found)) return;
  const [to, nextHop] = [formatAddress(ip.source), formatAddress(found.via ?? ip.destination)];
  const sentence = `${ns.label} would send the packet back out of ${device}, so it tells ${to} by an ICMP redirect that ${nextHop} is the nearer way; this packet's way stays as it is.`;
  step(run, { stage: 'icmp-error', type: ip.family === 4 ? 5 : 137, code: ip.family === 4 ? 1 : 0, to, sentence, source: kernel('send_redirects') });
}

/** IPv4: a sender on the device's own link. IPv6: a next hop that the sender can use, by its link-local address or as the destination itself. */
function mayBeTold(run: Run, ns: CompiledNamespace, device: string, ip: Skb['packet']['ip'], { via }: Found): boolean {
  if (ip.family === 6) return via === null || isLinkLocal(via);
  if (!either(ns, 4, device, 'send_redirects')) return false;
  const back = lookup(run, ns, { family: 4, destination: ip.source, source: null, mark: 0, protocol: 0, tos: 0, input: device, output: null });
  return back.kind === 'found' && back.device === device && back.via === null;
}
