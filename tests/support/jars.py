# SPDX-License-Identifier: MIT
"""The JVM library where the tests run: its jars, a jar with images, a java."""
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from place import TESTS, WORK
from promises import Failed, Skip, check

JVM = TESTS.parent / "jvm"
JARS = WORK / "jars"
MACHINE = f"linux-{os.uname().machine.replace('aarch64', 'aarch_64')}"


def kept():
    """What is needed of the tree, read before the tests' own /tmp covers anything."""
    wanted = {"rootlet-core.jar": JVM / "rootlet-core/target/rootlet-core-0.1.0.jar",
              "test-runner.jar":
              JVM / "rootlet-core/target/test-runner/junit-platform-console-standalone.jar"}
    for path in wanted.values():
        if not path.exists():
            raise Skip(f"{path} is not there: jvm/build makes it")
    if not shutil.which("java"):
        raise Skip("no java here: scripts/setup installs it")
    return wanted


def make_jars(rig):
    """Once: the library, the tests' classes, and jars that hold the probe."""
    if JARS.exists():
        return
    JARS.mkdir()
    for name, path in kept().items():
        shutil.copy(path, JARS / name)
    shutil.copytree(JVM / "rootlet-core/target/test-classes", JARS / "tests")
    image = WORK / "probe.AppImage"
    add(empty_jar("app.jar"), f"probe={image}", f"probe-too={image}")
    add(empty_jar("deflated.jar"), f"probe={image}")
    with zipfile.ZipFile(JARS / "deflated.jar") as source:
        entries = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(JARS / "deflated.jar", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    add(empty_jar("other-machine.jar"), "--classifier", "linux-riscv64", f"probe={image}")


def empty_jar(name, prefix=b""):
    path = JARS / name
    path.write_bytes(prefix)
    with zipfile.ZipFile(path, "a") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
    return path


def add(jar, *words):
    made = subprocess.run([WORK / "tools/rootlet", "jar", "add", "-q", jar, *words],
                          capture_output=True, text=True)
    check(made.returncode == 0, made.stderr)
    return jar


def java(*words, options=(), jar=None, more=()):
    """The words of a JVM with the library and a jar with images on its class path."""
    paths = [JARS / "rootlet-core.jar", JARS / "tests", jar or JARS / "app.jar", *more]
    return [shutil.which("java"), "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
            f"-Drootlet.test.jar={jar or JARS / 'app.jar'}",
            f"-Drootlet.test.image={WORK / 'probe.AppImage'}", *options,
            "-cp", ":".join(map(str, paths)), *words]


def run_tests(rig, tests, options=(), jar=None, timeout=90, **keywords):
    """Runs test classes (or methods, as Class#method) in a JVM; fails with what failed there."""
    selectors = [("--select-method=" if "#" in test else "--select-class=") + "io.rootlet.run." + test
                 for test in tests]
    words = java("org.junit.platform.console.ConsoleLauncher", "execute", *selectors,
                 "--include-tag=run", "--details=tree", "--disable-banner", "--disable-ansi-colors",
                 options=options, jar=jar, more=[JARS / "test-runner.jar"])
    done = rig.run(*words, timeout=timeout, **keywords)
    text = done.text + done.errors
    if done.status != 0 or " 0 tests successful" in text:
        raise Failed(text[-6000:])
    return text


def described(jar, name="probe"):
    with zipfile.ZipFile(jar) as archive:
        return json.loads(archive.read(f"META-INF/rootlet/{name}/{MACHINE}/{name}.json"))
