# SPDX-License-Identifier: MIT
"""Reading one image in all ways: the same commands, run inside of each root.

For every figure the file system is mounted anew and a shell started in it; the
command's own program is loaded; with root's rights all caches are dropped; the
command runs once (cold) and once more (warm). Without root's rights there is no
cold figure."""
import os
import shutil
import subprocess
import time

import peers
import stored_blocks
from measure import Series, rotated
from table import Table

NULL = 9  # the host's /dev/null, for roots that have none
LOOP = f'while read -r line; do eval "$line" <&{NULL} >&{NULL} 2>&{NULL}; echo "$?"; done'
BIG = "/usr/local/data/big.bin"
BASE = "rootlet"

# Name, what loads the program, the command, whether it counts warm.
WORKLOADS = [
    ("sequential, one big file", "cat /etc/hostname", f"cat {BIG}", True),
    ("4 readers, different files", "xargs -a /etc/hostname echo",  # -a: xargs then needs no /dev/null
     "xargs -P4 -I{} -a /usr/local/lists/all xargs -d '\\n' -a /usr/local/lists/{} cat", False),
    ("find", "find /etc -maxdepth 0", "find /usr -type f", True),
    ("ls -lR", "ls -ld /etc", "ls -lR /usr", True),
    ("tar of everything", "tar -C /etc -cf - hostname | cat", "tar -C /usr -cf - . | cat", False),
    ("import numpy", "true", "python3 -c 'import numpy'", True),
    ("random 4 KiB, 1 reader", "/usr/local/bin/reader /usr/local/bin/reader 1 1", f"/usr/local/bin/reader {BIG} 4 1", False),
    ("random 4 KiB, 4 readers", "/usr/local/bin/reader /usr/local/bin/reader 1 1", f"/usr/local/bin/reader {BIG} 2 4", False),
]


class Session:
    """A shell in a root: one command a line, its status back."""

    def __init__(self, command):
        os.dup2(os.open("/dev/null", os.O_RDWR), NULL, inheritable=True)
        self.run = subprocess.Popen([*command, "-c", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, pass_fds=[NULL], text=True, bufsize=1)

    def do(self, line):
        """Seconds that the line took; None when it failed."""
        started = time.monotonic()
        try:
            self.run.stdin.write(line + "\n")
            self.run.stdin.flush()
        except BrokenPipeError:
            return None
        status = self.run.stdout.readline()
        return time.monotonic() - started if status == "0\n" else None

    def end(self):
        self.run.stdin.close()
        self.run.stdout.close()
        self.run.wait()


class Root:
    """A way to have the image as a root, made anew for each figure."""

    def __init__(self, shell, mount=None, work=None):
        self.shell = shell
        self.mount = mount
        self.point = os.path.join(work, "mnt") if work else None

    def __enter__(self):
        if self.mount:
            os.makedirs(self.point, exist_ok=True)
            subprocess.run([*self.mount, self.point], check=True, stderr=subprocess.DEVNULL)
        self.session = Session(self.shell)
        return self.session

    def __exit__(self, *_):
        self.session.end()
        if self.mount:
            program = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
            subprocess.run([*program, self.point], check=True)


def ways(bench):
    """The roots by name; None: not on this host."""
    trees, image = bench.trees, bench.trees.big_image()
    root = os.geteuid() == 0
    chroot = (lambda path: ["chroot", path, "/bin/sh"]) if root else \
        (lambda path: ["unshare", "--map-root-user", f"--root={path}", "/bin/sh"])
    point = os.path.join(trees.work, "mnt")
    ours = [trees.rootlet, "run", f"--pass-fd={NULL}", "--exec=/bin/sh"]
    found = {
        BASE: Root([*ours, "--mount=private", image]),
        "rootlet, mount=kernel": Root([*ours, "--mount=kernel", image]),
        "directory on disk": Root(chroot(trees.big())),
        "kernel squashfs": Root(chroot(point), ["mount", "-o", "loop,ro", image], trees.work) if root else None,
        "ch-run": Root(["ch-run", image, "--", "/bin/sh"]) if shutil.which("ch-run") else None,
    }
    for name, program in peers.squashfuses(bench).items():
        found[name] = Root(chroot(point), [program, image], trees.work) if program else None
    return found


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")


def can_drop():
    return os.geteuid() == 0 and os.access("/proc/sys/vm/drop_caches", os.W_OK)


def measure_one(root, workload, cold):
    """Seconds by kind, cold and warm; what does not count is not measured."""
    _, load, command, warm = workload
    with root as session:
        session.do(load)
        if cold:
            drop_caches()
            session.do(load)
        took = {"cold": session.do(command)}
        if warm or not cold:
            took["warm"] = session.do(command)
        if not cold:
            del took["cold"]
        return took


def usable(root):
    if root is None:
        return "not here"
    try:
        with root as session:
            return None if session.do("true") is not None else "does not start here"
    except (OSError, subprocess.CalledProcessError) as error:
        return f"does not start here ({error.__class__.__name__})"


class Decoding:
    """The big file decoded and nothing else, in each round of the others: what a further
    processor is worth meanwhile."""

    def __init__(self, bench, workloads):
        ways = {"one thread": 1, "as many threads as processors": len(os.sched_getaffinity(0))}
        self.series = {Series(name): threads for name, threads in ways.items()}
        self.blocks = os.path.join(bench.trees.kept, f"{bench.trees.kind}.blocks")
        self.here = workloads[:1] == WORKLOADS[:1] and stored_blocks.are_possible()
        if not self.here:
            return
        self.program = bench.trees.compile("decode.c", f"{bench.trees.work}/decode", "-lzstd", "-lpthread")
        if not os.path.exists(self.blocks):
            with open(bench.trees.big() + BIG, "rb") as content, open(self.blocks + ".new", "wb") as file:
                writer = stored_blocks.Writer(file)
                while block := content.read(stored_blocks.BLOCK):
                    writer.add(block)
            os.rename(self.blocks + ".new", self.blocks)

    def take_turn(self):
        for series, threads in self.series.items() if self.here else ():
            took = subprocess.check_output([self.program, self.blocks, str(threads)], text=True)
            series.values.append(int(took) / 1e6)

    def tables(self):
        if self.here:
            yield Table("the big file decoded, and nothing else", "s", list(self.series), "one thread")


def wanted(only):
    """The workloads whose name begins so; all without."""
    return [workload for workload in WORKLOADS if workload[0].startswith(only or "")]


def tables(bench):
    workloads = wanted(bench.only)
    roots = ways(bench)
    reasons = {name: usable(root) for name, root in roots.items()}
    names = [name for name in roots if reasons[name] is None]
    cold = can_drop()
    results = {(w[0], kind): {name: Series(name, reasons[name]) for name in roots}
               for w in workloads for kind in ("cold", "warm")}
    decoding = Decoding(bench, workloads)
    for turn in range(bench.rounds(5, quick=3)):
        decoding.take_turn()
        for workload in workloads:
            for name in rotated(names, turn):
                for kind, took in measure_one(roots[name], workload, cold).items():
                    if took is None:
                        results[workload[0], kind][name].reason = "failed"
                    else:
                        results[workload[0], kind][name].values.append(took)
            bench.progress(f"read: round {turn + 1}: {workload[0]}")
    for workload in workloads:
        for kind in ("cold", "warm"):
            series = list(results[workload[0], kind].values())
            if any(one.values for one in series):
                yield Table(f"{workload[0]}, {kind}", "s", series, BASE)
    yield from decoding.tables()
