import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bodySpan, createLineIndex, enclosing, headSpan, inLeading, offsetAt, pathAt, positionAt, spanOf, statementsOf, tokenAt, updateLineIndex, walk,
} from '../../../server/src/language/syntax/cursor.ts';
import type { Located } from '../../../server/src/language/syntax/cursor.ts';
import { parse } from '../../../server/src/language/syntax/parser.ts';

const text = '# all\nnode a { # here\n  labels x=y, z=w # trail\n  iptables {\n    table nat {\n      -A X\n    }\n  }\n}\nexternal b 1.1.1.1\n';
const tree = parse(text);

const head = (located: Located) => {
  const { start, end } = headSpan(located);
  return text.slice(start, end);
};
const at = (words: string) => text.indexOf(words);

describe('spans', () => {
  test('walking gives each node with the place of its words', () => {
    expect([...walk(tree)].map(head)).toEqual(['node a', 'labels x=y, z=w', 'iptables', 'table nat', '-A X', 'external b 1.1.1.1']);
  });

  test('a node spans its words and its block, without the comments around', () => {
    const [node] = [...walk(tree)].map(spanOf);
    expect(node && text.slice(node.start, node.end)).toBe(text.slice(at('node a'), at('\nexternal')));
  });

  test('statements are listed without the lines of dumps', () => {
    const [node] = [...statementsOf(tree)];
    expect(node && [...statementsOf(node)].map(head)).toEqual(['labels x=y, z=w', 'iptables']);
  });

  test('the body of a block is what stands between its braces, whether opened and closed or not', () => {
    for (const [source, body] of [['node a { mtu 1 }', ' mtu 1 '], ['node a { mtu 1', ' mtu 1'], ['node a\n  mtu 1\n}', '\n  mtu 1\n']] as const) {
      const [first] = [...walk(parse(source))];
      const span = first === undefined ? null : bodySpan(first);
      expect(span === null ? null : source.slice(span.start, span.end)).toBe(body);
    }
  });
});

describe('what stands at an offset', () => {
  const names = (offset: number) => pathAt(tree, offset).map(head);

  test('the nodes from the outermost to the innermost', () => {
    expect(names(at('-A X') + 2)).toEqual(['node a', 'iptables', 'table nat', '-A X']);
    expect(names(at('z=w'))).toEqual(['node a', 'labels x=y, z=w']);
    expect(names(at('external') + 3)).toEqual(['external b 1.1.1.1']);
  });

  test('behind the last word the statement is still at hand, to be completed', () => {
    expect(names(at('z=w') + 3)).toEqual(['node a', 'labels x=y, z=w']);
    expect(pathAt(parse('expect a'), 8).length).toBe(1);
  });

  test('blanks before a statement are its leading, and stand in the block around', () => {
    const offset = at('  iptables') + 1;
    const innermost = pathAt(tree, offset).at(-1);
    expect(innermost && head(innermost)).toBe('iptables');
    expect(innermost && inLeading(innermost, offset)).toBe(true);
  });

  test('the enclosing node is the one between whose braces the offset is', () => {
    const name = (source: string, offset: number) => {
      const around = enclosing(parse(source), offset);
      return 'kind' in around ? 'file' : source.slice(headSpan(around).start, headSpan(around).end);
    };
    expect(name(text, at('-A X'))).toBe('table nat');
    expect(name(text, at('node'))).toBe('file');
    expect(name(text, at('# here'))).toBe('node a');
    expect(name(text, at('  iptables'))).toBe('node a');
    expect(name('node a {\n  ', 11)).toBe('node a');
    expect(name('node a {\n  \n\nnode b {\n}', 11)).toBe('node a');
    expect(name('node a {}', 8)).toBe('node a');
    expect(name('node a {} ', 9)).toBe('file');
  });

  test('tokens are found from either side, a word before a comma', () => {
    const owner = [...walk(tree)][1];
    if (owner?.node.kind !== 'statement') throw new Error('the second node is the labels');
    const token = (offset: number) => tokenAt({ node: owner.node, start: owner.start } as Parameters<typeof tokenAt>[0], offset)?.text;
    expect([token(at('x=y')), token(at('x=y') + 3), token(at(', z')), token(at('z=w') + 3), token(at('# trail'))]).toEqual(['x=y', 'x=y', 'x=y', 'z=w', undefined]);
  });
});

describe('lines and columns', () => {
  test('a position is the line and the column, from 0', () => {
    const index = createLineIndex('ab\r\nc\n');
    expect([0, 2, 3, 4, 5, 6].map((offset) => positionAt(index, offset))).toEqual([
      { line: 0, character: 0 }, { line: 0, character: 2 }, { line: 0, character: 3 }, { line: 1, character: 0 }, { line: 1, character: 1 }, { line: 2, character: 0 },
    ]);
    expect(offsetAt(index, { line: 1, character: 99 })).toBe(5);
    expect(offsetAt(index, { line: 9, character: 0 })).toBe(6);
  });

  test('offset to position and back is the offset', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r') }), fc.nat(40), (source, offset) => {
      const index = createLineIndex(source);
      const clamped = Math.min(offset, source.length);
      expect(offsetAt(index, positionAt(index, clamped))).toBe(clamped);
    }));
  });

  test('the index after an edit is the index of the new text', () => {
    const source = fc.string({ unit: fc.constantFrom('a', '\n'), maxLength: 30 });
    fc.assert(fc.property(source, source, fc.nat(30), fc.nat(30), (old, typed, a, b) => {
      const [start, end] = [Math.min(a, b, old.length), Math.min(Math.max(a, b), old.length)];
      expect(updateLineIndex(createLineIndex(old), { start, end, text: typed })).toEqual(createLineIndex(old.slice(0, start) + typed + old.slice(end)));
    }));
  });
});
