#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unpacked images that stay for later runs, and `rootlet cache`."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Untouched, check, contains, equal, main, processes, test

MIB = 1 << 20
KEPT = ["--rootlet-mount=extract", "--rootlet-cache=1g", "--rootlet-exec=/bin/sh", "-c"]


def image(rig, name="large.AppImage"):
    """An image that is worth keeping: more than 32 MiB of files."""
    path = rig.top / name
    if not path.exists():
        tree = rig.top / "large tree"
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
        (tree / "noise").write_bytes(hashlib.shake_128(name.encode()).digest(MIB) * 40)
        os.link(tree / "noise", tree / "same")
        rig.build(tree, name, "--entry", "/opt/foo/bin/probe", "--comp-level", "1")
        shutil.rmtree(tree)
    return path


def fresh(rig):
    """An empty cache, and a runtime directory for its key."""
    for name in ("runtime", "cache"):
        shutil.rmtree(rig.top / name, ignore_errors=True)
        (rig.top / name).mkdir(mode=0o700)
        os.chown(rig.top / name, rig.uid, rig.uid)
    rig.env["XDG_CACHE_HOME"] = str(rig.top / "cache")
    return rig.top / "cache" / f"rootlet-{rig.uid}"


def entries(rig):
    return sorted((rig.top / "cache").glob("rootlet-*/image-*"))


def listed(rig, verb="list"):
    done = rig.run(rig.rootlet, "cache", verb, "--json")
    equal(done.status, 0, repr(done))
    return json.loads(done.text)


def run(rig, script="cat /opt/foo/share/data.txt", *options, file=None, **keywords):
    return rig.run(file or image(rig), *options, *KEPT, script, **keywords)


@test()
def kept(rig):
    """an unpacked image is kept for the next run, which unpacks nothing, and neither can change it"""
    base = fresh(rig)
    first = run(rig, "cat /opt/foo/share/data.txt; echo x > /opt/foo/share/data.txt")
    equal(first.text, "data of the image\n", repr(first))
    contains(first.errors, "Read-only file system")
    made = {path: path.stat().st_ctime_ns for path in base.rglob("*") if not path.is_symlink()}
    second = run(rig)
    equal((second.status, second.text), (0, "data of the image\n"), repr(second))
    after = {path: path.stat().st_ctime_ns for path in base.rglob("*") if not path.is_symlink()}
    del made[entries(rig)[0]], after[entries(rig)[0]]  # it is marked as used
    equal(after, made, "files that the second run changed or made")
    equal(oct(base.stat().st_mode & 0o777), "0o700", "mode")
    equal(processes(), {}, "processes")


@test()
def changed(rig):
    """a kept image is verified: whatever was changed, added, removed or forged, it is unpacked anew"""
    fresh(rig)
    run(rig)
    (entry,) = entries(rig)
    data = entry / "root/opt/foo/share/data.txt"

    def rewrite():  # of the same size, with the old time of modification
        times = data.stat()
        data.write_text("EVIL of the image\n")
        os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns))

    def forge():  # with its stamp made to measure, but by another's key
        rewrite()
        (entry / "stamp").write_text("0" * 16 + (entry / "stamp").read_text()[16:])

    def replace():
        other = data.parent / "other"
        other.write_text("EVIL of the image\n")
        other.rename(data)

    for spoil in (rewrite, forge, replace, data.unlink, lambda: (entry / "root/new").write_text("x"),
                  lambda: data.chmod(0o755), lambda: (data.unlink(), data.symlink_to("/etc/passwd")),
                  lambda: (entry / "stamp").unlink(), lambda: (entry / "stamp").write_text(""),
                  lambda: shutil.rmtree(entry / "root")):
        spoil()
        done = run(rig)
        equal((done.status, done.text), (0, "data of the image\n"), repr(done))
        equal(run(rig).errors, "", "and is right again")


@test()
def another_file(rig):
    """another image, and the same file with another content, have entries of their own"""
    fresh(rig)
    other = image(rig, "second.AppImage")
    run(rig)
    run(rig, file=other)
    equal(len(entries(rig)), 2, "entries")
    content = other.read_bytes()
    other.write_bytes(image(rig).read_bytes())
    equal(run(rig, "sha256sum < /noise", file=other).text, run(rig, "sha256sum < /noise").text)
    equal(len(entries(rig)), 3, "entries")
    other.write_bytes(content)


@test()
def many_at_once(rig):
    """runs that start together unpack the image once and all end well"""
    fresh(rig)
    runs = [rig.start(image(rig), *KEPT, "cat /opt/foo/share/data.txt; stat -c %i /noise")
            for _ in range(8)]
    texts = {process.communicate(timeout=60)[0] for process in runs}
    equal(len(texts), 1, f"they see different files: {texts}")
    equal(len(entries(rig)), 1, "entries")


@test()
def killed(rig):
    """killed while it unpacks: what is half made is never used, and goes with the next run"""
    fresh(rig)
    half = 0
    for number in range(8):
        process = rig.start(image(rig), *KEPT, "true")
        time.sleep(0.004 * number)
        process.kill()
        process.communicate()
        half += any(not (path / "stamp").exists() for path in entries(rig))
        done = run(rig)
        equal((done.status, done.text), (0, "data of the image\n"), repr(done))
        shutil.rmtree(rig.top / "cache" / f"rootlet-{rig.uid}")
    check(half > 0, "no kill hit")


