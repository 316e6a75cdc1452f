/** What REJECT can answer with, in iptables-save's spelling first (libipt_REJECT.c, libip6t_REJECT.c). */
export const REJECT_WITH: Readonly<Record<4 | 6, readonly (readonly [string, ...string[]])[]>> = {
  4: [
    ['icmp-net-unreachable', 'net-unreach'], ['icmp-host-unreachable', 'host-unreach'], ['icmp-proto-unreachable', 'proto-unreach'], ['icmp-port-unreachable', 'port-unreach'],
    ['icmp-net-prohibited', 'net-prohib'], ['icmp-host-prohibited', 'host-prohib'], ['tcp-reset', 'tcp-rst'], ['icmp-admin-prohibited', 'admin-prohib'],
  ],
  6: [
    ['icmp6-no-route', 'no-route'], ['icmp6-adm-prohibited', 'adm-prohibited'], ['icmp6-addr-unreachable', 'addr-unreach'], ['icmp6-port-unreachable', 'port-unreach'],
    ['icmp6-policy-fail', 'policy-fail'], ['icmp6-reject-route', 'reject-route'], ['tcp-reset'],
  ],
};
