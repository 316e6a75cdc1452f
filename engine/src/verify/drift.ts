/**
 * What of a node's captured state differs from what its programs would leave there, and what comes of it: grouped by
 * node and block, so that one fault is told once, and a dump that was pasted in part does not count as a fault.
 */
import { overlaps } from '../net/address.ts';
import { finished } from '../steps.ts';
import type { Steps } from '../steps.ts';
import type { Topology } from '../topology/model.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Chain, Match, Rule, Table } from '../topology/netfilter.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import { acceptances } from './accept.ts';
import { adoptionOf, byBlock, isSingular, placeOfBlock } from './adopt.ts';
import { capturedOf, nodeOwner, ownerText, placeOf } from './candidate.ts';
import { capturedNamespaces, deviationsOf } from './deviation.ts';
import type { Deviation } from './deviation.ts';
import { plainRule } from './deviation-rule.ts';
import type { Edit, Owner, Repair } from './explanation.ts';

/** `drift` breaks something, `harmless` does not as far as can be told, `partial` is most likely not all that the node printed. */
export type DriftKind = 'drift' | 'harmless' | 'partial' | 'shadowed' | 'forward-drop';

export interface Drift {
  readonly kind: DriftKind;
  readonly owner: Owner;
  readonly block: Deviation['block'];
  /** Two sentences at most. */
  readonly sentence: string;
  /** `null`: the block itself, which is empty. */
  readonly at: SourceRef | null;
  /** Each with a few words. */
  readonly others: readonly { readonly at: SourceRef; readonly message: string }[];
  /** Either side: what the programs would have left, and where it can be said, that what was captured is right. */
  readonly fixes: readonly Repair[];
}

export function driftOf(spec: ClusterSpec, topology: Topology): readonly Drift[] {
  return finished(driftingOf(spec, topology));
}

/** The same in steps, each a network namespace. */
export function* driftingOf(spec: ClusterSpec, topology: Topology): Steps<readonly Drift[]> {
  const deviations = deviationsOf(spec);
  const drifts: Drift[] = [];
  for (const { host, namespace } of capturedNamespaces(spec)) {
    yield undefined;
    const found = deviations(host, namespace).filter((d) => isOfPrograms(spec, topology, d));
    const owner = found[0]?.owner ?? nodeOwner(host);
    const tables = namespace === 'root' ? (capturedOf(spec, nodeOwner(host))?.tables ?? []) : [];
    const dropping = tables.flatMap((table) => forwardDrops(topology, owner, table, found));
    // What the policy of FORWARD makes of the rules that are missing is told once.
    const rest = found.filter((d) => !(isForwarding(d) && dropping.some((drop) => drop.block === d.block)));
    drifts.push(...byBlock(rest).flatMap((block) => driftInBlock(spec, topology, block)), ...tables.flatMap((table) => shadowed(owner, table)), ...dropping);
  }
  return drifts;
}

/** What the kernel and the network make differs from host to host; so does what others wrote. */
function isOfPrograms(spec: ClusterSpec, topology: Topology, d: Deviation): boolean {
  if (d.kind === 'foreign' || d.by === 'network' || d.by === 'kernel') return false;
  if (d.block === 'sysctl') return /\.(ip_forward|forwarding|bridge-nf-call-ip6?tables)$/.test(d.there[0]?.text.split(' ')[0] ?? '');
  if (d.by === 'docker' && hasNewerDocker(spec, d.owner)) return false;
  return !(isMasquerade(d) && masqueradesOtherwise(spec, topology, d.owner));
}

/** From version 28 on Docker has other chains than those that are derived for it (moby, libnetwork/drivers/bridge/internal/iptabler). */
const hasNewerDocker = (spec: ClusterSpec, owner: Owner): boolean =>
  (capturedOf(spec, owner)?.tables ?? []).some((t) => t.chains.some((c) => c.name === 'DOCKER-FORWARD'));

const isMasquerade = (d: Deviation): boolean => d.because?.startsWith('the masquerading of') === true;

