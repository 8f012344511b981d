# SPDX-License-Identifier: MIT
"""The place where the tests run: private directories, a /dev/fuse for everyone,
a user that only this namespace knows, and the test image."""
import ctypes
import os
import shutil
import stat
import subprocess
from pathlib import Path

from promises import Skip

UID = 47011  # of the created user; only this namespace's /etc/passwd knows it
NAME = "rootlet-test"
WORK = Path("/tmp/rootlet tests")  # a blank in it, as users have
TESTS = Path(__file__).resolve().parents[1]
MS_BIND = 4096


def mount(source, target, kind=None, flags=0, data=None):
    libc = ctypes.CDLL(None, use_errno=True)
    encode = lambda text: text.encode() if text is not None else None
    if libc.mount(encode(source), encode(target), encode(kind), flags, encode(data)) != 0:
        raise Skip(f"mount {kind or source} on {target}: {os.strerror(ctypes.get_errno())}")


def one_proc():
    """Takes away, for us alone, each procfs but /proc: the kernel lets whoever sees an uncovered one
    mount another (mount_too_revealing()), so a chroot that somebody set up would change what tests show."""
    found = subprocess.run(["findmnt", "-rno", "TARGET", "-t", "proc"], capture_output=True, text=True)
    for target in set(found.stdout.split()) - {"/proc"}:
        subprocess.run(["umount", "-l", target.encode().decode("unicode_escape")], check=False)


def make_place(build):
    wanted = [file.name for file in build.glob("rootlet*") if file.is_file()
              and os.access(file, os.X_OK) and file.suffix != ".elf"]
    if not {"rootlet", "rootlet-stub"} <= set(wanted):
        raise Skip(f"{build} holds no rootlet and rootlet-stub: build them first")
    for need in ("gcc", "setpriv", "/usr/bin/busybox"):
        if not shutil.which(need):
            raise Skip(f"no {need} here: scripts/setup installs it")
    programs = {name: (build / name).read_bytes() for name in wanted}
    sources = {name: (TESTS / "probe" / f"{name}.c").read_bytes() for name in ("probe", "host")}
    learn = (TESTS / "probe/learn.c").read_bytes()  # learned.py compiles it
    names = {name: Path("/etc", name).read_text() for name in ("passwd", "group")}
    if not Path("/dev/fuse").exists():
        raise Skip("no /dev/fuse on this machine")
    one_proc()
    for directory in ("/tmp", "/var/tmp", "/run", "/dev/shm"):
        if Path(directory).is_dir() and not Path(directory).is_symlink():
            mount("rootlet-tests", directory, "tmpfs", 0, "mode=1777")
    os.umask(0o022)
    Path("/run/mount").mkdir()  # mount(8) makes it
    WORK.mkdir()
    (WORK / "tools").mkdir()
    fuse = WORK / "fuse"
    os.mknod(fuse, 0o666 | stat.S_IFCHR, os.makedev(10, 229))
    fuse.chmod(0o666)
    mount(str(fuse), "/dev/fuse", None, MS_BIND)
    for name, line in (("passwd", f"{NAME}:x:{UID}:{UID}::{WORK}/user/home:/bin/sh\n"),
                       ("group", f"{NAME}:x:{UID}:\n")):
        kept = "".join(old + "\n" for old in names[name].splitlines()
                       if not old.startswith(NAME + ":"))
        (WORK / name).write_text(kept + line)
        mount(str(WORK / name), f"/etc/{name}", None, MS_BIND)
    for name, content in programs.items():
        (WORK / "tools" / name).write_bytes(content)
        (WORK / "tools" / name).chmod(0o755)
    (WORK / "learn.c").write_bytes(learn)
    for name, content in sources.items():
        (WORK / f"{name}.c").write_bytes(content)
        subprocess.run(["gcc", "-static", "-O1", "-o", WORK / "tools" / name, WORK / f"{name}.c"],
                       check=True)
    make_tree(WORK / "tree")
    subprocess.run([WORK / "tools/rootlet", "build", WORK / "tree", "-q", "--entry",
                    "/opt/foo/bin/probe", "-o", WORK / "probe.AppImage"], check=True)


def make_tree(tree):
    """What stands in for a tool: a probe with hard-coded paths, a shell."""
    for directory in ("opt/foo/bin", "opt/foo/share", "usr/lib/mafft/lib", "bin", "etc", "var"):
        (tree / directory).mkdir(parents=True)
    shutil.copy(WORK / "tools/probe", tree / "opt/foo/bin/probe")
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    for applet in subprocess.run(["/usr/bin/busybox", "--list"], capture_output=True,
                                 text=True).stdout.split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    (tree / "opt/foo/share/data.txt").write_text("data of the image\n")
    (tree / "usr/lib/mafft/lib/tool").write_text("#!/bin/sh\ncat /opt/foo/share/data.txt\n")
    (tree / "usr/lib/mafft/lib/tool").chmod(0o755)
    big = b"".join(i.to_bytes(8, "big") * 512 for i in range(1024))
    (tree / "opt/foo/share/big").write_bytes(big)  # 4 MiB, 32 blocks
