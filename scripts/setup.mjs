#!/usr/bin/env node
// Makes a fresh clone ready: npm packages, the editor that serves the examples and the tests, the programs that the
// tests need, and the build. Each part looks first whether there is anything to do. Uses Node's own modules only,
// because it runs before `npm ci`. `node scripts/setup.mjs start` leaves out what only the tests need.
import path from 'node:path';
import { ensureEditorHost } from './editor-host/install.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { run, SetupError } from './setup/step.mjs';
import { ensureSystem } from './setup/system.mjs';

export const root = path.resolve(import.meta.dirname, '..');

const OLDEST_NODE = 20;

async function build() {
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root, wayOut: 'The source has an error at the place named above.' });
}

/** What each purpose needs, in order. */
const PURPOSES = {
  desktop: [() => ensurePackages(root), build],
  start: [() => ensurePackages(root), () => ensureEditorHost(root), build],
  test: [() => ensureSystem(), () => ensurePackages(root), () => ensureEditorHost(root), build],
};

export async function setUp(purpose) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) throw new SetupError(`k8snet needs Node ${OLDEST_NODE} or newer; this is ${process.version}.`);
  for (const part of PURPOSES[purpose]) await part();
}

/** Runs a script's main function; a failure that the reader can mend is shown without a stack. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof SetupError ? `\n${error.message}` : error);
    process.exit(1);
  }
}

if (import.meta.filename === process.argv[1]) {
  const purpose = process.argv[2] ?? 'test';
  await main(async () => {
    if (!(purpose in PURPOSES)) throw new SetupError(`usage: node scripts/setup.mjs [${Object.keys(PURPOSES).join('|')}]`);
    await setUp(purpose);
    console.log('Ready.');
  });
}
