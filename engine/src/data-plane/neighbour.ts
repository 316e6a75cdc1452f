/**
 * The MAC of the next hop: the table's entry, flanneld's answer to an L3 miss, or whoever answers on the segment.
 *
 *   POSTROUTING -> fragment -> [neighbour] -> device
 *
 * net/core/neighbour.c: neigh_resolve_output; net/ipv4/arp.c: arp_process; net/ipv6/ndisc.c: ndisc_recv_ns.
 */
import { formatAddress, formatMac, isLoopback, sameAddress } from '../net/address.ts';
import type { Address, Mac } from '../net/address.ts';
import { longestOf } from '../net/lpm.ts';
import type { Interface, Neighbour } from '../topology/model.ts';
import { neighbourKey } from './compile.ts';
import type { CompiledNamespace } from './compile.ts';
import { lookup } from './route.ts';
import { kernel, program, sourceOf, stateKey, step } from './run-state.ts';
import type { Run } from './run-state.ts';
import { hearers } from './segment.ts';
import type { Heard } from './segment.ts';
import { answersArp } from './input-route.ts';
import { interfaceAddress, isOwn } from './source-address.ts';
import { either } from './sysctl.ts';

/** `null`: nobody has the address. */
export function resolve(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Mac | null {
  const key = neighbourKey(device.name, address);
  const text = formatAddress(address);
  const entry = ns.neighbours.get(key);
  const dead = entry === undefined || entry.state === 'failed' || entry.state === 'incomplete';
  if (!dead && entry.mac !== null && !isOutdated(run, ns, device, entry, entry.mac)) {
    report(run, text, entry.mac, 'entry', `${ns.label} has ${text} at ${formatMac(entry.mac)} in its neighbour table of ${device.name}.`, sourceOf(entry.origin));
    return entry.mac;
  }
  const runKey = stateKey(ns, key);
  const known = run.neighbours.get(runKey);
  if (known !== undefined) {
    report(run, text, known, 'entry', `${ns.label} has learned ${text} at ${formatMac(known)} on ${device.name}.`, kernel('learned while this flow was traced'));
    return known;
  }
  const mac = device.device.kind === 'vxlan' && device.device.misses !== null ? askFlannel(run, ns, device, address) : askSegment(run, ns, device, address);
  if (mac !== null) run.neighbours.set(runKey, mac);
  return mac;
}

/**
 * An entry that the kernel would probe, with a MAC that nobody on the segment has while another answers for the
 * address: the dump is of another time, and the kernel would have found the new one.
 */
function isOutdated(run: Run, ns: CompiledNamespace, device: Interface, entry: Neighbour, mac: Mac): boolean {
  if (entry.state === 'permanent' || entry.state === 'noarp') return false;
  const heard = hearers(run.compiled, ns, device);
  return !heard.some(({ at }) => at.device.mac === mac) && heard.some(({ at }) => at.device.mac !== null && respond(run, at.ns, at.device, entry.address));
}

type Step = Parameters<typeof step>[1];

function report(run: Run, address: string, mac: Mac | null, how: Extract<Step, { stage: 'neighbour' }>['how'], sentence: string, source: Step['source']): void {
  step(run, { stage: 'neighbour', address, mac: mac === null ? null : formatMac(mac), how, sentence, source });
}

/** flannel's older generation: the kernel asks over netlink, flanneld answers with the VTEP of the lease. */
function askFlannel(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Mac | null {
  const leases = device.device.kind === 'vxlan' ? (device.device.misses ?? []) : [];
  const lease = longestOf(leases, (l) => l.subnet, address);
  const text = formatAddress(address);
  if (lease === undefined || lease.vtepMac === null) {
    report(run, text, null, 'failed', `The kernel of ${ns.label} asks flanneld for ${text} (L3 miss), and no lease contains it.`, program('flannel', 'the answer to an L3 miss'));
    return null;
  }
  const sentence = `The kernel of ${ns.label} asks flanneld for ${text} (L3 miss); it answers from its watch of the leases with the VTEP of ${lease.node}, ${formatMac(lease.vtepMac)}.`;
  report(run, text, lease.vtepMac, 'l3miss', sentence, sourceOf(lease.origin));
  return lease.vtepMac;
}

function askSegment(run: Run, ns: CompiledNamespace, device: Interface, address: Address): Mac | null {
  const text = formatAddress(address);
  const heard = hearers(run.compiled, ns, device);
  const asker = address.family === 4 ? interfaceAddress(ns, device.name, 4, address) : null;
  const answers = heard.filter(({ at }) => at.device.mac !== null && respond(run, at.ns, at.device, address) && (asker === null || answersArp(run, at.ns, at.device.name, asker)));
  const protocol = address.family === 4 ? 'ARP' : 'neighbour discovery';
  // Two that have the same address both answer, and which of the answers stays is chance.
  const index = answers.length > 1 ? run.choose(`neighbour ${ns.index} ${neighbourKey(device.name, address)}`, answers.map(() => ({ probability: 1 / answers.length }))) : 0;
  const chosen = answers[index];
  const mac = chosen?.at.device.mac ?? null;
  if (chosen === undefined || mac === null) {
    report(run, text, null, 'failed', `Nobody answers the ${protocol} of ${ns.label} for ${text} on ${device.name}.`, kernel(`${protocol} without an answer`));
    return null;
  }
  learnPath(run, chosen, mac, device.mac);
  report(run, text, mac, 'resolved', `${chosen.at.ns.label} answers the ${protocol} of ${ns.label} for ${text} on ${device.name}: ${formatMac(mac)}.`, sourceOf(chosen.at.device.origin));
  return mac;
}

/**
 * ARP is answered for every local address of the namespace, whatever device has it (arp_ignore 0), and where proxy_arp
 * says so; neighbour discovery for the device's own addresses.
 */
function respond(run: Run, ns: CompiledNamespace, device: Interface, address: Address): boolean {
  if (address.family === 6) return device.addresses.some((a) => sameAddress(a.address, address));
  if (isLoopback(address)) return false;
  if (isOwn(ns, address)) return true;
  if (!either(ns, 4, device.name, 'proxy_arp')) return false;
  const route = lookup(run, ns, { family: 4, destination: address, source: null, mark: 0, protocol: 0, tos: 0, input: device.name, output: null });
  return route.kind === 'found' && route.device !== device.name;
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
