/** What can stand among the words of a statement. */
import { formatAddress, formatPrefix } from '../../../../engine/src/net/address.ts';
import { CLAUSES, OUTCOMES, PROTOCOLS, SIZE } from '../bind/expectation.ts';
import type { ArgumentGrammar, StatementGrammar } from '../bind/grammar.ts';
import { shortName } from '../bind/names.ts';
import { declarationAt } from '../bind/occurrences.ts';
import type { Snapshot } from '../snapshot.ts';
import { isolatedCompletions, peerCompletions, podLabels } from './complete-policy.ts';
import { valuesFor } from './complete-value.ts';
import type { Candidate } from './completions.ts';
import type { CursorContext, Word } from './cursor-context.ts';

type ArgumentContext = Extract<CursorContext, { readonly kind: 'argument' }>;

const words = (labels: readonly string[], detail: string): Candidate[] => labels.map((label) => ({ label, kind: 'keyword', detail }));

export function argumentCompletions(snapshot: Snapshot, context: ArgumentContext, offset: number): readonly Candidate[] {
  const { grammar } = context;
  if (grammar.keyword === 'expect') return expectCompletions(snapshot, context.words);
  if (context.context === 'network-policy' && grammar.keyword === 'pods') return isolatedCompletions(snapshot, context.words, offset);
  if (grammar.keyword === 'from' || grammar.keyword === 'to') return peerCompletions(snapshot, context.words);
  const expected = expectedArguments(grammar, context.words);
  return expected.flatMap((e) => (typeof e === 'string' ? words([e], `before ${grammar.arguments.find((a) => a.after === e)?.label ?? ''}`) : candidatesFor(snapshot, e, context, offset)));
}

/** Arguments that the word at the cursor may be, and words that may introduce one. */
function expectedArguments(grammar: StatementGrammar, before: readonly Word[]): readonly (ArgumentGrammar | string)[] {
  const led = new Map(grammar.arguments.flatMap((a) => (a.after === undefined ? [] : [[a.after, a] as const])));
  const last = before.at(-1);
  const lastLed = before.findLast((w) => led.has(w.text));
  if (last !== undefined && last === lastLed) return [led.get(last.text) as ArgumentGrammar];
  const intro = [...led.keys()].filter((word) => !before.some((w) => w.text === word));
  const from = lastLed === undefined ? before : before.slice(before.indexOf(lastLed) + 1);
  const slots = from.filter((w, i) => !w.isComma && from[i - 1]?.isComma !== true).length;
  const positional = grammar.arguments.filter((a) => a.after === undefined);
  const current = lastLed === undefined ? positional[slots - (last?.isComma === true ? 1 : 0)] : led.get(lastLed.text);
  if (last?.isComma === true) return current === undefined ? [] : [current];
  if (lastLed !== undefined) return intro;
  const required = positional.filter((a) => a.need === 'required').length;
  return [...(current === undefined ? [] : [current]), ...(current?.need === 'optional' ? positional.slice(slots + 1, slots + 2) : []), ...(slots >= required ? intro : [])];
}

function candidatesFor(snapshot: Snapshot, argument: ArgumentGrammar, { context, grammar }: ArgumentContext, offset: number): readonly Candidate[] {
  const choices = [...words(argument.choices ?? [], grammar.doc), ...valuesFor(snapshot, { context, keyword: grammar.keyword, argument: argument.label }, offset)];
  if (argument.refersTo === 'node') return [...snapshot.names.nodes.values()].map(({ declaration: d }) => ({ label: d.name?.value ?? '', kind: 'node', detail: d.podCidrs.map((c) => formatPrefix(c.value)).join(', ') }));
  if (argument.refersTo === 'network') return [...snapshot.names.networks.values()].map(({ declaration: d }) => ({ label: d.name?.value ?? '', kind: 'network', detail: d.prefixes.map((c) => formatPrefix(c.value)).join(', ') }));
  if (argument.kind === 'listener') return [...choices, ...['53/UDP', '53/TCP', '80/TCP', '443/TCP', '8080/TCP'].map((label): Candidate => ({ label, kind: 'value', detail: 'port and protocol' }))];
  if (argument.kind === 'label') return labelsAt(snapshot, offset);
  return choices;
}

