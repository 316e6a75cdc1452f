/**
 * What iptables-restore takes k8snet reads, what it refuses k8snet reports, and both print the same; asked of the real
 * tools, both flavours and families, in a network namespace of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { savedTable } from '../../engine/src/topology/iptables-save.ts';
import { readIptables } from '../../server/src/language/native/iptables/tables.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { handWritten } from './rule-corpus.ts';
import { mutatedTexts, ruleTexts } from './rule-texts.ts';
import type { RuleText } from './rule-texts.ts';

const ISOLATED = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];
const FLAVOURS = ['legacy', 'nft'] as const;
type Flavour = (typeof FLAVOURS)[number];

const folder = mkdtempSync(path.join(tmpdir(), 'k8snet-printed-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

/** One shell in a fresh network namespace: nothing touches the host. */
const shell = (script: string) =>
  spawnSync('unshare', [...ISOLATED, 'sh', '-s'], { input: script, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, XTABLES_LOCKFILE: path.join(folder, 'lock') } });

const available = shell('iptables-legacy-save && iptables-nft-save && ip6tables-legacy-save && ip6tables-nft-save').status === 0;

const tool = (family: 4 | 6, flavour: Flavour, what: 'save' | 'restore'): string => `ip${family === 6 ? '6' : ''}tables-${flavour}-${what}`;

const dumpOf = ({ table, rule }: RuleText): string => `*${table}\n:CHAIN-A - [0:0]\n${rule}\nCOMMIT\n`;

/** For each rule, restored alone, what each flavour then saves; `null` where it refuses. */
function asked(rules: readonly RuleText[]): readonly Readonly<Record<Flavour, readonly string[] | null>>[] {
  const file = path.join(folder, 'one.txt');
  const lines = rules.flatMap((rule, i) =>
    FLAVOURS.map((flavour) => `cat > ${file} <<'END'\n${dumpOf(rule)}END\necho '@${i} ${flavour}'\nif ${tool(rule.family, flavour, 'restore')} ${file} >/dev/null 2>&1; then echo @taken; ${tool(rule.family, flavour, 'save')} -t ${rule.table} | grep '^-A'; fi`),
  );
  const { stdout } = shell(['ipset create NAME hash:ip', 'ipset create NAME6 hash:ip family inet6', ...lines].join('\n'));
  const answers = rules.map((): Record<Flavour, string[] | null> => ({ legacy: null, nft: null }));
  let open: { readonly at: number; readonly flavour: Flavour } | null = null;
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const mark = /^@(\d+) (legacy|nft)$/.exec(line);
    if (mark !== null) open = { at: Number(mark[1]), flavour: mark[2] as Flavour };
    else if (open !== null && line === '@taken') answers[open.at]![open.flavour] = [];
    else if (open !== null) answers[open.at]![open.flavour]?.push(line);
  }
  return answers;
}

interface Own {
  readonly refused: readonly string[];
  readonly printed: readonly string[];
}

/** What a user of k8snet gets: errors of the file that holds the rule, and its normal form. */
function own(text: RuleText): Own {
  const { family, rule } = text;
  const block = `node n {\n  address 10.0.0.1/24 on lan\n  ip${family === 6 ? '6' : ''}tables {\n${dumpOf(text)}}\n}\nnetwork lan 10.0.0.0/24\n`;
  const { diagnostics } = createSnapshot({ file: 'rule.k8snet', text: block });
  const refused = diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);
  const { tables } = readIptables(dumpOf(text).split('\n').map((line, i) => ({ text: line.trim(), at: { file: rule, line: i + 1 } })), family);
  return { refused, printed: tables.flatMap((table) => savedTable(table)).filter((line) => line.startsWith('-A')) };
}

/** Modules whose options k8snet keeps as they are: their normal form is not known to it, nor what they refuse. */
const KEPT_AS_TEXT = /-m (string|u32|time|connlimit|helper|quota|socket|policy|ecn|connbytes|bpf|realm|cpu|devgroup|tos|cluster|nfacct|ah|esp)\b|-j (NFQUEUE|TEE|CLASSIFY|AUDIT|SET|QUEUE|TOS|CHECKSUM|TPROXY|IDLETIMER)\b/;

/** What k8snet is stricter in: ports under a protocol with `!`, which few of iptables' own checks see, and a port of dccp that is empty. */
const STRICTER = /! -p .*(--to|port)|dccp .*port(=| ) /;

