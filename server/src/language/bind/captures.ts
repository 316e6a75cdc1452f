/** What nodes, pods and externals have in common: what listens, and pasted dumps. */
import type { Listener } from '../../../../engine/src/topology/model.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { missingArgument } from '../diagnostics/missing-argument.ts';
import type { Capture, CaptureKeyword } from './declarations.ts';
import { valuesOf } from './decode.ts';
import { CAPTURES } from './grammar.ts';
import type { Statements } from './statements.ts';

/** `null` where nothing was said of what listens. */
export const listenersOf = (inside: Statements): readonly Listener[] | null =>
  inside.has('listen') ? inside.values('listen', 'listener').map((l) => l.value) : null;

export function capturesOf(inside: Statements, out: Diagnostic[]): Capture[] {
  const captures = CAPTURES.flatMap((grammar) => inside.all(grammar.keyword).map((s): Capture => {
    const at = { start: s.decoded.keyword.start + s.offset, end: s.decoded.keyword.end + s.offset };
    const [from] = valuesOf(s.decoded, '"FILE"', 'file', s.offset);
    const saysFrom = s.node.tokens.some((t) => t.text === 'from');
    if (s.node.block === null && !saysFrom) {
      const keyword = grammar.keyword;
      out.push(report(missingArgument, { keyword, argument: 'the dump', usage: `${keyword} { … } or ${keyword} from "FILE"` }, at));
    }
    return { keyword: grammar.keyword as CaptureKeyword, at, from: from ?? null, node: s.node, offset: s.offset };
  }));
  return captures.sort((a, b) => a.offset - b.offset);
}
