/** Whatever stands in a dump, its reader gives problems that lie within the line and never throws. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConntrackLine } from '../../../server/src/language/native/conntrack.ts';
import type { DumpLine, DumpProblem } from '../../../server/src/language/native/dump.ts';
import { onLine } from '../../../server/src/language/native/dump.ts';
import { readFdb } from '../../../server/src/language/native/fdb.ts';
import { readAddresses, readLinks } from '../../../server/src/language/native/interface.ts';
import { readIptables } from '../../../server/src/language/native/iptables/tables.ts';
import { readIpset } from '../../../server/src/language/native/ipset.ts';
import { readNeighbours } from '../../../server/src/language/native/neighbour.ts';
import { readPolicyRules } from '../../../server/src/language/native/policy-rule.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';
import { readSysctls } from '../../../server/src/language/native/sysctl.ts';
import { badRules, goodRules } from './corpus.ts';

const READERS: Readonly<Record<string, (lines: readonly DumpLine[]) => { readonly problems: readonly DumpProblem[] }>> = {
  routes: readRoutes,
  rules: readPolicyRules,
  addresses: readAddresses,
  links: readLinks,
  neighbours: readNeighbours,
  fdb: readFdb,
  iptables: (lines) => readIptables(lines, 4),
  ip6tables: (lines) => readIptables(lines, 6),
  ipset: readIpset,
  conntrack: (lines) => ({ problems: lines.flatMap(({ text }, line) => onLine(readConntrackLine(text).problems, line)) }),
  sysctl: readSysctls,
};

const WORDS = [
  '-A', 'INPUT', '-j', '-m', '!', '-p', 'tcp', '--dport', '80', 'conntrack', '--ctstate', 'NEW', '"', '\\', '*nat', ':A', '-', 'COMMIT', '[0:0]', 'default', 'via', '10.0.0.1', 'dev', 'eth0', 'table', 'nexthop', 'weight',
  'from', 'all', 'lookup', '32766:', '2:', 'eth0@if3:', '<UP>', 'mtu', '1500', 'link/ether', '0a:58:0a:00:05:96', 'inet', 'inet6', 'fe80::1/64', 'vxlan', 'id', 'bridge_slave', 'lladdr', 'STALE', 'dst', 'master', 'self', 'create',
  'add', 'nethash', 'set', 'hash:ip', 'net.ipv4.ip_forward', '=', '1', 'src=10.0.0.1', 'dst=10.0.0.2', 'sport=5', 'dport=6', '[ASSURED]', '17', 'constructor', '__proto__', 'toString', '-s', '-g', '-c', '--', '---', '=', '0x', '/', ',', '\u0000', '🦊',
];

const line = fc.oneof(fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(' ')), fc.string({ maxLength: 60 }).map((s) => s.replace(/[\r\n]/g, '')));

describe.each(Object.entries(READERS))('%s', (_, read) => {
  test('takes any words', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (texts) => {
        const { problems } = read(texts.map((text, i) => ({ text, at: { file: 'x', line: i + 1 } })));
        for (const problem of problems) {
          const text = texts[problem.line];
          expect(text).toBeDefined();
          expect(problem.offset).toBeGreaterThanOrEqual(0);
          expect(problem.offset + problem.length).toBeLessThanOrEqual(text!.length);
          expect(problem.message).toMatch(/[.?]$/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('every rule of the corpora, cut at every place', () => {
  for (const { family, table, rule } of [...goodRules(), ...badRules()]) {
    for (let cut = 0; cut <= rule.length; cut += 3) {
      const text = rule.slice(0, cut);
      for (const problem of readIptables([{ text: `*${table}`, at: { file: 'x', line: 1 } }, { text, at: { file: 'x', line: 2 } }], family).problems) {
        expect(problem.offset + problem.length).toBeLessThanOrEqual(text.length);
      }
    }
  }
});

test('the names of JavaScript\'s own properties are words as any other', () => {
  const lines = (text: string) => [{ text, at: { file: 'x', line: 1 } }];
  expect(readRoutes(lines('10.0.0.0/8 dev eth0 proto constructor')).routes[0]?.protocol).toBe('constructor');
  expect(readRoutes(lines('constructor 10.0.0.0/8 dev eth0')).routes).toEqual([]);
  expect(readPolicyRules(lines('5: from all constructor')).problems).not.toEqual([]);
  expect(readIpset(lines('create a constructor')).problems[0]?.message).toMatch(/no type of a set/);
});
