#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much a run may take, and for how long; what it says when that is met."""
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from outer import Outer
from rig import Skip, Untouched, check, contains, equal, main, test

MIB = 1 << 20


@test()
def timeout(rig):
    """timeout ends the whole tree in time, with 124, and says so"""
    for value, seconds in (("1", 1), ("0.3", 0.3)):
        started = time.monotonic()
        with Untouched():
            done = rig.shell("sleep 60 & sleep 60 & trap '' TERM INT; sleep 60; sleep 60",
                             options=[f"timeout={value}"])
        took = time.monotonic() - started
        equal(done.status, 124, repr(done))
        check(seconds <= took < seconds + 5, f"took {took} s")
        contains(done.errors, f"the run met its limit: timeout={value}")
        equal(len(done.errors.splitlines()), 1, "lines")


@test()
def timeout_not_met(rig):
    """a run that ends in time ends as ever, and says nothing"""
    for value in ("50", "2m", "1h", "1.5h"):
        done = rig.probe("exit", "3", options=[f"timeout={value}"])
        equal((done.status, done.errors), (3, ""))


@test()
def timeout_of_a_busy_run(rig):
    """a tool that keeps its init busy is ended in time as well"""
    script = "while :; do kill -STOP $$ 2>/dev/null; (exit 0); done"
    started = time.monotonic()
    process = rig.start(rig.image, "--rootlet-timeout=1", "--rootlet-exec=/bin/sh", "-c", script,
                        start_new_session=True)
    while process.poll() is None and time.monotonic() - started < 20:
        process.send_signal(signal.SIGCONT)  # what the shell of a stopped job does
        time.sleep(0.05)
    equal(process.wait(20), 124)


@test()
def bad_values(rig):
    """a malformed limit is refused in one line that names the valid form"""
    for option in ("memory", "cpus", "pids", "file-size", "timeout"):
        for value in ("", "0", "-1", "x", "1x", "1.", ".5", "1.2345", "99999999999999999999", "1 m"):
            done = rig.probe("exit", "3", options=[f"{option}={value}"])
            done.failed_by_us(f"--rootlet-{option}", "valid:" if value else "hint")
    for option in ("pids=1.5", "pids=1k", "cpus=1k", "memory=1s", "timeout=1g"):
        rig.probe("exit", "3", options=[option]).failed_by_us("valid:")


@test()
def file_size(rig):
    """a file beyond file-size ends the tool by SIGXFSZ; the run says so; smaller ones are fine"""
    done = rig.probe("fill", "/tmp/f", options=["file-size=1m"])
    equal(done.status, -signal.SIGXFSZ, repr(done))
    contains(done.errors, "the run met its limit: file-size=1m")
    done = rig.shell("head -c 2m /dev/zero > f; exit $?", options=["file-size=1m"])
    equal(done.status, 128 + signal.SIGXFSZ, repr(done))
    contains(done.errors, "file-size=1m")
    done = rig.shell("head -c 512k /dev/zero > f && ulimit -f unlimited 2>/dev/null; "
                     "head -c 2m /dev/zero > f; exit $?", options=["file-size=1m"])
    equal((rig.cwd / "f").stat().st_size, MIB, "the limit was raised from inside")
    (rig.cwd / "f").unlink()


def limited_processes(rig, done, most):
    lines = done.text.splitlines()
    equal(lines[0], "fork: EAGAIN", repr(done))
    equal(int(lines[1]), most - 1, "processes beside the first")


@test()
def pids_of_a_user(rig):
    """pids=N lets a plain user's run have N processes, however many others the user has"""
    if rig.root:
        raise Skip("for root see pids_by_control_group")
    others = [rig.start("/bin/sleep", "60") for _ in range(30)]
    done = rig.probe("forks", "100", options=["pids=20"])
    for other in others:
        other.kill()
        other.wait()
    limited_processes(rig, done, 20)