function findings(rules: readonly RuleText[], answers: ReturnType<typeof asked>): { readonly found: readonly string[]; readonly taken: number; readonly refused: number } {
  const found: string[] = [];
  let taken = 0;
  for (const [i, answer] of answers.entries()) {
    const rule = rules[i]!;
    const label = `${rule.family} ${rule.table} ${rule.rule}`;
    const { refused, printed } = own(rule);
    const isTaken = answer.legacy !== null || answer.nft !== null;
    if (isTaken) taken++;
    if (isTaken && refused.length > 0) found.push(`taken by iptables, refused by k8snet: ${label}: ${refused.join(' ')}`);
    if (!isTaken && refused.length === 0) found.push(`refused by iptables, taken by k8snet: ${label}`);
    if (answer.legacy !== null && JSON.stringify(printed) !== JSON.stringify(answer.legacy)) found.push(`printed otherwise: ${label}\n  iptables ${answer.legacy.join('\n           ')}\n  k8snet   ${printed.join('\n           ')}`);
  }
  return { found, taken, refused: rules.length - taken };
}

const COUNT = Number(process.env['K8SNET_RULES'] ?? 500);
const SEED = Number(process.env['K8SNET_SEED'] ?? 7);

const unique = (rules: readonly RuleText[]): RuleText[] => [...new Map(rules.map((r) => [`${r.family} ${r.table} ${r.rule}`, r])).values()];

describe.runIf(available)('iptables-restore', () => {
  const random = unique(ruleTexts(COUNT, SEED)).filter(({ rule }) => !KEPT_AS_TEXT.test(rule) && !STRICTER.test(rule));
  const answered = available ? asked(random) : [];
  test('takes and refuses random rules as k8snet does, and saves them in the form that k8snet prints', { timeout: 600_000 }, () => {
    const { found, taken, refused } = findings(random, answered);
    console.log(`rules that iptables takes: ${taken}, that it refuses: ${refused}`);
    expect(found).toEqual([]);
    expect(Math.min(taken, refused)).toBeGreaterThan(COUNT / 6);
  });
  test('takes and refuses rules with a word too few, too many or in a wrong place as k8snet does', { timeout: 600_000 }, () => {
    const rules = unique(mutatedTexts(COUNT, SEED)).filter(({ rule }) => !KEPT_AS_TEXT.test(rule) && !STRICTER.test(rule));
    const { found, refused } = findings(rules, asked(rules));
    expect(found).toEqual([]);
    expect(refused).toBeGreaterThan(COUNT / 6);
  });
  test('takes and refuses rules written by hand as k8snet does', { timeout: 120_000 }, () => {
    expect(findings(handWritten, asked(handWritten)).found).toEqual([]);
  });
  test.each([[4, 'legacy'], [4, 'nft'], [6, 'legacy'], [6, 'nft']] as const)('IPv%i %s restores what k8snet prints of whole tables to the same tables', { timeout: 120_000 }, (family, flavour) => {
    for (const table of ['filter', 'nat', 'mangle', 'raw'] as const) {
      const lines = [`*${table}`, ':CHAIN-A - [0:0]', ...random.filter((r, i) => r.family === family && r.table === table && answered[i]![flavour] !== null).map((r) => r.rule), 'COMMIT'];
      const { tables } = readIptables(lines.map((text, i) => ({ text, at: { file: 'x', line: i + 1 } })), family);
      const printed = tables.flatMap((table) => savedTable(table));
      const restore = (dump: readonly string[]): string => `${tool(family, flavour, 'restore')} <<'END' && ${tool(family, flavour, 'save')} -t ${table} | grep -v '^#'\n${dump.join('\n')}\nEND`;
      const prepared = 'ipset create NAME hash:ip; ipset create NAME6 hash:ip family inet6';
      // nft keeps of a match whether it was written, where legacy looks at what it does: `-m tcp` for any port, `! -i +`.
      const saved = (dump: readonly string[]): string => shell(`${prepared}\n${restore(dump)}`).stdout.replace(/\[\d+:\d+\]/g, '[0:0]');
      const alike = (text: string): string => (flavour === 'legacy' ? text : text.replace(/ -m (tcp|udp)(?= -[mjg]|$)| ! -[io] \+/gm, ''));
      const [original, own2] = [lines, printed].map((dump) => alike(saved(dump)));
      expect(own2).toBe(original);
      expect(own2).toContain('COMMIT');
      if (flavour === 'legacy') expect(printed.filter((line) => line.startsWith('-A')).join('\n')).toBe(own2!.split('\n').filter((line) => line.startsWith('-A')).join('\n'));
    }
  });
});
