/** Flows that a node knew, as the commands of conntrack(8) that enter them again. */
import { formatAddress } from '../net/address.ts';
import type { Namespace } from '../topology/model.ts';
import type { ConntrackRecord, ConntrackTuple } from '../topology/netfilter.ts';

/** One command a flow, without a newline; entered after the rules, so that nat knows of it. */
export const flowCommands = ({ conntrack }: Namespace): string[] => conntrack.map(command);

/** What nobody renews is gone after ten minutes. */
const SECONDS = 600;

function command(flow: ConntrackRecord): string {
  const { original, reply, protocol, zones } = flow;
  const translatedTo = (address: ConntrackTuple['source'], port: number | undefined, option: string): string[] =>
    [`--${option} ${port === undefined ? formatAddress(address) : address.family === 6 ? `[${formatAddress(address)}]:${port}` : `${formatAddress(address)}:${port}`}`];
  const differs = (a: ConntrackTuple['source'], aPort: number | undefined, b: ConntrackTuple['source'], bPort: number | undefined): boolean => formatAddress(a) !== formatAddress(b) || aPort !== bPort;
  const status = [...(flow.seenReply ? ['SEEN_REPLY'] : []), ...(flow.assured ? ['ASSURED'] : [])];
  return [
    `conntrack -I -p ${protocol} -s ${formatAddress(original.source)} -d ${formatAddress(original.destination)} -t ${SECONDS}`,
    ...(original.ports === null ? [] : [`--sport ${original.ports.source} --dport ${original.ports.destination}`]),
    ...(original.icmp === null ? [] : [`--icmp${flow.family === 6 ? 'v6' : ''}-type ${original.icmp.type} --icmp${flow.family === 6 ? 'v6' : ''}-code ${original.icmp.code} --icmp${flow.family === 6 ? 'v6' : ''}-id ${original.icmp.id}`]),
    ...(flow.state === null ? [] : [`--state ${flow.state}`]),
    ...(status.length === 0 ? [] : [`-u ${status.join(',')}`]),
    ...(flow.mark === 0 ? [] : [`-m ${flow.mark}`]),
    ...(zones.original === zones.reply ? (zones.original === 0 ? [] : [`-w ${zones.original}`]) : zones.original === 0 ? [`--reply-zone ${zones.reply}`] : [`--orig-zone ${zones.original}`]),
    ...(differs(reply.destination, reply.ports?.destination, original.source, original.ports?.source) ? translatedTo(reply.destination, reply.ports?.destination, 'src-nat') : []),
    ...(differs(reply.source, reply.ports?.source, original.destination, original.ports?.destination) ? translatedTo(reply.source, reply.ports?.source, 'dst-nat') : []),
  ].join(' ');
}
