"""Each export with each other, by NFS 4.2 and 3: probe, scan, copy, delta, compare, and the independent check after each.

A cell has a version and a pair: the rules of source and target. What the target cannot carry must be refused by name before anything is copied.
"""
import os

import changes
import listing
import server
import subjects
import special_trees
import trees

VERDICT = {"nrs": "no_root_squash", "rs": "root_squash", "all0": "all_squash", "all1000": "1000"}
WAY = {"nrs": "chown", "rs": "as-owner", "all0": "chown", "all1000": "single-owner"}


class Scale:
    """How much there is to do: the short run must fit into minutes."""

    def __init__(self, files, sparse, second_round):
        self.files = files
        self.sparse = sparse
        self.second_round = second_round  # the targets that are brought up to date after the tree changed


# Compare reads every byte of the source, holes too: what a hole of 1 GiB takes an interpreted machine is for --full.
SHORT = Scale(files=50, sparse={"4.2": 64 << 20, "3": 8 << 20}, second_round=("nrs", "rs"))
FULL = Scale(files=1000, sparse={"4.2": 1 << 30, "3": 1 << 30}, second_round=tuple(server.RULES))
MANY = 20_000


def place(side, rule):
    return f"{server.ROOT}/{side}-{rule}"


def mounted(version, pair, below=""):
    """Both volumes as a Pod sees them: the old one read-only, caches empty. pair: the rules of source and target."""
    server.unmount()
    return (server.mount("source", f"source-{pair[0]}", version, below, read_only=True),
            server.mount("target", f"target-{pair[1]}", version))


def build(rule, name, function, *arguments, one_owner=None):
    """A tree below the source volume's root; made once, used by every cell of its kind."""
    top = f"{place('source', rule)}/{name}"
    if not os.path.isdir(top):
        os.mkdir(top)
        function(trees.Builder(top, one_owner), *arguments)
    return top


def probe(checks, name, version, rule):
    server.unmount()
    source, target = server.mount("source", "source-nrs", version), server.mount("target", f"target-{rule}", version)
    before = os.listdir(place("source", "nrs"))
    done = subjects.probe(target, f"--copy-from={source}", "--copy-from-writable")
    right = done.status == 0 and VERDICT[rule] in done.output and WAY[rule] in done.output
    checks.that(f"{name}: verdict and way", [] if right else done.tail())
    by_server = done.result.get("facts", {}).get("copy_by_server", "")
    right = by_server == "yes" if version == "4.2" else by_server.startswith("no: ")
    checks.that(f"{name}: who copies", [] if right else [f"by the server: {by_server}", *done.tail()])
    checks.that(f"{name}: leaves nothing", os.listdir(place("target", rule)))
    checks.that(f"{name}: leaves nothing where it copied from", sorted({*os.listdir(place("source", "nrs"))} ^ {*before}))


def ended(checks, name, done, status=0):
    return checks.that(name, [] if done.status == status else [f"exit {done.status} instead of {status}", *done.tail()])


def equal(checks, name, top, rule, owners=None):
    """The independent check: the server's own view of both trees. owners: what the mapping makes of an owner."""
    wanted, got = listing.of(top), listing.of(place("target", rule))
    for facts in wanted.values():
        facts["owner"] = (owners or {}).get(facts["owner"], facts["owner"])
    return checks.that(f"{name}: independently equal", listing.differences(wanted, got, root=rule in ("nrs", "all0")))


def first_copy(checks, name, top, version, pair, flags=(), owners=None):
    """Scan, copy, compare onto an empty volume."""
    below = "/" + os.path.basename(top)
    server.empty(place("target", pair[1]))
    source, target = mounted(version, pair, below)
    ended(checks, f"{name}: scan", subjects.scan(pair, source, *flags))
    if ended(checks, f"{name}: copy", subjects.copy(pair, source, target, *flags)):
        equal(checks, f"{name}: copy", top, pair[1], owners)
    source, target = mounted(version, pair, below)
    ended(checks, f"{name}: compare", subjects.compare(pair, source, target, *flags))


