/** The verdict engine against the exact one: every branch of a flow, by its choices in the same order. */
import { expect } from 'vitest';
import type { CompiledTopology } from '../../../engine/src/data-plane/compile.ts';
import { addressOf } from '../../../engine/src/data-plane/verdict/address-book.ts';
import { compileVerdicts } from '../../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, request, roundTrip, ruleOf, walk } from '../../../engine/src/data-plane/verdict/verdict.ts';
import type { FlowHandle, Runner, Verdict } from '../../../engine/src/data-plane/verdict/verdict.ts';
import { formatAddress } from '../../../engine/src/net/address.ts';
import { ROOT_NAMESPACE } from '../../../engine/src/topology/model.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import type { Branch, Hop } from '../../../engine/src/trace/model.ts';
import { REASON_CODES } from '../../../engine/src/trace/reasons.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';

/** One branch in the few words that both engines can say. */
export interface Said {
  readonly reason: string | null;
  readonly receiver: string | null;
  readonly seenAs: string | null;
  readonly answer: string;
  /** `table chain number`, in order, of the request. */
  readonly rules: readonly string[];
  readonly probability: number;
}

export interface Asking {
  readonly runner: Runner;
  readonly compiled: CompiledTopology;
}

export function asking(compiled: CompiledTopology): Asking {
  const runner = makeRunner(compileVerdicts(compiled));
  if (runner === null) throw new Error('a topology without a namespace');
  return { runner, compiled };
}

const endpoint = (address: string, port: number | null): string => (port === null ? address : `${address} ${port}`);

export const exactly = (compiled: CompiledTopology, flow: Flow): readonly Said[] => runTrace(compiled, flow).branches.map(saidByTrace);

function saidByTrace(branch: Branch): Said {
  const { deliveredTo, seenAs, answer } = branch;
  return {
    reason: branch.reason?.code ?? null,
    receiver: deliveredTo === null ? null : `${deliveredTo.kind} ${deliveredTo.name} ${endpoint(deliveredTo.address, deliveredTo.port)}`,
    seenAs: seenAs === null ? null : endpoint(seenAs.address, seenAs.port),
    answer: `${answer.kind} ${answer.from ?? ''} ${answer.ttl ?? ''}`,
    rules: rulesOf(branch.request.hops),
    probability: branch.probability,
  };
}

const rulesOf = (hops: readonly Hop[]): readonly string[] =>
  hops.flatMap((h) => h.steps).flatMap((s) => (s.stage === 'netfilter' && s.event === 'rule' ? [`${s.table} ${s.chain} ${s.number}`] : []));

/** `null`: the verdict engine gave up on one of the branches. */
export function quickly({ runner }: Asking, flow: Flow): readonly Said[] | null {
  const handle = prepare(runner, flow);
  if (handle === null) return null;
  const said: Said[] = [];
  for (let scripted = 0; ; ) {
    const one = ask(runner, handle, scripted);
    if (one === null) return null;
    said.push(one);
    const { chosen, chosenCount } = runner.scratch;
    let i = chosenCount - 1;
    while (i >= 0 && chosen[i] === 1) i--;
    if (i < 0) return said;
    chosen[i] = 1;
    scripted = i + 1;
  }
}

function ask(runner: Runner, handle: FlowHandle, scripted: number): Said | null {
  // Twice: walked, and then, where nothing asked for the sender's port, remembered from another connection.
  const first = request(runner, { ...handle, sourcePort: handle.sourcePort ^ 1 }, 0, scripted);
  const walked = first === null ? null : walk(runner, handle, 0, scripted);
  if (walked === null) return null;
  const said = { ...saidOf(runner, walked), rules: hitsOf(runner), probability: walked.probability[0] ?? Number.NaN };
  const again = request(runner, handle, 0, scripted);
  if (again === null) return null;
  const remembered = { ...saidOf(runner, again), rules: hitsOf(runner), probability: again.probability[0] ?? Number.NaN };
  expect(withoutAnswer(remembered)).toEqual(withoutAnswer(said));
  const both = roundTrip(runner, handle, 0, scripted);
  return both === null ? null : { ...said, ...saidOf(runner, both), probability: both.probability[0] ?? Number.NaN };
}

const withoutAnswer = ({ reason, receiver, seenAs, rules, probability }: Said): object => ({ reason, receiver, seenAs, rules, probability });

function hitsOf({ scratch }: Runner): readonly string[] {
  return [...scratch.hits.slice(0, scratch.hitCount)].map((hit) => {
    const rule = ruleOf(scratch.program, hit);
    if (rule === null) throw new Error(`no rule has the number ${hit}`);
    return `${rule.link.table.compiled.table.name} ${rule.link.code.chain.name} ${rule.index + 1}`;
  });
}

function saidOf({ scratch, answer }: Runner, verdict: Verdict): Omit<Said, 'rules' | 'probability'> {
  const text = (id: number): string => formatAddress(addressOf(scratch.book, id));
  const { arrived, receiver } = verdict;
  const ports = arrived.icmpType < 0;
  const delivered = verdict.reason < 0 && receiver !== null;
  const host = receiver?.compiled.host;
  const kind = host?.kind !== 'node' ? 'external' : receiver?.compiled.namespace.name === ROOT_NAMESPACE ? 'node' : 'pod';
  return {
    reason: verdict.reason < 0 ? null : (REASON_CODES[verdict.reason] ?? null),
    receiver: delivered ? `${kind} ${(kind === 'pod' ? receiver.compiled.namespace.name : host?.name) ?? ''} ${endpoint(text(arrived.destination), ports ? arrived.destinationPort : null)}` : null,
    seenAs: delivered ? endpoint(text(arrived.source), ports ? arrived.sourcePort : null) : null,
    answer: `${answer.kind} ${answer.from < 0 ? '' : text(answer.from)} ${answer.from < 0 ? '' : answer.ttl}`,
  };
}
