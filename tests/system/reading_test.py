#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a tool reads is what was packed: whatever the compression and the block
size, wherever it begins to read, however many read at once."""
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from outer import Outer
from rig import Failed, Skip, check, equal, main, scale, test, times

METHODS = ("gzip", "xz", "lz4", "zstd", "lzo")
BLOCKS = ("4K", "1M")
READERS = 8
RANGES = 60
SPARSE = 5 << 30  # bytes
IDLE = 10  # seconds after a load, when the server's memory is small again
SMALL = 4 << 20  # what it may be then


def make_tree(top):
    """Files of all shapes: empty, tails, whole blocks, holes, what cannot be compressed."""
    tree = top / "reading-tree"
    if tree.exists():
        return tree
    chance = random.Random(3)
    for directory in ("bin", "small", "large"):
        (tree / directory).mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    text = b"".join(b"%d %d\n" % (n, n * n) for n in range(60000))
    for number in range(400):
        start = chance.randrange(len(text) - 5000)
        (tree / f"small/{number}").write_bytes(text[start:start + chance.randrange(5000)])
    (tree / "large/text").write_bytes(text)
    (tree / "large/random").write_bytes(chance.randbytes(900_001))
    (tree / "large/mixed").write_bytes(b"".join(
        text[:chance.randrange(300_000)] + chance.randbytes(chance.randrange(300_000))
        for _ in range(8)))
    with open(tree / "large/holes", "wb") as file:
        for at in (0, 300_000, 2_097_152, 4_000_000):
            file.seek(at)
            file.write(text[:10_000])
        file.truncate(6_000_000)
    return tree


def make_image(rig, method, block, tree=None):
    path = rig.top / f"{method}-{block}.sqfs"
    if not shutil.which("mksquashfs"):
        raise Skip("no mksquashfs here: scripts/setup installs it")
    subprocess.run(["mksquashfs", tree or make_tree(rig.top), path, "-noappend", "-quiet",
                    "-no-progress", "-comp", method, "-b", block, "-all-root"], check=True,
                   stdout=subprocess.DEVNULL)
    os.chown(path, rig.uid, rig.uid)
    return path


def digests(tree):
    """md5sum's lines for all files of the tree."""
    files = sorted(file for file in tree.rglob("*") if file.is_file())
    return sorted(f"{hashlib.md5(file.read_bytes()).hexdigest()}  /{file.relative_to(tree)}"
                  for file in files)


def run(rig, image, script, **keywords):
    done = rig.run(rig.rootlet, "run", "--mount=private", "--exec=/bin/busybox", image, "sh", "-c",
                   script, **keywords)
    equal(done.status, 0, repr(done))
    return done


@test(by="user")
def every_image(rig):
    """every compression and block size gives the bytes that were packed"""
    wanted = digests(make_tree(rig.top))
    pairs = [(method, "128K") for method in METHODS] + [("zstd", block) for block in BLOCKS]
    for method, block in pairs:
        image = make_image(rig, method, block)
        done = run(rig, image, "busybox find /bin /small /large -type f | busybox xargs busybox md5sum")
        equal(sorted(done.text.splitlines()), wanted, f"{method}, blocks of {block}")
        image.unlink()


@test()
def many_readers(rig):
    """eight readers of the whole tree at once, in different orders, find the same"""
    wanted = digests(make_tree(rig.top))
    image = make_image(rig, "zstd", "64K")
    for script in ("busybox find /bin /small /large -type f | busybox sort",
                   "busybox find /bin /small /large -type f | busybox sort -r"):
        many = "".join(f"({script} | busybox xargs busybox md5sum >/tmp/{n}) & "
                       for n in range(READERS))
        done = run(rig, image, f"{many} wait; cd /tmp; busybox md5sum 0; "
                   "busybox sort 0 >a; for n in 1 2 3 4 5 6 7; do busybox sort $n >b; "
                   "busybox cmp a b || exit 1; done; busybox cat a", timeout=60)
        equal(done.text.splitlines()[1:], wanted, "the readers")


