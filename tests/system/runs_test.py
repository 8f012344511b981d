#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs that go on: ps, kill, stats, and exec and shell inside of one."""
import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from outer import Outer
from rig import UID, Untouched, check, contains, equal, main, processes, test
from servers import wait_until


# What is left behind in the run must not hold our pipe.
FORKS = "/opt/foo/bin/probe forks 50 > /tmp/forks 2>&1 < /dev/null; cat /tmp/forks"


@contextmanager
def running(rig, *options, script="echo ready; while :; do sleep 1; done", env=None):
    """A run that goes on; its launcher. Ends it afterwards."""
    process = rig.start(rig.image, *("--rootlet-" + o for o in options), "--rootlet-exec=/bin/sh",
                        "-c", script, env=env)
    try:
        equal(process.stdout.readline(), b"ready\n")
        yield process
    finally:
        process.kill()
        process.wait()


def listed(rig, **keywords):
    done = rig.run(rig.rootlet, "ps", "--json", **keywords)
    equal((done.status, done.errors), (0, ""))
    return {entry["run"]: entry for entry in json.loads(done.text)}


def execute(rig, process, *words, options=(), **keywords):
    return rig.run(rig.rootlet, "exec", *options, str(process.pid), *words, **keywords)


@test()
def ps(rig):
    """ps lists the caller's runs by the number of their launcher, and only while they go on"""
    equal(listed(rig), {})
    with running(rig) as first, running(rig) as second:
        runs = listed(rig)
        equal(list(runs), [first.pid, second.pid])
        equal(runs[first.pid]["file"], str(rig.image))
        contains(runs[first.pid]["command"], "--rootlet-exec=/bin/sh")
        check(runs[first.pid]["processes"] >= 1 and runs[first.pid]["seconds"] < 60, str(runs))
        text = rig.run(rig.rootlet, "ps").text
        contains(text, f"{first.pid} ")
        contains(text, str(rig.image))
    equal(listed(rig), {})


@test(by="user")
def runs_of_others(rig):
    """another user's runs are neither listed nor reached"""
    with running(rig) as process:
        other = dict(user=UID + 1, group=UID + 1, cwd="/tmp")
        equal(listed(rig, **other), {})
        for verb in (["kill"], ["stats"], ["exec"], ["shell"]):
            done = rig.run(rig.rootlet, *verb, str(process.pid), *(["/bin/true"] if verb == ["exec"] else []),
                           **other)
            done.failed_by_us("no run of yours", "rootlet ps")
        equal(process.poll(), None)


