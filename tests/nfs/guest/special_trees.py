"""Trees of what some servers cannot be given, or cannot show; made on the server's side, without NFS."""
import os
import stat
import subprocess

from trees import POSTGRES, template


def extended(builder):
    """User attributes: NFS 4.2 carries them, NFS 3 does not."""
    builder.directory(".", mode=0o775)
    os.setxattr(builder.file("commented"), "user.comment", b"two\nlines")
    os.setxattr(builder.file("binary"), "user.binary", bytes(range(256)))
    os.setxattr(builder.file("large"), "user.large", b"v" * 2000)
    os.setxattr(builder.file("empty"), "user.empty", b"")
    os.setxattr(builder.directory("directory"), "user.comment", b"of a directory")
    builder.done()


def acl(builder):
    """POSIX ACLs: NFS 3 carries them, NFS 4 shows them as something else."""
    builder.directory(".", mode=0o775)
    builder.file("plain")
    path = builder.file("shared", mode=0o640)
    subprocess.run(["setfacl", "-m", "u:26:rw,g:2000:r", path], check=True)
    path = builder.directory("inherited", mode=0o750)
    builder.done()
    subprocess.run(["setfacl", "-d", "-m", "u:26:rwx", path], check=True)
    os.utime(path, ns=(1, 1500000000_000000000))


def rooted(builder):
    """What a server that squashes root cannot be given."""
    builder.directory(".", mode=0o775)
    builder.file("of-coder")
    builder.file("of-root", owner=(0, 0), mode=0o600)
    builder.file("of-group-root", owner=(1000, 0), mode=0o640)
    builder.file("of-root-for-coder", owner=(0, 1000))
    builder.directory("directory-of-root", owner=(0, 0))
    builder.file("directory-of-root/of-coder")
    builder.symlink("link-of-root", "of-coder", owner=(0, 0))
    builder.done()


def devices(builder):
    builder.directory(".", mode=0o775)
    builder.file("file")
    builder.node("null", stat.S_IFCHR, mode=0o666, device=os.makedev(1, 3))
    builder.done()


def locked(builder):
    """What only root can read: the owner has no right to it, or no way to it."""
    builder.directory(".", mode=0o775)
    builder.file("readable")
    builder.file("no-rights", mode=0)
    builder.file("write-only", mode=0o200)
    builder.directory("no-listing", mode=0o300)
    builder.file("no-listing/file")
    builder.directory("private", mode=0o700)
    builder.file("private/of-postgres", owner=POSTGRES, mode=0o600)
    builder.done()


def postgres(builder):
    builder.directory(".", owner=(1000, 1000), mode=0o777)
    template(builder, "pgdata", "pgdata", POSTGRES)
    builder.done()


def several_owners(builder):
    builder.directory(".", mode=0o775)
    builder.file("of-coder")
    builder.file("of-postgres", owner=POSTGRES)
    builder.file("of-group", owner=(1000, 2000))
    builder.done()
