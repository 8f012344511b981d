# SPDX-License-Identifier: MIT
"""Plays the attacks of tests/probe/attacks*.c: inside a run, and where one
protection is off, to show that each can succeed. Both results are printed."""
import os
import shutil
import subprocess

from place import TESTS, WORK
from promises import check

PROGRAM = "/opt/attacks"
SECRET = "the host's own\n"


def secret(rig):
    """A host file beside the current directory, which no profile shows."""
    path = rig.home / "secret"
    path.write_text(SECRET)
    os.chown(path, rig.uid, rig.uid)
    return path


def program():
    """The attacks as a static program, made once."""
    made = WORK / "tools" / "attacks"
    if not made.exists():
        sources = sorted((TESTS / "probe").glob("attacks*.c"))
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-static", "-O1", "-o", made, *sources], check=True)
    return made


def attack_tree():
    """A root with the attacks and a shell: what the image holds, and the weak sandboxes."""
    tree = WORK / "attack-tree"
    if not tree.exists():
        for directory in ("opt", "bin", "etc", "proc", "tmp", "var/tmp", "mnt", "dev"):
            (tree / directory).mkdir(parents=True)
        shutil.copy(program(), tree / "opt/attacks")
        shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
        for applet in ("sh", "cat", "ls", "mv", "mkdir", "rm", "ln", "id", "sleep", "env", "pwd"):
            (tree / "bin" / applet).symlink_to("busybox")
        (tree / "opt/data").write_bytes(os.urandom(1 << 20))
    return tree


def attack_image(rig):
    image = rig.top / "attacks.AppImage"
    return image if image.exists() else rig.build(attack_tree(), image.name, "--entry", PROGRAM)


def weak_root(rig):
    """A directory of this identity's own for the weak sandboxes."""
    root = rig.top / "weak"
    if not root.exists():
        shutil.copytree(attack_tree(), root, symlinks=True)
        subprocess.run(["chown", "-R", str(rig.uid), root], check=True)
    return root


class Lines:
    """What an attack said."""

    def __init__(self, done):
        self.done = done
        self.lines = [line for line in done.text.splitlines()
                      if line.startswith(("SAFE ", "RISK ", "ERROR "))]
        self.risks = [line for line in self.lines if line.startswith("RISK ")]
        self.errors = [line for line in self.lines if line.startswith("ERROR ")]

    @property
    def word(self):
        if not self.lines or self.errors:
            return "ERROR"
        return "RISK" if self.risks else "SAFE"


class Attack:
    """One attack's two columns."""

    def __init__(self, rig, label, name, *words):
        self.rig, self.label, self.name = rig, label, name
        self.words = [str(word) for word in words]

    def say(self, column, word, detail):
        print(f"        {self.label} {column}: {word} {detail}".rstrip(), flush=True)

    def inside(self, *options, image=None, env=None, **keywords):
        image = image or attack_image(self.rig)
        return self.rig.run(image, *("--rootlet-" + option for option in options), self.name,
                            *self.words, env=env, **keywords)

    def refused(self, *options, status=0, **keywords):
        """Inside a run every try fails; what the attack said is given back."""
        return self.judged(self.inside(*options, **keywords), status)

    def judged(self, done, status=0):
        said = Lines(done)
        self.say("with", said.word, f"({len(said.lines)} tries)")
        check(said.word == "SAFE" and done.status == status,
              f"{said.risks + said.errors}; {done!r}")
        return said

    def shown(self, done, what_is_off, at_least=1):
        """Without a protection it works."""
        said = Lines(done)
        self.say(f"without ({what_is_off})", "RISK" if said.risks else said.word,
                 "; ".join(risk[5:] for risk in said.risks[:3]))
        check(len(said.risks) >= at_least, f"{self.label}: the attack fails anyway: {done!r}")
        return said

    def not_shown(self, why):
        self.say("without", "not shown", f"({why})")

    def without_filter(self, *options, **keywords):
        return self.shown(self.inside("seccomp=none", *options), "seccomp=none", **keywords)

    def bare(self, **keywords):
        """On the host, below a shell of the same user."""
        return self.rig.run("/bin/sh", "-c", '"$@"; exit $?', "sh", program(), self.name,
                            *self.words, **keywords)

    def weak(self, kind, **keywords):
        """In a sandbox that lacks something: tests/probe/attacks_weak.c."""
        return self.rig.run(program(), "weak", kind, weak_root(self.rig), PROGRAM, self.name,
                            *self.words, **keywords)
