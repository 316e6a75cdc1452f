/** The command line as users run it: built, in a package of its own, and started as a process. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

export const root = path.resolve(import.meta.dirname, '../../..');

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface BuiltCli {
  /** The folder that the commands run in. */
  readonly folder: string;
  readonly run: (args: readonly string[], input?: string) => Run;
  /** Writes a file into the folder, and gives its name. */
  readonly file: (name: string, content: string | Uint8Array) => string;
}

/** Builds before the tests of a file and cleans up behind them. */
export function builtCli(): BuiltCli {
  const home = mkdtempSync(path.join(tmpdir(), 'k8snet-cli-'));
  const folder = path.join(home, 'work');
  beforeAll(async () => {
    mkdirSync(folder);
    mkdirSync(path.join(home, 'cli/bin'), { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(home, 'package.json'));
    cpSync(path.join(root, 'cli/bin/k8snet.mjs'), path.join(home, 'cli/bin/k8snet.mjs'));
    await build({
      absWorkingDir: root, entryPoints: ['cli/src/main.ts'], outfile: path.join(home, 'dist/cli.js'),
      bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'silent',
      // As scripts/language-alias.mjs has it.
      alias: { yaml: path.join(root, 'node_modules/yaml/browser/index.js') },
    });
  }, 60_000);
  afterAll(() => rmSync(home, { recursive: true }));
  return {
    folder,
    run: (args, input = '') => {
      const result = spawnSync(process.execPath, [path.join(home, 'cli/bin/k8snet.mjs'), ...args], { cwd: folder, input, encoding: 'utf8', timeout: 20_000, maxBuffer: 1 << 28 });
      return { code: result.status, out: result.stdout, err: result.stderr };
    },
    file: (name, content) => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
      return name;
    },
  };
}
