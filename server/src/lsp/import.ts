/** The answer to the request to import a folder: files of it and nothing outside, whatever links lead there. */
import { importFolder } from '../language/import/import.ts';
import { captureFiles } from './capture-files.ts';
import type { ImportParams, ImportResult } from './protocol.ts';

export function imported({ folder }: ImportParams): ImportResult {
  const plain = folder.replace(/\/$/, '');
  const { listFolder, readFile } = captureFiles(() => [plain]).readerFor(`${plain}/cluster.k8snet`);
  return importFolder({
    listFolder: listFolder ?? (() => []),
    readFile: (path) => {
      const text = readFile?.(path);
      return text === undefined ? { problem: 'it cannot be read: it is larger than 64 MB, no file, or a link that leaves the folder' } : { text };
    },
  }, '');
}
