"""The trees that are moved (more in special_trees.py). All are made on the server's side, without NFS."""
import os
import random
import shutil
import socket
import stat
import subprocess

CODER = (1000, 1000)
POSTGRES = (26, 26)
YEAR_1970 = 1_000000001  # in the very first second, a client of NFS 3 drops the nanoseconds
YEAR_2100 = 4102444800_123456789


class Builder:
    """Makes entries below a root, with owner, mode and time. With one_owner, everything belongs to that owner."""

    def __init__(self, root, one_owner=None):
        self.root = os.fsencode(root)
        self.one_owner = one_owner
        self.later = []  # directories get mode and time when everything below them is made
        self.clock = 1700000000_000000001

    def path(self, name):
        return os.path.join(self.root, os.fsencode(name))

    def finish(self, path, owner, mode, mtime=None):
        uid, gid = self.one_owner or owner
        os.chown(path, uid, gid, follow_symlinks=False)
        if mode is not None:
            os.chmod(path, mode)
        self.clock += 1_000_003
        os.utime(path, ns=(self.clock, self.clock if mtime is None else mtime), follow_symlinks=False)
        return path

    def directory(self, name, owner=CODER, mode=0o755, mtime=None):
        os.makedirs(self.path(name), exist_ok=True)
        self.later.append((self.path(name), owner, mode, mtime))
        return self.path(name)

    def file(self, name, content=b"content\n", owner=CODER, mode=0o644, mtime=None):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.finish(self.path(name), owner, mode, mtime)

    def sparse(self, name, size, pieces):
        """A file of that size whose only data are the pieces: offset to content."""
        with open(self.path(name), "wb") as file:
            file.truncate(size)
            for offset, content in pieces.items():
                file.seek(offset)
                file.write(content)
        self.finish(self.path(name), CODER, 0o600)

    def symlink(self, name, target, owner=CODER, mtime=None):
        os.symlink(os.fsencode(target), self.path(name))
        self.finish(self.path(name), owner, None, mtime)

    def node(self, name, kind, owner=CODER, mode=0o600, device=0):
        os.mknod(self.path(name), kind | mode, device)
        self.finish(self.path(name), owner, mode)

    def done(self):
        for path, owner, mode, mtime in sorted(self.later, key=lambda item: -item[0].count(b"/")):
            self.finish(path, owner, mode, mtime)


def template(builder, name, source, owner):
    """A copy of one of the image's templates."""
    shutil.copytree(f"/srv/templates/{source}", os.fsdecode(builder.path(name)), symlinks=True)
    uid, gid = builder.one_owner or owner
    subprocess.run(["chown", "-R", f"{uid}:{gid}", builder.path(name)], check=True)


def small_files(builder, top, count, folders, seed=1):
    """node_modules-like: many small files of 0 to 8 KiB."""
    chance = random.Random(seed)
    noise = chance.randbytes(8192)
    builder.directory(top)
    for index in range(folders):
        builder.directory(f"{top}/package{index:03}")
        builder.directory(f"{top}/package{index:03}/lib")
    for index in range(count):
        size = chance.randrange(8192)
        builder.file(f"{top}/package{index % folders:03}/lib/file{index:05}.js", b"%d\n" % index + noise[:size])


def names(builder):
    builder.directory("names")
    odd = [b"new\nline", b"not utf-8 \xff\xfe", b"n" * 255, b"-rf", b"two  spaces ", b"'quote\"", b"back\\slash", b"*", b"...",
           b"tab\t\x01\x7f", "\u00e9".encode(), "e\u0301".encode(), b"%s%n", b"~", b"$(id)", b"\xed\xa0\x80"]
    for index, name in enumerate(odd):
        builder.file(b"names/" + name, b"%d\n" % index)
    builder.directory(b"names/directory\n\xff")
    builder.file(b"names/directory\n\xff/inside")


def links(builder):
    for name in ("links", "links/a", "links/b", "links/b/c"):
        builder.directory(name)
    first = builder.file("links/a/one", b"one inode, three names\n", mode=0o640)
    for name in ("links/b/two", "links/b/c/three"):
        os.link(first, builder.path(name))
    second = builder.file("links/a/read-only", b"another\n", mode=0o400)
    os.link(second, builder.path("links/read-only"))
    builder.symlink("links/dangling", "nowhere/at/all")
    builder.symlink("links/absolute", "/etc/passwd", mtime=YEAR_1970)
    builder.symlink("links/itself", "itself")
    builder.symlink("links/to-directory", "b/c")
    builder.symlink("links/long", "x/" * 700)
    builder.symlink("links/of-another", "a/one", owner=POSTGRES)
    os.link(builder.path("links/dangling"), builder.path("links/a/dangling-too"), follow_symlinks=False)


