/** Which reader reads which dump, and what it gives the engine. */
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import type { CapturedState } from '../../../../engine/src/topology/spec.ts';
import type { DumpProblem } from '../native/dump.ts';
import { assembleRoutes, readRouteLine } from '../native/route.ts';
import type { CaptureKeyword } from './declarations.ts';
import type { DumpText } from './dump-lines.ts';

export interface DumpReading {
  readonly state: CapturedState;
  readonly problems: readonly DumpProblem[];
}

type DumpReader = (lines: readonly DumpText[], at: (index: number) => SourceRef) => DumpReading;

/** A reader of single lines whose results are kept under the lines' keys. */
function cached<R>(readLine: (text: string) => R): (line: DumpText) => R {
  const readings = new WeakMap<object, { readonly reading: R }>();
  return (line) => {
    const found = readings.get(line.key);
    if (found !== undefined) return found.reading;
    const reading = readLine(line.text);
    readings.set(line.key, { reading });
    return reading;
  };
}

const routeLine = cached(readRouteLine);

const nothing: DumpReader = () => ({ state: {}, problems: [] });

export const DUMP_READERS: Readonly<Record<CaptureKeyword, DumpReader>> = {
  routes: (lines, at) => {
    const { routes, problems } = assembleRoutes(lines.map((line, i) => ({ reading: routeLine(line), at: at(i) })));
    return { state: { routes }, problems };
  },
  rules: nothing,
  addresses: nothing,
  links: nothing,
  neighbours: nothing,
  fdb: nothing,
  iptables: nothing,
  ip6tables: nothing,
  ipset: nothing,
  sysctl: nothing,
};
