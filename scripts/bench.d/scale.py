# SPDX-License-Identifier: MIT
"""Many runs: partitions beside each other, short launches in a row, thousands
of starts. A partition is one of as many workers as there are processors."""
import os
import subprocess
import time

import peers
from measure import Series, rotated
from start import Held
from table import Table

WORKERS = len(os.sched_getaffinity(0))


def worker(command, times):
    """A shell that runs a command so many times in a row."""
    return ["sh", "-c", f'i=0; while [ $i -lt {times} ]; do i=$((i+1)); "$@" || exit 1; done', "sh", *command]


def together(command, times):
    """Seconds until all workers have run it so many times; None: one failed."""
    started = time.monotonic()
    runs = [subprocess.Popen(worker(command, times), stdin=subprocess.DEVNULL) for _ in range(WORKERS)]
    failed = [run.wait() for run in runs]
    return None if any(failed) else time.monotonic() - started


def partitions(bench, title, cases, milliseconds, times, rounds):
    """Throughput in runs a second; ratios are to the bare tool."""
    series = {name: Series(name, peers.can([*command, "1"]) if command else "not here")
              for name, command in cases.items()}
    here = [name for name in cases if series[name].reason is None]
    for turn in range(rounds):
        for name in rotated(here, turn):
            took = together([*cases[name], str(milliseconds)], times)
            if took is None:
                series[name].reason = "failed in a round"
            else:
                series[name].values.append(WORKERS * times / took)
        bench.progress(f"scale: {title}, round {turn + 1}")
    return Table(title, "runs/s", list(series.values()), "bare tool")


def starts(bench, cases, count, rounds):
    """Starts of an empty program, 8 at a time."""
    series = {name: Series(name, peers.can(command)) for name, command in cases.items()}
    here = {name: command for name, command in cases.items() if series[name].reason is None}
    each = count // rounds
    for name, took, failed in bench.launches(here, rounds, each, 8):
        series[name].values.append(each / (took / 1e6))
        if failed:
            series[name].reason = f"{failed} of {each} failed"
    return Table(f"{count} starts of an empty static program, 8 at a time", "starts/s", list(series.values()),
                 "bwrap on the directory", "floor on the directory")


def leftovers(bench, packed, count):
    """Starts in a row, and 200 at once; what is left behind."""
    mounts = lambda: open("/proc/self/mountinfo").read().count("\n")
    processes = lambda: sum(entry.isdigit() for entry in os.listdir("/proc"))
    before = mounts(), processes()
    series = [Series(f"{count} in a row: failed"), Series("200 at once: failed"), Series("mounts left"),
              Series("processes left")]
    for index, (total, jobs) in enumerate(((count, 1), (200, 200))):
        for _, _, failed in bench.launches({"rootlet": [packed]}, 1, total, jobs):
            series[index].values.append(failed)
    time.sleep(3)
    series[2].values.append(mounts() - before[0])
    series[3].values.append(max(0, processes() - before[1]))
    return Table("what is left", "number", series)


def tables(bench):
    trees, root, image = bench.trees, bench.trees.small(), bench.trees.small_image()
    spin = trees.pack(root, "/bin/spin", f"{trees.work}/spin.AppImage")
    packed = trees.pack(root, "/bin/static", f"{trees.work}/static.AppImage")
    tools = {"bare tool": [f"{root}/bin/spin"],
             "rootlet, mount=private": [spin, "--rootlet-mount=private"],
             "rootlet, as auto picks": [spin],
             "rootlet, mount=share": [spin, "--rootlet-mount=share"],
             "bwrap on the directory": peers.bwrap(root, "/bin/spin")}
    yield partitions(bench, f"{WORKERS} partitions, a tool of 1 s each", tools, 1000, 1, bench.rounds(15, quick=5))
    yield partitions(bench, f"{WORKERS} partitions, 8 launches of a 50 ms tool in a row each", tools, 50, 8,
                     bench.rounds(15, quick=5))
    floor = peers.floor_program(bench)
    cases = {"rootlet, mount=private": [packed, "--rootlet-mount=private"],
             "rootlet, mount=share": [packed, "--rootlet-mount=share"],
             "bwrap on the directory": peers.bwrap(root, "/bin/static"),
             "our steps, nothing else": [peers.steps_program(bench), root, "/bin/static"],
             "floor on the directory": floor and [floor, "-N", "umpitn", "-P", "-D", "-L", "-r", root, "--",
                                                  "/bin/static"],
             "ch-run on the squashfs": peers.ch_run(image, "/bin/static")}
    with Held(packed):
        yield starts(bench, cases, 2000 if not bench.quick else 800, 8)
    if bench.long:
        yield leftovers(bench, packed, 10000)
