/** The namespace in which a packet ended, and a change of what was captured of it. */
import type { Origin, SourceRef } from '../topology/origin.ts';
import type { CapturedState } from '../topology/spec.ts';
import { placeOf, sameRef, withCaptured } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { Edit, Owner } from './explanation.ts';
import type { Situation } from './situation.ts';

export interface Here {
  readonly situation: Situation;
  readonly owner: Owner;
  readonly captured: CapturedState;
  readonly host: string;
  readonly namespace: string;
}

export interface Change {
  readonly wrong: string;
  readonly at: SourceRef | null;
  readonly title: string;
  readonly edit: Edit;
  readonly applied: (captured: CapturedState) => CapturedState;
}

export const change = ({ owner, host, namespace }: Pick<Here, 'owner' | 'host' | 'namespace'>, { wrong, at, title, edit, applied }: Change): Candidate =>
  ({ wrong, host, namespace, at, title, edits: [edit], applied: (spec) => withCaptured(spec, owner, applied) });

export function refers(record: { readonly origin: Origin }, at: SourceRef): boolean {
  const place = placeOf(record.origin);
  return place !== null && sameRef(place, at);
}
