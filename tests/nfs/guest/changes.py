"""What a workload does to the home tree between two copies; on the server's side, without NFS."""
import os
import shutil

import trees


def rewrite(path, content, mode="r+b"):
    with open(path, mode) as file:
        file.write(content)


def contents(at):
    rewrite(at("empty"), b"not any more\n", "wb")
    rewrite(at("node_modules/package001/lib/file00001.js"), b"// longer\n", "ab")
    before = os.stat(at("links/a/one"))
    rewrite(at("links/a/one"), b"ONE INODE, three names\n")  # same size, another time
    os.utime(at("links/a/one"), ns=(1, before.st_mtime_ns + 1))
    rewrite(at("disk.img"), b"grown into the hole")
    os.truncate(at("zeros"), 100_000)
    os.truncate(at("ends-with-a-hole"), 5 << 20)


def kinds(at):
    os.remove(at("times/1970"))
    os.mkdir(at("times/1970"))
    rewrite(at("times/1970/inside"), b"was a file\n", "wb")
    shutil.rmtree(at("links/b/c"))
    os.symlink("../../owners", at("links/b/c"))  # writing through it would reach another directory
    os.remove(at("links/absolute"))
    rewrite(at("links/absolute"), b"was a symlink\n", "wb")
    os.remove(at("pipe"))
    os.mkdir(at("pipe"))
    shutil.rmtree(at("empty-directory"))
    rewrite(at("empty-directory"), b"was a directory\n", "wb")


def hard_links(at):
    """One group loses a name that keeps equal content; two files of equal content become one."""
    os.remove(at("links/b/two"))
    shutil.copy2(at("links/a/one"), at("links/b/two"))
    shutil.copy2(at("owners/written-by-all"), at("owners/twin"))
    os.link(at("owners/twin"), at("links/a/twin"))
    os.remove(at("links/read-only"))
    os.link(at("links/a/one"), at("links/read-only"))


def renames(at):
    folder = at("node_modules/package002/lib")
    first, second, third = [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:3]]
    os.rename(first, first + b".away")
    os.rename(second, first)
    os.rename(third, second)
    os.rename(first + b".away", third)
    os.rename(at("node_modules/package003"), at("node_modules/package003-renamed"))


def attributes(at):
    os.chmod(at(".ssh/id_ed25519"), 0o400)
    os.chmod(at("owners/read-only"), 0o755)
    os.chown(at("owners/postgres"), 1000, 1000)
    os.chown(at("owners/of-postgres"), 1000, 2000)
    os.utime(at("times/2100"), ns=(1, trees.YEAR_2100 + 1))
    os.utime(at("links/dangling"), ns=(1, 1234567890_000000001), follow_symlinks=False)
    os.remove(at("links/itself"))
    os.symlink("elsewhere", at("links/itself"))


def arrivals_and_departures(at):
    shutil.rmtree(at("node_modules/package000"))
    os.remove(at(b"names/new\nline"))
    shutil.rmtree(at("deep"))
    for index in range(5):
        os.makedirs(at(f"new/{index}"))
        rewrite(at(f"new/{index}/file"), b"%d\n" % index, "wb")


def of_root_to(top, uid, gid):
    """What this made belongs to root: it is the workload's."""
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.lstat(path).st_uid == 0:
                os.chown(path, uid, gid, follow_symlinks=False)


def apply(top, uid=1000, gid=1000):
    top = os.fsencode(top)

    def at(name):
        return os.path.join(top, os.fsencode(name))

    for change in (contents, kinds, hard_links, renames, attributes, arrivals_and_departures):
        change(at)
    of_root_to(top, uid, gid)


def one_owner(top, uid=1000, gid=1000):
    """The same changes where the whole tree has one owner."""
    apply(top, uid, gid)
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in folders + files:
            path = os.path.join(folder, name)
            found = os.lstat(path)
            if (found.st_uid, found.st_gid) != (uid, gid):
                os.chown(path, uid, gid, follow_symlinks=False)


def behind_the_times(top):
    """A change that keeps size and time, as a workload that sets times back makes it: only reading finds it."""
    path = os.path.join(top, "node_modules/package001/lib/file00005.js")
    before = os.stat(path)
    rewrite(path, b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return path
