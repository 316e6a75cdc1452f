/** `ip addr` and `ip -d link`: iproute2's ipaddress.c print_linkinfo(); a header line for each device, the rest indented below it. */
import type { Address, Mac } from '../../../../engine/src/net/address.ts';
import { bitsOf, parseAddress, parseMac } from '../../../../engine/src/net/address.ts';
import type { BridgePort, Device, InterfaceAddress, Scope } from '../../../../engine/src/topology/model.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { CapturedInterface } from '../../../../engine/src/topology/spec.ts';
import type { DumpLine, DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import type { DeviceDetail } from './link-detail.ts';
import { isDetailWord, readBridgePort, readDetail } from './link-detail.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { SCOPES } from './route.ts';
import type { Word } from './words.ts';
import { wordsOf } from './words.ts';

/** What one line says by itself; may be kept for its line. */
export type InterfaceLine = { readonly problems: readonly LineProblem[] } & (
  | { readonly kind: 'nothing' }
  | { readonly kind: 'header'; readonly index: number; readonly name: string; readonly behind: string | null; readonly up: boolean; readonly mtu: number; readonly master: string | null }
  /** `namespace`: where the other end of a veth pair is, as `link-netns` names it. */
  | { readonly kind: 'link'; readonly type: string; readonly mac: Mac | null; readonly namespace: string | null }
  | { readonly kind: 'address'; readonly address: Omit<InterfaceAddress, 'origin'> }
  | { readonly kind: 'detail'; readonly detail: DeviceDetail }
  | { readonly kind: 'bridge-slave'; readonly port: Omit<BridgePort, 'master'> }
  /** `ip -o` prints all of a device on one line. */
  | { readonly kind: 'several'; readonly lines: readonly InterfaceLine[] }
);

const HEADER = /^(\d+):\s+(\S+?)(?:@(\S+))?:\s+<([^>]*)>\s*(.*)$/;

export function readInterfaceLine(text: string): InterfaceLine {
  if (text.includes('\\')) return readOneLine(text);
  const { problems, report } = reporter();
  const words = wordsOf(text);
  const first = words[0];
  if (first === undefined || first.text.startsWith('#')) return { kind: 'nothing', problems };
  if (/^\d+:/.test(first.text)) return readHeader(text, words, report, problems);
  if (first.text.startsWith('link/')) return readLink(words, first, report, problems);
  if (first.text === 'inet' || first.text === 'inet6') return readInet(first, words, report, problems);
  // `bridge -d link` prints a port's flags on a line of their own.
  if (first.text === 'bridge_slave' || first.text === 'hairpin') return { kind: 'bridge-slave', port: readBridgePort(words, report), problems };
  if (isDetailWord(first.text)) return { kind: 'detail', detail: readDetail(words, report), problems };
  // valid_lft 86000sec; alias, altname, VF and statistics lines say nothing of a packet's way.
  if (['valid_lft', 'alias', 'altname', 'vf', 'RX:', 'TX:', 'RX', 'TX', 'prog/xdp', 'parentbus', 'permaddr'].includes(first.text) || /^\d+$/.test(first.text)) return { kind: 'nothing', problems };
  if (BRIEF_STATES.includes(words[1]?.text ?? '')) {
    report(first, 'not-a-dump-line', 'This is what `ip -br` prints, without MTU and kind: paste what it prints without `-br`.');
    return { kind: 'nothing', problems };
  }
  report(first, 'unknown-word', `\`ip\` prints no line that begins with \`${first.text}\`.`, { suggestion: closest(first.text, ['inet', 'inet6', 'link/ether', 'valid_lft']) ?? null });
  return { kind: 'nothing', problems };
}

/** IFLA_OPERSTATE as ipaddress.c names it. */
const BRIEF_STATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];

/** What stood on a line of its own stands behind a backslash. */
function readOneLine(text: string): InterfaceLine {
  const lines: InterfaceLine[] = [];
  for (let from = 0; from <= text.length;) {
    const end = text.indexOf('\\', from);
    const to = end < 0 ? text.length : end;
    lines.push(readInterfaceLine(`${' '.repeat(from)}${text.slice(from, to)}`));
    from = to + 1;
  }
  return { kind: 'several', lines, problems: lines.flatMap((line) => line.problems) };
}

