/** The second packet of a connection in the kernel: where the trace says that it ends, the client's ACK ends. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { decodePacket } from '../../engine/src/packet/codec.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { startKernel } from './kernel.ts';

const file = path.resolve(import.meta.dirname, '../fixtures/oracle/second.k8snet');

it('is dropped on host1, where only NEW is accepted', async () => {
  const snapshot = createSnapshot({ file, text: readFileSync(file, 'utf8') });
  const question = resolveQuestion(snapshot.topology(), { from: 'pod1', to: 'pod2:80/TCP' });
  if (!('flow' in question)) throw new Error(question.error);
  const kernel = startKernel(0);
  const [observation] = await kernel.observe(snapshot.topology(), [question.flow], 1);
  kernel.stop();
  const acks = (observation?.frames ?? []).flatMap((frame) => {
    const packet = decodePacket(Uint8Array.from(Buffer.from(frame.hex, 'hex')));
    const isAck = packet.some((h) => h.header === 'tcp' && h.flags.join(' ') === 'ACK' && h.destinationPort === 80);
    return isAck ? [`${frame.tap} ${frame.interface.replace(/^veth.*/, 'veth')} ${frame.out ? 'out' : 'in'}`] : [];
  });
  const [branch] = runTrace(snapshot.compiled(), question.flow).branches;
  const second = (branch?.second?.hops ?? []).map((hop) => `${hop.host}/${hop.namespace} ${hop.interface.replace(/^veth.*/, 'veth')} ${hop.direction}`);
  expect(branch).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' }, second: { outcome: 'dropped' } });
  expect(second.at(-1)).toBe('host1/root cni0 in');
  // Sent again and again, as nobody hears it.
  expect([...new Set(acks)]).toEqual(second);
}, 60_000);
