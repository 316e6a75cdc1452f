import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineStartsOf } from '../../../server/src/lsp/lines.ts';
import { changeOf, diagnosticOf, offsetAt, positionAt } from '../../../server/src/lsp/to-lsp.ts';
import type { Lined } from '../../../server/src/lsp/to-lsp.ts';

const lined = (text: string): Lined => ({ text, starts: lineStartsOf(text) });
const FILE = lined('pod a\r\n  ip 1\nend');

describe('positions', () => {
  test('count lines from 0 and characters in UTF-16 units', () => {
    expect(positionAt(FILE, 9)).toEqual({ line: 1, character: 2 });
    expect(positionAt(lined('😀x'), 2)).toEqual({ line: 0, character: 2 });
  });

  test('behind the end of a line stand for its end, before the line break', () => {
    expect(offsetAt(FILE, { line: 0, character: 99 })).toBe(5);
    expect(offsetAt(FILE, { line: 2, character: 99 })).toBe(17);
  });

  test('behind the last line stand for the end of the text', () => {
    expect(offsetAt(FILE, { line: 9, character: 0 })).toBe(17);
  });

  test('lead back to their offset, except inside a line break', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '😀', ' ') }), fc.nat(), (text, n) => {
      const offset = n % (text.length + 1);
      expect(offsetAt(lined(text), positionAt(lined(text), offset))).toBe(offset);
    }), { seed: 7 });
  });
});

describe('changes', () => {
  test('with a range are edits at its offsets', () => {
    const range = { start: { line: 1, character: 2 }, end: { line: 1, character: 4 } };
    expect(changeOf(FILE, { range, text: 'mac' })).toEqual({ start: 9, end: 11, text: 'mac' });
  });

  test('without a range replace the whole text', () => {
    expect(changeOf(FILE, { text: 'new' })).toEqual({ start: 0, end: 17, text: 'new' });
  });
});

describe('diagnostics', () => {
  const diagnostic = { code: 'K8N1001', slug: 'unknown-keyword', severity: 'error', message: 'no', start: 9, end: 11, related: [{ start: 0, end: 3, message: 'in this pod' }], fixes: [] } as const;

  test('carry their code, a link to their page, and the related places', () => {
    expect(diagnosticOf(FILE, 'file:///a.k8snet', 'command:explain?["{slug}"]', diagnostic)).toEqual({
      range: { start: { line: 1, character: 2 }, end: { line: 1, character: 4 } },
      severity: 1, code: 'K8N1001', source: 'k8snet', message: 'no',
      codeDescription: { href: 'command:explain?["unknown-keyword"]' },
      relatedInformation: [{ location: { uri: 'file:///a.k8snet', range: { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } } }, message: 'in this pod' }],
    });
  });

  test('have no link where the client names no place for pages', () => {
    expect(diagnosticOf(FILE, 'file:///a.k8snet', undefined, diagnostic)).not.toHaveProperty('codeDescription');
  });
});
