import { describe, expect, it } from 'vitest';
import { coloured } from '../../../cli/src/colour.ts';
import { renderTrace } from '../../../engine/src/trace/text.ts';
import { pingTrace, serviceTrace } from '../packet/sample-trace.ts';

// eslint-disable-next-line no-control-regex
const COLOURS = /\u001b\[\d+m/g;

describe('colours', () => {
  it('change nothing of the text', () => {
    for (const trace of [pingTrace, serviceTrace]) expect(coloured(renderTrace(trace)).replace(COLOURS, '')).toBe(renderTrace(trace));
  });

  it('tell a good end from a bad one, and put sources back', () => {
    const text = coloured(renderTrace(serviceTrace));
    expect(text).toContain('\u001b[32mdelivered to pod');
    expect(text).toContain('\u001b[31mdropped: The policy of FORWARD is DROP. [policy-drop]\u001b[0m');
    expect(coloured(renderTrace(pingTrace))).toContain('10.0.0.0/16 dev flannel.1 \u001b[2m[demo.k8snet:22, captured]\u001b[0m');
  });

  it('end on the line that they begin on', () => {
    for (const line of coloured(renderTrace(pingTrace)).split('\n')) expect((line.match(COLOURS) ?? []).length % 2).toBe(0);
  });
});
