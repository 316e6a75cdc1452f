/** The requests beyond LSP, by which the client asks for what the panel and the lenses need. */
import type { Repair } from '../../../engine/src/verify/explanation.ts';

/**
 * How node starts the server. What it reads from a large file all stays, and a young generation of the usual size would
 * copy it twice on the way: a third of the time.
 */
export const SERVER_NODE_OPTIONS: readonly string[] = ['--min-semi-space-size=16', '--max-semi-space-size=64'];

/** A way of asking, as a person chooses it: who sends, who receives, and what the receiver offers. */
export interface PartnerItem {
  /** `pod default/pod1` as a trace's `from` or `to` takes it, with port and protocol: `kube-system/kube-dns:53/UDP`. */
  readonly to: string;
  readonly label: string;
  readonly detail: string;
  readonly kind: 'pod' | 'node' | 'service' | 'external';
}

export interface SpecParams {
  readonly uri: string;
}

/**
 * What the file declares and captures. Who asks derives the topology from it: that is hundreds of times larger, and the
 * server has an editor to answer.
 */
export interface SpecResult {
  /** Counts the analyses of all documents: of the file and the dumps as they are now. */
  readonly revision: number;
  /**
   * `{ spec: ClusterSpec, expectations: Expectation[] }` as JSON, deflated (RFC 1951), in base64: a large file says
   * megabytes, and who carries it to the panel need not take it apart.
   */
  readonly said: string;
}

export interface RepairParams {
  readonly uri: string;
  /** Of the spec that the repair was found for. */
  readonly revision: number;
  readonly repair: Repair;
}

/** `null` where the file or a dump has changed since, or the repair would change what cannot be edited. */
export type RepairResult = readonly FileEdits[] | null;

/** In the positions of LSP. */
export interface FileEdits {
  readonly uri: string;
  /** The edits are of this version; `null` of a file that is not open. */
  readonly version: number | null;
  readonly edits: readonly { readonly range: { readonly start: Position; readonly end: Position }; readonly newText: string }[];
}

interface Position {
  readonly line: number;
  readonly character: number;
}

export interface PartnersParams {
  readonly uri: string;
  /** `default/pod1`, `host1`, `qq.com`: the declaration above which the lens stands. */
  readonly party: string;
  readonly kind: 'pod' | 'node' | 'service' | 'external';
}

/** A lens above a service or an external asks who sends to it; above a pod or node, whom it sends to. */
export interface PartnersResult {
  /** The declaration's own name, with its kind before it where two kinds have the same: `node/web`. */
  readonly party: string;
  readonly role: 'sender' | 'receiver';
  /** For a service: its ports, as `to` texts, to choose from first. Empty for others. */
  readonly offers: readonly PartnerItem[];
  readonly partners: readonly PartnerItem[];
}

export interface PartiesParams {
  readonly uri: string;
}

/** For a question that no lens begins: who can send, and what can be sent to. */
export interface PartiesResult {
  readonly senders: readonly PartnerItem[];
  readonly receivers: readonly PartnerItem[];
}

export interface ImportParams {
  /** The folder of the dumps, as a URI. */
  readonly folder: string;
}

export interface ImportResult {
  /** The file to write into that folder; `null` where there is nothing to import. */
  readonly text: string | null;
  /** What was not used or not understood: `file` in the folder, `line` from 1 or `null` for all of it. */
  readonly notes: readonly { readonly severity: 'error' | 'warning' | 'information'; readonly file: string; readonly line: number | null; readonly message: string }[];
}

/** Sent by the server when a new version of a document has been analysed. */
export interface ChangedParams {
  readonly uri: string;
  readonly version: number;
}

/** `initializationOptions`. */
export interface ServerOptions {
  /** Where a diagnostic's page is, with `{slug}` for its name; without it codes carry no link. */
  readonly pageUri?: string;
}

export const SPEC_REQUEST = 'k8snet/spec';
export const PARTNERS_REQUEST = 'k8snet/partners';
export const PARTIES_REQUEST = 'k8snet/parties';
export const REPAIR_REQUEST = 'k8snet/repair';
export const IMPORT_REQUEST = 'k8snet/import';
export const CHANGED_NOTIFICATION = 'k8snet/changed';

/** The command of a code lens; its arguments are `[PartnersParams]`. */
export const TRACE_COMMAND = 'k8snet.traceTo';
