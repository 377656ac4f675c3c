"""A stopped PostgreSQL's data directory, moved: the server must start from the copy and find every row."""
import os
import subprocess

import matrix
import server
import special_trees

BIN = "/usr/lib/postgresql/15/bin"


def as_postgres(*words):
    done = subprocess.run(["setpriv", "--reuid=26", "--regid=26", "--clear-groups", "env", "HOME=/tmp", "LC_ALL=C", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def starts_from_the_copy(checks, name, version, pair, read_all):
    """read_all: every page's checksum first; reading the rows looks at those of the table's own."""
    top = matrix.build(pair[0], "postgres", special_trees.postgres)
    matrix.first_copy(checks, name, top, version, pair)
    server.unmount()
    data = server.mount("target", f"target-{pair[1]}", version) + "/pgdata"
    if read_all:
        status, said = as_postgres(f"{BIN}/pg_checksums", "--check", "--pgdata", data)
        checks.that(f"{name}: checksums of the copy", said.splitlines() if status else [])
    status, said = as_postgres(f"{BIN}/pg_ctl", "start", "--wait", "--timeout=120", "--pgdata", data, "--log=/tmp/postgres.log",
                               "-o", "-c listen_addresses= -c unix_socket_directories=/tmp")
    if checks.that(f"{name}: the server starts from the copy", said.splitlines() + log() if status else []):
        query = "select count(*) || ' ' || md5(string_agg(body, '' order by id)) from files"
        wanted = as_postgres("python3", "-c", "import hashlib; print(20000, hashlib.md5(''.join("
                             "hashlib.md5(str(i).encode()).hexdigest() for i in range(1, 20001)).encode()).hexdigest())")
        checks.equal(f"{name}: every row", as_postgres("psql", "-h", "/tmp", "-U", "postgres", "-Atc", query), wanted)
        status, said = as_postgres(f"{BIN}/pg_ctl", "stop", "--wait", "--mode=fast", "--pgdata", data)
        checks.that(f"{name}: and stops", said.splitlines() if status else [])


def log():
    if not os.path.exists("/tmp/postgres.log"):
        return []
    with open("/tmp/postgres.log", encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()[-10:]


def repository_is_whole(checks, name, target_rule):
    """git's own opinion of the copied repository."""
    place = matrix.place("target", target_rule) + "/project"
    done = server.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "HOME=/tmp",
                      "git", "-C", place, "fsck", "--full", "--strict", check=False)
    checks.that(f"{name}: git fsck", done.stdout.splitlines() if done.returncode else [])
    done = server.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "HOME=/tmp",
                      "git", "-C", place, "status", "--porcelain", check=False)
    checks.equal(f"{name}: git status", done.stdout, "?? notes.txt\n")
