import { describe, expect, test } from 'vitest';
import { walk } from '../../../server/src/language/syntax/cursor.ts';
import { parse, reparse } from '../../../server/src/language/syntax/parser.ts';
import type { FileNode } from '../../../server/src/language/syntax/tree.ts';

const rules = Array.from({ length: 200 }, (_, i) => `    -A CHAIN-${i} -j ACCEPT`).join('\n');
const pods = Array.from({ length: 50 }, (_, i) => `pod p${i} on a {\n  ip 10.0.0.${i}\n  listen 80\n}`).join('\n');
const text = `node a {\n  mtu 1500\n  iptables {\n${rules}\n  }\n  labels x=y\n}\n${pods}\nexpect a -> b delivered\n`;

/** How many nodes of the tree after the edit are not objects of the tree before. */
function fresh(place: string, removed: number, typed: string): { readonly count: number; readonly tree: FileNode; readonly newText: string } {
  const before = parse(text);
  const start = text.indexOf(place);
  const newText = text.slice(0, start) + typed + text.slice(start + removed);
  const tree = reparse(before, text, { start, end: start + removed, text: typed }, newText);
  const known = new Set([...walk(before)].map(({ node }) => node));
  return { count: [...walk(tree)].filter(({ node }) => !known.has(node)).length, tree, newText };
}

describe('an edit makes new nodes only for what it touches and what that stands in', () => {
  test.each([
    ['a digit in a rule: the rule, the dump, the node', 'CHAIN-100', 1, 'X', 3],
    ['a new rule', '    -A CHAIN-100', 0, '    -A NEW\n', 3],
    ['a rule deleted', '    -A CHAIN-100 -j ACCEPT\n', '    -A CHAIN-100 -j ACCEPT\n'.length, '', 2],
    ['a stray brace among the rules', '    -A CHAIN-100', 0, '  }\n', 3],
    ['the node renamed', 'a {\n  mtu', 1, 'other', 1],
    ['a statement above the rules', '  iptables', 0, '  mac x\n', 2],
    ['a comment above the rules', '  iptables', 0, '  # rules\n', 2],
    ['the brace of the dump deleted: the rule behind it as well', '{\n    -A CHAIN-0', 1, '', 3],
    ['a statement below the rules', '  labels', 0, '  mac x\n', 2],
    ['a declaration between', 'pod p7 ', 0, 'pod new on a { }\n', 1],
    ['a pod\'s address', '10.0.0.7', 8, '10.0.0.77', 2],
    ['a space at the end of a line', '\n  listen 80\n}\npod p8 ', 0, ' ', 2],
  ])('%s', (_, place, removed, typed, count) => {
    const after = fresh(place, removed, typed);
    expect(after.tree).toEqual(parse(after.newText));
    expect(after.count).toBe(count);
  });

  test('an edit that changes nothing keeps every node', () => {
    const before = parse(text);
    const after = reparse(before, text, { start: 300, end: 310, text: text.slice(300, 310) }, text);
    expect(after.children).toBe(before.children);
  });

  test('an unclosed brace costs the declaration around it only', () => {
    const { count, tree, newText } = fresh('}\npod p8 ', 1, '');
    expect(tree).toEqual(parse(newText));
    expect(count).toBe(1);
  });
});