@test(by="user", scaled=RANGES)
def anywhere(rig):
    """60 pieces from random places of a file, of any length, are the file's own"""
    tree = make_tree(rig.top)
    chance = random.Random(5)
    for method, block in (("zstd", "128K"), ("gzip", "4K"), ("xz", "1M")):
        image = make_image(rig, method, block)
        wanted, script = [], []
        for _ in range(times(RANGES // 3, at_least=5)):
            file = tree / "large" / chance.choice(("text", "mixed", "holes", "random"))
            content = file.read_bytes()
            start = chance.randrange(len(content))
            size = min(chance.choice((1, 100, 5000, 70_000, 400_000)), len(content) - start)
            wanted.append(hashlib.md5(content[start:start + size]).hexdigest())
            script.append(f"busybox dd if=/large/{file.name} bs=1M iflag=skip_bytes,count_bytes "
                          f"skip={start} count={size} 2>/dev/null | busybox md5sum")
        done = run(rig, image, "\n".join(script), timeout=60)
        equal([line.split()[0] for line in done.text.splitlines()], wanted, f"{method} {block}")


@test(by="user")
def beyond_four_gigabytes(rig):
    """a sparse file of 5 GiB has its bytes where they were, and zeros between"""
    tree = rig.top / "sparse-tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    with open(tree / "sparse", "wb") as file:
        for at in (0, (1 << 32) - 3, SPARSE - 10):
            file.seek(at)
            file.write(b"1234567890")
    image = make_image(rig, "zstd", "128K", tree)
    skip = ((1 << 32) - 3) // 4096
    done = run(rig, image, "busybox stat -c %s /sparse; "
               f"busybox dd if=/sparse bs=12 iflag=skip_bytes skip={SPARSE - 12} 2>/dev/null; "
               f"busybox dd if=/sparse bs=4096 skip={skip} count=2 2>/dev/null", timeout=60)
    size, rest = done.out.split(b"\n", 1)
    equal(size, b"%d" % SPARSE)
    equal(rest[:12], b"\0\0" + b"1234567890")
    at = ((1 << 32) - 3) % 4096
    equal(rest[12 + at:12 + at + 10], b"1234567890")
    check(rest[12:12 + at] == bytes(at), "zeros are not zeros")


def server_of(launcher):
    """The process that reads the image for a run."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text() == "rootlet-reader\n":
                return int(child)
        time.sleep(0.01)
    raise Failed("no server among the launcher's children")


def size_of(server):
    """Its PSS in bytes, and its threads."""
    rollup = Path(f"/proc/{server}/smaps_rollup").read_text()
    return (int(re.search(r"^Pss: *(\d+)", rollup, re.M)[1]) * 1024,
            len(os.listdir(f"/proc/{server}/task")))


@test()
def memory_comes_back(rig):
    """ten seconds after a load the server has given its threads back and takes at most 4 MiB; before it too"""
    image = make_image(rig, "zstd", "128K")
    process = rig.start(rig.rootlet, "run", "--mount=private", "--exec=/bin/busybox", image, "sh",
                        "-c", "read a; busybox find /bin /small /large -type f | busybox xargs busybox md5sum"
                        " | busybox wc -l; read b", stdin=subprocess.PIPE)
    server = server_of(process.pid)
    time.sleep(0.5)
    before = size_of(server)
    process.stdin.write(b"\n")
    process.stdin.flush()
    equal(int(process.stdout.readline()) > 400, True)
    after = size_of(server)
    start = time.monotonic()
    while time.monotonic() - start < IDLE and (after[0] > SMALL or after[1] > 2):
        time.sleep(0.5)
        after = size_of(server)
    process.communicate(b"\n", timeout=10)
    check(before[0] <= SMALL, f"{before[0]} bytes after the start")
    check(after[0] <= SMALL and after[1] <= 2, f"{after} after {IDLE} s of rest")


def loaded(rig, image, *options):
    """How much memory the server takes while several have read everything, in bytes; and what they read."""
    process = rig.start(rig.rootlet, "run", "--mount=private", *options, "--exec=/bin/busybox", image, "sh",
                        "-c", "for n in 1 2; do busybox cat /large/* /small/* | busybox md5sum & done; wait; read a",
                        stdin=subprocess.PIPE)
    server = server_of(process.pid)
    lines = {process.stdout.readline() for _ in range(2)}
    size = size_of(server)[0]
    process.communicate(b"\n", timeout=10)
    return size, lines


@test(by="user")
def memory_as_set(rig):
    """server-cache=SIZE bounds what a server keeps: under load it takes at most that and 4 MiB"""
    image = make_image(rig, "zstd", "128K")
    usual, lines = loaded(rig, image)
    size, same = loaded(rig, image, "--server-cache=1m")
    equal(same, lines)
    equal(len(lines), 1)
    check(size <= (1 << 20) + SMALL, f"{size} bytes")
    check(usual <= (16 << 20) + SMALL and usual > size, f"{usual} bytes by itself, {size} with 1m")


@test(by="user")
def seeking_in_a_directory(rig):
    """a tool that reads a directory from where no entry begins harms nobody, itself included"""
    equal(rig.probe("seek", "/opt/foo/bin").status, 0)
    equal(rig.probe("seek", "/").status, 0)


@test(by="user")
def one_processor(rig):
    """on one processor one thread does it all, however many ask"""
    image = make_image(rig, "zstd", "128K")
    process = rig.start("taskset", "-c", "0", rig.rootlet, "run", "--mount=private",
                        "--exec=/bin/busybox", image, "sh", "-c",
                        "for n in 1 2 3 4; do busybox cat /large/* | busybox md5sum & done; wait; "
                        "read a", stdin=subprocess.PIPE)
    server = server_of(process.pid)
    lines = [process.stdout.readline() for _ in range(4)]
    threads = size_of(server)[1]
    process.communicate(b"\n", timeout=10)
    equal(len(set(lines)), 1, repr(lines))
    equal(threads, 1, "threads")


@test(by="root")
def no_threads_to_be_had(rig):
    """a server that is refused threads answers all the same, with those that it has"""
    image = make_image(rig, "zstd", "128K")
    script = ("for n in 1 2 3 4; do busybox mkfifo /tmp/$n; "
              "(read a < /tmp/$n; exec busybox md5sum /large/text /large/mixed /large/random) & done; "
              "read a; for n in 1 2 3 4; do echo > /tmp/$n; done; wait; read b")
    seen = {}
    with Outer(rig, ["pids"]) as outer:
        group = outer.groups[0]
        for limit in ("max", "1"):
            process = rig.start(rig.rootlet, "run", "--mount=private", "--exec=/bin/busybox", image, "sh", "-c",
                                script, stdin=subprocess.PIPE)
            server = server_of(process.pid)
            deadline = time.monotonic() + IDLE
            while limit == "1" and size_of(server)[1] > 1 and time.monotonic() < deadline:
                time.sleep(0.2)  # those of its start are given back
            (group / "pids.max").write_text(limit)
            (group / "cgroup.procs").write_text(str(server))
            process.stdin.write(b"\n")
            process.stdin.flush()
            lines = sorted(process.stdout.readline() for _ in range(12))
            seen[limit] = size_of(server)[1], lines
            equal(process.communicate(b"\n", timeout=10)[1], b"")
            equal(process.returncode, 0)
    equal(seen["1"], (1, seen["max"][1]))
    equal(len(set(seen["max"][1])), 3, "files")
    check(seen["max"][0] > 1 or os.cpu_count() == 1, f"{seen['max'][0]} threads when none was refused")


WALK = "busybox find /bin /small /large | busybox wc -l; busybox ls -lR /small /large | busybox md5sum"


@test(by="user")
def listed_and_then_looked_at(rig):
    """a tree has the same names, sizes and times whether it is listed, looked at, or first one and then the other"""
    image = make_image(rig, "zstd", "128K")
    wanted = None
    for script in (WALK, WALK.split("; ")[1], WALK + "; busybox sleep 0.1; " + WALK):
        lines = run(rig, image, script).text.splitlines()
        wanted = wanted or lines[-1]
        equal(lines[-1], wanted, script)
    top = make_tree(rig.top)
    names = run(rig, image, "busybox find /small /large -type f -exec busybox stat -c '%n %s %Y' {} +").text
    equal(sorted(names.splitlines()),
          sorted(f"/{file.relative_to(top)} {file.stat().st_size} {int(file.stat().st_mtime)}"
                 for part in ("small", "large") for file in (top / part).iterdir()))


LOOKUP, READDIR, READDIRPLUS = 1, 28, 44  # linux/fuse.h


class Questions:
    """What the kernel asks of a server meanwhile, by kind."""

    def __init__(self, server):
        self.log = Path(f"/tmp/questions-{os.getpid()}")
        self.count = {}
        self.trace = subprocess.Popen(["strace", "-f", "-qq", "-xx", "-s", "8", "-e", "trace=read", "-e", "signal=none",
                                       "-o", self.log, "-p", str(server)], stderr=subprocess.DEVNULL)

    def __enter__(self):
        time.sleep(0.5)  # strace tells nobody when it has begun
        return self

    def __exit__(self, *_):
        self.trace.send_signal(signal.SIGINT)
        self.trace.wait()
        for head in re.findall(r'"((?:\\x[0-9a-f]{2}){8})', self.log.read_text()):
            kind = int.from_bytes(bytes.fromhex(head.replace("\\x", ""))[4:8], sys.byteorder)
            self.count[kind] = self.count.get(kind, 0) + 1
        self.log.unlink()


@test(by="root")
def found_and_then_looked_at(rig):
    """a tree that was listed by name alone is listed with attributes for the next who wants them"""
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("one processor: the kernel is not told")
    tree = rig.top / "wide-tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    for directory in range(300):
        (tree / f"wide/{directory:03}").mkdir(parents=True)
        for file in range(8):
            (tree / f"wide/{directory:03}/{file}").write_text(f"{directory} {file}\n")
    image = make_image(rig, "zstd", "128K", tree)
    process = rig.start(rig.rootlet, "run", "--mount=private", "--exec=/bin/busybox", image, "sh", "-c",
                        "for n in 1 2; do read a; echo /wide/*/* | busybox wc -w; done; "  # looks at no file
                        "for n in 1 2; do read a; busybox ls -lR /wide | busybox md5sum; done", stdin=subprocess.PIPE)
    server = server_of(process.pid)

    def step():
        with Questions(server) as questions:
            process.stdin.write(b"\n")
            process.stdin.flush()
            return process.stdout.readline(), questions
    (names, first), (again, second), (listed, third), (same, fourth) = (step() for _ in range(4))
    process.communicate(timeout=10)
    equal((names, same), (again, listed))
    equal(names, b"2400\n")
    check(first.count.get(LOOKUP, 0) < 50, f"names alone are asked for: {first.count}")
    check(second.count.get(READDIRPLUS, 0) < 50, f"the kernel keeps listings: {second.count}")
    # 64 files to see it, and what is asked for until the kernel has been told.
    check(third.count.get(LOOKUP, 0) < 1200, f"of 2400 files: {third.count}")
    check(third.count.get(READDIRPLUS, 0) > 100, f"{third.count}")
    equal(fourth.count.get(LOOKUP, 0), 0, f"{fourth.count}")


if __name__ == "__main__":
    main()
