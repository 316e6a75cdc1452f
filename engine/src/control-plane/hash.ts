/** SHA-256 and the names made from it; the engine has no platform library to ask. */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUND_CONSTANTS = Uint32Array.from(fractionalBits(64, Math.cbrt));
/** The same of the square roots of the first 8 primes (FIPS 180-4, 5.3.3). */
const INITIAL_STATE = fractionalBits(8, Math.sqrt);

function fractionalBits(count: number, root: (n: number) => number): readonly number[] {
  const bits: number[] = [];
  for (let n = 2; bits.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) bits.push(Math.floor((root(n) % 1) * 0x1_0000_0000) >>> 0);
  }
  return bits;
}

/** The bytes of a text in UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  const plain = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return utf8OfAny(text);
    plain[i] = code;
  }
  return plain;
}

function utf8OfAny(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function padded(message: Uint8Array): Uint32Array {
  const words = new Uint32Array(((message.length + 8) >> 6) * 16 + 16);
  for (let i = 0; i < message.length; i++) words[i >> 2] = (words[i >> 2] ?? 0) | ((message[i] ?? 0) << (24 - 8 * (i & 3)));
  words[message.length >> 2] = (words[message.length >> 2] ?? 0) | (0x80 << (24 - 8 * (message.length & 3)));
  words[words.length - 1] = message.length * 8;
  return words;
}

/** FIPS 180-4. Eight 32-bit words, most significant first. */
export function sha256(message: Uint8Array): Uint32Array {
  const words = padded(message);
  const state = Uint32Array.from(INITIAL_STATE);
  const schedule = new Uint32Array(64);
  for (let block = 0; block < words.length; block += 16) {
    for (let i = 0; i < 16; i++) schedule[i] = words[block + i] ?? 0;
    for (let i = 16; i < 64; i++) schedule[i] = expanded(schedule, i);
    compress(state, schedule);
  }
  return state;
}

function expanded(w: Uint32Array, i: number): number {
  const a = w[i - 15] ?? 0;
  const b = w[i - 2] ?? 0;
  const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
  const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
  return ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) >>> 0;
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (ROUND_CONSTANTS[i] ?? 0) + (schedule[i] ?? 0)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = (state[i] ?? 0) + (sums[i] ?? 0);
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const letters = new Uint8Array(16);

/** The first 16 characters (80 bits) of the RFC 4648 base32 form of the text's SHA-256, as kube-proxy names its chains. */
export function base32Hash(text: string): string {
  const digest = sha256(utf8(text));
  for (let i = 0; i < 16; i++) {
    const bit = 5 * i;
    const high = digest[bit >> 5] ?? 0;
    const low = digest[(bit >> 5) + 1] ?? 0;
    const shift = bit & 31;
    const window = shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
    letters[i] = BASE32.charCodeAt(window >>> 27);
  }
  return String.fromCharCode(...letters);
}

/** 32 bits of FNV-1a with a final mix: fast, stable, and no secret: for invented MACs, device names and ports. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
