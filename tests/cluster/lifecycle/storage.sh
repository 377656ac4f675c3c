# The started cluster, its two classes, and that volumes look exactly as the real drivers' volumes do.
# shellcheck shell=bash disable=SC2154

up_says_how_to_use_it() { equal "$("$here/up" | tail -n 1)" "export KUBECONFIG=$admin_kubeconfig"; }

ready() { equal "$(kubectl get node "$node_name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" True; }

test_start() {
  local began=$EPOCHSECONDS
  check "starts" up_says_how_to_use_it
  say "      in $((EPOCHSECONDS - began)) s"
  check "the node is ready" ready
  check "the guard accepts this cluster" guarded "$admin_kubeconfig"
  check "the guard refuses without KUBECONFIG" refuses "KUBECONFIG is not set" guarded ""
  check "the guard refuses another cluster" guard_refuses_another
  check "a second start changes nothing and says so" second_start
  check "refuses other subnets while it runs" refuses "a cluster with other settings exists" env CLUSTER_CIDR=10.201.0.0/16 "$here/up"
}

guarded() (
  if [[ -n $1 ]]; then export KUBECONFIG=$1; else unset KUBECONFIG; fi
  require_test_cluster
)

guard_refuses_another() {
  local kept answer=0
  kept=$(<"$uid_file")
  echo 00000000-0000-0000-0000-000000000000 >"$uid_file"
  refuses "nothing is written there" guarded "$admin_kubeconfig" || answer=1
  echo "$kept" >"$uid_file"
  return $answer
}

second_start() {
  local before after said
  before=$(cat "$run"/*.pid)
  said=$("$here/up" 2>&1)
  after=$(cat "$run"/*.pid)
  equal "$after" "$before" && grep -q "runs already: nothing to start" <<<"$said"
}

claim() { # NAME CLASS
  kubectl apply -f - <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, namespace: default}
spec: {accessModes: [ReadWriteOnce], storageClassName: $2, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsGroup: 1000}
  containers:
  - name: c
    image: $busybox_image
    imagePullPolicy: IfNotPresent
    command: [/bin/sh, -c, 'echo written by $1 >/data/file && exec sleep 1000000']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: $1}}]
YAML
  kubectl wait --for=condition=Ready --timeout=240s pod/"$1"
}

volume_of() { kubectl get pvc "$1" -o 'jsonpath={.spec.volumeName}'; }

# written NAME DATASET-PARENT: the Pod reads its file back, and it lies in the dataset, of uid 1000.
written() {
  equal "$(kubectl exec "$1" -- cat /data/file)" "written by $1" &&
    equal "$(stat -c '%u %s' "$nas/mnt/$2/$(volume_of "$1")/file")" "1000 $((${#1} + 12))"
}

# shape VOLUME: the parts of a volume that a driver and its sidecars decide, with the names that differ replaced.
shape() {
  local uid=${1#pvc-}
  kubectl get pv "$1" -o json | python3 -c '
import json, re, sys
volume = json.load(sys.stdin)
meta, spec = volume["metadata"], volume["spec"]
text = json.dumps({"annotations": meta["annotations"], "finalizers": sorted(meta["finalizers"]), "csi": spec["csi"],
  "affinity": spec.get("nodeAffinity"), "policy": spec["persistentVolumeReclaimPolicy"], "class": spec["storageClassName"],
  "mode": spec["volumeMode"], "access": spec["accessModes"]}, sort_keys=True, indent=1)
text = text.replace(sys.argv[1], "UID")
print(re.sub(r"\"\d+-\d+-", "\"ID-", text))' "$uid"
}

test_storage() {
  check "a claim of $old_driver binds and a Pod writes" claim old truenas-nfs
  check "a claim of $new_driver binds and a Pod writes" claim new truenas-csi-nfs
  check "what the Pod wrote lies in the old dataset" written old SAS/RKE2
  check "what the Pod wrote lies in the new dataset" written new SAS
  check "the old dataset's volume has Democratic CSI's shape" equal_shape old
  check "the new dataset's volume has TrueNAS CSI's shape" equal_shape new
  check "the new dataset's directory is root's, open to all" equal "$(stat -c '%u:%g %a' "$nas/mnt/SAS/$(volume_of new)")" "0:0 777"
  check "the node has both drivers with their topology" node_drivers
  check "the old class's volume squashes nobody" contract old no_root_squash
  check "the new class's volume squashes root" contract new root_squash
  check "as many shares are served as are mounted" shares_and_mounts
  check "a deleted claim's dataset is really gone, its neighbours stay" deletion
}

equal_shape() { equal "$(shape "$(volume_of "$1")")" "$(cat "$here/lifecycle/volume-$1.json")"; }

node_drivers() {
  equal "$(kubectl get csinode "$node_name" -o 'jsonpath={range .spec.drivers[*]}{.name} {.topologyKeys}{"\n"}{end}' | sort)" \
    "csi.truenas.io [\"topology.truenas.io/node\",\"topology.truenas.io/pool\"]
truenas-nfs null"
}

gone() { ! kubectl get pv "$1" 2>/dev/null && [[ ! -e $2 ]]; }

# contract NAME RULE: on the volume as the Pod has it mounted, bound to where everybody may go.
contract() {
  local mount
  mount=$kubelet_root/pods/$(kubectl get pod "$1" -o 'jsonpath={.metadata.uid}')/volumes/kubernetes.io~csi/$(volume_of "$1")/mount
  enter unshare --mount --propagation private \
    sh -c 'mount --bind "$1" /mnt && exec "$0" /mnt "$2"' "$here/../nfs/squash-contract" "$mount" "$2"
}

deletion() {
  local name volume folder
  local -A class=([old]=truenas-nfs [new]=truenas-csi-nfs) parent=([old]=SAS/RKE2 [new]=SAS)
  for name in old new; do
    claim "$name-deleted" "${class[$name]}"
    volume=$(volume_of "$name-deleted")
    folder=$nas/mnt/${parent[$name]}/$volume
    [[ -e $folder/file ]]
    kubectl delete pod "$name-deleted" --wait
    kubectl delete pvc "$name-deleted"
    wait_until 180 "the deletion of $volume" gone "$volume" "$folder"
  done
  written old SAS/RKE2 && written new SAS
  wait_until 30 "the end of what served removed Pods" shares_and_mounts
}
