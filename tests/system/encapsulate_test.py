#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rootlet encapsulate: the host read-only, the named subtrees writable.

Tests that begin with e_ are named after what went wrong with the program whose
command line this is; the number is in the docstring.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import UID, Skip, Untouched, check, contains, equal, main, mount, test
from services import call, listening, listening_elsewhere

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PYTHON = "/usr/bin/python3"


def ground(rig):
    """A directory of the caller's outside of /tmp, new for each test."""
    if not os.path.ismount("/srv"):
        mount("rootlet-tests", "/srv", "tmpfs", 0, "mode=755")
    top = Path("/srv", rig.identity)
    shutil.rmtree(top, ignore_errors=True)
    for directory in (top, top / "a", top / "b", top / "a/deep"):
        directory.mkdir()
        os.chown(directory, rig.uid, rig.uid)
    return top


def own(rig, path, text=""):
    path.write_text(text)
    os.chown(path, rig.uid, rig.uid)
    return path


def encapsulate(rig, subtrees, *command, options=(), **keywords):
    keywords.setdefault("cwd", "/srv" if os.path.ismount("/srv") else "/")
    return rig.run(rig.rootlet, "encapsulate", *options, subtrees, *command, **keywords)


def shell(rig, subtrees, script, *words, **keywords):
    return encapsulate(rig, subtrees, "/bin/sh", "-c", script, "sh", *words, **keywords)


def writes(rig, subtrees, paths, **keywords):
    """Which of these paths can be written, by what is on the host afterwards."""
    script = 'for p; do (echo x > "$p") 2>/dev/null && echo "$p"; done; exit 0'
    done = shell(rig, subtrees, script, *paths, **keywords)
    equal(done.status, 0, repr(done))
    return done.text.splitlines()


@test()
def the_same_view(rig):
    """the command sees the host's files, as the caller, in the caller's directory"""
    top = ground(rig)
    own(rig, top / "a/file", "mine\n")
    done = shell(rig, "", "pwd; cat a/file; id -u; cat /etc/hostname /etc/passwd | wc -c; hostname",
                 cwd=top)
    size = sum(os.path.getsize(f) for f in ("/etc/hostname", "/etc/passwd"))
    equal(done.text.split(), [str(top), "mine", str(rig.uid), str(size), os.uname().nodename],
          repr(done))
    equal(done.errors, "")


@test()
def only_the_named(rig):
    """named directories and files are writable at their places, nothing else is"""
    top = ground(rig)
    own(rig, top / "b/file", "")
    own(rig, top / "b/other", "")
    paths = [top / "a/new", top / "a/deep/new", top / "b/file", top / "b/other", top / "b/new",
             "/etc/new", "/usr/new", "/new", Path("/srv/new")]
    equal(writes(rig, f"{top}/a|{top}/b/file", paths), [str(p) for p in paths[:3]])
    for path in paths[3:]:
        check(not Path(path).exists() or Path(path).read_text() == "", f"{path} was written")
    equal((top / "a/new").read_text(), "x\n")
    equal(writes(rig, "", paths), [], "an empty list")


@test()
def nested_and_overlapping(rig):
    """a subtree in a subtree, twice the same, relative and through a symlink: all writable"""
    top = ground(rig)
    (top / "link").symlink_to("b")
    for subtrees in (f"{top}/a|{top}/a/deep", f"{top}/a/deep|{top}/a", f"{top}/a|{top}/a", "a",
                     "a|./a/deep"):
        got = writes(rig, subtrees, [top / "a/x", top / "a/deep/y", top / "b/z"], cwd=top)
        equal(got, [f"{top}/a/x", f"{top}/a/deep/y"], subtrees)
    equal(writes(rig, "link", [top / "link/x", top / "a/x"], cwd=top), [f"{top}/link/x"])


@test()
def a_bar_in_a_name(rig):
    """\\| is a bar in a name, \\\\ a backslash"""
    top = ground(rig)
    odd = top / "x|y\\z"
    odd.mkdir()
    os.chown(odd, rig.uid, rig.uid)
    equal(writes(rig, "a|x\\|y\\\\z", [odd / "n", top / "a/n"], cwd=top),
          [f"{odd}/n", f"{top}/a/n"])


