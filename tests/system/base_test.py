#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An image that holds only what differs from another one, its base."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Untouched, check, contains, equal, main, test

# All that a tool can see of a root, but for what a run puts there itself.
LOOK = """cd / && find bin opt usr | sort | while read -r name; do
if [ -d "$name" ]; then stat -c '%n %f %Y' "$name"; else stat -c '%n %f %s %Y %h' "$name"; fi; done
readlink opt/link; find opt usr -type f | sort | xargs md5sum"""


def own(rig, *paths):
    for path in paths:
        subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", path], check=True)


def trees(rig):
    """A root for the base, and one that differs from it in every way that a tree can."""
    top = rig.top / "base-trees"
    if top.exists():
        return top / "base", top / "tool"
    top.mkdir()
    base, tool = top / "base", top / "tool"
    shutil.copytree(WORK / "tree", base, symlinks=True)
    for name in ("keep/a", "keep/b", "gone/deep/x", "file-then-dir", "dir-then-file/x", "part/same", "part/gone",
                 "part/changed", "mode", "time", "linked-1", "empty-later/x"):
        path = base / "opt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"base: {name}\n")
    os.link(base / "opt/linked-1", base / "opt/linked-2")
    (base / "opt/link").symlink_to("keep/a")
    (base / "opt/link-gone").symlink_to("keep/b")
    os.mkfifo(base / "opt/fifo")
    subprocess.run(["cp", "-a", base, tool], check=True)
    opt = tool / "opt"
    shutil.rmtree(opt / "gone")
    (opt / "file-then-dir").unlink()
    (opt / "file-then-dir").mkdir()
    (opt / "file-then-dir/inside").write_text("now a directory\n")
    shutil.rmtree(opt / "dir-then-file")
    (opt / "dir-then-file").write_text("now a file\n")
    (opt / "part/gone").unlink()
    (opt / "part/changed").write_text("tool: changed\n")
    (opt / "part/new").write_text("tool: new\n")
    (opt / "mode").chmod(0o600)
    os.utime(opt / "time", (1000, 1000))
    (opt / "linked-2").unlink()
    (opt / "linked-2").write_text("base: linked-1\n")
    (opt / "link").unlink()
    (opt / "link").symlink_to("part/new")
    (opt / "link-gone").unlink()
    (opt / "empty-later/x").unlink()
    (opt / "fifo").unlink()
    own(rig, top)
    return base, tool


def images(rig):
    """The base, the tool on it, and the same tool packed alone."""
    home = rig.top / "base-images"
    if not home.exists():
        base, tool = trees(rig)
        home.mkdir()
        own(rig, home)
        for name, tree, more in (("base", base, ()), ("tool", tool, ("--base", home / "base.AppImage")),
                                 ("whole", tool, ())):
            done = rig.run(rig.rootlet, "build", tree, "--entry", "/bin/sh", "-o", home / f"{name}.AppImage", "-q",
                           *more)
            equal(done.status, 0, repr(done))
    return home


def seen(rig, image, *options):
    done = rig.run(image, *options, "-c", LOOK)
    equal((done.status, done.errors), (0, ""), str(image))
    return done.text


@test()
def same_as_whole(rig):
    """laid on its base a tool is byte for byte what it is when packed alone, deletions included"""
    home = images(rig)
    wanted = seen(rig, home / "whole.AppImage")
    check("part/gone" not in wanted and "part/new" in wanted, wanted)
    for options in ((), ("--rootlet-mount=private",), ("--rootlet-mount=extract",), ("--rootlet-overlay=tmpfs",),
                    ("--rootlet-profile=isolated",)):
        with Untouched():
            found = seen(rig, home / "tool.AppImage", *options)
            differs = sorted(set(found.splitlines()) ^ set(wanted.splitlines()))
            check(found == wanted, f"{options}: {differs[:20]}")


@test()
def small(rig):
    """what the base has is not in the image"""
    home = images(rig)
    sizes = {name: (home / f"{name}.AppImage").stat().st_size for name in ("base", "tool", "whole")}
    stub = rig.stub.stat().st_size
    check(sizes["tool"] - stub < (sizes["whole"] - stub) / 10, f"{sizes}, stub {stub}")
    summary = rig.run(rig.rootlet, "build", trees(rig)[1], "--entry", "/bin/sh", "--base", home / "base.AppImage",
                      "-o", rig.top / "again.AppImage")
    contains(summary.text, "base.AppImage", "summary")
    report = json.loads(rig.run(rig.rootlet, "inspect", "--json", home / "tool.AppImage").text)
    equal(report["policy"]["base"]["name"], "base.AppImage")
    check(report["build"]["base"]["shared_bytes"] > 5 << 20, f"{report['build']}")
    contains(rig.run(rig.rootlet, "inspect", home / "tool.AppImage").text, "lies on:", "inspect")


