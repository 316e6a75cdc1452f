/** A repair as what one would type: the tools' own commands for the lines of a dump, by place and in order. */
import type { ConntrackRecord, Rule, Table } from '../topology/netfilter.ts';
import type { Origin, SourceRef } from '../topology/origin.ts';
import type { CapturedState, ClusterSpec } from '../topology/spec.ts';
import { capturedOf, ownerText, placeOf, sameRef } from './candidate.ts';
import type { Command, Edit, Owner } from './explanation.ts';

type Lines = Extract<Edit, { readonly kind: 'lines' }>;
type Words = Extract<Edit, { readonly kind: 'words' }>;

/** More changes of one table than this are one transaction of iptables-restore. */
const MOST_SINGLE = 4;

/** `spec`: as it stands before the edits. What a statement of the file declares is of no tool of a node. */
export function commandsOf(spec: ClusterSpec, edits: readonly Edit[]): readonly Command[] {
  return edits.flatMap((edit): readonly Command[] => {
    if (edit.kind !== 'lines' && edit.kind !== 'words') return [];
    const captured = capturedOf(spec, edit.owner);
    if (captured === undefined) return [];
    return edit.kind === 'lines' ? ofLines(captured, edit).map((command) => commandOn(edit.owner, command)) : ofWords(captured, edit);
  });
}

export const commandOn = (owner: Owner, command: string): Command => ({ on: ownerText(owner), command });

/** What the API server is told, from wherever kubectl works. */
export const kubectl = (namespace: string, rest: string): Command => ({ on: 'kubectl', command: `kubectl -n ${namespace} ${rest}` });

/** `patch` as JSON says it: a merge (RFC 7396), or a list of operations (RFC 6902). */
export const patched = (namespace: string, kind: 'service' | 'networkpolicy', name: string, patch: object): Command =>
  kubectl(namespace, `patch ${kind} ${name} --type ${Array.isArray(patch) ? 'json' : 'merge'} -p ${shellQuoted(JSON.stringify(patch))}`);

const stands = (record: { readonly origin: Origin }, at: SourceRef): boolean => {
  const place = placeOf(record.origin);
  return place !== null && sameRef(place, at);
};

function ofLines(captured: CapturedState, edit: Lines): readonly string[] {
  switch (edit.block) {
    case 'iptables':
    case 'ip6tables': return ofRules(captured, edit);
    case 'routes': return replacing(textsAt(captured.routes, edit), edit.add, routeKey, (text) => `ip ${routeFamily(text)}route`, plainRoute, plainRoute);
    case 'neighbours': return replacing(textsAt(captured.neighbours, edit), edit.add, neighbourKey, () => 'ip neigh', neighbourKey, neighbourWords);
    case 'fdb': return replacing(textsAt(captured.fdb, edit), edit.add, fdbKey, () => 'bridge fdb', (text) => text.trim().replace(/ (permanent|static)\b/g, ''), (text) => text.trim());
    case 'rules': return [...textsAt(captured.rules, edit).map((text) => `ip ${ruleFamily(text)}rule del ${ruleWords(text)}`), ...edit.add.map((text) => `ip ${ruleFamily(text)}rule add ${ruleWords(text)}`)];
    case 'sysctl': return edit.add.map((text) => `sysctl -w ${text.replace(/\s*=\s*/, '=')}`);
    case 'conntrack': return (captured.conntrack ?? []).filter((r) => edit.remove.some((at) => stands(r, at))).map(conntrackDeletion);
    case 'addresses':
    case 'links': return [];
  }
}

const textsAt = (records: readonly { readonly text: string; readonly origin: Origin }[] | undefined, { remove }: Lines): readonly string[] =>
  remove.flatMap((at) => records?.filter((r) => stands(r, at)).map((r) => r.text) ?? []);

/** What has the same key is written over, what has none is removed. */
function replacing(gone: readonly string[], added: readonly string[], key: (text: string) => string, tool: (text: string) => string, identified: (text: string) => string, whole: (text: string) => string): readonly string[] {
  const kept = new Set(added.map(key));
  return [
    ...gone.filter((text) => !kept.has(key(text))).map((text) => `${tool(text)} del ${identified(text)}`),
    ...added.map((text) => `${tool(text)} replace ${whole(text)}`),
  ];
}

const TYPES = /^(unicast|local|broadcast|multicast|blackhole|unreachable|prohibit|throw|anycast) /;

/** What `ip route` prints of a route's state, and does not take. */
const plainRoute = (text: string): string => text.trim().replace(/\s+/g, ' ').replace(/ (linkdown|dead|offload|trap|rt_offload|rt_trap|notify)\b/g, '').replace(/ expires \S+/, '');

/** What makes a route another one: its destination, table, TOS and metric (fib_table_insert). */
function routeKey(text: string): string {
  const plain = plainRoute(text).replace(TYPES, '');
  return [plain.split(' ')[0] ?? '', ...[/ table \S+/, / (?:tos|dsfield) \S+/, / metric \S+/].map((part) => part.exec(plain)?.[0] ?? '')].join('');
}

const routeFamily = (text: string): string => (/^\S*:/.test(plainRoute(text).replace(TYPES, '')) || / via \S*:/.test(text) ? '-6 ' : '');

/** `10.244.2.0 dev flannel.1` */
const neighbourKey = (text: string): string => text.trim().split(/\s+/).slice(0, 3).join(' ');

