# The runbook's site: the database with its data, the stand-in for Coder, the workspaces. Made once per cluster: a site that
# was migrated since is never put back.
# shellcheck shell=bash disable=SC2154

apply() { kubectl apply --server-side --force-conflicts -f "$@" >/dev/null; }

make_namespace() { kubectl create namespace "$1" --dry-run=client -o yaml | apply -; }

workspaces_seeded() { [[ $(kubectl get pod -n coder-workspaces seed-workspaces -o 'jsonpath={.status.phase}') == Succeeded ]]; }

make_workspaces() {
  apply "$cluster_source/manifests/site-workspaces.yaml"
  if [[ ! -e $run/workspaces-seeded ]]; then
    kubectl create configmap seed-workspaces -n coder-workspaces \
      --from-file="$cluster_source/manifests/seed-workspaces.sh" --dry-run=client -o yaml | apply -
    kubectl delete pod -n coder-workspaces seed-workspaces --ignore-not-found --wait >/dev/null
    apply "$cluster_source/manifests/site-seed.yaml"
    wait_until 300 "the end of the Pod coder-workspaces/seed-workspaces" workspaces_seeded
    kubectl delete pod -n coder-workspaces seed-workspaces --wait >/dev/null
    kubectl delete configmap -n coder-workspaces seed-workspaces >/dev/null
    : >"$run/workspaces-seeded"
  fi
  apply "$cluster_source/manifests/site-running.yaml"
}

primary() { kubectl get cluster -n coder coder-postgres -o 'jsonpath={.status.currentPrimary}'; }

# in_primary COMMAND...: in the primary's container.
in_primary() { kubectl exec -i -n coder "$(primary)" -c postgres -- "$@"; }

database_answers() { in_primary psql -qAtX -d coder -c 'SELECT 1' </dev/null; }

# database_healthy: also hurries a join, which waits for a checkpoint that PostgreSQL would spread over minutes.
database_healthy() {
  in_primary psql -qAtX -c CHECKPOINT </dev/null >/dev/null 2>&1 || true
  [[ $(kubectl get cluster -n coder coder-postgres -o 'jsonpath={.status.readyInstances} {.status.phase}') == \
    "3 Cluster in healthy state" ]]
}

seed_database() {
  local present
  present=$(in_primary psql -qAtX -d coder -c "SELECT to_regclass('public.audit_logs') IS NOT NULL" </dev/null)
  [[ $present == t ]] || in_primary psql -qAtX -v ON_ERROR_STOP=1 -d coder <"$cluster_source/manifests/site-data.sql" >/dev/null
}

# Before 1.28 a Cluster has no such field: its Pods always get fsGroup.
without_unknown_fields() { if [[ $cnpg_version == 1.27.* ]]; then sed '/Without fsGroup/d; /^  podSecurityContext:/,/runAsGroup/d'; else cat; fi; }

make_coder() {
  local password
  password=$(kubectl get secret -n coder coder-postgres-app -o 'jsonpath={.data.password}' | base64 -d)
  printf 'postgres://coder:%s@coder-postgres-rw.coder.svc.cluster.local:5432/coder?sslmode=require' "$password" |
    kubectl create secret generic -n coder coder-db-url --from-file=url=/dev/stdin --dry-run=client -o yaml | apply -
  apply "$cluster_source/manifests/site-coder.yaml"
}

make_site() {
  [[ ! -e $run/site-made ]] || return 0
  make_namespace coder
  make_namespace coder-workspaces
  sed "s|@POSTGRES_IMAGE@|$(postgres_image)|" "$cluster_source/manifests/site-postgres.yaml" | without_unknown_fields | apply -
  make_workspaces
  wait_until 600 "an answer of the database coder/coder-postgres" database_answers
  seed_database
  make_coder
  wait_until 600 "the health of the cluster coder/coder-postgres" database_healthy
  kubectl rollout status -n coder deployment/coder --timeout=300s >/dev/null
  kubectl wait -n coder-workspaces --for=condition=Ready pod --all --timeout=300s >/dev/null
  : >"$run/site-made"
}
