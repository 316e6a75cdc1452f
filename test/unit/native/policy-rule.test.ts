/** The family of policy rules, which `ip rule` and `ip -6 rule` do not print. Both dumps are of Linux 6.18 and iproute2. */
import { describe, expect, it } from 'vitest';
import { readPolicyRules } from '../../../server/src/language/native/policy-rule.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const V4 = ['0: from all lookup local', '32766: from all lookup main', '32767: from all lookup default'];
const V6 = ['0: from all lookup local', '32766: from all lookup main'];
const with4 = (line: string): string[] => V4.toSpliced(1, 0, line);
const with6 = (line: string): string[] => V6.toSpliced(1, 0, line);

const familiesOf = (lines: readonly string[]) => readPolicyRules(lines.map((text, i) => ({ text, at: { file: 'x', line: i + 1 } }))).rules.map((r) => r.family);

describe('the rules of one dump', () => {
  it('are of the family of the address in one of them', () => {
    expect(familiesOf(with6('100: from fd00::/8 lookup 100'))).toEqual([6, 6, 6]);
    expect(familiesOf(['0: from all lookup local', '100: from all to 10.0.0.0/8 lookup 100'])).toEqual([4, 4]);
  });

  it('are of IPv4 with the rule of table default, which IPv6 does not have', () => {
    expect(familiesOf(with4('100: from all fwmark 0x1 lookup 100'))).toEqual([4, 4, 4, 4]);
  });

  it('are of the family of the command above them', () => {
    expect(familiesOf(['# ip -6 rule', ...with6('100: from all fwmark 0x1 lookup 100')])).toEqual([6, 6, 6]);
    expect(familiesOf(['# ip rule show', ...V6, '# $ ip -6 -N rule', ...V6])).toEqual([4, 4, 6, 6]);
  });

  it('are told apart from those of the other family below them, whose priorities begin anew', () => {
    expect(familiesOf([...V4, ...with6('100: from fd00::/8 lookup 100')])).toEqual([4, 4, 4, 6, 6, 6]);
  });

  it('tell no family where nothing in them does, or where they tell both', () => {
    expect(familiesOf(with6('100: from all fwmark 0x1 lookup 100'))).toEqual([null, null, null]);
    expect(familiesOf(['0: from all lookup local', '100: from 10.0.0.0/8 lookup 100', '101: from fd00::/8 lookup 100'])).toEqual([null, 4, 6]);
  });

  it('may not mix the families in one line', () => {
    const { problems } = readPolicyRules([{ text: '100: from 10.0.0.0/8 to fd00::/8 lookup 100', at: { file: 'x', line: 1 } }]);
    expect(problems.map((p) => p.message)).toEqual(['`fd00::/8` is no value of `to`: write `all` or an IPv4 prefix.']);
  });
});

describe('a node with pasted rules', () => {
  const rulesOf = (...blocks: readonly (readonly string[])[]) => {
    const text = `network lan 192.168.93.0/24, fd00:93::/64\nnode host1 {\naddress 192.168.93.212/24, fd00:93::212/64 on lan\n${blocks.map((lines) => `rules {\n${lines.join('\n')}\n}`).join('\n')}\n}`;
    const rules = createSnapshot({ file: 'x.k8snet', text }).topology().hosts.find((h) => h.name === 'host1')?.namespaces[0]?.rules ?? [];
    return ([4, 6] as const).map((family) => rules.filter((r) => r.family === family).map((r) => r.priority));
  };

  it('keeps the kernel\'s rules of the family of which nothing was pasted', () => {
    expect(rulesOf(with6('100: from fd00::/8 lookup 100'))).toEqual([[0, 32766, 32767], [0, 100, 32766]]);
    expect(rulesOf(with4('100: from 10.0.0.0/8 lookup 100'))).toEqual([[0, 100, 32766, 32767], [0, 32766]]);
  });

  it('takes rules that tell no family for the other one where one is told', () => {
    expect(rulesOf(with4('100: from all fwmark 0x1 lookup 100'), with6('200: from all fwmark 0x1 lookup 100'))).toEqual([[0, 100, 32766, 32767], [0, 200, 32766]]);
    expect(rulesOf(with6('200: from fd00::/8 lookup 100'), V6)).toEqual([[0, 32766], [0, 200, 32766]]);
  });

  it('takes them for both where none is told', () => {
    expect(rulesOf(with6('200: from all fwmark 0x1 lookup 100'))).toEqual([[0, 200, 32766], [0, 200, 32766]]);
  });
});
