/** Packets a second: verdict only, with the full record, and the kernel's own. */
import { compileVerdicts } from '../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, request } from '../../engine/src/data-plane/verdict/verdict.ts';
import type { FlowHandle, Runner } from '../../engine/src/data-plane/verdict/verdict.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { CompiledTopology } from '../../engine/src/data-plane/compile.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Bench, Row } from './row.ts';
import { addressOfService, cluster } from './verdict-topologies.ts';

interface Path {
  readonly name: string;
  readonly services: number;
  readonly endpoint: 'near' | 'far';
  readonly to: string;
  readonly newFlows: boolean;
}

const PATHS: readonly Path[] = [
  { name: 'same host, one flow', services: 0, endpoint: 'near', to: 'pod3:8080/UDP', newFlows: false },
  { name: 'same host, a new flow each', services: 0, endpoint: 'near', to: 'pod3:8080/UDP', newFlows: true },
  { name: 'cross host, one flow', services: 0, endpoint: 'near', to: 'pod2:8080/UDP', newFlows: false },
  { name: 'cross host, a new flow each', services: 0, endpoint: 'near', to: 'pod2:8080/UDP', newFlows: true },
  { name: 'service across hosts, one flow', services: 1, endpoint: 'far', to: `${addressOfService(0)}:80/UDP`, newFlows: false },
  ...[10, 1000, 5000].flatMap((services) =>
    (['near', 'far'] as const).map((endpoint): Path => ({
      name: `a new connection to the last of ${services} services, ${endpoint === 'near' ? 'same host' : 'cross host'}`, services, endpoint, to: `${addressOfService(services - 1)}:80/UDP`, newFlows: true,
    }))),
];

export const verdict: Bench = {
  name: 'verdict',
  rows: ({ smoke }) => PATHS.flatMap((path) => rowsOf(path, smoke ? 20 : 1000)),
};

function rowsOf(path: Path, milliseconds: number): readonly Row[] {
  const compiled = createSnapshot({ file: 'bench.k8snet', text: cluster(path.services, path.endpoint) }).compiled();
  const question = resolveQuestion(compiled.topology, { from: 'pod1', to: path.to });
  if (!('flow' in question)) throw new Error(question.error);
  const flow = { ...question.flow, payload: 18 };
  const runner = makeRunner(compileVerdicts(compiled));
  const handle = runner === null ? null : prepare(runner, flow);
  if (runner === null || handle === null) throw new Error('nobody to send');
  const rate = verdictRate(runner, handle, path.newFlows, milliseconds);
  const full = recordRate(compiled, flow, milliseconds);
  const base = { ratio: null, against: null, goal: null, holds: null };
  return [
    { ...base, name: `verdict only, ${path.name}`, value: rate, unit: 'packets/s' },
    { ...base, name: `full record, ${path.name}`, value: full, unit: 'packets/s' },
  ];
}

function verdictRate(runner: Runner, handle: FlowHandle, newFlows: boolean, milliseconds: number): number {
  const before = runner.gaveUp;
  const batch = (): void => {
    for (let i = 0; i < 1000; i++) {
      if (newFlows) handle.sourcePort = 1024 + ((handle.sourcePort + 1) % 60000);
      if (request(runner, handle, 0, 0)?.reason !== -1) throw new Error('not delivered');
    }
  };
  const rate = rateOf(batch, milliseconds) * 1000;
  if (runner.gaveUp !== before) throw new Error('the verdict engine gave up');
  return rate;
}

/** A trace is of a request and its reply: two packets. */
const recordRate = (compiled: CompiledTopology, flow: Flow, milliseconds: number): number => rateOf(() => runTrace(compiled, flow), milliseconds) * 2;

/** Calls a second, after as long a warm-up. */
function rateOf(f: () => unknown, milliseconds: number): number {
  const calls = (): number => {
    const start = performance.now();
    let n = 0;
    while (performance.now() - start < milliseconds) {
      f();
      n++;
    }
    return (n * 1000) / (performance.now() - start);
  };
  calls();
  return calls();
}
