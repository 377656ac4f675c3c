"""Random trees and random changes to them: every kind of file, owner, time, link, hole and name that Linux allows.

Needs root. Every choice comes from the given random.Random, so that a seed gives the same tree again.
"""
import os
import stat
import struct

OWNERS = [0, 26, 1000, 1001, 65534, 4000000000]
MODES = [0o644, 0o600, 0o755, 0o000, 0o4755, 0o2750, 0o1777, 0o6711, 0o440]
DIRECTORY_MODES = [0o755, 0o700, 0o1777, 0o2775, 0o500, 0o000]
LONGEST = 3000
SECONDS = [0, 1, -1, 86400, 1700000000, 4102444800, 2**31, 2**32 + 5]


def random_name(rng):
    kind = rng.randrange(12)
    if kind == 0:
        return bytes(rng.choice(b"abc\xff\xc0\x80\n\t \\'\"") for _ in range(rng.randrange(1, 12))) + b"%d" % rng.randrange(100)
    if kind == 1:
        return (b"%d" % rng.randrange(1000)).ljust(255, b"n")
    if kind == 2:
        return "héllo wörld 日本 %d".encode() [:200].replace(b"%d", b"%d" % rng.randrange(100))
    if kind == 3:
        return b"-" + b"%d" % rng.randrange(100)
    if kind == 4:
        return b"." + b"%d" % rng.randrange(100)
    return b"f%d" % rng.randrange(10000)


