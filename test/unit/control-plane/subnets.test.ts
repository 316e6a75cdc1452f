/** flannel's leases by etcd's rules (pkg/subnet/config.go, pkg/subnet/etcd/local_manager.go). */
import { describe, expect, it } from 'vitest';
import { planOf } from '../../../engine/src/control-plane/plan.ts';
import { formatPrefix } from '../../../engine/src/net/address.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const leases = (flannel: string, nodes: string, cidrs = '10.244.0.0/16') =>
  planOf(createSnapshot({ file: 'etcd.k8snet', text: `cluster { pod-cidr ${cidrs}; flannel vxlan { ${flannel} } }\nnetwork lan 192.168.93.0/24, fd00:93::/64\n${nodes}` }).spec())
    .leases.map((l) => `${l.node} ${formatPrefix(l.subnet)}`).sort();

const three = ['a', 'b', 'c'].map((n, i) => `node ${n} { address 192.168.93.${i + 1}/24, fd00:93::${i + 1}/64 on lan }`).join('\n');

describe('etcd hands out', () => {
  it('the subnets behind the first, to nodes that have none', () => {
    expect(leases('subnet-manager etcd', three)).toEqual(['a 10.244.1.0/24', 'b 10.244.2.0/24', 'c 10.244.3.0/24']);
    expect(leases('', three)).toEqual([]);
  });

  it('subnets of the length that is asked for, between the first and the last', () => {
    expect(leases('subnet-len 26; subnet-min 10.244.4.64', three)).toEqual(['a 10.244.4.64/26', 'b 10.244.4.128/26', 'c 10.244.4.192/26']);
    expect(leases('subnet-min 10.244.9.0; subnet-max 10.244.10.0', three)).toEqual(['a 10.244.9.0/24', 'b 10.244.10.0/24']);
  });

  it('nothing that a node has already, declared or shown by its pods', () => {
    const nodes = three.replace('node a {', 'node a { pod-cidr 10.244.1.0/24; ');
    expect(leases('subnet-manager etcd', `${nodes}\npod p on c { ip 10.244.2.7 }`)).toEqual(['a 10.244.1.0/24', 'b 10.244.3.0/24', 'c 10.244.2.0/24']);
  });

  it('smaller ones where the network holds no four of that size, and IPv6 ones beside them', () => {
    expect(leases('subnet-manager etcd', three, '10.244.0.0/23, fd00:244::/48')).toEqual(['a 10.244.0.128/25', 'a fd00:244:0:1::/64', 'b 10.244.1.0/25', 'b fd00:244:0:2::/64', 'c 10.244.1.128/25', 'c fd00:244:0:3::/64']);
  });

  it('nothing once all are taken', () => {
    expect(leases('subnet-len 26', three, '10.244.0.0/24')).toEqual(['a 10.244.0.64/26', 'b 10.244.0.128/26', 'c 10.244.0.192/26']);
    expect(leases('subnet-len 25; subnet-max 10.244.0.64', three, '10.244.0.0/24')).toEqual(['a 10.244.0.64/26']);
  });
});
