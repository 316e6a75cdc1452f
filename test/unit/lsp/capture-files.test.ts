import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureFiles } from '../../../server/src/lsp/capture-files.ts';

describe('files that a document names', () => {
  let outside: string;
  let workspace: string;

  beforeEach(() => {
    outside = mkdtempSync(path.join(os.tmpdir(), 'k8snet-files-'));
    workspace = path.join(outside, 'workspace');
    mkdirSync(path.join(workspace, 'clusters/dumps'), { recursive: true });
    writeFileSync(path.join(workspace, 'clusters/dumps/host1.routes'), 'default via 10.0.0.1');
    writeFileSync(path.join(workspace, 'shared.routes'), 'shared');
    writeFileSync(path.join(outside, 'secret'), 'secret');
  });
  afterEach(() => rmSync(outside, { recursive: true, force: true }));

  const uri = (file: string): string => pathToFileURL(path.join(workspace, file)).href;
  const reader = (folders = [pathToFileURL(workspace).href]): ((file: string) => string | undefined) =>
    captureFiles(() => folders).readerFor(uri('clusters/demo.k8snet')).readFile ?? (() => undefined);

  test('are found from the document\'s folder, anywhere in its workspace folder', () => {
    expect(reader()('dumps/host1.routes')).toBe('default via 10.0.0.1');
    expect(reader()('../shared.routes')).toBe('shared');
  });

  test('are not read from outside of the workspace folder, nor through a link that leads out', () => {
    expect(reader()('../../secret')).toBeUndefined();
    expect(reader()(path.join(outside, 'secret'))).toBeUndefined();
    symlinkSync(path.join(outside, 'secret'), path.join(workspace, 'clusters/link'));
    expect(reader()('link')).toBeUndefined();
  });

  test('of a document outside of every workspace folder are beside or below it', () => {
    expect(reader([])('dumps/host1.routes')).toBe('default via 10.0.0.1');
    expect(reader([])('../shared.routes')).toBeUndefined();
  });

  test('that do not exist, or are folders, are undefined', () => {
    expect(reader()('missing')).toBeUndefined();
    expect(reader()('dumps')).toBeUndefined();
  });

  test('are read again once they change', () => {
    const read = reader();
    const file = path.join(workspace, 'clusters/dumps/host1.routes');
    read('dumps/host1.routes');
    writeFileSync(file, 'default via 10.0.0.2');
    utimesSync(file, 2_000_000_000, 2_000_000_000);
    expect(read('dumps/host1.routes')).toBe('default via 10.0.0.2');
  });

  test('are not read for a document that was never saved', () => {
    expect(captureFiles(() => [pathToFileURL(workspace).href]).readerFor('untitled:Untitled-1')).toEqual({});
  });
});