def delta(checks, name, top, version, pair):
    """The source has changed since the first copy: compare must see it, another copy must bring it over."""
    below = "/" + os.path.basename(top)
    source, target = mounted(version, pair, below)
    ended(checks, f"{name}: compare sees the changes", subjects.compare(pair, source, target), subjects.DIFFERENT)
    if ended(checks, f"{name}: delta", subjects.copy(pair, source, target, "--delete")):
        equal(checks, f"{name}: delta", top, pair[1])
    source, target = mounted(version, pair, below)
    ended(checks, f"{name}: compare after the delta", subjects.compare(pair, source, target))


def unnoticed(checks, name, top, version, pair):
    """A change that keeps size and times: only reading finds it, and what compare lists is copied again."""
    below = "/" + os.path.basename(top)
    changes.behind_the_times(top)
    source, target = mounted(version, pair, below)
    done = subjects.compare(pair, source, target, "--list=/tmp/differing")
    ended(checks, f"{name}: compare finds it", done, subjects.DIFFERENT)
    ended(checks, f"{name}: copy by the list", subjects.copy(pair, source, target, "--again=/tmp/differing"))
    equal(checks, f"{name}: copy by the list", top, pair[1])


def refused(checks, name, top, version, pair, paths, scanned=subjects.REFUSED):
    """This pair cannot move this tree: scan says so before anything is copied, and a copy all the same ends as failed; both by name."""
    below = "/" + os.path.basename(top)
    server.empty(place("target", pair[1]))
    source, target = mounted(version, pair, below)
    for mode, done, status in (("scan", subjects.scan(pair, source), scanned),
                               ("copy", subjects.copy(pair, source, target), subjects.FAILED)):
        faults = done.names(*paths) + ([] if done.status == status else [f"exit {done.status} instead of {status}"])
        checks.that(f"{name}: {mode} refuses by name", faults + done.tail() if faults else [])
    wanted, got = listing.of(top), listing.of(place("target", pair[1]))
    lines = listing.differences({path: facts for path, facts in wanted.items() if path in got}, got, root=False)
    checks.that(f"{name}: what was copied is right", [line for line in lines if ": mtime" not in line])


def many(checks, name, version, pair):
    """node_modules as it really is."""
    top = build(pair[0], "many", trees.home, MANY, 1 << 30)
    first_copy(checks, name, top, version, pair)
    changes.apply(top)
    delta(checks, name, top, version, pair)


def unverifiable(checks, name, top, version, pair, paths):
    """Copied right, but on this target nobody may read it any more: scan and compare must say so of each, not pass over it."""
    below = "/" + os.path.basename(top)
    server.empty(place("target", pair[1]))
    source, target = mounted(version, pair, below)
    done = subjects.scan(pair, source)
    ended(checks, f"{name}: scan refuses", done, subjects.REFUSED)
    checks.that(f"{name}: scan names them", done.names(*paths))
    if ended(checks, f"{name}: copy", subjects.copy(pair, source, target)):
        equal(checks, f"{name}: copy", top, pair[1])
    source, target = mounted(version, pair, below)
    done = subjects.compare(pair, source, target)
    ended(checks, f"{name}: compare fails", done, subjects.FAILED)
    checks.that(f"{name}: compare names them", done.names(*paths))


def pairs(checks, version, source_rule, target_rules, scale):
    """The home tree over every pair, before and after it changed; where one owner is all there is, a tree of one owner."""
    home = build(source_rule, "home", trees.home, scale.files, scale.sparse[version])
    single = home
    if "all1000" in target_rules:
        single = build(source_rule, "single", trees.home, scale.files, scale.sparse[version], one_owner=trees.CODER)
    cells = [(f"{version} {source_rule} to {rule}", single if rule == "all1000" else home, (source_rule, rule)) for rule in target_rules]
    for name, tree, pair in cells:
        checks.cell(name, first_copy, tree, version, pair)
    changes.apply(home)
    if single is not home and "all1000" in scale.second_round:
        changes.one_owner(single)
    for name, tree, pair in cells:
        if pair[1] in scale.second_round:
            checks.cell(name, delta, tree, version, pair)
    checks.cell(f"{version} {source_rule} unnoticed change", unnoticed, home, version, (source_rule, "rs"))


