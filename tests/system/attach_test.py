#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""attach=IMAGE[@OFFSET][//SUBDIR]:DST: other images, read-only, inside a run."""
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time
import zipfile
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Skip, Untouched, check, contains, equal, main, processes, test

FAR = 100 << 30


def squashfs(rig, name, files, *options):
    """An image of {path: text}; a value that begins with "->" is a symlink."""
    if not shutil.which("mksquashfs"):
        raise Skip("no mksquashfs here: scripts/setup installs it")
    tree, image = rig.top / f"{name}.tree", rig.top / f"{name}.sqfs"
    shutil.rmtree(tree, ignore_errors=True)
    image.unlink(missing_ok=True)
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            (tree / path).symlink_to(text[2:])
        else:
            (tree / path).write_text(text)
    subprocess.run(["mksquashfs", tree, image, "-comp", "zstd", "-quiet", "-no-progress",
                    "-all-root", *options], check=True, stdout=subprocess.DEVNULL)
    return image


def data(rig):
    return squashfs(rig, "data", {"one": "first\n", "sub/two": "second\n", "sub/deep/three": "3\n",
                                  "link": "->/sub", "up": "->../../../etc"})


def attached(rig, script, *values, options=(), **keywords):
    with Untouched():
        return rig.shell(script, options=[*(f"attach={value}" for value in values), *options],
                         **keywords)


@test()
def content(rig):
    """an attached image is seen at its place, read-only, every byte of it"""
    image = data(rig)
    big = squashfs(rig, "big", {"big": "".join(f"{i}\n" for i in range(200000))})
    done = attached(rig, "cat /data/one /data/sub/two; sha256sum < /big/big; touch /data/new",
                    f"{image}:/data", f"{big}:/big")
    wanted = subprocess.run(["sha256sum"], input=(rig.top / "big.tree/big").read_bytes(),
                            capture_output=True).stdout.decode()
    equal(done.text, "first\nsecond\n" + wanted, repr(done))
    contains(done.errors, "Read-only file system")


@test()
def missing_target(rig):
    """a target that the image lacks is made, and what lies beside it stays"""
    image = data(rig)
    done = attached(rig, "cat /a/b/c/one /opt/foo/data/one /opt/foo/share/data.txt; ls /opt/foo",
                    f"{image}:/a/b/c", f"{image}:/opt/foo/data")
    equal(done.text, "first\nfirst\ndata of the image\nbin\ndata\nshare\n", repr(done))


@test()
def nested(rig):
    """targets inside of one another, in any order, whether the outer image has them or not"""
    outer = data(rig)
    inner = squashfs(rig, "inner", {"four": "fourth\n"})
    script = "cat /data/one /data/x/y/four /data/sub/two /data/sub/deep/four; ls /data/sub"
    values = [f"{outer}:/data", f"{inner}:/data/x/y", f"{inner}:/data/sub/deep"]
    for order in (values, values[::-1], values[1:] + values[:1]):
        done = attached(rig, script, *order)
        equal(done.text, "first\nfourth\nsecond\nfourth\ndeep\ntwo\n", repr(done))
        equal(done.errors, "", str(order))


@test()
def with_binds(rig):
    """binds inside of attached images, attached images inside of binds"""
    image = data(rig)
    host = rig.home / "bound"
    (host / "db").mkdir(parents=True, exist_ok=True)
    (host / "mine").write_text("mine\n")
    script = "cat /data/new/mine /data/one /data/sub/mine; cat /host/db/one /host/mine"
    done = attached(rig, script, f"{image}:/host/db", f"{image}:/data",
                    options=[f"bind={host}:/data/sub", f"bind={host}:/host",
                             f"bind={host}:/data/new"])
    equal(done.text, "mine\nfirst\nmine\nfirst\nmine\n", repr(done))
    done = attached(rig, "true", f"{image}:/host/none", options=[f"bind={host}:/host"])
    done.failed_by_us("/host/none", "make it on the host")
    check(not (host / "none").exists(), "a directory was made on the host")


@test()
def part_of_an_image(rig):
    """//SUBDIR shows that directory alone; its symlinks lead nowhere but into the image"""
    image = data(rig)
    equal(attached(rig, "ls /d", f"{image}//sub:/d").text, "deep\ntwo\n")
    equal(attached(rig, "ls /d", f"{image}//link/deep:/d").text, "three\n")
    odd = rig.top / "odd//.."
    equal(attached(rig, "ls /d", f"{rig.top}//{image.name}//sub/deep:/d").text, "three\n", str(odd))
    attached(rig, "true", f"{image}//up:/d").failed_by_us("data.sqfs//up", "ENOENT")
    attached(rig, "true", f"{image}//none:/d").failed_by_us("data.sqfs//none")
    attached(rig, "true", f"{image}//one:/d").failed_by_us("data.sqfs//one", "ENOTDIR")