def descendants(pid):
    """Of this process: the machine has other runs, too."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))


@test()
def faked_from_inside(rig):
    """a tool that dresses up as a launcher and its init is not listed, and kill does not reach it"""
    script = ("printf rootlet > /proc/self/comm; unshare -Ufp sh -c "
              "'printf rootlet-init > /proc/self/comm; echo ready; sleep 50; true'; true")
    with running(rig, script=script) as process:
        def look_like_an_init():
            return [pid for pid in descendants(process.pid)
                    if Path(f"/proc/{pid}/comm").read_text() == "rootlet-init\n"]

        # Its `sleep` has the shell's name until it is executed.
        wait_until(lambda: len(look_like_an_init()) == 2, 10, "two processes that look like an init")
        inits = look_like_an_init()
        ours = {process.pid, *descendants(process.pid)}
        equal([pid for pid in listed(rig) if pid in ours], [process.pid])
        for pid in inits:
            rig.run(rig.rootlet, "kill", str(pid)).failed_by_us("no run of yours")


@test()
def kill(rig):
    """kill hands a signal to the tool; KILL ends the run; what is no run is never hit"""
    with Untouched():
        for words, status in (([], -signal.SIGTERM), (["-INT"], -signal.SIGINT),
                              (["-SIGUSR1"], -signal.SIGUSR1), (["-9"], -signal.SIGKILL)):
            with running(rig) as process:
                equal(rig.run(rig.rootlet, "kill", *words, str(process.pid)).status, 0)
                equal(process.wait(20), status)
    sleeper = rig.start("/bin/sleep", "60")
    rig.run(rig.rootlet, "kill", str(sleeper.pid)).failed_by_us("no run of yours")
    equal(sleeper.poll(), None)
    sleeper.kill()
    sleeper.wait()
    for words in (["1"], ["0"], ["-1"], ["x"], [], ["-NOSUCH", "1"], ["99999999"], ["1", "2"]):
        done = rig.run(rig.rootlet, "kill", *words)
        equal(done.status, 125, f"{words}: {done}")


@test()
def stats(rig):
    """stats tells processes, time and memory of a run"""
    script = "x=$(head -c 20m /dev/zero | tr '\\0' a); echo ready; while :; do sleep 1; done"
    with running(rig, script=script) as process:
        done = rig.run(rig.rootlet, "stats", "--json", str(process.pid))
        told = json.loads(done.text)
        # Of the 20 MiB; a host that takes back what nobody touches (DAMON) had 16 left of them.
        check(10 << 20 < told["memory_bytes"] < 200 << 20, str(told))
        check(told["processes"] in (1, 2) and told["threads"] >= 1, str(told))
        check(told["cpu_milliseconds"] >= 10, str(told))
        contains(rig.run(rig.rootlet, "stats", str(process.pid)).text, "memory  ")


@test()
def exec_in_a_run(rig):
    """exec RUN joins root, namespaces, directory and environment of the run"""
    with running(rig, "env=INSIDE=yes", "hostname=within",
                 script="echo $$ > /tmp/mine; echo ready; while :; do sleep 1; done") as process:
        done = execute(rig, process, "/bin/sh", "-c",
                       "cat /tmp/mine /opt/foo/share/data.txt; hostname; echo $INSIDE; pwd;"
                       "echo $TERM; ls /proc | grep -c '^1$'", env={"TERM": "vt100"})
        equal((done.status, done.errors), (0, ""))
        lines = done.text.splitlines()
        equal(lines[1:], ["data of the image", "within", "yes", str(rig.cwd), "vt100", "1"])
        joined = rig.start(rig.rootlet, "exec", str(process.pid), "/opt/foo/bin/probe", "wait")
        equal(joined.stdout.readline(), b"ready\n")
        for name in ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup"):
            links = {os.readlink(f"/proc/{pid}/ns/{name}") for pid in processes()
                     if Path(f"/proc/{pid}/comm").read_text() in ("sh\n", "probe\n")}
            equal(len(links), 1, f"{name} namespaces")
        joined.kill()
        joined.wait()
        done = execute(rig, process, "sh", "-c", "pwd; echo $A$INSIDE; id -u",
                       options=["--cwd=/opt", "--env=A=b"])
        equal(done.text, f"/opt\nbyes\n{rig.uid}\n", repr(done))
        equal(process.poll(), None, "the run ended")


@test()
def exec_ends_as_its_command(rig):
    """exec RUN ends as its command: status, signal, 126, 127; shell RUN as its shell"""
    with running(rig) as process:
        for code in (0, 7, 125, 255):
            equal(execute(rig, process, "/opt/foo/bin/probe", "exit", str(code)).status, code)
        equal(execute(rig, process, "/opt/foo/bin/probe", "die", "15").status, -15)
        done = execute(rig, process, "/nowhere")
        equal(done.status, 127)
        contains(done.errors, "/nowhere")
        equal(execute(rig, process, "/opt/foo/share/data.txt").status, 126)
        done = rig.run(rig.rootlet, "shell", str(process.pid), input=b"exit 9\n")
        equal(done.status, 9, repr(done))
        rig.run(rig.rootlet, "exec", str(process.pid)).failed_by_us("no PROGRAM")
        rig.run(rig.rootlet, "exec", "--net=host", str(process.pid), "x").failed_by_us("net")
    rig.run(rig.rootlet, "exec", "99999999", "x").failed_by_us("no run of yours")


@test()
def exec_has_no_more_rights(rig):
    """what joins has no capability, cannot gain one, is filtered, and sees nothing of the host"""
    host_file = rig.top / "host file"
    host_file.write_text("x")
    with running(rig) as process:
        done = execute(rig, process, "/opt/foo/bin/probe", "isolated", str(host_file))
        equal(done.status, 42, repr(done))
        wanted = {line.split()[0]: line.split()[1] for line in rig.probe("break").text.splitlines()
                  if len(line.split()) == 2}
        got = {line.split()[0]: line.split()[1]
               for line in execute(rig, process, "/opt/foo/bin/probe", "break").text.splitlines()
               if len(line.split()) == 2}
        equal(got, wanted)
        reading, writing = os.pipe()
        done = execute(rig, process, "/opt/foo/bin/probe", "fds", pass_fds=[reading])
        equal(done.text.split(), ["0", "1", "2"])
        os.close(reading)
        os.close(writing)


@test()
def exec_under_the_limits(rig):
    """what joins is under the run's limits"""
    if rig.root:
        with Outer(rig, ["pids", "memory"]) as outer:
            process = rig.start(rig.image, "--rootlet-pids=10", "--rootlet-memory=64m", "wait",
                                host=outer.host)
            equal(process.stdout.readline(), b"ready\n")
            contains(execute(rig, process, "sh", "-c", FORKS).text, "fork: EAGAIN")
            told = json.loads(rig.run(rig.rootlet, "stats", "--json", str(process.pid)).text)
            equal(told["groups"]["pids.max"], 10)
            equal(told["groups"]["memory.limit_in_bytes"], 64 << 20)
            done = execute(rig, process, "/opt/foo/bin/probe", "hog", "200")
            equal(done.status, -signal.SIGKILL, repr(done))
            process.wait(20)
        return
    with running(rig, "pids=10", "file-size=1m") as process:
        contains(execute(rig, process, "sh", "-c", FORKS).text, "fork: EAGAIN")
        equal(execute(rig, process, "/opt/foo/bin/probe", "fill", "/tmp/f").status, -signal.SIGXFSZ)


@test()
def exec_ends_with_the_run(rig):
    """what joined ends with the run, and with its own launcher; nothing is left"""
    with Untouched():
        with running(rig) as process:
            joined = rig.start(rig.rootlet, "exec", str(process.pid), "/opt/foo/bin/probe", "wait")
            equal(joined.stdout.readline(), b"ready\n")
            joined.kill()
            joined.wait()
            time.sleep(0.2)
            equal(execute(rig, process, "sh", "-c", "pgrep -x probe | wc -l").text, "0\n")
            joined = rig.start(rig.rootlet, "exec", str(process.pid), "/opt/foo/bin/probe", "wait")
            equal(joined.stdout.readline(), b"ready\n")
            joined.terminate()
            equal(joined.wait(20), -signal.SIGTERM)
            joined = rig.start(rig.rootlet, "exec", str(process.pid), "/opt/foo/bin/probe", "wait")
            equal(joined.stdout.readline(), b"ready\n")
        equal(joined.wait(20), -signal.SIGKILL)


@test()
def file_named_as_a_number(rig):
    """a file whose name is a number is an image, not a run"""
    image = rig.copy("4711")
    done = rig.run(rig.rootlet, "exec", "4711", "/opt/foo/bin/probe", "exit", "3", cwd=rig.top)
    equal(done.status, 3, repr(done))
    image.unlink()


if __name__ == "__main__":
    main()
