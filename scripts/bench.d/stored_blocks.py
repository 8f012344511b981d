# SPDX-License-Identifier: MIT
"""Content as mksquashfs would store it with zstd, block by block, for what decodes it and
does nothing else: SIZE and STORED, 4 bytes each, then a zstd frame."""
import ctypes
import ctypes.util
import struct

BLOCK = 128 << 10
LEVEL = 15  # mksquashfs's


class Writer:
    """Writes them to a file that is open."""

    def __init__(self, file):
        self.file = file
        self.zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
        self.zstd.ZSTD_compress.restype = ctypes.c_size_t
        self.room = ctypes.create_string_buffer(2 * BLOCK)

    def add(self, block):
        stored = self.zstd.ZSTD_compress(self.room, len(self.room), block, len(block), LEVEL)
        if stored < BLOCK:  # else it is stored as it is; an error is more, too
            self.file.write(struct.pack("=II", len(block), stored) + self.room.raw[:stored])


def are_possible():
    return ctypes.util.find_library("zstd") is not None
