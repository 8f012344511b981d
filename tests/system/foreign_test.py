#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""AppImages of others, which count on the host's libraries: `rootlet run` shows them a read-only
view of the host."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from appimages import appdir, jar_with, squashfs, type_1
from rig import Failed, Skip, Untouched, check, contains, equal, main, mount, test

APPRUN = """#!/bin/sh
cat "$APPDIR/data"; printf '%s\\n' "$APPIMAGE" "$APPDIR" "$1"
exit "$2"
"""
# Dynamically linked against the host's libc, as the programs in most AppImages are.
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char** argv) {
  char path[4096], line[200] = "";
  snprintf(path, sizeof path, "%s/usr/share/data", getenv("APPDIR"));
  FILE* file = fopen(path, "r");
  if (file == NULL || fgets(line, sizeof line, file) == NULL) return 3;
  printf("%s%s\n%s\n%s\n", line, getenv("APPIMAGE"), getenv("APPDIR"), argc > 1 ? argv[1] : "");
  return argc > 1 ? atoi(argv[1]) : 0;
}
"""
# The least that another runtime is: an ELF program in front, with the magic, and a section that is
# one of those that tools write to. It is never to be run.
RUNTIME = r"""
__attribute__((section(".upd_info"), used)) char update[1024] = "zsync|https://example.org/x.zsync";
int main(void) { return 99; }
"""


def foreign(rig, name="foreign.AppImage", runtime=True, compressor="zstd"):
    """An AppDir with AppRun (a script), a program, its data; behind another runtime."""
    if shutil.which("mksquashfs") is None:
        raise Skip("no mksquashfs here: scripts/setup installs it")
    work = rig.top / "foreign"
    shutil.rmtree(work, ignore_errors=True)
    (work / "AppDir/usr/bin").mkdir(parents=True)
    (work / "AppDir/usr/share").mkdir()
    (work / "program.c").write_text(PROGRAM)
    (work / "runtime.c").write_text(RUNTIME)
    subprocess.run(["gcc", "-o", work / "AppDir/usr/bin/program", work / "program.c"], check=True)
    subprocess.run(["gcc", "-static", "-s", "-o", work / "runtime", work / "runtime.c"],
                   check=True)
    (work / "AppDir/usr/share/data").write_text("data of the AppDir\n")
    (work / "AppDir/AppRun").write_text('#!/bin/sh\nexec "$APPDIR/usr/bin/program" "$@"\n')
    (work / "AppDir/AppRun").chmod(0o755)
    (work / "AppDir/program.desktop").write_text("[Desktop Entry]\nName=program\n")
    subprocess.run(["mksquashfs", work / "AppDir", work / "image", "-comp", compressor,
                    "-noappend", "-all-root", "-quiet"], check=True, stdout=subprocess.DEVNULL)
    head = bytearray((work / "runtime").read_bytes()) if runtime else bytearray()
    if runtime:
        head[8:11] = b"AI\2"
    path = rig.copy(name, bytes(head) + (work / "image").read_bytes())
    shutil.rmtree(work)
    return path


def runtime_of_others(rig):
    """That runtime alone."""
    content = foreign(rig, "whole.AppImage").read_bytes()
    return content[:content.index(b"hsqs")]


def run(rig, *words, **keywords):
    return rig.run(rig.rootlet, "run", *words, **keywords)


@test()
def hosts_libraries(rig):
    """an AppImage whose program needs the host's libc runs, its files at APPDIR"""
    image = foreign(rig)
    with Untouched():
        done = run(rig, image, "7")
        equal(done.status, 7, repr(done))
        equal(done.text.splitlines(),
              ["data of the AppDir", str(image), "/run/appimage", "7"], "what it saw")


@test()
def every_compressor(rig):
    """squashfs of every compressor: gzip, xz, lzo, lz4, zstd"""
    for compressor in ("gzip", "xz", "lzo", "lz4", "zstd"):
        done = run(rig, foreign(rig, f"{compressor}.AppImage", compressor=compressor))
        equal((done.status, done.text.splitlines()[:1]), (0, ["data of the AppDir"]),
              f"{compressor}: {done}")


@test()
def host_is_read_only(rig):
    """it can write to the current directory, and to nothing else of the host"""
    image = foreign(rig)
    outside = rig.home / "precious"
    outside.write_text("precious")
    script = (f'echo x > here; echo x > "{outside}"; echo x > /usr/bad; echo x > /etc/bad; '
              'ls /run; cat /proc/net/dev')
    done = rig.run(rig.rootlet, "exec", image, "/bin/sh", "-c", script)
    equal((rig.cwd / "here").read_text(), "x\n", "the current directory")
    (rig.cwd / "here").unlink()
    equal(outside.read_text(), "precious", "another file of the home")
    check(not Path("/usr/bad").exists() and not Path("/etc/bad").exists(), "the host was written")
    equal(done.text.split()[0], "appimage", f"/run: {done}")
    check("lo:" in done.text and "eth0:" not in done.text, f"the network is the host's: {done}")


