/** The recordings observed-from-*.jsonl, and a trace in their words. */
import type { Branch } from '../../../engine/src/trace/model.ts';

export interface Observed {
  readonly dst: string;
  readonly port: number;
  readonly proto: string;
  readonly seen: readonly string[];
}

/** In the words of the recording. */
export function wordsOf(branch: Branch, client: string): string {
  const { answer, deliveredTo, seenAs } = branch;
  if (answer.kind === 'reset') return 'ECONNREFUSED';
  if (answer.kind === 'icmp') return answer.type === 3 && answer.code === 3 ? 'ECONNREFUSED' : 'EHOSTUNREACH';
  if (answer.kind === 'none') return 'timeout';
  if (seenAs?.port === null || seenAs === null) return `reply from ${answer.from ?? ''} ttl ${answer.ttl ?? 0}`;
  const name = deliveredTo?.name === 'lan' ? 'internet' : deliveredTo?.name.replace(/^.*\//, '');
  return `${name ?? ''} sees ${seenAs.address === client ? "the client's own address" : `${seenAs.address} with another port`}`;
}