@test()
def pids_by_control_group(rig):
    """where the pids controller may be used it counts the run, and the run says when it was met"""
    with Outer(rig, ["pids"], given=True) as outer:
        done = rig.probe("forks", "100", options=["pids=20"], host=outer.host)
        limited_processes(rig, done, 20)
        contains(done.errors, "the run met its limit: pids=20")
        equal(outer.left(), [], "groups left")


@test(by="root")
def pids_of_root_without_a_controller(rig):
    """for root, whom no resource limit binds, pids without a controller is refused"""
    done = rig.probe("exit", "3", options=["pids=20"], host="umount -l /sys/fs/cgroup")
    done.failed_by_us("limit the run: pids=20", "no control group", "--rootlet-best-effort")


@test()
def fork_bomb(rig):
    """a fork bomb under pids leaves the host usable and dies with the run"""
    with Outer(rig, given=True) as outer, Untouched(seconds=10):
        started = time.monotonic()
        process = rig.start(rig.image, "--rootlet-pids=50", "--rootlet-timeout=2", "bomb",
                            host=outer.host)
        equal(process.stdout.readline(), b"ready\n")
        time.sleep(0.3)
        for _ in range(5):
            equal(rig.run("/bin/true").status, 0)
        status, errors = process.wait(20), process.stderr.read().decode()
        equal(status, 124, errors)
        check(time.monotonic() - started < 15, "slow")
        contains(errors, "pids=50")
        equal(outer.left(), [], "groups left")


@test()
def memory(rig):
    """beyond memory the whole run ends, as by SIGKILL, and says why; below it nothing happens"""
    with Outer(rig, given=True) as outer:
        with Untouched():
            done = rig.shell("/opt/foo/bin/probe hog 200; sleep 2; echo went on",
                             options=["memory=64m"], host=outer.host)
        equal(done.status, -signal.SIGKILL, repr(done))
        contains(done.errors, "the run met its limit: memory=64m, and was ended")
        check("went on" not in done.text, "a part of the run went on")
        done = rig.shell("/opt/foo/bin/probe hog 200; exit 0", options=["memory=64m"],
                         host=outer.host)
        equal(done.status, -signal.SIGKILL, "a run without a part of it passed for a good one")
        done = rig.probe("hog", "30", options=["memory=64m"], host=outer.host)
        equal((done.status, done.text, done.errors), (0, "full\n", ""))
        equal(outer.left(), [], "groups left")


@test()
def memory_of_files(rig):
    """what is written to the private /tmp counts as memory of the run"""
    with Outer(rig, given=True) as outer:
        done = rig.probe("fill", "/tmp/f", options=["memory=16m"], host=outer.host)
        equal(done.status, -signal.SIGKILL, repr(done))
        contains(done.errors, "memory=16m")


@test()
def memory_without_a_controller(rig):
    """without a controller, memory is refused with what to do; best-effort watches instead"""
    gone = "umount -l /sys/fs/cgroup"
    done = rig.probe("exit", "3", options=["memory=64m"], host=gone)
    done.failed_by_us("limit the run: memory=64m", "no control group", "--rootlet-best-effort")
    with Untouched():
        done = rig.probe("hog", "300", options=["memory=64m", "best-effort"], host=gone,
                         env={"PROBE_SLOW": "1"})
    equal(done.status, -signal.SIGKILL, repr(done))
    contains(done.errors, "best effort: memory=64m: watched, not enforced")
    contains(done.errors, "the run met its limit: memory=64m, and was ended")
    done = rig.probe("hog", "20", options=["memory=64m", "best-effort"], host=gone)
    equal((done.status, done.text), (0, "full\n"))


@test(by="user")
def memory_not_delegated(rig):
    """a plain user whose control group is not his is told so: 125, never a run without"""
    done = rig.probe("exit", "3", options=["memory=64m"])
    done.failed_by_us("limit the run: memory=64m", "may not make a control group")


