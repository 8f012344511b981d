#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an image can hold to reach the host; A numbers as in docs/security.md."""
import os
import shutil
import stat
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import SECRET, Attack, attack_tree, program, secret
from rig import Untouched, check, equal, main, test

WAYS = ("auto", "extract")


def canary(rig):
    """A directory of the host that an image must not get anything into."""
    path = rig.top / "canary"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    os.chown(path, rig.uid, rig.uid)
    return path


def tree(rig, name):
    top = rig.top / name
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(attack_tree(), top, symlinks=True)
    (top / "opt/data").unlink()
    return top


def replace(top, path, target=None, make=None):
    """Puts a symlink, or what `make` makes, where the image has something else."""
    at = top / path
    if at.is_symlink() or at.is_file():
        at.unlink()
    elif at.is_dir():
        shutil.rmtree(at)
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(target) if target is not None else make(at)


def squash(rig, top, *options):
    image = rig.top / (top.name + ".sqfs")
    subprocess.run(["mksquashfs", top, image, "-noappend", "-quiet", "-no-progress", "-noD",
                    "-noF", *options],
                   check=True, stdout=subprocess.DEVNULL)
    os.chown(image, rig.uid, rig.uid)
    return image


def run(rig, image, *options, words=("-c", "echo ran; cat /etc/passwd"), **keywords):
    return rig.run(rig.rootlet, "run", "--exec", "/bin/sh", *options, image, *words, timeout=15,
                   **keywords)


def harmless(rig, image, outside, *options, **keywords):
    """It runs, or is refused in our one line; nothing of the host is shown or made."""
    for way in WAYS:
        with Untouched():
            done = run(rig, image, "--mount", way, *options, **keywords)
        check(SECRET.strip() not in done.text + done.errors, f"the secret: {done!r}")
        check(not list(outside.iterdir()), f"made on the host: {list(outside.iterdir())}")
        check("\nran" in "\n" + done.text or done.status in (125, 126, 127), repr(done))
        check(done.status != 125 or done.errors.startswith("rootlet: "), repr(done))


def made_by_name(rig, top, path, outside):
    """The column without: the same path, made by its name as a careless launcher would."""
    subprocess.run(["mkdir", "-p", f"{top}/{path}"], capture_output=True)
    made = bool(list(outside.iterdir()))
    shutil.rmtree(outside)
    outside.mkdir()
    os.chown(outside, rig.uid, rig.uid)
    return made


def targets(outside):
    """Symlinks that lead to a directory of the host, in the ways that have worked on others."""
    name = str(outside)[1:]
    return [f"/{name}", "../" * 12 + name, f"/oldroot/{name}", f"/proc/self/cwd/../../../{name}",
            f"/proc/1/root/{name}", "/proc/self/fd/3", "loop"]


@test()
def a18_places_are_symlinks(rig):
    """A18 /dev, /proc, /tmp, /home and the like as symlinks: nothing is made on the host"""
    outside, attack = canary(rig), Attack(rig, "A18", "none")
    secret(rig)
    places = ["dev", "proc", "sys", "tmp", "var/tmp", "run", "home", "etc", "dev/shm",
              str(rig.home)[1:]]
    shown = 0
    for place in places:
        top = tree(rig, "places")
        if place == "sys":
            (top / "sys").mkdir()
        replace(top, place, "../" * 12 + str(outside)[1:])
        shown += made_by_name(rig, top, place + "/new", outside)
        harmless(rig, squash(rig, top), outside)
    attack.say("with", "SAFE", f"({len(places)} places, {len(WAYS)} ways)")
    check(shown == len(places), f"made by name: {shown} of {len(places)}")
    attack.say("without (made by name)", "RISK", f"{shown} directories on the host")


