"""What copies: the mover, and what people use today."""
import json
import os
import signal
import subprocess

MOVER = "/input/volume-mover"
FAILED, DIFFERENT, REFUSED = 1, 3, 4

# What the probe's verdict makes of a target, and of a source that squashes root.
WAYS = {
    "nrs": ["--owners=chown"],
    "rs": ["--owners=as-owner"],
    "all0": ["--owners=chown"],
    "all1000": ["--owners=single-owner", "--single-owner=1000:1000"],
    "small": ["--owners=chown"],
}
READING = {"nrs": [], "rs": ["--source-as-owner"]}
MOUNTED = [f"--expect-{side}-{what}" for side in ("source", "target") for what in ("mount", "type=nfs")]


class Done:
    """How a program ended: its exit status, its lines as JSON where they are, and what it said on standard error."""

    def __init__(self, status, output, errors):
        self.status = status
        self.output = output
        self.errors = errors
        self.lines = []
        for line in output.splitlines():
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"type": "not JSON", "text": line})

    def of_type(self, kind):
        return [line for line in self.lines if line.get("type") == kind]

    @property
    def result(self):
        results = self.of_type("result")
        return results[-1] if results else {}

    @property
    def findings(self):
        return self.of_type("finding")

    def names(self, *texts):
        """Which of the texts the program did not say anywhere."""
        said = self.output + self.errors
        return [f"not named: {text}" for text in texts if text not in said]

    def tail(self):
        """The end of what it said, without its progress."""
        said = [line[:300] for line in self.output.splitlines() if not line.startswith('{"type":"progress"')]
        return [f"exit {self.status}"] + self.errors.splitlines()[-4:] + said[-9:]


def run(*words, limit=3600):
    """The limit only ends what hangs: on a busy machine 20,000 files took more than ten minutes."""
    done = subprocess.run(words, capture_output=True, timeout=limit, check=False)
    return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def probe(target, *flags):
    return run(MOVER, "probe", "--expect-target-mount", "--expect-target-type=nfs", *flags, target)


def scan(pair, source, *flags):
    """pair: the rules of source and target."""
    return run(MOVER, "scan", *MOUNTED[:2], *READING[pair[0]], *WAYS[pair[1]], *flags, source)


def copy_command(pair, source, target, *flags):
    return ["copy", *MOUNTED, *READING[pair[0]], *WAYS[pair[1]], *flags, source, target]


def copy(pair, source, target, *flags):
    return run(MOVER, *copy_command(pair, source, target, *flags))


def compare(pair, source, target, *flags):
    return run(MOVER, "compare", *MOUNTED, *READING[pair[0]], *WAYS[pair[1]], *flags, source, target)


class Running:
    """A mover that runs on while the test does something to it."""

    def __init__(self, *words):
        self.process = subprocess.Popen([MOVER, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def ended(self):
        return self.process.poll() is not None

    def wait(self, limit=600):
        output, errors = self.process.communicate(timeout=limit)
        return Done(self.process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


def rsync(source, target, *flags):
    return run("rsync", "-aHAX", "--numeric-ids", *flags, f"{source}/", f"{target}/")


def cp(source, target, *flags):
    return run("cp", "-a", *flags, f"{source}/.", f"{target}/")


def tar(source, target):
    return run("bash", "-o", "pipefail", "-c", f"tar -C {source} -cf - . | tar -C {target} --same-owner -xpf -")


def count_below(place):
    """How many entries there are below a directory, on the server's side."""
    return sum(len(folders) + len(files) for _, folders, files in os.walk(place))
