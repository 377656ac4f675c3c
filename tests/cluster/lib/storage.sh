# The storage appliance's root, the two CSI drivers and their sidecars, and the classes.
# shellcheck shell=bash disable=SC2154

make_nas() {
  mkdir -p "$nas"
  : >"$nas/.truenas-migrate-test-nas"
}

# start_driver NAME SHAPE PROVISIONER-FLAGS...: one driver with its provisioner and its attacher.
start_driver() {
  local name=$1 shape=$2 socket=$kubelet_root/plugins/$1/csi.sock
  shift 2
  # A sidecar that has lost its driver ends at its next call, and nobody would start it again.
  component_pid "csi-$name" >/dev/null || { stop_component "csi-provisioner-$name" && stop_component "csi-attacher-$name"; }
  start_component "csi-$name" "$bin/csi" -shape="$shape" -name="$name" -node-id="$node_name" \
    -nas-root="$nas" -kubelet-root="$kubelet_root" -share-program="$bin/nfs-share"
  wait_for_component "csi-$name" 60 test -S "$socket"
  start_component "csi-provisioner-$name" "$bin/csi-provisioner" --kubeconfig="$configs/storage.kubeconfig" \
    --csi-address="$socket" --extra-create-metadata "$@"
  start_component "csi-attacher-$name" "$bin/csi-attacher" --kubeconfig="$configs/storage.kubeconfig" --csi-address="$socket"
}

# apply_old_driver: a CSIDriver's attachRequired cannot be changed in place.
apply_old_driver() {
  local present
  present=$(kubectl get csidriver "$old_driver" --ignore-not-found -o 'jsonpath={.spec.attachRequired}')
  [[ -z $present || $present == "$old_attach_required" ]] || kubectl delete csidriver "$old_driver" >/dev/null
  sed "s/@ATTACH_REQUIRED@/$old_attach_required/" "$cluster_source/manifests/storage-old.yaml" |
    kubectl apply --server-side --force-conflicts -f - >/dev/null
}

registered() { [[ " $(kubectl get csinode "$node_name" -o 'jsonpath={.spec.drivers[*].name}') " == *" $1 "* ]]; }

start_storage() {
  make_nas
  apply_old_driver
  kubectl apply --server-side --force-conflicts -f "$cluster_source/manifests/storage-new.yaml" \
    -f "$cluster_source/manifests/class-$new_class.yaml" >/dev/null
  start_driver "$old_driver" democratic
  start_driver "$new_driver" truenas --default-fstype=ext4 --feature-gates=Topology=true
  wait_until 120 "the registration of $old_driver" registered "$old_driver"
  wait_until 120 "the registration of $new_driver" registered "$new_driver"
}