@test()
def its_stub_is_never_run(rig):
    """the program in front of a foreign image is not executed, and need not be executable"""
    image = foreign(rig)
    image.chmod(0o644)
    done = run(rig, image)
    equal(done.status, 0, repr(done))


@test()
def a_root_of_its_own(rig):
    """an image that brings a whole root does not see the host's files"""
    done = rig.run(rig.rootlet, "exec", rig.image, "/bin/sh", "-c", "ls /usr")
    equal(done.status, 0, repr(done))
    check("bin" not in done.text.split(), repr(done))


def given(variable):
    """A program of others that whoever runs the tests has at hand; None: nobody named one."""
    path = os.environ.get(variable)
    if path and not os.access(path, os.R_OK):
        raise Failed(f"{variable}={path} cannot be read")
    return path and Path(path)


@test()
def made_by_appimagetool(rig):
    """what appimagetool and a type-2 runtime make runs: $ROOTLET_TEST_APPIMAGETOOL, $ROOTLET_TEST_RUNTIME"""
    appimagetool, runtime = given("ROOTLET_TEST_APPIMAGETOOL"), given("ROOTLET_TEST_RUNTIME")
    if not appimagetool and not runtime:
        raise Skip("ROOTLET_TEST_APPIMAGETOOL and ROOTLET_TEST_RUNTIME name none")
    tree = appdir(rig, files={"AppRun": APPRUN, "data": "of the image\n"})
    made = {}
    if runtime:
        made["theirs"] = rig.copy("theirs.AppImage", runtime.read_bytes() + squashfs(rig, tree))
    for name, head in (("tool-theirs", runtime), ("tool-ours", rig.stub)):
        if not appimagetool or not head:
            continue
        image = rig.top / f"{name}.AppImage"
        done = subprocess.run([appimagetool, "--no-appstream", "--runtime-file", head,
                               tree, image], env=dict(os.environ, ARCH="x86_64", APPIMAGE_EXTRACT_AND_RUN="1"), capture_output=True)
        equal(done.returncode, 0, f"appimagetool: {done.stderr[-600:]!r}; status")
        os.chown(image, rig.uid, rig.uid)
        made[name] = image
    for image in made.values():
        with Untouched():
            done = run(rig, image, "a b", "5")
            equal((done.status, done.text.splitlines()),
                  (5, ["of the image", str(image), "/run/appimage", "a b"]), repr(done))
        equal(rig.run(rig.rootlet, "inspect", image).status, 0, f"inspect {image}")


def unpacked(rig):
    """What runs of unpacked images have left."""
    return list(rig.home.glob(".cache/rootlet-*")) + list(Path("/tmp").glob("rootlet-[0-9]*"))


@test()
def type_1_image(rig):
    """a type-1 AppImage runs on the host's libraries, plain and zisofs, and leaves nothing"""
    tree = appdir(rig, files={"AppRun": APPRUN, "data": "of the image\n"})
    for compressed in (False, True):
        image = type_1(rig, tree, "one.AppImage", compressed)
        image.chmod(0o644)  # what is in front of the image is never executed
        with Untouched():
            done = run(rig, image, "a b", "5")
            equal((done.status, done.text.splitlines()),
                  (5, ["of the image", str(image), "/run/appimage", "a b"]), repr(done))
        equal(unpacked(rig), [], "unpacked files")


@test()
def type_1_in_a_file(rig):
    """a type-1 AppImage runs from inside of a jar, and from an offset of another file"""
    image = type_1(rig, appdir(rig, files={"AppRun": APPRUN, "data": "of the image\n"}))
    jar = jar_with(rig, image.read_bytes())
    other = rig.copy("front", b"x" * 777 + image.read_bytes() + b"more")
    length = image.stat().st_size
    for place, file in ((f"{jar}!/tool.AppImage", jar), (f"{other}@777", other), (f"{other}@777:{length}", other)):
        with Untouched():
            done = run(rig, place, "a b", "5")
            equal((done.status, done.text.splitlines()),
                  (5, ["of the image", str(file), "/run/appimage", "a b"]), f"{place}: {done}")
    run(rig, f"{other}@778").failed_by_us("front")
    equal(unpacked(rig), [], "unpacked files")


@test()
def type_1_is_isolated(rig):
    """it has the limits of other foreign AppImages: the host read-only, no network, options as asked"""
    image = type_1(rig, appdir(rig))
    outside = rig.home / "precious"
    outside.write_text("precious")
    script = (f'echo x > here; echo x > "{outside}"; echo x > /usr/bad; echo x > /run/appimage/bad; '
              'ls /run; cat /proc/net/dev; echo $APPDIR')
    done = rig.run(rig.rootlet, "exec", image, "/bin/sh", "-c", script)
    equal((rig.cwd / "here").read_text(), "x\n", "the current directory")
    (rig.cwd / "here").unlink()
    equal(outside.read_text(), "precious", "another file of the home")
    outside.unlink()
    check(not Path("/usr/bad").exists(), "the host was written")
    check("lo:" in done.text and "eth0:" not in done.text, f"the network is the host's: {done}")
    done = rig.run(rig.rootlet, "exec", "--env", "A=b", "--net", "host", image, "/bin/sh", "-c",
                   "echo $A; readlink /proc/self/ns/net")
    equal(done.text.split(), ["b", os.readlink("/proc/self/ns/net")], repr(done))


