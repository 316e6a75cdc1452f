/** What the checks of an iptables dump see, and where a finding stands. */
import type { Family } from '../../../../engine/src/net/address.ts';
import type { Rule, Table } from '../../../../engine/src/topology/netfilter.ts';
import type { CaptureContent } from '../bind/capture-content.ts';
import type { ChainGraph } from '../bind/chain-graph.ts';
import { readingOfIptablesLine } from '../bind/dump-formats.ts';
import type { Dump, LineSpan } from '../bind/dumps.ts';
import { lineOfRecord, reportInDump, wholeLine } from '../bind/dumps.ts';
import type { RuleReading } from '../native/iptables/rule.ts';
import type { Definition, Diagnostic } from './define.ts';

/** Something found in a dump, by line. */
export interface Finding {
  readonly at: LineSpan;
  /** Bound to its definition. */
  readonly report: (dump: Dump) => Diagnostic;
}

export const finding = <P>(definition: Definition<P>, p: P, at: LineSpan, related: readonly { readonly at: LineSpan; readonly message: string }[] = []): Finding =>
  ({ at, report: (dump) => reportInDump(dump, definition, p, at, related) });

/** What the checks of one family's tables see. */
export interface IptablesView {
  readonly family: Family;
  readonly content: CaptureContent;
  readonly graphs: readonly ChainGraph[];
  /** Of the same node's other dumps: their chains count as there. */
  readonly elsewhere: readonly Table[];
}

const ruleReading = (view: IptablesView, rule: Rule): RuleReading | null => {
  const line = view.content.lines[lineOfRecord(rule)];
  const reading = line === undefined ? null : readingOfIptablesLine(line, view.family);
  return reading?.kind === 'rule' ? reading : null;
};

/** Where the rule's target or chain stands. */
export function targetSpan(view: IptablesView, rule: Rule): LineSpan {
  const line = lineOfRecord(rule);
  const at = ruleReading(view, rule)?.targetAt;
  return at === null || at === undefined ? wholeLine(view.content, line) : { line, offset: at.offset, length: at.length };
}

/** Where the name stands that makes the chain: in its `:CHAIN` line or its first rule. */
export function chainSpan(view: IptablesView, record: { readonly origin: Rule['origin'] }): LineSpan {
  const line = lineOfRecord(record);
  const text = view.content.lines[line];
  const reading = text === undefined ? null : readingOfIptablesLine(text, view.family);
  if (reading?.kind === 'chain') return { line, offset: reading.at.offset, length: reading.at.length };
  return reading?.kind === 'rule' ? { line, offset: reading.chainAt.offset, length: reading.chainAt.length } : wholeLine(view.content, line);
}
