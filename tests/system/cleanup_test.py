#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing is left, however a run ends."""
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, contains, equal, main, processes, test, times

KILLS = 200


def children(pid):
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def has_own_pids(pid):
    """True for init: it is the first of its PID namespace."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return line.split()[-1] == "1"
    except OSError:
        pass
    return False


def victims(launcher):
    """(server, init), None where it does not live yet."""
    server = init = None
    for pid in children(launcher):
        if has_own_pids(pid):
            init = pid
        else:
            server = pid
    return server, init


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def reading(rig, repeats="2000", **keywords):
    """A run that reads from its image all the time, uncached."""
    return rig.start(rig.image, "read", "/opt/foo/share/big", repeats,
                     env={"PROBE_DROP": "1"}, **keywords)


def end(process):
    try:
        return process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"the launcher hangs; processes: {processes()}") from None


def random_moment(index):
    time.sleep(random.Random(index).uniform(0, 0.030))


@test()
def normal_end(rig):
    """a run that ends by itself leaves nothing"""
    for _ in range(20):
        with Untouched():
            equal(rig.shell("cat /opt/foo/share/data.txt > /dev/null; ls -R / > /dev/null 2>&1; exit 3").status,
                  3)


@test(scaled=KILLS)
def launcher_killed(rig):
    """kill -9 of the launcher at 200 random moments: all is gone within a second"""
    for index in range(times(KILLS)):
        with Untouched():
            process = reading(rig)
            random_moment(index)
            process.kill()
            end(process)
            equal(process.returncode, -9)


@test(scaled=KILLS)
def server_killed(rig):
    """kill -9 of the server at 200 random moments: 125 and one line, never a hang"""
    hits = 0
    for index in range(times(KILLS)):
        with Untouched():
            process = reading(rig)
            random_moment(index)
            server, _ = victims(process.pid)
            if server:
                kill(server)
                hits += 1
            else:
                process.kill()
            out, err = end(process)
            if server:
                check(process.returncode == 125, f"status {process.returncode}: {err!r}")
                lines = err.decode().splitlines()
                check(lines and lines[0].startswith("rootlet: ") and len(lines) <= 2,
                      f"wanted one line: {err!r}")
    check(hits >= times(KILLS) // 3, f"only {hits} kills found a server")


@test(scaled=KILLS)
def init_killed(rig):
    """kill -9 of init at 200 random moments: 125 and one line, never a hang"""
    hits = 0
    for index in range(times(KILLS)):
        with Untouched():
            process = reading(rig)
            random_moment(index)
            _, init = victims(process.pid)
            if init:
                kill(init)
                hits += 1
            else:
                process.kill()
            out, err = end(process)
            if init:
                check(process.returncode == 125, f"status {process.returncode}: {err!r}")
                check(err.decode().startswith("rootlet: "), f"wanted one line: {err!r}")
    check(hits >= times(KILLS) // 3, f"only {hits} kills found an init")


@test()
def all_at_once(rig):
    """kill -9 of launcher, server and init together leaves nothing"""
    for index in range(times(30)):
        with Untouched():
            process = reading(rig)
            random_moment(index)
            for pid in (*victims(process.pid), process.pid):
                if pid:
                    kill(pid)
            end(process)


@test()
def hung_server(rig):
    """a server that hangs does not keep anything alive once the launcher is killed"""
    for index in range(10):
        with Untouched(2.0):
            process = reading(rig)
            time.sleep(0.05 + index * 0.003)
            server, _ = victims(process.pid)
            check(server is not None, "no server")
            kill(server, signal.SIGSTOP)
            time.sleep(0.02)
            process.kill()
            end(process)


@test()
def hung_server_and_a_signal(rig):
    """with a hung server a run that was told to end by SIGTERM still can be killed"""
    with Untouched(2.0):
        process = reading(rig)
        time.sleep(0.08)
        server, _ = victims(process.pid)
        kill(server, signal.SIGSTOP)
        process.terminate()
        time.sleep(0.2)
        process.kill()
        end(process)


@test()
def background_children_end(rig):
    """what the tool left in the background ends with it, and a captured pipe with it"""
    with Untouched():
        started = time.monotonic()
        done = rig.probe("leave")
        equal(done.text, "left\n")
        check(time.monotonic() - started < 5, "the pipe stayed open")


@test()
def fork_bomb_like_tree(rig):
    """a tree of 200 sleeping orphans is gone when the tool ends"""
    with Untouched():
        equal(rig.shell("i=0; while [ $i -lt 200 ]; do (sleep 100 &) ; i=$((i+1)); done; exit 4",
                        timeout=60).status, 4)


@test()
def pid_1_that_never_reaps(rig):
    """under a PID 1 that reaps nothing, a run leaves no zombie of ours"""
    if not rig.root:
        command = ["setpriv", f"--reuid={rig.uid}", f"--regid={rig.uid}", "--clear-groups"]
        command = [subprocess.run(["which", "setpriv"], capture_output=True,
                                  text=True).stdout.strip(), *command[1:], "--"]
    else:
        command = []
    made = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", rig.host_maker, "deaf",
                           *command, rig.image, "leave"], env=rig.env, cwd=rig.cwd,
                          capture_output=True, text=True, timeout=20)
    contains(made.stdout, "status 0 zombies 0 living 0")


@test()
def killed_below_pid_1_that_never_reaps(rig):
    """kill -9 under a PID 1 that reaps nothing: zombies at most, nothing that lives"""
    script = "\"$0\" read /opt/foo/share/big 2000 >/dev/null & sleep 0.05; kill -9 $!; wait $!; sleep 1"
    command = ["/bin/sh", "-c", script, rig.image]
    if not rig.root:
        command = ["/usr/bin/setpriv", f"--reuid={rig.uid}", f"--regid={rig.uid}",
                   "--clear-groups", "--", *command]
    made = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", rig.host_maker, "deaf",
                           *command], env=rig.env, cwd=rig.cwd, capture_output=True, text=True,
                          timeout=20)
    contains(made.stdout, "living 0")


if __name__ == "__main__":
    main()
