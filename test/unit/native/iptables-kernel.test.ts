/** Asks iptables itself, in a network namespace of its own, what the corpora of test/fixtures/native say. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { badRules, goodRules } from './corpus.ts';

const ISOLATED = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];
const FLAVOURS = ['legacy', 'nft'] as const;

/** One shell in a fresh network namespace: nothing touches the host. */
const shell = (script: string) => spawnSync('unshare', [...ISOLATED, 'sh', '-s'], { input: script, encoding: 'utf8', env: { ...process.env, XTABLES_LOCKFILE: '/tmp/k8snet-test.xtables.lock' } });

const available = shell('iptables-legacy-save && iptables-nft-save && ip6tables-legacy-save && ip6tables-nft-save').status === 0;

const chainsOf = (rules: readonly { rule: string }[]): string[] => [...new Set(['CHAIN-A', 'CHAIN-B', ...rules.map((_, i) => `R${i}`)])];

/** Every rule in a chain of its own, so that one restore answers for all of them. */
function savedForms(flavour: string, family: 4 | 6, table: string, rules: readonly { rule: string }[]): string[][] {
  const renamed = rules.map(({ rule }, i) => rule.replace(/(^|\] )-A \S+/, `$1-A R${i}`));
  const dump = [`*${table}`, ...chainsOf(rules).map((chain) => `:${chain} - [0:0]`), ...renamed, 'COMMIT', ''].join('\n');
  const tool = `ip${family === 6 ? '6' : ''}tables-${flavour}`;
  const { stdout, stderr, status } = shell(`${tool}-restore <<'END'\n${dump}END\n[ $? = 0 ] && ${tool}-save -t ${table}`);
  if (status !== 0) throw new Error(stderr);
  return rules.map((_, i) => stdout.split('\n').filter((line) => line.startsWith(`-A R${i} `) || line === `-A R${i}`));
}

describe.runIf(available)('iptables 1.8', () => {
  describe.each(FLAVOURS)('%s', (flavour) => {
    const groups = [...new Set(goodRules().map((rule) => `${rule.family} ${rule.table}`))];
    test.each(groups)('prints the rules of family and table %s as the corpus says', (group) => {
      const rules = goodRules().filter((rule) => `${rule.family} ${rule.table}` === group);
      const first = rules[0]!;
      const forms = savedForms(flavour, first.family, first.table, rules);
      const expected = rules.map((rule, i) => rule[flavour].map((line) => line.replace(/^-A \S+/, `-A R${i}`)));
      expect(forms).toEqual(expected);
    });
    test('refuses every line of the other corpus', { timeout: 120_000 }, () => {
      const rules = badRules();
      const script = rules.map(({ family, table, rule }, i) => {
        const tool = `ip${family === 6 ? '6' : ''}tables-${flavour}-restore`;
        return `${tool} >/dev/null 2>&1 <<'END' && echo ${i}\n*${table}\n${rule}\nCOMMIT\nEND`;
      });
      const taken = shell(script.join('\n')).stdout.split('\n').filter((line) => line !== '').map((i) => rules[Number(i)]?.rule);
      expect(taken).toEqual([]);
    });
  });
});
