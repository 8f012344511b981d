#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other people's programs take a packed file for an ordinary AppImage: libappimage, appimagetool's
own steps, squashfuse, the kernel, unsquashfs, file, desktop-file-validate, appstreamcli,
and what AppImageHub does with each submission (firejail: firejail_test.py)."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, WORK, check, contains, equal, main, test

DATA = "data of the image\n"
UPDATE = "zsync|https://example.org/probe.AppImage.zsync"


def needs(*programs):
    for program in programs:
        if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
            raise Skip(f"no {program} here: scripts/setup installs it")


def tool(rig):
    """A packed tool with all that a policy can say about it."""
    path = rig.top / "tool.AppImage"
    if not path.exists():
        (rig.top / "tool.toml").write_text(
            '[tool]\nname = "my <tool>"\nversion = "1.2"\nentrypoint = ["/opt/foo/bin/probe"]\n'
            'licence = "BSD-3-Clause AND MIT"\nurl = "https://example.org/?a&b"\n')
        rig.build(WORK / "tree", path.name, "--policy", rig.top / "tool.toml",
                  "--update-information", UPDATE)
    return path


def squashfs_at(image):
    return int(subprocess.run([image, "--appimage-offset"], capture_output=True).stdout)


def unpacked(rig, image):
    """As unsquashfs has it, in a fresh directory."""
    needs("unsquashfs")
    here = rig.top / "by unsquashfs"
    shutil.rmtree(here, ignore_errors=True)
    done = rig.run("unsquashfs", "-q", "-n", "-d", here, "-o", str(squashfs_at(image)), image)
    equal(done.status, 0, repr(done))
    return here


# libappimage by its C interface, in a process of its own: it has bugs of its own.
LIBAPPIMAGE = """
import ctypes, glob, json, os, sys
lib = ctypes.CDLL("libappimage.so.1.0abi1")
path, home = sys.argv[1].encode(), sys.argv[2]
lib.appimage_get_payload_offset.restype = ctypes.c_long
lib.appimage_is_registered_in_system.restype = ctypes.c_bool
lib.appimage_list_files.restype = ctypes.POINTER(ctypes.c_char_p)
lib.appimage_get_md5.restype = lib.appimage_registered_desktop_file_path.restype = ctypes.c_char_p
files, names, at = lib.appimage_list_files(path), [], 0
while files[at]:
    names.append(files[at].decode())
    at += 1
buffer, size = ctypes.POINTER(ctypes.c_char)(), ctypes.c_ulong()
read = lib.appimage_read_file_into_buffer_following_symlinks(
    path, b"opt/foo/share/data.txt", ctypes.byref(buffer), ctypes.byref(size))
facts = {"type": lib.appimage_get_type(path, False), "offset": lib.appimage_get_payload_offset(path),
         "files": names, "read": buffer[:size.value].decode() if read else None,
         "terminal": lib.appimage_is_terminal_app(path),
         "refused": lib.appimage_shall_not_be_integrated(path)}
facts["registered"] = lib.appimage_register_in_system(path, False)
facts["is"] = lib.appimage_is_registered_in_system(path)
entry = lib.appimage_registered_desktop_file_path(path, None, False)
facts["entry"] = entry.decode() if entry else None
facts["text"] = open(entry).read() if entry else None
lib.appimage_create_thumbnail(path, False)
thumbnails = glob.glob(os.environ["HOME"] + "/.cache/thumbnails/*/*.png")
facts["thumbnails"] = [open(name, "rb").read(4).hex() for name in thumbnails]
facts["unregistered"] = lib.appimage_unregister_in_system(path, False)
facts["still"] = lib.appimage_is_registered_in_system(path)
print(json.dumps(facts))
"""


