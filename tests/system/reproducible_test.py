#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same source gives the same bytes, whatever is around the build."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import UID, WORK, check, equal, main, test

# A clock that is years off, for a program that asks libc.
CLOCK = """#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t) {
  int r = (int)syscall(SYS_clock_gettime, id, t);
  if (id == CLOCK_REALTIME) t->tv_sec += 400000000;
  return r;
}
time_t time(time_t *t) {
  struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval *t, void *z) { (void)z; t->tv_sec = time(NULL); t->tv_usec = 0; return 0; }
"""


def source(rig):
    """A root with what could differ: many files, links, packages' records, times."""
    tree = rig.top / "reproducible"
    if tree.exists():
        return tree
    shutil.copytree(WORK / "tree", tree, symlinks=True)
    for number in range(200):
        file = tree / f"usr/share/x{number % 7}/file-{number * 7919 % 200}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n" * (number % 50 * 40))
        os.utime(file, (1500000000 + number, 1500000000 + number))
    os.link(tree / "usr/share/x0/file-0", tree / "usr/share/linked")
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "var/lib/dpkg/status").write_text("Package: b\nVersion: 1\n\nPackage: a\nVersion: 2\n")
    return tree


def copy(tree, target, owner, reverse, keep_times=True):
    """The same tree elsewhere: created in another order, by somebody else."""
    names = sorted((str(path.relative_to(tree)) for path in tree.rglob("*")), reverse=reverse)
    target.mkdir()
    links, directories = {}, [tree, *(tree / name for name in names if (tree / name).is_dir())]
    for name in names:
        old, new = tree / name, target / name
        new.parent.mkdir(parents=True, exist_ok=True)
        status = old.lstat()
        if old.is_symlink():
            new.symlink_to(os.readlink(old))
        elif old.is_dir():
            new.mkdir(exist_ok=True)
        elif status.st_ino in links:
            os.link(links[status.st_ino], new)
        else:
            shutil.copy2(old, new)
            links[status.st_ino] = new
        if keep_times:
            os.utime(new, ns=(status.st_mtime_ns, status.st_mtime_ns), follow_symlinks=False)
    for old in directories:
        new = target / old.relative_to(tree)
        shutil.copystat(old, new)
        if not keep_times:
            os.utime(new)
    if not keep_times:
        for name in names:
            os.utime(target / name, follow_symlinks=False)
    subprocess.run(["chown", "-hR", f"{owner}:{owner}", target], check=True)
    return target


def build(rig, tree, out, owner, umask=0o022, **variables):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(rig.home), **variables}
    done = subprocess.run([rig.rootlet, "build", tree, "--entry", "/bin/sh", "-q", "--trim=docs", "-o", out,
                           "--threads", variables.get("THREADS", "2")], env=env, cwd=tree, capture_output=True,
                          user=owner, group=owner, extra_groups=[], umask=umask)
    check(done.returncode == 0, f"{done.stderr!r}")
    return out.read_bytes()


def place(rig):
    where = rig.top / "reproducible-work"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(mode=0o777)
    where.chmod(0o777)
    return where


@test("user")
def same_bytes(rig):
    """on another day, in another place, by another user, from a tree made in another order, under another umask, locale and zone"""
    where = place(rig)
    tree = source(rig)
    (where / "clock.c").write_text(CLOCK)
    clock = Path("/var/tmp/rootlet-clock.so")  # LD_PRELOAD splits at blanks
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", clock, where / "clock.c"], check=True)
    one = build(rig, copy(tree, where / "one", UID, False), where / "1.AppImage", UID)
    other = build(rig, copy(tree, where / "the other", UID + 1, True), where / "2.AppImage", UID + 1, 0o077,
                  LD_PRELOAD=str(clock), LC_ALL="tr_TR.UTF-8", LANG="de_DE.UTF-8", TZ="Pacific/Chatham", THREADS="5")
    check(one == other, "the files differ")
    said = subprocess.run(["date", "+%Y"], env={"LD_PRELOAD": str(clock), "PATH": "/usr/bin:/bin"}, capture_output=True,
                          text=True).stdout
    check(int(said) > 2030, f"the clock of the test is not off: {said}")


@test("user")
def other_times(rig):
    """SOURCE_DATE_EPOCH makes a copy with other times the same"""
    where = place(rig)
    tree = source(rig)
    epoch = {"SOURCE_DATE_EPOCH": "1000000000"}
    copied = copy(tree, where / "new", UID, True, keep_times=False)
    one = build(rig, copy(tree, where / "old", UID, False), where / "1.AppImage", UID, **epoch)
    check(one == build(rig, copied, where / "2.AppImage", UID, **epoch), "the files differ")
    check(one != build(rig, copied, where / "3.AppImage", UID), "times are part of the source otherwise")


@test("user")
def on_a_base(rig):
    """the difference to a base is the same, too"""
    where = place(rig)
    tree = source(rig)
    base = copy(tree, where / "base", UID, False)
    build(rig, base, where / "base.AppImage", UID)
    files = []
    for number, reverse in enumerate((False, True)):
        changed = copy(tree, where / f"changed-{number}", UID, reverse)
        for name, text in (("a", "new\n"), ("b", "newer\n")):
            (changed / name).write_text(text)
            os.utime(changed / name, (5, 5))
        (changed / "usr/share/linked").unlink()
        os.utime(changed / "usr/share", (6, 6))
        os.utime(changed, (7, 7))
        subprocess.run(["chown", "-hR", f"{UID}:{UID}", changed], check=True)
        out = where / f"{number}.AppImage"
        done = rig.run(rig.rootlet, "build", changed, "--entry", "/bin/sh", "-q", "--base", where / "base.AppImage",
                       "-o", out)
        equal(done.status, 0, repr(done))
        files.append(out.read_bytes())
    check(files[0] == files[1], "the files differ")


if __name__ == "__main__":
    main()
