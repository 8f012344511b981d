#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A packed file is a type-2 AppImage: format, sections, options with their streams, variables.
docs/appimage.md names the test of each line of the contract."""
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, WORK, check, contains, equal, main, test

SECTIONS = {".digest_md5": 16, ".upd_info": 1024, ".sha256_sig": 1024, ".sig_key": 8192}
UPDATE = "gh-releases-zsync|someone|probe|latest|probe*.AppImage.zsync"
DATA = "data of the image\n"


class Elf:
    """What readers of AppImages look at, by their rule."""

    def __init__(self, content):
        self.content = content
        at, = struct.unpack_from("<Q", content, 0x28)
        entry, count, names = struct.unpack_from("<HHH", content, 0x3A)
        rows = [struct.unpack_from("<IIQQQQIIQQ", content, at + entry * i) for i in range(count)]
        self.table_end = at + entry * count
        strings = rows[names][4]
        name = lambda row: content[strings + row[0]:].split(b"\0", 1)[0].decode()
        self.sections = [(name(row), row[4], row[5]) for row in rows]
        last = rows[-1]
        self.end = max(self.table_end, last[4] + (last[5] if last[1] != 8 else 0))

    def section(self, wanted):
        return next((at, size) for name, at, size in self.sections if name == wanted)


def updatable(rig):
    """An image with update information."""
    path = rig.top / "updatable.AppImage"
    if not path.exists():
        rig.build(WORK / "tree", path.name, "--entry", "/opt/foo/bin/probe",
                  "--update-information", UPDATE)
    return path


@test()
def sections(rig):
    """the four sections, in this order and of these sizes, the last two side by side; offset aligned"""
    elf = Elf(rig.image.read_bytes())
    found = [(name, at, size) for name, at, size in elf.sections if name in SECTIONS]
    found.sort(key=lambda row: row[1])
    equal([(name, size) for name, _, size in found], list(SECTIONS.items()), "by place in the file")
    equal(found[2][1] + found[2][2], found[3][1], ".sig_key follows .sha256_sig")
    equal([name for name, _, _ in elf.sections if name in SECTIONS], list(SECTIONS), "by number")
    equal(elf.content[:4] + elf.content[8:11], b"\x7fELFAI\2", "magic")
    equal(elf.content[elf.end:elf.end + 4], b"hsqs", "nothing between the ELF file and the image")
    equal(elf.end % 4096, 0, "alignment")
    equal(elf.table_end, elf.end, "the section table is the last of the ELF file")
    equal(rig.stub.stat().st_size, elf.end, "size of the stub")


@test()
def streams(rig):
    """every --appimage-* option: what it says, on which stream, with which status"""
    image = updatable(rig)
    offset = f"{Elf(image.read_bytes()).end}\n"
    for option, out, err in (("offset", offset, ""), ("updateinfo", UPDATE + "\n", ""),
                             ("updateinformation", UPDATE + "\n", ""), ("signature", "\n", ""),
                             ("version", "", "AppImage runtime version: rootlet"),
                             ("help", "", "--appimage-extract"),
                             ("portable-home", "", f"{image}.home"),
                             ("portable-config", "", f"{image}.config"),
                             ("portable-share", "", f"{image}.share"),
                             ("portable-cache", "", f"{image}.cache")):
        done = rig.run(image, f"--appimage-{option}")
        equal((done.status, done.text), (0, out), f"--appimage-{option}")
        check(err in done.errors and (err or not done.errors), f"--appimage-{option}: {done}")
    for kind in ("home", "config", "share", "cache"):
        Path(f"{image}.{kind}").rmdir()
    equal(rig.run(rig.image, "--appimage-updateinformation").text, "\n", "without any")
    rig.run(image, "--appimage-frobnicate").failed_by_us("--appimage-frobnicate", "--appimage-help",
                                                         "ROOTLET_RAW_ARGS=1")


@test()
def later_options_are_the_tools(rig):
    """an --appimage-* option that does not lead reaches the tool, and so does all with ROOTLET_RAW_ARGS=1"""
    script = ["--rootlet-exec=/bin/echo"]
    equal(rig.run(rig.image, *script, "x", "--appimage-offset").text, "x --appimage-offset\n")
    equal(rig.run(rig.image, *script, "--", "--appimage-offset").text, "-- --appimage-offset\n")
    raw = rig.run(rig.image, "--appimage-offset", env={"ROOTLET_RAW_ARGS": "1"})
    check(raw.text != rig.run(rig.image, "--appimage-offset").text, repr(raw))


@test()
def extract(rig):
    """--appimage-extract is quiet and makes ./squashfs-root; a pattern chooses; a second one is refused"""
    here = rig.top / "extracted"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    os.chown(here, rig.uid, rig.uid)
    done = rig.run(rig.image, "--appimage-extract", cwd=here)
    equal((done.status, done.text, done.errors), (0, "", ""))
    equal((here / "squashfs-root/opt/foo/share/data.txt").read_text(), DATA)
    rig.run(rig.image, "--appimage-extract", cwd=here).failed_by_us("squashfs-root", "remove it")
    shutil.rmtree(here / "squashfs-root")
    for pattern, there in (("opt/foo/*", {"data.txt", "big", "probe"}), ("*.desktop", None),
                           ("no/such/thing", set())):
        equal(rig.run(rig.image, "--appimage-extract", pattern, cwd=here).status, 0, pattern)
        files = {p.name for p in (here / "squashfs-root").rglob("*") if not p.is_dir()}
        check(files == there if there is not None else all(f.endswith(".desktop") for f in files)
              and files, f"{pattern}: {files}")
        shutil.rmtree(here / "squashfs-root")
    rig.run(rig.image, "--appimage-extract", "a", "b", cwd=here).failed_by_us("more than one pattern")


@test()
def without_magic(rig):
    """with its three bytes of magic zeroed a file does all that it did"""
    content = bytearray(updatable(rig).read_bytes())
    content[8:11] = bytes(3)
    image = rig.copy("plain elf", bytes(content))
    equal(rig.run(image, "exit", "7").status, 7)
    equal(rig.run(image, "--appimage-offset").text, f"{Elf(content).end}\n")
    equal(rig.run(image, "--appimage-updateinfo").text, UPDATE + "\n")
    equal(rig.run(rig.rootlet, "run", image, "exit", "8").status, 8)
    contains(rig.run(rig.rootlet, "inspect", image).text, "zstd")


@test(by="user")  # it is 4 GiB
def extract_keeps(rig):
    """extraction keeps long paths, odd names, links, modes, times, holes and files beyond 4 GiB"""
    tree, here = rig.top / "odd tree", rig.top / "odd"
    for directory in (tree, here):
        shutil.rmtree(directory, ignore_errors=True)
    subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
    os.chdir(tree)
    for _ in range(6):  # together beyond what type2-runtime has room for (1024)
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    Path("deep").write_text("deep\n")
    os.chdir("/")
    odd = ["new\nline", "-dash", " blank ", "colon:comma,", "\udcff\udcfe"]
    for name in odd:
        (tree / name).write_text("odd\n")
    (tree / "mode").write_text("")
    (tree / "mode").chmod(0o4751)
    os.link(tree / "mode", tree / "twin")
    (tree / "up").symlink_to("../../etc/passwd")
    with open(tree / "huge", "wb") as file:
        file.truncate(4 * 2**30 + 5)
        file.seek(4 * 2**30)
        file.write(b"end")
    for path in ("mode", "huge"):
        os.utime(tree / path, (987654321, 987654321))
    image = rig.build(tree, "odd.AppImage", "--entry", "/opt/foo/bin/probe")
    shutil.rmtree(tree)
    here.mkdir()
    os.chown(here, rig.uid, rig.uid)
    done = rig.run(image, "--appimage-extract", cwd=here)
    equal((done.status, done.errors), (0, ""), repr(done))
    root = here / "squashfs-root"
    equal((root / "up").is_symlink() and os.readlink(root / "up"), "../../etc/passwd", "symlink")
    equal({name for name in odd if (root / name).read_text() == "odd\n"}, set(odd), "odd names")
    os.chdir(root)
    for _ in range(6):
        os.chdir("d" * 200)
    equal(Path("deep").read_text(), "deep\n", "deep path")
    os.chdir("/")
    mode = (root / "mode").stat()
    equal((oct(mode.st_mode & 0o7777), mode.st_nlink, int(mode.st_mtime)), ("0o751", 2, 987654321))
    huge = (root / "huge").stat()
    equal((huge.st_size, int(huge.st_mtime)), (4 * 2**30 + 5, 987654321), "huge")
    check(huge.st_blocks * 512 < 2**22, "its hole was filled")
    with open(root / "huge", "rb") as file:
        file.seek(4 * 2**30)
        equal(file.read(), b"end\0\0", "its end")
    for directory in (here, image):
        subprocess.run(["rm", "-rf", directory], check=True)


@test()
def poor_callers(rig):
    """it runs under no_new_privs, without PATH, without any fusermount, and started by another run"""
    equal(rig.run("setpriv", "--no-new-privs", rig.image, "exit", "7").status, 7, "no_new_privs")
    for path in (None, "", "/nonexistent"):
        equal(rig.run(rig.image, "exit", "7", env={"PATH": path}).status, 7, f"PATH={path}")
    equal(rig.run("unshare", "-Ur", rig.image, "exit", "7").status, 7, "in unshare -Ur")


@test("user")
def sudo_inside(rig):
    """a setuid program inside gains nothing and says so, as sudo does"""
    (rig.top / "su.c").write_text("#include <stdio.h>\n#include <unistd.h>\nint main(void) {"
                                  " if (geteuid()) return puts(\"must be setuid root\"), 1; }\n")
    tree = rig.top / "su tree"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
    subprocess.run(["gcc", "-static", "-o", tree / "bin/sudo", rig.top / "su.c"], check=True)
    (tree / "bin/sudo").chmod(0o4755)
    done = rig.run(rig.build(tree, "su.AppImage", "--entry", "/bin/sudo"))
    equal((done.status, done.text), (1, "must be setuid root\n"), repr(done))


# What AppImageLauncher does: the bare runtime in memory, without magic, told which file it is for.
LAUNCHER = """
import os, sys
path, end = sys.argv[1], int(sys.argv[2])
memory = os.memfd_create("runtime", 0)
content = bytearray(open(path, "rb").read(end))
content[8:11] = bytes(3)
os.write(memory, content)
readable = os.open(f"/proc/self/fd/{memory}", os.O_RDONLY)
os.close(memory)
os.execve(readable, [sys.argv[3], *sys.argv[4:]],
          dict(os.environ, TARGET_APPIMAGE=sys.argv[3], REDIRECT_APPIMAGE=sys.argv[3]))
