# SPDX-License-Identifier: MIT
"""A tool in a jar: from asking for it to the first byte of its output, by the size of its image, beside
extraction and a cache of extracted files; what goes through it in Spark."""
import json
import os
import shutil
import struct
import subprocess

from measure import Series
from table import Table

GB = 1_000_000_000
BUSYBOX = "/usr/bin/busybox"
LIBRARIES = {"core": "rootlet-core/target/rootlet-core-0.1.0.jar",
             "spark": "rootlet-spark/target/rootlet-spark_2.13-0.1.0.jar"}
JAVA = ["java", "-XX:+UseSerialGC", "-XX:-UsePerfData"]
OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in (
    "java.lang", "java.lang.invoke", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
    "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar")]


def missing(bench):
    """Why it cannot be measured here; None: it can."""
    for library in LIBRARIES.values():
        if not os.path.exists(f"{bench.top}/jvm/{library}"):
            return "jvm/build was not run"
    return None if shutil.which("javac") and os.path.exists(BUSYBOX) else "no javac or no busybox"


def packed(bench):
    """A busybox as an image, and where it lies natively."""
    root = f"{bench.trees.work}/busybox"
    for name in ("bin", "proc", "dev", "sys", "tmp", "var/tmp", "run", "home", "etc"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    shutil.copy(BUSYBOX, f"{root}/bin/busybox")
    return bench.trees.pack(root, "/bin/busybox", f"{bench.trees.work}/busybox.AppImage")


def write_jar(path, image, size):
    """A jar by hand: the image, with a hole behind it up to SIZE bytes, as one stored entry; zip64."""
    machine = os.uname().machine.replace("aarch64", "aarch_64")
    stem = f"META-INF/rootlet/tool/linux-{machine}/tool"
    with open(image, "rb") as source:
        content = source.read()
    size = max(size, len(content))
    front = int(subprocess.check_output([image, "--appimage-offset"]))
    text = json.dumps({"format": 1, "name": "tool", "classifier": f"linux-{machine}", "image": f"{stem}.AppImage",
                       "digest": "", "size": size, "squashfs_offset": front, "entry": "/bin/busybox",
                       "least_api": 1}).encode()
    with open(path, "wb") as jar:
        directory = b""
        for name, begin, length in ((f"{stem}.json", text, len(text)), (f"{stem}.AppImage", content, size)):
            name, header = name.encode(), jar.tell()
            wide = struct.pack("<HHQQ", 1, 16, length, length)
            pad = -(header + 30 + len(name) + len(wide) + 4) % 4096
            local = wide + struct.pack("<HH", 0xD935, pad) + bytes(pad)
            stamp = struct.pack("<HH", 0, 0x5d78)  # the same day for all: the cache compares times
            jar.write(b"PK\3\4" + struct.pack("<HHH", 45, 0, 0) + stamp + struct.pack("<IIIHH", 0, 0xffffffff,
                      0xffffffff, len(name), len(local)) + name + local + begin)
            jar.seek(length - len(begin), 1)
            wide = struct.pack("<HHQQQ", 1, 24, length, length, header)
            directory += (b"PK\1\2" + struct.pack("<HHHH", 45, 45, 0, 0) + stamp + struct.pack(
                "<IIIHHHHHII", 0, 0xffffffff, 0xffffffff, len(name), len(wide), 0, 0, 0, 0, 0xffffffff) + name + wide)
        at = jar.tell()
        jar.write(directory)
        jar.write(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(directory), at))
        jar.write(struct.pack("<4sIQI", b"PK\6\7", 0, at + len(directory), 1))
        jar.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0))
    return path


def compile_java(bench):
    classes = f"{bench.trees.work}/classes"
    os.makedirs(classes, exist_ok=True)
    paths = ":".join([*(f"{bench.top}/jvm/{library}" for library in LIBRARIES.values()),
                      f"{bench.top}/jvm/rootlet-spark/target/spark/jars/*"])
    subprocess.run(["javac", "-nowarn", "-proc:none", "-d", classes, "-cp", paths,
                    *(f"{bench.trees.sources}/{name}.java" for name in ("FirstByte", "PipeThroughput"))], check=True,
                   stderr=subprocess.DEVNULL)
    return classes


