# Where something of a Kubernetes exists already, the cluster is not started and nothing of it is made.
# shellcheck shell=bash disable=SC2154

nothing_made() { [[ ! -d $run ]] && ! ip link show "$bridge" 2>/dev/null; }

test_refusals() {
  local listener own_subnet
  check "refuses a subnet that is none" refuses "is no IPv4 subnet" env CLUSTER_CIDR=10.88.0/16 "$here/up"
  check "refuses a subnet too small" refuses "is too small" env CLUSTER_CIDR=10.88.0.0/28 "$here/up"
  own_subnet=$(foreign_subnets | grep / | grep -v '^127' | head -n 1) || true
  check "refuses a subnet of this machine" refuses "overlaps this machine's" env CLUSTER_CIDR="${own_subnet:-127.0.0.0/24}" "$here/up"
  check "refuses overlapping subnets" refuses "overlaps CLUSTER_SERVICE_CIDR" \
    env CLUSTER_CIDR=10.201.0.0/16 CLUSTER_SERVICE_CIDR=10.201.7.0/24 "$here/up"
  check "refuses an unknown site" refuses 'CLUSTER_SITE is "nome"' env CLUSTER_SITE=nome "$here/up"

  check "refuses a root that holds something else" refuses_foreign_root
  check "refuses the root directory" refuses "is no absolute path below" env CLUSTER_ROOT=/ "$here/up"
  check "down touches no directory that is not a cluster's" down_keeps_foreign_root

  socat "TCP-LISTEN:$controller_manager_port,bind=127.0.0.1,fork" /dev/null &
  listener=$!
  until ss -Hltn "sport = :$controller_manager_port" | grep -q .; do kill -0 "$listener"; done
  check "refuses a port in use" refuses "port $controller_manager_port is in use" "$here/up"
  kill "$listener"
  wait "$listener" 2>/dev/null || true

  iptables -w -t nat -N KUBE-FOREIGN
  check "refuses where a KUBE- chain exists" refuses "iptables chains of a Kubernetes exist already: KUBE-FOREIGN" "$here/up"
  check "down touches no foreign chain" down_keeps_foreign_chain
  iptables -w -t nat -X KUBE-FOREIGN

  (exec -a kubelet sleep 300) &
  listener=$!
  until [[ $(<"/proc/$listener/comm") == sleep ]]; do kill -0 "$listener"; done
  check "a process that is merely called so is no kubelet" not_taken_for_a_kubelet "$listener"
  kill "$listener"
  wait "$listener" 2>/dev/null || true
  check "refuses where there is no /dev/fuse" refuses "has no /dev/fuse" \
    unshare --mount sh -c 'mount -t tmpfs none /dev && exec "$0"' "$here/up"
  check "nothing was made by all this" nothing_made
}

refuses_foreign_root() {
  local folder answer=0
  folder=$(mktemp -d)
  echo precious >"$folder/file"
  refuses "is not empty and not a test cluster's" env CLUSTER_ROOT="$folder" "$here/up" || answer=1
  equal "$(ls -A "$folder") $(<"$folder/file")" "file precious" || answer=1
  rm -r "$folder"
  return $answer
}

down_keeps_foreign_root() {
  local folder answer=0
  folder=$(mktemp -d)
  mkdir "$folder/run" "$folder/bin"
  echo precious >"$folder/bin/file"
  refuses "is not a test cluster's: nothing was touched" env CLUSTER_ROOT="$folder" "$here/down" || answer=1
  equal "$(<"$folder/bin/file")" precious || answer=1
  rm -r "$folder"
  return $answer
}

down_keeps_foreign_chain() { "$here/down" && iptables -w -t nat -L KUBE-FOREIGN -n; }

not_taken_for_a_kubelet() { grep -qx kubelet <(tr '\0' '\n' <"/proc/$1/cmdline") && check_no_other_kubernetes; }
