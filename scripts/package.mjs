#!/usr/bin/env node
// `npm run package`: builds, and packs the extension into k8snet-VERSION.vsix.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { main, root } from './setup.mjs';
import { run, SetupError } from './setup/step.mjs';

const LARGEST_BYTES = 1.5 * 1024 * 1024;

/** The path of the package. */
export async function packageExtension() {
  const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const vsix = path.join(root, `${name}-${version}.vsix`);
  const wayOut = 'The output above names what is wrong.';
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root, wayOut });
  // Everything is bundled, so no dependencies; the README's links stay as they are, since it is read where they work.
  const options = ['--no-dependencies', '--no-rewrite-relative-links', '--allow-missing-repository', '--out', vsix];
  await run(process.execPath, ['node_modules/@vscode/vsce/vsce', 'package', ...options], { cwd: root, wayOut });
  const { size } = statSync(vsix);
  if (size > LARGEST_BYTES) throw new SetupError(`${path.basename(vsix)} has ${size} bytes, more than ${LARGEST_BYTES}: find out with "npx vsce ls" what got in.`);
  return { vsix, size };
}

if (import.meta.filename === process.argv[1]) {
  await main(async () => {
    const { vsix, size } = await packageExtension();
    console.log(`${path.relative(process.cwd(), vsix)}: ${Math.round(size / 1024)} KB`);
  });
}
