#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A run ends as its tool ended."""
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, Untouched, contains, equal, main, test

# Those that stop, continue or are ignored end nothing.
HARMLESS = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD,
            signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
DEADLY = [n for n in range(1, 32) if n not in HARMLESS] + [34, 35, 50, 64]


def unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@test()
def every_exit_code(rig):
    """each exit code from 0 to 255 is the tool's own"""
    for code in range(256):
        equal(rig.probe("exit", str(code)).status, code, "exit status")


@test()
def every_signal(rig):
    """a tool that dies of a signal: the launcher dies of the same one"""
    for number in DEADLY:
        equal(rig.probe("die", str(number)).status, -number, f"signal {number}")


@test()
def no_core_of_ours(rig):
    """a crash leaves no core of the launcher, whatever ulimit -c says"""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern != "core":
        raise Skip(f"kernel.core_pattern is {pattern}: the core lands elsewhere")
    for number in (signal.SIGSEGV, signal.SIGQUIT, signal.SIGABRT):
        with Untouched():
            done = rig.probe("die", str(int(number)), env={"PROBE_NO_CORE": "1"},
                             preexec_fn=unlimited_core)
            equal(done.status, -number)


@test()
def the_tools_core_stays(rig):
    """a crashing tool leaves its own core in the current directory, as without us"""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern != "core":
        raise Skip(f"kernel.core_pattern is {pattern}: the core lands elsewhere")
    done = rig.probe("die", "11", preexec_fn=unlimited_core)
    equal(done.status, -11)
    cores = [p for p in rig.cwd.iterdir() if p.name.startswith("core")]
    equal(len(cores), 1, "cores")
    contains(cores[0].read_bytes(), b"/opt/foo/bin/probe", "core")
    cores[0].unlink()


@test()
def missing_program(rig):
    """a program that the image lacks: 127, named"""
    done = rig.probe(options=["exec=/opt/foo/bin/nothing"])
    equal(done.status, 127)
    contains(done.errors, "/opt/foo/bin/nothing")
    equal(len(done.errors.splitlines()), 1, "lines")


@test()
def cannot_be_executed(rig):
    """a file without x bit, a directory, a script without #!, no interpreter: 126, named"""
    bad = rig.cwd / "bad"
    bad.mkdir()
    cases = {"plain": (b"text", 0o644, "Permission denied"),
             "no-format": (b"\x00\x01\x02 nothing", 0o755, "no program for this machine"),
             "interpreter": (b"#!/no/such/perl\n", 0o755, "interpreter")}
    for name, (content, mode, _) in cases.items():
        (bad / name).write_bytes(content)
        (bad / name).chmod(mode)
    for name, (_, _, reason) in cases.items():
        done = rig.probe(options=[f"exec={bad / name}"])
        equal(done.status, 126, name)
        contains(done.errors, reason)
        contains(done.errors, name)
    equal(rig.probe(options=["exec=/opt"]).status, 126, "directory")


@test()
def sigkill_of_the_tool(rig):
    """kill -9 of the tool alone is mirrored too, not reported as a failure of ours"""
    done = rig.shell("kill -9 $$")
    equal(done.status, -9)
    equal(done.err, b"")


@test(by="root")
def as_pid_1(rig):
    """as PID 1 of a container, which no signal kills, the launcher exits 128+n"""
    done = rig.run("unshare", "--pid", "--fork", "--mount-proc", rig.image, "die", "15")
    equal(done.status, 128 + 15)


if __name__ == "__main__":
    main()
