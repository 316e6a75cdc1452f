/**
 * Who reaches whom under a policy, as whole truth tables of three namespaces with three pods each. The situations are those
 * that Kubernetes holds network plugins to (test/e2e/network/netpol); the tables are reasoned from the API's words.
 */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

interface Pod {
  readonly colour: string;
  readonly app: string;
}

const COLOURS = ['red', 'green', 'blue'];
const PODS: readonly Pod[] = COLOURS.flatMap((colour) => ['api', 'db', 'job'].map((app) => ({ colour, app })));
const addressOf = (pod: Pod): string => `10.244.${1 + (PODS.indexOf(pod) % 2)}.${10 + PODS.indexOf(pod)}`;

const CLUSTER = `
cluster { pod-cidr 10.244.0.0/16 }
network lan 192.168.9.0/24
node n1 { address 192.168.9.1/24 on lan; pod-cidr 10.244.1.0/24 }
node n2 { address 192.168.9.2/24 on lan; pod-cidr 10.244.2.0/24 }
${COLOURS.map((colour) => `namespace ${colour} { labels colour=${colour} }`).join('\n')}
${PODS.map((p) => `pod ${p.colour}/${p.app} on n${1 + (PODS.indexOf(p) % 2)} { ip ${addressOf(p)}; labels app=${p.app}; port first 80; port second 81; port first-udp 80/UDP }`).join('\n')}
`;

/** Lines of what arrives, `red/api -> green/db`; nobody is kept from himself, so that is left out. */
function reached(policies: string, port: string): readonly string[] {
  const topology = createSnapshot({ file: 'policy.k8snet', text: CLUSTER + policies }).topology();
  const compiled = compileTopology(topology);
  return pairs((from, to) => {
    const resolved = resolveQuestion(topology, { from: `${from.colour}/${from.app}`, to: `${addressOf(to)}:${port}` });
    if (!('flow' in resolved)) throw new Error(resolved.error);
    return runTrace(compiled, resolved.flow).branches.every((b) => b.outcome === 'delivered');
  });
}

type Passes = (from: Pod, to: Pod) => boolean;

const pairs = (passes: Passes): readonly string[] =>
  PODS.flatMap((from) => PODS.filter((to) => to !== from && passes(from, to)).map((to) => `${from.colour}/${from.app} -> ${to.colour}/${to.app}`));

const is = (pod: Pod, colour: string, ...apps: readonly string[]): boolean => pod.colour === colour && (apps.length === 0 || apps.includes(pod.app));

/** What holds for one pod that is shut, and for all others everything does. */
const into = (isShut: (to: Pod) => boolean, isLetIn: (from: Pod) => boolean): Passes => (from, to) => !isShut(to) || isLetIn(from);
const outOf = (isShut: (from: Pod) => boolean, isLetOut: (to: Pod) => boolean): Passes => (from, to) => !isShut(from) || isLetOut(to);

const redApi = (pod: Pod): boolean => is(pod, 'red', 'api');
const red = (pod: Pod): boolean => is(pod, 'red');
const nobody = (): boolean => false;
const everybody = (): boolean => true;

const onApi = (rules: string): string => `network-policy red/p { pods app=api; ${rules} }`;

