# SPDX-License-Identifier: MIT
"""Ids that the tests' /etc/subuid and /etc/subgid lend to their user."""
from pathlib import Path

from place import MS_BIND, NAME, WORK, mount
from promises import Skip

LENT = 600000  # the first of them
COUNT = 65536


def lend():
    """Ids for the user of the tests, in this namespace's files alone."""
    for program in ("newuidmap", "newgidmap"):
        if not Path("/usr/bin", program).exists():
            raise Skip(f"no {program} here: scripts/setup installs the package uidmap")
    for name in ("subuid", "subgid"):
        file = WORK / name
        if file.exists():
            continue
        file.write_text(f"{NAME}:{LENT}:{COUNT}\n")
        if not Path("/etc", name).exists():
            raise Skip(f"no /etc/{name} here to be covered")
        mount(str(file), f"/etc/{name}", None, MS_BIND)
