# SPDX-License-Identifier: MIT
"""A directory as one file of which the least FUSE server (least_server.h) answers:
entries, and the content of its files from whole pages on, nothing compressed."""
import os
import stat
import struct

ENTRY = "=QQQII64s"  # parent, content, size, mode, links, name
PAGE = 4096


def of(root, out):
    """Writes `root` to `out`, its name back. Names have at most 63 bytes."""
    nodes = {root: 1}
    found = [(0, root, b"")]
    for directory, names, files in os.walk(root):
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            nodes[path] = len(found) + 1
            found.append((nodes[directory], path, os.fsencode(name)))
    at = -(-(8 + len(found) * struct.calcsize(ENTRY)) // PAGE) * PAGE
    with open(out, "wb") as file:
        entries = []
        for parent, path, name in found:
            status = os.lstat(path)
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.fsencode(os.readlink(path))
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as source:
                    content = source.read()
            file.seek(at)
            file.write(content)
            entries.append(struct.pack(ENTRY, parent, at, len(content), status.st_mode, status.st_nlink, name))
            at += -(-max(len(content), 1) // PAGE) * PAGE
        file.truncate(at)
        file.seek(0)
        file.write(struct.pack("=Q", len(entries)) + b"".join(entries))
    return out