def special(checks, version):
    """What some classes cannot carry: carried where it can be, refused by name where not."""
    rooted = build("nrs", "rooted", special_trees.rooted)
    for rule in ("nrs", "all0"):
        checks.cell(f"{version} root's files to {rule}", first_copy, rooted, version, ("nrs", rule))
    for rule in ("rs", "all1000"):
        checks.cell(f"{version} root's files to {rule}", refused, rooted, version, ("nrs", rule),
                    ["of-root", "of-group-root", "of-root-for-coder", "directory-of-root", "link-of-root"])
    accepted = {"0:0": "1000:1000", "1000:0": "1000:1000", "0:1000": "1000:1000"}
    checks.cell(f"{version} root's files mapped", first_copy, rooted, version, ("nrs", "rs"),
                [f"--map-owner={old}={new}" for old, new in accepted.items()], accepted)
    owners = build("nrs", "owners", special_trees.several_owners)
    checks.cell(f"{version} several owners to all1000", refused, owners, version, ("nrs", "all1000"), ["of-postgres", "of-group"])
    locked = build("nrs", "locked", special_trees.locked)
    checks.cell(f"{version} what only root reads to nrs", first_copy, locked, version, ("nrs", "nrs"))
    checks.cell(f"{version} what only root reads to rs", unverifiable, locked, version, ("nrs", "rs"),
                ["no-rights", "write-only", "no-listing"])
    locked = build("rs", "locked", special_trees.locked)
    unreadable = ["no-rights", "write-only", "no-listing", "private/of-postgres"]
    checks.cell(f"{version} what only root reads from rs", refused, locked, version, ("rs", "nrs"), unreadable,
                subjects.FAILED)
    devices = build("nrs", "devices", special_trees.devices)
    for rule in ("nrs", "rs"):
        checks.cell(f"{version} a device to {rule}", refused, devices, version, ("nrs", rule), ["null"])
    checks.cell(f"{version} a device left out", left_out, devices, version)


def left_out(checks, name, top, version):
    server.empty(place("target", "nrs"))
    source, target = mounted(version, ("nrs", "nrs"), "/devices")
    done = subjects.copy(("nrs", "nrs"), source, target, "--leave-out=null")
    ended(checks, f"{name}: copy", done)
    checks.that(f"{name}: named in the result", done.names("null"))
    wanted = listing.of(top)
    del wanted[b"null"]
    checks.that(f"{name}: all the rest", listing.differences(wanted, listing.of(place("target", "nrs"))))


def baseline(checks, version):
    """What rsync makes of root_squash, and the mover on the same tree: the reason for the mover."""
    home = build("nrs", "baseline", trees.home, 20, 1 << 20, 10)
    server.empty(place("target", "rs"))
    source, target = mounted(version, ("nrs", "rs"), "/baseline")
    done = subjects.rsync(source, target)
    checks.equal(f"{version} baseline: rsync's exit status onto root_squash", done.status, 23)
    wanted, got = listing.of(home), listing.of(place("target", "rs"))
    right = [path for path, facts in got.items() if path != b"." and path in wanted and facts["owner"] == wanted[path]["owner"]]
    checks.equal(f"{version} baseline: entries whose owner rsync got right", right, [])
    checks.cell(f"{version} baseline: the mover", first_copy, home, version, ("nrs", "rs"))


def attributes(checks, version):
    """User attributes and ACLs: what the protocol carries is equal; what it does not show cannot be refused either."""
    extended = build("nrs", "extended", special_trees.extended)
    acl = build("nrs", "acl", special_trees.acl)
    for rule in ("nrs", "rs"):
        if version == "4.2":
            checks.cell(f"4.2 user attributes to {rule}", first_copy, extended, version, ("nrs", rule))
        else:
            checks.cell(f"3 POSIX ACLs to {rule}", first_copy, acl, version, ("nrs", rule))


def squash_contract(checks, name, version, rule, contract):
    _, target = mounted(version, ("nrs", rule))
    server.empty(place("target", rule))
    done = subjects.run("./squash-contract", target, contract)
    failures = [line for line in done.output.splitlines() if not line.startswith("ok")]
    checks.that(name, failures + [f"exit {done.status}", *done.errors.splitlines()] if done.status else [])
