import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ContextName } from '../../../server/src/language/bind/grammar.ts';
import { CAPTURES, GRAMMAR, usageOf } from '../../../server/src/language/bind/grammar.ts';
import { TOP_LEVEL_KEYWORDS, VERBATIM_KEYWORDS } from '../../../server/src/language/syntax/tree.ts';
import { root } from './fixtures.ts';

const reference = readFileSync(path.join(root, 'docs/language.md'), 'utf8');

/** The first cells of the table under a heading: `ip ADDRESS[, ADDRESS]`. */
function statementsUnder(heading: string): string[] {
  const section = reference.split(/^## /m).find((s) => s.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map((m) => (m[1] ?? '').replaceAll('\\|', '|'));
}

const HEADINGS: Readonly<Record<ContextName, string>> = {
  file: 'At the top of a file',
  cluster: 'In a cluster',
  flannel: 'In `flannel`',
  'kube-proxy': 'In `kube-proxy`',
  network: 'In a network',
  external: 'In an external',
  node: 'In a node',
  interface: 'In an interface',
  pod: 'In a pod',
  service: 'In a service',
  namespace: 'In a namespace',
  'network-policy': 'In a network policy',
  ingress: 'In an ingress',
  egress: 'In an egress',
};

describe('the reference and the grammar table agree', () => {
  it.each(Object.entries(HEADINGS))('in the context %s', (context, heading) => {
    const captures = new Set(CAPTURES.map((c) => c.keyword));
    const own = GRAMMAR[context as ContextName].filter((s) => context === 'network' || !captures.has(s.keyword));
    expect(statementsUnder(heading)).toEqual(own.map(usageOf));
  });

  it('on the dumps', () => {
    expect(statementsUnder('Captured state')).toEqual(CAPTURES.map(usageOf));
  });

  it('on what a table cell says', () => {
    for (const statement of [...Object.values(GRAMMAR).flat(), ...CAPTURES]) expect(reference).toContain(statement.doc);
  });
});

it('the parser knows the same dumps and declarations as the grammar', () => {
  expect([...VERBATIM_KEYWORDS].sort()).toEqual(CAPTURES.map((c) => c.keyword).sort());
  expect(GRAMMAR.file.map((s) => s.keyword).filter((k) => !TOP_LEVEL_KEYWORDS.has(k))).toEqual([]);
});
