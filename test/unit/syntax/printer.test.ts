import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../../server/src/language/syntax/cursor.ts';
import { parse } from '../../../server/src/language/syntax/parser.ts';
import { format } from '../../../server/src/language/syntax/printer.ts';
import { outline } from './print.ts';

const formatted = (text: string) => format(parse(text), text);

describe('formatting', () => {
  test.each(['article.k8snet', 'dual-stack.k8snet'])('%s is formatted already, its columns stay aligned', (name) => {
    const text = readFileSync(new URL(`../../../examples/${name}`, import.meta.url), 'utf8');
    expect(formatted(text)).toBe(text);
  });

  test('blocks are indented by two, comments with them', () => {
    expect(formatted('node a {\nmtu 1\n# why\n      routes {\ndefault via 1.1.1.1\n      }\n    }\n# b\n   node b { }')).toBe('node a {\n  mtu 1\n  # why\n  routes {\n    default via 1.1.1.1\n  }\n}\n# b\nnode b { }\n');
  });

  test('one empty line is kept, blanks at the ends of lines are not', () => {
    expect(formatted('\n\nnode a { }  \n \n\n\t\nnode b { }\n\n\n')).toBe('node a { }\n\nnode b { }\n');
  });

  test('braces have blanks around them', () => {
    expect(formatted('node a{mtu 1;routes{default via 1.1.1.1}}\nnode b {}\n')).toBe('node a { mtu 1;routes { default via 1.1.1.1 } }\nnode b {}\n');
  });

  test('a dump moves as a whole: what a tool indented stays indented behind what it did not', () => {
    expect(formatted('node a {\naddresses {\n1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo\n\n       valid_lft forever  \n}\n}\n'))
      .toBe('node a {\n  addresses {\n    1: lo: <LOOPBACK,UP>\n        inet 127.0.0.1/8 scope host lo\n\n           valid_lft forever\n  }\n}\n');
  });

  test('the line ends of the file are kept', () => {
    expect(formatted('\ufeffnode a {\r\nmtu 1\r\n}')).toBe('\ufeffnode a {\r\n  mtu 1\r\n}\r\n');
  });

  test('a text whose indentation decides what a brace means stays as it is', () => {
    const text = 'node b { routes {\n }\ndefault via 1.1.1.1\n }\n';
    expect(formatted(text)).toBe(text);
  });

  test('a text with a syntax problem stays as it is', () => {
    const text = 'node a {\nmtu 1\n\n\nnode b { }';
    expect(formatted(text)).toBe(text);
  });
});

test('formatting keeps every word of any text, and a second time changes nothing', () => {
  const line = fc.constantFrom(
    'node a {', 'pod p on a{ip 1.1.1.1}', '}', ' }', '\t}', '  iptables {', 'routes { default via 1.1.1.1 }', '    *nat', '-A X -j Y', '\t-A Z  ', '# c', '   # d  ', '', '  ',
    'mtu 1; labels a=b', 'table nat {', 'x {y{z}}', 'a "b { c"', '{}', 'foo {', '10.0.0.0/8', 'node b { routes {', '}}', '} }', 'expect a -> b  delivered # e', 'service s', 'listen', 'default',
  );
  let kept = 0;
  fc.assert(fc.property(fc.array(line, { maxLength: 14 }), fc.constantFrom('\n', '\r\n'), (lines, newline) => {
    const text = lines.join(newline);
    const tree = parse(text);
    if (problemsOf(tree, 1).length > 0) return;
    kept++;
    const once = format(tree, text);
    expect(outline(parse(once))).toEqual(outline(tree));
    expect(problemsOf(parse(once), 1)).toEqual([]);
    expect(formatted(once)).toBe(once);
  }), { numRuns: 20_000, seed: 7 });
  expect(kept).toBeGreaterThan(500);
});
