/** A step's place, its state in the tool's own notation, and where that came from, in words. */
import { assertNever } from '../../../engine/src/assert-never.ts';
import type { Step, StepSource } from '../../../engine/src/trace/model.ts';

/** The netfilter hook; for other stages their name. */
export function placeOfStep(step: Step): string {
  switch (step.stage) {
    case 'netfilter': case 'nat': case 'conntrack': return step.hook;
    case 'route': return step.table === 254 ? 'route' : `route · table ${step.table === 255 ? 'local' : step.table}`;
    case 'policy-rule': return 'ip rule';
    case 'source-check': return 'source check';
    case 'icmp-error': return 'ICMP error';
    case 'network-policy': return `${step.direction} policy`;
    case 'path-mtu': return 'path MTU';
    case 'fdb': return 'FDB';
    case 'name': return 'DNS';
    case 'send': case 'neighbour': case 'bridge': case 'forward': case 'encapsulate': case 'decapsulate': case 'fragment':
    case 'deliver': case 'drop': case 'assumption': case 'undecided': return step.stage;
    default: return assertNever(step);
  }
}

/** `null` where the sentence says it all. */
export function quotedText(step: Step): string | null {
  switch (step.stage) {
    case 'name': return `${step.query} → ${step.answer}`;
    case 'policy-rule': return step.rule;
    case 'route': return step.route;
    case 'neighbour': return step.mac === null ? null : `${step.address} lladdr ${step.mac}`;
    case 'fdb': return step.destination === null ? step.mac : `${step.mac} dst ${step.destination}`;
    case 'netfilter': return step.rule;
    case 'nat': return `${step.before} → ${step.after}`;
    case 'network-policy': return step.policies.join(', ');
    case 'path-mtu': return `${step.destination} mtu ${step.mtu}`;
    case 'conntrack': return step.reply === '' ? null : `expects the reply ${step.reply}`;
    case 'send': case 'source-check': case 'bridge': case 'forward': case 'encapsulate': case 'decapsulate': case 'fragment':
    case 'icmp-error': case 'deliver': case 'drop': case 'assumption': case 'undecided': return null;
    default: return assertNever(step);
  }
}

/** `link` names the line, where there is one; `rest` says what the state is. */
export function sourceText(source: StepSource): { readonly link: string; readonly rest: string } {
  const link = source.file === undefined || source.line === undefined ? '' : `${baseName(source.file)}:${source.line}`;
  return { link, rest: 'derivedBy' in source ? `derived by ${source.derivedBy} — ${source.because}` : source.layer };
}

const baseName = (file: string): string => file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
