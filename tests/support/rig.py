# SPDX-License-Identifier: MIT
"""Runs system tests: real packed files, as a plain user and as root.

A test is a function with a docstring, the promise to the user:

    @test()
    def exit_status(rig):
        \"\"\"the launcher ends with the tool's own exit status\"\"\"
        equal(rig.run(rig.image, "exit", "7").status, 7)

All runs in namespaces of its own (mounts, processes), with a private /tmp,
/run and /dev/shm, so that whatever is left behind there is ours, and with a
/dev/fuse for everyone, so that the host's stays as it is.
"""
import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from leftovers import Untouched, clean_up, processes
from place import MS_BIND, UID, WORK, make_place, mount
from promises import Failed, Skip, check, contains, equal

__all__ = ["Failed", "MASKED", "MS_BIND", "Skip", "UID", "Untouched", "WORK", "check", "contains", "equal",
           "main", "mount", "processes", "test", "times"]

SKIP_ALL = 77
# Makes a /proc that is partly covered, as Docker's is.
MASKED = "mount -t tmpfs x /proc/acpi 2>/dev/null || mount --bind /dev/null /proc/uptime"
LONGEST = 100  # seconds that a test may take; beyond, something hangs
DOCKER_CAPABILITIES = ("+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,"
                       "+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap")


_tests = []


def test(by="both", scaled=None):
    """Marks a test; by: both, user, root. scaled: its full count, for the report."""
    def mark(function):
        _tests.append((function, by, scaled))
        return function
    return mark


def scale():
    return float(os.environ.get("ROOTLET_TEST_SCALE", "1"))


def times(full, at_least=1):
    """How often to do what the promise says to do `full` times."""
    return max(at_least, round(full * scale()))


class Done:
    """How a process ended, and what it wrote."""

    def __init__(self, returncode, out, err):
        self.code = returncode  # -N: died of signal N
        self.out = out
        self.err = err

    @property
    def status(self):
        return self.code

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def errors(self):
        return self.err.decode(errors="replace")

    def __repr__(self):
        return f"status {self.code}, stdout {self.out[:300]!r}, stderr {self.err[:600]!r}"

    def failed_by_us(self, *parts):
        """125, nothing on stdout, one line (and at most one hint) on stderr."""
        check(self.code == 125, f"wanted our 125: {self}")
        check(self.out == b"", f"partial output: {self}")
        lines = self.errors.splitlines()
        named = lines and lines[0].startswith("rootlet: ")
        hint = len(lines) < 2 or lines[1].startswith("hint: ")
        check(named and hint and len(lines) <= 2, f"wanted one line and at most a hint: {self}")
        for part in parts:
            contains(self.errors, part, "stderr")
        return self


class Rig:
    """Where the tests of one identity happen."""

    def __init__(self, identity):
        self.identity = identity
        self.root = identity == "root"
        self.uid = 0 if self.root else UID
        self.top = WORK / identity
        self.home = self.top / "home"
        self.cwd = self.home / "project"
        self.tools = WORK / "tools"
        self.rootlet = self.tools / "rootlet"
        self.stub = self.tools / "rootlet-stub"
        self.host_maker = self.tools / "host"
        self.image = self.top / "probe.AppImage"
        for directory in (self.top, self.home, self.cwd):
            directory.mkdir(parents=True)
            os.chown(directory, self.uid, self.uid)
        self.image.write_bytes((WORK / "probe.AppImage").read_bytes())
        self.image.chmod(0o755)
        os.chown(self.image, self.uid, self.uid)
        self.env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TERM": "dumb",
                    "XDG_RUNTIME_DIR": str(self.top / "runtime"), "LANG": "C.UTF-8"}

    def become(self):
        """Keywords for subprocess: as this identity."""
        if self.root:
            return {}
        return {"user": UID, "group": UID, "extra_groups": []}

    def start(self, *command, env=None, cwd=None, host=None, **keywords):
        """Starts a command as this identity. host: shell commands, done as
        root in a mount namespace of its own, that make the host poor first."""
        variables = dict(self.env, **(env or {}))
        variables = {k: v for k, v in variables.items() if v is not None}
        keywords.setdefault("stdin", subprocess.DEVNULL)
        keywords.setdefault("stdout", subprocess.PIPE)
        keywords.setdefault("stderr", subprocess.PIPE)
        command = [os.fspath(word) for word in command]
        if host is None:
            keywords = dict(self.become(), **keywords)
        else:
            drop = [] if self.root else ["setpriv", f"--reuid={UID}", f"--regid={UID}",
                                         "--clear-groups", "--"]
            command = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                       f"set -e\n{host}\nexec \"$@\"", "sh", *drop, *command]
        return subprocess.Popen(command, env=variables, cwd=cwd or self.cwd, **keywords)

    def run(self, *command, input=None, timeout=30, **keywords):
        if input is not None:
            keywords["stdin"] = subprocess.PIPE
        process = self.start(*command, **keywords)
        try:
            out, err = process.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            shown = processes()
            process.kill()
            process.wait()
            clean_up()
            raise Failed(f"hangs for {timeout} s: {command}; processes: {shown}") from None
        return Done(process.returncode, out or b"", err or b"")

    def start_limited(self, maximum, *command):
        """Runs COMMAND where user.max_user_namespaces is MAXIMUM."""
        return self.as_root(self.host_maker, "userns", maximum, self.uid, *command)

    def in_docker(self, *command):
        """Runs COMMAND under a seccomp filter, and as root with the few
        capabilities, that Docker gives."""
        drop = ["setpriv", "--bounding-set", "-all," + DOCKER_CAPABILITIES, "--inh-caps", "-all",
                "--"] if self.root else []
        return self.as_root(*drop, self.host_maker, "docker", self.uid, *command)

    def as_root(self, *command):
        words = [os.fspath(w) if not isinstance(w, int) else str(w) for w in command]
        made = subprocess.run(words, env=self.env, cwd=self.cwd, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=30)
        return Done(made.returncode, made.stdout, made.stderr)

    def probe(self, *words, options=(), **keywords):
        """Runs the probe in its image; options: without --rootlet-."""
        return self.run(self.image, *("--rootlet-" + o for o in options), *words, **keywords)

    def shell(self, script, options=(), **keywords):
        """Runs a line of shell inside."""
        return self.probe("-c", script, options=("exec=/bin/sh", *options), **keywords)

    def copy(self, name, content=None):
        """A new image file of this name; the usual content if none is given."""
        path = self.top / name
        path.unlink(missing_ok=True)
        path.write_bytes(self.image.read_bytes() if content is None else content)
        path.chmod(0o755)
        os.chown(path, self.uid, self.uid)
        return path

    def build(self, tree, name, *options):
        """An image of a tree, made by rootlet build."""
        made = subprocess.run([self.rootlet, "build", tree, "-q", "--force", "-o",
                               self.top / name, *options], capture_output=True)
        check(made.returncode == 0, f"rootlet build: {made.stderr!r}")
        os.chown(self.top / name, self.uid, self.uid)
        return self.top / name


