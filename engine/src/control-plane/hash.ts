/** SHA-256 and the names made from it; the engine has no platform library to ask. */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUND_CONSTANTS = Int32Array.from(fractionalBits(64, Math.cbrt));
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

const BLOCK = 64;
/** Of one block, and used again for each: a cluster's chains are named by tens of thousands of hashes. */
const schedule = new Int32Array(64);

/** FIPS 180-4. Eight 32-bit words, most significant first. */
export function sha256(message: Uint8Array): Uint32Array {
  const state = Uint32Array.from(INITIAL_STATE);
  const blocks = ((message.length + 8) >> 6) + 1;
  for (let block = 0; block < blocks; block++) {
    schedule.fill(0, 0, 16);
    const from = block * BLOCK;
    const end = Math.min(message.length, from + BLOCK);
    for (let i = from; i < end; i++) put(i - from, message[i] ?? 0);
    if (message.length >= from && message.length < from + BLOCK) put(message.length - from, 0x80);
    if (block === blocks - 1) schedule[15] = message.length * 8;
    compress(state);
  }
  return state;
}

function put(at: number, byte: number): void {
  schedule[at >> 2] = (schedule[at >> 2] ?? 0) | (byte << (24 - 8 * (at & 3)));
}

function expand(w: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15] ?? 0;
    const b = w[i - 2] ?? 0;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) | 0;
  }
}

/** Each word by its index: destructuring an array asks its iterator. */
function compress(state: Uint32Array): void {
  expand(schedule);
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
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
  add(state, 0, a);
  add(state, 1, b);
  add(state, 2, c);
  add(state, 3, d);
  add(state, 4, e);
  add(state, 5, f);
  add(state, 6, g);
  add(state, 7, h);
}

function add(state: Uint32Array, at: number, word: number): void {
  state[at] = (state[at] ?? 0) + word;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A plain list, since spreading a typed one into arguments asks its iterator. */
const letters: number[] = new Array<number>(16).fill(0);

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
