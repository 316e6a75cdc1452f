import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../../server/src/language/syntax/cursor.ts';
import { parse, reparse } from '../../../server/src/language/syntax/parser.ts';
import type { FileNode, LineNode, StatementNode } from '../../../server/src/language/syntax/tree.ts';
import { outline } from './print.ts';

const article = readFileSync(new URL('../../../examples/article.k8snet', import.meta.url), 'utf8');

/** What names something: declarations, interfaces and ports, wherever they stand, and the chains that rules stand in; flannel's port too. */
function names(tree: FileNode): readonly string[] {
  const found = new Set<string>();
  const visit = (node: StatementNode | LineNode): void => {
    const words = node.kind === 'line' ? node.text.split(' ') : node.tokens.map((token) => token.text);
    const [keyword = '', name = ''] = words;
    if (/^(?:cluster|network|external|node|pod|service|interface|port|-A)$/.test(keyword)) found.add(`${keyword} ${name}`);
    node.block?.children.forEach(visit);
  };
  tree.children.forEach(visit);
  return [...found].sort();
}

const expectations = (tree: FileNode) => outline(tree).filter((line) => typeof line === 'string' && line.startsWith('expect'));

/** Damage done to the article's file: a name, what is replaced by what, and the line (from 1) where the problem is shown. */
const DAMAGE: readonly (readonly [string, string, string, number])[] = [
  ['the brace that closes the cluster is missing', '  kube-proxy   iptables\n}\n', '  kube-proxy   iptables\n', 1],
  ['the brace that closes a block on one line is missing', 'port 8472 }', 'port 8472', 1],
  ['the brace that opens the cluster is missing', 'cluster demo {', 'cluster demo', 1],
  ['the brace that opens the cluster is on the next line', 'cluster demo {', 'cluster demo\n{', 2],
  ['the brace that closes captured routes is missing', 'metric 100\n  }\n', 'metric 100\n', 16],
  ['the brace that opens captured routes is missing', '  routes {\n    default via 192', '  routes\n    default via 192', 16],
  ['both braces that end a node are missing', '10.0.0.46:53\n  }\n}\n', '10.0.0.46:53\n', 12],
  ['captured rules are cut in the middle of a rule', ' --comment "kube-system/kube-dns:dns" -m udp -j DNAT --to-destination 10.0.0.46:53\n  }\n}\n', ' --comm\n', 12],
  ['one brace too many in captured rules', '    *nat\n', '    *nat\n  }\n', 25],
  ['one brace too many in captured routes', 'dev flannel.1\n', 'dev flannel.1\n    }\n', 19],
  ['one brace too many between declarations', 'node host2', '}\nnode host2', 31],
  ['one brace too many in a declaration', '  port dns 53/UDP', '}\n  port dns 53/UDP', 47],
  ['a quote without its partner in a statement', 'gateway 192', 'gateway "192', 9],
  ['a quote without its partner before a block', 'node host3 {', 'node "host3 {', 32],
  ['a brace too many in front of a block', 'pod pod1 on host1 {', 'pod pod1 on host1 { {', 34],
  ['a semicolon in front of a block', 'service kube-system/kube-dns {', 'service kube-system/kube-dns; {', 45],
  ['a misspelt capture', '  iptables {\n', '  iptabels {\n', 0],
  ['a misspelt declaration', 'pod pod2', 'pdo pod2', 0],
];

describe('a broken file keeps its other names', () => {
  const whole = parse(article);

  test('the whole file has the names that the damaged ones are measured by', () => {
    expect(names(whole)).toEqual([
      '-A KUBE-SEP-L5MHPWJPDKD7XIFG', '-A KUBE-SERVICES', '-A KUBE-SVC-TCOU7JCQXEZGVUNU', '-A PREROUTING', 'cluster demo', 'external qq.com', 'interface docker0',
      'interface eno16777984', 'network lan', 'node host1', 'node host2', 'node host3', 'pod kube-system/kube-dns-1', 'pod pod1', 'pod pod2', 'port 8472', 'port dns', 'service kube-system/kube-dns',
    ]);
  });

  test.each(DAMAGE)('%s', (_, from, to, line) => {
    expect(article.split(from).length).toBeGreaterThan(1);
    const text = article.replace(from, to);
    const tree = parse(text);
    const lost: Readonly<Record<string, string>> = { 'node host3 {': 'node host3', 'pod pod2': 'pod pod2' };
    expect(names(tree).filter((name) => !name.includes('"'))).toEqual(names(whole).filter((name) => name !== lost[from]));
    expect(expectations(tree)).toEqual(expectations(whole));
    const lines = problemsOf(tree, 10).map(({ start }) => text.slice(0, start).split('\n').length);
    if (line > 0) expect(lines[0]).toBe(line);
    else expect(lines).toEqual([]);
    expect(lines.length).toBeLessThanOrEqual(2);
  });
});

test('typed character by character, what is finished stays what it is', () => {
  const whole = parse(article);
  const ends: number[] = [];
  for (const child of whole.children) ends.push((ends.at(-1) ?? 0) + child.width);
  const finished = outline(whole).map((line) => JSON.stringify(line));
  let text = '';
  let tree = parse(text);
  for (const character of article) {
    const newText = text + character;
    tree = reparse(tree, text, { start: text.length, end: text.length, text: character }, newText);
    text = newText;
    const lines = outline(tree).map((line) => JSON.stringify(line));
    const done = ends.filter((end) => end <= text.length).length;
    expect(lines.slice(0, done)).toEqual(finished.slice(0, done));
    expect(tree).toEqual(parse(text));
  }
  expect(tree).toEqual(whole);
});

test('a line typed into any place of the file leaves all other declarations as they are', () => {
  const whole = parse(article);
  for (let at = article.indexOf('\n'); at >= 0; at = article.indexOf('\n', at + 1)) {
    for (const typed of ['\n  interf', '\n  routes', '\nnode ho', '\nexpect a -', '\n  "', '\n  x,']) {
      const tree = parse(article.slice(0, at) + typed + article.slice(at));
      expect(names(tree).filter((name) => name !== 'node ho'), `${JSON.stringify(typed)} behind line ${article.slice(0, at).split('\n').length}`).toEqual(names(whole));
    }
  }
});
