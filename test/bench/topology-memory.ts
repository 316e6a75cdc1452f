/** What a topology takes in memory: the file's tree and records, and after a first verdict its rules and their code. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { compileVerdicts } from '../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, walk } from '../../engine/src/data-plane/verdict/verdict.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Bench, Row } from './row.ts';
import { addressOfService, cluster } from './verdict-topologies.ts';

v8.setFlagsFromString('--expose_gc');
const collect = vm.runInNewContext('gc') as () => void;

export const topologyMemory: Bench = {
  name: 'memory',
  rows: ({ smoke }) => (smoke ? [10] : [10, 1000, 5000]).flatMap(rowsOf),
};

function rowsOf(services: number): readonly Row[] {
  const before = megabytes();
  const snapshot = createSnapshot({ file: 'bench.k8snet', text: cluster(services, 'near') });
  const compiled = snapshot.compiled();
  const topology = megabytes();
  const question = resolveQuestion(compiled.topology, { from: 'pod1', to: `${addressOfService(services - 1)}:80/UDP` });
  const runner = makeRunner(compileVerdicts(compiled));
  const handle = runner === null || !('flow' in question) ? null : prepare(runner, question.flow);
  if (runner === null || handle === null || walk(runner, handle, 0, 0) === null) throw new Error('no verdict');
  const program = megabytes();
  // Still asked for here, so that nothing of either was collected before it was measured.
  if (snapshot.compiled() !== runner.scratch.program.compiled) throw new Error('another topology');
  const row = (name: string, value: number): Row => ({ name: `${name}, ${services} services`, value, unit: 'MB', ratio: null, against: null, goal: null, holds: null });
  return [row('memory of a topology', topology - before), row('memory of the rules that packets met, with their code and a runner', program - topology)];
}

function megabytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}
