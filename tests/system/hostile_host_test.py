#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hosts that refuse something: the run works, or says what to change."""
import os
import resource
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import MASKED, UID, Skip, Untouched, check, contains, equal, main, test

NO_FUSE = {"missing": "mkdir /tmp/dev; mount --rbind /dev /tmp/dev; mount -t tmpfs x /dev;"
                      "for d in null zero full random urandom tty; do touch /dev/$d;"
                      "mount --bind /tmp/dev/$d /dev/$d; done; ln -s /proc/self/fd /dev/fd;"
                      "umount -R -l /tmp/dev; rmdir /tmp/dev",
           "forbidden": "mount -t tmpfs x /mnt; mknod -m 000 /mnt/f c 10 229; chmod 000 /mnt/f;"
                        "mount --bind /mnt/f /dev/fuse",
           "a plain file": "mount -t tmpfs x /mnt; touch /mnt/f; chmod 666 /mnt/f;"
                           "mount --bind /mnt/f /dev/fuse",
           "another device": "mount --bind /dev/null /dev/fuse"}


def same_as_ever(rig, done):
    equal(done.status, 0, repr(done))
    equal(done.text, "data of the image\n")


@test()
def namespaces_turned_off(rig):
    """user.max_user_namespaces=0: 125, the knob named, no-isolation as the hint"""
    with Untouched():
        done = rig.start_limited("0", rig.image, "exit", "3")
    done.failed_by_us("user.max_user_namespaces", "turned off", "sysctl",
                      "--rootlet-no-isolation")
    check("No space left" not in done.errors, "ENOSPC's own text sends people to the disk")


@test()
def namespaces_just_enough(rig):
    """a limit of one or two user namespaces suffices for a run"""
    equal(rig.start_limited("2", rig.image, "exit", "3").status, 3)


@test()
def docker_filter(rig):
    """under Docker's seccomp filter: 125, the flags that lift it, no-isolation as the hint"""
    with Untouched():
        done = rig.in_docker(rig.image, "exit", "3")
    done.failed_by_us("filter of the surrounding container", "--security-opt seccomp=unconfined",
                      "--rootlet-no-isolation")


def without_fuse(kind):
    def run(rig):
        """without a usable /dev/fuse the run is isolated all the same, and verbose says how"""
        if kind == "forbidden" and rig.root:
            raise Skip("no mode forbids root anything")
        with Untouched():
            done = rig.shell("cat /opt/foo/share/data.txt; echo x > /opt/foo/x",
                             host=NO_FUSE[kind])
        equal(done.text, "data of the image\n", repr(done))
        check(done.status != 0, "the unpacked image could be written")
        done = rig.shell("cat /opt/foo/share/data.txt", options=["verbose"], host=NO_FUSE[kind])
        same_as_ever(rig, done)
        contains(done.errors, "/dev/fuse")
        contains(done.errors, "memory")
        equal(rig.shell("grep ' / / ' /proc/self/mountinfo | grep -c tmpfs; exit 0",
                        host=NO_FUSE[kind]).text, "1\n")
    run.__name__ = "fuse_" + kind.replace(" ", "_")
    return run


for kind in NO_FUSE:
    test()(without_fuse(kind))


@test()
def private_server_without_fuse(rig):
    """mount=private without /dev/fuse is refused, not quietly unpacked"""
    rig.probe("exit", "3", options=["mount=private"], host=NO_FUSE["missing"]).failed_by_us(
        "/dev/fuse")


def big_image(rig):
    path = rig.top / "big.AppImage"
    if not path.exists():
        import shutil
        tree = rig.top / "big tree"
        shutil.copytree("/tmp/rootlet tests/tree", tree, symlinks=True)
        with open(tree / "opt/foo/share/huge", "wb") as file:
            file.truncate(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 3)
        rig.build(tree, "big.AppImage", "--entry", "/opt/foo/bin/probe")
        shutil.rmtree(tree)
    return path


def unpacked(rig):
    return sorted((rig.home / ".cache").glob("rootlet-*/run-*"))


@test()
def big_image_without_fuse(rig):
    """an image beyond a quarter of free memory is unpacked into a 0700 directory, then removed"""
    (rig.home / ".cache").mkdir(exist_ok=True)
    os.chown(rig.home / ".cache", rig.uid, rig.uid)
    image = big_image(rig)
    process = rig.start(image, "--rootlet-mount=extract", "wait")
    equal(process.stdout.readline(), b"ready\n")
    found = unpacked(rig)
    equal(len(found), 1, "directories")
    for directory in (found[0], found[0].parent):
        equal(oct(directory.stat().st_mode & 0o777), "0o700", str(directory))
        equal(directory.stat().st_uid, rig.uid, "owner")
    process.terminate()
    process.wait(20)
    equal(unpacked(rig), [], "left behind")


@test()
def swept_after_a_kill(rig):
    """what a killed run left unpacked is removed by the next run, a living run's is not"""
    image = big_image(rig)
    (rig.home / ".cache").mkdir(exist_ok=True)
    os.chown(rig.home / ".cache", rig.uid, rig.uid)
    living = rig.start(image, "--rootlet-mount=extract", "wait")
    living.stdout.readline()
    kept = unpacked(rig)
    killed = rig.start(image, "--rootlet-mount=extract", "wait")
    killed.stdout.readline()
    killed.kill()
    killed.wait()
    check(len(unpacked(rig)) == 2, "nothing to sweep")
    time.sleep(0.3)
    equal(rig.run(image, "--rootlet-mount=extract", "exit", "3").status, 3)
    equal(unpacked(rig), kept, "directories")
    living.terminate()
    living.wait(20)
    equal(unpacked(rig), [], "left behind")