const isForwarding = (d: Deviation): boolean => d.because === 'the forwarding of the pod network';

/** By a rule that older versions of flannel, or a person, wrote. */
function masqueradesOtherwise(spec: ClusterSpec, topology: Topology, owner: Owner): boolean {
  const rules = (capturedOf(spec, owner)?.tables ?? []).flatMap((t) => (t.name === 'nat' ? t.chains.flatMap((c) => c.rules) : []));
  const ofPods = (m: Match): boolean => m.kind === 'source' && !m.inverted && topology.cluster.podCidrs.some((p) => overlaps(p, m.prefix));
  return rules.some((r) => (r.target?.kind === 'masquerade' || r.target?.kind === 'snat') && r.matches.some(ofPods));
}

function driftInBlock(spec: ClusterSpec, topology: Topology, block: readonly Deviation[]): readonly Drift[] {
  const partial = partOfDump(spec, block);
  const rest = partial === null ? block : block.filter((d) => d.kind !== 'missing' && !onlyLacks(d));
  const harmless: Deviation[] = [];
  const harmful: Deviation[] = [];
  for (const d of rest) (isHarmless(spec, d) ? harmless : harmful).push(d);
  const told = [...(partial === null ? [] : [partial]), ...(harmful.length === 0 ? [] : [grouped('drift', harmful)]), ...(harmless.length === 0 ? [] : [grouped('harmless', harmless)])];
  const accepted = partial === null ? acceptances(spec, topology, block) : [];
  return told.map((drift) => ({ ...drift, fixes: [...drift.fixes, ...accepted] }));
}

/** So few may well be missing from a whole table. */
const FEW = 6;

/** Most of what the programs would have written is not there: nobody's node looks so, but a pasted excerpt does. */
function partOfDump(spec: ClusterSpec, block: readonly Deviation[]): Drift | null {
  const [first] = block;
  const missing = block.filter((d) => d.kind === 'missing');
  const lacking = missing.reduce((n, d) => n + d.wanted.length, 0);
  if (first === undefined || first.table === null || lacking === 0) return null;
  const family = first.block === 'ip6tables' ? 6 : 4;
  const table = capturedOf(spec, first.owner)?.tables?.find((t) => t.name === first.table && t.family === family);
  const there = table?.chains.reduce((n, c) => n + c.rules.length, 0) ?? 0;
  if (lacking < FEW || lacking < there) return null;
  const whole = adoptionOf(missing);
  return {
    kind: 'partial', owner: first.owner, block: first.block, at: placeOf(table?.origin ?? { kind: 'derived', by: 'kernel', because: '' }), others: [],
    sentence: `The ${placeOfBlock(first)} has ${there === 0 ? 'no rules' : there === 1 ? 'one rule' : `${there} rules`}, and lacks ${lacking} that ${programs(missing)} would have written there: it is taken for the whole, so paste the whole.`,
    fixes: whole === undefined ? [] : [{ title: `add the ${lacking} missing rules to the ${placeOfBlock(first)}`, edits: whole.edits }],
  };
}

/** Of what is there nothing is wrong: the excerpt left out lines. */
const onlyLacks = (d: Deviation): boolean => d.table !== null && d.kind === 'stale' && d.there.every((e) => d.wanted.some((w) => plainRule(w.text) === plainRule(e.text)));

const programs = (found: readonly Deviation[]): string => [...new Set(found.flatMap((d) => d.by ?? []))].join(' and ');

function isHarmless(spec: ClusterSpec, d: Deviation): boolean {
  if (d.kind === 'left-over') return true;
  if (d.block === 'links') return / MTU of /.test(d.what) && mtuOf(d.there[0]?.text) < mtuOf(d.wanted[0]?.text);
  return isForwarding(d) && forwardPolicies(spec, d.owner).every((policy) => policy === 'ACCEPT');
}

const mtuOf = (text: string | undefined): number => Number(/mtu (\d+)/.exec(text ?? '')?.[1] ?? 0);

