import { defineDiagnostic } from './define.ts';
import type { Fix } from './define.ts';

export type TwoRulesets =
  /** iptables-nft-save says in a comment that there are legacy tables, too. */
  | { readonly kind: 'told'; readonly owner: string; readonly other: string; readonly fixes: readonly Fix[] }
  /** Dumps of both. `again`: tables that both have. */
  | { readonly kind: 'both'; readonly owner: string; readonly again: readonly string[]; readonly fixes: readonly Fix[] }
  /** Whole tables that are dumped twice, and nothing says by whom. */
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
      return `${p.owner} has rules of ${p.other} besides these, and the kernel asks both, where a trace knows only what is pasted here: flush one of the two on the node`;
    case 'both':
      return `${p.owner} has rules of iptables-legacy and of nftables, and the kernel asks both${p.again.length === 0 ? '' : `, where a trace reads only the first dump of ${tables(p.again)}`}: flush one of the two on the node, and keep the other's dump`;
    case 'twice':
      return `${tables(p.again)} of ${p.owner} ${p.again.length === 1 ? 'is' : 'are'} dumped above already, and what stands here is left out: keep one of the two; if one is of iptables-legacy and the other of nftables, flush one on the node, as the kernel asks both`;
  }
}
