/** Derived records and their texts say the same: the readers of pasted dumps read each text back as the very record. */
import { describe, expect, it } from 'vitest';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Namespace, Topology } from '../../../engine/src/topology/model.ts';
import { readFdbLine } from '../../../server/src/language/native/fdb.ts';
import { readIptables } from '../../../server/src/language/native/iptables/tables.ts';
import { readNeighbourLine } from '../../../server/src/language/native/neighbour.ts';
import { readPolicyRuleLine } from '../../../server/src/language/native/policy-rule.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';
import { recordedSpec } from './recorded.ts';
import { article, at, cluster, external, flannel, network, node, pod, port, prefix, service, spec } from './specs.ts';

const dual = buildTopology(
  spec({
    cluster: cluster({ podCidrs: [prefix('10.0.0.0/16'), prefix('fd00:10::/56')] }),
    networks: [network('lan', '192.168.93.0/24, fd00:93::/64', '192.168.93.254, fd00:93::fe')],
    externals: [external('six', '203.0.113.7, 2001:db8::7')],
    nodes: [node('host1', '192.168.93.212/24, fd00:93::212/64', '10.0.14.0/24, fd00:10:0:14::/64'), node('host2', '192.168.93.213/24, fd00:93::213/64', '10.0.5.0/24, fd00:10:0:5::/64')],
    pods: [pod('web-1', 'host1', '10.0.14.2, fd00:10:0:14::2', { labels: { app: 'web' } }), pod('web-2', 'host2', '10.0.5.2, fd00:10:0:5::2', { labels: { app: 'web' } })],
    services: [
      service('web', '10.16.0.9, fd00:16::9', [port('http', 80, 'TCP', { nodePort: 30080 })], { selector: { app: 'web' }, type: 'NodePort', sessionAffinitySeconds: 10 }),
      service('empty', '10.16.0.10, fd00:16::10', [port('', 80, 'SCTP', { nodePort: 30081 })], { selector: { app: 'none' }, type: 'NodePort' }),
    ],
  }),
);

const topologies: readonly (readonly [string, Topology])[] = [
  ['the recorded cluster', buildTopology(recordedSpec())],
  ['two families', dual],
  ['host-gw', buildTopology(article({ cluster: cluster({ flannel: flannel({ backend: 'host-gw' }) }) }))],
  ['the older generation', buildTopology(article({ cluster: cluster({ flannel: flannel({ routesPer: 'network' }) }) }))],
];

const namespaces = (topology: Topology): readonly Namespace[] => topology.hosts.flatMap((h) => h.namespaces);

const plain = (record: object): object => ({ ...record, origin: null });

const body = (record: object): object => Object.fromEntries(Object.entries(record).filter(([key]) => key !== 'origin'));

describe.each(topologies)('of %s', (_name, topology) => {
  it('every iptables rule is read back as the matches and the target that it has', () => {
    for (const { tables } of namespaces(topology)) {
      for (const table of tables) {
        const lines = [`*${table.name}`, ...table.chains.map((c) => `:${c.name} ${c.policy ?? '-'} [0:0]`), ...table.chains.flatMap((c) => c.rules.map((r) => r.text)), 'COMMIT'];
        const reading = readIptables(lines.map((text) => ({ text, at: at(1) })), table.family);
        expect(reading.problems).toEqual([]);
        expect(reading.tables[0]?.chains.map((c) => [c.name, c.policy, c.rules.map(plain)])).toEqual(table.chains.map((c) => [c.name, c.policy, c.rules.map(plain)]));
      }
    }
  });

  it('every route is read back as it is', () => {
    for (const { routes } of namespaces(topology)) {
      const reading = readRoutes(routes.map((r) => ({ text: r.text, at: at(1) })));
      expect(reading.problems).toEqual([]);
      expect(reading.routes.map(plain)).toEqual(routes.map(plain));
    }
  });

  it('every neighbour, FDB entry and policy rule is read back as it is', () => {
    for (const { neighbours, fdb, rules } of namespaces(topology)) {
      for (const entry of neighbours) expect(readNeighbourLine(entry.text)).toMatchObject({ problems: [], neighbour: body(entry) });
      for (const entry of fdb) expect(readFdbLine(entry.text)).toMatchObject({ problems: [], entry: body(entry) });
      for (const rule of rules) expect(readPolicyRuleLine(rule.text)).toMatchObject({ problems: [], rule: { ...body(rule), family: null } });
    }
  });
});
