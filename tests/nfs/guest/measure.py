"""Figures of one run of a program over NFS: seconds and CPU seconds by the VM's clock, RPCs by operation and mount."""
import time

import server


def cpu_seconds():
    """What the whole machine did not sleep: client, server and program are all in it. (Busy time is only sampled.)"""
    with open("/proc/uptime", encoding="ascii") as file:
        up, idle = [float(word) for word in file.read().split()]
    return up - idle


def operations():
    """Mount point to operation to how often it was asked for."""
    counts, place = {}, None
    with open("/proc/self/mountstats", encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if line.startswith("device "):
                place = words[4]
            elif place in server.MOUNTS.values() and len(words) > 8 and words[0].endswith(":") and words[0][:-1].isupper():
                if words[0] != "NULL:" and words[1].isdigit():
                    counts.setdefault(place, {})[words[0][:-1]] = int(words[1])
    return counts


class Figures:
    def __init__(self, seconds, cpu, rpcs, done):
        self.seconds = seconds
        self.cpu = cpu
        self.rpcs = rpcs  # side to operation to count
        self.done = done

    def total(self, side):
        return sum(self.rpcs[side].values())

    def by_operation(self, side, files):
        """Operations that matter, a file: LOOKUP 1.0, …"""
        items = sorted(self.rpcs[side].items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {count / files:.2f}" for name, count in items if count / files >= 0.01)


def run(program, *arguments):
    """Runs it and says what it took. A program that fails is an error: its figures would mean nothing."""
    before, cpu, began = operations(), cpu_seconds(), time.monotonic()
    done = program(*arguments)
    seconds, cpu = time.monotonic() - began, cpu_seconds() - cpu
    after = operations()
    rpcs = {side: {name: count - before.get(place, {}).get(name, 0) for name, count in after.get(place, {}).items()
                   if count != before.get(place, {}).get(name, 0)} for side, place in server.MOUNTS.items()}
    if done.status != 0:
        raise RuntimeError(f"{program.__name__} {arguments}: " + "; ".join(done.tail()))
    return Figures(seconds, cpu, rpcs, done)
