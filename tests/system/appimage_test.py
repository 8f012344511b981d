#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people and programs expect of an AppImage: its own options and variables, and the
directories beside it."""
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import UID, Untouched, check, contains, equal, main, test
from servers import wait_until

DATA = "opt/foo/share/data.txt"
ANSWER = "data of the image\n"


def show(rig, *options, **keywords):
    """Starts --appimage-mount; returns its process and the directory that it tells."""
    process = rig.start(rig.image, *options, "--appimage-mount", **keywords)
    return process, Path(process.stdout.readline().decode().rstrip("\n"))


def read_as(rig, path, uid=None):
    """What a process of another user (or of the same one) reads there."""
    return subprocess.run(["setpriv", f"--reuid={uid if uid is not None else rig.uid}",
                           f"--regid={uid if uid is not None else rig.uid}", "--clear-groups", "--",
                           "cat", path], capture_output=True, text=True)


@test()
def mount(rig):
    """--appimage-mount tells a directory that other processes of the user can read and run from"""
    with Untouched():
        process, directory = show(rig)
        try:
            equal(read_as(rig, directory / DATA).stdout, ANSWER, "what another process reads")
            ran = rig.run(directory / "bin/busybox", "echo", "ran")
            equal(ran.text, "ran\n", repr(ran))
            check(not os.access(directory / DATA, os.W_OK) or rig.root, "it is writable")
            stranger = read_as(rig, directory / DATA, UID + 1)
            check(stranger.returncode != 0 and stranger.stdout == "", "another user can read it")
        finally:
            process.terminate()
            _, err = process.communicate(timeout=10)
        equal(process.returncode, -signal.SIGTERM, "how it ended")
        contains(err.decode(), "only processes of this user", "stderr")


@test()
def mount_ends(rig):
    """nothing of --appimage-mount is left, however it ends"""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        with Untouched():
            process, directory = show(rig)
            equal(read_as(rig, directory / DATA).stdout, ANSWER, "what another process reads")
            process.send_signal(number)
            process.communicate(timeout=10)
            equal(process.returncode, -number, "how it ended")
        # An orphan is there until it is reaped.
        wait_until(lambda: not directory.parent.exists(), 10, f"{directory} is still there")


@test()
def mount_without_fuse(rig):
    """without /dev/fuse --appimage-mount unpacks, and removes that at the end"""
    with Untouched():
        process, directory = show(rig, host="mount -t tmpfs none /dev")
        try:
            equal(read_as(rig, directory / DATA).stdout, ANSWER, "what another process reads")
        finally:
            process.terminate()
            process.communicate(timeout=10)


@test()
def mount_of_another_file(rig):
    """TARGET_APPIMAGE names the file for --appimage-mount, as checkers start it"""
    process, directory = show(rig, env={"TARGET_APPIMAGE": str(rig.image)})
    equal(read_as(rig, directory / DATA).stdout, ANSWER, "what another process reads")
    process.terminate()
    process.communicate(timeout=10)


@test()
def extract_and_run(rig):
    """--appimage-extract-and-run and APPIMAGE_EXTRACT_AND_RUN unpack first, two at once, no trace"""
    script = ["--rootlet-exec=/bin/sh"]
    with Untouched():
        done = rig.run(rig.image, *script, "--appimage-extract-and-run", "-c",
                       f"cat /{DATA}; stat -f -c %T /; exit 7")
        check(done.status == 7 and done.text.startswith(ANSWER), repr(done))
        check("fuse" not in done.text, f"it was served: {done}")
        runs = [rig.start(rig.image, *script, "-c", f"cat /{DATA}",
                          env={"APPIMAGE_EXTRACT_AND_RUN": value}) for value in ("1", "0", "")]
        for run in runs:
            equal(run.communicate(timeout=30)[0].decode(), ANSWER, "a run at the same time")


@test()
def portable_directories(rig):
    """--appimage-portable-home, -config, -share, -cache: what a tool writes there stays there"""
    image = rig.copy("portable.AppImage")
    inside = {"home": "$HOME/note", "config": "$XDG_CONFIG_HOME/note",
              "share": "$HOME/.local/share/note", "cache": "$XDG_CACHE_HOME/note"}
    for kind, path in inside.items():
        directory = Path(f"{image}.{kind}")
        for _ in range(2):
            done = rig.run(image, f"--appimage-portable-{kind}")
            equal((done.status, done.text), (0, ""), repr(done))
            contains(done.errors, str(directory), "stderr")
        equal(oct(directory.stat().st_mode & 0o777), "0o700", "mode")
        done = rig.run(image, "--rootlet-exec=/bin/sh", "-c", f'echo kept > "{path}"')
        equal(done.status, 0, repr(done))
        equal((directory / "note").read_text(), "kept\n", f"{kind} afterwards")
    equal(list(rig.home.glob("note")), [], "the real home")


@test("user")
def portable_directory_of_another(rig):
    """a portable directory that is another's, or that others may write to, is left alone"""
    image = rig.copy("trap.AppImage")
    trap = Path(f"{image}.home")
    for uid, mode, why in ((0, 0o700, "not yours"), (rig.uid, 0o777, "others may write")):
        trap.mkdir(exist_ok=True)
        os.chown(trap, uid, uid)
        trap.chmod(mode)
        done = rig.run(image, "--rootlet-exec=/bin/sh", "-c", 'echo x > "$HOME/note"; ls -A "$HOME"')
        equal(done.text, "note\nproject\n", repr(done))
        contains(done.errors, why, "stderr")
        equal(list(trap.iterdir()), [], "the trap")


if __name__ == "__main__":
    main()