@test()
def libappimage(rig):
    """libappimage finds a type-2 AppImage: offset, files, content; registers it, makes its thumbnail"""
    image = tool(rig)
    data = rig.top / "xdg"
    shutil.rmtree(data, ignore_errors=True)
    for name in ("", "data"):
        (data / name).mkdir()
        os.chown(data / name, rig.uid, rig.uid)
    done = rig.run("/usr/bin/python3", "-c", LIBAPPIMAGE, image, data,
                   env={"XDG_DATA_HOME": str(data / "data")})
    if "libappimage.so" in done.errors:
        raise Skip("no libappimage here: scripts/setup installs it")
    equal(done.status, 0, repr(done))
    facts = json.loads(done.text)
    equal((facts["type"], facts["offset"]), (2, squashfs_at(image)))
    check({"AppRun", "my__tool_.desktop", "opt/foo/bin/probe"} <= set(facts["files"]), facts["files"])
    equal((facts["read"], facts["terminal"], facts["refused"]), (DATA, 1, 0), "read, terminal, refused")
    equal((facts["registered"], facts["is"], facts["unregistered"], facts["still"]), (0, True, 0, False))
    contains(facts["text"], f"TryExec={image}")
    contains(facts["text"], "Name=my <tool>")
    equal(facts["thumbnails"], ["89504e47"] * 2, "thumbnails, normal and large")
    equal([p for p in (data / "data").rglob("*") if not p.is_dir()], [], "left registered")
    equal(list(rig.home.glob(".cache/thumbnails/*/*")), [], "left thumbnails")


# What `appimagetool --runtime-file` does behind mksquashfs, with the same functions of libappimage:
# look up each section, write update information, digest, signature and key. 8c8c91f, appimagetool.c.
APPIMAGETOOL = r"""
#include <appimage/appimage_shared.h>
#include <stdio.h>
#include <string.h>
static int put(const char* file, const char* name, const char* bytes, size_t size) {
  unsigned long at = 0, room = 0;
  if (!appimage_get_elf_section_offset_and_length(file, name, &at, &room)) return 1;
  if (at == 0 || room < size) return 2;
  FILE* out = fopen(file, "r+");
  return fseek(out, (long)at, SEEK_SET) || fwrite(bytes, 1, size, out) != size || fclose(out);
}
int main(int argc, char** argv) {
  (void)argc;
  char digest[16], key[8192];
  memset(key, 'k', sizeof key);
  if (put(argv[1], ".upd_info", argv[2], strlen(argv[2]))) return puts("no .upd_info"), 1;
  if (!appimage_type2_digest_md5(argv[1], digest)) return puts("no digest"), 1;
  if (put(argv[1], ".digest_md5", digest, 16)) return puts("no .digest_md5"), 1;
  if (put(argv[1], ".sha256_sig", "a signature", 11)) return puts("no .sha256_sig"), 1;
  if (put(argv[1], ".sig_key", key, sizeof key)) return puts("no .sig_key"), 1;
  return 0;
}
"""


