#!/usr/bin/env node
// Stands in for the `code` executable where desktop VS Code cannot run: takes the arguments that
// @vscode/test-electron passes, and runs the same suite in the extension host of the VS Code server, with the
// system's Chromium as its window. Ends with the suite's exit code.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import { openWindow } from '../../scripts/editor-host/browser.mjs';
import { address, serve } from '../../scripts/editor-host/serve.mjs';

const WATCHDOG_MS = 180_000;

const root = path.resolve(import.meta.dirname, '../..');
const given = process.argv.slice(2);
const valueOf = (name) => given.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const folder = path.resolve(given.find((argument) => !argument.startsWith('-')) ?? '.');

/** The workbench logs much that says nothing about the extension; mocha's report comes as the extension host's console. */
const isOurs = (text) => !/^\[?(AgentHost|AccountPolicyGate|reconnection-grace-time|Service Worker)|^(Resolv|Creating a socket|Updating additional|Timed out waiting for authentication provider|getaddrinfo|Creation of workbench contribution|No search provider registered|Not Found: Error)/.test(text);

async function suiteIn(page, server) {
  const remote = (name) => [name, `vscode-remote://${server.authority}${path.resolve(valueOf(name))}`];
  const ended = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`no result after ${WATCHDOG_MS / 1000} s`), WATCHDOG_MS);
    timer.unref();
    void page.exposeFunction('codeAutomationExit', (code) => resolve(code));
    page.on('crash', () => resolve('the page crashed'));
  });
  await page.exposeFunction('codeAutomationLog', (level, args) => {
    const text = format(...args);
    if (isOurs(text)) (level === 'error' ? process.stderr : process.stdout).write(`${text}\n`);
  });
  await page.goto(address(server, { folder, extra: [remote('extensionDevelopmentPath'), remote('extensionTestsPath'), ['skipWelcome', 'true']] }));
  return ended;
}

const server = await serve({ root, smokeTestDriver: true });
let code = 1;
let window;
try {
  window = await openWindow();
  const result = await suiteIn(window.page, server);
  if (typeof result === 'number') code = result;
  else {
    const shots = path.join(root, '.cache/e2e');
    mkdirSync(shots, { recursive: true });
    await window.page.screenshot({ path: path.join(shots, 'extension-timeout.png') });
    console.error(`${result}\n${server.output().slice(-4000)}`);
  }
} finally {
  await window?.browser.close();
  await server.stop();
}
process.exit(code);
