#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool finds the paths that it was built with, and nothing of the host."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, mount, test

OF_THE_IMAGE = {"bin", "etc", "opt", "usr", "var"}
OF_THE_RUN = {"dev", "home", "proc", "root", "run", "sys", "tmp"}


@test()
def hard_coded_paths(rig):
    """the tool reads its data under the absolute path it was built with"""
    equal(rig.shell("cat /opt/foo/share/data.txt").text, "data of the image\n")
    equal(rig.probe(options=["exec=/usr/lib/mafft/lib/tool"]).text, "data of the image\n")
    check(rig.probe("read", "/opt/foo/share/big").text.startswith("4194304 "), "4 MiB")


@test(by="root")
def not_the_hosts_files(rig):
    """a file of the host at the same path is not what the tool sees"""
    done = rig.run(rig.image, "--rootlet-exec=/bin/cat", "/opt/foo/share/data.txt",
                   host="mkdir -p /tmp/poison/foo/share; echo poison > /tmp/poison/foo/share/data.txt;"
                        "mount --bind /tmp/poison /opt; rm -rf /tmp/x")
    equal(done.text, "data of the image\n")


def top_of(path):
    return "/" + Path(path).parts[1]


@test()
def contained_shows_only_the_current_directory(rig):
    """by default nothing of the host is visible but the current directory, writable"""
    (rig.cwd / "seen").write_text("seen\n")
    (rig.home / "secret").write_text("secret\n")
    done = rig.shell("cat seen; echo new > made; ls -A /; ls -A /run /tmp /var/tmp; pwd")
    equal(done.status, 0, repr(done))
    lines = done.text.splitlines()
    equal(lines[0], "seen")
    equal(lines[-1], str(rig.cwd))
    equal((rig.cwd / "made").read_text(), "new\n")
    equal((rig.cwd / "made").stat().st_uid, rig.uid, "owner")
    shown = set(lines[1:lines.index("/run:")])
    of_host = (set(os.listdir("/")) & shown) - OF_THE_IMAGE - OF_THE_RUN
    check(not of_host - {"mnt"}, f"directories of the host: {of_host}")  # build makes /mnt
    check(not set(os.listdir("/usr")) & set(rig.shell("ls /usr").text.split()) - {"lib", "share"}, "/usr")
    equal(rig.shell(f"cat {str(rig.home).replace(' ', chr(92) + ' ')}/secret").status, 1)


@test()
def the_rest_of_the_mounts(rig):
    """every mount that the tool sees is the image, $PWD, or a private one"""
    done = rig.shell("cat /proc/self/mountinfo")
    for line in done.text.splitlines():
        left, right = line.split(" - ")
        target, kind = left.split()[4], right.split()[0]
        private = kind in ("proc", "sysfs", "overlay") or kind.startswith("fuse")
        shown = target.replace("\\040", " ") == str(rig.cwd)
        small = target.startswith("/dev/") or target == "/etc/localtime"
        check(private or shown or small or right.split()[1] in ("rootlet", "tmpfs", "none")
              or target in ("/sys/devices/system/cpu", "/sys/devices/system/node"),
              f"a mount of the host: {line}")


@test()
def isolated_shows_nothing(rig):
    """isolated: not even the current directory, and /tmp, home and /sys are empty"""
    (rig.cwd / "seen").write_text("seen\n")
    done = rig.shell("pwd; ls -A /tmp /run /sys \"$HOME\" 2>/dev/null; test -e "
                     f"'{rig.cwd}/seen' && echo visible", options=["profile=isolated"])
    contains(done.text, "/\n")
    check("visible" not in done.text and "seen" not in done.text, repr(done))
    equal(rig.shell("find / -name seen 2>/dev/null", options=["profile=isolated"]).text, "")


@test()
def compat_shows_home_and_tmp(rig):
    """compat: $HOME and /tmp are the host's, as Apptainer's users expect"""
    (rig.home / "file-in-home").write_text("home\n")
    Path("/var/tmp/file-in-tmp").write_text("tmp\n")
    try:
        done = rig.shell("cat \"$HOME/file-in-home\" /var/tmp/file-in-tmp; ls /tmp",
                         options=["profile=compat"])
        equal(done.status, 0, repr(done))
        contains(done.text, "home\ntmp\n")
        contains(done.text, "rootlet tests")
    finally:
        Path("/var/tmp/file-in-tmp").unlink()


@test()
def the_image_is_read_only(rig):
    """nothing can be written into the image, nor into directories made on the way"""
    for path in ("/x", "/opt/x", "/usr/lib/mafft/x", "/bin/probe", "/home/x"):
        done = rig.shell(f"echo x > {path}")
        check(done.status != 0, f"{path} could be written")
        contains(done.errors, "Read-only file system", path)
    # The private ones are writable.
    equal(rig.shell("for d in /tmp /var/tmp /dev/shm \"$HOME\"; do echo x > \"$d/f\" || exit 3;"
                    " done").status, 0)


@test()
def own_processes_only(rig):
    """/proc shows the processes of the run alone"""
    others = [rig.start("/bin/sleep", "100") for _ in range(5)]
    done = rig.shell("cd /proc; echo [0-9]*")
    for other in others:
        other.kill()
        other.wait()
    check(len(done.text.split()) <= 3, f"processes: {done.text}")


@test()
def host_mounts_stay_out(rig):
    """a host file system mounted below $PWD is visible inside, a later one elsewhere is not"""
    below = rig.cwd / "mounted"
    below.mkdir(exist_ok=True)
    mount("rootlet-tests", str(below), "tmpfs")
    (below / "file").write_text("below\n")
    try:
        equal(rig.shell("cat mounted/file").text, "below\n")
    finally:
        subprocess.run(["umount", below], check=True)


@test()
def raw_image(rig):
    """a stub and a bare squashfs joined by cat is a program"""
    stub, image = rig.stub.read_bytes(), rig.image.read_bytes()
    offset = int(rig.probe(env={}, options=[]).status == 0 and
                 rig.run(rig.image, "--appimage-offset").text)
    made = rig.copy("joined", stub + image[offset:])
    equal(rig.run(made, "exit", "9").status, 9)
    equal(rig.run(made, "--rootlet-exec=/bin/cat", "/opt/foo/share/data.txt").text,
          "data of the image\n")


if __name__ == "__main__":
    main()
