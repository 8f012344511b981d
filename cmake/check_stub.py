#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the stub to what is promised: check_stub.py STUB ELF NM [OBJECT...]

STUB is the finished file, ELF the same with its symbols, the OBJECTs our own
code (not the trims). Fails when the stub is too large, when its AppImage
sections are not where tools look for them, when a part of a library is back
that a trim was to keep out, or when our code calls what is trimmed.
"""
import pathlib
import platform
import re
import struct
import subprocess
import sys

LIMIT = 1 << 20
SECTIONS = [(".digest_md5", 16), (".upd_info", 1024), (".sha256_sig", 1024), (".sig_key", 8192)]
# What must not be in the stub, by one function of each.
KEPT_OUT = {
    "cancellation of threads": "pthread_cancel", "stdio": "__vfprintf_internal", "gconv": "__gconv_open",
    "dlopen": "_dl_open", "unwinder": "_Unwind_RaiseException", "resolver": "__res_ninit",
    "liblzma's look at the processor (image/trim_lzma.cpp)": "crc64_set_func",
}
# base/trim_start.cpp stands in for this glibc's start, and is empty with another one.
if platform.libc_ver() == ("glibc", "2.36"):
    KEPT_OUT["glibc's look at the caches (base/trim_start.cpp)"] = "handle_amd"
TRIMS = ["runtime/base/trim_libc.cpp", "runtime/base/trim_threads.cpp",
         "runtime/image/trim_fuse.cpp", "runtime/image/trim_zstd.cpp"]


def sections(elf):
    """(name, offset, size) of each section of a 64-bit little-endian ELF."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    rows = [struct.unpack_from("<IIQQQQ", elf, table + i * entry) for i in range(count)]
    start = rows[names][4]
    for name, _, _, _, offset, size in rows:
        text = elf[start + name : elf.index(b"\0", start + name)]
        yield text.decode(), offset, size
    assert table + entry * count == len(elf), "the section table is not last"


def undefined(nm, file):
    out = subprocess.run([nm, "-u", file], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in out.splitlines() if line.strip().startswith("U ")}


def complaints(stub, elf, nm, objects):
    data = pathlib.Path(stub).read_bytes()
    if len(data) > LIMIT:
        yield f"{stub} has {len(data)} bytes, more than {LIMIT}"
    if len(data) % 4096 != 0:
        yield f"{stub}: {len(data)} is no multiple of 4096"
    found = [(name, size) for name, _, size in sections(data) if name in dict(SECTIONS)]
    if found != SECTIONS:
        yield f"{stub}: AppImage sections {found}, not {SECTIONS}"

    out = subprocess.run([nm, elf], check=True, capture_output=True, text=True).stdout
    present = {line.split()[-1] for line in out.splitlines() if " U " not in line}
    for part, name in KEPT_OUT.items():
        if name in present:
            yield f"{part} is in the stub ({name}): see runtime/base/trim_libc.cpp"

    root = pathlib.Path(__file__).resolve().parent.parent
    trimmed = {"stderr", "perror"}
    for file in TRIMS:
        trimmed |= set(re.findall(r"^TRIM_NEVER\((\w+)\)", (root / file).read_text(), re.M))
    for file in objects:
        for name in sorted(undefined(nm, file) & trimmed):
            yield f"{file} calls {name}, which the stub does without ({', '.join(TRIMS)})"


if __name__ == "__main__":
    problems = list(complaints(*sys.argv[1:4], sys.argv[4:]))
    for problem in problems:
        print("check_stub:", problem, file=sys.stderr)
    sys.exit(1 if problems else 0)
