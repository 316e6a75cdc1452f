import { closest } from '../../../../engine/src/closest.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import type { PodDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { Placed } from '../bind/file-model.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { Subnets } from '../bind/subnets.ts';
import { subnetsOf } from '../bind/subnets.ts';
import type { Check, CheckInput } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, replacement, report } from './define.ts';
import { suspecting } from './suspects.ts';
import { unknownParties } from './unknown-party.ts';

/** `kind` with its article: "a node". */
export const unknownName = defineDiagnostic<{ readonly name: string; readonly kind: string; readonly instead: string | undefined }>({
  code: 'K8N2001',
  slug: 'unknown-name',
  severity: 'error',
  message: (p) => `No ${p.kind} is called '${p.name}'${didYouMean(p.instead) || `: declare it with '${p.kind} ${p.name}', or name one that is there`}`,
  fix: (p, at) => replacement(p.instead, at),
});

/** A reference that nothing answers. Suggestions are sought for the first few only: a search costs a look at every name. */
const MOST_SUGGESTIONS = 30;

const suspectPods = suspecting<PodDeclaration, Subnets>((pod, { leases }) => pod.host !== null && !leases.has(pod.host.value));

export const checkUnknownNames: Check = function* (input: CheckInput): Iterable<Diagnostic> {
  const { model, names } = input;
  let searches = 0;
  const check = (placed: Placed<unknown>, name: Located<string> | null, kind: 'node' | 'network'): Diagnostic[] => {
    const known = kind === 'node' ? names.nodes : names.networks;
    if (name === null || known.has(name.value)) return [];
    const instead = searches++ < MOST_SUGGESTIONS ? closest(name.value, known.keys()) : undefined;
    return [report(unknownName, { name: name.value, kind, instead }, rangeIn(placed, name))];
  };
  for (const pod of suspectPods(model.pods, subnetsOf(model))) yield* check(pod, pod.declaration.host, 'node');
  for (const node of model.nodes) for (const i of node.declaration.interfaces) yield* check(node, i.network, 'network');
  yield* unknownParties(input);
};
