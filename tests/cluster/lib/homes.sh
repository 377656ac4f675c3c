# Homes of workspaces on the real cluster, for the tests that move them: what is behind a claim, and the rights that Coder has.
# Source it after plugin.sh.
homes=coder-workspaces
equal() { [[ $1 == "$2" ]] || { printf 'got  %s\nwant %s\n' "$1" "$2"; return 1; }; }
claim_of() { kubectl get persistentvolumeclaim -n "$homes" "$1" -o "jsonpath={$2}"; }
volume_of() { kubectl get persistentvolume "$1" -o "jsonpath={$2}"; }
volume_behind() { claim_of "$1" .spec.volumeName; }
# The tree behind a volume, on the appliance's own disk: what it holds, by a listing that shares no code with the mover.
tree_of() { tree_at "$nas$(volume_of "$1" '.spec.csi.volumeAttributes.share}{.spec.csi.volumeAttributes.nfsPath')"; }
tree_at() {
  PYTHONPATH=$repository/tests/nfs/guest python3 - "$1" <<'PY'
import sys
import listing
for name, facts in sorted(listing.of(sys.argv[1]).items()):
    if name == b".":
        facts.pop("mtime")  # of a directory of root's, which nobody but root could set
    facts.pop("allocated", None)  # by how much a file is sparse is the appliance's affair
    print(name, facts)
PY
}
# What Terraform looks at: everything of the claim but class, volume, and what the server sets.
terraform_sees() {
  kubectl get persistentvolumeclaim -n "$homes" "$1" -o json | python3 -c '
import json, sys
o = json.load(sys.stdin)
own = lambda key: "kubernetes.io" not in key.split("/")[0] or key.startswith("app.kubernetes.io/")
m, s = o["metadata"], o["spec"]
print(json.dumps([m["name"], m["namespace"], {k: v for k, v in m.get("labels", {}).items() if own(k)},
                  {k: v for k, v in m.get("annotations", {}).items() if own(k)}, s["accessModes"], s["resources"],
                  s.get("volumeMode"), s.get("selector")], sort_keys=True))'
}
bound_both_ways() {
  equal "$(volume_of "$(volume_behind "$1")" '.spec.claimRef.uid') $(claim_of "$1" .status.phase)" "$(claim_of "$1" .metadata.uid) Bound"
}
kept() { equal "$(volume_of "$1" '.spec.persistentVolumeReclaimPolicy} {.status.phase} {.metadata.labels.app\.kubernetes\.io/managed-by')" "Retain Released kubectl-truenas-migrate"; }
is_on() { equal "$(claim_of "$1" .spec.storageClassName)" "$2"; }
nothing_left() {
  # A mover's Pod that is over goes a moment after the run that had asked for it.
  kubectl wait -n "$homes" pod -l app.kubernetes.io/managed-by=kubectl-truenas-migrate --for=delete --timeout=60s >/dev/null 2>&1
  equal "$(kubectl get pods,persistentvolumeclaims,configmaps -n "$homes" -l app.kubernetes.io/managed-by=kubectl-truenas-migrate \
    -o name | grep -v '^configmap/truenas-migrate-workspace-')" ""
}
move() { migrate workspaces -n "$homes" --strategy=copy "$@"; }
roles() { kubectl get role -n "$homes" coder-workspace-perms -o 'jsonpath={.rules}'; }

# The rights that the chart gives to Coder in the namespace of its workspaces.
give_coder_its_rights() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: coder-workspace-perms, namespace: $homes}
rules:
- {apiGroups: [""], resources: [pods], verbs: [create, delete, deletecollection, get, list, patch, update, watch]}
- {apiGroups: [""], resources: [persistentvolumeclaims], verbs: [create, delete, deletecollection, get, list, patch, update, watch]}
- {apiGroups: [apps], resources: [deployments], verbs: [create, delete, deletecollection, get, list, patch, update, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: coder-workspace-perms, namespace: $homes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: coder-workspace-perms}
subjects: [{kind: ServiceAccount, name: default, namespace: coder}]
YAML
}
take_coders_rights() {
  kubectl delete role,rolebinding -n "$homes" coder-workspace-perms --ignore-not-found >/dev/null 2>&1
}
# make_home CLAIM USER: a new home of the old class with files of its user's and one of root's.
make_home() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: $1
  namespace: $homes
  labels: {com.coder.resource: "true", com.coder.workspace.name: made, com.coder.user.username: $2}
spec: {accessModes: [ReadWriteOnce], storageClassName: truenas-nfs, resources: {requests: {storage: 2Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: tm-test-maker, namespace: $homes}
spec:
  restartPolicy: Never
  containers:
  - name: maker
    image: docker.io/library/busybox:1.35
    command: [/bin/sh, -ec, "cd /home; mkdir a; for i in 1 2 3; do echo \$i >a/\$i; done; chown -R 1000:1000 a; echo of-root >of-root; chmod 600 of-root"]
    volumeMounts: [{name: home, mountPath: /home}]
  volumes: [{name: home, persistentVolumeClaim: {claimName: $1}}]
YAML
  kubectl wait -n "$homes" pod/tm-test-maker --for=jsonpath='{.status.phase}'=Succeeded --timeout=120s >/dev/null &&
    kubectl delete pod -n "$homes" tm-test-maker --wait=true >/dev/null
}