@test()
def written_over(rig):
    """a layer, a writable place and missing mount points work over a base, as over any image"""
    tool = images(rig) / "tool.AppImage"
    done = rig.run(tool, "--rootlet-writable=/opt", "-c", "echo x > /opt/part/new && cat /opt/part/new && ls /opt/gone")
    equal((done.status, done.text), (1, "x\n"), repr(done))
    done = rig.run(tool, f"--rootlet-bind={rig.cwd}:/not/there/yet", "-c", "ls -d /not/there/yet && cat /opt/keep/a")
    equal(done.text, "/not/there/yet\nbase: keep/a\n", repr(done))
    done = rig.run(tool, "-c", "echo x > /opt/new; echo x > /opt/keep/a")
    contains(done.errors, "Read-only file system", "stderr")


@test()
def found(rig):
    """the base is found beside the file, below data-path, or in the same jar"""
    home = images(rig)
    away = rig.top / "base-away"
    away.mkdir(exist_ok=True)
    tool = rig.copy("base-away/tool.AppImage", (home / "tool.AppImage").read_bytes())
    own(rig, away)
    rig.run(tool, "-c", "true").failed_by_us("base.AppImage", "data-path")
    equal(rig.run(tool, f"--rootlet-data-path={home}", "-c", "cat /opt/keep/a").text, "base: keep/a\n")
    equal(rig.run(tool, "-c", "cat /opt/keep/a", env={"ROOTLET_DATA_PATH": str(home)}).text, "base: keep/a\n")
    equal(rig.run(rig.rootlet, "run", "--data-path", home, tool, "-c", "cat /opt/keep/a").text, "base: keep/a\n")
    jar = rig.top / "base.jar"
    shutil.copy(WORK / "empty.jar", jar) if (WORK / "empty.jar").exists() else make_jar(jar)
    own(rig, jar)
    added = rig.run(rig.rootlet, "jar", "add", jar, home / "base.AppImage", home / "tool.AppImage")
    equal(added.status, 0, repr(added))
    equal(rig.run(rig.rootlet, "run", f"{jar}!/tool", "-c", "cat /opt/keep/a").text, "base: keep/a\n")
    listed = rig.run(rig.rootlet, "jar", "list", jar).text
    contains(listed, "base.AppImage is below 1 of them", "jar list")


def make_jar(path):
    import zipfile
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")


@test()
def another_base(rig):
    """another base of that name is refused with both digests' difference, as is a run without isolation"""
    home = images(rig)
    away = rig.top / "base-other"
    away.mkdir(exist_ok=True)
    tool = rig.copy("base-other/tool.AppImage", (home / "tool.AppImage").read_bytes())
    rig.copy("base-other/base.AppImage", (home / "whole.AppImage").read_bytes())
    own(rig, away)
    rig.run(tool, "-c", "true").failed_by_us("base-other/base.AppImage", "another one")
    # A right one further on is taken all the same.
    equal(rig.run(tool, f"--rootlet-data-path={home}", "-c", "cat /opt/keep/a").text, "base: keep/a\n")
    rig.run(home / "tool.AppImage", "--rootlet-no-isolation", "-c", "true").failed_by_us("base.AppImage")


@test()
def refused(rig):
    """build refuses a base that lies on one itself, and one that does not know its own digest"""
    home = images(rig)
    tree = trees(rig)[1]
    def build(base):
        return rig.run(rig.rootlet, "build", tree, "--entry", "/bin/sh", "-q", "--base", base, "-o", rig.top / "no")
    build(home / "tool.AppImage").failed_by_us("base.AppImage", "itself")
    squashfs = rig.top / "plain.squashfs"
    subprocess.run(["mksquashfs", tree, squashfs, "-noappend", "-quiet", "-no-progress"], check=True,
                   stdout=subprocess.DEVNULL)
    build(squashfs).failed_by_us("digest")
    build(rig.top / "missing").failed_by_us("missing")


@test("user")
def shared_server(rig):
    """two tools that run at once read their base through one server"""
    home = images(rig)
    second = home / "second.AppImage"
    if not second.exists():
        (trees(rig)[1] / "opt/second").write_text("second\n")
        equal(rig.run(rig.rootlet, "build", trees(rig)[1], "--entry", "/bin/sh", "-q", "--base",
                      home / "base.AppImage", "-o", second).status, 0)
    (rig.top / "runtime").mkdir(mode=0o700, exist_ok=True)
    own(rig, rig.top / "runtime")
    first = rig.start(home / "tool.AppImage", "--rootlet-keep=2", "-c", "echo; sleep 3", stdin=subprocess.DEVNULL)
    first.stdout.readline()
    sockets = len(list((rig.top / "runtime/rootlet").glob("*")))
    equal(rig.run(second, "--rootlet-keep=2", "-c", "cat /opt/second").text, "second\n")
    more = len(list((rig.top / "runtime/rootlet").glob("*")))
    first.communicate()
    equal(more - sockets, 1, "sockets that the second run added: its own image's, and none of the base")


if __name__ == "__main__":
    main()
