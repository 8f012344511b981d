#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unpacking: by several threads, the same tree; what happens without room, threads or time."""
import hashlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Untouched, check, contains, equal, main, test

MIB = 1 << 20


def tree_and_image(rig):
    """A tree with a long, a sparse, many small and linked files, and its image."""
    tree = rig.top / "tree"
    if not tree.exists():
        subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
        noise = hashlib.shake_128(b"rootlet").digest(MIB)
        (tree / "long").write_bytes(noise * 37 + b"end")
        with open(tree / "sparse", "wb") as file:
            file.seek(40 * MIB)
            file.write(b"in the middle")
            file.truncate(80 * MIB)
        (tree / "small").mkdir()
        for number in range(600):
            (tree / f"small/{number}").write_bytes(noise[number:number + number % 7000])
        os.link(tree / "long", tree / "small/linked")
        (tree / "small/to").symlink_to("../long")
        (tree / "small/0").chmod(0o640)
        (tree / "small").chmod(0o555)
        for path in (tree / "long", tree / "small/1", tree / "small"):
            os.utime(path, (1234567, 1234567))
    image = rig.top / "tree.AppImage"
    if not image.exists():
        rig.build(tree, image.name, "--entry", "/opt/foo/bin/probe", "--comp-level", "1")
    return tree, image


def listing(top):
    """Of each file: kind and mode, size, time, content."""
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = Path(directory, name)
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else ""
            if path.is_file() and not path.is_symlink():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            mtime = 0 if path.is_symlink() or path.is_dir() and "small" not in name else status.st_mtime
            found[str(path.relative_to(top))] = (oct(status.st_mode), int(mtime), content)
    return found


def place(rig):
    here = rig.top / "unpacked"
    subprocess.run(["rm", "-rf", here], check=True)
    here.mkdir()
    os.chown(here, rig.uid, rig.uid)
    return here


@test()
def same_tree(rig):
    """unpacked by as many threads as there are processors, by one, and where none can be had"""
    tree, image = tree_and_image(rig)
    wanted = listing(tree)
    for before in ([], ["taskset", "-c", "0"], ["prlimit", "--nproc=1:1"]):
        here = place(rig)
        done = rig.run(*before, image, "--appimage-extract", cwd=here)
        equal(done.status, 0, repr(done))
        root = here / "squashfs-root"
        found = listing(root)
        for path, what in wanted.items():
            equal(found.get(path), what, f"{before}: {path}")
        equal((root / "long").stat().st_ino, (root / "small/linked").stat().st_ino, "hard link")
        check((root / "sparse").stat().st_blocks * 512 < 2 * MIB, "the holes were filled")
    place(rig)


@test()
def in_a_run(rig):
    """mount=extract: the tool sees the same as when the image is served"""
    _, image = tree_and_image(rig)
    script = ["--rootlet-exec=/bin/sh", "-c", "sha256sum /long /sparse /small/* 2>/dev/null; stat -c %a /small/0"]
    served = rig.run(image, "--rootlet-mount=private", *script)
    with Untouched():
        unpacked = rig.run(image, "--rootlet-mount=extract", *script)
    equal(unpacked.text, served.text)
    check(len(served.text) > 600 * 64, "too little")


@test()
def no_room(rig):
    """a disk that fills up: one line that says so and where, nothing stays, another place is tried"""
    _, image = tree_and_image(rig)
    here = place(rig)
    full = f"mount -t tmpfs -o size=4m,mode=1777 none '{here}'"
    done = rig.run("/bin/sh", "-c", 'cd "$0" && exec "$@"', here, image, "--appimage-extract", host=full)
    done.failed_by_us("unpack the image", "ENOSPC", "make room")
    with Untouched():
        done = rig.run("/bin/sh", "-c", '"$@"; code=$?; ls -A "$0"; exit $code', here, image,
                       "--rootlet-no-isolation", "--rootlet-verbose", "--rootlet-exec=/opt/foo/bin/probe",
                       "exit", "3", host=full, env={"XDG_CACHE_HOME": str(here)})
    equal((done.status, done.out), (3, b""), repr(done))
    contains(done.errors, f"{here}: No space left on device (ENOSPC); trying elsewhere")


@test()
def killed_meanwhile(rig):
    """killed while it unpacks: the next run sweeps what was there"""
    _, image = tree_and_image(rig)
    cache = rig.home / ".cache"
    cache.mkdir(exist_ok=True)
    os.chown(cache, rig.uid, rig.uid)
    left = 0
    for number in range(12):
        run = rig.start(image, "--rootlet-no-isolation", "--rootlet-exec=/opt/foo/bin/probe", "wait")
        time.sleep(0.004 * number)
        run.kill()
        run.communicate()
        left += len(list(cache.glob("rootlet-*/run-*")))
    check(left > 0, "no kill hit")
    with Untouched():
        rig.run(image, "--rootlet-no-isolation", "--rootlet-exec=/opt/foo/bin/probe", "exit", "3")
    equal(list(cache.glob("rootlet-*")), [], "left behind")


def stopped_at_work(run, here):
    """Stopped while it unpacks; or it was quicker than that."""
    while run.poll() is None and not (here / "squashfs-root").exists():
        time.sleep(0.0005)
    run.send_signal(signal.SIGSTOP)
    return os.waitid(os.P_PID, run.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT).si_code == os.CLD_STOPPED


def on_a_terminal(rig, stop):
    """What --appimage-extract writes to a terminal as its stderr."""
    _, image = tree_and_image(rig)
    for _ in range(20):
        terminal, theirs = pty.openpty()
        here = place(rig)
        run = rig.start(image, "--appimage-extract", cwd=here, stderr=theirs)
        os.close(theirs)
        if not stop or stopped_at_work(run, here):
            break
        run.communicate()
        os.close(terminal)
    if stop:
        time.sleep(1.2)
        run.send_signal(signal.SIGCONT)
    written = b""
    while run.poll() is None or select.select([terminal], [], [], 0)[0]:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                written += os.read(terminal, 4096)
        except OSError:  # nobody holds the other end
            break
    run.communicate()
    os.close(terminal)
    return run.returncode, written.decode()


@test()
def progress(rig):
    """after a second a terminal is told how far it is; not before, and the line is wiped at the end"""
    status, text = on_a_terminal(rig, stop=True)
    equal(status, 0, text)
    contains(text, "rootlet: unpacking ")
    contains(text, " MiB")
    check(text.endswith("\r\033[K"), repr(text))
    started = time.monotonic()
    status, text = on_a_terminal(rig, stop=False)
    check(status == 0 and (text == "" or time.monotonic() - started > 0.9), repr(text))
    place(rig)


if __name__ == "__main__":
    main()
