// Runs the mocha suite of test/e2e/extension in VS Code's extension host: desktop VS Code where it can be had
// (VSCODE_EXECUTABLE names one, or it can be downloaded and there is a display), else the VS Code server.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');
const bundle = path.join(root, 'out/e2e/suite.cjs');
const report = path.join(root, '.cache/e2e/extension.json');

async function canDownload() {
  if (process.platform === 'linux' && !process.env.DISPLAY) return false;
  try {
    return (await fetch('https://update.code.visualstudio.com/api/releases/stable', { signal: AbortSignal.timeout(3000) })).ok;
  } catch {
    return false;
  }
}

async function executable() {
  if (process.env.VSCODE_EXECUTABLE) return process.env.VSCODE_EXECUTABLE;
  return (await canDownload()) ? undefined : path.join(import.meta.dirname, 'code-shim.mjs');
}

/** `{ passed, failed }`; a test that did not run has failed. */
function counts() {
  try {
    const { stats } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: stats.passes, failed: stats.failures + stats.pending };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const workspace = mkdtempSync(path.join(os.tmpdir(), 'k8snet-workspace-'));
rmSync(report, { force: true });
mkdirSync(path.dirname(report), { recursive: true });
cpSync(path.join(root, 'examples'), workspace, { recursive: true });
cpSync(path.join(root, 'test/fixtures/recorded'), path.join(workspace, 'dump'), { recursive: true });
let ended = 0;
try {
  await build({
    absWorkingDir: root, entryPoints: ['test/e2e/extension/index.ts'], outfile: bundle, bundle: true, platform: 'node', format: 'cjs', target: 'node20',
    external: ['vscode', 'mocha'], sourcemap: 'inline', logLevel: 'warning',
  });
  await runTests({
    vscodeExecutablePath: await executable(), extensionDevelopmentPath: root, extensionTestsPath: bundle, launchArgs: [workspace],
    extensionTestsEnv: { K8SNET_REPORT: report },
  });
} catch (error) {
  console.error(String(error));
  ended = 1;
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
const { passed, failed } = counts();
// A suite that ended badly without a failed test did not say all it had to.
const lost = ended !== 0 && failed === 0 ? 1 : 0;
console.log(`${passed} passed, ${failed + lost} failed`);
process.exitCode = failed + lost === 0 ? 0 : 1;
