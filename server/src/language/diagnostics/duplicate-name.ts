import type { Located } from '../bind/decode.ts';
import type { Place } from '../bind/file-model.ts';
import { ofObjects, rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { Check } from './check.ts';
import type { Diagnostic, Range } from './define.ts';
import { defineDiagnostic, report } from './define.ts';

export const duplicateName = defineDiagnostic<{ readonly kind: string; readonly name: string; readonly where: string }>({
  code: 'K8N2003',
  slug: 'duplicate-name',
  severity: 'error',
  message: (p) => `${p.kind} '${p.name}' is declared twice${p.where}; the first holds: ${p.kind.endsWith('port') ? 'give one of them another' : 'rename one of them'}`,
});

/** Reports every name that `seen` has already. */
function firstOf(): (key: string, at: Range, p: { readonly kind: string; readonly name: string; readonly where: string }) => Diagnostic[] {
  const seen = new Map<string, Range>();
  return (key, at, p) => {
    const first = seen.get(key);
    if (first !== undefined) return [report(duplicateName, p, at, [{ ...first, message: `the first ${p.kind} '${p.name}'` }])];
    seen.set(key, at);
    return [];
  };
}

export const checkDuplicateNames: Check = function* ({ model }) {
  const once = firstOf();
  const check = (place: Place, kind: string, name: Located<unknown> | null, text: string, space: string): Diagnostic[] =>
    name === null ? [] : once(`${space} ${text}`, rangeIn(place, name), { kind, name: text, where: '' });
  // A node and an external are hosts both, so they share one set of names.
  for (const p of [...model.declarations, ...ofObjects(model)]) {
    const { declaration: d } = p;
    if (d.kind === 'node' || d.kind === 'external') yield* check(p, d.kind, d.name, d.name?.value ?? '', 'host');
    else if (d.kind === 'network') yield* check(p, d.kind, d.name, d.name?.value ?? '', 'network');
    else if (d.kind === 'namespace') yield* check(p, d.kind, d.name, d.name?.value ?? '', 'namespace');
    else if (d.kind === 'pod' || d.kind === 'service' || d.kind === 'network-policy') yield* check(p, d.kind, d.name, d.name === null ? '' : fullName(d.name.value), d.kind);
    else if (d.kind === 'cluster') yield* once('cluster', rangeIn(p, d.keyword), { kind: 'cluster', name: d.name?.value ?? 'cluster', where: ' although a file has one cluster' });
  }
  for (const node of model.nodes) {
    const inNode = firstOf();
    for (const i of node.declaration.interfaces) {
      if (i.name.value !== '') yield* inNode(i.name.value, rangeIn(node, i.name), { kind: 'interface', name: i.name.value, where: ` in node ${node.declaration.name?.value ?? ''}` });
    }
  }
  // The API server hands out a node port once for each protocol (pkg/registry/core/service/portallocator).
  const inCluster = firstOf();
  for (const service of model.services) {
    const name = service.declaration.name === null ? '' : fullName(service.declaration.name.value);
    const inService = firstOf();
    for (const p of service.declaration.ports) {
      const { port, protocol } = p.listener.value;
      yield* inService(`${port}/${protocol}`, rangeIn(service, p.listener), { kind: 'port', name: `${port}/${protocol}`, where: ` in service ${name}` });
      if (p.name !== null) yield* inService(p.name.value, rangeIn(service, p.name), { kind: 'port name', name: p.name.value, where: ` in service ${name}` });
      if (p.nodePort !== null) yield* inCluster(`${p.nodePort.value}/${protocol}`, rangeIn(service, p.nodePort), { kind: 'node-port', name: `${p.nodePort.value}/${protocol}`, where: '' });
    }
  }
};