@test()
def someone_elses_directory(rig):
    """a directory of our name that is not ours alone is never used"""
    cache = rig.top / "shared cache"
    cache.mkdir(exist_ok=True)
    cache.chmod(0o777)
    taken = cache / f"rootlet-{rig.uid}"
    taken.mkdir(exist_ok=True)
    taken.chmod(0o777)
    done = rig.run(big_image(rig), "--rootlet-mount=extract", "exit", "3",
                   env={"XDG_CACHE_HOME": str(cache)})
    equal(done.status, 3, repr(done))
    equal(list(taken.iterdir()), [], "used")


@test()
def masked_proc(rig):
    """a /proc that is partly covered (Docker): 125 with the remedy; best-effort works"""
    with Untouched():
        rig.probe("exit", "3", host=MASKED).failed_by_us("/proc", "systempaths=unconfined",
                                                         "best-effort")
    done = rig.shell("cat /opt/foo/share/data.txt", options=["best-effort"], host=MASKED)
    same_as_ever(rig, done)
    contains(done.errors, "best effort")
    equal(len(done.errors.splitlines()), 1, "lines")


@test()
def no_proc(rig):
    """no /proc at all: 125 in one line that says so"""
    rig.probe("exit", "3", host="mount -t tmpfs x /proc").failed_by_us("/proc")


@test()
def temporary_directories(rig):
    """a noexec, read-only, full or missing /tmp does not matter"""
    top = "/tmp/rootlet tests"
    keep = f"mkdir -p /mnt/k; mount --rbind '{top}' /mnt/k;"
    back = f"mkdir -p '{top}'; mount --rbind /mnt/k '{top}';"
    hosts = {"noexec": keep + "mount -t tmpfs -o noexec x /tmp;" + back,
             "read-only": keep + f"mount -t tmpfs x /tmp; {back} mount -o remount,bind,ro /tmp",
             "full": keep + "mount -t tmpfs -o size=8k x /tmp;" + back +
                     "dd if=/dev/zero of=/tmp/f bs=4k count=9 2>/dev/null || true"}
    for name, host in hosts.items():
        for options in ([], ["mount=extract"], ["profile=isolated"]):
            done = rig.shell("cat /opt/foo/share/data.txt; echo x > /tmp/f", options=options,
                             host="mount -t tmpfs x /mnt;" + host)
            same_as_ever(rig, done)


@test()
def no_home(rig):
    """without HOME, or with one that is not there, the run works"""
    for home in (None, "", "/nonexistent", "relative"):
        same_as_ever(rig, rig.shell("cat /opt/foo/share/data.txt", env={"HOME": home}))
    same_as_ever(rig, rig.run("/usr/bin/env", "-i", rig.image, "--rootlet-exec=/bin/cat",
                              "/opt/foo/share/data.txt"))


@test()
def few_descriptors(rig):
    """RLIMIT_NOFILE=32 suffices"""
    same_as_ever(rig, rig.shell("cat /opt/foo/share/data.txt", preexec_fn=lambda: (
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)))))


@test()
def few_processes(rig):
    """too small an RLIMIT_NPROC: 125 in one line, no hang"""
    if rig.root:
        raise Skip("root has no such limit")
    ends = []
    for most in range(1, 8):  # launcher, server, init, tool: each fork fails once
        with Untouched():
            # As a user of its own: the limit counts all processes of a user.
            done = rig.run(rig.image, "exit", "3", timeout=10, cwd="/tmp", user=UID + 1,
                           group=UID + 1, preexec_fn=lambda: (
                               resource.setrlimit(resource.RLIMIT_NPROC, (most, most))))
        if done.status != 3:
            done.failed_by_us()
        ends.append(done.status)
    check(125 in ends and ends[-1] == 3, f"ends {ends}")


def ends_as_ever(rig, prepare):
    equal(rig.run(rig.image, "exit", "3", preexec_fn=prepare, timeout=10).status, 3)
    equal(rig.probe("die", "15", preexec_fn=prepare, timeout=10).status, -15)


@test()
def ignored_children(rig):
    """a caller that ignores SIGCHLD (some daemons do) changes nothing"""
    ends_as_ever(rig, lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))


@test()
def blocked_signals(rig):
    """a caller that blocks every signal changes nothing, and the tool inherits the mask"""
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    ends_as_ever(rig, block)
    wanted = rig.run("/bin/grep", "SigBlk", "/proc/self/status", preexec_fn=block).text
    equal(rig.shell("exec grep SigBlk /proc/self/status", preexec_fn=block).text, wanted)


@test()
def nested_in_itself(rig):
    """a packed file inside a packed file: it runs, or says what is missing there"""
    done = rig.shell(f"'{rig.copy('project.AppImage')}' exit 7",
                     options=[f"bind={str(rig.top).replace(':', chr(92) + ':')}"])
    check(done.status in (7, 125), repr(done))


if __name__ == "__main__":
    main()
