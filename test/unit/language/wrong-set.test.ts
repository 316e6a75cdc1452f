/** Sets that a rule cannot name: ipset and iptables of Debian 12 say the same of these. */
import { describe, expect, test } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const found = (keyword: 'iptables' | 'ip6tables', rule: string, sets: string): string[] => {
  const text = `network lan 192.168.93.0/24\nnode host1 {\n  address 192.168.93.212/24 on lan\n${sets === '' ? '' : `  ipset {\n${sets}\n  }\n`}  ${keyword} {\n    *filter\n    ${rule}\n    COMMIT\n  }\n}\n`;
  return createSnapshot({ file: 'x.k8snet', text }).diagnostics.filter((d) => d.slug === 'wrong-set').map((d) => text.slice(d.start, d.end));
};

const SETS = 'create four hash:ip family inet\ncreate six hash:net family inet6\ncreate ports bitmap:port range 0-10\ncreate all list:set';

describe('a rule that names a set', () => {
  test.each([
    ['iptables', '-A INPUT -m set --match-set six src -j DROP', ['six']],
    ['ip6tables', '-A INPUT -m set ! --match-set four src -j DROP', ['four']],
    ['iptables', '-A INPUT -m set --match-set four src -m set --match-set nosuch dst -j DROP', ['nosuch']],
    ['ip6tables', '-A INPUT -m set --match-set six src -j DROP', []],
    ['iptables', '-A INPUT -m set --match-set ports dst -m set --match-set all src -j DROP', []],
  ] as const)('%s %s', (keyword, rule, at) => {
    expect(found(keyword, rule, SETS)).toEqual(at);
  });
  test('of a node of which no set was pasted says nothing', () => {
    expect(found('iptables', '-A INPUT -m set --match-set any src -j DROP', '')).toEqual([]);
  });
});
