#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""firejail --appimage, as AppImageHub starts each submission: it has the kernel mount the image, and
runs AppRun without our stub. firejail_test.py --build BUILD

Not by the rig: inside another PID namespace firejail does nothing but execute the file."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from place import NAME, UID, WORK, make_place
from promises import Failed, Skip, check, contains, equal


def firejail(image, *words, identity, options=("--noprofile", "--net=none")):
    home = WORK / identity
    home.mkdir(exist_ok=True)
    os.chown(home, UID if identity == NAME else 0, -1)
    drop = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--"]
    done = subprocess.run([*(drop if identity == NAME else []), "firejail", "--quiet", *options,
                           "--appimage", image, *words], capture_output=True, text=True, timeout=60,
                          cwd=home, stdin=subprocess.DEVNULL,
                          env={"HOME": str(home), "PATH": "/usr/bin:/bin", "TERM": "dumb"})
    if done.returncode == 1:
        raise Skip(f"firejail does not work here: {(done.stderr or 'it says nothing').strip()}")
    return done


def runs_the_tool(image, identity):
    """firejail --appimage runs the tool, with its arguments and status, and says how"""
    done = firejail(image, "exit", "7", identity=identity)
    if "run in place" not in done.stderr:
        raise Skip("firejail takes this for a sandbox already, and only executes the file")
    equal(done.returncode, 7, repr(done))
    contains(done.stderr, "/run/firejail/appimage")


def finds_its_files(image, identity):
    """programs of the image find the image's files below APPDIR, those of other names too"""
    done = firejail(image, "raw", "--appimage-offset", "", "x y", identity=identity)
    words = [bytes.fromhex(line[:-1]).decode() for line in done.stdout.splitlines()]
    equal(words, ["raw", "--appimage-offset", "", "x y"], "arguments")
    name = WORK / f"tool {identity}"
    name.write_bytes(image.read_bytes())
    name.chmod(0o755)
    equal(firejail(name, "exit", "3", identity=identity).returncode, 3, "of another name")


def without_network(image, identity):
    """with --net=none it has none: the tool finds loopback alone"""
    done = firejail(image, "read", "/proc/net/dev", identity=identity)
    check("eth0" not in done.stdout, repr(done))


def inside(build):
    try:
        make_place(build)
    except Skip as reason:
        print(f"skipped: {reason}")
        return 77
    Path("/run/firejail").mkdir(mode=0o755, exist_ok=True)
    image = WORK / "probe.AppImage"
    words = []
    for identity in (NAME, "root"):
        for function in (runs_the_tool, finds_its_files, without_network):
            word, why = "ok", ""
            try:
                function(image, identity)
            except Skip as reason:
                word, why = "skipped", f": {reason}"
            except Failed as reason:
                word, why = "FAILED", f"\n    {reason}"
            words.append(word)
            print(f"{word:7} {identity}: {function.__name__}: {function.__doc__}{why}", flush=True)
    return 1 if "FAILED" in words else 0 if "ok" in words else 77


def main():
    if os.geteuid() != 0 or subprocess.run(["which", "firejail"], capture_output=True).returncode:
        print("skipped: needs root, to make a plain user, and firejail (scripts/setup installs it)")
        return 77
    if sys.argv[1] == "--build":  # once more, with mounts of our own
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              __file__, "inside", os.path.realpath(sys.argv[2])])
    return inside(Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
