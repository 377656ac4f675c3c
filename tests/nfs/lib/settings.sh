# What the test VM is made of and where its image lives. Sourced by every script here; it runs nothing.
# shellcheck shell=bash disable=SC2034

debian_suite=bookworm
kernel_package=linux-image-cloud-amd64

nfs_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../../cluster/lib/say.sh
source "$nfs_source/../cluster/lib/say.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-truenas-migrate/nfs

# Inside the VM. python3 is what the tests are written in, the others are what they look with and compare against.
guest_packages=(
  nfs-kernel-server nfs-common rpcbind netbase kmod mount iproute2 procps util-linux e2fsprogs acl attr
  python3 rsync git postgresql-15
)
# Loaded at boot, with what they depend on; nothing else of the kernel's modules is in the image.
guest_modules=(virtio_pci virtio_blk virtio_console nfs nfsv3 nfsv4 nfsd loop ext4 sch_netem)

# The image is named by what it is made of, so that a change makes another one.
image_folder() {
  local hash
  hash=$({
    echo "$debian_suite $kernel_package ${guest_packages[*]} ${guest_modules[*]}"
    cat "$nfs_source/build" "$nfs_source/lib/image-setup" "$nfs_source/lib/init"
  } | sha256sum)
  printf '%s/image-%s\n' "$cache" "${hash:0:16}"
}