@test()
def type_1_cannot_change_runs(rig):
    """in the home itself it cannot reach what other runs have unpacked and execute"""
    image = type_1(rig, appdir(rig))
    (rig.home / ".cache").mkdir(exist_ok=True)
    os.chown(rig.home / ".cache", rig.uid, rig.uid)
    script = 'cd .cache/rootlet-*/run-*/root && echo x >> AppRun && echo changed; ls .cache/rootlet-*'
    done = rig.run(rig.rootlet, "exec", image, "/bin/sh", "-c", script, cwd=rig.home)
    check("changed" not in done.text and "run-" not in done.text, repr(done))


@test()
def type_1_killed(rig):
    """what a killed run has unpacked is removed by the next"""
    image = type_1(rig, appdir(rig))
    process = rig.start(rig.rootlet, "exec", image, "/bin/sh", "-c", "echo up; exec sleep 60")
    process.stdout.readline()
    check(unpacked(rig), "nothing is unpacked")
    process.kill()
    process.wait()
    run(rig, image)
    equal(unpacked(rig), [], "unpacked files")


@test()
def type_1_damaged(rig):
    """a cut type-1 image is told, with 125"""
    image = type_1(rig, appdir(rig))
    image.write_bytes(image.read_bytes()[:40000])
    run(rig, image).failed_by_us("one.AppImage")
    equal(unpacked(rig), [], "unpacked files")


@test()
def our_payload_behind_another_runtime(rig):
    """our own payload behind another runtime keeps its root, its program and its policy"""
    payload = rig.image.read_bytes()[int(rig.run(rig.image, "--appimage-offset").text):]
    image = rig.copy("reheaded.AppImage", runtime_of_others(rig) + payload)
    equal(run(rig, image, "exit", "7").status, 7)
    done = rig.run(rig.rootlet, "exec", image, "/bin/sh", "-c", "ls /usr; echo $APPDIR")
    equal(done.text.split(), ["lib", "share", "/"] if "share" in done.text else ["lib", "/"], repr(done))


@test()
def inspected(rig):
    """inspect tells what somebody's AppImage is, its compressor and its update information"""
    done = rig.run(rig.rootlet, "inspect", foreign(rig, compressor="xz"))
    equal(done.status, 0, repr(done))
    for part in ("xz", "zsync|https://example.org/x.zsync"):
        contains(done.text, part)


@test()
def writable_and_bind(rig):
    """writable shows a scratch place over the host's, gone at the end; bind makes the host's own writable"""
    image = foreign(rig)
    if not os.path.ismount("/mnt"):
        mount("rootlet-tests", "/mnt", "tmpfs")  # /tmp and home are private, and so hide what is there
    place = Path("/mnt/writable place")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    os.chown(place, rig.uid, rig.uid)
    (place / "old").write_text("old\n")
    write = ["/bin/sh", "-c", f"cat '{place}/old'; echo new > '{place}/new'; cat '{place}/new'"]

    def words(*options):
        return rig.run(rig.rootlet, "exec", *options, image, *write)

    done = words()
    check(done.text == "old\n" and "Read-only" in done.errors, f"without either: {done}")
    with Untouched():
        done = words(f"--writable={place}")
    equal(done.text, "old\nnew\n", f"writable: {done}")
    equal(sorted(p.name for p in place.iterdir()), ["old"], "after writable")
    equal(words(f"--bind={place}").text, "old\nnew\n", "bind")
    equal((place / "new").read_text(), "new\n", "after bind")
    equal((place / "new").stat().st_uid, rig.uid, "owner")
    done = rig.run(rig.rootlet, "exec", f"--bind={place}::ro", image, *write)
    check("new" not in done.text.split() or "Read-only" in done.errors, f"bind ro: {done}")


@test()
def network(rig):
    """the network is off unless asked: loopback alone, and the host's with net=host"""
    image = foreign(rig)
    show = ["/bin/sh", "-c", "readlink /proc/self/ns/net; tail -n +3 /proc/net/dev | cut -d: -f1"]
    host = os.readlink("/proc/self/ns/net")
    done = rig.run(rig.rootlet, "exec", image, *show)
    check(host not in done.text and done.text.split()[1:] == ["lo"], repr(done))
    contains(rig.run(rig.rootlet, "exec", "--net=host", image, *show).text, host)


@test(by="user")  # a root caller has no capability to map 0 anew (Linux 5.12)
def nested_sandbox(rig):
    """what starts a sandbox of its own inside, as browsers do, can: unshare -U"""
    done = rig.run(rig.rootlet, "exec", foreign(rig), "/usr/bin/unshare", "-Ur", "/usr/bin/id", "-u")
    equal(done.text, "0\n", repr(done))


if __name__ == "__main__":
    main()
