import { closest } from '../../../../engine/src/closest.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import { rangeIn, writtenHere } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import { selectedPods } from '../bind/selection.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, replacement, report } from './define.ts';

/** `near`: a label that a pod of the namespace has, nearly the same. */
export const selectorSelectsNothing = defineDiagnostic<{ readonly service: string; readonly selector: string; readonly namespace: string; readonly near: string | undefined }>({
  code: 'K8N4002',
  slug: 'selector-selects-nothing',
  severity: 'warning',
  message: (p) => `No pod in namespace ${p.namespace} has ${p.selector}, so service ${p.service} has no endpoints${didYouMean(p.near) || ': label a pod so, or change the selector'}`,
  fix: (p, at) => replacement(p.near, at),
});

const MOST_SUGGESTIONS = 30;

export const checkSelectors: Check = function* ({ model }) {
  let searches = 0;
  for (const p of writtenHere(model.services)) {
    const { declaration: d } = p;
    if (d.name === null || d.selector === null || d.selector.length === 0 || selectedPods(model, d)?.length !== 0) continue;
    const { namespace } = d.name.value;
    const labels = searches++ < MOST_SUGGESTIONS ? model.pods.filter((pod) => pod.declaration.name?.value.namespace === namespace).flatMap((pod) => pod.declaration.labels.map((l) => l.value.join('='))) : [];
    const known = new Set(labels);
    const wrong = d.selector.find((l) => !known.has(l.value.join('='))) ?? d.selector[0];
    const near = wrong === undefined || d.selector.length > 1 && known.has(wrong.value.join('=')) ? undefined : closest(wrong.value.join('='), known);
    const whole = { start: d.selector[0]?.start ?? 0, end: d.selector.at(-1)?.end ?? 0 };
    const selector = d.selector.map((l) => l.value.join('=')).join(', ');
    yield report(selectorSelectsNothing, { service: fullName(d.name.value), selector, namespace, near }, rangeIn(p, near === undefined ? whole : (wrong ?? whole)));
  }
};
