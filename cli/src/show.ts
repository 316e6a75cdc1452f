/** `k8snet show`: the state in force on a host, as its own tools print it. */
import type { InterfaceRef, Namespace, Topology } from '../../engine/src/topology/model.ts';
import { LOCAL_TABLE, ROOT_NAMESPACE } from '../../engine/src/topology/model.ts';
import { savedSets } from '../../engine/src/topology/ipset.ts';
import { savedTable } from '../../engine/src/topology/iptables-save.ts';
import type { Table } from '../../engine/src/topology/netfilter.ts';
import { closest } from '../../engine/src/closest.ts';
import { didYouMean } from '../../server/src/language/bind/did-you-mean.ts';
import { printAddresses, printLinks } from '../../server/src/language/native/print-interface.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { load, sayErrors } from './load.ts';

const HELP = `k8snet show FILE HOST KIND [--all]

Prints the state in force on a node or in a pod, declared, derived and captured together. HOST is a node or a pod
([NAMESPACE/]NAME). KIND, and the tool whose format it has:
  addresses    ip addr               fdb          bridge fdb show
  links        ip -d link            iptables     iptables-save
  routes       ip route              ip6tables    ip6tables-save
  rules        ip rule               ipset        ipset save
  neighbours   ip neigh              conntrack    conntrack -L

  --all   routes: the local table too, as "ip route show table all"

Exit codes: 0 printed, 2 wrong usage, an unknown host, or a file that cannot be read.
`;

export const show: Command = { name: 'show', usage: 'FILE HOST KIND', summary: 'prints the state in force, in its native format', help: HELP, run };

const KINDS = ['addresses', 'links', 'routes', 'rules', 'neighbours', 'fdb', 'iptables', 'ip6tables', 'ipset', 'conntrack'] as const;
type Kind = (typeof KINDS)[number];

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, { all: { type: 'boolean' } });
  const [file, host, kindText, ...rest] = positionals;
  if (file === undefined || host === undefined || kindText === undefined || rest.length > 0) {
    throw new UsageError(`a file, a host and one of ${KINDS.join(', ')} are needed`);
  }
  const kind = KINDS.find((each) => each === kindText);
  if (kind === undefined) throw new UsageError(`"${kindText}" is none of ${KINDS.join(', ')}${didYouMean(closest(kindText, KINDS))}`);
  for (const snapshot of load([file], io)) {
    sayErrors(snapshot, io);
    const topology = snapshot.topology();
    const found = namespaceOf(topology, host);
    await io.out(stateOf(topology, found, kind, (table) => values.all === true || table !== LOCAL_TABLE));
  }
  return EXIT.clean;
}

interface Found {
  readonly host: string;
  readonly namespace: Namespace;
}

/** A pod's namespace, else a host's own; `pod/NAME` and `node/NAME` choose. */
function namespaceOf(topology: Topology, name: string): Found {
  const [kind, bare] = /^(pod|node)\//.test(name) ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)] : [null, name];
  const full = bare.includes('/') ? bare : `default/${bare}`;
  const pod = kind === 'node' ? undefined : topology.pods.find((each) => `${each.namespace}/${each.name}` === full);
  const host = topology.hosts.find((each) => each.name === (pod === undefined ? (kind === 'pod' ? '' : bare) : pod.node));
  const wanted = pod === undefined || pod.hostNetwork ? ROOT_NAMESPACE : full;
  const found = host?.namespaces.find((each) => each.name === wanted);
  if (host !== undefined && found !== undefined) return { host: host.name, namespace: found };
  const names = [...topology.pods.map((each) => (bare.includes('/') || each.namespace !== 'default' ? `${each.namespace}/${each.name}` : each.name)), ...topology.hosts.map((each) => each.name)];
  throw new UsageError(`"${name}" is neither a pod nor a node of the file${didYouMean(closest(bare, names))}`);
}

function stateOf(topology: Topology, { host, namespace }: Found, kind: Kind, shown: (table: number) => boolean): string {
  const place = { host, namespace: namespace.name };
  switch (kind) {
    case 'addresses': return joined(printAddresses(namespace.interfaces, place, (device) => indexOf(topology, device)));
    case 'links': return joined(printLinks(namespace.interfaces, place, (device) => indexOf(topology, device)));
    case 'rules': return lines(byFamily(namespace.rules, (each) => each.family));
    case 'routes': return lines(byFamily(namespace.routes.filter((each) => shown(each.table)), (each) => each.destination.address.family));
    case 'neighbours': return lines(byFamily(namespace.neighbours, (each) => each.address.family));
    case 'fdb': return lines(namespace.fdb);
    case 'iptables': return namespace.tables.filter((each) => each.family === 4).map(saved).join('');
    case 'ip6tables': return namespace.tables.filter((each) => each.family === 6).map(saved).join('');
    // Flows are never derived: what a dump says of them is all there is.
    case 'conntrack': return lines(byFamily(namespace.conntrack, (each) => each.family));
    case 'ipset': return joined(savedSets(namespace.sets));
  }
}

const joined = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

const lines = (records: readonly { readonly text: string }[]): string => joined(records.map((each) => each.text));

function indexOf(topology: Topology, device: InterfaceRef): number | null {
  const namespace = topology.hosts.find((each) => each.name === device.host)?.namespaces.find((each) => each.name === device.namespace);
  const at = namespace?.interfaces.findIndex((each) => each.name === device.name) ?? -1;
  return at < 0 ? null : at + 1;
}

/** IPv4 first, as the tools print one family at a time. */
const byFamily = <T>(records: readonly T[], family: (record: T) => 4 | 6): readonly T[] =>
  [...records.filter((each) => family(each) === 4), ...records.filter((each) => family(each) === 6)];

const saved = (table: Table): string => `${savedTable(table).join('\n')}\n`;
