#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What surrounds a run and can be turned against it: descriptors, directories, variables,
arguments, programs of the host, files of the caller; A numbers as in docs/security.md."""
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import SECRET, Attack, attack_image, program, secret, weak_root
from rig import check, equal, main, test


def owned(rig, path, content="# mine\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    for each in (path, *path.parents):
        if rig.home in each.parents or each == rig.home:
            os.chown(each, rig.uid, rig.uid)
    return path


@test()
def a05_leaked_descriptors(rig):
    """A05 directories and files that the caller left open are out of reach, also without close_range"""
    secret(rig)
    attack = Attack(rig, "A05", "descriptors", "secret")
    held = {9: os.open(rig.cwd, os.O_RDONLY), 2048: os.open(secret(rig), os.O_RDONLY)}
    for number, descriptor in held.items():
        os.dup2(descriptor, number, inheritable=True)
        os.close(descriptor)
    try:
        attack.refused(pass_fds=tuple(held))
        command = [attack_image(rig), attack.name, *attack.words]
        old = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=close_range",
               "-e", "inject=close_range:error=ENOSYS"]
        attack.judged(rig.run(*old, *command, pass_fds=tuple(held)))
        attack.shown(attack.bare(pass_fds=tuple(held)), "run on the host")
    finally:
        for number in held:
            os.close(number)


@test()
def a06_directory_outside(rig):
    """A06 wherever the caller stands or sends it, the tool's directory is inside"""
    path = secret(rig)
    attack = Attack(rig, "A06", "directory", path)
    hidden = rig.top / "hidden"
    hidden.mkdir(exist_ok=True)
    os.chown(hidden, rig.uid, rig.uid)
    for cwd in (rig.cwd, hidden, Path("/"), rig.top):
        attack.refused("profile=isolated", cwd=cwd)
    held = os.open(rig.top, os.O_RDONLY)
    for number in (held, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20):
        done = attack.inside(f"cwd=/proc/self/fd/{number}", pass_fds=(held,))
        check(done.status == 125 or "RISK" not in done.text, repr(done))
    os.close(held)
    attack.shown(attack.weak("stay"), "the directory not left")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@test()
def a07_overwrites_what_started_it(rig):
    """A07 the running file cannot be reached through /proc, nor written when a descriptor escapes"""
    attack = Attack(rig, "A07", "executable")
    image = attack_image(rig)
    before = digest(image)
    attack.refused()
    attack.refused("mount=extract")
    equal(digest(image), before)
    attack.shown(attack.bare(), "no namespaces")


@test()
def a20_source_swapped(rig):
    """A20 a bind whose source is swapped with a symlink meanwhile shows one of the two, or is refused"""
    attack = Attack(rig, "A20", "none")
    first, second = (owned(rig, rig.home / name / "which", name + "\n").parent
                     for name in ("first", "second"))
    source, stop = rig.home / "source", threading.Event()

    def swap():
        while not stop.is_set():
            for target in (first, second):
                link = rig.home / "link"
                link.unlink(missing_ok=True)
                link.symlink_to(target)
                os.replace(link, source)

    source.symlink_to(first)
    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    try:
        for _ in range(30):
            done = rig.shell("cat /d/which; cat /d/which", [f"bind={source}:/d"])
            check(done.text in ("first\nfirst\n", "second\nsecond\n") or done.status == 125,
                  repr(done))
            seen.add(done.text)
    finally:
        stop.set()
        swapper.join()
        source.unlink()
    attack.say("with", "SAFE", f"(30 runs, {len(seen)} answers)")
    attack.not_shown("the launcher has no right that its caller lacks")


def fakes(rig, marker):
    """Programs that a launcher might call by name, each leaving a mark."""
    place = rig.top / "fakes"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in ("fusermount", "fusermount3", "mount", "umount", "newuidmap", "newgidmap", "ip",
                 "pasta", "slirp4netns", "sh", "unsquashfs", "modprobe", "mksquashfs"):
        (place / name).write_text(f"#!/bin/sh\necho {name} >> '{marker}'\nexit 1\n")
        (place / name).chmod(0o755)
    marker.write_text("")
    marker.chmod(0o666)
    return place


