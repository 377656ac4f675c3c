"""Counts what worked and says it, a line each; a failure with its reasons below it."""
import json
import time
import traceback


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.began = time.monotonic()

    def say(self, verdict, name, details=()):
        print(f"{verdict:5}{name}  ({time.monotonic() - self.began:.0f} s)", flush=True)
        for line in list(details)[:15]:
            print(f"       {line}", flush=True)
        if len(details) > 15:
            print(f"       and {len(details) - 15} more", flush=True)

    def that(self, name, faults):
        """The check `name` holds if there are no faults: a list of lines, or False for none."""
        if faults:
            self.failed += 1
            self.say("FAIL", name, faults if isinstance(faults, list) else [str(faults)])
        else:
            self.passed += 1
            self.say("ok", name)
        return not faults

    def equal(self, name, got, wanted):
        return self.that(name, [] if got == wanted else [f"got    {got!r}", f"wanted {wanted!r}"])

    def skip(self, name, reason):
        self.skipped += 1
        self.say("skip", name)
        print(f"SKIPPED: {name}: {reason}", flush=True)

    def cell(self, name, function, *arguments):
        """Runs one cell; whatever breaks in it is a failure of the cell, not the end of the run."""
        try:
            function(self, name, *arguments)
        except Exception:  # pylint: disable=broad-except
            self.that(name, traceback.format_exc().splitlines())

    def write(self, path):
        with open(path, "w", encoding="ascii") as file:
            json.dump([self.passed, self.failed, self.skipped], file)
