import { describe, expect, test } from 'vitest';
import { annotate, decidingStep, notesOf } from '../../../engine/src/trace/annotate.ts';
import type { Step } from '../../../engine/src/trace/model.ts';
import { captured, derived, droppedBranch, FILE, hop, ip, secondDroppedBranch, serviceBranch, toRoute } from '../webview/fixture.ts';

const noteAt = (line: number) => annotate(serviceBranch()).find((annotation) => annotation.line === line);

describe('the notes at the ends of lines', () => {
  test('give the hops that the line took part in, of request and reply, and the weightiest words', () => {
    expect(noteAt(28)).toMatchObject({ file: FILE, hops: [2, 17], note: 'DNAT → 10.0.0.46:53, un-DNAT → 10.16.0.10:53' });
    expect(noteAt(18)).toMatchObject({ hops: [3], note: '→ flannel.1' });
    expect(noteAt(38)).toMatchObject({ hops: [1], note: '→ eth0 via 10.0.14.1' });
    expect(noteAt(44)?.note).toBe('delivered');
  });

  test('on a rule that only jumps name the chain', () => {
    expect(noteAt(26)?.note).toBe('→ KUBE-SVC-TCOU7JCQXEZGVUNU');
  });

  test('stand at the declaration that led to derived state', () => {
    expect(noteAt(5)).toMatchObject({ hops: [4, 6, 14, 16], note: 'VXLAN → 192.168.93.214, VXLAN from 192.168.93.212 …' });
  });

  test('carry each sentence once, in the order of the trace', () => {
    expect(noteAt(28)?.details).toEqual(['Rule 1 of KUBE-SEP-L5MHPWJPDKD7XIFG matches.', 'The destination 10.16.0.10:53 becomes 10.0.0.46:53.', 'The source 10.0.0.46:53 becomes 10.16.0.10:53.']);
  });

  test('tell of the second packet too, whose translation is the flow\'s and no reply\'s', () => {
    const notes = annotate(secondDroppedBranch());
    expect(notes.find(({ line }) => line === 24)).toMatchObject({ hops: [23], note: '✕ policy-drop' });
    expect(notes.find(({ line }) => line === 28)).toMatchObject({ hops: [2, 17, 22], note: 'DNAT → 10.0.0.46:53, un-DNAT → 10.16.0.10:53' });
  });

  test('say where the packet died', () => {
    expect(annotate(droppedBranch()).find((annotation) => annotation.line === 17)?.note).toBe('✕ no-route');
  });
});

describe('what decided a hop', () => {
  const packet = [ip('10.0.0.1', '10.0.0.2', 64)];
  const drop = (source: Step['source']): Step => ({ stage: 'drop', sentence: 'It is dropped.', reason: { code: 'x', sentence: 'It is dropped.' }, source });

  test('is an end before a route, both with a line to open', () => {
    expect(decidingStep(hop('h', 'root', 'eth0', 'in', packet, [toRoute('default', 'eth0', null, captured(3)), drop(captured(4))]))?.stage).toBe('drop');
  });

  test('is the step that has a line where the weightier one has none', () => {
    expect(decidingStep(hop('h', 'root', 'eth0', 'in', packet, [toRoute('default', 'eth0', null, captured(3)), drop(derived('kernel', 'its own rules'))]))?.stage).toBe('route');
  });

  test('is nothing where nothing happened', () => {
    expect(decidingStep(hop('h', 'root', 'eth0', 'in', packet))).toBe(null);
    expect(notesOf(hop('h', 'root', 'eth0', 'in', packet))).toEqual([]);
  });
});
