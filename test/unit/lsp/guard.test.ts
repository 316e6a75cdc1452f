import { describe, expect, test } from 'vitest';
import { CancellationToken, ResponseError } from 'vscode-languageserver';
import type { Connection } from 'vscode-languageserver';
import { guardOf } from '../../../server/src/lsp/guard.ts';

function recording(): { readonly connection: Connection; readonly errors: string[]; readonly times: string[] } {
  const errors: string[] = [];
  const times: string[] = [];
  const connection = { console: { error: (text: string) => errors.push(text) }, tracer: { log: (text: string) => times.push(text) } };
  return { connection: connection as unknown as Connection, errors, times };
}

describe('what stands around every request', () => {
  test('an error is logged with the feature\'s name, and answered with null', () => {
    const { connection, errors } = recording();
    const answer = guardOf(connection).answer('hover', () => { throw new Error('no such node'); });
    expect(answer({}, CancellationToken.None)).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^hover failed: Error: no such node/);
  });

  test('an error in a notification ends with the notification', () => {
    const { connection, errors } = recording();
    expect(() => { guardOf(connection).heed('change', () => { throw new Error('lost'); })({}); }).not.toThrow();
    expect(errors[0]).toMatch(/^change failed: Error: lost/);
  });

  test('a request that was cancelled while it waited is not worked on', () => {
    const { connection } = recording();
    let worked = false;
    const answer = guardOf(connection).answer('hover', () => { worked = true; return 1; });
    expect(answer({}, CancellationToken.Cancelled)).toBeInstanceOf(ResponseError);
    expect(worked).toBe(false);
  });

  test('each answer\'s time goes to the trace log', () => {
    const { connection, times } = recording();
    guardOf(connection).answer('hover', () => 1)({}, CancellationToken.None);
    expect(times[0]).toMatch(/^hover: \d+\.\d ms$/);
  });
});
