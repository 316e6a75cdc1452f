/** A change of what the file declares, as a candidate. */
import type { SourceRef } from '../topology/origin.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import type { Candidate } from './candidate.ts';
import type { Command, Edit, Owner } from './explanation.ts';
import type { Situation } from './situation.ts';

export interface DeclaredChange {
  readonly wrong: string;
  readonly at: SourceRef;
  readonly title: string;
  readonly edits: readonly Edit[];
  readonly commands?: readonly Command[];
  readonly applied: (spec: ClusterSpec) => ClusterSpec;
}

export const candidate = ({ last }: Situation, change: DeclaredChange): Candidate => ({ ...change, host: last?.host ?? '', namespace: last?.namespace ?? '' });

export const statement = (owner: Owner, keyword: string, text: string | null, at: SourceRef | null = null): Edit => ({ kind: 'statement', owner, inside: null, keyword, at, text });
