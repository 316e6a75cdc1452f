/** What VS Code calls to run the suite. Mocha's report goes to the file that K8SNET_REPORT names. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, reporter: 'spec' });
  mocha.suite.emit('pre-require', globalThis, null, mocha);
  // After pre-require, which is what defines `describe` and `it`.
  await import('./suite.ts');
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.once('end', () => {
      const file = process.env['K8SNET_REPORT'];
      if (file !== undefined) writeFileSync(file, JSON.stringify({ stats: runner.stats }));
    });
  });
  if (failures > 0) throw new Error(`${failures} failed`);
}
