#!/usr/bin/env node
// `npm start`: sets up what is missing and opens the editor with the article's cluster, in a browser on this machine.
//   npm start -- --port 8423     at this port
//   npm start -- --desktop       in an installed VS Code
//   npm start -- --no-open       only print the address
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { address, serve } from './editor-host/serve.mjs';
import { main, root, setUp } from './setup.mjs';
import { SetupError } from './setup/step.mjs';

// Always the same while it is free: the browser keeps the editor's layout by address.
const USUAL_PORT = 8423;

function options() {
  try {
    return parseArgs({ options: { port: { type: 'string' }, desktop: { type: 'boolean' }, 'no-open': { type: 'boolean' } } }).values;
  } catch (error) {
    throw new SetupError(`${error.message}\nusage: npm start -- [--port N] [--desktop] [--no-open]`);
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function choosePort(wanted) {
  if (wanted === undefined) {
    if (await isFree(USUAL_PORT)) return USUAL_PORT;
    console.log(`Port ${USUAL_PORT} is in use, so a free one is taken.`);
    return 0;
  }
  const port = Number(wanted);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new SetupError(`--port ${wanted}: a port is a number from 1 to 65535.`);
  if (!(await isFree(port))) throw new SetupError(`Port ${port} is in use. Choose another, or leave --port out to get a free one.`);
  return port;
}

function openBrowser(url) {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  spawn(opener, [url], { stdio: 'ignore', detached: true }).on('error', () => {}).unref();
}

async function inBrowser(values) {
  await setUp('start');
  const token = randomBytes(24).toString('hex');
  const state = path.join(root, '.cache/editor');
  const server = await serve({ root, state, extension: 'linked', port: await choosePort(values.port), token });
  const folder = path.join(root, 'examples');
  const url = address(server, { folder, file: path.join(folder, 'article.k8snet'), token });
  console.log(`\nThe editor with the article's cluster, until Ctrl+C:\n\n  ${url}\n`);
  if (!values['no-open']) openBrowser(url);
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void server.stop().then(() => process.exit(0));
    });
  }
  server.child.once('exit', (code) => {
    if (stopping) return;
    console.error(`${server.output().slice(-4000)}\nThe editor ended by itself (${code}). Start it again with npm start.`);
    process.exit(1);
  });
}

async function inDesktop() {
  const code = process.env.VSCODE_EXECUTABLE ?? 'code';
  if (spawnSync(code, ['--version'], { stdio: 'ignore' }).error) {
    throw new SetupError(`VS Code's command "${code}" is not on the path. In VS Code run "Shell Command: Install 'code' command in PATH", ` +
      'or set VSCODE_EXECUTABLE to it, or use the editor in the browser: npm start');
  }
  await setUp('desktop');
  const folder = path.join(root, 'examples');
  const child = spawn(code, [`--extensionDevelopmentPath=${root}`, '--new-window', folder, path.join(folder, 'article.k8snet')], { stdio: 'ignore', detached: true });
  child.unref();
  console.log('VS Code opens with the article\'s cluster.');
}

await main(async () => {
  const values = options();
  if (values.desktop) await inDesktop();
  else await inBrowser(values);
});
