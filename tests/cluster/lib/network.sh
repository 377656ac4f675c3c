# The cluster's bridge, its chains and the kernel settings it needs; and the checks that nothing of it exists already.
# shellcheck shell=bash disable=SC2154

# cidr_range CIDR: prints the first and the last address as numbers; fails on anything that is no IPv4 subnet.
cidr_range() {
  local octet a b c d bits number
  [[ $1 =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)(/([0-9]+))?$ ]] || return 1
  a=${BASH_REMATCH[1]} b=${BASH_REMATCH[2]} c=${BASH_REMATCH[3]} d=${BASH_REMATCH[4]} bits=${BASH_REMATCH[6]:-32}
  for octet in "$a" "$b" "$c" "$d"; do ((10#$octet <= 255)) || return 1; done
  ((10#$bits <= 32)) || return 1
  number=$(((10#$a << 24) + (10#$b << 16) + (10#$c << 8) + 10#$d))
  local mask=$(((0xffffffff << (32 - 10#$bits)) & 0xffffffff))
  printf '%s %s\n' $((number & mask)) $((number | (~mask & 0xffffffff)))
}

overlap() {
  local first second
  first=($(cidr_range "$1")) || return 1
  second=($(cidr_range "$2")) || return 1
  ((first[0] <= second[1] && second[0] <= first[1]))
}

# foreign_subnets: every subnet that this machine routes or has an address in, but for the cluster's own bridge.
foreign_subnets() {
  ip -4 route show table all | awk -v own="$bridge" '$0 !~ ("dev " own "( |$)") && $1 != "default" {
    for (i = 1; i <= 2; i++) if ($i ~ /^[0-9]+\./) { print $i; break } }'
  ip -4 -o addr show | awk -v own="$bridge" '$2 != own { print $4 }'
}

check_subnets() {
  local cidr subnet
  for cidr in "$pod_cidr" "$service_cidr"; do
    cidr_range "$cidr" >/dev/null && [[ $cidr == */* ]] || die "$cidr is no IPv4 subnet" "example: CLUSTER_CIDR=10.88.0.0/16"
    while read -r subnet; do
      ! overlap "$cidr" "$subnet" || die "the subnet $cidr overlaps this machine's $subnet" \
        "choose others: CLUSTER_CIDR=10.123.0.0/16 CLUSTER_SERVICE_CIDR=10.124.0.0/24"
    done < <(foreign_subnets)
  done
  ((${pod_cidr#*/} <= 24)) || die "the subnet $pod_cidr is too small" "a /24 is the least"
  ! overlap "$pod_cidr" "$service_cidr" || die "CLUSTER_CIDR $pod_cidr overlaps CLUSTER_SERVICE_CIDR $service_cidr"
}

cluster_ports=("$api_port" "$etcd_port" "$etcd_peer_port" "$kubelet_port" "$kubelet_health_port"
  "$controller_manager_port" "$scheduler_port" "$proxy_health_port" "$proxy_metrics_port" "$cnpg_webhook_port"
  "$cnpg_metrics_port")

# own_process PID: whether the process belongs to this cluster, as one started earlier and not ended.
own_process() { grep -qzxF "$mark_name=$cluster_root" "/proc/$1/environ" 2>/dev/null; }

check_ports() {
  local port holder pid
  for port in "${cluster_ports[@]}"; do
    holder=$(ss -Hltnp "sport = :$port") || die "cannot list the listening ports"
    [[ -n $holder ]] || continue
    pid=$(grep -o 'pid=[0-9]*' <<<"$holder" | head -n 1 | cut -d= -f2)
    [[ -n $pid ]] && own_process "$pid" ||
      die "port $port is in use: $(awk '{ print $4, $6 }' <<<"$holder" | head -n 1)" "end what listens there first"
  done
}

kubernetes_chains() { { iptables-save; ip6tables-save; } 2>/dev/null | grep -o '^:KUBE-[A-Z0-9-]*' | tr -d : | sort -u; }

# check_no_other_kubernetes: refuses beside another Kubernetes. Chains and bridge may be there if this cluster made them.
check_no_other_kubernetes() {
  local pid chains
  for pid in $(ps -eo pid=,stat=,comm= | awk '$2 !~ /^Z/ && $3 ~ /^(kubelet|k3s|k3s-server|rke2|k0s)$/ { print $1 }'); do
    own_process "$pid" ||
      die "a kubelet runs on this machine already: pid $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-80)"
  done
  [[ ! -e $run/network-made ]] || return 0
  mapfile -t chains < <(kubernetes_chains)
  ((${#chains[@]} == 0)) || die "iptables chains of a Kubernetes exist already: ${chains[*]:0:3}"
  ! ip link show "$bridge" >/dev/null 2>&1 || die "a network device $bridge exists already"
}

# The kernel settings that the cluster's programs change; their values are kept and put back.
kernel_settings=(net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables vm/overcommit_memory vm/panic_on_oom kernel/panic
  kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/conf/all/route_localnet
  net/netfilter/nf_conntrack_max net/netfilter/nf_conntrack_tcp_timeout_established
  net/netfilter/nf_conntrack_tcp_timeout_close_wait)

keep_kernel_settings() {
  local setting
  [[ ! -e $run/kernel-settings ]] || return 0
  for setting in "${kernel_settings[@]}"; do
    [[ ! -r /proc/sys/$setting ]] || printf '%s %s\n' "$setting" "$(<"/proc/sys/$setting")"
  done >"$run/kernel-settings.part"
  mv "$run/kernel-settings.part" "$run/kernel-settings"
}

restore_kernel_settings() {
  local setting value
  [[ -e $run/kernel-settings ]] || return 0
  while read -r setting value; do
    [[ $(<"/proc/sys/$setting") == "$value" ]] || echo "$value" >"/proc/sys/$setting" || say "could not restore $setting"
  done <"$run/kernel-settings"
}

make_network() {
  local address
  address=$(first_address "$pod_cidr")/${pod_cidr#*/}
  : >"$run/network-made"
  keep_kernel_settings
  ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
  ip addr replace "$address" dev "$bridge"
  ip link set "$bridge" up
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # Where the machine forwards nothing by default, the Pods' traffic must be let through all the same.
  local rule
  for rule in "-i $bridge" "-o $bridge"; do
    # shellcheck disable=SC2086
    iptables -w -C FORWARD $rule -j ACCEPT 2>/dev/null || iptables -w -I FORWARD $rule -j ACCEPT
  done
}

# remove_chains: takes away the rules of the bridge and every KUBE- chain, in each table.
remove_chains() {
  local command table line
  for command in iptables ip6tables; do
    for table in raw mangle nat filter; do
      # First what jumps into the chains from the built-in ones, then the chains.
      while read -r line; do
        xargs "$command" -w -t $table <<<"${line/#-A /-D }" 2>/dev/null || true
      done < <($command-save -t $table 2>/dev/null | grep -E '^-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) ' |
        grep -E -- "-j KUBE-|-[io] $bridge -j ACCEPT")
      for line in $($command-save -t $table 2>/dev/null | grep -o '^:KUBE-[A-Z0-9-]*' | tr -d :); do
        $command -w -t $table -F "$line"
      done
      for line in $($command-save -t $table 2>/dev/null | grep -o '^:KUBE-[A-Z0-9-]*' | tr -d :); do
        $command -w -t $table -X "$line"
      done
    done
  done
}

# remove_network: only what this cluster made; where it made nothing, nothing is touched.
remove_network() {
  [[ -e $run/network-made ]] || return 0
  remove_chains
  local cable
  # The kernel takes a dead Pod's cable away in its own time: not waited for.
  for cable in $(ip -o link show master "$bridge" 2>/dev/null | sed -n 's/^[0-9]*: \([^@:]*\).*/\1/p'); do
    ip link del "$cable" 2>/dev/null || true
  done
  ! ip link show "$bridge" >/dev/null 2>&1 || ip link del "$bridge"
  restore_kernel_settings
  rm -f "$run/network-made"
}
