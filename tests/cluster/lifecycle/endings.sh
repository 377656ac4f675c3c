# Components killed and started again, a node that dies as a whole, and the end: what must go on, and what must be gone.
# shellcheck shell=bash disable=SC2154

kill_component() {
  local pid
  pid=$(component_pid "$1")
  kill -KILL "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

restarts() { kubectl get pod old new -o 'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].containerID}{"\n"}{end}'; }

# works_again NAME: the node is ready, the volumes of before are read, and each class still makes and mounts a new one.
works_again() {
  "$here/up"
  ready
  written old SAS/RKE2
  written new SAS
  claim "old-$1" truenas-nfs
  claim "new-$1" truenas-csi-nfs
  written "old-$1" SAS/RKE2
  written "new-$1" SAS
  node_drivers
}

test_kubelet_restart() {
  local before
  before=$(restarts)
  kill_component kubelet
  check "a killed kubelet comes back and knows both drivers" works_again kubelet
  check "its Pods went on meanwhile" equal "$(restarts)" "$before"
}

# share_of NAME: the process that serves a Pod's volume.
share_of() { pgrep -f -- "nfs-share --rule=.* $nas/mnt/[^ ]*/$(volume_of "$1") $kubelet_root/pods/"; }
shares_and_mounts() { [[ $(pgrep -fc -- "nfs-share --rule=.* $nas/mnt/") == $(enter grep -c ' fuse.nfs-share ' /proc/mounts) ]]; }

# A share whose process was killed is dead for its Pod, and for no other; the next Pod mounts it anew.
killed_share() {
  local pid
  pid=$(share_of new)
  kill -KILL "$pid"
  if kubectl exec new -- cat /data/file; then return 1; fi
  written old SAS/RKE2
  kubectl delete pod new --wait --timeout=120s
  claim new truenas-csi-nfs
  written new SAS
  wait_until 30 "the end of what served removed Pods" shares_and_mounts
}

test_killed_share() {
  check "a killed share can be mounted again" killed_share
}

test_killed_components() {
  local before name
  before=$(restarts)
  for name in etcd kube-apiserver kube-proxy coredns containerd "csi-$old_driver" "csi-provisioner-$new_driver" cnpg-operator; do
    kill_component "$name"
  done
  check "killed components come back" works_again components
  check "the Pods went on meanwhile" equal "$(restarts)" "$before"
}

# Everything at once, as when the machine's power goes.
test_killed_node() {
  end_processes KILL 20 marked_processes
  end_processes KILL 20 container_processes
  check "everything can be killed" no_processes
  check "nothing stays mounted when all is killed" no_mounts
  check "a killed cluster comes back with its data" comes_back
}

comes_back() {
  "$here/up"
  ready
  wait_until 300 "the return of the Pods old and new" kubectl wait --for=condition=Ready --timeout=1s pod/old pod/new
  works_again node
}

no_mounts() { ! grep " $cluster_root/" /proc/self/mountinfo; }
# Looked for in another way than `down` does: by what runs and which cgroup it is in.
no_processes() {
  ! readlink /proc/[0-9]*/exe 2>/dev/null | grep -E "^$cache/.*/(etcd|kubelet|kube-[a-z-]+|coredns|manager|csi[a-z-]*|nfs-share)$" &&
    ! pgrep -af "containerd.*$cluster_root" && ! grep -ls "/$pods_cgroup/" /proc/[0-9]*/cgroup
}
no_chains() { equal "$(kubernetes_chains)" "" && ! iptables-save | grep -- "$bridge"; }
no_bridge() { ! ip link show "$bridge" 2>/dev/null && ! ip -o link show type veth 2>/dev/null | grep -- "master $bridge"; }
no_cgroup() { ! find /sys/fs/cgroup -name "$pods_cgroup" | grep .; }
no_ports() { check_ports; }
only_logs() { equal "$(ls -A "$cluster_root" | xargs)" "${root_marker##*/} logs" && [[ -s $logs/kubelet.log ]]; }
settings_now() { local setting; for setting in "${kernel_settings[@]}"; do cat "/proc/sys/$setting" 2>/dev/null || true; done; }

test_down() {
  local kept
  kept=$(awk '{ print $2 }' "$run/kernel-settings")
  check "down works" "$here/down"
  check "no process is left" no_processes
  check "no mount is left" no_mounts
  check "no chain is left" no_chains
  check "no bridge is left" no_bridge
  check "no cgroup is left" no_cgroup
  check "no port is left in use" no_ports
  check "the kernel's settings are as before" equal "$(settings_now)" "$kept"
  check "only the logs are left" only_logs
  check "a second down has nothing to do" nothing_to_end
}

nothing_to_end() { "$here/down" 2>&1 | grep -q "nothing to end"; }
