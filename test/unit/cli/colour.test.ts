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

  it('tell a good end from a bad one, what decided from what let pass, and put sources back', () => {
    const text = coloured(renderTrace(serviceTrace));
    expect(text).toContain('\u001b[32m   1  50 %     delivered to pod');
    expect(text).toContain('\u001b[31mbranch 2 of 2, 50 %: dropped: The policy of FORWARD is DROP. [policy-drop]\u001b[0m');
    const ping = coloured(renderTrace(pingTrace));
    expect(ping).toContain('      \u001b[36mroute\u001b[0m      10.0.0.0/16 dev flannel.1\u001b[2m  [demo.k8snet:22]\u001b[0m');
    expect(ping).toContain('\u001b[2m      · filter FORWARD: FLANNEL-FWD #1 ACCEPT [flannel]\u001b[0m');
    expect(ping).toContain('ttl 63 \u001b[33m(was 64)\u001b[0m');
  });

  it('end on the line that they begin on', () => {
    for (const line of coloured(renderTrace(pingTrace)).split('\n')) expect((line.match(COLOURS) ?? []).length % 2).toBe(0);
  });
});