@test()
def cpus(rig):
    """cpus=0.5 gives a busy run half of a processor's time, whatever it starts"""
    with Outer(rig, ["cpu"], given=True) as outer:
        done = rig.probe("burn", "2", "2000", options=["cpus=0.5"], host=outer.host)
        used = int(done.text)
        check(100 <= used <= 1500, f"{used} ms in 2 s: {done}")
        equal(outer.left(), [], "groups left")
    done = rig.probe("exit", "3", options=["cpus=1"], host="umount -l /sys/fs/cgroup")
    done.failed_by_us("limit the run: cpus=1", "no control group")


@test()
def disk_filler(rig):
    """the private places are bounded: ENOSPC inside, and the host's memory stays"""
    done = rig.probe("fill", "/tmp/f", options=["tmp=8m"])
    lines = done.text.splitlines()
    equal(lines[0], "fill: ENOSPC", repr(done))
    check(int(lines[1]) <= 8 * MIB, lines[1])
    done = rig.shell("df -k /tmp | tail -n 1", options=[])
    size = int(done.text.split()[1]) * 1024
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    check(size <= whole // 4 + MIB, f"{size} of {whole}")


@test()
def killed_launcher(rig):
    """after SIGKILL of the launcher the group is empty, and the next run removes it"""
    with Outer(rig, given=True) as outer:
        process = rig.start(rig.image, "--rootlet-memory=64m", "wait", host=outer.host)
        equal(process.stdout.readline(), b"ready\n")
        equal(len(outer.left()), 1, "groups")
        process.kill()
        process.wait()
        # The kernel is not done with the run when its launcher has ended.
        while Path(outer.left()[0], "cgroup.procs").read_text():
            time.sleep(0.01)
        living = rig.start(rig.image, "--rootlet-memory=64m", "wait", host=outer.host)
        equal(living.stdout.readline(), b"ready\n")
        equal(len(outer.left()), 1, "groups with a living run")
        equal(rig.probe("exit", "3", options=["memory=64m"], host=outer.host).status, 3)
        equal(len(outer.left()), 1, "a living run's group was taken")
        living.terminate()
        equal(living.wait(20), -signal.SIGTERM)
        equal(outer.left(), [], "groups left")


@test()
def server_is_outside(rig):
    """neither the image server nor init is inside a run's limits"""
    with Outer(rig, ["pids"], given=True) as outer:
        process = rig.start(rig.image, "--rootlet-pids=30", "wait", host=outer.host)
        equal(process.stdout.readline(), b"ready\n")
        inside = Path(outer.left()[0], "cgroup.procs").read_text().split()
        names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in inside]
        equal(names, ["probe"])
        process.terminate()
        process.wait(20)


@test()
def minimum(rig):
    """a policy's limit and the caller's: the least counts, and no image raises one"""
    tree = "/tmp/rootlet tests/tree"
    policy = rig.top / "limits.toml"
    policy.write_text('[tool]\nname = "probe"\nentrypoint = ["/opt/foo/bin/probe"]\n'
                      '[isolation]\ntimeout = "0.5"\nfile-size = "1m"\n')
    image = rig.build(tree, "limits.AppImage", "--policy", policy)
    for options in ([], ["--rootlet-timeout=60"]):
        equal(rig.run(image, *options, "wait").status, 124, str(options))
    done = rig.run(image, "--rootlet-file-size=512k", "fill", "/tmp/f")
    contains(done.errors, "file-size=512k")
    done = rig.run(image, "--rootlet-file-size=2m", "fill", "/tmp/f")
    contains(done.errors, "file-size=1m")


@test()
def plan_shows_limits(rig):
    """dry-run names the limits and makes no group"""
    done = rig.probe(options=["dry-run", "memory=64m", "cpus=1.5", "timeout=90", "file-size=1k"])
    for line in ("limit: memory=64m", "limit: cpus=1.5", "limit: timeout=90", "limit: file-size=1k"):
        contains(done.text.splitlines(), line)


@test()
def without_isolation(rig):
    """no-isolation says that no limit holds"""
    done = rig.probe("exit", "3", options=["no-isolation", "timeout=1"])
    equal(done.status, 3, repr(done))
    contains(done.errors, "no limit holds")


if __name__ == "__main__":
    main()