def owners_and_modes(builder):
    builder.directory("owners", mode=0o755)
    builder.file("owners/postgres", owner=POSTGRES, mode=0o600)
    builder.file("owners/group", owner=(1000, 2000), mode=0o640)
    builder.file("owners/large", owner=(1_000_660_000, 4_000_000_000))
    builder.directory("owners/of-postgres", owner=POSTGRES, mode=0o755)
    builder.file("owners/of-postgres/of-coder", mode=0o644)
    builder.directory("owners/set-group", owner=(1000, 2000), mode=0o2775)
    builder.file("owners/set-group/other-group", owner=(1000, 1000))
    builder.file("owners/set-group/same-group", owner=(1001, 2000), mode=0o664)
    builder.directory("owners/sticky", mode=0o1777)
    builder.file("owners/sticky/of-postgres", owner=POSTGRES)
    builder.directory("owners/read-only", mode=0o555)
    builder.file("owners/read-only/file", mode=0o444)
    builder.directory("owners/read-only/below", mode=0o500)
    builder.file("owners/read-only/below/file", mode=0o400)
    builder.file("owners/set-uid", mode=0o4755)
    builder.file("owners/set-gid", owner=(1000, 2000), mode=0o2755)
    builder.file("owners/both", owner=(26, 2000), mode=0o6711)
    builder.file("owners/written-by-all", mode=0o777)


def times(builder):
    builder.directory("times", mtime=YEAR_2100)
    builder.file("times/1970", mtime=YEAR_1970)
    builder.file("times/2100", mtime=YEAR_2100)
    builder.file("times/whole-second", mtime=1600000000_000000000)
    builder.file("times/last-nanosecond", mtime=1600000000_999999999)
    builder.directory("times/empty", mtime=YEAR_1970)


def deep(builder, levels, width=100):
    """45 levels make a path longer than PATH_MAX, so it is made level by level. cp and rsync cannot copy that."""
    folder = os.open(builder.directory("deep"), os.O_RDONLY)
    chain = [folder]
    name = "d" * width
    for _ in range(levels):
        os.mkdir(name, dir_fd=chain[-1])
        chain.append(os.open(name, os.O_RDONLY, dir_fd=chain[-1]))
    file = os.open("at the bottom", os.O_WRONLY | os.O_CREAT, dir_fd=chain[-1])
    os.write(file, b"deep\n")
    uid, gid = builder.one_owner or CODER
    os.fchown(file, uid, gid)
    os.utime(file, ns=(1, 1500000000_000000007))
    for level, descriptor in reversed(list(enumerate(chain))):
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, 0o755)
        os.utime(descriptor, ns=(1, 1500000000_000000000 + level))
    for descriptor in [file, *chain]:
        os.close(descriptor)


def home(builder, files, sparse_size, levels=45):
    """A home directory with everything that a target can carry whose server lets owners be set, or owners write."""
    builder.directory(".", mode=0o775)
    builder.directory(".ssh", mode=0o700)
    builder.file(".ssh/id_ed25519", b"secret\n", mode=0o600)
    builder.file("empty", b"")
    template(builder, "project", "repository", CODER)
    small_files(builder, "node_modules", files, max(4, files // 100))
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(builder.path("agent.sock"))
    builder.finish(builder.path("agent.sock"), CODER, 0o600)
    builder.node("pipe", stat.S_IFIFO)
    builder.directory("empty-directory", mode=0o700)
    builder.sparse("disk.img", sparse_size, {0: b"start", sparse_size // 2 + 123: b"middle" * 3000, sparse_size - 9: b"the end.\n"})
    builder.sparse("only-a-hole", 1 << 20, {})
    builder.sparse("ends-with-a-hole", 3 << 20, {1 << 20: b"data" * 1024})
    builder.file("zeros", bytes(300_000))
    names(builder)
    links(builder)
    owners_and_modes(builder)
    times(builder)
    deep(builder, levels)
    builder.done()