function neighbourWords(text: string): string {
  const mac = /lladdr (\S+)/.exec(text)?.[1];
  return `${neighbourKey(text)}${mac === undefined ? '' : ` lladdr ${mac}`} nud permanent`;
}

/** A remote is part of the key only where the MAC stands for many (`vxlan_fdb_replace`). */
const fdbKey = (text: string): string => text.trim().split(/\s+/).slice(0, 3).join(' ');

/** `100:	from 10.0.0.0/8 lookup 100` */
const ruleWords = (text: string): string => text.trim().replace(/^(\d+):\s*/, 'pref $1 ').replace(/\s+/g, ' ').replace(/ \[detached\]/g, '');

const ruleFamily = (text: string): string => (/ (from|to) \S*:/.test(text) ? '-6 ' : '');

function ofRules(captured: CapturedState, edit: Lines): readonly string[] {
  const family = edit.block === 'iptables' ? 4 : 6;
  const table = captured.tables?.find((t) => t.name === edit.table && t.family === family);
  if (table === undefined) return [];
  const changes = ruleChanges(table, edit);
  const tool = edit.block;
  if (changes.length <= MOST_SINGLE) return changes.map((line) => `${tool} -t ${table.name} ${shellWords(line)}`);
  return [[`${tool}-restore --noflush <<'EOF'`, `*${table.name}`, ...changes.map((line) => line.replace(/^-N (\S+)$/, ':$1 - [0:0]')), 'COMMIT', 'EOF'].join('\n')];
}

/** By what is printed of the first direction. */
function conntrackDeletion({ text, family, protocol }: ConntrackRecord): string {
  const field = (name: string): string => new RegExp(` ${name}=(\\S+)`).exec(text)?.[1] ?? '';
  const ports = field('sport') === '' ? '' : ` --orig-port-src ${field('sport')} --orig-port-dst ${field('dport')}`;
  return `conntrack -D${family === 6 ? ' -f ipv6' : ''} -p ${protocol} --orig-src ${field('src')} --orig-dst ${field('dst')}${ports}`;
}

/** As iptables-restore takes them: new chains first, then what goes, then what comes; the number of the rule that it comes before is counted by then. */
function ruleChanges(table: Table, { add, remove, before }: Lines): readonly string[] {
  const rules = add.filter((l) => !l.startsWith(':'));
  const known = new Set(table.chains.map((c) => c.name));
  const named = add.map((l) => /^(?::|-A )(\S+)/.exec(l)?.[1] ?? '');
  const fresh = [...new Set(named)].filter((name) => name !== '' && !known.has(name));
  const gone = table.chains.flatMap((c) => c.rules).filter((r) => remove.some((at) => stands(r, at)));
  return [
    ...fresh.map((name) => `-N ${name}`),
    ...gone.map((r) => r.text.replace(/^-A/, '-D')),
    ...rules.map((text, i) => (before === null ? text : inserted(table, text, before, gone, i))),
  ];
}

function inserted(table: Table, text: string, before: SourceRef, gone: readonly Rule[], already: number): string {
  const chain = table.chains.find((c) => c.rules.some((r) => stands(r, before)));
  const rules = chain?.rules.filter((r) => !gone.includes(r)) ?? [];
  const at = rules.findIndex((r) => stands(r, before));
  const name = chain?.name ?? '';
  return at < 0 ? text : `-I ${name} ${at + 1 + already}${text.slice(`-A ${name}`.length)}`;
}

/** Each word as a POSIX shell reads it; iptables-save quotes with double quotes and backslashes. */
export function shellWords(line: string): string {
  const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? shellQuoted(word.slice(1, -1).replace(/\\(.)/g, '$1')) : shellQuoted(word))).join(' ');
}

export const shellQuoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) || word === '!' ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function ofWords(captured: CapturedState, { owner, block, at, from, to }: Words): readonly Command[] {
  if (block === 'iptables' || block === 'ip6tables') {
    const [chain, policy] = to.split(' ');
    const table = captured.tables?.find((t) => t.family === (block === 'iptables' ? 4 : 6) && t.chains.some((c) => c.name === chain && stands(c, at)));
    return table === undefined ? [] : [commandOn(owner, `${block} -t ${table.name} -P ${chain ?? ''} ${policy ?? ''}`)];
  }
  const device = captured.interfaces?.find((i) => stands(i, at))?.name;
  if (device === undefined) return [];
  if (to.startsWith('mtu ')) return [commandOn(owner, `ip link set dev ${device} ${to}`)];
  if (to === '<UP,') return [commandOn(owner, `ip link set dev ${device} up`)];
  if (/^(hairpin|isolated) /.test(to)) return [commandOn(owner, `bridge link set dev ${device} ${to}`)];
  if (to.startsWith('inet')) return [commandOn(owner, `ip addr del ${from.split(' ')[1] ?? ''} dev ${device}`), commandOn(owner, `ip addr add ${to.split(' ')[1] ?? ''} dev ${device}`)];
  // A vxlan device keeps its VNI and port for life (vxlan_changelink): flanneld makes it anew when it starts.
  return [commandOn(owner, `ip link del ${device}`), kubectl('kube-flannel', `delete pod -l app=flannel --field-selector spec.nodeName=${owner.name}`)];
}
