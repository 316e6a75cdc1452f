/** Formatting of every file that the project has: examples, fixtures of diagnostics, of the language and of the kernel's oracle. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { linesOfBlock } from '../../../server/src/language/bind/dump-lines.ts';
import { format } from '../../../server/src/language/syntax/printer.ts';
import { parse } from '../../../server/src/language/syntax/parser.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { root } from '../language/fixtures.ts';

const files = ['examples', 'test/fixtures'].flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.k8snet')).map((f) => `${folder}/${f}`));

const comments = (text: string): readonly string[] => text.split('\n').flatMap((line) => /(?:^|\s)(#.*)$/.exec(line)?.[1]?.trimEnd() ?? []);

const captured = (text: string): unknown => {
  const { model } = createSnapshot({ file: 'x.k8snet', text });
  return [model.nodes, model.pods, model.networks].map((list) => list.map(({ declaration: d }) => d.captures.map((c) => [c.keyword, c.from?.value ?? null, c.from === null ? linesOfBlock(c.node).map((l) => l.text) : null])));
};

test('there are files, and dumps in them', () => {
  expect(files.length).toBeGreaterThan(150);
  expect(JSON.stringify(captured(readFileSync(path.join(root, 'examples/article.k8snet'), 'utf8')))).toContain('--to-destination 10.0.0.46:53');
});

test.each(files)('%s keeps its comments and dumps, and a second time changes nothing', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  const once = format(parse(text), text);
  expect(format(parse(once), once)).toBe(once);
  expect(comments(once)).toEqual(comments(text));
  expect(captured(once)).toEqual(captured(text));
  expect(createSnapshot({ file: 'x.k8snet', text: once }).diagnostics.map((d) => d.code).sort()).toEqual(createSnapshot({ file: 'x.k8snet', text }).diagnostics.map((d) => d.code).sort());
});
