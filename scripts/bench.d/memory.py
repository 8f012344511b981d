# SPDX-License-Identifier: MIT
"""What serving an image takes of memory: PSS of the servers idle, under load and
10 s later; and of 1, 8 and 64 runs of one image, with the page cache's growth."""
import os
import shutil
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
    """Ours are the children of launchers that are not the runs' init."""
    found = []
    for pid in processes_of({program}):
        with open(f"/proc/{pid}/comm") as file:
            is_init = file.read() == "rootlet-init\n"
        with open(f"/proc/{pid}/status") as file:
            own_session = any(line.startswith("NSsid:") and line.split()[-1] == str(pid) for line in file)
        if not is_init and (own_session or os.getsid(pid) == pid):
            found.append(pid)
    return found


def server_table(bench):
    """One server: before, under and after a load that reads everything."""
    trees, image = bench.trees, bench.trees.big_image()
    cases = {"rootlet": (Root([trees.rootlet, "run", "--pass-fd=9", "--exec=/bin/sh", "--mount=private", image]),
                         lambda: servers(trees.rootlet))}
    program = bench.peers.get("squashfuse_ll") or shutil.which("squashfuse_ll")
    if program:
        point = os.path.join(trees.work, "mnt")
        cases["squashfuse_ll"] = (Root(["chroot", point, "/bin/sh"], [program, image], trees.work),
                                  lambda: processes_of({os.path.realpath(program)}))
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
    series += [] if program else [Series("squashfuse_ll", "not here")]
    return Table("PSS of the image's server", "MiB", series)


def many_runs(bench, mount, count):
    """(PSS of all our processes, growth of the page cache), MiB, of runs that
    each have read the big file."""
    rootlet, image = bench.trees.rootlet, bench.trees.big_image()
    command = [rootlet, "run", f"--mount={mount}", "--exec=/bin/sh", image, "-c",
               f"cat {BIG} > /dev/null; echo up; read end"]
    drop_caches()
    before = page_cache()
    runs = []
    for _ in range(count):
        runs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        runs[-1].stdout.readline()
    result = pss(processes_of({rootlet})), page_cache() - before
    for run in runs:
        run.communicate()
    return result


def tables(bench):
    if not can_drop():
        yield Table("memory", "MiB", [Series("rootlet", "needs root: PSS of processes that hide theirs")])
        return
    yield server_table(bench)
    memory, cache = [], []
    for mount in ("share", "private"):
        reason = peers.can([bench.trees.rootlet, "run", f"--mount={mount}", "--exec=/bin/true",
                            bench.trees.big_image()])
        for count in (1, 8, 64):
            name = f"mount={mount}, {count} run{'s' if count > 1 else ''}"
            memory.append(Series(name, reason))
            cache.append(Series(name, reason))
            for _ in range(bench.rounds(2, quick=1) if reason is None else 0):
                used, grown = many_runs(bench, mount, count)
                memory[-1].values.append(used)
                cache[-1].values.append(grown)
            bench.progress(f"memory: {name}")
    base = memory[0].case
    yield Table("PSS of all our processes, N runs of one image", "MiB", memory, base)
    yield Table("growth of the page cache, N runs of one image that read its big file", "MiB", cache, base)
