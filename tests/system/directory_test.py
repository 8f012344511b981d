#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the tool starts, and what the user is told when it is elsewhere."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import UID, Untouched, check, contains, equal, main, test


def starts(rig, cwd=None, wanted="/", told=True, **keywords):
    """Runs pwd in a directory; one line on stderr exactly if it starts elsewhere."""
    with Untouched():
        done = rig.shell("pwd -P; cat /opt/foo/share/data.txt", cwd=cwd, **keywords)
    equal(done.status, 0, repr(done))
    equal(done.text, f"{wanted}\ndata of the image\n")
    if told:
        lines = done.errors.splitlines()
        equal(len(lines), 1, f"lines on stderr: {done.errors!r}")
        contains(lines[0], "--rootlet-bind")
    else:
        equal(done.errors, "")
    return done


@test()
def usual(rig):
    """in an ordinary directory the tool starts there, and nothing is said"""
    starts(rig, rig.cwd, str(rig.cwd), told=False)
    odd = rig.cwd / "with blank, comma:colon\nnewline %s \\ 'quote'"
    odd.mkdir(exist_ok=True)
    os.chown(odd, rig.uid, rig.uid)
    done = rig.shell("echo here > made; pwd", cwd=odd)
    equal(done.text, str(odd) + "\n", repr(done))
    equal((odd / "made").read_text(), "here\n")


@test()
def deleted(rig):
    """a deleted directory: it starts in /, one line says so"""
    gone = rig.cwd / "gone"
    gone.mkdir()
    os.chown(gone, rig.uid, rig.uid)
    os.chown(rig.cwd, rig.uid, rig.uid)
    done = rig.run("/bin/sh", "-c", 'rmdir "$PWD"; exec "$0" --rootlet-exec=/bin/pwd', rig.image,
                   cwd=gone)
    equal(done.text, "/\n", repr(done))
    contains(done.errors, "deleted")
    equal(len(done.errors.splitlines()), 1)


@test(by="user")
def unreadable(rig):
    """a directory that may not be read or entered: it starts in /, one line says so"""
    closed = rig.cwd / "closed"
    closed.mkdir(mode=0o700, exist_ok=True)
    for mode in (0o000, 0o600, 0o300):
        closed.chmod(0o700)
        # Entered by root; the user that runs there may not have come by himself.
        done = subprocess.run(["/bin/sh", "-c", 'cd closed; chmod "$1" .; shift; exec "$@"', "sh",
                               oct(mode)[2:], "setpriv", f"--reuid={UID}", f"--regid={UID}",
                               "--clear-groups", "--", rig.image, "--rootlet-exec=/bin/pwd"],
                              cwd=rig.cwd, env=rig.env, capture_output=True, text=True)
        equal(done.returncode, 0, f"mode {mode:o}: {done}")
        equal(done.stdout, "/\n", f"mode {mode:o}: {done}")
        contains(done.stderr, "cannot be read")


@test()
def too_long(rig):
    """a path too long to name: it starts in /, one line says so"""
    top = rig.cwd / "long"
    top.mkdir(exist_ok=True)
    os.chown(top, rig.uid, rig.uid)

    def descend():
        os.chdir(top)
        for _ in range(25):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    done = rig.run(rig.image, "--rootlet-exec=/bin/pwd", preexec_fn=descend)
    subprocess.run(["rm", "-rf", top], check=True)
    equal(done.text, "/\n", repr(done)[:500])
    contains(done.errors, "too long")
    equal(len(done.errors.splitlines()), 1)


@test()
def root_and_system_directories(rig):
    """/, /proc, /sys, /dev: it starts in /, one line says so"""
    starts(rig, "/")
    for path in ("/proc", "/sys", "/dev", "/run"):
        starts(rig, path)


@test()
def where_the_image_has_entries(rig):
    """/usr or /opt, where the image has files: those of the image are seen, one line says so"""
    for path in ("/usr", "/opt", "/usr/lib", "/etc"):
        starts(rig, path)


@test()
def temporary_directory(rig):
    """started in /tmp or in $HOME, these are shown as they are"""
    Path("/tmp/here").write_text("x\n")
    try:
        done = rig.shell("pwd; cat here", cwd="/tmp")
        equal(done.text, "/tmp\nx\n", repr(done))
    finally:
        Path("/tmp/here").unlink()
    (rig.home / "mine").write_text("mine\n")
    done = rig.shell("pwd; cat mine; echo $HOME", cwd=rig.home)
    equal(done.text, f"{rig.home}\nmine\n{rig.home}\n", repr(done))


