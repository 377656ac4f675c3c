# Many homes, in namespaces whose rules are odd, for test-workspaces-matrix. Source it after homes.sh.
# shellcheck shell=bash disable=SC2154

webhook_pid=
# claim NAMESPACE NAME [SIZE [MODE]]: a stopped home's claim of the old class, as text.
claim() {
  cat <<YAML
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: $2
  namespace: $1
  labels: {com.coder.resource: "true", com.coder.workspace.name: odd, com.coder.user.username: odette}
spec: {accessModes: [${4:-ReadWriteOnce}], storageClassName: truenas-nfs, resources: {requests: {storage: ${3:-1Gi}}}}
YAML
}
# workload NAMESPACE NAME CLAIM REPLICAS: a Deployment whose Pods write a line a fifth of a second, on disk before the next one.
workload() {
  cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $2, namespace: $1}
spec:
  replicas: $4
  selector: {matchLabels: {app: $2}}
  template:
    metadata: {labels: {app: $2}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      securityContext: {runAsUser: 1000, runAsGroup: 1000}
      containers:
      - name: dev
        image: docker.io/library/busybox:1.35
        env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]
        command: [/bin/sh, -c, 'n=0; while :; do echo "\$POD \$((n += 1))" >>/home/coder/lines; sleep 0.2; done']
        volumeMounts: [{name: home, mountPath: /home/coder}]
      volumes: [{name: home, persistentVolumeClaim: {claimName: $3}}]
YAML
}
make_odd_namespace() { kubectl create namespace "$1" >/dev/null && homes=$1 give_coder_its_rights; }
# datasets NAMESPACE…: "NAMESPACE/CLAIM VOLUME FOLDER" of every claim.
datasets() {
  local ns
  for ns in "$@"; do
    kubectl get persistentvolumeclaims -n "$ns" -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.volumeName}{"\n"}{end}'
  done | while read -r name volume; do
    echo "$name $volume $nas$(volume_of "$volume" '.spec.csi.volumeAttributes.share}{.spec.csi.volumeAttributes.nfsPath')"
  done
}
# trees FILE: what lies in each folder of FILE (lines of `datasets`), a line an entry: "NAMESPACE/CLAIM PATH FACTS", without the
# root's time, which nobody but root could set, and by how much a file is sparse.
trees() {
  PYTHONPATH=$repository/tests/nfs/guest python3 - "$1" <<'PY'
import sys
import listing
for line in open(sys.argv[1]):
    claim, volume, folder = line.split()
    for name, facts in sorted(listing.of(folder).items()):
        if name == b".":
            facts.pop("mtime")
        facts.pop("allocated", None)
        print(claim, name, facts)
PY
}
# What a refusal must leave as it is: every claim, every volume's policy and marks, every workload.
state_of() {
  local ns
  for ns in "$@"; do
    kubectl get persistentvolumeclaims,deployments -n "$ns" -o 'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.labels} {.spec}{"\n"}{end}'
    kubectl get pods,persistentvolumeclaims -n "$ns" -l app.kubernetes.io/managed-by=kubectl-truenas-migrate -o name
    kubectl get persistentvolumes -o "jsonpath={range .items[?(@.spec.claimRef.namespace==\"$ns\")]}{.metadata.name} {.metadata.labels} {.metadata.annotations} {.spec}{\"\\n\"}{end}"
    homes=$ns roles
  done
}
# start_webhook FOLDER PREFIX: for the claims of namespaces whose names begin so, and their volumes.
start_webhook() {
  local folder=$1 port ca
  mkdir -p "$folder"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=webhook -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
  "$repository/tests/cluster/lib/admission-webhook" "$folder" >"$folder/port" 2>"$folder/errors" &
  webhook_pid=$!
  until [[ -s $folder/port ]] || ! kill -0 "$webhook_pid" 2>/dev/null; do sleep 0.1; done
  port=$(<"$folder/port") ca=$(base64 -w 0 "$folder/tls.crt")
  kubectl apply -f - >/dev/null <<YAML
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: tm-odd-labels}
webhooks:
- name: labels.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 10
  clientConfig: {url: "https://127.0.0.1:$port/", caBundle: $ca}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [persistentvolumeclaims, persistentvolumes], scope: "*"}]
  matchConditions:
  - name: of-the-homes
    expression: >-
      (has(object.metadata.namespace) && object.metadata.namespace.startsWith("$2")) ||
      (has(object.spec.claimRef) && has(object.spec.claimRef.namespace) && object.spec.claimRef.namespace.startsWith("$2"))