/** Labels of the namespace's pods, for selectors; else of whatever is of the kind that gets them. */
function labelsAt(snapshot: Snapshot, offset: number): Candidate[] {
  const d = declarationAt(snapshot.model, offset)?.declaration;
  const others = d?.kind === 'node' ? snapshot.model.nodes : d?.kind === 'namespace' ? snapshot.model.namespaces : null;
  if (others === null) return podLabels(snapshot, d?.kind === 'service' ? d.name?.value.namespace : undefined);
  const labels = new Set([...others.flatMap((o) => o.declaration.labels.map((l) => l.value.join('='))), ...(d?.kind === 'node' ? ['topology.kubernetes.io/zone='] : [])]);
  return [...labels].sort().map((label) => ({ label, kind: 'label', detail: `of ${d?.kind ?? ''}s` }));
}

function expectCompletions(snapshot: Snapshot, before: readonly Word[]): Candidate[] {
  const texts = before.map((w) => w.text);
  const last = texts.at(-1);
  if (last === undefined || last === '->') return partyCandidates(snapshot);
  if (texts.length === 1) return words(['->'], 'before who receives');
  if (last === 'to') return partyCandidates(snapshot).filter((c) => c.kind !== 'service');
  if (last === 'via' || (before.at(-1)?.isComma ?? false)) return hopCandidates(snapshot);
  if (last === 'as') return [...snapshot.model.nodes].flatMap((n) => n.declaration.interfaces.flatMap((i) => i.addresses.map((a): Candidate => ({ label: formatAddress(a.value.address), kind: 'value', detail: `${n.declaration.name?.value ?? ''}'s ${i.name.value}` }))));
  if (last === SIZE) return [{ label: '1500', kind: 'value', detail: 'a full packet of an Ethernet' }, { label: '1450', kind: 'value', detail: "one of flannel's vxlan" }];
  if (texts.some((t) => OUTCOMES.some((o) => o === t))) return words(CLAUSES.filter((c) => !texts.includes(c)), 'narrows what is expected');
  return [
    ...words([...(texts.includes('not') ? [] : ['not']), ...OUTCOMES], 'what is expected'),
    ...(texts.length === 3 ? words([...PROTOCOLS], 'protocol') : []),
    ...(texts.includes(SIZE) || texts.includes('not') ? [] : words([SIZE], 'bytes of the packet')),
  ];
}

function partyCandidates({ names }: Snapshot): Candidate[] {
  const of = (kind: 'pod' | 'service', map: Snapshot['names']['pods'] | Snapshot['names']['services']): Candidate[] =>
    [...map.values()].flatMap(({ declaration: d }) => (d.name === null ? [] : [{ label: shortName(d.name.value), kind, detail: kind }]));
  const all = [
    ...of('pod', names.pods),
    ...[...names.nodes.keys()].map((label): Candidate => ({ label, kind: 'node', detail: 'node' })),
    ...of('service', names.services),
    ...[...names.externals.keys()].map((label): Candidate => ({ label, kind: 'external', detail: 'external' })),
  ];
  // A bare name that two kinds share means the first of them, in this order (engine/src/trace/party-names.ts).
  const seen = new Set<string>();
  return all.map((c) => {
    if (seen.has(c.label)) return { ...c, label: `${c.kind}/${c.label}` };
    seen.add(c.label);
    return c;
  });
}

function hopCandidates({ model }: Snapshot): Candidate[] {
  const flannel = model.clusters[0]?.declaration.flannel;
  const device = flannel?.backend === 'udp' ? 'flannel0' : flannel === undefined || flannel.backend === 'vxlan' ? `flannel.${flannel?.vni ?? 1}` : null;
  return model.nodes.flatMap(({ declaration: d }) => {
    const devices = ['cni0', ...(device === null ? [] : [device]), ...d.interfaces.map((i) => i.name.value)];
    return devices.map((i): Candidate => ({ label: `${d.name?.value ?? ''}/${i}`, kind: 'device', detail: `a device of ${d.name?.value ?? ''}` }));
  });
}
