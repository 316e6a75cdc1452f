/** Every reason has a page, and a sentence in which nothing is missing. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { outcomeOf, reason, REASON_CODES } from '../../../engine/src/trace/reasons.ts';

const page = readFileSync(new URL('../../../docs/outcomes.md', import.meta.url), 'utf8');
const anchors = [...page.matchAll(/^### (.+)$/gm)].map((m) => m[1]);

describe('the reasons', () => {
  it('have one anchor each in docs/outcomes.md, which has no other', () => {
    expect([...anchors].sort()).toEqual([...REASON_CODES].sort());
  });

  it.each(REASON_CODES)('say %s in full sentences', (code) => {
    const { sentence } = reason(code, { where: 'host1', what: 'WHAT', device: 'eth0', address: '192.0.2.1', rule: '-A X' });
    expect(sentence).toMatch(/^(`?\S.*)[.?]$/);
    expect(sentence).not.toContain('undefined');
    expect(outcomeOf(code)).not.toBe('delivered');
  });
});
