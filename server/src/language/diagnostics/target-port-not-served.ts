import { rangeIn, writtenHere } from '../bind/file-model.ts';
import { fullName, shortName } from '../bind/names.ts';
import { selectionOf } from '../bind/selection.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const targetPortNotServed = defineDiagnostic<{ readonly service: string; readonly target: string; readonly pods: string }>({
  code: 'K8N4004',
  slug: 'target-port-not-served',
  severity: 'warning',
  message: (p) => `Nothing listens on ${p.target} in ${p.pods}, which service ${p.service} sends to: add it to 'listen', or give the port a target with '->'`,
});

const NONE = { ready: [], served: null };

/** Only where every pod behind the service says what it listens on, and none says this. */
export const checkTargetPorts: Check = function* ({ model }) {
  for (const p of writtenHere(model.services)) {
    const { declaration: d } = p;
    const { ready: pods, served } = selectionOf(model, d) ?? NONE;
    if (d.name === null || pods.length === 0 || served === null) continue;
    for (const port of d.ports) {
      const { protocol } = port.listener.value;
      const target = port.target?.value ?? port.listener.value.port;
      // A named target is another port in each pod: unknown-port-name.
      if (typeof target === 'string' || served.has(`${target}/${protocol}`)) continue;
      const names = pods.slice(0, 3).flatMap((pod) => (pod.declaration.name === null ? [] : [shortName(pod.declaration.name.value)]));
      const listed = names.join(', ') + (pods.length > 3 ? ' and others' : '');
      yield report(targetPortNotServed, { service: fullName(d.name.value), target: `${target}/${protocol}`, pods: listed }, rangeIn(p, port.target ?? port.listener));
    }
  }
};
