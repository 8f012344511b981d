#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which ids exist inside: the caller's own, maps of one's own, subordinate ones, a fake root."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from lent_ids import COUNT, LENT, lend
from rig import UID, WORK, Skip, Untouched, check, contains, equal, main, test

KEPT = 0b11111011  # chown, dac_override, fowner, fsetid, kill, setgid, setuid


def map_of(rig, first=0):
    return f"{first} {rig.uid} 1,{first + 1} {LENT} {COUNT - 1}"


def both(text):
    return [f"uid-map={text}", f"gid-map={text}"]


@test()
def another_number(rig):
    """uid-map and gid-map show the caller under another number, with his name there"""
    done = rig.shell("id -u; id -g; id -un; stat -c %u:%g /opt/foo/share/data.txt; touch made;"
                     "grep Cap /proc/self/status | cut -f2 | sort -u",
                     options=both(f"7 {rig.uid} 1"))
    equal(done.text.split(), ["7", "7", "user", "7:7", "0" * 16], repr(done))
    made = rig.cwd / "made"
    equal((made.stat().st_uid, made.stat().st_gid), (rig.uid, rig.uid), "owner outside")
    made.unlink()


@test()
def fake_root_alone(rig):
    """without subordinate ids fake-root is uid 0, root by name, and can do nothing by it"""
    script = ("id -u; id -un; id -gn; echo $HOME; stat -c %u /opt/foo/share/data.txt;"
              "cat /proc/self/uid_map; grep -E 'Cap(Eff|Bnd)|NoNew' /proc/self/status | cut -f2;"
              "mount -t tmpfs none /mnt 2>/dev/null && echo mounted; touch made")
    done = rig.shell(script, options=["fake-root"])
    lines = done.text.split("\n")
    equal(lines[:5], ["0", "root", "root", str(rig.home), "0"], repr(done))
    equal(lines[5].split(), ["0", str(rig.uid), "1"], repr(done))
    equal(lines[6:9], ["0" * 16, "0" * 16, "1"], repr(done))
    equal((rig.cwd / "made").stat().st_uid, rig.uid, "owner outside")
    check("mounted" not in done.text, "mounted")
    (rig.cwd / "made").unlink()


@test()
def fake_root_with_lent_ids(rig):
    """with subordinate ids fake-root owns, gives away and becomes them; the host sees its own"""
    lend()
    if rig.root:
        for name in ("subuid", "subgid"):
            (WORK / name).write_text(f"rootlet-test:{LENT}:{COUNT}\nroot:{LENT}:{COUNT}\n")
    script = ("id -u; wc -l < /proc/self/uid_map; touch given own; chown 33:44 given;"
              "stat -c %u:%g given own /opt/foo/share/data.txt; /opt/foo/bin/probe become 33 44 id -u;"
              "chmod 600 given; cat given && echo readable")
    os.makedirs(rig.cwd / "lent", exist_ok=True)
    os.chown(rig.cwd / "lent", rig.uid, rig.uid)
    done = rig.shell(script, options=["fake-root"], cwd=rig.cwd / "lent")
    equal(done.text.split(), ["0", "2", "33:44", "0:0", "0:0", "33", "readable"], repr(done))
    given = (rig.cwd / "lent/given").stat()
    equal((given.st_uid, given.st_gid), (LENT + 32, LENT + 43), "owner outside")
    shutil.rmtree(rig.cwd / "lent")


@test()
def what_lent_ids_may_do(rig):
    """a range gives the seven capabilities that own and become, not one that mounts or traces"""
    lend()
    done = rig.shell("grep -E 'Cap(Eff|Bnd)|Seccomp:' /proc/self/status | cut -f2;"
                     "busybox mount -o remount,rw,bind / 2>&1; busybox hostname other 2>&1;"
                     "cat /proc/1/environ 2>&1; busybox mount -t tmpfs x /tmp 2>&1",
                     options=both(map_of(rig)))
    lines = done.text.splitlines()
    equal([int(line, 16) for line in lines[:2]], [KEPT, KEPT], repr(done))
    equal(lines[2], "2", "the filter is on")
    equal(len([l for l in lines[3:] if "denied" in l or "not permitted" in l or "must be" in l]), 4,
          repr(done))