"""


@test()
def from_memory(rig):
    """a bare stub in memory runs the file that TARGET_APPIMAGE names: all options, absolute or not"""
    image = updatable(rig)
    end = Elf(image.read_bytes()).end
    link = rig.top / "link to it"
    link.unlink(missing_ok=True)
    link.symlink_to(image)

    def launch(*words, target=image, **keywords):
        return rig.run("/usr/bin/python3", "-c", LAUNCHER, image, str(end), target, *words, **keywords)

    script = ("--rootlet-exec=/bin/sh", "-c", 'echo "$APPIMAGE|$ARGV0|$APPDIR"; exit 7')
    for target in (image, link, os.path.relpath(image, rig.cwd)):
        done = launch(*script, target=target)
        equal((done.status, done.text), (7, f"{image}|{target}|/\n"), repr(done))
    equal(launch("--appimage-offset").text, f"{end}\n")
    equal(launch("--appimage-updateinformation").text, UPDATE + "\n")
    equal(launch("--appimage-help").status, 0)
    equal(launch("--appimage-portable-home").status, 0)
    check(Path(f"{image}.home").is_dir(), "portable home beside the file")
    Path(f"{image}.home").rmdir()
    equal(launch("--appimage-extract-and-run", "exit", "9").status, 9)
    here = rig.top / "from memory"
    here.mkdir(exist_ok=True)
    os.chown(here, rig.uid, rig.uid)
    equal(launch("--appimage-extract", "opt/*", cwd=here).status, 0)
    equal((here / "squashfs-root/opt/foo/share/data.txt").read_text(), DATA)
    shutil.rmtree(here)
    launch("exit", "0", target="/no/such/file").failed_by_us("/no/such/file", "ENOENT")
    launch("exit", "0", target="/usr/bin/python3").failed_by_us("python3")


@test()
def variables(rig):
    """APPIMAGE, APPDIR, ARGV0, OWD are right however the image is reached and the file is named"""
    link = rig.cwd / "named otherwise"
    link.symlink_to(rig.image)
    show = 'echo "$APPIMAGE|$APPDIR|$ARGV0|$OWD"; cat "$APPDIR/opt/foo/share/data.txt"'
    try:
        for options in ([], ["--rootlet-mount=extract"], ["--rootlet-profile=isolated"],
                        ["--rootlet-no-isolation"]):
            for name in (rig.image, "./named otherwise", os.path.relpath(rig.image, rig.cwd)):
                done = rig.run(name, *options, "--rootlet-exec=/bin/sh", "-c", show)
                first, data = done.text.splitlines()
                file, directory, named, owd = first.split("|")
                equal((file, named, owd), (str(rig.image), str(name), str(rig.cwd)), f"{options}")
                equal(data + "\n", DATA, f"{options}: files at APPDIR")
                check("--rootlet-no-isolation" in options or directory == "/", first)
    finally:
        link.unlink()


@test()
def variables_read(rig):
    """variables of other runtimes do no harm: no fusermount is run, nothing is said on stdout"""
    trap = rig.top / "fusermount"
    trap.write_text(f"#!/bin/sh\necho ran > '{rig.top}/trapped'\n")
    trap.chmod(0o755)
    others = {"FUSERMOUNT_PROG": str(trap), "VERBOSE": "1", "TMPDIR": "/no/such", "NO_CLEANUP": "1",
              "FUSERMOUNT_PROG_DEBUG": "1", "URUNTIME_MOUNT": "3", "PATH": f"{rig.top}:/usr/bin:/bin"}
    for options in ([], ["--rootlet-mount=extract"]):
        with Untouched():
            done = rig.run(rig.image, *options, "--rootlet-exec=/bin/sh", "-c",
                           'echo "$DESKTOPINTEGRATION"',
                           env={**others, "DESKTOPINTEGRATION": "0"})
            equal((done.status, done.text, done.errors), (0, "0\n", ""), repr(done))
    check(not (rig.top / "trapped").exists(), "fusermount was run")


@test()
def called_name(rig):
    """AppRun of an AppDir gets the caller's argv[0]"""
    tree = rig.top / "appdir"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
    (rig.top / "apprun.c").write_text('#include <stdio.h>\n'
                                      'int main(int c, char** v) { return puts(v[0]) < 0; }\n')
    subprocess.run(["gcc", "-static", "-o", tree / "AppRun", rig.top / "apprun.c"], check=True)
    (tree / "x.desktop").write_text("[Desktop Entry]\nType=Application\nName=x\nExec=x\nIcon=x\n"
                                    "Categories=Utility;\n")
    image = rig.build(tree, "appdir.AppImage")
    link = rig.cwd / "other-name"
    link.symlink_to(image)
    try:
        equal(rig.run("./other-name").text, "./other-name\n")
    finally:
        link.unlink()


@test(by="user")
def argv0_of_zsh(rig):
    """env=ARGV0= leaves the variable out, for a shell that takes ARGV0 for its own (zsh)"""
    show = 'echo "${ARGV0-unset} ${OWD-unset}"'
    equal(rig.shell(show, options=("env=ARGV0=",)).text, f"unset {rig.cwd}\n")
    equal(rig.shell(show, options=("env=ARGV0=x",)).text, f"x {rig.cwd}\n")
    equal(rig.shell(show).text, f"{rig.image} {rig.cwd}\n")


if __name__ == "__main__":
    main()
