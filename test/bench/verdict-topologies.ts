/** The clusters that packet rates are measured on, in both engines and in the kernel. */

/** Two nodes, two pods on the first and one on the second, and `services` of which each has one endpoint. */
export function cluster(services: number, endpoint: 'near' | 'far'): string {
  const text = [
    'cluster bench { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/12 }',
    'network lan 192.168.93.0/24 { gateway 192.168.93.254 }',
    'node host1 { interface eth0 192.168.93.212/24 on lan; pod-cidr 10.0.14.0/24 }',
    'node host2 { interface eth0 192.168.93.213/24 on lan; pod-cidr 10.0.5.0/24 }',
    'pod pod1 on host1 { ip 10.0.14.15 }',
    'pod pod3 on host1 { ip 10.0.14.16; labels app=near; listen 8080/UDP }',
    'pod pod2 on host2 { ip 10.0.5.150; labels app=far; listen 8080/UDP }',
  ];
  for (let i = 0; i < services; i++) text.push(`service s${i} { cluster-ip ${addressOfService(i)}; port p 80/UDP -> 8080; selector app=${endpoint} }`);
  return `${text.join('\n')}\n`;
}

export const addressOfService = (i: number): string => `10.${16 + Math.floor(i / 62500)}.${Math.floor(i / 250) % 250}.${(i % 250) + 1}`;

/** As many services, captured from the first node as iptables-save prints them; nothing of them is declared. */
export function captured(services: number): string {
  const rules = Array.from({ length: services }, (_, i) => [
    `    -A KUBE-SERVICES -d ${addressOfService(i)}/32 -p udp -m comment --comment "default/s${i}:p cluster IP" -m udp --dport 80 -j KUBE-SVC-${i}`,
    `    -A KUBE-SVC-${i} -m comment --comment "default/s${i}:p" -j KUBE-SEP-${i}`,
    `    -A KUBE-SEP-${i} -p udp -m comment --comment "default/s${i}:p" -m udp -j DNAT --to-destination 10.0.5.150:8080`,
  ]).flat();
  const table = ['  iptables {', '    *nat', '    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', ...rules, '    COMMIT', '  }'];
  return cluster(0, 'far').replace('pod-cidr 10.0.14.0/24 }', `pod-cidr 10.0.14.0/24\n${table.join('\n')}\n}`);
}
