/** Which reader reads which dump, and what it gives the engine. */
import type { Family } from '../../../../engine/src/net/address.ts';
import type { Origin, SourceRef } from '../../../../engine/src/topology/origin.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { CapturedState } from '../../../../engine/src/topology/spec.ts';
import type { DumpLine, DumpProblem, LineProblem } from '../native/dump.ts';
import { onLine } from '../native/dump.ts';
import { readConntrackLine } from '../native/conntrack.ts';
import { readFdbLine } from '../native/fdb.ts';
import { assembleInterfaces, readInterfaceLine } from '../native/interface.ts';
import { readIpset } from '../native/ipset.ts';
import type { IptablesLine } from '../native/iptables/tables.ts';
import { assembleTables, readIptablesLine } from '../native/iptables/tables.ts';
import type { JsonFormat } from '../native/json/dump.ts';
import { isJson, readJsonDump } from '../native/json/dump.ts';
import { interfaceLines as jsonInterfaceLines } from '../native/json/interface.ts';
import { fdbLines as jsonFdbLines, neighbourLines as jsonNeighbourLines } from '../native/json/neighbour.ts';
import { routeLines as jsonRouteLines, ruleLines as jsonRuleLines } from '../native/json/route.ts';
import { readNeighbourLine } from '../native/neighbour.ts';
import { assemblePolicyRules, readPolicyRuleLine } from '../native/policy-rule.ts';
import { assembleResolver, readResolverLine } from '../native/resolv-conf.ts';
import { assembleRoutes, readRouteLine } from '../native/route.ts';
import { sharedBetweenTexts } from '../native/shared-lines.ts';
import { readSysctlLine } from '../native/sysctl.ts';
import type { CaptureKeyword } from './declarations.ts';
import type { DumpText } from './dump-lines.ts';
import { rulesetsOf } from './rulesets.ts';

export interface DumpReading {
  readonly state: CapturedState;
  readonly problems: readonly DumpProblem[];
}

const NO_LINE: DumpText = { text: '', offset: -1, key: {} };

type Places = (index: number) => SourceRef;

type DumpReader = (lines: readonly DumpText[], at: Places) => DumpReading;

/** A reader of single lines whose results are kept under the lines' keys, so that a keystroke reads one line again. */
function cached<R>(readLine: (text: string) => R): (line: DumpText, ofFile?: (text: string) => R) => R {
  const readings = new WeakMap<object, { readonly reading: R }>();
  return (line, ofFile = readLine) => {
    // The lines of another file change all together.
    if (line.offset < 0) return ofFile(line.text);
    const found = readings.get(line.key);
    if (found !== undefined) return found.reading;
    const reading = readLine(line.text);
    readings.set(line.key, { reading });
    return reading;
  };
}

const located = <R>(read: (line: DumpText) => R) => (lines: readonly DumpText[], at: Places): { readonly reading: R; readonly at: SourceRef }[] =>
  lines.map((line, i) => ({ reading: read(line), at: at(i) }));

/** A format in which each line stands for itself: what `record` finds in a reading, with its origin. */
function lineByLine<R extends { readonly problems: readonly LineProblem[] }, T extends object>(
  readLine: (text: string) => R, record: (reading: R) => T | null, state: (records: readonly (T & { readonly origin: Origin })[]) => CapturedState,
): DumpReader {
  const read = cached(readLine);
  return (lines, at) => {
    const problems: DumpProblem[] = [];
    const records: (T & { readonly origin: Origin })[] = [];
    for (const [i, line] of lines.entries()) {
      const reading = read(line);
      if (reading.problems.length > 0) problems.push(...onLine(reading.problems, i));
      const found = record(reading);
      if (found !== null) records.push({ ...found, origin: captured(at(i)) });
    }
    return { state: state(records), problems };
  };
}

const routeLines = located(cached(readRouteLine));

const policyRuleLines = located(cached(readPolicyRuleLine));

