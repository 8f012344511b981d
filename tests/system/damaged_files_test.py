#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A damaged file says so: one line, 125, no hang, no part of the output."""
import errno
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Failed, Untouched, check, equal, main, processes, test, times

CUTS = 200
FLIPS = 500
LIMIT = 10  # seconds; longer is a hang
ANSWER = b"data of the image\n"


class Layout:
    """Where things lie in the packed file."""

    def __init__(self, content):
        self.content = content
        self.table, = struct.unpack_from("<Q", content, 0x28)
        self.entry, self.count = struct.unpack_from("<HH", content, 0x3A)
        self.sections = []
        for index in range(self.count):
            start = self.table + index * self.entry
            offset, size = struct.unpack_from("<QQ", content, start + 24)
            self.sections.append((offset, size))
        offset, size = self.sections[-1]
        self.squashfs = max(self.table + self.entry * self.count, offset + size)
        self.used, = struct.unpack_from("<Q", content, self.squashfs + 40)


def answer(rig, image):
    return rig.run(image, "--rootlet-exec=/bin/cat", "/opt/foo/share/data.txt", timeout=LIMIT)


@test()
def cut_at_the_sections(rig):
    """a file cut at any boundary behind the program is refused in one line"""
    content = rig.image.read_bytes()
    at = Layout(content)
    places = {at.table, at.table + at.entry, at.table + at.entry * at.count, at.squashfs,
              at.squashfs + 4, at.squashfs + 50, at.squashfs + 95, at.squashfs + 96,
              at.squashfs + at.used - 1}
    places |= {offset + size for offset, size in at.sections if offset + size >= at.table}
    tables = struct.unpack_from("<6Q", content, at.squashfs + 48)
    places |= {at.squashfs + table for table in tables if table < at.used}
    for size in sorted(places):
        image = rig.copy("cut", content[:size])
        with Untouched():
            answer(rig, image).failed_by_us()


@test(scaled=CUTS)
def cut_anywhere(rig):
    """a file cut at 200 random places behind its program is refused in one line"""
    content = rig.image.read_bytes()
    at = Layout(content)
    chance = random.Random(1)
    for _ in range(times(CUTS)):
        size = chance.randrange(at.table, at.squashfs + at.used)
        answer(rig, rig.copy("cut", content[:size])).failed_by_us()


@test()
def wrong_superblock(rig):
    """a superblock that cannot be true is refused in one line"""
    content = rig.image.read_bytes()
    at = Layout(content).squashfs
    wrong = {"magic": (0, b"hsqq"), "inodes": (4, b"\0\0\0\0"), "block size": (12, b"\1\0\0\0"),
             "block size 0": (12, b"\0\0\0\0"), "huge block": (12, b"\0\0\0\x80"),
             "compressor": (20, b"\x63\0"), "block log": (22, b"\x63\0"), "ids": (26, b"\0\0"),
             "version": (28, b"\5\0"), "minor": (30, b"\7\0"), "root inode": (32, b"\xff" * 8),
             "bytes used": (40, b"\xff" * 8), "bytes used 0": (40, b"\0" * 8),
             "id table": (48, b"\xff" * 7 + b"\x7f"), "inode table": (64, b"\xff" * 8),
             "directory table": (72, b"\0" * 8), "fragments": (16, b"\xff\xff\xff\xff")}
    for name, (offset, bytes_) in wrong.items():
        bad = bytearray(content)
        bad[at + offset:at + offset + len(bytes_)] = bytes_
        try:
            answer(rig, rig.copy("wrong", bytes(bad))).failed_by_us()
        except Failed as reason:
            raise Failed(f"superblock with wrong {name}: {reason}") from None


@test()
def bare_stub_and_other_files(rig):
    """the stub alone, and other files behind it, are refused and named"""
    stub = rig.stub.read_bytes()
    for name, behind in (("bare", b""), ("zip", b"PK\3\4" + bytes(200)), ("text", b"x" * 5000)):
        answer(rig, rig.copy(name, stub + behind)).failed_by_us(name)
    empty = rig.copy("empty.sqfs", b"")
    rig.run(rig.rootlet, "run", empty, timeout=LIMIT).failed_by_us("empty.sqfs")


@test()
def something_appended(rig):
    """bytes behind the image (a signature, a second file) do no harm"""
    content = rig.image.read_bytes()
    for tail in (b"\n", os.urandom(100000), b"hsqs" * 3000, content[:200000]):
        done = answer(rig, rig.copy("longer", content + tail))
        equal(done.out, ANSWER, repr(done))


def whole(rig, image):
    """Whether the tool in a damaged image still has its own bytes."""
    rig.run(rig.stub, "--appimage-extract", "opt/foo/bin/*", env={"TARGET_APPIMAGE": str(image)},
            timeout=LIMIT)
    unpacked = rig.cwd / "squashfs-root"
    tool = unpacked / "opt/foo/bin/probe"
    same = tool.exists() and tool.read_bytes() == (rig.tools / "probe").read_bytes()
    shutil.rmtree(unpacked, ignore_errors=True)
    return same