const SITUATIONS: readonly (readonly [string, string, string, Passes])[] = [
  ['nothing is let into a namespace', 'network-policy red/p { }', '80/TCP', into(red, nobody)],
  ['the same of UDP', 'network-policy red/p { }', '80/UDP', into(red, nobody)],
  ['nothing is let in or out', 'network-policy red/p { types Ingress, Egress }', '80/TCP', (f, t) => !red(f) && !red(t)],
  ['nothing is let out of one pod', onApi('types Egress'), '80/TCP', outOf(redApi, nobody)],
  ['nothing is let out of a namespace', 'network-policy red/p { types Egress }', '80/TCP', outOf(red, nobody)],
  ['everything is let in', 'network-policy red/p { ingress { } }', '80/TCP', everybody],
  ['pods of the own namespace are let in', 'network-policy red/p { ingress { from pods } }', '80/TCP', into(red, red)],
  ['a pod of the own namespace is let in by its label', onApi('ingress { from pods app=db }'), '80/TCP', into(redApi, (f) => is(f, 'red', 'db'))],
  ['either of two labels is let in', onApi('ingress { from pods app=db; from pods app=job }'), '80/TCP', into(redApi, (f) => is(f, 'red', 'db', 'job'))],
  ['a namespace is let in by its label', onApi('ingress { from namespaces colour=green }'), '80/TCP', into(redApi, (f) => is(f, 'green'))],
  ['a namespace is let in by the name that every one has', onApi('ingress { from namespaces kubernetes.io/metadata.name=green }'), '80/TCP', into(redApi, (f) => is(f, 'green'))],
  ['namespaces are let in by an expression', onApi('ingress { from namespaces colour notin (red, blue) }'), '80/TCP', into(redApi, (f) => is(f, 'green'))],
  ['pods in namespaces are let in', onApi('ingress { from namespaces colour notin (red) pods app=db }'), '80/TCP', into(redApi, (f) => !red(f) && f.app === 'db')],
  ['several pods in namespaces are let in', onApi('ingress { from namespaces colour notin (red) pods app in (db, job) }'), '80/TCP', into(redApi, (f) => !red(f) && f.app !== 'api')],
  ['one pod of another namespace is let in', onApi('ingress { from namespaces colour=green pods app=api }'), '80/TCP', into(redApi, (f) => is(f, 'green', 'api'))],
  ['a namespace, or pods of the own one', onApi('ingress { from namespaces colour=green; from pods app=db }'), '80/TCP', into(redApi, (f) => is(f, 'green') || is(f, 'red', 'db'))],
  ['a namespace is let in at one port', onApi('ingress { from namespaces colour=green; port 81 }'), '81/TCP', into(redApi, (f) => is(f, 'green'))],
  ['and at no other port', onApi('ingress { from namespaces colour=green; port 81 }'), '80/TCP', into(redApi, nobody)],
  ['policies add up', `${onApi('ingress { from namespaces colour=green; port 81 }')}\n${onApi('ingress { from namespaces colour=green; port 80 }').replace('red/p', 'red/q')}`, '80/TCP', into(redApi, (f) => is(f, 'green'))],
  ['one that allows everything outweighs one that allows a port', 'network-policy red/p { ingress { port 80 } }\nnetwork-policy red/q { ingress { } }', '81/TCP', everybody],
  ['the same on the way out', 'network-policy red/p { types Egress; egress { port 80 } }\nnetwork-policy red/q { types Egress; egress { } }', '81/TCP', everybody],
  ['a port is let in by its name', 'network-policy red/p { ingress { port second } }', '81/TCP', everybody],
  ['and no other port', 'network-policy red/p { ingress { port second } }', '80/TCP', into(red, nobody)],
  ['a name of the other protocol does not hold', 'network-policy red/p { ingress { port first-udp } }', '80/UDP', into(red, nobody)],
  ['a namespace is let in at a name', onApi('ingress { from namespaces colour=green; port first }'), '80/TCP', into(redApi, (f) => is(f, 'green'))],
  ['a name is let out, wherever it leads', 'network-policy red/p { types Egress; egress { port first } }', '80/TCP', everybody],
  ['and no other', 'network-policy red/p { types Egress; egress { port first } }', '81/TCP', outOf(red, nobody)],
  ['a range of ports is let out', 'network-policy red/p { types Egress; egress { port 79-80 } }', '80/TCP', everybody],
  ['and its end is its end', 'network-policy red/p { types Egress; egress { port 79-80 } }', '81/TCP', outOf(red, nobody)],
  ['one pod is let in, and one port out', onApi('ingress { from pods app=db }; egress { port 80 }'), '80/TCP', into(redApi, (f) => is(f, 'red', 'db'))],
  ['and no other out', onApi('ingress { from pods app=db }; egress { port 80 }'), '81/TCP', (f, t) => !redApi(f) && (!redApi(t) || is(f, 'red', 'db'))],
  ['out is let to one pod of another namespace', onApi('types Egress; egress { to namespaces colour=green pods app=api }'), '80/TCP', outOf(redApi, (t) => is(t, 'green', 'api'))],
  ['the sender’s policy counts, whatever the receiver’s allows', `${onApi('types Egress; egress { to namespaces colour=green pods app=api }')}
network-policy green/a { pods app=api; ingress { from namespaces colour=red pods app=api } }
network-policy green/b { pods app=db; ingress { from namespaces colour=red pods app=api } }`, '80/TCP',
  (f, t) => (redApi(f) ? is(t, 'green', 'api') : !is(t, 'green', 'api', 'db'))],
  ['a whole protocol is let in', onApi('ingress { port */TCP }'), '80/TCP', everybody],
  ['and not another', onApi('ingress { port */TCP }'), '80/UDP', into(redApi, nobody)],
  ['a port of SCTP is none of TCP', onApi('ingress { port 81/SCTP }'), '81/TCP', into(redApi, nobody)],
  ['a port of UDP is none of TCP', onApi('ingress { port 81/UDP }'), '81/TCP', into(redApi, nobody)],
  ['out is let to an address', onApi(`types Egress; egress { to ip-block ${addressOf(PODS[4]!)}/32 }`), '80/TCP', outOf(redApi, (t) => is(t, 'green', 'db'))],
  ['out is let to a block but for an address', onApi(`types Egress; egress { to ip-block 0.0.0.0/4 except ${addressOf(PODS[1]!)}/32 }`), '80/TCP', outOf(redApi, (t) => !is(t, 'red', 'db'))],
  ['what one rule excepts another may allow', onApi(`types Egress; egress { to ip-block 0.0.0.0/4 except ${addressOf(PODS[1]!)}/32 }; egress { to ip-block ${addressOf(PODS[1]!)}/32 }`), '80/TCP', everybody],
  ['out and in are judged apart', `${onApi('types Egress; egress { }')}\n${onApi('').replace('red/p', 'red/q')}`, '80/TCP', into(redApi, nobody)],
];

