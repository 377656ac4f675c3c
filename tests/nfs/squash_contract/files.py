"""What files do, whoever has them open: the things programs rely on."""
import fcntl, mmap, os

from .senders import ROOT, USER, act, at, check, made, made_directory, place, read, skip, write


def open_files():
    path = made("losing its mode", USER, 0o600, b"before")

    def go_on():
        file = os.open(path, os.O_RDWR)
        os.chmod(path, 0)
        first = os.pread(file, 100, 0)
        os.pwrite(file, b"after!", 0)
        os.fsync(file)
        os.ftruncate(file, 5)
        return (first + b" " + os.pread(file, 100, 0)).decode()

    check("the owner goes on with an open file whose mode becomes 0", act(USER, go_on), "before after")
    check("and cannot open it again", act(USER, lambda: read(path) and None), "EACCES", "EACCES", "ok", "EACCES")
    check("a file can be made with mode 0 and written", act(USER, lambda: write(at("made with mode 0"), b"x", 0)), "ok")

    def removed():
        file = os.open(made_open, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(file, b"still here")
        os.unlink(made_open)
        return os.pread(file, 100, 0).decode()

    made_open = at("removed while open")
    check("a removed file is read by whoever has it open", act(USER, removed), "still here")
    source, target = made("new", USER, 0o600, b"new"), made("old", USER, 0o600, b"old")

    def replaced():
        file = os.open(target, os.O_RDONLY)
        number = os.stat(source).st_ino
        os.rename(source, target)
        return [os.pread(file, 9, 0).decode(), read(target), os.stat(target).st_ino == number]

    check("a rename replaces a file, which stays as it was for whoever has it open", act(USER, replaced), ["old", "new", True])

    def mapped():
        with open(path_mapped, "w+b") as file:
            file.truncate(8192)
            with mmap.mmap(file.fileno(), 8192) as memory:
                memory[4090:4102] = b"mapped bytes"
                memory.flush()
        return read(path_mapped)[4090:4102]

    path_mapped = at("mapped")
    check("what is written to shared memory is in the file", act(USER, mapped), "mapped bytes")


def names():
    one, other = made_directory("links-1", 0o777), made_directory("links-2", 0o777)
    act(USER, lambda: write(one + "/file", b"linked", 0o600))
    check("1000 links a file into another directory", act(USER, lambda: os.link(one + "/file", other + "/file")), "ok")
    check("it is one file with two names", act(USER, lambda: [os.path.samefile(one + "/file", other + "/file"),
                                                             os.stat(one + "/file").st_nlink]), [True, 2])
    check("root links 1000's file of mode 0600", act(ROOT, lambda: os.link(one + "/file", other + "/by root")), "ok")
    for name in [b"new\nline", b"\xff\xfe not UTF-8", b"n" * 255]:
        path = at(name)
        check(f"a name of bytes: {name[:20]!r}", act(USER, lambda: write(path) or os.listdir(os.fsencode(place.work)).count(name)), 1)

    def deep():
        top = here = os.open(place.work, os.O_RDONLY)
        name = b"d" * 250
        for _ in range(40):
            os.mkdir(name, 0o777, dir_fd=here)
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            if here != top:
                os.close(here)
            here = below
        os.close(os.open(b"file", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here))
        return os.listdir(here)

    check("directories beyond PATH_MAX", act(USER, deep), ["file"])


def extended_attributes():
    path = made("attributes", USER, 0o600)
    answer = act(USER, lambda: os.setxattr(path, "user.contract", b"value"))
    if answer in ("ENOTSUP", "EOPNOTSUPP"):
        return skip("extended attributes", "the mount or the server's file system has none")
    check("1000 sets an extended attribute", answer, "ok")
    check("and lists it", act(USER, lambda: [name for name in os.listxattr(path) if name.startswith("user.")]),
          ["user.contract"])
    check("and reads it", act(USER, lambda: os.getxattr(path, "user.contract").decode()), "value")
    check("root reads it from 1000's file of mode 0600",
          act(ROOT, lambda: os.getxattr(path, "user.contract") and None), "ok", "EACCES", "ok", "ok")
    check("root sees it listed there", act(ROOT, lambda: "user.contract" in os.listxattr(path)) is True,
          True, False, True, True)
    check("root cannot set a trusted one", act(ROOT, lambda: os.setxattr(path, "trusted.x", b"")) in
          ("ENOTSUP", "EOPNOTSUPP"), True)


def locks():
    path = made("locked", USER, 0o666)
    for what, lock in [("fcntl", fcntl.lockf), ("flock", fcntl.flock)]:
        with open(path, "r+b") as file:
            lock(file, fcntl.LOCK_EX)

            def again():
                with open(path, "r+b") as mine:
                    lock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)

            check(f"a file locked by {what} is locked for others", act(USER, again) in ("EAGAIN", "EACCES"), True)
            lock(file, fcntl.LOCK_UN)
            check(f"and free when unlocked ({what})", act(USER, again), "ok")


def second_mount():
    if not place.second:
        return skip("two mounts", "no second mount was named")
    mine, other = at("seen twice"), os.path.join(place.second, "seen twice")
    for text in ["one", "two", "three, longer", "4"]:
        act(USER, lambda: write(mine, text.encode(), 0o644, os.O_CREAT | os.O_TRUNC))
        check(f"what one mount has written and closed, the other reads: {text}", act(USER, lambda: read(other)), text)
        check("and knows its size", act(USER, lambda: len(read(other)) == os.stat(other).st_size), True)
    act(USER, lambda: write(other, b"back", 0, os.O_TRUNC))
    check("and the other way round", act(USER, lambda: read(mine)), "back")
