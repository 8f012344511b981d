# SPDX-License-Identifier: MIT
"""The blocks of its loader and libraries that the start of a dynamic program reads:
what steps.c -z decodes."""
import subprocess

import stored_blocks
from stored_blocks import BLOCK

# Of libc's fifteen blocks (glibc 2.36) an empty program's start asks a server for all but three
# (strace of the server, 2026-11): the kernel reads 128 KiB around each page that is touched.
ASKED = 0.8


def of(program, root, out):
    """Writes them to `out`, its name back; None where there is no libzstd."""
    if not stored_blocks.are_possible():
        return None
    with open(out, "wb") as file:
        writer = stored_blocks.Writer(file)
        for line in subprocess.check_output(["ldd", program], text=True).splitlines():
            path = next((word for word in line.split() if word.startswith("/")), None)
            if path is None:
                continue
            with open(root + path, "rb") as library:
                content = library.read()
            blocks = [content[at:at + BLOCK] for at in range(0, len(content), BLOCK)]
            for block in blocks[:max(2, round(len(blocks) * ASKED))]:
                writer.add(block)
    return out
