#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A squashfs that was made to do harm: one line and 125, or its own files and
nothing else. Each known hole of libsquashfuse 0.1.105 is an image here."""
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Failed, Skip, check, contains, equal, main, scale, test

LIMIT = 20  # seconds; longer is a hang
RAW = 1 << 24  # in a block's header: it is stored as it is
SUPER = {"fragments": (16, "<I"), "root": (32, "<Q"), "xattr_ids": (56, "<Q"),
         "inode_table": (64, "<Q"), "directory_table": (72, "<Q"), "fragment_table": (80, "<Q")}


class Hostile:
    """The bytes of a squashfs whose tables are not compressed, to be changed."""

    def __init__(self, content):
        self.bytes = bytearray(content)

    def get(self, kind, at):
        return struct.unpack_from(kind, self.bytes, at)[0]

    def put(self, kind, at, value):
        struct.pack_into(kind, self.bytes, at, value)

    def super(self, name):
        return self.get(SUPER[name][1], SUPER[name][0])

    def inode(self, mtime):
        """Where the inode with this time stands."""
        at = self.bytes.index(struct.pack("<I", mtime), self.super("inode_table"))
        return at - 8

    def entry(self, name):
        """Where the directory entry of this name stands."""
        return self.bytes.index(name, self.super("directory_table")) - 8

    def table_block(self, name):
        """Where the first metadata block of a table stands."""
        return self.get("<Q", self.super(name) + (16 if name == "xattr_ids" else 0))


def make_tree(top):
    """Files that can be told by their times: 1000000 + a number."""
    tree = top / "hostile-tree"
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("bin", "v", "v/inner", "many", "odd"):
        (tree / directory).mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    (tree / "v/small").write_bytes(b"s" * 1000)
    (tree / "v/other").write_bytes(b"o" * 1000)
    (tree / "v/large").write_bytes(os.urandom(50000))
    (tree / "v/link").symlink_to("small")
    for name in ("v/entry-name", "v/inner/last", "odd/a"):
        (tree / name).write_bytes(b"x")
    for number in range(400):
        (tree / f"many/{number:03}-{'long' * 10}").write_bytes(b"")
    for attribute in ("user.n", "user.name-that-is-much-longer", "user.m"):
        os.setxattr(tree / "v/large", attribute, b"value")
    times = {"v/small": 1, "v/large": 2, "v/link": 3, "v/inner": 4, "many": 5, "v": 6, "odd": 7}
    for name, number in times.items():
        os.utime(tree / name, (1000000 + number,) * 2, follow_symlinks=False)
    return tree


def make_image(rig):
    """A sound image of that tree: blocks of 4 KiB, nothing compressed."""
    whole = rig.top / "sound.sqfs"
    if not whole.exists():
        if not shutil.which("mksquashfs"):
            raise Skip("no mksquashfs here: scripts/setup installs it")
        try:
            tree = make_tree(rig.top)
        except OSError as reason:
            raise Skip(f"this /tmp knows no user attributes ({reason})") from None
        subprocess.run(["mksquashfs", tree, whole, "-noappend", "-quiet", "-no-progress", "-b", "4K",
                        "-noI", "-noD", "-noF", "-noX", "-all-root"], check=True,
                       stdout=subprocess.DEVNULL)
        os.chown(whole, rig.uid, rig.uid)
    return Hostile(whole.read_bytes())


def try_it(rig, image, *command, options=()):
    path = rig.copy("hostile.sqfs", bytes(image.bytes))
    return rig.run(rig.rootlet, "run", "--mount=private", *options, "--exec=/bin/busybox", path,
                   *command, timeout=LIMIT)


def reader_says(rig, image):
    """What the harness finds, which reads all there is in the same way."""
    path = rig.copy("hostile.sqfs", bytes(image.bytes))
    done = rig.run(rig.tools / "rootlet-read-image", path, timeout=LIMIT)
    equal(done.status, 0, repr(done))
    return done.text.split()[0]


def damaged(rig, image, *command):
    """The run ends in one line that names the damage; so does unpacking."""
    equal(reader_says(rig, image), "damaged")
    try_it(rig, image, *command).failed_by_us("damaged")


@test()
def sound(rig):
    """the image that the others are made of is sound, and all of it can be read"""
    image = make_image(rig)
    equal(reader_says(rig, image), "sound")
    done = try_it(rig, image, "sh", "-c", "busybox find / -xdev -type f | busybox wc -l; "
                  "busybox cat /v/small")
    check(done.status == 0 and done.out.endswith(b"s" * 1000), repr(done))


@test()
def long_name(rig):
    """a directory entry with a name of 64 KiB (squashfuse issue 153)"""
    image = make_image(rig)
    image.put("<H", image.entry(b"entry-name") + 6, 0xFFFF)
    damaged(rig, image, "ls", "/v")


@test()
def long_name_of_an_index(rig):
    """a directory's index with a name of 4 GiB (the same issue)"""
    image = make_image(rig)
    at = image.inode(1000005)
    equal(image.get("<H", at), 8, "an extended directory is wanted")
    check(image.get("<H", at + 32) > 0, "it has no index")
    image.put("<I", at + 40 + 8, 0xFFFFFFFF)
    equal(reader_says(rig, image), "damaged")
    done = try_it(rig, image, "cat", "/many/399")
    check(done.status in (1, 125) and b"killed" not in done.err, repr(done))


