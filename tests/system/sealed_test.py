#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A sealed image gives the bytes that were sealed, or none."""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, Untouched, check, contains, equal, main, test, times

PAGE = 4096
FLIPS = 100
SCRIPT = "cat /big /small /sub/* | sha256sum"


class Sealed:
    """An image of some MiB, and where its parts lie in the file."""

    def __init__(self, rig):
        tree = rig.top / "sealed.tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "bin").mkdir(parents=True)
        (tree / "sub").mkdir()
        shutil.copy("/bin/busybox", tree / "bin/busybox")
        for name in ("sh", "cat", "sha256sum"):
            (tree / "bin" / name).symlink_to("busybox")
        random.seed(rig.uid)  # of two identities, 200 places in all
        noise = random.randbytes(3_000_000)
        (tree / "big").write_bytes(noise)
        (tree / "small").write_text("".join(f"{i}\n" for i in range(200_000)))
        for i in range(60):
            (tree / f"sub/{i}").write_text(f"the {i}th\n" * i)
        self.image = rig.build(tree, "sealed.AppImage", "--entry", "/bin/sh")
        self.bytes = self.image.read_bytes()
        self.big = self.bytes.index(noise[:1000])  # stored as it is: it cannot be compressed
        self.begin = int(rig.run(self.image, "--appimage-offset").text)
        self.length, = struct.unpack_from("<Q", self.bytes, self.begin + 40)
        self.page = self.begin + -(-self.length // PAGE) * PAGE
        tables = struct.unpack_from("<6Q", self.bytes, self.begin + 48)
        self.tables = [self.begin + at for at in tables if at < self.length]

    def parts(self):
        """One place in each part of the layout, and some at random."""
        places = {"magic": self.begin, "superblock": self.begin + 44, "data": self.begin + 5000,
                  "the seal's digest": self.page + 40, "descriptor": self.page + 90,
                  "root": self.page + 64 + 16, "tree": self.page + PAGE + 10,
                  "the tree's end": len(self.bytes) - 1}
        places |= {f"table {i}": at + 2 for i, at in enumerate(self.tables)}
        places |= {f"byte {at}": at for at in
                   random.sample(range(self.begin, len(self.bytes)), times(FLIPS, 20))}
        return places


def run(rig, image):
    return rig.run(image, "--rootlet-mount=private", "-c", SCRIPT, timeout=20)


@test()
def changed(rig):
    """a changed byte anywhere in a sealed image ends the run with 125, or changes nothing"""
    sealed = Sealed(rig)
    sound = run(rig, sealed.image)
    equal(sound.status, 0, repr(sound))
    refused = 0
    for name, at in sealed.parts().items():
        bad = bytearray(sealed.bytes)
        bad[at] ^= 1 << random.randrange(8)
        image = rig.copy("flipped", bytes(bad))
        with Untouched():
            done = run(rig, image)
        if done.status == 0:
            equal(done.text, sound.text, f"{name}: other bytes were given")
            continue
        refused += 1
        done.failed_by_us()
    check(refused > times(FLIPS, 20) // 2, f"only {refused} were noticed")


@test()
def where(rig):
    """the line about a changed byte names the file and where in it the damage lies"""
    sealed = Sealed(rig)
    bad = bytearray(sealed.bytes)
    at = sealed.big + 2_000_000
    bad[at] ^= 1
    image = rig.copy("flipped", bytes(bad))
    runtime = rig.top / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.chown(runtime, rig.uid, rig.uid)
    for reach in ("private", "share", "extract"):
        done = rig.run(image, f"--rootlet-mount={reach}", "-c", SCRIPT, timeout=20)
        done.failed_by_us()
        contains(done.errors, "is not what was sealed")
        block = (at - sealed.begin) // 16384 * 16384 + sealed.begin
        contains(done.errors, f"byte {block} ")
        if reach != "extract":
            contains(done.errors, str(image))


@test()
def policy(rig):
    """a damaged policy is refused, and not taken for one that asks for nothing"""
    sealed = Sealed(rig)
    bad = bytearray(sealed.bytes)
    for at in range(sealed.begin + 96, sealed.begin + 5000):
        bad[at] ^= 0x55
    run(rig, rig.copy("flipped", bytes(bad))).failed_by_us("is not what was sealed")


@test()
def another_seal(rig):
    """the seal, the descriptor or the tree of another image, and those cut short, are refused"""
    sealed = Sealed(rig)
    tree = rig.top / "other.tree"
    shutil.copytree(rig.top / "sealed.tree", tree, dirs_exist_ok=True, symlinks=True)
    (tree / "small").write_text("another one\n")
    other = rig.build(tree, "other.AppImage", "--entry", "/bin/sh").read_bytes()
    begin = int(rig.run(rig.top / "other.AppImage", "--appimage-offset").text)
    length, = struct.unpack_from("<Q", other, begin + 40)
    page = begin + -(-length // PAGE) * PAGE
    for name, content, reason in (
            ("another's", sealed.bytes[:sealed.page] + other[page:], "another image's"),
            ("another's descriptor", sealed.bytes[:sealed.page + 64] + other[page + 64:page + 320]
             + sealed.bytes[sealed.page + 320:], ""),
            ("cut in the page", sealed.bytes[:sealed.page + 100], "cut short"),
            ("cut in the tree", sealed.bytes[:-1], "cut short")):
        done = run(rig, rig.copy("wrong", content))
        done.failed_by_us("read the seal")
        contains(done.errors, reason)
    # A page that is right, and a tree that does not belong to it.
    leaves = len(sealed.bytes) - sealed.page - PAGE
    foreign = (other[page + PAGE:] * 2)[:leaves]
    done = run(rig, rig.copy("wrong", sealed.bytes[:sealed.page + PAGE] + foreign))
    done.failed_by_us("is not what was sealed")


@test()
def appended(rig):
    """bytes behind the seal, and a file without one, change nothing"""
    sealed = Sealed(rig)
    wanted = run(rig, sealed.image).text
    for content in (sealed.bytes + b"more" * 5000, sealed.bytes[:sealed.begin + sealed.length]):
        done = run(rig, rig.copy("other", content))
        equal((done.status, done.text), (0, wanted), repr(done))


@test(by="root")
def same_as_fs_verity(rig):
    """digest and tree are those that Debian's fsverity computes"""
    if not shutil.which("fsverity"):
        raise Skip("no fsverity here: scripts/setup installs it")
    sealed = Sealed(rig)
    payload, tree = rig.top / "payload", rig.top / "tree"
    payload.write_bytes(sealed.bytes[sealed.begin:sealed.begin + sealed.length])
    made = subprocess.run(["fsverity", "digest", "--compact", "--block-size=16384",
                           f"--out-merkle-tree={tree}", payload], capture_output=True, check=True)
    shown = json.loads(rig.run(rig.rootlet, "inspect", "--json", sealed.image).text)
    equal(shown["seal"], "sha256:" + made.stdout.decode().strip())
    check(sealed.bytes[sealed.page + PAGE:] == tree.read_bytes(), "another tree")


@test()
def attached(rig):
    """an attached image is checked by its own seal, at any offset"""
    sealed = Sealed(rig)
    moved = rig.copy("moved.bin", b"x" * 4097 + sealed.bytes)
    done = rig.shell("sha256sum < /d/big", options=[f"attach={moved}@4097:/d"])
    equal(done.status, 0, repr(done))
    bad = bytearray(moved.read_bytes())
    bad[4097 + sealed.big + 2_000_000] ^= 1
    spoiled = rig.copy("spoiled.bin", bytes(bad))
    with Untouched():
        done = rig.shell("sha256sum < /d/big", options=[f"attach={spoiled}@4097:/d"])
    done.failed_by_us()
    contains(done.errors, "spoiled.bin")
    contains(done.errors, "is not what was sealed")


main()
