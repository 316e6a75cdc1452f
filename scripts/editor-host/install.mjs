// Installs a real VS Code from npm alone: the VS Code server that `code-server` carries, and the Node that it needs.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, SetupError, step } from '../setup/step.mjs';
import { replaceNatives } from './natives.mjs';

const here = import.meta.dirname;
const RECIPE = ['package.json', 'package-lock.json', 'install.mjs', 'natives.mjs'];
const NODE_MAJOR = 24;

/** Big, and only for agents, containers, terminals and the debugging of JavaScript. */
const UNUSED = [
  'node_modules/@github', 'node_modules/@microsoft/mxc-sdk', 'node_modules/@devcontainers', 'node_modules/node-pty', 'node_modules/ssh2',
  'node_modules/cpu-features', 'extensions/copilot', 'extensions/ms-vscode.js-debug', 'extensions/ms-vscode.js-debug-companion',
  'extensions/ms-vscode.vscode-js-profile-table',
];

export function hostFolder(root) {
  return path.join(root, '.cache/editor-host');
}

/** `{ node, vscode }`: the Node binary, and the folder of the VS Code server. */
export function hostPaths(root) {
  const modules = path.join(hostFolder(root), 'node_modules');
  return { node: nodeBinary(modules), vscode: path.join(modules, 'code-server/lib/vscode') };
}

function nodeBinary(modules) {
  const bundled = path.join(modules, `node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(bundled)) return bundled;
  if (Number(process.versions.node.split('.')[0]) === NODE_MAJOR) return process.execPath;
  throw new SetupError(`The editor in the browser needs Node ${NODE_MAJOR} on ${process.platform}-${process.arch}, and this is Node ${process.versions.node}. ` +
    `Run it with Node ${NODE_MAJOR}, or use an installed VS Code: npm start -- --desktop`);
}

function recipe() {
  const hash = createHash('sha256');
  for (const file of RECIPE) hash.update(readFileSync(path.join(here, file)));
  return hash.digest('hex');
}

function prune(stage, vscode) {
  for (const name of UNUSED) rmSync(path.join(vscode, name), { recursive: true, force: true });
  // code-server's own process is not used, the VS Code server inside it is.
  const modules = path.join(stage, 'node_modules');
  for (const name of readdirSync(modules)) {
    if (name !== 'code-server' && !name.startsWith('node-linux-')) rmSync(path.join(modules, name), { recursive: true, force: true });
    else if (name.startsWith('node-linux-')) for (const folder of ['include', 'share']) rmSync(path.join(modules, name, folder), { recursive: true, force: true });
  }
}

async function install(stage) {
  const npm = { wayOut: 'It needs the npm registry: check the network or npm\'s proxy settings, then run the same command again.' };
  // code-server asks for Node 24 even of who only unpacks it, and `npm start` hands this project's engine-strict down.
  const quiet = ['--ignore-scripts', '--no-engine-strict', '--no-audit', '--no-fund'];
  mkdirSync(stage, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(path.join(here, file), path.join(stage, file));
  await run('npm', ['ci', ...quiet], { ...npm, cwd: stage });
  const vscode = path.join(stage, 'node_modules/code-server/lib/vscode');
  // Not `npm ci`: the shrinkwrap that code-server ships lacks a package.
  await run('npm', ['install', '--omit=dev', ...quiet], { ...npm, cwd: vscode });
  replaceNatives(vscode);
  prune(stage, vscode);
}

export async function ensureEditorHost(root) {
  const folder = hostFolder(root);
  const stamp = path.join(folder, '.installed');
  const wanted = recipe();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step('VS Code for the browser (code-server and Node from npm, about 200 MB to download)', async () => {
    const stage = `${folder}.${process.pid}`;
    try {
      await install(stage);
      writeFileSync(path.join(stage, '.installed'), wanted);
      rmSync(folder, { recursive: true, force: true });
      renameSync(stage, folder);
    } finally {
      rmSync(stage, { recursive: true, force: true });
    }
  });
  hostPaths(root);
}
