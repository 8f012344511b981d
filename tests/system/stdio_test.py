#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Standard streams and descriptors are the caller's, and nothing else is."""
import hashlib
import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, equal, main, test, times

GIBIBYTE = 1 << 30


@test()
def closed_streams(rig):
    """with stdin, stdout, stderr closed in any combination the run works"""
    report = rig.cwd / "report"
    for closed in itertools.chain.from_iterable(itertools.combinations((0, 1, 2), n)
                                                for n in range(4)):
        def close(which=closed):
            for fd in which:
                os.close(fd)
        report.unlink(missing_ok=True)
        with Untouched() as before:
            done = rig.run(rig.image, "fds", env={"PROBE_REPORT": "report"}, preexec_fn=close)
            before.files.add(str(report))
        equal(done.status, 0, f"closed {closed}")
        seen = {int(word) for word in report.read_text().split()}
        check(seen <= {0, 1, 2, 3}, f"closed {closed}: inside {seen}")  # 3: the report or a libc's
        # A closed stream must not become one of our own descriptors.
        equal(rig.run(rig.image, "exit", "5", preexec_fn=close).status, 5, f"closed {closed}")


@test()
def closed_stream_is_not_ours(rig):
    """a closed stdin is not the image, a namespace or a socket of ours"""
    for fd in (0, 1, 2):
        out = rig.cwd / "links"
        done = rig.shell(f"readlink /proc/self/fd/{fd} > links; exit 0",
                         preexec_fn=lambda: os.close(fd))
        equal(done.status, 0)
        link = out.read_text().strip()
        check(link in ("", "/dev/null") or link == str(out), f"{fd} is {link}")


def pump(rig, size, options=()):
    """SHA-256 of what comes out when `size` bytes go in."""
    block = os.urandom(1 << 20)
    process = rig.start(rig.image, *("--rootlet-" + o for o in options), "copy",
                        stdin=subprocess.PIPE)

    def feed():
        for index in range(size >> 20):
            process.stdin.write(index.to_bytes(8, "big") + block[8:])
        process.stdin.close()
    wanted, got, count = hashlib.sha256(), hashlib.sha256(), 0
    for index in range(size >> 20):
        wanted.update(index.to_bytes(8, "big") + block[8:])
    feeder = threading.Thread(target=feed)
    feeder.start()
    while chunk := process.stdout.read(1 << 20):
        got.update(chunk)
        count += len(chunk)
    feeder.join()
    equal(process.wait(10), 0)
    return count, got.hexdigest() == wanted.hexdigest()


@test(scaled=1024)
def one_gibibyte(rig):
    """1 GiB piped in and out arrives whole"""
    size = times(1024) << 20
    with Untouched():
        count, same = pump(rig, size)
    equal(count, size, "bytes")
    check(same, "the bytes changed")


@test()
def broken_pipe(rig):
    """a reader that goes away ends the tool by SIGPIPE, as without us"""
    with Untouched():
        process = rig.start(rig.image, "--rootlet-exec=/bin/yes")
        process.stdout.read(10)
        process.stdout.close()
        equal(process.wait(10), -13)


@test()
def captured_pipe(rig):
    """$(tool) returns when the tool ends, though it left a child that holds the pipe"""
    with Untouched():
        started = time.monotonic()
        done = rig.run("/bin/sh", "-c", 'x=$("$0" leave 2>&1); echo "<$x>"', rig.image)
        equal(done.text, "<left>\n")
        check(time.monotonic() - started < 5, "it waited for the child")


@test()
def background_server(rig):
    """no process of ours holds the caller's pipe once the launcher is gone"""
    process = rig.start(rig.image, "leave")
    process.wait(10)
    started = time.monotonic()
    equal(process.stdout.read(), b"left\n")
    check(time.monotonic() - started < 1, "the pipe stayed open")


@test()
def leaked_descriptors(rig):
    """descriptors that the caller leaked are not visible inside"""
    secret = os.open("/etc/shadow", os.O_RDONLY)
    top = os.open("/", os.O_RDONLY | os.O_DIRECTORY)

    def leak():
        os.dup2(top, 9, inheritable=True)
        os.dup2(secret, 200, inheritable=True)
    try:
        done = rig.run(rig.image, "fds", preexec_fn=leak, close_fds=False)
        equal(done.text.split(), ["0", "1", "2"])
        done = rig.run(rig.image, "--rootlet-mount=extract", "fds", preexec_fn=leak,
                       close_fds=False)
        equal(done.text.split(), ["0", "1", "2"])
    finally:
        os.close(secret)
        os.close(top)


@test()
def passed_descriptor(rig):
    """pass-fd hands one descriptor through, and only that one"""
    read, write = os.pipe()
    os.write(write, b"through\n")
    os.close(write)

    def pass_on():
        os.dup2(read, 7, inheritable=True)
        os.dup2(read, 8, inheritable=True)
    done = rig.run(rig.image, "--rootlet-pass-fd=7", "--rootlet-exec=/bin/sh", "-c",
                   "cat <&7; ls /proc/self/fd", preexec_fn=pass_on, close_fds=False)
    os.close(read)
    check(done.text.startswith("through\n"), repr(done))
    shown = done.text.split()[1:]
    check("7" in shown and "8" not in shown, f"descriptors {shown}")


@test()
def passing_what_is_not_there(rig):
    """pass-fd of a closed descriptor is refused"""
    rig.probe("exit", "0", options=["pass-fd=77"]).failed_by_us("descriptor", "77")


@test()
def stdin_of_a_background_run(rig):
    """stdin that is a file or a device changes nothing"""
    for path in ("/etc/passwd", "/dev/zero", "/dev/full"):
        fd = os.open(path, os.O_RDONLY)
        done = rig.run(rig.image, "exit", "4", stdin=fd)
        equal(done.status, 4, f"{path}: {done}")
        os.close(fd)


@test()
def directory_as_a_stream(rig):
    """a directory of the host as stdin, a way out of the root, is refused"""
    fd = os.open("/", os.O_RDONLY)
    done = rig.run(rig.image, "exit", "4", stdin=fd)
    os.close(fd)
    done.failed_by_us("directory", "--rootlet-bind")


@test()
def full_disk(rig):
    """an output that cannot be written is the tool's error, not ours"""
    with open("/dev/full", "wb") as full:
        done = rig.run(rig.image, "say", "x", stdout=full)
    equal(done.status, 99)


if __name__ == "__main__":
    main()
