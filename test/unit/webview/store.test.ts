import { expect, test } from 'vitest';
import type { ClusterSpec } from '../../../engine/src/topology/spec.ts';
import type { Question } from '../../../webview/src/protocol.ts';
import { isFromPanel, isToPanel, type FromPanel } from '../../../webview/src/protocol.ts';
import { createStore, type Simulator } from '../../../webview/src/state/store.ts';
import { articleCluster, FILE, flow, serviceBranch, traceOf } from './fixture.ts';

const topology = articleCluster();
const first: Question = { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' };

const spec: ClusterSpec = { cluster: null, networks: [], externals: [], nodes: [], pods: [], services: [], namespaces: [], networkPolicies: [] };

const answer: Simulator['answer'] = (_, { from }) => (from === 'nobody'
  ? { kind: 'unanswered', message: 'Nothing is named nobody.', suggestions: [] } : { kind: 'traced', flow: flow(), trace: traceOf(serviceBranch()) });

// eslint-disable-next-line require-yield
const explain: Simulator['explain'] = function* () { return null; };

function panel(kept?: unknown) {
  const posted: FromPanel[] = [];
  const states: unknown[] = [];
  const host = {
    postMessage: (message: unknown) => { if (!isFromPanel(message)) throw new Error('not of the protocol'); posted.push(message); },
    getState: () => kept, setState: (state: unknown) => { states.push(state); },
  };
  const store = createStore(host, { build: () => topology, answer, explain });
  const show = (question: Question): void => { store.receive({ type: 'show', file: FILE, revision: 1, spec, expectations: [], question }); };
  return { store, posted, states, show, types: () => posted.map((message) => message.type) };
}

test('a question that is shown is told to the editor with the notes for its lines, once', () => {
  const { show, types } = panel();
  show(first);
  expect(types()).toEqual(['asked', 'annotations']);
  show(first);
  expect(types()).toEqual(['asked', 'annotations', 'annotations']);
});

test('a question asked in the panel is traced at once, and told', () => {
  const { store, show, posted } = panel();
  show(first);
  store.ask({ from: 'pod2', to: first.to });
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
  for (const message of [null, 3, 'show', [], {}, { type: 'show' }, { type: 'cursor', file: FILE, line: 'x' }, { type: 'show', file: FILE, revision: 1, question: first, spec: { nodes: [] } }]) {
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

const lost = { ...serviceBranch(), outcome: 'dropped', deliveredTo: null, answer: { kind: 'none', from: null, type: null, code: null, ttl: null } } as const;

function searching(explain: Simulator['explain']) {
  const store = createStore({ postMessage: () => undefined, getState: () => undefined, setState: () => undefined }, {
    build: () => topology, explain, answer: () => ({ kind: 'traced', flow: flow(), trace: traceOf(lost) }),
  });
  store.receive({ type: 'show', file: FILE, revision: 1, spec, expectations: [], question: first });
  return store;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

test('a packet that does not arrive is asked why, a try at a time', async () => {
  const cause = { code: 'rule-drop', sentence: 'A rule drops it.', host: 'host1', namespace: 'root', at: null, nearest: null };
  const store = searching(function* () { yield undefined; yield undefined; return { causes: [cause], repairs: [] }; });
  expect(store.state.why).toBe('searching');
  await settled();
  expect(store.state.why).toEqual({ causes: [cause], repairs: [] });
});

test('the search for the cause ends where another question is asked', async () => {
  let tries = 0;
  const store = searching(function* () { for (;;) { tries++; yield undefined; } });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const before = tries;
  expect(before).toBeGreaterThan(0);
  store.dispatch({ type: 'answered', file: FILE, revision: 2, topology, question: first, answer: { kind: 'unanswered', message: 'no', suggestions: [] } });
  const at = tries;
  await settled();
  expect([store.state.why, tries]).toEqual([null, at]);
});

test('an applied repair is a message of the protocol, and one without edits is none', () => {
  expect(isFromPanel({ type: 'apply', revision: 3, repair: { title: 'x', edits: [{ kind: 'words', owner: { kind: 'node', name: 'host1' } }] } })).toBe(true);
  expect(isFromPanel({ type: 'apply', revision: 3, repair: { title: 'x' } })).toBe(false);
  expect(isFromPanel({ type: 'apply', revision: -1, repair: { title: 'x', edits: [] } })).toBe(false);
});