def posix_acl(rng):
    """system.posix_acl_access as the kernel stores it: version 2, entries (tag, permissions, id) in order."""
    undefined = 0xFFFFFFFF
    entries = [(0x01, 6, undefined), (0x02, rng.randrange(8), 1000), (0x04, 4, undefined), (0x10, 7, undefined),
               (0x20, rng.randrange(8), undefined)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


class RandomTree:
    def __init__(self, root, rng):
        self.root, self.rng = root, rng

    # What is there, sorted, so that the choice depends on the seed alone; what lies too deep to be named in one call
    # stays as it is.
    def paths(self, want=lambda mode: True):
        found = []
        for directory, directories, files in os.walk(self.root):
            directories[:] = sorted(directories) if len(directory) < LONGEST - 256 else []
            for name in sorted(directories + files):
                path = directory + b"/" + name
                if len(path) < LONGEST and want(os.lstat(path).st_mode):
                    found.append(path)
        return found

    def directory(self):
        return self.rng.choice([self.root] + self.paths(stat.S_ISDIR))

    def file(self):
        files = self.paths(stat.S_ISREG)
        return self.rng.choice(files) if files else None

    def any(self):
        every = self.paths()
        return self.rng.choice(every) if every else None

    def free_name(self):
        directory = self.directory()
        while True:
            path = directory + b"/" + random_name(self.rng)
            if not os.path.lexists(path):
                return path

    def content(self):
        size = self.rng.choice([0, 1, 10, 4095, 4096, 4097, 70000, 300000])
        return self.rng.randbytes(size)

    # Makers: each leaves one new entry with random attributes.
    def make_file(self):
        path = self.free_name()
        with open(path, "wb") as out:
            out.write(self.content())
        return self.dress(path)

    def make_sparse(self):
        path = self.free_name()
        with open(path, "wb") as out:
            for _ in range(self.rng.randrange(3)):
                out.seek(self.rng.randrange(1, 40) * 65536)
                out.write(self.rng.randbytes(self.rng.randrange(1, 9000)))
            out.truncate(max(out.tell(), self.rng.randrange(1, 64) * 65536 + self.rng.randrange(2)))
        return self.dress(path)

    def make_directory(self):
        path = self.free_name()
        os.mkdir(path)
        return self.dress(path)

    def make_symlink(self):
        path = self.free_name()
        target = self.rng.choice([b"/etc/passwd", b"nowhere", b"..", b".", b"x" * 1000, b"\xff\n", self.any() or b"/"])
        os.symlink(target, path)
        return self.dress(path)

    def make_fifo(self):
        path = self.free_name()
        os.mkfifo(path)
        return self.dress(path)

    def make_link(self):
        linkable = self.paths(lambda mode: stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISLNK(mode))
        if not linkable:
            return self.make_file()
        path = self.free_name()
        os.link(self.rng.choice(linkable), path, follow_symlinks=False)
        return path

    def make_deep(self):
        """Deeper than PATH_MAX: made step by step through descriptors, then left without more attributes."""
        start = os.open(self.root, os.O_RDONLY)
        name = (b"deep%d" % self.rng.randrange(10)).ljust(250, b"d")
        for _ in range(18):
            try:
                os.mkdir(name, 0o755, dir_fd=start)
            except FileExistsError:
                pass
            deeper = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=start)
            os.close(start)
            start = deeper
        fd = os.open(b"bottom%d" % self.rng.randrange(3), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=start)
        os.write(fd, self.rng.randbytes(100))
        os.close(fd)
        os.close(start)

    def dress(self, path):
        rng = self.rng
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and rng.randrange(4) == 0:
            for _ in range(rng.randrange(1, 3)):
                os.setxattr(path, b"user.k%d" % rng.randrange(4), rng.randbytes(rng.randrange(60)))
        os.chown(path, rng.choice(OWNERS), rng.choice(OWNERS), follow_symlinks=False)
        if not stat.S_ISLNK(mode):
            os.chmod(path, rng.choice(DIRECTORY_MODES if stat.S_ISDIR(mode) else MODES))
            if rng.randrange(8) == 0:
                os.setxattr(path, b"system.posix_acl_access", posix_acl(rng))
        self.touch(path)
        return path

    def touch(self, path):
        moment = self.rng.choice(SECONDS) * 10**9 + self.rng.randrange(10**9)
        os.utime(path, ns=(moment, moment), follow_symlinks=False)

    def grow(self, count):
        makers = [self.make_file] * 6 + [self.make_directory] * 3 + [self.make_sparse, self.make_symlink, self.make_fifo,
                                                                      self.make_link, self.make_link]
        for _ in range(count):
            self.rng.choice(makers)()
        if self.rng.randrange(6) == 0:
            self.make_deep()

    # Changes: each keeps the tree a tree.
    def rewrite(self):
        if path := self.file():
            with open(path, "r+b") as out:
                out.truncate(0)
                out.write(self.content())

    def append(self):
        if path := self.file():
            with open(path, "ab") as out:
                out.write(b"more")

    def stealth(self):
        """Other bytes under the same size and times: no copier that looks at attributes alone can see it."""
        if (path := self.file()) and (status := os.lstat(path)).st_size:
            with open(path, "r+b") as out:
                at = self.rng.randrange(status.st_size)
                out.seek(at)
                byte = out.read(1)
                out.seek(at)
                out.write(bytes([byte[0] ^ 1]))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def redress(self):
        if path := self.any():
            self.dress(path)

    def retime(self):
        if path := self.any():
            self.touch(path)

    def remove(self):
        if path := self.any():
            if stat.S_ISDIR(os.lstat(path).st_mode):
                self.remove_tree(path)
            else:
                os.unlink(path)

    def remove_tree(self, path):
        parent = os.open(os.path.dirname(path), os.O_RDONLY)
        remove_below(parent, os.path.basename(path))
        os.close(parent)

    def rename(self):
        if path := self.any():
            new = self.free_name()
            if not (new + b"/").startswith(path + b"/"):
                os.rename(path, new)

    def swap(self):
        """Two names exchange what they name: a circle of renames."""
        one, other = self.any(), self.any()
        if one and other and not (one + b"/").startswith(other + b"/") and not (other + b"/").startswith(one + b"/"):
            spare = self.root + b"/.swap"
            os.rename(one, spare)
            os.rename(other, one)
            os.rename(spare, other)

    def change_kind(self):
        if path := self.any():
            self.remove_path(path)
            kind = self.rng.randrange(4)
            if kind == 0:
                os.mkdir(path)
                with open(path + b"/inside", "wb") as out:
                    out.write(b"x")
            elif kind == 1:
                os.symlink(b"/etc", path)
            elif kind == 2:
                os.mkfifo(path)
            else:
                with open(path, "wb") as out:
                    out.write(b"was something else")
            self.dress(path)

    def remove_path(self, path):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            self.remove_tree(path)
        else:
            os.unlink(path)

    def split_link(self):
        """A hard link becomes a file of its own with the same content and attributes."""
        linked = [p for p in self.paths(stat.S_ISREG) if os.lstat(p).st_nlink > 1]
        if linked:
            path = self.rng.choice(linked)
            status = os.lstat(path)
            with open(path, "rb") as source:
                content = source.read()
            os.unlink(path)
            with open(path, "wb") as out:
                out.write(content)
            os.chown(path, status.st_uid, status.st_gid)
            os.chmod(path, stat.S_IMODE(status.st_mode))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def punch(self):
        if path := self.file():
            os.truncate(path, self.rng.choice([0, 1, 5000, 1 << 20]))

    def mutate(self, count, stealth=True):
        changes = [self.rewrite, self.append, self.redress, self.retime, self.remove, self.rename, self.swap,
                   self.change_kind, self.split_link, self.punch, self.make_file, self.make_directory, self.make_link,
                   self.make_sparse, self.make_symlink]
        if stealth:
            changes.append(self.stealth)
        done = []
        for _ in range(count):
            change = self.rng.choice(changes)
            change()
            done.append(change.__name__)
        return done


def remove_below(parent, name):
    """Removes a tree however deep it is."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=parent)
        return
    inside = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=parent)
    for child in os.listdir(b"/proc/self/fd/%d" % inside):
        remove_below(inside, child)
    os.close(inside)
    os.rmdir(name, dir_fd=parent)
