import { rangeIn, writtenHere } from '../bind/file-model.ts';
import { fullName, shortName } from '../bind/names.ts';
import { selectionOf } from '../bind/selection.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const serviceWithoutEndpoints = defineDiagnostic<{ readonly service: string; readonly because: string }>({
  code: 'K8N4001',
  slug: 'service-without-endpoints',
  severity: 'warning',
  message: (p) => `Service ${p.service} has no endpoints: ${p.because}`,
});

export const checkServiceEndpoints: Check = function* ({ model }) {
  for (const p of writtenHere(model.services)) {
    const { declaration: d } = p;
    if (d.name === null || d.type === 'ExternalName') continue;
    const service = fullName(d.name.value);
    const selection = selectionOf(model, d);
    if (selection === null) {
      if (d.selector === null && d.endpoints.length === 0) yield report(serviceWithoutEndpoints, { service, because: "add a 'selector', or 'endpoints' by hand" }, rangeIn(p, d.name));
      continue;
    }
    const { pods, ready } = selection;
    if (pods.length === 0 || ready.length > 0) continue;
    const names = pods.flatMap((pod) => (pod.declaration.name === null ? [] : [shortName(pod.declaration.name.value)]));
    const listed = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
    const because = `the selector takes only pods that are not ready (${listed}); remove 'not-ready', or select others`;
    const related = pods.slice(0, 3).flatMap((pod) => (pod.declaration.name === null ? [] : [{ ...rangeIn(pod, pod.declaration.name), message: 'not ready' }]));
    yield report(serviceWithoutEndpoints, { service, because }, rangeIn(p, d.name), related);
  }
};
