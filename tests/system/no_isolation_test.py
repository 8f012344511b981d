#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""no-isolation: asked for, it runs with what is left, and says so."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, contains, equal, main, test


def one_line(done):
    lines = done.errors.splitlines()
    check(len(lines) == 1 and lines[0].startswith("rootlet: no isolation"), repr(done))


@test()
def says_so(rig):
    """one line on stderr, the tool's own status, nothing left"""
    for code in (0, 1, 77, 255):
        with Untouched():
            done = rig.probe("exit", str(code), options=["no-isolation"])
        equal(done.status, code)
        one_line(done)


@test()
def mirrors_signals(rig):
    """a tool that dies of a signal: so does the launcher"""
    with Untouched():
        equal(rig.probe("die", "11", options=["no-isolation"], env={"PROBE_NO_CORE": "1"}).status,
              -11)


@test()
def absolute_paths(rig):
    """where namespaces or root's chroot are left, absolute paths still work"""
    with Untouched():
        done = rig.shell("cat /opt/foo/share/data.txt; pwd", options=["no-isolation"])
    contains(done.text, "data of the image\n")


@test()
def under_dockers_filter(rig):
    """under Docker's filter: it runs (root by chroot, a user in place), its status is kept"""
    with Untouched():
        done = rig.in_docker(rig.image, "--rootlet-no-isolation", "exit", "42")
    equal(done.status, 42, repr(done))
    one_line(done)
    if not rig.root:
        contains(done.errors, "absolute paths will not work")
    done = rig.in_docker(rig.image, "--rootlet-no-isolation", "die", "15")
    equal(done.status, -15, repr(done))


@test(by="root")
def root_under_dockers_filter(rig):
    """root under Docker's filter: chroot makes absolute paths work"""
    done = rig.in_docker(rig.image, "--rootlet-no-isolation", "--rootlet-exec=/bin/cat",
                         "/opt/foo/share/data.txt")
    equal(done.text, "data of the image\n", repr(done))


@test()
def without_namespaces(rig):
    """with max_user_namespaces=0 it runs, and its status is kept"""
    with Untouched():
        done = rig.start_limited("0", rig.image, "--rootlet-no-isolation", "exit", "9")
    equal(done.status, 9, repr(done))
    one_line(done)


@test()
def never_silently(rig):
    """neither the environment nor a policy turns isolation off"""
    done = rig.shell("test -e /proc/1/exe; ls -d /boot", env={"ROOTLET_NO_ISOLATION": "1"})
    check("/boot" not in done.text, "the environment turned isolation off")
    tree = rig.top / "policy tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/probe").write_bytes((rig.tools / "probe").read_bytes())
    (tree / "bin/probe").chmod(0o755)
    policy = rig.top / "rootlet.toml"
    policy.write_text('[tool]\nname = "probe"\nentrypoint = ["/bin/probe"]\n'
                      '[isolation]\nno-isolation = true\n')
    import subprocess
    made = subprocess.run([rig.rootlet, "build", tree, "-q", "--policy", policy, "-o",
                           rig.top / "never.AppImage"], capture_output=True, text=True)
    if made.returncode == 0:
        os.chmod(rig.top / "never.AppImage", 0o755)
        check("no isolation" not in rig.run(rig.top / "never.AppImage", "exit", "0").errors,
              "the policy turned isolation off")
    else:
        contains(made.stderr, "no-isolation")


@test()
def no_room(rig):
    """where nothing can be unpacked: 125 in one line, naming what to set"""
    # /tmp, HOME and the rest read-only.
    host = "for d in /tmp /var/tmp; do mount -o remount,bind,ro $d; done"
    done = rig.probe("exit", "0", options=["no-isolation"], host=host)
    done.failed_by_us("XDG_CACHE_HOME")


if __name__ == "__main__":
    main()
