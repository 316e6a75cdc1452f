/** The line between the page and the simulator, without the worker between them. */
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { lineTo, type Told } from '../../../webview/src/simulator/line.ts';
import type { FromSimulator, ToSimulator } from '../../../webview/src/simulator/messages.ts';
import { serveSimulator } from '../../../webview/src/simulator/serve.ts';

const text = (file: string): string => readFileSync(new URL(`../../../examples/${file}`, import.meta.url), 'utf8');

function saidBy(content: string): string {
  const snapshot = createSnapshot({ file: 'x.k8snet', text: content });
  return packed({ spec: snapshot.spec(), expectations: snapshot.expectations });
}

const packed = (said: unknown): string => deflateRawSync(JSON.stringify(said)).toString('base64');

const ARTICLE = saidBy(text('article.k8snet'));
const DROPPED = saidBy(text('broken/drop-rule.k8snet'));
const question = { from: 'pod1', to: 'pod2' };
/** What the broken file expects. */
const lost = createSnapshot({ file: 'x.k8snet', text: text('broken/drop-rule.k8snet') }).expectations.map(({ from, to }) => ({ from, to }))[0] ?? { from: '', to: '' };

function simulator() {
  const sent: ToSimulator[] = [];
  const answered: FromSimulator[] = [];
  const serve = serveSimulator((message) => {
    answered.push(message);
    line.receive(message);
  });
  const line = lineTo((message) => {
    sent.push(message);
    serve(message);
  });
  return { ...line, sent, answered };
}

const ends = (told: readonly Told[]): readonly string[] => told.map((t) => (t.type === 'answered' ? t.answer.kind : t.why === 'searching' ? 'searching' : 'why'));

test('of questions that come faster than they are traced, the newest is answered, and no other', async () => {
  const { simulator: sim, answered } = simulator();
  const heard: string[] = [];
  for (const said of [ARTICLE, DROPPED, ARTICLE]) sim.ask(said, { from: 'nobody', to: said }, () => { heard.push('an older one'); });
  sim.ask(null, question, (told) => { heard.push(...ends([told])); });
  await vi.waitFor(() => { expect(heard).toEqual(['traced']); });
  expect(answered.filter((m) => m.type === 'answered')).toHaveLength(1);
});

test('a question in between goes to the file that was said last', async () => {
  const { simulator: sim } = simulator();
  const told: Told[] = [];
  sim.ask(ARTICLE, question, () => undefined);
  sim.ask(null, { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' }, (t) => { told.push(t); });
  await vi.waitFor(() => { expect(ends(told)).toEqual(['traced']); });
});

test('a packet that does not arrive is asked why, behind its answer; one picture is made for each branch', async () => {
  const { simulator: sim } = simulator();
  const told: Told[] = [];
  sim.ask(DROPPED, lost, (t) => { told.push(t); });
  await vi.waitFor(() => { expect(ends(told)).toEqual(['traced', 'searching', 'why']); }, 10_000);
  const [first, , why] = told;
  expect(first?.type === 'answered' && first.answer.kind === 'traced' ? first.answer.scenes.length - first.answer.trace.branches.length : null).toBe(0);
  expect(why?.type === 'why' && why.why !== 'searching' ? why.why?.causes[0]?.sentence : '').toContain('-j DROP');
});

test('the search for the cause ends where another question is asked', async () => {
  const { simulator: sim } = simulator();
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    sim.ask(DROPPED, lost, (t) => { if (t.type === 'why') resolve(); });
  });
  sim.ask(ARTICLE, question, (t) => { told.push(...ends([t])); });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(told).toEqual(['traced']);
});

test('names are offered as they are typed', async () => {
  const { simulator: sim } = simulator();
  expect(await sim.offers('to', 'kube')).toEqual([]);
  await new Promise<void>((resolve) => { sim.ask(ARTICLE, question, () => { resolve(); }); });
  expect((await sim.offers('to', 'kube')).map((o) => o.text)).toEqual(['kube-system/kube-dns:53/UDP', 'kube-system/kube-dns-1']);
});

test('what cannot be read, and a simulator that is gone, are told and not silent', async () => {
  const { simulator: sim, broken } = simulator();
  const told: Told[] = [];
  for (const said of ['{', '', packed({})]) {
    sim.ask(said, question, (t) => { told.push(t); });
    await vi.waitFor(() => { expect(ends(told).at(-1)).toBe('failed'); });
  }
  sim.ask(ARTICLE, question, (t) => { told.push(t); });
  broken('out of memory');
  expect(told.at(-1)).toEqual({ type: 'answered', answer: { kind: 'failed', message: 'out of memory' } });
});
