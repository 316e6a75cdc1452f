// Serves the VS Code workbench on 127.0.0.1.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hostPaths } from './install.mjs';

const START_MS = 60_000;
const STOP_MS = 5_000;

/** A quiet editor: no welcome, no network, nothing beside the file. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  // A reload brings back what was open, although the address names a file to open.
  'window.restoreWindows': 'preserve',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'update.showReleaseNotes': false,
  'git.enabled': false,
  // A panel stands beside the file: its lines, and the notes at their ends, need the width.
  'editor.minimap.enabled': false,
};

function argumentsFor({ vscode, folders, port, token, smokeTestDriver }) {
  return [
    path.join(vscode, 'out/server-main.js'), '--host', '127.0.0.1', '--port', String(port), '--accept-server-license-terms',
    ...(token === undefined ? ['--without-connection-token'] : ['--connection-token', token]),
    // Without it the workbench ignores the extension development and test paths of the address.
    ...(smokeTestDriver ? ['--enable-smoke-test-driver'] : []),
    '--server-data-dir', folders.server, '--user-data-dir', folders.user, '--extensions-dir', folders.extensions,
    '--disable-workspace-trust', '--disable-telemetry',
  ];
}

function listening(child, output) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the editor did not start in ${START_MS / 1000} s\n${output().slice(-2000)}`)), START_MS);
    const look = () => {
      const port = /Extension host agent listening on (\d+)/.exec(output())?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the editor ended with ${code} as it started\n${output().slice(-2000)}`));
    });
  });
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}

/** The extension as the working tree has it, installed under its folder's link. */
function link(root, extensions) {
  const { publisher, name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  symlinkSync(root, path.join(extensions, `${publisher}.${name}-${version}`), 'dir');
}

/**
 * `state`: a folder to keep settings in; without it a temporary one, gone at the end.
 * `extension`: 'linked' installs the working tree; 'kept' leaves what is in `state`.
 */
export async function serve({ root, state, extension = 'kept', port = 0, token, smokeTestDriver = false }) {
  const { node, vscode } = hostPaths(root);
  const base = state ?? mkdtempSync(path.join(os.tmpdir(), 'k8snet-editor-'));
  const folders = { server: path.join(base, 'server'), user: path.join(base, 'data'), extensions: path.join(base, 'extensions') };
  if (extension === 'linked') rmSync(folders.extensions, { recursive: true, force: true });
  for (const folder of [folders.extensions, path.join(folders.user, 'User')]) mkdirSync(folder, { recursive: true });
  if (extension === 'linked') link(root, folders.extensions);
  const file = path.join(folders.user, 'User/settings.json');
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(SETTINGS, null, 2)}\n`);

  const child = spawn(node, argumentsFor({ vscode, folders, port, token, smokeTestDriver }), { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk) => { text = (text + String(chunk)).slice(-64_000); };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const output = () => text;
  const end = async () => {
    await stop(child);
    if (state === undefined) rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const actual = await listening(child, output);
    return { url: `http://127.0.0.1:${actual}`, authority: `127.0.0.1:${actual}`, folders, child, output, stop: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The workbench's address, with a folder open and perhaps a file. `extra`: further pairs of the workbench's payload. */
export function address(server, { folder, file, token, extra = [] }) {
  const payload = [...(file === undefined ? [] : [['openFile', `vscode-remote://${server.authority}${file}`]]), ...extra];
  const query = new URLSearchParams({ ...(token === undefined ? {} : { tkn: token }), folder, payload: JSON.stringify(payload) });
  return `${server.url}/?${query}`;
}
