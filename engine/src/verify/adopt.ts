/** Changes that bring captured state back to what the cluster's programs would have left. */
import { groupBy } from '../group-by.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import { inPlace, ownerText, placeText, withCaptured } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { Deviation, Deviations } from './deviation.ts';
import { isSweeping } from './deviation-rule.ts';
import { kubectl } from './commands.ts';
import type { Command, DumpBlock, Edit } from './explanation.ts';
import { placesOf, stepsOf, usedBy } from './situation.ts';
import type { Situation } from './situation.ts';

const PLACE: Readonly<Record<DumpBlock, string>> = {
  iptables: 'table', ip6tables: 'IPv6 table', routes: 'routes', rules: 'policy rules', addresses: 'addresses', links: 'devices', neighbours: 'neighbours', fdb: 'FDB', sysctl: 'sysctls', conntrack: 'known flows',
};

/** `nat table of host1`, `FDB of host1` */
export const placeOfBlock = (d: Pick<Deviation, 'table' | 'block' | 'owner'>): string => `${d.table === null ? '' : `${d.table} `}${PLACE[d.block]} of ${ownerText(d.owner)}`;

/** Of a block's name. */
export const isSingular = (d: Deviation): boolean => d.table !== null || d.block === 'fdb';

/** What differs where the flow passes, entry by entry; what is foreign only where the flow met it, and where it does not stop everything else, too. */
export function* adoptions(situation: Situation, deviations: Deviations, wanted: 'arrival' | 'something-else'): Iterable<Candidate> {
  const steps = stepsOf(situation);
  const isMet = (d: Deviation): boolean => wanted === 'arrival' && d.at !== null && usedBy(steps, d.at) && !d.there.some((e) => isSweeping(e.text));
  for (const { host, namespace } of placesOf(situation)) {
    yield* [...deviations(host, namespace)].sort((a, b) => sizeOf(a) - sizeOf(b)).filter((d) => d.kind !== 'foreign' || isMet(d)).map(adoption);
  }
}

/** Of several changes at one place the smaller is looked at first. */
const sizeOf = (d: Deviation): number => d.there.length + d.wanted.length;

/** Everything that one program lacks for one reason, over all blocks of a namespace; then whole blocks. */
export function wholesale(situation: Situation, deviations: Deviations): readonly (readonly Deviation[])[] {
  return placesOf(situation).flatMap(({ host, namespace }) => {
    const all = deviations(host, namespace).filter((d) => d.kind !== 'foreign');
    const groups = [...groupBy(all.filter((d) => d.because !== null), (d) => `${d.by ?? ''} ${d.because ?? ''}`).values(), ...byBlock(all), all];
    return groups.filter((group) => group.length > 1);
  });
}

export const byBlock = (all: readonly Deviation[]): readonly (readonly Deviation[])[] => [...groupBy(all, (d) => `${d.block} ${d.table ?? ''}`).values()];

export const adoption = (d: Deviation): Candidate => ({
  wrong: wrongOf(d),
  host: d.host,
  namespace: d.namespace,
  at: d.at,
  title: titleOf(d),
  edits: d.edits,
  ...(restarted([d]) ?? {}),
  applied: (spec: ClusterSpec) => withCaptured(spec, d.owner, d.applied),
});

/** kube-proxy writes its rules over what was done by hand: started anew, it writes them all. */
function restarted(parts: readonly Deviation[]): { readonly commands: readonly Command[] } | undefined {
  if (!parts.every((d) => d.by === 'kube-proxy' && d.owner.kind === 'node')) return undefined;
  return { commands: [...new Set(parts.map((d) => d.owner.name))].map((node) => kubectl('kube-system', `delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName=${node}`)) };
}