def give_up(*_):
    raise Failed(f"hangs; processes: {processes()}")


def run_one(function, rig):
    started = time.monotonic()
    word, why = "ok", ""
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(LONGEST * max(1, scale())))
    try:
        function(rig)
    except Skip as reason:
        word, why = "skipped", f": {reason}"
    except Failed as reason:
        word, why = "FAILED", f"\n    {reason}"
    except Exception:  # a test that breaks is a test that fails
        word, why = "FAILED", "\n    " + traceback.format_exc().replace("\n", "\n    ")
    finally:
        signal.alarm(0)
    promise = (function.__doc__ or function.__name__).strip().split("\n")[0]
    took = time.monotonic() - started
    print(f"{word:7} {rig.identity}: {function.__name__}: {promise} ({took:.1f} s){why}", flush=True)
    clean_up()
    return word


def run_tests(names, identities):
    words = []
    for identity in identities:
        rig = Rig(identity)
        for function, by, scaled in _tests:
            if by not in ("both", identity) or (names and function.__name__ not in names):
                continue
            if scaled and scale() != 1:
                print(f"        scaled: {times(scaled)} instead of {scaled} times")
            words.append(run_one(function, rig))
    print(f"{words.count('ok')} ok, {words.count('FAILED')} failed, "
          f"{words.count('skipped')} skipped")
    if "FAILED" in words:
        return 1
    return 0 if "ok" in words else SKIP_ALL


def skip_all(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP_ALL)


def main():
    parser = argparse.ArgumentParser(description="Without names, all tests of the file.")
    parser.add_argument("--build", type=Path, required=True, help="the build directory")
    parser.add_argument("--as", dest="identity", choices=["user", "root"], help="as one of them")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    if os.geteuid() != 0:
        skip_all("needs root, to make a plain user and a host of its own (CI runs as root)")
    if os.environ.get("ROOTLET_TESTS_INSIDE") != str(os.getppid()):
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "--propagation", "private"]
        if subprocess.run([*enter, "true"], capture_output=True).returncode != 0:
            skip_all("this machine gives no namespaces to root (unshare --mount --pid)")
        # Inside, the parent is out of sight: its pid is 0.
        os.environ["ROOTLET_TESTS_INSIDE"] = "0"
        os.execvp("unshare", [*enter, sys.executable, *sys.argv])
    sys.exit(reap_for(lambda: inside(given)))


def inside(given):
    os.environ.pop("ROOTLET_TESTS_INSIDE", None)
    try:
        make_place(given.build.resolve())
    except Skip as reason:
        skip_all(reason)
    identities = [given.identity] if given.identity else ["user", "root"]
    return run_tests(given.names, identities)


def reap_for(work):
    """A PID 1 that reaps; the work is done in its child."""
    worker = os.fork()
    if worker == 0:
        os.setsid()
        code = 70
        try:
            code = work()
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code or 0)
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == worker:
            return os.waitstatus_to_exitcode(status) & 0xff
