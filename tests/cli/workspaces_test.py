#!/usr/bin/env python3
"""`workspaces` as the real binary on a fake cluster: tables, documents, exit codes, wrong input; and how many requests and
how much memory a fleet takes. Usage: workspaces_test.py FAKE_API_SERVER PLUGIN
"""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from server import Server  # noqa: E402

SERVER, PLUGIN = sys.argv[1:3]
FLEET = 5000
ROWS = ["coder-0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403-home", "coder-3f0a1e52-7c1d-4a55-9f2b-0d6a1c7e9a01-home",
        "coder-8a44c0de-11aa-4c1e-8b1e-5f1f0a2b3c02-workspaces", "coder-carol-legacy-home", "coder-dave-envbox-home"]
TEMPLATE = '''resource "kubernetes_persistent_volume_claim" "home" {
  metadata {
    name      = "coder-${data.coder_workspace.me.id}-home"
    namespace = "coder-workspaces"
    labels = {
      "app.kubernetes.io/name"     = "coder-pvc"
      "app.kubernetes.io/instance" = "coder-pvc-${data.coder_workspace.me.id}"
      "app.kubernetes.io/part-of"  = "coder"
      "com.coder.resource"         = "true"
      "com.coder.workspace.id"     = data.coder_workspace.me.id
      "com.coder.workspace.name"   = data.coder_workspace.me.name
      "com.coder.user.username"    = data.coder_workspace_owner.me.name
    }
  }
  wait_until_bound = false
  spec {
    access_modes = ["ReadWriteOnce"]
    CLASS
    resources { requests = { storage = "10Gi" } }
  }
}
'''


class Workspaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.server = Server(SERVER, cls.directory.name)

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
        cls.directory.cleanup()

    def run_plugin(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": self.server.kubeconfig}
        done = subprocess.run([PLUGIN, "workspaces", *words], capture_output=True, text=True, timeout=60, env=environment)
        return done.returncode, done.stdout, done.stderr

    def tearDown(self):
        self.assertEqual(self.server.state()["writes"], 0, "it only looks")

    def document(self, *words):
        code, out, err = self.run_plugin("-o", "json", *words)
        self.assertIn(code, (0, 3), err)
        return json.loads(out)

    def refused(self, words, code, *texts):
        got, out, err = self.run_plugin(*words)
        self.assertEqual((got, out), (code, ""), err)
        self.assertTrue(err.startswith("error: ") or "\nerror: " in err, err)
        for text in texts:
            self.assertIn(text, err)

    def test_table(self):
        code, out, err = self.run_plugin()
        self.assertEqual(code, 3, err)
        lines = out.split("\n\n")[0].splitlines()
        self.assertEqual(lines[0].split(), ["NAMESPACE", "WORKSPACE", "CLAIM", "CLASS", "DRIVER", "SIZE", "RUNNING", "VERDICT"])
        self.assertEqual([line.split()[2] for line in lines[1:]], ROWS)
        self.assertEqual([line.split()[7] for line in lines[1:]], ["ready", "running", "running", "ready", "ready"])
        self.assertIn("5 workspace claims: 3 ready, 2 running", err)
        self.assertIn("CK2", out)
        self.assertIn("not checked: CK9", err)

    def test_names(self):
        code, out, _ = self.run_plugin("-o", "name")
        self.assertEqual((code, out), (3, "".join(f"persistentvolumeclaim/{name}\n" for name in ROWS)))

    def test_wide_without_headers(self):
        code, out, _ = self.run_plugin("-o", "wide", "--no-headers")
        self.assertEqual(code, 3)
        self.assertNotIn("NAMESPACE", out)
        self.assertIn("CK3", out)

    def test_yaml_is_the_same_document(self):
        code, out, _ = self.run_plugin("-o", "yaml")
        self.assertEqual(code, 3)
        self.assertIn("kind: WorkspaceReview", out)

    def test_selection(self):
        for words, expected in ((["ada/dev"], [ROWS[1]]), (["carol/legacy", ROWS[0]], [ROWS[0], ROWS[3]]),
                                (["--name-regex=-workspaces$"], [ROWS[2]]),
                                (["-l", "com.coder.user.username=ada"], ROWS[:2]), (["-A"], ROWS)):
            with self.subTest(words=words):
                self.assertEqual([row["claim"] for row in self.document(*words)["workspaces"]], expected)

    @staticmethod
    def fate(outcome):
        """Without Coder nobody knows the state's address: what is kept is kept only if that is as in the text."""
        return outcome["ifSo"] + "?" if outcome["fate"] == "unknown" else outcome["fate"]

    def test_template_tells_what_builds_do(self):
        directory = os.path.join(self.directory.name, "kubernetes")
        os.makedirs(directory, exist_ok=True)
        for text, now, after, check in (("", "kept?", "kept?", None),
                                        ('storage_class_name = "truenas-csi-nfs"', "destroyed", "kept?", "CC1"),
                                        ('storage_class_name = "truenas-nfs"', "kept?", "destroyed", "CC1")):
            with self.subTest(text=text):
                with open(os.path.join(directory, "main.tf"), "w") as file:
                    file.write(TEMPLATE.replace("CLASS", text))
                document = self.document("ada/dev", "--template-dir", directory)
                fate = document["workspaces"][0]["nextBuild"]
                self.assertEqual((self.fate(fate["now"]), self.fate(fate["afterMove"])), (now, after), fate)
                found = [f for f in document["findings"] if f["id"].startswith("CC") and f["severity"] != "note"]
                self.assertEqual([f["id"] for f in found], [check] if check else [], found)
                if now == "destroyed":
                    self.assertEqual(found[0]["severity"], "alarm")

    def test_home_that_its_next_build_would_destroy_is_not_moved(self):
        directory = os.path.join(self.directory.name, "before-a-move")
        os.makedirs(directory)
        words = [ROWS[0], "--strategy=copy", "--dry-run", "--accept=no-build-freeze", "--template-dir", directory]
        for text, code, said in (('storage_class_name = "truenas-nfs"', 4, "its next build destroys it"),
                                 ("", None, "is not certain: kept if")):
            with self.subTest(text=text):
                with open(os.path.join(directory, "main.tf"), "w") as file:
                    file.write(TEMPLATE.replace("CLASS", text))
                ended, out, err = self.run_plugin(*words)
                self.assertIn(said, out + err)
                if code is not None:
                    self.assertEqual(ended, code, err)
                else:
                    self.assertNotIn("destroys", out + err)

    def test_adoption_is_planned_with_what_stays_old(self):
        words = [ROWS[0], "--strategy=adopt", "--dry-run", "--accept=no-build-freeze"]
        code, out, err = self.run_plugin(*words)
        self.assertEqual(code, 0, err)
        for text in ("let the new driver mount", "read the home through its claim", "[adopt-stays]", "no byte is copied"):
            self.assertIn(text, out)
        self.assertNotIn("temporary claim", out)

    def test_corrected_template_is_written_as_a_diff(self):
        directory, target = os.path.join(self.directory.name, "k8s"), os.path.join(self.directory.name, "diffs", "new")
        os.makedirs(directory)
        original = TEMPLATE.replace("CLASS", 'storage_class_name = "truenas-nfs"')
        with open(os.path.join(directory, "main.tf"), "w") as file:
            file.write(original)
        words = ["ada/dev", "--template-dir", directory, "--write-template", target]
        code, _, err = self.run_plugin(*words)
        self.assertEqual(code, 3, err)
        self.assertEqual(os.listdir(target), ["k8s.diff"])
        with open(os.path.join(directory, "main.tf")) as file:
            self.assertEqual(file.read(), original, "the template itself is not touched")
        for text in ("coder templates push k8s", "--activate=false", "coder templates versions promote"):
            self.assertIn(text, err)
        patch = next(line for line in err.splitlines() if "patch -p1" in line)
        subprocess.run(["sh", "-c", patch], check=True, capture_output=True)
        fate = self.document("ada/dev", "--template-dir", directory)["workspaces"][0]["nextBuild"]
        self.assertEqual((self.fate(fate["now"]), self.fate(fate["afterMove"])), ("kept?", "kept?"))
        # What is there is never written over; what is right already is left alone.
        with open(os.path.join(directory, "main.tf"), "w") as file:
            file.write(original)
        code, _, err = self.run_plugin(*words)
        self.assertEqual(code, 2, err)
        self.assertIn("File exists", err)

    def test_wrong_input(self):
        empty = os.path.join(self.directory.name, "empty")
        os.makedirs(empty, exist_ok=True)
        broken = os.path.join(self.directory.name, "broken")
        os.makedirs(broken, exist_ok=True)
        with open(os.path.join(broken, "main.tf"), "w") as file:
            file.write('resource "a" "b" {')
        for words, code, texts in ((["-o", "jsn"], 2, ["unable to match a printer"]),
                                   (["--name-regex=("], 2, ["pattern"]),
                                   (["--name-regex=((a{255}){255}){255}"], 2, ["multiply to too much"]),
                                   (["--from-class=x", "--to-class=x"], 2, ["are both"]),
                                   (["--template-dir", "/nonexistent"], 2, ["/nonexistent", "no such file"]),
                                   (["--write-template", empty], 2, ["--template-dir"]),
                                   (["--template-dir", empty], 2, ["has no *.tf file"]),
                                   (["--template-dir", broken], 1, ["broken", "main.tf:"]),
                                   (["ada/dve"], 1, ["is called", "did you mean ada/dev?"]),
                                   (["-n", "nowhere"], 1, ["namespace nowhere does not exist"]),
                                   (["-n", ""], 2, ["-A means all"]),
                                   (["-n", "a/b"], 2, ["may not contain"]),
                                   (["-l", "((("], 4, ["parse"]),
                                   ([ROWS[0], "--strategy=adapt"], 2, ["copy and adopt"]),
                                   (["--formclass"], 2, ["unknown flag"])):
            with self.subTest(words=words):
                self.refused(words, code, *texts)

    def test_print_rbac_asks_nobody(self):
        code, out, err = self.run_plugin("--print-rbac", "--kubeconfig=/nonexistent")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("subjectaccessreviews", out)
        verbs = {line.split()[1] for line in out.splitlines() if line.strip().startswith("- ") and line.split()[1] in
                 ("get", "list", "create", "update", "patch", "delete", "watch")}
        self.assertEqual(verbs, {"get", "list", "create"})
        code, out, err = self.run_plugin("--strategy=copy", "--print-rbac", "--kubeconfig=/nonexistent")
        self.assertEqual((code, err), (0, ""))
        for text in ("roles", "rolebindings", "persistentvolumes", "volumeattachments", "leases", "patch", "delete"):
            self.assertIn(text, out)
        self.assertNotIn("volumesnapshotcontents", out)
        code, out, err = self.run_plugin("--strategy=adopt", "--print-rbac", "--kubeconfig=/nonexistent")
        self.assertEqual((code, err), (0, ""))
        for text in ("roles", "persistentvolumes", "csidrivers", "volumesnapshotcontents", "events"):
            self.assertIn(text, out)


class Fleet(unittest.TestCase):
    def test_requests_and_memory(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(SERVER, directory, f"--fleet={FLEET}", "--tick-ms=3600000")
            try:
                self.measure(server, directory)
            finally:
                server.process.kill()

    def measure(self, server, directory):
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": server.kubeconfig}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(os.path.join(directory, "out"), "w+") as out, open(os.path.join(directory, "err"), "w+") as err:
            process = subprocess.Popen([PLUGIN, "workspaces", "-v=6", "--no-headers"], stdout=out, stderr=err,
                                       env=environment)
            # By VmHWM while it runs: what wait4 tells counts this script's own memory, as it was before exec.
            peak = 0
            while process.poll() is None:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
                time.sleep(0.002)
            out.seek(0)
            err.seek(0)
            answer, log = out.read(), err.read()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(process.returncode, 3, log[-500:])
        rows = [line for line in answer.splitlines() if line.startswith("coder-workspaces ")]
        self.assertEqual(len(rows), FLEET + len(ROWS))
        requests = sum(line.startswith(("GET ", "POST ")) for line in log.splitlines())
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{FLEET} workspaces: {requests} requests, {peak / 1024:.0f} MB, {cpu:.2f} s of CPU", file=sys.stderr)
        self.assertGreater(peak, 0)
        self.assertLess(peak / 1024, 100)
        # A page holds 500: claims, Pods, Deployments, volumes, and less than ten others.
        self.assertGreater(requests, 20)
        self.assertLess(requests, 11 + 6 + 6 + 11 + 10)


if __name__ == "__main__":
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (Workspaces, Fleet))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
