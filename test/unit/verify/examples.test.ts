import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkExpectation } from '../../../engine/src/verify/expect.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

it('every expectation of the dual-stack example holds', () => {
  const text = readFileSync(new URL('../../../examples/dual-stack.k8snet', import.meta.url), 'utf8');
  const snapshot = createSnapshot({ file: 'dual-stack.k8snet', text });
  expect(snapshot.expectations.length).toBe(6);
  const verdicts = snapshot.expectations.map((e) => checkExpectation(snapshot.spec(), snapshot.topology(), snapshot.compiled(), e, snapshot.expectations));
  expect(verdicts.map((v) => v.sentence)).toEqual(verdicts.map(() => null));
});
