# SPDX-License-Identifier: MIT
"""What rules cost, as Witt et al. (CCGRID 2017) asked it: three tools bare,
isolated, with enforced rules, learning, and under strace; wall and processor time.

Bare is a chroot into the same root (as root), t0 the isolated run on a warm
server; extra is (t - t0) / t0, the ratio less one. What each case writes is
compared with what the bare tool wrote.
"""
import ctypes
import hashlib
import os
import random
import shutil
import subprocess
import time

from measure import Series, rotated
from start import Held
from table import Table

BASE = "isolated, warm server"
CLONE_NEWNS = 0x00020000
PACKAGES = ["python3", "python3-numpy", "python3-scipy", "mafft", "hmmer", "hmmer-doc"]
PROGRAM = "/usr/local/bin/normalise"
GLOBINS = "usr/share/doc/hmmer/tutorial/globins45.fa"

# getpid and openat, a million of each: what one call costs, without a mark.
LOOP = """#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 1000;
  for (long i = 0; i < count; ++i) {
    if (syscall(SYS_getpid) < 0) return 1;
    int fd = openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
    if (fd < 0) return 1;
    close(fd);
  }
  return write(1, "done\\n", 5) == 5 ? 0 : 1;
}
"""


def random_proteins(path, count):
    generator = random.Random(1)
    with open(path, "w") as file:
        for number in range(count):
            letters = "".join(generator.choices("ACDEFGHIKLMNPQRSTVWY", k=300))
            file.write(f">random{number}\n{letters}\n")


def make_root(bench):
    """A root with the three tools; kept."""
    tree = os.path.join(bench.trees.kept, "rules.tree")
    if not os.path.exists(tree):
        bench.trees.make_root(tree + ".new", PACKAGES, "./usr/share/doc")
        os.rename(tree + ".new", tree)
    shutil.copy(os.path.join(bench.trees.sources, "normalise.py"), tree + PROGRAM)
    os.chmod(tree + PROGRAM, 0o755)
    source = os.path.join(bench.trees.work, "loop.c")
    with open(source, "w") as file:
        file.write(LOOP)
    subprocess.run(["gcc", "-O2", "-static", "-o", f"{tree}/usr/local/bin/loop", source], check=True)
    os.makedirs(tree + os.getcwd(), exist_ok=True)
    return tree


class Case:
    """One way of running: `command` takes the words of the tool."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def run(self, words, here):
        """Wall and processor seconds, and the digest of what was written; None: it failed."""
        for name in os.listdir(here):
            if name.endswith((".f32", ".out")):
                os.unlink(os.path.join(here, name))
        with open(os.path.join(here, "stdout.out"), "wb") as out:
            started = time.monotonic()
            child = subprocess.Popen([*self.command, *words], stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            took = time.monotonic() - started
            child.returncode = status
        digest = hashlib.sha256()
        for name in sorted(os.listdir(here)):
            if name.endswith((".f32", ".out")):
                with open(os.path.join(here, name), "rb") as file:
                    lines = file.read().splitlines(keepends=True)
                digest.update(b"".join(l for l in lines if not l.startswith(b"#")))
        return None if status else (took, used.ru_utime + used.ru_stime, digest.digest())


def cases_of(bench, tree, image, rules, words):
    rootlet = bench.trees.rootlet
    isolated = [image, "--rootlet-mount=share", f"--rootlet-exec={words[0]}"]
    root = os.geteuid() == 0
    chroot = ["chroot", tree, "/bin/sh", "-c", f'cd "{os.getcwd()}" && exec "$0" "$@"', words[0]]
    strace = shutil.which("strace")
    learning = [rootlet, "learn", "-o", "/dev/null", "--mount=share"]
    return [
        Case("bare (chroot)", chroot) if root else None,
        Case(BASE, isolated),
        Case("with enforced rules", [*isolated[:2], f"--rootlet-rules={rules}", isolated[2]]),
        Case("learning", [*learning, "--exec", words[0], image]),
        Case("learning, --every-call", [*learning, "--every-call", "--exec", words[0], image]),
        Case("strace -f", [strace, "-f", "-o", f"{bench.trees.work}/trace", *chroot])
        if root and strace else None,
    ]


def learn(bench, image, words, file):
    """The rules that are enforced; why there are none."""
    if os.path.exists(file):  # of the tool before
        os.unlink(file)
    command = [bench.trees.rootlet, "learn", "-o", file, "--mount=share", "--exec", words[0], image, *words[1:]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return None if done.returncode == 0 else f"not learned: {done.stderr.strip()[-120:]}"


def show_bare(tree, here):
    """What the bare tool sees of the host as well, in a mount namespace that ends with us: however
    a measurement ends, the machine keeps no mount (a second /proc would change what tests see)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare a mount namespace")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for place in (here, "/dev", "/proc"):
        subprocess.run(["mount", "--bind", place, tree + place], check=True)


