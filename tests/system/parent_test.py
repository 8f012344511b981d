#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""die-with-parent: a run ends when the process does that started it."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from leftovers import clean_up
from rig import Untouched, check, contains, equal, main, processes, test
from servers import keepers, wait_until

# A parent as a JVM is one: it starts the run from a thread that ends at once,
# says so, and lives on.
PARENT = """
import os, subprocess, sys, threading
words = [word.replace("PARENT", str(os.getpid())) for word in sys.argv[1:]]
def start():
    subprocess.Popen(words, stdin=subprocess.PIPE)
thread = threading.Thread(target=start)
thread.start()
thread.join()
sys.stdin.read()
"""


def parent_of(rig, *words, option="die-with-parent", options=(), **keywords):
    """A parent with a run that says "up" and waits for ever."""
    tool = ("--rootlet-exec=/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 60; done")
    process = rig.start("/usr/bin/python3", "-c", PARENT, rig.image, f"--rootlet-{option}",
                        *("--rootlet-" + o for o in options), *(words or tool),
                        stdin=subprocess.PIPE, **keywords)
    if not words:
        equal(process.stdout.readline(), b"up\n", "the first line")
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


@test()
def parent_killed(rig):
    """nothing of a run lives a second after its parent was killed; without the option it does"""
    for option in ("die-with-parent", "die-with-parent=PARENT"):
        with Untouched():
            kill(parent_of(rig, option=option))
    process = parent_of(rig, option="verbose")
    kill(process)
    time.sleep(0.5)
    check(len(processes()) >= 3, f"the run without the option: {processes()}")
    clean_up()


@test()
def thread_that_started_it_ends(rig):
    """a run lives on when only the thread ends that started it"""
    process = parent_of(rig, option="die-with-parent=PARENT")
    time.sleep(0.7)  # the thread ended before the tool said "up"
    check(len(processes()) >= 4, f"the run has ended: {processes()}")
    kill(process)
    wait_until(lambda: not processes(), 1, "the run is left")


@test()
def parent_is_another(rig):
    """a parent that is not the one who was named, or has ended: refused before the tool starts"""
    rig.probe("exit", "3", options=["die-with-parent=1"]).failed_by_us(
        "watch the parent process", "it has ended")
    for bad in ("x", "-1", "1.5"):
        rig.probe(options=[f"die-with-parent={bad}"]).failed_by_us("is not valid")
    equal(rig.probe("exit", "3", options=["die-with-parent"]).status, 3)
    equal(rig.probe("exit", "3", env={"ROOTLET_DIE_WITH_PARENT": "1"}).status, 3)


@test()
def nobody_listens(rig):
    """a parent whose pipes are closed already is one that has ended"""
    reader, writer = os.pipe()
    os.close(reader)
    process = rig.start(rig.image, "--rootlet-die-with-parent", "exit", "3", stdout=writer,
                        stderr=writer)
    os.close(writer)
    # Its message has no reader either: SIGPIPE.
    check(process.wait(10) in (125, -signal.SIGPIPE), f"{process.returncode}")


@test()
def stopped_parent(rig):
    """a parent that is stopped has not ended"""
    process = parent_of(rig)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.7)
    check(len(processes()) >= 4, f"the run has ended: {processes()}")
    process.send_signal(signal.SIGCONT)
    kill(process)
    wait_until(lambda: not processes(), 1, "the run is left")


@test()
def while_unpacking(rig):
    """a parent that is killed while the image is unpacked leaves no file and no process"""
    tree = rig.top / "large"
    tree.mkdir()
    (tree / "bin").mkdir()
    (tree / "bin/busybox").write_bytes(Path("/usr/bin/busybox").read_bytes())
    (tree / "bin/busybox").chmod(0o755)
    for number in range(16):
        (tree / f"part{number}").write_bytes(os.urandom(8 << 20))
    image = rig.build(tree, "large.AppImage", "--entry", "/bin/busybox")
    cache = rig.top / "cache"
    cache.mkdir()
    os.chown(cache, rig.uid, rig.uid)
    with Untouched():
        process = rig.start("/usr/bin/python3", "-c", PARENT, image, "--rootlet-die-with-parent",
                            "--rootlet-no-isolation", "sleep", "60", stdin=subprocess.PIPE,
                            env={"XDG_CACHE_HOME": str(cache)})
        wait_until(lambda: list(cache.rglob("part1")), 10, "nothing is unpacked")
        kill(process)
        wait_until(lambda: not processes(), 1, "the run is left")
        equal(sorted(cache.rglob("part*")), [], "files left")
        for path in sorted(cache.rglob("*"), reverse=True):
            path.rmdir()  # the empty directory of the caller's unpacked images
    for path in sorted(tree.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


def runtime_of_parent(rig):
    """A runtime directory for the servers of one parent: the first run makes it."""
    directory = Path("/dev/shm/rootlet-of-a-parent")
    check(not directory.exists(), "it is there already")
    return directory


@test()
def warm_server_ends_too(rig):
    """a shared server that outlives its runs ends with the parent, and its directories with it"""
    with Untouched():
        directory = runtime_of_parent(rig)
        process = parent_of(rig, rig.image, "exit", "0", option="die-with-parent=PARENT",
                            options=("keep=600",), env={"XDG_RUNTIME_DIR": str(directory)})
        wait_until(keepers, 10, "no server")
        wait_until(lambda: len(list((directory / "rootlet").iterdir())) == 1, 3, "no socket")
        time.sleep(1.2)
        equal(len(keepers()), 1, "the server while the parent lives")
        kill(process)
        wait_until(lambda: not processes(), 1, "the server is left")
        check(not directory.exists(), "the directory is left")


@test()
def warm_server_of_one_parent(rig):
    """a run of another parent does not join a server that ends with this one"""
    directory = runtime_of_parent(rig)
    environment = {"XDG_RUNTIME_DIR": str(directory)}
    process = parent_of(rig, options=("keep=600",), env=environment)
    equal(rig.probe("exit", "3", options=("keep=600", "die-with-parent"), env=environment).status, 3)
    equal(len(keepers()), 2, "servers")
    kill(process)
    # The rig itself is the parent of the other: its server is dismissed by its name.
    wait_until(lambda: len(keepers()) == 1, 1, "the server is left")
    for path in (directory / "rootlet").iterdir():
        path.unlink()
    wait_until(lambda: not processes(), 3, "a server without a name is left")
    (directory / "rootlet").rmdir()
    directory.rmdir()


@test()
def what_it_used(rig):
    """the status tells the processor's time and the memory of a run"""
    path = rig.top / "used.json"
    rig.shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", options=(f"status={path}",))
    end = json.loads(path.read_text().splitlines()[-1])
    check(end["cpu_ms"] >= 20 and end["max_rss_kib"] > 500, f"{end}")
    path.unlink()
    contains(rig.probe(options=["help"]).text, "--rootlet-die-with-parent[=PID]", "the help")


main()
