"""Who does something on the mount, and what is counted of it. Knows no topic."""
import errno, json, os, stat

RULES = ["no_root_squash", "root_squash", "all_squash=0:0", "all_squash=1000:1000"]
ROOT, USER, OTHER = (0, 0, []), (1000, 1000, []), (1001, 1001, [])
counts = {"passed": 0, "failed": 0, "skipped": 0}


class place:
    """Where the contract is tried: the mount's rule, the new folder there, and the same folder through another mount."""
    rule = work = second = ""


def rule_is(name):
    return place.rule.startswith(name)


def check(what, got, *wanted):
    """wanted: what each rule of RULES gives, or one value for all."""
    want = wanted[RULES.index(place.rule)] if len(wanted) > 1 else wanted[0]
    good = got == want
    counts["passed" if good else "failed"] += 1
    print(f"ok: {what}" if good else f"FAILED: {what}: {got!r}, not {want!r}")


def skip(what, why):
    counts["skipped"] += 1
    print(f"skipped: {what}: {why}")


def attempt(function):
    try:
        answer = function()
        return "ok" if answer is None else answer
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def act(who, function):
    """The answer of function() in a process of uid, gid and groups; the name of the errno where it fails."""
    inward, outward = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            uid, gid, groups = who
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            os.umask(0)
            os.write(outward, json.dumps(attempt(function)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(outward)
    with os.fdopen(inward, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else "no answer"


def at(name):
    return os.path.join(os.fsencode(place.work), name) if isinstance(name, bytes) else os.path.join(place.work, name)


def write(path, text=b"content", mode=0o644, flags=os.O_CREAT | os.O_EXCL):
    file = os.open(path, os.O_WRONLY | flags, mode)
    os.write(file, text)
    os.fsync(file)
    os.close(file)


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("latin-1")


def owner(path):
    found = os.lstat(path)
    return f"{found.st_uid}:{found.st_gid}"


def mode(path):
    return oct(os.lstat(path).st_mode & 0o7777)


def made(name, who=USER, permissions=0o644, text=b"content"):
    path = at(name)
    answer = act(who, lambda: write(path, text, permissions))
    if answer != "ok":
        print(f"FAILED: cannot prepare {name}: {answer}")
        counts["failed"] += 1
    return path


def made_directory(name, permissions, who=USER):
    path = at(name)
    act(who, lambda: os.mkdir(path, permissions))
    return path
