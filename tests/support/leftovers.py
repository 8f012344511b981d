# SPDX-License-Identifier: MIT
"""What a run must not leave behind: processes, mounts, files."""
import os
import signal
import time
from pathlib import Path

from promises import Failed, check, equal


OURS = {1, os.getpid()}  # and what a test's surroundings run


def processes():
    """Every process but the tests' own: {pid: 'state command'}."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in OURS | {os.getpid()}:
            continue
        try:
            text = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        state = text[text.rindex(")") + 2]
        if state != "Z":
            found[int(entry)] = f"{state} {text[text.index('('):text.rindex(')') + 1]}"
    return found


def mounts():
    return Path("/proc/self/mountinfo").read_text().count("\n")


def files():
    """Names of all that lies where a run could leave something."""
    found = set()
    for top in ("/tmp", "/var/tmp", "/run", "/dev/shm"):
        for directory, names, plain in os.walk(top):
            found.update(os.path.join(directory, name) for name in names + plain)
    return found


class Untouched:
    """With it around runs: after a second no process, mount or file is left."""

    def __init__(self, seconds=1.0):
        self.seconds = seconds

    def __enter__(self):
        self.files = files()
        self.mounts = mounts()
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.check()

    def check(self):
        deadline = time.monotonic() + self.seconds
        while processes() and time.monotonic() < deadline:
            time.sleep(0.002)
        left = processes()
        if left:
            clean_up()
            raise Failed(f"processes left after {self.seconds} s: {left}")
        equal(mounts(), self.mounts, "mounts of the host")
        new = files() - self.files
        check(not new, f"files left: {sorted(new)[:5]}")


def clean_up():
    for pid in processes():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + 5
    while processes() and time.monotonic() < deadline:
        time.sleep(0.01)
