"""The instrument's own test: one change of every kind, and the listing must tell each of them."""
import os
import shutil
import subprocess
import tempfile

import listing
import trees


def put(path, content):
    with open(path, "wb") as file:
        file.write(content)


def same_times(path, change):
    before = os.lstat(path)
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)


def fill_hole(path):
    with open(path, "r+b") as file:
        file.write(bytes(1 << 20))


def changed_byte(path):
    with open(path, "r+b") as file:
        file.seek(3)
        file.write(b"!")


def split_link(path):
    shutil.copy2(path, path + ".new")
    os.chown(path + ".new", 1000, 1000)
    os.rename(path + ".new", path)


CHANGES = {
    "content": ("project/src/part2/file1.txt", lambda path: same_times(path, changed_byte), "content"),
    "hole filled": ("only-a-hole", lambda path: same_times(path, fill_hole), "allocated"),
    "length": ("zeros", lambda path: same_times(path, lambda path: os.truncate(path, 1000)), "size"),
    "a nanosecond": ("times/2100", lambda path: os.utime(path, ns=(1, trees.YEAR_2100 + 1)), "mtime"),
    "owner": ("owners/group", lambda path: os.chown(path, 1001, 2000), "owner"),
    "group": ("owners/set-gid", lambda path: os.chown(path, 1000, 1000), "owner"),
    "mode": ("owners/written-by-all", lambda path: os.chmod(path, 0o776), "mode"),
    "set-uid lost": ("owners/set-uid", lambda path: os.chmod(path, 0o755), "mode"),
    "link target": ("links/dangling", lambda path: (os.remove(path), os.symlink("x", path)), "target"),
    "link group split": ("links/b/two", split_link, "linked with"),
    "missing": ("empty", os.remove, "only in the source"),
    "extra": ("extra", lambda path: put(path, b""), "only in the target"),
    "kind": ("pipe", lambda path: (os.remove(path), put(path, b"")), "kind"),
    "attribute": ("names/*", lambda path: os.setxattr(path, "user.x", b"1"), "xattrs"),
}


def sees_every_difference(checks):
    top = tempfile.mkdtemp(dir="/nas/source-nrs")
    os.chmod(top, 0o755)
    before, after = f"{top}/before", f"{top}/after"
    os.mkdir(before)
    trees.home(trees.Builder(before), 30, 4 << 20, levels=10)
    subprocess.run(["cp", "-a", before, after], check=True)
    wanted = listing.of(before)
    checks.that("instrument: the tree has what is asked of it", [] if len(wanted) > 200 else [f"{len(wanted)} entries"])
    checks.that("instrument: what cp -a made is equal", listing.differences(wanted, listing.of(after)))
    for path, change, _ in CHANGES.values():
        change(f"{after}/{path}")
    lines = listing.differences(wanted, listing.of(after))
    for name, (path, _, word) in CHANGES.items():
        checks.that(f"instrument: sees {name}", [] if any(path in line and word in line for line in lines) else ["not seen", *lines])
    shutil.rmtree(top)
