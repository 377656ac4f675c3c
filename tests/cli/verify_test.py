#!/usr/bin/env python3
"""`verify` as the real binary on a fake cluster: a volume that would destroy another one's dataset is an alarm in every
format, and none once it is Retain. Usage: verify_test.py FAKE_API_SERVER PLUGIN
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from server import Server  # noqa: E402

SERVER, PLUGIN = sys.argv[1:3]
VOLUMES = "/api/v1/persistentvolumes"


class Verify(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.server = Server(SERVER, self.directory.name)
        self.url = re.search(r"http://[0-9.:]+", pathlib.Path(self.server.kubeconfig).read_text()).group(0)

    def tearDown(self):
        self.server.end()
        self.directory.cleanup()

    def ask(self, method, path, body=None, content="application/json"):
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": content},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def verify(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": self.server.kubeconfig}
        done = subprocess.run([PLUGIN, "verify", *words], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, 3, done.stderr)  # nothing is moved here
        return done.stdout, done.stderr

    def home(self):
        for volume in self.ask("GET", VOLUMES)["items"]:
            if volume["spec"]["claimRef"]["namespace"] == "coder-workspaces":
                return volume
        self.fail("the site has no home")

    def adopt(self, home, policy, name="adopted"):
        share = home["spec"]["csi"]["volumeAttributes"]["share"]
        return self.ask("POST", VOLUMES, {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"],
                     "persistentVolumeReclaimPolicy": policy, "storageClassName": "truenas-csi-nfs",
                     "csi": {"driver": "csi.truenas.io", "volumeHandle": share.removeprefix("/mnt/"),
                             "volumeAttributes": {"protocol": "nfs", "nfsServer": "127.0.0.1", "nfsPath": share}}}})

    def test_a_second_volume_that_would_destroy_a_home(self):
        home = self.home()
        out, err = self.verify()
        self.assertNotIn("ALARM", out + err)
        self.adopt(home, "Delete")
        out, err = self.verify()
        claim = home["spec"]["claimRef"]["name"]
        self.assertIn(f"ALARM: deleting it destroys data in use: persistentvolume {home['metadata']['name']} "
                      f"(Bound, coder-workspaces/{claim}) is on the same dataset", out)
        self.assertIn("1 ALARM", err)
        document = json.loads(self.verify("-o", "json")[0])
        self.assertEqual(document["summary"]["alarms"], 1)
        self.assertEqual([(shared["name"], shared["otherVolume"]) for shared in document["sharedDatasets"]],
                         [("adopted", home["metadata"]["name"])])
        self.assertIn("persistentvolume/adopted\n", self.verify("-o", "name")[0])
        # Other namespaces' volumes are seen too; their alarms are not this namespace's.
        self.assertNotIn("ALARM", self.verify("-n", "coder")[0])

        self.ask("PATCH", VOLUMES + "/adopted", {"spec": {"persistentVolumeReclaimPolicy": "Retain"}},
                 "application/merge-patch+json")
        out, err = self.verify()
        self.assertNotIn("ALARM", out + err)
        self.assertEqual(json.loads(self.verify("-o", "json")[0])["sharedDatasets"], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
