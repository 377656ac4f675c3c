# containerd, the kubelet, kube-proxy and CoreDNS.
# shellcheck shell=bash disable=SC2154

# capable BIT: whether this process has the capability in its bounding set.
capable() {
  local set
  set=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
  ((0x$set >> $1 & 1))
}

# write_file FILE: replaces it by standard input only where it differs: kube-proxy ends when its configuration is written to.
write_file() {
  cat >"$1.part"
  if cmp -s "$1.part" "$1"; then rm "$1.part"; else mv "$1.part" "$1"; fi
}

write_containerd_config() {
  local lower_scores=false
  # Without CAP_SYS_RESOURCE (bit 24) no process may be given a lower OOM score, and each sandbox would die of trying.
  capable 24 || lower_scores=true
  write_file "$configs/containerd.toml" <<TOML
version = 2
root = "$cluster_root/containerd"
state = "$run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.internal.v1.opt"]
  path = "$cluster_root/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_image"
  disable_apparmor = true
  restrict_oom_score_adj = $lower_scores
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$configs/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "$run/runc"
TOML
  mkdir -p "$configs/cni"
  write_file "$configs/cni/10-truenas-migrate-test.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "truenas-migrate-test",
  "plugins": [
    {
      "type": "bridge", "bridge": "$bridge", "isDefaultGateway": true, "hairpinMode": true, "ipMasq": false,
      "ipam": {"type": "host-local", "dataDir": "$cluster_root/cni/networks", "ranges": [[{"subnet": "$pod_cidr"}]]}
    },
    {"type": "loopback"}
  ]
}
JSON
}

start_containerd() {
  write_containerd_config
  start_component containerd /usr/bin/containerd --config "$configs/containerd.toml" --log-level warn
  wait_for_component containerd 120 images_command version
}

images_command() { enter /usr/bin/ctr --address "$containerd_socket" --namespace k8s.io "$@"; }

# import_images: those which containerd has not got yet, by archive.
import_images() {
  local image archive
  for image in "${images[@]}"; do
    archive=$(image_archive "$image")
    [[ ! -e $run/imported-$(basename "$archive") ]] || continue
    images_command images import "$archive" >/dev/null 2>>"$logs/images.log" || die "importing $archive failed" "log: $logs/images.log"
    : >"$run/imported-$(basename "$archive")"
  done
}

write_kubelet_config() {
  write_file "$configs/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
port: $kubelet_port
healthzBindAddress: 127.0.0.1
healthzPort: $kubelet_health_port
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
cgroupDriver: cgroupfs
cgroupRoot: /$pods_cgroup
cgroupsPerQOS: true
failCgroupV1: false
failSwapOn: false
clusterDNS: ["$(first_address "$pod_cidr")"]
clusterDomain: cluster.local
resolvConf: $configs/resolv.conf
containerRuntimeEndpoint: unix://$containerd_socket
podLogsDir: /var/log/pods
containerLogMaxSize: 200Mi
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
localStorageCapacityIsolation: false
volumePluginDir: $kubelet_root/volume-plugins
serializeImagePulls: true
runtimeRequestTimeout: 2m
YAML
  write_file "$configs/resolv.conf" </dev/null
}

# The hierarchies of cgroup v1 lie side by side; of v2 there is one.
make_pods_cgroup() {
  local hierarchy
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    mkdir -p "/sys/fs/cgroup/$pods_cgroup"
    return
  fi
  while read -r hierarchy; do
    [[ -L $hierarchy ]] || mkdir -p "$hierarchy/$pods_cgroup"
  done < <(awk '$3 == "cgroup" && $2 ~ "^/sys/fs/cgroup/" { print $2 }' /proc/mounts)
  local cpuset=/sys/fs/cgroup/cpuset setting
  [[ -d $cpuset/$pods_cgroup ]] || return 0
  for setting in cpuset.cpus cpuset.mems; do cat "$cpuset/$setting" >"$cpuset/$pods_cgroup/$setting"; done
}

# remove_pods_cgroup: the kernel lets a cgroup go a moment after its last process.
remove_pods_cgroup() {
  local tops end=$((SECONDS + 15))
  while mapfile -t tops < <(pods_cgroups) && ((${#tops[@]})); do
    find "${tops[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
    ((SECONDS < end)) || die "the cgroup ${tops[0]} cannot be removed"
    sleep 0.1
  done
}

start_kubelet() {
  write_kubelet_config
  make_pods_cgroup
  mkdir -p "$kubelet_root"
  start_component kubelet "$bin/kubelet" --config="$configs/kubelet.yaml" --kubeconfig="$configs/kubelet.kubeconfig" \
    --root-dir="$kubelet_root" --hostname-override="$node_name" --node-ip="$(first_address "$pod_cidr")" --v=1
}

start_proxy() {
  write_file "$configs/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: $configs/proxy.kubeconfig}
hostnameOverride: $node_name
clusterCIDR: $pod_cidr
bindAddress: 0.0.0.0
healthzBindAddress: 127.0.0.1:$proxy_health_port
metricsBindAddress: 127.0.0.1:$proxy_metrics_port
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nodePortAddresses: [primary]
iptables: {masqueradeAll: true, minSyncPeriod: 200ms}
YAML
  start_component kube-proxy "$bin/kube-proxy" --config="$configs/proxy.yaml"
}

start_dns() {
  write_file "$configs/Corefile" <<COREFILE
.:53 {
  bind $(first_address "$pod_cidr")
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $configs/coredns.kubeconfig
    pods insecure
    ttl 5
  }
}
COREFILE
  start_component coredns "$bin/coredns" -conf "$configs/Corefile"
}

# What the API server holds may be the word of a kubelet that was killed: only one that this kubelet has given counts.
node_ready() {
  local pid status heartbeat began
  pid=$(component_pid kubelet) || return
  read -r status heartbeat < <(kubectl get node "$node_name" \
    -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}{"\n"}')
  began=$(LC_ALL=C ps -o lstart= -p "$pid")
  # ps rounds the start of a process to the second.
  [[ $status == True ]] && (($(date -d "$heartbeat" +%s) >= $(date -d "$began" +%s) - 1))
}

start_node() {
  kubectl apply --server-side --force-conflicts -f "$cluster_source/manifests/node.yaml" >/dev/null
  start_kubelet
  start_proxy
  start_dns
  wait_for_component kubelet 180 node_ready
}
