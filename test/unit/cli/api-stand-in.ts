/**
 * As much of a Kubernetes API server as kubectl needs to list objects, and to start a pod and read its log. A pod's log is
 * what its own command prints: the command is run, with stand-ins for the node's tools.
 */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';

export interface PodManifest {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly nodeName: string; readonly hostNetwork: boolean; readonly automountServiceAccountToken: boolean;
    readonly containers: readonly { readonly command: readonly string[]; readonly args: readonly string[]; readonly securityContext: Readonly<Record<string, unknown>> }[];
  };
}

interface Resource {
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const RESOURCES: readonly Resource[] = [
  { group: '', version: 'v1', name: 'nodes', kind: 'Node', namespaced: false },
  { group: '', version: 'v1', name: 'namespaces', kind: 'Namespace', namespaced: false },
  { group: '', version: 'v1', name: 'pods', kind: 'Pod', namespaced: true },
  { group: '', version: 'v1', name: 'services', kind: 'Service', namespaced: true },
  { group: '', version: 'v1', name: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { group: '', version: 'v1', name: 'secrets', kind: 'Secret', namespaced: true },
  { group: 'discovery.k8s.io', version: 'v1', name: 'endpointslices', kind: 'EndpointSlice', namespaced: true },
  { group: 'networking.k8s.io', version: 'v1', name: 'networkpolicies', kind: 'NetworkPolicy', namespaced: true },
];

export interface StandIn {
  readonly url: string;
  /** `GET /api/v1/nodes`, without discovery. */
  readonly requests: readonly string[];
  readonly created: readonly PodManifest[];
  readonly deleted: readonly string[];
  close(): void;
}

export interface StandInContent {
  /** By resource: `nodes`. */
  readonly objects: Readonly<Record<string, readonly object[]>>;
  /** The folder of the node's tools, for PATH. */
  readonly toolsOf: (node: string) => string;
  /** What the log becomes on its way. */
  readonly garble?: (log: string, node: string) => string;
  /** Pods that never start. */
  readonly stuck?: boolean;
  /** Resources that answer 403. */
  readonly forbidden?: readonly string[];
}

const send = (response: ServerResponse, status: number, body: unknown, type = 'application/json'): void => {
  response.writeHead(status, { 'content-type': type });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

const failure = (response: ServerResponse, code: number, reason: string, message: string): void =>
  send(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });

function discovery(path: string): object | null {
  const groups = [...new Set(RESOURCES.map((r) => r.group))].filter((g) => g !== '');
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const versionOf = (name: string) => ({ groupVersion: `${name}/v1`, version: 'v1' });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((name) => ({ name, versions: [versionOf(name)], preferredVersion: versionOf(name) })) };
  }
  const [, group] = path === '/api/v1' ? ['', ''] : (/^\/apis\/([^/]+)\/v1$/.exec(path) ?? []);
  if (group === undefined) return null;
  const resources = RESOURCES.filter((r) => r.group === group).map((r) => ({ name: r.name, singularName: r.kind.toLowerCase(), kind: r.kind, namespaced: r.namespaced, verbs: ['get', 'list', 'create', 'delete'] }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group === '' ? 'v1' : `${group}/v1`, resources };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function logOf(pod: PodManifest, { toolsOf, garble }: StandInContent): string {
  const [container] = pod.spec.containers;
  const path = `${toolsOf(pod.spec.nodeName)}:/usr/bin:/bin`;
  const printed = execFileSync('/bin/sh', ['-c', container?.args[0] ?? ''], { env: { PATH: path }, encoding: 'utf8', maxBuffer: 1 << 26 });
  return garble?.(printed, pod.spec.nodeName) ?? printed;
}

/** On loopback, on a port that is free. */
export async function startStandIn(content: StandInContent): Promise<StandIn> {
  const requests: string[] = [];
  const created: PodManifest[] = [];
  const deleted: string[] = [];
  const pods = new Map<string, { readonly pod: PodManifest; asked: number }>();

  function ofPod(request: IncomingMessage, response: ServerResponse, name: string, log: boolean): void {
    const found = pods.get(name);
    if (found === undefined) failure(response, 404, 'NotFound', `pods "${name}" not found`);
    else if (log) send(response, 200, logOf(found.pod, content), 'text/plain');
    else if (request.method === 'DELETE') {
      deleted.push(name);
      pods.delete(name);
      send(response, 200, { kind: 'Status', apiVersion: 'v1', status: 'Success' });
    } else send(response, 200, { ...found.pod, status: { phase: found.asked++ === 0 || content.stuck === true ? 'Pending' : 'Succeeded' } });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const described = discovery(path);
    if (described !== null) return send(response, 200, described);
    requests.push(`${request.method ?? ''} ${path}`);
    const [, group = '', namespace, resource = '', name, log] = /^\/(?:api|apis\/([^/]+))\/v1(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+))?(\/log)?$/.exec(path) ?? [];
    const known = RESOURCES.find((r) => r.group === group && r.name === resource);
    if (known === undefined) return failure(response, 404, 'NotFound', 'the server could not find the requested resource');
    if (content.forbidden?.includes(resource) === true) return failure(response, 403, 'Forbidden', `${resource} is forbidden`);
    if (request.method === 'POST') {
      const pod = parse(await bodyOf(request)) as PodManifest;
      created.push(pod);
      pods.set(pod.metadata.name, { pod, asked: 0 });
      return send(response, 201, pod);
    }
    if (resource === 'pods' && name !== undefined && namespace !== undefined) return ofPod(request, response, name, log !== undefined);
    const items = content.objects[resource] ?? [];
    if (name === undefined) return send(response, 200, { kind: `${known.kind}List`, apiVersion: group === '' ? 'v1' : `${group}/v1`, metadata: {}, items });
    const one = (items as readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[]).find((o) => o.metadata.name === name && (namespace === undefined || o.metadata.namespace === namespace));
    return one === undefined ? failure(response, 404, 'NotFound', `${resource} "${name}" not found`) : send(response, 200, one);
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, created, deleted, close: () => void server.close() };
}
