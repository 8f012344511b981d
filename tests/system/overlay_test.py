#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A writable layer over the whole root: what it keeps, and what it never lets out."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, contains, equal, main, mount, test

CHANGE = ("echo new > /opt/foo/share/data.txt && rm /opt/foo/share/big && echo x > /made && "
          "mkdir -p /var/lib/x && mv /opt/foo/bin /opt/foo/moved && cat /opt/foo/share/data.txt")
LOOK = "cat /opt/foo/share/data.txt; ls / /opt/foo /opt/foo/share"


@contextmanager
def layer(rig, mode=0o700):
    """A directory for a layer, on the disk: the tests' /tmp is in memory."""
    top = Path(tempfile.mkdtemp(dir="/var", prefix="rootlet-overlay-"))
    top.chmod(0o755)
    own = top / "layer"
    own.mkdir()
    own.chmod(mode)
    os.chown(own, rig.uid, rig.uid)
    try:
        yield own
    finally:
        shutil.rmtree(top, ignore_errors=True)


def tree(rig):
    """A plain directory as the root, the user's own."""
    root = rig.top / "directory-root"
    if not root.exists():
        shutil.copytree("/tmp/rootlet tests/tree", root, symlinks=True)
        subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", root], check=True)
    return root


def inside(rig, root, script, *options):
    return rig.run(rig.rootlet, "run", "--exec=/bin/sh", *options, root, "-c", script)


@test()
def in_memory(rig):
    """overlay=tmpfs: everything can be changed, of an image and of a directory; nothing stays"""
    for root in (rig.image, tree(rig)):
        with Untouched():
            equal(inside(rig, root, CHANGE, "--overlay=tmpfs").text, "new\n", str(root))
        equal(inside(rig, root, "cat /opt/foo/share/data.txt").text, "data of the image\n")
        check("/made" not in inside(rig, root, "ls -d /*").text, "it stayed")
    check(not (tree(rig) / "made").exists(), "the directory was changed")
    equal(inside(rig, rig.image, "echo x > /made", "--overlay=none").status, 1)


@test()
def its_size(rig):
    """overlay=tmpfs:SIZE ends in ENOSPC inside, and bounds nothing outside"""
    done = rig.probe("fill", "/opt/foo/share/filled", options=["overlay=tmpfs:2m"])
    contains(done.text, "fill: ENOSPC")
    check(1000000 < int(done.text.splitlines()[1]) <= 2 << 20, done.text)
    contains(rig.shell("df -m / | tail -1", options=["overlay=tmpfs:7m"]).text, " 7 ")


@test()
def persists(rig):
    """overlay=DIR: what one run changed the next one finds; the image stays as it is"""
    with layer(rig) as own:
        for root in (rig.image, tree(rig)):
            equal(inside(rig, root, CHANGE, f"--overlay={own}").text, "new\n")
            done = inside(rig, root, LOOK, f"--overlay={own}")
            words = done.text.split()
            check("new" in words and "made" in words and "moved" in words and "big" not in words,
                  f"{root}: {done!r}")
            equal(inside(rig, root, "cat /opt/foo/share/data.txt").text, "data of the image\n")
            shutil.rmtree(own / "upper")
            shutil.rmtree(own / "work")


@test()
def is_made_private(rig):
    """a directory that is missing is made, for the user alone; one that others can enter is refused"""
    with layer(rig) as own:
        equal(rig.shell("echo x > /made", options=[f"overlay={own}/new"]).status, 0)
        made = (own / "new").stat()
        equal((stat.S_IMODE(made.st_mode), made.st_uid), (0o700, rig.uid))
    for mode in (0o755, 0o710, 0o770, 0o701):
        with layer(rig, mode) as own:
            rig.shell("exit 3", options=[f"overlay={own}"]).failed_by_us(str(own), "chmod 700")
            check(not os.listdir(own), "something was made in it")
    if not rig.root:
        rig.shell("exit 3", options=["overlay=/root/x"]).failed_by_us("/root/x")


@test()
def set_id_programs(rig):
    """a program that becomes setuid in a layer cannot be reached by another user"""
    with layer(rig) as own:
        rig.shell("cp /bin/busybox /made && chmod 6755 /made /opt/foo/bin/probe",
                  options=[f"overlay={own}"])
        found = [path for path in own.rglob("*") if path.is_file() and path.stat().st_mode & 0o6000]
        check(found, "nothing became setuid: the test shows nothing")
        try:
            subprocess.run([found[0], "true"], user=4711, group=4711, extra_groups=[])
            check(False, "another user executed it")
        except PermissionError:
            pass


@test()
def one_run_at_a_time(rig):
    """two runs cannot use one layer; the second says so, and works after the first"""
    with layer(rig) as own:
        first = rig.start(rig.image, f"--rootlet-overlay={own}", "--rootlet-exec=/bin/sh", "-c",
                          "echo in; read x", stdin=subprocess.PIPE)
        equal(first.stdout.readline(), b"in\n")
        rig.shell("exit 3", options=[f"overlay={own}"]).failed_by_us(str(own), "another run")
        first.kill()  # its lock is gone with all that it started
        first.wait()
        done = None
        for _ in range(50):
            done = rig.shell("exit 3", options=[f"overlay={own}"])
            if done.status == 3:
                break
        equal(done.status, 3, repr(done))


@test()
def out_of_reach(rig):
    """the tool cannot change its layer's directory behind the layer, though it lies in what is bound"""
    with layer(rig) as own:
        rig.shell("echo x > /made", options=[f"overlay={own}"])
        done = rig.shell("echo evil > layer/upper/evil; chmod 755 layer; mv layer l2; ls layer/upper",
                         options=[f"overlay={own}"], cwd=own.parent)
        check("evil" not in done.text and not (own / "upper/evil").exists(), repr(done))
        equal(stat.S_IMODE(own.stat().st_mode), 0o700)


@test(by="root")
def unfit_file_systems(rig):
    """a layer on a file system that cannot hold one is refused, with the reason"""
    with layer(rig) as own:
        for name in ("lower", "upper", "work", "merged"):
            (own / name).mkdir()
        mount("overlay", str(own / "merged"), "overlay", 0,
              f"lowerdir={own}/lower,upperdir={own}/upper,workdir={own}/work")
        try:
            where = own / "merged/layer"
            where.mkdir(mode=0o700)
            rig.shell("exit 3", options=[f"overlay={where}"]).failed_by_us("an overlay", "tmpfs")
        finally:
            subprocess.run(["umount", own / "merged"], check=True)


@test()
def not_over_other_mounts(rig):
    """over a root with mounts below it, as the host's, a layer would hide them: it is refused"""
    inside(rig, "/", "exit 3", "--overlay=tmpfs").failed_by_us("would not be seen", "writable")


@test()
def with_binds(rig):
    """binds, the current directory and /tmp lie over the layer, made where the image lacks them"""
    (rig.cwd / "mine").write_text("mine\n")
    for options in (["overlay=tmpfs"], ["overlay=tmpfs", "profile=isolated", f"input={rig.cwd}"]):
        done = rig.shell(f"cat '{rig.cwd}/mine' /deep/er/mine; echo t > /tmp/t; cat /tmp/t; id -un",
                         options=[*options, f"bind={rig.cwd}:/deep/er"])
        equal(done.text.splitlines()[:3], ["mine", "mine", "t"], repr(done))


if __name__ == "__main__":
    main()