def preload(rig, marker):
    """A library that leaves a mark in whatever loads it."""
    source, library = rig.top / "preload.c", rig.top / "preload.so"
    source.write_text(f"""#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void mark(void) {{
  int fd = open("{marker}", O_WRONLY | O_APPEND);
  if (fd >= 0 && write(fd, "preload\\n", 8) < 0) _exit(1);
}}""")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@test()
def a30_programs_in_the_way(rig):
    """A30 the launcher starts no program by name and loads no library that a variable names"""
    attack, marker = Attack(rig, "A30", "none"), rig.top / "marker"
    place, library = fakes(rig, marker), preload(rig, marker)
    bad = {"PATH": f"{place}:/usr/bin:/bin", "LD_PRELOAD": str(library), "LD_AUDIT": str(library),
           "LD_LIBRARY_PATH": str(place), "GCONV_PATH": str(place), "TMPDIR": str(place),
           "FUSERMOUNT_PROG": str(place / "fusermount3"), "GLIBC_TUNABLES": "glibc.malloc.check=3"}
    for options in ((), ("mount=extract",), ("net=host",), ("profile=isolated",)):
        equal(rig.probe("exit", "3", options=options, env=bad).status, 3)
    check(marker.read_text() == "", marker.read_text())
    attack.say("with", "SAFE", "")
    rig.run("/bin/sh", "-c", "fusermount3; newuidmap", env=bad)
    check("preload" in marker.read_text() and "fusermount3" in marker.read_text(), "no mark")
    attack.say("without (a dynamic program that calls by name)", "RISK", "both marks")


HOSTS_OWN = {"LD_PRELOAD": "/nosuch/x.so", "LD_LIBRARY_PATH": "/nosuch", "PYTHONPATH": "/nosuch",
             "PYTHONHOME": "/nosuch", "PERL5LIB": "/nosuch", "R_LIBS": "/nosuch",
             "BASH_ENV": "/nosuch", "ENV": "/nosuch", "JAVA_TOOL_OPTIONS": "-Dx=y",
             "BASH_FUNC_ml%%": "() { evil; }", "GLIBC_TUNABLES": "x", "GCONV_PATH": "/nosuch"}


@test()
def a31_variables_of_the_host(rig):
    """A31 variables that name the host's code do not reach the tool, and no loader complains"""
    attack = Attack(rig, "A31", "none")
    done = rig.shell("env", env=HOSTS_OWN)
    left = [name for name in HOSTS_OWN if name + "=" in done.text]
    check(not left and not done.errors, f"{left}: {done!r}")
    attack.say("with", "SAFE", f"({len(HOSTS_OWN)} variables)")
    done = rig.run("/bin/sh", "-c", "env", env=HOSTS_OWN)
    check("PYTHONPATH=" in done.text and "ld.so" in done.errors, repr(done))
    attack.say("without (run on the host)", "RISK", "all there, and the loader complains")


@test()
def a32_arguments_as_options(rig):
    """A32 no argument of the tool is taken for an option of ours"""
    attack = Attack(rig, "A32", "none")
    words = ["x", "--help", "--appimage-extract", "--rootlet-net=host", "-v", "--", "", "a\nb", "-r",
             "--rootlet-no-isolation", "é", "a" * 100000, "--rootlet-bind=/:/h"]
    done = rig.run(rig.image, "raw", *words)
    check(done.status == 0, repr(done)[:500])
    wanted = ["raw", *words]
    equal(done.text, "".join(word.encode().hex() + ".\n" for word in wanted))
    attack.say("with", "SAFE", f"({len(words)} arguments)")
    done = rig.run(rig.image, "--rootlet-exec=/bin/sh", "-c", 'echo "$1"', "sh", "-k")
    equal(done.text, "-k\n")
    attack.not_shown("nothing to turn off; nsroot's permuting getopt took -k")


GUARDED = (".profile", ".bashrc", ".bash_profile", ".zshrc", ".ssh/authorized_keys",
           ".gnupg/gpg.conf", ".config/rootlet/config.toml", ".config/autostart/x.desktop",
           ".config/systemd/user/x.service", ".rootlet/rules")


def try_to_change(path):
    """Shell lines: write, replace, remove, and move the parent of PATH aside."""
    parent = os.path.dirname(path)
    return (f"echo evil >> {path}; echo evil > new; mv -f new {path}; rm -f {path}; "
            f"ln -f new {path}; mv {parent} moved-away; mkdir -p {parent}; echo evil > {path}; ")


