#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rootlet-apprun: /AppRun of an image that another program mounted, or that is
somebody's root. apprun_test.py APPRUN

A directory stands in for the mount; as a root it is entered with unshare and
chroot. Ends with 77 where that is not allowed or busybox is missing.
"""
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

NAME, ENTRYPOINT, ARGUMENT, COMMAND, DISPATCH, WORKDIR, ENV = 1, 5, 6, 7, 8, 9, 10


def policy(*records, version=1, length=None):
    body = b"".join(struct.pack("<HHI", tag, 0, len(text)) + text for tag, text in records)
    size = 16 + len(body) if length is None else length
    return b"RLPOLICY" + struct.pack("<II", version, size) + body


def libraries(program):
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", listing)


class Image:
    def __init__(self, directory, apprun):
        self.path = Path(directory) / "image"
        for part in ("bin", "usr/bin", "opt/t", ".rootlet", "proc"):
            (self.path / part).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.path / "bin/busybox")
        for applet in ("sh", "echo", "env", "pwd"):
            (self.path / "bin" / applet).symlink_to("busybox")
        shutil.copy(apprun, self.path / "AppRun")
        # A dynamic program whose loader and libraries are the image's own.
        shutil.copy("/usr/bin/env", self.path / "usr/bin/dynamic")
        for library in libraries("/usr/bin/env"):
            copy = self.path / library.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(library), copy)
        # Absolute: a place in the image, not on the host.
        (self.path / "opt/t/echo").symlink_to("/bin/echo")
        script = self.path / "opt/t/script"
        script.write_text("#!/bin/sh -e \necho script \"$0\" \"$@\"\n")
        script.chmod(0o755)

    def loaders(self):
        return [p for p in self.path.rglob("ld-*.so*") if p.is_file()]

    def write(self, bytes_):
        (self.path / ".rootlet/policy.bin").write_bytes(bytes_)

    def run(self, *arguments, inside=False, called=None, env=None, cwd=None):
        line = [str(self.path / "AppRun")]
        if inside:
            # exec -a: chroot(1) cannot set argv[0].
            line = ["unshare", "-r", "chroot", str(self.path), "/bin/sh", "-c",
                    'exec -a "$0" /AppRun "$@"', called or "AppRun"]
            called = None
        environment = {"PATH": "/usr/sbin:/usr/bin:/bin", **(env or {})}
        executable = line[0] if called else None
        return subprocess.run([called or line[0], *line[1:], *arguments], executable=executable,
                              env=environment, cwd=cwd, capture_output=True, text=True,
                              errors="replace", timeout=20)


def expect(done, status, out=None, err=None):
    assert done.returncode == status, (status, done)
    assert out is None or done.stdout == out, (out, done)
    assert err is None or err in done.stderr, (err, done)


def runs_the_entry_point(image):
    """the entry point gets its own first arguments, then the caller's, else the policy's"""
    image.write(policy((NAME, b"t"), (ENTRYPOINT, b"/bin/echo"), (ENTRYPOINT, b"a"),
                       (ARGUMENT, b"b c")))
    for inside in (False, True):
        expect(image.run(inside=inside), 0, "a b c\n")
        expect(image.run("--help", "", "x", inside=inside), 0, "a --help  x\n")
    assert "rootlet: run in place: " in image.run().stderr
    assert image.run(inside=True).stderr == ""


def picks_a_command(image):
    """a command is picked by the called name, by ARGV0, or by the first argument"""
    commands = [(COMMAND, b"one\0/bin/echo"), (COMMAND, b"two\0/opt/t/script")]
    image.write(policy(*commands))
    for inside in (False, True):
        expect(image.run("x", called="/some/where/one", inside=inside), 0, "x\n")
        expect(image.run("x", env={"ARGV0": "./one"}, inside=inside), 0, "x\n")
        expect(image.run(inside=inside), 0, "one\ntwo\n")
        expect(image.run("one", inside=inside), 125, "", "hint: its commands: one two")
    image.write(policy(*commands, (DISPATCH, b"argument")))
    for inside in (False, True):
        expect(image.run("one", "y", inside=inside), 0, "y\n")
        expect(image.run(inside=inside), 0, "one\ntwo\n")
        expect(image.run("three", inside=inside), 127, "", "has no such command")


def sets_the_environment(image):
    """the policy's variables win over the host's, and over none that rootlet prepared"""
    image.write(policy((ENTRYPOINT, b"/bin/env"), (ENV, b"A=policy"), (ENV, b"B=")))
    expect(image.run(inside=True, env={"A": "host"}), 0)
    assert "A=policy\n" in image.run(inside=True, env={"A": "host"}).stdout
    assert "A=option\n" in image.run(inside=True, env={"A": "option", "APPDIR": "/"}).stdout
    out = image.run(env={"A": "host"}).stdout
    assert "A=policy\n" in out and f"APPDIR={image.path}\n" in out, out
    assert f"PATH={image.path}/usr/local/bin:{image.path}/usr/bin:" in out, out


def runs_what_it_can_in_place(image):
    """dynamic programs with the image's loader, scripts with its shell, symlinks in the image"""
    image.write(policy((ENTRYPOINT, b"/usr/bin/dynamic"), (ENTRYPOINT, b"A=1"),
                       (ENTRYPOINT, b"echo"), (ENTRYPOINT, b"x")))
    expect(image.run(), 0, "x\n")
    # The loader in the image is what runs, not the host's.
    for loader in image.loaders():
        loader.write_bytes((image.path / "bin/busybox").read_bytes())
    expect(image.run(), 127, "", ": applet not found")
    image.write(policy((ENTRYPOINT, b"/opt/t/echo"), (ENTRYPOINT, b"x")))
    expect(image.run(), 0, "x\n")
    image.write(policy((ENTRYPOINT, b"/opt/t/script"), (ENTRYPOINT, b"x")))
    expect(image.run(), 0, f"script {image.path}/opt/t/script x\n")
    expect(image.run(inside=True), 0, "script /opt/t/script x\n")