function readHeader(text: string, words: readonly Word[], report: Report, problems: LineProblem[]): InterfaceLine {
  const m = HEADER.exec(text);
  const [first] = words;
  if (m === null || first === undefined) {
    const brief = /^\d+:\s+\S+\s+inet6?\s/.test(text);
    report({ offset: 0, length: text.length }, 'not-a-dump-line', brief
      ? 'This is what `ip -o addr` prints, without MAC and MTU: paste what it prints without `-o`.'
      : 'A device begins with a line such as `2: eth0: <BROADCAST,UP> mtu 1500 …`.');
    return { kind: 'nothing', problems };
  }
  const [, index = '0', name = '', behind = null, flags = ''] = m;
  const mtuWord = valueAfter(words, 'mtu');
  const mtu = mtuWord !== undefined && /^\d+$/.test(mtuWord.text) ? Number(mtuWord.text) : null;
  if (mtu === null) report(mtuWord ?? first, mtuWord === undefined ? 'missing-value' : 'bad-value', `The MTU of ${name} is missing or no number: write for example \`mtu 1500\`.`);
  return { kind: 'header', index: Number(index), name, behind, up: flags.split(',').includes('UP'), mtu: mtu ?? 1500, master: valueAfter(words, 'master')?.text ?? null, problems };
}

const valueAfter = (words: readonly Word[], name: string): Word | undefined => {
  const at = words.findIndex((word) => word.text === name);
  return at < 0 ? undefined : words[at + 1];
};

/** As `ip -N` prints them (linux/if_arp.h). */
const LINK_TYPES: ReadonlyMap<string, string> = new Map([['[1]', 'ether'], ['[772]', 'loopback'], ['[65534]', 'none']]);

function readLink(words: readonly Word[], first: Word, report: Report, problems: LineProblem[]): InterfaceLine {
  const value = words[1];
  const namespace = valueAfter(words, 'link-netns')?.text ?? null;
  const printed = first.text.slice('link/'.length);
  const type = LINK_TYPES.get(printed) ?? printed;
  if (type !== 'ether') return { kind: 'link', type, mac: null, namespace, problems };
  const mac = value === undefined ? undefined : parseMac(value.text);
  if (value === undefined) report(first, 'missing-value', 'The MAC of the device is missing.');
  else if (mac === undefined) report(value, 'bad-value', `\`${value.text}\` is no MAC address.`);
  return { kind: 'link', type, mac: mac ?? null, namespace, problems };
}

function readInet(first: Word, words: readonly Word[], report: Report, problems: LineProblem[]): InterfaceLine {
  const family = first.text === 'inet' ? 4 : 6;
  const value = words[1];
  const peer = words[2]?.text === 'peer' ? words[3] : undefined;
  const [text = '', ownLength] = value?.text.split('/') ?? [];
  const length = peer?.text.split('/')[1] ?? ownLength;
  const address: Address | undefined = parseAddress(text);
  const bits = length === undefined ? bitsOf(family) : /^\d+$/.test(length) ? Number(length) : -1;
  if (value === undefined) report(first, 'missing-value', `An address is missing after \`${first.text}\`.`);
  else if (address?.family !== family || bits < 0 || bits > bitsOf(family)) report(value, 'bad-value', `\`${value.text}\` is no IPv${family} address with its prefix length.`);
  else {
    const scopeWord = valueAfter(words, 'scope');
    const scope = SCOPES.get(scopeWord?.text ?? 'global');
    if (scopeWord !== undefined && scope === undefined) {
      if (/^\d+$/.test(scopeWord.text)) report(scopeWord, 'not-modelled', 'k8snet models no scope between global and host but link: it takes this address for global.', { severity: 'warning' });
      else report(scopeWord, 'bad-value', `\`${scopeWord.text}\` is no scope: write global, link or host.`);
    }
    if (peer !== undefined) report(peer, 'not-modelled', 'k8snet derives no route to the peer of an address: paste the `routes` too.', { severity: 'warning' });
    const deprecated = family === 6 ? words.find((w) => w.text === 'deprecated') : undefined;
    if (deprecated !== undefined) report(deprecated, 'not-modelled', 'The kernel avoids a deprecated address as a source; k8snet takes it as any other.', { severity: 'warning' });
    if (words.some((w) => w.text === 'tentative' || w.text === 'dadfailed')) {
      report(value, 'not-modelled', 'This address is not in use yet (duplicate detection): k8snet takes it as usable.', { severity: 'warning' });
    }
    return { kind: 'address', address: { address, length: bits, scope: scope ?? ('global' satisfies Scope) }, problems };
  }
  return { kind: 'nothing', problems };
}

