#!/usr/bin/env python3
"""Many homes moved side by side by the real binary, on a fake cluster over loopback: how many requests that takes, that
every byte is where it belongs, and that one that fails, is refused, crashes or is interrupted neither stops nor hides
another. Usage: fleet_test.py FAKE_API_SERVER PLUGIN [HOMES]
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from server import Server  # noqa: E402

SERVER, PLUGIN = sys.argv[1:3]
HOMES = int(sys.argv[3]) if len(sys.argv) > 3 else 60
NS = "coder-workspaces"
# What one home may ask of the API server, watches and renewals of locks aside. A look costs six for itself; what all look
# at together costs each of them the less, the more there are.
MOST_REQUESTS = 420
# Each kind is watched once, and again when the server ends a watch.
WATCHED_KINDS = {"pods", "persistentvolumeclaims", "persistentvolumes", "deployments", "statefulsets", "volumeattachments"}


def home(number):
    number += 0x10000000
    return f"coder-{number:08x}-0000-4000-8000-{number:012x}-home"


class Fleet(unittest.TestCase):
    def start(self, homes):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.server = Server(SERVER, self.directory.name, f"--stopped-homes={homes}", "--tick-ms=50")
        self.addCleanup(self.server.process.kill)
        self.before = self.homes()
        self.assertEqual(len(self.before), homes)
        self.assertTrue(all(one["files"] for one in self.before.values()))

    def homes(self):
        return {name: one for name, one in self.server.state()["homes"].items() if name.startswith("coder-1000")}

    def ask(self, path, method="GET", body=None):
        request = urllib.request.Request(self.server.api + path, method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            return json.loads(reply.read())

    def begin(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory.name, "KUBECONFIG": self.server.kubeconfig}
        self.out, self.err = (open(os.path.join(self.directory.name, name), "w+") for name in ("out", "err"))
        self.addCleanup(self.out.close)
        self.addCleanup(self.err.close)
        return subprocess.Popen([PLUGIN, "workspaces", "--name-regex=^coder-1000", "--strategy=copy", "-y", "--qps=2000", *words],
                                stdout=self.out, stderr=self.err, env=environment)

    def end(self, process, seconds=900):
        code = process.wait(seconds)
        self.out.seek(0)
        self.err.seek(0)
        return code, self.out.read(), self.err.read()

    def results(self, out):
        return dict(re.match(rf"{NS}/(\S+): (.*)", line).groups() for line in out.splitlines())

    def check_nothing_lost(self):
        state = self.server.state()
        self.assertEqual(state["destroyed_data"], [])
        for name, was in self.before.items():
            self.assertEqual(state["homes"][name]["files"], was["files"], name)

    def check_whole(self, moved):
        """Nothing lost, and the homes `moved` on the new class, bound both ways, the old volume kept."""
        state = self.server.state()
        self.assertEqual(state["destroyed_data"], [])
        claims = {one["metadata"]["name"]: one for one in self.ask(f"/api/v1/namespaces/{NS}/persistentvolumeclaims")["items"]}
        volumes = {one["metadata"]["name"]: one for one in self.ask("/api/v1/persistentvolumes")["items"]}
        for name, was in self.before.items():
            self.assertEqual(state["homes"][name]["files"], was["files"], name)
            claim = claims[name]
            volume = volumes[claim["spec"]["volumeName"]]
            self.assertEqual(claim["status"]["phase"], "Bound", name)
            self.assertEqual(volume["spec"]["claimRef"]["uid"], claim["metadata"]["uid"], name)
            old = volumes["pvc-" + name.removeprefix("coder-").removesuffix("-home")]
            if name in moved:
                self.assertEqual(claim["spec"]["storageClassName"], "truenas-csi-nfs", name)
                self.assertNotEqual(volume["metadata"]["name"], old["metadata"]["name"])
                for one in (volume, old):
                    self.assertEqual(one["spec"]["persistentVolumeReclaimPolicy"], "Retain", name)
            else:
                self.assertEqual(volume["metadata"]["name"], old["metadata"]["name"])

    def test_many_at_once(self):
        self.start(HOMES)
        asked_before = self.server.state()["asked"]
        code, out, err = self.end(self.begin("--parallel=50", "--copy-workers=100"), 3000)
        self.assertEqual(code, 0, err[-3000:])
        self.assertEqual(len(self.results(out)), HOMES)
        self.assertIn(f"total: {HOMES} of {HOMES} done", err)
        asked = {what: count - asked_before.get(what, 0) for what, count in self.server.state()["asked"].items()}
        watches = {what: count for what, count in asked.items() if what.startswith("WATCH ")}
        leases = sum(count for what, count in asked.items() if what.endswith(" leases"))
        requests = sum(asked.values()) - sum(watches.values()) - leases
        print(f"{HOMES} homes: {requests / HOMES:.0f} requests a home, {sum(watches.values())} watches", file=sys.stderr)
        self.assertEqual({what.split()[1] for what in watches}, WATCHED_KINDS)
        self.assertTrue(all(count < 20 for count in watches.values()), watches)
        self.assertGreater(requests, 0)
        self.assertLess(requests / HOMES, MOST_REQUESTS, asked)
        self.check_whole(set(self.before))
        self.assertEqual([pod for pod in self.ask(f"/api/v1/namespaces/{NS}/pods")["items"]
                          if pod["metadata"]["name"].startswith("truenas-migrate-")], [])
        roles = self.ask(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NS}/roles")["items"]
        self.assertEqual([role["rules"][0]["verbs"] for role in roles if role["metadata"]["name"] == "coder-workspace-perms"], [["*"]])

    def test_none_hides_or_stops_another(self):
        self.start(6)
        failing, used, crashing, slow, *good = (home(i) for i in range(6))
        self.server.tell(f"mover {failing} compare fail")
        self.server.tell(f"mover {crashing} copy crash")
        self.server.tell(f"mover {slow} copy hold")
        self.ask(f"/api/v1/namespaces/{NS}/pods", "POST", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "somebody"},
            "spec": {"containers": [{"name": "c", "image": "x"}],
                     "volumes": [{"name": "h", "persistentVolumeClaim": {"claimName": used}}]}})
        process = self.begin("--parallel=6")
        deadline = time.monotonic() + 300
        while True:
            homes = self.homes()
            said = pathlib.Path(self.err.name).read_text()
            if all(f"{NS}/{name}:\ndone in" in said for name in good) and said.count("error: ") >= 3:
                break
            self.assertIsNone(process.poll(), said[-2000:])
            self.assertLess(time.monotonic(), deadline, said[-2000:])
            time.sleep(0.1)
        self.assertTrue(all(homes[name]["class"] == "truenas-csi-nfs" for name in good))
        process.send_signal(signal.SIGINT)
        code, out, err = self.end(process)
        self.assertEqual(code, 130, err[-2000:])
        results = self.results(out)
        self.assertEqual(len(results), 6)
        for name in good:
            self.assertTrue(results[name].startswith("done: "), results[name])
        for name, start in ((failing, "stopped: "), (crashing, "stopped: "), (used, "refused: "), (slow, "interrupted: ")):
            self.assertTrue(results[name].startswith(start), f"{name}: {results[name]}")
        self.assertIn("input/output error", results[failing])
        self.check_whole(set(good))
        for words in (f"mover {failing} compare well", f"mover {crashing} copy well", f"mover {slow} copy well"):
            self.server.tell(words)
        self.ask(f"/api/v1/namespaces/{NS}/pods/somebody", "DELETE")
        # The kubelet ends it first.
        while any(pod["metadata"]["name"] == "somebody" for pod in self.ask(f"/api/v1/namespaces/{NS}/pods")["items"]):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        code, out, err = self.end(self.begin("--parallel=6", "--progress=none"))
        self.assertEqual(code, 0, err[-2000:])
        self.assertNotIn("total:", err)
        self.assertTrue(all(result.startswith("done: ") for result in self.results(out).values()), out)
        self.check_whole(set(self.before))

    def test_no_further_one_begins_after_too_many_failures(self):
        self.start(4)
        for number in (0, 1):
            self.server.tell(f"mover {home(number)} compare fail")
        code, out, err = self.end(self.begin("--parallel=1", "--max-failures=2", "--order=name", "--progress=plain"))
        self.assertEqual(code, 5, err[-2000:])
        results = self.results(out)
        for number in (2, 3):
            self.assertIn("not begun", results[home(number)])
        self.check_whole(set())
        code, out, err = self.end(self.begin("--parallel=1", "--max-failures=3", "--order=name"))
        self.assertEqual(code, 5, err[-2000:])
        self.assertIn("total: 2 of 4 done, 2 failed", err)
        self.check_whole({home(2), home(3)})

    def test_workers_are_shared_out(self):
        self.start(2)
        self.server.tell(f"mover {home(0)} copy hold")
        process = self.begin("--parallel=2", "--copy-workers=6")
        deadline = time.monotonic() + 200
        words = []
        while "copy" not in words:
            pods = self.ask(f"/api/v1/namespaces/{NS}/pods")["items"]
            words = [word for pod in pods if pod["metadata"]["name"].startswith("truenas-migrate-")
                     for word in pod["spec"]["containers"][0]["args"]]
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertIn("--workers=3", words)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process)[0], 130)
        self.check_nothing_lost()
        code, _, err = self.end(self.begin("--parallel=8", "--copy-workers=6"))
        self.assertEqual(code, 2)
        self.assertIn("--copy-workers=6 is less than one for each of --parallel=8 homes", err)


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Fleet))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
