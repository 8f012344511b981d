# SPDX-License-Identifier: MIT
"""AppImages that others might have made: an AppDir, and files of both types and all compressors."""
import os
import shutil
import struct
import subprocess
import zipfile
import zlib

from place import WORK
from promises import Skip

COMPRESSORS = ("gzip", "xz", "lzo", "lz4", "zstd")
DESKTOP = """[Desktop Entry]
Type=Application
Name=Foo Viewer
Name[de]=Foo-Betrachter
Comment=Views foo
TryExec=fooview
Exec=fooview %F
Icon=foo
MimeType=image/x-foo;
Categories=Graphics;Viewer;
Actions=Gallery;
X-AppImage-Version=1.2

[Desktop Action Gallery]
Name=Gallery
Exec=fooview --gallery
"""
MIME = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <!-- of the viewer -->
  <mime-type type="image/x-foo">
    <comment>Foo image</comment>
    <comment xml:lang="de">Foo-Bild</comment>
    <glob pattern="*.foo"/>
    <magic priority="50"><match type="string" value="FOO1" offset="0"/></magic>
  </mime-type>
</mime-info>
"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><filter id="f">
<feGaussianBlur stdDeviation="2"/></filter><rect width="40" height="40" fill="red"
filter="url(#f)"/><text x="5" y="30" font-family="sans-serif">Foo</text></svg>"""
# The least that a runtime is: a program that has room in front of an ISO image.
RUNTIME = ".globl _start\n_start: mov $60,%eax\nmov $99,%edi\nsyscall\n"
APPRUN = '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/usr/bin/fooview" "$@"\n'


def png(side):
    """A picture, side by side pixels."""
    chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data
                                + struct.pack(">I", zlib.crc32(kind + data)))
    row = b"\0" + bytes(x * 7 % 256 for x in range(side * 4))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b""))


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"no {program} here: scripts/setup installs it")


def appdir(rig, name="AppDir", files=None, links=None):
    """A new AppDir, with these further files (path: text or bytes) and links (path: target);
    None as a file's content leaves it out."""
    top = rig.top / name
    shutil.rmtree(top, ignore_errors=True)
    icons = "usr/share/icons/hicolor"
    content = {"AppRun": APPRUN, "foo.desktop": DESKTOP, "foo.png": png(256),
               f"{icons}/128x128/apps/foo.png": png(128), f"{icons}/scalable/apps/foo.svg": SVG,
               "usr/share/mime/packages/foo.xml": MIME,
               "usr/bin/fooview": "#!/bin/sh\necho foo \"$@\"\nexit 7\n", **(files or {})}
    for path, data in content.items():
        if data is None:
            continue
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(data if isinstance(data, bytes) else data.encode())
    for path in ("AppRun", "usr/bin/fooview"):
        if (top / path).exists():
            (top / path).chmod(0o755)
    for path, target in {".DirIcon": "foo.png", "usr/link": "share", **(links or {})}.items():
        if target is not None:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).symlink_to(target)
    return top


def runtime():
    """A foreign runtime's bytes, without magic; made once."""
    program = WORK / "foreign-runtime"
    if not program.exists():
        (WORK / "foreign-runtime.s").write_text(RUNTIME)
        subprocess.run(["gcc", "-nostdlib", "-static", "-s", "-Wl,--build-id=none", "-o", program,
                        WORK / "foreign-runtime.s"], check=True)
    return program.read_bytes()


def squashfs(rig, tree, compressor="zstd", *options):
    need("mksquashfs")
    image = rig.top / "image.squashfs"
    image.unlink(missing_ok=True)
    subprocess.run(["mksquashfs", tree, image, "-comp", compressor, "-noappend", "-all-root",
                    "-quiet", *options], check=True, stdout=subprocess.DEVNULL)
    data = image.read_bytes()
    image.unlink()
    return data


def type_2(rig, tree, name="two.AppImage", compressor="zstd", magic=b"AI\2"):
    head = runtime()
    return rig.copy(name, head[:8] + magic + head[11:] + squashfs(rig, tree, compressor))


def type_1(rig, tree, name="one.AppImage", compressed=False, magic=b"AI\1"):
    """An ISO 9660 image (zisofs, as AppImages of that time were) with a program in front."""
    need("genisoimage", "mkzftree")
    iso = rig.top / "image.iso"
    source = tree
    if compressed:
        source = rig.top / "zisofs"
        shutil.rmtree(source, ignore_errors=True)
        subprocess.run(["mkzftree", tree, source], check=True)
    subprocess.run(["genisoimage", "-quiet", "-R", *(["-z"] if compressed else []), "-o", iso,
                    source], check=True, stderr=subprocess.DEVNULL)
    data = bytearray(iso.read_bytes())
    iso.unlink()
    head = runtime()
    data[:len(head)] = head
    data[8:11] = magic
    return rig.copy(name, bytes(data))


def jar_with(rig, data, name="app.jar"):
    """A jar that holds these bytes, stored, as tool.AppImage."""
    path = rig.top / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as jar:
        jar.writestr("tool.AppImage", data)
    os.chown(path, rig.uid, rig.uid)
    return path


def oracle(rig, *words, **keywords):
    """libappimage itself."""
    return rig.run(rig.tools / "rootlet-appimage-oracle", *words, **keywords)
