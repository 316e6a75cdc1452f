/** What can stand in a line of a pasted dump. */
import type { Family } from '../../../../engine/src/net/address.ts';
import { devicesOf } from '../bind/devices.ts';
import { dumpsIn } from '../bind/dumps.ts';
import type { DumpOwner } from '../bind/dumps.ts';
import { declarationAt } from '../bind/occurrences.ts';
import { matchNames, optionNames, tablesOfTarget, targetNames } from '../native/iptables/registry.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Candidate } from './completions.ts';
import type { CursorContext } from './cursor-context.ts';
import { purposeOf } from './describe-chain.ts';

type DumpContext = Extract<CursorContext, { readonly kind: 'dump' }>;

const PROTOCOLS = ['tcp', 'udp', 'sctp', 'icmp', 'ipv6-icmp'];
const ROUTE_WORDS = ['via', 'dev', 'proto', 'scope', 'src', 'metric', 'onlink', 'mtu', 'table'];

export function dumpCompletions(snapshot: Snapshot, context: DumpContext, offset: number): readonly Candidate[] {
  const placed = declarationAt(snapshot.model, offset);
  if (placed === undefined || (placed.declaration.kind !== 'node' && placed.declaration.kind !== 'pod')) return [];
  const owner: DumpOwner = { declaration: placed.declaration, offset: placed.offset };
  const previous = /(\S+)\s+$/.exec(context.before)?.[1] ?? '';
  switch (context.keyword) {
    case 'iptables': return iptablesCompletions(snapshot, owner, context, previous, 4);
    case 'ip6tables': return iptablesCompletions(snapshot, owner, context, previous, 6);
    case 'routes': case 'neighbours': case 'fdb':
      if (previous === 'dev') return devices(snapshot, owner);
      return context.before === '' || previous === 'via' ? [] : words(context.keyword === 'routes' ? ROUTE_WORDS : ['dev', 'lladdr', 'dst'], 'keyword', `of ip ${context.keyword}`);
    default: return [];
  }
}

const words = (labels: readonly string[], kind: Candidate['kind'], detail: string): Candidate[] => labels.map((label) => ({ label, kind, detail }));

const devices = (snapshot: Snapshot, owner: DumpOwner): Candidate[] => words([...(devicesOf(owner, snapshot.model, snapshot.files) ?? [])], 'device', 'device');

function iptablesCompletions(snapshot: Snapshot, owner: DumpOwner, { table, before }: DumpContext, previous: string, family: Family): Candidate[] {
  const chains = (): Candidate[] => {
    const tables = dumpsIn(owner, snapshot.files, family === 4 ? 'iptables' : 'ip6tables').flatMap((d) => d.content.state.tables ?? []).filter((t) => table === '' || t.name === table);
    return [...new Set(tables.flatMap((t) => t.chains.map((c) => c.name)))].map((label) => ({ label, kind: 'chain', detail: purposeOf(label) ?? 'chain' }));
  };
  const own = (c: Candidate): boolean => !['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].includes(c.label);
  if (before === '') return words(['-A', '*nat', '*filter', '*mangle', '*raw', 'COMMIT'], 'keyword', 'of iptables-save');
  switch (previous) {
    case '-A': return chains();
    case '-j': case '-g': case '--jump': case '--goto': {
      const targets = targetNames(family).filter((t) => table === '' || (tablesOfTarget(t)?.includes(table) ?? true));
      return [...chains().filter(own), ...(previous === '-g' || previous === '--goto' ? [] : words(targets, 'target', 'target'))];
    }
    case '-i': case '-o': return devices(snapshot, owner);
    case '-m': return words(matchNames(family), 'keyword', 'match');
    case '-p': return words(PROTOCOLS, 'value', 'protocol');
    default: return words([...new Set(optionNames(family))], 'option', 'option');
  }
}