def says_what_is_missing(image):
    """127 for a missing program, 126 for one that cannot be executed, 125 for no policy"""
    image.write(policy((ENTRYPOINT, b"/bin/none")))
    for inside in (False, True):
        expect(image.run(inside=inside), 127, "", "the image has no such program (ENOENT)")
    (image.path / "opt/t/plain").write_text("no program")
    image.write(policy((ENTRYPOINT, b"/opt/t/plain")))
    for inside in (False, True):
        expect(image.run(inside=inside), 126, "", "Permission denied (EACCES)")
    (image.path / "opt/t/odd").write_text("#!/no/such/interpreter\n")
    (image.path / "opt/t/odd").chmod(0o755)
    image.write(policy((ENTRYPOINT, b"/opt/t/odd")))
    expect(image.run(), 126, "", "its interpreter /no/such/interpreter is neither in the image nor here")
    expect(image.run(inside=True), 126, "", "its interpreter or dynamic loader is not in the image")
    image.write(policy((ENTRYPOINT, b"/AppRun")))
    expect(image.run(inside=True), 125, "", "its policy names /AppRun itself")
    (image.path / ".rootlet/policy.bin").unlink()
    expect(image.run(), 125, "", "rootlet: read the policy: .rootlet/policy.bin: ")


def starts_where_the_caller_is(image):
    """the caller's directory is kept; where it is gone, the policy's workdir is used"""
    image.write(policy((ENTRYPOINT, b"/bin/pwd"), (WORKDIR, b"/opt/t")))
    expect(image.run(cwd="/usr"), 0, "/usr\n")
    gone = tempfile.mkdtemp()
    line = ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$1"', gone, str(image.path / "AppRun")]
    done = subprocess.run(line, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    expect(done, 0, f"{image.path}/opt/t\n")


def refuses_a_damaged_policy(image):
    """a malformed policy is an error (125), never a crash"""
    good = policy((NAME, b"t"), (ENTRYPOINT, b"/bin/echo"), (COMMAND, b"one\0/bin/echo"),
                  (ENV, b"A=b"), (WORKDIR, b"/"))
    cases = {
        "not a policy": b"", "of another version": policy(version=2),
        "cut short": good[:-1], "a record of unknown kind": policy((99, b"")),
        "cut short in a record": policy(length=20) + b"abcd",
        "a record is longer than the file": policy(length=24) + struct.pack("<HHI", 1, 0, 2**32 - 1),
        "a record lacks its second part": policy((COMMAND, b"one")),
        "the entry point is no absolute path": policy((ENTRYPOINT, b"echo")),
        "a text holds a NUL": policy((NAME, b"a\0b")),
        "it is larger than 1 MiB": b"RLPOLICY" + bytes(1 << 20),
    }
    for reason, bytes_ in cases.items():
        image.write(bytes_)
        expect(image.run(), 125, "", f"rootlet: read the policy: .rootlet/policy.bin: {reason}")
    dice = random.Random(1)
    for length in range(len(good)):
        image.write(good[:length])
        expect(image.run(), 125, "")
    for _ in range(1000):
        damaged = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        image.write(damaged)
        done = image.run("x", called="one")
        assert done.returncode in (0, 125, 126, 127), (bytes(damaged), done)


TESTS = [runs_the_entry_point, picks_a_command, sets_the_environment, runs_what_it_can_in_place,
         says_what_is_missing, starts_where_the_caller_is, refuses_a_damaged_policy]


def main(apprun):
    probe = subprocess.run(["unshare", "-r", "true"], capture_output=True)
    if probe.returncode != 0 or not Path("/bin/busybox").exists():
        print("skipped: needs busybox, and user namespaces (unshare -r)")
        return 77
    failed = 0
    for test in TESTS:
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(Image(directory, apprun))
                print("ok  ", test.__doc__)
            except AssertionError as error:
                failed += 1
                print("FAIL", test.__doc__, "\n    ", error)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
