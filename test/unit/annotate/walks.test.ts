import { describe, expect, test } from 'vitest';
import type { Step } from '../../../engine/src/trace/model.ts';
import { withoutEffect } from '../../../engine/src/trace/walks.ts';
import { groupsOf } from '../../../webview/src/state/step-groups.ts';
import { derived, toRoute } from '../webview/fixture.ts';

const event = (chain: string, event: 'rule' | 'return' | 'policy', verdict: string): Step => ({
  stage: 'netfilter', hook: 'FORWARD', table: 'filter', chain, event, verdict, number: event === 'policy' ? null : 1, rule: event === 'rule' ? `-A ${chain} …` : null,
  sentence: `${chain}: ${verdict}`, source: derived('kube-proxy', 'what it programs for every cluster', 1),
});
const jump = (from: string, to: string): Step => event(from, 'rule', `jump ${to}`);
const back = (chain: string): Step => event(chain, 'return', 'RETURN');
const idle = (...steps: readonly Step[]): readonly number[] => [...withoutEffect(steps)];

describe('a walk is without effect', () => {
  test('where a chain is entered and left, and where the policy accepts', () => {
    expect(idle(jump('FORWARD', 'A'), back('A'), event('FORWARD', 'policy', 'ACCEPT'))).toEqual([0, 1, 2]);
  });

  test('with chains inside that are left as well', () => {
    expect(idle(jump('FORWARD', 'A'), jump('A', 'B'), back('B'), jump('A', 'C'), back('C'), back('A'))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('where the chain goes to another, which returns to the first caller', () => {
    expect(idle(jump('FORWARD', 'A'), event('A', 'rule', 'goto B'), back('B'), event('FORWARD', 'rule', 'DROP'))).toEqual([0, 1, 2]);
  });

  test('where a rule of the chain returns', () => {
    expect(idle(jump('FORWARD', 'A'), event('A', 'rule', 'RETURN'))).toEqual([0, 1]);
  });

  test('not where a rule inside did something, though what it called without effect still is', () => {
    expect(idle(jump('FORWARD', 'A'), jump('A', 'B'), back('B'), event('A', 'rule', 'MARK or 0x4000'), back('A'))).toEqual([1, 2]);
    expect(idle(jump('FORWARD', 'A'), event('A', 'rule', 'DNAT'))).toEqual([]);
  });

  test('not where the packet ends, nor where something else happens before the return', () => {
    expect(idle(event('FORWARD', 'policy', 'DROP'))).toEqual([]);
    expect(idle(jump('FORWARD', 'A'), toRoute('default', 'eth0', null, derived('kernel', 'x')), back('A'))).toEqual([]);
    expect(idle(jump('FORWARD', 'A'))).toEqual([]);
  });
});

test('neighbouring walks fold into one line that names the chains', () => {
  const route = toRoute('default', 'eth0', null, derived('kernel', 'x'));
  const groups = groupsOf([route, jump('FORWARD', 'A'), back('A'), jump('FORWARD', 'B'), back('B'), event('FORWARD', 'policy', 'ACCEPT'), route]);
  expect(groups.map((group) => [group.summary, group.steps.length])).toEqual([['', 1], ['FORWARD: nothing applies in A, B; the policy is ACCEPT.', 5], ['', 1]]);
});
