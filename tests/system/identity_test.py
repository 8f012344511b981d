#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which file runs, and as whom: links, renames, modes, memory, setuid."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import UID, Skip, Untouched, check, equal, main, test

NAMES = ["with blanks.AppImage", "new\nline", "per%cent%s%n", "comma,colon:semi;", "-dash",
         "quote'\"", "back\\slash", "ä€.AppImage", "x" * 250, ",,=,", "tab\t"]


@test()
def odd_names(rig):
    """the file runs under any name, and APPIMAGE tells it"""
    for name in NAMES:
        image = rig.copy(name)
        done = rig.run(image, "--rootlet-exec=/bin/sh", "-c", 'printf %s "$APPIMAGE"; exit 3')
        equal((done.status, done.text), (3, str(image)), repr(name))
        image.unlink()


@test()
def symlinks(rig):
    """called through a symlink, a chain of them, or a hard link, it runs"""
    for name in ("one", "two"):
        (rig.top / name).unlink(missing_ok=True)
    (rig.top / "one").symlink_to(rig.image)
    (rig.top / "two").symlink_to("one")
    done = rig.run(rig.top / "two", "--rootlet-exec=/bin/sh", "-c", 'echo "$APPIMAGE|$ARGV0"')
    equal(done.text, f"{rig.image}|{rig.top}/two\n", repr(done))
    hard = rig.top / "hard"
    hard.unlink(missing_ok=True)
    os.link(rig.image, hard)
    equal(rig.run(hard, "exit", "3").status, 3)


@test()
def by_path_and_relative(rig):
    """found in PATH, or called by a relative name, it runs"""
    env = {"PATH": f"{rig.top}:/usr/bin:/bin"}
    equal(rig.run("/bin/sh", "-c", "probe.AppImage exit 3", env=env).status, 3)
    equal(rig.run("/bin/sh", "-c", "../../probe.AppImage exit 3").status, 3)


@test()
def moved_while_running(rig):
    """renamed, deleted or replaced while it runs, the run goes on"""
    for how in ("rename", "delete", "replace"):
        image = rig.copy("moving")
        with Untouched() as before:
            process = rig.start(image, "--rootlet-exec=/bin/sh", "-c",
                                "echo ready; read x; cat /opt/foo/share/data.txt; exec probe",
                                stdin=subprocess.PIPE)
            process.stdout.readline()
            if how == "rename":
                image.rename(rig.top / "moved")
            elif how == "replace":
                other = rig.copy("other", b"#!/bin/sh\n")
                other.rename(image)
            else:
                image.unlink()
            out, err = process.communicate(b"\n", timeout=10)
            check(out == b"data of the image\n", f"{how}: {out!r} {err!r}")
            equal(process.returncode, 127, how)  # no such program: by the tool's own shell
            before.files.add(str(rig.top / "moved"))
        (rig.top / "moved").unlink(missing_ok=True)


@test()
def through_a_descriptor(rig):
    """executed through /proc/self/fd/N or fexecve, it runs"""
    fd = os.open(rig.image, os.O_RDONLY)
    os.set_inheritable(fd, True)
    done = rig.run(f"/proc/self/fd/{fd}", "exit", "3", pass_fds=[fd])
    equal(done.status, 3, repr(done))
    os.close(fd)


@test()
def from_memory(rig):
    """a copy in memory (memfd) runs; a stub there takes TARGET_APPIMAGE"""
    fd = os.memfd_create("stub", 0)
    os.write(fd, rig.stub.read_bytes())
    for target in (rig.image, rig.copy("with blanks")):
        done = rig.run(f"/proc/self/fd/{fd}", "--rootlet-exec=/bin/cat", "/opt/foo/share/data.txt",
                       pass_fds=[fd], env={"TARGET_APPIMAGE": str(target)})
        equal(done.text, "data of the image\n", repr(done))
    os.close(fd)
    whole = os.memfd_create("whole", 0)
    with open(whole, "wb", closefd=False) as file:
        file.write(rig.image.read_bytes())
    done = rig.run(f"/proc/self/fd/{whole}", "exit", "3", pass_fds=[whole])
    equal(done.status, 3, repr(done))
    os.close(whole)