/** Several that belong together, as one change. */
export function adoptionOf(parts: readonly Deviation[]): Candidate | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  if (parts.length === 1) return adoption(first);
  const each = parts.map(adoption);
  const sameBlock = parts.every((p) => p.block === first.block && p.table === first.table && p.kind === 'missing');
  const what = parts.map((p) => p.what).join(', ');
  return {
    host: first.host, namespace: first.namespace, at: first.at,
    wrong: sameBlock
      ? `The ${placeOfBlock(first)}, captured${inPlace(first.at)}, ${isSingular(first) ? 'lacks' : 'lack'} ${what}.`
      : parts.every((p) => p.kind === 'stale' && p.because === first.because && p.table === null && p.block !== 'links')
        ? `${ownerText(first.owner)} has stale entries for ${first.because ?? ''}: ${parts.map((p) => `${quoted(p.there)}${inPlace(p.at)}, where ${p.by ?? 'its program'} would have programmed ${quoted(p.wanted)}`).join('; ')}.`
      : `${ownerText(first.owner)} differs in ${parts.length} places from what its programs would leave there${inPlace(first.at)}: ${parts.slice(0, 3).map(briefly).join('; ')}${parts.length > 3 ? '; …' : ''}.`,
    title: sameBlock ? `add ${what} to the ${placeOfBlock(first)}` : `put right ${parts.slice(0, 3).map((p) => p.what).join(', ')}${parts.length > 3 ? ` and ${parts.length - 3} more` : ''} on ${ownerText(first.owner)}`,
    edits: merged(each.flatMap((c) => c.edits)),
    ...(restarted(parts) ?? {}),
    applied: (spec) => each.reduce((now, c) => c.applied(now), spec),
  };
}

const briefly = (d: Deviation): string => `${d.what} (${d.kind === 'missing' ? 'missing' : d.kind === 'stale' ? 'outdated' : 'left over'})`;

/** Additions to the same place are one edit, where the first of them stands. */
function merged(edits: readonly Edit[]): readonly Edit[] {
  const additions = new Map<string, string[]>();
  const out: Edit[] = [];
  for (const edit of edits) {
    if (edit.kind !== 'lines' || edit.remove.length > 0 || edit.before !== null) {
      out.push(edit);
      continue;
    }
    const key = JSON.stringify([edit.owner, edit.block, edit.table]);
    const there = additions.get(key);
    if (there === undefined) {
      const add = [...edit.add];
      additions.set(key, add);
      out.push({ ...edit, add });
    } else {
      there.push(...edit.add);
    }
  }
  return out;
}

const quoted = (entries: readonly { readonly text: string }[]): string => entries.map((e) => `\`${e.text.trim()}\``).join(', ');

/** The root cause, if this is what mends the flow. */
export function wrongOf(d: Deviation): string {
  const where = ownerText(d.owner);
  switch (d.kind) {
    case 'missing':
      return `The ${placeOfBlock(d)}, captured${inPlace(d.at)}, ${isSingular(d) ? 'lacks' : 'lack'} ${d.what}${d.wanted.length === 1 ? `: ${quoted(d.wanted)}` : ''}.`;
    case 'stale':
      if (d.table !== null) return `The ${placeOfBlock(d)} has outdated rules for ${d.because ?? 'a service'}${inPlace(d.at)}.`;
      if (d.block === 'sysctl') return `${where} has ${quoted(d.there)}${inPlace(d.at)}, where a node of the cluster has ${quoted(d.wanted)}.`;
      if (d.block === 'links') return `${where} has the device ${d.what}${inPlace(d.at)}, where ${d.by ?? 'its program'} makes it ${d.wanted[0]?.text.endsWith('<UP,') === true ? 'UP' : quoted(d.wanted)}.`;
      return `${where} has ${quoted(d.there)}${inPlace(d.at)}, where ${d.by ?? 'its program'} would have programmed ${quoted(d.wanted)}${d.because === null ? '' : ` for ${d.because}`}.`;
    case 'left-over':
      return `${where} still has ${d.what}${inPlace(d.at)}, which no program of the cluster wants any more.`;
    case 'foreign':
      return `${where} has ${d.what}${inPlace(d.at)}, which is of no program of the cluster.`;
  }
}

function titleOf(d: Deviation): string {
  const where = ownerText(d.owner);
  switch (d.kind) {
    case 'missing':
      return `add ${d.what} to the ${placeOfBlock(d)}`;
    case 'stale':
      return d.block === 'sysctl' || d.block === 'links' ? `set ${(d.wanted[0]?.text ?? '').replace(': <UP,', ' up')} on ${where}` : `replace ${d.at === null ? 'the entry' : placeText(d.at)} by ${d.what} on ${where}`;
    case 'left-over':
    case 'foreign':
      return `remove ${d.what} from ${where}`;
  }
}