@test()
def everything(rig):
    """/ as a subtree: what the caller may write can be written, start-up files excepted"""
    top = ground(rig)
    home = top / "home"
    home.mkdir()
    own(rig, home / ".bashrc", "old\n")
    os.chown(home, rig.uid, rig.uid)
    got = writes(rig, "/", [top / "a/n", top / "n", home / ".bashrc", home / "n"],
                 env={"HOME": str(home)})
    equal(got, [f"{top}/a/n", f"{top}/n", f"{home}/n"])


@test()
def start_up_files_of_a_named_home(rig):
    """in a writable home, what the next login executes stays read-only"""
    top = ground(rig)
    own(rig, top / ".bashrc", "old\n")
    equal(writes(rig, str(top), [top / ".bashrc", top / "n"], env={"HOME": str(top)}),
          [f"{top}/n"])


@test()
def own_namespaces(rig):
    """own processes, IPC, network with loopback up, host name and mounts"""
    ground(rig)
    names = ("mnt", "pid", "ipc", "net", "uts", "user", "cgroup")
    outside = {name: os.readlink(f"/proc/self/ns/{name}") for name in names}
    done = shell(rig, "", "".join(f"readlink /proc/self/ns/{n};" for n in names)
                 + "cat /sys/class/net/lo/operstate; ls -d /proc/[0-9]* | wc -l")
    lines = done.text.split()
    for name, inside in zip(names, lines):
        check(inside != outside[name], f"the host's {name} namespace")
    check(int(lines[-1]) <= 5, f"processes: {done!r}")


@test()
def environment_is_kept(rig):
    """the environment is the caller's, PATH and library paths included"""
    top = ground(rig)
    own(rig, top / "a/prog", "#!/bin/sh\necho $PYTHONPATH $MINE\n").chmod(0o755)
    done = encapsulate(rig, "", "prog", env={"PATH": f"{top}/a:/usr/bin:/bin", "PYTHONPATH": "/x",
                                             "MINE": "1"})
    equal(done.text, "/x 1\n", repr(done))


@test()
def private_places(rig):
    """/tmp, /var/tmp and /run are private and empty, and nothing of them stays"""
    ground(rig)
    own(rig, Path("/tmp/of-the-host"), "x")
    with Untouched():
        done = shell(rig, "", "ls -A /tmp /var/tmp /run; for d in /tmp /var/tmp; do"
                     " echo x > $d/f && cat $d/f; done")
    Path("/tmp/of-the-host").unlink()
    equal(done.text, "/run:\n\n/tmp:\n\n/var/tmp:\nx\nx\n", repr(done))


@test()
def resolver_is_brought_back(rig):
    """/etc/resolv.conf as a link into /run can be read, the rest of /run cannot"""
    ground(rig)
    done = shell(rig, "", "cat /etc/resolv.conf; find /run -type f",
                 host="mkdir -p /run/resolve; echo nameserver 1.2.3.4 > /run/resolve/stub.conf;"
                      "echo x > /run/resolve/other; mount -t tmpfs x /mnt; cp -a /etc /mnt/etc;"
                      "rm /mnt/etc/resolv.conf; ln -s ../run/resolve/stub.conf /mnt/etc/resolv.conf;"
                      "mount --bind /mnt/etc /etc")
    equal(done.text, "nameserver 1.2.3.4\n/run/resolve/stub.conf\n", repr(done))
    shutil.rmtree("/run/resolve")


# --- sockets ---------------------------------------------------------------

def refused(done, count=1):
    """Each service was called and answered with an error."""
    words = done.text.split()
    check(len(words) == count and "reached" not in words, repr(done))


