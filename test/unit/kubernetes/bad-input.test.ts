/** Whatever a file of objects holds, reading it ends, throws nothing, and every problem has a place in the file. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readObjects } from '../../../server/src/language/kubernetes/read.ts';
import { strayCredential } from '../../../server/src/language/import/credentials.ts';
import { root } from '../language/fixtures.ts';

const json = ['nodes', 'pods', 'services', 'endpointslices'].map((f) => readFileSync(path.join(root, `test/fixtures/recorded/objects/${f}.json`), 'utf8'));
const texts = [...json, ...json.map((text) => stringify(JSON.parse(text)))];

function placesAreIn(text: string): void {
  const lines = text.split('\n');
  for (const { at } of readObjects('x', text).problems) {
    const line = lines[at.line - 1];
    expect(line).toBeDefined();
    expect(at.column).toBeLessThanOrEqual((line ?? '').length + 1);
  }
}

describe('files of objects', () => {
  it('may be cut off, or have a piece replaced, anywhere', () => {
    fc.assert(fc.property(fc.nat(texts.length - 1), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), fc.constantFrom('', '"', '{', '}', '[', ']', ':', ',', '\n', '- ', '\t', '&a ', '*a ', '!!x ', 'null', '1e999', '\u0000', '🜁', '\\'), (i, part, length, by) => {
      const text = texts[i] ?? '';
      const at = Math.floor(part * text.length);
      placesAreIn(text.slice(0, at));
      placesAreIn(text.slice(0, at) + by + text.slice(at + length));
    }), { numRuns: 60 });
  }, 60_000);

  it('may have any value anywhere', () => {
    const object = JSON.parse(json[1] ?? '') as object;
    const paths: (readonly (string | number)[])[] = [];
    const walk = (value: unknown, at: readonly (string | number)[]): void => {
      paths.push(at);
      if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) walk(inner, [...at, key]);
    };
    walk((object as { items: unknown[] }).items[0], ['items', 0]);
    fc.assert(fc.property(fc.nat(paths.length - 1), fc.jsonValue({ maxDepth: 2 }), (i, value) => {
      const copy = structuredClone(object) as Record<string | number, unknown>;
      const at = paths[i] ?? [];
      const owner = at.slice(0, -1).reduce<Record<string | number, unknown>>((o, key) => o[key] as Record<string | number, unknown>, copy);
      owner[at.at(-1) ?? ''] = value;
      placesAreIn(JSON.stringify(copy, null, 2));
    }), { numRuns: 300 });
  }, 60_000);

  it('of the same objects in YAML and in JSON are the same', () => {
    const plain = (text: string): unknown => JSON.parse(JSON.stringify(readObjects('x', text).objects, (key, value: unknown) => (key === 'elsewhere' || key === 'place' ? undefined : value)));
    for (const [i, text] of json.entries()) expect(plain(texts[json.length + i] ?? '')).toEqual(plain(text));
  });

  it('that grow by their aliases are left alone', () => {
    const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)].join('\n');
    const { problems } = readObjects('x', `kind: Pod\nmetadata: { name: x }\n${bomb}\n`);
    expect(problems.length).toBeGreaterThan(0);
  }, 30_000);

  it('are looked through for credentials in proportion to their length', () => {
    const long = `${'a'.repeat(200_000)}\n"token" ${' '.repeat(200_000)}x\n-----BEGIN ${'A '.repeat(100_000)}\n`;
    expect(strayCredential(long)).toBeNull();
  }, 10_000);
});

describe('lists and merged maps', () => {
  it('takes `<<` as kubectl does: what a map says itself stands before what it takes over', () => {
    const { problems } = readObjects('x', 'kind: List\napiVersion: v1\nitems:\n- &p\n  apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec: {nodeName: h1}\n- <<: *p\n  metadata: {name: b}\n');
    expect(problems.map((p) => p.message)).toEqual(['pod default/a has no address yet', 'pod default/b has no address yet']);
  });
  it('tells items that are no list, at their value', () => {
    expect(readObjects('x', 'kind: List\napiVersion: v1\nitems: 5\n').problems).toMatchObject([{ at: { line: 3, column: 8 }, message: 'List.items is a list of objects' }]);
    expect(readObjects('x', 'kind: List\napiVersion: v1\nitems: null\n').problems).toEqual([]);
  });
});
