/** `expect FROM -> TO[:PORT][/PROTOCOL] [PROTOCOL] [size BYTES] [not] OUTCOME [to NAME] [via HOST/INTERFACE, …] [as ADDRESS]` */
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { Expectation } from '../../../../engine/src/verify/model.ts';
import { badExpectation } from '../diagnostics/bad-expectation.ts';
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import type { StatementNode, Token } from '../syntax/tree.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ExpectDeclaration } from './declarations.ts';
import type { Located } from './decode.ts';
import { tokenRange, wordOf } from './decode.ts';
import { extentOf } from './statements.ts';

export const OUTCOMES = ['delivered', 'dropped', 'rejected', 'unreachable', 'looped'] as const;
export const PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'ICMP'] as const;
export const SIZE = 'size';
export const CLAUSES = ['to', 'via', 'as'] as const;

export interface PartyText {
  /** Without port and protocol. */
  readonly name: string;
  readonly port: number | null;
  readonly protocol: string | null;
  readonly problem: string | null;
}

/**
 * `kube-dns.kube-system:53/UDP`, `[fd00::1]:53`, `fd00::1`, `ns/name:53`, `pod/ns/name`: what names the party, and the
 * port and protocol behind it. A last part after `/` is a protocol where it is the name of one.
 */
export function splitParty(text: string): PartyText {
  const slash = text.lastIndexOf('/');
  const tail = slash < 0 ? '' : text.slice(slash + 1).toUpperCase();
  const protocol = PROTOCOLS.find((p) => p === tail) ?? null;
  const head = protocol === null ? text : text.slice(0, slash);
  if (parseAddress(head) !== undefined) return { name: head, port: null, protocol, problem: null };
  if (head.startsWith('[') && !head.includes(']')) return { name: head, port: null, protocol, problem: `'${head}' lacks its ']': write [ADDRESS]:PORT` };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(head) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined) return { name: head, port: null, protocol, problem: `'${head}' has several colons: write an IPv6 address with a port as [ADDRESS]:PORT` };
  if (digits === undefined) return { name, port: null, protocol, problem: null };
  const port = Number(digits);
  const valid = /^\d{1,5}$/.test(digits) && port > 0 && port < 65536;
  const unknownProtocol = /^(\d+)\/(.*)$/.exec(digits);
  if (unknownProtocol !== null) return { name, port: null, protocol, problem: `'${unknownProtocol[2] ?? ''}' is no protocol: ${PROTOCOLS.join(', ')} are known` };
  return { name, port: valid ? port : null, protocol, problem: valid ? null : `'${digits}' is no port: a number from 1 to 65535 is needed` };
}

interface Draft {
  negated: boolean;
  outcome: Expectation['outcome'] | null;
  receiver: Located<string> | null;
  hops: Located<{ readonly host: string; readonly interface: string }>[];
  seenAs: string | null;
}

export function declareExpectation(node: StatementNode, syntax: readonly Diagnostic[]): ExpectDeclaration {
  const [keyword, ...words] = node.tokens;
  const diagnostics = [...syntax];
  const at = keyword === undefined ? { start: 0, end: 0 } : tokenRange(keyword);
  const broken = (problem: string, where: Range, instead?: string): void =>
    void diagnostics.push(report(badExpectation, { problem: problem + didYouMean(instead), instead }, where));
  const base = { kind: 'expect' as const, node, keyword: at, ...extentOf(node, 0) };
  const [from, arrow, to, ...rest] = words;
  const usage = 'write expect FROM -> TO[:PORT][/PROTOCOL] delivered';
  const located = (t: Token | undefined, text?: string): Located<string> | null =>
    t === undefined || t.kind === 'comma' ? null : { value: text ?? wordOf(t), ...tokenRange(t) };
  const glued = from !== undefined && from.text !== '->' && from.text.includes('->');
  if (from === undefined || from.text === '->') broken(`'expect' lacks who sends: ${usage}`, from === undefined ? at : tokenRange(from));
  else if (glued) broken(`'->' stands between blanks`, tokenRange(from), from.text.replace('->', ' -> ').trim());
  else if (arrow?.text !== '->') broken(`'->' is needed behind '${from.text}': ${usage}`, tokenRange(arrow ?? from));
  else if (to === undefined || to.kind === 'comma') broken(`'expect' lacks who receives: ${usage}`, tokenRange(arrow));
  else {
    const party = splitParty(wordOf(to));
    if (party.problem !== null) broken(party.problem, tokenRange(to));
    const separate = PROTOCOLS.find((p) => p === rest[0]?.text.toUpperCase());
    if (separate !== undefined && party.protocol !== null) broken(`two protocols are given, ${party.protocol} and ${separate}: write one`, tokenRange(rest[0] ?? to));
    if (party.port !== null && (separate ?? party.protocol) === 'ICMP') broken('a ping has no port: leave it out, or write TCP, UDP or SCTP', tokenRange(to));
    const sized = sizeIn(separate === undefined ? rest : rest.slice(1), broken);
    const draft = readClauses(sized.rest, to, broken);
    if (draft.outcome === null && diagnostics.length === syntax.length) broken(`'expect' lacks the outcome: ${OUTCOMES.join(', ')}`, tokenRange(rest.at(-1) ?? to));
    const expectation = draft.outcome === null || diagnostics.length > syntax.length ? null : {
      from: wordOf(from),
      to: separate === undefined ? wordOf(to) : `${wordOf(to)}/${separate}`,
      ...(sized.size === null ? {} : { size: sized.size }),
      outcome: draft.outcome,
      negated: draft.negated,
      receiver: draft.receiver?.value ?? null,
      via: draft.hops.map((h) => h.value),
      seenAs: draft.seenAs,
      text: words.map((t) => (t.kind === 'comma' ? ',' : ` ${t.text}`)).join('').trim(),
    } as const;
    return { ...base, diagnostics, from: located(from), to: party.problem === null ? located(to, party.name) : null, receiver: draft.receiver, hops: draft.hops, expectation };
  }
  return { ...base, diagnostics, from: glued || from?.text === '->' ? null : located(from), to: null, receiver: null, hops: [], expectation: null };
}

