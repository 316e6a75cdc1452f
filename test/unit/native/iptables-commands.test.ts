/** `-D`, `-R`, `-F`, `-X`, `-E`, `-Z` of a file for iptables-restore. What the two tools take and refuse, test/oracle/printed-form.test.ts asks them. */
import { describe, expect, test } from 'vitest';
import { savedTable } from '../../../engine/src/topology/iptables-save.ts';
import { readIptables } from '../../../server/src/language/native/iptables/tables.ts';

const BEFORE = ['*filter', ':A - [0:0]', ':B - [0:0]', '-A A -s 10.0.0.1/32 -j ACCEPT', '-A A -p tcp -m tcp --dport 80 -j B'];

function after(...commands: readonly string[]) {
  const lines = [...BEFORE, ...commands, 'COMMIT'];
  const { tables, problems } = readIptables(lines.map((text, i) => ({ text, at: { file: 'x', line: i + 1 } })), 4);
  const rules = tables.flatMap((table) => savedTable(table)).filter((line) => /^(-A|:[ABC] )/.test(line)).map((line) => line.replace(' [0:0]', ''));
  return { rules, problems };
}

const [, , , FIRST = '', SECOND = ''] = BEFORE;

// As iptables-legacy-restore 1.8.9 leaves the table.
describe('a command of iptables-restore', () => {
  test.each<[string, readonly string[]]>([
    ['-D A 1', [':A -', ':B -', SECOND]],
    ['-D A -s 10.0.0.1 -j ACCEPT', [':A -', ':B -', SECOND]],
    ['-R A 1 -j DROP', [':A -', ':B -', '-A A -j DROP', SECOND]],
    ['-F A', [':A -', ':B -']],
    ['-F\n-X', []],
    ['-F A\n-X B', [':A -']],
    ['-E A C', [':B -', ':C -', FIRST.replace('-A A', '-A C'), SECOND.replace('-A A', '-A C')]],
    ['-E B C', [':A -', ':C -', FIRST, SECOND.replace('-j B', '-j C')]],
    ['-Z A', [':A -', ':B -', FIRST, SECOND]],
  ])('changes the table as it was read so far: %s', (commands, expected) => {
    const { rules, problems } = after(...commands.split('\n'));
    expect(problems).toEqual([]);
    expect(rules).toEqual(expected);
  });

  test.each([
    ['-D A 3', 5, 1, 'A has no rule 3 at this line: it has 2.'],
    ['-D A -j DROP', 0, 2, 'A has no rule `-A A -j DROP` at this line, so none can be deleted.'],
    ['-D C 1', 3, 1, 'Table filter has no chain C at this line.'],
    ['-X A', 3, 1, 'The chain A has rules: it cannot be deleted before `-F A`.'],
    ['-X B', 3, 1, 'A rule of A leads to the chain B: it cannot be deleted.'],
    ['-E A B', 5, 1, 'Table filter has a chain B already.'],
    ['-R A -j DROP', 0, 2, '`-R` needs the number of a rule behind the chain.'],
    ['-F A B', 5, 1, 'Nothing stands behind this command: `B` is too much.'],
    ['-N INPUT', 3, 5, 'The chain INPUT is built in: it cannot be made.'],
    ['iptables -t nat -A POSTROUTING -j MASQUERADE', 0, 8, 'This is a command for a shell: write what stands behind it, `-A POSTROUTING -j MASQUERADE`, under a line `*nat`, or paste what `iptables-save` prints.'],
    ['sudo /sbin/ip6tables -P FORWARD DROP', 5, 15, 'This is a command for a shell: write what stands behind it, `-P FORWARD DROP`, under a line `*filter`, or paste what `/sbin/ip6tables-save` prints.'],
  ])('that cannot be is told at its word: %s', (command, offset, length, message) => {
    const { rules, problems } = after(command);
    expect(problems).toMatchObject([{ line: 5, offset, length, severity: 'error', message }]);
    if (!command.startsWith('-F')) expect(rules).toEqual([':A -', ':B -', FIRST, SECOND]);
  });
});