@test()
def bounded(rig):
    """cache=SIZE bounds what is kept: the longest unused goes, one in use stays, too large a one is not kept"""
    fresh(rig)
    names = ["large.AppImage", "second.AppImage", "third.AppImage"]
    images = [image(rig, name) for name in names]
    option = "--rootlet-cache=100m"
    using = rig.start(images[0], *KEPT[:1], option, *KEPT[2:], "echo up; read x",
                      stdin=subprocess.PIPE)
    equal(using.stdout.readline(), b"up\n")
    for file in images[1:]:
        time.sleep(0.01)
        rig.run(file, *KEPT[:1], option, *KEPT[2:], "true")
    equal(sorted(Path(entry["image"]).name for entry in listed(rig)["kept"][0]["entries"]),
          ["large.AppImage", "third.AppImage"], "kept")
    using.communicate(b"\n")
    with Untouched():
        done = rig.run(images[1], *KEPT[:1], "--rootlet-cache=10m", *KEPT[2:], "echo ran")
    equal(done.text, "ran\n", repr(done))
    check("second" not in json.dumps(listed(rig)), "it is kept all the same")


@test()
def listed_and_cleaned(rig):
    """rootlet cache lists what is kept and what it takes; clean removes what no run uses"""
    base = fresh(rig)
    run(rig)
    using = rig.start(image(rig, "second.AppImage"), *KEPT, "echo up; read x", stdin=subprocess.PIPE)
    equal(using.stdout.readline(), b"up\n")
    found = listed(rig)
    equal(found["kept"][0]["directory"], str(base))
    states = {Path(entry["image"]).name: entry["state"] for entry in found["kept"][0]["entries"]}
    equal(states, {"large.AppImage": "kept", "second.AppImage": "in use"})
    check(found["bytes"] > 80 * MIB, found)
    contains(rig.run(rig.rootlet, "cache").text, str(image(rig)))
    gone = listed(rig, "clean")
    equal([Path(entry["image"]).name for entry in gone["removed"][0]["entries"]], ["large.AppImage"])
    using.communicate(b"\n")
    equal(rig.run(rig.rootlet, "cache", "clean").status, 0)
    check(not base.exists(), "something is left")
    rig.run(rig.rootlet, "cache", "wash").failed_by_us("wash", "rootlet cache [list|clean]")


@test()
def not_kept(rig):
    """nothing is kept where a run leaves nothing: by default in a test like this, with cache=0 and
    keep=0, in isolated, without a runtime directory, and with --appimage-extract-and-run"""
    fresh(rig)
    script = ["--rootlet-exec=/bin/sh"]
    for options, after in ((["--rootlet-mount=extract"], []), (["--rootlet-keep=0"], []),
                           (["--rootlet-keep=9", "--rootlet-cache=0"], []),
                           (["--rootlet-profile=isolated"], []),
                           (["--rootlet-keep=9"], ["--appimage-extract-and-run"])):
        mount = [] if after else ["--rootlet-mount=extract"]
        done = rig.run(image(rig), *mount, *options, *script, *after, "-c", "true")
        equal(done.status, 0, repr(done))
        equal(entries(rig), [], f"{options} {after}")
    done = run(rig, env={"XDG_RUNTIME_DIR": str(rig.top / "none")})
    contains(done.errors, "not kept")
    equal(entries(rig), [], "without a runtime directory")


@test()
def no_cleanup(rig):
    """NO_CLEANUP keeps what --appimage-extract-and-run unpacks, for the next run"""
    fresh(rig)
    for _ in range(2):
        done = rig.run(image(rig), "--rootlet-keep=9", "--rootlet-exec=/bin/sh",
                       "--appimage-extract-and-run", "-c", "cat /opt/foo/share/data.txt",
                       env={"NO_CLEANUP": "1"})
        equal(done.text, "data of the image\n", repr(done))
        equal(len(entries(rig)), 1, "entries")


@test()
def no_place(rig):
    """where it can be unpacked nowhere: 125, each place with its reason, and what to change"""
    fresh(rig)
    full = rig.top / "cache"
    host = (f"mount -t tmpfs -o size=4m,mode=1777 none '{full}';"
            f"mkdir -p '{rig.home}/.cache'; mount -t tmpfs -o noexec,mode=1777 none '{rig.home}/.cache';"
            "mount --rbind '/tmp/rootlet tests' /mnt; mount -t tmpfs -o size=4m,mode=1777 none /tmp;"
            "mkdir '/tmp/rootlet tests'; mount --rbind /mnt '/tmp/rootlet tests'")
    done = rig.run(image(rig), "--rootlet-no-isolation", "exit", "3", host=host)
    done.failed_by_us(f"{full}: No space left on device (ENOSPC)", "noexec", "/tmp: No space left",
                      "hint: point XDG_CACHE_HOME or TMPDIR", "/dev/fuse")


@test("user")
def hidden_key(rig):
    """a tool that may write to the whole home can neither read the key of stamps nor plant an image"""
    base = fresh(rig)
    run(rig)
    (entry,) = entries(rig)
    script = (f"cat '{rig.top}/runtime/rootlet/.key'; cd '{entry}/root/opt/foo/share' && "
              "echo 'EVIL of the image' > data.txt && echo planted")
    done = rig.run(rig.image, "--rootlet-profile=compat", f"--rootlet-bind={rig.top}",
                   "--rootlet-exec=/bin/sh", "-c", script)
    contains(done.errors, ".key': No such file")
    equal(done.text, "planted\n", repr(done))
    equal(run(rig).text, "data of the image\n", "the next run")


if __name__ == "__main__":
    main()
