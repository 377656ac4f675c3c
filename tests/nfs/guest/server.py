"""The NFS server and its clients, in one VM: file systems, exports with each squash rule, mounts, delays."""
import os
import subprocess
import time

ROOT = "/nas"
RULES = {
    "nrs": "no_root_squash",
    "rs": "root_squash",
    "all0": "all_squash,anonuid=0,anongid=0",
    "all1000": "all_squash,anonuid=1000,anongid=1000",
}
SOURCES = ("nrs", "rs")
THREADS = 16
MOUNTS = {"source": "/mnt/source", "target": "/mnt/target"}


def run(*words, check=True, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stdout}")
    return done


def file_system(name, size, kind="ext4"):
    """A volume of its own below /nas, in memory: ext4 on a sparse file (it has user attributes and ACLs), or tmpfs."""
    place = f"{ROOT}/{name}"
    os.makedirs(place, exist_ok=True)
    if kind == "tmpfs":
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "volume", place)
    else:
        image = f"/images/{name}"
        with open(image, "wb") as file:
            file.truncate(size)
        run("mkfs.ext4", "-q", "-m", "0", "-I", "256", "-N", str(min(100_000, max(1024, size >> 14))), "-E",
            "lazy_itable_init=1,lazy_journal_init=1", image)
        run("mount", "-o", "loop,noatime", image, place)
        os.rmdir(f"{place}/lost+found")
    return place


def export(name, rule, identity):
    with open("/etc/exports", "a", encoding="ascii") as file:
        file.write(f"{ROOT}/{name} 127.0.0.0/8(rw,sync,secure,no_subtree_check,fsid={identity},{rule})\n")


def volumes(kind="ext4", size=3 << 30):
    """Every export of the matrix, each a file system of its own as a dataset is."""
    os.makedirs("/images", exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=90%", "images", "/images")
    identity = 1
    for name, rule in [(f"source-{rule}", rule) for rule in SOURCES] + [(f"target-{rule}", rule) for rule in RULES]:
        empty(file_system(name, size, kind))
        export(name, RULES[rule], identity)
        identity += 1
    return identity


def make(place):
    """A directory, and its path."""
    os.makedirs(place)
    return place


def start():
    # Debian's server looks up a caller's groups by itself; the NAS takes those that the caller sends.
    with open("/etc/nfs.conf", "w", encoding="ascii") as file:
        file.write("[mountd]\nmanage-gids=n\n")
    # A server that comes back gives its clients this long to claim what they had open; ten seconds is the least.
    run("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
    os.makedirs("/run/rpc_pipefs", exist_ok=True)
    run("mount", "-t", "rpc_pipefs", "rpc_pipefs", "/run/rpc_pipefs")
    for setting in ("nfsv4leasetime", "nfsv4gracetime"):
        with open(f"/proc/fs/nfsd/{setting}", "w", encoding="ascii") as file:
            file.write("10")
    run("rpcbind", "-w")
    run("rpc.statd", "--no-notify")
    run("exportfs", "-ra")
    run("rpc.nfsd", str(THREADS))
    run("rpc.mountd")
    for place in MOUNTS.values():
        os.makedirs(place, exist_ok=True)


def stop_serving():
    run("rpc.nfsd", "0")


def serve_again():
    run("rpc.nfsd", str(THREADS))


def mount(side, volume, version, below="", read_only=False):
    """Mounts a volume, or a directory below its root, at the side's place."""
    options = f"vers={version},hard,{'ro' if read_only else 'rw'}"
    run("mount", "-t", "nfs", "-o", options, f"127.0.0.1:{ROOT}/{volume}{below}", MOUNTS[side])
    return MOUNTS[side]


def unmount():
    for place in MOUNTS.values():
        if os.path.ismount(place):
            run("umount", place)


def delay(milliseconds):
    """The same delay each way on every packet."""
    run("tc", "qdisc", "del", "dev", "lo", "root", check=False)
    if milliseconds:
        run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{milliseconds}ms", "limit", "100000")


def empty(place):
    """Removes what is below a volume's root and gives the root the mode of a new volume of the class."""
    run("find", place, "-mindepth", "1", "-delete")
    run("setfacl", "-b", place)
    os.chown(place, 0, 0)
    os.chmod(place, 0o777)


def wait_until(what, condition, limit=120):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not happen within {limit} s")
        time.sleep(0.01)


def small_volume(size, identity):
    """The volume of which there is too little."""
    place = file_system("target-small", size)
    empty(place)
    export("target-small", RULES["nrs"], identity)
    return place


def grow(name, size):
    """Makes a volume larger while it is served."""
    os.truncate(f"/images/{name}", size)
    device = run("findmnt", "-no", "SOURCE", f"{ROOT}/{name}").stdout.strip()
    run("losetup", "--set-capacity", device)
    run("resize2fs", device)


def pause_for_steps(steps):
    """Lets others run for a while that depends on what they do, not on a clock."""
    for _ in range(steps):
        os.sched_yield()
