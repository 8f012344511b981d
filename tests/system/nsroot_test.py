#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rootlet chroot: nsroot's command line, right where nsroot was wrong.

Tests named n_... are named after what went wrong there; the number is in the
docstring. Those named known_... are the known issues of its manual.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from lent_ids import COUNT, LENT, lend
from rig import Skip, Untouched, check, contains, equal, main, mount, test
from services import listening

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
OPTIONS = ("-v", "-o", "-r", "-k", "-M", "-G", "-n", "-i", "-h", "--volume=/:/x", "--old-root=/x",
           "--read-only", "--keep-old-root", "--net", "--ipc", "--help", "--rootlet-net=host", "--")


def newroot(rig, *directories):
    """A directory of the caller's to be the root, new for each test."""
    top = rig.top / "newroot"
    shutil.rmtree(top, ignore_errors=True)
    for directory in ("bin", "etc", "mnt", "data", *directories):
        (top / directory).mkdir(parents=True, exist_ok=True)
    shutil.copy("/usr/bin/busybox", top / "bin/busybox")
    shutil.copy(rig.tools / "probe", top / "bin/probe")
    for applet in ("sh", "cat", "ls", "id", "whoami", "touch", "pwd", "grep", "sleep", "stat",
                   "mount", "rm", "mv", "mkdir", "wc", "echo", "true", "head", "env", "setsid"):
        (top / "bin" / applet).symlink_to("busybox")
    (top / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (top / "etc/group").write_text("root:x:0:\n")
    subprocess.run(["chown", "-R", "-h", f"{rig.uid}:{rig.uid}", top], check=True)
    return top


def own(rig, path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.chown(path, rig.uid, rig.uid)
    return path


def chroot(rig, *words, **keywords):
    return rig.run(rig.rootlet, "chroot", *words, **keywords)


def shell(rig, script, *options, root=None, **keywords):
    return chroot(rig, *options, root or newroot(rig), "/bin/sh", "-c", script, **keywords)


def own_map(rig):
    return f"0 {rig.uid} 1"


def lent_map(rig):
    return f"0 {rig.uid} 1,1 {LENT} {COUNT - 1}"


# --- what it is for ----------------------------------------------------------

@test()
def the_directory_is_the_root(rig):
    """the directory is /, writable as its modes say, and the command starts in /"""
    root = newroot(rig)
    done = shell(rig, "pwd; ls /; echo x > /data/new; cat /etc/hostname", root=root)
    check(done.text.startswith("/\nbin\ndata\n") and done.status == 1, repr(done))
    made = (root / "data/new").stat()
    equal((made.st_uid, made.st_gid), (rig.uid, rig.uid), "owner outside")


@test()
def called_nsroot(rig):
    """a symlink named nsroot takes the same command line"""
    link = rig.top / "nsroot"
    if not link.is_symlink():
        link.symlink_to(rig.rootlet)
    equal(rig.run(link, "-r", newroot(rig), "probe", "exit", "7").status, 7)


@test()
def spellings(rig):
    """options short, bundled, long, shortened, with = and with a blank mean the same"""
    root = newroot(rig)
    (rig.top / "volume").mkdir(exist_ok=True)
    own(rig, rig.top / "volume/file", "seen\n")
    volume = f"{rig.top}/volume:/data:ro"
    for options in (["-v", volume], [f"-v{volume}"], ["-rnv", volume], [f"-rniv{volume}"],
                    ["--volume", volume], [f"--volume={volume}"], ["--vol", volume, "--net"],
                    [f"-v{rig.top}/volume:data:ro"], ["-v", volume, "--"]):
        equal(chroot(rig, *options, root, "cat", "/data/file").text, "seen\n", str(options))
    done = shell(rig, "echo x > /data/file", "-v", volume, root=root)
    check(done.status != 0, "a read-only volume was written")
    for access in ("", ":rw"):
        shell(rig, f"echo {access} > /data/file", "-v", f"{rig.top}/volume:/data{access}", root=root)
        equal((rig.top / "volume/file").read_text(), f"{access}\n", "a volume is writable")


@test()
def read_only(rig):
    """with -r nothing in the root can be written; /tmp and volumes can"""
    root = newroot(rig)
    done = shell(rig, "for f in /new /etc/passwd /data/new; do (echo x > $f) 2>/dev/null && echo $f;"
                 "done; echo x > /tmp/x && echo tmp", "-r", root=root)
    equal(done.text, "tmp\n", repr(done))
    check(not (root / "data/new").exists(), "written")


@test()
def network_and_ipc(rig):
    """without -n and -i network and IPC are the host's, with them own ones"""
    root = newroot(rig)
    for name, option in (("net", "-n"), ("ipc", "-i")):
        outside = os.readlink(f"/proc/self/ns/{name}")
        look = ("stat", "-c", "%N", f"/proc/self/ns/{name}")
        contains(chroot(rig, root, *look).text, outside, name)
        check(outside not in chroot(rig, option, root, *look).text, f"{option}: the host's {name}")


@test()
def an_image_as_well(rig):
    """NEWROOT may be an image: the same command line, read-only"""
    done = chroot(rig, rig.image, "/bin/sh", "-c", "cat /opt/foo/share/data.txt; pwd; echo x > /x")
    equal(done.text, "data of the image\n/\n", repr(done))
    check(done.status != 0, "an image was written")


@test()
def missing_targets(rig):
    """a DEST that the root lacks is shown there, and is not made in the directory"""
    root = newroot(rig)
    data = own(rig, rig.top / "volume/file", "seen\n").parent
    done = shell(rig, "cat /new/deep/file; echo x > /data/still", "-v", f"{data}:/new/deep",
                 root=root)
    equal((done.status, done.text), (0, "seen\n"), repr(done))
    check((root / "data/still").exists() and not (root / "new").exists(), "made on the host")


@test()
def beside_a_missing_target(rig):
    """what the root has beside a DEST that it lacks stays writable, mounts included"""
    root = newroot(rig, "data/kept", "data/mounted")
    data = own(rig, rig.top / "volume/file", "seen\n").parent
    mount("rootlet-tests", str(root / "data/mounted"), "tmpfs", 0, "mode=777")
    try:
        done = shell(rig, "cat /data/new/file; echo x > /data/kept/f; echo x > /data/mounted/f",
                     "-v", f"{data}:/data/new", root=root)
        equal((done.status, done.text), (0, "seen\n"), repr(done))
        check((root / "data/kept/f").exists() and (root / "data/mounted/f").exists(), "lost")
    finally:
        subprocess.run(["umount", root / "data/mounted"], check=True)


@test()
def home_of_the_root(rig):
    """a home that the root has is the root's own"""
    root = newroot(rig, "home/me")
    own(rig, root / "home/me/file", "of the root\n")
    equal(shell(rig, "cat ~/file", root=root, env={"HOME": "/home/me"}).text, "of the root\n")


def place(rig):
    """A directory of the caller's outside of /tmp, which is private inside."""
    if not os.path.ismount("/srv"):
        mount("rootlet-tests", "/srv", "tmpfs", 0, "mode=755")
    top = Path("/srv", rig.identity)
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir()
    os.chown(top, rig.uid, rig.uid)
    return top


@test()
def start_up_files_of_a_root(rig):
    """with / or a home in the root, what the next login executes stays as it is"""
    root = newroot(rig, "home/me")
    for words, home, inside in (("/", place(rig), "/srv/" + rig.identity),
                                (root, root / "home/me", "/home/me")):
        own(rig, home / ".bashrc", "old\n")
        (home / ".ssh").mkdir()
        os.chown(home / ".ssh", rig.uid, rig.uid)
        os.chown(home, rig.uid, rig.uid)
        done = chroot(rig, words, "/bin/sh", "-c",
                      f"cd {inside}; echo evil >> .bashrc; rm -f .bashrc; mv .bashrc b;"
                      "echo evil > .ssh/authorized_keys; mv .ssh .s; echo x > ordinary",
                      env={"HOME": str(home)}, cwd="/")
        check((home / "ordinary").exists(), repr(done))
        equal((home / ".bashrc").read_text(), "old\n", f"{words}: {done!r}")
        check(not list((home / ".ssh").iterdir()), "a key was planted")


@test()
def locks_of_the_site(rig):
    """what the site's file locks, volumes, writable roots and subtrees do not undo"""
    root = newroot(rig)
    host = ("mount -t tmpfs x /mnt; cp -a /etc /mnt/etc; mkdir -p /mnt/etc/rootlet;"
            "printf '[isolation]\\nlocked = [\"bind\"]\\n' > /mnt/etc/rootlet/config.toml;"
            "mount --bind /mnt/etc /etc")
    done = chroot(rig, "-r", root, "probe", "exit", "7", host=host)
    equal(done.status, 7, repr(done))
    for words in (["chroot", root], ["chroot", "-r", "-v", "/etc:/mnt", root],
                  ["encapsulate", "/etc"], ["encapsulate", "/"]):
        rig.run(rig.rootlet, *words, "true", host=host, cwd="/").failed_by_us("bind", "locked")
    done = chroot(rig, "-rk", root, "true", host=host)
    check(done.status == 125 and "locked" in done.errors, repr(done))


@test()
def keep_old_root_is_loud(rig):
    """-k alone leaves the host in reach, at /mnt or -o's place, and says so; -o alone is ignored"""
    root = newroot(rig)
    done = chroot(rig, root, "ls", "/mnt")
    equal(done.text, "")
    done = chroot(rig, "-k", root, "ls", "/mnt")
    contains(done.text, "etc\n")
    contains(done.errors, "ALL FILES OF THE HOST")
    equal(len(done.errors.splitlines()), 1, repr(done))
    contains(chroot(rig, "-k", "-o", "/old", root, "ls", "/old").text, "etc\n")
    done = chroot(rig, "-o", "/old", root, "ls", "/")
    check("old" not in done.text.split(), repr(done))
    contains(done.errors, "ignored")


# --- what went wrong there ---------------------------------------------------

@test()
def n_status_was_a_number_of_a_process(rig):
    """n-1: the command's own status and signal; 126 and 127 for what cannot be run"""
    root = newroot(rig)
    for code in (0, 1, 7, 126, 255):
        equal(chroot(rig, root, "probe", "exit", str(code)).status, code)
    equal(chroot(rig, root, "probe", "die", "15").status, -15)
    equal(chroot(rig, root, "no-such-command").status, 127)
    equal(chroot(rig, root, "/etc/passwd").status, 126)


@test()
def n_options_of_the_command_were_eaten(rig):
    """n-2: the command's options reach it untouched and change nothing"""
    root = newroot(rig)
    for options in ([], ["-n"], ["--"]):
        done = chroot(rig, *options, root, "probe", "args", *OPTIONS)
        equal([bytes.fromhex(line.rstrip(".")).decode() for line in done.text.splitlines()],
              list(OPTIONS), repr(done))
        equal(done.errors, "")
    equal(chroot(rig, root, "ls", "-k", "/mnt").text, "")
    equal(chroot(rig, root, "sh", "-c", "exit 7").status, 7)


@test()
def n_left_by_a_second_chroot(rig):
    """n-3: root inside, mapped or not, cannot chroot, remount, unmount or mount"""
    root = newroot(rig, "opt/foo")
    modes = [[], ["-r"], ["-M", own_map(rig)], ["-M", own_map(rig), "-r", "-n", "-i"]]
    try:
        lend()
        modes.append(["-M", lent_map(rig), "-G", lent_map(rig)])
    except Skip:
        pass
    for options in modes:
        text = chroot(rig, *options, root, "probe", "break").text
        for what in ("own remount", "own umount", "own tmpfs", "sethostname", "chroot",
                     "nested umount", "nested sysctl"):
            lines = [line for line in text.splitlines() if line.startswith(what + ":")]
            check(lines and all(not line.endswith(": ok") for line in lines),
                  f"{options} {what}: {text}")


@test()
def n_inherited_directory(rig):
    """n-4: a directory descriptor of the caller is no way out"""
    root = newroot(rig)
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for options in ([], ["-r"], ["-k"]):
            done = chroot(rig, *options, root, "probe", "fds", close_fds=False,
                          preexec_fn=lambda: os.dup2(fd, 5, inheritable=True))
            equal(done.text.split(), ["0", "1", "2"], str(options))
    finally:
        os.close(fd)


@test()
def n_killed_processes_outside(rig):
    """n-5: no process outside can be seen or signalled"""
    root = newroot(rig)
    sleeper = rig.start("sleep", "30")
    try:
        equal(chroot(rig, root, "probe", "kill", str(sleeper.pid)).text, "kill: ESRCH\n")
        equal(sleeper.poll(), None, "it was killed")
        check(str(sleeper.pid) not in chroot(rig, root, "ls", "/proc").text.split(), "seen")
    finally:
        sleeper.kill()
        sleeper.wait()


@test()
def n_command_outlived_the_launcher(rig):
    """n-6: with the launcher ends all of its run"""
    root = newroot(rig)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP):
        with Untouched():
            process = rig.start(rig.rootlet, "chroot", root, "sh", "-c",
                                "setsid sleep 60 & echo ready; sleep 60")
            equal(process.stdout.readline(), b"ready\n")
            process.send_signal(number)
            equal(process.wait(10), -number)


@test()
def n_abstract_sockets(rig):
    """n-7: abstract sockets of the host are refused, with its network too"""
    root = newroot(rig)
    name = f"rootlet-nsroot-{os.getpid()}"
    service = socket.socket(socket.AF_UNIX)
    service.bind("\0" + name)
    service.listen(4)
    with service:
        equal(chroot(rig, "-n", root, "probe", "abstract", name).text, "abstract: ECONNREFUSED\n")
        done = chroot(rig, root, "probe", "abstract", name)
        release = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2]))
        if release < (6, 12):
            raise Skip("Landlock scopes abstract sockets since Linux 6.12")
        check("ok" not in done.text, repr(done))


