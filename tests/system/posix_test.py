#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files do what POSIX promises wherever a tool may write, and on the image."""
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test

SOURCE = Path(__file__).resolve().parents[1] / "probe/posix.c"


def program(rig):
    """The POSIX program, beside the image; shown inside at /posix."""
    made = WORK / "tools/posix"
    if not made.exists():
        subprocess.run(["gcc", "-static", "-O1", "-o", made, SOURCE], check=True)
    return f"bind={made}:/posix:ro"


@contextmanager
def on_disk(rig):
    """A directory on the disk: the tests' /tmp is in memory."""
    top = Path(tempfile.mkdtemp(dir="/var", prefix="rootlet-posix-"))
    top.chmod(0o755)
    own = top / "own"
    own.mkdir(mode=0o700)
    os.chown(own, rig.uid, rig.uid)
    try:
        yield own
    finally:
        shutil.rmtree(top, ignore_errors=True)


def kept(rig, directory, *options, **keywords):
    """Every line of the program is ok there."""
    done = rig.shell(f"mkdir -p '{directory}' && exec /posix write '{directory}'",
                     options=[program(rig), *options], **keywords)
    wrong = [line for line in done.text.splitlines() if not line.endswith(": ok")]
    check(done.status == 0 and not wrong and len(done.text.splitlines()) > 25,
          f"{directory} {options}: {wrong or done!r}")


@test()
def bound(rig):
    """in a directory bound from the disk"""
    with on_disk(rig) as own:
        kept(rig, own, cwd=own)
        kept(rig, "/data/x", f"bind={own}:/data")


@test()
def scratch(rig):
    """in /tmp, the home, and a place made writable, in memory and on the disk"""
    for directory in ("/tmp/x", f"{rig.home}/x", "/opt/foo/new/x", "/opt/foo/share/x"):
        kept(rig, directory, "writable=/opt/foo/new", "writable=/opt/foo/share", "tmp=64m", cwd="/")
    with on_disk(rig) as own:
        kept(rig, "/tmp/x", f"tmp={own}")


@test()
def overlay(rig):
    """in a writable layer over the image, in memory and on the disk"""
    kept(rig, "/x", "overlay=tmpfs:64m")
    kept(rig, "/opt/foo/share/x", "overlay=tmpfs:64m")
    with on_disk(rig) as own:
        kept(rig, "/opt/foo/share/x", f"overlay={own}")


@test()
def locks_between_runs(rig):
    """fcntl and flock locks of one run are seen by another, on a bind and outside of both"""
    (rig.cwd / "locked").write_text("x")
    os.chown(rig.cwd / "locked", rig.uid, rig.uid)
    first = rig.start(rig.image, "--rootlet-" + program(rig), "--rootlet-exec=/posix", "hold", "locked",
                      stdin=subprocess.PIPE)
    try:
        equal([first.stdout.readline() for _ in range(2)], [b"fcntl: ok\n", b"flock: ok\n"])
        taken = "fcntl: taken\nflock: taken\n"
        equal(rig.probe("try", "locked", options=[program(rig), "exec=/posix"]).text, taken)
        equal(rig.run(WORK / "tools/posix", "try", "locked").text, taken)
    finally:
        first.communicate(b"x", 10)
    equal(rig.probe("try", "locked", options=[program(rig), "exec=/posix"]).text,
          "fcntl: ok\nflock: ok\n")


@test()
def image(rig):
    """on the image: mmap of code, statx, positions in a long directory"""
    for options in ([], ["mount=extract"], ["overlay=tmpfs"]):
        done = rig.probe("read", "/opt/foo/bin/probe", "/bin",
                         options=[program(rig), "exec=/posix", *options])
        wrong = [line for line in done.text.splitlines() if not line.endswith(": ok")]
        if options == ["overlay=tmpfs"]:
            wrong = [line for line in wrong if not line.startswith("not for writing")]
        check(not wrong and len(done.text.splitlines()) == 6, f"{options}: {wrong or done!r}")


if __name__ == "__main__":
    main()
