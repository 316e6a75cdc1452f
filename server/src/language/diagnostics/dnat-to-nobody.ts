import type { Address } from '../../../../engine/src/net/address.ts';
import { formatAddress } from '../../../../engine/src/net/address.ts';
import { holdersOf } from '../bind/addresses.ts';
import type { CaptureContent } from '../bind/capture-content.ts';
import type { LineSpan } from '../bind/dumps.ts';
import { dumpsIn, lineOfRecord, reportInDump, wholeLine } from '../bind/dumps.ts';
import type { Check } from './check.ts';
import { defineDiagnostic } from './define.ts';

export const dnatToNobody = defineDiagnostic<{ readonly address: string; readonly chain: string }>({
  code: 'K8N3009',
  slug: 'dnat-to-nobody',
  severity: 'warning',
  message: (p) => `No pod, node or external has ${p.address}, to which ${p.chain} translates: declare who has it, or remove the stale endpoint`,
});

interface Translation {
  readonly address: string;
  readonly chain: string;
  /** Index into the lines. */
  readonly line: number;
}

const cache = new WeakMap<CaptureContent, readonly Translation[]>();

/** kube-proxy's endpoints: what others translate to may well be outside of what the file describes. */
function translationsOf(content: CaptureContent): readonly Translation[] {
  const cached = cache.get(content);
  if (cached !== undefined) return cached;
  const found: Translation[] = [];
  for (const chain of (content.state.tables ?? []).flatMap((t) => (t.name === 'nat' ? t.chains : []))) {
    if (!chain.name.startsWith('KUBE-SEP-')) continue;
    for (const rule of chain.rules) {
      const to: Address | null = rule.target?.kind === 'dnat' ? rule.target.range.from : null;
      if (to === null) continue;
      found.push({ address: formatAddress(to), chain: chain.name, line: lineOfRecord(rule) });
    }
  }
  cache.set(content, found);
  return found;
}

function addressIn(content: CaptureContent, line: number): LineSpan {
  const text = content.lines[line]?.text ?? '';
  const offset = text.lastIndexOf('--to-destination');
  const value = /^--to-destination[\s=]+(\[[^\]]*\]|[^\s:]*)/.exec(text.slice(offset));
  return value === null ? wholeLine(content, line) : { line, offset: offset + value[0].length - (value[1] ?? '').length, length: (value[1] ?? '').length };
}

export const checkTranslations: Check = function* ({ model, files }) {
  const holders = holdersOf(model);
  for (const owner of model.nodes) {
    for (const dump of dumpsIn(owner, files, 'iptables', 'ip6tables')) {
      for (const { address, chain, line } of translationsOf(dump.content)) {
        const holder = holders.get(address);
        if (holder === undefined || holder.kind === 'service') yield reportInDump(dump, dnatToNobody, { address, chain }, addressIn(dump.content, line));
      }
    }
  }
};
