/** `k8snet trace`: one question, or many from a file. */
import { captureOf } from '../../engine/src/trace/capture.ts';
import { tcpFlagsOf } from '../../engine/src/trace/flow.ts';
import type { Trace } from '../../engine/src/trace/model.ts';
import { renderTrace } from '../../engine/src/trace/text.ts';
import { explanationLines } from '../../engine/src/verify/explanation-text.ts';
import type { ExplainedTrace, Explanation } from '../../engine/src/verify/explanation.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { ask, inject, unanswered, why } from './ask.ts';
import type { Unanswered } from './ask.ts';
import { coloured } from './colour.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { traceFlows } from './flows.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { load, sayErrors } from './load.ts';

const HELP = `k8snet trace FILE --from SRC --to DST[:PORT][/PROTOCOL] [--size BYTES] [--json] [--pcap OUT]
k8snet trace FILE --flows FLOWS.jsonl
k8snet trace FILE --at HOST --in IFACE --src A[:P] --dst B[:P][/PROTOCOL] [--json] [--pcap OUT]

Follows a packet hop by hop, and what comes back. SRC and DST are pods, nodes, services, externals, DNS names or
addresses: pod1, kube-system/kube-dns:53/UDP, web.shop:80, [fd00::1]:80/TCP. Without a port it is a ping; a port
without a protocol is TCP. Where the packet does not arrive, or its answer does not come back, the root cause and what
would mend it stand at the end.
  --json          the trace as JSON (docs/trace.schema.json)
  --pcap OUT      also writes the packets at every interface as a pcapng file
  --size BYTES    of the IP packet, headers included; of TCP a segment of data behind the handshake, and its answer
  --flows FILE    traces many: a line {"from": …, "to": …, "size": …} in, a line of JSON out, in order; - is stdin.
                  A line that cannot be asked gives {"from", "to", "error"} and exit code 1 at the end
  --flags FLAGS   a TCP segment with these flags instead of a SYN: ack, fin,ack, rst …
  --at, --in, --src, --dst
                  a packet from one address to another, as if it had just arrived at that interface of a node, pod,
                  router or external

Exit codes: 0 whatever became of the packet, 1 a bad line in FLOWS, 2 wrong usage, an unknown name, or a file that
cannot be read.
`;

export const trace: Command = { name: 'trace', usage: 'FILE --from SRC --to DST[:PORT][/PROTOCOL]', summary: 'follows a packet hop by hop, and what comes back', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, {
    from: { type: 'string' }, to: { type: 'string' }, json: { type: 'boolean' }, pcap: { type: 'string' }, flows: { type: 'string' },
    at: { type: 'string' }, in: { type: 'string' }, src: { type: 'string' }, dst: { type: 'string' }, flags: { type: 'string' }, size: { type: 'string' },
  });
  const { from, to, pcap, flows, at, in: device, src, dst } = values;
  if (positionals.length > 1) throw new UsageError(`one file is traced at a time, and ${positionals.length} are named`);
  const output = { json: values.json === true, pcap: pcap ?? null };
  const flags = flagsOf(values.flags);
  const size = sizeOf(values.size);
  if (values.flags !== undefined && flows !== undefined) throw new UsageError('--flags takes one trace: give --from and --to');
  if (values.size !== undefined && flows !== undefined) throw new UsageError('--size takes one trace: give --from and --to, or "size" in a line of the flows');
  const place = { '--at': at, '--in': device, '--src': src, '--dst': dst };
  if (Object.values(place).some((value) => value !== undefined)) {
    const missing = Object.entries(place).find(([, value]) => value === undefined);
    if (from !== undefined || to !== undefined || flows !== undefined) throw new UsageError('--at, --in, --src and --dst stand for --from and --to; leave these out');
    if (missing !== undefined) throw new UsageError(`${missing[0]} is missing: --at HOST --in INTERFACE --src ADDRESS[:PORT] --dst ADDRESS[:PORT][/PROTOCOL] belong together`);
    if (values.size !== undefined) throw new UsageError('--size is of a conversation: give --from and --to');
    const injected = { at: at ?? '', interface: device ?? '', source: src ?? '', destination: dst ?? '', ...flags };
    return tell(only(load(positionals, io)), (snapshot) => inject(snapshot, injected), (snapshot) => why(snapshot, injected), output, io);
  }
  if (flows !== undefined) {
    if (from !== undefined || to !== undefined) throw new UsageError('--flows stands for --from and --to; leave these out');
    if (pcap !== undefined) throw new UsageError('--pcap takes one trace: give --from and --to');
    return traceFlows(only(load(positionals, io)), flows, io);
  }
  if (from === undefined || to === undefined) throw new UsageError(`${from === undefined ? '--from' : '--to'} is missing: say who sends, and to whom`);
  const question = { from, to, ...flags, ...size };
  return tell(only(load(positionals, io)), (snapshot) => ask(snapshot, question), (snapshot) => why(snapshot, question), output, io);
}

function flagsOf(text: string | undefined): { readonly flags?: number } {
  if (text === undefined) return {};
  const flags = tcpFlagsOf(text);
  if (flags === undefined) throw new UsageError(`--flags ${text} is none: write names out of fin, syn, rst, psh, ack, urg, with commas between`);
  return { flags };
}

function sizeOf(text: string | undefined): { readonly size?: number } {
  if (text === undefined) return {};
  if (!/^\d{1,5}$/.test(text)) throw new UsageError(`--size ${text} is no number of bytes`);
  return { size: Number(text) };
}

const only = (snapshots: readonly Snapshot[]): Snapshot => {
  const [snapshot] = snapshots;
  if (snapshot === undefined) throw new Error('no file was loaded');
  return snapshot;
};

interface Output {
  readonly json: boolean;
  readonly pcap: string | null;
}

async function tell(snapshot: Snapshot, question: (snapshot: Snapshot) => Trace | Unanswered, reason: (snapshot: Snapshot) => Explanation | null, output: Output, io: Io): Promise<ExitCode> {
  sayErrors(snapshot, io);
  const answer = question(snapshot);
  if ('error' in answer) throw new UsageError(unanswered(answer));
  const problem = output.pcap === null ? null : io.writeFile(output.pcap, captureOf(answer));
  if (problem !== null) throw new UsageError(problem);
  const explanation = reason(snapshot);
  const text = `${renderTrace(answer)}${explanation === null ? '' : `\n${explanationLines(explanation).join('\n')}\n`}`;
  const explained: ExplainedTrace = explanation === null ? answer : { ...answer, explanation };
  await io.out(output.json ? `${JSON.stringify(explained, null, 2)}\n` : io.colour ? coloured(text) : text);
  return EXIT.clean;
}
