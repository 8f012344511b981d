# SPDX-License-Identifier: MIT
"""Packing and unpacking a tree, beside the programs that do only that. The same
compression, level, block size and number of threads; everything warm. Ours is timed
with all that build does by itself: checks, survey, digest, bill of materials, seal."""
import os
import shutil
import subprocess
import time

from measure import Series, rotated
from table import Table, number

THREADS = len(os.sched_getaffinity(0))


def packers(bench, tree, level):
    out = os.path.join(bench.trees.work, "packed")
    threads = str(THREADS)
    tar = os.path.join(bench.trees.work, "tree.tar")
    found = {
        "rootlet build": [bench.trees.rootlet, "build", tree, "--entry", "/bin/sh", "-o", out, "--comp-level", level,
                          "--block-size", "128K", "--threads", threads, "--force", "-q"],
        "mksquashfs": ["mksquashfs", tree, out, "-comp", "zstd", "-Xcompression-level", level, "-b", "128K",
                       "-processors", threads, "-noappend", "-all-root", "-quiet", "-no-progress"],
        "tar2sqfs": None,
    }
    if shutil.which("tar2sqfs"):
        subprocess.run(["tar", "-C", tree, "-cf", tar, "."], check=True)
        found["tar2sqfs"] = ["sh", "-c", f'tar2sqfs -q -f -c zstd -X level={level} -b 131072 -j {threads} "$1" < "$2"',
                             "sh", out, tar]
    return out, found


def unpackers(bench, image):
    out = os.path.join(bench.trees.work, "unpacked")
    packed = bench.trees.with_stub(image, f"{bench.trees.work}/unpack.AppImage")
    return out, {
        "--appimage-extract": ["sh", "-c", 'mkdir "$1" && cd "$1" && "$2" --appimage-extract', "sh", out, packed],
        "unsquashfs": ["unsquashfs", "-q", "-n", "-no-xattrs", "-p", str(THREADS), "-d", out, image],
    }


def timed(bench, title, cases, out, rounds, base):
    series = {name: Series(name, None if command else "not here") for name, command in cases.items()}
    here = [name for name in cases if cases[name]]
    sizes = {}
    for turn in range(rounds):
        for name in rotated(here, turn):
            subprocess.run(["rm", "-rf", out], check=True)
            started = time.monotonic()
            done = subprocess.run(cases[name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
            took = time.monotonic() - started
            if done.returncode != 0:
                series[name].reason = "failed: " + (done.stderr.strip().splitlines() or ["?"])[0]
                continue
            series[name].values.append(took)
            sizes[name] = os.path.getsize(out) / (1 << 20) if os.path.isfile(out) else None
            bench.progress(f"pack: {title}, round {turn + 1}: {name}")
    note = ", ".join(f"{name} {number(size)} MiB" for name, size in sizes.items() if size)
    return Table(title, "s", list(series.values()), base, note=note and f"Sizes: {note}.")


def tables(bench):
    tree, image = bench.trees.big(), bench.trees.big_image()
    rounds = bench.rounds(5, quick=2)
    for level in ("6", "15"):
        out, cases = packers(bench, tree, level)
        yield timed(bench, f"pack, zstd {level}, 128 KiB blocks, {THREADS} threads", cases, out, rounds, "mksquashfs")
    out, cases = unpackers(bench, image)
    yield timed(bench, f"unpack, {THREADS} threads", cases, out, rounds, "unsquashfs")
