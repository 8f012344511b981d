# SPDX-License-Identifier: MIT
"""Start to end of an empty program, static and dynamic, and of a Python with
numpy: from before the fork to after the wait, page cache warm."""
import os
import subprocess

import first_blocks
import peers
import raw_tree
from measure import Series
from table import Table

BASE = "bwrap on the directory"
STEPS = "our steps, nothing else"
SERVED = "our steps, and the least server"
DECODED = "the same, and the first blocks decoded"


def our_cases(bench, image, packed, plain, root, program, arguments):
    """The ways of ours; `image` is a bare squashfs, the others are files with a stub."""
    rootlet = bench.trees.rootlet
    return {
        "rootlet, cold, packed by build": [packed, "--rootlet-mount=private", *arguments],
        "rootlet, cold, mksquashfs's layout":
            [plain, "--rootlet-mount=private", f"--rootlet-exec={program}", *arguments],
        "rootlet, warm (a live server)": [packed, "--rootlet-mount=share", *arguments],
        "rootlet, mount=kernel": [rootlet, "run", "--mount=kernel", "--exec", program, image, *arguments],
        "rootlet, mount=extract": [rootlet, "run", "--mount=extract", "--exec", program, image, *arguments],
        "rootlet run DIRECTORY": [rootlet, "run", "--exec", program, root, *arguments],
    }


def cases_of(bench, program):
    trees, root, image = bench.trees, bench.trees.small(), bench.trees.small_image()
    name = os.path.basename(program)
    packed = trees.pack(root, program, f"{trees.work}/{name}.AppImage")
    plain = trees.with_stub(image, f"{trees.work}/{name}.plain.AppImage")
    floor = peers.floor_program(bench)
    least = [floor, "-N", "umpitn", "-P", "-D", "-L"]
    given = bench.peers
    steps, raw = peers.steps_program(bench), raw_tree.of(root, f"{trees.work}/{name}.raw")
    blocks = first_blocks.of(root + program, root, f"{trees.work}/first-blocks") if name == "dynamic" else None
    return {
        "plain exec": [root + program],
        **our_cases(bench, image, packed, plain, root, program, []),
        BASE: peers.bwrap(root, program),
        STEPS: [steps, root, program],
        SERVED: [steps, "-f", raw, program],
        DECODED: blocks and [steps, "-z", blocks, "-f", raw, program],
        "floor on the directory": floor and [*least, "-r", root, "--", program],
        "floor with squashfuse": floor and [*least, "-f", image, "--", program],
        "ch-run on the squashfs": peers.ch_run(image, program),
        "type-2 runtime": [peers.type2(given["type2"], trees, root, program)] if "type2" in given else None,
        "nsroot -n -i": [given["nsroot"], "-n", "-i", root, program] if "nsroot" in given else None,
    }


def numpy_cases(bench):
    trees, root, image = bench.trees, bench.trees.big(), bench.trees.big_image()
    program, arguments = "/usr/bin/python3", ["-c", "import numpy"]
    packed = f"{trees.kept}/{trees.kind}.AppImage"
    if not os.path.exists(packed) or os.path.getmtime(packed) < os.path.getmtime(f"{trees.build}/rootlet-stub"):
        trees.pack(root, program, packed, "--comp-level", "6")
    plain = trees.with_stub(image, f"{trees.work}/numpy.plain.AppImage")
    ours = our_cases(bench, image, packed, plain, root, program, arguments)
    del ours["rootlet, mount=extract"]  # unpacks everything each time: a row of `pack`
    return {**ours, BASE: peers.bwrap(root, program, *arguments),
            "ch-run on the squashfs": peers.ch_run(image, program, *arguments)}


class Held:
    """A run that keeps the shared server of a packed file alive meanwhile."""

    def __init__(self, packed):
        command = [packed, "--rootlet-mount=share", "--rootlet-exec=/bin/cat"]
        self.run = None
        if peers.can(command) is None:
            self.run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.run.stdin.write(b"up\n")
            self.run.stdin.flush()
            self.run.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.run:
            self.run.communicate()


def measure(bench, title, cases, rounds):
    series = {name: Series(name, peers.can(command)) for name, command in cases.items()}
    here = {name: command for name, command in cases.items() if series[name].reason is None}
    with Held(cases["rootlet, cold, packed by build"][0]):
        for name, took, failed in bench.launches(here, rounds):
            series[name].values.append(took / 1000)
            if failed:
                series[name].reason = "failed in a round"
    return Table(title, "ms", list(series.values()), BASE, "floor with squashfuse", "rootlet run DIRECTORY",
                 STEPS, SERVED, "type-2 runtime")


def tables(bench):
    rounds = bench.rounds(150, quick=60)
    yield measure(bench, "start to end, empty static program", cases_of(bench, "/bin/static"), rounds)
    yield measure(bench, "start to end, empty dynamic program", cases_of(bench, "/bin/dynamic"), rounds)
    yield measure(bench, "python3 -c 'import numpy'", numpy_cases(bench), max(10, rounds // 7))
