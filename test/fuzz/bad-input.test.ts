/**
 * What no one means to open, and what everyone types on the way: nothing of it may throw, each diagnostic stands where
 * the mistake is, and what is well stays as it was.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../server/src/language/diagnostics/define.ts';
import { createSnapshot, updateSnapshot } from '../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { chance, randomEdit, startingTexts } from './random-edits.ts';

/** `K8SNET_FUZZ_ROUNDS=500` for a soak. */
const ROUNDS = Number(process.env['K8SNET_FUZZ_ROUNDS'] ?? 16);

const article = readFileSync(new URL('../../examples/article.k8snet', import.meta.url), 'utf8');
const snapshotOf = (text: string) => createSnapshot({ file: 'bad.k8snet', text });

/** Everything that the language computes from a file; returns its diagnostics, each known to stand in the text. */
function everythingOf(snapshot: Snapshot): readonly Diagnostic[] {
  snapshot.compiled();
  return placed(snapshot, [...snapshot.diagnostics, ...snapshot.verifyDiagnostics()]);
}

function placed(snapshot: Snapshot, found: readonly Diagnostic[]): readonly Diagnostic[] {
  for (const { start, end, message, related } of found) {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(snapshot.text.length);
    expect(message.length).toBeLessThan(600);
    for (const other of related) expect(other.end).toBeLessThanOrEqual(snapshot.text.length);
  }
  return found;
}

/** `CODE at LINE: the text`, the line from 1. */
const told = (text: string) => everythingOf(snapshotOf(text)).map(({ slug, start, end }) => `${slug} at ${text.slice(0, start).split('\n').length}: ${text.slice(start, Math.min(end, start + 40))}`);

const podNames = (snapshot: Snapshot) => snapshot.spec().pods.map((pod) => pod.name);

describe('files that are none', () => {
  test('an empty file is told so', () => {
    for (const text of ['', '\n\n', '# nothing yet\n']) expect(told(text)).toEqual([expect.stringMatching(/^empty-file at /)]);
  });

  test('a program is one problem', () => {
    const program = `\x7fELF\x02\x01\x01${'\0'.repeat(400)}${'text of a section\n{ } ; "\0\x03'.repeat(2_000)}`;
    expect(told(program)).toEqual(['unexpected-character at 1: \x7f']);
  });

  test('an image read as UTF-8 is one problem', () => {
    const image = readFileSync(new URL('../../media/icon.png', import.meta.url)).toString('utf8');
    expect(told(image)).toEqual([expect.stringMatching(/^unexpected-character at 1: /)]);
  });

  test.each([
    ['a statement', 'node long {\n  labels ', '\n}\n', 'too-long at 2: '],
    ['a rule', 'node long {\n  iptables {\n', '\n  }\n}\n', 'too-long at 3: '],
    ['the top of the file', '', '\n', 'too-long at 1: '],
  ])('a line of 20 MB in %s is told, and the rest of the file works', (_, before, after, problem) => {
    const text = `${before}${'abc=d, '.repeat(20_000_000 / 7)}${after}${article}`;
    const snapshot = snapshotOf(text);
    const begin = process.cpuUsage();
    const slugs = everythingOf(snapshot).map(({ slug, start }) => `${slug} at ${text.slice(0, start).split('\n').length}: `);
    expect(process.cpuUsage(begin).user / 1_000).toBeLessThan(8_000);
    expect(slugs).toContain(problem);
    expect(podNames(snapshot)).toContain('pod1');
    expect(snapshot.verdicts()[0]?.passed).toBe(true);
  });

  test('ten thousand mistakes are a thousand diagnostics', () => {
    expect(everythingOf(snapshotOf('nonsense\n'.repeat(10_000))).length).toBe(1_000);
    expect(everythingOf(snapshotOf('}\n'.repeat(10_000))).length).toBe(1_000);
  });
});