@test()
def without_the_magic(rig):
    """with the AppImage magic zeroed (as binfmt helpers do) it still runs"""
    content = bytearray(rig.image.read_bytes())
    equal(bytes(content[8:11]), b"AI\x02", "magic")
    content[8:11] = b"\0\0\0"
    equal(rig.run(rig.copy("no-magic", bytes(content)), "exit", "3").status, 3)


@test()
def modes(rig):
    """a file only its owner may read runs for its owner, and for root"""
    image = rig.copy("private")
    for mode in (0o700, 0o500, 0o755):
        image.chmod(mode)
        equal(rig.run(image, "exit", "3").status, 3, oct(mode))
    if rig.root:
        os.chown(image, UID, UID)
        image.chmod(0o700)
        equal(rig.run(image, "exit", "3").status, 3, "root, of a user's file")
        private = rig.top / "private directory"
        private.mkdir(mode=0o700, exist_ok=True)
        os.chown(private, UID, UID)
        inside = private / "image"
        inside.write_bytes(rig.image.read_bytes())
        inside.chmod(0o700)
        os.chown(inside, UID, UID)
        equal(rig.run(inside, "exit", "3", cwd=private).status, 3, "in a user's directory")
        as_owner = rig.run("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--",
                           inside, "exit", "3", cwd="/")
        equal(as_owner.status, 3, "by its owner through setpriv")


@test()
def executable_but_not_readable(rig):
    """a file that may be executed but not read: 125 in one line that says so"""
    if rig.root:
        raise Skip("root may read everything")
    image = rig.copy("unreadable")
    os.chown(image, 0, 0)
    image.chmod(0o711)
    done = rig.run(image, "exit", "3")
    done.failed_by_us("readable")


@test(by="user")
def setuid_copy(rig):
    """a setuid or setgid copy refuses to run"""
    for mode in (0o4755, 0o2755):
        image = rig.copy("setuid")
        os.chown(image, 0, 0)
        image.chmod(mode)
        rig.run(image, "exit", "3").failed_by_us("setuid")
        rig.run(image, "--rootlet-no-isolation", "exit", "3").failed_by_us("setuid")
        image.chmod(0o755)


@test()
def the_users_own_ids(rig):
    """inside, ids, user name and home are the caller's, and image files are his own"""
    done = rig.shell("id -u; id -g; id -un; echo \"$HOME\"; stat -c %u /opt/foo/bin/probe")
    name = "root" if rig.root else "rootlet-test"
    equal(done.text.splitlines(), [str(rig.uid), str(rig.uid), name, str(rig.home), str(rig.uid)])


@test()
def unknown_user(rig):
    """a user id that no passwd knows (a batch system's) runs too"""
    if not rig.root:
        raise Skip("only root can become someone else")
    done = rig.run("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--", rig.image,
                   "--rootlet-exec=/bin/sh", "-c", "id -u; id -un", cwd="/")
    equal(done.text, "54321\nuser\n", repr(done))


@test()
def many_groups(rig):
    """a user with supplementary groups runs, and keeps access through $PWD"""
    if rig.root:
        raise Skip("shown as the user")
    shared = rig.top / "shared"
    shared.mkdir(exist_ok=True)
    os.chown(shared, 0, 47500)
    shared.chmod(0o770)
    done = rig.run(rig.image, "--rootlet-exec=/bin/sh", "-c", "echo x > by-group && cat by-group",
                   cwd="/", extra_groups=[47500], preexec_fn=lambda: os.chdir(shared))
    equal(done.text, "x\n", repr(done))


if __name__ == "__main__":
    main()
