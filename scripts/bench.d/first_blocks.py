# SPDX-License-Identifier: MIT
"""The blocks of its loader and libraries that the start of a dynamic program reads,
each as mksquashfs would store it with zstd: what steps.c -z decodes."""
import ctypes
import ctypes.util
import struct
import subprocess

BLOCK = 128 << 10
LEVEL = 15  # mksquashfs's
# Of libc's fifteen blocks (glibc 2.36) an empty program's start asks a server for all but three
# (strace of the server, 2026-11): the kernel reads 128 KiB around each page that is touched.
ASKED = 0.8


def of(program, root, out):
    """Writes them to `out`, its name back; None where there is no libzstd."""
    name = ctypes.util.find_library("zstd")
    if name is None:
        return None
    zstd = ctypes.CDLL(name)
    zstd.ZSTD_compress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(2 * BLOCK)
    with open(out, "wb") as file:
        for line in subprocess.check_output(["ldd", program], text=True).splitlines():
            path = next((word for word in line.split() if word.startswith("/")), None)
            if path is None:
                continue
            with open(root + path, "rb") as library:
                content = library.read()
            blocks = [content[at:at + BLOCK] for at in range(0, len(content), BLOCK)]
            for block in blocks[:max(2, round(len(blocks) * ASKED))]:
                stored = zstd.ZSTD_compress(room, len(room), block, len(block), LEVEL)
                if stored < BLOCK:  # else it is stored as it is; an error is more, too
                    file.write(struct.pack("=II", len(block), stored) + room.raw[:stored])
    return out
