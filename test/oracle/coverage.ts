/** What the compared traces went through, counted by kind. */
import { sameAddress } from '../../engine/src/net/address.ts';
import { LOCAL_TABLE, MAIN_TABLE } from '../../engine/src/topology/model.ts';
import type { Route, Topology } from '../../engine/src/topology/model.ts';
import type { Rule, Target } from '../../engine/src/topology/netfilter.ts';
import type { Branch } from '../../engine/src/trace/model.ts';

export interface Coverage {
  /** `null` counts nothing. */
  count(group: string, feature: string | null): void;
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export function newCoverage(): Coverage {
  const groups = new Map<string, Map<string, number>>();
  return {
    groups,
    count: (group, feature) => {
      if (feature === null) return;
      const features = groups.get(group) ?? new Map<string, number>();
      groups.set(group, features);
      features.set(feature, (features.get(feature) ?? 0) + 1);
    },
  };
}

/** Each feature once a trace. */
export function countFeatures(coverage: Coverage, topology: Topology, branch: Branch): void {
  const seen = new Set<string>();
  const once = (group: string, feature: string): void => {
    if (seen.has(`${group} ${feature}`)) return;
    seen.add(`${group} ${feature}`);
    coverage.count(group, feature);
  };
  once('outcome', branch.reason?.code ?? branch.outcome);
  once('answer', branch.answer.kind === 'icmp' ? `icmp ${branch.answer.type ?? ''}/${branch.answer.code ?? ''}` : branch.answer.kind);
  if (branch.reply !== null) once('outcome of the answer', branch.reply.reason?.code ?? branch.reply.outcome);
  for (const hop of [...branch.request.hops, ...(branch.reply?.hops ?? [])]) {
    const namespace = topology.hosts.find((h) => h.name === hop.host)?.namespaces.find((n) => n.name === hop.namespace);
    once('device', namespace?.interfaces.find((i) => i.name === hop.interface)?.device.kind ?? 'none');
    once('family', hop.packet.some((h) => h.header === 'ipv6') ? 'IPv6' : 'IPv4');
    for (const step of hop.steps) {
      once('stage', step.stage);
      if (step.stage === 'route') countRoute(once, namespace?.routes.find((r) => r.text === step.route));
      if (step.stage !== 'netfilter') continue;
      once('hook', `${step.table} ${step.hook}`);
      if (step.ruleset !== undefined) once('ruleset', `${step.ruleset} beside the other`);
      const table = namespace?.tables.find((t) => t.name === step.table && t.ruleset === step.ruleset && t.family === (isSix(hop.packet) ? 6 : 4));
      const rule = step.event === 'rule' && step.number !== null ? table?.chains.find((c) => c.name === step.chain)?.rules[step.number - 1] : undefined;
      if (rule !== undefined) countRule(once, rule);
    }
  }
}

/** By what a route has beyond a destination and a device. */
function countRoute(once: (group: string, feature: string) => void, route: Route | undefined): void {
  if (route === undefined) return;
  once('route', route.type);
  if (route.nexthops.length > 1) once('route', 'several nexthops');
  if (route.nexthops.some((hop) => hop.onlink)) once('route', 'onlink');
  if (route.mtu !== null) once('route', 'mtu');
  if (route.table !== LOCAL_TABLE && route.table !== MAIN_TABLE) once('route', 'another table');
}

const isSix = (packet: Branch['request']['hops'][number]['packet']): boolean => packet.find((h) => h.header === 'ipv4' || h.header === 'ipv6')?.header === 'ipv6';

function countRule(once: (group: string, feature: string) => void, { matches, target }: Rule): void {
  for (const match of matches) once('match', `${'inverted' in match && match.inverted ? '! ' : ''}${match.kind}`);
  once('target', target === null ? 'none' : nameOf(target));
}

function nameOf(target: Target): string {
  switch (target.kind) {
    case 'jump':
      return target.via;
    case 'reject':
      return `reject ${target.with}`;
    case 'connmark':
      return `connmark ${target.action}`;
    case 'ct':
      return target.notrack ? 'notrack' : 'zone';
    case 'dnat':
    case 'snat':
      return `${target.kind}${target.range.from === null || target.range.to === null || sameAddress(target.range.from, target.range.to) ? '' : ' to one of several'}${target.range.ports === null ? '' : ' with ports'}${target.range.random || target.range.randomFully ? ' at random' : ''}`;
    case 'masquerade':
    case 'redirect':
      return `${target.kind}${target.ports === null ? '' : ' with ports'}${target.random || target.randomFully ? ' at random' : ''}`;
    case 'ttl':
      return `ttl ${target.action}`;
    case 'tcpmss':
      return target.value === 'clamp' ? 'tcpmss clamp' : 'tcpmss set';
    default:
      return target.kind;
  }
}

export const table = (coverage: Coverage): string =>
  [...coverage.groups].map(([group, features]) => [`${group}:`, ...[...features].sort((a, b) => b[1] - a[1]).map(([feature, n]) => `  ${String(n).padStart(6)}  ${feature}`)].join('\n')).join('\n');
