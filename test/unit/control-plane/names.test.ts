import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { base32Hash, sha256, utf8 } from '../../../engine/src/control-plane/hash.ts';
import { endpointChain, portChains, portName } from '../../../engine/src/control-plane/kube-proxy/names.ts';
import { linkLocal, podMac } from '../../../engine/src/control-plane/mac.ts';
import { formatAddress, formatMac, parseMac } from '../../../engine/src/net/address.ts';
import { address } from './specs.ts';

const hex = (words: Uint32Array): string => [...words].map((w) => w.toString(16).padStart(8, '0')).join('');

describe('SHA-256', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(hex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hex(sha256(utf8('')))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it("is the platform's, whatever the text and its length", () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(hex(sha256(utf8(text)))).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }));
  });
});

describe('names of chains', () => {
  it('are those of real clusters', () => {
    expect(portChains(portName('default', 'kubernetes', 'https'), 'tcp').cluster).toBe('KUBE-SVC-NPX46M4PTMTKRN6Y');
    expect(portChains(portName('kube-system', 'kube-dns', 'dns'), 'udp')).toEqual({
      cluster: 'KUBE-SVC-TCOU7JCQXEZGVUNU', local: 'KUBE-SVL-TCOU7JCQXEZGVUNU', external: 'KUBE-EXT-TCOU7JCQXEZGVUNU', firewall: 'KUBE-FW-TCOU7JCQXEZGVUNU',
    });
    expect(endpointChain('kube-system/kube-dns:dns', 'udp', '10.244.0.3:53')).toBe('KUBE-SEP-6E7XQMQ4RAYOWTTM');
    expect(endpointChain('kube-system/kube-dns:dns', 'udp', '10.0.0.46:53')).toBe('KUBE-SEP-L5MHPWJPDKD7XIFG');
  });

  it('have 16 letters of base32', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(base32Hash(text)).toMatch(/^[A-Z2-7]{16}$/);
    }));
  });
});

describe('MACs', () => {
  it("of pods are made of the IPv4 address", () => {
    expect(formatMac(podMac([address('fd00::1'), address('10.0.14.15')], 'pod'))).toBe('0a:58:0a:00:0e:0f');
  });

  it('give the link-local address that the recorded hosts had', () => {
    expect(formatAddress(linkLocal(parseMac('ca:47:17:4d:9f:29') ?? (0 as never)))).toBe('fe80::c847:17ff:fe4d:9f29');
    expect(formatAddress(linkLocal(parseMac('0a:58:0a:00:0e:0f') ?? (0 as never)))).toBe('fe80::858:aff:fe00:e0f');
  });
});
