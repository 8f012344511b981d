# SPDX-License-Identifier: MIT
"""A Debian of a few packages, made from the host's own dpkg, tar and busybox:
packages are installed for real in seconds, and without a network."""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from promises import Skip

# dash, because busybox's own shell prefers its own dpkg, tar and find.
PROGRAMS = ("dash", "dpkg", "dpkg-deb", "dpkg-split", "dpkg-query", "update-alternatives", "tar", "find",
            "touch", "chmod", "rm", "xz")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def libraries(program):
    told = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    for word in told.split():
        if word.startswith("/") and Path(word).exists():
            yield Path(word)


def under_usr(path):
    """As a merged /usr has it."""
    text = str(path)
    return text if text.startswith("/usr/") else "/usr" + text


def base_tree(tree):
    """What a root needs to run dpkg and scripts."""
    for name in PROGRAMS:
        program = shutil.which(name)
        if not program:
            raise Skip(f"no {name} here")
        for file in (Path(program), *libraries(program)):
            target = tree / under_usr(file).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(file, target)
    (tree / "usr/bin/sh").symlink_to("dash")
    busybox = tree / "usr/bin/busybox"
    shutil.copy("/usr/bin/busybox", busybox)
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split()
    for applet in applets:
        link = tree / "usr/bin" / applet
        if not link.exists():
            link.symlink_to("busybox")
    for name in ("ldconfig", "start-stop-daemon"):
        program = tree / "usr/sbin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    for name in ("tmp", "var/log", "etc", "opt"):
        (tree / name).mkdir(parents=True, exist_ok=True)


class TinyDebian:
    """A directory that apt takes as a source."""

    def __init__(self, directory):
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise Skip("no apt and dpkg here")
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.index = ""
        tree = self.directory / "base.tree"
        base_tree(tree)
        self.add("tiny-base", tree=tree, fields="Essential: yes\n")

    def add(self, name, version="1.0", tree=None, fields="", postinst=None, files=None):
        """A package; files: path to text, executable where it is a program."""
        tree = tree or self.directory / f"{name}_{version}.tree"
        for path, text in (files or {}).items():
            file = tree / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o755 if text.startswith("#!") else 0o644)
        control = tree / "DEBIAN"
        control.mkdir(parents=True, exist_ok=True)
        (control / "control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {ARCHITECTURE}\n"
            f"Maintainer: nobody <nobody@example.org>\nDescription: a test\n{fields}")
        if postinst:
            (control / "postinst").write_text("#!/bin/sh\n" + postinst)
            (control / "postinst").chmod(0o755)
        for file in (tree, *tree.rglob("*")):  # a package is older than its installation
            os.utime(file, (1600000000, 1600000000), follow_symlinks=False)
        deb = self.directory / f"{name}_{version}_{ARCHITECTURE}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, deb],
                       check=True, capture_output=True)
        data = deb.read_bytes()
        self.index += ((control / "control").read_text() + f"Filename: ./{deb.name}\n"
                       f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n")
        (self.directory / "Packages").write_text(self.index)
        shutil.rmtree(tree)
        for path in (self.directory, *self.directory.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return deb

    @property
    def mirror(self):
        """What --mirror takes."""
        return f"deb [trusted=yes] file:{self.directory} ./"
