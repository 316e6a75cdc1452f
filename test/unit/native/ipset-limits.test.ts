/** As `ipset restore` of ipset 7.17 takes and refuses these files. */
import { describe, expect, test } from 'vitest';
import { readIpset } from '../../../server/src/language/native/ipset.ts';

const read = (text: string) => readIpset(text.split('\n').map((line, i) => ({ text: line, at: { file: 'x', line: i + 1 } })));

describe('ipset', () => {
  test.each([
    'create n bitmap:port range 80-90\nadd n 80', 'create n bitmap:ip range 10.0.0.0-10.0.0.9\nadd n 10.0.0.9', 'create n bitmap:ip range 10.0.0.0/24 netmask 28\nadd n 10.0.0.17',
    'create n hash:net,iface\nadd n 0.0.0.0/0,eth0', 'create n hash:net,iface\nadd n 10.0.0.0/8,eth0\nadd n 10.0.0.0/8,physdev:eth0', 'create n hash:ip timeout 0\nadd n 10.0.0.1 timeout 5',
    'create n hash:ip comment\nadd n 10.0.0.1 comment "x"', 'create n iphash\nadd n 10.0.0.1', 'create n nethash\nadd n 10.0.0.0/8', 'create n portmap range 1-9', 'create n macipmap range 10.0.0.0/24', 'create n setlist',
  ])('takes %s', (text) => {
    expect(read(text).problems).toEqual([]);
    expect(read(text).sets).toHaveLength(1);
  });
  test.each([
    ['create n bitmap:port range 80-90\nadd n 91', 1, 6, 2], ['create n bitmap:port range 80-90\nadd n 85-95', 1, 6, 5], ['create n bitmap:ip range 10.0.0.0/24\nadd n 10.0.1.1', 1, 6, 8], ['create n bitmap:ip', 0, 9, 9],
    ['create n bitmap:ip,mac range 10.0.0.0/24\nadd n 10.0.2.1,02:00:00:00:00:01', 1, 6, 26], ['create n hash:ip\nadd n 10.0.0.1\nadd n 10.0.0.1/32', 2, 6, 11], ['create n hash:net\nadd n 10.0.0.0/24\nadd n 10.0.0.1/24 nomatch', 2, 6, 11],
    ['create n hash:ip,port\nadd n 10.0.0.1,tcp:80\nadd n 10.0.0.1,80', 2, 6, 11], ['create n hash:net\nadd n 0.0.0.0/0', 1, 6, 9], ['create n hash:net family inet6\nadd n ::/0', 1, 6, 4], ['create n hash:ip\nadd n 0.0.0.0', 1, 6, 7],
    ['create n hash:ip\nadd n 10.0.0.1 timeout 5', 1, 23, 1], ['create n hash:ip\nadd n 10.0.0.1 comment "x"', 1, 23, 3], ['create n hash:ip\nadd n 10.0.0.1 packets 5', 1, 23, 1], ['create n hash:ip\nadd n 10.0.0.1 nomatch', 1, 15, 7],
    ['create n iptree', 0, 9, 6],
  ])('refuses %s', (text, line, offset, length) => {
    expect(read(text).problems).toMatchObject([{ line, offset, length, severity: 'error' }]);
  });
});
