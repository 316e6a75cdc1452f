/** What ipset itself refuses of a member, and of a set (ip_set_hash_*.c, ip_set_bitmap_*.c, ip_set_core.c). */
import { bitsOf, compareAddresses, firstAddress, lastAddress } from '../../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { SET_TYPES } from '../../../../engine/src/topology/ipset.ts';
import type { IpSet, SetPart, SetType } from '../../../../engine/src/topology/ipset.ts';
import type { Report } from './dump.ts';
import type { Word } from './words.ts';

/** The names of ipset 4, which `ipset restore` still takes. */
export const OLD_TYPES: ReadonlyMap<string, SetType> = new Map([
  ['iphash', 'hash:ip'], ['nethash', 'hash:net'], ['ipporthash', 'hash:ip,port'], ['ipportiphash', 'hash:ip,port,ip'], ['ipportnethash', 'hash:ip,port,net'],
  ['ipmap', 'bitmap:ip'], ['macipmap', 'bitmap:ip,mac'], ['portmap', 'bitmap:port'], ['setlist', 'list:set'],
]);

/** What an option of a member needs in the `create` line. */
const SUPPORT: ReadonlyMap<string, string> = new Map([
  ['timeout', 'timeout'], ['comment', 'comment'], ['packets', 'counters'], ['bytes', 'counters'], ['skbmark', 'skbinfo'], ['skbprio', 'skbinfo'], ['skbqueue', 'skbinfo'],
]);

export function checkSupport(type: SetType, created: ReadonlySet<string>, given: ReadonlyMap<string, Word>, report: Report): void {
  for (const [option, word] of given) {
    const needed = SUPPORT.get(option);
    if (needed !== undefined && !created.has(needed)) report(word, 'unknown-option', `This set was created without \`${needed}\`: ipset refuses \`${option}\` of a member.`);
    if (option === 'nomatch' && !SET_TYPES[type].some((kind) => kind === 'net')) report(word, 'unknown-option', `A ${type} set has no networks: \`nomatch\` is for those that do.`);
  }
}

/** Types that store no network of length 0; hash:net,iface does. */
const WITHOUT_ZERO_LENGTH: readonly SetType[] = ['hash:net', 'hash:net,port', 'hash:ip,port,net'];

export function checkMember(set: Pick<IpSet, 'type'>, range: readonly SetPart[] | null, parts: readonly SetPart[], member: Word, report: Report): void {
  const kinds = SET_TYPES[set.type];
  for (const [i, part] of parts.entries()) {
    if (part.kind !== 'nets') continue;
    if (kinds[i] === 'net' && WITHOUT_ZERO_LENGTH.includes(set.type) && part.prefixes.some((p) => p.length === 0)) {
      report(member, 'bad-value', `A ${set.type} set holds no network of length 0: write its two halves, such as 0.0.0.0/1 and 128.0.0.0/1.`);
    }
    if (kinds[i] === 'address' && set.type.startsWith('hash:') && part.prefixes.some(isNull)) report(member, 'bad-value', `A ${set.type} set cannot hold the address of only zeros.`);
  }
  const [first] = parts;
  if (range !== null && first !== undefined && !isWithin(first, range[0])) report(member, 'bad-value', 'This member is out of the range of its set.');
}

const isNull = ({ address, length }: Prefix): boolean => address.words.every((word) => word === 0) && (length === bitsOf(address.family) || length === 0);

function isWithin(part: SetPart, range: SetPart | undefined): boolean {
  if (part.kind === 'ports' && range?.kind === 'ports') return part.ports.from >= range.ports.from && part.ports.to <= range.ports.to;
  if (part.kind !== 'nets' || range?.kind !== 'nets') return true;
  const [low, high] = bounds(range.prefixes);
  const [from, to] = bounds(part.prefixes);
  return low === undefined || high === undefined || from === undefined || to === undefined || (compareAddresses(from, low) >= 0 && compareAddresses(to, high) <= 0);
}

/** Prefixes that follow one another. */
function bounds(prefixes: readonly Prefix[]): readonly [Address | undefined, Address | undefined] {
  const [first, last] = [prefixes[0], prefixes.at(-1)];
  return [first === undefined ? undefined : firstAddress(first), last === undefined ? undefined : lastAddress(last)];
}
