import { defineDiagnostic } from './define.ts';
import type { Fix } from './define.ts';

export type TwoRulesets =
  /** iptables-nft-save says in a comment that there are legacy tables, too. */
  | { readonly kind: 'told'; readonly owner: string; readonly other: string; readonly fixes: readonly Fix[] }
  /** Dumps of both. `isGuess`: no header and no file name tells them apart, only their rules. */
  | { readonly kind: 'both'; readonly owner: string; readonly isGuess: boolean; readonly fixes: readonly Fix[] }
  /** Whole tables that are dumped twice. */
  | { readonly kind: 'twice'; readonly owner: string; readonly again: readonly string[]; readonly fixes: readonly Fix[] };

export const twoRulesets = defineDiagnostic<TwoRulesets>({
  code: 'K8N6006',
  slug: 'two-rulesets',
  severity: 'warning',
  message: messageOf,
  fix: (p) => p.fixes,
});

const tables = (names: readonly string[]): string => `the ${names.length === 1 ? 'table' : 'tables'} ${names.join(', ')}`;

function messageOf(p: TwoRulesets): string {
  switch (p.kind) {
    case 'told':
      return `${p.owner} has tables of ${p.other} besides these, which a trace takes to be empty: paste what ${p.other}-save prints in a block of its own, or flush them on the node`;
    case 'both':
      return p.isGuess
        ? `${p.owner} has two dumps of the same tables with other rules, taken for iptables-legacy's and iptables-nft's, which the kernel asks both: if they are of one ruleset at two times, remove one`
        : `${p.owner} has rules in both iptables-legacy and iptables-nft, and the kernel asks both in an order that no dump tells; a trace tries either where it matters: flush one of the two on the node`;
    case 'twice':
      return `${tables(p.again)} of ${p.owner} ${p.again.length === 1 ? 'is' : 'are'} dumped above already, and what stands here is left out: keep one of the two`;
  }
}
