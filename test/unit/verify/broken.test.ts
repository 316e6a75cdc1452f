/** The 2 a.m. cases of examples/broken: each names the planted cause, and the repair that a person expects mends the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repairEdits } from '../../../server/src/language/features/repair-edits.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';

const folder = new URL('../../../examples/broken/', import.meta.url);

const open = (name: string): Snapshot => createSnapshot({ file: `${name}.k8snet`, text: readFileSync(new URL(`${name}.k8snet`, folder), 'utf8') });

/** What the cause must name, in order where there are several; and what a person would do. */
const CASES: Readonly<Record<string, { readonly causes: readonly RegExp[]; readonly repair: RegExp }>> = {
  'blackhole-route': { causes: [/host1 .*`blackhole 10\.244\.2\.0\/28` \(blackhole-route\.k8snet:11\)/], repair: /^remove the route `blackhole 10\.244\.2\.0\/28` from host1$/ },
  'bridge-nf-call': { causes: [/host1 has `net\.bridge\.bridge-nf-call-iptables = 0`/], repair: /^set net\.bridge\.bridge-nf-call-iptables = 1 on host1$/ },
  'dns-egress': { causes: [/^api\.shop\.svc\.cluster\.local gets no address: Network policy default\/client-to-shop \(dns-egress\.k8snet:11\) isolates pod default\/client for egress, .*kube-system\/coredns/], repair: /^allow it in network policy .*pods k8s-app=kube-dns; port 53\/UDP \}`$/ },
  'drop-rule': { causes: [/host2 .*`-A FORWARD -s 10\.244\.1\.10\/32 -j DROP` \(drop-rule\.k8snet:14\)/], repair: /^remove the rule `-A FORWARD -s 10\.244\.1\.10\/32 -j DROP` from host2$/ },
  'forward-drop': { causes: [/filter table of host1.* lacks flannel's rules for the forwarding of the pod network/], repair: /^add flannel's rules for the forwarding/ },
  'hairpin-off': { causes: [/host1 has the device veth00000001 with hairpin off/], repair: /hairpin on/ },
  'local-policy': { causes: [/default\/web .*external-traffic-policy Local.*no ready endpoint/], repair: /external-traffic-policy Cluster/ },
  'missing-route': { causes: [/routes of host1.* lack flannel's route for the lease of host2, 10\.244\.2\.0\/24/], repair: /^add flannel's route for the lease of host2/ },
  'mtu-captured': { causes: [/host1 has the device flannel\.1 with MTU of 80 \(mtu-captured\.k8snet:8\), where flannel makes it `flannel\.1: mtu 1450`/], repair: /^set flannel\.1: mtu 1450 on host1$/ },
  'mtu-connection': { causes: [/flannel's MTU of 1450 in the cluster \(mtu-connection\.k8snet:2\) does not fit/], repair: /^let flannel choose its MTU/ },
  'mtu-device': { causes: [/eth0 on host1 \(mtu-device\.k8snet:5\) has an MTU of 80, and the network lan one of 1500/], repair: /^give eth0 on host1 the MTU of lan$/ },
  'named-port': { causes: [/default\/web sends 80\/TCP to the port named 'http' \(named-port\.k8snet:6\), and web .*calls its port 'http-web'/], repair: /^let service default\/web send to port http-web$/ },
  'network-policy': { causes: [/Network policy default\/web-only-monitoring \(network-policy\.k8snet:8\) isolates pod default\/web for ingress, .*default\/client/], repair: /^allow it in network policy .*`ingress \{ from pods app=client; port 8080\/TCP \}`$/ },
  'no-masquerade': { causes: [/nat table of host1.* lacks flannel's rules for the masquerading/], repair: /^add flannel's rules for the masquerading/ },
  'node-port-addresses': { causes: [/node-port-addresses only \(10\.0\.0\.0\/8\), and 192\.168\.93\.211 is none of them/], repair: /remove 'node-port-addresses'$/ },
  'not-forwarding': { causes: [/host2 has `net\.ipv4\.ip_forward = 0` \(not-forwarding\.k8snet:9\)/], repair: /^set net\.ipv4\.ip_forward = 1 on host2$/ },
  'not-ready': { causes: [/web is not ready .*no endpoint of service default\/web/], repair: /^make web ready$/ },
  'policy-routing': { causes: [/host1 has the policy rule `100:\tfrom 10\.244\.0\.0\/16 unreachable` \(policy-routing\.k8snet:8\)/], repair: /^remove the policy rule/ },
  'second-packet': { causes: [/host2 has the rule `-A FORWARD -d 10\.244\.2\.0\/24 -m conntrack --ctstate ESTABLISHED -j DROP` \(second-packet\.k8snet:12\)/], repair: /^remove the rule/ },
  'selector': { causes: [/selector app=webs of service default\/web .*selects no pod; web .*has app=web/], repair: /select app=web$/ },
  'shadowed-accept': { causes: [/host1 .*stands behind `-A FORWARD -j REJECT --reject-with icmp-host-prohibited`/], repair: /^move the rule `.*-j FLANNEL-FWD` before `-A FORWARD -j REJECT/ },
  'source-ranges': { causes: [/load-balancer-source-ranges of service default\/web .*10\.244\.1\.10\/32/], repair: /^let 10\.244\.1\.10\/32 use the load balancer/ },
  'stale-endpoint': { causes: [/default\/web has the endpoint 10\.244\.1\.99:8080 \(stale-endpoint\.k8snet:6\), and nobody has that address; web, .*10\.244\.1\.11/], repair: /be web's 10\.244\.1\.11$/ },
  'stale-lease': { causes: [/host1 has `.* dst 192\.168\.93\.99 .*where flannel would have programmed `.* dst 192\.168\.93\.213 .*lease of host2/], repair: /FDB entry for the lease of host2/ },
  'stale-vtep-mac': { causes: [/host1 has stale entries for the lease of host2.*7a:5e:41:0c:9f:01.*3e:11:d2:88:40:6b/], repair: /neighbour for the lease of host2.*FDB entry for the lease of host2/ },
  'target-port': { causes: [/sends 80\/TCP to port 8081 .*web listens on 8080\/TCP/], repair: /^let service default\/web send to port 8080$/ },
  'twin-vtep': { causes: [/^host1 \(twin-vtep\.k8snet:3\) and host2 \(twin-vtep\.k8snet:4\) have the same vtep-mac/], repair: /remove 'vtep-mac'$/ },
  'two-causes': { causes: [/routes of host1.* lack flannel's route for the lease of host2/, /host2 .*`-A FORWARD -s 10\.244\.1\.0\/24 -j DROP`/], repair: /^add flannel's route.*; then remove the rule/ },
  'vxlan-blocked': { causes: [/No rule of INPUT accepts it, and its policy on host2 is DROP \(vxlan-blocked\.k8snet:9\)/], repair: /^accept it with `-A INPUT -s 192\.168\.93\.0\/24 -p udp -m udp --dport 8472 -j ACCEPT` on host2$/ },
  'wrong-network': { causes: [/filter table of host1.* lacks flannel's rules for the forwarding/], repair: /^add flannel's rules for the forwarding/ },
  'wrong-vni': { causes: [/host2 has the device flannel\.1 with VNI 2/], repair: /vxlan id 1 on host2$/ },
};

it('every file has its case', () => {
  expect(readdirSync(folder).filter((f) => f.endsWith('.k8snet')).map((f) => f.replace('.k8snet', ''))).toEqual(Object.keys(CASES).sort());
});

describe.each(Object.entries(CASES))('%s', (name, { causes, repair }) => {
  const snapshot = open(name);
  const [verdict] = snapshot.verdicts();
  const explanation = verdict?.explanation;

  it('has no error, and an expectation that fails', () => {
    expect(snapshot.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(verdict?.passed).toBe(false);
  });

  it('names the planted cause', () => {
    expect(explanation?.causes).toHaveLength(causes.length);
    for (const [i, cause] of causes.entries()) expect(explanation?.causes[i]?.sentence).toMatch(cause);
  });

  it('offers first what a person would do', () => {
    expect(explanation?.repairs[0]?.title).toMatch(repair);
  });

  it('is mended by each repair, applied to the text', () => {
    for (const { title, edits } of explanation?.repairs ?? []) {
      const made = repairEdits(snapshot, edits);
      expect(made, title).not.toBeNull();
      const text = [...(made ?? [])].sort((a, b) => b.start - a.start).reduce((t, e) => t.slice(0, e.start) + e.text + t.slice(e.end), snapshot.text);
      const mended = createSnapshot({ file: snapshot.file, text });
      expect(mended.diagnostics.filter((d) => d.severity === 'error'), text).toEqual([]);
      expect(mended.verdicts().map((v) => v.sentence), `${title}\n${text}`).toEqual(mended.verdicts().map(() => null));
    }
  });
});

describe('the nearest rule', () => {
  it('is named with the match that it missed by', () => {
    const text = open('wrong-network').text;
    const [verdict] = createSnapshot({ file: 'x.k8snet', text }).verdicts();
    expect(verdict?.explanation?.causes[0]?.nearest).toMatchObject({
      table: 'filter', chain: 'FLANNEL-FWD', number: 1, rule: expect.stringContaining('-s 10.244.0.0/16') as string,
      sentence: expect.stringMatching(/but `-s 10\.244\.0\.0\/16` does not hold: the source is 10\.245\.1\.10\.$/) as string,
    });
  });

  it('is the ACCEPT in the shadow of a REJECT', () => {
    const [verdict] = open('shadowed-accept').verdicts();
    expect(verdict?.explanation?.causes[0]?.nearest?.sentence).toMatch(/-j FLANNEL-FWD`, rule 3 of FORWARD .* but `-A FORWARD -j REJECT --reject-with icmp-host-prohibited` decides before it\.$/);
  });
});