describe('who reaches whom where', () => {
  it.each(SITUATIONS)('%s', (_, policies, port, passes) => {
    expect(reached(policies, port)).toEqual(pairs(passes));
  });
});

describe('a name that two pods give to different ports', () => {
  const TWO = `${CLUSTER}
pod red/old on n1 { ip 10.244.1.50; labels app=twin; port web 8080 }
pod red/new on n2 { ip 10.244.2.50; labels app=twin; port web 9090 }
network-policy red/p { pods app=twin; ingress { port web } }
network-policy green/q { types Egress; egress { port web } }
`;
  const passes = (from: string, to: string): boolean => {
    const topology = createSnapshot({ file: 'policy.k8snet', text: TWO }).topology();
    const resolved = resolveQuestion(topology, { from, to });
    if (!('flow' in resolved)) throw new Error(resolved.error);
    return runTrace(compileTopology(topology), resolved.flow).branches.every((b) => b.outcome === 'delivered');
  };

  it('holds for each pod’s own, on the way in and out', () => {
    const targets = ['10.244.1.50:8080', '10.244.1.50:9090', '10.244.2.50:8080', '10.244.2.50:9090'];
    expect(targets.map((to) => passes('blue/api', to))).toEqual([true, false, false, true]);
    expect(targets.map((to) => passes('green/api', to))).toEqual([true, false, false, true]);
    expect(passes('green/api', `${addressOf(PODS[6]!)}:80`)).toBe(false);
  });
});
