import type { ObjectProblem } from '../kubernetes/fields.ts';
import type { Check } from './check.ts';
import type { Definition, Diagnostic, Range } from './define.ts';
import { defineDiagnostic, report } from './define.ts';
import { notModelled } from './not-modelled.ts';
import { objectLeftOut } from './object-left-out.ts';
import { secretInObjects } from './secret-in-objects.ts';

export interface ObjectProblemParams {
  readonly message: string;
  /** How many more of the same kind the file has. */
  readonly more: number;
}

const withMore = ({ message, more }: ObjectProblemParams): string => (more === 0 ? message : `${message}; and ${more} more such in this file`);

/** What the API server would not have stored. */
export const badObject = defineDiagnostic<ObjectProblemParams>({
  code: 'K8N3101',
  slug: 'bad-object',
  severity: 'error',
  message: withMore,
});

function reportAs(problem: ObjectProblem, more: number, at: Range): Diagnostic {
  const as = (definition: Definition<ObjectProblemParams>): Diagnostic => report(definition, { message: problem.message, more }, at);
  switch (problem.kind) {
    case 'bad': return as(badObject);
    case 'left-out': return as(objectLeftOut);
    case 'secret': return as(secretInObjects);
    case 'not-modelled': return report(notModelled, { message: withMore({ message: problem.message, more }), instead: undefined }, at);
  }
}

/** What is wrong with the Kubernetes objects that the file names, each sort once a file. */
export const checkObjects: Check = function* ({ model }) {
  const places = new Map(model.objectFiles.map((f) => [f.path, f.at]));
  const groups = new Map<string, { readonly problem: ObjectProblem; count: number }>();
  for (const problem of model.objects.problems) {
    const key = `${problem.at.file}\n${problem.kind}\n${problem.group}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { problem, count: 1 });
    else group.count++;
  }
  for (const { problem, count } of groups.values()) {
    const at = places.get(problem.at.file);
    if (at !== undefined) yield reportAs(problem, count - 1, { ...at, elsewhere: problem.at });
  }
};
