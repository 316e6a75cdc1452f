/** What stands around every request and notification: timing, cancellation, and an error's end. */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type { CancellationToken, Connection } from 'vscode-languageserver';

export interface Guard {
  /** An error in one feature never kills the server: it is logged with the feature's name and answered with `null`. */
  answer<P, R>(name: string, work: (params: P) => R | null): (params: P, token: CancellationToken) => R | null | ResponseError;
  heed<P>(name: string, work: (params: P) => void): (params: P) => void;
  /** For what the server does by itself, later. */
  attempt(name: string, work: () => void): void;
  readonly report: (name: string, error: unknown) => void;
}

export function guardOf(connection: Connection): Guard {
  function report(name: string, error: unknown): void {
    connection.console.error(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  function timed<R>(name: string, work: () => R): R | undefined {
    const began = performance.now();
    try {
      return work();
    } catch (error) {
      report(name, error);
      return undefined;
    } finally {
      connection.tracer.log(`${name}: ${(performance.now() - began).toFixed(1)} ms`);
    }
  }
  return {
    answer: (name, work) => (params, token) => {
      if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, `${name}: cancelled`);
      return timed(name, () => work(params)) ?? null;
    },
    heed: (name, work) => (params) => {
      timed(name, () => work(params));
    },
    attempt: (name, work) => {
      timed(name, work);
    },
    report,
  };
}
