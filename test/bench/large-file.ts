/** A topology file of about `lines` lines: nodes, pods and services, and on the first node a captured ruleset. */
export function largeFile(lines: number): string {
  const nodes = Math.max(2, Math.round(lines / 68));
  const text = [
    'cluster large {',
    '  pod-cidr     10.0.0.0/8',
    '  service-cidr 172.20.0.0/14',
    '}',
    'network lan 192.168.0.0/16 { gateway 192.168.255.254 }',
  ];
  for (let n = 0; n < nodes; n++) {
    const [high, low] = [Math.floor(n / 250), n % 250];
    text.push(`node node-${n} {`, `  address 192.168.${high}.${low + 1}/16 on lan`, `  pod-cidr 10.${high}.${low}.0/24`);
    if (n === 0) text.push(...ruleset(Math.round(lines / 4)));
    text.push('}');
    for (let p = 0; p < 20; p++) text.push(`pod apps/web-${n}-${p} on node-${n} { ip 10.${high}.${low}.${p + 10}; labels app=web-${p},tier=t${n}; listen 8080/TCP }`);
    for (let s = 0; s < 5; s++)
      text.push(`service apps/svc-${n}-${s} {`, `  cluster-ip 172.20.${n % 250}.${Math.floor(n / 250) * 5 + s + 1}`, '  port http 80/TCP -> 8080', `  selector app=web-${s}`, '}');
  }
  return `${text.join('\n')}\n`;
}

function ruleset(rules: number): string[] {
  const text = ['  iptables {', '    *nat'];
  for (let i = 0; i < rules / 3; i++) {
    const hash = i.toString(36).toUpperCase().padStart(16, 'A');
    text.push(
      `    -A KUBE-SERVICES -d 172.20.${Math.floor(i / 250)}.${(i % 250) + 1}/32 -p tcp -m comment --comment "apps/svc-${i}:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-${hash}`,
      `    -A KUBE-SVC-${hash} -m comment --comment "apps/svc-${i}:http" -j KUBE-SEP-${hash}`,
      `    -A KUBE-SEP-${hash} -p tcp -m comment --comment "apps/svc-${i}:http" -m tcp -j DNAT --to-destination 10.0.0.${(i % 20) + 10}:8080`,
    );
  }
  return [...text, '    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', '    COMMIT', '  }'];
}
