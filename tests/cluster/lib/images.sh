# Builds the container images into the cache, as archives that containerd imports: there is no registry.
# An archive has one layer. Its name in the cache carries a hash of what went in.
# shellcheck shell=bash disable=SC2154

images=(pause busybox cnpg writer postgres)

# pack_image ARCHIVE NAME LAYER CONFIG: makes a docker archive of one layer; CONFIG is the config's JSON object.
pack_image() {
  local archive=$1 name=$2 layer=$3 config=$4 work diff
  work=$(mktemp -d "$cache/image.XXXXXX")
  ln "$layer" "$work/layer.tar" 2>/dev/null || cp "$layer" "$work/layer.tar"
  diff=$(sha256sum <"$work/layer.tar")
  printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$config" "${diff%% *}" >"$work/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" >"$work/manifest.json"
  tar -C "$work" -cf "$archive.part" manifest.json config.json layer.tar
  mv "$archive.part" "$archive"
  rm -rf "$work"
}

# pack_tree ARCHIVE NAME TREE CONFIG: the same from a directory, all of root's.
pack_tree() {
  local layer
  layer=$(mktemp "$cache/layer.XXXXXX")
  tar -C "$3" --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name -cf "$layer" .
  pack_image "$1" "$2" "$layer" "$4"
  rm -f "$layer"
}

# image_archive NAME: where the image's archive lies, whether built or not.
image_archive() {
  local inputs hash
  case $1 in
    pause) inputs="$(module_folder pause) $pause_image" ;;
    busybox) inputs="$(dpkg-query -W -f '${Version}' busybox-static) $busybox_image" ;;
    cnpg) inputs="$(module_folder "$cnpg_module") $cnpg_image" ;;
    writer) inputs="$(module_folder writer) $writer_image" ;;
    postgres) inputs="$debian_suite $postgres_major $(sha256sum <"$cluster_source/lib/postgres-image-setup")" ;;
  esac
  hash=$({ echo "$inputs" && declare -f pack_image pack_tree "image_$1"; } | sha256sum)
  printf '%s/image-%s-%s.tar\n' "$cache" "$1" "${hash:0:16}"
}

build_image() {
  local archive tree
  archive=$(image_archive "$1")
  [[ -f $archive ]] && return
  say "building the image ${1}..."
  tree=$(mktemp -d "$cache/tree.XXXXXX")
  chmod 755 "$tree"
  "image_$1" "$archive" "$tree"
  rm -rf "$tree"
}

image_pause() {
  cp "$(module_folder pause)/pause" "$2/pause"
  pack_tree "$1" "$pause_image" "$2" '{"User":"65535:65535","Entrypoint":["/pause"]}'
}

image_busybox() {
  mkdir -p "$2"/{bin,etc,home,root} && mkdir -m 1777 "$2/tmp"
  cp /bin/busybox "$2/bin/busybox"
  local applet
  for applet in $("$2/bin/busybox" --list); do
    [[ -e $2/bin/$applet ]] || ln -s busybox "$2/bin/$applet"
  done
  printf 'root:x:0:0::/root:/bin/sh\ncoder:x:1000:1000::/home/coder:/bin/sh\n' >"$2/etc/passwd"
  printf 'root:x:0:\ncoder:x:1000:\n' >"$2/etc/group"
  pack_tree "$1" "$busybox_image" "$2" '{"Env":["PATH=/bin"],"Cmd":["/bin/sh"]}'
}

image_cnpg() {
  mkdir -p "$2/operator"
  cp "$(module_folder "$cnpg_module")/manager" "$2/manager"
  ln -s ../manager "$2/operator/manager_amd64"
  pack_tree "$1" "$cnpg_image" "$2" '{"User":"10001:10001","Entrypoint":["/manager"],"WorkingDir":"/"}'
}

image_writer() {
  cp "$(module_folder writer)/writer" "$2/writer"
  pack_tree "$1" "$writer_image" "$2" '{"User":"1000:1000","Entrypoint":["/writer"]}'
}

# The image's tag is the server's version: CNPG reads it from there.
image_postgres() {
  ((EUID == 0)) || die "only root can build the PostgreSQL image"
  local version binaries=/usr/lib/postgresql/$postgres_major/bin
  nice -n 10 mmdebstrap --quiet --variant=minbase --include="postgresql-$postgres_major,locales" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook="$cluster_source/lib/postgres-image-setup"' "$1"' \
    --customize-hook="cp \"\$1/etc/postgresql-version\" '$2/version'" \
    "$debian_suite" "$2/layer.tar" >&2
  version=$(<"$2/version")
  pack_image "$1" "ghcr.io/cloudnative-pg/postgresql:$version" "$2/layer.tar" \
    '{"User":"26:26","Env":["PATH='"$binaries"':/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Cmd":["/bin/bash"]}'
  printf '%s\n' "$version" >"$1.version"
}

postgres_image() {
  local version
  version=$(cat "$(image_archive postgres).version") || die "the PostgreSQL image is not built" "tests/cluster/build"
  printf 'ghcr.io/cloudnative-pg/postgresql:%s\n' "$version"
}
