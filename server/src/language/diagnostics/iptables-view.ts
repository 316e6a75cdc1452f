/** What the checks of an iptables dump see, and where a finding stands. */
import type { Family } from '../../../../engine/src/net/address.ts';
import type { Rule, Table } from '../../../../engine/src/topology/netfilter.ts';
import type { CaptureContent } from '../bind/capture-content.ts';
import type { ChainGraph } from '../bind/chain-graph.ts';
import { readingOfIptablesLine } from '../bind/dump-formats.ts';
import type { Dump, LineSpan } from '../bind/dumps.ts';
import { lineOfRecord, reportInDump, wholeLine } from '../bind/dumps.ts';
import { placesOf } from '../native/iptables/saved-rule.ts';
import type { IptablesLine } from '../native/iptables/tables.ts';
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

/** What the line says of which a record came. */
const readingOf = (view: IptablesView, line: number): IptablesLine | null => {
  const text = view.content.lines[line];
  return text === undefined ? null : readingOfIptablesLine(text, view.family);
};

/** Where the rule's target or chain stands. */
export function targetSpan(view: IptablesView, rule: Rule): LineSpan {
  const line = lineOfRecord(rule);
  const reading = readingOf(view, line);
  const at = reading?.kind === 'rule' || reading?.kind === 'saved' ? placesOf(reading).targetAt : null;
  return at === null ? wholeLine(view.content, line) : { line, offset: at.offset, length: at.length };
}

/** Where the name stands that makes the chain: in its `:CHAIN` line or its first rule. */
export function chainSpan(view: IptablesView, record: { readonly origin: Rule['origin'] }): LineSpan {
  const line = lineOfRecord(record);
  const reading = readingOf(view, line);
  const at = reading?.kind === 'chain' ? reading.at : reading?.kind === 'rule' || reading?.kind === 'saved' ? placesOf(reading).chainAt : null;
  return at === null ? wholeLine(view.content, line) : { line, offset: at.offset, length: at.length };
}
