/** SHA-512 (FIPS 180-4) of a text, for the names that CNI plugins make. Few are made, so plain 64-bit integers will do. */
import { utf8 } from './hash.ts';

const MASK = (1n << 64n) - 1n;
const primes = firstPrimes(80);
/** The first 64 bits of the fractional parts of the cube roots of the first 80 primes (4.2.3). */
const ROUND_CONSTANTS = primes.map((p) => root(p << 192n, 3n) & MASK);
/** The same of the square roots of the first 8 (5.3.5). */
const INITIAL_STATE = primes.slice(0, 8).map((p) => root(p << 128n, 2n) & MASK);

function firstPrimes(count: number): readonly bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((p) => n % p !== 0n)) found.push(n);
  return found;
}

/** The whole part of the root. */
function root(of: bigint, degree: bigint): bigint {
  let low = 0n;
  let high = 1n << 80n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= of) low = middle;
    else high = middle;
  }
  return low;
}

const rotate = (word: bigint, by: bigint): bigint => ((word >> by) | (word << (64n - by))) & MASK;

/** In hexadecimal. */
export function sha512Hex(text: string): string {
  const message = utf8(text);
  const bytes = new Uint8Array(((message.length + 16) >> 7) * 128 + 128);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(bytes.length - 8, BigInt(message.length) * 8n);
  let state: readonly bigint[] = INITIAL_STATE;
  for (let block = 0; block < bytes.length; block += 128) state = compress(state, Array.from({ length: 16 }, (_, i) => view.getBigUint64(block + 8 * i)));
  return state.map((word) => word.toString(16).padStart(16, '0')).join('');
}

function compress(state: readonly bigint[], words: bigint[]): readonly bigint[] {
  const at = (i: number): bigint => words[i] ?? 0n;
  for (let i = 16; i < 80; i++) {
    const [x, y] = [at(i - 15), at(i - 2)];
    words.push((at(i - 16) + (rotate(x, 1n) ^ rotate(x, 8n) ^ (x >> 7n)) + at(i - 7) + (rotate(y, 19n) ^ rotate(y, 61n) ^ (y >> 6n))) & MASK);
  }
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  for (let i = 0; i < 80; i++) {
    const t1 = h + (rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n)) + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[i] ?? 0n) + at(i);
    const t2 = (rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (state[i] ?? 0n)) & MASK);
}
