# SPDX-License-Identifier: MIT
"""A terminal of the tests' own, and what is typed into it."""
import fcntl
import os
import pty
import select
import struct
import termios
import time

from leftovers import processes
from place import UID
from promises import Failed


class Terminal:
    """A shell's place: a pty whose session leader runs one command."""

    def __init__(self, rig, *command):
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            if not rig.root:
                os.fchown(0, UID, UID)
                os.setgroups([])
                os.setgid(UID)
                os.setuid(UID)
            os.chdir(rig.cwd)
            os.execve(command[0], [os.fspath(word) for word in command], rig.env)

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                return False
        return bool(ready)

    def expect(self, part, seconds=5):
        """Reads until PART has come; what was read is then forgotten."""
        deadline = time.monotonic() + seconds
        while part not in self.text:
            if time.monotonic() > deadline:
                raise Failed(f"no {part!r} in {self.text!r}; processes {processes()}")
            self.read(0.05)
        seen, self.text = self.text.split(part, 1)
        return seen

    def quiet(self, seconds=0.3):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.02)
        seen, self.text = self.text, ""
        return seen

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, seconds=5):
        """The status; None while it runs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if self.master is not None and not self.read(0.01):
                time.sleep(0.005)
        raise Failed(f"still runs; its text {self.text!r}; processes {processes()}")

    def hang_up(self):
        os.close(self.master)
        self.master = None
