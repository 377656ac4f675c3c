"""Whom what is made belongs to, and who may change that."""
import os, socket, stat

from .senders import OTHER, ROOT, USER, act, at, attempt, check, made, made_directory, mode, owner, place, rule_is, write


def creations():
    for what, make in [("file", write), ("directory", os.mkdir), ("symbolic link", lambda p: os.symlink("target", p)),
                       ("FIFO", os.mkfifo), ("socket", lambda p: socket.socket(socket.AF_UNIX).bind(p))]:
        os.chdir(place.work)  # a socket's path must be short
        for name, who, wanted in [("root", ROOT, ("0:0", "65534:65534", "0:0", "1000:1000")),
                                  ("1000", USER, ("1000:1000", "1000:1000", "0:0", "1000:1000"))]:
            path = f"{what} of {name}"[:40]
            answer = act(who, lambda: make(path))
            check(f"{name} makes a {what}", owner(path) if answer == "ok" else answer, *wanted)
    os.chdir("/")
    path = at("gid-0")
    act((1000, 0, []), lambda: write(path))
    check("1000 of group 0 makes a file", owner(path), "1000:0", "1000:65534", "0:0", "1000:1000")
    check("root makes a device", act(ROOT, lambda: os.mknod(at("device"), 0o600 | stat.S_IFCHR, os.makedev(1, 3))),
          "ok", "EPERM", "ok", "EPERM")
    path = made_directory("inheriting", 0o755, (1000, 1000, [2000]))
    act((1000, 1000, [2000]), lambda: (os.chown(path, -1, 2000), os.chmod(path, 0o2775)) and None)
    act(USER, lambda: write(path + "/file"))
    check("a set-group-ID directory gives its group", attempt(lambda: owner(path + "/file")),
          "1000:2000", "1000:2000", "0:2000", "1000:1000")


def owners():
    for name, target, wanted in [("chown-1000", 1000, ("1000:1000", "EPERM", "1000:1000", "1000:1000")),
                                 ("chown-1001", 1001, ("1001:1001", "EPERM", "1001:1001", "EPERM"))]:
        path = made(name, ROOT)
        answer = act(ROOT, lambda: os.chown(path, target, target))
        check(f"root changes its file's owner to {target}", owner(path) if answer == "ok" else answer, *wanted)
    path = made("chown-of-1000")
    answer = act(ROOT, lambda: os.chown(path, 1001, 1001))
    check("root changes the owner of 1000's file", answer, "ok", "EPERM", "ok", "EPERM")
    path = made("chown-by-1000")
    answer = act(USER, lambda: os.chown(path, 1001, 1001))
    check("1000 gives its file away", owner(path) if answer == "ok" else answer, "EPERM", "EPERM", "1001:1001", "EPERM")
    for name, groups, group, wanted in [("own", [2000], 2000, ("ok", "ok", "ok", "EPERM")),
                                        ("foreign", [], 2000, ("EPERM", "EPERM", "ok", "EPERM")),
                                        ("root's", [0], 0, ("ok", "EPERM", "ok", "EPERM")),
                                        ("the anonymous", [0], 65534, ("EPERM", "ok", "ok", "EPERM"))]:
        path = made(f"chgrp {name}")
        answer = act((1000, 1000, groups), lambda: os.chown(path, -1, group))
        check(f"1000 with groups {groups} gives its file to {name} group", answer, *wanted)
    path = made("chmod")
    check("root changes the mode of 1000's file", act(ROOT, lambda: os.chmod(path, 0o600)), "ok", "EPERM", "ok", "ok")
    check("1001 changes the mode of 1000's file", act(OTHER, lambda: os.chmod(path, 0o600)), "EPERM", "EPERM", "ok", "ok")
    check("root changes the mode of its folder", act(ROOT, lambda: os.chmod(place.work, 0o777)),
          "ok", "EPERM", "ok", "ok")


def privileges():
    path = made("set-id", USER)
    act(USER, lambda: os.chmod(path, 0o6777))
    check("set-user-ID and set-group-ID can be set", mode(path), "0o6777")
    act(OTHER, lambda: write(path, b"other", 0, os.O_TRUNC))
    if not rule_is("all_squash=0:0"):
        check("somebody else's write takes them away", mode(path), "0o777")
    path = made("set-id-chgrp", USER)
    act((1000, 1000, [2000]), lambda: (os.chmod(path, 0o6755), os.chown(path, -1, 2000)) and None)
    check("a change of group takes them away", [mode(path), os.stat(path).st_gid],
          ["0o755", 2000], ["0o755", 2000], ["0o755", 2000], ["0o6755", 1000])


def times():
    path = made("times", USER, 0o666)
    for what, moment in [("1970", 1_000_000_001), ("2100", 4_102_444_800_123_456_789), ("now", 1_700_000_000_987_654_321)]:
        act(USER, lambda: os.utime(path, ns=(moment, moment)))
        check(f"a time of {what} keeps its nanoseconds", os.stat(path).st_mtime_ns, moment)
    check("root sets the times of 1000's file", act(ROOT, lambda: os.utime(path, ns=(1, 1))), "ok", "EPERM", "ok", "ok")
    check("1001 sets the times of 1000's file", act(OTHER, lambda: os.utime(path, ns=(1, 1))), "EPERM", "EPERM", "ok", "ok")
    link = at("link-times")
    act(USER, lambda: os.symlink("nowhere", link))
    act(USER, lambda: os.utime(link, ns=(5_000_000_007, 5_000_000_007), follow_symlinks=False))
    check("a symbolic link has times of its own", os.lstat(link).st_mtime_ns, 5_000_000_007)
