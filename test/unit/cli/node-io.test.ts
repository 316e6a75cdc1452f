import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeIo } from '../../../cli/src/node-io.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'node-io-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MEGABYTE = 1024 * 1024;
const large = path.join(folder, 'large.txt');
writeFileSync(large, 'x'.repeat(MEGABYTE));

describe('files larger than the memory has room for', () => {
  it('are read as long as there is room', () => {
    const io = nodeIo(16 * MEGABYTE);
    expect([io.readFile(large), io.readFile(large)].every((reading) => 'text' in reading)).toBe(true);
  });

  it('end the command with the limit and the way out', () => {
    const io = nodeIo(16 * MEGABYTE);
    const readAll = (): unknown => [1, 2, 3].map(() => io.readFile(large));
    expect(readAll).toThrow(/larger than 2 MB together.* 16 MB of memory.*leave away.*NODE_OPTIONS=--max-old-space-size=64$/);
  });

  it('end an import, too', () => {
    const opened = nodeIo(6 * MEGABYTE).openFolder(folder);
    if ('problem' in opened) throw new Error(opened.problem);
    expect(() => opened.readFile('large.txt')).toThrow(/NODE_OPTIONS/);
  });
});
