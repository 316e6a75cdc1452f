/** A cluster of 20 nodes, so many services and two endpoints of each, all of one family. */
import type { Family } from '../../engine/src/net/address.ts';

const NODES = 20;

interface Plan {
  readonly cluster: string;
  readonly lan: string;
  readonly node: (n: number) => { readonly address: string; readonly pods: string };
  /** The pod with number `k` on node `n`. */
  readonly pod: (n: number, k: number) => string;
  readonly service: (i: number) => string;
}

const hex = (n: number): string => n.toString(16);

const PLANS: Readonly<Record<Family, Plan>> = {
  4: {
    cluster: 'pod-cidr 10.0.0.0/8; service-cidr 172.16.0.0/12',
    lan: '192.168.93.0/24 { gateway 192.168.93.254 }',
    node: (n) => ({ address: `192.168.93.${n + 1}/24`, pods: `10.${n + 10}.0.0/16` }),
    pod: (n, k) => `10.${n + 10}.${Math.floor(k / 250)}.${(k % 250) + 2}`,
    service: (i) => `172.16.${Math.floor(i / 250)}.${(i % 250) + 1}`,
  },
  6: {
    cluster: 'pod-cidr fd00:10::/32; service-cidr fd00:20::/108',
    lan: 'fd00:93::/64 { gateway fd00:93::ff }',
    node: (n) => ({ address: `fd00:93::${hex(n + 1)}/64`, pods: `fd00:10:${hex(n + 10)}::/64` }),
    pod: (n, k) => `fd00:10:${hex(n + 10)}::${hex(k + 2)}`,
    service: (i) => `fd00:20::${hex(i + 1)}`,
  },
};

export function clusterText(services: number, family: Family): string {
  const plan = PLANS[family];
  const text = [`cluster bench { ${plan.cluster} }`, `network lan ${plan.lan}`];
  for (let n = 0; n < NODES; n++) text.push(`node n${n} { address ${plan.node(n).address} on lan; pod-cidr ${plan.node(n).pods} }`);
  for (let i = 0; i < services * 2; i++) text.push(`pod p${i} on n${i % NODES} { ip ${plan.pod(i % NODES, Math.floor(i / NODES))}; labels app=a${Math.floor(i / 2)} }`);
  for (let i = 0; i < services; i++) text.push(`service s${i} { cluster-ip ${plan.service(i)}; port http 80/TCP -> 8080; selector app=a${i} }`);
  return `${text.join('\n')}\n`;
}
