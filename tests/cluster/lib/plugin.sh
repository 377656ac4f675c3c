# For the test scripts that run the plugin on the cluster: the real kubectl finds it on PATH, KUBECONFIG is the test
# cluster's and no other.
# shellcheck shell=bash

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
source "$repository/tests/cluster/lib/settings.sh"
source "$repository/tests/cluster/guard.sh"
source "$repository/tests/cluster/lib/check.sh"
export KUBECONFIG=$admin_kubeconfig
export PATH=$repository/build:$bin:$PATH
require_test_cluster

migrate() { kubectl truenas-migrate "$@"; }
class_of_claims() {
  kubectl get persistentvolumeclaims -n coder -l cnpg.io/cluster=coder-postgres \
    -o 'jsonpath={range .items[*]}{.spec.storageClassName}{"\n"}{end}' | sort -u | xargs
}
database_phase() { kubectl get cluster -n coder coder-postgres -o 'jsonpath={.status.phase}'; }
database_is_healthy() { [[ $(database_phase) == "Cluster in healthy state" ]]; }
claims_are_on() { [[ $(class_of_claims) == "$1" ]] || { class_of_claims; return 1; }; }
# The stand-in's rows that were acknowledged since a moment are all there.
no_write_was_lost() { "$repository/tests/cluster/writer-report" --since "$1"; }
