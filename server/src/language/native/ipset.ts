/**
 * `ipset save`: `create NAME TYPE …` and `add NAME MEMBER …`. The members are kept as text: the simulator has no sets yet,
 * so a rule with `--match-set` leaves a trace undecided.
 */
import type { Origin } from '../../../../engine/src/topology/origin.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, Span } from './dump.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { wordsOf } from './words.ts';

export interface IpSet {
  readonly name: string;
  /** `hash:ip,port` */
  readonly type: string;
  readonly family: 4 | 6;
  /** As printed, without options: `10.0.0.1,tcp:80`. */
  readonly members: readonly string[];
  readonly origin: Origin;
}

const TYPES = [
  'hash:ip', 'hash:net', 'hash:mac', 'hash:mark', 'hash:ip,port', 'hash:ip,mac', 'hash:ip,mark', 'hash:ip,port,ip', 'hash:ip,port,net', 'hash:net,net', 'hash:net,port', 'hash:net,iface',
  'hash:net,port,net', 'bitmap:ip', 'bitmap:ip,mac', 'bitmap:port', 'list:set',
];

export function readIpset(lines: readonly DumpLine[]): { readonly sets: readonly IpSet[]; readonly problems: readonly DumpProblem[] } {
  const sets = new Map<string, Omit<IpSet, 'members'> & { readonly members: string[] }>();
  const problems: DumpProblem[] = [];
  for (const [line, { text, at }] of lines.entries()) {
    const error = (span: Span, code: DumpProblem['code'], message: string, suggestion: string | null = null): void => {
      problems.push({ line, offset: span.offset, length: span.length, code, severity: 'error', message, suggestion });
    };
    const [command, name, third, ...rest] = wordsOf(text);
    if (command === undefined || command.text.startsWith('#')) continue;
    if (command.text !== 'create' && command.text !== 'add') error(command, 'not-a-dump-line', 'A line of `ipset save` begins with `create` or `add`.', closest(command.text, ['create', 'add']) ?? null);
    else if (name === undefined || third === undefined) error(command, 'missing-value', `\`${command.text}\` needs the name of the set and ${command.text === 'create' ? 'its type' : 'a member'}.`);
    else if (command.text === 'add') {
      const set = sets.get(name.text);
      if (set === undefined) error(name, 'bad-value', `There is no set \`${name.text}\` above: its \`create\` line is missing.`, closest(name.text, sets.keys()) ?? null);
      else set.members.push(third.text);
    } else if (sets.has(name.text)) error(name, 'bad-value', `The set \`${name.text}\` is created twice.`);
    else {
      if (!TYPES.includes(third.text)) error(third, 'bad-value', `\`${third.text}\` is no type of a set.`, closest(third.text, TYPES) ?? null);
      const family = rest.some((word, i) => word.text === 'inet6' && rest[i - 1]?.text === 'family') ? 6 : 4;
      sets.set(name.text, { name: name.text, type: third.text, family, members: [], origin: captured(at) });
    }
  }
  return { sets: [...sets.values()], problems };
}
