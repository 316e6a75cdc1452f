import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSnapshot, updateSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import type { TextEdit } from '../../../server/src/language/syntax/tree.ts';
import { example, snapshotOf } from './fixtures.ts';

const edited = (old: Snapshot, ...edits: readonly TextEdit[]): Snapshot =>
  updateSnapshot(old, edits, edits.reduce((text, e) => text.slice(0, e.start) + e.text + text.slice(e.end), old.text));

describe('a snapshot', () => {
  it('is frozen, and computes each part once', () => {
    const snapshot = snapshotOf(example('article.k8snet'));
    expect(Object.isFrozen(snapshot)).toBe(true);
    expect(snapshot.diagnostics).toBe(snapshot.diagnostics);
    expect(snapshot.spec()).toBe(snapshot.spec());
    expect(snapshot.topology()).toBe(snapshot.topology());
  });

  it('is followed by one that knows the edit', () => {
    const text = example('article.k8snet');
    const start = text.indexOf('10.0.5.150');
    const next = edited(snapshotOf(text), { start, end: start + '10.0.5.150'.length, text: '10.0.6.150' });
    expect(next.diagnostics.map((d) => d.slug)).toEqual(['address-outside-subnet']);
    expect(next.text.slice(next.diagnostics[0]?.start, next.diagnostics[0]?.end)).toBe('10.0.6.150');
  });

  it('takes several edits that follow each other', () => {
    const text = example('article.k8snet');
    const next = edited(snapshotOf(text), { start: 0, end: 0, text: '# one more line\n' }, { start: 0, end: 0, text: 'node nine { address 192.168.93.9/24 on lan }\n' });
    expect(next.diagnostics).toEqual([]);
    const declared = next.text.split('\n').flatMap((line, i) => (line.startsWith('node ') ? [i + 1] : []));
    expect(next.spec().nodes.map((n) => n.at.line)).toEqual(declared);
  });

  it('keeps what the edit does not touch', () => {
    const old = snapshotOf(example('article.k8snet'));
    const start = old.text.indexOf('10.0.5.150');
    const next = edited(old, { start, end: start + 1, text: '' });
    expect(next.model.nodes[0]?.declaration).toBe(old.model.nodes[0]?.declaration);
    expect(next.model.services[0]?.declaration).toBe(old.model.services[0]?.declaration);
  });

  it('is after any edits what a snapshot of the same text is', () => {
    const text = example('article.k8snet');
    const pieces = ['', ' ', '\n', '{', '}', ';', '#', '"', ',', 'host1', '10.0.0.1', 'pod x on host2 { ip 10.0.5.7 }\n', '    -A FORWARD -j NOWHERE\n', '->'];
    const edit = fc.record({ at: fc.nat(text.length), length: fc.nat(40), piece: fc.constantFrom(...pieces) });
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      let snapshot = snapshotOf(text);
      for (const { at, length, piece } of edits) {
        const start = Math.min(at, snapshot.text.length);
        snapshot = edited(snapshot, { start, end: Math.min(snapshot.text.length, start + length), text: piece });
        // What is computed for this version is what the next one re-uses.
        expect(snapshot.diagnostics.length).toBeLessThanOrEqual(1000);
      }
      const fresh = snapshotOf(snapshot.text);
      expect(snapshot.diagnostics).toEqual(fresh.diagnostics);
      expect(snapshot.spec()).toEqual(fresh.spec());
      expect(snapshot.expectations).toEqual(fresh.expectations);
    }), { numRuns: 150, seed: 20261122 });
  }, 120_000);
});

describe('files named by from', () => {
  const text = 'network lan 192.168.93.0/24\nnode n { address 192.168.93.1/24 on lan; routes from "dumps/n.routes" }\n';

  it('are read relative to the file, and their lines are the source', () => {
    const asked: string[] = [];
    const snapshot = createSnapshot({ file: 'folder/a.k8snet', text, readFile: (p) => (asked.push(p), '# ip route\n192.168.93.0/24 dev eth0 scope link\n') });
    expect(snapshot.spec().nodes[0]?.captured.routes?.[0]?.origin).toEqual({ kind: 'captured', at: { file: 'folder/dumps/n.routes', line: 2 } });
    expect(asked).toEqual(['dumps/n.routes']);
  });

  it.each(['../n.routes', '/etc/passwd', 'dumps/../../n', 'C:/x', 'a\\b'])('never leave the folder: %s', (path) => {
    const asked: string[] = [];
    const snapshot = createSnapshot({ file: 'a.k8snet', text: text.replace('dumps/n.routes', path), readFile: (p) => (asked.push(p), '') });
    expect(snapshot.diagnostics.map((d) => d.slug)).toEqual(['missing-file']);
    expect(asked).toEqual([]);
  });

  it('tell their problems where they are named, by file and line, and nothing in them is mended from here', () => {
    const snapshot = createSnapshot({ file: 'a.k8snet', text, readFile: () => 'default via 192.168.93.254 dve eth0\n' });
    const [problem] = snapshot.diagnostics;
    expect(problem?.message).toMatch(/^dumps\/n\.routes:1: /);
    expect(text.slice(problem?.start, problem?.end)).toBe('"dumps/n.routes"');
    expect(problem?.fixes).toEqual([]);
  });
});
