#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signals reach the tool, once, wherever they were sent."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Failed, Untouched, check, equal, main, processes, test

CAUGHT = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
          signal.SIGUSR2, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT, signal.SIGALRM, 34, 64]


def lines_of(process, quiet=0.25):
    """What the tool has written once it has been quiet for a while."""
    os.set_blocking(process.stdout.fileno(), False)
    text, last = b"", time.monotonic()
    while time.monotonic() - last < quiet:
        got = process.stdout.read()
        if got:
            text, last = text + got, time.monotonic()
        time.sleep(0.005)
    return text.decode().splitlines()


def catching(rig, signals=CAUGHT, **keywords):
    """A tool that reports these signals, with a group of its own; ready."""
    process = rig.start(rig.image, "catch", *(str(int(s)) for s in signals), stdin=-1,
                        process_group=0, **keywords)
    equal(process.stdout.readline(), b"ready\n")
    return process


def finish(process, wanted=0):
    process.stdin.write(b"q")
    process.stdin.close()
    equal(process.wait(10), wanted, "status")


@test()
def to_the_launcher(rig):
    """a signal sent to the launcher reaches the tool exactly once"""
    with Untouched():
        process = catching(rig)
        for number in CAUGHT:
            process.send_signal(number)
            equal(lines_of(process), [f"got {int(number)}"], f"signal {number}")
        finish(process)


@test()
def to_the_group(rig):
    """a signal sent to the whole process group reaches the tool exactly once"""
    with Untouched():
        process = catching(rig)
        for number in CAUGHT:
            os.killpg(process.pid, number)
            equal(lines_of(process), [f"got {int(number)}"], f"signal {number}")
        finish(process)


@test()
def many_in_turn(rig):
    """signals sent to launcher and group in turn are neither lost nor doubled"""
    process = catching(rig)
    wanted = []
    for index in range(20):
        number = CAUGHT[index % 6]
        if index % 2:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        wanted.append(f"got {int(number)}")
        time.sleep(0.03)
    equal(lines_of(process), wanted)
    finish(process)


@test()
def deadly(rig):
    """a tool that does not catch it dies of it, and so does the launcher"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM):
        for to_group in (False, True):
            with Untouched():
                process = rig.start(rig.image, "wait", process_group=0)
                equal(process.stdout.readline(), b"ready\n")
                (os.killpg if to_group else os.kill)(process.pid, number)
                try:
                    ended = process.wait(5)
                except subprocess.TimeoutExpired:
                    ended = f"still runs: {processes()}"
                where = f"signal {number}, group {to_group}: {process.stderr.peek()!r}"
                equal(ended, -number, where)
                equal(process.stderr.read(), b"", "stderr")


@test()
def at_once_after_the_start(rig):
    """SIGTERM at any moment of the start ends the run, and leaves nothing"""
    for index in range(60):
        with Untouched():
            process = rig.start(rig.image, "wait")
            time.sleep(index * 0.0004)
            process.terminate()
            try:
                process.communicate(timeout=5)
            except Exception:
                raise Failed(f"SIGTERM after {index * 0.4:.1f} ms was lost") from None
            check(process.returncode in (-15, 143), f"status {process.returncode}")


def wait_stopped(pid):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
        if done:
            check(os.WIFSTOPPED(status), f"ended with {status}, wanted stopped")
            return os.WSTOPSIG(status)
        time.sleep(0.005)
    raise Failed("the parent does not see the job stopped")


@test()
def stop_and_continue(rig):
    """SIGTSTP stops the run for its parent as it would stop the tool; SIGCONT goes on"""
    for to_group in (False, True):
        send = os.killpg if to_group else os.kill
        with Untouched():
            process = catching(rig, [signal.SIGUSR1])
            for _ in range(2):
                send(process.pid, signal.SIGTSTP)
                equal(wait_stopped(process.pid), signal.SIGTSTP, "stopped by")
                send(process.pid, signal.SIGCONT)
                time.sleep(0.05)
                send(process.pid, signal.SIGUSR1)
                equal(lines_of(process), [f"got {int(signal.SIGUSR1)}"])
            finish(process)


@test()
def tool_stops_itself(rig):
    """a tool that stops itself is seen as stopped, and goes on with SIGCONT"""
    with Untouched():
        process = rig.start(rig.image, "--rootlet-exec=/bin/sh", "-c",
                            "kill -STOP $$; exit 6", process_group=0)
        equal(wait_stopped(process.pid), signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
        equal(process.wait(10), 6)


@test()
def ignored_stays_ignored(rig):
    """what the caller ignores (nohup) the tool ignores too"""
    def nohup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Untouched():
        process = rig.start(rig.image, "wait", preexec_fn=nohup)
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        equal(process.poll(), None, "ended by an ignored SIGHUP")
        process.terminate()
        equal(process.wait(10), -15)


@test()
def from_inside(rig):
    """the tool's kill(0) and kill(-1) reach nothing outside of its run"""
    bystander = rig.start("/bin/sleep", "100", process_group=0)
    try:
        for target in ("0", "-1"):
            with_bystander = {"process_group": bystander.pid} if rig.root else {}
            process = rig.start(rig.image, "kill", target, **with_bystander)
            process.communicate(timeout=10)
            equal(bystander.poll(), None, f"kill({target}) reached the bystander")
            check(process.returncode in (0, -9), f"kill({target}): status {process.returncode}")
    finally:
        bystander.kill()
        bystander.wait()


@test()
def kill_group_from_inside(rig):
    """kill(0, 9) of a tool in the caller's own process group does not reach the caller"""
    done = rig.run("/bin/sh", "-c", '"$0" kill 0; echo "survived $?"', rig.image,
                   process_group=0)
    check("survived" in done.text, repr(done))


if __name__ == "__main__":
    main()