@test()
def a19_bind_destinations_are_symlinks(rig):
    """A19 the destination of a bind, a scratch place or a directory, behind a symlink: the same"""
    outside, attack = canary(rig), Attack(rig, "A19", "none")
    source = secret(rig)
    shown, top = 0, tree(rig, "destinations")
    for number, target in enumerate(targets(outside)):
        (top / f"x{number}").symlink_to(target if target != "loop" else f"x{number}")
    image = squash(rig, top)
    for number, target in enumerate(targets(outside)):
        shown += made_by_name(rig, top, f"x{number}/new", outside)
        for options in (("--bind", f"{source}:/x{number}/y/newfile"),
                        ("--bind", f"{rig.cwd}:/x{number}/newdirectory"),
                        ("--writable", f"/x{number}/scratch"), ("--home", f"{rig.cwd}"),
                        ("--cwd", f"/x{number}")):
            done = run(rig, image, *options, words=("-c", "echo ran"))
            check(not list(outside.iterdir()), f"{target} {options}: {list(outside.iterdir())}")
            check(done.status in (0, 125), f"{target} {options}: {done!r}")
    attack.say("with", "SAFE", f"({len(targets(outside))} symlinks, 5 options)")
    check(shown >= 2, f"made by name: {shown}")
    attack.say("without (made by name)", "RISK", f"{shown} directories on the host")


@test()
def a21_devices_are_symlinks(rig):
    """A21 /dev/null and its like as symlinks to a file of /proc: the devices are the real ones"""
    attack, top = Attack(rig, "A21", "none"), tree(rig, "devices")
    for name in ("null", "zero", "full", "random", "urandom", "tty", "console", "pts", "ptmx"):
        replace(top, f"dev/{name}", "/proc/sys/kernel/core_pattern")
    done = run(rig, squash(rig, top), words=(
        "-c", "for d in null zero full random urandom; do test -c /dev/$d || echo no $d; done; "
        "echo x > /dev/null; cat /proc/sys/kernel/core_pattern"))
    equal(done.text, Path("/proc/sys/kernel/core_pattern").read_text())
    attack.say("with", "SAFE", "")
    check(os.path.realpath(top / "dev/null") == "/proc/sys/kernel/core_pattern", "no symlink")
    attack.say("without (bound by name)", "RISK", "the target is the host's core_pattern")


@test()
def a21_places_that_are_links_to_devices(rig):
    """A21 /etc/hosts and its like as symlinks into /dev: each start ends alike, whoever makes /dev first"""
    attack, top = Attack(rig, "A21", "none"), tree(rig, "links-to-devices")
    for name, target in (("hosts", "/dev/null"), ("resolv.conf", "/dev/random"), ("passwd", "/dev/zero")):
        replace(top, f"etc/{name}", target)
    image, ends = squash(rig, top), set()
    for _ in range(20):
        done = run(rig, image, "--net=host", words=("-c", "test -c /dev/full && echo whole"))
        ends.add((done.status, done.text, done.errors))
    equal(len(ends), 1, repr(ends))
    status, text, errors = ends.pop()
    check((status, text) == (0, "whole\n") or (status == 125 and errors.startswith("rootlet: ")), repr((status, errors)))
    attack.say("with", "SAFE", f"20 starts, status {status}")
    attack.not_shown("no launcher that is compared with makes /dev by two processes")


@test()
def a22_proc_is_a_forgery(rig):
    """A22 an image with files in /proc: ids and limits are written to the kernel's, never to them"""
    attack, top = Attack(rig, "A22", "none"), tree(rig, "forgery")
    for name in ("self/uid_map", "self/setgroups", "self/attr/exec", "sys/kernel/core_pattern",
                 "self/fd/0", "sys/user/max_cgroup_namespaces"):
        (top / "proc" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / "proc" / name).write_text("forged\n")
    done = run(rig, squash(rig, top), words=(
        "-c", "read a b c < /proc/self/uid_map; echo $a $c; cat /proc/self/setgroups"))
    equal(done.text, f"{rig.uid} 1\ndeny\n", repr(done))
    attack.say("with", "SAFE", "")
    attack.not_shown("the host's /proc is used before the image is in sight")


