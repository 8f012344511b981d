#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""deb: as a source: packages of a tiny Debian, installed for real, their scripts let loose."""
import os
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test
from tiny_debian import TinyDebian

EVIL = r"""
report=/usr/share/evil/report
{
  echo "id $(id -u)"
  echo "interfaces $(grep -c : /proc/net/dev)"
  echo hello | nc -w 1 127.0.0.1 @PORT@ && echo connected
  echo > @OUTSIDE@ && echo wrote outside
  ls @HOME@ 2>/dev/null | grep -q secret && echo saw the home
  mount -t tmpfs none /mnt && echo mounted
  chown 1234:42 /usr/share/evil/mine && echo chown succeeds
  chmod 4755 /usr/share/evil/mine
  grep -q '[d]ebian_source' /proc/[0-9]*/cmdline && echo saw the builder
} >> $report 2>/dev/null
ln -s evil /usr/bin/evil-made
exit 0
"""


def mirror(rig):
    """One for all tests of the file, made on first use."""
    directory = Path("/tmp/debian")  # a sources line cannot have a blank
    if not hasattr(mirror, "made"):
        tiny = mirror.made = TinyDebian(directory)
        tiny.add("libtext", files={"usr/share/text": "of a dependency\n"})
        tiny.add("tool", "2.1-3", fields="Depends: libtext\nHomepage: http://example.org/tool\n",
                 files={"usr/bin/tool": "#!/bin/sh\ncat /usr/share/text; echo \"$@\"\n"})
        tiny.add("many", files={"usr/bin/many-one": "#!/bin/sh\necho one\n",
                                "usr/sbin/many-two": "#!/bin/sh\necho two\n",
                                "usr/bin/many-bad": "#!/usr/bin/ruby\n"},
                 postinst="update-alternatives --install /usr/bin/chosen chosen /usr/bin/many-one 1\n")
        tiny.add("slow", files={"usr/bin/slow": "#!/bin/sh\n"},
                 postinst="echo started; sleep 60 & sleep 60\n")
        tiny.add("broken", files={"usr/bin/broken": "#!/bin/sh\n"},
                 postinst="echo because of this >&2\nexit 3\n")
    return mirror.made


def fresh(rig, name):
    path = rig.top / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    os.chown(path, rig.uid, rig.uid)
    return path


def words(rig, packages, output, *more):
    return [rig.rootlet, "build", f"deb:{packages}", "--mirror", mirror(rig).mirror, "--suite",
            "tiny", "--comp-level", "1", "-o", output, *more]


def build(rig, packages, output, *more, **keywords):
    tmp = fresh(rig, "tmp")
    done = rig.run(*words(rig, packages, output, *more), timeout=90, env={"TMPDIR": str(tmp)},
                   **keywords)
    equal(os.listdir(tmp), [], f"left in TMPDIR: {done}")
    return done


@test()
def one_command(rig):
    """a package comes with its dependencies, and the program named like it is the entry"""
    output = rig.top / "tool.AppImage"
    done = build(rig, "tool", output)
    equal(done.status, 0, repr(done))
    contains(done.text, "tool 2.1-3")
    equal(rig.run(output, "a", "b").text, "of a dependency\na b\n")
    again = rig.top / "again.AppImage"
    time.sleep(1.1)
    equal(build(rig, "tool", again).status, 0)
    check(output.read_bytes() == again.read_bytes(), "the same packages gave other bytes")
    other = WORK / "tool of the other.AppImage"
    if other.exists():
        check(other.read_bytes() == output.read_bytes(), "root and user made different bytes")
    else:
        other.write_bytes(output.read_bytes())


@test(by="user")
def several_commands(rig):
    """without a program named like the package the commands are chosen by name or first argument"""
    output = rig.top / "many.AppImage"
    done = build(rig, "many", output)
    equal(done.status, 0, repr(done))
    contains(done.errors, "the command many-bad is left out")
    contains(done.errors, "/usr/bin/ruby")
    equal(rig.run(output, "many-one").text, "one\n")
    equal(rig.run(output, "--rootlet-exec=many-two").text, "two\n")
    equal(rig.run(output, "chosen").text, "one\n", "an alternative that the package registered")
    link = rig.top / "many-two"
    link.unlink(missing_ok=True)
    link.symlink_to(output)
    equal(rig.run(link).text, "two\n")


