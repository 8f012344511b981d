#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Spark part, whole: a standalone cluster, its parts killed, 200 partitions, a jar of 100 GiB."""
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import JARS, add, empty_jar
from place import WORK
from rig import check, equal, main, test
from spark import Cluster, busy_executor, living, make_spark, plain_jar, process_tree, results, submit

CLUSTER = "local-cluster[2,1,512]"


@test(by="user")
def two_hundred_partitions(rig):
    """200 partitions through a tool with hard-coded paths equal the native result, in two executors"""
    said = submit(rig, CLUSTER, "equal", "200")
    equal((said["equal"], said["warm"], said["runs"]), (["equal 1000"], ["equal 1000"], ["200"]))


@test(by="user")
def ways_to_executors(rig):
    """an image comes by --jars, by extraClassPath, by --files; by --archives it is not found, as documented"""
    make_spark(rig)
    images = add(empty_jar("images.jar"), f"probe={WORK / 'probe.AppImage'}")
    bare = plain_jar(JARS / "bare.jar")
    said = submit(rig, CLUSTER, "equal", "4", jar=bare, jars=("--jars", images))
    equal(said["equal"], ["equal 20"], "--jars")
    said = submit(rig, CLUSTER, "equal", "4", jar=bare, conf={"spark.executor.extraClassPath": str(images),
                                                             "spark.driver.extraClassPath": str(images)})
    equal(said["equal"], ["equal 20"], "extraClassPath")
    copy = JARS / "by-files.AppImage"
    shutil.copy(WORK / "probe.AppImage", copy)
    said = submit(rig, CLUSTER, "files", copy.name, jar=bare, jars=("--files", copy))
    equal(said["files"], ["[data of the image]"], "--files")
    said = submit(rig, CLUSTER, "missing", jar=bare, jars=("--archives", images))
    equal(said["missing"], ["PayloadMissing"], "--archives")


@test(by="user")
def speculative_attempts(rig):
    """an attempt that hangs loses against a speculative one, and is ended"""
    conf = {"spark.speculation": "true", "spark.speculation.interval": "200ms",
            "spark.speculation.quantile": "0.5", "spark.speculation.minTaskRuntime": "1s",
            "spark.speculation.multiplier": "1.5"}
    # Spark speculates on another host only: the workers have addresses of their own.
    with Cluster(rig, 2) as cluster:
        said = submit(rig, cluster.master, "speculation", conf=conf)
    equal((said["speculation"], said["left"]), (["equal 16"], ["0"]))


@test(by="user")
def standalone_worker_killed(rig):
    """a worker of a standalone cluster is killed: nothing of its runs is left, the result is right"""
    with Cluster(rig, 2) as cluster:
        process = submit(rig, cluster.master, "slow", "6", start=True)
        tree = busy_executor(*(part.pid for part in cluster.parts[1:]))
        for worker in cluster.parts[1:]:
            below = process_tree(worker.pid)
            if tree[0] in below:
                worker.kill()
                worker.wait()
        # The executor notices that its worker has gone, and ends; its runs end with it.
        deadline = time.monotonic() + 20
        while living(tree) and time.monotonic() < deadline:
            time.sleep(0.1)
        equal(living(tree), [], "processes below the killed worker")
        out, errors = process.communicate(timeout=200)
        equal(results(out.decode(), errors.decode())["slow"], ["begins", "equal 18"])


@test(by="user")
def driver_killed(rig):
    """a driver that is killed leaves no tool, no server, no executor"""
    process = submit(rig, CLUSTER, "slow", "8", start=True)
    tree = busy_executor(process.pid)
    all_of_it = list(process_tree(process.pid))
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20  # executors see that the driver has gone
    while living(all_of_it) and time.monotonic() < deadline:
        time.sleep(0.1)
    equal(living(all_of_it), [], "processes below the killed driver")
    check(tree, "no executor was busy")
    equal([path.name for path in Path("/dev/shm").glob("rootlet-*")], [], "directories of servers")


@test(by="user")
def jar_of_a_hundred_gigabytes(rig):
    """an application whose jar holds 100 GiB starts at once, on extraClassPath, and grows no disk"""
    make_spark(rig)
    huge = sparse_jar(WORK / "huge.jar")
    before = used()
    started = time.monotonic()
    said = submit(rig, CLUSTER, "equal", "4", jar=plain_jar(JARS / "thin.jar"),
                  conf={"spark.executor.extraClassPath": str(huge),
                        "spark.driver.extraClassPath": str(huge)})
    equal(said["equal"], ["equal 20"])
    print(f"        the whole application took {time.monotonic() - started:.0f} s")
    check(used() - before < 50 << 20, f"{(used() - before) >> 20} MiB more")
    huge.unlink()


def used():
    place = os.statvfs(WORK)
    return (place.f_blocks - place.f_bfree) * place.f_frsize


def sparse_jar(path):
    """100 GiB of zeros, stored; the image is added behind them, in place."""
    name, size, sum_ = b"filler", 100 << 30, 0
    wide = struct.pack("<HHQQ", 1, 16, size, size)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sHHHIIIIHH", b"PK\3\4", 45, 0, 0, 0, sum_, 0xffffffff, 0xffffffff,
                               len(name), len(wide)) + name + wide)
        file.seek(size, 1)
        directory = file.tell()
        file.write(struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, 0, 0, 0, sum_, 0xffffffff,
                               0xffffffff, len(name), len(wide), 0, 0, 0, 0, 0) + name + wide)
        end = file.tell()
        file.write(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, end - directory,
                               directory))
        file.write(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        file.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, end - directory, 0xffffffff, 0))
    add(path, "--in-place", f"probe={WORK / 'probe.AppImage'}")
    return path


@test(by="user")
def two_versions_at_once(rig):
    """two applications with two versions of one tool, on one host at once, do not meet"""
    make_spark(rig)
    jars, started = [], []
    for version in ("one", "two"):
        tree = WORK / f"tree-{version}"
        subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
        (tree / "version").write_text(f"{version}\n")
        image = rig.build(tree, f"{version}.AppImage", "--entry", "/opt/foo/bin/probe")
        jars.append(add(plain_jar(JARS / f"{version}.jar"), f"probe={image}"))
    for jar in jars:
        started.append(submit(rig, "local[2]", "version", jar=jar, start=True))
    for version, process in zip(("one", "two"), started):
        out, errors = process.communicate(timeout=200)
        equal(results(out.decode(), errors.decode())["version"], [f"[{version}]"])


main()