class Asked:
    """A JVM for each measurement, as each executor is one."""

    def __init__(self, bench, classes, jar):
        self.paths = f"{classes}:{bench.top}/jvm/{LIBRARIES['core']}:{jar}"
        self.place = f"{bench.trees.work}/extracted"

    def milliseconds(self, *words):
        done = subprocess.run([*JAVA, "-Xmx256m", "-cp", self.paths, "FirstByte", *map(str, words)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "failed")
        return int(done.stdout) / 1000

    def first_byte(self, how):
        os.makedirs(self.place, exist_ok=True)
        return self.milliseconds(how, self.place)

    def forget(self):
        shutil.rmtree(self.place, ignore_errors=True)


def cold():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")


CASES = [  # name, how, page cache cold, extracted files forgotten before
    ("mounted in place, cold", "mounted", True, True),
    ("mounted in place, warm", "mounted", False, True),
    ("extracted for each JVM (sqlite-jdbc), cold", "extracted", True, True),
    ("extracted for each JVM (sqlite-jdbc), warm", "extracted", False, True),
    ("cache of extracted files (JavaCPP), empty, cold", "cached", True, True),
    ("cache of extracted files (JavaCPP), filled, cold", "cached", True, False),
    ("cache of extracted files (JavaCPP), filled, warm", "cached", False, False)]


def first_byte(bench, classes, image, size, rounds):
    jar = write_jar(f"{bench.trees.work}/{size}.jar", image, size)
    asked = Asked(bench, classes, jar)
    series = {name: Series(name, reason(bench, how, size)) for name, how, *_ in CASES}
    for round_ in range(rounds):
        for name, how, is_cold, forget in CASES:
            if series[name].reason:
                continue
            bench.progress(f"{size / GB} GB: {name}, round {round_ + 1} of {rounds}")
            if forget:
                asked.forget()
            if is_cold:
                cold()
            try:
                series[name].values.append(asked.first_byte(how))
            except RuntimeError as error:
                series[name].reason = str(error)
    asked.forget()
    os.unlink(jar)
    label = f"{size / GB:g} GB" if size >= GB else "1 MB"
    return Table(f"first byte, a payload of {label}", "ms", list(series.values()), CASES[0][0], CASES[1][0])


def reason(bench, how, size):
    if how == "mounted":
        return None
    place = os.statvfs(bench.trees.work)
    if size * 1.5 > place.f_bavail * place.f_frsize:
        return f"the disk has no room for {size / GB:g} GB"
    return f"not run: it writes {size / GB:g} GB each time (--long)" if size > 10 * GB and not bench.long else None


def through(bench, classes, image, rounds):
    """MB/s through one process and back, without Spark; then lines in Spark."""
    jar = write_jar(f"{bench.trees.work}/small.jar", image, 0)
    asked = Asked(bench, classes, jar)
    megabytes = 2048 if bench.quick else 4096
    series = {"native": Series("ProcessBuilder, native tool"), "run": Series("ToolRun, tool in a jar")}
    for _ in range(rounds):
        for how, one in series.items():
            one.values.append(megabytes * 1.048576 / (asked.milliseconds(how, BUSYBOX, megabytes) / 1000))
    yield Table(f"{megabytes} MiB in and out of one process", "MB/s", list(series.values()), "ProcessBuilder, native tool",
                note="Larger is better; the start is counted.")
    yield in_spark(bench, classes, jar, rounds)


def in_spark(bench, classes, jar, rounds):
    lines, partitions = (500_000 if bench.quick else 2_000_000), 4
    names = {"pipe-native": "rdd.pipe, native tool", "pipe-portable": "rdd.pipe(command.portable())",
             "lines": "ToolPipe.lines", "lines-warm": "ToolPipe.warm().lines"}
    series = {key: Series(name) for key, name in names.items()}
    paths = ":".join([classes, *(f"{bench.top}/jvm/{library}" for library in LIBRARIES.values()), jar,
                      f"{bench.top}/jvm/rootlet-spark/target/spark/jars/*"])
    done = subprocess.run([*JAVA, *OPENS, "-Xmx1g", "-cp", paths, "PipeThroughput", BUSYBOX, str(lines), str(partitions),
                           str(rounds)], capture_output=True, text=True, env=dict(os.environ, SPARK_LOCAL_IP="127.0.0.1"))
    for line in done.stdout.splitlines():
        key, took = line.split()
        series[key].values.append(lines * partitions * 101 / int(took))
    if done.returncode != 0:
        for one in series.values():
            one.reason = one.reason or "failed: " + (done.stderr.strip().splitlines() or ["?"])[-1]
    return Table(f"{partitions} partitions of {lines} lines of 100 bytes, Spark local[2]", "MB/s", list(series.values()),
                 "rdd.pipe, native tool", note="Larger is better. The native tool is the limit.")


def tables(bench):
    why = missing(bench)
    if why:
        raise SystemExit(f"scripts/bench: jar: {why}")
    image, classes = packed(bench), compile_java(bench)
    sizes = [(1_000_000, 10, 5), (GB, 5, 2), (10 * GB, 3, 1), (100 * GB, 5, 2)]
    for size, full, quick in sizes:
        yield first_byte(bench, classes, image, size, bench.rounds(full, quick))
    yield from through(bench, classes, image, bench.rounds(7, 3))