def file_capability():
    """security.capability, version 2: the first eight, permitted and effective."""
    return struct.pack("<IIIII", 0x02000001, 0xff, 0, 0, 0)


@test()
def a23_set_id_files(rig):
    """A23 setuid, setgid and file capabilities of an image have no effect"""
    attack, top = Attack(rig, "A23", "gain"), tree(rig, "setid")
    owner = 1234 if rig.root else 0
    for name, mode in (("suid", 0o4755), ("sgid", 0o2755), ("capable", 0o755)):
        shutil.copy(program(), top / "opt" / name)
        os.chown(top / "opt" / name, owner, owner)
        (top / "opt" / name).chmod(mode)
    os.setxattr(top / "opt/capable", "security.capability", file_capability())
    image = squash(rig, top, "-xattrs")
    for way in WAYS:
        for name in ("suid", "sgid", "capable"):
            attack.judged(rig.run(rig.rootlet, "run", "--mount", way, "--exec", f"/opt/{name}",
                                  image, "gain"))
    for path in (rig.top.parent, rig.top, top):
        path.chmod(0o755)
    for name in ("suid", "sgid") + (() if rig.root else ("capable",)):
        attack.shown(rig.run(top / "opt" / name, "gain"), f"{name}, run on the host")


@test()
def a24_device_nodes(rig):
    """A24 device nodes of an image cannot be opened, whatever their mode"""
    attack, top = Attack(rig, "A24", "nodes"), tree(rig, "nodes")
    (top / "nodes").mkdir()
    for name, kind, major, minor in (("null", stat.S_IFCHR, 1, 3), ("mem", stat.S_IFCHR, 1, 1),
                                     ("ram", stat.S_IFBLK, 1, 0), ("fuse", stat.S_IFCHR, 10, 229)):
        os.mknod(top / "nodes" / name, kind, os.makedev(major, minor))
        (top / "nodes" / name).chmod(0o666)
    image = squash(rig, top)
    for way in WAYS:
        done = rig.run(rig.rootlet, "run", "--mount", way, "--exec", "/opt/attacks", image,
                       "nodes", "/nodes")
        check(done.status == 0, repr(done))
        # Unpacked, they are left out.
        check("RISK" not in done.text, repr(done))
    attack.say("with", "SAFE", "")
    attack.shown(rig.run(program(), "nodes", top / "nodes"), "opened on the host")


def patched(rig, name, old, new):
    """A file whose image has one entry of another name than mksquashfs would write."""
    top = tree(rig, name)
    (top / old).write_text("planted\n")
    image = squash(rig, top, "-noI")
    content = bytearray(image.read_bytes())
    at = content.rindex(old.encode())  # the tables lie behind the data
    check(len(old) == len(new), "names of one length")
    content[at:at + len(old)] = new
    return rig.copy(name + ".AppImage", rig.stub.read_bytes() + bytes(content))


@test()
def a25_names_that_cannot_be(rig):
    """A25 names with a slash, dots or NUL in the tables: a clean end, also when unpacked"""
    attack = Attack(rig, "A25", "none")
    for number, bad in enumerate((b"../../planted", b"/tmp/planted_", b"..", b".",
                                  b"a\0b_planted_x", b"planted//////")):
        old = "Q" * len(bad) if len(bad) > 2 else "QQ"[:len(bad)]
        image = patched(rig, f"names{number}", old, bad)
        for way in WAYS:
            with Untouched():
                done = rig.run(image, f"--rootlet-mount={way}", "--rootlet-exec=/bin/sh", "-c",
                               "ls -la / > /dev/null 2>&1; cat /../../planted 2>/dev/null; exit 3",
                               timeout=15)
            check(done.status in (3, 125, 126, 127) and not done.out, f"{bad}: {done!r}")
        image.unlink()
    attack.say("with", "SAFE", "")
    attack.not_shown("robustness: nothing to turn off; see attacks_test and damaged_files_test")