@test()
def a33_configuration(rig):
    """A33 A48 start-up files, keys and configuration survive every attempt to change them"""
    attack = Attack(rig, "A33", "none")
    files = [owned(rig, rig.home / name) for name in GUARDED]
    names = [f"'{path}'" if " " in str(path) else str(path) for path in GUARDED]
    rig.shell("".join(try_to_change(name) for name in names), cwd=rig.home)
    for path in files:
        check(path.exists() and path.read_text() == "# mine\n", f"{path} was changed")
    attack.say("with", "SAFE", f"({len(files)} files, 7 ways)")
    copy = rig.top / "unguarded"
    shutil.copytree(rig.home, copy, symlinks=True)
    subprocess.run(["chown", "-R", str(rig.uid), copy], check=True)
    rig.run("/bin/sh", "-c", "".join(try_to_change(name) for name in names), cwd=copy)
    changed = [n for n in GUARDED if not (copy / n).exists() or (copy / n).read_text() != "# mine\n"]
    equal(len(changed), len(GUARDED), "changed without us")
    attack.say("without (run on the host)", "RISK", f"{len(changed)} changed")
    shutil.rmtree(copy)
    (rig.home / ".config/rootlet/config.toml").unlink()  # no settings, and rootlet reads it


@test()
def a41_ends(rig):
    """A41 a tool that dies badly is told as it died, and leaves no core of ours"""
    attack = Attack(rig, "A41", "none")
    for number in (11, 6, 9, 15):
        equal(rig.probe("die", number if isinstance(number, str) else str(number),
                        env={"PROBE_NO_CORE": "1"}).status, -number)
    equal(rig.probe("exit", "255").status, 255)
    check(not list(rig.cwd.glob("core*")), "a core")
    attack.say("with", "SAFE", "")
    attack.not_shown("nothing to turn off; exit_status_test tries every signal and code")


@test()
def a42_fills_its_places(rig):
    """A42 private places end in ENOSPC at their size, and /dev/shm counts as one of them"""
    attack = Attack(rig, "A42", "none")
    for path in ("/tmp/f", "/var/tmp/f", "/dev/shm/f", str(rig.home / "f")):
        done = rig.probe("fill", path, options=["tmp=4M"])
        check("fill: ENOSPC" in done.text, f"{path}: {done!r}")
    attack.say("with", "SAFE", "(4 places)")
    done = rig.run(rig.tools / "probe", "fill", "/tmp/rootlet-fill")
    check("fill: ok" in done.text, repr(done))
    os.unlink("/tmp/rootlet-fill")
    attack.say("without (the host's /tmp)", "RISK", "64 MiB written")


@test()
def a43_poor_file_systems(rig):
    """A43 an image on a noexec, nosuid, nodev, read-only file system, with files of root's alone, runs"""
    attack, top = Attack(rig, "A43", "none"), rig.top / "poor"
    place = top / "mounted"
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(weak_root(rig), top / "tree", symlinks=True)
    os.chown(top / "tree/opt", 0, 0)
    (top / "tree/opt").chmod(0o700)
    (top / "tree/opt/data").chmod(0o600)
    place.mkdir()
    subprocess.run(["mksquashfs", top / "tree", top / "x.sqfs", "-quiet", "-no-progress", "-noD",
                    "-noF"], check=True, stdout=subprocess.DEVNULL)
    host = (f"mount -t tmpfs -o nosuid,nodev,noexec x '{place}'; cp '{top}/x.sqfs' '{place}'; "
            f"chmod 444 '{place}/x.sqfs'; mount -o remount,ro,nosuid,nodev,noexec '{place}'")
    for way in ("auto", "extract"):
        done = rig.run(rig.rootlet, "run", "--mount", way, "--exec", "/bin/sh", place / "x.sqfs",
                       "-c", "cat /opt/data | wc -c; exit 3", host=host)
        check(done.status == 3 and done.text.strip() == str(1 << 20), repr(done))
    attack.say("with", "SAFE", "")
    attack.not_shown("a matter of working at all")


@test()
def a44_setuid_helpers(rig):
    """A44 a setuid fusermount, mount or newuidmap of the host is never executed"""
    attack, marker = Attack(rig, "A44", "none"), rig.top / "marker"
    place = fakes(rig, marker)
    names = [n for n in ("fusermount", "fusermount3", "mount", "umount", "newuidmap", "newgidmap")
             if Path("/usr/bin", n).exists()]
    host = "".join(f"mount --bind '{place}/{n}' /usr/bin/{n}; "
                   for n in sorted(names, key=lambda n: n == "mount"))
    for options in ((), ("mount=extract",)):
        done = rig.run(rig.image, *("--rootlet-" + o for o in options), "exit", "3", host=host)
        equal(done.status, 3, repr(done))
    equal(marker.read_text(), "")
    attack.say("with", "SAFE", f"({', '.join(names)})")
    rig.run("/bin/sh", "-c", "umount /nosuch", host=host)
    check(marker.read_text() != "", "no mark")
    attack.say("without (a program that calls them)", "RISK", marker.read_text().strip())


