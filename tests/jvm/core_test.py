#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The JVM library, without Spark: real runs of real JVMs, as a plain user and as root."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import JARS, add, empty_jar, java, make_jars, run_tests
from leftovers import clean_up
from place import WORK
from rig import Untouched, check, contains, equal, main, mount, processes, test
from servers import keepers, wait_until

NOEXEC = "mount -o remount,noexec {0}"
INCUBATOR = ("--add-modules=jdk.incubator.foreign", "--enable-native-access=ALL-UNNAMED")


def drive(rig, *words, options=(), jar=None, **keywords):
    """A JVM that does what tests/jvm/../run/Drive.java says."""
    make_jars(rig)
    return rig.start(*java("io.rootlet.run.Drive", *words, options=options, jar=jar),
                     stdin=subprocess.PIPE, **keywords)


@test()
def runs(rig):
    """tools run out of their jar: streams, arguments, binds, results"""
    make_jars(rig)
    with Untouched():
        run_tests(rig, ["RunTest"])


@test()
def failures(rig):
    """each failure has a typed error; a time-out, an interrupt, a failed input is no normal end"""
    make_jars(rig)
    with Untouched():
        run_tests(rig, ["FailureTest"])


@test()
def threads_and_sessions(rig):
    """runs of many threads leave nothing; a session's server serves them all and ends with it"""
    make_jars(rig)
    with Untouched(2):
        run_tests(rig, ["LifeTest"])


@test()
def ladder(rig):
    """the launcher comes to life in memory, in the memory of a perl or python3, as a file, each forced"""
    make_jars(rig)
    for rung, options in (("memfd", INCUBATOR), ("holder", ()), ("cache", ())):
        process = drive(rig, "rung", options=(*options, f"-Drootlet.stub={rung}"))
        out, err = process.communicate(timeout=30)
        equal((out.decode(), process.returncode), (f"{rung}\ndata of the image\n", 0), err.decode())
    program = empty_jar("program.jar", prefix=rig.stub.read_bytes())
    add(program, f"probe={WORK / 'probe.AppImage'}")
    program.chmod(0o755)
    process = drive(rig, "rung", jar=program)
    equal(process.communicate(timeout=30)[0].decode(), "jar\ndata of the image\n")
    program.chmod(0o644)
    process = drive(rig, "rung", options=("-Drootlet.stub=jar,holder",), jar=program)
    equal(process.communicate(timeout=30)[0].decode(), "holder\ndata of the image\n")
    program.unlink()


@test()
def noexec_everywhere(rig):
    """where no directory may hold a program the launcher runs from memory, else the error says so"""
    make_jars(rig)
    host = "; ".join(f"mount -t tmpfs -o noexec,mode=1777 none {place}"
                     for place in ("/var/tmp", "/run", "/dev/shm"))
    host += f"; mount --bind '{WORK}' '{WORK}'; mount -o remount,bind,noexec '{WORK}'"
    process = drive(rig, "rung", host=host)
    out, err = process.communicate(timeout=30)
    equal(out.decode(), "holder\ndata of the image\n", err.decode())
    process = drive(rig, "rung", options=("-Drootlet.stub=cache", "-Djava.io.tmpdir=/run"), host=host,
                    env={"XDG_RUNTIME_DIR": None})
    out, err = process.communicate(timeout=30)
    contains(err.decode(), "HostUnsupported: the launcher: NOEXEC", "stderr")


@test()
def cache_of_somebody_else(rig):
    """a cached launcher that is another's, changed, or a link is not executed"""
    make_jars(rig)
    place = Path("/tmp/cache")
    options = ("-Drootlet.stub=cache", f"-Drootlet.cache={place}")
    environment = {"XDG_RUNTIME_DIR": None, "HOME": "/nowhere"}

    def rung():
        process = drive(rig, "rung", options=options, env=environment)
        return process.communicate(timeout=30)[0].decode()
    place.mkdir()
    os.chown(place, rig.uid, rig.uid)
    equal(rung(), "cache\ndata of the image\n")
    (stub,) = (place / f"rootlet-{rig.uid}").iterdir()
    right = stub.read_bytes()
    for name, wrong in (("changed", b"#!/bin/sh\necho bad\n"), ("cut", right[:4096])):
        stub.chmod(0o700)
        stub.write_bytes(wrong)
        os.chown(stub, rig.uid, rig.uid)
        equal(rung(), "cache\ndata of the image\n", name)
        equal(stub.read_bytes(), right, name)
    stub.unlink()
    (place / "bad").write_text("#!/bin/sh\necho bad\n")
    stub.symlink_to(place / "bad")
    equal(rung(), "cache\ndata of the image\n", "a link")
    check(not stub.is_symlink(), "the link is still there")
    other = 0 if rig.uid else 47012
    os.chown(stub.parent, other, other)
    if rig.uid:  # another's directory: the next place is taken
        equal(rung(), "cache\ndata of the image\n", "a directory of somebody else")
    for path in sorted(place.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    place.rmdir()
    for other in (Path("/dev/shm"), Path("/tmp")):
        for path in sorted((other / f"rootlet-{rig.uid}").rglob("*")):
            path.unlink()
        if (other / f"rootlet-{rig.uid}").exists():
            (other / f"rootlet-{rig.uid}").rmdir()


@test()
def killed_jvm(rig):
    """nothing of ours lives a second after the JVM was killed, and nothing is left"""
    for way in ("hold", "hold-warm"):
        with Untouched():
            process = drive(rig, way, "4")
            equal(process.stdout.readline(), b"up\n", process)
            check(len(processes()) > 12, f"{processes()}")
            process.kill()
            process.wait()
    process.stdout.close()


@test()
def killed_while_idle(rig):
    """an idle warm server lives as long as the JVM, and ends with it, killed or not"""
    for end in (lambda process: process.kill(), lambda process: process.stdin.close()):
        with Untouched():
            process = drive(rig, "warm")
            equal(process.stdout.readline(), b"up\n", process)
            time.sleep(1.2)
            equal(len(keepers()), 1, "keepers")
            end(process)
            process.wait()


@test()
def killed_at_any_moment(rig):
    """a JVM that is killed at any moment of a start leaves nothing"""
    for number in range(10):
        with Untouched():
            process = drive(rig, "busy")
            equal(process.stdout.readline(), b"up\n", process)
            time.sleep(0.013 * number)
            process.kill()
            process.wait()


@test()
def stopped_jvm(rig):
    """a JVM that is stopped for a while keeps its runs"""
    process = drive(rig, "hold", "1")
    equal(process.stdout.readline(), b"up\n", process)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    check(len(processes()) >= 4, f"{processes()}")
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    wait_until(lambda: not processes(), 1, "the run is left")


@test(by="root")
def forbidden_namespaces(rig):
    """where the host forbids namespaces, probe and error say which knob, and nothing hangs"""
    make_jars(rig)
    words = java("io.rootlet.run.Drive", "probe", options=("-Drootlet.stub=holder",))
    done = rig.start_limited(0, *words)
    contains(done.text, "USERNS_OFF", f"{done}")
    contains(done.text, "HostUnsupported USERNS_OFF", f"{done}")
    done = rig.in_docker(*words)
    contains(done.text, "HostUnsupported SECCOMP", f"{done}")


main()
