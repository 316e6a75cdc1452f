/** What is sent to a name: the cluster's DNS has to answer first, and the name has to be one. */
import { describe, expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

const FILE = `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { address 192.168.93.211/24 on lan; pod-cidr 10.244.1.0/24 }
node host2 { address 192.168.93.212/24 on lan; pod-cidr 10.244.2.0/24 }
pod client on host1 { ip 10.244.1.10; labels app=client }
pod lonely on host1 { ip 10.244.1.11; search corp.local }
pod own on host1 { ip 10.244.1.12; dns-policy Default }
pod shop/api on host2 { ip 10.244.2.30; labels app=api; listen 80/TCP }
pod kube-system/dns on host2 { ip 10.244.2.53; labels k8s-app=kube-dns; listen 53/UDP }
service shop/api { cluster-ip 10.96.0.30; port 80/TCP; selector app=api }
service kube-system/kube-dns { cluster-ip 10.96.0.10; port dns 53/UDP; selector k8s-app=kube-dns }
namespace shop { labels team=shop }
`;

const open = (text: string): Snapshot => createSnapshot({ file: 'x.k8snet', text });

/** The sentence, the repairs' titles, and what the expectations say after each. */
function judged(text: string) {
  const snapshot = open(text);
  const [verdict] = snapshot.verdicts();
  const repairs = verdict?.explanation?.repairs ?? [];
  const after = repairs.map(({ edits }) => open(applyFix(text, { title: '', edits: repairEdits(snapshot, edits) ?? [] })).verdicts().map((v) => v.passed));
  return { passed: verdict?.passed, sentence: verdict?.sentence, causes: verdict?.explanation?.causes.map((c) => c.sentence), titles: repairs.map((r) => r.title), after, verdict };
}

describe('where DNS does not answer', () => {
  const EGRESS = 'network-policy lock { pods app=client; egress { to namespaces team=shop } }\n';

  it('nothing is sent to a name, and the policy that shuts out port 53 is the cause', () => {
    const { sentence, causes, titles, after, verdict } = judged(`${FILE}${EGRESS}expect client -> api.shop:80 delivered\n`);
    expect(sentence).toMatch(/^It is unreachable: pod default\/client learns no address of api\.shop\.svc\.cluster\.local, as its question to 10\.96\.0\.10:53\/UDP gets no answer/);
    expect(causes).toEqual([expect.stringMatching(/^api\.shop\.svc\.cluster\.local gets no address: Network policy default\/lock .*egress.*kube-system\/dns/) as string]);
    expect(titles[0]).toMatch(/egress \{ to namespaces kubernetes\.io\/metadata\.name=kube-system pods k8s-app=kube-dns; port 53\/UDP \}/);
    expect(after).toEqual([[true]]);
    expect(verdict?.trace?.branches[0]?.reason?.code).toBe('name-unresolved');
  });

  it('an address needs none', () => {
    expect(judged(`${FILE}${EGRESS}expect client -> 10.96.0.30:80 delivered\n`).passed).toBe(true);
    expect(judged(`${FILE}${EGRESS}expect client -> shop/api:80 delivered\n`).passed).toBe(true);
  });

  it('pods of it that are not ready are the cause', () => {
    const { causes, after } = judged(`${FILE.replace('labels k8s-app=kube-dns;', 'labels k8s-app=kube-dns; not-ready;')}expect client -> api.shop:80 delivered\n`);
    expect(causes).toEqual([expect.stringMatching(/kube-system\/dns is not ready/) as string]);
    expect(after).toEqual([[true]]);
  });

  it('causes behind it are found, too', () => {
    const { causes } = judged(`${FILE.replace('labels app=api;', 'labels app=api; not-ready;')}${EGRESS}expect client -> api.shop:80 delivered\n`);
    expect(causes).toEqual([expect.stringMatching(/gets no address: Network policy/) as string, expect.stringMatching(/^shop\/api is not ready/) as string]);
  });

  it('one of two that is down delays only', () => {
    const text = `${FILE}pod kube-system/dns2 on host1 { ip 10.244.1.53; labels k8s-app=kube-dns; listen 54/UDP }\nexpect client -> api.shop:80 delivered\n`;
    const { passed, verdict } = judged(text);
    expect(passed).toBe(true);
    expect(verdict?.trace?.branches[0]?.request.hops[0]?.steps.find((s) => s.stage === 'assumption' && s.sentence.includes('questions'))?.sentence).toMatch(/^50 % of the questions to 10\.96\.0\.10:53\/UDP get no answer/);
  });
});

describe('a name that is none', () => {
  it.each([
    ['client -> api.default:80', 'api.shop'],
    ['client -> api.default.svc:80', 'api.shop.svc'],
    ['client -> api.default.svc.cluster.local:80', 'api.shop.svc.cluster.local'],
    ['client -> api.shop.svc.corp.local:80', 'api.shop.svc.cluster.local'],
    ['client -> api:80', 'shop/api'],
    ['cleint -> api.shop:80', 'client'],
    ['lonely -> api.shop:80', 'api.shop.svc.cluster.local'],
  ])('expect %s is mended by %s', (question, name) => {
    const { passed, titles, after } = judged(`${FILE}expect ${question} delivered\n`);
    expect(passed).toBe(false);
    expect(titles[0]).toMatch(new RegExp(`^write '${name.replaceAll('.', '\\.')}' instead of '`));
    expect(after.every((passes) => passes[0] === true)).toBe(true);
  });

  it('of the cluster, where the pod asks the node\'s name server, is told', () => {
    expect(judged(`${FILE}expect own -> api.shop:80 delivered\n`).sentence).toMatch(/^pod default\/own does not ask the cluster's DNS/);
  });
});
