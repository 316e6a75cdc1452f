/** A command of the command line, and the reading of its arguments. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';

export interface Command {
  readonly name: string;
  /** What stands behind the name. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `k8snet NAME --help`. */
  readonly help: string;
  readonly run: (args: readonly string[], io: Io) => Promise<ExitCode>;
}

type Options = NonNullable<ParseArgsConfig['options']>;

type Read<T extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>;

/** Strict: an unknown option or a missing value is the caller's mistake, and is named. */
export function readArguments<const T extends Options>(args: readonly string[], options: T): Read<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) throw new UsageError(plain(error.message));
    throw error;
  }
}

/** Node's first sentence says what is wrong; the rest is about positional arguments with a dash. */
const plain = (message: string): string => message.split(/\.\s/)[0]?.replace(/\.$/, '') ?? message;
