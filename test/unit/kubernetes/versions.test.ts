/** Which apiVersion and kind an object may have. */
import { describe, expect, it } from 'vitest';
import { readObjects } from '../../../server/src/language/kubernetes/read.ts';

const told = (text: string): string[] => readObjects('x.yaml', text).problems.map((p) => `${p.kind} ${p.at.line}:${p.at.column} ${p.message}`);
const kinds = (text: string): string[] => readObjects('x.yaml', text).objects.map((o) => o.kind);

const object = (apiVersion: string, kind: string): string => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\nspec: {}\n`;

describe('an object', () => {
  it('of a version that the API does not have is told at the version, and read all the same', () => {
    const pod = object('v9', 'Pod').replace('spec: {}', 'spec: { nodeName: a }\nstatus: { podIP: 10.0.0.1 }');
    expect(told(pod)).toEqual([expect.stringMatching(/^bad 1:13 the apiVersion 'v9' is not known: this Pod is read as one of v1$/)]);
    expect(kinds(pod)).toEqual(['pod']);
    expect(told(object('networking.k8s.io/v2', 'NetworkPolicy'))).toEqual([expect.stringMatching(/^bad 1:13 .*NetworkPolicy is read as one of networking\.k8s\.io\/v1$/)]);
  });

  it('without a version is told, unless it is in a list of its kind', () => {
    expect(told('kind: Namespace\nmetadata: { name: x }\n')).toEqual([expect.stringMatching(/^bad 1:1 there is no apiVersion/)]);
    expect(told('apiVersion: 1\nkind: Namespace\nmetadata: { name: x }\n')).toContainEqual(expect.stringMatching(/^bad 1:13 there is no apiVersion that is a text/));
    expect(told('apiVersion: v1\nkind: NamespaceList\nitems: [{ metadata: { name: x } }]\n')).toEqual([]);
    expect(told('apiVersion: v1\nkind: List\nitems: [{ kind: Namespace, metadata: { name: x } }]\n')).toEqual([expect.stringMatching(/^bad 3:9 there is no apiVersion/)]);
  });

  it.each([['serving.knative.dev/v1', 'Service'], ['apps/v1', 'Pod'], ['core/v1', 'Node'], ['networking.istio.io/v1', 'NetworkPolicy'], ['extensions/v1beta1', 'Endpoints']])('of another group, as %s %s, is not taken for ours', (version, kind) => {
    expect(kinds(object(version, kind))).toEqual([]);
    expect(told(object(version, kind))).toEqual([expect.stringMatching(/^not-modelled 2:7 objects of the kind /)]);
  });

  it.each([['v1', 'constructor'], ['v1', 'toString'], ['constructor/v1', 'name'], ['__proto__/v1', 'Pod'], ['v1', '__proto__']])('of the kind %s %s is one that is not known', (version, kind) => {
    expect(kinds(object(version, kind))).toEqual([]);
    expect(told(object(version, kind))).toHaveLength(1);
  });
});
