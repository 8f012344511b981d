#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An image in a jar runs where it lies: nothing of it is ever unpacked."""
import json
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, equal, main, mount, test, times

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


@test()
def its_own_jar(rig):
    """a tool cannot change, replace or remove the jar that it runs from"""
    path = jar(rig, "home/project/own.jar", {"x": rig.image.read_bytes()})
    content = path.read_bytes()
    for script in ("echo bad >> own.jar", "rm -f own.jar", "mv own.jar other",
                   "cp /bin/busybox own.jar", "ln -f /bin/busybox own.jar", "chmod 777 own.jar"):
        with Untouched():
            rig.run(rig.rootlet, "exec", "own.jar!/x", "/bin/sh", "-c", script)
        equal(path.read_bytes(), content, f"the jar after: {script}")
    done = rig.run(rig.rootlet, "exec", "own.jar!/x", "/bin/sh", "-c", "echo fine > beside")
    equal((done.status, (path.parent / "beside").read_text()), (0, "fine\n"), repr(done))
    path.unlink()
    (path.parent / "beside").unlink()


# rootlet jar add, list, verify

LISTED = "META-INF/rootlet/{0}/linux-{1}/{0}.AppImage"


def rootlet(rig, *words, **keywords):
    return rig.run(rig.rootlet, "jar", *words, **keywords)


def add(rig, path, *words):
    done = rootlet(rig, "add", "-q", path, *words)
    equal((done.status, done.errors), (0, ""), repr(done))


def listed(rig, path):
    return {image["name"]: image for image in json.loads(rootlet(rig, "list", "--json", path).text)}


