#!/usr/bin/env node
// `node webview/dev/serve.mjs [PORT]`: the panel in a plain browser, built anew at every load of the page.
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';

const here = import.meta.dirname;
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.json': 'application/json', '.js': 'text/javascript' };

async function bundle() {
  const built = await build({
    absWorkingDir: path.resolve(here, '../..'), entryPoints: ['webview/dev/page.mjs'], bundle: true, write: false, format: 'esm',
    target: 'es2022', sourcemap: 'inline', logLevel: 'silent',
  });
  return built.outputFiles[0].contents;
}

/** Built once, for tests. */
export function bundleOnce() {
  let built;
  return () => (built ??= bundle());
}

/** Listens on 127.0.0.1 only; port 0 takes a free one. `scenarios` adds `NAME.json` files to those of this folder. */
export async function serve(port = 0, scenarios = {}, script = bundle) {
  const server = createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname) || 'index.html';
    const scenario = name.endsWith('.json') ? scenarios[name.slice(0, -'.json'.length)] : undefined;
    const content = name === 'page.js' ? script() : scenario === undefined ? readFile(path.join(here, name)) : Promise.resolve(JSON.stringify(scenario));
    content.then(
      (body) => response.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? 'text/plain' }).end(body),
      (error) => response.writeHead(error.code === 'ENOENT' ? 404 : 500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((resolve) => server.close(resolve)) };
}

if (process.argv[1] === import.meta.filename) {
  const { url } = await serve(Number(process.argv[2] ?? 0));
  console.log(`${url}?scenario=service&theme=light`);
}
