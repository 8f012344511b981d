# SPDX-License-Identifier: MIT
"""What serving an image takes of memory: PSS of the servers idle, under load and
10 s later; and of 1, 8 and 64 runs of one image, with the page cache's growth."""
import os
import subprocess
import time

import peers
from measure import Series
from read import BIG, Root, can_drop, drop_caches
from table import Table


def processes_of(names):
    """Processes whose program is one of these files."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.readlink(f"/proc/{entry}/exe").removesuffix(" (deleted)") in names:
                    found.append(int(entry))
            except OSError:
                pass
    return found


def pss(pids):
    """Sum of their proportional shares, MiB."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total / 1024


def page_cache():
    """MiB in the page cache."""
    with open("/proc/meminfo") as file:
        values = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return (values["Cached"] + values["Buffers"] - values["Shmem"]) / 1024


def servers(program):
    """Ours have left the caller's session; launchers and inits have not."""
    return [pid for pid in processes_of({program}) if os.getsid(pid) != os.getsid(0)]


def server_table(bench):
    """One server: before, under and after a load that reads everything."""
    trees, image = bench.trees, bench.trees.big_image()
    cases = {"rootlet": (Root([trees.rootlet, "run", "--pass-fd=9", "--exec=/bin/sh", "--mount=private", image]),
                         lambda: servers(trees.rootlet))}
    point = os.path.join(trees.work, "mnt")
    for name, program in peers.squashfuses(bench).items():
        if program:
            cases[name] = (Root(["chroot", point, "/bin/sh"], [program, image], trees.work),
                           lambda program=program: processes_of({os.path.realpath(program)}))
    series = []
    for name, (root, pids) in cases.items():
        moments = [Series(f"{name}, {moment}") for moment in ("idle", "peak under load", "10 s after")]
        for turn in range(bench.rounds(2, quick=1)):
            with root as session:
                session.do("true")
                time.sleep(0.2)
                moments[0].values.append(pss(pids()))
                peak = 0.0
                session.run.stdin.write("tar -C /usr -cf - . | cat\n")
                session.run.stdin.flush()
                busy = subprocess.Popen(["head", "-1"], stdin=session.run.stdout, stdout=subprocess.DEVNULL)
                while busy.poll() is None:
                    peak = max(peak, pss(pids()))
                    time.sleep(0.05)
                moments[1].values.append(peak)
                time.sleep(10)
                moments[2].values.append(pss(pids()))
            bench.progress(f"memory: {name}, round {turn + 1}")
        series += moments
    return Table("PSS of the image's server", "MiB", series)


def many_runs(bench, mount, count):
    """MiB of runs that each have read the big file: of the servers, of all our
    processes, and what the page cache has grown."""
    rootlet, image = bench.trees.rootlet, bench.trees.big_image()
    command = [rootlet, "run", f"--mount={mount}", "--exec=/bin/sh", image, "-c",
               f"cat {BIG} > /dev/null; echo up; read end"]
    drop_caches()
    before = page_cache()
    runs = []
    for _ in range(count):
        runs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        runs[-1].stdout.readline()
    result = pss(servers(rootlet)), pss(processes_of({rootlet})), page_cache() - before
    for run in runs:
        run.communicate()
    wait_for_the_end(rootlet)
    return result


def wait_for_the_end(program):
    """A shared server outlives its runs by some seconds."""
    deadline = time.monotonic() + 30
    while processes_of({program}) and time.monotonic() < deadline:
        time.sleep(0.1)


def tables(bench):
    if not can_drop():
        yield Table("memory", "MiB", [Series("rootlet", "needs root: PSS of processes that hide theirs")])
        return
    yield server_table(bench)
    titles = ["PSS of the servers", "PSS of all our processes", "growth of the page cache"]
    columns = [[] for _ in titles]
    for mount in ("share", "private"):
        reason = peers.can([bench.trees.rootlet, "run", f"--mount={mount}", "--exec=/bin/true",
                            bench.trees.big_image()])
        wait_for_the_end(bench.trees.rootlet)
        for count in (1, 8, 64):
            name = f"mount={mount}, {count} run{'s' if count > 1 else ''}"
            for column in columns:
                column.append(Series(name, reason))
            for _ in range(bench.rounds(2, quick=1) if reason is None else 0):
                for column, value in zip(columns, many_runs(bench, mount, count)):
                    column[-1].values.append(value)
            bench.progress(f"memory: {name}")
    for title, column in zip(titles, columns):
        yield Table(f"{title}, N runs of one image that each read its big file", "MiB", column, column[0].case)
