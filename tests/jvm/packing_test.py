#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What later steps of packaging do to a jar's images: Maven's plugins, the JDK's tools."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import JARS, MACHINE, add, empty_jar, java, make_jars
from maven import built, entries, make_repository, offer
from place import TESTS, WORK
from rig import Skip, check, contains, equal, main, test

IMAGE = f"META-INF/rootlet/probe/{MACHINE}/probe.AppImage"
ANSWER = "data of the image\n"
PROJECTS = WORK / "packing"


def verify(rig, jar, status):
    """What `rootlet jar verify` says of a jar; it ends with STATUS."""
    done = rig.run(rig.rootlet, "jar", "verify", jar)
    equal(done.status, status, f"jar verify: {done.text}{done.errors}")
    return done.text


def runs(rig, jar, name="probe"):
    """By the command, and out of the class path of a JVM."""
    done = rig.run(rig.rootlet, "exec", f"{jar}!/{name}", "/bin/cat", "/opt/foo/share/data.txt")
    equal((done.status, done.text), (0, ANSWER), repr(done))
    if name == "probe":
        done = rig.run(*java("io.rootlet.run.Drive", "rung", jar=jar))
        check(done.status == 0 and done.text.endswith(ANSWER), repr(done))


def jdk(rig, *words):
    if not shutil.which(words[0]):
        raise Skip(f"no {words[0]} here: scripts/setup installs a JDK")
    done = subprocess.run(list(map(str, words)), cwd=JARS, capture_output=True, text=True)
    equal(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def jar_with_image(rig, name):
    make_jars(rig)
    return add(empty_jar(name), f"probe={WORK / 'probe.AppImage'}")


def keys(rig):
    store = JARS / "keys"
    if not store.exists():
        jdk(rig, "keytool", "-genkeypair", "-keystore", store, "-storepass", "secret", "-alias", "us",
            "-dname", "CN=us", "-keyalg", "RSA")
    return ["-keystore", store, "-storepass", "secret"]


@test(by="user")
def jar_updated(rig):
    """after `jar uf` an image runs from where it was moved to, and verify says who moves images"""
    path = jar_with_image(rig, "updated.jar")
    (JARS / "more.txt").write_text("more\n" * 100)
    jdk(rig, "jar", "uf", path, "more.txt")
    contains(verify(rig, path, 0), "moved by a later step (jar uf", "verify")
    runs(rig, path)


@test(by="user")
def jar_made_anew(rig):
    """`jar cf` compresses an image: verify says so, and what to do"""
    path = jar_with_image(rig, "unpacked.jar")
    place = JARS / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place)
    jdk(rig, "jar", "cf", "anew.jar", "-C", place, ".")
    said = verify(rig, JARS / "anew.jar", 1)
    contains(said, "jar cf", "verify")
    contains(said, "add the images as the last step", "verify")


@test(by="user")
def signed_after(rig):
    """a jar that is signed after the images were added: they run, and the signature holds"""
    path = jar_with_image(rig, "signed.jar")
    jdk(rig, "jarsigner", *keys(rig), path, "us")
    contains(jdk(rig, "jarsigner", "-verify", path), "jar verified", "jarsigner -verify")
    contains(verify(rig, path, 0), "it runs from there all the same", "verify")
    runs(rig, path)


@test(by="user")
def signed_before(rig):
    """images added to a signed jar: they run, what was signed still is, and verify says what is not"""
    make_jars(rig)
    path = empty_jar("signed-before.jar")
    jdk(rig, "jarsigner", *keys(rig), path, "us")
    add(path, f"probe={WORK / 'probe.AppImage'}")
    contains(jdk(rig, "jarsigner", "-verify", path), "jar verified", "jarsigner -verify")
    contains(verify(rig, path, 0), "the jar is signed, and its signature does not cover", "verify")
    equal(entries(path)[IMAGE].compress_type, zipfile.ZIP_STORED)
    runs(rig, path)


def projects(rig):
    """Once: a user's projects, whose dependency is a jar with images."""
    make_jars(rig)
    make_repository()
    if not PROJECTS.exists():
        shutil.copytree(TESTS / "jvm/packing", PROJECTS)
        images = add(empty_jar("images.jar"), f"probe={WORK / 'probe.AppImage'}")
        with zipfile.ZipFile(images, "a") as archive:  # a jar in a jar: shade knows what begins like one
            inner = add(empty_jar("inner.jar"), f"again={WORK / 'probe.AppImage'}")
            archive.write(inner, "lib/inner.jar", zipfile.ZIP_STORED)
        offer("app", "images", "1", jar=images)


def build(rig, *words):
    projects(rig)
    return built(PROJECTS, f"-Drootlet.program={rig.rootlet}", f"-Dimage={WORK / 'probe.AppImage'}", *words,
                 fetch=["-pl", "shaded,assembled"])


@test(by="user")
def packed_by_maven(rig):
    """shade and assembly compress an image of a dependency; verify names them and says what to do"""
    status, said = build(rig, "-pl", "shaded,assembled", "package")
    equal(status, 0, said[-3000:])
    for jar in ("shaded/target/shaded.jar", "assembled/target/assembled-jar-with-dependencies.jar"):
        equal(entries(PROJECTS / jar)[IMAGE].compress_type, zipfile.ZIP_DEFLATED, jar)
        contains(verify(rig, PROJECTS / jar, 1), "a later step of packaging (shade, assembly", jar)
        done = rig.run(*java("io.rootlet.run.Drive", "rung", jar=PROJECTS / jar))
        contains(done.errors, "PayloadCompressed", jar)
    # What begins like a jar shade leaves stored: an image in a jar of its own runs from there.
    runs(rig, f"{PROJECTS}/shaded/target/shaded.jar!/lib/inner.jar", "again")


@test(by="user")
def attached_by_maven(rig):
    """rootlet-maven-plugin, last in the POM, puts an image into a shaded jar: stored, aligned, it runs"""
    status, said = build(rig, "-pl", "attached", "verify")
    equal(status, 0, said[-3000:])
    jar = PROJECTS / "attached/target/attached.jar"
    verify(rig, jar, 0)
    equal(entries(jar)[IMAGE].compress_type, zipfile.ZIP_STORED)
    check(b"it starts" in subprocess.run(["java", "-cp", jar, "app.Main"], capture_output=True).stdout, "java -cp")
    runs(rig, jar)
    size = jar.stat().st_size
    status, said = build(rig, "-pl", "attached", "package", "-Dmaven.jar.forceCreation=false")
    equal(status, 0, said[-3000:])
    check(abs(jar.stat().st_size - size) < 4096 * 2, f"{size} bytes, and {jar.stat().st_size} after a second build")


@test(by="user")
def attached_too_early(rig):
    """attached in front of shade, the goal verify fails the build and says that a later step compressed it"""
    status, said = build(rig, "-pl", "early", "verify")
    check(status != 0 and "an image of the jar cannot run" in said, said[-3000:])
    contains(said, "add the images as the last step", "Maven")


main()
