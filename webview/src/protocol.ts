/**
 * The messages between the extension and its trace panel, validated on receipt on both sides.
 */
import type { Annotation } from '../../engine/src/trace/annotate.ts';
import type { ClusterSpec } from '../../engine/src/topology/spec.ts';
import type { Edit, Repair } from '../../engine/src/verify/explanation.ts';
import type { Expectation } from '../../engine/src/verify/model.ts';

export interface Question {
  /** As `k8snet trace --from --to` takes them. */
  readonly from: string;
  readonly to: string;
}

/** What a version of the file says. */
export interface Said {
  readonly spec: ClusterSpec;
  /** What must hold, and a repair must not break. */
  readonly expectations: readonly Expectation[];
}

export type ToPanel =
  /**
   * A new question, or a new version of the file. `said` is `Said`, packed (`simulator/unpack.ts`): a large file
   * says much, and whoever carries it on its way need not take it apart.
   */
  | { readonly type: 'show'; readonly file: string; readonly revision: number; readonly said: string; readonly question: Question }
  /** The cursor stands on this line: the hops and steps that it caused are marked. */
  | { readonly type: 'cursor'; readonly file: string; readonly line: number };

export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'reveal'; readonly file: string; readonly line: number }
  | { readonly type: 'annotations'; readonly annotations: readonly Annotation[] }
  /** The question shown, whoever asked it: the extension remembers it for a reload. */
  | { readonly type: 'asked'; readonly question: Question }
  /** The repair's edits are made, if the file and its dumps still are as they were. */
  | { readonly type: 'apply'; readonly revision: number; readonly repair: Repair }
  | { readonly type: 'save'; readonly name: string; readonly base64: string };

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string';

/** A line or a version: a whole number, not negative. */
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

export const isQuestion = (value: unknown): value is Question => isRecord(value) && isText(value['from']) && isText(value['to']);

/** A spec comes from our own server, and the maker of topologies takes any: its leaves are taken as they are. */
const isSpec = (value: unknown): value is ClusterSpec =>
  isRecord(value) && ['networks', 'externals', 'nodes', 'pods', 'services'].every((list) => Array.isArray(value[list]) && (value[list] as readonly unknown[]).every(isRecord));

export const isSaid = (value: unknown): value is Said => isRecord(value) && isSpec(value['spec']) && isRecords(value['expectations']);

const isRecords = (value: unknown): boolean => Array.isArray(value) && value.every(isRecord);

/** The server, which makes the edits, finds nothing where an edit speaks of nothing. */
export const isRepair = (value: unknown): value is Repair =>
  isRecord(value) && isText(value['title']) && Array.isArray(value['edits']) && value['edits'].every(isEdit);

function isEdit(value: unknown): value is Edit {
  if (!isRecord(value)) return false;
  switch (value['kind'] as Edit['kind']) {
    case 'lines':
    case 'words':
    case 'statement': return isRecord(value['owner']);
    case 'declaration': return isText(value['text']);
    case 'name': return isRecord(value['at']) && isText(value['from']) && isText(value['to']);
    default: return false;
  }
}

function isAnnotation(value: unknown): value is Annotation {
  return isRecord(value) && isText(value['file']) && isCount(value['line']) && isText(value['note'])
    && Array.isArray(value['hops']) && value['hops'].every(isCount)
    && Array.isArray(value['details']) && value['details'].every(isText);
}

/** Checked by the panel on everything that arrives: a page receives messages from more than its extension. */
export function isToPanel(value: unknown): value is ToPanel {
  if (!isRecord(value)) return false;
  switch (value['type']) {
    case 'show': return isText(value['file']) && isCount(value['revision']) && isQuestion(value['question']) && isText(value['said']);
    case 'cursor': return isText(value['file']) && isCount(value['line']);
    default: return false;
  }
}

/** Checked by the extension on everything that the page posts. */
export function isFromPanel(value: unknown): value is FromPanel {
  if (!isRecord(value)) return false;
  switch (value['type']) {
    case 'ready': return true;
    case 'reveal': return isText(value['file']) && isCount(value['line']);
    case 'annotations': return Array.isArray(value['annotations']) && value['annotations'].every(isAnnotation);
    case 'asked': return isQuestion(value['question']);
    case 'apply': return isCount(value['revision']) && isRepair(value['repair']);
    case 'save': return isText(value['name']) && isText(value['base64']);
    default: return false;
  }
}
