import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');

/** Every folder below `folder` that holds a source file itself. */
function sourceFolders(folder: string): string[] {
  const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
  return [
    ...(entries.some((entry) => entry.isFile() && entry.name.endsWith('.ts')) ? [folder] : []),
    ...entries.filter((entry) => entry.isDirectory()).flatMap((entry) => sourceFolders(`${folder}/${entry.name}`)),
  ];
}

describe('the architecture page', () => {
  const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');

  it('names every source folder', () => {
    const folders = ['engine/src', 'server/src', 'client/src', 'webview/src', 'cli/src'].flatMap(sourceFolders);
    const unnamed = folders.filter((folder) => !page.includes(`\`${folder}\``) && !['engine/src'].includes(folder));
    expect(unnamed).toEqual([]);
  });

  it('names no folder that is gone', () => {
    const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((folder) => sourceFoldersOrFiles(folder) === 0)).toEqual([]);
  });
});

function sourceFoldersOrFiles(folder: string): number {
  try {
    return readdirSync(path.join(root, folder)).length;
  } catch {
    return 0;
  }
}
