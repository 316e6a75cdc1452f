/**
 * The MAC of the next hop: the table's entry, flanneld's answer to an L3 miss, or whoever answers on the segment.
 *
 *   POSTROUTING -> fragment -> [neighbour] -> device
 *
 * net/core/neighbour.c: neigh_resolve_output; net/ipv4/arp.c: arp_process; net/ipv6/ndisc.c: ndisc_recv_ns.
 */
import { memo, perRecord } from '../memo.ts';
import { formatAddress, formatMac, isLoopback, sameAddress } from '../net/address.ts';
import type { Address, Mac } from '../net/address.ts';
import { longestOf } from '../net/lpm.ts';
import { once } from '../once.ts';
import type { Interface, Neighbour } from '../topology/model.ts';
import type { Step, StepSource } from '../trace/model.ts';
import { neighbourKey } from './compile.ts';
import type { CompiledNamespace } from './compile.ts';
import { decides, lookup } from './route.ts';
import { kernel, program, sourceOf, stateKey, step } from './run-state.ts';
import type { Run } from './run-state.ts';
import { hearers } from './segment.ts';
import type { Heard } from './segment.ts';
import { answersArp } from './input-route.ts';
import { interfaceAddress, isOwn } from './source-address.ts';
import { either, forwards, maximum, proxiesNeighbours } from './sysctl.ts';

/** What a namespace asks about one address on one device, with what does not change from packet to packet. */
interface Question {
  readonly ns: CompiledNamespace;
  readonly device: Interface;
  readonly address: Address;
  readonly text: string;
  readonly runKey: string;
  readonly entry: Neighbour | undefined;
  /** Whether chance has a say in who answers. */
  readonly certain: boolean;
  /** Kept where chance has none. */
  outdated: boolean | null;
  answers: readonly Heard[] | null;
  /** What a record says, by the answer. */
  readonly inTable: (mac: Mac) => Step;
  readonly learned: (mac: Mac) => Step;
  readonly answered: (chosen: Heard) => Step;
  readonly silent: () => Step;
}

