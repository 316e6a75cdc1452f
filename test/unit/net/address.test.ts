import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, it } from 'vitest';
import { addressPlus, contains, firstAddress, formatAddress, formatPrefix, ipv4, lastAddress, networkOf, overlaps, parseAddress, parseMac, parsePrefix } from '../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../engine/src/net/address.ts';

const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0xffffffff));
const address: fc.Arbitrary<Address> = fc.oneof(
  word.map(ipv4),
  fc.tuple(word, word, word, word).map((words): Address => ({ family: 6, words })),
);
const prefix: fc.Arbitrary<Prefix> = address.chain((a) => fc.nat(a.family === 4 ? 32 : 128).map((length) => ({ address: a, length })));

/** The library never writes the last words as an IPv4 address. */
const holdsV4 = (a: Address): boolean => a.family === 6 && a.words[0] === 0 && a.words[1] === 0 && (a.words[2] === 0 || a.words[2] === 0xffff);

const library = (text: string): Address4 | Address6 => (text.includes(':') ? new Address6(text) : new Address4(text));
const isValid = (text: string): boolean => {
  try {
    return library(text).correctForm() !== '';
  } catch {
    return false;
  }
};

describe('addresses', () => {
  it('with an IPv4 address in them are written as inet_ntop(3) of glibc writes them', () => {
    const texts = ['::ffff:10.0.0.1', '::10.0.0.1', '::ffff:0.0.0.0', '::1', '::', '::1:0:0', '::ffff:0:1:2'];
    expect(texts.map((text) => formatAddress(parseAddress(text)!))).toEqual(texts);
  });
  it('are written as the ip-address library writes them', () => {
    fc.assert(fc.property(address.filter((a) => !holdsV4(a)), (a) => { expect(formatAddress(a)).toBe(library(formatAddress(a)).correctForm()); }), { numRuns: 2000 });
  });

  it('are read back', () => {
    fc.assert(fc.property(address, (a) => { expect(parseAddress(formatAddress(a))).toEqual(a); }), { numRuns: 1000 });
  });

  it('are taken and refused as the library does, where they are near to one', () => {
    const piece = fc.constantFrom('0', '1', '10', '255', '256', '01', 'fd00', 'g', '', '.', ':', '::', '/', 'ffff');
    fc.assert(fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('');
      if (text.includes('/')) return;
      expect([text, parseAddress(text) !== undefined]).toEqual([text, isValid(text)]);
    }), { numRuns: 20_000 });
  });

  it('count on by one across words, and back', () => {
    fc.assert(fc.property(address, fc.integer({ min: -100_000, max: 100_000 }), (a, n) => { expect(addressPlus(addressPlus(a, n), -n)).toEqual(a); }));
    expect(formatAddress(addressPlus({ family: 6, words: [0, 0, 0, 0xffffffff] }, 1))).toBe('::1:0:0');
    expect(formatAddress(addressPlus(ipv4(0xffffffff), 1))).toBe('0.0.0.0');
  });
});

describe('prefixes', () => {
  it('begin and end where the library says', () => {
    fc.assert(fc.property(prefix, (p) => {
      const known = library(formatPrefix(p));
      expect([formatAddress(firstAddress(p)), formatAddress(lastAddress(p))]).toEqual([known.startAddress(), known.endAddress()].map((a) => formatAddress(parseAddress(a.correctForm())!)));
    }), { numRuns: 2000 });
  });

  it('contain their first and last address, and overlap what they contain', () => {
    fc.assert(fc.property(prefix, prefix, (p, q) => {
      expect(contains(p, firstAddress(p)) && contains(p, lastAddress(p))).toBe(true);
      expect(overlaps(p, q)).toBe(contains(p, firstAddress(q)) || contains(q, firstAddress(p)));
      expect(overlaps(p, networkOf(p))).toBe(true);
    }), { numRuns: 2000 });
  });

  it('refuse lengths that the family does not have', () => {
    for (const text of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', 'fd00::/129', '10.0.0.0/', '/8', '10.0.0.0/8/8']) expect(parsePrefix(text)).toBeUndefined();
  });
});

describe('MACs', () => {
  it('are 48 bits', () => {
    expect(parseMac('ff:ff:ff:ff:ff:ff')).toBe(2 ** 48 - 1);
    for (const text of ['', 'ff:ff:ff:ff:ff', 'ff-ff-ff-ff-ff-ff', 'gg:00:00:00:00:00', '0:0:0:0:0:0:0']) expect(parseMac(text)).toBeUndefined();
  });
});
