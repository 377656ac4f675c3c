#!/usr/bin/env python3
"""`storageclass --apply` as the real binary, killed at its k-th write (before the server has applied it, or after),
then run again: the class is as wanted in the end, and --rollback brings the old one back.

CRASH_POINTS: "all", or how many (8), spread evenly. Usage: storage_class_crash_test.py FAKE_API_SERVER PLUGIN
"""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile

from server import Server

SERVER, PLUGIN = sys.argv[1:3]
WANTED = ["--set=pool=TANK", "--set=nfs.rootSquash=false"]
APPLY = [PLUGIN, "storageclass", *WANTED, "--apply", "-y"]
MOST_RUNS = 4  # a killed run leaves its lock behind, which ends by itself
WRITES = 13  # a run makes so many; the last few only note its end and give the lock back


def run(server, *words):
    environment = dict(os.environ, KUBECONFIG=server.kubeconfig)
    return subprocess.run([PLUGIN, "storageclass", *words], env=environment, capture_output=True, text=True, timeout=300)


def until_done(server, *words):
    for _ in range(MOST_RUNS):
        ended = run(server, *words)
        if ended.returncode == 0:
            return []
    return [f"{words} ended with {ended.returncode}: {ended.stderr[-800:]}"]


def manifest(server):
    return json.loads(run(server, "-o", "json").stdout)["manifest"]


def trial(moment, number):
    """Faults of one kill, and whether the run got as far as that write."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(SERVER, directory, f"--pause-{moment}-write={number}")
        before = manifest(server)
        killed = subprocess.Popen(APPLY, env=dict(os.environ, KUBECONFIG=server.kubeconfig), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        reached = server.paused_or_ended(killed)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        server.tell(f"pause {moment} 0")
        server.tell("go")
        faults = until_done(server, *WANTED, "--apply", "-y")
        if run(server, *WANTED).returncode != 0:
            faults.append("the class is not as wanted")
        faults += until_done(server, "--rollback", "-y")
        if run(server).returncode != 0 or manifest(server) != before:
            faults.append("the class that was is not the class that came back")
        if run(server, "--status").stdout.count("unfinished"):
            faults.append("the journal has an unfinished run")
        server.end()
        return faults, reached


def main():
    passed = failed = 0
    points = [(moment, number) for number in range(1, WRITES + 1) for moment in ("before", "after")]
    wanted = os.environ.get("CRASH_POINTS", "8")
    # An odd stride, so that both moments are among the sample.
    points = points[::1 if wanted == "all" else max(1, len(points) // int(wanted) | 1)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for point, (faults, reached) in zip(points, pool.map(lambda point: trial(*point), points)):
            if not reached:
                faults.append("the run ended before it")
            print(f"{'FAILED' if faults else 'ok'}: killed {point[0]} write {point[1]} {faults or ''}", flush=True)
            passed, failed = (passed, failed + 1) if faults else (passed + 1, failed)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
