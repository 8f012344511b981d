#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recipe: source, options, additions and policy in one file (docs/recipes.md)."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test

TOOL = '[tool]\nname = "greet"\nentrypoint = ["/bin/greet"]\nselftest = ["/bin/greet", "you"]\n'


def kitchen(rig, text, name="greet.toml"):
    """A directory with a root, files to add, and the recipe."""
    top = rig.top / "kitchen"
    shutil.rmtree(top, ignore_errors=True)
    (top / "root/usr/bin").mkdir(parents=True)
    (top / "root/usr/share/doc/greet").mkdir(parents=True)
    (top / "root/usr/share/doc/greet/manual").write_text("long\n" * 1000)
    (top / "root/bin").symlink_to("usr/bin")
    shutil.copy("/bin/busybox", top / "root/usr/bin/busybox")
    for applet in ("sh", "cat", "ls", "readlink"):
        (top / "root/usr/bin" / applet).symlink_to("busybox")
    (top / "greet.sh").write_text('#!/bin/sh\necho "hello $1"\n')
    (top / "greet.sh").chmod(0o755)
    (top / "more").mkdir()
    (top / "more/one").write_text("1\n")
    (top / name).write_text(text)
    subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", top], check=True)
    return top / name


def recipe(more="", tool=TOOL, links='"/opt/bio/greet" = "/usr/bin/greet"'):
    return f"""[recipe]
source = "dir:root"
trim = ["docs"]
{more}
[recipe.links]
{links}
[recipe.files]
"/bin/greet" = "greet.sh"
"/opt/more" = "more"
"/etc/motd" = {{text = "welcome\\n"}}
{tool}"""


def build(rig, file, *options, out="greet.AppImage"):
    return rig.run(rig.rootlet, "build", file, "-o", rig.top / out, *options, timeout=60)


@test()
def whole(rig):
    """one file makes the image, from wherever it is called: source, trimming, links, files, policy, self-test"""
    file = kitchen(rig, recipe())
    for source in (file, f"recipe:{file}"):
        made = build(rig, source, "--force")
        equal(made.status, 0, repr(made))
        contains(made.text, "self-test passed", "summary")
        contains(made.text, "docs 0.0 MiB in 1 files", "trimmed")
    image = rig.top / "greet.AppImage"
    equal(rig.run(image, "world").text, "hello world\n")
    look = "cat /opt/more/one /etc/motd; readlink /opt/bio/greet; ls /usr/share/doc/greet"
    equal(rig.run(image, "--rootlet-exec=/bin/sh", "-c", look).text, "1\nwelcome\n/usr/bin/greet\n")
    told = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)["build"]["recipe"]["file"]
    equal((told["name"], told["text"]), ("greet.toml", file.read_text()), "the image tells its recipe")


@test(by="user")
def options_win(rig):
    """an option of the command line replaces what the recipe says; a policy file stands over its tables"""
    file = kitchen(rig, recipe("comp-level = 1"))
    made = build(rig, file, "--force", "--trim=logs", "--name=other", "--comp-level=2")
    equal(made.status, 0, repr(made))
    image = rig.top / "greet.AppImage"
    contains(rig.run(image, "--rootlet-exec=/bin/ls", "/usr/share/doc/greet").text, "manual")
    told = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)
    equal((told["build"]["name"], told["build"]["recipe"]["comp-level"]), ("other", 2))
    policy = file.parent / "policy.toml"
    policy.write_text('[tool]\nentrypoint = ["/bin/greet", "policy"]\n')
    made = build(rig, file, "--force", f"--policy={policy}")
    equal(made.status, 0, repr(made))
    equal(rig.run(image).text, "hello policy\n")


@test(by="user")
def same_bytes(rig):
    """the same recipe gives the same bytes, whenever its files were written"""
    images = []
    for number, time in ((1, 1000000000), (2, 1500000000)):
        file = kitchen(rig, recipe())
        for path in (file.parent / "greet.sh", file.parent / "more/one", file.parent / "more"):
            os.utime(path, (time, time))
        subprocess.run(["find", file.parent / "root", "-exec", "touch", "-h", "-d", "@900000000", "{}", "+"], check=True)
        equal(build(rig, file, out=f"same{number}").status, 0)
        images.append((rig.top / f"same{number}").read_bytes())
    check(images[0] == images[1], "they differ")


@test(by="user")
def mistakes(rig):
    """a mistake in a recipe names file, line and what was perhaps meant, and nothing is built"""
    for text, *told in (
            (recipe("comp-levle = 3"), "greet.toml:4", "comp-level"),
            (recipe("comp-level = 33"), "greet.toml:4", "from 1 to 22"),
            (recipe().replace('"docs"', '"dogs"'), "greet.toml:3", "docs"),
            (recipe(tool='[tool]\nentrypiont = ["/bin/greet"]\n'), "entrypoint"),
            (recipe(links='"opt/x" = "/y"'), "greet.toml:6", "no absolute path"),
            (recipe(links='"/usr/bin" = "/y"'), "/usr/bin", "a directory there"),
            (recipe().replace("greet.sh", "gone.sh"), "gone.sh"),
            (recipe().replace('source = "dir:root"', ""), '"source" is missing'),
            (TOOL, "no table [recipe]", "--policy"),
            ("[recipe\n", "greet.toml:1"),
            (recipe(tool=TOOL.replace('greet", "you', 'greet-not-there')), "greet-not-there")):
        file = kitchen(rig, text)
        made = build(rig, file, out="mistaken.AppImage")
        made.failed_by_us(*told)
        check(not (rig.top / "mistaken.AppImage").exists(), "something was built")
    rig.run(rig.rootlet, "build", "recipe:no-such-tool", "-o", rig.top / "x").failed_by_us("no-such-tool")


@test(by="user")
def not_through_links(rig):
    """what a recipe adds goes where links lead inside the image, never outside"""
    file = kitchen(rig, recipe(links='"/out/escaped" = "/y"'))
    (file.parent / "root/out").symlink_to("../../../../../../tmp")
    equal(build(rig, file, "--force").status, 0)
    check(not os.path.lexists("/tmp/escaped"), "written on the host")
    contains(rig.run(rig.rootlet, "ls", rig.top / "greet.AppImage", "tmp").text, "escaped")


if __name__ == "__main__":
    sys.exit(main())
