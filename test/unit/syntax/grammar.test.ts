import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { GRAMMAR } from '../../../server/src/language/bind/grammar.ts';
import { TOP_LEVEL_KEYWORDS, VERBATIM_KEYWORDS } from '../../../server/src/language/syntax/tree.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

interface LanguageConfiguration {
  readonly wordPattern: string;
  readonly indentationRules: { readonly increaseIndentPattern: string; readonly decreaseIndentPattern: string };
}

const configuration = JSON.parse(read('syntaxes/language-configuration.json')) as LanguageConfiguration;

test('the colours of declarations, expectations and dumps are those marked in the fixtures', () => {
  const output = execFileSync(process.execPath, [
    `${root}/node_modules/vscode-tmgrammar-test/dist/unit.js`, '-g', 'syntaxes/k8snet.tmLanguage.json', 'test/fixtures/grammar/*.k8snet',
  ], { cwd: root, encoding: 'utf8' });
  expect(output).toContain('declarations.k8snet run successfuly');
  expect(output).toContain('dumps.k8snet run successfuly');
  expect(output).toContain('policies.k8snet run successfuly');
});

test('the grammar and the parser know the same keywords', () => {
  const grammar = read('syntaxes/k8snet.tmLanguage.json');
  for (const keyword of TOP_LEVEL_KEYWORDS) expect(grammar).toMatch(new RegExp(`[(|:]${keyword}[|)]`));
  for (const keyword of VERBATIM_KEYWORDS) expect(grammar).toMatch(new RegExp(`[(|]${keyword}[|)]`));
});

test('every word and choice of a statement has its colour', () => {
  const colours = JSON.parse(read('syntaxes/k8snet.tmLanguage.json')) as { repository: { values: { patterns: readonly { name?: string; match?: string }[] } } };
  const coloured = (name: string): readonly string[] => colours.repository.values.patterns.flatMap((p) => (p.name === name ? (/\(\?:([\w|-]+)\)/.exec(p.match ?? '')?.[1]?.split('|') ?? []) : []));
  const args = Object.values(GRAMMAR).flatMap((statements) => statements.flatMap((s) => s.arguments));
  const words = args.flatMap((a) => (a.after === undefined || a.after === '->' ? [] : [a.after]));
  expect(words.filter((word) => !coloured('keyword.other.k8snet').includes(word))).toEqual([]);
  expect(args.flatMap((a) => a.choices ?? []).filter((choice) => !coloured('constant.language.k8snet').includes(choice))).toEqual([]);
});

test('the files are where the extension looks for them', () => {
  for (const path of ['syntaxes/k8snet.tmLanguage.json', 'syntaxes/language-configuration.json']) {
    expect(read('package.json')).toContain(path);
    expect(existsSync(`${root}/${path}`)).toBe(true);
  }
});

describe('the editor\'s idea of the language', () => {
  test('names, addresses and prefixes are one word', () => {
    const words = (text: string) => text.match(new RegExp(configuration.wordPattern, 'g'));
    expect(words('expect kube-system/kube-dns -> [fd00::1]:53/UDP, 10.0.0.0/16 "x" a=b { }')).toEqual([
      'expect', 'kube-system/kube-dns', '->', '[fd00::1]:53/UDP', '10.0.0.0/16', 'x', 'a', 'b',
    ]);
  });

  test('a line that opens a block indents the next, a closing brace goes back', () => {
    const increases = (line: string) => new RegExp(configuration.indentationRules.increaseIndentPattern).test(line);
    expect(['node a {', '  routes { # captured', '  table nat {'].map(increases)).toEqual([true, true, true]);
    expect(['mtu 1', 'node a { mtu 1 }', '# {', '-A X -m comment --comment "{"'].map(increases)).toEqual([false, false, false, false]);
    const decreases = (line: string) => new RegExp(configuration.indentationRules.decreaseIndentPattern).test(line);
    expect(['  }', '} # end', 'node a { }'].map(decreases)).toEqual([true, true, false]);
  });
});
