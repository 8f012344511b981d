# SPDX-License-Identifier: MIT
"""Maven where the tests run: projects built with this tree's plugin, offline.

The local repository is a tree of links to the caller's own, with our artifacts
and the test's own beside them: nothing of a test is ever put into the caller's."""
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from jars import JVM
from place import WORK
from promises import Failed, Skip

OWN = Path.home() / ".m2/repository"
REPOSITORY = WORK / "repository"
VERSION = "0.1.0"


def make_repository():
    """Once. What is missing in the caller's repository is fetched into it by `fetch`."""
    if not shutil.which("mvn"):
        raise Skip("no mvn here: scripts/setup installs maven")
    if REPOSITORY.exists():
        return
    REPOSITORY.mkdir()
    link_all()
    offer("io.rootlet", "rootlet-jvm", VERSION, pom=JVM / "pom.xml")
    for name, module in (("rootlet-core", "rootlet-core"), ("rootlet-spark_2.13", "rootlet-spark"),
                         ("rootlet-maven-plugin", "rootlet-maven-plugin")):
        jar = JVM / module / f"target/{name}-{VERSION}.jar"
        if not jar.exists():
            raise Skip(f"{jar} is not there: jvm/build makes it")
        offer("io.rootlet", name, VERSION, pom=JVM / module / "pom.xml", jar=jar)


def link_all():
    if OWN.is_dir():
        subprocess.run(["cp", "-asn", f"{OWN}/.", REPOSITORY], check=True)
    shutil.rmtree(REPOSITORY / "io/rootlet", ignore_errors=True)  # another build's


def offer(group, name, version, pom=None, jar=None):
    """An artifact in the tests' repository."""
    place = REPOSITORY / group.replace(".", "/") / name / version
    place.mkdir(parents=True, exist_ok=True)
    text = Path(pom).read_text() if pom else (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></project>")
    (place / f"{name}-{version}.pom").write_text(text)
    if jar:
        shutil.copy(jar, place / f"{name}-{version}.jar")


def maven(project, *words, timeout=90):
    """Runs Maven offline; (status, what it said)."""
    make_repository()
    command = ["mvn", "--batch-mode", "--offline", "--no-transfer-progress", "--show-version",
               f"-Dmaven.repo.local={REPOSITORY}", *map(str, words)]
    environment = dict(os.environ, MAVEN_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto")
    done = subprocess.run(command, cwd=project, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    return done.returncode, done.stdout


def built(project, *words, fetch=()):
    """As `maven`; what it lacks is fetched once by Maven itself, into the caller's own repository."""
    status, said = maven(project, *words)
    if "in offline mode" in said:
        fetched = subprocess.run(
            ["mvn", "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:resolve-plugins",
             "-DexcludeGroupIds=io.rootlet", *fetch], cwd=project, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        if fetched.returncode != 0:
            raise Skip(f"Maven cannot fetch its plugins here: {fetched.stdout[-600:]}")
        kept = WORK / "kept-repository"
        os.rename(REPOSITORY, kept)
        make_repository()
        subprocess.run(["cp", "-an", f"{kept}/app", REPOSITORY], check=False)
        status, said = maven(project, *words)
    if "in offline mode" in said:
        raise Failed(f"Maven lacks something: {said[-3000:]}")
    return status, said


def entries(jar):
    with zipfile.ZipFile(jar) as archive:
        return {entry.filename: entry for entry in archive.infolist()}
