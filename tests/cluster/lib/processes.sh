# Starts and ends the cluster's processes. Each has a pid file (pid and start time, so that a reused pid is never taken
# for it), a log of its own, and this variable in its environment, by which one without a pid file is found too.
# shellcheck shell=bash disable=SC2154

mark_name=TRUENAS_MIGRATE_TEST_CLUSTER

# started_at PID: the kernel's start time of a process; fails where there is none or it is a zombie.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a stat <<<"${stat##*) }"
  [[ ${stat[0]} != [ZX] ]] || return 1
  printf '%s\n' "${stat[19]}"
}

# component_pid NAME: prints the pid of a running component, fails where it does not run.
component_pid() {
  local pid began
  read -r pid began 2>/dev/null <"$run/$1.pid" || return 1
  [[ $(started_at "$pid") == "$began" ]] || return 1
  printf '%s\n' "$pid"
}

# start_component NAME COMMAND...: starts it in the cluster's mount namespace unless it runs; says so in the array `started`.
start_component() {
  local name=$1 pid
  shift
  component_pid "$name" >/dev/null && return
  (
    exec 9>&- </dev/null >>"$logs/$name.log" 2>&1
    cd "$cluster_root"
    export "$mark_name=$cluster_root"
    exec setsid nsenter --mount="/proc/$(component_pid namespace)/ns/mnt" --wd="$PWD" "$@"
  ) &
  pid=$!
  printf '%s %s\n' "$pid" "$(started_at $pid)" >"$run/$name.pid"
  disown "$pid"
  started+=("$name")
}

# wait_for_component NAME SECONDS COMMAND...: until the command works; where the component ends meanwhile, says so at once.
wait_for_component() {
  local name=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    component_pid "$name" >/dev/null || die "$name ended: $(tail -n 1 "$logs/$name.log" | cut -c1-300)" "log: $logs/$name.log"
    ((SECONDS < end)) || die "$name did not get ready" "log: $logs/$name.log"
    sleep 0.2
  done
}

# stop_component NAME: asks it to end, makes it after five seconds; fails never.
stop_component() {
  local pid end=$((SECONDS + 5))
  pid=$(component_pid "$1") || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while component_pid "$1" >/dev/null; do
    ((SECONDS < end)) || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.1
  done
}

# enter COMMAND...: runs a command in the cluster's mount namespace.
enter() { nsenter --mount="/proc/$(component_pid namespace)/ns/mnt" "$@"; }

# start_namespace: the process whose mount namespace holds everything the cluster mounts. What hard-wired paths the node's
# programs have is bound to folders of the cluster's own there, so the machine's are not touched; and when the last process
# in it ends, every mount is gone.
start_namespace() {
  component_pid namespace >/dev/null && return
  local pairs=("$run/containerd-run:/run/containerd" "$cluster_root/log-pods:/var/log/pods"
    "$cluster_root/log-containers:/var/log/containers" "$cluster_root/cni:/var/lib/cni") pid
  (
    exec 9>&- </dev/null >>"$logs/namespace.log" 2>&1
    export "$mark_name=$cluster_root"
    exec setsid unshare --mount --propagation private "$cluster_source/lib/namespace" "$run/namespace.ready" "${pairs[@]}"
  ) &
  pid=$!
  rm -f "$run/namespace.ready"
  printf '%s %s\n' "$pid" "$(started_at $pid)" >"$run/namespace.pid"
  disown "$pid"
  wait_until 10 "the mount namespace" test -e "$run/namespace.ready"
  started+=(namespace)
}

# marked_processes: every process started by this cluster, whatever became of its pid file, and what it started itself
# (containerd's shims); not the containers' processes.
marked_processes() {
  grep -lzxF "$mark_name=$cluster_root" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

# pods_cgroups: the top of the Pods' cgroups in each hierarchy; of cgroup v2 there is one.
pods_cgroups() {
  local top
  for top in "/sys/fs/cgroup/$pods_cgroup" /sys/fs/cgroup/*/"$pods_cgroup"; do [[ ! -d $top ]] || printf '%s\n' "$top"; done
}

# container_processes: every process in the cgroups of this cluster's Pods.
container_processes() {
  local tops
  mapfile -t tops < <(pods_cgroups)
  ((${#tops[@]} == 0)) || find "${tops[@]}" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
}

# end_processes SIGNAL SECONDS LISTER: signals what LISTER lists until it lists nothing; fails after that time.
end_processes() {
  local signal=$1 end=$((SECONDS + $2)) pids
  while mapfile -t pids < <("$3") && ((${#pids[@]})); do
    kill "-$signal" "${pids[@]}" 2>/dev/null || true
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}
