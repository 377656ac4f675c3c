"""What goes wrong while files are copied: the server restarts, space ends, the source changes, the mover is killed, a mount is
missing. Afterwards nothing may look complete that is not, and running it again must end equal.
"""
import os
import random
import threading

import listing
import matrix
import server
import subjects
import special_trees
import trees


LARGE = 9 << 20  # more than the small volume holds


def source_tree(name, files=160):
    def build(builder):
        builder.directory(".", mode=0o775)
        trees.small_files(builder, "many", files, 8)
        builder.file("large", random.Random(2).randbytes(LARGE))
        builder.done()
    return matrix.build("nrs", name, build)


def looks_complete(top, place):
    """Files of the target that a delta run would take for copied, by size and time, but whose content is another."""
    wanted, got = listing.of(top), listing.of(place)
    return [f"{path!r} looks complete and is not" for path, facts in got.items()
            if facts["kind"] == "file" and path in wanted and wanted[path]["kind"] == "file"
            and (facts["size"], facts["mtime"]) == (wanted[path]["size"], wanted[path]["mtime"])
            and facts["content"] != wanted[path]["content"]]


def start(version, rule, top):
    source, target = matrix.mounted(version, ("nrs", rule), "/" + os.path.basename(top))
    return subjects.Running(*subjects.copy_command(("nrs", rule), source, target, "--delete"))


def under_way(running, place, entries):
    """Waits until the copy has got that far; an ended copy has got as far as it will."""
    server.wait_until(f"{entries} entries in {place}", lambda: running.ended() or subjects.count_below(place) >= entries)


def again(checks, name, top, version, rule):
    source, target = matrix.mounted(version, ("nrs", rule), "/" + os.path.basename(top))
    if matrix.ended(checks, f"{name}: run again", subjects.copy(("nrs", rule), source, target, "--delete")):
        matrix.equal(checks, f"{name}: run again", top, rule)


def server_restart(checks, name, version, rule):
    top, place = source_tree("faults"), matrix.place("target", rule)
    server.empty(place)
    running = start(version, rule, top)
    under_way(running, place, 60)
    server.stop_serving()
    checks.that(f"{name}: the copy was under way", "it had ended already" if running.ended() else [])
    server.serve_again()
    if matrix.ended(checks, f"{name}: the copy goes on", running.wait()):
        matrix.equal(checks, f"{name}", top, rule)
    else:
        checks.that(f"{name}: nothing looks complete that is not", looks_complete(top, place))
        again(checks, name, top, version, rule)


def no_space(checks, name, version):
    """A volume too small for the tree; later it is made larger."""
    top, place = source_tree("faults"), matrix.place("target", "small")
    source, target = matrix.mounted(version, ("nrs", "small"), "/faults")
    done = subjects.copy(("nrs", "small"), source, target)
    checks.that(f"{name}: the run fails", done.tail() if done.status != subjects.FAILED else [])
    faults = [] if any(word in done.output + done.errors for word in ("ENOSPC", "no-space", "no space")) else done.tail()
    checks.that(f"{name}: says that space ended", faults)
    checks.that(f"{name}: names a path", [] if "many/" in done.output or "large" in done.output else done.tail())
    checks.that(f"{name}: nothing looks complete that is not", looks_complete(top, place))
    server.unmount()
    server.grow("target-small", 64 << 20)
    again(checks, name, top, version, "small")


def changing_source(checks, name, version, rule):
    """A writer beside the copy: a warm pass says what changed, a final one fails; a run in peace ends equal."""
    top, place = source_tree("changing"), matrix.place("target", rule)
    for flags, statuses in (([], (0,)), (["--final"], (subjects.FAILED,))):
        server.empty(place)
        source, target = matrix.mounted(version, ("nrs", rule), "/changing")
        stop = threading.Event()

        def write():
            with open(f"{top}/large", "r+b") as file:
                step = 0
                while not stop.is_set():
                    file.seek((step * 7919) % LARGE)
                    file.write(b"%d" % step)
                    file.flush()
                    step += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            done = subjects.copy(("nrs", rule), source, target, *flags)
        finally:
            stop.set()
            writer.join()
        what = "final pass" if flags else "warm pass"
        checks.that(f"{name}: exit status of a {what}", [] if done.status in statuses else done.tail())
        checks.that(f"{name}: the {what} names the file", done.names("large"))
    again(checks, name, top, version, rule)


def killed(checks, name, version, rule, times, seed):
    """Killed at random moments, started again each time without anything being cleaned up."""
    top, place = source_tree("faults"), matrix.place("target", rule)
    server.empty(place)
    chance = random.Random(seed)
    everything = subjects.count_below(top)
    for attempt in range(times):
        running = start(version, rule, top)
        under_way(running, place, chance.randrange(1, everything))
        server.pause_for_steps(chance.randrange(40))
        running.kill()
        checks.that(f"{name} (seed {seed}), kill {attempt + 1}: nothing looks complete that is not", looks_complete(top, place))
    again(checks, name, top, version, rule)


def other_files(checks, name, version, rule):
    """The target holds other files already: they stay without --delete, and are gone with it."""
    top, place = source_tree("faults"), matrix.place("target", rule)
    server.empty(place)
    special_trees.several_owners(trees.Builder(place))
    with open(f"{place}/many", "w", encoding="ascii") as file:
        file.write("a file where the source has a directory")
    os.chown(f"{place}/many", 1000, 1000)
    os.chmod(place, 0o777)
    source, target = matrix.mounted(version, ("nrs", rule), "/faults")
    done = subjects.copy(("nrs", rule), source, target)
    kept = [path for path in ("of-coder", "of-postgres") if not os.path.exists(f"{place}/{path}")]
    checks.that(f"{name}: what the source has not is kept without --delete", kept + done.tail() if kept else [])
    again(checks, name, top, version, rule)


def not_mounted(checks, name, version, rule):
    """The source's mount point is an empty directory: that must never empty the target."""
    place = matrix.place("target", rule)
    server.empty(place)
    special_trees.several_owners(trees.Builder(place))
    server.unmount()
    target = server.mount("target", f"target-{rule}", version)
    done = subjects.copy(("nrs", rule), server.MOUNTS["source"], target, "--delete")
    matrix.ended(checks, f"{name}: refused", done, subjects.REFUSED)
    checks.equal(f"{name}: the target keeps its files", sorted(os.listdir(place)), ["of-coder", "of-group", "of-postgres"])
    empty = f"{matrix.place('source', 'nrs')}/nothing"
    os.makedirs(empty, exist_ok=True)
    source, target = matrix.mounted(version, ("nrs", rule), "/nothing")
    done = subjects.copy(("nrs", rule), source, target, "--delete")
    matrix.ended(checks, f"{name}: an empty source is refused", done, subjects.REFUSED)
    checks.equal(f"{name}: the target keeps its files then, too", sorted(os.listdir(place)), ["of-coder", "of-group", "of-postgres"])
