/** What can be said of a failure by the trace alone, where no change is known that would mend it. */
import { formatAddress, sameAddress } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { SourceRef } from '../topology/origin.ts';
import { podElsewhere } from './around-service.ts';
import { inPlace, placeOf } from './candidate.ts';
import { networkSymptom } from './symptom-network.ts';
import { askedService } from './situation.ts';
import type { Situation } from './situation.ts';

export interface Symptom {
  readonly sentence: string;
  readonly at: SourceRef | null;
}

export function symptomOf(situation: Situation): Symptom {
  return serviceSymptom(situation) ?? networkSymptom(situation) ?? endSymptom(situation);
}

/** A service answers on its ports only. */
function serviceSymptom(situation: Situation): Symptom | undefined {
  const asked = askedService(situation);
  const { flow } = situation;
  const declared = situation.spec.services.find((s) => asked !== undefined && podName(s) === podName(asked.service));
  const elsewhere = declared === undefined ? undefined : podElsewhere(situation.spec, declared);
  if (declared !== undefined && elsewhere !== undefined && situation.reason?.code === 'rule-reject') {
    return { sentence: `The selector of service ${podName(declared)}${inPlace(declared.at)} selects no pod: ${podName(elsewhere)}${inPlace(elsewhere.at)} has its labels, but in another namespace. Move the service there, or ask one of that namespace.`, at: declared.at };
  }
  if (asked === undefined || asked.port !== undefined || !asked.service.clusterAddresses.some((a) => sameAddress(a, flow.destination))) return undefined;
  const at = placeOf(asked.service.origin);
  const ports = asked.service.ports.map((p) => `${p.port}/${p.protocol}`).join(', ') || 'none';
  const what = flow.protocol === 'ICMP' ? 'a ping is for no port' : `it has no port ${flow.destinationPort}/${flow.protocol}`;
  return { sentence: `${formatAddress(flow.destination)} is the cluster IP of service ${podName(asked.service)}${inPlace(at)}, which answers on its ports only (${ports}): ${what}.`, at };
}

function endSymptom({ last, reason, branch }: Situation): Symptom {
  const end = last?.steps.findLast((s) => s.stage === 'drop' || s.stage === 'undecided');
  const by = end !== undefined && end.source.file !== undefined && end.source.line !== undefined ? end : last?.steps.findLast((s) => 'layer' in s.source && s.stage !== 'conntrack');
  const source = by?.source;
  const at = source?.file === undefined || source.line === undefined ? null : { file: source.file, line: source.line };
  const sentence = reason?.sentence ?? (branch.answer.kind === 'icmp' ? 'The sender gets an ICMP error instead of an answer.' : 'Nothing is sent in answer.');
  return { sentence: at === null || end === undefined ? sentence : `${sentence.replace(/\.$/, '')}${inPlace(at)}.`, at };
}
