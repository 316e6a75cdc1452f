import { assertNever } from '../../../../engine/src/assert-never.ts';
import type { Declaration, NodeDeclaration, PortDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import { declarationsOf } from '../bind/declarations-of.ts';
import type { FileModel, Placed } from '../bind/file-model.ts';
import { ofObjects, rangeIn } from '../bind/file-model.ts';
import type { Spot } from '../bind/kept-index.ts';
import { keptIndex } from '../bind/kept-index.ts';
import { fullName } from '../bind/names.ts';
import type { Check } from './check.ts';
import type { Diagnostic, Range } from './define.ts';
import { defineDiagnostic, report } from './define.ts';
import { ALONE, suspecting } from './suspects.ts';

export const duplicateName = defineDiagnostic<{ readonly kind: string; readonly name: string; readonly where: string }>({
  code: 'K8N2003',
  slug: 'duplicate-name',
  severity: 'error',
  message: (p) => `${p.kind} '${p.name}' is declared twice${p.where}; the first holds: ${p.kind.endsWith('port') ? 'give one of them another' : 'rename one of them'}`,
});

interface Double {
  readonly kind: string;
  readonly name: string;
  readonly where: string;
}

const twice = (at: Range, first: Range, p: Double): Diagnostic => report(duplicateName, p, at, [{ ...first, message: `the first ${p.kind} '${p.name}'` }]);

/** Reports every name that it has seen already. */
function firstOf(): (key: string, at: Range, p: Double) => Diagnostic[] {
  const seen = new Map<string, Range>();
  return (key, at, p) => {
    const first = seen.get(key);
    if (first !== undefined) return [twice(at, first, p)];
    seen.set(key, at);
    return [];
  };
}

/** A node and an external are hosts both, so they share one set of names. */
function keyOf(d: Declaration): string | null {
  switch (d.kind) {
    case 'node': case 'external': return d.name === null ? null : `host ${d.name.value}`;
    case 'network': case 'namespace': return d.name === null ? null : `${d.kind} ${d.name.value}`;
    case 'pod': case 'service': case 'network-policy': return d.name === null ? null : `${d.kind} ${fullName(d.name.value)}`;
    case 'cluster': return 'cluster';
    case 'objects': case 'expect': return null;
    default: return assertNever(d);
  }
}

const namesIn = keptIndex<Declaration>((d) => {
  const key = keyOf(d);
  return key === null ? [] : [key];
});

function* doubleNames(model: FileModel): Iterable<Diagnostic> {
  const placed = [...model.declarations, ...ofObjects(model)];
  const { first, later } = namesIn(declarationsOf(placed));
  const rangeOf = (p: Placed<Declaration> | undefined): Range | null => {
    const d = p?.declaration;
    return p === undefined || d === undefined || d.kind === 'objects' || d.kind === 'expect' ? null : rangeIn(p, d.kind === 'cluster' || d.name === null ? d.keyword : d.name);
  };
  for (const { key, spot } of later) {
    const [p, before] = [placed[spot.declaration], placed[first.get(key)?.declaration ?? -1]];
    const [at, firstAt] = [rangeOf(p), rangeOf(before)];
    if (p === undefined || at === null || firstAt === null) continue;
    const { declaration: d } = p;
    const name = d.kind === 'cluster' ? (d.name?.value ?? 'cluster') : key.slice(key.indexOf(' ') + 1);
    yield twice(at, firstAt, { kind: d.kind, name, where: d.kind === 'cluster' ? ' although a file has one cluster' : '' });
  }
}

const suspectNodes = suspecting<NodeDeclaration, object>(({ interfaces }) => new Set(interfaces.map((i) => i.name.value)).size < interfaces.length);

function* doubleInterfaces(model: FileModel): Iterable<Diagnostic> {
  for (const node of suspectNodes(model.nodes, ALONE)) {
    const inNode = firstOf();
    for (const i of node.declaration.interfaces) {
      if (i.name.value !== '') yield* inNode(i.name.value, rangeIn(node, i.name), { kind: 'interface', name: i.name.value, where: ` in node ${node.declaration.name?.value ?? ''}` });
    }
  }
}

const listenerOf = ({ listener: { value } }: PortDeclaration): string => `${value.port}/${value.protocol}`;

const suspectServices = suspecting<ServiceDeclaration, object>(({ ports }) =>
  new Set(ports.map(listenerOf)).size < ports.length || new Set(ports.flatMap((p) => p.name?.value ?? [])).size < ports.filter((p) => p.name !== null).length);

function* doublePorts(model: FileModel): Iterable<Diagnostic> {
  for (const service of suspectServices(model.services, ALONE)) {
    const name = service.declaration.name === null ? '' : fullName(service.declaration.name.value);
    const inService = firstOf();
    for (const p of service.declaration.ports) {
      yield* inService(listenerOf(p), rangeIn(service, p.listener), { kind: 'port', name: listenerOf(p), where: ` in service ${name}` });
      if (p.name !== null) yield* inService(p.name.value, rangeIn(service, p.name), { kind: 'port name', name: p.name.value, where: ` in service ${name}` });
    }
  }
}

const nodePortsOf = ({ ports }: ServiceDeclaration): { readonly key: string; readonly at: Range }[] =>
  ports.flatMap((p) => (p.nodePort === null ? [] : [{ key: `${p.nodePort.value}/${p.listener.value.protocol}`, at: p.nodePort }]));

/** The API server hands out a node port once for each protocol (pkg/registry/core/service/portallocator). */
const nodePortsIn = keptIndex<ServiceDeclaration>((d) => nodePortsOf(d).map((p) => p.key));

function* doubleNodePorts({ services }: FileModel): Iterable<Diagnostic> {
  const { first, later } = nodePortsIn(declarationsOf(services));
  const rangeAt = (spot: Spot | undefined): Range | null => {
    const service = services[spot?.declaration ?? -1];
    const port = service === undefined || spot === undefined ? undefined : nodePortsOf(service.declaration)[spot.key];
    return service === undefined || port === undefined ? null : rangeIn(service, port.at);
  };
  for (const { key, spot } of later) {
    const [at, firstAt] = [rangeAt(spot), rangeAt(first.get(key))];
    if (at !== null && firstAt !== null) yield twice(at, firstAt, { kind: 'node-port', name: key, where: '' });
  }
}

export const checkDuplicateNames: Check = function* ({ model }) {
  yield* doubleNames(model);
  yield* doubleInterfaces(model);
  yield* doublePorts(model);
  yield* doubleNodePorts(model);
};
