"""Who may read, write, find and remove."""
import ctypes, os

from .senders import OTHER, ROOT, USER, act, at, attempt, check, made, made_directory, owner, place, read, rule_is, skip, write

libc = ctypes.CDLL(None, use_errno=True)


def access():
    private = made("private", USER, 0o600)
    for what, function in [
            ("reads", lambda: read(private) and None), ("writes", lambda: write(private, b"more", 0, os.O_APPEND)),
            ("opens with O_TRUNC", lambda: write(private, b"content", 0, os.O_TRUNC)),
            ("truncates", lambda: os.truncate(private, 7))]:
        check(f"root {what} 1000's file of mode 0600", act(ROOT, function), "ok", "EACCES", "ok", "ok")
        check(f"1001 {what} 1000's file of mode 0600", act(OTHER, function), "EACCES", "EACCES", "ok", "ok")
        check(f"1000 {what} its file of mode 0600", act(USER, function), "ok")
    check("access(2) tells root so", act(ROOT, lambda: os.access(private, os.R_OK)), True, False, True, True)
    check("access(2) tells 1000 so", act(USER, lambda: os.access(private, os.R_OK | os.W_OK)), True)
    roots = made("private of root", ROOT, 0o600)
    check("1000 reads root's file of mode 0600", act(USER, lambda: read(roots) and None), "EACCES", "EACCES", "ok", "ok")
    public = made("public", USER, 0o666)
    check("root writes 1000's file of mode 0666", act(ROOT, lambda: write(public, b"x", 0, os.O_TRUNC)), "ok")
    check("which is 1000's still", owner(public), "1000:1000", "1000:1000", "0:0", "1000:1000")
    shared = made("shared with 2000", USER, 0o640)
    act((1000, 1000, [2000]), lambda: os.chown(shared, -1, 2000))
    check("1001 of group 2000 reads what the group may", act((1001, 1001, [2000]), lambda: read(shared) and None), "ok")
    check("1001 without the group does not", act(OTHER, lambda: read(shared) and None), "EACCES", "EACCES", "ok", "ok")
    many = list(range(3001, 3021))
    for group, wanted in [(3001, ("ok", "ok", "ok", "ok")), (3020, ("EACCES", "EACCES", "ok", "ok"))]:
        path = made(f"group {group}", USER, 0o640)
        act((1000, 1000, [group]), lambda: os.chown(path, -1, group))
        check(f"1001 of 3001..3020 reads by group {group}: 16 groups are sent",
              act((1001, 1001, many), lambda: read(path) and None), *wanted)


def directories():
    private = made_directory("private-directory", 0o700)
    inside = private + "/file"
    act(USER, lambda: write(inside))
    check("1000 finds its file in its directory of mode 0700", act(USER, lambda: os.stat(inside) and None), "ok")
    for what, function in [("finds a file", lambda: os.stat(inside) and None), ("reads a file", lambda: read(inside) and None),
                           ("lists", lambda: os.listdir(private) and None), ("enters", lambda: os.chdir(private)),
                           ("makes a file", lambda: write(private + "/new")),
                           ("removes a file", lambda: os.unlink(private + "/new"))]:
        # Straight after the owner did it: what the client remembers must not let anybody else in.
        act(USER, lambda: (os.stat(inside), os.listdir(private)) and None)
        check(f"root {what} in 1000's directory of mode 0700", act(ROOT, function), "ok", "EACCES", "ok", "ok")
    closed = made_directory("closed-directory", 0o755)
    act(USER, lambda: write(closed + "/file"))
    check("root removes a file from 1000's directory of mode 0755", act(ROOT, lambda: os.unlink(closed + "/file")),
          "ok", "EACCES", "ok", "ok")
    check("root makes a directory there", act(ROOT, lambda: os.mkdir(closed + "/new")), "ok", "EACCES", "ok", "ok")
    roots = made_directory("roots", 0o755, ROOT)
    check("1000 makes a directory in root's of mode 0755", act(USER, lambda: os.mkdir(roots + "/new")),
          "EACCES", "EACCES", "ok", "ok")
    path = made("to be renamed", USER, 0o600)
    check("root renames 1000's file in a directory open to all", act(ROOT, lambda: os.rename(path, path + "!")), "ok")
    check("and removes it", act(ROOT, lambda: os.unlink(path + "!")), "ok")
    sticky = made_directory("sticky", 0o1777)
    act(USER, lambda: write(sticky + "/file"))
    if not rule_is("all_squash"):  # there the client may refuse what the server would not
        check("1001 removes 1000's file from a sticky directory", act(OTHER, lambda: os.unlink(sticky + "/file")), "EPERM")
    check("root removes 1000's file from a sticky directory", act(ROOT, lambda: os.unlink(sticky + "/file")),
          "ok", "EPERM", "ok", "ok")


def as_owner():
    """A process of root's that takes an owner's identity for its file access alone, thread by thread."""

    def taking(uid, gid, groups, function):
        def work_as():
            numbers = (ctypes.c_uint * max(1, len(groups)))(*groups)
            libc.syscall(116, len(groups), numbers)  # setgroups of x86-64, for this thread
            libc.setfsgid(gid)
            libc.setfsuid(uid)
            try:
                return function()
            finally:
                libc.setfsuid(0)
                libc.setfsgid(0)
        return work_as

    if os.uname().machine != "x86_64":
        return skip("file access as the owner", "the number of setgroups is known for x86-64 only")
    path = at("as owner")
    check("root taking 1000:2000 makes a file",
          act(ROOT, taking(1000, 2000, [], lambda: write(path, b"owner's", 0o600))) and attempt(lambda: owner(path)),
          "1000:2000", "1000:2000", "0:0", "1000:1000")
    check("and reads it", act(ROOT, taking(1000, 2000, [], lambda: read(path))), "owner's")
    check("taking 1001 it does not", act(ROOT, taking(1001, 1001, [], lambda: read(path) and None)),
          "EACCES", "EACCES", "ok", "ok")
    group = made("as owner by group", USER, 0o640)
    act((1000, 1000, [2000]), lambda: os.chown(group, -1, 2000))
    check("taking 1001 with group 2000 it reads what the group may",
          act(ROOT, taking(1001, 1001, [2000], lambda: read(group) and None)), "ok")