def other_bytes(path):
    """All entries that are not ours: name -> (content, how it is packed)."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: (archive.read(entry), entry.compress_type, entry.date_time)
                for entry in archive.infolist() if "META-INF/rootlet" not in entry.filename}


def app_jar(rig, name="app.jar"):
    return jar(rig, name, {"Main.class": b"class " * 500}, zipfile.ZIP_DEFLATED)


@test()
def added_image_runs(rig):
    """an added image is stored, aligned and runs by its name; the other entries keep their bytes"""
    for place in ([], ["--in-place"]):
        path = app_jar(rig)
        before = other_bytes(path)
        add(rig, *place, path, f"tool={rig.image}")
        image = listed(rig, path)["tool"]
        check(image["aligned"] and image["offset"] % 4096 == 0 and image["stored"], repr(image))
        right(rig, f"{path}!/tool")
        equal(other_bytes(path), before, "the other entries")
        with zipfile.ZipFile(path) as archive:
            equal(archive.testzip(), None, "the first entry with a wrong checksum")
        equal(rootlet(rig, "verify", path).status, 0, "verify")


@test()
def one_image_of_two_names(rig):
    """an image is stored once however many names it has"""
    path = app_jar(rig)
    add(rig, path, f"one={rig.image}", f"two={rig.image}")
    size = path.stat().st_size
    add(rig, path, f"three={rig.image}")
    check(path.stat().st_size - size < 4096, "the third name cost bytes")
    for name in ("one", "two", "three"):
        right(rig, f"{path}!/{name}")
    equal([image["shared"] for _, image in sorted(listed(rig, path).items())],
          [False, True, True], "shared")
    rootlet(rig, "add", path, f"one={rig.image}").failed_by_us("has an image of this name")
    small = rig.copy("small.sqfs", rig.image.read_bytes()[int(
        rig.run(rig.image, "--appimage-offset").text):])
    rootlet(rig, "add", "--replace", path, f"one={small}").failed_by_us("shares the bytes")
    add(rig, "--replace", path, *(f"{name}={small}" for name in ("one", "two", "three")))
    right(rig, f"{path}!/two")


@test()
def jar_keeps_its_looks(rig):
    """owner, mode, time and attributes of the jar stay, and a symlink to it stays one"""
    for place in ([], ["--in-place"]):
        path = app_jar(rig)
        path.chmod(0o640)
        os.utime(path, (1000000000, 1100000000))
        attributes = True
        try:
            os.setxattr(path, "user.origin", b"mirror")
        except OSError:  # no attributes on this memory file system before Linux 6.6
            attributes = False
        link = rig.top / "link.jar"
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        add(rig, *place, link, f"tool={rig.image}")
        now = path.stat()
        equal((oct(now.st_mode), now.st_uid, now.st_mtime), ("0o100640", rig.uid, 1100000000),
              "mode, owner, time")
        check(link.is_symlink(), "the link became a file")
        if attributes:
            equal(os.getxattr(path, "user.origin"), b"mirror", "attribute")


@test()
def killed_add(rig):
    """an add that is killed at any moment leaves the jar as it was, or whole and new"""
    for place in ([], ["--in-place"]):
        for delay in range(times(24, 4)):
            path = app_jar(rig)
            old = path.read_bytes()
            process = rig.start(rig.rootlet, "jar", "add", *place, path, f"tool={rig.image}")
            time.sleep(0.0015 * delay)
            process.kill()
            process.communicate()
            if place and (rig.top / f".{path.name}.rootlet-journal").exists():
                done = rootlet(rig, "verify", path)
                check(done.status == 1 and "--repair" in done.errors, repr(done))
                done = rootlet(rig, "verify", "--repair", path)
                equal(done.status, 0, repr(done))
                equal(path.read_bytes(), old, "the jar after the repair")
            content = path.read_bytes()
            if content != old:
                right(rig, f"{path}!/tool")
            add(rig, *place, "--replace", path, f"tool={rig.image}")
            right(rig, f"{path}!/tool")
        equal([name.name for name in rig.top.iterdir() if name.name.startswith(".")], [],
              "files left beside the jar")


@test()
def half_written_jar(rig):
    """a half-written add in place is rolled back by the next add, and refused until then"""
    path = app_jar(rig)
    old = path.read_bytes()
    traced = rig.run("strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e",
                     "inject=fsync:signal=SIGKILL:when=3", rig.rootlet, "jar", "add", "--in-place",
                     path, f"tool={rig.image}")
    check(traced.code != 0 and path.read_bytes() != old, f"it was not killed in time: {traced}")
    equal(rootlet(rig, "verify", path).status, 1, "verify")
    done = rootlet(rig, "add", path, f"tool={rig.image}")
    check(done.status == 0 and "rolled back" in done.errors, repr(done))
    right(rig, f"{path}!/tool")


@test()
def full_disk(rig):
    """a disk that fills up leaves the jar as it was, in both ways"""
    place = rig.top / "small"
    place.mkdir(exist_ok=True)
    mount("tmpfs", str(place), "tmpfs", 0, "size=1m,mode=777")
    for how in ([], ["--in-place"]):
        path = place / "app.jar"
        path.write_bytes(app_jar(rig).read_bytes())
        os.chown(path, rig.uid, rig.uid)
        old = path.read_bytes()
        rootlet(rig, "add", *how, path, f"tool={rig.image}").failed_by_us("ENOSPC")
        equal(path.read_bytes(), old, "the jar")
        equal([name.name for name in place.iterdir()], ["app.jar"], "files")
        path.unlink()
    subprocess.run(["umount", str(place)], check=True)


@test()
def packed_again(rig):
    """what a later step of packaging does to an image, verify explains"""
    path = app_jar(rig)
    add(rig, path, f"tool={rig.image}")
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    entries.pop("META-INF/MANIFEST.MF")
    done = rootlet(rig, "verify", jar(rig, "shaded.jar", entries, zipfile.ZIP_DEFLATED))
    check(done.status == 1 and "as the last step" in done.text, repr(done))
    moved = jar(rig, "moved.jar", entries)
    done = rootlet(rig, "verify", moved)
    check(done.status == 0 and "it runs from there" in done.text, repr(done))
    right(rig, f"{moved}!/tool")
    name = LISTED.format("tool", os.uname().machine.replace("aarch64", "aarch_64"))
    changed = bytearray(entries[name])
    changed[len(changed) // 2] ^= 1
    done = rootlet(rig, "verify", jar(rig, "changed.jar", dict(entries, **{name: bytes(changed)})))
    check(done.status == 1 and "not those that were added" in done.text, repr(done))


@test()
def added_again(rig):
    """an image that is put in its own place again costs no byte"""
    for place in ([], ["--in-place"]):
        path = app_jar(rig)
        add(rig, *place, path, f"one={rig.image}", f"two={rig.image}")
        content = path.read_bytes()
        add(rig, *place, "--replace", path, f"one={rig.image}", f"two={rig.image}")
        equal(path.read_bytes(), content, "the jar")
        right(rig, f"{path}!/one")


@test()
def jars_that_java_cannot_start(rig):
    """verify says which jars java cannot start: a manifest beyond 4 GiB, offsets that do not count a prefix"""
    plain = jar(rig, "plain.jar", {"x": rig.image.read_bytes()})
    far = rig.top / "far.jar"
    far.unlink(missing_ok=True)
    with open(far, "wb") as file:
        file.truncate(5 << 30)
    with zipfile.ZipFile(far, "a") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    many = jar(rig, "many.jar", {f"{number}": "" for number in range(70000)})
    prefixed = rig.top / "prefixed.jar"
    prefixed.write_bytes(rig.stub.read_bytes() + many.read_bytes())
    for path in (far, prefixed):
        os.chown(path, rig.uid, rig.uid)
    done = rootlet(rig, "verify", far)
    check(done.status == 1 and "MANIFEST.MF lies beyond 4 GiB" in done.text, repr(done))
    rootlet(rig, "verify", prefixed).failed_by_us("its zip64 record is missing")
    far.unlink()
    prefixed.unlink()
    equal(rootlet(rig, "verify", many).status, 0, "many entries")
    many.unlink()
    equal(rootlet(rig, "verify", plain).status, 0, "a plain jar")


@test()
def bad_requests(rig):
    """what cannot be added is refused with one line, and the jar is untouched"""
    path = app_jar(rig)
    old = path.read_bytes()
    text = rig.copy("text", b"text")
    rootlet(rig, "add", path, text).failed_by_us("text")
    rootlet(rig, "add", path, f"a/b={rig.image}").failed_by_us("cannot be a name")
    rootlet(rig, "add", path, f"x={rig.image}", f"x={rig.image}").failed_by_us("two of the images")
    rootlet(rig, "add", text, f"x={rig.image}").failed_by_us("no zip archive")
    rootlet(rig, "add", rig.top / "none.jar", f"x={rig.image}").failed_by_us("ENOENT")
    rootlet(rig, "list", text).failed_by_us("no zip archive")
    equal(path.read_bytes(), old, "the jar")


if __name__ == "__main__":
    main()