@test()
def appimagetool(rig):
    """the stub is a --runtime-file: after all that appimagetool writes into it the file still runs"""
    needs("mksquashfs")
    if not Path("/usr/include/appimage/appimage_shared.h").exists():
        raise Skip("no libappimage-dev here: scripts/setup installs it")
    work = rig.top / "appimagetool"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "steps.c").write_text(APPIMAGETOOL)
    subprocess.run(["gcc", "-o", work / "steps", work / "steps.c", "-lappimage_shared",
                    "-lappimage_hashlib"], check=True)
    unpacked(rig, tool(rig)).rename(work / "AppDir")
    image = work / "made.AppImage"
    size = rig.stub.stat().st_size
    subprocess.run(["mksquashfs", work / "AppDir", image, "-offset", str(size), "-comp", "zstd",
                    "-b", "128K", "-root-owned", "-noappend", "-mkfs-time", "0", "-quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(image, "r+b") as file:
        file.write(rig.stub.read_bytes())
    image.chmod(0o755)
    done = subprocess.run([work / "steps", image, UPDATE], capture_output=True, text=True)
    equal((done.returncode, done.stdout), (0, ""), "appimagetool's steps")
    equal(rig.run(image, "exit", "7").status, 7)
    equal(rig.run(image, "--appimage-offset").text, f"{size}\n")
    equal(rig.run(image, "--appimage-updateinformation").text, UPDATE + "\n")
    equal(rig.run(image, "--appimage-signature").text, "a signature\n")


@test()
def metadata(rig):
    """the desktop entry and the AppStream metadata of a packed tool are valid, and so is its icon"""
    needs("desktop-file-validate", "appstreamcli")
    for image in (tool(rig), rig.image):
        top = unpacked(rig, image)
        entries = list(top.glob("*.desktop"))
        equal(len(entries), 1, "desktop entries")
        done = rig.run("desktop-file-validate", "--no-hints", entries[0])
        equal((done.status, done.text + done.errors), (0, ""), "desktop-file-validate")
        icon = next(line[5:] for line in entries[0].read_text().splitlines() if line.startswith("Icon="))
        for name in (f"{icon}.png", ".DirIcon"):
            contains(rig.run("file", "-bL", top / name).text, "PNG image data, 256 x 256")
        metainfo = list((top / "usr/share/metainfo").glob("*.appdata.xml"))
        equal(len(metainfo), 1, "metainfo")
        done = rig.run("appstreamcli", "validate", "--no-net", "--no-color", metainfo[0])
        check(done.status == 0 and "warnings" not in done.text, repr(done))


@test()
def plain_tools(rig):
    """unsquashfs -o reads it, file takes it for a program, each file as it was packed"""
    image = tool(rig)
    top = unpacked(rig, image)
    equal((top / "opt/foo/share/data.txt").read_text(), DATA)
    equal(subprocess.run(["cmp", top / "opt/foo/share/big", WORK / "tree/opt/foo/share/big"]).returncode, 0)
    contains(rig.run("file", "-b", image).text, "ELF 64-bit")
    needs("readelf")
    read = rig.run("readelf", "-SW", image)
    equal(read.errors, "", "readelf warns")
    contains(read.text, ".sha256_sig")


def apprun_works(rig, top, **keywords):
    """AppRun runs the tool where another program mounted the image, and says what that lacks."""
    done = rig.run(top / "AppRun", "exit", "7", **keywords)
    equal(done.status, 7, repr(done))
    contains(done.errors, "rootlet: run in place")


@test()
def mounted_by_squashfuse(rig):
    """mounted by squashfuse at its offset, as AppImageLauncher and thumbnailers do, AppRun works"""
    needs("squashfuse")
    if not rig.root:
        raise Skip("squashfuse needs the setuid fusermount3 where not root")
    here = rig.top / "by squashfuse"
    here.mkdir(exist_ok=True)
    server = rig.start("squashfuse", "-f", "-o", f"offset={squashfs_at(tool(rig))}", tool(rig), here)
    try:
        for _ in range(500):
            if (here / "AppRun").exists():
                break
            time.sleep(0.01)
        equal((here / "opt/foo/share/data.txt").read_text(), DATA)
        apprun_works(rig, here)
    finally:
        subprocess.run(["umount", "-l", here], check=True)
        server.communicate(timeout=10)


@test(by="root")
def mounted_by_the_kernel(rig):
    """mounted by the kernel at its offset, as by partition tools and firejail, AppRun works"""
    image = tool(rig)
    here = rig.top / "by the kernel"
    here.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "squashfs", "-o", f"ro,loop,offset={squashfs_at(image)}",
                           image, here], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skip(f"the kernel mounts no squashfs here: {made.stderr.strip()}")
    try:
        equal((here / "opt/foo/share/data.txt").read_text(), DATA)
        apprun_works(rig, here)
    finally:
        subprocess.run(["umount", here], check=True)


@test()
def apphub(rig):
    """AppImageHub's steps: magic, update information, signature, a mount to look into"""
    image = tool(rig)
    equal(subprocess.run(["dd", f"if={image}", "bs=1", "skip=8", "count=3", "status=none"],
                         capture_output=True).stdout, b"AI\2")
    bare = rig.copy("runtime", image.read_bytes()[:squashfs_at(image)])
    shown = rig.start(bare, "--appimage-mount", env={"TARGET_APPIMAGE": str(image)})
    try:
        top = shown.stdout.readline().decode().rstrip("\n")
        found = rig.run("/bin/sh", "-c", 'cd "$0" && ls *.desktop && cat opt/foo/share/data.txt && '
                        'test -s .DirIcon && test -x AppRun', top)
        equal((found.status, found.text), (0, "my__tool_.desktop\n" + DATA), repr(found))
    finally:
        shown.send_signal(signal.SIGTERM)
        shown.communicate(timeout=10)
    equal(rig.run(image, "--appimage-updateinformation").text, UPDATE + "\n")
    equal(rig.run(image, "--appimage-signature").text, "\n", "not signed")


if __name__ == "__main__":
    main()
