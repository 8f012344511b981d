#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What doctor says of a host, and that it is true: on this one, and on poor ones."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import MASKED, Untouched, check, contains, equal, main, test

NO_FUSE = "mount -t tmpfs x /mnt; touch /mnt/f; mount --bind /mnt/f /dev/fuse"
LANDLOCK, OPENAT2, CLOSE_RANGE, MOUNT_SETATTR = 444, 437, 436, 442


def read(done):
    """The findings by name."""
    told = json.loads(done.text)
    equal(told["verdict"], done.status)
    equal(done.errors, "")
    for finding in told["findings"]:
        check(finding["state"] != "missing" or finding["reason"], f"no reason: {finding}")
        check(finding["state"] != "missing" or finding["needed"] or finding["otherwise"],
              f"what is done instead? {finding}")
    return {finding["name"]: finding for finding in told["findings"]}


def missing(findings):
    return {name for name, finding in findings.items() if finding["state"] == "missing"}


@test()
def this_host(rig):
    """here, where runs work, doctor says so with 0, in text, in JSON and on a packed file"""
    with Untouched():
        done = rig.run(rig.rootlet, "doctor", "--json")
        findings = read(done)
        equal(done.status, 0, repr(done))
        for name in ("user namespaces", "map of ids", "proc of one's own", "network namespace",
                     "FUSE", "system-call filters"):
            equal(findings[name]["state"], "ok", name)
        text = rig.run(rig.rootlet, "doctor")
        file = rig.run(rig.image, "--rootlet-doctor")
        for done in (text, file):
            equal((done.status, done.errors), (0, ""))
            for name in findings:
                contains(done.text, name)
            contains(done.text, "runs work here")
        contains(text.text, "knob user.max_user_namespaces = ")
    for words in (["x"], ["--jsno"], ["--json", "x"]):
        rig.run(rig.rootlet, "doctor", *words).failed_by_us()


def compare(rig, ask, wanted, *parts):
    """ask runs a command on the poor host: the verdict is what a run shows, and the text says why."""
    done = ask(rig.rootlet, "doctor", "--json")
    equal(done.status, wanted, repr(done))
    run = ask(rig.image, "exit", "3")
    equal(run.status, 3 if wanted == 0 else 125, repr(run))
    text = ask(rig.image, "--rootlet-doctor")
    equal(text.status, wanted)
    for part in parts:
        contains(text.text, part)
        if wanted != 0:
            contains(run.errors, part, "what the run says")
    return read(done)


@test()
def no_user_namespaces(rig):
    """user.max_user_namespaces=0: no, with the knob and the remedy"""
    found = compare(rig, lambda *words: rig.start_limited("0", *words), 1,
                    "user namespaces are turned off", "sysctl user.max_user_namespaces=")
    check("user namespaces" in missing(found), str(found))
    equal(found["map of ids"]["state"], "unknown")


@test()
def docker(rig):
    """under Docker's filter: no, with the flags that lift it"""
    compare(rig, rig.in_docker, 1, "the filter of the surrounding container refuses it",
            "--security-opt seccomp=unconfined")


@test()
def masked_proc(rig):
    """a masked /proc: no, with the flag and best-effort"""
    found = compare(rig, lambda *words: rig.run(*words, host=MASKED), 1,
                    "the surrounding container hides parts of its /proc", "systempaths=unconfined")
    equal(missing(found) & {"proc of one's own", "map of ids", "FUSE"}, {"proc of one's own"})


@test()
def no_proc(rig):
    """without /proc: no"""
    found = compare(rig, lambda *words: rig.run(*words, host="mount -t tmpfs x /proc"), 1, "/proc")
    check("a mounted /proc" in missing(found), str(found))


@test()
def no_fuse(rig):
    """without /dev/fuse: yes, and it says that images are unpacked"""
    found = compare(rig, lambda *words: rig.run(*words, host=NO_FUSE), 0, "images are unpacked")
    check("FUSE" in missing(found), str(found))


def without(rig, *numbers):
    return lambda *words: rig.as_root(rig.host_maker, "without", ",".join(map(str, numbers)),
                                      rig.uid, *words)


@test()
def old_kernels(rig):
    """without Landlock, openat2, close_range, mount_setattr: yes, each named with what is done"""
    found = compare(rig, without(rig, LANDLOCK, OPENAT2, CLOSE_RANGE, MOUNT_SETATTR), 0,
                    "Landlock is older than ABI 6, or off")
    wanted = {"Landlock scope of signals", "openat2", "close_range", "mount_setattr"}
    equal(missing(found) & wanted, wanted)


@test()
def no_filters(rig):
    """a kernel without system-call filters: no, and runs do not start without one"""
    # prctl is the only call that is refused, so nothing else changes.
    ask = without(rig, 157)
    done = ask(rig.rootlet, "doctor", "--json")
    equal(done.status, 1, repr(done))
    check("system-call filters" in missing(read(done)), done.text)
    equal(ask(rig.image, "exit", "3").status, 125)


@test()
def no_control_groups(rig):
    """without control groups: yes, and the limits that are refused are named"""
    found = compare(rig, lambda *words: rig.run(*words, host="umount -l /sys/fs/cgroup"), 0,
                    "memory=SIZE is refused")
    check({"limit: memory", "limit: cpus"} <= missing(found), str(found))
    equal("limit: pids" in missing(found), rig.root)


@test()
def inside_a_container(rig):
    """in namespaces as a container makes them, doctor says what a run there shows"""
    nest = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc",
            "--net", "--ipc", "--uts", "--"]
    compare(rig, lambda *words: rig.run(*nest, *words), 0)


@test()
def inside_itself(rig):
    """inside a run, doctor says what a run there shows"""
    bind = f"bind={str(rig.top).replace(':', chr(92) + ':')}"
    inner = rig.copy("inner.AppImage")

    def ask(*words):
        return rig.run(rig.image, f"--rootlet-{bind}", "--rootlet-exec=/bin/sh", "-c",
                       'exec "$@"', "sh", inner, *words)
    told = ask("--rootlet-doctor")
    run = ask("exit", "3")
    check(told.status in (0, 1), repr(told))
    equal(run.status, 3 if told.status == 0 else 125, f"{told} {run}")


@test(by="root")
def nobody_reaps(rig):
    """under a PID 1 that does not reap, doctor says so"""
    done = rig.run("unshare", "--pid", "--fork", "--mount-proc", "--", rig.host_maker, "deaf",
                   rig.rootlet, "doctor")
    contains(done.text, "whoever adopts orphans here does not reap them")
    contains(done.text, "runs work here")


if __name__ == "__main__":
    main()