@test()
def services_are_out_of_reach(rig):
    """e-5: no service of the host is reached, wherever its socket lies"""
    top = ground(rig)
    runtime = top / "xdg"
    runtime.mkdir()
    os.chown(runtime, rig.uid, rig.uid)
    odd = top / "with\nline end, blank"
    places = ["/run/service/s", "/var/run/other", "/tmp/s", "/var/tmp/s", runtime / "bus",
              top / "a/s", top / "b/s", "/var/lib/rootlet-test-s", odd]
    places = [Path(p) for p in places]
    outside = rig.run(*call(places[:1]), cwd="/")
    with listening(*places):
        equal(rig.run(*call(places), cwd="/").text.split(), ["reached"] * len(places), "outside")
        done = encapsulate(rig, "", *call(places), env={"XDG_RUNTIME_DIR": str(runtime)})
        refused(done, len(places))
        # The one that is named is let through, and it alone.
        done = encapsulate(rig, f"{top}/a|/run/service", *call(places))
        equal([w == "reached" for w in done.text.split()],
              [str(p).startswith((f"{top}/a", "/run/service")) for p in places], repr(done))
    equal(outside.text, "ENOENT\n")


@test()
def datagram_services(rig):
    """e-5: nor a service that takes datagrams, as syslog does"""
    import socket
    top = ground(rig)
    with listening(top / "log", kind=socket.SOCK_DGRAM):
        equal(rig.run(*call([top / "log"]), cwd="/").text, "reached\n")
        refused(encapsulate(rig, "", *call([top / "log"])))


@test()
def services_by_another_name(rig):
    """e-5: nor by another path of the same file, nor one of another network namespace"""
    top = ground(rig)
    (top / "alias").mkdir()
    host = f"mount --bind '{top}/a' '{top}/alias'"
    names = [top / "a/s", top / "alias/s"]
    with listening(top / "a/s"):
        done = encapsulate(rig, "", *call(names), host=host)
        refused(done, 2)
    with listening_elsewhere(top / "b/s"):
        equal(rig.run(*call([top / "b/s"]), cwd="/").text, "reached\n")
        refused(encapsulate(rig, "", *call([top / "b/s"])))


