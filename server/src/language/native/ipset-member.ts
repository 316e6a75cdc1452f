/** One member of a set: its parts with commas between, by the set's type (ipset lib/parse.c). */
import { addressPlus, bitsOf, compareAddresses, contains, firstAddress, lastAddress, networkOf, parseAddress, parseMac } from '../../../../engine/src/net/address.ts';
import type { Address, Family, Prefix } from '../../../../engine/src/net/address.ts';
import { SET_TYPES } from '../../../../engine/src/topology/ipset.ts';
import type { IpSet, SetPart } from '../../../../engine/src/topology/ipset.ts';
import type { PortRange } from '../../../../engine/src/topology/netfilter.ts';
import type { Report } from './dump.ts';
import { icmpTypes } from './iptables/icmp-types.ts';
import { ICMP, ICMPV6, parseNumber, protocolNumber, TCP } from './iptables/names.ts';
import { servicePort } from './iptables/service-names.ts';
import type { Word } from './words.ts';

type PartKind = (typeof SET_TYPES)[keyof typeof SET_TYPES][number];

/** `undefined` where a part cannot be read, which is reported at the part. */
export function memberParts(set: Pick<IpSet, 'type' | 'family'>, member: Word, device: 'wildcard' | 'whole name', report: Report): readonly SetPart[] | undefined {
  const kinds: readonly PartKind[] = SET_TYPES[set.type];
  const texts = member.text.split(',');
  const withoutMac = set.type === 'bitmap:ip,mac' && texts.length === 1;
  if (texts.length !== kinds.length && !withoutMac) {
    report(member, 'bad-value', `A member of a ${set.type} set has ${kinds.length} ${kinds.length === 1 ? 'part' : 'parts'}: ${kinds.map((kind) => EXAMPLES[kind]).join(',')}.`);
    return undefined;
  }
  const parts: SetPart[] = [];
  let offset = member.offset;
  for (const [i, text] of texts.entries()) {
    const kind = kinds[i] ?? 'address';
    const part = partOf(kind, text, set, device);
    if (part === undefined) {
      report({ offset, length: Math.max(text.length, 1) }, 'bad-value', `\`${text}\` cannot stand here: a ${set.type} set wants ${EXAMPLES[kind]}${kind === 'address' || kind === 'net' ? `, IPv${set.family ?? 4}` : ''}.`);
      return undefined;
    }
    parts.push(part);
    offset += text.length + 1;
  }
  return withoutMac ? [...parts, { kind: 'mac', mac: null }] : parts;
}

const EXAMPLES: Readonly<Record<PartKind, string>> = {
  address: 'ADDRESS', net: 'ADDRESS/LENGTH', mac: 'MAC', mark: 'MARK', port: 'PROTOCOL:PORT', device: 'DEVICE', set: 'SET',
};

function partOf(kind: PartKind, text: string, set: Pick<IpSet, 'type' | 'family'>, device: 'wildcard' | 'whole name'): SetPart | undefined {
  switch (kind) {
    case 'address':
    case 'net': {
      const prefixes = prefixesOf(text, set.family ?? 4);
      return prefixes === undefined ? undefined : { kind: 'nets', prefixes };
    }
    case 'mac': {
      const mac = parseMac(text);
      return mac === undefined ? undefined : { kind: 'mac', mac };
    }
    case 'mark': {
      const value = parseNumber(text);
      return value === undefined || value > 0xffff_ffff ? undefined : { kind: 'mark', value };
    }
    case 'port':
      return set.type === 'bitmap:port' ? withoutProtocol(text) : portsOf(text, set.family ?? 4);
    case 'device': {
      const port = text.startsWith('physdev:');
      const name = port ? text.slice('physdev:'.length) : text;
      return name === '' || name.length > 15 ? undefined : { kind: 'device', name, is: port ? 'bridge port' : 'device', wildcard: device === 'wildcard' };
    }
    case 'set':
      return { kind: 'set', name: text };
  }
}

/** An address, a prefix, or a range `FROM-TO`, which ipset itself adds as the prefixes that make it up. */
function prefixesOf(text: string, family: Family): readonly Prefix[] | undefined {
  const dash = text.indexOf('-');
  if (dash >= 0) {
    const [from, to] = [parseAddress(text.slice(0, dash)), parseAddress(text.slice(dash + 1))];
    return from?.family !== family || to?.family !== family || compareAddresses(from, to) > 0 ? undefined : covering(from, to);
  }
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  const length = slash < 0 ? bitsOf(family) : parseNumber(text.slice(slash + 1));
  return address?.family !== family || length === undefined || length > bitsOf(family) ? undefined : [networkOf({ address, length })];
}

/** The fewest prefixes that hold exactly the range. */
function covering(from: Address, to: Address): readonly Prefix[] {
  const prefixes: Prefix[] = [];
  for (let next = from; ; ) {
    let length = bitsOf(from.family);
    while (length > 0 && fits({ address: next, length: length - 1 }, next, to)) length--;
    const prefix = { address: next, length };
    prefixes.push(prefix);
    const last = lastAddress(prefix);
    if (compareAddresses(last, to) >= 0) return prefixes;
    next = addressPlus(last, 1);
  }
}

const fits = (prefix: Prefix, from: Address, to: Address): boolean =>
  compareAddresses(firstAddress(prefix), from) === 0 && compareAddresses(lastAddress(prefix), to) <= 0 && contains(prefix, from);

const withoutProtocol = (text: string): SetPart | undefined => {
  const ports = rangeOf(text);
  return ports === undefined ? undefined : { kind: 'ports', protocol: null, ports };
};

/** `tcp:80`, `80`, `udp:1000-2000`, `icmp:echo-request`, `ipv6-icmp:3/1`, `gre:0`. */
function portsOf(text: string, family: Family): SetPart | undefined {
  const colon = text.indexOf(':');
  const protocol = colon < 0 ? TCP : protocolNumber(text.slice(0, colon));
  const rest = text.slice(colon + 1);
  const ports = protocol === (family === 4 ? ICMP : ICMPV6) ? icmpOf(rest, family) : rangeOf(rest);
  return protocol === undefined || ports === undefined ? undefined : { kind: 'ports', protocol, ports };
}

function rangeOf(text: string): PortRange | undefined {
  const [first = '', second = first, more] = text.split('-');
  const port = (word: string): number | undefined => parseNumber(word) ?? servicePort(word, null);
  const [from, to] = [port(first), port(second)];
  return from === undefined || to === undefined || from > to || to > 65535 || more !== undefined ? undefined : { from, to };
}

function icmpOf(text: string, family: Family): PortRange | undefined {
  const named = icmpTypes(family).find(([name]) => name === text)?.[1];
  const [type, code] = named === undefined || named.type === 'any' ? text.split('/').map(parseNumber) : [named.type, named.codes.from];
  if (type === undefined || code === undefined || type > 255 || code > 255) return undefined;
  const port = type * 256 + code;
  return { from: port, to: port };
}
