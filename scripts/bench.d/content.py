# SPDX-License-Identifier: MIT
"""What compressor, level and block size give for each kind of content: the size, and the
processor time that packing and unpacking take. By mksquashfs and unsquashfs, one thread
each; processor time, so that a busy machine does little harm."""
import os
import random
import resource
import shutil
import subprocess
import zlib

from measure import Series
from table import Table

AMOUNT = {"full": 12 << 20, "quick": 4 << 20}
CHOICES = {
    "lz4 hc": ["-comp", "lz4", "-Xhc"],
    "gzip 9": ["-comp", "gzip"],
    "xz": ["-comp", "xz"],
    **{f"zstd {level}": ["-comp", "zstd", "-Xcompression-level", str(level)] for level in (3, 6, 10, 15, 19, 22)},
}
BLOCKS = {f"zstd 15, {size}": [*CHOICES["zstd 15"], "-b", size] for size in ("64K", "256K", "512K", "1M")}
BASE = "zstd 15"


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\177ELF"


def take(tree, below, wanted, out, amount):
    """Copies the files of `below` that are wanted, as many as make the amount, evenly chosen."""
    found = []
    for directory, _, names in sorted(os.walk(os.path.join(tree, below))):
        for name in sorted(names):
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.path.isfile(path) and wanted(path):
                found.append(path)
    random.Random(1).shuffle(found)
    size = 0
    for path in found:
        if size + os.path.getsize(path) > amount:
            continue
        target = os.path.join(out, os.path.relpath(path, tree))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(path, target)
        size += os.path.getsize(path)


def sequences(amount):
    """FASTA: random bases, sixty in a line."""
    made = random.Random(2)
    for number in range(amount // 61_000 + 1):
        bases = "".join(made.choices("ACGT", k=60_000))
        yield f">contig_{number}\n" + "\n".join(bases[at:at + 60] for at in range(0, 60_000, 60)) + "\n"


def kinds(bench, amount):
    """A directory for each kind of content."""
    tree, top = bench.trees.big(), os.path.join(bench.trees.work, "kinds")
    made = {name: os.path.join(top, name) for name in ("programs", "Python", "sequences", "packed already")}
    for path in made.values():
        os.makedirs(path)
    take(tree, "usr", is_elf, made["programs"], amount)
    take(tree, "usr/lib", lambda path: path.endswith((".py", ".pyc")), made["Python"], amount)
    text = "".join(sequences(amount)).encode()[:amount]
    with open(os.path.join(made["sequences"], "genomes.fa"), "wb") as file:
        file.write(text)
    with open(os.path.join(made["packed already"], "genomes.fa.gz"), "wb") as file:
        file.write(zlib.compress(text + bytes(reversed(text)) * 3, 9)[:amount])
    return made


def used(command):
    """Seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime


def tables(bench):
    amount = AMOUNT[bench.trees.kind]
    work = bench.trees.work
    for kind, path in kinds(bench, amount).items():
        size = sum(os.path.getsize(os.path.join(d, name)) for d, _, names in os.walk(path) for name in names)
        choices = {**CHOICES, **BLOCKS}
        columns = {what: {name: Series(name) for name in choices} for what in ("size", "packing", "unpacking")}
        for name, options in choices.items():
            image, out = os.path.join(work, "kind.sqfs"), os.path.join(work, "kind.out")
            columns["packing"][name].values.append(used(
                ["mksquashfs", path, image, "-noappend", "-quiet", "-no-progress", "-processors", "1", *options]))
            columns["size"][name].values.append(100 * os.path.getsize(image) / size)
            for _ in range(3):
                columns["unpacking"][name].values.append(1000 * used(
                    ["unsquashfs", "-q", "-n", "-p", "1", "-d", out, image]))
                shutil.rmtree(out)
            bench.progress(f"content: {kind}, {name}")
        about = f"content, {kind}, {size >> 20} MiB"
        yield Table(f"{about}: size", "%", list(columns["size"].values()), BASE)
        yield Table(f"{about}: packing, processor time", "s", list(columns["packing"].values()), BASE)
        yield Table(f"{about}: unpacking, processor time", "ms", list(columns["unpacking"].values()), BASE)
