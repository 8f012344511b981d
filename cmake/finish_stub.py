#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finishes the stub: finish_stub.py FILE

Moves the section header table to the very end of the file, so that the file
is a multiple of 4096 bytes and the AppImage rule (max(end of the section
table, end of the last section)) gives exactly its size; writes the AppImage
magic. A padding elsewhere would not do: nothing may lie between what the rule
gives and the image.
"""
import struct
import sys

PAGE = 4096
SHOFF, SHENTSIZE = 0x28, 0x3A  # of a 64-bit ELF header (elf.h)


def main(path):
    with open(path, "rb") as file:
        elf = bytearray(file.read())
    assert elf[:5] == b"\x7fELF\x02", "not a 64-bit ELF file"
    (offset,) = struct.unpack_from("<Q", elf, SHOFF)
    entry, count = struct.unpack_from("<HH", elf, SHENTSIZE)
    table = bytes(elf[offset : offset + entry * count])
    assert len(table) == entry * count, "the section table is cut short"
    if offset + len(table) == len(elf):
        del elf[offset:]
    size = -(-(len(elf) + len(table) + 7) // PAGE) * PAGE
    start = size - len(table)
    assert start % 8 == 0
    elf += bytes(start - len(elf)) + table
    struct.pack_into("<Q", elf, SHOFF, start)
    elf[8:11] = b"AI\x02"
    with open(path, "r+b") as file:
        file.write(elf)
        file.truncate()


if __name__ == "__main__":
    main(sys.argv[1])
