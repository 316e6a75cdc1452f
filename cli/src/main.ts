/** The process: arguments in, exit code out. */
import { EXIT } from './io.ts';
import { nodeIo } from './node-io.ts';
import { run } from './program.ts';

// The reader has gone (`k8snet … | head`): nothing is left to say, and nobody to say it to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  process.exitCode = await run(process.argv.slice(2), nodeIo());
} catch (error) {
  process.stderr.write(`k8snet: this is a fault of k8snet itself, not of your file; please report it with the file.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = EXIT.bug;
}
