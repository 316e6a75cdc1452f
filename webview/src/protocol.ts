/**
 * The messages between the extension and its trace panel, validated on receipt on both sides.
 */
import type { Topology } from '../../engine/src/topology/model.ts';

export interface Question {
  /** As `k8snet trace --from --to` takes them. */
  readonly from: string;
  readonly to: string;
}

export type ToPanel =
  /** A new question, or a new version of the file. */
  | { readonly type: 'show'; readonly file: string; readonly version: number; readonly topology: Topology; readonly question: Question }
  /** The cursor stands on this line: the hops and steps that it caused are marked. */
  | { readonly type: 'cursor'; readonly file: string; readonly line: number };

/** A note at a line's end while a trace is shown. */
export interface Annotation {
  readonly file: string;
  readonly line: number;
  /** Numbers of the hops, from 1, in the order of the trace. */
  readonly hops: readonly number[];
  /** "DNAT → 10.0.0.46:53" */
  readonly note: string;
  /** The sentences of the steps, for the hover. */
  readonly details: readonly string[];
}

export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'reveal'; readonly file: string; readonly line: number }
  | { readonly type: 'annotations'; readonly annotations: readonly Annotation[] }
  /** The question shown, whoever asked it: the extension remembers it for a reload. */
  | { readonly type: 'asked'; readonly question: Question }
  | { readonly type: 'save'; readonly name: string; readonly base64: string };
