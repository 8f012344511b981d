#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The process that looks into other people's AppImages, taken over by one of them: what can it do?
Each attack is played confined and, to show that it is one, not confined."""
import os
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from appimages import appdir, type_1, type_2
from rig import check, contains, equal, main, test

# Refused in every job; the last ones, which open by name, only where nothing is opened.
ATTACKS = ("list", "change", "socket", "exec", "kill", "trace", "namespace", "code",
           "memory", "io_uring")


def holed(rig):
    """rootlet, with an examiner that does what the file says."""
    top = rig.top / "holed"
    if not top.exists():
        top.mkdir()
        for name, source in (("rootlet", "rootlet"), ("rootlet-tools", "rootlet-tools"),
                             ("rootlet-examiner", "rootlet-examiner-with-hole")):
            shutil.copy(rig.tools / source, top / name)
        os.chown(top, rig.uid, rig.uid)
    return top / "rootlet"


def play(rig, image, order, *words):
    path = rig.copy("attack.AppImage", image + b"hole" + order.encode())
    return rig.run(holed(rig), *words, path, timeout=90)


def listen():
    """A service of the host's loopback."""
    server = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return
    threading.Thread(target=loop, daemon=True).start()
    return server


@test()
def taken_over(rig):
    """a reader taken over opens, writes, removes, connects, executes, signals, traces nothing"""
    secret = rig.home / ".ssh/id"
    secret.parent.mkdir()
    secret.write_text("secret")
    for path in (secret, secret.parent):
        os.chown(path, rig.uid, rig.uid)
    image = type_2(rig, appdir(rig)).read_bytes()
    server = listen()
    made = rig.home / "made"
    for job in ("ls", "inspect"):  # one opens nothing, one opens the file by name
        for what in (*ATTACKS, f"open {secret}", f"write {made}", f"unlink {secret}",
                     f"connect {server.getsockname()[1]}"):
            word = what.split()[0]
            free = play(rig, image, "!" + what, job)
            if word not in ("trace", "memory"):  # which the machine may refuse by itself
                contains(free.errors, f"hole: {word} worked", f"{word}, not confined")
            if word == "unlink":
                secret.write_text("secret")
                os.chown(secret, rig.uid, rig.uid)
            made.unlink(missing_ok=True)
            done = play(rig, image, ":" + what, job)
            done.failed_by_us("attack.AppImage")
            check(f"{word} was refused" in done.errors
                  or "a system call that no reader makes" in done.errors, f"{job}, {what}: {done}")
            check(not made.exists() and secret.exists(), f"{what} changed the host")
            print(f"        {job}: {word}: not confined: worked; confined: "
                  + ("refused" if "refused" in done.errors else "ended"))
    server.close()
    shutil.rmtree(secret.parent)


@test(by="user")
def liars(rig):
    """one that dies, leaves, spins, floods or talks nonsense is our error, with its reason, 125"""
    image = type_2(rig, appdir(rig)).read_bytes()
    for order, why in (("die", "died of Illegal instruction"), ("leave", "without a word"),
                       ("spin", "longer than anything sensible"), ("nonsense", "makes no sense"),
                       ("length", "makes no sense"), ("flood", "more than 64 MiB")):
        started = time.monotonic()
        done = play(rig, image, ":" + order, "inspect")
        done.failed_by_us("attack.AppImage", why)
        check(time.monotonic() - started < 80, f"{order} took too long")
    play(rig, image, ":climb", "ls").failed_by_us("makes no sense")


@test(by="user")
def silence(rig):
    """one that says nothing is ended after a while, and with it nothing of ours is left"""
    tree = appdir(rig, files={"usr/share/icons/hicolor/16x16/apps/foo.png": b"no picture hole:hang"})
    image = type_2(rig, tree)
    started = time.monotonic()
    done = rig.run(holed(rig), "install", image, env={"HOME": str(rig.top)}, timeout=90)
    equal(done.status, 0, repr(done))
    contains(done.errors, "16x16/apps/foo.png: its reader has said nothing for 15 seconds")
    check(time.monotonic() - started < 80, "it took too long")
    equal(rig.run(holed(rig), "uninstall", image, env={"HOME": str(rig.top)}).status, 0)


@test()
def unpacking_what_it_says(rig):
    """names that climb, from a reader taken over, are written nowhere"""
    image = type_1(rig, appdir(rig)).read_bytes()
    for order, why in (("climb", "makes no sense"), ("inside", "makes no sense"),
                       ("absolute", "makes no sense"), ("through", "/a: ")):
        to = rig.cwd / "a/b/to"
        to.parent.mkdir(parents=True, exist_ok=True)
        for path in (to.parent, to.parent.parent):
            os.chown(path, rig.uid, rig.uid)
        path = rig.copy("attack.AppImage", image + b"hole:" + order.encode())
        rig.run(holed(rig), "extract", path, "-C", to).failed_by_us(why)
        rig.run(holed(rig), "run", path).failed_by_us(why)
        for place in (rig.cwd, Path("/tmp"), Path("/")):
            check(not list(place.glob("climbed")) and not list(place.glob("*/climbed")), order)
        shutil.rmtree(rig.cwd / "a")


@test()
def goes_with_its_parent(rig):
    """killed, the command takes its reader along"""
    image = type_2(rig, appdir(rig)).read_bytes()
    path = rig.copy("attack.AppImage", image + b"hole:hang")
    process = rig.start(holed(rig), "ls", path)
    alive = lambda: [p for p in Path("/proc").glob("[0-9]*/cmdline")
                     if b"rootlet-examiner" in p.read_bytes()]
    for _ in range(200):
        if alive():
            break
        time.sleep(0.05)
    check(alive(), "no examiner is there")
    process.kill()
    process.wait()
    for _ in range(200):
        if not alive():
            return
        time.sleep(0.05)
    check(False, "the examiner lives on")


if __name__ == "__main__":
    main()
