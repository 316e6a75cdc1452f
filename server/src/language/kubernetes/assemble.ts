/** The objects of several files as one cluster: every object once, each service with the endpoints that its slices name. */
import type { NamespaceDeclaration, NetworkPolicyDeclaration, PodDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { ObjectName } from '../bind/values.ts';
import type { Elsewhere } from '../diagnostics/define.ts';
import type { ClusterPart } from './config-map.ts';
import type { EndpointsObject } from './endpoints.ts';
import type { ObjectProblem } from './fields.ts';
import { placeOf } from './fields.ts';
import type { ObjectKind, ObjectOf } from './kinds.ts';
import type { NodeObject } from './node.ts';
import type { ObjectFile } from './read.ts';
import type { ServiceObject } from './service.ts';

export interface ObjectModel {
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly PodDeclaration[];
  readonly services: readonly ServiceDeclaration[];
  readonly namespaces: readonly NamespaceDeclaration[];
  readonly policies: readonly NetworkPolicyDeclaration[];
  /** `null` where no object says anything of the whole cluster. */
  readonly cluster: ClusterPart | null;
  readonly problems: readonly ObjectProblem[];
}

const assembled = new WeakMap<ObjectFile, { readonly files: readonly ObjectFile[]; readonly model: ObjectModel }>();

const NO_OBJECTS: ObjectModel = { nodes: [], pods: [], services: [], namespaces: [], policies: [], cluster: null, problems: [] };

/** The same files give the same model, so that what is known of it stays known. */
export function assemble(files: readonly ObjectFile[]): ObjectModel {
  const [first] = files;
  if (first === undefined) return NO_OBJECTS;
  const known = assembled.get(first);
  if (known !== undefined && known.files.length === files.length && known.files.every((f, i) => f === files[i])) return known.model;
  const model = assembleFiles(files);
  assembled.set(first, { files, model });
  return model;
}

function assembleFiles(files: readonly ObjectFile[]): ObjectModel {
  const problems: ObjectProblem[] = files.flatMap((f) => f.problems);
  const seen = new Map<string, Elsewhere>();
  /** Dumps overlap: `kubectl get all` beside `kubectl get pods`. */
  const isFirst = (what: string, name: Located<unknown> | null): boolean => {
    if (name === null) return false;
    const before = seen.get(what);
    if (before === undefined) {
      seen.set(what, placeOf(name));
      return true;
    }
    problems.push({ kind: 'left-out', group: 'twice', message: `${what} stands in ${before.file}:${before.line} already: that one holds`, at: placeOf(name) });
    return false;
  };
  const all = files.flatMap((f) => f.objects);
  const of = <K extends ObjectKind>(kind: K): ObjectOf<K>[] => all.flatMap((o) => (o.kind === kind ? [o.object as ObjectOf<K>] : []));
  const namespaced = <D extends { readonly name: Located<ObjectName> | null }>(kind: string, objects: readonly D[]): D[] =>
    objects.filter(({ name }) => isFirst(`${kind} ${name?.value.namespace ?? ''}/${name?.value.name ?? ''}`, name));
  const endpoints = endpointsByService(of('endpoints').filter((e) => isFirst(`${e.kind} ${e.name.value.namespace}/${e.name.value.name}`, e.name)));
  return {
    nodes: of('node').filter(({ declaration: { name } }) => isFirst(`node ${name?.value ?? ''}`, name)),
    pods: namespaced('pod', of('pod')),
    services: namespaced('service', of('service')).map((s) => withEndpoints(s, endpoints, problems)),
    namespaces: of('namespace').filter(({ name }) => isFirst(`namespace ${name?.value ?? ''}`, name)),
    policies: namespaced('network policy', of('network-policy')),
    cluster: clusterOf(of('cluster')),
    problems,
  };
}

/** The slices of a service, or where it has none its Endpoints: kube-proxy reads slices only, which mirror the Endpoints. */
function endpointsByService(objects: readonly EndpointsObject[]): ReadonlyMap<string, readonly EndpointsObject[]> {
  const found = new Map<string, EndpointsObject[]>();
  for (const object of [...objects.filter((o) => o.kind === 'EndpointSlice'), ...objects.filter((o) => o.kind === 'Endpoints')]) {
    const before = found.get(object.service);
    if (before === undefined) found.set(object.service, [object]);
    else if (before[0]?.kind === object.kind) before.push(object);
  }
  return found;
}

/** What the cluster's controllers wrote counts, not what a selector would select; without a slice the selector is all there is. */
function withEndpoints({ autoHints, ...service }: ServiceObject, endpoints: ReadonlyMap<string, readonly EndpointsObject[]>, problems: ObjectProblem[]): ServiceDeclaration {
  const { namespace = '', name = '' } = service.name?.value ?? {};
  const own = endpoints.get(`${namespace}/${name}`);
  if (own === undefined && autoHints !== null) {
    const message = `the hints that topology-mode ${autoHints.value} makes of the nodes' processors are not derived: give the EndpointSlices, which have them`;
    problems.push({ kind: 'not-modelled', group: message, message, at: placeOf(autoHints) });
  }
  return { ...service, endpoints: own?.flatMap((o) => o.endpoints) ?? [], endpointsAre: own === undefined ? 'besides-selector' : 'instead' };
}

/** flannel's and kube-proxy's own configuration counts before kubeadm's, which it was made from. */
function clusterOf(parts: readonly ClusterPart[]): ClusterPart | null {
  const rank = (p: ClusterPart): number => (p.flannel !== undefined ? 0 : p.kubeProxy !== undefined ? 1 : 2);
  const [first, ...rest] = [...parts].sort((a, b) => rank(a) - rank(b));
  return first === undefined ? null : rest.reduce((all, part) => ({ ...part, ...all }), first);
}
