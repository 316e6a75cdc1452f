/** What a service offers, whom it selects and where it sends: the edit that a person would make comes first. */
import { describe, expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

const FILE = `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { address 192.168.93.211/24 on lan; pod-cidr 10.244.1.0/24 }
pod client on host1 { ip 10.244.1.10; labels app=client }
pod web on host1 { ip 10.244.1.20; labels app=web; listen 8080/TCP }
service web { cluster-ip 10.96.0.30; port http 80/TCP -> 8080; selector app=web }
`;

function judged(text: string) {
  const snapshot = createSnapshot({ file: 'x.k8snet', text });
  const [verdict] = snapshot.verdicts();
  const repairs = (verdict?.explanation?.repairs ?? []).map(({ title, edits }) => {
    const after = applyFix(text, { title, edits: repairEdits(snapshot, edits) ?? [] });
    return { title, passes: createSnapshot({ file: 'x.k8snet', text: after }).verdicts()[0]?.passed };
  });
  return { sentence: verdict?.sentence, causes: verdict?.explanation?.causes.map((c) => c.sentence) ?? [], repairs };
}

describe('a port that the service does not have', () => {
  it('is written as one that it has, or added where its pods listen on it', () => {
    const { causes, repairs } = judged(`${FILE}expect client -> service/web:8080 delivered\n`);
    expect(causes).toEqual(['Service default/web (x.k8snet:5) has no port 8080/TCP, on which web (x.k8snet:4) listens: it answers on 80/TCP.']);
    expect(repairs).toEqual([
      { title: "write 'service/web:80' instead of 'service/web:8080'", passes: true },
      { title: 'let service default/web offer 8080/TCP, too', passes: true },
    ]);
  });

  it('is not added where nothing listens on it', () => {
    expect(judged(`${FILE}expect client -> service/web:443/TCP delivered\n`).repairs).toEqual([{ title: "write 'service/web:80' instead of 'service/web:443'", passes: true }]);
  });
});

describe('a policy that shuts out the port that a service sends to', () => {
  const WRONG = FILE.replace('-> 8080', '-> 9090');

  it('is right where it allows the port that the pod listens on: the target is mended', () => {
    const { causes, repairs } = judged(`${WRONG}network-policy p { pods app=web\n ingress { port 8080/TCP } }\nexpect client -> service/web:80 delivered\n`);
    expect(causes).toEqual(['Service default/web sends 80/TCP to port 9090 (x.k8snet:5), and web listens on 8080/TCP.']);
    expect(repairs).toEqual([{ title: 'let service default/web send to port 8080', passes: true }]);
  });
});

describe('a service that nobody is behind', () => {
  it('is told of the pod in another namespace that it would select, and of no other pod', () => {
    const { causes, repairs } = judged(`${FILE.replace('pod web', 'pod shop/web')}expect client -> service/web:80 delivered\n`);
    expect(causes).toEqual([expect.stringMatching(/^The selector of service default\/web \(x\.k8snet:5\) selects no pod: shop\/web \(x\.k8snet:4\) has its labels, but in another namespace\./) as string]);
    expect(repairs).toEqual([]);
  });

  it('has no address by its DNS name either where it is headless', () => {
    const { sentence } = judged(`${FILE.replace('cluster-ip 10.96.0.30', 'cluster-ip None').replace('selector app=web', 'selector app=nobody')}expect client -> web.default.svc.cluster.local:80 delivered\n`);
    expect(sentence).toBe('The service web is headless and has no ready endpoint, so its name has no address.');
  });
});

describe('a service that nothing programs, with another fault behind it', () => {
  it('has both causes: what goes out into the world unprogrammed came no way', () => {
    const { causes, repairs } = judged(`cluster {\n  kube-proxy none\n}\n${FILE.replace('labels app=web', 'not-ready; labels app=web')}expect client -> service/web:80 delivered\n`);
    expect(causes).toEqual([expect.stringMatching(/^Nothing programs services/) as string, expect.stringMatching(/^web is not ready/) as string]);
    expect(repairs).toMatchObject([{ title: 'let kube-proxy program services; then make web ready', passes: true }]);
  });
});