@test()
def setuid_programs_with_lent_ids(rig):
    """with a range a setuid or setgid program of the image works; without, it does not"""
    lend()
    tree = rig.top / "setuid tree"
    if not tree.exists():
        shutil.copytree(WORK / "tree", tree, symlinks=True)
        for name, mode in (("as-owner", 0o4755), ("as-group", 0o2755)):
            shutil.copy(WORK / "tools/probe", tree / "bin" / name)
            (tree / "bin" / name).chmod(mode)
    image = rig.build(tree, "setuid.AppImage", "--entry", "/opt/foo/bin/probe")
    script = ("b='/opt/foo/bin/probe become 33 44'; $b /bin/as-owner ids; $b /bin/as-group ids;"
              "$b /opt/foo/bin/probe ids")
    run = lambda *options: rig.run(image, *("--rootlet-" + o for o in options),
                                   "--rootlet-exec=/bin/sh", "-c", script)
    done = run(*both(map_of(rig)))
    equal(done.text.split(), ["0:44", "33:0", "33:44"], repr(done))
    equal(run(*both(f"0 {rig.uid} 1")).text, "", "without other ids there is nobody to become")
    shutil.rmtree(tree)


@test()
def setuid_files_of_the_host(rig):
    """a setuid file that lies on a bound host directory has no effect, range or not"""
    lend()
    program = rig.cwd / "suid"
    shutil.copy(WORK / "tools/probe", program)
    os.chown(program, rig.uid, rig.uid)
    program.chmod(0o4755)
    done = rig.shell("/opt/foo/bin/probe become 33 44 ./suid ids", options=both(map_of(rig)))
    equal(done.text, "33:44\n", repr(done))
    program.unlink()


@test()
def signals_after_a_change_of_ids(rig):
    """a tool that became a lent id still gets the signals, and ends with the launcher"""
    lend()
    with Untouched():
        process = rig.start(rig.image, *("--rootlet-" + o for o in both(map_of(rig))),
                            "--rootlet-exec=/bin/sh", "-c",
                            "exec /opt/foo/bin/probe become 33 44 /bin/sh -c 'trap \"echo got\" USR1;"
                            "echo ready; while :; do sleep 0.05; done'")
        process.stdout.readline()
        process.send_signal(10)
        equal(process.stdout.readline(), b"got\n")
        process.kill()
        process.wait()


@test(by="user")
def ids_without_the_callers(rig):
    """a map that leaves the caller out runs the tool as the first id of the map"""
    lend()
    done = rig.shell("id -u; id -g; stat -c %u:%g /opt/foo/share/data.txt / /tmp; touch /tmp/x",
                     options=both(f"5 {LENT} 10"), cwd="/")
    equal(done.text.split(), ["5", "5", "5:5", "5:5", "5:5"], repr(done))
    equal(done.status, 0, repr(done))


@test(by="root")
def root_takes_any_map(rig):
    """root maps any ids without newuidmap; the tool is then nobody on the host"""
    done = rig.shell("id -u; id -G; touch /tmp/x; (echo x > /proc/sys/kernel/core_pattern) 2>&1;"
                     "ls .; sleep 0.3", options=both(f"0 {LENT} 1000"),
                     host="mount --bind /dev/null /usr/bin/newuidmap")
    equal(done.text.split("\n")[:2], ["0", "0"], repr(done))
    equal(done.status, 0, repr(done))
    process = rig.start(rig.image, *("--rootlet-" + o for o in both(f"0 {LENT} 1000")),
                        "--rootlet-exec=/bin/sh", "-c", "echo ready; sleep 5")
    process.stdout.readline()
    ids = [Path("/proc", pid, "status").read_text().split("\nUid:\t")[1].split()[0]
           for pid in os.listdir("/proc") if pid.isdigit()
           and Path("/proc", pid, "cmdline").read_bytes().startswith(b"/bin/sh\0-c\0echo ready")]
    process.kill()
    equal(ids, [str(LENT)], "the tool's uid outside")


@test(by="root")
def root_as_a_plain_number(rig):
    """root under a plain number is that number inside, and root's files stay root's"""
    done = rig.shell("id -u; id -g; touch made", options=both("1000 0 1"))
    equal(done.text.split(), ["1000", "1000"], repr(done))
    equal((rig.cwd / "made").stat().st_uid, 0)
    (rig.cwd / "made").unlink()


@test(by="user")
def helper_is_missing(rig):
    """without newuidmap a map of other ids is refused, and the package is named"""
    lend()
    rig.shell("echo ran", options=both(map_of(rig)),
              host="mount --bind /dev/null /usr/bin/newuidmap").failed_by_us("newuidmap", "uidmap")
    # A program of that name anywhere else is nobody's.
    false = rig.top / "bin"
    false.mkdir(exist_ok=True)
    (false / "newuidmap").write_text("#!/bin/sh\necho taken > /tmp/taken\n")
    (false / "newuidmap").chmod(0o755)
    rig.shell("echo ran", options=both(map_of(rig)), env={"PATH": f"{false}:/usr/bin"},
              host="mount --bind /dev/null /usr/bin/newuidmap").failed_by_us("newuidmap")
    check(not Path("/tmp/taken").exists(), "a newuidmap of PATH was run")


