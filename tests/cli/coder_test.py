#!/usr/bin/env python3
"""`workspaces` with a Coder, as the real binary against a fake cluster and the stand-in coderd: what it shows, what it
never shows, what it does when Coder cannot be asked. Usage: coder_test.py FAKE_API_SERVER PLUGIN
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from server import Server  # noqa: E402

SERVER, PLUGIN = sys.argv[1:3]
TOKEN = "coder-test-token"
DEV, BIG = "3f0a1e52-7c1d-4a55-9f2b-0d6a1c7e9a01", "0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403"
TEMPLATE = '''data "coder_parameter" "size" {
  name = "home_disk_size"
}
resource "kubernetes_persistent_volume_claim" "home" {
  metadata {
    name      = "coder-${data.coder_workspace.me.id}-home"
    namespace = var.namespace
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
    resources { requests = { storage = "${data.coder_parameter.size.value}Gi" } }
  }
}
'''


class Coder(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.server = Server(SERVER, self.directory.name, "--coder")
        self.version("")

    def tearDown(self):
        self.assertEqual(self.server.state()["writes"], 0, "it only looks")
        self.server.end()
        self.directory.cleanup()

    def version(self, line):
        path = os.path.join(self.directory.name, "main.tf")
        pathlib.Path(path).write_text(TEMPLATE.replace("CLASS", line))
        self.server.tell(f"coder version kubernetes {path}")
        return self.server.until("VERSION").split()[1]

    def build(self, workspace, transition, version=""):
        self.server.tell(f"coder build {workspace} {transition} {version}")
        build = self.server.until("BUILD").split()[1]
        while True:
            self.server.tell("coder state")
            state = json.loads(self.server.until("CODER ")[len("CODER"):])
            for one in state["workspaces"]:
                for made in one["builds"]:
                    if made["id"] == build and made["status"] not in ("pending", "running"):
                        return made

    def run_plugin(self, *words, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory.name, "KUBECONFIG": self.server.kubeconfig,
                       **variables}
        done = subprocess.run([PLUGIN, "workspaces", *words], capture_output=True, text=True, timeout=120, env=environment)
        self.assertNotIn(TOKEN, done.stdout + done.stderr, "the token is never printed")
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words):
        return self.run_plugin(*words, CODER_URL=self.server.coder, CODER_SESSION_TOKEN=TOKEN)

    def document(self, *words):
        code, out, err = self.ask("-o", "json", *words)
        self.assertIn(code, (0, 3), err)
        return json.loads(out)

    def row(self, document, name):
        return next(row for row in document["workspaces"] if row["workspace"]["id"] == name)

    def found(self, document, check):
        return [finding for finding in document["findings"] if finding["id"] == check]

    def test_status_versions_and_outcomes(self):
        safe = self.version("")
        for transition in ("start", "stop"):
            made = self.build(BIG, transition, safe)
            self.assertEqual(made["status"], "succeeded", made)
        document = self.document()
        row = self.row(document, BIG)
        self.assertEqual((row["coder"]["status"], row["coder"]["outdated"]), ("stopped", False))
        self.assertEqual(row["nextBuild"]["now"]["row"], "A1", row["nextBuild"])
        self.assertEqual(row["nextBuild"]["afterMove"]["row"], "A2", row["nextBuild"])
        self.assertNotIn("update", row)
        # A version with the new class becomes active: the next stop keeps the home, an update destroys it.
        self.version('storage_class_name = "truenas-csi-nfs"')
        document = self.document()
        row = self.row(document, BIG)
        self.assertTrue(row["coder"]["outdated"])
        self.assertEqual(row["nextBuild"]["now"]["fate"], "kept")
        self.assertEqual((row["update"]["now"]["fate"], row["update"]["now"]["row"]), ("destroyed", "C3"))
        claim = [f for f in self.found(document, "CC2") if f["claim"] == f"coder-{BIG}-home"]
        self.assertEqual(claim[0]["severity"], "alarm", claim)
        code, out, err = self.ask("-o", "wide")
        self.assertEqual(code, 3)
        header = out.splitlines()[0]
        for word in ("CODER", "VERSION", "UPDATE"):
            self.assertIn(word, header)
        self.assertIn("stopped", out)
        self.assertIn("was asked as operator", err)

    def test_a_running_build_is_no_time_to_move(self):
        self.server.tell(f"coder hold {BIG}")
        self.server.tell(f"coder build {BIG} start")
        self.server.until("BUILD")
        document = self.document()
        self.assertEqual(self.row(document, BIG)["verdict"], "running")
        self.assertEqual(len([f for f in self.found(document, "CC4") if BIG in f["claim"]]), 1)
        self.server.tell(f"coder release {BIG}")

    def test_what_the_token_may_not_see_is_unknown(self):
        self.server.tell("coder role member")
        document = self.document()
        self.assertEqual(self.found(document, "CK9"), [])
        self.assertIn("CK9", [check["id"] for check in document["unchecked"]])

    def test_orphans(self):
        self.server.tell(f"coder build {BIG} delete")
        self.server.until("BUILD")
        while True:
            document = self.document()
            if not any(row["workspace"]["id"] == BIG and row["phase"] == "Bound" for row in document["workspaces"]):
                break  # the claim went with its workspace, as Coder deletes it
        code, _, err = self.ask("--namespace=coder-workspaces")
        self.assertEqual(code, 3, err)

    def test_never_the_token(self):
        code, out, err = self.ask("-v=9")
        self.assertEqual(code, 3, err)
        self.assertIn("Coder-Session-Token: <masked>", err)
        self.assertNotIn("Coder-Session-Token", out)
        self.assertIn("/api/v2/workspaces?", err)

    def test_the_cli_s_own_login(self):
        config = os.path.join(self.directory.name, ".config", "coderv2")
        os.makedirs(config)
        pathlib.Path(config, "url").write_text(self.server.coder + "/\n")
        pathlib.Path(config, "session").write_text(TOKEN + "\n")
        code, out, err = self.run_plugin()
        self.assertEqual(code, 3, err)
        self.assertIn("CODER", out.splitlines()[0])
        # That token is for that server only.
        code, out, err = self.run_plugin("--coder-url=http://127.0.0.1:9")
        self.assertEqual((code, out), (10, ""), err)
        self.assertIn("no token", err)
        # A forgotten login to a Coder that is gone keeps nobody from looking.
        pathlib.Path(config, "url").write_text("http://127.0.0.1:9")
        code, out, err = self.run_plugin()
        self.assertEqual(code, 3, err)
        self.assertNotIn("CODER", out.splitlines()[0])
        self.assertIn("not checked: CC2-CC8", err)

    def test_coder_cannot_be_asked(self):
        for words, variables, code, text in (
                (["--coder-url=http://127.0.0.1:9"], {"CODER_SESSION_TOKEN": TOKEN}, 10, "was refused"),
                (["--coder-url", self.server.coder], {"CODER_SESSION_TOKEN": "expired"}, 10, "coder login"),
                (["--coder-url", self.server.api], {"CODER_SESSION_TOKEN": TOKEN}, 10, "not as Coder does"),
                (["--coder-url", self.server.coder], {}, 10, "no token"),
                (["--coder-url="], {}, 2, "empty"),
                (["--coder-url=ftp://x"], {"CODER_SESSION_TOKEN": TOKEN}, 2, "http")):
            with self.subTest(words=words):
                got, out, err = self.run_plugin(*words, **variables)
                self.assertEqual((got, out), (code, ""), err)
                self.assertIn(text, err)

    def test_without_a_coder_all_is_as_it_was(self):
        code, out, err = self.run_plugin()
        self.assertEqual(code, 3)
        self.assertNotIn("CODER", out.splitlines()[0])
        self.assertIn("not checked: CK9", err)
        code, _, err = self.run_plugin(CODER_URL=self.server.coder)
        self.assertEqual(code, 3, err)
        self.assertIn("no token", err)


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Coder)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
