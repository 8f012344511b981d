#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An image in a jar runs where it lies: nothing of it is ever unpacked."""
import os
import struct
import sys
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, equal, main, test

ANSWER = "data of the image\n"
SCRIPT = ("--exec=/bin/sh", "-c", "cat /opt/foo/share/data.txt")


def jar(rig, name, entries, method=zipfile.ZIP_STORED, prefix=b""):
    """A jar made by Python's own zip writer."""
    path = rig.top / name
    path.unlink(missing_ok=True)
    path.write_bytes(prefix)
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        for entry, content in entries.items():
            archive.writestr(entry, content)
    os.chown(path, rig.uid, rig.uid)
    return path


def run(rig, image):
    return rig.run(rig.rootlet, "run", SCRIPT[0], image, *SCRIPT[1:])


def right(rig, image):
    with Untouched():
        done = run(rig, image)
        equal((done.status, done.text), (0, ANSWER), f"{image}: {done}")


@test()
def image_in_a_jar(rig):
    """`rootlet run JAR!/ENTRY` runs an AppImage or a squashfs that a jar holds"""
    packed = rig.image.read_bytes()
    offset = int(rig.run(rig.image, "--appimage-offset").text)
    path = jar(rig, "app.jar", {"tools/probe.AppImage": packed, "probe.sqfs": packed[offset:],
                                "META-INF/rootlet/probe/linux-x86_64/probe.AppImage": packed})
    right(rig, f"{path}!/tools/probe.AppImage")
    right(rig, f"{path}!/probe.sqfs")
    if os.uname().machine == "x86_64":
        right(rig, f"{path}!/probe")


@test()
def image_option(rig):
    """--rootlet-image=JAR!/ENTRY runs the image of a jar from another file's stub"""
    path = jar(rig, "app.jar", {"x": rig.image.read_bytes()})
    done = rig.run(rig.image, f"--rootlet-image={path}!/x", "--rootlet-exec=/bin/sh", "-c",
                   "cat /opt/foo/share/data.txt")
    equal((done.status, done.text), (0, ANSWER), repr(done))


@test()
def jar_in_a_jar(rig):
    """a jar stored in a jar, and one with a program in front of it, are looked into"""
    inner = jar(rig, "inner.jar", {"x.AppImage": rig.image.read_bytes()}).read_bytes()
    outer = jar(rig, "outer.jar", {"BOOT-INF/lib/inner.jar": inner})
    right(rig, f"{outer}!/BOOT-INF/lib/inner.jar!/x.AppImage")
    program = jar(rig, "program.jar", {"x.AppImage": rig.image.read_bytes()},
                  prefix=rig.stub.read_bytes())
    right(rig, f"{program}!/x.AppImage")


@test()
def jar_of_a_hundred_gigabytes(rig):
    """an image behind 100 GiB of other content starts at once and costs no disk"""
    path = rig.top / "huge.jar"
    packed = rig.image.read_bytes()
    name = b"x.AppImage"
    sum_, size, at = zlib.crc32(packed), len(packed), 100 << 30
    with open(path, "wb") as file:
        file.seek(at)
        file.write(struct.pack("<4sHHHIIIIHH", b"PK\3\4", 45, 0, 0, 0, sum_, size, size,
                               len(name), 0) + name + packed)
        directory = file.tell()
        field = struct.pack("<HHQ", 1, 8, at)
        file.write(struct.pack("<4sHHHHIIIIHHHHHII", b"PK\1\2", 45, 45, 0, 0, 0, sum_, size,
                               size, len(name), len(field), 0, 0, 0, 0, 0xffffffff)
                   + name + field)
        end = file.tell()
        file.write(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, end - directory,
                               directory))
        file.write(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        file.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xffff, 0xffff, 0xffffffff,
                               0xffffffff, 0))
    os.chown(path, rig.uid, rig.uid)
    with zipfile.ZipFile(path) as archive:  # another reader finds the same
        equal(archive.read("x.AppImage")[:64], packed[:64], "what Python reads")
    used = path.stat().st_blocks
    right(rig, f"{path}!/x.AppImage")
    equal(path.stat().st_blocks, used, "blocks of the jar")
    path.unlink()


@test()
def not_stored(rig):
    """a compressed entry, a missing one and a file that is no jar: one line says what to do"""
    path = jar(rig, "app.jar", {"x.AppImage": rig.image.read_bytes()}, zipfile.ZIP_DEFLATED)
    run(rig, f"{path}!/x.AppImage").failed_by_us("compressed", "store it: ")
    run(rig, f"{path}!/y").failed_by_us("no such entry", f"{path}!/y")
    plain = rig.top / "plain"
    plain.write_bytes(b"text")
    run(rig, f"{plain}!/y").failed_by_us("no zip archive")
    missing = run(rig, f"{rig.top}/missing.jar!/y")
    check(missing.code == 125 and "missing.jar" in missing.errors, repr(missing))


if __name__ == "__main__":
    main()
