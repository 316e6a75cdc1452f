import type { Family } from '../../../../engine/src/net/address.ts';
import type { IpSet } from '../../../../engine/src/topology/ipset.ts';
import type { CaptureContent } from '../bind/capture-content.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import { dumpsIn, lineOfRecord, reportInDump, wordInLine } from '../bind/dumps.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, replacement } from './define.ts';

export const wrongSet = defineDiagnostic<{ readonly message: string; readonly near: string | undefined }>({
  code: 'K8N3012',
  slug: 'wrong-set',
  severity: 'error',
  message: (p) => p.message,
  fix: (p, at) => replacement(p.near, at),
});

interface Use {
  readonly set: string;
  /** Index into the lines. */
  readonly line: number;
}

const cache = new WeakMap<CaptureContent, readonly Use[]>();

function usesOf(content: CaptureContent): readonly Use[] {
  const cached = cache.get(content);
  if (cached !== undefined) return cached;
  const found: Use[] = [];
  for (const chain of (content.state.tables ?? []).flatMap((table) => table.chains)) {
    for (const rule of chain.rules) {
      for (const match of rule.matches) if (match.kind === 'set') found.push({ set: match.name, line: lineOfRecord(rule) });
    }
  }
  cache.set(content, found);
  return found;
}

/** libxt_set.h: get_set_byname() asks the kernel for the set, and takes one of its own family or of none. */
function faultOf(name: string, family: Family, sets: readonly IpSet[]): { readonly message: string; readonly near: string | undefined } | null {
  const set = sets.find((each) => each.name === name);
  if (set === undefined) {
    const near = closest(name, sets.map((each) => each.name));
    return { message: `The node's 'ipset' has no set ${name}: iptables refuses the rule${didYouMean(near)}`, near };
  }
  if (set.family === null || set.family === family) return null;
  return { message: `The set ${name} holds IPv${set.family} addresses, this rule is of ${family === 4 ? 'iptables' : 'ip6tables'}: name a set of family ${family === 4 ? 'inet' : 'inet6'}`, near: undefined };
}

/** Where nothing was pasted of the node's sets, nothing is known of them. */
export const checkSets: Check = function* ({ model, files }) {
  for (const owner of model.nodes) {
    const dumps = dumpsIn(owner, files, 'ipset');
    if (dumps.length === 0) continue;
    const sets = dumps.flatMap((dump) => dump.content.state.sets ?? []);
    for (const [keyword, family] of [['iptables', 4], ['ip6tables', 6]] as const) {
      for (const dump of dumpsIn(owner, files, keyword)) {
        for (const { set, line } of usesOf(dump.content)) {
          const fault = faultOf(set, family, sets);
          if (fault !== null) yield reportInDump(dump, wrongSet, fault, wordInLine(dump.content, line, set));
        }
      }
    }
  }
};