@test(by="user")
def helper_of_a_stranger(rig):
    """a newuidmap that others may change is not run"""
    lend()
    for mode, owner in ((0o4777, 0), (0o755, UID)):
        host = (f"cp -p /usr/bin/newuidmap '{rig.top}/mine'; chown {owner} '{rig.top}/mine';"
                f"chmod {mode:o} '{rig.top}/mine'; mount --bind '{rig.top}/mine' /usr/bin/newuidmap")
        rig.shell("echo ran", options=both(map_of(rig)), host=host).failed_by_us("newuidmap")


@test(by="user")
def not_lent(rig):
    """ids that subuid does not lend are refused in one line that says what it lends"""
    lend()
    done = rig.shell("echo ran", options=both("0 1 10"))
    done.failed_by_us("--rootlet-uid-map", "/etc/subuid would allow", str(LENT))
    done = rig.shell("echo ran", options=both(map_of(rig)),
                     host="mount --bind /dev/null /etc/subuid")
    done.failed_by_us("/etc/subuid has no line for rootlet-test", "usermod")
    done = rig.shell("echo ran", options=both(map_of(rig)),
                     host="mount --bind /dev/null /etc/subgid")
    done.failed_by_us("--rootlet-gid-map", "/etc/subgid")


@test(by="user")
def no_new_privs(rig):
    """under no_new_privs maps of other ids are refused by name, and fake-root is one id"""
    lend()
    under = ["setpriv", "--no-new-privs", "--", rig.image]
    rig.run(*under, *("--rootlet-" + o for o in both(map_of(rig))), "exit", "0").failed_by_us(
        "no_new_privs")
    done = rig.run(*under, "--rootlet-fake-root", "--rootlet-exec=/bin/sh", "-c",
                   "wc -l < /proc/self/uid_map")
    equal(done.text, "1\n", repr(done))


@test()
def malformed_maps(rig):
    """every malformed map is refused in one line that names it, and nothing is started"""
    for option in ("uid-map", "gid-map"):
        for text, part in (("", "not three numbers"), ("0", "not three numbers"),
                           ("0 1 x", "not three numbers"), ("0 1 0", "no id"),
                           ("0 1 4294967295", "beyond the last id"),
                           ("0 1 2,1 9 1", "overlap"), ("0 1 2,5 2 1", "overlap"),
                           (",".join(f"{i} {i} 1" for i in range(341)), "340")):
            rig.probe("exit", "0", options=[f"{option}={text}"]).failed_by_us(
                "--rootlet-" + option, part)
    rig.probe("exit", "0", options=["fake-root", "uid-map=0 1 1"]).failed_by_us("fake-root")


@test()
def unpacked(rig):
    """an unpacked image belongs to the mapped caller, too"""
    lend()
    for options in (["fake-root"], both(map_of(rig))):
        done = rig.shell("id -u; stat -c %u:%g /opt/foo/share/data.txt; cat /opt/foo/share/data.txt",
                         options=["mount=extract", *options])
        equal(done.text, "0\n0:0\ndata of the image\n", repr(done))


@test()
def a_directory_as_the_root(rig):
    """in rootlet run DIRECTORY the owners are those of the directory, as the map shows them"""
    lend()
    tree = rig.top / "owned"
    shutil.copytree(WORK / "tree", tree, symlinks=True)
    os.chown(tree, rig.uid, rig.uid)
    (tree / "etc/lent").write_text("x")
    os.chown(tree / "etc/lent", LENT + 4, LENT + 5)
    done = rig.run(rig.rootlet, "exec", *(f"--{o}" for o in both(map_of(rig))), tree, "/bin/sh", "-c",
                   "stat -c %u:%g /etc/lent /")
    equal(done.text, "5:6\n0:0\n", repr(done))
    shutil.rmtree(tree)


@test(by="user")
def killed_while_ids_are_mapped(rig):
    """the launcher killed at any moment of such a start leaves nothing"""
    lend()
    with Untouched():
        for i in range(40):
            process = rig.start(rig.image, *("--rootlet-" + o for o in both(map_of(rig))),
                                "--rootlet-exec=/bin/sleep", "5")
            time.sleep(i * 0.001)
            process.kill()
            process.wait()


@test()
def plan(rig):
    """dry-run prints the maps of a run that has some"""
    lend()
    done = rig.probe("exit", "0", options=["dry-run", *both(map_of(rig))])
    contains(done.text, f"uid map: 0 {rig.uid} 1,1 {LENT} {COUNT - 1}\n")
    contains(done.text, "ids: 0:0\n")


if __name__ == "__main__":
    main()
