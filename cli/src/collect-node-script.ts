/** What `k8snet collect` runs on a node, with the node's own tools: the node's dumps, then those of the pods on it. */

/** Of a pod: what a packet meets there (engine/src/data-plane/sysctl.ts), unless it is as in a new network namespace. */
const POD_SYSCTLS = [
  'ipv4[.](ip_forward|ip_default_ttl|icmp_echo_ignore_(all|broadcasts))',
  'ipv4[.]conf[.][^.]+[.](accept_local|arp_filter|arp_ignore|forwarding|proxy_arp|route_localnet|rp_filter|send_redirects)',
  'ipv6[.](icmp[.]echo_ignore_(all|multicast)|conf[.](all|default)[.](forwarding|hop_limit))',
].join('|');
const AS_IN_A_NEW_ONE = '( = 0|_broadcasts = 1|send_redirects = 1|(ttl|hop_limit) = 64)$';

/** Where container runtimes keep what they told runc of each sandbox: containerd's (k3s has its own), and CRI-O's. */
const OCI_CONFIGURATIONS = [
  '/run/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json',
  '/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json',
  '/run/containers/storage/overlay-containers/*/userdata/config.json',
];

const NAMESPACES = ['/run/netns/*', '/var/run/netns/*', '/run/docker/netns/*', '/var/run/docker/netns/*', '/proc/[0-9]*/ns/net'];

/**
 * A line of a file begins with a blank, a line between files with `=`, so that nothing that a tool prints is taken for the
 * other. `pods` is set before it: yes or no.
 */
export const NODE_SCRIPT = `PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/opt/bin
put() {
  file=$1
  shift
  if command -v "$1" >/dev/null 2>&1; then
    echo "=$file"
    "$@" 2>/dev/null | sed "s/^/ /"
  else
    echo "=missing $1"
  fi
}
# choose FAMILY [PREFIX…]: where there are both legacy and nft rules, the larger set is taken, and the other is named.
choose() {
  family=$1
  shift
  legacy=$("$@" "$family-legacy-save" 2>/dev/null | grep -c "^-A")
  nft=$("$@" "$family-nft-save" 2>/dev/null | grep -c "^-A")
  saving=$family-save
  other=
  if [ "\${legacy:-0}" -gt 0 ]; then saving=$family-legacy-save; fi
  if [ "\${legacy:-0}" -gt 0 ] && [ "\${nft:-0}" -gt 0 ]; then
    if [ "$legacy" -gt "$nft" ]; then other=$family-nft-save; else saving=$family-nft-save other=$family-legacy-save; fi
  fi
}
rules() {
  choose "$1"
  put "$1-save.txt" "$saving"
  if [ -n "$other" ]; then put "$other.txt" "$other"; fi
}
network_sysctls() {
  sysctl -a 2>/dev/null | grep "^net[.]"
}
inside() {
  nsenter --net="$space" "$@" 2>/dev/null </dev/null
}
show() {
  echo " # $*"
  inside "$@" | head -n 2000 | sed "s/^/ /"
}
pod_rules() {
  choose "$1" inside
  if inside "$saving" | grep -q "^-A"; then show "$saving"; fi
  if [ -n "$other" ]; then show "$other"; fi
}
pod_sysctls() {
  set=$(inside sysctl -a | grep -E "^net[.](${POD_SYSCTLS}) " | grep -vE "${AS_IN_A_NEW_ONE}")
  if [ -n "$set" ]; then
    echo " # sysctl -a"
    echo "$set" | sed "s/^/ /"
  fi
}
# A line for each network namespace that a container runtime made: its name, and where the resolv.conf of its pod is.
resolvers() {
  for config in ${OCI_CONFIGURATIONS.join(' ')}; do
    if [ -r "$config" ]; then
      { tr -d "\\n\\t " <"$config"; echo; } | sed -n "s/^.*\\"destination\\":\\"\\/etc\\/resolv.conf\\"[^}]*\\"source\\":\\"\\([^\\"]*\\)\\".*\\"path\\":\\"[^\\"]*\\/netns\\/\\([^\\"\\/]*\\)\\".*$/\\2 \\1/p"
    fi
  done
}
pod_resolver() {
  case $space in
    /proc/*) file=\${space%/ns/net}/root/etc/resolv.conf ;;
    *) file=$(echo "$known" | sed -n "s/^\${space##*/} //p" | head -n 1) ;;
  esac
  if [ -r "$file" ]; then
    echo " # cat /etc/resolv.conf"
    head -n 100 "$file" | sed "s/^/ /"
  fi
}
# Every network namespace but the node's own, by the name that a runtime gave it, else by a process in it. Which are pods',
# their addresses tell when all is gathered.
look_into_pods() {
  if ! command -v nsenter >/dev/null 2>&1; then echo "=unseen it has no nsenter"; return; fi
  known=$(resolvers)
  late=$(($(date +%s) + 90))
  # shellcheck disable=SC2012 # ls tells the inode on every system, and the kernel names these files
  ls -Lid /proc/self/ns/net ${NAMESPACES.join(' ')} 2>/dev/null | awk "!seen[\\$1]++ && NR > 1 { print \\$2 }" | head -n 500 | while read -r space; do
    if [ "$(date +%s)" -gt "$late" ]; then
      echo "=unseen there are too many for the time"
      break
    fi
    if ! said=$(nsenter --net="$space" true 2>&1 </dev/null); then
      echo "=refused $(echo "$said" | head -n 1)"
      continue
    fi
    echo "=pod"
    show ip addr
    show ip route
    show ip -6 route
    pod_rules iptables
    pod_rules ip6tables
    pod_sysctls
    pod_resolver
  done
}
everything() {
  echo "=begin"
  put ip-addr.txt ip addr
  put ip-link.txt ip -d link
  put ip-route-all.txt ip route show table all
  put ip-route6-all.txt ip -6 route show table all
  put ip-rule.txt ip rule
  put ip-rule6.txt ip -6 rule
  put ip-neigh.txt ip neigh
  put bridge-fdb.txt bridge fdb show
  rules iptables
  rules ip6tables
  if command -v ipset >/dev/null 2>&1; then put ipset.txt ipset save; fi
  if command -v sysctl >/dev/null 2>&1; then put sysctl.txt network_sysctls; fi
  if [ "\${pods:-no}" = yes ]; then look_into_pods; fi
  echo "=end"
}
if command -v gzip >/dev/null 2>&1 && command -v base64 >/dev/null 2>&1; then
  echo "=packed"
  everything | gzip -c | base64
else
  everything
fi
`;
