import type { ServiceDeclaration } from '../bind/declarations.ts';
import { rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import { selectedPods } from '../bind/selection.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';
import { ALONE, suspecting } from './suspects.ts';

export const unknownPortName = defineDiagnostic<{ readonly name: string; readonly protocol: string; readonly whose: string; readonly so: string }>({
  code: 'K8N4007',
  slug: 'unknown-port-name',
  severity: 'warning',
  message: (p) => `No pod ${p.whose} has a port named '${p.name}' with ${p.protocol}, so ${p.so}: name it in the pod with 'port ${p.name} NUMBER', or write the number`,
});

const withNamedTarget = suspecting<ServiceDeclaration, object>((d) => d.ports.some((p) => typeof p.target?.value === 'string'));

export const checkPortNames: Check = function* ({ model }) {
  const has = (pods: typeof model.pods, name: string, protocol: string): boolean =>
    pods.some((p) => p.declaration.ports.some((c) => c.name?.value === name && c.listener.value.protocol === protocol));
  for (const p of withNamedTarget(model.services, ALONE)) {
    const { declaration: d } = p;
    const pods = selectedPods(model, d) ?? [];
    if (d.name === null || pods.length === 0) continue;
    for (const { target, listener } of d.ports) {
      const { protocol } = listener.value;
      if (target === null || typeof target.value !== 'string' || has(pods, target.value, protocol)) continue;
      yield report(unknownPortName, { name: target.value, protocol, whose: `behind service ${fullName(d.name.value)}`, so: 'the port has no endpoints' }, rangeIn(p, target));
    }
  }
  for (const p of model.policies) {
    for (const port of [...p.declaration.ingress, ...p.declaration.egress].flatMap((t) => t.ports)) {
      const { port: name, protocol } = port.value;
      if (typeof name !== 'string' || has(model.pods, name, protocol)) continue;
      yield report(unknownPortName, { name, protocol, whose: 'of this file', so: 'this entry allows nothing' }, rangeIn(p, port));
    }
  }
};
