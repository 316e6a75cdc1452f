/** One hostile world with its questions: every answer has an end with a name, within bounds, that can be shown, and nothing throws. */
import { compileTopology } from '../../engine/src/data-plane/compile.ts';
import { MAX_HOPS, MAX_STEPS } from '../../engine/src/data-plane/budgets.ts';
import { compileVerdicts } from '../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, roundTrip } from '../../engine/src/data-plane/verdict/verdict.ts';
import { labScript } from '../../engine/src/lab/script.ts';
import { bitsOf } from '../../engine/src/net/address.ts';
import type { Topology } from '../../engine/src/topology/model.ts';
import { annotate } from '../../engine/src/trace/annotate.ts';
import { captureOf } from '../../engine/src/trace/capture.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import { runInjected } from '../../engine/src/trace/inject.ts';
import type { Branch, Hop, Trace } from '../../engine/src/trace/model.ts';
import { REASON_CODES } from '../../engine/src/trace/reasons.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { renderTrace } from '../../engine/src/trace/text.ts';
import { pick } from './hostile-rules.ts';
import type { Chance } from './hostile-rules.ts';
import { ADDRESSES, hostileWorld } from './hostile-world.ts';
import { chance } from './random-edits.ts';

const QUESTIONS = 6;

export interface Tally {
  packets: number;
  /** How often packets ended so. */
  readonly ends: Map<string, number>;
}

/** Throws what is wrong, with the seed. */
export function askHostileWorld(seed: number, tally: Tally): void {
  const next = chance(seed);
  const topology = hostileWorld(next);
  try {
    const compiled = compileTopology(topology);
    labScript(topology);
    const runner = makeRunner(compileVerdicts(compiled));
    for (let i = 0; i < QUESTIONS; i++) {
      const flow = anyFlow(next, topology);
      const trace = runTrace(compiled, flow);
      check(trace, tally);
      const handle = runner === null ? null : prepare(runner, flow);
      if (runner !== null && handle !== null) roundTrip(runner, handle, 1 + next(1000), 0);
      injected(next, compiled, flow, tally);
    }
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function anyFlow(next: Chance, topology: Topology): Flow {
  const host = pick(next, topology.hosts);
  const namespace = pick(next, host.namespaces);
  const owned = topology.hosts.flatMap((h) => h.namespaces.flatMap((n) => n.interfaces.flatMap((i) => i.addresses.slice(0, 4).map((a) => a.address))));
  const destination = next(2) === 0 || owned.length === 0 ? pick(next, ADDRESSES) : pick(next, owned);
  const sameFamily = ADDRESSES.filter((a) => bitsOf(a.family) === bitsOf(destination.family));
  return {
    fromText: 'a', toText: 'b', host: host.name, namespace: namespace.name, source: next(4) === 0 ? pick(next, sameFamily) : null, destination,
    protocol: pick(next, ['ICMP', 'TCP', 'UDP', 'SCTP']), sourcePort: pick(next, [0, 1, 600, 40000, 65535]), destinationPort: pick(next, [0, 53, 80, 4789, 8285, 8472, 65535]), resolution: [], payload: pick(next, [0, 1, 56, 1422, 1423, 1472, 9000, 65507, 100_000]),
  };
}

function injected(next: Chance, compiled: ReturnType<typeof compileTopology>, flow: Flow, tally: Tally): void {
  const ns = pick(next, compiled.namespaces);
  const [device] = ns.namespace.interfaces.length === 0 ? [] : [pick(next, ns.namespace.interfaces)];
  if (device === undefined) return;
  const source = flow.source ?? pick(next, ADDRESSES.filter((a) => a.family === flow.destination.family));
  check(runInjected(compiled, { interface: device.name, flow: { ...flow, host: ns.host.name, namespace: ns.namespace.name, source } }), tally);
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const SHOWN = 8;

function check(trace: Trace, tally: Tally): void {
  const { branches } = trace;
  const sum = branches.reduce((all, b) => all + b.probability, 0);
  demand(Math.abs(sum - 1) < 1e-6, `the probabilities add up to ${sum}`);
  let steps = 0;
  for (const branch of branches) {
    tally.packets++;
    const code = branch.reason?.code ?? branch.outcome;
    tally.ends.set(code, (tally.ends.get(code) ?? 0) + 1);
    demand((branch.outcome === 'delivered') === (branch.reason === null), 'an end without a reason');
    demand(branch.reason === null || (REASON_CODES as readonly string[]).includes(branch.reason.code), 'a reason without a name');
    for (const hops of [branch.request.hops, branch.reply?.hops ?? []]) {
      demand(hops.length <= MAX_HOPS + 1, `${hops.length} hops`);
      steps += stepsWithWords(hops);
    }
  }
  demand(steps < 2 * MAX_STEPS, `${steps} steps`);
  const shown: Trace = { ...trace, branches: branches.slice(0, SHOWN).filter(isShort) };
  renderTrace(shown);
  captureOf(shown);
  for (const branch of shown.branches) annotate(branch);
}

const isShort = ({ request, reply }: Branch): boolean => request.hops.length + (reply?.hops.length ?? 0) < 200;

function stepsWithWords(hops: readonly Hop[]): number {
  let steps = 0;
  for (const hop of hops) {
    for (const { sentence } of hop.steps) {
      steps++;
      demand(!/undefined|NaN|\[object|null /.test(sentence), `a step says "${sentence}"`);
    }
  }
  return steps;
}
