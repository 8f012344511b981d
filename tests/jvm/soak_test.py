#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ten thousand runs of one JVM, as many partitions make them."""
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import make_jars, run_tests
from rig import Untouched, main, test, times

RUNS = 10_000


@test(by="user", scaled=RUNS)
def ten_thousand_runs(rig):
    """10,000 short runs of eight threads leak no descriptor, process, mount, file or zombie"""
    make_jars(rig)
    signal.alarm(3600)
    with Untouched(2):
        run_tests(rig, ["LifeTest#many_short_runs_of_many_threads_leave_nothing"], timeout=3500,
                  options=(f"-Drootlet.test.runs={times(RUNS)}", "-Djunit.jupiter.execution.timeout.mode=disabled"))


main()
