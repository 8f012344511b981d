# SPDX-License-Identifier: MIT
"""Control groups (version 1) of a test's own around what it starts."""
import os
import signal
import time
from pathlib import Path

from place import UID
from promises import Skip

V1 = Path("/sys/fs/cgroup")
MIB = 1 << 20


class Outer:
    """Control groups of the test's own around what it starts: whatever goes
    wrong inside, the machine stays usable. With `given` they are the user's,
    as an administrator delegates them."""

    def __init__(self, rig, controllers=("memory", "pids"), given=False):
        self.rig = rig
        self.groups = []
        for controller in controllers:
            own = next((line.split(":", 2)[2] for line in
                        Path("/proc/self/cgroup").read_text().splitlines()
                        if line.split(":")[1] == controller), None)
            if own is None or not (V1 / controller / own.strip("/") / "tasks").exists():
                raise Skip(f"no {controller} controller of version 1 here")
            self.groups.append(V1 / controller / own.strip("/") / f"test-{os.getpid()}-{id(self)}")
        self.given = given

    def __enter__(self):
        for group in self.groups:
            group.mkdir()
            if "/memory/" in str(group):
                (group / "memory.limit_in_bytes").write_text(str(512 * MIB))
            if "/pids/" in str(group):
                (group / "pids.max").write_text("400")
            if self.given and not self.rig.root:
                for path in (group, group / "cgroup.procs", group / "tasks"):
                    os.chown(path, UID, UID)
        return self

    @property
    def host(self):
        return "\n".join(f"echo 0 > {group}/cgroup.procs" for group in self.groups)

    def left(self):
        return [str(child) for group in self.groups for child in group.iterdir() if child.is_dir()]

    def __exit__(self, kind, value, trace):
        for group in self.groups:
            for child in [c for c in group.iterdir() if c.is_dir()] + [group]:
                for _ in range(200):
                    try:
                        for pid in (child / "cgroup.procs").read_text().split():
                            os.kill(int(pid), signal.SIGKILL)
                        child.rmdir()
                        break
                    except FileNotFoundError:  # the launcher was faster
                        break
                    except OSError:
                        time.sleep(0.01)
