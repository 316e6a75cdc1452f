/** Kubernetes namespaces and NetworkPolicies as declarations. */
import { contains, formatPrefix } from '../../../../engine/src/net/address.ts';
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { PolicyType } from '../../../../engine/src/topology/network-policy.ts';
import { badValue } from '../diagnostics/bad-value.ts';
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { hostBitsSet } from '../diagnostics/host-bits-set.ts';
import { missingArgument } from '../diagnostics/missing-argument.ts';
import type { Token } from '../syntax/tree.ts';
import type { NamespaceDeclaration, NetworkPolicyDeclaration, PeerDeclaration, TrafficDeclaration } from './declarations.ts';
import type { Located } from './decode.ts';
import { valuesOf, wordOf } from './decode.ts';
import { usageOf } from './grammar.ts';
import type { SelectorDeclaration } from './selector.ts';
import { readSelector } from './selector.ts';
import type { Statement } from './statements.ts';
import { Statements, extentOf } from './statements.ts';
import { readValue } from './values.ts';

const baseOf = (s: Statement, out: readonly Diagnostic[]) => ({ node: s.node, keyword: s.decoded.keyword, ...extentOf(s.node, 0), diagnostics: out });

export function declareNamespace(s: Statement, out: Diagnostic[]): NamespaceDeclaration {
  const inside = new Statements(s, 'namespace', out);
  return { kind: 'namespace', ...baseOf(s, out), name: valuesOf(s.decoded, 'NAME', 'name', 0)[0] ?? null, labels: inside.values('labels', 'label') };
}

export function declarePolicy(s: Statement, out: Diagnostic[]): NetworkPolicyDeclaration {
  const inside = new Statements(s, 'network-policy', out);
  const [pods] = inside.all('pods');
  return {
    kind: 'network-policy',
    ...baseOf(s, out),
    name: valuesOf(s.decoded, '[NAMESPACE/]NAME', 'object-name', 0)[0] ?? null,
    pods: pods === undefined ? null : readSelector(pods.node.tokens.slice(1), keywordOf(pods), pods.offset, out),
    ingress: inside.all('ingress').flatMap((rule) => trafficOf(rule, 'ingress', out) ?? []),
    egress: inside.all('egress').flatMap((rule) => trafficOf(rule, 'egress', out) ?? []),
    // Rules that cannot be read isolate all the same.
    types: inside.has('types') ? inside.values('types', 'choice').map((t) => t.value as PolicyType) : inside.has('egress') ? ['Ingress', 'Egress'] : null,
  };
}

const keywordOf = (s: Statement): Range => ({ start: s.decoded.keyword.start + s.offset, end: s.decoded.keyword.end + s.offset });

/** Without peers or ports it is everybody's; where none of those given can be read, nobody's. */
function trafficOf(rule: Statement, direction: 'ingress' | 'egress', out: Diagnostic[]): TrafficDeclaration | null {
  const inside = new Statements(rule, direction, out);
  const side = direction === 'ingress' ? 'from' : 'to';
  const peers = inside.all(side).flatMap((peer) => peerOf(peer, out) ?? []);
  const ports = inside.values('port', 'policy-port');
  const isEmptied = (keyword: string, read: readonly unknown[]): boolean => read.length === 0 && inside.has(keyword);
  return isEmptied(side, peers) || isEmptied('port', ports) ? null : { ...extentOf(rule.node, rule.offset), peers, ports };
}

/** `namespaces SELECTOR pods SELECTOR`, either alone, or `ip-block CIDR except CIDR, …`. */
function peerOf(s: Statement, out: Diagnostic[]): PeerDeclaration | null {
  const [, ...words] = s.node.tokens;
  const [first] = words;
  const extent = extentOf(s.node, s.offset);
  if (first === undefined) {
    out.push(report(missingArgument, { keyword: s.decoded.grammar.keyword, argument: 'whom', usage: usageOf(s.decoded.grammar) }, keywordOf(s)));
    return null;
  }
  const word = wordOf(first);
  if (word === 'ip-block') return blockOf(s, words.slice(1), out);
  if (word !== 'pods' && word !== 'namespaces') {
    const problem = `'${word}' means nothing here: pods, namespaces and ip-block are known`;
    out.push(report(badValue, { problem, instead: undefined }, shiftedRange(first, s.offset)));
    return null;
  }
  const split = word === 'pods' ? 0 : words.findIndex((t, i) => i > 0 && wordOf(t) === 'pods' && words[i - 1]?.kind !== 'comma');
  const read = (from: number, to: number): SelectorDeclaration => readSelector(words.slice(from + 1, to), shiftedRange(words[from] ?? first, s.offset), s.offset, out);
  return {
    kind: 'pods', ...extent,
    namespaces: word === 'namespaces' ? read(0, split < 0 ? words.length : split) : null,
    pods: split < 0 ? null : read(split, words.length),
  };
}

const shiftedRange = (token: Token, by: number): Range => ({ start: token.offset + by, end: token.offset + token.text.length + by });

function blockOf(s: Statement, words: readonly Token[], out: Diagnostic[]): PeerDeclaration | null {
  const values = words.filter((t) => t.kind !== 'comma');
  const [first, except, ...excepted] = values;
  const lacks = (argument: string, at: Range): void => void out.push(report(missingArgument, { keyword: s.decoded.grammar.keyword, argument, usage: usageOf(s.decoded.grammar) }, at));
  if (first === undefined) {
    lacks('CIDR', keywordOf(s));
    return null;
  }
  const prefix = cidrOf(first, s.offset, out);
  if (except !== undefined && wordOf(except) !== 'except') {
    out.push(report(badValue, { problem: `'${wordOf(except)}' means nothing here: only 'except CIDR' can follow`, instead: undefined }, shiftedRange(except, s.offset)));
  } else if (except !== undefined && excepted.length === 0) lacks('CIDR', shiftedRange(except, s.offset));
  const exceptions = except !== undefined && wordOf(except) === 'except' ? excepted.flatMap((t) => cidrOf(t, s.offset, out) ?? []) : [];
  if (prefix === null) return null;
  for (const e of exceptions) {
    if (!isPartOf(e.value, prefix.value)) out.push(report(badValue, { problem: `'${formatPrefix(e.value)}' is not a part of ${formatPrefix(prefix.value)}`, instead: undefined }, e));
  }
  return { kind: 'block', ...extentOf(s.node, s.offset), prefix, except: exceptions };
}

/** A strict subset, as the API server wants it (pkg/apis/networking/validation: ValidateIPBlock). */
export const isPartOf = (part: Prefix, whole: Prefix): boolean => part.address.family === whole.address.family && part.length > whole.length && contains(whole, part.address);

function cidrOf(token: Token, by: number, out: Diagnostic[]): Located<Prefix> | null {
  const reading = readValue('cidr', wordOf(token));
  const at = shiftedRange(token, by);
  if (!reading.ok) {
    out.push(report(badValue, { problem: reading.problem, instead: reading.instead }, at));
    return null;
  }
  if (reading.warning !== undefined) out.push(report(hostBitsSet, { problem: reading.warning.message, instead: reading.warning.instead }, at));
  return { value: reading.value, ...at };
}
