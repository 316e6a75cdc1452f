// One step of the set-up: says what it does, stays quiet while it works, shows the tool's output only where it fails.
import { spawn } from 'node:child_process';

/** A failure that the reader can mend: shown without a stack. */
export class SetupError extends Error {}

const HEARTBEAT_MS = 10_000;
const SHOWN_ON_FAILURE = 8_000;

export async function step(title, work) {
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  console.log(`• ${title} …`);
  const heartbeat = setInterval(() => console.log(`  still working on it, ${seconds()}`), HEARTBEAT_MS);
  try {
    await work();
    console.log(`  done in ${seconds()}`);
  } finally {
    clearInterval(heartbeat);
  }
}

/** Runs a command to its end; rejects with the end of its output and `wayOut`, a sentence for the reader. */
export function run(command, args, { cwd, env, wayOut }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => { output = (output + String(chunk)).slice(-64_000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => reject(new SetupError(`${command} does not start: ${error.message}. ${wayOut}`)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new SetupError(`${output.slice(-SHOWN_ON_FAILURE)}\n${[command, ...args].join(' ')} ended with ${signal ?? code}. ${wayOut}`));
    });
  });
}
