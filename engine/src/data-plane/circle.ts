/** What goes round for ever, told by the hops that were recorded: found only once a journey is long enough to be suspected. */
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Interface } from '../topology/model.ts';
import type { Hop } from '../trace/model.ts';
import { HOPS_WITHOUT_SUSPICION } from './budgets.ts';
import type { CompiledNamespace } from './compile.ts';
import { seenAt } from './run-state.ts';
import type { Run, Skb } from './run-state.ts';

/** The devices that the very same frame passed since it came in here before; `null`: it has not. */
export function frameCircle(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): string | null {
  const { hops } = run.journey;
  if (hops.length < HOPS_WITHOUT_SUSPICION) return null;
  const now = JSON.stringify(seenAt(device, skb.packet));
  const before = hops.findLastIndex((hop) => isAt(hop, ns, device.name) && hop.direction === 'in' && JSON.stringify(hop.packet) === now);
  return before < 0 ? null : inOrder(hops.slice(before).map((hop) => `${hop.interface} on ${nameOf(hop)}`));
}

/** Who forwarded the packet since it was forwarded here before: `host1, router lan, host1`. */
export function routeCircle(run: Run, ns: CompiledNamespace): string {
  const names = run.journey.hops.map(nameOf).filter((name, i, all) => name !== all[i - 1]);
  const own = nameOf({ host: ns.host.name, namespace: ns.namespace.name });
  const last = names.lastIndexOf(own);
  const before = names.lastIndexOf(own, last - 1);
  return last < 1 || before < 0 ? `${own} to itself` : inOrder(names.slice(before, last + 1));
}

const isAt = (hop: Hop, ns: CompiledNamespace, name: string): boolean => hop.interface === name && hop.host === ns.host.name && hop.namespace === ns.namespace.name;

const nameOf = ({ host, namespace }: Pick<Hop, 'host' | 'namespace'>): string => (namespace === ROOT_NAMESPACE ? host : `pod ${namespace}`);

const MOST_NAMES = 12;

const inOrder = (names: readonly string[]): string => (names.length <= MOST_NAMES ? names : [...names.slice(0, MOST_NAMES), '…']).join(', ');
