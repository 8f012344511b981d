# SPDX-License-Identifier: MIT
"""What the order of files in an image gives a cold start: how long it takes, how much
of the file it reads, and in how many stretches."""
import ctypes
import mmap
import os
import re
import subprocess
import time

from measure import Series, rotated
from table import Table

PROGRAM, ARGUMENTS = "/usr/bin/python3", ["-c", "import numpy"]
PAGE = 4096


def trace(bench, tree):
    """The paths of a start-up in the order of their first use, as `build --order` reads them."""
    out = os.path.join(bench.trees.work, "order.txt")
    raw = os.path.join(bench.trees.work, "strace.txt")
    subprocess.run(["strace", "-f", "-qq", "-z", "-e", "trace=execve,open,openat", "-o", raw, "chroot", tree,
                    PROGRAM, *ARGUMENTS], check=True, stdout=subprocess.DEVNULL)
    seen = {}
    with open(raw, errors="replace") as lines:
        for line in lines:
            found = re.search(r'"(/[^"]*)"', line)
            path = found and os.path.normpath(found[1])
            if path and os.path.isfile(tree + path) and "/chroot" not in path:
                seen.setdefault(path)
    with open(out, "w") as file:
        file.write("\n".join(seen) + "\n")
    return out


def resident(path):
    """Bytes of the file that are in the page cache, and in how many stretches."""
    libc = ctypes.CDLL(None, use_errno=True)
    size = os.path.getsize(path)
    pages = (size + PAGE - 1) // PAGE
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        address = libc.mmap(None, size, 1, 1, file.fileno(), 0)
        flags = (ctypes.c_ubyte * pages)()
        libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        libc.mincore(address, size, flags)
        libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        libc.munmap(address, size)
        there = bytes(flag & 1 for flag in flags)
    return there.count(1) * PAGE, len(re.findall(b"\1+", there))


def tables(bench):
    if os.geteuid() != 0:
        yield Table("layout, import numpy, caches dropped", "ms", [Series("all", "needs root, to drop the caches")])
        return
    trees, tree = bench.trees, bench.trees.big()
    order = trace(bench, tree)
    level = ["--comp-level", "6", "--no-selftest"]
    files = {
        "mksquashfs's layout": trees.with_stub(bench.trees.big_image(), f"{trees.work}/plain.AppImage"),
        "build": trees.pack(tree, PROGRAM, f"{trees.work}/names.AppImage", *level),
        "build --order": trees.pack(tree, PROGRAM, f"{trees.work}/order.AppImage", *level, f"--order={order}"),
    }
    times = {name: Series(name) for name in files}
    read = {name: Series(name) for name in files}
    stretches = {name: Series(name) for name in files}
    for turn in range(bench.rounds(15, quick=5)):
        for name in rotated(list(files), turn):
            command = [files[name], "--rootlet-mount=private", f"--rootlet-exec={PROGRAM}", *ARGUMENTS]
            subprocess.run("sync; echo 3 > /proc/sys/vm/drop_caches", shell=True, check=True)
            started = time.monotonic()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name].values.append((time.monotonic() - started) * 1000)
            size, count = resident(files[name])
            read[name].values.append(size / (1 << 20))
            stretches[name].values.append(count)
            bench.progress(f"layout, round {turn + 1}: {name}")
    base = "build"
    yield Table("layout, import numpy, caches dropped", "ms", list(times.values()), base)
    yield Table("layout, of the file in memory afterwards", "MiB", list(read.values()), base)
    yield Table("layout, in stretches", "count", list(stretches.values()), base)
