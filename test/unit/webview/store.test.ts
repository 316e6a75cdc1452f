import { expect, test } from 'vitest';
import type { Question } from '../../../webview/src/protocol.ts';
import { isFromPanel, isSaid, isToPanel, type FromPanel } from '../../../webview/src/protocol.ts';
import type { Simulator, Told } from '../../../webview/src/simulator/line.ts';
import type { Answer } from '../../../webview/src/state/model.ts';
import { createStore } from '../../../webview/src/state/store.ts';
import { FILE, flow, serviceBranch, traceOf } from './fixture.ts';

const first: Question = { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' };
const SAID = '{}';

const answerTo = ({ from }: Question): Answer => (from === 'nobody'
  ? { kind: 'unanswered', message: 'Nothing is named nobody.', suggestions: [] } : { kind: 'traced', flow: flow(), trace: traceOf(serviceBranch()), scenes: [] });

function panel(kept?: unknown) {
  const posted: FromPanel[] = [];
  const states: unknown[] = [];
  const asked: (string | null)[] = [];
  let hear: (told: Told) => void = () => undefined;
  const simulator: Simulator = {
    ask: (said, question, heard) => {
      asked.push(said);
      hear = heard;
      heard({ type: 'answered', answer: answerTo(question) });
    },
    offers: () => Promise.resolve([]),
  };
  const host = {
    postMessage: (message: unknown) => { if (!isFromPanel(message)) throw new Error('not of the protocol'); posted.push(message); },
    getState: () => kept, setState: (state: unknown) => { states.push(state); },
  };
  const store = createStore(host, simulator);
  const show = (question: Question): void => { store.receive({ type: 'show', file: FILE, revision: 1, said: SAID, question }); };
  return { store, posted, states, show, asked, tell: (told: Told) => { hear(told); }, types: () => posted.map((message) => message.type) };
}

test('a question that is shown is told to the editor with the notes for its lines, once', () => {
  const { show, types } = panel();
  show(first);
  expect(types()).toEqual(['asked', 'annotations']);
  show(first);
  expect(types()).toEqual(['asked', 'annotations', 'annotations']);
});

test('a question asked in the panel is traced in the file as it is known, and told', () => {
  const { store, show, posted, asked } = panel();
  show(first);
  store.ask({ from: 'pod2', to: first.to });
  expect(asked).toEqual([SAID, null]);
  expect(store.state.question?.from).toBe('pod2');
  expect(posted.filter((message) => message.type === 'asked').at(-1)).toEqual({ type: 'asked', question: { from: 'pod2', to: first.to } });
});

test('the notes go when the question no longer resolves', () => {
  const { store, show, posted } = panel();
  show(first);
  store.ask({ from: 'nobody', to: first.to });
  expect(posted.at(-1)).toEqual({ type: 'annotations', annotations: [] });
});

test('the view is kept for a reload, and taken up again', () => {
  const before = panel();
  before.show(first);
  before.store.dispatch({ type: 'select', hop: 4 });
  before.store.dispatch({ type: 'picture', picture: 'hidden' });
  const after = panel(before.states.at(-1));
  after.show(first);
  expect([after.store.state.selected, after.store.state.expanded, after.store.state.picture]).toEqual([4, [4], 'hidden']);
});

test('a kept state that is damaged counts as none', () => {
  for (const kept of [null, 7, 'text', {}, { file: FILE, question: first, view: 3 }, { file: FILE, question: {}, view: {} }]) {
    expect(panel(kept).store.state.question).toBe(null);
  }
});

test('messages that are not of the protocol change nothing', () => {
  const { store, posted } = panel();
  for (const message of [null, 3, 'show', [], {}, { type: 'show' }, { type: 'cursor', file: FILE, line: 'x' }, { type: 'show', file: FILE, revision: 1, question: first, said: {} }]) {
    expect(isToPanel(message)).toBe(false);
    store.receive(message);
  }
  expect([store.state.question, posted.length]).toEqual([null, 0]);
});

test('the extension refuses what the page must not post', () => {
  for (const message of [{ type: 'reveal', file: FILE }, { type: 'reveal', file: FILE, line: -1 }, { type: 'asked', question: 'x' }, { type: 'save', name: 'x' }, { type: 'annotations', annotations: [{ file: FILE }] }, { type: 'else' }]) {
    expect(isFromPanel(message)).toBe(false);
  }
});

test('what a file says is a spec with its expectations', () => {
  const spec = { cluster: null, networks: [], externals: [], nodes: [], pods: [], services: [] };
  expect(isSaid({ spec, expectations: [] })).toBe(true);
  for (const other of [null, {}, { spec }, { spec: { ...spec, nodes: [3] }, expectations: [] }, { spec, expectations: [3] }]) expect(isSaid(other)).toBe(false);
});

test('why a packet does not arrive is shown with its trace, and goes with the next answer', () => {
  const cause = { code: 'rule-drop', sentence: 'A rule drops it.', host: 'host1', namespace: 'root', at: null, nearest: null };
  const { store, show, tell } = panel();
  show(first);
  tell({ type: 'why', why: 'searching' });
  expect(store.state.why).toBe('searching');
  tell({ type: 'why', why: { causes: [cause], repairs: [] } });
  expect(store.state.why).toEqual({ causes: [cause], repairs: [] });
  store.ask({ from: 'nobody', to: first.to });
  expect(store.state.why).toBe(null);
});

test('an applied repair is a message of the protocol, and one without edits is none', () => {
  expect(isFromPanel({ type: 'apply', revision: 3, repair: { title: 'x', edits: [{ kind: 'words', owner: { kind: 'node', name: 'host1' } }] } })).toBe(true);
  const apply = (edit: object): unknown => ({ type: 'apply', revision: 3, repair: { title: 'x', edits: [edit] } });
  expect(isFromPanel(apply({ kind: 'declaration', text: 'pod web on host1 {}' }))).toBe(true);
  expect(isFromPanel(apply({ kind: 'name', at: { file: 'a', line: 1 }, from: 'wbe', to: 'web' }))).toBe(true);
  expect(isFromPanel(apply({ kind: 'statement' }))).toBe(false);
  expect(isFromPanel(apply({ kind: 'declaration' }))).toBe(false);
  expect(isFromPanel(apply({ kind: 'owner', owner: {} }))).toBe(false);
  expect(isFromPanel({ type: 'apply', revision: 3, repair: { title: 'x' } })).toBe(false);
  expect(isFromPanel({ type: 'apply', revision: -1, repair: { title: 'x', edits: [] } })).toBe(false);
});