/** `size BYTES` stands before the outcome: it is of what is sent, not of what becomes of it. */
function sizeIn(tokens: readonly Token[], broken: (problem: string, where: Range) => void): { readonly size: number | null; readonly rest: readonly Token[] } {
  const [keyword, bytes, ...rest] = tokens;
  if (keyword?.text !== SIZE) return { size: null, rest: tokens };
  const size = Number(bytes?.text);
  if (bytes !== undefined && /^\d{1,5}$/.test(bytes.text) && size >= 28 && size <= 65535) return { size, rest };
  broken(bytes === undefined ? "'size' lacks the bytes of the packet: write size 1400" : `'${bytes.text}' is no size: a number of bytes from 28 to 65535 is needed, headers included`, tokenRange(bytes ?? keyword));
  return { size: null, rest };
}

function readClauses(tokens: readonly Token[], to: Token, broken: (problem: string, where: Range, instead?: string) => void): Draft {
  const draft: Draft = { negated: false, outcome: null, receiver: null, hops: [], seenAs: null };
  let clause: (typeof CLAUSES)[number] | null = null;
  let previous = to;
  for (const token of tokens) {
    const text = wordOf(token);
    const at = tokenRange(token);
    const opensClause = CLAUSES.find((c) => c === text);
    const outcome = OUTCOMES.find((o) => o === text);
    if (token.kind === 'comma') {
      if (clause === null && draft.hops.length > 0) clause = 'via';
      else broken("a ',' stands only between the hops of 'via'", at);
    } else if (clause !== null) {
      readClause(draft, clause, { value: text, ...at }, broken);
      clause = null;
    } else if (opensClause !== undefined && draft.outcome !== null) {
      if (isGiven(draft, opensClause)) broken(`'${opensClause}' stands twice: remove one of them`, at);
      clause = opensClause;
    }
    else if (text === 'not' && draft.outcome === null && !draft.negated) draft.negated = true;
    else if (outcome !== undefined && draft.outcome === null) draft.outcome = outcome;
    else if (text === SIZE) {
      broken("'size' stands before the outcome: write size 1400 delivered", at);
      return draft;
    } else {
      const allowed = draft.outcome === null ? [...(draft.negated ? [] : ['not']), ...OUTCOMES] : CLAUSES;
      broken(`'${text}' means nothing here; ${allowed.join(', ')} can stand here`, at, closest(text, allowed));
      if (draft.outcome === null) return draft;
    }
    previous = token;
  }
  if (clause !== null) broken(`'${previous.text}' lacks ${clause === 'to' ? 'the receiver\'s name' : clause === 'via' ? 'HOST/INTERFACE' : 'an address'}`, tokenRange(previous));
  return draft;
}

const isGiven = (draft: Draft, clause: (typeof CLAUSES)[number]): boolean =>
  clause === 'to' ? draft.receiver !== null : clause === 'as' ? draft.seenAs !== null : draft.hops.length > 0;

function readClause(draft: Draft, clause: (typeof CLAUSES)[number], word: Located<string>, broken: (problem: string, where: Range, instead?: string) => void): void {
  if (clause === 'to') draft.receiver = word;
  else if (clause === 'as') {
    draft.seenAs = word.value;
    if (parseAddress(word.value) === undefined) broken(`'${word.value}' is no address: 'as' takes the source address that the receiver sees`, word);
  } else {
    // A pod's interface has its namespace in front: default/pod1/eth0.
    const slash = word.value.lastIndexOf('/');
    if (slash < 1 || slash === word.value.length - 1) broken(`'${word.value}' is no hop: write HOST/INTERFACE, as in host1/flannel.1`, word);
    else draft.hops.push({ ...word, value: { host: word.value.slice(0, slash), interface: word.value.slice(slash + 1) } });
  }
}