def measure(bench, title, tree, image, words, rounds):
    here = os.getcwd()
    rules = os.path.join(bench.trees.work, "enforced.json")
    reason = learn(bench, image, words, rules)
    wall, used, wanted = {}, {}, None
    cases = [case for case in cases_of(bench, tree, image, rules, words) if case]
    for case in cases:
        lacks = reason if case.name.startswith(("with enforced rules", "learning")) else None
        wall[case.name], used[case.name] = Series(case.name, lacks), Series(case.name, lacks)
    with Held(image):
        for turn in range(rounds):
            for case in rotated(cases, turn):
                if wall[case.name].reason:
                    continue
                bench.progress(f"{title}: round {turn + 1} of {rounds}, {case.name}")
                found = case.run(words[1:], here)
                wanted = wanted or (found and found[2])
                if found is None or found[2] != wanted:
                    why = "failed" if found is None else "wrote something else"
                    wall[case.name].reason = used[case.name].reason = why
                    continue
                wall[case.name].values.append(found[0] * 1000)
                used[case.name].values.append(found[1] * 1000)
    note = "extra time = the ratio less one"
    return (Table(f"rules: {title}, wall", "ms", list(wall.values()), BASE, note=note),
            Table(f"rules: {title}, processor", "ms", list(used.values()), BASE, note=note))


def tables(bench):
    tree = make_root(bench)
    image = bench.trees.pack(tree, "/usr/local/bin/loop", os.path.join(bench.trees.kept, "rules.AppImage"))
    here = os.getcwd()
    channels, samples = (8, 100_000) if bench.quick else (64, 1_000_000)
    subprocess.run([image, f"--rootlet-exec={PROGRAM}", "make", here, str(channels), str(samples)], check=True)
    shutil.copy(f"{tree}/{GLOBINS}", "globins45.fa")
    random_proteins("random.fa", 2000 if bench.quick else 20000)
    rounds = bench.rounds(15, quick=5)
    if os.geteuid() == 0:
        show_bare(tree, here)
    try:
        yield from measure(bench, "numeric (numpy, scipy)", tree, image, [PROGRAM, "run", here], rounds)
        yield from measure(bench, "MAFFT on the globins", tree, image,
                           ["/usr/bin/mafft", "--quiet", "--auto", "globins45.fa"], rounds)
        yield from measure(bench, "compute-heavy (phmmer)", tree, image,
                           ["/usr/bin/phmmer", "--cpu", "1", "--noali", "globins45.fa", "random.fa"],
                           rounds)
        yield from measure(bench, "getpid and openat in a loop", tree, image,
                           ["/usr/local/bin/loop", "20000" if bench.quick else "100000"], rounds)
    finally:
        for name in os.listdir(here):
            if name.endswith((".edf", ".f32", ".out", ".fa", ".hmm")):
                os.unlink(os.path.join(here, name))
