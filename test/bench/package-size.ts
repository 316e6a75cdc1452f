/** The size of the extension's package, where `npm run package` has made one. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from './row.ts';

export const packageSize: Bench = {
  name: 'package size',
  rows: ({ root }) =>
    readdirSync(root).filter((name) => name.endsWith('.vsix')).map((name) => {
      const value = statSync(path.join(root, name)).size / 1e6;
      return { name: 'VSIX', value, unit: 'MB', ratio: null, against: null, goal: '< 1.5 MB', holds: value < 1.5 };
    }),
};
