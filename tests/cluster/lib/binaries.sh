# Builds the Go programs of modules/, and nfs-share, into the cache. A module's folder in the cache is named by a hash of its sources,
# of the compiler and of the way it is built: what is there is never built again.
# shellcheck shell=bash disable=SC2154

modules=(kubernetes etcd coredns "$cnpg_module" provisioner attacher csi writer pause)

declare -A module_programs=(
  [kubernetes]="k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
    k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-proxy
    k8s.io/kubernetes/cmd/kubectl"
  [etcd]=.
  [coredns]=.
  [$cnpg_module]=github.com/cloudnative-pg/cloudnative-pg/cmd/manager
  [provisioner]=github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner
  [attacher]=github.com/kubernetes-csi/external-attacher/v4/cmd/csi-attacher
  [csi]=.
  [writer]=.
  [pause]=.
)

go_environment() {
  go=$("$cluster_source/go-toolchain")
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
  export GOMAXPROCS=${GOMAXPROCS:-2}
}

linker_flags() {
  local version=k8s.io/component-base/version
  printf '%s' '-s -w'
  [[ $1 == kubernetes ]] || return 0
  printf ' -X %s.gitVersion=v%s' $version "$kubernetes_version"
  printf ' -X %s.gitMajor=%s' $version "${kubernetes_version%%.*}"
  printf ' -X %s.gitMinor=%s' $version "$(cut -d. -f2 <<<"$kubernetes_version")"
  printf ' -X %s.gitTreeState=clean' $version
}

# The folder in the cache that holds a module's programs, whether built or not.
module_folder() {
  local hash
  hash=$(
    cd "$cluster_source/modules/$1"
    {
      uname -m
      GOTOOLCHAIN=local "$go" env GOVERSION
      printf '%s\n' "${module_programs[$1]}" "$(linker_flags "$1")"
      find . -type f \( -name '*.go' -o -name 'go.*' \) ! -name '*_test.go' | LC_ALL=C sort | xargs sha256sum
    } | sha256sum
  )
  printf '%s/%s-%s\n' "$cache" "$1" "${hash:0:16}"
}

build_module() {
  local folder program name began=$SECONDS
  folder=$(module_folder "$1")
  [[ -d $folder ]] && return
  say "building ${1}..."
  rm -rf "$folder.part"
  mkdir -p "$folder.part"
  for program in ${module_programs[$1]}; do
    name=$([[ $program == . ]] && basename "$1" || basename "$program")
    (cd "$cluster_source/modules/$1" &&
      nice -n 10 "$go" build -p 2 -ldflags "$(linker_flags "$1")" -o "$folder.part/$name" "$program") >&2 ||
      die "building $name failed"
  done
  if [[ $1 == "$cnpg_module" ]]; then copy_crds "$folder.part/crds.yaml"; fi
  mv "$folder.part" "$folder"
  say "built $1 in $((SECONDS - began)) s"
}

# copy_crds FILE: the operator's custom resource definitions, which lie in its module beside the sources.
copy_crds() {
  local source file
  source=$(cd "$cluster_source/modules/$cnpg_module" && "$go" list -m -f '{{.Dir}}' github.com/cloudnative-pg/cloudnative-pg)
  for file in "$source"/config/crd/bases/*.yaml; do
    printf -- '---\n'
    cat "$file"
  done >"$1"
}

# The folder in the cache that holds nfs-share, the one program that is not Go's.
share_folder() {
  local hash
  hash=$(
    cd "$cluster_source/share"
    { c++ --version && pkg-config --modversion fuse3 && cat CMakeLists.txt ./*.h ./*.cc; } | sha256sum
  )
  printf '%s/share-%s\n' "$cache" "${hash:0:16}"
}

build_share() {
  local folder work
  folder=$(share_folder)
  [[ ! -d $folder ]] || return 0
  say "building nfs-share..."
  work=$(mktemp -d "$cache/share.XXXXXX")
  { cmake -S "$cluster_source/share" -B "$work/build" && nice -n 10 cmake --build "$work/build" --parallel 2; } >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; rm -rf "$work"; die "building nfs-share failed"; }
  mkdir -p "$work/made"
  mv "$work/build/nfs-share" "$work/made/"
  # Somebody else may have been quicker.
  mv -T "$work/made" "$folder" 2>/dev/null || [[ -x $folder/nfs-share ]] || die "$folder cannot be made"
  rm -rf "$work"
}

# Links every program of the sources as they are now into a directory.
link_programs() {
  local module folder
  mkdir -p "$1"
  for module in "${modules[@]}"; do
    folder=$(module_folder "$module")
    ln -sfn "$folder"/* "$1/"
  done
  ln -sfn "$(share_folder)/nfs-share" "$1/"
}
