#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signatures in seals: over the root of an image's tree of hashes, its name, its version
and the data that it pins. Images of data carry them, and a run judges them at once."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test
from signatures import (Keys, replace, seal_page, seal_signature, sections, slot,
                        without_seal_signature, zeroed)

REQUIRE = "--verify=require"


def judged(done, code, *parts):
    equal(done.code, code, f"exit status of {done}")
    for part in parts:
        contains(done.text + done.errors, part, "what verify says")


def own(rig, *paths):
    for path in paths:
        os.chown(path, rig.uid, rig.uid)


def data_image(keys, name, content, *words):
    """NAME.sqfs with a file that says `content`, and 1 MiB of noise."""
    tree = keys.home / f"{name}.tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(mode=0o755)
    (tree / "where").write_text(content)
    (tree / "noise").write_bytes(os.urandom(1 << 20))
    for path in (tree, *tree.iterdir()):
        own(keys.rig, path)
    keys.must(keys.rig.rootlet, "build", "--data", tree, "-q", "-o", f"{name}.sqfs", *words)
    return keys.home / f"{name}.sqfs"


def sign(keys, image, *words):
    keys.must(keys.rig.rootlet, "sign", "-q", "-s", keys.secret, *words, image)


def attached(keys, image, *options, what="cat /ref/where"):
    return keys.rootlet("run", *options, f"--attach={image}:/ref", "--exec=/bin/sh", keys.tool, "-c", what)


def ready(rig, name):
    """Keys, and an image of theirs that is signed and trusted."""
    keys = Keys(rig, name).minisign()
    keys.trust(keys.public, "--name", "maker")
    keys.tool = keys.image("tool.AppImage")
    sign(keys, keys.tool)
    return keys


@test()
def minisign_reads_ours(rig):
    """Debian's minisign accepts the signature in a seal, of a text that names the image's digest"""
    keys = ready(rig, "seal-ours")
    statement, signature = seal_signature(keys.tool.read_bytes())
    (keys.home / "said").write_bytes(statement)
    (keys.home / "said.minisig").write_bytes(signature)
    keys.must("minisign", "-Vm", "said", "-p", keys.public)
    shown = json.loads(keys.must(rig.rootlet, "inspect", "--json", keys.tool).text)
    equal(statement.decode().splitlines()[:3], ["rootlet image 1", f"digest: {shown['seal']}", "name: probe"])
    # The same text, from the command.
    keys.must(rig.rootlet, "sign", "--statement", "again", keys.tool)
    equal((keys.home / "again").read_bytes(), statement)
    contains(keys.must(rig.rootlet, "inspect", keys.tool).text, "minisign in the seal")
    equal(keys.run(keys.tool, "exit", "3").code, 3)


@test()
def minisign_is_read(rig):
    """what Debian's minisign signed elsewhere is put into the seal, and holds for this image alone"""
    keys = Keys(rig, "seal-theirs").minisign()
    keys.trust(keys.public, "--name", "maker")
    image, other = data_image(keys, "one", "one\n"), data_image(keys, "two", "two\n")
    keys.must(rig.rootlet, "sign", "--statement", "said", "--name", "pfam", "--tool-version", "36.0", image)
    keys.must("minisign", "-Sm", "said", "-s", keys.secret, "-t", "with love")
    put = ("sign", "--statement", "said", "--put", "said.minisig")
    keys.must(rig.rootlet, *put, image)
    judged(keys.verify(image), 0, "good: signed by maker", "with love", "pfam 36.0")
    keys.rootlet(*put, other).failed_by_us("the statement is of another image")
    # By hand, then: the seal of one with the signature of the other.
    data, theirs = bytearray(other.read_bytes()), image.read_bytes()
    start = seal_page(theirs) + 320
    data[seal_page(data) + 320:seal_page(data) + 4096] = theirs[start:start + 4096 - 320]
    replace(other, bytes(data))
    judged(keys.verify(other), 1, "bad", "of another image, pfam")
    judged(keys.verify("--image", other), 1, "of another image, pfam")