/** `null`: nobody has the address. */
export function resolve(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Mac | null {
  const asked = questionOf(run, ns, device, address);
  const { entry } = asked;
  const dead = entry === undefined || entry.state === 'failed' || entry.state === 'incomplete';
  if (!dead && entry.mac !== null && !isOutdated(run, asked, entry, entry.mac)) {
    step(run, asked.inTable(entry.mac));
    return entry.mac;
  }
  const known = run.neighbours.get(asked.runKey);
  if (known !== undefined) {
    step(run, asked.learned(known));
    return known;
  }
  const mac = device.device.kind === 'vxlan' && device.device.misses !== null ? askFlannel(run, ns, device, address) : askSegment(run, asked);
  if (mac !== null) run.neighbours.set(asked.runKey, mac);
  return mac;
}

const questions: (ns: CompiledNamespace, device: Interface) => Map<string, Question> = perRecord(() => new Map());

function questionOf(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Question {
  const known = questions(ns, device);
  const text = formatAddress(address);
  const before = known.get(text);
  if (before !== undefined) return before;
  const made = makeQuestion(run, ns, device, address);
  known.set(text, made);
  return made;
}

function makeQuestion(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Question {
  const text = formatAddress(address);
  const key = neighbourKey(device.name, address);
  const entry = ns.neighbours.get(key);
  const protocol = address.family === 4 ? 'ARP' : 'neighbour discovery';
  const told = (mac: Mac | null, how: NeighbourStep['how'], sentence: string, source: StepSource): Step => ({
    stage: 'neighbour', address: text, mac: mac === null ? null : formatMac(mac), how, sentence, source,
  });
  return {
    ns, device, address, text, entry, runKey: stateKey(ns, key), outdated: null, answers: null,
    certain: hearers(run.compiled, ns, device).every(({ at }) => decides(at.ns, 4).alone),
    inTable: memo((mac) => told(mac, 'entry', `${ns.label} has ${text} at ${formatMac(mac)} in its neighbour table of ${device.name}.`, entry === undefined ? kernel(protocol) : sourceOf(entry.origin))),
    learned: memo((mac) => told(mac, 'entry', `${ns.label} has learned ${text} at ${formatMac(mac)} on ${device.name}.`, kernel('learned while this flow was traced'))),
    answered: memo(({ at }) => {
      const { mac } = at.device;
      const where = mac === null ? '' : `: ${formatMac(mac)}`;
      return told(mac, 'resolved', `${at.ns.label} answers the ${protocol} of ${ns.label} for ${text} on ${device.name}${where}.`, sourceOf(at.device.origin));
    }),
    silent: once(() => told(null, 'failed', `Nobody answers the ${protocol} of ${ns.label} for ${text} on ${device.name}.`, kernel(`${protocol} without an answer`))),
  };
}

/**
 * An entry that the kernel would probe, with a MAC that nobody on the segment has while another answers for the
 * address: the dump is of another time, and the kernel would have found the new one.
 */
function isOutdated(run: Run, asked: Question, entry: Neighbour, mac: Mac): boolean {
  if (entry.state === 'permanent' || entry.state === 'noarp') return false;
  if (asked.outdated !== null) return asked.outdated;
  const heard = hearers(run.compiled, asked.ns, asked.device);
  const outdated = !heard.some(({ at }) => at.device.mac === mac) && heard.some(({ at }) => at.device.mac !== null && respond(run, at.ns, at.device, asked.address));
  if (asked.certain) asked.outdated = outdated;
  return outdated;
}

type NeighbourStep = Extract<Step, { stage: 'neighbour' }>;

/** flannel's older generation: the kernel asks over netlink, flanneld answers with the VTEP of the lease. */
function askFlannel(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Mac | null {
  const leases = device.device.kind === 'vxlan' ? (device.device.misses ?? []) : [];
  const lease = longestOf(leases, (l) => l.subnet, address);
  const text = formatAddress(address);
  if (lease === undefined || lease.vtepMac === null) {
    const sentence = `The kernel of ${ns.label} asks flanneld for ${text} (L3 miss), and no lease contains it.`;
    step(run, { stage: 'neighbour', address: text, mac: null, how: 'failed', sentence, source: program('flannel', 'the answer to an L3 miss') });
    return null;
  }
  const mac = formatMac(lease.vtepMac);
  const sentence = `The kernel of ${ns.label} asks flanneld for ${text} (L3 miss); it answers from its watch of the leases with the VTEP of ${lease.node}, ${mac}.`;
  step(run, { stage: 'neighbour', address: text, mac, how: 'l3miss', sentence, source: sourceOf(lease.origin) });
  return lease.vtepMac;
}

function askSegment(run: Run, asked: Question): Mac | null {
  const { ns, device, address } = asked;
  const answers = answersTo(run, asked);
  // Two that have the same address both answer, and which of the answers stays is chance.
  const index = answers.length > 1 ? run.choose(`neighbour ${ns.index} ${neighbourKey(device.name, address)}`, answers.map(() => ({ probability: 1 / answers.length }))) : 0;
  const chosen = answers[index];
  const mac = chosen?.at.device.mac ?? null;
  if (chosen === undefined || mac === null) {
    step(run, asked.silent());
    return null;
  }
  learnPath(run, chosen, mac, device.mac);
  step(run, asked.answered(chosen));
  return mac;
}

function answersTo(run: Run, asked: Question): readonly Heard[] {
  if (asked.answers !== null) return asked.answers;
  const { ns, device, address } = asked;
  const asker = address.family === 4 ? interfaceAddress(ns, device.name, 4, address) : null;
  const answers = hearers(run.compiled, ns, device).filter(({ at }) => at.device.mac !== null && respond(run, at.ns, at.device, address) && (asker === null || answersArp(run, at.ns, at.device.name, asker)));
  if (asked.certain) asked.answers = answers;
  return answers;
}

/**
 * ARP is answered for every local address of the namespace, whatever device has it, unless arp_ignore says otherwise; and
 * for others where proxy_arp or a proxy entry says so. Neighbour discovery is answered for the device's own addresses, and
 * for a proxy entry's where proxy_ndp is on (net/ipv6/ndisc.c: ndisc_recv_ns).
 */
function respond(run: Run, ns: CompiledNamespace, device: Interface, address: Address): boolean {
  const isProxied = ns.proxies.size > 0 && ns.proxies.has(neighbourKey(device.name, address));
  if (address.family === 6) return device.addresses.some((a) => sameAddress(a.address, address)) || (isProxied && proxiesNeighbours(ns, device.name));
  if (isLoopback(address)) return false;
  if (isOwn(ns, address)) return !isIgnored(ns, device, address);
  if (!(isProxied || either(ns, 4, device.name, 'proxy_arp')) || !forwards(ns, 4, device.name)) return false;
  const route = lookup(run, ns, { family: 4, destination: address, source: null, mark: 0, protocol: 0, tos: 0, input: device.name, output: null });
  return route.kind === 'found' && route.device !== device.name;
}

/** net/ipv4/arp.c: arp_ignore. 1 and 2: only the device's own address (2 asks for the sender's subnet too, which is its link); 3: none of the host's own scope; 8: none. */
function isIgnored(ns: CompiledNamespace, device: Interface, address: Address): boolean {
  const own = (): boolean => device.addresses.some((a) => sameAddress(a.address, address));
  switch (maximum(ns, 4, device.name, 'arp_ignore')) {
    case 1:
    case 2:
      return !own();
    case 3:
      return ns.namespace.interfaces.some((each) => each.addresses.some((a) => a.scope === 'host' && sameAddress(a.address, address)));
    case 8:
      return true;
    default:
      return false;
  }
}

/** The request and the answer teach the bridges between where both ends are. */
function learnPath(run: Run, heard: Heard, answerer: Mac, asker: Mac | null): void {
  for (const { ns, bridge, towards, from } of heard.passed) {
    if (towards !== null) learn(run, ns, bridge, answerer, towards);
    if (from !== null && asker !== null) learn(run, ns, bridge, asker, from);
  }
}

export function learn(run: Run, ns: CompiledNamespace, bridge: string, mac: Mac, port: string): void {
  if (ns.devices.get(port)?.port?.learning === false) return;
  const key = stateKey(ns, bridge);
  const table = run.learned.get(key) ?? new Map<Mac, string>();
  run.learned.set(key, table);
  table.set(mac, port);
}