@test()
def a_file_called_like_a_socket(rig):
    """a file of the host whose name someone gave to a socket elsewhere is not hidden"""
    top = ground(rig)
    own(rig, top / "a/file", "content\n")
    code = ("import os, socket, sys; os.chroot('/mnt'); s = socket.socket(socket.AF_UNIX);"
            f"s.bind('{top}/a/file'); s.listen(1); print('ready', flush=True); sys.stdin.read()")
    script = f"mount -t tmpfs x /mnt; mkdir -p '/mnt{top}/a'; exec {PYTHON} -c \"$0\""
    service = subprocess.Popen(["unshare", "--mount", "/bin/sh", "-c", script, code],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        equal(service.stdout.readline(), b"ready\n")
        contains(Path("/proc/net/unix").read_text(), f"{top}/a/file")
        equal(encapsulate(rig, "", "cat", str(top / "a/file")).text, "content\n")
    finally:
        service.stdin.close()
        service.wait(10)


# --- what went wrong with the program of that name --------------------------

@test()
def e_flags_of_mounts_were_lost(rig):
    """e-1: every mount keeps nosuid, nodev and noexec; a set-uid file gains nothing"""
    top = ground(rig)
    flagged = top / "flagged"
    flagged.mkdir()
    mount("rootlet-tests", str(flagged), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    shutil.copy("/usr/bin/busybox", top / "id")
    (top / "id").chmod(0o6755)
    try:
        for subtrees in ("", str(top)):
            done = shell(rig, subtrees, f"{top}/id -u; cat /proc/self/mountinfo")
            user, *lines = done.text.splitlines()
            equal(user, str(rig.uid), "a set-uid file's user")
            for point, options in ((line.split()[4], line.split()[5]) for line in lines):
                if not point.startswith("/dev/"):
                    check("nosuid" in options and "nodev" in options, (point, options))
                if point == str(flagged):
                    contains(options, "noexec")
            contains(done.text, f" {flagged} ")
    finally:
        subprocess.run(["umount", flagged], check=True)


@test()
def e_written_through_proc(rig):
    """e-2: no /proc leads to the caller's own files outside"""
    top = ground(rig)
    (top / "proc").mkdir()
    sleeper = rig.start("sleep", "30")
    try:
        paths = [f"{proc}/{sleeper.pid}/{link}{top}/b/evil"
                 for proc in ("/proc", f"{top}/proc") for link in ("root", "cwd/../..")]
        got = writes(rig, f"{top}/a", paths, host=f"mount -t proc proc '{top}/proc'")
        equal(got, [])
        check(not (top / "b/evil").exists(), "a file was written outside")
    finally:
        sleeper.kill()
        sleeper.wait()


@test()
def e_inherited_directory(rig):
    """e-3: a directory descriptor of the caller is no way out"""
    top = ground(rig)
    fd = os.open(top / "b", os.O_RDONLY | os.O_DIRECTORY)
    try:
        done = shell(rig, "", "ls /proc/self/fd; echo x > /proc/self/fd/9/evil; exit 0",
                     close_fds=False, preexec_fn=lambda: os.dup2(fd, 9, inheritable=True))
    finally:
        os.close(fd)
    check("9" not in done.text.split() and not (top / "b/evil").exists(), repr(done))


@test()
def e_directory_too_long_to_name(rig):
    """e-4: a directory that cannot be entered again inside refuses the run"""
    top = ground(rig)

    def go_deep():
        os.chdir(top / "b")
        for _ in range(25):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    done = rig.run(rig.rootlet, "encapsulate", "", "/bin/sh", "-c", "echo x > evil",
                   preexec_fn=go_deep)
    done.failed_by_us("keep the current directory", "too long")
    found = subprocess.run(["find", top, "-name", "evil"], capture_output=True, check=True)
    equal(found.stdout, b"", "written outside")
    for cwd, word in (("/tmp", "empty inside"), ("/run", "empty inside")):
        encapsulate(rig, "", "true", cwd=cwd).failed_by_us("keep the current directory", cwd, word)
    equal(encapsulate(rig, "/tmp", "pwd", cwd="/tmp").text, "/tmp\n")
    subprocess.run(["rm", "-rf", top], check=True)


@test()
def e_root_remounted_it(rig):
    """e-6: not even root inside, or root of a nested namespace, gets the writable host back"""
    top = ground(rig)
    script = (f"mount -o remount,rw,bind /; mount -o remount,rw /; umount -l /run; mount --bind {top} /mnt;"
              f"for d in {top}/b /mnt/b; do echo x > $d/evil; done")
    done = shell(rig, "", f"{script}; unshare -Urm sh -c '{script}'; exit 0")
    check(not (top / "b/evil").exists(), repr(done))
    done = shell(rig, "", f"{script}; exit 0", options=["--rootlet-fake-root"])
    check(not (top / "b/evil").exists(), repr(done))
    contains(shell(rig, "", "grep CapBnd /proc/self/status").text, "0000000000000000")


@test(by="user")
def e_unchecked_steps(rig):
    """e-7: whichever call of the start fails, nothing runs with less than was asked for"""
    if not shutil.which("strace"):
        raise Skip("no strace here: scripts/setup installs it")
    top = ground(rig)
    with listening(top / "s"):
        script = (f"echo x > {top}/b/evil; grep -q 'CapEff:.*0000$' /proc/self/status || exit 43;"
                  f"exec {PYTHON} -c \"$0\" {top}/s")
        judge = ["/bin/sh", "-c", script, call([])[2]]
        refused(encapsulate(rig, "", *judge))
        for error in ("mount:EPERM", "mount_setattr:EPERM", "mount_setattr:ENOSYS", "chdir:EACCES",
                      "pivot_root:EPERM", "umount2:EINVAL"):
            name, code = error.split(":")
            for n in range(1, 60):
                log = top / "trace"
                log.write_text("")
                log.chmod(0o666)
                done = rig.run("strace", "-f", "-qq", "-o", log, "-e", f"trace={name}", "-e",
                               f"inject={name}:error={code}:when={n}", rig.rootlet, "encapsulate",
                               "", *judge, cwd="/srv")
                check(not (top / "b/evil").exists(), f"{error} {n}: written")
                if "(INJECTED)" not in log.read_text(errors="replace"):
                    break
                check(done.code == 125 or done.text in ("EACCES\n", ""), f"{error} {n}: {done}")


@test()
def e_existence_was_told(rig):
    """e-8: a subtree that is not there and one behind a closed door get the same answer"""
    top = ground(rig)
    (top / "closed").mkdir(mode=0o700)
    (top / "closed/there").mkdir()
    answers = set()
    for name in ("closed/there", "closed/not"):
        if rig.root and name == "closed/there":
            continue  # nothing is closed to root
        done = encapsulate(rig, str(top / name), "true")
        done.failed_by_us("not there, or not for you")
        answers.add(done.errors.replace(name, ""))
    equal(len(answers), 1)


@test()
def e_status_was_lost(rig):
    """e-9: the command's own status and signal; 127 and 126 for what cannot be run; 125 without one"""
    top = ground(rig)
    for code in (0, 1, 7, 125, 255):
        equal(shell(rig, "", f"exit {code}").status, code)
    equal(shell(rig, "", "kill -TERM $$").status, -signal.SIGTERM)
    equal(encapsulate(rig, "", "no-such-command").status, 127)
    own(rig, top / "a/plain", "text\n")
    equal(encapsulate(rig, "", str(top / "a/plain")).status, 126)
    encapsulate(rig, "").failed_by_us("no COMMAND")


@test()
def e_mount_points_with_blanks(rig):
    """e-10: mounts whose names hold blank, tab, newline and backslash are read-only inside, too"""
    top = ground(rig)
    odd = [top / name for name in ("a b", "a\tb", "a\nb", "a\\b", "a\\040b")]
    try:
        for point in odd:
            point.mkdir()
            mount("rootlet-tests", str(point), "tmpfs")
            os.chown(point, rig.uid, rig.uid)
        equal(writes(rig, "", [p / "x" for p in odd]), [])
        equal(shell(rig, "|".join(str(p).replace("\\", "\\\\") for p in odd[:4]),
                    "for d; do echo x > \"$d/x\" || exit 1; done", *odd[:4]).status, 0)
        check(all((p / "x").exists() for p in odd[:4]) and not (odd[4] / "x").exists(), "written")
        if not shutil.which("strace"):
            raise Skip("no strace here: scripts/setup installs it")
        # As before Linux 5.12.
        for point in odd:
            (point / "x").unlink(missing_ok=True)
        script = 'for p; do (echo x > "$p/x") 2>/dev/null && echo "$p"; done; exit 0'
        done = rig.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=mount_setattr", "-e",
                       "inject=mount_setattr:error=ENOSYS", rig.rootlet, "encapsulate",
                       str(odd[0]), "/bin/sh", "-c", script, "sh", *odd, top, "/etc", cwd="/srv")
        equal(done.text, f"{odd[0]}\n", repr(done))
    finally:
        for point in odd:
            subprocess.run(["umount", point], check=False)


@test()
def e_mounts_below_vanished(rig):
    """e-11: what is mounted below a subtree is there and writable; below another directory read-only"""
    top = ground(rig)
    points = [top / "a/deep", top / "b/m"]
    points[1].mkdir()
    try:
        for point in points:
            mount("rootlet-tests", str(point), "tmpfs")
            os.chown(point, rig.uid, rig.uid)
            own(rig, point / "file", "below\n")
        equal(shell(rig, f"{top}/a", f"cat {points[0]}/file {points[1]}/file").text,
              "below\nbelow\n")
        equal(writes(rig, f"{top}/a", [p / "n" for p in points]), [f"{points[0]}/n"])
    finally:
        for point in points:
            subprocess.run(["umount", point], check=False)


@test()
def e_launcher_was_killed(rig):
    """e-12: with the launcher ends the command, and nothing is left"""
    ground(rig)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP):
        with Untouched():
            process = rig.start(rig.rootlet, "encapsulate", "", "/bin/sh", "-c",
                                "echo ready; sleep 60 & wait", cwd="/srv")
            equal(process.stdout.readline(), b"ready\n")
            process.send_signal(number)
            equal(process.wait(10), -number)


