import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../../server/src/language/syntax/cursor.ts';
import { parse } from '../../../server/src/language/syntax/parser.ts';
import { textOf } from './print.ts';

const article = readFileSync(new URL('../../../examples/article.k8snet', import.meta.url), 'utf8');

test('the article', () => {
  const tree = parse(article);
  expect(problemsOf(tree, 100)).toEqual([]);
  expect(textOf(tree, article)).toBe(article);
});
