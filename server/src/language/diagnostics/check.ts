/** What a check sees: one version of the file, its names bound. */
import type { FileLookup } from '../bind/capture-content.ts';
import type { FileModel } from '../bind/file-model.ts';
import type { Names } from '../bind/names.ts';
import type { Diagnostic } from './define.ts';

export interface CheckInput {
  readonly text: string;
  readonly model: FileModel;
  readonly names: Names;
  readonly files: FileLookup;
}

export type Check = (input: CheckInput) => Iterable<Diagnostic>;
