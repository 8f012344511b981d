# SPDX-License-Identifier: MIT
"""Shared image servers: where their sockets are, and which processes they are."""
import ctypes
import os
import time
from pathlib import Path

from leftovers import processes
from promises import check

PR_SET_NAME = 15


def pretend_init():
    """PID 1 of the tests reaps; only a known name makes a run believe it."""
    if os.getpid() == 1:
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"init")


def runtime(rig):
    """A runtime directory for the caller, as a session gives one."""
    directory = rig.top / "runtime"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o700)
    os.chown(directory, rig.uid, rig.uid)
    return directory


def rendezvous(rig):
    return runtime(rig) / "rootlet"


def sockets(rig):
    place = rendezvous(rig)
    # Beside them lies what unpacked images are known again by.
    return sorted(path for path in place.iterdir() if path.is_socket()) if place.exists() else []


def of_name(name):
    return sorted(pid for pid, text in processes().items() if text.endswith(f"({name})"))


def keepers():
    return of_name("rootlet-keeper")


def readers():
    return of_name("rootlet-reader")


def server():
    """The one keeper and the one reader that live."""
    found = keepers(), readers()
    check([len(pids) for pids in found] == [1, 1], f"wanted one server: {processes()}")
    return found[0][0], found[1][0]


def wait_until(what, seconds, message):
    deadline = time.monotonic() + seconds
    while not what():
        check(time.monotonic() < deadline, f"{message} after {seconds} s: {processes()}")
        time.sleep(0.01)


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def descriptors(pid):
    """What a process holds: {number: what it is}."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            pass
    return found


def bytes_read(pid):
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    return 0