@test()
def entries_without_end(rig):
    """a directory header that counts four thousand million entries"""
    image = make_image(rig)
    directory = image.inode(1000004)
    block = image.super("directory_table") + image.get("<I", directory + 16)
    start = block + 2 + image.get("<H", directory + 26)
    image.put("<I", start, 0xFFFFFFFE)
    damaged(rig, image, "ls", "/v/inner")


@test()
def fragment_beyond_its_table(rig):
    """a file in a fragment that the table does not have (squashfuse issue 154)"""
    for number in ("first beyond", 0x7FFFFFFF):
        image = make_image(rig)
        at = image.inode(1000001)
        image.put("<I", at + 20, image.super("fragments") if number == "first beyond" else number)
        damaged(rig, image, "cat", "/v/small")


@test()
def attribute_beyond_its_table(rig):
    """a file with extended attributes that the table does not have (the same issue)"""
    image = make_image(rig)
    at = image.inode(1000002)
    equal(image.get("<H", at), 9, "an extended file is wanted")
    image.put("<I", at + 52, 0x00FFFFFF)
    equal(reader_says(rig, image), "damaged")


@test()
def inode_beyond_its_block(rig):
    """an entry, and a root, that point behind their block of inodes (squashfuse issue 158)"""
    image = make_image(rig)
    image.put("<H", image.entry(b"entry-name"), 0xFFF0)
    damaged(rig, image, "stat", "/v/entry-name")
    image = make_image(rig)
    image.put("<Q", SUPER["root"][0], image.super("root") | 0xFFFF)
    try_it(rig, image, "true").failed_by_us()


@test()
def fragment_beyond_its_block(rig):
    """a file whose tail begins behind its fragment, or ends there (the same issue): never
    the memory that lies behind"""
    for offset in (0xFFFFFFF0, 4090):
        image = make_image(rig)
        image.put("<I", image.inode(1000001) + 24, offset)
        damaged(rig, image, "cat", "/v/small")


@test()
def short_block(rig):
    """a block that holds less than the file says: never the memory that lies behind"""
    image = make_image(rig)
    at = image.inode(1000002) + 56
    image.put("<I", at + 4, RAW | 16)
    damaged(rig, image, "md5sum", "/v/large")


@test()
def large_block(rig):
    """a block of 16 MiB in an image of 4 KiB blocks, stored or compressed"""
    for header in (RAW | 0xFFFFFF, 0xFFFFFF):
        image = make_image(rig)
        image.put("<I", image.inode(1000002) + 56, header)
        damaged(rig, image, "md5sum", "/v/large")


@test()
def block_beyond_the_image(rig):
    """a file whose blocks lie behind the end of the image"""
    image = make_image(rig)
    image.put("<Q", image.inode(1000002) + 16, 1 << 62)
    damaged(rig, image, "md5sum", "/v/large")


@test()
def table_at_zero(rig):
    """a table that points to position 0, with which the library's cache marks an empty slot"""
    image = make_image(rig)
    image.put("<Q", image.super("fragment_table"), 0)
    damaged(rig, image, "cat", "/v/small")


@test()
def short_table(rig):
    """a table whose block is shorter than its entries"""
    image = make_image(rig)
    at = image.table_block("fragment_table")
    image.put("<H", at, 0x8000 | 5)
    damaged(rig, image, "cat", "/v/small")


@test()
def endless_file(rig):
    """a file of 4 exbibytes with the blocks of a small one"""
    image = make_image(rig)
    image.put("<Q", image.inode(1000002) + 24, 1 << 62)
    damaged(rig, image, "md5sum", "/v/large")


@test()
def endless_link(rig):
    """a symlink of 4 GiB is no link, and reading the others goes on"""
    image = make_image(rig)
    image.put("<I", image.inode(1000003) + 20, 0xFFFFFFFF)
    done = try_it(rig, image, "sh", "-c", "busybox readlink /v/link; busybox cat /v/small")
    equal(done.out, b"s" * 1000, repr(done))


