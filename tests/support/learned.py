# SPDX-License-Identifier: MIT
"""An image whose program does known things, and what `rootlet learn` writes of it."""
import json
import os
import shutil
import subprocess

from place import TESTS, WORK
from promises import Skip, check

DATA = {"one": "1", "two": "2"}


def make_tree(top):
    """The image's tree: /bin/learn, a script, files to be read."""
    tree = top / "learn-tree"
    if tree.exists():
        return tree
    for directory in ("bin", "opt/data", "opt/many", "opt/few"):
        (tree / directory).mkdir(parents=True)
    made = subprocess.run(["gcc", "-O1", "-static", "-pthread", "-o", tree / "bin/learn",
                           WORK / "learn.c"], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skip(f"gcc: {made.stderr}")
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    for name in ("sh", "true"):
        (tree / "bin" / name).symlink_to("busybox")
    script = tree / "opt/script"
    script.write_text("#!/bin/learn done\n")
    script.chmod(0o755)
    for name, content in DATA.items():
        (tree / "opt/data" / name).write_text(content)
    (tree / "opt/data/link").symlink_to("one")
    for name, count in (("many", 20), ("few", 15)):
        for number in range(count):
            (tree / "opt" / name / f"{number:02}").write_text("")
    return tree


def image_of(rig):
    image = rig.top / "learn.AppImage"
    if not image.exists():
        closed = rig.cwd / "closed.txt"
        closed.write_text("secret")
        closed.chmod(0)
        os.chown(closed, rig.uid, rig.uid)
        rig.build(make_tree(rig.top), "learn.AppImage", "--entry", "/bin/learn")
    return image


class Learned:
    """A run that was learned from: how it ended, its rules and its recording."""

    def __init__(self, rig, *words, options=(), name="a", fresh=True, **keywords):
        self.rules_file, self.recording_file = rig.top / f"{name}.rules", rig.top / f"{name}.rec"
        if fresh:
            self.rules_file.unlink(missing_ok=True)
        self.done = rig.run(rig.rootlet, "learn", "-o", self.rules_file, "--recording",
                            self.recording_file, *options, image_of(rig), *words, **keywords)
        self.text = self.rules_file.read_text() if self.rules_file.exists() else ""
        self.rules = json.loads(self.text) if self.text else None
        if self.rules is not None:
            self.recording = json.loads(self.recording_file.read_text())

    def errors(self, rows, **wanted):
        """The errnos of all rows that have these values."""
        return {error["errno"].split()[1]: (error["seen"], error["predicted"])
                for row in self.rows(rows, **wanted) for error in row.get("errors", [])}

    def rows(self, rows, **wanted):
        found = [row for row in self.recording[rows]
                 if all(row.get(key) == value for key, value in wanted.items())]
        check(found, f"nothing of {rows} is {wanted}: {[list(r.values())[:3] for r in self.recording[rows]]}")
        return found

    def allowed(self, path):
        for entry in self.rules["paths"]:
            if entry["path"] == path:
                return entry["access"] + (["below"] if entry.get("below") else [])
        return None

    def call(self, name):
        return [entry for entry in self.rules["system_calls"] if entry["name"] == name]


__all__ = ["Learned", "TESTS", "image_of", "make_tree"]
