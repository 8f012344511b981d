#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What --trim leaves out, and what it never does; the order of a start-up; what an image says of itself."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test

KEPT = ("usr/share/doc/tool/copyright", "usr/share/doc/tool/LICENSE.txt", "usr/share/common-licenses/GPL-3",
        "usr/share/locale/en_GB/LC_MESSAGES/t.mo", "usr/share/locale/locale.alias", "var/lib/dpkg/status",
        "var/cache/fontconfig/x", "usr/bin/tool", "usr/share/documents/x")
GONE = {"docs": ("usr/share/doc/tool/README", "usr/share/man/man1/tool.1.gz", "usr/share/info/tool.info",
                 "opt/x/share/man/man1/x.1"),
        "caches": ("var/cache/apt/pkgcache.bin", "var/lib/apt/lists/list", "tmp/left", "root/.cache/pip/x"),
        "locales": ("usr/share/locale/de/LC_MESSAGES/t.mo", "usr/share/locale/pt_BR/LC_MESSAGES/t.mo",
                    "usr/share/i18n/charmaps/UTF-8.gz"),
        "logs": ("var/log/dpkg.log",),
        "devel": ("usr/include/stdio.h", "usr/lib/libx.a"),
        "debug": ("usr/lib/debug/x",)}


def tree_of(rig):
    tree = rig.top / "trim-tree"
    if tree.exists():
        return tree
    shutil.copytree(WORK / "tree", tree, symlinks=True)
    for name in (*KEPT, *(name for names in GONE.values() for name in names)):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(f"#!/bin/sh\n{name}\n" * 200)
        (tree / name).chmod(0o755 if "/bin/" in name else 0o644)
    (tree / "var/lib/dpkg/status").write_text(
        "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.0-1\nSource: tools (2.0)\n"
        "Description: a tool\n of ours\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n")
    for name, text in (
            ("usr/lib/python3/dist-packages/Some_Thing-3.1.dist-info/METADATA",
             "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 3.1\nLicense: MIT\n\nName: not this\n"),
            ("usr/lib/R/site-library/MASS/DESCRIPTION", "Package: MASS\nVersion: 7.3-58\nDescription: x\n        \n y\nLicense: GPL-2 | GPL-3\n"),
            ("opt/env/conda-meta/samtools-1.17-0.json",
             '{"name": "samtools", "version": "1.17", "subdir": "linux-64", "license": "MIT"}'),
            ("etc/os-release", 'ID="debian"\n')):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", tree], check=True)
    return tree


def build(rig, *options):
    return rig.run(rig.rootlet, "build", *options, "-o", rig.top / "trim.AppImage", "--entry", "/bin/sh", timeout=60)


def listing(rig):
    done = rig.run(rig.top / "trim.AppImage", "-c", "cd / && find usr opt var tmp root -type f")
    return set(done.text.split())


def trimmed(rig, *options):
    made = build(rig, *options, tree_of(rig))
    equal(made.status, 0, repr(made))
    files = subprocess.run(["unsquashfs", "-o", str(os.path.getsize(rig.stub)), "-lln",
                            rig.top / "trim.AppImage"], capture_output=True, text=True)
    names = {line.split("squashfs-root/")[1].split(" -> ")[0] for line in files.stdout.splitlines()
             if "squashfs-root/" in line}
    for name in KEPT:
        check(name in names, f"{options}: {name} is gone")
    return {kind: [name in names for name in wanted] for kind, wanted in GONE.items()}, made.text


@test("user")
def by_kind(rig):
    """each kind takes what it is for and nothing else, says how much, and keeps licences"""
    plain = ("docs", "caches", "locales", "logs")
    for options, gone in ((("--trim",), plain), (("--trim=docs",), ("docs",)), (("--trim=locales,logs",), plain[2:]),
                          (("--trim=all",), tuple(GONE)), ((), ())):
        found, said = trimmed(rig, *options)
        for kind, there in found.items():
            equal(there, [kind not in gone] * len(there), f"{options}: {kind}")
            if kind in gone:
                contains(said, f"{kind} 0.", "summary")
        check(("trimmed" in said) == bool(gone), f"never silently: {said}")
    found, _ = trimmed(rig, "--trim=locales", "--keep-locale=pt_BR,fr")
    equal(found["locales"], [False, True, False])


@test("user")
def by_list(rig):
    """--trim=FILE takes what the file names, and wants a self-test that then passes"""
    unused = rig.top / "unused.txt"
    unused.write_text("# no run touched these\n/usr/bin/tool\nusr/share/doc/tool/copyright\n/not/there\n")
    tree = tree_of(rig)
    build(rig, tree, f"--trim={unused}", "-q").failed_by_us("--trim=FILE", "self-test")
    policy = rig.top / "trim.toml"
    for test_command, works in (("test -e /usr/bin/tool", False), ("test ! -e /usr/bin/tool", True)):
        policy.write_text(f'[tool]\nname = "t"\nentrypoint = ["/bin/sh"]\nselftest = ["/bin/sh", "-c", "{test_command}"]\n')
        done = build(rig, tree, f"--trim={unused}", "--policy", policy)
        if not works:
            done.failed_by_us("run the self-test", "ended with 1")
            continue
        equal(done.status, 0, repr(done))
        contains(done.text, "unused.txt 0.0 MiB in 1 files", "the licence is kept")
    build(rig, tree, "--trim=docz", "-q").failed_by_us("--trim=docz", "docs")
    build(rig, tree, "--trim=/no/such/list", "-q").failed_by_us("/no/such/list")


@test("user")
def says_what_is_inside(rig):
    """inspect --json carries a bill of materials of Debian, Python, R and conda packages, and the recipe"""
    equal(build(rig, "--trim=docs", "--comp-level", "3", tree_of(rig)).status, 0)
    report = json.loads(rig.run(rig.rootlet, "inspect", "--json", rig.top / "trim.AppImage").text)
    bill = report["bill_of_materials"]
    equal((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
    equal(sorted(component["purl"] for component in bill["components"]),
          ["pkg:conda/samtools@1.17?subdir=linux-64", "pkg:cran/MASS@7.3-58",
           "pkg:deb/debian/tool@1:2.0-1?arch=amd64", "pkg:pypi/some-thing@3.1"])
    equal(report["build"]["recipe"], {"block-size": 131072, "comp-level": 3, "trim": ["docs"]})
    text = rig.run(rig.rootlet, "inspect", rig.top / "trim.AppImage").text
    contains(text, "4 packages", "inspect")


@test("user")
def in_order(rig):
    """--order lays the files of a start-up side by side, and changes nothing that a tool can see"""
    tree = tree_of(rig)
    equal(build(rig, tree, "-q").status, 0)
    before = listing(rig)
    order = rig.top / "order.txt"
    names = ["/usr/share/locale/de/LC_MESSAGES/t.mo", "/opt/foo/share/data.txt", "/gone", "/usr/bin/tool"]
    order.write_text("\n".join(names) + "\n")
    made = build(rig, tree, f"--order={order}")
    equal(made.status, 0, repr(made))
    contains(made.text, "3 files as order.txt has them; 1 of its paths", "summary")
    equal(listing(rig), before)
    equal(rig.run(rig.rootlet, "check", rig.top / "trim.AppImage").status, 0)
    build(rig, tree, "--order=/no/such/file", "-q").failed_by_us("/no/such/file")


if __name__ == "__main__":
    main()
