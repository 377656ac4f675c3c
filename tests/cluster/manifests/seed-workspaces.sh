# Runs in the seeding Pod, as root: fills /volumes/*. The same content every time, also when it is run again.

# files FOLDER COUNT: small files in ten directories.
files() {
  n=0
  while [ $n -lt "$2" ]; do
    folder=$1/src/package-$((n % 10))
    mkdir -p "$folder"
    yes "line of file $n" | head -n $((n % 97)) >"$folder/file-$n.txt"
    n=$((n + 1))
  done
}

# home FOLDER: what a home directory of uid 1000 has.
home() {
  mkdir -p "$1/.ssh" "$1/.config" "$1/project" "$1/empty"
  echo 'export PATH="$HOME/bin:$PATH"' >"$1/.bashrc"
  echo "not a real key" >"$1/.ssh/id_ed25519"
  files "$1/project" 200
  ln -sf ../.bashrc "$1/project/link to bashrc"
  ln -sf /nowhere/at/all "$1/project/dangling"
  ln -f "$1/project/src/package-1/file-1.txt" "$1/project/hard-link.txt"
  echo unicode >"$1/project/Grüße 世界.txt"
  echo newline >"$1/project/two
lines.txt"
  printf 'x' | dd of="$1/project/sparse.bin" bs=1 seek=8388607 2>/dev/null
  chown -Rh 1000:1000 "$1/.ssh" "$1/.config" "$1/project" "$1/empty" "$1/.bashrc"
  chmod 700 "$1/.ssh"
  chmod 600 "$1/.ssh/id_ed25519"
  chmod 2775 "$1/project"
  touch -d '2024-02-29 12:34:56' "$1/project/hard-link.txt"
}

home /volumes/backend
home /volumes/frontend/app
mkdir -p /volumes/frontend/.devcontainer-cache/layers
echo "of root's" >/volumes/frontend/.devcontainer-cache/layers/layer.bin
chmod 700 /volumes/frontend/.devcontainer-cache
mkdir -p /volumes/docker/home /volumes/docker/cache/docker /volumes/docker/cache/containers /volumes/docker/envbox/docker
home /volumes/docker/home
head -c 1048576 /dev/zero >/volumes/docker/cache/docker/layer.tar
[ -p /volumes/docker/envbox/docker/control ] || mkfifo /volumes/docker/envbox/docker/control
chmod 711 /volumes/docker/envbox/docker
home /volumes/research
echo root >/volumes/research/root-owned.txt
chmod 600 /volumes/research/root-owned.txt
home /volumes/erin
sync
