#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Spark part, quickly: one JVM, a local cluster of two executors, one of them killed."""
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import contains, equal, main, test
from spark import busy_executor, living, results, submit

CLUSTER = "local-cluster[2,1,512]"


@test(by="user")
def in_one_jvm(rig):
    """lines, records, bytes, typed rows, failures, time-outs and kills of tasks are as promised"""
    said = submit(rig, "local[2]", "equal,pipe,bytes,rows,failure,late,limit,cancel,probe", "12")
    equal(said["equal"], ["equal 60"])
    equal(said["warm"], ["equal 60"])
    equal(said["empty"], ["equal 3"])
    equal((said["runs"], said["bytes"][0]), (["12"], "true"))
    equal(said["recorded"], ["12"])
    equal(said["taken"], ["[0, 1, 4]"])
    equal(said["pipe"], ["equal 40"])
    equal(said["records"], ["true"] * 2)
    equal((said["bytes"][1], said["no record"]), ("40000000", ["true"]))
    equal(said["rows"], ["equal"] * 5)
    equal((said["typed"], said["not typed"]), (["29"], ["true"]))
    equal(said["failure"], ["Failed 42 bad 33 true"])
    equal(said["output of a failed run"], ["-1"])
    equal(said["late"], ["TimedOut"])
    equal(said["limit"], ["true"])
    equal((said["sleeping"], said["cancelled"]), (["true"], ["0"]))
    equal(said["probe"], ["driver true NONE holder"])
    contains(said["stderr"], "partition 33 attempt 0 probe] bad 33", "what executors log")


@test(by="user")
def in_executors(rig):
    """a fat jar runs its tool in executors of their own: equal, and Spark's own pipe, too"""
    said = submit(rig, CLUSTER, "equal,pipe,probe", "12")
    equal((said["equal"], said["warm"], said["pipe"]), (["equal 60"], ["equal 60"], ["equal 40"]))
    equal(said["probe"], ["0 true NONE holder", "1 true NONE holder"])


@test(by="user")
def executor_killed(rig):
    """an executor that is killed leaves nothing a second later, and the result is right all the same"""
    process = submit(rig, CLUSTER, "slow", "6", start=True)
    tree = busy_executor(process.pid)
    os.kill(tree[0], signal.SIGKILL)
    time.sleep(1)
    equal(living(tree), [], "processes of the killed executor")
    out, errors = process.communicate(timeout=200)
    said = results(out.decode(), errors.decode())
    equal(said["slow"], ["begins", "equal 18"])
    equal([name.name for name in Path("/dev/shm").glob("rootlet-*")], [], "directories of servers")


main()
