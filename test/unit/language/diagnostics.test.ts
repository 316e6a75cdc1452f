import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../../server/src/language/diagnostics/catalogue.ts';
import { applyFix, example, fixtureNames, fixtureText, hasFixture, markersOf, readFixture, root, snapshotOf } from './fixtures.ts';

const firing = fixtureNames().filter((name) => !name.includes('.'));
const pages = path.join(root, 'docs/diagnostics');

/** Told by the second, slower group. */
const VERIFY = 'expectation-fails';
const DRIFT = ['drift', 'harmless-drift', 'partial-dump', 'shadowed-accept', 'forward-drop', 'two-rulesets'];

const all = (slug: string, text: string) => {
  const snapshot = snapshotOf(text);
  const slower = slug === VERIFY ? snapshot.verifyDiagnostics() : DRIFT.includes(slug) ? snapshot.driftDiagnostics() : [];
  return { snapshot, diagnostics: [...snapshot.diagnostics, ...slower] };
};

/** Fixtures too large to be files. */
const LARGE: Readonly<Record<string, string>> = {
  'too-long': `${fixtureText('too-long.clean')}# ${'x'.repeat(10)}\nnode host2 { labels ${'a=b, '.repeat(20_000)}a=b }\n`,
  'too-deep': `${fixtureText('too-deep.clean')}${'a { '.repeat(40)}${'}'.repeat(40)}\n`,
  'more-problems': Array.from({ length: 1200 }, (_, i) => `nonsense-${i}`).join('\n'),
};

describe('every diagnostic', () => {
  it('has a code and a slug of its own', () => {
    expect(new Set(CATALOGUE.map((d) => d.code)).size).toBe(CATALOGUE.length);
    expect(new Set(CATALOGUE.map((d) => d.slug)).size).toBe(CATALOGUE.length);
    expect(CATALOGUE.map((d) => d.code).filter((c) => !/^K8N[1-6]\d{3}$/.test(c))).toEqual([]);
  });

  it('has a page, and no page is of another', () => {
    expect(readdirSync(pages).filter((f) => f !== 'README.md').sort()).toEqual(CATALOGUE.map((d) => `${d.slug}.md`).sort());
    for (const d of CATALOGUE) expect(readFileSync(path.join(pages, `${d.slug}.md`), 'utf8').split('\n')[0]).toMatch(new RegExp(`^# ${d.code}: `));
  });

  it('has a file in diagnostics/ named after its slug, and is in the catalogue', () => {
    const folder = path.join(root, 'server/src/language/diagnostics');
    const defined = readdirSync(folder).filter((f) => /= defineDiagnostic</.test(readFileSync(path.join(folder, f), 'utf8')) && f !== 'define.ts');
    expect(defined.map((f) => f.replace('.ts', '')).sort()).toEqual(CATALOGUE.map((d) => d.slug).sort());
  });

  it.each(CATALOGUE.map((d) => d.slug))('%s has a fixture that fires and one that is clean, and one for its fix', (slug) => {
    expect(hasFixture(slug) || slug in LARGE).toBe(true);
    expect(hasFixture(`${slug}.clean`)).toBe(true);
  });
});

describe('a marked fixture gives exactly the marked diagnostics', () => {
  it.each(firing)('%s', (slug) => {
    const fixture = readFixture(fixtureText(slug));
    const { snapshot, diagnostics } = all(slug, fixture.text);
    expect(markersOf(snapshot, diagnostics)).toEqual(fixture.markers);
    expect(diagnostics.map((d) => d.slug)).toContain(slug);
  });

  it.each(Object.keys(LARGE))('%s, which is made here', (slug) => {
    expect(snapshotOf(LARGE[slug] ?? '').diagnostics.map((d) => d.slug)).toContain(slug);
  });
});

describe('a clean fixture gives none', () => {
  it.each(CATALOGUE.map((d) => d.slug))('%s', (slug) => {
    const { diagnostics } = all(slug, fixtureText(`${slug}.clean`));
    expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
  });
});

