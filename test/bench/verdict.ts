/**
 * Packets a second of one core, in processor time: the kernel's own over a topology built from namespaces, and ours over
 * the same topology. One flow: packets that are all alike, which the kernel answers from its flow's conntrack entry. A new
 * flow each: every packet has another source port. Each rate is the best of several rounds, on both sides, for what else
 * runs on the machine only ever slows a round down.
 *
 *   verdict only          a path that was walked before, and in which the sender's port had no say, is remembered
 *   verdict only, walked  nothing is remembered but what depends on an address alone (routes, neighbours): every rule is
 *                         asked anew, and every flow tracked anew
 *   full record           runTrace: a request and its reply, two packets, each hop, header, rule and tuple with its sentence
 */
import type { CompiledTopology } from '../../engine/src/data-plane/compile.ts';
import { compileVerdicts } from '../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, request, walk } from '../../engine/src/data-plane/verdict/verdict.ts';
import type { FlowHandle, Runner } from '../../engine/src/data-plane/verdict/verdict.ts';
import { formatAddress } from '../../engine/src/net/address.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { kernelRates } from './kernel-rate.ts';
import type { KernelQuestion } from './kernel-rate.ts';
import type { Bench, Row } from './row.ts';
import { addressOfService, cluster } from './verdict-topologies.ts';

interface Path {
  readonly name: string;
  readonly services: number;
  /** Where the services' endpoint is. */
  readonly endpoint: 'near' | 'far';
  readonly to: string;
  readonly newFlows: boolean;
  /** How many times the kernel's rate is wanted, of verdicts and of verdicts that are walked. */
  readonly goal: number;
  readonly walkedGoal: number | null;
}

const PATHS: readonly Path[] = [
  { name: 'same host, one flow', services: 0, endpoint: 'near', to: 'pod3:8080/UDP', newFlows: false, goal: 5, walkedGoal: null },
  { name: 'same host, a new flow each', services: 0, endpoint: 'near', to: 'pod3:8080/UDP', newFlows: true, goal: 5, walkedGoal: 5 },
  { name: 'cross host, one flow', services: 0, endpoint: 'far', to: 'pod2:8080/UDP', newFlows: false, goal: 5, walkedGoal: null },
  { name: 'cross host, a new flow each', services: 0, endpoint: 'far', to: 'pod2:8080/UDP', newFlows: true, goal: 5, walkedGoal: 5 },
  { name: 'service across hosts, one flow', services: 1, endpoint: 'far', to: `${addressOfService(0)}:80/UDP`, newFlows: false, goal: 5, walkedGoal: null },
  ...[10, 1000, 5000].flatMap((services) =>
    (['near', 'far'] as const).map((endpoint): Path => ({
      name: `a new connection to the last of ${services} services, ${endpoint === 'near' ? 'same host' : 'cross host'}`,
      services, endpoint, to: `${addressOfService(services - 1)}:80/UDP`, newFlows: true, goal: services === 5000 ? 100 : 5, walkedGoal: 5,
    }))),
];

interface Ready {
  readonly path: Path;
  readonly compiled: CompiledTopology;
  readonly flow: Flow;
}

export const verdict: Bench = {
  name: 'verdict',
  rows: ({ root, smoke }) => {
    const ready = PATHS.filter((path) => !smoke || path.services < 1000).map(prepared);
    warmUp(ready, smoke);
    const kernel = kernelRates(root, ready.map((each) => kernelQuestion(each, smoke)));
    return ready.flatMap((each, i) => rowsOf(each, kernel[i] ?? null, smoke ? 20 : 500));
  },
};

/** Every row's engine is compiled before the first row is measured. */
function warmUp(ready: readonly Ready[], smoke: boolean): void {
  const until = performance.now() + (smoke ? 50 : 5000);
  while (performance.now() < until) for (const { compiled, flow } of ready) runTrace(compiled, flow);
}

function prepared(path: Path): Ready {
  const compiled = createSnapshot({ file: 'bench.k8snet', text: cluster(path.services, path.endpoint) }).compiled();
  const question = resolveQuestion(compiled.topology, { from: 'pod1', to: path.to });
  if (!('flow' in question)) throw new Error(question.error);
  return { path, compiled, flow: { ...question.flow, payload: 18 } };
}

function kernelQuestion({ path, compiled, flow }: Ready, smoke: boolean): KernelQuestion {
  const { destination, destinationPort } = flow;
  return {
    topology: compiled.topology,
    from: { host: 'host1', namespace: 'default/pod1' },
    to: path.endpoint === 'near' ? { host: 'host1', namespace: 'default/pod3' } : { host: 'host2', namespace: 'default/pod2' },
    source: '10.0.14.15', destination: formatAddress(destination), port: destinationPort, listen: 8080,
    newFlows: path.newFlows, packets: smoke ? 500 : path.services === 5000 ? 5000 : 20_000,
  };
}

function rowsOf({ path, compiled, flow }: Ready, kernel: number | null, milliseconds: number): readonly Row[] {
  const runner = makeRunner(compileVerdicts(compiled));
  const handle = runner === null ? null : prepare(runner, flow);
  if (runner === null || handle === null) throw new Error('nobody to send');
  const against = kernel === null ? null : 'the kernel';
  const row = (name: string, value: number, goal: number | null): Row => {
    const ratio = kernel === null ? null : value / kernel;
    return { name: `${name}, ${path.name}`, value, unit: 'packets/s', ratio, against, goal: goal === null ? null : `ratio >= ${goal}`, holds: goal === null || ratio === null ? null : ratio >= goal };
  };
  return [
    ...(kernel === null ? [] : [row('the kernel', kernel, null)]),
    row('verdict only', verdictRate(request, runner, handle, path.newFlows, milliseconds), path.goal),
    row('verdict only, walked', verdictRate(walk, runner, handle, path.newFlows, milliseconds), path.walkedGoal),
    row('full record', recordRate(compiled, flow, milliseconds), 1),
  ];
}

function verdictRate(ask: typeof walk, runner: Runner, handle: FlowHandle, newFlows: boolean, milliseconds: number): number {
  const rate = rateOf(() => {
    for (let i = 0; i < 1000; i++) {
      if (newFlows) handle.sourcePort = 1024 + ((handle.sourcePort + 1) % 60_000);
      if (ask(runner, handle, 0, 0)?.reason !== -1) throw new Error('the packet was not delivered, or only the exact engine could tell');
    }
  }, milliseconds);
  return rate * 1000;
}

/** A trace is of a request and its reply: two packets. */
const recordRate = (compiled: CompiledTopology, flow: Flow, milliseconds: number): number => rateOf(() => runTrace(compiled, flow), milliseconds) * 2;

/** Calls a second of processor time: the best of the rounds, which go on for as long as the compiler still makes them faster. */
function rateOf(f: () => unknown, milliseconds: number): number {
  const rates: number[] = [];
  while (rates.length < MOST_ROUNDS && (rates.length < FEWEST_ROUNDS || Math.max(...rates.slice(-3)) > Math.max(...rates.slice(0, -3)))) rates.push(round(f, milliseconds / 3));
  return Math.max(...rates);
}

const FEWEST_ROUNDS = 8;
const MOST_ROUNDS = 30;

function round(f: () => unknown, milliseconds: number): number {
  const before = process.cpuUsage();
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < milliseconds) {
    f();
    calls++;
  }
  const { user, system } = process.cpuUsage(before);
  return (calls * 1e6) / (user + system);
}