@test()
def e_daemons_outlived_it(rig):
    """e-13: with the command end its children, daemons too"""
    ground(rig)
    with Untouched():
        done = shell(rig, "", "setsid sleep 60 >/dev/null 2>&1 & exit 3")
        equal(done.status, 3)


@test()
def e_the_shell_made_a_pipe(rig):
    """e-14: an unquoted list is answered with the quotes; a repeated option needs none"""
    top = ground(rig)
    done = rig.run("/bin/sh", "-c", f'"$0" encapsulate {top}/a|cat', rig.rootlet, cwd="/srv")
    contains(done.errors, "no COMMAND")
    contains(done.errors, "'A|B'")
    got = writes(rig, "", [top / "a/n", top / "b/n"], options=[f"--rootlet-bind={top}/a"])
    equal(got, [f"{top}/a/n"])


@test()
def e_errors_on_stdout(rig):
    """e-15: every error is one line on stderr that names its cause, with 125"""
    top = ground(rig)
    encapsulate(rig, f"{top}/a|", "true").failed_by_us("'A|B|...'", "empty")
    encapsulate(rig, f"{top}/none", "true").failed_by_us(f"{top}/none")
    encapsulate(rig, "", "true", options=["--rootlet-hostnam=x"]).failed_by_us("hostname?")
    rig.run(rig.rootlet, "encapsulate", cwd="/srv").failed_by_us("no subtrees")
    done = rig.run(rig.rootlet, "encapsulate", "--help", cwd="/srv")
    check(done.status == 0 and done.text.startswith("Usage: rootlet encapsulate"), repr(done))


