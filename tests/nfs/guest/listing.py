"""What a tree of files is, found without the mover: by lstat, SEEK_DATA, SHA-256 and listxattr, through directory descriptors.

`of` lists a tree, `differences` says in words where two such lists differ.
"""
import hashlib
import os
import stat

BLOCK = 65536
ZEROS = bytes(BLOCK)
KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "fifo", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device",
}


def content(folder, name, size):
    """A hash of what is not zero, block by block: the same for a hole and for zeros."""
    digest = hashlib.sha256()
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    try:
        position = 0
        while position < size:
            try:
                position = os.lseek(descriptor, position, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                break  # only a hole is left
            block = os.pread(descriptor, BLOCK, position)
            if block != ZEROS[:len(block)]:
                digest.update(b"%d:" % position + block)
            position += BLOCK
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def attributes(folder, name):
    """Extended attributes and ACLs. The security ones are this machine's, not the tree's."""
    path = b"/proc/self/fd/%d/%s" % (folder, name)
    names = os.listxattr(path, follow_symlinks=False)
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in names if not key.startswith("security.")}


def entry(folder, name):
    found = os.lstat(name, dir_fd=folder)
    facts = {
        "kind": KINDS[stat.S_IFMT(found.st_mode)], "owner": f"{found.st_uid}:{found.st_gid}",
        "mode": oct(stat.S_IMODE(found.st_mode)), "mtime": found.st_mtime_ns, "xattrs": attributes(folder, name),
    }
    if facts["kind"] == "file":
        facts.update(size=found.st_size, content=content(folder, name, found.st_size), allocated=found.st_blocks * 512)
    if facts["kind"] == "symlink":
        facts["target"] = os.readlink(name, dir_fd=folder)
    if facts["kind"].endswith("device"):
        facts["device"] = found.st_rdev
    if facts["kind"] != "directory" and found.st_nlink > 1:
        facts["inode"] = found.st_ino
    return facts


def walk(folder, prefix, into):
    for name in os.listdir(folder):
        name = os.fsencode(name)
        path = prefix + name
        into[path] = entry(folder, name)
        if into[path]["kind"] == "directory":
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                walk(below, path + b"/", into)
            finally:
                os.close(below)


def of(root):
    """Path (bytes, relative, the root is b".") to facts."""
    entries = {}
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        entries[b"."] = entry(folder, b".")
        walk(folder, b"", entries)
    finally:
        os.close(folder)
    groups = {}
    for path, facts in entries.items():
        if "inode" in facts:
            groups.setdefault(facts["inode"], []).append(path)
    for path, facts in entries.items():
        if "inode" in facts:
            facts["linked with"] = sorted(groups[facts.pop("inode")])
    return entries


def shown(value):
    text = repr(value)
    return text if len(text) < 120 else text[:117] + "..."


def keeps_holes(source, target):
    """A sparse file must not take notably more room on the target; one without holes may get some."""
    if source["allocated"] + BLOCK >= source["size"]:
        return True
    return target["allocated"] <= source["allocated"] + max(BLOCK, source["allocated"] // 20)


def differences(source, target, root=True, ignore=()):
    """One line a difference. root=False: the root directory's owner, mode and time are not compared; ignore: facts left out."""
    lines = []
    for path in sorted(source.keys() | target.keys()):
        if path not in target or path not in source:
            lines.append(f"{shown(path)}: only in the {'source' if path in source else 'target'}")
            continue
        if path == b"." and not root:
            continue
        here, there = source[path], target[path]
        for fact in sorted(here.keys() | there.keys()):
            if fact in ignore or fact == "allocated" or here.get(fact) == there.get(fact):
                continue
            lines.append(f"{shown(path)}: {fact} {shown(here.get(fact))} became {shown(there.get(fact))}")
        if "allocated" in here and "allocated" in there and not keeps_holes(here, there):
            lines.append(f"{shown(path)}: {here['allocated']} bytes allocated became {there['allocated']}")
    return lines