const readsOfFamily = (family: Family) => {
  const readLine = (text: string): IptablesLine => readIptablesLine(text, family);
  return { line: cached(readLine), ofFile: sharedBetweenTexts(readLine) };
};

const iptablesLines = { 4: readsOfFamily(4), 6: readsOfFamily(6) };

const resolverLine = cached(readResolverLine);

const interfaceLines = located(cached(readInterfaceLine));

const interfaces = (lines: readonly DumpText[], at: Places, dump: 'addresses' | 'links'): DumpReading => {
  const { interfaces: found, problems } = assembleInterfaces(interfaceLines(lines, at), dump);
  return { state: { interfaces: found }, problems };
};

/** What a line of `iptables { }` or `ip6tables { }` says by itself. */
export const readingOfIptablesLine = (line: DumpText, family: Family): IptablesLine => iptablesLines[family].line(line);

/** A dump may hold what both iptables-legacy-save and iptables-nft-save printed. */
const iptables = (family: Family): DumpReader => (dump, at) => {
  const parts = rulesetsOf([{ lines: dump, file: null }])[0] ?? [];
  const { line, ofFile } = iptablesLines[family];
  const shared = ofFile(dump.length);
  const readings = parts.map(({ lines, ruleset }) => {
    const { tables, problems } = assembleTables(lines.length, (i) => line(lines[i] ?? NO_LINE, shared), at, family);
    return { tables: ruleset === null ? tables : tables.map((table) => ({ ...table, ruleset })), problems };
  });
  return { state: { tables: readings.flatMap((r) => r.tables) }, problems: readings.flatMap((r) => r.problems) };
};

/** `-j` of the same tool: its records as lines, read by the reader of lines, and told at the tokens that they came from. */
function orJson(read: DumpReader, format: JsonFormat): DumpReader {
  return (lines, at) => {
    if (!isJson(lines)) return read(lines, at);
    const json = readJsonDump(lines, format);
    const texts = json.lines.map(({ text }): DumpText => ({ text, offset: -1, key: {} }));
    const { state, problems } = read(texts, (i) => at(json.lines[i]?.line ?? 0));
    return { state, problems: [...json.problems, ...problems.map((p) => json.place(p.line, p))] };
  };
}

const dumpLines = (lines: readonly DumpText[], at: Places): DumpLine[] => lines.map(({ text }, i) => ({ text, at: at(i) }));

export const DUMP_READERS: Readonly<Record<CaptureKeyword, DumpReader>> = {
  routes: orJson((lines, at) => {
    const { routes, problems } = assembleRoutes(routeLines(lines, at));
    return { state: { routes }, problems };
  }, jsonRouteLines),
  rules: orJson((lines, at) => {
    const { rules, problems } = assemblePolicyRules(policyRuleLines(lines, at));
    return { state: { rules }, problems };
  }, jsonRuleLines),
  addresses: orJson((lines, at) => interfaces(lines, at, 'addresses'), jsonInterfaceLines),
  links: orJson((lines, at) => interfaces(lines, at, 'links'), jsonInterfaceLines),
  neighbours: orJson(lineByLine(readNeighbourLine, (r) => r.neighbour, (neighbours) => ({ neighbours })), jsonNeighbourLines),
  fdb: orJson(lineByLine(readFdbLine, (r) => r.entry, (fdb) => ({ fdb })), jsonFdbLines),
  iptables: iptables(4),
  ip6tables: iptables(6),
  ipset: (lines, at) => {
    const { sets, problems } = readIpset(dumpLines(lines, at));
    return { state: { sets }, problems };
  },
  conntrack: lineByLine(readConntrackLine, (r) => r.record, (conntrack) => ({ conntrack })),
  sysctl: lineByLine(readSysctlLine, (r) => r.sysctl, (sysctls) => ({ sysctls })),
  'resolv-conf': (lines) => {
    const { resolver, problems } = assembleResolver(lines.map((line) => resolverLine(line)));
    return { state: { resolver }, problems };
  },
};
