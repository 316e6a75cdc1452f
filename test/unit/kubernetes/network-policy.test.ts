/** What the API server would refuse of a NetworkPolicy (pkg/apis/networking/validation) is told at its place, and allows nothing. */
import { describe, expect, it } from 'vitest';
import type { NetworkPolicy } from '../../../engine/src/topology/network-policy.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

interface Read {
  readonly told: readonly string[];
  readonly policy: NetworkPolicy | undefined;
}

function read(spec: object): Read {
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p', namespace: 'default' }, spec };
  const snapshot = createSnapshot({ file: 'x.k8snet', text: 'objects from "p.json"\n', listFolder: () => [{ name: 'p.json', kind: 'file' }], readFile: () => JSON.stringify(object) });
  return { told: snapshot.diagnostics.filter((d) => d.code === 'K8N3101').map((d) => d.message.replace(/^p\.json:\d+:\d+: /, '')), policy: snapshot.spec().networkPolicies[0] };
}

const from = (peer: object): object => ({ podSelector: {}, ingress: [{ from: [peer] }] });
const ports = (port: object): object => ({ podSelector: {}, ingress: [{ ports: [port] }] });

describe('a peer', () => {
  it.each([
    ['that names nobody', {}, /ingress\.from names nobody/],
    ['of an ipBlock beside a selector', { ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }, /ipBlock beside a selector/],
    ['without a CIDR', { ipBlock: { except: ['10.1.0.0/16'] } }, /ipBlock has no cidr/],
    ['with a CIDR that is none', { ipBlock: { cidr: '10.0.0.0' } }, /has no prefix length/],
  ])('%s is told, and the rule that has no other allows nothing', (_, peer, message) => {
    const { told, policy } = read(from(peer));
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(policy?.ingress).toEqual([]);
  });

  it('that can be read holds beside one that cannot', () => {
    const { told, policy } = read({ podSelector: {}, ingress: [{ from: [{}, { podSelector: {} }] }] });
    expect(told).toHaveLength(1);
    expect(policy?.ingress[0]?.peers).toHaveLength(1);
  });

  it('may be everybody of a namespace or of all, and everybody where the list is empty', () => {
    for (const [peers, count] of [[[{ podSelector: {} }], 1], [[{ namespaceSelector: {} }], 1], [[], 0]] as const) {
      const { told, policy } = read({ podSelector: {}, ingress: [{ from: peers }] });
      expect(told).toEqual([]);
      expect(policy?.ingress[0]?.peers).toHaveLength(count);
    }
  });
});

describe('an exception', () => {
  it.each([['the whole block', '10.0.0.0/8'], ['outside of it', '192.168.0.0/16'], ['of the other family', 'fd00::/16'], ['larger than it', '10.0.0.0/7']])('is told where it is %s', (_, cidr) => {
    expect(read(from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', cidr] } })).told).toEqual([expect.stringMatching(/except: \S+ is not a part of 10\.0\.0\.0\/8/)]);
  });

  it('is told in a .k8snet file, too, at its word', () => {
    const text = 'network-policy p { ingress { from ip-block 10.0.0.0/8 except 10.1.0.0/16, 192.168.0.0/16 } }';
    const found = createSnapshot({ file: 'x.k8snet', text }).diagnostics.filter((d) => d.severity === 'error');
    expect(found.map((d) => [d.code, text.slice(d.start, d.end)])).toEqual([['K8N1010', '192.168.0.0/16']]);
  });
});

describe('a port', () => {
  it.each([
    ['a range without a beginning', { endPort: 90 }, /endPort needs a port to begin at/],
    ['a range that ends before it begins', { port: 100, endPort: 90 }, /endPort 90 is below the port 100/],
    ['a range from a name', { port: 'http', endPort: 90 }, /not the name http/],
    ['no number of a port', { port: 70000 }, /'70000' is neither a port/],
    ['of another protocol', { port: 80, protocol: 'ICMP' }, /TCP, UDP, SCTP are known/],
  ])('that is %s is told, and is not every port', (_, port, message) => {
    const { told, policy } = read(ports(port));
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(policy?.ingress).toEqual([]);
  });

  it('that a .k8snet file spells wrong is not every port either', () => {
    for (const rule of ['from ip-block 10.0.0', 'port 70000', 'from pods app=web; port 90-80']) {
      expect(createSnapshot({ file: 'x.k8snet', text: `network-policy p { ingress { ${rule} } }` }).spec().networkPolicies[0]?.ingress).toEqual([]);
    }
  });

  it('may be one, a range of one, a name, or every port of a protocol', () => {
    for (const port of [{ port: 80 }, { port: 80, endPort: 80 }, { port: 'http' }, { protocol: 'SCTP' }, {}]) {
      const { told, policy } = read(ports(port));
      expect(told).toEqual([]);
      expect(policy?.ingress[0]?.ports).toHaveLength(1);
    }
  });
});

describe('an expression', () => {
  it.each([
    ['In without values', { key: 'a', operator: 'In' }, /In needs values/],
    ['NotIn without values', { key: 'a', operator: 'NotIn', values: [] }, /NotIn needs values/],
    ['an unknown operator', { key: 'a', operator: 'Gt', values: ['1'] }, /In, NotIn, Exists, DoesNotExist are known/],
    ['no operator', { key: 'a' }, /has no operator/],
    ['no key', { operator: 'Exists' }, /has no key/],
  ])('of %s is told, and selects nobody', (_, expression, message) => {
    const { told, policy } = read({ podSelector: { matchExpressions: [expression] } });
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(policy?.pods.expressions).toMatchObject([{ operator: 'In', values: [] }]);
  });

  it('of Exists with values is told', () => {
    expect(read({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }).told).toEqual([expect.stringMatching(/Exists takes no values/)]);
  });
});

describe('policy types', () => {
  it('are two at most, and known', () => {
    expect(read({ podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] }).told).toEqual([expect.stringMatching(/two types at most/)]);
    expect(read({ podSelector: {}, policyTypes: ['Both'] }).told).toEqual([expect.stringMatching(/not 'Both'/)]);
  });

  it('hold Egress where egress rules are there, even if none can be read', () => {
    expect(read({ podSelector: {}, egress: [{ to: [{}] }] }).policy).toMatchObject({ egress: [], types: ['Ingress', 'Egress'] });
  });
});
