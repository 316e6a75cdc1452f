/** The real kernel, in namespaces of its own: a process that builds topologies and sends packets through them. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { flowCommands } from '../../engine/src/lab/flows.ts';
import { labScript, netnsOf, rulesScript } from '../../engine/src/lab/script.ts';
import { castOf } from '../../engine/src/data-plane/group.ts';
import { contains, formatAddress, ipv4, sameAddress } from '../../engine/src/net/address.ts';
import type { Address, Family, Prefix } from '../../engine/src/net/address.ts';
import { BUILTIN_CHAINS, otherRuleset } from '../../engine/src/topology/netfilter.ts';
import type { Chain, Rule, Ruleset, Table } from '../../engine/src/topology/netfilter.ts';
import type { Host, Interface, Namespace, Neighbour, Topology } from '../../engine/src/topology/model.ts';
import { derived } from '../../engine/src/topology/origin.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';

const LAB = 'k8';

interface Frame {
  readonly tap: string;
  readonly interface: string;
  readonly out: boolean;
  readonly hex: string;
}

interface RuleEvent {
  readonly tap: string;
  readonly table: string;
  readonly chain: string;
  readonly event: string;
  readonly number: number;
  readonly family: Family;
  readonly hex: string;
}

/** Source, destination, protocol, source port or ICMP id, destination port or ICMP type. */
export type KernelTuple = readonly [string, string, number, number, number];

/** What the kernel did with one question. */
export interface Observation {
  readonly frames: readonly Frame[];
  /** `null`: over nftables the TRACE target tells nothing. */
  readonly rules: readonly RuleEvent[] | null;
  readonly answer: { readonly kind: 'reply' | 'icmp' | 'error' | 'none'; readonly from: string | null; readonly errno?: string; readonly type?: number; readonly code?: number };
  readonly served: readonly { readonly netns: string; readonly from: string; readonly sourcePort: number; readonly port: number }[];
  readonly flows: Readonly<Record<string, readonly (readonly [original: KernelTuple, reply: KernelTuple])[]>>;
}

export interface Kernel {
  /**
   * `patience` multiplies the times that nothing must happen before a question counts as settled. `first`: of two
   * rulesets on a node the one that is loaded later, and so asked first.
   */
  observe(topology: Topology, flows: readonly Flow[], patience: number, first?: Ruleset): Promise<readonly Observation[]>;
  stop(): void;
}

/** Which of its two rulesets the kernel runs iptables' rules in. */
export type Tables = 'legacy' | 'nft';

