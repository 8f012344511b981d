#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hundred runs at once do not disturb each other."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, equal, main, test, times

AT_ONCE = 100
ROUNDS = 20


@test(scaled=ROUNDS)
def hundred_at_once(rig):
    """100 at once, 20 times: every output is right, and nothing is left"""
    started = time.monotonic()
    for round_ in range(times(ROUNDS)):
        with Untouched():
            running = [(f"{round_}-{index} ä\n", rig.start(rig.image, "say", f"{round_}-{index} ä\n"))
                       for index in range(AT_ONCE)]
            for wanted, process in running:
                out, err = process.communicate(timeout=60)
                equal((process.returncode, out.decode(), err), (0, wanted, b""))
    took = time.monotonic() - started
    print(f"        {took / times(ROUNDS) / AT_ONCE * 1000:.1f} ms per run")


@test()
def hundred_readers(rig):
    """100 at once that read 4 MiB each see the same bytes"""
    wanted = rig.probe("read", "/opt/foo/share/big").out
    with Untouched():
        running = [rig.start(rig.image, "read", "/opt/foo/share/big") for _ in range(AT_ONCE)]
        for process in running:
            out, err = process.communicate(timeout=60)
            equal((process.returncode, out, err), (0, wanted, b""))


@test()
def hundred_unpacked(rig):
    """30 at once without FUSE, each in its own memory"""
    with Untouched():
        running = [rig.start(rig.image, "--rootlet-mount=extract", "exit", "9") for _ in range(30)]
        for process in running:
            process.communicate(timeout=60)
            equal(process.returncode, 9)


@test()
def threads_of_one_run(rig):
    """many processes of one run read at once"""
    script = ("i=0; while [ $i -lt 40 ]; do md5sum /opt/foo/share/big & i=$((i+1)); done;"
              "wait")
    done = rig.shell(script, timeout=60)
    lines = done.text.splitlines()
    equal(len(lines), 40)
    check(len(set(lines)) == 1, f"different sums: {set(lines)}")


if __name__ == "__main__":
    main()
