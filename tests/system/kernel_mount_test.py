#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount=kernel: root may have the kernel mount the image, nobody else may."""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, UID, Untouched, WORK, check, contains, equal, main, test


def loops():
    """The files behind loop devices."""
    found = []
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.append(path.read_text())
        except OSError:  # it went meanwhile
            pass
    return sorted(found)


def none_left(before, seconds=2.0):
    deadline = time.monotonic() + seconds
    while loops() != before and time.monotonic() < deadline:
        time.sleep(0.01)  # the kernel lets go of a device a moment after its last user
    equal(loops(), before, "loop devices")


def needs_loops():
    if not Path("/dev/loop-control").exists():
        raise Skip("no /dev/loop-control on this machine")
    if "squashfs" not in Path("/proc/filesystems").read_text() and not shutil.which("modprobe"):
        raise Skip("this kernel has no squashfs")


@test(by="root")
def content(rig):
    """as root, with mount=kernel: the same files as when served, read-only, no server, nothing left"""
    needs_loops()
    script = "cd / && find . -xdev -type f | sort | xargs sha256sum; touch /opt/new; exit 7"
    served = rig.shell(script, options=["mount=private"])
    before = loops()
    with Untouched():
        done = rig.shell(script, options=["mount=kernel"])
    equal((done.status, done.text), (7, served.text))
    contains(done.errors, "Read-only file system")
    none_left(before)
    done = rig.shell("grep ' / ' /proc/mounts; cat /proc/self/mountinfo", options=["mount=kernel"])
    contains(done.text, " / squashfs ro,nosuid,nodev")
    contains(rig.shell("", options=["mount=kernel", "dry-run"]).text, "image, mounted by the kernel")


@test(by="root")
def attached(rig):
    """attached images too, their parts, and what is missing in them"""
    needs_loops()
    before = loops()
    with Untouched():
        done = rig.shell("cat /d/data.txt /e/opt/foo/share/data.txt /e/new/x/data.txt",
                         options=["mount=kernel", f"attach={rig.image}//opt/foo/share:/d",
                                  f"attach={rig.image}//opt/foo/share:/e/new/x",
                                  f"attach={rig.image}:/e"])
    equal(done.text, "data of the image\n" * 3, repr(done))
    none_left(before)


@test(by="root")
def killed(rig):
    """kill -9 of the launcher, or of init, leaves no mount and no loop device"""
    needs_loops()
    before = loops()
    for victim in ("launcher", "init"):
        with Untouched():
            run = rig.start(rig.image, "--rootlet-mount=kernel", "--rootlet-exec=/bin/sh", "-c",
                            "echo up; sleep 60")
            equal(run.stdout.readline(), b"up\n")
            equal(len(loops()), len(before) + 1, "loop devices while it runs")
            children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
            equal(len(children), 1, "children: init alone")
            os.kill(run.pid if victim == "launcher" else int(children[0]), signal.SIGKILL)
            run.communicate(timeout=10)
        none_left(before)


@test(by="root")
def refused_files(rig):
    """a file that others can write to, or own, is refused: the kernel would trust them"""
    needs_loops()
    before = loops()
    for spoil, mend in ((lambda p: p.chmod(0o775), lambda p: p.chmod(0o755)),
                        (lambda p: p.chmod(0o757), lambda p: p.chmod(0o755)),
                        (lambda p: os.chown(p, UID, 0), lambda p: os.chown(p, 0, 0))):
        image = rig.copy("spoiled.AppImage")
        spoil(image)
        done = rig.run(image, "--rootlet-mount=kernel", "--rootlet-exec=/bin/true")
        done.failed_by_us("spoiled.AppImage", "others than root can write to it", "hint: ")
        mend(image)
        equal(rig.run(image, "--rootlet-mount=kernel", "--rootlet-exec=/bin/true").status, 0)
    done = rig.shell("true", options=["mount=kernel", f"attach={rig.copy('mine.AppImage')}:/d"])
    equal(done.status, 0, repr(done))
    os.chown(rig.top / "mine.AppImage", UID, UID)
    rig.shell("true", options=["mount=kernel", f"attach={rig.top}/mine.AppImage:/d"]).failed_by_us(
        "mine.AppImage")
    none_left(before)


@test(by="root")
def not_in_a_container(rig):
    """the root of a user namespace is told that it takes the host's"""
    needs_loops()
    done = rig.run("unshare", "--user", "--map-root-user", rig.image, "--rootlet-mount=kernel",
                   "--rootlet-exec=/bin/true")
    equal(done.status, 125, repr(done))
    contains(done.errors, "rootlet: ")


@test(by="user")
def refused_users(rig):
    """a plain user cannot have it: 125, and the message says what to leave out"""
    before = loops()
    for options in (["mount=kernel"], ["mount=kernel", "best-effort"]):
        rig.shell("true", options=options).failed_by_us("mount=kernel", "only root", "leave it out")
    equal(loops(), before)


@test(by="root")
def never_from_a_policy(rig):
    """an image's policy cannot ask for it"""
    file = rig.top / "kernel.toml"
    file.write_text('[tool]\nname = "probe"\nentrypoint = ["/bin/true"]\n'
                    '[isolation]\nmount = "kernel"\n')
    made = subprocess.run([rig.rootlet, "build", WORK / "tree", "-q", "--force", "-o",
                           rig.top / "kernel.AppImage", "--policy", file], capture_output=True,
                          text=True)
    check(made.returncode != 0 and "mount" in made.stderr, made.stderr)


if __name__ == "__main__":
    main()