@test()
def n_typed_into_the_terminal(rig):
    """n-8: TIOCSTI is refused, high bits or not"""
    text = chroot(rig, newroot(rig), "probe", "break").text
    contains(text, "TIOCSTI: EPERM")
    contains(text, "TIOCSTI high: EPERM")


@test()
def n_privileges_stayed(rig):
    """n-9: no capability, no_new_privs, a filter; loader and interpreter variables stay out"""
    root = newroot(rig)
    for options in ([], ["-M", own_map(rig)]):
        text = chroot(rig, *options, root, "grep", "-E", "Cap(Eff|Prm|Bnd|Amb)|NoNewPrivs|Seccomp:",
                      "/proc/self/status").text
        values = dict(line.split(":") for line in text.splitlines())
        equal({k: int(v, 16) for k, v in values.items()},
              {"CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2})
    done = chroot(rig, root, "env", env={"LD_PRELOAD": "/x.so", "PYTHONPATH": "/x", "MINE": "1"})
    names = {line.split("=")[0] for line in done.text.splitlines()}
    check("MINE" in names and not names & {"LD_PRELOAD", "PYTHONPATH", "APPIMAGE"}, repr(done))


@test()
def n_gid_map_was_refused(rig):
    """n-10: -G works for an ordinary user, and so does -M"""
    done = shell(rig, "id -u; id -g; whoami", "-M", own_map(rig), "-G", own_map(rig))
    equal(done.text, "0\n0\nroot\n", repr(done))
    done = shell(rig, "id -u; id -g", "-M", f"7 {rig.uid} 1", "-G", f"8 {rig.uid} 1")
    equal(done.text, "7\n8\n", repr(done))


@test()
def n_ranges_were_refused(rig):
    """n-11: a map of several ranges works where subuid lends them, else one line says what is lent"""
    lend()
    root = newroot(rig)
    ranges = ["-M", lent_map(rig), "-G", lent_map(rig)]
    done = shell(rig, "wc -l < /proc/self/uid_map; touch /data/f; busybox chown 5:6 /data/f",
                 *ranges, root=root)
    equal((done.status, done.text), (0, "2\n"), repr(done))
    made = (root / "data/f").stat()
    equal((made.st_uid, made.st_gid), (LENT + 4, LENT + 5), "owner outside")
    if not rig.root:
        foreign = "0 0 2"
        chroot(rig, "-M", foreign, root, "true").failed_by_us("subuid")


@test()
def n_volumes_in_reverse(rig):
    """n-12: a volume inside another is seen, in whichever order they are given"""
    root = newroot(rig)
    outer = own(rig, rig.top / "outer/sub/of-outer").parents[1]
    inner = own(rig, rig.top / "inner/of-inner").parent
    volumes = (["-v", f"{outer}:/mnt"], ["-v", f"{inner}:/mnt/sub"])
    for first, second in (volumes, volumes[::-1]):
        equal(chroot(rig, *first, *second, root, "ls", "/mnt", "/mnt/sub").text,
              "/mnt:\nsub\n\n/mnt/sub:\nof-inner\n")
    # Of two for one place the later one is seen.
    equal(chroot(rig, "-v", f"{outer}:/mnt", "-v", f"{inner}:/mnt", root, "ls", "/mnt").text,
          "of-inner\n")


@test()
def n_links_led_into_the_new_root(rig):
    """n-13: a SRC that is a symlink shows what it names on the host"""
    root = newroot(rig)
    target = own(rig, rig.top / "target/file", "of the host\n").parent
    link = rig.top / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    (root / str(target)[1:]).mkdir(parents=True)
    equal(chroot(rig, "-v", f"{link}:/mnt", root, "cat", "/mnt/file").text, "of the host\n")


@test()
def n_relative_sources(rig):
    """n-14: a relative SRC and a relative NEWROOT are taken from the current directory"""
    root = newroot(rig)
    own(rig, rig.top / "volume/file", "seen\n")
    equal(chroot(rig, "-v", "volume:/mnt", "newroot", "cat", "/mnt/file", cwd=rig.top).text, "seen\n")
    equal(chroot(rig, "-v", "../volume/file:/etc/hosts", ".", "cat", "/etc/hosts", cwd=root).text,
          "seen\n")


@test()
def n_empty_source_was_the_host(rig):
    """n-15: an empty SRC or DEST is refused"""
    root = newroot(rig)
    for volume in (":/mnt", "/etc:", ":", "", "/etc", "/etc:/mnt:rx", "a:/b:ro:c"):
        done = chroot(rig, "-v", volume, root, "true")
        done.failed_by_us("-v", f"'{volume}'", "SRC:DEST[:ro|rw]")


@test()
def n_mounts_below_a_source(rig):
    """n-16: what is mounted below SRC or NEWROOT is there, read-only where that was asked for"""
    root = newroot(rig)
    below = rig.top / "volume/below"
    below.mkdir(parents=True, exist_ok=True)
    points = [below, root / "data"]
    try:
        for point in points:
            mount("rootlet-tests", str(point), "tmpfs")
            own(rig, point / "file", "below\n")
            os.chown(point, rig.uid, rig.uid)
        script = ("cat /mnt/below/file /data/file; for f in /mnt/below/new /data/new; do"
                  " (echo x > $f) 2>/dev/null && echo $f; done; exit 0")
        equal(shell(rig, script, "-v", f"{rig.top}/volume:/mnt", root=root).text,
              "below\nbelow\n/mnt/below/new\n/data/new\n")
        equal(shell(rig, script, "-r", "-v", f"{rig.top}/volume:/mnt:ro", root=root).text,
              "below\nbelow\n")
    finally:
        for point in points:
            subprocess.run(["umount", point], check=False)


@test()
def n_locked_flags(rig):
    """n-17: ro and -r work on file systems mounted nosuid, nodev and noexec"""
    root = newroot(rig)
    point = rig.top / "flagged"
    point.mkdir(exist_ok=True)
    mount("rootlet-tests", str(point), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    try:
        own(rig, point / "file", "flagged\n")
        os.chown(point, rig.uid, rig.uid)
        shutil.copytree(root, point / "root", symlinks=True)
        done = shell(rig, "cat /mnt/file; echo x > /mnt/file", "-r", "-v", f"{point}:/mnt:ro",
                     root=root)
        equal(done.text, "flagged\n", repr(done))
        check(done.status != 0, "written")
        # Nothing can be executed there, inside as outside.
        equal(chroot(rig, "-r", point / "root", "true").status, 126)
    finally:
        subprocess.run(["umount", point], check=True)


@test()
def n_root_without_spare_directory(rig):
    """n-18: a root that holds one program and no other directory works, read-only too"""
    root = rig.top / "bare"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    shutil.copy(rig.tools / "probe", root / "probe")
    for options in ([], ["-r"], ["-n", "-r", "-v", "/etc:/etc:ro"]):
        equal(chroot(rig, *options, root, "/probe", "exit", "7").status, 7, str(options))
    equal(sorted(p.name for p in root.iterdir()), ["probe"], "made in it")


@test()
def n_loopback_was_down(rig):
    """n-19: with -n programs reach one another over 127.0.0.1 and ::1"""
    root = newroot(rig)
    equal(chroot(rig, "-n", root, "probe", "loopback").text, "loopback: ok\n")
    text = chroot(rig, "-n", root, "cat", "/proc/net/if_inet6").text
    if Path("/proc/net/if_inet6").exists():
        contains(text, "00000000000000000000000000000001")


@test()
def n_no_proc_dev_tmp(rig):
    """n-20: /proc, /dev and /tmp are there, and the run's own"""
    root = newroot(rig)
    own(rig, Path("/tmp/of-the-host"), "x")
    with Untouched():
        done = shell(rig, "echo x > /dev/null; head -c 4 /dev/zero | wc -c; ls /tmp; ls /dev/pts;"
                     "echo x > /tmp/f && echo x > /dev/shm/f && cat /tmp/f; test -e /proc/self/exe"
                     " && echo self", root=root, env={"HOME": "/home/me"})
    Path("/tmp/of-the-host").unlink()
    equal(done.text, "4\nptmx\nx\nself\n", repr(done))


@test()
def n_unknown_options_crashed(rig):
    """n-21: a wrong option is one line that names it and 125, on stderr; -h is help and 0"""
    root = newroot(rig)
    wrong = {"-q": "-q", "-rq": "-q", "--volumes=a:b": "--volume", "--nett": "--net",
             "--read-only=x": "no value"}
    for option, part in wrong.items():
        chroot(rig, option, root, "true").failed_by_us(part)
    for option in ("-v", "-o", "-M", "--gid-map"):
        chroot(rig, option).failed_by_us(option, "value")
    chroot(rig, "-o", "relative", root, "true").failed_by_us("-o", "relative")
    chroot(rig, "-M", "0 x 1", root, "true").failed_by_us("-M", "INSIDE OUTSIDE COUNT")
    chroot(rig, rig.top / "no-root", "true").failed_by_us("no-root")
    chroot(rig, "", "true").failed_by_us("NEWROOT")
    chroot(rig, "--rootlet-hostnam=x", root).failed_by_us("--rootlet-hostname")
    for option in ("-h", "--help"):
        done = chroot(rig, option)
        check(done.status == 0 and done.text.startswith("Usage: rootlet chroot"), repr(done))


@test()
def n_no_command(rig):
    """n-22: without a command $SHELL -i runs, /bin/sh where the root lacks it; without NEWROOT ."""
    root = newroot(rig)
    for shell_, words, cwd in (("/bin/sh", [root], None), ("/bin/no-such-shell", [root], None),
                               ("", [root], None), ("/bin/sh", [], root)):
        done = chroot(rig, *words, input=b"echo ran in $PWD; exit 7\n", env={"SHELL": shell_},
                      cwd=cwd)
        equal(done.status, 7, f"{shell_}: {done!r}")
        contains(done.text, "ran in /\n")


@test()
def n_stopped_children(rig):
    """n-23: signals arrive once, and stop and continue behave as in a direct run"""
    root = newroot(rig)
    process = rig.start(rig.rootlet, "chroot", root, "probe", "catch", "2", "15", "18", stdin=-1,
                        process_group=0)
    equal(process.stdout.readline(), b"ready\n")
    for number in (2, 15):
        process.send_signal(number)
        equal(process.stdout.readline().decode(), f"got {number}\n")
    process.send_signal(signal.SIGTSTP)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        done, status = os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    check(done and os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP, "not stopped")
    process.send_signal(signal.SIGCONT)
    equal(process.stdout.readline(), b"got 18\n")
    process.stdin.write(b"q")
    process.stdin.close()
    equal(process.wait(10), 0)


@test()
def n_nobody(rig):
    """n-24: the caller keeps his ids, has a name and a home, and owns what he makes"""
    root = newroot(rig)
    name = subprocess.run(["id", "-un", str(rig.uid)], capture_output=True, text=True).stdout.strip()
    done = shell(rig, "id -u; id -g; whoami; echo x > ~/f && cat ~/f; echo x > /data/out",
                 root=root)
    equal(done.text.split(), [str(rig.uid), str(rig.uid), name, "x"], repr(done))
    equal((root / "data/out").stat().st_uid, rig.uid)
    contains((root / "etc/passwd").read_text(), "root:x:0:0::/root:/bin/sh\n")
    equal((root / "etc/passwd").read_text().count("\n"), 1, "the root's own passwd was changed")


# --- the known issues of its manual ------------------------------------------

@test()
def known_setuid_and_setgid(rig):
    """set-id programs work with a range of ids, and have no effect without"""
    root = newroot(rig)
    lend()
    for name, mode in (("u", 0o4755), ("g", 0o2755)):
        shutil.copy(rig.tools / "probe", root / "bin" / name)
        os.chown(root / "bin" / name, LENT + 6, LENT + 7)  # 7 and 8 inside
        (root / "bin" / name).chmod(mode)
    ranges = ["-M", lent_map(rig), "-G", lent_map(rig)]
    equal(shell(rig, "u ids; g ids", *ranges, root=root).text, "7:0\n0:8\n")
    equal(shell(rig, "u ids; g ids", root=root).text, f"{rig.uid}:{rig.uid}\n" * 2)


@test()
def known_dev_var_proc(rig):
    """/dev, /var and /proc of the host can be bound, and work"""
    root = newroot(rig, "var")
    done = shell(rig, "echo x > /dev/null && head -c 4 /dev/zero | wc -c; test -d /dev/pts && echo pts",
                 "-v", "/dev:/dev", root=root)
    equal(done.text, "4\npts\n", repr(done))
    done = shell(rig, "ls /var/lib | grep -c dpkg; (echo x > /var/lib/evil) 2>/dev/null; exit 0",
                 "-v", "/var:/var:ro", root=root)
    equal(done.text, "1\n", repr(done))
    sleeper = rig.start("sleep", "30")
    try:
        done = shell(rig, f"cat /proc/{sleeper.pid}/comm; ls /proc/{sleeper.pid}/root/; cat"
                     f" /proc/{sleeper.pid}/environ", "-v", "/proc:/proc", root=root)
        equal(done.text, "sleep\n", f"the host's /proc is a way out: {done!r}")
    finally:
        sleeper.kill()
        sleeper.wait()


@test()
def known_slash(rig):
    """/ as NEWROOT: the host's files with the caller's rights, own processes, no service of the host"""
    top = place(rig)
    with listening(top / "s"):
        done = chroot(rig, "/", "/bin/sh", "-c",
                      "pwd; echo x > made; ls -d /proc/[0-9]* | wc -l; ls /run;"
                      f"test -S {top}/s || echo hidden", cwd=top)
    lines = done.text.split()
    equal((lines[0], lines[2:]), (str(top), ["hidden"]), repr(done))
    check(int(lines[1]) < 6, f"processes: {done!r}")
    check((top / "made").exists(), "the caller's own directory was not writable")
    done = chroot(rig, "-r", "/", "/bin/sh", "-c", f"echo x > {top}/second", cwd="/srv")
    check(done.status != 0 and not (top / "second").exists(), repr(done))


@test()
def known_parent_of_the_directory(rig):
    """a volume that holds the current directory: the command starts there"""
    root = newroot(rig)
    own(rig, rig.cwd / "file", "here\n")
    for source in (rig.cwd, rig.home, rig.top):
        done = shell(rig, "pwd; cat file", "-v", f"{source}:{source}", root=root, cwd=rig.cwd)
        equal(done.text, f"{rig.cwd}\nhere\n", repr(done))
    equal(shell(rig, "pwd", "-v", f"{rig.home}:/mnt", root=root, cwd=rig.cwd).text, "/\n")


if __name__ == "__main__":
    main()