@test()
def data_is_judged(rig):
    """data that is attached is judged as the tool is: off, warn, require; its signature needs no other file"""
    keys = ready(rig, "seal-data")
    image = data_image(keys, "db", "here\n")
    plain = image.read_bytes()
    equal(attached(keys, image).text, "here\n")
    judged(attached(keys, image, "--verify=warn"), 0, "db.sqfs", "not signed", "here")
    attached(keys, image, REQUIRE).failed_by_us("db.sqfs", "not signed")
    stranger = Keys(rig, "seal-stranger").minisign()
    stranger.must(rig.rootlet, "sign", "-q", "-s", stranger.secret, image)
    attached(keys, image, REQUIRE).failed_by_us("unknown key", "rootlet trust add")
    replace(image, plain)
    sign(keys, image, "--name", "db", "--tool-version", "7")
    equal(without_seal_signature(image.read_bytes()), plain)
    judged(attached(keys, image, REQUIRE), 0, "here")
    equal(attached(keys, image, "--verify=warn").errors, "")
    shown = json.loads(keys.verify(image, "--json").text)[0]
    equal((shown["answer"], shown["signatures"][0]["statement"]["version"]), ("good", "7"))
    # A store keeps it.
    kept = keys.must(rig.rootlet, "data", "add", image, env={"XDG_DATA_HOME": str(keys.home / "store")})
    digest = re.search(r"sha256:[0-9a-f]{64}", kept.text).group()
    stored = keys.home / "store/rootlet/data/sha256" / digest[7:9] / digest[7:]
    judged(keys.verify(stored), 0, "good")
    # Built and signed at once.
    made = data_image(keys, "signed", "x\n", "--sign-key", keys.secret)
    judged(keys.verify(made), 0, "good")
    keys.must(rig.rootlet, "sign", "--remove", made)
    judged(keys.verify(made), 1, "not signed")


@test()
def judged_at_once(rig):
    """a run does not read an image to judge it: a wrong byte is found by verify, and by who reads it"""
    keys = ready(rig, "seal-once")
    image = data_image(keys, "db", "here\n")
    sign(keys, image)
    data = bytearray(image.read_bytes())
    noise = (keys.home / "db.tree/noise").read_bytes()
    at = data.index(noise[500000:500100])
    data[at] ^= 1
    replace(image, bytes(data))
    judged(attached(keys, image, REQUIRE), 0, "here")
    done = attached(keys, image, REQUIRE, what="cat /ref/noise | wc -c")
    equal(done.code, 125, f"{done}; exit status")
    contains(done.errors, "db.sqfs")
    judged(keys.verify("--image", image), 0, "good")
    judged(keys.verify(image), 1, "bad", "is not what was sealed")
    # What follows the seal is nobody's.
    sound = data_image(keys, "longer", "x\n", "--sign-key", keys.secret)
    with open(sound, "ab") as file:
        file.write(b"more")
    judged(keys.verify(sound), 1, "4 bytes were appended")
    attached(keys, sound, REQUIRE).failed_by_us("4 bytes were appended")


@test()
def the_program_in_front(rig):
    """a seal vouches for no program: verify says so, and run, which executes none, takes the image"""
    keys = ready(rig, "seal-front")
    data = keys.tool.read_bytes()
    at = data.index(b"cannot be ")
    changed = data[:at] + b"CANNOT BE " + data[at + 10:]
    replace(keys.tool, changed)
    judged(keys.verify(keys.tool), 1, "bad", "not those that were signed")
    equal(keys.rootlet("run", REQUIRE, keys.tool, "exit", "5").code, 5)
    replace(keys.tool, zeroed(changed, slot(data), sections(data)[".sha256_sig"]))
    judged(keys.verify(keys.tool), 1, "image only: its image is signed by maker", "its program by nobody",
           "--image judges")
    judged(keys.verify("--image", keys.tool), 0, "good")
    equal(keys.rootlet("run", REQUIRE, keys.tool, "exit", "5").code, 5)
    # The same image without the tree that vouches for it.
    page = seal_page(changed)
    replace(keys.tool, zeroed(changed, (page, 4096), slot(data)))
    keys.rootlet("run", REQUIRE, keys.tool, "exit", "5").failed_by_us("not signed")
    changed = bytearray(data)
    changed[page + 100] ^= 1
    replace(keys.tool, bytes(changed))
    keys.rootlet("run", REQUIRE, keys.tool, "exit", "5").failed_by_us("verify the signature")


def configure(keys, text):
    config = keys.home / "config/rootlet"
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.toml").write_text(text)
    own(keys.rig, config, config / "config.toml")