describe('a fix mends what it belongs to', () => {
  it.each(CATALOGUE.filter((d) => d.fix !== undefined).map((d) => d.slug))('%s: its first fix gives the fixed file', (slug) => {
    const { text } = readFixture(fixtureText(slug));
    const diagnostic = all(slug, text).diagnostics.find((d) => d.slug === slug);
    const [fix] = diagnostic?.fixes ?? [];
    if (fix === undefined) {
      // A replacement is offered only where something is near: then there is nothing to compare.
      expect(hasFixture(`${slug}.fixed`)).toBe(false);
      return;
    }
    const fixed = applyFix(text, fix);
    expect(fixed).toBe(fixtureText(`${slug}.fixed`));
    expect(all(slug, fixed).diagnostics.map((d) => d.slug)).not.toContain(slug);
  });
});

describe('the pages', () => {
  const sections = (slug: string): Readonly<Record<string, string>> => Object.fromEntries(
    [...readFileSync(path.join(pages, `${slug}.md`), 'utf8').matchAll(/^## (Wrong|Right)\n\n```k8snet\n([\s\S]*?)```/gm)].map((m) => [m[1] ?? '', m[2] ?? '']));

  it.each(CATALOGUE.map((d) => d.slug))('%s: the wrong example is wrong, the right one is right', (slug) => {
    const { Wrong, Right } = sections(slug);
    if (Wrong === undefined || Right === undefined) {
      expect(['too-long', 'too-deep', 'more-problems', 'unexpected-character']).toContain(slug);
      return;
    }
    expect(all(slug, Wrong).diagnostics.map((d) => d.slug)).toContain(slug);
    expect(all(slug, Right).diagnostics.map((d) => d.slug)).not.toContain(slug);
  });
});

describe('messages', () => {
  it('name the place and the way out, in at most two sentences and one line', () => {
    for (const slug of firing) {
      for (const { message } of all(slug, readFixture(fixtureText(slug)).text).diagnostics) {
        expect(message).not.toContain('\n');
        expect(message.length).toBeGreaterThan(20);
        expect(message).not.toMatch(/undefined|\[object|null\b/);
      }
    }
  });

  it('come in the order of the file, at most 1,000, the last of which tells how many more there are', () => {
    const { diagnostics } = snapshotOf(LARGE['more-problems'] ?? '');
    expect(diagnostics).toHaveLength(1000);
    expect(diagnostics.at(-1)?.message).toMatch(/^201 more problems/);
    expect(diagnostics.map((d) => d.start)).toEqual([...diagnostics.map((d) => d.start)].sort((a, b) => a - b));
  });
});

describe('the examples', () => {
  it('have neither errors nor warnings', () => {
    for (const name of readdirSync(path.join(root, 'examples')).filter((f) => f.endsWith('.k8snet'))) {
      expect(snapshotOf(example(name)).diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
    }
  });

  it("the article's last expectation is told to fail, with the masquerade rules that host1 lacks", () => {
    const text = example('article.k8snet');
    const snapshot = snapshotOf(text);
    const [failing, ...others] = snapshot.verifyDiagnostics();
    expect(others).toEqual([]);
    expect(failing?.severity).toBe('warning');
    expect(text.slice(failing?.start, failing?.end)).toBe('expect pod1 -> qq.com:443/TCP                    delivered as 192.168.93.212');
    expect(failing?.message).toMatch(/host1/);
    const fixed = applyFix(text, failing?.fixes[0] ?? { title: '', edits: [] });
    expect(fixed).toContain('-j MASQUERADE');
    expect(snapshotOf(fixed).diagnostics).toEqual([]);
    expect(snapshotOf(fixed).verifyDiagnostics()).toEqual([]);
  });

  it('stay free of them with carriage returns at the line ends', () => {
    expect(snapshotOf(example('article.k8snet').replaceAll('\n', '\r\n')).diagnostics.map((d) => d.message)).toEqual([]);
  });
});

it('fixtures are all of some diagnostic', () => {
  const slugs = new Set(CATALOGUE.map((d) => d.slug));
  expect(fixtureNames().filter((name) => !slugs.has(name.split('.')[0] ?? ''))).toEqual([]);
  expect(existsSync(pages)).toBe(true);
});