@test()
def impossible_names(rig):
    """names with a slash or a NUL, and entries named .. in a directory"""
    for name, bad in ((b"entry-name", b"entry/name"), (b"entry-name", b"entry\0name")):
        image = make_image(rig)
        at = image.entry(name) + 8
        image.bytes[at:at + len(name)] = bad
        try_it(rig, image, "ls", "/v").failed_by_us("damaged")
        try_it(rig, image, "ls", "/v", options=("--mount=extract",)).failed_by_us()


@test()
def loop_of_directories(rig):
    """a directory that holds itself: find ends, and unpacking refuses it"""
    image = make_image(rig)
    at = image.entry(b"inner")
    own = image.get("<Q", SUPER["root"][0])
    image.put("<H", at, own & 0xFFFF)
    done = try_it(rig, image, "find", "/v")
    check(done.status in (0, 1, 125), repr(done))
    try_it(rig, image, "true", options=("--mount=extract",)).failed_by_us("damaged")


def odd_programs():
    """Files that nobody can execute, and what the kernel looks for in them: name, status."""
    def elf(offset, size, table=64, count=1):
        head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, table, 0, 0, 64, 56,
                                                                    count, 0, 0, 0)
        return head + struct.pack("<IIQQQQQQ", 3, 4, offset, 0, 0, size, size, 1)

    most = (1 << 64) - 1
    yield from (("short", b"\x7fELF", 126), ("no-table", elf(0, 0, most - 8), 126),
                ("many-parts", elf(0, 0, count=65535), 126), ("far-name", elf(most - 4, 8), 126),
                ("long-name", elf(64, most), 126), ("empty-name", elf(0, 0), 126),
                ("no-interpreter", b"#!", 126), ("blank", b"#!   \t \n", 126), ("relative", b"#!bin/busybox\n", 126),
                ("itself", b"#!/odd/itself\n", 126), ("a-directory", b"#!/many\n", 126),
                ("a-pipe", b"#!/odd/pipe\n", 126), ("windows", b"#!/bin/busybox\r\n", 126), ("no-such", b"#!/no/such\n", 126), ("nothing", b"", 126))


@test()
def program_that_is_none(rig):
    """a program that is a FIFO, half an ELF file or a wild script is not waited for, and said to be none"""
    tree = rig.top / "odd-programs"
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("bin", "odd", "many"):
        (tree / directory).mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    os.mkfifo(tree / "odd/pipe", 0o755)
    cases = list(odd_programs())
    for name, content, _ in cases:
        (tree / "odd" / name).write_bytes(content)
        (tree / "odd" / name).chmod(0o755)
    image = rig.top / "odd-programs.sqfs"
    subprocess.run(["mksquashfs", tree, image, "-noappend", "-quiet", "-no-progress"], check=True,
                   stdout=subprocess.DEVNULL)
    os.chown(image, rig.uid, rig.uid)
    for name, status in [("pipe", 126), *((name, status) for name, _, status in cases)]:
        done = rig.run(rig.rootlet, "run", "--mount=private", f"--exec=/odd/{name}", image, timeout=LIMIT)
        equal(done.status, status, f"{name}: {done!r}")
        check(done.errors.startswith(f"rootlet: run: /odd/{name}: "), f"{name}: {done!r}")
        check(("carriage return" in done.errors) == (name == "windows"), f"{name}: {done!r}")


@test()
def damage_at_random(rig):
    """whatever bytes are changed: an answer or an error, no crash and no wait"""
    program = rig.tools / "rootlet-read-image"
    make_image(rig)
    tree = rig.top / "hostile-tree"
    shutil.rmtree(tree / "bin", ignore_errors=True)
    seconds = max(1, 8 * scale())
    for method in ("gzip", "xz", "lz4", "zstd"):
        image = rig.top / f"{method}.sqfs"
        subprocess.run(["mksquashfs", tree, image, "-noappend", "-quiet", "-no-progress", "-comp",
                        method, "-b", "16K"], check=True, stdout=subprocess.DEVNULL)
        os.chown(image, rig.uid, rig.uid)
        seed = int.from_bytes(os.urandom(4), "little")
        done = rig.run(program, image, "damage", str(seconds / 4), str(seed), timeout=seconds + LIMIT)
        check(done.status == 0, f"{method}, seed {seed}: {done!r}")
        contains(done.text, "damaged copies", "its report")


if __name__ == "__main__":
    main()
