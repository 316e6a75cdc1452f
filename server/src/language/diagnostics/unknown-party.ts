import { closest } from '../../../../engine/src/closest.ts';
import { once } from '../../../../engine/src/once.ts';
import { nearestNames } from '../../../../engine/src/trace/party-names.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import type { Located } from '../bind/decode.ts';
import { rangeIn } from '../bind/file-model.ts';
import { bindParty, knownNames } from '../bind/parties.ts';
import type { CheckInput } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, replacement, report } from './define.ts';

/** `what`: "pod, node, service, external or DNS name", or "pod, node or external" of a receiver. */
export const unknownParty = defineDiagnostic<{ readonly name: string; readonly what: string; readonly instead: string | undefined }>({
  code: 'K8N2002',
  slug: 'unknown-party',
  severity: 'error',
  message: (p) => `'${p.name}' is no ${p.what} of this file${didYouMean(p.instead) || ': declare it, or write an address'}`,
  fix: (p, at) => replacement(p.instead, at),
});

const MOST_SUGGESTIONS = 30;

/** The parties of `expect` statements that nobody in the file is. */
export function* unknownParties({ model, names }: CheckInput): Iterable<Diagnostic> {
  let searches = 0;
  const known = once(() => knownNames(names, model));
  const party = (name: string): string | undefined => nearestNames(known(), name)[0];
  for (const placed of model.expectations) {
    const { from, to, receiver, hops } = placed.declaration;
    const sender = from === null ? null : bindParty(from.value, names, model, 'default');
    const asker = sender?.kind === 'object' && sender.party.declaration.kind === 'pod' ? (sender.party.declaration.name?.value.namespace ?? 'default') : 'default';
    const missing = function* (name: Located<string>, what: string, search: (name: string) => string | undefined): Iterable<Diagnostic> {
      const instead = searches++ < MOST_SUGGESTIONS ? search(name.value) : undefined;
      yield report(unknownParty, { name: name.value, what, instead }, rangeIn(placed, { start: name.start, end: name.start + name.value.length }));
    };
    if (from !== null && sender?.kind === 'unknown') yield* missing(from, 'pod, node, service or external', party);
    if (to !== null && bindParty(to.value, names, model, asker).kind === 'unknown') yield* missing(to, 'pod, node, service, external or DNS name', party);
    if (receiver !== null && bindParty(receiver.value, names, model, asker).kind === 'unknown') yield* missing(receiver, 'pod, node or external', party);
    for (const hop of hops) {
      const { host } = hop.value;
      if (names.nodes.has(host) || names.externals.has(host) || names.networks.has(host.replace(/-gateway$/, '')) || bindParty(host, names, model, asker).kind === 'object') continue;
      yield* missing({ ...hop, value: host }, 'node, pod, network or external', (written) => closest(written, [...names.nodes.keys(), ...names.networks.keys(), ...names.externals.keys()]));
    }
  }
}
