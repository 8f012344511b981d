# SPDX-License-Identifier: MIT
"""The others on this host, and how each starts a program in a root."""
import os
import shutil
import subprocess

from tree import squashfs

FLOOR = "../shared/bench/floor.c"  # beside the project, where somebody has it


def floor_program(bench):
    """The least code that does the same."""
    source = bench.peers.get("floor", os.path.join(bench.top, FLOOR))
    out = os.path.join(bench.trees.work, "floor")
    if os.path.exists(out) or not os.path.exists(source):
        return out if os.path.exists(out) else None
    command = ("gcc -O2 -static -D_FILE_OFFSET_BITS=64 -I/usr/include/squashfuse -I/usr/include/fuse3 "
               f"-o {out} {source} -lsquashfuse_ll -lsquashfuse -lfuse3 -lzstd -llzma -llz4 -llzo2 -lz "
               "-lpthread -ldl")
    return out if subprocess.run(command.split(), stderr=subprocess.DEVNULL).returncode == 0 else None


def steps_program(bench):
    """What we ask of the kernel, and nothing else."""
    out = os.path.join(bench.trees.work, "steps")
    if not os.path.exists(out):
        # With our start of a static program, without which it would take 0.2 ms more.
        start = os.path.join(bench.trees.work, "trim_start.o")
        subprocess.run(["g++", "-O2", "-fno-builtin", "-c", "-o", start,
                        os.path.join(bench.top, "runtime/base/trim_start.cpp")], check=True)
        bench.trees.compile("steps.c", out, start, "-static", "-lzstd")
    return out


def bwrap(root, *program):
    here = os.getcwd()
    if not shutil.which("bwrap"):
        return None
    return ["bwrap", "--unshare-all", "--new-session", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind",
            root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--bind",
            here, here, *program]


def ch_run(image, *program):
    return ["ch-run", image, "--", *program] if shutil.which("ch-run") else None


def type2(runtime, trees, root, program):
    """An AppImage of the other kind: no root of its own, AppRun is the program."""
    name = os.path.basename(program)
    tree, out = f"{trees.work}/type2-{name}", f"{trees.work}/type2-{name}.AppImage"
    if not os.path.exists(out):
        os.makedirs(tree)
        shutil.copy(root + program, f"{tree}/AppRun")
        squashfs(tree, f"{out}.sqfs")
        with open(out, "wb") as file:
            for part in (runtime, f"{out}.sqfs"):
                with open(part, "rb") as source:
                    shutil.copyfileobj(source, file)
        os.chmod(out, 0o755)
    return out


def squashfuses(bench):
    """This host's squashfuse_ll, and those given by path."""
    found = {"squashfuse_ll": shutil.which("squashfuse_ll")}
    return {**found, **{name: path for name, path in bench.peers.items() if name.startswith("squashfuse")}}


def can(command):
    """None when it works, else why not, in a few words."""
    if command is None:
        return "not here"
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"not here ({error.__class__.__name__})"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return f"failed: {lines[0] if lines else done.returncode}".replace("|", "/")[:120]
