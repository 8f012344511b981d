#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looking into images without running any of them: inspect, ls, cat, extract."""
import filecmp
import json
import os
import shutil
import stat
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from appimages import (COMPRESSORS, appdir, jar_with, oracle, squashfs, type_1, type_2)
from rig import WORK, Untouched, check, contains, equal, main, test


def every_format(rig, tree):
    """Of each kind of file: how it is named, and the format that inspect tells."""
    for compressor in COMPRESSORS:
        yield type_2(rig, tree, f"{compressor}.AppImage", compressor), "type-2 AppImage"
    yield type_2(rig, tree, "zeroed.AppImage", magic=b"\0\0\0"), "ELF with a squashfs"
    yield type_1(rig, tree), "type-1 AppImage"
    yield type_1(rig, tree, "zisofs.AppImage", compressed=True), "type-1 AppImage"
    yield type_1(rig, tree, "unmarked.AppImage", magic=b"\0\0\0"), "type-1 AppImage"
    inside = type_1(rig, tree).read_bytes()
    yield f"{jar_with(rig, inside, 'one.jar')}!/tool.AppImage", "type-1 AppImage"
    yield f"{rig.copy('front', b'x' * 777 + inside)}@777", "type-1 AppImage"
    yield rig.copy("bare.squashfs", squashfs(rig, tree)), "squashfs"
    jar = jar_with(rig, type_2(rig, tree).read_bytes())
    yield f"{jar}!/tool.AppImage", "squashfs"


def names(tree):
    return sorted(str(Path(top, name).relative_to(tree))
                  for top, directories, files in os.walk(tree) for name in directories + files)


def same_trees(left, right):
    """Names, kinds, modes, contents, links."""
    for name in names(right):
        one, two = left / name, right / name
        check(os.path.lexists(one), f"{name} is missing")
        equal(stat.S_IFMT(one.lstat().st_mode), stat.S_IFMT(two.lstat().st_mode), name)
        if two.is_symlink():
            equal(os.readlink(one), os.readlink(two), name)
        elif two.is_file():
            check(filecmp.cmp(one, two, shallow=False), f"{name} differs")
            equal(one.stat().st_mode & 0o777, two.stat().st_mode & 0o777, f"mode of {name}")
            equal(int(one.stat().st_mtime), int(two.stat().st_mtime), f"time of {name}")


@test()
def every_image(rig):
    """type 2 of every compressor, type 1, zisofs, no magic, bare, in a jar: listed, printed, unpacked"""
    tree = appdir(rig)
    images = list(every_format(rig, tree))
    with Untouched():
        for image, kind in images:
            report = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)
            equal(report["format"], kind, f"format of {image}")
            equal(report["desktop"]["entry"]["Name"], "Foo Viewer", f"desktop entry of {image}")
            equal(sorted(icon["path"].rsplit(".")[-1] for icon in report["icons"]),
                  ["png", "svg"], "icons")
            listed = rig.run(rig.rootlet, "ls", "-R", image)
            equal(listed.status, 0, repr(listed))
            equal(sorted(listed.text.splitlines()), names(tree), str(image))
            done = rig.run(rig.rootlet, "cat", image, "/foo.desktop", "usr/link/mime/packages/foo.xml")
            equal(done.out, (tree / "foo.desktop").read_bytes()
                  + (tree / "usr/share/mime/packages/foo.xml").read_bytes(), f"cat of {image}")
            to = rig.cwd / "unpacked"
            done = rig.run(rig.rootlet, "extract", image, "-C", to)
            equal(done.status, 0, repr(done))
            same_trees(to, tree)
            shutil.rmtree(to)


@test()
def our_own(rig):
    """a file that rootlet built: listed, and unpacked as it was packed"""
    to = rig.cwd / "unpacked"
    equal(rig.run(rig.rootlet, "extract", rig.image, "-C", to).status, 0)
    equal(rig.run(rig.rootlet, "ls", "-R", rig.image).text.splitlines(), names(to), "names")
    same_trees(to, WORK / "tree")
    shutil.rmtree(to)


@test()
def as_libappimage(rig):
    """format, offset, names and bytes are those that libappimage tells"""
    tree = appdir(rig)
    for image in (type_2(rig, tree), type_1(rig, tree), rig.image):
        report = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)
        kind = int(oracle(rig, "type", image).text)
        equal(report["libappimage"]["format"], kind, "format")
        check(report["format"].startswith(f"type-{kind}"), report["format"])
        if kind == 2:
            equal(report["image"]["offset"], int(oracle(rig, "offset", image).text), "offset")
            equal(report["libappimage"]["offset"], report["image"]["offset"], "its offset")
        listed = set(rig.run(rig.rootlet, "ls", "-R", image).text.splitlines())
        equal(listed, set(oracle(rig, "list", image).text.splitlines()), "names")
        path = next(name for name in sorted(listed) if name.endswith(".desktop"))
        equal(rig.run(rig.rootlet, "cat", image, path).out, oracle(rig, "cat", image, path).out,
              path)