# --- hosts -------------------------------------------------------------------

@test()
def shared_propagation(rig):
    """on a host that shares its mounts none of ours arrives there, and none that comes later here"""
    top = ground(rig)
    late = top / "b/late"
    late.mkdir()
    script = (f"mount --make-rshared /; before=$(wc -l < /proc/self/mountinfo);"
              f"\"$@\" & wait_for=$!; for i in $(seq 100); do [ -e {top}/a/go ] && break; sleep 0.05; done;"
              f"mount -t tmpfs x {late}; chmod 777 {late}; touch {top}/a/mounted; wait $wait_for;"
              f"umount {late}; [ $before = $(wc -l < /proc/self/mountinfo) ] && echo same")
    inside = (f"touch {top}/a/go; for i in $(seq 100); do [ -e {top}/a/mounted ] && break; sleep 0.05;"
              f"done; (echo x > {late}/evil) 2>/dev/null && echo written; exit 0")
    drop = [] if rig.root else ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--"]
    done = rig.as_root("unshare", "--mount", "/bin/sh", "-c", f"cd /srv; {script}", "sh", *drop,
                       rig.rootlet, "encapsulate", f"{top}/a", "/bin/sh", "-c", inside)
    check((top / "a/go").exists(), f"it did not run: {done!r}")
    equal(done.text, "same\n", repr(done))


@test()
def without_namespaces(rig):
    """where the host refuses namespaces the run is refused, with the knob"""
    ground(rig)
    done = rig.as_root(rig.host_maker, "userns", "0", rig.uid, "/bin/sh", "-c",
                       'cd /srv; exec "$0" encapsulate "" true', rig.rootlet)
    done.failed_by_us("user.max_user_namespaces")


@test()
def called_by_its_name(rig):
    """a symlink named encapsulate takes the same command line"""
    top = ground(rig)
    link = top / "encapsulate"
    link.symlink_to(rig.rootlet)
    done = rig.run(link, f"{top}/a", "/bin/sh", "-c", f"echo x > {top}/a/n; echo x > {top}/n", cwd=top)
    check(done.status != 0 and (top / "a/n").exists() and not (top / "n").exists(), repr(done))


@test()
def view_of_the_host_by_run(rig):
    """rootlet run / is the same view; the current directory is writable, as contained has it"""
    top = ground(rig)
    done = rig.run(rig.rootlet, "run", "--exec", "/bin/sh", "/", "-c",
                   "pwd; echo x > n; ls /run; echo x > ../b/evil", cwd=top / "a")
    equal(done.text, f"{top}/a\n", repr(done))
    check((top / "a/n").exists() and not (top / "b/evil").exists(), repr(done))
    image = rig.run(rig.image, "--rootlet-image=/", "--rootlet-exec=/bin/true", cwd="/srv")
    image.failed_by_us("rootlet run /")


if __name__ == "__main__":
    main()
