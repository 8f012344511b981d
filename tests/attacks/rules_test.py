#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tools that were turned, under rules: a program in the tool's place, and a library in the tool.

What the honest tool needs is learned from what `log` tells, on one input; the
tool is then held to it on another. Each attempt is seen to succeed without.
"""
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from place import TESTS, WORK
from rig import check, equal, main, test
from rules import learn_from_log, rules_file

ATTEMPTS = ("read-key", "write-home", "connect", "shell", "trace", "load-code", "load-memfd",
            "load-writable")
LIBRARY = "/usr/lib/hostile.so"
TOOL = "/usr/bin/sort"


def compiled(name, *options):
    made = WORK / "tools" / name
    if not made.exists():
        subprocess.run(["gcc", "-O1", "-o", made, TESTS / "probe/hostile.c", *options], check=True)
    return made


def copy_program(tree, program):
    """The program and the libraries that it names, where they are on this host."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for file in [str(program), *(w for w in listed.split() if w.startswith("/"))]:
        target = tree / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def image(rig, turned):
    """The tool with its libraries, a shell, a hostile library; or the probe in its place."""
    tree = rig.top / f"turned-{turned}"
    shutil.rmtree(tree, ignore_errors=True)
    copy_program(tree, TOOL)
    for directory in ("bin", "usr/lib"):
        (tree / directory).mkdir(parents=True, exist_ok=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/sh")
    shutil.copy(compiled("hostile.so", "-DPRELOADED", "-shared", "-fPIC"), tree / LIBRARY[1:])
    if turned:
        shutil.copy(compiled("hostile"), tree / TOOL[1:])
    return rig.build(tree, f"turned-{turned}.AppImage", "--entry", TOOL)


class Tool:
    """The same run again and again: a home that shows, the host's network."""

    def __init__(self, rig, image):
        self.rig, self.image = rig, image
        self.listener = socket.create_server(("127.0.0.1", 0))
        (rig.home / ".ssh").mkdir(exist_ok=True)
        (rig.home / ".ssh/id_rsa").write_text("the key\n")
        for path in (rig.home / ".ssh", rig.home / ".ssh/id_rsa"):
            os.chown(path, rig.uid, rig.uid)

    def run(self, data, *options):
        planted = self.rig.home / "planted"
        planted.unlink(missing_ok=True)
        path = self.rig.cwd / "data.txt"
        path.write_text("".join(f"{i * 7919 % 1000}\n" for i in range(data)))
        os.chown(path, self.rig.uid, self.rig.uid)
        options = [f"bind={self.rig.home}", "net=host",
                   f"env=HOSTILE_PORT={self.listener.getsockname()[1]}", *options]
        done = self.rig.run(self.image, *("--rootlet-" + o for o in options), "-n", path)
        done.planted = planted.exists()
        return done


def outcomes(done):
    lines = [l.split()[1:] for l in done.errors.splitlines() if l.startswith("attempt ")]
    return {words[0].rstrip(":"): words[1] for words in lines}


def all_succeed(done):
    equal(outcomes(done), {name: "done" for name in ATTEMPTS}, repr(done))
    check(done.planted, "the file was planted")


def all_refused(done):
    found = outcomes(done)
    equal(sorted(found), sorted(ATTEMPTS), repr(done))
    for name, end in found.items():
        check(end in ("EPERM", "EACCES"), f"{name}: {end}: {done!r}")
        print(f"        {name}: without rules: done; with: {end}")
    check(not done.planted, "nothing was planted")


def same(done, wanted):
    check(done.text == wanted, f"another result: {done.errors[:2000]}")


@test()
def turned_tool(rig):
    """a turned tool does nothing that the honest one did not: with a hostile library, and replaced"""
    tool = Tool(rig, image(rig, False))
    rules = learn_from_log(rig, lambda *options: tool.run(100, *options))
    file = rules_file(rig, rules)
    honest = tool.run(3000).text
    check(honest.count("\n") == 3000, "the tool works")
    same(tool.run(3000, f"rules={file}"), honest)
    preload = f"env=LD_PRELOAD={LIBRARY}"
    done = tool.run(3000, preload)
    all_succeed(done)
    same(done, honest)
    # As if it had been there when the rules were learned: it may be loaded.
    rules["paths"].append({"path": LIBRARY, "access": ["read"]})
    done = tool.run(3000, preload, f"rules={rules_file(rig, rules)}")
    all_refused(done)
    same(done, honest)

    turned = Tool(rig, image(rig, True))
    all_succeed(turned.run(100))
    all_refused(turned.run(100, f"rules={file}"))


if __name__ == "__main__":
    main()