@test()
def a26_extraction_stays_below(rig):
    """A26 --appimage-extract writes below its directory only, whatever names, links and modes say"""
    attack = Attack(rig, "A26", "none")
    place = rig.top / "place"
    for number, bad in enumerate((b"../../planted", b"/tmp/planted_", b"..")):
        image = patched(rig, f"extract{number}", "Q" * len(bad), bad)
        shutil.rmtree(place, ignore_errors=True)
        (place / "deep").mkdir(parents=True)
        os.chown(place, rig.uid, rig.uid)
        os.chown(place / "deep", rig.uid, rig.uid)
        done = rig.run(image, "--appimage-extract", cwd=place / "deep", timeout=15)
        check(not (place / "planted").exists() and not Path("/tmp/planted_").exists(), repr(done))
        equal(sorted(os.listdir(place)), ["deep"])
        image.unlink()
    # What lies there already leads elsewhere.
    outside = canary(rig)
    shutil.rmtree(place / "deep/squashfs-root", ignore_errors=True)
    (place / "deep/squashfs-root").symlink_to(outside)
    done = rig.run(rig.image, "--appimage-extract", cwd=place / "deep")
    check(not list(outside.iterdir()), f"through a symlink: {done!r}")
    attack.say("with", "SAFE", "")
    subprocess.run(["cp", rig.image, place / "deep/squashfs-root/"], check=True)
    check(list(outside.iterdir()), "no symlink")
    attack.say("without (by name)", "RISK", "cp writes through the symlink")


@test()
def a46_appended_images(rig):
    """A46 what is appended, also a second image, is not what runs"""
    attack, top = Attack(rig, "A46", "none"), tree(rig, "second")
    (top / "second").write_text("second\n")
    second = squash(rig, top).read_bytes()
    first = rig.image.read_bytes()
    image = rig.copy("appended.AppImage", first + second)
    done = rig.run(image, "--rootlet-exec=/bin/cat", "/second", "/opt/foo/share/data.txt")
    equal(done.text, "data of the image\n", repr(done))
    image = rig.copy("prefixed.AppImage", rig.stub.read_bytes() + second +
                     first[rig.stub.stat().st_size:])
    done = rig.run(image, "--rootlet-exec=/bin/cat", "/second")
    equal(done.text, "second\n", repr(done))
    attack.say("with", "SAFE", "the one at the end of the program runs")
    attack.not_shown("no signature is checked yet")


def fifo(path):
    os.mkfifo(path, 0o666)


def node(path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def directory(path):
    path.mkdir()
    (path / "inside").write_text("x\n")


def text(path):
    path.write_text("no such thing\n")


@test()
def a55_wrong_types(rig):
    """A55 /.rootlet, AppRun, /dev, /proc, /etc/passwd and the like of a wrong type: run or 125, no more"""
    outside, attack = canary(rig), Attack(rig, "A55", "none")
    source = secret(rig)
    paths = [".rootlet", ".rootlet/policy.bin", "AppRun", "dev", "proc", "tmp", "etc/passwd",
             "etc/group", "etc/hosts", "etc/ld.so.preload", "etc/localtime", "run", "dev/null"]
    kinds = [("../" * 12 + str(source)[1:], None), (str(outside), None), (None, fifo), (None, node),
             (None, directory), (None, text)]
    count = 0
    for path in paths:
        for target, make in kinds:
            top = tree(rig, "types")
            replace(top, path, target, make)
            image = squash(rig, top)
            done = run(rig, image, "--mount", WAYS[count % 2])
            check(SECRET.strip() not in done.text + done.errors, f"{path}: {done!r}")
            check(not list(outside.iterdir()), f"{path}: made on the host")
            check("ran" in done.text or done.status == 125, f"{path} {target or make}: {done!r}")
            count += 1
    attack.say("with", "SAFE", f"({count} images)")
    top = tree(rig, "types")
    replace(top, "etc/passwd", "../" * 12 + str(source)[1:])
    equal((top / "etc/passwd").read_text(), SECRET)
    attack.say("without (read by name)", "RISK", "the secret is read through /etc/passwd")


if __name__ == "__main__":
    main()