YAML
}
stop_webhook() {
  kubectl delete mutatingwebhookconfiguration tm-odd-labels --ignore-not-found >/dev/null 2>&1
  [[ -z $webhook_pid ]] || kill "$webhook_pid" 2>/dev/null
  webhook_pid=
}
# A home for a Pod that its LimitRange bounds, too: a claim of at most SIZE.
limit_range() {
  kubectl apply -n "$1" -f - >/dev/null <<YAML
apiVersion: v1
kind: LimitRange
metadata: {name: bounds}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: $2}}, {type: Container, max: {memory: 128Mi}}]}
YAML
}
# Namespaces and the volumes that were theirs; the driver takes the datasets of those that are still Delete.
remove_odd_namespaces() {
  local ns volume
  for ns in "$@"; do
    kubectl get persistentvolumeclaims -n "$ns" -o name 2>/dev/null | while read -r name; do
      kubectl patch -n "$ns" "$name" --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]' >/dev/null 2>&1
    done
    kubectl delete namespace "$ns" --ignore-not-found --wait=false >/dev/null 2>&1
  done
  for ns in "$@"; do
    kubectl wait "namespace/$ns" --for=delete --timeout=90s >/dev/null 2>&1
    kubectl get persistentvolumes -o "jsonpath={range .items[?(@.spec.claimRef.namespace==\"$ns\")]}{.metadata.name}{\"\\n\"}{end}" |
      while read -r volume; do kubectl delete persistentvolume "$volume" --wait=false >/dev/null 2>&1; done
  done
}
# flap NAMESPACE DEPLOYMENT TIMES: a controller that wants it to run, and somebody who does not.
flap() {
  local time
  for ((time = 0; time < $3; time++)); do
    kubectl scale -n "$1" "deployment/$2" --replicas=1 >/dev/null
    # Now and then it is taken away before it runs, else after it has written a while.
    ((time % 3 == 2)) || kubectl rollout status -n "$1" "deployment/$2" --timeout=60s >/dev/null 2>&1
    sleep "$((RANDOM % 4)).$((RANDOM % 10))"
    kubectl scale -n "$1" "deployment/$2" --replicas=0 >/dev/null
    sleep "$((3 + RANDOM % 25)).$((RANDOM % 10))"
  done
}
fails() { ! "$@"; }
classes() { local ns; for ns in "$@"; do kubectl get persistentvolumeclaims -n "$ns" -o 'jsonpath={range .items[*]}{.spec.storageClassName}{"\n"}{end}'; done; }
# sees NAMESPACE…: what Terraform looks at of every claim, but the webhook's label, which it takes off in place.
sees() {
  local ns
  for ns in "$@"; do kubectl get persistentvolumeclaims -n "$ns" -o json; done | python3 -c '
import json, sys
own = lambda key: "kubernetes.io" not in key.split("/")[0] or key.startswith("app.kubernetes.io/")
kept = lambda names: {k: v for k, v in (names or {}).items() if own(k) and not k.startswith("policy.example.com/")}
text, at, decoder = sys.stdin.read(), 0, json.JSONDecoder()
while text[at:].strip():
    at += len(text[at:]) - len(text[at:].lstrip())
    found, at = decoder.raw_decode(text, at)
    for o in found["items"]:
        m, s = o["metadata"], o["spec"]
        print(json.dumps([m["namespace"], m["name"], kept(m.get("labels")), kept(m.get("annotations")), s["accessModes"], s["resources"],
                          s.get("volumeMode"), s.get("selector")], sort_keys=True))'
}
labelled() { local ns; for ns in "$@"; do kubectl get persistentvolumeclaims -n "$ns" -l policy.example.com/stamped=by-webhook -o name; done | wc -l; }
# policies FILE…: of the volumes in files of `datasets`, each once.
policies() { cat "$@" | cut -d' ' -f2 | while read -r volume; do volume_of "$volume" '.spec.persistentVolumeReclaimPolicy}{"\n"'; done | sort -u | xargs; }
all_bound() {
  local name volume folder
  while read -r name volume folder; do homes=${name%/*} bound_both_ways "${name#*/}" || { echo "$name on $volume"; return 1; }; done <"$1"
}
