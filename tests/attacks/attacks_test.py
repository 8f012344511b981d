#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Attacks that once worked, from inside the tool and from inside the image."""
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import SECRET, secret
from rig import check, equal, main, test, times


def tree(rig, name, **files):
    """A small root with a shell."""
    top = rig.top / name
    shutil.rmtree(top, ignore_errors=True)
    for directory in ("bin", "proc", "dev", "sys", "tmp", "var/tmp", "run", "home", "etc", "d"):
        (top / directory).mkdir(parents=True)
    shutil.copy("/bin/busybox", top / "bin/busybox")
    for applet in ("sh", "cat", "ls", "mv", "mkdir", "rm"):
        (top / "bin" / applet).symlink_to("busybox")
    for file in ("passwd", "group"):
        (top / "etc" / file).touch()
    return top


def squash(rig, top, *options):
    image = rig.top / (top.name + ".sqfs")
    subprocess.run(["mksquashfs", top, image, "-noappend", "-quiet", "-no-progress", *options],
                   check=True, stdout=subprocess.DEVNULL)
    os.chown(image, rig.uid, rig.uid)
    return image


def run_squashed(rig, image, script, *options):
    return rig.run(rig.rootlet, "run", "--exec", "/bin/sh", *options, image, "-c", script)


@test()
def working_directory(rig):
    """no working directory, asked for or linked, leaves the tool on the host"""
    secret(rig)
    look = "cat ../secret ../../secret secret; ls ../../.. | grep -x home/project; echo x > ../planted"
    top = tree(rig, "workdir")
    (top / "work").symlink_to("/proc/self/cwd")
    (top / "own").symlink_to("/proc/2/cwd")
    image = squash(rig, top)
    for cwd in ("/proc/self/cwd", "/proc/self/cwd/..", "/work", "/own", "/proc/1/cwd"):
        done = run_squashed(rig, image, look, "--profile", "isolated", "--cwd", cwd)
        check(SECRET not in done.text, f"{cwd}: {done!r}")
        check(not (rig.home / "planted").exists(), f"{cwd}: a file on the host")


@test()
def directory_root_with_links(rig):
    """links of a directory root do not show files of the host"""
    top = tree(rig, "linked")
    outside = rig.top / "private"
    outside.mkdir(exist_ok=True)
    (outside / "passwd").write_text("stolen:x:1:1::/:\n")
    shutil.rmtree(top / "etc")
    (top / "etc").symlink_to("../private")
    done = rig.run(rig.rootlet, "run", "--profile", "isolated", "--exec", "/bin/sh", top, "-c",
                   "cat /etc/passwd")
    check("stolen" not in done.text, repr(done))


@test()
def start_up_files(rig):
    """what the next login or run executes cannot be changed, replaced or moved aside"""
    (rig.home / ".config/systemd/user").mkdir(parents=True, exist_ok=True)
    (rig.home / ".ssh").mkdir(exist_ok=True)
    (rig.home / ".profile").write_text("p\n")
    for path in (rig.home / ".config", rig.home / ".config/systemd", rig.home / ".ssh",
                 rig.home / ".config/systemd/user", rig.home / ".profile"):
        os.chown(path, rig.uid, rig.uid)
    tries = {
        rig.home: "echo x >> .profile; rm -f .profile; mv .config c2; mkdir -p .config/systemd; "
                  "echo x > .ssh/authorized_keys; echo x > .config/systemd/user/x.service",
        rig.home / ".config": "echo x > systemd/user/x.service; mv systemd s2",
        rig.home / ".ssh": "echo x > authorized_keys",
    }
    for cwd, script in tries.items():
        rig.shell(script, cwd=cwd)
    equal((rig.home / ".profile").read_text(), "p\n")
    check((rig.home / ".config/systemd/user").is_dir(), "a directory was moved aside")
    check(not (rig.home / ".config/systemd/user/x.service").exists(), "a unit was planted")
    check(not (rig.home / ".ssh/authorized_keys").exists(), "a key was planted")


@test()
def own_file(rig):
    """the running image's own file cannot be written, by its name, a bind of it, or its parent's move"""
    inner = rig.cwd / "sub"
    inner.mkdir(exist_ok=True)
    os.chown(inner, rig.uid, rig.uid)
    image = inner / "tool.AppImage"
    image.write_bytes(rig.image.read_bytes())
    image.chmod(0o755)
    os.chown(image, rig.uid, rig.uid)
    before = image.read_bytes()
    rig.run(image, "--rootlet-exec=/bin/sh", "-c",
            "echo x >> sub/tool.AppImage; mv sub s2; mkdir sub; echo x > sub/tool.AppImage")
    rig.run(image, f"--rootlet-bind={image}:/foo", "--rootlet-exec=/bin/sh", "-c", "echo x >> /foo")
    check(image.exists() and image.read_bytes() == before, "the image was changed")


@test()
def control_group(rig):
    """no cgroup namespace can be made inside, by which a tool could mount and kill its caller's group"""
    equal(rig.shell("cat /proc/sys/user/max_cgroup_namespaces").text, "0\n")


@test()
def long_name(rig):
    """a directory entry that claims 64 KiB of name is refused, not copied"""
    top = tree(rig, "longname")
    for number in range(120):
        (top / f"f{'B' * 100}{number}").touch()
    (top / ".aaa_first").mkdir()
    image = squash(rig, top, "-noI")
    content = bytearray(image.read_bytes())
    at = content.rindex(b".aaa_first") - 2  # the entry's size field, squashfs_dir_entry
    for size in (0x100, 0x1c0, 0x400, 0xffff):
        struct.pack_into("<H", content, at, size)
        image.write_bytes(content)
        done = run_squashed(rig, image, "ls -l / > /dev/null; ls /nosuch; exit 3")
        check(done.status in (3, 125), f"{size:#x}: {done!r}")


@test(scaled=400)
def flipped_metadata(rig):
    """random damage in uncompressed tables ends with the tool's status or 125, never a crash of ours"""
    top = tree(rig, "metadata")
    for number in range(40):
        (top / "d" / f"file_{number}").write_bytes(bytes(number * 100))
    image = squash(rig, top, "-noI", "-noF")
    sound = image.read_bytes()
    start, = struct.unpack_from("<Q", sound, 64)  # the inode table
    chance = random.Random(7)
    script = "ls -lR /d > /dev/null 2>&1; cat /d/* > /dev/null 2>&1; exit 3"
    for _ in range(times(400, 40)):
        content = bytearray(sound)
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(start, len(content) - 4)
            width = chance.choice((1, 2, 4))
            value = chance.choice((0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff,
                                   chance.getrandbits(32)))
            content[at:at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        image.write_bytes(content)
        # The shell may be damaged, and die of it; the server may not.
        done = run_squashed(rig, image, script)
        check(b"its server was killed" not in done.err, repr(done))


if __name__ == "__main__":
    main()