@test()
def scripts_are_isolated(rig):
    """a maintainer script has no network, sees no home, changes nothing outside of the scratch root"""
    home = fresh(rig, "private")
    (home / "secret").write_text("s")
    outside = rig.top / "outside"
    outside.unlink(missing_ok=True)
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    reached = []
    threading.Thread(target=lambda: reached.append(server.accept()), daemon=True).start()
    script = EVIL
    for name, value in (("PORT", server.getsockname()[1]), ("OUTSIDE", f"'{outside}'"),
                        ("HOME", f"'{home}'")):
        script = script.replace(f"@{name}@", str(value))
    package = f"evil-{rig.identity}"
    mirror(rig).add(package, files={"usr/bin/evil": "#!/bin/sh\ncat /usr/share/evil/report\n",
                                    "usr/share/evil/mine": "x"}, postinst=script)
    output = rig.top / "evil.AppImage"
    done = build(rig, package, output, "--entry", "evil")
    equal(done.status, 0, repr(done))
    said = rig.run(output).text
    equal(said, "id 0\ninterfaces 1\nchown succeeds\n")
    check(not reached and not outside.exists(), f"it came out: {said}")
    mode = rig.run(output, "--rootlet-exec=/bin/sh", "-c",
                   "stat -c %a /usr/share/evil/mine; readlink /usr/bin/evil-made").text
    equal(mode, "755\nevil\n")


def wait_for_script(process):
    """Until the script of the package runs."""
    for _ in range(600):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    line = Path("/proc", entry, "cmdline").read_bytes()
                except OSError:
                    continue
                if line == b"sleep\0" + b"60\0":
                    return
        check(process.poll() is None, "the build ended too early to be killed")
        time.sleep(0.1)
    check(False, "the package's script never started")


def sleepers():
    return [entry for entry in os.listdir("/proc") if entry.isdigit()
            and Path("/proc", entry, "cmdline").exists()
            and Path("/proc", entry, "cmdline").read_bytes() == b"sleep\0" + b"60\0"]


@test(by="user")
def killed(rig):
    """Ctrl-C, TERM and kill -9 amid an installation leave the old file and nothing else"""
    out, tmp = fresh(rig, "out"), fresh(rig, "tmp")
    old = out / "x.AppImage"
    shutil.copy(rig.stub, old)
    os.chown(old, rig.uid, rig.uid)
    before = old.read_bytes()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        process = rig.start(*words(rig, "slow", old), env={"TMPDIR": str(tmp)})
        wait_for_script(process)
        process.send_signal(number)
        process.wait(20)
        equal(process.returncode, -number)
        for _ in range(100):
            if not os.listdir(tmp) and not sleepers():
                break
            time.sleep(0.1)
        equal(os.listdir(tmp), [], f"left in TMPDIR by {number}")
        equal(sleepers(), [], f"processes left by {number}")
        equal(os.listdir(out), ["x.AppImage"])
        check(old.read_bytes() == before, f"{number} changed the old file")


@test(by="user")
def failures(rig):
    """an unknown package, a script that fails and a full disk are told with their reason"""
    output = rig.top / "no.AppImage"
    build(rig, "nosuch", output).failed_by_us("nosuch", "--mirror")
    build(rig, "tool=9", output).failed_by_us("tool", "9")
    build(rig, "Bad_Name", output).failed_by_us("not a Debian package's name")
    done = build(rig, "broken", output)
    equal(done.status, 125)
    contains(done.errors, "because of this")
    contains(done.errors, "error processing package broken")
    done = build(rig, "tool", output, host=f"mount -t tmpfs -o size=8m,mode=1777 tmpfs '{rig.top / 'tmp'}'")
    equal(done.status, 125, repr(done))
    contains(done.errors, "ENOSPC")
    contains(done.errors, "TMPDIR")
    check(not output.exists(), "it left a file")


if __name__ == "__main__":
    main()
