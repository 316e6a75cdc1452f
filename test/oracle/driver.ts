/** Random cases: from their texts to the differences between the kernel and the simulator. */
import fc from 'fast-check';
import { compileTopology } from '../../engine/src/data-plane/compile.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import type { Topology } from '../../engine/src/topology/model.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { Branch, Trace } from '../../engine/src/trace/model.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { countFeatures, newCoverage } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { compare } from './judge.ts';
import { startKernel } from './kernel.ts';
import type { Kernel, Tables } from './kernel.ts';
import { randomCase } from './random-cluster.ts';
import type { Case, Question } from './random-cluster.ts';

interface Asked {
  readonly question: Question;
  readonly flow: Flow;
  readonly trace: Trace;
}

interface Disagreement {
  readonly question: Question;
  readonly differences: readonly string[];
}

/** What the readers of dumps do not understand would be a gap in the generator or in them. */
const UNREAD = new Set(['bad-dump', 'unknown-match', 'not-modelled', 'unknown-chain', 'wrong-table', 'unknown-keyword', 'bad-value', 'missing-argument']);

/** Tunnels in tunnels end by the simulator's own budget. */
const isTunnelLoop = (branch: Branch): boolean => [branch.reason?.code, branch.reply?.reason?.code].includes('tunnel-loop');

/** Each piece of a packet gets an outer packet of its own, which these rules may treat otherwise; a trace shows the first. */
const PIECE_BY_PIECE: readonly string[] = ['length', 'conntrack-status', 'connmark', 'statistic-random', 'statistic-nth', 'recent'];

const isInPieces = (branch: Branch): boolean => {
  const stages = [...branch.request.hops, ...(branch.reply?.hops ?? [])].flatMap((hop) => hop.steps.map((step) => step.stage));
  return stages.includes('fragment') && stages.lastIndexOf('encapsulate') > stages.indexOf('fragment');
};

const tellsPiecesApart = (topology: Topology): boolean =>
  topology.hosts.some((host) => host.namespaces.some((namespace) => namespace.tables.some((table) => table.chains.some((chain) => chain.rules.some((rule) => rule.matches.some((match) => PIECE_BY_PIECE.includes(match.kind)))))));

/** Slow enough for a kernel whose processor is taken by others. */
const PATIENT = 8;

/**
 * Everything is asked once in haste; what differs is asked again with patience, in a lab built anew, and only that
 * counts. A trace that is undecided somewhere makes no promise to be held to.
 */
async function disagreements(kernel: Kernel, { text, questions }: Case, coverage: Coverage): Promise<readonly Disagreement[]> {
  const snapshot = createSnapshot({ file: 'random.k8snet', text });
  const unread = snapshot.diagnostics.filter((d) => UNREAD.has(d.slug));
  if (unread.length > 0) return [{ question: { from: '', to: '', payload: null }, differences: unread.map((d) => `the file is not understood: ${d.message}`) }];
  const topology = snapshot.topology();
  const compiled = compileTopology(topology);
  const asked = questions.flatMap((question, i): Asked[] => {
    const answer = resolveQuestion(topology, question);
    if (!('flow' in answer)) return [];
    // Ports of the flows of one file differ, so that none meets another's leftovers.
    const flow = { ...answer.flow, sourcePort: 20000 + i, payload: question.payload === null || answer.flow.protocol === 'TCP' ? answer.flow.payload : question.payload };
    const trace = runTrace(compiled, flow);
    const open = trace.branches.find((b) => b.outcome === 'undecided' || b.reply?.outcome === 'undecided' || isTunnelLoop(b));
    coverage.count('not compared', open?.reason?.code ?? open?.reply?.reason?.code ?? null);
    const pieces = open === undefined && tellsPiecesApart(topology) && trace.branches.some(isInPieces);
    coverage.count('not compared', pieces ? 'pieces in a tunnel' : null);
    return open === undefined && !pieces ? [{ question, flow, trace }] : [];
  });
  if (asked.length === 0) return [];
  const first = await rest(kernel, topology, asked, 1, coverage).catch(refused);
  if (typeof first === 'string') return [{ question: { from: '', to: '', payload: null }, differences: [first] }];
  const again = (some: typeof first): ReturnType<typeof rest> => (some.length === 0 ? Promise.resolve([]) : rest(kernel, topology, some.map((one) => one.asked), PATIENT, coverage));
  let left = await again(first);
  for (let draw = 1; draw < DRAWS && left.some(isDrawn); draw++) left = [...left.filter((one) => !isDrawn(one)), ...(await again(left.filter(isDrawn)))];
  return left.map(({ asked: a, differences }) => ({ question: a.question, differences }));
}

