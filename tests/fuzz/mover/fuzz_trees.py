#!/usr/bin/env python3
"""Random trees, copied, changed, copied again and compared by the mover, each step judged by judge.py as well.

    fuzz_trees.py VOLUME_MOVER [SEED]

Without a seed: the same 12 rounds every time; with TM_FUZZ_SECONDS as many other ones as fit. A failure names the seed
that gives it again. Needs root: owners are what it is about.
"""
import ctypes
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from judge import Comparison  # noqa: E402
from random_tree import RandomTree, remove_below  # noqa: E402

ROUNDS = 12
# Changes that leave another content or other attributes under the same size and times.
QUIET = {"stealth", "split_link"}
COPY = ["--owners=chown", "--delete", "--final", "--accept-unrelated", "--accept-empty-source", "--expect-source-mount",
        "--expect-target-mount"]


LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MNT_DETACH = 4096, 2


def mount(path):
    """Makes a directory a mount point: on nothing else does the mover remove anything."""
    if LIBC.mount(path, path, None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "cannot mount", path)


class Disagreement(Exception):
    pass


def path_of(shown):
    """The bytes of a path in the mover's output."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), shown.encode())


class Round:
    def __init__(self, mover, seed, scratch):
        self.mover, self.seed, self.rng = mover, seed, random.Random(seed)
        self.source, self.target = scratch + b"/source", scratch + b"/target"
        self.list, self.manifest, self.other_manifest = scratch + b"/list", scratch + b"/m1", scratch + b"/m2"
        for side in (self.source, self.target):
            os.mkdir(side)
            mount(side)
        self.story = []
        # Either nothing is mapped, or one owner becomes another.
        self.mapping = {} if self.rng.randrange(3) else {(0, 0): (1000, 1000)}
        self.flags = ["--map-owner=%d:%d=%d:%d" % (*old, *new) for old, new in self.mapping.items()]

    def run(self, mode, *words):
        command = [self.mover, mode, *self.flags, *words]
        if self.rng.randrange(2) and mode != "check":
            command.append("--workers=%d" % self.rng.randrange(1, 17))
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        lines = [json.loads(line) for line in done.stdout.decode("utf-8", "strict").splitlines()]
        if not lines or lines[-1]["type"] != "result" or lines[-1]["exit"] != done.returncode:
            raise Disagreement("%s ended with %d: %s" % (mode, done.returncode, done.stderr.decode()))
        self.story.append("%s=%d" % (mode, done.returncode))
        return lines

    def copy(self, *words):
        lines = self.run("copy", *COPY, *words, self.source, self.target)
        if lines[-1]["exit"] != 0:
            errors = [line for line in lines if line.get("severity") == "error"]
            raise Disagreement("copy: %s %s" % (lines[-1]["text"], errors[:5]))

    def compare(self):
        """What differs, on which the mover and the judge agree."""
        lines = self.run("compare", "--list=" + os.fsdecode(self.list), "--manifest=" + os.fsdecode(self.manifest),
                         self.source, self.target)
        found = {(path_of(line["path"]), line["kind"]) for line in lines
                 if line["type"] == "finding" and line["severity"] == "error"}
        judged = Comparison(self.mapping).trees(self.source, self.target)

        def without_links(pairs):
            return {pair for pair in pairs if pair[1] != "links"}

        def links(pairs):
            return any(kind == "links" for _, kind in pairs)

        if without_links(found) != without_links(judged) or links(found) != links(judged):
            raise Disagreement("mover alone: %s; judge alone: %s" % (sorted(found - judged)[:9], sorted(judged - found)[:9]))
        if lines[-1]["exit"] != (3 if judged else 0):
            raise Disagreement("exit %d with %d differences" % (lines[-1]["exit"], len(judged)))
        with open(self.list, "rb") as listed:
            if set(listed.read().split(b"\0")[:-1]) != {path for path, _ in found}:
                raise Disagreement("the list is not the findings")
        return judged

    def must_be_equal(self, when):
        if differences := self.compare():
            raise Disagreement("%s: %s" % (when, sorted(differences)[:9]))
        self.run("manifest", "--output=" + os.fsdecode(self.other_manifest), self.source)
        with open(self.manifest, "rb") as one, open(self.other_manifest, "rb") as other:
            if one.read().split(b"\n")[-2] != other.read().split(b"\n")[-2]:
                raise Disagreement("%s: the manifests of both sides differ" % when)

    def check(self, expected):
        flags, self.flags = self.flags, []
        exit_code = self.run("check", self.target, self.manifest)[-1]["exit"]
        self.flags = flags
        if exit_code != expected:
            raise Disagreement("check gave %d instead of %d" % (exit_code, expected))

    def play(self):
        rng = self.rng
        source, target = RandomTree(self.source, rng), RandomTree(self.target, rng)
        source.grow(rng.randrange(2, 50))
        if rng.randrange(3) == 0:
            target.grow(rng.randrange(1, 20))
        self.copy()
        self.must_be_equal("after the first copy")
        for _ in range(rng.randrange(1, 4)):
            self.story += source.mutate(rng.randrange(1, 12))
            self.copy()
            if differences := self.compare():
                # Only what keeps size and times may be missed, and only until it is named.
                if not QUIET.intersection(self.story):
                    raise Disagreement("a delta missed %s" % sorted(differences)[:9])
                self.copy("--again=" + os.fsdecode(self.list))
            self.must_be_equal("after a delta")
        self.check(0)
        shutil.copyfile(self.manifest, self.other_manifest)
        self.story += ["target:"] + target.mutate(rng.randrange(1, 6))
        differences = self.compare()
        shutil.copyfile(self.other_manifest, self.manifest)
        self.check(3 if differences else 0)
        self.copy("--again=" + os.fsdecode(self.list))
        self.must_be_equal("after the repair")


def play(mover, seed):
    """What went wrong, or nothing."""
    scratch = os.fsencode(tempfile.mkdtemp(prefix="mover-fuzz-"))
    one = None
    try:
        one = Round(mover, seed, scratch)
        one.play()
        return None
    except (Disagreement, subprocess.TimeoutExpired, json.JSONDecodeError, UnicodeDecodeError) as problem:
        return "%s\n  story: %s" % (problem, " ".join(one.story) if one else "")
    finally:
        for side in (b"/source", b"/target"):
            LIBC.umount2(scratch + side, MNT_DETACH)
        parent = os.open(os.path.dirname(scratch), os.O_RDONLY)
        remove_below(parent, os.path.basename(scratch))
        os.close(parent)


def main():
    if os.getuid() != 0:
        print("SKIPPED: fuzzing trees needs root (owners)")
        return 0
    if not os.environ.get("TM_FUZZ_MOUNTS"):  # in a mount namespace of its own: all mounts go with it
        os.environ["TM_FUZZ_MOUNTS"] = "own"
        os.execvp("unshare", ["unshare", "--mount", "--propagation=private", sys.executable, *sys.argv])
    os.umask(0o022)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    mover = os.path.abspath(sys.argv[1])
    seconds = int(os.environ.get("TM_FUZZ_SECONDS", "0"))
    end = time.monotonic() + seconds
    first = random.SystemRandom().randrange(1 << 32) if seconds else 1
    if len(sys.argv) > 2:
        first = int(sys.argv[2])
    print("first seed", first, flush=True)
    passed = failed = 0
    while passed + failed < (1 if len(sys.argv) > 2 else ROUNDS) or time.monotonic() < end:
        seed = first + passed + failed
        problem = play(mover, seed)
        if problem is None:
            passed += 1
            continue
        failed += 1
        print("FAILED: seed %d: %s" % (seed, problem), flush=True)
        if failed >= 5:
            break
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


sys.exit(main())
