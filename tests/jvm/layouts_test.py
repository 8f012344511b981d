#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""All readers of jars agree: the command's, the JVM library's, Python's, commons-compress'."""
import json
import os
import random
import shutil
import struct
import sys
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import JARS, MACHINE, add, empty_jar, java, make_jars
from place import WORK
from rig import check, equal, main, test
from spark import TARGET

STEM = f"META-INF/rootlet/probe/{MACHINE}/probe"
MIB, GIB = 1 << 20, 1 << 30


def sparse(path, before, length, prefix=b""):
    """A zip64 jar by hand: BEFORE bytes of holes, then the image as an entry of LENGTH bytes, the rest holes."""
    image = (WORK / "probe.AppImage").read_bytes()
    name = f"{STEM}.AppImage".encode()
    length = max(length, len(image))
    with open(path, "wb") as file:
        file.write(prefix)
        file.seek(before, 1)
        header = file.tell()
        wide = struct.pack("<HHQQ", 1, 16, length, length)
        file.write(b"PK\3\4" + struct.pack("<HHHIIIIHH", 45, 0, 0, 0x5d780000, zlib.crc32(image), 0xffffffff, 0xffffffff,
                                            len(name), len(wide)) + name + wide + image)
        file.seek(length - len(image), 1)
        at = file.tell()
        wide = struct.pack("<HHQQQ", 1, 24, length, length, header)
        file.write(b"PK\1\2" + struct.pack("<HHHHIIIIHHHHHII", 45, 45, 0, 0, 0x5d780000, zlib.crc32(image), 0xffffffff,
                                            0xffffffff, len(name), len(wide), 0, 0, 0, 0, 0xffffffff) + name + wide)
        end = file.tell()
        file.write(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, end - at, at))
        file.write(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        file.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0))
    return path


def layouts(rig):
    """Of the reference's first test, each with an image called probe."""
    image = f"probe={WORK / 'probe.AppImage'}"
    yield add(empty_jar("aligned.jar"), image)
    many = empty_jar("many.jar")
    with zipfile.ZipFile(many, "a") as archive:
        for number in range(70_000):
            archive.writestr(f"x/{number}", "")
        archive.comment = b"a comment in the way"
    yield add(many, image)
    yield add(empty_jar("prefixed.jar", prefix=rig.stub.read_bytes()), image)
    yield sparse(JARS / "beyond-4.jar", 5 * GIB, 0)
    yield sparse(JARS / "above-4.jar", 0, 6 * GIB)
    yield sparse(JARS / "hundred.jar", 100 * GIB, 0)
    yield sparse(JARS / "program-and-zip64.jar", 0, 6 * GIB, prefix=rig.stub.read_bytes())


def of_python(path):
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{STEM}.AppImage")
        equal(entry.compress_type, zipfile.ZIP_STORED)
    with open(path, "rb") as file:
        file.seek(entry.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return f"{entry.header_offset + 30 + name + extra} {entry.file_size}"


def of_java(rig, paths, both):
    make_jars(rig)
    more = [TARGET / "test-classes", *sorted((TARGET / "spark/jars").glob("commons-*.jar"))]
    done = rig.run(*java("io.rootlet.spark.run.Locate", f"{STEM}.AppImage", "both" if both else "ours", *paths, more=more),
                   timeout=120)
    check(done.status == 0, repr(done))
    found = {}
    for line in done.text.splitlines():
        path, reader, what = line.split("\t")
        found[path, reader] = what
    return found


def of_command(rig, path):
    done = rig.run(rig.rootlet, "jar", "list", "--json", path)
    if done.status != 0:
        check(done.status == 125 and done.errors.startswith("rootlet: "), f"{path}: {done}")
        return "refused"
    for image in json.loads(done.text):
        if image["name"] == "probe" and image["runs"]:
            return f"{image['offset']} {image['size']}"
    return "refused"


@test(by="user")
def readers_agree(rig):
    """on every layout, four readers find the image at the same offset, and it runs from there"""
    make_jars(rig)
    paths = [str(path) for path in layouts(rig)]
    found = of_java(rig, paths, both=True)
    for path in paths:
        wanted = of_python(path)
        readers = {"rootlet": of_command(rig, path), "java": found[path, "ours"], "compress": found[path, "compress"]}
        equal(readers, dict.fromkeys(readers, wanted), path)
        done = rig.run(rig.rootlet, "exec", f"{path}!/probe", "/bin/cat", "/opt/foo/share/data.txt")
        equal((done.status, done.text), (0, "data of the image\n"), path)
        os.unlink(path)


@test(by="user")
def damaged_jars(rig):
    """of a damaged jar both readers tell the same place, or refuse it with a typed error"""
    make_jars(rig)
    sound = add(empty_jar("sound.jar"), f"probe={WORK / 'probe.AppImage'}").read_bytes()
    with zipfile.ZipFile(JARS / "sound.jar") as archive:
        directory = archive.start_dir
        headers = [entry.header_offset for entry in archive.infolist()]
    places = [*range(directory, len(sound)), *(at + byte for at in headers for byte in range(60))]
    chosen, paths = random.Random(7), []
    place = JARS / "damaged"
    place.mkdir()
    for number in range(60):
        bad = bytearray(sound)
        for _ in range(chosen.choice((1, 1, 2, 3))):
            bad[chosen.choice(places)] = chosen.choice((0, 0xff, chosen.randrange(256)))
        if number % 10 == 9:
            del bad[chosen.choice(places):]
        path = place / f"{number}.jar"
        path.write_bytes(bad)
        paths.append(str(path))
    found = of_java(rig, paths, both=False)
    kinds = {"refused": 0, "found": 0}
    for path in paths:
        ours, theirs = of_command(rig, path), found[path, "ours"]
        check(theirs[0].isdigit() or theirs.startswith(("Payload", "Arch")), f"{path}: {theirs}")
        if ours != "refused" and theirs[0].isdigit():
            equal(theirs, ours, path)
        kinds["found" if ours != "refused" else "refused"] += 1
    check(min(kinds.values()) > 5, f"{kinds}: the damage proves nothing")
    shutil.rmtree(place)


main()