@test()
def listing(rig):
    """ls shows a directory as ls does: links followed, -l, -R, --json, one file, what is not there"""
    tree = appdir(rig)
    image = type_2(rig, tree)
    ls = lambda *words: rig.run(rig.rootlet, "ls", *words)
    equal(ls(image).text.split(), [".DirIcon", "AppRun", "foo.desktop", "foo.png", "usr"])
    equal(ls(image, "usr/link/icons").text.split(), ["usr/share/icons/hicolor"])
    contains(ls("-l", image).text, ".DirIcon -> foo.png")
    contains(ls("-l", image, "AppRun").text, "-rwxr-xr-x")
    entry = json.loads(ls("--json", image, "foo.png").text)[0]
    equal((entry["type"], entry["mode"], entry["size"]),
          ("file", "0644", (tree / "foo.png").stat().st_size))
    equal(json.loads(ls("--json", rig.copy("e", squashfs(rig, rig.cwd))).text), [], "empty")
    ls(image, "usr/nothing").failed_by_us("/usr/nothing", "not in the image")
    rig.run(rig.rootlet, "cat", image, "usr").failed_by_us("/usr", "a directory")
    rig.run(rig.rootlet, "cat", image, "none").failed_by_us("/none", "not in the image")
    ls(rig.rootlet).failed_by_us("image")
    ls(rig.cwd).failed_by_us("not a regular file")


@test(by="user")
def who_is_linked(rig):
    """only the examiner is linked with libappimage; what runs tools is linked with no library at all"""
    def libraries(name):
        shown = rig.run("readelf", "-d", rig.tools / name)
        return [line for line in shown.text.splitlines() if "NEEDED" in line]
    equal(libraries("rootlet"), [], "of rootlet")
    for library in ("libappimage", "librsvg"):
        check(not any(library in line for line in libraries("rootlet-tools")), library)
        check(any(library in line for line in libraries("rootlet-examiner")), library)


@test(by="user")
def without_landlock(rig):
    """where the kernel has no Landlock, reading works by our own readers, and install says why not"""
    image = type_2(rig, appdir(rig))
    old = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=landlock_create_ruleset", "-e",
           "inject=landlock_create_ruleset:error=ENOSYS", rig.rootlet)
    report = json.loads(rig.run(*old, "inspect", "--json", image).text)
    equal((report["libappimage"], report["desktop"]["entry"]["Name"], len(report["icons"])),
          (None, "Foo Viewer", 2), "inspect")
    contains(rig.run(*old, "ls", image).text, "AppRun")
    rig.run(*old, "install", image, env={"HOME": str(rig.home)}).failed_by_us("no Landlock")


@test()
def parts(rig):
    """extract takes patterns; directories with nothing wanted are not made; no match is an error"""
    for image in (type_2(rig, appdir(rig)), type_1(rig, appdir(rig))):
        to = rig.cwd / "part"
        done = rig.run(rig.rootlet, "extract", image, "*.desktop", "usr/share/mime", "-C", to)
        equal(done.status, 0, repr(done))
        equal(names(to), ["foo.desktop", "usr", "usr/share", "usr/share/mime",
                          "usr/share/mime/packages", "usr/share/mime/packages/foo.xml"])
        shutil.rmtree(to)
        rig.run(rig.rootlet, "extract", image, "nothing*", "-C", to).failed_by_us("nothing*")
        check(not to.exists(), "a directory of nothing is left")


@test()
def target(rig):
    """extract writes into a new or empty directory only, never through a link"""
    for image in (type_2(rig, appdir(rig)), type_1(rig, appdir(rig))):
        outside = rig.home / "outside"
        outside.mkdir()
        os.chown(outside, rig.uid, rig.uid)
        to = rig.cwd / "to"
        to.symlink_to(outside)
        rig.run(rig.rootlet, "extract", image, "-C", to).failed_by_us("no directory")
        to.unlink()
        to.mkdir()
        os.chown(to, rig.uid, rig.uid)
        (to / "usr").symlink_to(outside)
        rig.run(rig.rootlet, "extract", image, "-C", to).failed_by_us("not empty")
        (to / "usr").unlink()
        equal(rig.run(rig.rootlet, "extract", image, "-C", to).status, 0)
        equal(list(outside.iterdir()), [], "outside")
        outside.rmdir()
        shutil.rmtree(to)


if __name__ == "__main__":
    main()
