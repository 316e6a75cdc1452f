import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flow, Protocol } from '../../../engine/src/trace/flow.ts';
import type { CompiledTopology } from '../../../engine/src/data-plane/compile.ts';
import type { Address } from '../../../engine/src/net/address.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { randomCase } from '../../oracle/random-cluster.ts';
import { asking, exactly, quickly } from './agreement.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const FILES = ['examples/article.k8snet', 'examples/dual-stack.k8snet', 'test/fixtures/oracle/faults.k8snet', 'test/fixtures/oracle/services.k8snet'];

const compiledOf = (file: string): CompiledTopology => createSnapshot({ file, text: readFileSync(path.join(root, file), 'utf8') }).compiled();

/** Every address that the file gives to somebody. */
function targetsOf({ topology }: CompiledTopology): readonly { readonly address: Address; readonly port: number }[] {
  const own = topology.hosts.flatMap((h) => h.namespaces).flatMap((n) => n.interfaces.flatMap((i) => i.addresses.map((a) => ({ address: a.address, port: 80 }))));
  const services = topology.services.flatMap((s) =>
    [...s.clusterAddresses, ...s.externalAddresses, ...s.loadBalancerAddresses].flatMap((address) => s.ports.map((p) => ({ address, port: p.port }))));
  const nodePorts = topology.services.flatMap((s) => s.ports.flatMap((p) => (p.nodePort === null ? [] : [p.nodePort])));
  const nodes = topology.hosts.flatMap((h) => (h.namespaces[0]?.interfaces ?? []).flatMap((i) => i.addresses.map((a) => a.address)));
  const pods = topology.services.flatMap((s) => s.ports.flatMap((p) => p.endpoints.map((e) => ({ address: e.address, port: e.port }))));
  return [...own, ...services, ...pods, ...nodePorts.flatMap((port) => nodes.map((address) => ({ address, port })))];
}

function flowsOf(compiled: CompiledTopology): readonly Flow[] {
  const senders = compiled.namespaces.map((ns) => ({ host: ns.host.name, namespace: ns.namespace.name }));
  const protocols: readonly Protocol[] = ['UDP', 'TCP', 'ICMP', 'SCTP'];
  return senders.flatMap((sender) =>
    targetsOf(compiled).flatMap(({ address, port }) =>
      protocols.map((protocol): Flow => ({
        ...sender, fromText: sender.namespace, toText: '', source: null, destination: address, protocol, sourcePort: 40000, destinationPort: port, resolution: [], payload: 56,
      }))));
}

describe('a verdict without a record', () => {
  it.each(FILES)('is the exact engine\'s for everybody to everybody in %s', (file) => {
    const compiled = compiledOf(file);
    const asked = asking(compiled);
    let answered = 0;
    const flows = flowsOf(compiled);
    for (const flow of flows) {
      const quick = quickly(asked, flow);
      if (quick === null) continue;
      answered++;
      expect(quick, JSON.stringify(flow)).toEqual(exactly(compiled, flow));
    }
    // What is left over is ICMP errors, unanswered neighbours, and what is beyond the file.
    expect(answered / flows.length).toBeGreaterThan(0.6);
  });

  it('is the exact engine\'s in random clusters with random rules, which are the ones that the kernel judges', () => {
    let answered = 0;
    let asks = 0;
    fc.assert(
      fc.property(randomCase, ({ text, questions }) => {
        const compiled = createSnapshot({ file: 'random.k8snet', text }).compiled();
        const asked = asking(compiled);
        for (const question of questions) {
          const resolved = resolveQuestion(compiled.topology, question);
          if (!('flow' in resolved)) continue;
          asks++;
          // What is sent behind a SYN is another packet, of which this engine says nothing.
          const flow = question.payload === null || resolved.flow.protocol === 'TCP' ? resolved.flow : { ...resolved.flow, payload: question.payload };
          const quick = quickly(asked, flow);
          if (quick === null) continue;
          answered++;
          expect(quick).toEqual(exactly(compiled, flow));
        }
      }),
      { numRuns: Number(process.env['VERDICT_RUNS'] ?? 60), seed: 7, endOnFailure: false },
    );
    expect(answered / asks).toBeGreaterThan(0.2);
  }, 120_000);
});
