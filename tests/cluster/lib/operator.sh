# The CloudNativePG operator, run on the host as the node's programs are. No webhooks: nothing in the cluster calls it.
# shellcheck shell=bash disable=SC2154

operator_listens() { ss -Hltn "sport = :$cnpg_webhook_port" | grep -q .; }

kinds_served() { [[ $(kubectl api-resources --api-group=postgresql.cnpg.io -o name | wc -l) == "$(grep -c '^kind: CustomResourceDefinition' "$bin/crds.yaml")" ]]; }

start_operator() {
  kubectl apply --server-side --force-conflicts -f "$bin/crds.yaml" >/dev/null
  kubectl wait --for=condition=Established --timeout=120s -f "$bin/crds.yaml" >/dev/null
  # The operator ends at once where one of its kinds is not served yet.
  wait_until 60 "the API server's serving of CloudNativePG's kinds" kinds_served
  kubectl create namespace cnpg-system --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f - >/dev/null
  # The operator looks for its own programs, which it hands to the instances, below its working directory.
  mkdir -p "$cluster_root/operator/operator" "$pki/webhook"
  ln -sfn "$bin/manager" "$cluster_root/operator/operator/manager_amd64"
  cp "$pki/webhook.crt" "$pki/webhook/apiserver.crt"
  cp "$pki/webhook.key" "$pki/webhook/apiserver.key"
  start_component cnpg-operator env --chdir="$cluster_root/operator" KUBECONFIG="$configs/cnpg.kubeconfig" \
    OPERATOR_NAMESPACE=cnpg-system WATCH_NAMESPACE= OPERATOR_IMAGE_NAME="$cnpg_image" \
    POSTGRES_IMAGE_NAME="$(postgres_image)" WEBHOOK_CERT_DIR="$pki/webhook" \
    "$bin/manager" controller --leader-elect=false --webhook-port="$cnpg_webhook_port" \
    --metrics-bind-address="127.0.0.1:$cnpg_metrics_port"
  wait_for_component cnpg-operator 180 operator_listens
}
