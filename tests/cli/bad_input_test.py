#!/usr/bin/env python3
"""The bad-input table: what the real binary answers, and with which exit code, when what it is given is wrong.

Every case also asserts that the server, where there is one, saw no write. Usage: bad_input_test.py PLUGIN
"""
import http.server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

PLUGIN = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build/kubectl-truenas_migrate"


def run(*words, env=None, stdin=subprocess.DEVNULL):
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(env or {})}
    done = subprocess.run([PLUGIN, *words], capture_output=True, text=True, timeout=60, env=clean, stdin=stdin)
    return done.returncode, done.stdout, done.stderr


class Server:
    """An HTTP(S) server on loopback that answers as `answer(method, path)` says and remembers what it was asked."""

    def __init__(self, answer, certificate=None, key=None):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append((self.command, self.path))
                status, body = answer(self.command, self.path)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if data[:1] == b"<" else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = reply

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.url = f"{self.scheme}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def writes(self):
        return [s for s in self.seen if s[0] not in ("GET",) and "accessreviews" not in s[1]]


def status(code, reason, message):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message,
                  "code": code}


class BadInput(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def kubeconfig(self, server, **cluster):
        path = self.path("kubeconfig")
        with open(path, "w") as file:
            json.dump({"clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
                       "users": [{"name": "u", "user": {"token": "not-for-any-eye"}}],
                       "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                       "current-context": "x"}, file)
        return path

    def refused(self, words, code, *texts, env=None):
        got, out, err = run(*words, env=env)
        self.assertEqual(got, code, f"{words}: exit {got}, not {code}\n{err}")
        self.assertEqual(out, "", "nothing on stdout when it failed")
        self.assertTrue(err.startswith("error: ") or "\nerror: " in err, err)
        for text in texts:
            self.assertIn(text, err)
        self.assertNotIn("not-for-any-eye", err)

    # --- the command line ------------------------------------------------------------------------------------------
    def test_unknown_command_suggests(self):
        self.refused(["postgress"], 2, 'unknown command "postgress"', "did you mean postgres?")

    def test_unknown_flag_suggests(self):
        self.refused(["verify", "--form-class=x"], 2, "unknown flag: --form-class", "did you mean --from-class?")

    def test_flag_without_value(self):
        self.refused(["verify", "--from-class"], 2, "from-class")

    def test_flag_before_command(self):
        self.refused(["-n", "coder", "verify"], 2, "stands before the command")

    def test_bad_output_format(self):
        self.refused(["verify", "-o", "jsn"], 2, "unable to match a printer", "jsn")

    def test_bad_dry_run(self):
        self.refused(["postgres", "--dry-run=sometimes"], 2, "Invalid dry-run value")

    def test_bad_timeout(self):
        self.refused(["postgres", "--timeout=soon"], 2, "duration")

    def test_bad_strategy(self):
        self.refused(["postgres", "--strategy=roling"], 2, "roling", "rolling")

    def test_all_goes_with_a_way_back_or_an_end_only(self):
        for words in (["--all"], ["--all", "--strategy=copy"], ["--all", "--finalize", "home"],
                      ["--all", "--rollback", "-l", "a=b"]):
            self.refused(["workspaces", *words], 2, "--all goes with --rollback or --finalize")

    def test_too_many_arguments(self):
        self.refused(["postgres", "a", "b"], 2, "one cluster")

    def test_storageclass_flags_that_exclude_each_other(self):
        for words, text in ((["--apply", "--rollback"], "exclude each other"),
                            (["--as-name=x"], "--apply is missing"),
                            (["--rollback", "--set=pool=x"], "it takes no --from-file and no --set"),
                            (["truenas-csi-nfs"], "name it with --class"),
                            (["--probe", "--apply"], "--probe goes with neither"),
                            (["-o", "name"], "allowed formats are: json,wide,yaml"),
                            (["--probe", "--mover-limits=memory=much"], "--mover-limits wants cpu, memory"),
                            (["--class=UPPER"], "is no name for a StorageClass"),
                            (["--apply", "--as-name=a/b"], "is no name for a StorageClass"),
                            (["--set=nfs.mapalluser="], "did you mean nfs.mapAllUser?"),
                            (["--set=pool"], "--set wants KEY=VALUE"),
                            (["--from-file", self.path("none.yaml")], "none.yaml"),
                            (["--from-file", self.directory.name], "cannot read")):
            with self.subTest(words=words):
                self.refused(["storageclass", *words], 2, text)

    def test_storageclass_files_that_are_none(self):
        for text, said in (("", "there is no document in it"), ("kind: Pod", "it is a Pod"), ("[" * 500, "YAML"),
                           ("kind: StorageClass\napiVersion: storage.k8s.io/v1\nmetadata: {name: a}\nprovisioner: p\n"
                            "parameters: {nfs.datasetPermissionsMode: 0777}", "must be a string"),
                           ("a: &a [x]\nb: *a\nkind: StorageClass", "apiVersion")):
            with self.subTest(text=text[:20]):
                path = self.path("class.yaml")
                with open(path, "w") as file:
                    file.write(text)
                self.refused(["storageclass", "--from-file", path], 1, "class.yaml", said)

    def test_storageclass_file_about_another_class(self):
        path = self.path("class.yaml")
        with open(path, "w") as file:
            file.write("kind: StorageClass\napiVersion: storage.k8s.io/v1\nmetadata: {name: a}\nprovisioner: p\n")
        self.refused(["storageclass", "--class=b", "--from-file", path], 2, '--class is "b"', 'is about "a"')

    def test_storageclass_lists_that_are_forbidden_are_errors(self):
        def answer(method, path):
            if path.split("?")[0].endswith("/persistentvolumes"):
                return status(403, "Forbidden", 'persistentvolumes is forbidden: User "u" cannot list')
            if path.split("?")[0].endswith("/persistentvolumeclaims"):
                return 200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}
            name = path.split("?")[0].rsplit("/", 1)[1]
            if "configmaps" in path:
                code, body = status(404, "NotFound", f'configmaps "{name}" not found')
                return code, {**body, "details": {"name": name, "kind": "configmaps"}}
            return 200, {"kind": "X", "apiVersion": "v1", "metadata": {"name": name, "uid": "u"}, "provisioner": "p"}

        with Server(answer) as server:
            self.refused(["storageclass", "--apply", "-y", "--kubeconfig", self.kubeconfig(server.url)], 10,
                         "forbidden")
            self.assertEqual(server.writes(), [])

    def test_escape_codes_do_not_reach_the_terminal(self):
        code, _, err = run("ver\x1b[31mify")
        self.assertEqual(code, 2)
        self.assertNotIn("\x1b", err)

    def test_help_of_every_command(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for command in ("storageclass", "postgres", "workspaces", "verify", "version"):
            self.assertIn(command, out)
            code, text, err = run(command, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertIn(f"kubectl truenas-migrate {command}", text)

    # --- the kubeconfig --------------------------------------------------------------------------------------------
    def test_kubeconfig_missing(self):
        self.refused(["verify", "--kubeconfig", self.path("none")], 10, "none", "no such file")

    def test_no_kubeconfig_at_all(self):
        self.refused(["verify"], 10, "onfiguration")

    def test_kubeconfig_is_garbage(self):
        with open(self.path("kubeconfig"), "wb") as file:
            file.write(b"\x00\xff{{{[")
        self.refused(["verify", "--kubeconfig", self.path("kubeconfig")], 10, "kubeconfig")

    def test_kubeconfig_is_a_directory(self):
        self.refused(["verify", "--kubeconfig", self.directory.name], 10, self.directory.name)

    def test_context_does_not_exist(self):
        self.refused(["verify", "--kubeconfig", self.kubeconfig("http://127.0.0.1:1"), "--context=prd"], 10,
                     'context "prd" does not exist')

    # --- the server ------------------------------------------------------------------------------------------------
    def test_connection_refused(self):
        self.refused(["verify", "--kubeconfig", self.kubeconfig("http://127.0.0.1:1")], 10, "127.0.0.1:1",
                     "was refused")

    def certificate(self, end="20991231000000Z", name="127.0.0.1"):
        """A self-signed certificate and its key; `openssl ca`, because only it takes an end in the past."""
        certificate, key, request = self.path("c.pem"), self.path("k.pem"), self.path("r.pem")
        for file, text in (("index.txt", ""), ("extensions", f"subjectAltName=IP:{name}\n"),
                           ("ca.cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n"
                                      "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")):
            with open(self.path(file), "w") as out:
                out.write(text)
        for command in (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                         key, "-out", request, "-subj", "/CN=test"],
                        ["ca", "-batch", "-config", "ca.cnf", "-selfsign", "-keyfile", key, "-in", request, "-out",
                         certificate, "-startdate", "20200101000000Z", "-enddate", end, "-extfile", "extensions",
                         "-notext"]):
            subprocess.run(["openssl", *command], check=True, capture_output=True, cwd=self.directory.name)
        return certificate, key

    def test_certificate_of_unknown_authority(self):
        with Server(lambda *_: (200, {}), *self.certificate()) as server:
            self.refused(["verify", "--kubeconfig", self.kubeconfig(server.url)], 10, "certificate")
            self.assertEqual(server.seen, [])

    def test_certificate_expired(self):
        certificate, key = self.certificate("20210101000000Z")
        with Server(lambda *_: (200, {}), certificate, key) as server:
            config = self.kubeconfig(server.url, **{"certificate-authority": certificate})
            self.refused(["verify", "--kubeconfig", config], 10, "expired")
            self.assertEqual(server.seen, [])

    def test_certificate_for_another_host(self):
        certificate, key = self.certificate(name="127.0.0.9")
        with Server(lambda *_: (200, {}), certificate, key) as server:
            config = self.kubeconfig(server.url, **{"certificate-authority": certificate})
            self.refused(["verify", "--kubeconfig", config], 10, "certificate")
            self.assertEqual(server.seen, [])

    def test_not_authenticated(self):
        with Server(lambda *_: status(401, "Unauthorized", "Unauthorized")) as server:
            self.refused(["verify", "--kubeconfig", self.kubeconfig(server.url)], 10, "must be logged in")

    def test_html_from_a_proxy(self):
        with Server(lambda *_: (502, b"<html>Bad Gateway</html>")) as server:
            self.refused(["verify", "--kubeconfig", self.kubeconfig(server.url)], 10, "Bad Gateway")

    def test_forbidden_list_is_an_error_and_not_an_empty_table(self):
        def answer(method, path):
            if "persistentvolumeclaims" in path and "/secret-ns/" in path:
                return status(403, "Forbidden", 'persistentvolumeclaims is forbidden: User "u" cannot list')
            if path.split("?")[0].endswith(("persistentvolumeclaims", "persistentvolumes", "clusters")):
                return 200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}
            name = path.split("?")[0].rsplit("/", 1)[1]
            return 200, {"kind": "X", "apiVersion": "v1", "metadata": {"name": name, "uid": "u"}, "provisioner": "p"}

        with Server(answer) as server:
            self.refused(["verify", "-n", "coder", "-n", "secret-ns", "--kubeconfig", self.kubeconfig(server.url)],
                         10, "forbidden")
            self.assertEqual(server.writes(), [])

    def test_replies_that_are_not_kubernetes(self):
        for body in (b"", b"null", b"[]", b"{", b'{"items":7}', b'{"items":[7]}', b"\xff\xfe", b"0" * 100000,
                     b'{"kind":"Status","status":"Failure"}', b"[" * 5000):
            with self.subTest(body=body[:20]), Server(lambda *_: (200, body)) as server:
                code, out, err = run("verify", "-n", "coder", "--kubeconfig", self.kubeconfig(server.url))
                self.assertIn(code, (1, 4, 10), err)
                self.assertTrue(err.startswith("error: "), err)
                self.assertEqual(server.writes(), [])

    def test_postgres_without_terminal_or_consent_writes_nothing(self):
        with Server(lambda *_: status(404, "NotFound", "not found")) as server:
            code, _, err = run("postgres", "-n", "coder", "--kubeconfig", self.kubeconfig(server.url))
            self.assertNotEqual(code, 0, err)
            self.assertEqual(server.writes(), [])


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(BadInput)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