@test(scaled=FLIPS)
def flipped_bits(rig):
    """500 random flipped bits: the tool's end or 125, no crash of ours, no hang"""
    content = rig.image.read_bytes()
    at = Layout(content)
    chance = random.Random(2)
    ended = {}
    for index in range(times(FLIPS)):
        bad = bytearray(content)
        # A third of them in the tables at the end, where structure lies.
        low = at.squashfs + (at.used - min(at.used, 30000) if index % 3 == 0 else 0)
        place = chance.randrange(low, at.squashfs + at.used)
        bad[place] ^= 1 << chance.randrange(8)
        image = rig.copy("flipped", bytes(bad))
        done = rig.run(image, "read", "/opt/foo/share/big", timeout=LIMIT)
        ours = done.code == 125
        # A damaged tool dies as it would anywhere; a whole one does not.
        tools = done.code in (0, 90, 91, 126, 127) or (done.code != 125 and not whole(rig, image))
        check(ours or tools, f"bit in byte {place}: {done}")
        if ours:
            check(done.errors.startswith("rootlet: "), f"byte {place}: {done}")
        ended[done.code] = ended.get(done.code, 0) + 1
    print(f"        ends: {ended}")


@test(scaled=100)
def flipped_bits_unpacked(rig):
    """the same while the image is unpacked: never a crash, never a hang"""
    content = rig.image.read_bytes()
    at = Layout(content)
    chance = random.Random(3)
    for index in range(times(100)):
        bad = bytearray(content)
        low = at.squashfs + (at.used - min(at.used, 30000) if index % 2 == 0 else 0)
        place = chance.randrange(low, at.squashfs + at.used)
        bad[place] ^= 1 << chance.randrange(8)
        image = rig.copy("flipped", bytes(bad))
        done = rig.run(image, "--rootlet-mount=extract", "exit", "3", timeout=LIMIT)
        tools = done.code in (3, 126, 127) or (done.code != 125 and not whole(rig, image))
        check(done.code == 125 or tools, f"bit in byte {place}: {done}")
        if done.code == 125:
            done.failed_by_us()


def other_bytes(rig, image):
    """Writes other bytes over the data blocks, as a careless copy would."""
    at = Layout(rig.image.read_bytes())
    with open(image, "r+b") as file:
        file.seek(at.squashfs + 96)
        file.write(bytes(at.used // 2))


def change_while_running(rig, *command, env=None):
    """Runs COMMAND (its last word the image) 40 times, changing the image under it."""
    wanted = rig.probe("read", "/opt/foo/share/big").out
    met = 0
    for index in range(times(40)):
        image = rig.copy("changing")
        variables = {"PROBE_DROP": "1", **(env or {})}
        process = rig.start(*command, "read", "/opt/foo/share/big", "20", env=variables)
        time.sleep(0.005 + index * 0.001)
        other_bytes(rig, image)
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise Failed(f"hangs for {LIMIT} s: {processes()}") from None
        check(set(out.splitlines()) <= set(wanted.splitlines()), f"mixed content: {out!r}")
        check(process.returncode in (0, 125), f"status {process.returncode}: {err!r}")
        if process.returncode == 125:
            met += 1
            lines = err.decode().splitlines()
            check(len(lines) <= 2 and lines[0].startswith("rootlet: "), f"one line: {err!r}")
    check(met > 0, "no run met the change")


@test()
def changed_under_rootlet_run(rig):
    """an image overwritten under rootlet run: 125 and one line, never mixed content"""
    change_while_running(rig, rig.rootlet, "run", rig.top / "changing")


@test()
def changed_under_a_stub(rig):
    """the same when the stub runs from elsewhere (TARGET_APPIMAGE)"""
    change_while_running(rig, rig.stub, env={"TARGET_APPIMAGE": str(rig.top / "changing")})


@test()
def changed_under_itself(rig):
    """a packed file that runs cannot be overwritten in place, or says that it was"""
    image = rig.copy("changing")
    process = rig.start(image, "wait")
    process.stdout.readline()
    try:
        other_bytes(rig, image)
        changed = True
    except OSError as refused:  # not so on Linux 6.11 and 6.12
        equal(refused.errno, errno.ETXTBSY)
        changed = False
    process.terminate()
    process.communicate(timeout=LIMIT)
    check(process.returncode == -15 or changed, f"status {process.returncode}")


@test()
def no_file_at_all(rig):
    """a FIFO or a device in the place of an image is not waited for, whoever is given it"""
    pipe = rig.top / "pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    os.chown(pipe, rig.uid, rig.uid)
    for path in (pipe, "/dev/null"):
        for words in (["run", path], ["run", "--dry-run", path], ["exec", path, "sh"], ["shell", path],
                      ["run", "--attach", f"{path}:/mnt", rig.image], ["inspect", path]):
            done = rig.run(rig.rootlet, *words, timeout=LIMIT)
            check(done.status in (1, 125) and done.errors.startswith("rootlet: ") and str(path) in done.errors,
                  f"{words}: {done!r}")


if __name__ == "__main__":
    main()
