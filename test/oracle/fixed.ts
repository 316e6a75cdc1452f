/** Files and questions that stay: what the kernel does with them is what the simulator says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tcpFlagsOf } from '../../engine/src/trace/flow.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { compare } from './judge.ts';
import { startKernel } from './kernel.ts';
import type { Observation, Tables } from './kernel.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Sender and receiver, by file, and the flags of a TCP segment that is no SYN. */
export type Questions = Readonly<Record<string, readonly (readonly [from: string, to: string, flags?: string])[]>>;

/** One test a question. */
export function judgeFixed(asked: Questions): void {
  describe.each(Object.keys(asked))('%s in the kernel', (name) => {
    const file = path.join(root, name);
    const snapshot = createSnapshot({ file, text: readFileSync(file, 'utf8') });
    const questions = asked[name] ?? [];
    const flows = questions.map(([from, to, flags]): Flow => {
      const answer = resolveQuestion(snapshot.topology(), { from, to });
      if (!('flow' in answer)) throw new Error(answer.error);
      return flags === undefined ? answer.flow : { ...answer.flow, tcpFlags: tcpFlagsOf(flags) ?? 0 };
    });
    const observe = async (tables: Tables): Promise<readonly Observation[]> => {
      const kernel = startKernel(0, tables);
      const observations = await kernel.observe(snapshot.topology(), flows, 1);
      kernel.stop();
      return observations;
    };
    let observations: readonly Observation[] = [];
    beforeAll(async () => {
      observations = await observe('legacy');
    }, 180_000);

    it.each(questions.map(([from, to, flags], i) => [`${from} -> ${to}${flags === undefined ? '' : `, ${flags}`}`, i] as const))('%s', (_question, i) => {
      const observation = observations[i];
      const flow = flows[i];
      if (observation === undefined || flow === undefined) throw new Error('no observation');
      expect(compare(snapshot.topology(), flow, runTrace(snapshot.compiled(), flow), observation).differences).toEqual([]);
    });

    it('does the same with its rules in nftables', async () => {
      const seen = await observe('nft');
      const differences = flows.flatMap((flow, i) => {
        const observation = seen[i];
        if (observation === undefined) throw new Error('no observation');
        return compare(snapshot.topology(), flow, runTrace(snapshot.compiled(), flow), observation).differences.map((difference) => `${questions[i]?.join(' -> ') ?? ''}: ${difference}`);
      });
      expect(differences).toEqual([]);
    }, 180_000);
  });
}