@test()
def through_a_symlink(rig):
    """a directory reached through a symlink is shown at its real path"""
    link = rig.home / "link"
    if not link.is_symlink():
        link.symlink_to(rig.cwd)
    starts(rig, link, str(rig.cwd), told=False)


@test()
def start_up_files_are_guarded(rig):
    """in $HOME, what the next login executes is read-only, also when its parent is renamed"""
    (rig.home / ".bashrc").write_text("old\n")
    (rig.home / ".ssh").mkdir(exist_ok=True)
    for path in (rig.home / ".bashrc", rig.home / ".ssh"):
        os.chown(path, rig.uid, rig.uid)
    done = rig.shell("echo evil >> .bashrc; echo evil > .ssh/authorized_keys; rm -f .bashrc;"
                     " mv .ssh .ssh2; mv .bashrc x; echo new > ordinary; exit 0", cwd=rig.home)
    equal((rig.home / ".bashrc").read_text(), "old\n")
    check(not (rig.home / ".ssh/authorized_keys").exists(), "a key was added")
    check((rig.home / "ordinary").exists(), repr(done))
    # Nor through a directory further up that is renamed.
    rig.shell(f"cd ..; mv home home2; echo evil >> home2/.bashrc; mv home2 home; exit 0",
              cwd=rig.top)
    check((rig.home / ".bashrc").read_text() == "old\n", "changed through a renamed parent")


@test()
def own_file_is_guarded(rig):
    """the running file itself is read-only inside, though its directory is writable"""
    image = rig.copy("home/project/own.AppImage")
    before = image.read_bytes()
    rig.run(image, "--rootlet-exec=/bin/sh", "-c",
            "echo x >> own.AppImage; echo x > own.AppImage; rm own.AppImage; mv own.AppImage y;"
            "echo z > new; mv new own.AppImage; exit 0")
    check(image.exists() and image.read_bytes() == before, "the running file was changed")


@test()
def cwd_option(rig):
    """cwd=DIR starts there; one that is not there is 125"""
    equal(rig.shell("pwd", options=["cwd=/opt/foo"]).text, "/opt/foo\n")
    done = rig.shell("pwd", options=["cwd=/no/such"])
    equal(done.status, 125, repr(done))
    contains(done.errors, "/no/such")


@test()
def workdir_of_the_policy(rig):
    """where the current directory is not shown, the image's workdir is the start"""
    policy = rig.top / "workdir.toml"
    policy.write_text('[tool]\nname = "probe"\nentrypoint = ["/opt/foo/bin/probe"]\n'
                      'workdir = "/opt/foo"\n')
    image = rig.build("/tmp/rootlet tests/tree", "workdir.AppImage", "--policy", policy)
    done = rig.run(image, "--rootlet-exec=/bin/pwd", cwd="/")
    equal(done.text, "/opt/foo\n", repr(done))
    contains(done.errors, "rootlet: ")
    equal(rig.run(image, "--rootlet-exec=/bin/pwd").text, f"{rig.cwd}\n")


@test()
def root_below_the_directory(rig):
    """rootlet run ./rootfs works from the directory that holds it, which shows it read-only"""
    subprocess.run(["cp", "-a", "/tmp/rootlet tests/tree", rig.cwd / "rootfs"], check=True)
    # A whole root, as they are unpacked: nothing has to be made in it.
    for name in ("proc", "dev", "sys", "tmp", "var/tmp", "run", str(rig.cwd)[1:]):
        (rig.cwd / "rootfs" / name).mkdir(parents=True, exist_ok=True)
    for name in ("passwd", "group"):
        (rig.cwd / "rootfs/etc" / name).touch()
    subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", rig.cwd / "rootfs"], check=True)
    done = rig.run(rig.rootlet, "run", "--exec=/bin/sh", "./rootfs", "-c",
                   "pwd; ls rootfs/opt; echo x > rootfs/opt/x; echo y > beside")
    equal(done.text, f"{rig.cwd}\nfoo\n", repr(done))
    contains(done.errors, "Read-only file system")
    check((rig.cwd / "beside").exists() and not (rig.cwd / "rootfs/opt/x").exists(), repr(done))


if __name__ == "__main__":
    main()
