/** What a file declares wrongly, one fault at a time: the cause is named, and every repair, applied to the text, mends it. */
import { describe, expect, it } from 'vitest';
import { explain } from '../../../engine/src/verify/explain.ts';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

const HEALTHY = `cluster { pod-cidr 10.244.0.0/16 }
network lan 192.168.93.0/24 { gateway 192.168.93.254 }
network lan2 192.168.94.0/24 { gateway 192.168.94.254 }
external example.com 203.0.113.7
node host1 { address 192.168.93.211/24 on lan; pod-cidr 10.244.1.0/24 }
node host2 { address 192.168.93.212/24 on lan; pod-cidr 10.244.2.0/24 }
pod client on host1 { ip 10.244.1.10; labels app=client }
pod web on host2 { ip 10.244.2.20; labels app=web; port http 8080/TCP; listen 8080/TCP }
service web { cluster-ip 10.96.0.20; port http 80/TCP -> http; selector app=web }
`;

const asked = (text: string, to: string) => {
  const snapshot = createSnapshot({ file: 'x.k8snet', text });
  return { snapshot, explanation: explain({ spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), question: { from: 'client', to }, expectations: [], goal: null, wanted: 'arrival' }) };
};

interface Fault {
  readonly to?: string;
  readonly from: string;
  readonly into: string;
  readonly cause: RegExp;
  readonly repair: RegExp;
  /** For the cluster itself. */
  readonly command?: RegExp;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a named port that no pod has': { from: '-> http', into: '-> htpp', cause: /to the port named 'htpp' \(x\.k8snet:9\), and web .*calls its port 'http'/, repair: /send to port http$/, command: /patch service web --type json -p '\[\{"op":"replace","path":"\/spec\/ports\/0\/targetPort","value":"http"\}\]'/ },
  'a named port with another number': { from: 'port http 8080', into: 'port http 8081', cause: /web calls 8081\/TCP 'http' \(x\.k8snet:8\), to which the service sends, and listens on 8080\/TCP/, repair: /^let web call 8080\/TCP 'http'$/ },
  'a port by another protocol': { to: '10.96.0.20:80/UDP', from: 'port http 8080/TCP; listen 8080/TCP', into: 'port http 8080/UDP; listen 8080/UDP', cause: /default\/web has port 80 by TCP only .*, not by UDP/, repair: /offer 80\/UDP$/ },
  'an endpoint that nobody is': { from: 'selector app=web', into: 'selector app=web; endpoints-only; endpoints 10.244.2.99:8080', cause: /endpoint 10\.244\.2\.99:8080 \(x\.k8snet:9\), and nobody has that address; web/, repair: /be web's 10\.244\.2\.20$/ },
  'an endpoint at another port': { from: 'selector app=web', into: 'endpoints 10.244.2.20:8888', cause: /endpoint 10\.244\.2\.20:8888 of service default\/web .*is web, which listens on 8080\/TCP/, repair: /have the endpoint 10\.244\.2\.20:8080$/ },
  'an endpoint that is not ready': { from: 'selector app=web', into: 'endpoints 10.244.2.20:8080 state not-ready', cause: /endpoint 10\.244\.2\.20 of service default\/web .*is not ready/, repair: /^make the endpoint/ },
  'an external that does not listen': { to: 'example.com:443', from: '203.0.113.7', into: '203.0.113.7 { listen 80/TCP }', cause: /example\.com .*listens on 80\/TCP, not on 443\/TCP/, repair: /^let example\.com listen on 443\/TCP$/ },
  'a node that does not listen': { to: 'host2:6443', from: 'node host2 {', into: 'node host2 { listen 22/TCP;', cause: /host2 .*listens on 22\/TCP, not on 6443\/TCP/, repair: /^let host2 listen on 6443\/TCP$/ },
  'a policy with the port of the service': { from: 'service web', into: 'network-policy p { pods app=web; ingress { from pods app=client; port 80/TCP } }\nservice web', cause: /nearest comes its ingress \(x\.k8snet:9\), which has the right peer, but not port 8080\/TCP, which the pod itself sees/, repair: /^allow it in network policy default\/p/, command: /kubectl -n default patch networkpolicy p --type json -p '\[\{"op":"add","path":"\/spec\/ingress\/-"/ },
  'a policy with the address of the service': { from: 'service web', into: 'network-policy p { pods app=client; egress { to ip-block 10.96.0.20/32 } }\nservice web', cause: /names the service's address, and is judged behind its translation/, repair: /^allow it in network policy default\/p/ },
  'a lease that is not around the pod': { to: 'pod/web:8080', from: 'pod-cidr 10.244.2.0/24', into: 'pod-cidr 10.244.20.0/24', cause: /web .*10\.244\.2\.20, which is outside of the lease of host2, 10\.244\.20\.0\/24/, repair: /^give host2 the pod-cidr 10\.244\.2\.0\/24$/ },
  'a pod network that is not around the leases': { to: 'example.com:443', from: '10.244.0.0/16', into: '10.245.0.0/16', cause: /lease of host1, 10\.244\.1\.0\/24 .*is outside of the pod network 10\.245\.0\.0\/16/, repair: /^give the cluster the pod-cidr 10\.244\.0\.0\/16$/ },
  'a public-ip that nobody has': { to: 'pod/web:8080', from: 'node host2 {', into: 'node host2 { public-ip 192.168.93.99;', cause: /host2 .*public-ip 192\.168\.93\.99, which no node has/, repair: /remove 'public-ip'$/ },
  'host-gw over a router': { to: 'pod/web:8080', from: 'cluster { pod-cidr 10.244.0.0/16 }\nnetwork lan 192.168.93.0/24 { gateway 192.168.93.254 }', into: 'cluster { pod-cidr 10.244.0.0/16; flannel host-gw }\nnetwork lan 192.168.93.0/24 { gateway 192.168.93.254 }', cause: /host-gw .*reaches only hosts of the same network, and the nodes are on lan and lan2/, repair: /by vxlan$/ },
};

describe.each(Object.entries(FAULTS))('%s', (name, { to = 'service/web:80', from, into, cause, repair, command }) => {
  it('is named, and mended by each repair', () => {
    const healthy = name === 'host-gw over a router' ? HEALTHY.replace('192.168.93.212/24 on lan;', '192.168.94.212/24 on lan2;') : HEALTHY;
    const { snapshot, explanation } = asked(healthy.replace(from, () => into), to);
    expect(explanation?.causes.map((c) => c.sentence)).toEqual([expect.stringMatching(cause) as string]);
    expect(explanation?.repairs[0]?.title).toMatch(repair);
    if (command !== undefined) expect(explanation?.repairs[0]?.commands.map((c) => c.command)).toEqual([expect.stringMatching(command) as string]);
    for (const { title, edits } of explanation?.repairs ?? []) expect(asked(applyFix(snapshot.text, { title, edits: repairEdits(snapshot, edits) ?? [] }), to).explanation, title).toBeNull();
  });
});
