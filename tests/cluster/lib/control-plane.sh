# etcd, the API server, the controller manager and the scheduler.
# shellcheck shell=bash disable=SC2154

kubectl() { "$bin/kubectl" --kubeconfig="$admin_kubeconfig" --cache-dir="$run/kubectl-cache" "$@"; }

start_etcd() {
  start_component etcd "$bin/etcd" --name="$node_name" --data-dir="$cluster_root/etcd" --unsafe-no-fsync --log-level=warn \
    --listen-client-urls="http://127.0.0.1:$etcd_port" --advertise-client-urls="http://127.0.0.1:$etcd_port" \
    --listen-peer-urls="http://127.0.0.1:$etcd_peer_port" --initial-advertise-peer-urls="http://127.0.0.1:$etcd_peer_port" \
    --initial-cluster="$node_name=http://127.0.0.1:$etcd_peer_port"
}

start_api_server() {
  start_component kube-apiserver "$bin/kube-apiserver" \
    --advertise-address="$(first_address "$pod_cidr")" --bind-address=0.0.0.0 --secure-port="$api_port" \
    --etcd-servers="http://127.0.0.1:$etcd_port" --service-cluster-ip-range="$service_cidr" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --anonymous-auth=true \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP --allow-privileged=true \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/service-account.key" \
    --service-account-signing-key-file="$pki/service-account.key" \
    --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key"
}

start_controllers() {
  start_component kube-controller-manager "$bin/kube-controller-manager" \
    --kubeconfig="$configs/controller-manager.kubeconfig" --authentication-kubeconfig="$configs/controller-manager.kubeconfig" \
    --authorization-kubeconfig="$configs/controller-manager.kubeconfig" --bind-address=127.0.0.1 \
    --secure-port="$controller_manager_port" --use-service-account-credentials=true --leader-elect=false \
    --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/service-account.key" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key"
  start_component kube-scheduler "$bin/kube-scheduler" --kubeconfig="$configs/scheduler.kubeconfig" \
    --authentication-kubeconfig="$configs/scheduler.kubeconfig" --authorization-kubeconfig="$configs/scheduler.kubeconfig" \
    --bind-address=127.0.0.1 --secure-port="$scheduler_port" --leader-elect=false
}

# record_identity: the cluster's own uid, by which tests know that they write to no other.
record_identity() {
  local uid
  uid=$(kubectl get namespace kube-system -o 'jsonpath={.metadata.uid}')
  [[ -n $uid ]] || die "the API server gave no uid of the namespace kube-system"
  [[ ! -s $uid_file || $(<"$uid_file") == "$uid" ]] || die "the cluster at port $api_port is not the one of $cluster_root"
  printf '%s\n' "$uid" >"$uid_file"
}

# stop_clients: what watches the API server waits up to a minute before it asks again after a failure.
stop_clients() {
  local name
  for name in kube-controller-manager kube-scheduler kubelet kube-proxy coredns cnpg-operator \
    "csi-provisioner-$old_driver" "csi-provisioner-$new_driver" "csi-attacher-$old_driver" "csi-attacher-$new_driver"; do
    stop_component "$name"
  done
}

start_control_plane() {
  component_pid kube-apiserver >/dev/null && component_pid etcd >/dev/null || stop_clients
  start_etcd
  start_api_server
  # The controllers end at once where the API server has not made its default roles yet.
  wait_for_component kube-apiserver 180 kubectl get --raw /readyz
  start_controllers
  wait_until 120 "the namespace kube-system" kubectl get namespace kube-system
  wait_until 120 "the namespace default" kubectl get serviceaccount default
  record_identity
}
