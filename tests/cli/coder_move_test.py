#!/usr/bin/env python3
"""`workspaces --strategy=copy` of a home that is in use, as the real binary against a fake cluster and the stand-in
coderd: what its plan says, and that the workspace is stopped, moved and started again, also when the run is killed while it
is stopped. Usage: coder_move_test.py FAKE_API_SERVER PLUGIN
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from server import Server  # noqa: E402

SERVER, PLUGIN = sys.argv[1:3]
TOKEN = "coder-test-token"
DEV = "3f0a1e52-7c1d-4a55-9f2b-0d6a1c7e9a01"
HOME = f"coder-{DEV}-home"
SCHEDULE = "CRON_TZ=UTC 30 9 * * 1-5"
MOVE = [HOME, "--strategy=copy", "--accept=no-build-freeze"]


class Move(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.server = Server(SERVER, self.directory.name, "--coder")
        self.server.tell(f"coder autostart {DEV} {SCHEDULE}")
        self.before = self.home()["files"]
        self.assertTrue(self.before)

    def tearDown(self):
        self.server.end()
        self.directory.cleanup()

    def environment(self, **variables):
        return {"PATH": os.environ["PATH"], "HOME": self.directory.name, "KUBECONFIG": self.server.kubeconfig, **variables}

    def with_coder(self):
        return self.environment(CODER_URL=self.server.coder, CODER_SESSION_TOKEN=TOKEN)

    def run_plugin(self, *words, environment=None):
        done = subprocess.run([PLUGIN, "workspaces", *words], capture_output=True, text=True, timeout=200,
                              env=environment or self.with_coder())
        self.assertNotIn(TOKEN, done.stdout + done.stderr, "the token is never printed")
        return done.returncode, done.stdout, done.stderr

    def home(self):
        return self.server.state()["homes"][HOME]

    def workspace(self):
        self.server.tell("coder state")
        state = json.loads(self.server.until("CODER ")[len("CODER"):])
        return next(one for one in state["workspaces"] if one["id"] == DEV)

    def until(self, what, seconds=100):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            time.sleep(0.05)
        self.fail("it did not come to that")

    def moved_and_running(self, version):
        home, workspace = self.home(), self.workspace()
        self.assertEqual((home["class"], home["phase"], home["files"]), ("truenas-csi-nfs", "Bound", self.before))
        last = workspace["builds"][-1]
        self.assertEqual((last["transition"], last["status"], last["version"]), ("start", "succeeded", version))
        self.assertEqual(workspace["autostart"], SCHEDULE)
        self.assertEqual(self.server.state()["destroyed_data"], [])

    def test_the_plan_says_what_will_happen(self):
        code, out, err = self.run_plugin(*MOVE, "--dry-run")
        self.assertEqual(code, 0, err)
        for text in ("stop the workspace through Coder", "start the workspace through Coder", "autostart schedule off",
                     "set the workspace's autostart schedule again", "the workspace runs while its home is copied", SCHEDULE):
            self.assertIn(text, " ".join(out.split()))
        self.assertNotIn("no token", out)
        self.assertEqual(self.workspace()["autostart"], SCHEDULE)
        code, out, err = self.run_plugin(*MOVE, "-y", environment=self.environment())
        self.assertEqual(code, 4, err)
        self.assertIn("left alone", err)
        self.assertIn("CODER_SESSION_TOKEN", err)
        self.assertEqual((self.home()["class"], len(self.workspace()["builds"])), ("truenas-nfs", 1))

    def test_a_stopped_one_without_a_token(self):
        self.server.tell(f"coder build {DEV} stop")
        self.server.until("BUILD")
        self.until(lambda: self.workspace()["builds"][-1]["status"] == "succeeded")
        code, out, err = self.run_plugin(*MOVE, "--dry-run", environment=self.environment())
        self.assertEqual(code, 0, err)
        said = " ".join(out.split())
        self.assertIn("no workspace is stopped or started: there is no token for Coder", said)
        self.assertIn("only Coder can tell", said)
        code, out, err = self.run_plugin(*MOVE, "--dry-run")
        self.assertEqual(code, 0, err)
        self.assertIn("the workspace is not started: it is stopped now", " ".join(out.split()))

    def test_killed_between_stop_and_start(self):
        version = self.workspace()["builds"][-1]["version"]
        run = subprocess.Popen([PLUGIN, "workspaces", *MOVE, "-y"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=self.with_coder())
        self.until(lambda: self.workspace()["builds"][-1]["transition"] == "stop" and
                   self.workspace()["builds"][-1]["status"] == "succeeded")
        run.send_signal(signal.SIGKILL)
        run.wait(30)
        self.assertEqual((self.workspace()["autostart"], self.workspace()["builds"][-1]["transition"]), ("", "stop"))
        code, out, err = self.run_plugin(HOME, "--status")
        self.assertIn("workspace stopped; autostart off", out)
        # Without the token nothing of it is forgotten.
        code, out, err = self.run_plugin(*MOVE, "-y", environment=self.environment())
        self.assertEqual(code, 5, err)
        self.assertIn("is to be started", err)
        code, out, err = self.run_plugin(*MOVE, "-y")
        self.assertEqual(code, 0, err)
        self.moved_and_running(version)
        self.finalize(version)

    # Coder says that a build has worked since the move; without its word that takes consent.
    def finalize(self, version):
        code, out, err = self.run_plugin(HOME, "--finalize", "--no-check", "-y")
        self.assertEqual(code, 4, err)
        phrase = re.search(r"--confirm='([^']+)'", err).group(1)
        confirmed = [HOME, "--finalize", "--no-check", f"--confirm={phrase}"]
        code, out, err = self.run_plugin(*confirmed, environment=self.environment())
        self.assertEqual(code, 4, err)
        self.assertIn("[no-build-since]", err)
        code, out, err = self.run_plugin(*confirmed, "--delete-data")
        self.assertEqual(code, 4, err)
        self.assertIn("with its data", err)
        code, out, err = self.run_plugin(*confirmed)
        self.assertEqual(code, 0, err)
        self.moved_and_running(version)
        code, out, err = self.run_plugin(HOME, "--rollback", "-y")
        self.assertIn("given up by --finalize", err)

    def test_given_up(self):
        version = self.workspace()["builds"][-1]["version"]
        run = subprocess.Popen([PLUGIN, "workspaces", *MOVE, "-y"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=self.with_coder())
        self.until(lambda: self.workspace()["autostart"] == "")
        run.send_signal(signal.SIGINT)
        run.wait(60)
        code, out, err = self.run_plugin(*MOVE, "--rollback", "-y")
        self.assertEqual(code, 0, err)
        workspace = self.workspace()
        self.assertEqual((self.home()["class"], self.home()["files"]), ("truenas-nfs", self.before))
        last = workspace["builds"][-1]
        self.assertEqual((workspace["autostart"], last["transition"], last["version"]), (SCHEDULE, "start", version))


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Move)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
