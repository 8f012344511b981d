#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/guide.md holds: its commands, run in order by a plain user, print what it says.

    guide_test.py [BUILD]

Every block ```sh is run, by one shell; a block ```text behind it is what it prints on
stdout. Needs a package source, gcc and Xvfb; root makes a user for it. Exit 0, 1; 77
not possible here.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
USER = "rootlet-guide"
PROGRAMS = ("rootlet", "rootlet-tools", "rootlet-examiner", "rootlet-stub", "rootlet-apprun")
# The block that opens a window: that it is there, with the file's name; then it goes.
WINDOW = """
for try in $(seq 200); do xwininfo -root -tree | grep -q '"dna.fa"' && break; sleep 0.1; done
xwininfo -root -tree | grep -q '"dna.fa"' || { echo 'no window' >&2; exit 1; }
kill %1; wait %1 || true
"""


def skip(why):
    print(f"guide_test: skipped: {why}")
    sys.exit(77)


def blocks():
    """Shell text and what it is to print, or None."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", (TOP / "docs/guide.md").read_text(), re.M | re.S)
    for number, (kind, text) in enumerate(found):
        if kind == "sh":
            after = found[number + 1] if number + 1 < len(found) else ("", "")
            yield text, after[1] if after[0] == "text" else None


def whole_script(out):
    """Each block's stdout goes to a file of its own."""
    lines = ["set -euo pipefail"]
    for number, (text, _) in enumerate(blocks()):
        shown = "./looks.AppImage --rootlet-gui" in text
        lines.append(f"exec > {out}/{number}\n{text}{WINDOW if shown else ''}")
    return "\n".join(lines)


def fuse_for_all(top):
    """Where this host lets only root open /dev/fuse: a node of our own, in our mounts."""
    if os.path.exists("/dev/fuse") and os.stat("/dev/fuse").st_mode & 0o777 != 0o666:
        (top / "fuse").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", top / "fuse"], check=True)
        subprocess.run(["mknod", "-m", "666", top / "fuse/fuse", "c", "10", "229"], check=True)
        subprocess.run(["mount", "--bind", top / "fuse/fuse", "/dev/fuse"], check=True)


def display(words):
    read, write = os.pipe()
    server = subprocess.Popen([*words, "Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
                              pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    return server, ":" + os.fdopen(read).readline().strip()


def run_guide(top, build, words, home):
    (top / "bin").mkdir()
    for name in PROGRAMS:
        shutil.copy(build / name, top / "bin" / name)
    out = home / "printed"
    (home / "work").mkdir()
    out.mkdir()
    (home / "guide.sh").write_text(whole_script(out))
    if words:
        subprocess.run(["chown", "-R", f"{USER}:", home], check=True)
    server, screen = display(words)
    try:
        done = subprocess.run([*words, "bash", home / "guide.sh"], cwd=home / "work", stdin=subprocess.DEVNULL,
                              env={"HOME": str(home), "PATH": f"{top}/bin:/usr/bin:/bin", "DISPLAY": screen,
                                   "TMPDIR": str(home), "LANG": "C.UTF-8", "TERM": "dumb"})
    finally:
        server.terminate()
        server.wait()
    failed = int(done.returncode != 0)
    if failed:
        reached = max((int(file.name) for file in out.iterdir()), default=-1)
        print(f"FAILED  the shell ended with {done.returncode} in block {reached + 1}")
    for number, (text, wanted) in enumerate(blocks()):
        file = out / str(number)
        printed = file.read_text() if file.exists() else None
        good = printed is not None and (wanted is None or printed == wanted)
        if not good:
            failed += 1
            print(f"FAILED  block {number + 1}: {text.splitlines()[0]}\nprinted: {printed!r}\nthe guide: {wanted!r}")
            break
        print(f"ok      block {number + 1}: {text.strip().splitlines()[-1]}")
    return failed


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build").resolve()
    for tool in ("apt-get", "gcc", "Xvfb", "xwininfo"):
        if not shutil.which(tool):
            skip(f"needs {tool}")
    root = os.geteuid() == 0
    if root and os.environ.get("GUIDE_NAMESPACE") != "own":
        os.environ["GUIDE_NAMESPACE"] = "own"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *sys.argv])
    with tempfile.TemporaryDirectory(prefix="rootlet-guide-", dir="/var/tmp") as name:
        top = Path(name)
        top.chmod(0o755)
        home = top / "home"
        home.mkdir()
        words = []
        if root:
            subprocess.run(["useradd", "--no-create-home", "--home-dir", home, USER], check=True)
            words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        try:
            if root:
                fuse_for_all(top)
            failed = run_guide(top, build, words, home)
        finally:
            if root:
                subprocess.run(["umount", "/dev/fuse", top / "fuse"], stderr=subprocess.DEVNULL, check=False)
                subprocess.run(["userdel", USER], stderr=subprocess.DEVNULL, check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