/** `processor` is the one that it runs on. Several topologies may be observed at once: most of their time they wait. */
export function startKernel(processor: number, tables: Tables = 'legacy'): Kernel {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user', '--mount-proc'];
  const child = spawn('unshare', [...asRoot, '--net', '--mount', '--pid', '--fork', '--kill-child', 'python3', path.join(import.meta.dirname, 'kernel.py'), String(processor)], {
    env: { ...process.env, LAB, IPTABLES: `iptables-${tables}`, IP6TABLES: `ip6tables-${tables}` },
  });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-3000);
  });
  const waiting = new Map<number, { readonly resolve: (observations: readonly Observation[]) => void; readonly reject: (error: Error) => void }>();
  createInterface({ input: child.stdout })
    .on('line', (line) => {
      const answer = JSON.parse(line) as { readonly id: number } & ({ readonly observations: readonly Observation[] } | { readonly error: string });
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('error' in answer) one?.reject(new Error(answer.error));
      else one?.resolve(tables === 'legacy' ? answer.observations : answer.observations.map((o) => ({ ...o, rules: null })));
    })
    .on('close', () => {
      for (const { reject } of waiting.values()) reject(new Error(`the kernel's process ended: ${complaint}`));
    });
  let asked = 0;
  return {
    observe: (topology, flows, patience, first = 'legacy') =>
      new Promise((resolve, reject) => {
        const id = asked++;
        waiting.set(id, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id, ...specOf(topology, flows, patience, first) })}\n`);
      }),
    stop: () => {
      child.stdin.end();
    },
  };
}

const netns = (host: string, namespace: string): string => `${LAB}-${netnsOf(host, namespace)}`;

function specOf(declared: Topology, flows: readonly Flow[], patience: number, first: Ruleset): object {
  const topology = withAnswersToMisses(declared, flows);
  const places = topology.hosts.flatMap((host) => host.namespaces.map((namespace) => ({ host, namespace, name: `${host.name}/${namespace.name}` })));
  return {
    up: labScript(withoutRules(topology)),
    rules: rulesInOrder(traced(topology), first),
    patience,
    warm: places.flatMap(({ host, namespace }) => podsOf(host, namespace).map((address) => ({ netns: netns(host.name, namespace.name), address }))),
    taps: Object.fromEntries(places.map(({ host, namespace, name }) => [name, netns(host.name, namespace.name)])),
    known: Object.fromEntries(places.flatMap(({ namespace, name }) => (namespace.conntrack.length === 0 ? [] : [[name, flowCommands(namespace).join('\n')]]))),
    unforwarding: places.filter(({ namespace }) => namespace.routes.some((route) => route.destination.address.family === 6 && route.nexthops.some(({ via }) => via !== null)) && namespace.sysctls.some(({ name, value }) => name === 'net.ipv6.conf.all.forwarding' && value === '0')).map(({ name }) => name),
    traced: places.filter(({ namespace }) => hasRules(namespace)).map(({ name }) => name),
    servers: places.flatMap(({ host, namespace }) => serversOf(namespace, topology, flows).map((server) => ({ netns: netns(host.name, namespace.name), ...server }))),
    questions: flows.map((flow) => ({
      netns: netns(flow.host, flow.namespace),
      protocol: flow.protocol,
      family: flow.destination.family,
      source: flow.source === null ? null : formatAddress(flow.source),
      sourcePort: flow.sourcePort,
      destination: formatAddress(flow.destination),
      destinationPort: flow.destinationPort,
      payload: flow.payload,
      flags: flow.tcpFlags ?? null,
      everyone: isForEveryone(topology, flow),
    })),
  };
}

/** A broadcast or a group, for which a socket must ask. */
function isForEveryone(topology: Topology, { host, namespace, destination }: Flow): boolean {
  const routes = topology.hosts.find((h) => h.name === host)?.namespaces.find((n) => n.name === namespace)?.routes ?? [];
  const broadcasts = routes.filter((r) => r.type === 'broadcast').map((r) => r.destination.address);
  return castOf(destination, broadcasts.some((a) => sameAddress(a, destination)) ? 'broadcast' : undefined) !== 'unicast';
}

/**
 * flanneld answers a miss for any address of a lease, also for one that no pod has: what is asked for stands there from
 * the start, and what nodes have of it, from which they may ask.
 */
function withAnswersToMisses(topology: Topology, flows: readonly Flow[]): Topology {
  const own = topology.hosts.flatMap((host) => host.namespaces.flatMap((namespace) => namespace.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address))));
  const wanted = (subnet: Prefix): readonly Address[] => distinct([...flows.flatMap((flow) => placesIn(subnet, flow)), ...own.filter((address) => contains(subnet, address))]);
  return {
    ...topology,
    hosts: topology.hosts.map((host) => ({ ...host, namespaces: host.namespaces.map((namespace) => ({ ...namespace, neighbours: [...namespace.neighbours, ...namespace.interfaces.flatMap((device) => answersOf(device, wanted))] })) })),
  };
}

const answersOf = ({ name, device }: Interface, wanted: (subnet: Prefix) => readonly Address[]): readonly Neighbour[] =>
  device.kind !== 'vxlan'
    ? []
    : (device.misses ?? []).flatMap((lease) => wanted(lease.subnet).map((address): Neighbour => ({
        address, device: name, mac: lease.vtepMac, state: 'permanent', text: '', origin: lease.origin,
      })));

const distinct = (addresses: readonly Address[]): readonly Address[] => [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];

/** The destination, and in IPv4 where NETMAP would put it. */
function placesIn(subnet: Prefix, { destination }: Flow): readonly Address[] {
  if (contains(subnet, destination)) return [destination];
  if (destination.family !== 4 || subnet.address.family !== 4) return [];
  const host = subnet.length === 0 ? 0xffffffff : 0xffffffff >>> subnet.length;
  return [ipv4(((subnet.address.words[3] & ~host) | (destination.words[3] & host)) >>> 0)];
}

/**
 * A node that has been up for a while has spoken with its pods. Before its first packet to a pod has cached the
 * neighbour's header, a bridged DNAT takes another way, through the bridge device (br_nf_pre_routing_finish_bridge).
 */
const podsOf = (host: Host, namespace: Namespace): string[] =>
  namespace.interfaces.flatMap((device) => {
    const peer = device.port !== null && device.device.kind === 'veth' ? device.device.peer : null;
    const pod = host.namespaces.find((n) => n.name === peer?.namespace);
    return (pod?.interfaces.find((i) => i.name === peer?.name)?.addresses ?? []).map(({ address }) => formatAddress(address));
  });

/** Where nothing is said of listeners, a server on every port that is asked for, but for those that are kept for node ports. */
function serversOf({ listeners }: Namespace, topology: Topology, flows: readonly Flow[]): { protocol: string; port: number; family: number }[] {
  const kept = listeners.kind === 'any' ? listeners.kept : undefined;
  const isOpen = (protocol: string, port: number): boolean => kept === undefined || port < kept.from || port > kept.to || kept.listeners.some((l) => l.protocol === protocol && l.port === port);
  const wanted = listeners.kind === 'only'
    ? listeners.listeners.map((l) => ({ protocol: l.protocol, port: l.port }))
    : [
        ...flows.filter((flow) => flow.protocol !== 'ICMP').map((flow) => ({ protocol: flow.protocol, port: flow.destinationPort })),
        ...topology.services.flatMap((s) => s.ports).flatMap((p) => p.endpoints.map((e) => ({ protocol: p.protocol, port: e.port }))),
        ...translatedPorts(topology),
      ];
  const distinct = new Map(wanted.filter((w) => w.protocol !== 'SCTP' && isOpen(w.protocol, w.port)).map((w) => [`${w.protocol} ${w.port}`, w]));
  return [...distinct.values()].flatMap((w) => [{ ...w, family: 4 }, { ...w, family: 6 }]);
}

/** Where the rules of DNAT and REDIRECT lead. */
function translatedPorts(topology: Topology): { protocol: string; port: number }[] {
  const rules = topology.hosts.flatMap((h) => h.namespaces.flatMap((n) => n.tables.flatMap((t) => t.chains.flatMap((c) => c.rules))));
  return rules.flatMap(({ target }) => {
    const ports = target?.kind === 'dnat' ? target.range.ports : target?.kind === 'redirect' ? target.ports : null;
    return ports === null ? [] : ['TCP', 'UDP'].flatMap((protocol) => [{ protocol, port: ports.from }, { protocol, port: ports.to }]);
  });
}

const hasRules = (namespace: Namespace): boolean => ([4, 6] as const).some((family) => hasRulesOf(namespace, family));

const hasRulesOf = (namespace: Namespace, family: Family): boolean =>
  namespace.tables.some((table) => table.family === family && table.chains.some((chain) => chain.rules.length > 0 || chain.policy === 'DROP'));

const withoutRules = (topology: Topology): Topology => ({
  ...topology,
  hosts: topology.hosts.map((host) => ({ ...host, namespaces: host.namespaces.map((namespace) => ({ ...namespace, tables: [], sets: [], conntrack: [] })) })),
});

/** The sets and what is of no ruleset come with the one that is loaded first. */
function rulesInOrder(topology: Topology, first: Ruleset): string {
  const only = (ruleset: Ruleset): Topology => ({
    ...topology,
    hosts: topology.hosts.map((host) => ({
      ...host,
      namespaces: host.namespaces.map((namespace) => ({
        ...namespace,
        tables: namespace.tables.filter((table) => table.ruleset === ruleset || (table.ruleset === undefined && ruleset !== first)),
        sets: ruleset === first ? [] : namespace.sets,
      })),
    })),
  });
  return [otherRuleset(first), first].map((ruleset) => rulesScript(only(ruleset))).join('\n');
}

const TRACE_RULE: Rule = { matches: [], target: { kind: 'log', spelling: 'TRACE', text: '' }, text: '', origin: derived('k8snet', 'the judge') };

/** With a TRACE rule before all others, wherever there are rules that could be met. */
const traced = (topology: Topology): Topology => ({
  ...topology,
  hosts: topology.hosts.map((host) => ({
    ...host,
    namespaces: host.namespaces.map((namespace) => ({
      ...namespace,
      tables: ([4, 6] as const).flatMap((family) => {
        const tables = namespace.tables.filter((table) => table.family === family);
        if (host.kind !== 'node') return [silent(topology, family)];
        // iptables-nft's TRACE tells nothing here: of two rulesets only the rules of iptables-legacy are seen.
        const raw = tables.find((t) => t.name === 'raw' && t.ruleset !== 'nft');
        return hasRulesOf(namespace, family) ? [tracedRaw(family, raw), ...tables.filter((t) => t !== raw)] : tables;
      }),
    })),
  })),
});

/** The lab's internet is one segment, where nobody is a "host unreachable"; the real one does not tell. */
function silent(topology: Topology, family: Family): Table {
  const { origin } = TRACE_RULE;
  const error = family === 4 ? '-A OUTPUT -p icmp -m icmp --icmp-type 3/1' : '-A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1/3';
  const declared = topology.networks.filter((n) => n.origin.kind !== 'derived').flatMap((n) => n.prefixes).filter((p) => p.address.family === family);
  const texts = [...declared.map((prefix) => `${error} -m u32 --u32 "${quotedDestination(prefix)}" -j ACCEPT`), `${error} -j DROP`];
  return { family, name: 'filter', origin, chains: BUILTIN_CHAINS.filter.map((name) => ({ name, policy: 'ACCEPT', origin, rules: name === 'OUTPUT' ? texts.map((text) => ({ ...TRACE_RULE, text })) : [] })) };
}

/** The words of the destination in the packet that an ICMP error quotes, as xt_u32 looks for them. */
function quotedDestination({ address, length }: Prefix): string {
  const words = address.family === 4 ? [address.words[3]] : address.words;
  const first = address.family === 4 ? 20 + 8 + 16 : 40 + 8 + 24;
  return words.flatMap((word, i) => {
    const bits = Math.min(Math.max(length - 32 * i, 0), 32);
    const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
    return bits === 0 ? [] : [`${first + 4 * i}&0x${mask.toString(16)}=0x${((word & mask) >>> 0).toString(16)}`];
  }).join('&&');
}

function tracedRaw(family: Family, raw: Table | undefined): Table {
  const chains: readonly Chain[] = raw?.chains ?? BUILTIN_CHAINS.raw.map((name) => ({ name, policy: 'ACCEPT', rules: [], origin: TRACE_RULE.origin }));
  return {
    family,
    name: 'raw',
    ...(raw?.ruleset === undefined ? {} : { ruleset: raw.ruleset }),
    origin: TRACE_RULE.origin,
    chains: chains.map((chain) => (chain.policy === null ? chain : { ...chain, rules: [{ ...TRACE_RULE, text: `-A ${chain.name} -j TRACE` }, ...chain.rules] })),
  };
}

/** The number that a rule of `raw` has without the judge's own; `null` for the judge's. */
export function numberWithoutTrace(event: { readonly table: string; readonly chain: string; readonly number: number }): number | null {
  if (event.table !== 'raw' || !BUILTIN_CHAINS.raw.includes(event.chain)) return event.number;
  return event.number === 1 ? null : event.number - 1;
}