/** The kernel draws a port, and rules may tell those that it draws apart: of several draws most are like the trace's. */
const isDrawn = ({ asked: { trace } }: { readonly asked: Asked }): boolean =>
  trace.branches.some((branch) => [...branch.request.hops, ...(branch.reply?.hops ?? [])].some((hop) => hop.steps.some((step) => step.stage === 'nat' && step.by === 'rule' && / any (?:port|identifier) of /.test(step.sentence))));

const DRAWS = 4;

/** A lab that cannot be built is a finding too. */
const refused = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function rest(kernel: Kernel, topology: Parameters<Kernel['observe']>[0], asked: readonly Asked[], patience: number, coverage: Coverage): Promise<{ asked: Asked; differences: readonly string[] }[]> {
  // Of two rulesets on a node either may be asked first; a trace that is not undecided tells the rules with legacy first.
  const isBoth = topology.hosts.some((host) => host.namespaces.some((namespace) => namespace.tables.some((table) => table.ruleset !== undefined)));
  const first = isBoth && (asked[0]?.flow.destinationPort ?? 0) % 2 === 1 ? 'nft' : 'legacy';
  const observations = await kernel.observe(topology, asked.map(({ flow }) => flow), patience, first);
  return asked.flatMap((one, i) => {
    const seen = observations[i];
    if (seen === undefined) throw new Error('a question without an observation');
    const observation = first === 'nft' ? { ...seen, rules: null } : seen;
    const { branch, differences } = compare(topology, one.flow, one.trace, observation);
    if (differences.length > 0) return [{ asked: one, differences }];
    countFeatures(coverage, topology, branch);
    return [];
  });
}

interface Draw {
  readonly seed: number;
  readonly count: number;
  /** Processors to run on. */
  readonly workers: number;
  readonly shrink: boolean;
  /** Where the rules of a node with one ruleset stand; in nftables their order is not compared. */
  readonly tables: Tables;
}

/** Topologies of one processor at once: building and taking down namespaces is mostly waiting. */
const AT_ONCE = 6;
const LONGEST_SHRINK = 60_000;

/** What differs, each as the smallest file that was found for it. */
export async function judgeRandom({ seed, count, workers, shrink, tables }: Draw, coverage: Coverage): Promise<readonly string[]> {
  const cases = fc.sample(randomCase, { seed, numRuns: count });
  const found: string[] = [];
  let next = 0;
  const work = async (kernel: Kernel): Promise<void> => {
    for (let i = next++; i < cases.length; i = next++) {
      const one = cases[i];
      if (one === undefined) return;
      const differences = await disagreements(kernel, one, coverage);
      if (differences.length > 0) found.push(`seed ${seed}, case ${i}: ${shrink ? await shrunk(kernel, seed, i, one, differences) : describeCase(one.text, differences)}`);
    }
  };
  const kernels = Array.from({ length: workers }, (_, processor) => startKernel(processor, tables));
  await Promise.all(kernels.flatMap((kernel) => Array.from({ length: AT_ONCE }, () => work(kernel))));
  for (const kernel of kernels) kernel.stop();
  return found;
}

async function shrunk(kernel: Kernel, seed: number, index: number, one: Case, differences: readonly Disagreement[]): Promise<string> {
  let smallest = describeCase(one.text, differences);
  const property = fc.asyncProperty(randomCase, async (smaller) => {
    const again = await disagreements(kernel, smaller, newCoverage());
    if (again.length > 0) smallest = describeCase(smaller.text, again);
    return again.length === 0;
  });
  await fc.check(property, { seed, path: String(index), numRuns: 1, interruptAfterTimeLimit: LONGEST_SHRINK });
  return smallest;
}

const describeCase = (text: string, found: readonly Disagreement[]): string =>
  `${text}\n${found.map(({ question, differences }) => `${question.from} -> ${question.to}${question.payload === null ? '' : ` with ${question.payload} bytes`}\n${shortened(differences).map((line) => `  ${line}`).join('\n')}`).join('\n')}`;

const MOST = 12;

const shortened = (lines: readonly string[]): readonly string[] => (lines.length <= MOST ? lines : [...lines.slice(0, MOST), `… and ${lines.length - MOST} more`]);