test('the article typed character by character: it is understood at every offset, and mistakes stand where one types', () => {
  let snapshot = snapshotOf('');
  const finishedLine = new Set(['unknown-keyword', 'missing-argument', 'bad-value', 'extra-argument', 'unclosed-string', 'stray-brace', 'bad-dump', 'unknown-match']);
  for (let at = 0; at < article.length; at++) {
    const text = article.slice(0, at + 1);
    snapshot = updateSnapshot(snapshot, [{ start: at, end: at, text: article.charAt(at) }], text);
    // Traces take their time: they are asked for at the end of each line and on every seventh character.
    const found = text.endsWith('\n') || at % 7 === 0 ? everythingOf(snapshot) : placed(snapshot, snapshot.diagnostics);
    const line = text.lastIndexOf('\n', at - 1) + 1;
    // What is half-typed is wrong on its own line; lines above it that were right are still right.
    for (const { slug, start } of found) if (finishedLine.has(slug)) expect(start, `${slug} after ${JSON.stringify(text.slice(-40))}`).toBeGreaterThanOrEqual(line);
  }
  expect(snapshot.diagnostics).toEqual([]);
  expect(snapshot.diagnostics).toEqual(snapshotOf(article).diagnostics);
}, 180_000);

test('an iptables block cut at the end of each of its lines and in the middle of each is told at the cut, and every declaration behind it stays', () => {
  const whole = snapshotOf(article);
  const begin = article.indexOf('    *nat');
  const end = article.indexOf('node host2');
  for (let at = begin; at <= end; at++) {
    const lineEnd = article.indexOf('\n', at);
    const middle = Math.floor((article.lastIndexOf('\n', at - 1) + 1 + lineEnd) / 2);
    if (at !== lineEnd && at !== middle) continue;
    const text = `${article.slice(0, at)}\n${article.slice(end)}`;
    const snapshot = snapshotOf(text);
    const found = everythingOf(snapshot);
    const braces = [article.indexOf('{', article.indexOf('node host1')), article.indexOf('  iptables {') + '  iptables '.length];
    // Behind the dump's own brace nothing is missing any more but the node's.
    expect(found.filter(({ slug }) => slug === 'unclosed-block').map(({ start }) => start)).toEqual(text.slice(0, at).trimEnd().endsWith('  }') ? braces.slice(0, 1) : text.slice(0, at).trimEnd().endsWith('\n}') ? [] : braces);
    for (const { slug, start } of found) if (slug === 'bad-dump') expect(text.slice(0, start).split('\n').length).toBe(text.slice(0, at).split('\n').length);
    expect(podNames(snapshot)).toEqual(podNames(whole));
    expect(snapshot.spec().nodes.map((node) => node.name)).toEqual(whole.spec().nodes.map((node) => node.name));
    expect(snapshot.expectations.length).toBe(4);
  }
}, 180_000);

test('a match that nobody knows is told on its word, and a trace through it is not guessed', () => {
  const text = article.replace('-p udp -m comment', '-p udp -m frobnicate --frob 3 -m comment');
  const snapshot = snapshotOf(text);
  const [problem] = snapshot.diagnostics;
  expect(problem && text.slice(problem.start, problem.end)).toMatch(/frob/);
  const dns = snapshot.verdicts().find((verdict) => verdict.expectation.to.startsWith('kube-dns') && !verdict.expectation.negated);
  expect(dns?.passed).toBe(false);
});

test('random edits: the updated snapshot tells what a new one tells', () => {
  const texts = startingTexts();
  for (let round = 0; round < ROUNDS; round++) {
    const seed = 4_711 + round;
    const next = chance(seed);
    let text = texts[next(texts.length)] ?? '';
    let snapshot = snapshotOf(text);
    for (let count = 0; count < 10; count++) {
      const { edit, newText } = randomEdit(text, next);
      snapshot = updateSnapshot(snapshot, [edit], newText);
      text = newText;
      expect(everythingOf(snapshot), `seed ${seed}, edit ${count}`).toEqual(everythingOf(snapshotOf(text)));
    }
  }
}, 1_800_000);
