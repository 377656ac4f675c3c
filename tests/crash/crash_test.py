#!/usr/bin/env python3
"""The real binary, killed at its k-th write (before the server has applied it, or after), then run again.

Whatever the moment, the second run ends well, every write that the database acknowledged is there, and no dataset that held
user data was destroyed. The server is fake_api_server, which pauses at the k-th write until it is told to go on.
CRASH_POINTS: "all", or how many (8), spread evenly. Usage: crash_test.py FAKE_API_SERVER PLUGIN
"""
import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile

from server import Server

SERVER, PLUGIN = sys.argv[1:3]
MOVE = [PLUGIN, "postgres", "-n", "coder", "-y"]
MOST_RUNS = 4  # a killed run leaves its lock behind, which ends by itself


def run(server):
    environment = dict(os.environ, KUBECONFIG=server.kubeconfig)
    return subprocess.run(MOVE, env=environment, capture_output=True, text=True, timeout=300)


def faults_of(state):
    faults = []
    if not state["acknowledged"]:
        faults.append("the database was never written to")
    if state["acknowledged"] != state["stored"]:
        faults.append(f"{state['acknowledged']} writes acknowledged, {state['stored']} stored")
    if state["destroyed_data"]:
        faults.append(f"destroyed: {state['destroyed_data']}")
    return faults


def undisturbed():
    """Faults of a run that nobody kills."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(SERVER, directory)
        ended = run(server)
        faults = faults_of(server.state())
        server.end()
        return faults + ([] if ended.returncode == 0 else [ended.stderr[-800:]])


def trial(moment, number):
    """Faults of one kill; an empty list when all is well."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(SERVER, directory, f"--pause-{moment}-write={number}")
        killed = subprocess.Popen(MOVE, env=dict(os.environ, KUBECONFIG=server.kubeconfig), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        server.until("PAUSED")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        server.tell("go")
        for _ in range(MOST_RUNS):
            ended = run(server)
            if ended.returncode == 0:
                break
        faults = faults_of(server.state())
        if ended.returncode != 0:
            faults.append(f"the last run ended with {ended.returncode}: {ended.stderr[-800:]}")
        server.end()
        return faults


def main():
    faults = undisturbed()
    print(f"{'FAILED' if faults else 'ok'}: undisturbed {faults or ''}", flush=True)
    passed, failed = (0, 1) if faults else (1, 0)
    writes = 60  # a run makes 62 or 63: the last few only note its end
    wanted = os.environ.get("CRASH_POINTS", "8")
    every = 1 if wanted == "all" else max(1, 2 * writes // int(wanted))
    points = [(("before", "after")[i % 2], i // 2 + 1) for i in range(0, 2 * writes, every)]
    # Odd steps, so that both moments are among the sample.
    if every % 2 == 0:
        points = [((("before", "after")[n % 2]), k) for n, (_, k) in enumerate(points)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for point, faults in zip(points, pool.map(lambda point: trial(*point), points)):
            print(f"{'FAILED' if faults else 'ok'}: killed {point[0]} write {point[1]} {faults or ''}", flush=True)
            passed, failed = (passed, failed + 1) if faults else (passed + 1, failed)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