@test()
def at_an_offset(rig):
    """IMAGE@OFFSET, and the payload of another AppImage"""
    image = data(rig)
    for offset in (1, 4097):
        shifted = rig.top / f"shifted:{offset}"
        shifted.write_bytes(b"x" * offset + image.read_bytes())
        name = str(shifted).replace(":", "\\:")
        equal(attached(rig, "cat /d/one", f"{name}@{offset}:/d").text, "first\n")
    equal(attached(rig, "cat /d/sub/two", f"{rig.top}/shifted\\:1@1//sub:/d/sub").text, "second\n")
    equal(attached(rig, "cat /other/opt/foo/share/data.txt", f"{rig.image}:/other").text,
          "data of the image\n")


@test()
def in_a_jar(rig):
    """JAR!/ENTRY, stored, is attached where it lies; a compressed one is refused"""
    image = data(rig)
    for name, how in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(rig.top / f"{name}.jar", "w", how) as jar:
            jar.write(image, "data/db.sqfs")
    entry = f"{rig.top}/stored.jar!/data/db.sqfs"
    equal(attached(rig, "cat /d/one; ls /s", f"{entry}:/d", f"{entry}//sub:/s").text,
          "first\ndeep\ntwo\n")
    attached(rig, "true", f"{rig.top}/packed.jar!/data/db.sqfs:/d").failed_by_us("packed.jar")


@test()
def in_other_roots(rig):
    """a directory and a bare squashfs as the root get attached images too"""
    image = data(rig)
    bare = rig.top / "bare.sqfs"
    subprocess.run(["mksquashfs", WORK / "tree", bare, "-quiet", "-no-progress", "-noappend"],
                   check=True, stdout=subprocess.DEVNULL)
    for root in (WORK / "tree", bare):
        with Untouched():
            done = rig.run(rig.rootlet, "run", f"--attach={image}:/opt/new", "--exec=/bin/sh",
                           f"--attach={image}//sub:/opt/new/sub/deep/x", root, "-c",
                           "cat /opt/new/one /opt/new/sub/deep/x/two /opt/foo/share/data.txt")
        equal(done.text, "first\nsecond\ndata of the image\n", f"{root}: {done}")


