/**
 * The script that `k8snet collect` prints. It runs where kubectl does, on any POSIX shell, and needs nothing of k8snet.
 * Names of its files are what `k8snet import` knows (server/src/language/import/folder.ts).
 */
import { CREDENTIALS } from '../../server/src/language/import/credentials.ts';
import { NODE_SCRIPT } from './collect-node-script.ts';

/** A word of the shell, whatever it holds. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Fields of objects that no packet meets, and in which people keep what is nobody's business. */
const LEFT_OUT = [
  'args', 'command', 'env', 'envFrom', 'imagePullSecrets', 'images', 'lifecycle', 'livenessProbe', 'managedFields', 'readinessProbe', 'startupProbe', 'volumeMounts', 'volumes',
  'containerStatuses', 'initContainerStatuses', 'ephemeralContainers', 'ephemeralContainerStatuses', 'volumesAttached', 'volumesInUse',
];

export const COLLECT_SCRIPT = `#!/bin/sh
# Gathers what k8snet reads of a live cluster into a folder, with kubectl. Printed by "k8snet collect".
#
#   sh collect.sh [FOLDER]          FOLDER is k8snet-dump unless given; then: k8snet import FOLDER -o FOLDER/cluster.k8snet
#
# It only reads: objects by "kubectl get", and the addresses, routes, rules and network sysctls of each node and of the pods
# on it by a pod of a minute on that node, which is deleted again. That pod is not privileged: it is on the host's network,
# sees the host's files read-only, and has the capabilities NET_ADMIN, NET_RAW and SYS_CHROOT, which iptables-save and chroot
# want, and SYS_ADMIN, which entering a pod's network namespace wants. Nothing runs in anybody's container.
# No Secrets are read; environment, arguments and volumes of pods are left out; a file with a token, key or certificate in it
# is deleted at the end, with a warning.
#
#   KUBECTL           the command, with its options: KUBECTL="kubectl --context prod" (default: kubectl)
#   K8SNET_IMAGE      an image with chroot in it (default: busybox:stable)
#   K8SNET_NAMESPACE  where the pods run (default: kube-system)
#   K8SNET_PODS       no: the nodes only, and without SYS_ADMIN (default: yes)
#   K8SNET_SSH        instead of pods, a command that takes a node's name and a script's first word: K8SNET_SSH="ssh -l root"
set -u
umask 077
folder=\${1:-k8snet-dump}
kubectl=\${KUBECTL:-kubectl}
image=\${K8SNET_IMAGE:-busybox:stable}
namespace=\${K8SNET_NAMESPACE:-kube-system}
ssh=\${K8SNET_SSH:-}
pods=\${K8SNET_PODS:-yes}
seconds=180
made=
failed=0

case $folder in -*) echo "usage: sh collect.sh [FOLDER]" >&2; exit 2 ;; esac
case $pods in
  yes) capabilities="NET_ADMIN, NET_RAW, SYS_CHROOT, SYS_ADMIN" ;;
  no) capabilities="NET_ADMIN, NET_RAW, SYS_CHROOT" ;;
  *) echo "K8SNET_PODS is yes or no" >&2; exit 2 ;;
esac
mkdir -p "$folder/objects" "$folder/nodes" || exit 2
temporary=$(mktemp -d) || exit 2
: >"$folder/warnings.txt"

warn() {
  failed=1
  echo "warning: $*" >&2
  echo "$*" >>"$folder/warnings.txt"
}

# shellcheck disable=SC2086 # the command and its options are several words
kube() { $kubectl "$@"; }

# shellcheck disable=SC2086,SC2317 # names of pods are several words; a trap calls it
cleanup() {
  trap - EXIT
  trap '' INT TERM HUP
  if [ -n "$made" ]; then kube delete pod --namespace "$namespace" --ignore-not-found --wait=false $made >/dev/null 2>&1; fi
  rm -rf "$temporary"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# What kubectl prints as JSON, a value a line, without the fields that are nobody's business. A comma before a closing bracket goes, too.
without_private_parts() {
  awk '
    function put(line) { if (has) { if (line ~ /^ *[]}]/) sub(/,$/, "", held); print held } held = line; has = 1 }
    skipping { if ($0 == indent "]" || $0 == indent "]," || $0 == indent "}" || $0 == indent "},") skipping = 0; next }
    {
      match($0, /^ */); indent = substr($0, 1, RLENGTH); rest = substr($0, RLENGTH + 1)
      if (rest ~ /^"(${LEFT_OUT.join('|')})": [[{]/) { if (rest ~ /[[{]$/) skipping = 1; next }
      if (rest ~ /^"kubectl[.]kubernetes[.]io\\/last-applied-configuration": /) next
      put($0)
    }
    END { if (has) print held }
  '
}

# get FILE ARGUMENTS…: one file of objects; an old one stays where the cluster does not answer.
get() {
  file=$folder/objects/$1.json
  shift
  if kube get "$@" --output json >"$temporary/got" 2>"$temporary/said"; then
    if [ -s "$temporary/got" ]; then without_private_parts <"$temporary/got" >"$file"; fi
  else
    warn "kubectl get $*: $(tr '\\n' ' ' <"$temporary/said")"
    return 1
  fi
}

get nodes nodes || { echo "The cluster does not answer; nothing was gathered." >&2; exit 1; }
get namespaces namespaces
get pods pods --all-namespaces
get services services --all-namespaces
get endpointslices endpointslices.discovery.k8s.io --all-namespaces
get networkpolicies networkpolicies.networking.k8s.io --all-namespaces
for name in kube-system/kube-proxy kube-system/coredns kube-system/kubeadm-config kube-flannel/kube-flannel-cfg kube-system/kube-flannel-cfg; do
  get "configmap-$(echo "$name" | tr / -)" configmap "\${name#*/}" --namespace "\${name%/*}" --ignore-not-found
done
# Kubernetes 1.33 has them; before, nobody misses them.
if kube api-resources --api-group networking.k8s.io --output name 2>/dev/null | grep -q '^servicecidrs[.]'; then get servicecidrs servicecidrs.networking.k8s.io; fi

# shellcheck disable=SC2016 # the node's shell is to see it as it is
node_script="pods=$pods
"${quoted(NODE_SCRIPT)}

# Which pod of which node has an address: that is how a network namespace gets its name.
: >"$temporary/addresses"
if [ "$pods" = yes ]; then
  kube get pods --all-namespaces --output 'jsonpath={range .items[*]}{.spec.nodeName}|{.metadata.namespace}_{.metadata.name}|{.spec.hostNetwork}{.status.phase}|{.status.podIP} {.status.podIPs[*].ip}{"\\n"}{end}' 2>"$temporary/said" |
    awk -F '|' '$1 != "" && $3 !~ /^true|Succeeded$|Failed$/ { n = split($4, ip, " "); for (i = 1; i <= n; i++) print $1, ip[i], $2 }' >"$temporary/addresses"
  if [ -s "$temporary/said" ]; then warn "kubectl get pods: $(tr '\\n' ' ' <"$temporary/said")"; fi
  # What was gathered before may be of pods that are gone, and whose addresses others have.
  if [ -s "$temporary/addresses" ]; then mkdir -p "$folder/pods" && rm -f "$folder"/pods/*_*.txt; fi
fi

manifest() {
  cat <<MANIFEST
apiVersion: v1
kind: Pod
metadata:
  name: $1
  namespace: $namespace
  labels: { app.kubernetes.io/name: k8snet-collect }
spec:
  nodeName: "$2"
  hostNetwork: true
  restartPolicy: Never
  activeDeadlineSeconds: $seconds
  terminationGracePeriodSeconds: 0
  automountServiceAccountToken: false
  enableServiceLinks: false
  tolerations: [{ operator: Exists }]
  containers:
    - name: collect
      image: $image
      securityContext:
        runAsUser: 0
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL], add: [$capabilities] }
      volumeMounts: [{ name: host, mountPath: /host, readOnly: true }]
      command: [chroot, /host, sh, -c]
      args:
        - |
$(printf '%s\\n' "$node_script" | sed 's/^/          /')
  volumes: [{ name: host, hostPath: { path: / } }]
MANIFEST
}

# split_pods NODE: a file for each network namespace that has the address of a pod of this node.
split_pods() {
  awk -v node="$1" -v folder="$folder/pods" '
    function finish(  i) {
      if (name != "" && !(name in seen)) {
        seen[name] = 1
        for (i = 1; i <= n; i++) print lines[i] >(folder "/" name ".txt")
        close(folder "/" name ".txt")
      }
      inside = 0; n = 0; name = ""
    }
    NR == FNR { if ($1 == node) { pod[$2] = $3; wanted[$3] = 1 } next }
    /^=/ { finish(); if (/^=pod$/) { inside = 1; entered = 1 } if (/^=unseen /) why = ": " substr($0, 9); if (/^=refused /) refused = ": " substr($0, 10); next }
    inside {
      lines[++n] = substr($0, 2)
      if (($1 == "inet" || $1 == "inet6") && name == "") { split($2, of, "/"); if (of[1] in pod) name = pod[of[1]] }
    }
    END {
      for (p in wanted) if (!(p in seen)) { missing++; if (first == "" || p < first) first = p }
      if (missing) { sub("_", "/", first); print missing == 1 ? first " was" : missing " of its pods were", "not looked into" (missing == 1 ? "" : ", " first " for one") (why != "" ? why : entered ? "" : refused) }
    }
  ' "$temporary/addresses" "$temporary/plain" >"$temporary/unseen"
  while read -r unseen; do warn "node $1: $unseen"; done <"$temporary/unseen"
}

# split NODE FILE: what a node printed, as its files.
split() {
  if [ "$(head -n 1 "$2")" = "=packed" ]; then
    if ! sed 1d "$2" | base64 -d 2>/dev/null | gzip -dc >"$temporary/plain" 2>/dev/null; then warn "node $1: what it printed is cut off"; return; fi
  else
    cp "$2" "$temporary/plain"
  fi
  if [ "$(head -n 1 "$temporary/plain")" != "=begin" ] || [ "$(tail -n 1 "$temporary/plain")" != "=end" ]; then
    warn "node $1: what it printed is cut off or is something else: $(head -c 200 "$temporary/plain" | tr '\\n' ' ')"
    return
  fi
  mkdir -p "$folder/nodes/$1"
  awk -v folder="$folder/nodes/$1" '
    /^=[a-z0-9-]+[.]txt$/ { file = folder "/" substr($0, 2); printf "" >file; next }
    /^=/ { if (file != "") close(file); file = ""; next }
    file != "" { print substr($0, 2) >file }
  ' "$temporary/plain"
  split_pods "$1"
  sed -n 's/^=missing //p' "$temporary/plain" >"$temporary/missing"
  while read -r tool; do warn "node $1 has no $tool"; done <"$temporary/missing"
}

kube get nodes --output 'jsonpath={range .items[*]}{.metadata.name}{" "}{.metadata.labels.kubernetes\\.io/os}{"\\n"}{end}' |
  while read -r node system; do if [ "$system" != windows ]; then echo "$node"; fi; done >"$temporary/nodes"

number=0
while read -r node; do
  number=$((number + 1))
  if [ -n "$ssh" ]; then
    # shellcheck disable=SC2086
    if printf '%s\\n' "$node_script" | $ssh "$node" sh >"$temporary/log" 2>"$temporary/said"; then split "$node" "$temporary/log"; else warn "node $node: $(tr '\\n' ' ' <"$temporary/said")"; fi
    continue
  fi
  pod=k8snet-collect-$$-$number
  made="$made $pod"
  if manifest "$pod" "$node" | kube create --validate=false --filename - >/dev/null 2>"$temporary/said"; then echo "$pod $node" >>"$temporary/pods"; else warn "node $node: $(tr '\\n' ' ' <"$temporary/said")"; fi
done <"$temporary/nodes"

if [ -f "$temporary/pods" ]; then
  waited=0
  while read -r pod node; do
    phase=
    while :; do
      phase=$(kube get pod "$pod" --namespace "$namespace" --output 'jsonpath={.status.phase}' 2>/dev/null </dev/null)
      case $phase in Succeeded | Failed) break ;; esac
      if [ "$waited" -ge "$seconds" ]; then break; fi
      waited=$((waited + 1))
      sleep 1
    done
    if [ "$phase" != Succeeded ]; then
      why=$(kube get pod "$pod" --namespace "$namespace" --output 'jsonpath={.status.message} {.status.containerStatuses[0].state}' 2>/dev/null </dev/null)
      warn "node $node: the pod on it did not end well: \${phase:-it was not found} $why"
    elif kube logs "$pod" --namespace "$namespace" >"$temporary/log" 2>"$temporary/said" </dev/null; then
      split "$node" "$temporary/log"
    else
      warn "node $node: $(tr '\\n' ' ' <"$temporary/said")"
    fi
  done <"$temporary/pods"
fi

# refuse WHAT PATTERN: deletes the files of the dump that hold it.
refuse() {
  grep -rlE -e "$2" "$folder/objects" "$folder/nodes" "$folder/pods" 2>/dev/null >"$temporary/found"
  while read -r file; do
    line=$(grep -nE -e "$2" "$file" | head -n 1 | cut -d : -f 1)
    rm -f "$file"
    warn "$file is deleted: its line $line held $1"
  done <"$temporary/found"
}
${CREDENTIALS.map(({ what, pattern }) => `refuse ${quoted(what)} ${quoted(pattern)}`).join('\n')}

if [ -s "$folder/warnings.txt" ]; then
  echo "Gathered into $folder, with warnings, which are in $folder/warnings.txt."
else
  rm -f "$folder/warnings.txt"
  echo "Gathered into $folder."
fi
exit "$failed"
`;
