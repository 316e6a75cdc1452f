/**
 * Why a packet ended where it did: every reason has a code, an anchor in `docs/outcomes.md`, and a sentence that names
 * the thing, the place and the way out.
 */
import type { Outcome, Reason } from './model.ts';

type Sentences = Readonly<Record<string, readonly [Exclude<Outcome, 'delivered'>, (p: Details) => string]>>;

/** `where` is the namespace as `host1` or `pod default/pod1`; `what` the thing itself. */
export interface Details {
  readonly where: string;
  readonly what?: string;
  readonly device?: string;
  readonly address?: string;
  readonly rule?: string;
}

const q = (text: string | undefined): string => `\`${text ?? ''}\``;

const SENTENCES = {
  'no-route': ['unreachable', (p) => `${p.where} has no route to ${p.address}; add one, or a default route.`],
  'route-unreachable': ['unreachable', (p) => `${p.where} refuses ${p.address} by the route ${q(p.rule)}.`],
  'route-prohibit': ['rejected', (p) => `${p.where} prohibits ${p.address} by the route ${q(p.rule)}.`],
  'route-blackhole': ['dropped', (p) => `${p.where} throws away what goes to ${p.address} by the route ${q(p.rule)}.`],
  'neighbour-failed': ['unreachable', (p) => `Nobody answers ${p.where} for ${p.address} on ${p.device}; is that address up, and in the same segment?`],
  'no-such-destination': ['unreachable', (p) => `${p.address} is ${p.what}, and it left ${p.where} by ${p.device}; the world beyond throws it away without a word.`],
  'name-unresolved': ['unreachable', (p) => `${p.where} learns no address of ${p.what}, as its question to ${p.address} gets no answer: ${p.rule}.`],
  'unexpected-source': ['dropped', (p) => `${p.where} waits for an answer from ${p.address} and gets one from ${p.what}, so its socket ignores it.`],
  'not-for-the-sender': ['dropped', (p) => `${p.where} gets an ICMP error about a packet of its own (${p.what}); the sender of the packet inside learns nothing.`],
  'no-socket': ['dropped', (p) => `${p.what} reaches ${p.where}, which has sent nothing that this answers.`],
  'not-forwarding': ['dropped', (p) => `${p.where} does not forward: ${p.what} is 0, and ${p.address} is not its own address.`],
  'martian-source': ['dropped', (p) => `${p.where} takes ${p.address} for no possible source of a packet from ${p.device}: ${p.what}.`],
  'martian-destination': ['dropped', (p) => `${p.where} takes no packet for ${p.address} from ${p.device}: ${p.what}.`],
  'rp-filter': ['dropped', (p) => `${p.where} would answer ${p.address} by another device than ${p.device}, and its rp_filter is ${p.what}; set it to 0 or 2, or mend the route.`],
  'ttl-exceeded': ['dropped', (p) => `The TTL ran out on ${p.where}.`],
  'routing-loop': ['looped', (p) => `The TTL ran out on ${p.where}, which had forwarded the same packet before: the routes send it in a circle, ${p.what}.`],
  'bridge-loop': ['looped', (p) => `The frame goes round between bridges and comes to ${p.device} on ${p.where} again, by ${p.what}: two ports lead to the same segment, and only one may.`],
  'tunnel-loop': ['looped', (p) => `The outer packet of ${p.device} on ${p.where} is routed into a tunnel again; the route to ${p.address} must leave by the underlay.`],
  'needs-fragmenting': ['rejected', (p) => `The packet is larger than the MTU of ${p.what} of ${p.device} on ${p.where}, and it may not be fragmented.`],
  'over-mtu': ['dropped', (p) => `${p.device} on ${p.where} takes no frame above its MTU of ${p.what}.`],
  'rule-drop': ['dropped', (p) => `The rule ${q(p.rule)} on ${p.where} drops it.`],
  'policy-drop': ['dropped', (p) => `The policy of ${p.what} on ${p.where} is DROP, and no rule before it decided.`],
  'rule-reject': ['rejected', (p) => `The rule ${q(p.rule)} on ${p.where} rejects it.`],
  'network-policy': ['dropped', (p) => `${p.what}, and no rule allows ${p.rule}.`],
  'network-policy-undefined': ['undecided', (p) => `${p.what}, and ${p.rule}.`],
  'nat-no-ports': ['dropped', (p) => `${p.where} finds no free port for ${p.what}.`],
  'port-closed': ['rejected', (p) => `Nothing listens on ${p.what} in ${p.where}.`],
  'no-connection': ['rejected', (p) => `${p.where} listens on ${p.what}, and has no connection from ${p.address} that the segment could belong to.`],
  'echo-ignored': ['dropped', (p) => `${p.where} is told to ignore pings (${p.what}).`],
  'protocol-unsupported': ['dropped', (p) => `${p.where} has no use for ${p.what}.`],
  'other-host': ['dropped', (p) => `The frame is for ${p.what}, which nobody on the segment of ${p.device} has.`],
  'hairpin-off': ['dropped', (p) => `The bridge ${p.what} on ${p.where} sends no frame back to the port it came from, as hairpin is off on ${p.device}.`],
  'port-isolated': ['dropped', (p) => `The bridge port ${p.device} on ${p.where} is isolated, as is the port the frame came from.`],
  'no-bridge-port': ['dropped', (p) => `The bridge ${p.what} on ${p.where} has no other port to send the frame to.`],
  'device-down': ['dropped', (p) => `${p.device} on ${p.where} is down.`],
  'no-peer': ['dropped', (p) => `${p.device} on ${p.where} is connected to nothing.`],
  'dummy-device': ['dropped', (p) => `${p.device} on ${p.where} is a dummy device: it throws away what it is given.`],
  'fdb-missing': ['dropped', (p) => `${p.device} on ${p.where} has no forwarding entry for ${p.what}, so it drops the frame without a word; flannel adds one for each lease.`],
  'no-lease': ['unreachable', (p) => `flanneld on ${p.where} knows no lease that contains ${p.address}.`],
  'l3miss-unanswered': ['unreachable', (p) => `flanneld on ${p.where} is asked for ${p.address} and knows no lease that contains it.`],
  'vni-unknown': ['dropped', (p) => `${p.where} has no vxlan device with VNI ${p.what}, so it drops the packet without a word.`],
  'vxlan-own-mac': ['dropped', (p) => `${p.device} on ${p.where} gets a frame with its own MAC as the source: two hosts have the same VTEP MAC.`],
  'no-source-address': ['unreachable', (p) => `${p.where} has no address to send from by ${p.device}.`],
  'conntrack-clash': ['dropped', (p) => `Another flow on ${p.where} already has the same conntrack tuple (${p.what}).`],
  'match-unknown': ['undecided', (p) => `Whether the rule ${q(p.rule)} on ${p.where} matches depends on ${p.what}.`],
  'target-unknown': ['undecided', (p) => `The rule ${q(p.rule)} on ${p.where} matches, and its target ${q(p.what)} is not known to the simulator.`],
  'ruleset-order': ['undecided', (p) => `${p.where} has rules for ${p.what} in both iptables-legacy and iptables-nft; no dump tells which the kernel asks first, and ${p.rule}. Flush one of the two.`],
  'chain-missing': ['undecided', (p) => `The rule ${q(p.rule)} on ${p.where} leads to the chain ${p.what}, which is not there.`],
  'chain-loop': ['undecided', (p) => `The rule ${q(p.rule)} on ${p.where} leads back into the chain ${p.what}; the kernel refuses such a table.`],
  'jump-depth': ['undecided', (p) => `The chains of ${p.what} on ${p.where} are nested too deep.`],
  'target-misplaced': ['undecided', (p) => `The rule ${q(p.rule)} on ${p.where} cannot stand where it stands (${p.what}); the kernel refuses such a table.`],
  'proxy-mode-unknown': ['undecided', (p) => `${p.what === 'other' || p.what === 'of-labelled-services' ? `Another program than kube-proxy translates ${p.what === 'other' ? 'services' : 'this service'} on ${p.where}, which is not simulated` : `kube-proxy on ${p.where} runs in the mode ${p.what}, which is not simulated yet`}, so what becomes of ${p.address} cannot be told.`],
  'plugin-unknown': ['undecided', (p) => `Pods are connected by ${p.what}, which is not simulated, so what becomes of a packet from ${p.where} to ${p.address} cannot be told.`],
  'policy-rule-unknown': ['undecided', (p) => `The policy rule ${q(p.rule)} on ${p.where} is not known to the simulator.`],
  'route-unknown': ['undecided', (p) => `The route ${q(p.rule)} on ${p.where} ${p.what}, which the simulator does not model.`],
  'fdb-unknown': ['undecided', (p) => `The forwarding entry ${q(p.rule)} of ${p.device} on ${p.where} leads by a ${p.what}, which the simulator does not model.`],
  'device-unknown': ['undecided', (p) => `Nothing tells what ${p.device} on ${p.where} is; paste \`ip -d link\` into \`links { }\`, or declare it as an interface.`],
  'beyond-the-file': ['undecided', (p) => `Nothing in the file says what has ${p.address}; declare \`external NAME ${p.address}\`.`],
  'group-destination': ['undecided', (p) => `${p.address} is a group, and ${p.what}.`],
  'group-not-joined': ['dropped', (p) => `${p.where} does not belong to the group ${p.address}.`],
  'group-unheard': ['dropped', (p) => `Nothing on ${p.where} listens on ${p.what} for ${p.address}; about what goes to everyone nobody is told.`],
  'group-connection': ['unreachable', (p) => `${p.what} connects to one address, not to ${p.address}: connect() on ${p.where} says ENETUNREACH.`],
  'group-frame': ['dropped', (p) => `The packet for ${p.address} came to ${p.device} on ${p.where} in a frame for everyone, and such packets are not forwarded.`],
  'too-many-branches': ['undecided', () => 'There are more branches than are worth following; the rest is left open.'],
  'too-many-rules': ['undecided', (p) => `The rules of the table ${p.what} on ${p.where} lead to so many others that the simulator stopped at ${q(p.rule)}.`],
  'too-many-hops': ['undecided', (p) => `The packet was still under way on ${p.where} when the simulator stopped following it.`],
  'no-sender': ['undecided', (p) => `There is no namespace ${p.where} that could send.`],
} as const satisfies Sentences;

export type ReasonCode = keyof typeof SENTENCES;

export const REASON_CODES = Object.keys(SENTENCES) as readonly ReasonCode[];

export const reason = (code: ReasonCode, details: Details): Reason => ({ code, sentence: SENTENCES[code][1](details) });

export const outcomeOf = (code: ReasonCode): Exclude<Outcome, 'delivered'> => SENTENCES[code][0];
