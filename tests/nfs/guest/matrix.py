"""Each export with each other, by NFS 4.2 and 3: probe, scan, copy, delta, compare, and the independent check after each.

A cell is (version, source rule, target rule). What the target cannot carry must be refused by name before anything is copied.
"""
import os

import changes
import listing
import server
import subjects
import trees

VERSIONS = ("4.2", "3")
EXPECTED_VERDICT = {"nrs": "no_root_squash", "rs": "root_squash", "all0": "all_squash", "all1000": "all_squash"}
WAY = {"nrs": "chown", "rs": "as-owner", "all0": "chown", "all1000": "single-owner"}


class Scale:
    """How big the trees are: the short run must fit into minutes."""

    def __init__(self, files, sparse):
        self.files = files
        self.sparse = sparse


SHORT = Scale(files=150, sparse={"4.2": 1 << 30, "3": 32 << 20})
FULL = Scale(files=20_000, sparse={"4.2": 1 << 30, "3": 1 << 30})


def place(side, rule):
    return f"{server.ROOT}/{side}-{rule}"


def mounted(version, source_rule, target_rule, below=""):
    """Both volumes as a Pod sees them: the old one read-only, caches empty."""
    server.unmount()
    return (server.mount("source", f"source-{source_rule}", version, below, read_only=True),
            server.mount("target", f"target-{target_rule}", version))


def build(rule, name, function, *arguments, one_owner=None):
    """A tree below the source volume's root; made once, used by every cell of its kind."""
    top = f"{place('source', rule)}/{name}"
    if not os.path.isdir(top):
        os.mkdir(top)
        function(trees.Builder(top, one_owner), *arguments)
    return top


def probe(checks, version, target_rule):
    name = f"probe {version} {target_rule}"
    _, target = mounted(version, "nrs", target_rule)
    done = subjects.mover("probe", target)
    checks.that(f"{name}: verdict", [] if done.status == 0 and EXPECTED_VERDICT[target_rule] in done.output else done.tail())
    checks.that(f"{name}: leaves nothing", os.listdir(place("target", target_rule)))


def ended_well(checks, name, done, status=0):
    return checks.that(name, [] if done.status == status else [f"exit {done.status} instead of {status}", *done.tail()])


def equal(checks, name, top, target_rule):
    """The independent check: the server's own view of both trees."""
    wanted, got = listing.of(top), listing.of(place("target", target_rule))
    return checks.that(f"{name}: independently equal", listing.differences(wanted, got, root=target_rule in ("nrs", "all0")))


def first_copy(checks, name, top, version, source_rule, target_rule):
    """Scan, copy, compare onto an empty volume."""
    below = "/" + os.path.basename(top)
    server.empty(place("target", target_rule))
    source, target = mounted(version, source_rule, target_rule, below)
    ended_well(checks, f"{name}: scan", subjects.mover("scan", source, *subjects.scan_for(target)))
    if ended_well(checks, f"{name}: copy", subjects.mover("copy", source, target)):
        equal(checks, f"{name}: copy", top, target_rule)
    source, target = mounted(version, source_rule, target_rule, below)
    ended_well(checks, f"{name}: compare", subjects.mover("compare", source, target))


def delta(checks, name, top, version, source_rule, target_rule):
    """The source has changed since the first copy: compare must see it, another copy must bring it over."""
    below = "/" + os.path.basename(top)
    source, target = mounted(version, source_rule, target_rule, below)
    ended_well(checks, f"{name}: compare sees the changes", subjects.mover("compare", source, target), 3)
    if ended_well(checks, f"{name}: delta", subjects.mover("copy", "--delete", source, target)):
        equal(checks, f"{name}: delta", top, target_rule)
    source, target = mounted(version, source_rule, target_rule, below)
    ended_well(checks, f"{name}: compare after the delta", subjects.mover("compare", source, target))


def refused(checks, name, top, version, source_rule, target_rule, paths):
    """This target cannot be given this tree: scan and copy name what and why, and nothing is written."""
    below = "/" + os.path.basename(top)
    server.empty(place("target", target_rule))
    source, target = mounted(version, source_rule, target_rule, below)
    for mode, words in (("scan", [source, *subjects.scan_for(target)]), ("copy", [source, target])):
        done = subjects.mover(mode, *words)
        faults = done.names(*paths) + ([] if done.status == subjects.REFUSED else [f"exit {done.status}"])
        checks.that(f"{name}: {mode} refuses by name", faults + done.tail() if faults else [])
    checks.that(f"{name}: nothing was written", os.listdir(place("target", target_rule)))


