# Sourced by every script that writes to a cluster:
#
#   source tests/cluster/guard.sh
#   require_test_cluster
#
# ends the script unless KUBECONFIG is set, names one file, and reaches the cluster that cluster-up started: the one whose
# kube-system namespace has the uid recorded beside its kubeconfig. Never the user's default kubeconfig.
# shellcheck shell=bash

require_test_cluster() {
  local root=${CLUSTER_ROOT:-/var/lib/truenas-migrate-cluster} recorded reached
  local client=$root/bin/kubectl
  if [[ -z ${KUBECONFIG:-} ]]; then
    echo "error: KUBECONFIG is not set: the default kubeconfig is never used by a test; run: make -s cluster-up" >&2
    exit 1
  fi
  if [[ $KUBECONFIG == *:* || ! -r $KUBECONFIG ]]; then
    echo "error: KUBECONFIG=$KUBECONFIG is not one readable file" >&2
    exit 1
  fi
  if ! recorded=$(cat "$root/kubeconfig.cluster-uid" 2>/dev/null) || [[ -z $recorded ]]; then
    echo "error: no test cluster was started in $root; run: make -s cluster-up" >&2
    exit 1
  fi
  if ! reached=$("$client" --kubeconfig="$KUBECONFIG" --request-timeout=10s get namespace kube-system -o 'jsonpath={.metadata.uid}'); then
    echo "error: the cluster of KUBECONFIG=$KUBECONFIG does not answer" >&2
    exit 1
  fi
  if [[ $reached != "$recorded" ]]; then
    echo "error: KUBECONFIG=$KUBECONFIG reaches cluster $reached, not the test cluster $recorded: nothing is written there" >&2
    exit 1
  fi
}