@test()
def old_versions(rig):
    """a signed file that is older than the least version is refused, or told, as is asked"""
    keys = ready(rig, "seal-old")
    shown = json.loads(keys.must(rig.rootlet, "inspect", "--json", keys.tool).text)
    check("probe" in json.dumps(shown), "the image has a name")
    db = data_image(keys, "db", "here\n")
    sign(keys, db, "--name", "pfam", "--tool-version", "35.0")
    configure(keys, '[trust]\nminimum = ["pfam 36.0", "others 1"]\n')
    judged(attached(keys, db), 0, "here")
    attached(keys, db, REQUIRE).failed_by_us("pfam 35.0", "36.0 is the oldest", "[trust] minimum")
    judged(attached(keys, db, "--verify=warn"), 0, "here", "36.0 is the oldest")
    sign(keys, db, "--name", "pfam", "--tool-version", "36.0")
    judged(attached(keys, db, REQUIRE), 0, "here")
    configure(keys, '[trust]\nminimum = ["probe 1"]\n')
    keys.rootlet("run", REQUIRE, keys.tool, "exit", "5").failed_by_us("probe of no version", "1 is the oldest")
    configure(keys, '[trust]\nminimum = "probe"\n')
    keys.rootlet("run", keys.tool).failed_by_us("config.toml:2", "NAME VERSION")


@test()
def pins(rig):
    """a signed tool vouches for the data that it pins by digest, and its signature names it"""
    keys = ready(rig, "seal-pins")
    db = data_image(keys, "pfam", "pinned\n")
    digest = json.loads(keys.must(rig.rootlet, "inspect", "--json", db).text)["seal"]
    tree = keys.home / "tree"
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    for applet in ("sh", "cat"):
        (tree / "bin" / applet).symlink_to("busybox")
    (keys.home / "p.toml").write_text(
        '[tool]\nname = "tool"\nversion = "1.2"\nentrypoint = ["/bin/sh"]\n[data]\n'
        f'pfam = {{path = "/ref/pfam", digest = "{digest}", required = true}}\n')
    keys.must(rig.rootlet, "build", tree, "-q", "--policy", "p.toml", "-o", "t.AppImage",
              "--sign-key", keys.secret)
    done = keys.rootlet("run", REQUIRE, "t.AppImage", "-c", "cat /ref/pfam/where")
    judged(done, 0, "pinned")
    judged(keys.verify("t.AppImage"), 0, "tool 1.2", f"data pfam {digest}")
    other = data_image(keys, "other", "another\n")
    replace(db, other.read_bytes())
    keys.rootlet("run", REQUIRE, "t.AppImage", "-c", "cat /ref/pfam/where").failed_by_us("pfam", "digest")


@test(by="user")
def bases_and_jars(rig):
    """the base of an image is judged as it is, and an image in a jar or at an offset as any other"""
    keys = ready(rig, "seal-base")
    tree = keys.home / "tree"
    shutil.copytree(WORK / "tree", tree, symlinks=True)
    build = ("build", tree, "-q", "--entry", "/opt/foo/bin/probe")
    keys.must(rig.rootlet, *build, "-o", "base.AppImage")
    (tree / "more").write_text("more\n")
    keys.must(rig.rootlet, *build, "-o", "top.AppImage", "--base", "base.AppImage", "--sign-key", keys.secret)
    equal(keys.rootlet("run", "top.AppImage", "exit", "5").code, 5)
    keys.rootlet("run", REQUIRE, "top.AppImage", "exit", "5").failed_by_us("base.AppImage", "not signed")
    sign(keys, "base.AppImage")
    equal(keys.rootlet("run", REQUIRE, "top.AppImage", "exit", "5").code, 5)
    with open(keys.home / "front", "wb") as file:
        file.write(b"x" * 777 + keys.tool.read_bytes())
    equal(keys.rootlet("run", REQUIRE, "front@777", "exit", "6").code, 6)
    subprocess.run(["python3", "-c", "import sys,zipfile; zipfile.ZipFile(sys.argv[1],'w').write(sys.argv[2],'t')",
                    keys.home / "x.jar", keys.tool], check=True)
    own(rig, keys.home / "x.jar")
    equal(keys.rootlet("run", REQUIRE, "x.jar!/t", "exit", "7").code, 7)
    keys.must(rig.rootlet, "sign", "-q", "--remove", keys.tool)
    with open(keys.home / "front", "wb") as file:
        file.write(b"x" * 777 + keys.tool.read_bytes())
    keys.rootlet("run", REQUIRE, "front@777", "exit", "6").failed_by_us("not signed")


@test(by="root")
def what_checks_nothing(rig):
    """with mount=kernel, which checks nothing as it reads, all of the file is judged"""
    keys = ready(rig, "seal-kernel")
    data = bytearray(keys.tool.read_bytes())
    data[seal_page(data) - 5000] ^= 1
    replace(keys.tool, bytes(data))
    keys.rootlet("run", "--mount=kernel", REQUIRE, keys.tool, "exit", "5").failed_by_us("bad")


if __name__ == "__main__":
    main()