@test(by="user")
def a45_setuid_copy(rig):
    """A45 a setuid or setgid copy of a packed file refuses to run"""
    attack = Attack(rig, "A45", "gain")
    for mode in (0o4755, 0o2755):
        image = rig.copy("setuid")
        os.chown(image, 0, 0)
        image.chmod(mode)
        rig.run(image, "exit", "3").failed_by_us("setuid")
    image.unlink()
    attack.say("with", "SAFE", "")
    copy = rig.top / "setuid-program"
    shutil.copy(program(), copy)
    os.chown(copy, 0, 0)
    copy.chmod(0o4755)
    attack.shown(rig.run(copy, "gain"), "a program that does not look")
    copy.unlink()


@test()
def a56_variables_of_a_nested_run(rig):
    """A56 what a tool sets in its environment widens no run that it starts, and none of its caller's"""
    attack = Attack(rig, "A56", "none")
    path = secret(rig)
    shutil.copy(rig.image, rig.cwd / "inner.AppImage")
    os.chown(rig.cwd / "inner.AppImage", rig.uid, rig.uid)
    widening = {"ROOTLET_NO_ISOLATION": "1", "ROOTLET_BEST_EFFORT": "1", "ROOTLET_SECCOMP": "none",
                "ROOTLET_BIND": f"{path}:/stolen", "ROOTLET_PROFILE": "compat",
                "ROOTLET_NET": "host", "TARGET_APPIMAGE": str(path), "LD_PRELOAD": str(path),
                "GLIBC_TUNABLES": "glibc.malloc.check=3", "APPDIR": "/", "ROOTLET_IN_PLACE": "1"}
    for name, value in widening.items():
        done = rig.shell(f"export {name}='{value}'; ./inner.AppImage --rootlet-exec=/bin/sh -c "
                         f"\"cat '{path}' /stolen; grep Seccomp: /proc/self/status\"; exit 5")
        check(SECRET.strip() not in done.text and done.status == 5, f"{name}: {done!r}")
        check("Seccomp:\t0" not in done.text, f"{name}: {done!r}")
    for name in ("ROOTLET_NO_ISOLATION", "ROOTLET_BEST_EFFORT", "ROOTLET_IN_PLACE"):
        done = rig.shell(f"cat '{path}'", env={name: "1"})
        check(SECRET.strip() not in done.text and "no isolation" not in done.errors, repr(done))
    (rig.cwd / "inner.AppImage").unlink()
    attack.say("with", "SAFE", f"({len(widening)} variables)")
    done = rig.run("/bin/sh", "-c", f"cat '{path}'")
    equal(done.text, SECRET)
    attack.say("without (run on the host)", "RISK", "the secret is read")


def full_pipe():
    """A pipe that holds all that it can, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


@test()
def a57_a_reader_that_never_reads(rig):
    """A57 who is told about a run and does not listen stalls nothing: descriptor, FIFO, socket"""
    attack = Attack(rig, "A57", "none")
    reader, writer = full_pipe()
    fifo, path = rig.top / "status.fifo", rig.top / "status.socket"
    os.mkfifo(fifo)
    os.chown(fifo, rig.uid, rig.uid)
    held = os.open(fifo, os.O_RDWR)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    os.chown(path, rig.uid, rig.uid)
    listener.listen(0)
    try:
        os.set_blocking(held, False)
        os.write(held, b"x" * 65536)
        for option, keywords in ((f"status-fd={writer}", {"pass_fds": (writer,)}),
                                 (f"status={fifo}", {}), (f"status={path}", {}),
                                 (f"status={path}", {})):
            done = rig.probe("exit", "3", options=[option], timeout=5, **keywords)
            check(done.status in (3, 125), f"{option}: {done!r}")
    finally:
        for descriptor in (reader, writer, held):
            os.close(descriptor)
        listener.close()
        fifo.unlink()
        path.unlink()
    attack.say("with", "SAFE", "(4 readers)")
    attack.not_shown("nothing to turn off")


if __name__ == "__main__":
    main()
