import { defineDiagnostic } from './define.ts';

export const pluginNotSimulated = defineDiagnostic<{ readonly plugin: string }>({
  code: 'K8N4008',
  slug: 'plugin-not-simulated',
  severity: 'warning',
  message: (p) => `How ${p.plugin} connects pods is not simulated: a trace that leaves a pod, or would come to one, ends undecided; between nodes and the networks it goes on`,
});