const forwardPolicies = (spec: ClusterSpec, owner: Owner): readonly (string | null)[] =>
  (capturedOf(spec, owner)?.tables ?? []).flatMap((t) => (t.name === 'filter' ? t.chains.flatMap((c) => (c.name === 'FORWARD' ? [c.policy ?? 'ACCEPT'] : [])) : []));

const SHOWN = 2;

function grouped(kind: 'drift' | 'harmless', found: readonly Deviation[]): Drift {
  const [first] = found as readonly [Deviation, ...Deviation[]];
  const more = found.length - SHOWN;
  const whole = adoptionOf(found);
  if (kind === 'harmless' && first.table !== null && found.every((d) => d.kind === 'left-over')) return leftOverRules(found);
  const told = found.slice(0, SHOWN).map(phrase).join('; ');
  const consequence = kind === 'drift' ? consequenceOf(first) : '';
  return {
    kind, owner: first.owner, block: first.block, at: first.at,
    sentence: `${told}${more > 0 ? `; and ${more} more` : ''}.${consequence}`,
    others: found.slice(1).flatMap((d) => (d.at === null || (d.at.line === first.at?.line && d.at.file === first.at.file) ? [] : [{ at: d.at, message: phrase(d) }])),
    fixes: whole === undefined ? [] : [{ title: whole.title, edits: whole.edits }],
  };
}

/** Of services that are gone, or that the file does not declare. */
function leftOverRules(found: readonly Deviation[]): Drift {
  const [first] = found as readonly [Deviation, ...Deviation[]];
  const whole = adoptionOf(found);
  const rules = found.length === 1 ? 'a rule' : `${found.length} rules`;
  return {
    kind: 'harmless', owner: first.owner, block: first.block, at: first.at, others: [],
    sentence: `The ${placeOfBlock(first)} has ${rules} in the chains of kube-proxy or flannel that nothing in the file explains, ${found.length === 1 ? '' : 'the first of them '}${quoted(first.there)}: left over, or of what is not declared.`,
    fixes: whole === undefined ? [] : [{ title: `remove ${found.length === 1 ? 'the rule' : `the ${rules}`} from the ${placeOfBlock(first)}`, edits: whole.edits }],
  };
}

const quoted = (entries: readonly { readonly text: string }[]): string => entries.map((e) => `\`${e.text.trim()}\``).join(', ');

function phrase(d: Deviation): string {
  const where = ownerText(d.owner);
  switch (d.kind) {
    case 'missing':
      return `the ${placeOfBlock(d)} ${isSingular(d) ? 'lacks' : 'lack'} ${d.what}${d.wanted.length === 1 ? `, ${quoted(d.wanted)}` : ''}`;
    case 'stale':
      return d.table !== null ? `the ${placeOfBlock(d)} has outdated rules for ${d.because ?? 'a service'}` : `${where} has ${quoted(d.there)}, where ${d.by ?? 'its program'} would have ${quoted(d.wanted)}`;
    case 'left-over':
    case 'foreign':
      return `${where} still has ${d.what}, which no program of the cluster wants any more`;
  }
}

function consequenceOf(d: Deviation): string {
  if (isMasquerade(d)) return ' What its pods send out of the pod network goes out with their own addresses, and no answer comes back.';
  if (isForwarding(d)) return ' What it forwards for pods meets the policy of FORWARD.';
  if (d.because?.startsWith('the lease of ') === true) return ` Pods behind ${d.because} are not reached from it.`;
  if (d.because?.startsWith('service ') === true) return ` It does not translate that ${d.because.split(' port ')[0] ?? 'service'} as the other nodes do.`;
  return '';
}

