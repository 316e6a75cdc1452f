/** Every target but the verdicts and jumps, which are the chain's own business. */
import type { Target } from '../../../topology/netfilter.ts';
import { ipHeaderLength, SYN, withIp, withTransport } from '../../packet.ts';
import { withSkb } from '../../run-state.ts';
import type { Skb } from '../../run-state.ts';
import { template, UNTRACKED } from '../conntrack.ts';
import type { MatchInput } from '../matches/match.ts';
import { optionsOf } from '../matches/options.ts';
import { applyAside } from './aside.ts';
import { applyNat } from './nat.ts';
import { applyReject } from './reject.ts';
import { goOn } from './target.ts';
import type { TargetResult } from './target.ts';

export type ActingTarget = Exclude<Target, { kind: 'accept' | 'drop' | 'return' | 'jump' }>;

export function applyTarget(target: ActingTarget, input: MatchInput): TargetResult {
  const { skb } = input;
  switch (target.kind) {
    case 'reject':
      return applyReject(target, input);
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
    case 'netmap':
      return applyNat(target, input);
    case 'mark':
      return goOn(withSkb(skb, { mark: ((skb.mark & ~target.mask) ^ target.value) >>> 0 }));
    case 'connmark':
      return goOn(connmark(target, skb));
    case 'ct':
      return goOn(ct(target, skb));
    case 'log':
      return goOn(skb);
    case 'tcpmss':
      return goOn(clampMss(target.value, input));
    case 'ttl':
      return goOn(withTtl(target, skb));
    case 'dscp':
      return goOn(withSkb(skb, { packet: withIp(skb.packet, { tos: (target.value << 2) | (skb.packet.ip.tos & 3) }) }));
    case 'unknown':
      return applyAside(target, input);
  }
}

/** xt_connmark.c: connmark_tg. */
function connmark(target: Extract<Target, { kind: 'connmark' }>, skb: Skb): Skb {
  const entry = skb.tracked?.entry ?? null;
  if (entry === null) return skb;
  switch (target.action) {
    case 'set':
      entry.mark = ((entry.mark & ~target.mask) ^ target.value) >>> 0;
      return skb;
    case 'save':
      entry.mark = ((entry.mark & ~target.ctmask) ^ (skb.mark & target.nfmask)) >>> 0;
      return skb;
    case 'restore':
      return withSkb(skb, { mark: ((skb.mark & ~target.nfmask) ^ (entry.mark & target.ctmask)) >>> 0 });
  }
}

/** xt_CT.c: only a packet that has no flow yet. A zone holds for both directions, or for one. */
function ct(target: Extract<Target, { kind: 'ct' }>, skb: Skb): Skb {
  if (skb.tracked !== null) return skb;
  if (target.notrack) return withSkb(skb, { tracked: UNTRACKED });
  const options = optionsOf(target);
  const zone = (...names: readonly string[]): number => {
    const value = names.flatMap((name) => options.get(name)?.value ?? [])[0] ?? '0';
    return value === 'mark' ? skb.mark & 0xffff : Number(value);
  };
  const zones = { original: zone('zone', 'zone-orig'), reply: zone('zone', 'zone-reply') };
  return withSkb(skb, { tracked: template(zones) });
}

/** xt_TCPMSS.c: an MSS is only ever lowered, and only in a SYN. */
function clampMss(value: number | 'clamp', { skb, ns, at }: MatchInput): Skb {
  const { packet } = skb;
  if (packet.transport.kind !== 'tcp' || (packet.transport.flags & SYN) === 0 || packet.transport.mss === null) return skb;
  const devices = [at.input, at.output].flatMap((name) => ns.devices.get(name)?.mtu ?? []);
  const limit = value === 'clamp' ? Math.min(...devices, 65535) - ipHeaderLength(packet.ip.family) - 20 : value;
  const clamped = withTransport(packet, { ...packet.transport, mss: Math.min(packet.transport.mss, limit) });
  return withSkb(skb, { packet: clamped });
}

function withTtl(target: Extract<Target, { kind: 'ttl' }>, skb: Skb): Skb {
  const { ttl } = skb.packet.ip;
  const changed = target.action === 'set' ? target.value : target.action === 'inc' ? ttl + target.value : ttl - target.value;
  return withSkb(skb, { packet: withIp(skb.packet, { ttl: Math.min(Math.max(changed, 0), 255) }) });
}

