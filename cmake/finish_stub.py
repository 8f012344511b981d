#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finishes the stub: finish_stub.py FILE

Cuts the zeros of libfuse's table of operations (stub_layout.ld) out of the
file; they are zeros in memory all the same. Moves the section header table to the very end of the file, so that the file
is a multiple of 4096 bytes and the AppImage rule (max(end of the section
table, end of the last section)) gives exactly its size; writes the AppImage
magic. A padding elsewhere would not do: nothing may lie between what the rule
gives and the image.
"""
import struct
import sys

PAGE = 4096
PHOFF, SHOFF = 0x20, 0x28  # of a 64-bit ELF header (elf.h)
PHENTSIZE, SHENTSIZE, SHSTRNDX = 0x36, 0x3A, 0x3E
TABLE, ROW = b".fuse_table", 16  # a function and its name


class Sections:
    """The section headers, as [name, type, flags, address, offset, size, ...] each."""

    def __init__(self, elf):
        self.form = "<IIQQQQIIQQ"
        (self.at,) = struct.unpack_from("<Q", elf, SHOFF)
        self.entry, self.count, names = struct.unpack_from("<HHH", elf, SHENTSIZE)
        self.rows = [list(struct.unpack_from(self.form, elf, self.at + i * self.entry))
                     for i in range(self.count)]
        start = self.rows[names][4]
        self.names = [bytes(elf[start + row[0]:elf.index(0, start + row[0])])
                      for row in self.rows]

    def write(self, elf):
        for i, row in enumerate(self.rows):
            struct.pack_into(self.form, elf, self.at + i * self.entry, *row)


def data_segment(elf, end):
    """Where the header of the segment stands whose bytes in the file end at `end`."""
    (at,) = struct.unpack_from("<Q", elf, PHOFF)
    entry, count = struct.unpack_from("<HH", elf, PHENTSIZE)
    for header in range(at, at + entry * count, entry):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", elf, header)
        if kind == 1 and offset + size == end:
            return header
    sys.exit("finish_stub: the table is not the last in its segment: see stub_layout.ld")


def cut_table(elf):
    sections = Sections(elf)
    if TABLE not in sections.names:
        return
    table = sections.names.index(TABLE)
    bss = sections.rows[sections.names.index(b".bss")]
    offset, size = sections.rows[table][4:6]
    assert size % ROW == 0
    elf[offset + size - ROW:offset + size] = bytes(ROW)  # CUSE_INIT, which nobody sends us
    used = -(-len(bytes(elf[offset:offset + size]).rstrip(b"\0")) // ROW) * ROW
    end, cut = offset + size, size - used
    header = data_segment(elf, end)
    (in_file,) = struct.unpack_from("<Q", elf, header + 32)
    struct.pack_into("<Q", elf, header + 32, in_file - cut)  # the rest of it is zeros
    grown = bss[3] - (sections.rows[table][3] + used)
    bss[3], bss[4], bss[5] = bss[3] - grown, offset + used, bss[5] + grown
    sections.rows[table][5] = used
    for row in sections.rows:
        if row[4] >= end:
            row[4] -= cut
    sections.write(elf)
    struct.pack_into("<Q", elf, SHOFF, sections.at - cut)
    del elf[end - cut:end]


def main(path):
    with open(path, "rb") as file:
        elf = bytearray(file.read())
    assert elf[:5] == b"\x7fELF\x02", "not a 64-bit ELF file"
    cut_table(elf)
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