/** An ACCEPT that is never reached, as a rule before it decides whatever it is for. */
function shadowed(owner: Owner, table: Table): readonly Drift[] {
  if (table.name !== 'filter') return [];
  return table.chains.flatMap((chain) => {
    const i = chain.rules.findIndex((r, n) => isEnd(r) && chain.rules.slice(n + 1).some((later) => isHidden(table, r, later)));
    const first = chain.rules[i];
    const hidden = first === undefined ? [] : chain.rules.slice(i + 1).filter((later) => isHidden(table, first, later));
    const [rule] = hidden;
    const [at, before] = [rule === undefined ? null : placeOf(rule.origin), first === undefined ? null : placeOf(first.origin)];
    if (first === undefined || rule === undefined || at === null || before === null) return [];
    const block = table.family === 4 ? 'iptables' : 'ip6tables';
    const edit: Edit = { kind: 'lines', owner, block, table: table.name, remove: hidden.flatMap((r) => placeOf(r.origin) ?? []), add: hidden.map((r) => r.text), before };
    return [{
      kind: 'shadowed' as const, owner, block, at, others: [{ at: before, message: 'this decides first' }],
      sentence: `\`${rule.text}\` on ${ownerText(owner)} is never reached: \`${first.text}\` decides before it${hidden.length > 1 ? `, and before ${hidden.length - 1} more` : ''}.`,
      fixes: [{ title: `move ${hidden.length > 1 ? `${hidden.length} rules` : 'the rule'} before \`${first.text}\``, edits: [edit] }],
    }];
  });
}

const isEnd = (rule: Rule): boolean => rule.target?.kind === 'drop' || rule.target?.kind === 'reject';

function isHidden(table: Table, by: Rule, rule: Rule): boolean {
  const accepting = rule.target?.kind === 'accept' || (rule.target?.kind === 'jump' && reachable(table, rule.target.chain).some((r) => r.target?.kind === 'accept'));
  return accepting && tests(by).every((m) => tests(rule).some((other) => JSON.stringify(other) === JSON.stringify(m)));
}

const tests = (rule: Rule): readonly Match[] => rule.matches.filter((m) => m.kind !== 'comment');

/** The rules of a chain and of those that it leads to. */
function reachable(table: Table, name: string): readonly Rule[] {
  const byName = new Map(table.chains.map((c) => [c.name, c]));
  const seen = new Set<Chain>();
  const queue = [name];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const chain = byName.get(next);
    if (chain === undefined || seen.has(chain)) continue;
    seen.add(chain);
    for (const { target } of chain.rules) if (target?.kind === 'jump') queue.push(target.chain);
  }
  return [...seen].flatMap((c) => c.rules);
}

/** Docker sets this policy; flannel's rules then are what lets pods through. */
function forwardDrops(topology: Topology, owner: Owner, table: Table, found: readonly Deviation[]): readonly Drift[] {
  const forward = table.chains.find((c) => c.name === 'FORWARD');
  const at = forward === undefined ? null : placeOf(forward.origin);
  if (table.name !== 'filter' || forward?.policy !== 'DROP' || at === null || reachable(table, 'FORWARD').some((r) => isForPods(topology, r))) return [];
  const block = table.family === 4 ? 'iptables' : 'ip6tables';
  const flannel = found.find((d) => isForwarding(d) && d.block === block);
  return [{
    kind: 'forward-drop', owner, block, at, others: [],
    sentence: `The policy of FORWARD on ${ownerText(owner)} is DROP, and no rule accepts what pods send or get: nothing is forwarded for them.`,
    fixes: [
      ...(flannel === undefined ? [] : [{ title: `add ${flannel.what}`, edits: flannel.edits }]),
      { title: 'set the policy of FORWARD to ACCEPT', edits: [{ kind: 'words', owner, block, at, from: 'FORWARD DROP', to: 'FORWARD ACCEPT' }] },
    ],
  }];
}

/** An ACCEPT that a new connection of a pod may meet. */
const isForPods = ({ cluster }: Topology, rule: Rule): boolean => rule.target?.kind === 'accept' && tests(rule).every((m) => {
  switch (m.kind) {
    case 'conntrack-state': return m.states.includes('NEW') !== m.inverted;
    case 'source':
    case 'destination': return m.inverted || cluster.podCidrs.some((p) => overlaps(p, m.prefix));
    case 'in-interface':
    case 'out-interface': return m.inverted || /^(cni|flannel|veth|\+)/.test(m.name);
    case 'mark': return m.inverted;
    default: return true;
  }
});
