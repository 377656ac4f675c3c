# The stand-in coderd on a test cluster, for the test scripts of this folder: start_coderd, then say, answer, version, build.
# shellcheck shell=bash

export CODER_SESSION_TOKEN=coder-test-token
coder_pid=

# template CLASS TYPE [REST]: a template in the shape of Coder's own; REST goes into the claim's resource.
template() {
  cat <<HCL
data "coder_parameter" "home_disk_size" {
  name = "home_disk_size"
}
resource "$2" "home" {
  metadata {
    name      = "coder-\${data.coder_workspace.me.id}-home"
    namespace = var.namespace
    labels = {
      "com.coder.resource"       = "true"
      "com.coder.workspace.id"   = data.coder_workspace.me.id
      "com.coder.workspace.name" = data.coder_workspace.me.name
      "com.coder.user.username"  = data.coder_workspace_owner.me.name
    }
    annotations = {
      "com.coder.user.email" = data.coder_workspace_owner.me.email
    }
  }
  wait_until_bound = false
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "$1"
    resources {
      requests = {
        storage = "\${data.coder_parameter.home_disk_size.value}Gi"
      }
    }
  }
  ${3:-}
}
HCL
}
answer() { read -r -t 60 kind value <&"${coder[0]}" && [[ $kind == "$1" ]] && echo "$value"; }
say() { printf 'coder %s\n' "$*" >&"${coder[1]}"; }
# start_coderd NAMESPACE TEMPLATE_FILE [OPTION…]: knows no workspace but those whose claims are in the namespace.
start_coderd() {
  local ns=$1 file=$2; shift 2
  coproc coder { exec "$repository/build/tests/fakes/fake_coderd" --kubeconfig="$KUBECONFIG" --namespace="$ns" --template="$file" --image="$pause_image" "$@"; }
  coder_pid=$!
  CODER_URL=http://127.0.0.1:$(answer PORT)
  export CODER_URL
}
stop_coderd() {
  [[ -n $coder_pid ]] || return 0
  printf 'quit\n' >&"${coder[1]}"
  wait "$coder_pid" 2>/dev/null
  coder_pid=
}
coder_api() { curl -sS -H "Coder-Session-Token: $CODER_SESSION_TOKEN" "$CODER_URL/api/v2/$1"; }
# build WORKSPACE TRANSITION [VERSION]: prints "succeeded" or "failed: why" once it is over.
build() {
  say build "$@"
  local id job; id=$(answer BUILD)
  for _ in {1..300}; do
    job=$(coder_api "workspacebuilds/$id" | python3 -c 'import json, sys
job = json.load(sys.stdin)["job"]
print(job["status"], *([job["error"]] if "error" in job else []), sep=": ")')
    [[ $job == pending* || $job == running* ]] || break
    sleep 0.2
  done
  echo "$job"
}