def pairs(checks, version, source_rule, target_rules, scale):
    """The home tree over every pair, before and after it changed; where one owner is all there is, a tree of one owner."""
    home = build(source_rule, "home", trees.home, scale.files, scale.sparse[version])
    single = build(source_rule, "single", trees.home, scale.files, scale.sparse[version], one_owner=trees.CODER)
    tree = {rule: single if rule == "all1000" else home for rule in target_rules}
    for rule in target_rules:
        checks.cell(f"{version} {source_rule} to {rule}", first_copy, tree[rule], version, source_rule, rule)
    changes.apply(home)
    if "all1000" in target_rules:
        changes.one_owner(single)
    for rule in target_rules:
        checks.cell(f"{version} {source_rule} to {rule}", delta, tree[rule], version, source_rule, rule)


def special(checks, version):
    """What some classes cannot carry: carried where it can be, refused by name where not."""
    rooted = build("nrs", "rooted", trees.rooted)
    root_owned = ["of-root", "of-group-root", "of-root-for-coder", "directory-of-root", "link-of-root"]
    for rule in ("nrs", "all0"):
        checks.cell(f"{version} root's files to {rule}", first_copy, rooted, version, "nrs", rule)
    for rule in ("rs", "all1000"):
        checks.cell(f"{version} root's files to {rule}", refused, rooted, version, "nrs", rule, root_owned)
    owners = build("nrs", "owners", trees.several_owners)
    checks.cell(f"{version} several owners to all1000", refused, owners, version, "nrs", "all1000", ["of-postgres", "of-group"])
    locked = build("nrs", "locked", trees.locked)
    for rule in ("nrs", "rs"):
        checks.cell(f"{version} what only root reads to {rule}", first_copy, locked, version, "nrs", rule)
    locked = build("rs", "locked", trees.locked)
    unreadable = ["no-rights", "write-only", "no-listing", "private/of-postgres"]
    checks.cell(f"{version} what only root reads from rs", refused, locked, version, "rs", "nrs", unreadable)
    devices = build("nrs", "devices", trees.devices)
    for rule in ("nrs", "rs"):
        checks.cell(f"{version} a device to {rule}", refused, devices, version, "nrs", rule, ["null"])
    checks.cell(f"{version} a device left out", left_out, devices, version)


def left_out(checks, name, top, version):
    server.empty(place("target", "nrs"))
    source, target = mounted(version, "nrs", "nrs", "/devices")
    done = subjects.mover("copy", "--leave-out=null", source, target)
    ended_well(checks, f"{name}: copy", done)
    checks.that(f"{name}: named in the result", done.names("null"))
    wanted = listing.of(top)
    del wanted[b"null"]
    checks.that(f"{name}: all the rest", listing.differences(wanted, listing.of(place("target", "nrs"))))


def baseline(checks, version):
    """What rsync makes of root_squash, and the mover on the same tree: the reason for the mover."""
    home = build("nrs", "baseline", trees.home, 20, 1 << 20, 10)
    server.empty(place("target", "rs"))
    source, target = mounted(version, "nrs", "rs", "/baseline")
    done = subjects.rsync(source, target)
    checks.equal(f"{version} baseline: rsync's exit status onto root_squash", done.status, 23)
    right = [path for path, facts in listing.of(place("target", "rs")).items() if facts["owner"] != "65534:65534" and path != b"."]
    checks.equal(f"{version} baseline: entries whose owner rsync got right", right, [])
    checks.cell(f"{version} baseline: the mover", first_copy, home, version, "nrs", "rs")


def attributes(checks):
    """User attributes and ACLs: what the protocol carries is equal, what it does not is refused."""
    build("nrs", "extended", trees.extended)
    build("nrs", "acl", trees.acl)
    top = f"{place('source', 'nrs')}/extended"
    for rule in ("nrs", "rs"):
        checks.cell(f"4.2 user attributes to {rule}", first_copy, top, "4.2", "nrs", rule)
