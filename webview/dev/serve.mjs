#!/usr/bin/env node
// `node webview/dev/serve.mjs [PORT]`: the panel in a plain browser, with the scenarios of scenarios.json; built anew at
// every load of the page.
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';

const here = import.meta.dirname;
const root = path.resolve(here, '../..');
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.json': 'application/json', '.js': 'text/javascript' };
const named = JSON.parse(await readFile(path.join(here, 'scenarios.json'), 'utf8'));

async function bundle(entry, platform) {
  const built = await build({
    absWorkingDir: root, stdin: { contents: entry, resolveDir: root, loader: 'js' }, bundle: true, write: false, format: 'esm',
    platform, target: 'es2022', logLevel: 'silent',
  });
  return built.outputFiles[0].text;
}

const scripts = {
  'page.js': () => bundle("import './webview/dev/page.mjs'", 'browser'),
  'simulator.js': () => bundle("import './webview/src/simulator/worker.ts'", 'browser'),
};

/** What a file says, as the server sends it. */
async function specOf(file) {
  const text = await readFile(path.join(root, file), 'utf8');
  // The language asks nothing of Node.
  const code = await bundle("export { createSnapshot } from './server/src/language/snapshot.ts'", 'browser');
  const { createSnapshot } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  return createSnapshot({ file, text }).spec();
}

async function scenarioOf(name, given) {
  if (given[name] !== undefined) return given[name];
  const { file, from, to } = named[name];
  const said = { spec: await specOf(file), expectations: [] };
  return { file, said: deflateRawSync(JSON.stringify(said)).toString('base64'), question: { from, to } };
}

/** Built once, for tests. */
export function bundleOnce() {
  const built = {};
  return Object.fromEntries(Object.entries(scripts).map(([name, make]) => [name, () => (built[name] ??= make())]));
}

/** Listens on 127.0.0.1 only; port 0 takes a free one. `scenarios` are served beside the named ones, as NAME.json. */
export async function serve(port = 0, scenarios = {}, made = scripts) {
  const contentOf = (name) => {
    if (made[name] !== undefined) return made[name]();
    if (name.endsWith('.json')) return scenarioOf(name.slice(0, -'.json'.length), scenarios).then((scenario) => JSON.stringify(scenario));
    return readFile(path.join(here, name));
  };
  const server = createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname) || 'index.html';
    contentOf(name).then(
      (body) => response.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? 'text/plain' }).end(body),
      (error) => response.writeHead(error.code === 'ENOENT' ? 404 : 500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((resolve) => server.close(resolve)) };
}

if (process.argv[1] === import.meta.filename) {
  const { url } = await serve(Number(process.argv[2] ?? 0));
  for (const name of Object.keys(named)) console.log(`${url}?scenario=${name}&theme=dark`);
}
