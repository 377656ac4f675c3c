"""Compares two trees with nothing of the mover: lstat, listdir, sha256 and extended attributes through Python alone.

Walks by directory descriptors, so that no path is too long. Paths are bytes, relative to the roots; b"." is the root.
"""
import hashlib
import os
import stat
import sys

sys.setrecursionlimit(20000)


def open_directory(name, parent=None):
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def join(path, name):
    return name if path == b"." else path + b"/" + name


def digest(parent, name):
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        total = hashlib.sha256()
        while block := os.read(fd, 1 << 20):
            total.update(block)
        return total.hexdigest()
    finally:
        os.close(fd)


def extended_attributes(parent, name):
    path = b"/proc/self/fd/%d/%s" % (parent, name)
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}


class Comparison:
    """differences: (path, kind) pairs; kinds as the mover names them, links as one pair for the whole tree."""

    def __init__(self, owner_map=None, left_out=()):
        self.owner_map = owner_map or {}
        self.left_out = set(left_out)
        self.differences = set()
        self.groups = ({}, {})
        self.compared = 0

    def differ(self, path, kind):
        self.differences.add((path, kind))

    def trees(self, source, target):
        left, right = open_directory(source), open_directory(target)
        try:
            self.attributes(b".", os.fstat(left), os.fstat(right))
            self.xattrs(b".", left, b".", right, b".")
            self.directories(b".", left, right)
        finally:
            os.close(left)
            os.close(right)
        partitions = [sorted(sorted(g) for g in side.values() if len(g) > 1) for side in self.groups]
        if partitions[0] != partitions[1]:
            self.differ(b".", "links")
        return self.differences

    def directories(self, path, left, right):
        names = set(os.listdir(b"/proc/self/fd/%d" % left))
        others = set(os.listdir(b"/proc/self/fd/%d" % right))
        for name in sorted(names | others):
            here = join(path, name)
            if here in self.left_out:
                if name in others:
                    self.differ(here, "extraneous")
            elif name not in others:
                self.differ(here, "missing")
            elif name not in names:
                self.differ(here, "extraneous")
            else:
                self.entries(here, left, right, name)

    def entries(self, path, left, right, name):
        a = os.stat(name, dir_fd=left, follow_symlinks=False)
        b = os.stat(name, dir_fd=right, follow_symlinks=False)
        self.compared += 1
        if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
            self.differ(path, "type")
            return
        self.attributes(path, a, b)
        self.xattrs(path, left, name, right, name)
        if stat.S_ISDIR(a.st_mode):
            deeper = open_directory(name, left), open_directory(name, right)
            try:
                self.directories(path, *deeper)
            finally:
                os.close(deeper[0])
                os.close(deeper[1])
            return
        for side, status in zip(self.groups, (a, b)):
            side.setdefault((status.st_dev, status.st_ino), set()).add(path)
        if stat.S_ISREG(a.st_mode):
            if a.st_size != b.st_size:
                self.differ(path, "size")
            elif digest(left, name) != digest(right, name):
                self.differ(path, "content")
        elif stat.S_ISLNK(a.st_mode):
            if os.readlink(name, dir_fd=left) != os.readlink(name, dir_fd=right):
                self.differ(path, "link-target")
        elif stat.S_ISBLK(a.st_mode) or stat.S_ISCHR(a.st_mode):
            if a.st_rdev != b.st_rdev:
                self.differ(path, "device")

    def attributes(self, path, a, b):
        owner = self.owner_map.get((a.st_uid, a.st_gid), (a.st_uid, a.st_gid))
        if owner != (b.st_uid, b.st_gid):
            self.differ(path, "owner")
        if not stat.S_ISLNK(a.st_mode) and stat.S_IMODE(a.st_mode) != stat.S_IMODE(b.st_mode):
            self.differ(path, "mode")
        if a.st_mtime_ns != b.st_mtime_ns:
            self.differ(path, "mtime")

    def xattrs(self, path, left, name, right, other):
        if extended_attributes(left, name) != extended_attributes(right, other):
            self.differ(path, "xattr")


if __name__ == "__main__":
    found = Comparison().trees(os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]))
    for path, kind in sorted(found):
        print(kind, ascii(path))
    sys.exit(3 if found else 0)