@test()
def refused(rig):
    """what is no image, or only half of one, is named: one line, 125, nothing started"""
    image = data(rig)
    whole = image.read_bytes()
    (used,) = struct.unpack_from("<Q", whole, 40)
    bad = {"empty": b"", "text": b"no image at all\n" * 999, "cut": whole[:used // 2]}
    for name, content in bad.items():
        path = rig.top / f"bad-{name}"
        path.write_bytes(content)
        attached(rig, "echo started", f"{path}:/d").failed_by_us("attach", f"bad-{name}")
    attached(rig, "true", f"{rig.top}/nowhere.sqfs:/d").failed_by_us("nowhere.sqfs", "ENOENT")
    attached(rig, "true", f"{rig.home}:/d").failed_by_us("it is a directory", "bind")
    for value in (f"{image}", f"{image}:d", f"{image}:", ":/d", f"{image}:/d:ro"):
        attached(rig, "true", value).failed_by_us("attach", "valid: ")
    attached(rig, "true", f"{image}:/").failed_by_us("take the place of /")
    attached(rig, "true", f"{image}:/opt/foo/share/data.txt").failed_by_us("has a file there")
    done = attached(rig, "true", f"{image}:/d", options=["no-isolation"])
    done.failed_by_us("without isolation")


@test()
def damaged(rig):
    """an attached image whose tables cannot be read ends the run: 125, and it is named"""
    whole = data(rig).read_bytes()
    path = rig.top / "damaged.sqfs"
    path.write_bytes(whole[:96] + b"\xff" * (len(whole) - 96))
    done = attached(rig, "ls /d", f"{path}:/d")
    equal(done.status, 125, repr(done))
    contains(done.errors, f"{path}: the image is damaged")


def far_image(rig):
    """An image whose tables lie behind a hole of 100 GB."""
    near = squashfs(rig, "near", {"one": "first\n"}, "-no-fragments", "-no-exports", "-no-xattrs")
    block = bytearray(near.read_bytes())
    (inodes,) = struct.unpack_from("<Q", block, 64)
    (ids,) = struct.unpack_from("<Q", block, 48)
    for field in (40, 48, 64, 72):  # end, ids, inodes, directories
        struct.pack_into("<Q", block, field, struct.unpack_from("<Q", block, field)[0] + FAR)
    struct.pack_into("<Q", block, ids, struct.unpack_from("<Q", block, ids)[0] + FAR)
    far = rig.top / "far.sqfs"
    with open(far, "wb") as file:
        file.write(block[:inodes])
        file.seek(inodes + FAR)
        file.write(block[inodes:])
    return near, far


@test(by="user")
def huge(rig):
    """an image of 100 GB is attached as fast as a small one"""
    near, far = far_image(rig)
    check(far.stat().st_size > FAR, "not huge")
    took = {near: [], far: []}
    for _ in range(12):
        for image, times in took.items():
            started = time.monotonic()
            done = rig.shell("cat /d/one", options=[f"attach={image}:/d"])
            times.append(time.monotonic() - started)
            equal(done.text, "first\n", repr(done))
    ratio = min(took[far]) / min(took[near])
    check(ratio < 1.5, f"{ratio:.2f} times as long, medians "
                       f"{[statistics.median(times) for times in took.values()]}")


def readers_of(image, launcher):
    """Who else than the launcher holds the image open: the one that serves it."""
    found = []
    for pid in processes():
        try:
            open_files = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if pid != launcher and str(image) in open_files:
            found.append(pid)
    return found


@test()
def its_server_dies(rig):
    """the death of an attached image's server ends the run: 125, and the image is named"""
    image = data(rig)
    runtime = rig.top / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.chown(runtime, rig.uid, rig.uid)
    for mount in ("share", "private"):
        # A shared one of the root stays a while.
        with Untouched(5) if mount == "private" else nullcontext():
            run = rig.start(rig.image, f"--rootlet-attach={image}:/data",
                            f"--rootlet-mount={mount}",
                            "--rootlet-exec=/bin/sh", "-c", "echo up; sleep 60; cat /data/one")
            equal(run.stdout.readline(), b"up\n")
            readers = readers_of(image, run.pid)
            equal(len(readers), 1, f"{mount}: servers of {image}")
            os.kill(readers[0], signal.SIGKILL)
            out, errors = run.communicate(timeout=10)
            equal(run.returncode, 125, errors.decode())
            contains(errors.decode(), f"{image}: its server was killed")


@test()
def it_changes(rig):
    """an attached image that is changed while it is used ends the run: 125, and it is named"""
    image = squashfs(rig, "changing", {f"f{i}": os.urandom(40000).hex() for i in range(8)})
    image.chmod(0o666)
    with Untouched():
        run = rig.start(rig.image, f"--rootlet-attach={image}:/data", "--rootlet-exec=/bin/sh",
                        "-c", "echo up; read go; cat /data/*; exit 3", stdin=subprocess.PIPE)
        equal(run.stdout.readline(), b"up\n")
        os.utime(image, (1, 1))
        out, errors = run.communicate(b"go\n", timeout=10)
    equal(run.returncode, 125, errors.decode())
    contains(errors.decode(), f"{image}: the image file was changed while it ran")


@test()
def launcher_killed(rig):
    """a killed run leaves nothing of its attached images"""
    image = data(rig)
    with Untouched():
        run = rig.start(rig.image, f"--rootlet-attach={image}:/data", "--rootlet-mount=private",
                        "--rootlet-exec=/bin/sh", "-c", "echo up; sleep 60")
        equal(run.stdout.readline(), b"up\n")
        run.kill()
        run.communicate()


@test()
def unpacked(rig):
    """without /dev/fuse, or with mount=extract, attached images are unpacked: the same is seen"""
    outer, inner = data(rig), squashfs(rig, "inner", {"four": "fourth\n"})
    script = "cat /data/one /data/x/four; ls /s; touch /data/new"
    values = [f"{inner}:/data/x", f"{outer}:/data", f"{outer}//sub:/s"]
    for keywords in ({"options": ["mount=extract"]},
                     {"host": "rm /dev/fuse 2>/dev/null || mount --bind /dev/null /dev/fuse"}):
        done = attached(rig, script, *values, **keywords)
        equal(done.text, "first\nfourth\ndeep\ntwo\n", repr(done))
        contains(done.errors, "Read-only file system")


@test()
def told_and_guarded(rig):
    """dry-run lists it; in a writable directory its file is read-only inside"""
    image = shutil.copy(data(rig), rig.cwd / "mine.sqfs")
    os.chown(image, rig.uid, rig.uid)
    before = Path(image).read_bytes()
    done = attached(rig, "true", "mine.sqfs//sub:/d", options=["dry-run"])
    contains(done.text, "image mine.sqfs//sub -> /d (ro)")
    done = rig.shell("echo x >> mine.sqfs; rm mine.sqfs; mv mine.sqfs y; echo z > other; cat /d/two",
                     options=["attach=mine.sqfs//sub:/d"])
    equal(done.text, "second\n", repr(done))
    equal(Path(image).read_bytes(), before)
    check((rig.cwd / "other").exists(), repr(done))


@test()
def policy(rig):
    """an image may ask for another to be attached; only the user grants it"""
    image = data(rig)
    file = rig.top / "attach.toml"
    file.write_text('[tool]\nname = "probe"\nentrypoint = ["/bin/cat"]\n'
                    f'[isolation]\nattach = ["{image}:/data"]\n')
    asking = rig.build("/tmp/rootlet tests/tree", "attach.AppImage", "--policy", file)
    done = rig.run(asking, "/data/one")
    done.failed_by_us("asks for more", "--rootlet-attach=")
    equal(rig.run(asking, f"--rootlet-attach={image}:/data", "/data/one").text, "first\n")


if __name__ == "__main__":
    main()
