import { lineOfRecord } from '../bind/dumps.ts';
import { defineDiagnostic } from './define.ts';
import type { Finding, IptablesView } from './iptables-view.ts';
import { chainSpan, finding, targetSpan } from './iptables-view.ts';

export const jumpLoop = defineDiagnostic<{ readonly from: string; readonly to: string }>({
  code: 'K8N3005',
  slug: 'jump-loop',
  severity: 'error',
  message: (p) => p.from === p.to
    ? `Chain ${p.from} jumps to itself: the kernel refuses a loop of jumps; remove the jump`
    : `This jump from ${p.from} leads back to ${p.to}, which leads here: the kernel refuses a loop of jumps; remove one of them`,
});

export function* jumpLoops(view: IptablesView): Iterable<Finding> {
  for (const graph of view.graphs) {
    for (const { from, to, target: node, rule } of graph.loops) {
      const target = node?.chain;
      const related = target === undefined || lineOfRecord(target) === lineOfRecord(rule) ? [] : [{ at: chainSpan(view, target), message: `chain ${to}` }];
      yield finding(jumpLoop, { from, to }, targetSpan(view, rule), related);
    }
  }
}