export interface InterfacesReading {
  readonly interfaces: readonly CapturedInterface[];
  readonly problems: readonly DumpProblem[];
}

/** `ip addr`: a device without an address line has no address. */
export const readAddresses = (lines: readonly DumpLine[]): InterfacesReading => assembleInterfaces(lines.map(read), 'addresses');

/** `ip -d link`, which prints no addresses. */
export const readLinks = (lines: readonly DumpLine[]): InterfacesReading => assembleInterfaces(lines.map(read), 'links');

const read = (line: DumpLine): { readonly reading: InterfaceLine; readonly at: DumpLine['at'] } => ({ reading: readInterfaceLine(line.text), at: line.at });

type Draft = { -readonly [K in keyof CapturedInterface]: CapturedInterface[K] } & { behind: string | null; linkType: string | null };

/** The same from lines that were read before, one by one. */
export function assembleInterfaces(lines: readonly { readonly reading: InterfaceLine; readonly at: DumpLine['at'] }[], dump: 'addresses' | 'links'): InterfacesReading {
  const drafts: Draft[] = [];
  const problems: DumpProblem[] = [];
  for (const [index, { reading: whole, at }] of lines.entries()) {
    problems.push(...onLine(whole.problems, index));
    for (const reading of whole.kind === 'several' ? whole.lines : [whole]) {
      const open = drafts.at(-1);
      if (reading.kind === 'header') drafts.push(startOf(reading, at, dump));
      else if (open !== undefined) addLine(open, reading, at);
      else if (reading.kind !== 'nothing') {
        problems.push({ line: index, offset: 0, length: 1, code: 'not-a-dump-line', severity: 'error', message: 'No device is named yet: a line such as `2: eth0: <UP> mtu 1500` is missing above.', suggestion: null });
      }
      if (reading.kind === 'detail' && open !== undefined && isForeignTun(open)) {
        open.device = { kind: 'unknown' };
        problems.push({ line: index, offset: 0, length: 'tun'.length, code: 'not-modelled', severity: 'warning', message: 'k8snet models only the tun device of flannel\'s udp backend: a trace that leaves by this one ends undecided.', suggestion: null });
      }
    }
  }
  return { interfaces: drafts.map((draft) => finished(draft, drafts, dump)), problems };
}

/** The program that reads from another tun device than flanneld's is not known. */
const isForeignTun = ({ name, device }: Draft): boolean => device?.kind === 'tun' && !/^flannel\d+$/.test(name);

function startOf(header: InterfaceLine & { kind: 'header' }, at: DumpLine['at'], dump: 'addresses' | 'links'): Draft {
  const { index, name, behind, up, mtu, master } = header;
  return { index, name, behind, up, mtu, master, mac: null, addresses: dump === 'addresses' ? [] : null, device: null, port: null, peerIndex: null, linkType: null, origin: captured(at) };
}

function addLine(draft: Draft, reading: InterfaceLine, at: DumpLine['at']): void {
  switch (reading.kind) {
    case 'header':
    case 'several':
    case 'nothing':
      return;
    case 'link':
      draft.mac = reading.mac;
      draft.linkType = reading.type;
      if (reading.namespace !== null) draft.linkNamespace = reading.namespace;
      return;
    case 'address':
      draft.addresses = [...(draft.addresses ?? []), { ...reading.address, origin: captured(at) }];
      return;
    case 'detail':
      draft.device = reading.detail;
      return;
    case 'bridge-slave':
      draft.port = { master: draft.master ?? '', ...reading.port };
  }
}

function finished(draft: Draft, all: readonly Draft[], dump: 'addresses' | 'links'): CapturedInterface {
  const { behind, linkType, ...rest } = draft;
  const numbered = behind === null ? null : /^if(\d+)$/.exec(behind);
  const named = behind === null || numbered !== null ? undefined : all.find((other) => other.name === behind);
  return { ...rest, peerIndex: numbered === null ? (named?.index ?? null) : Number(numbered[1]), device: deviceOf(rest.device, linkType, dump) };
}

/** Without a line of its kind an Ethernet device in `ip -d link` is hardware; `ip addr` does not print the kind. */
function deviceOf(detail: Device | null, linkType: string | null, dump: 'addresses' | 'links'): Device | null {
  if (detail !== null) return detail;
  if (linkType === 'loopback') return { kind: 'loopback' };
  return dump === 'links' && linkType !== null ? (linkType === 'ether' ? { kind: 'physical', network: null } : { kind: 'unknown' }) : null;
}
