#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Data images: made, named in policies by digest, found, checked, kept, removed."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, contains, equal, main, mount, test


def rootlet(rig, *words, status=0, **keywords):
    done = rig.run(rig.rootlet, *words, **keywords)
    equal(done.status, status, repr(done))
    return done


def make(rig, name, text, **files):
    """A data image NAME.sqfs with the file `where` that says `text`."""
    tree = rig.top / f"{name}.tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    (tree / "where").write_text(text)
    for file, content in files.items():
        (tree / file).write_bytes(content)
    os.chmod(tree, 0o755)
    image = rig.top / "made" / f"{name}.sqfs"
    image.parent.mkdir(exist_ok=True)
    os.chown(image.parent, rig.uid, rig.uid)
    image.unlink(missing_ok=True)
    done = rootlet(rig, "build", "--data", tree, "-o", image)
    digest = re.search(r"sha256:[0-9a-f]{64}", done.text).group()
    return image, digest


def tool(rig, name, *data):
    """An image of busybox whose policy names data: (NAME, DIGEST, required)."""
    tree = rig.top / "tool.tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    for applet in ("sh", "cat", "ls"):
        (tree / "bin" / applet).symlink_to("busybox")
    lines = [f'{key} = {{path = "/ref/{key}", digest = "{digest}", '
             f'required = {str(required).lower()}}}' for key, digest, required in data]
    policy = rig.top / "tool.toml"
    policy.write_text('[tool]\nname = "tool"\nentrypoint = ["/bin/sh"]\n[data]\n'
                      + "\n".join(lines) + "\n")
    where = rig.top / "tools"
    where.mkdir(exist_ok=True)
    os.chown(where, rig.uid, rig.uid)
    return rig.build(tree, f"tools/{name}", "--policy", policy)


def store(rig):
    """An empty store; the environment that names it."""
    home = rig.top / "data-home"
    subprocess.run(["chmod", "-R", "u+w", home], capture_output=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    os.chown(home, rig.uid, rig.uid)
    return {"XDG_DATA_HOME": str(home), "XDG_DATA_DIRS": str(rig.top / "site")}


def read(rig, image, *options, env=None, what="cat /ref/*/where", **keywords):
    with Untouched():
        return rig.run(image, *("--rootlet-" + o for o in options), "-c", what, env=env,
                       **keywords)


@test()
def reproducible(rig):
    """the same directory is the same image of data, whoever owns it and whenever it is made"""
    _, first = make(rig, "a", "one\n", more=b"x" * 100000)
    image, second = make(rig, "b", "one\n", more=b"x" * 100000)
    equal(first, second)
    shown = json.loads(rootlet(rig, "inspect", "--json", image).text)
    equal((shown["format"], shown["seal"]), ("squashfs", first))
    make(rig, "b", "another one\n")  # takes the place of one
    refused = rig.run(rig.rootlet, "build", "--data", rig.top / "a.tree", "-o", image, "--entry",
                      "/x")
    refused.failed_by_us("no entry")


@test()
def found_by_digest(rig):
    """named data is found by its digest beside the file, in data-path, the store and the site's place"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    beside = packed.parent / "pfam.sqfs"
    site = rig.top / "site/rootlet/data"
    by_digest = site / "sha256" / digest[7:9] / digest[7:]
    given = rig.top / "given"
    for directory in (given, by_digest.parent):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    missing = read(rig, packed, env=env)
    missing.failed_by_us("find the data", "pfam", digest, str(packed.parent), env["XDG_DATA_HOME"],
                         str(site), "data-path")
    for place, options, variables in (
            (beside, (), {}), (by_digest, (), {}), (given / "pfam", (f"data-path={given}",), {}),
            (given / "pfam.sqfs", (), {"ROOTLET_DATA_PATH": str(given)})):
        shutil.copy(image, place)
        done = read(rig, packed, *options, env=env | variables)
        equal((done.status, done.text), (0, "pfam 36\n"), f"{place}: {done!r}")
        place.unlink()
    rootlet(rig, "data", "add", image, env=env)
    done = read(rig, packed, env=env, what="cat /ref/pfam/where; echo > /ref/pfam/new")
    equal(done.text, "pfam 36\n")
    contains(done.errors, "Read-only file system")


@test()
def wrong_ones(rig):
    """a file of the right name and another content is refused by name, and the right one is used"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n")
    other, other_digest = make(rig, "other", "pfam 35\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    given = rig.top / "given"
    shutil.rmtree(given, ignore_errors=True)
    given.mkdir()
    shutil.copy(other, given / "pfam.sqfs")
    (given / "pfam.AppImage").write_bytes(b"no image")
    (given / "pfam").symlink_to("pfam")
    options = (f"data-path={given}",)
    read(rig, packed, *options, env=env).failed_by_us(
        f"{given}/pfam.sqfs: its digest is {other_digest}", f"{given}/pfam.AppImage:",
        f"{given}/pfam: ELOOP")
    found = rig.run(rig.rootlet, "data", "find", packed, f"--data-path={given}", "--json", env=env)
    equal(found.status, 1, repr(found))
    equal(json.loads(found.text)[0]["found"], None)
    shutil.copy(image, packed.parent / "pfam.sqfs")
    done = read(rig, packed, *options, env=env)
    equal((done.status, done.text), (0, "pfam 36\n"), repr(done))
    shown = rootlet(rig, "data", "find", packed, f"--data-path={given}", env=env).text
    contains(shown, f"no   {given}/pfam.sqfs: its digest is {other_digest}")
    contains(shown, f"yes  {packed.parent}/pfam.sqfs")
    (packed.parent / "pfam.sqfs").unlink()


@test()
def ambiguous(rig):
    """of several files that are the right one, the first place counts, and its digest before its name"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    first, second = rig.top / "first", rig.top / "second"
    for directory in (first, second):
        shutil.rmtree(directory, ignore_errors=True)
        by_digest = directory / "sha256" / digest[7:9]
        by_digest.mkdir(parents=True)
        for name in (by_digest / digest[7:], directory / "pfam.sqfs", directory / "pfam"):
            shutil.copy(image, name)
    options = (f"--data-path={first}", f"--data-path={second}")
    found = json.loads(rootlet(rig, "data", "find", packed, *options, "--json", env=env).text)
    equal(found[0]["found"], str(first / "sha256" / digest[7:9] / digest[7:]))
    done = read(rig, packed, f"data-path={first}", f"data-path={second}", env=env)
    equal((done.status, done.text), (0, "pfam 36\n"), repr(done))


@test()
def not_required(rig):
    """data that is not required is left out where it is not found"""
    env = store(rig)
    _, digest = make(rig, "pfam", "pfam 36\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, False))
    done = read(rig, packed, "verbose", env=env, what="ls /ref 2>&1; exit 3")
    equal(done.status, 3, repr(done))
    contains(done.errors, "left out")


@test()
def two_releases(rig):
    """two releases side by side share the data they have in common and each has its own"""
    env = store(rig)
    common, common_digest = make(rig, "common", "common\n")
    old, old_digest = make(rig, "old", "old\n")
    new, new_digest = make(rig, "new", "new\n")
    for image in (common, old, new):
        rootlet(rig, "data", "add", image, env=env)
    first = tool(rig, "v1.AppImage", ("c", common_digest, True), ("db", old_digest, True))
    second = tool(rig, "v2.AppImage", ("c", common_digest, True), ("db", new_digest, True))
    equal(read(rig, first, env=env).text, "common\nold\n")
    equal(read(rig, second, env=env).text, "common\nnew\n")
    listed = json.loads(rootlet(rig, "data", "list", "--json", env=env).text)
    equal(sorted(name for entry in listed for name in entry["names"]), ["common", "new", "old"])


@test()
def attached_instead(rig):
    """what the user attaches at the place of named data is what is shown"""
    env = store(rig)
    _, digest = make(rig, "pfam", "pfam 36\n")
    other, _ = make(rig, "other", "mine\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    done = read(rig, packed, f"attach={other}:/ref/pfam", env=env)
    equal((done.status, done.text), (0, "mine\n"), repr(done))


@test()
def checked(rig):
    """check tells whether each named data is found and whole: required and missing is bad, else a warning"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n", big=os.urandom(100000))
    for required, status, told in ((True, 1, "bad"), (False, 0, "warning")):
        packed = tool(rig, "checked.AppImage", ("pfam", digest, required))
        done = rig.run(rig.rootlet, "check", packed, "--json", "--no-selftest", env=env)
        equal(done.status, status, repr(done))
        steps = [s for s in json.loads(done.text)["images"][0]["steps"] if s["what"] == "data"]
        equal([s["result"] for s in steps], [told], "without it")
        contains(steps[0]["text"], digest, "the step names it")
    rootlet(rig, "data", "add", image, env=env)
    done = rootlet(rig, "check", packed, env=env)
    contains(done.text, "pfam at /ref/pfam: " + env["XDG_DATA_HOME"], "where it was found")
    file = Path(json.loads(rootlet(rig, "data", "list", "--json", env=env).text)[0]["file"])
    content = bytearray(file.read_bytes())
    content[50000] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    done = rig.run(rig.rootlet, "check", packed, env=env)
    equal(done.status, 1, repr(done))
    contains(done.text, "is not what was sealed")
    equal(rig.run(rig.rootlet, "check", packed, "--no-content", env=env).status, 0, "only found")


@test()
def damaged(rig):
    """a byte of named data that changed ends the run with 125, and `data verify` names it"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n", big=os.urandom(400000))
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    rootlet(rig, "data", "add", image, env=env)
    equal(rootlet(rig, "data", "verify", env=env).text.count("sound"), 1)
    file = Path(json.loads(rootlet(rig, "data", "list", "--json", env=env).text)[0]["file"])
    content = bytearray(file.read_bytes())
    content[200000] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    done = read(rig, packed, env=env, what="cat /ref/pfam/big | wc -c")
    done.failed_by_us(str(file), "is not what was sealed")
    told = rig.run(rig.rootlet, "data", "verify", "pfam", env=env)
    equal(told.status, 1, repr(told))
    contains(told.errors, "is not what was sealed")


@test()
def unsealed(rig):
    """data add seals an image that has no seal, and leaves the file as it was"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n")
    used = int.from_bytes(image.read_bytes()[40:48], "little")
    bare = rig.copy("bare.sqfs", image.read_bytes()[:used])
    added = json.loads(rootlet(rig, "data", "add", "--json", "--name=x", bare, env=env).text)
    equal((added[0]["digest"], added[0]["names"]), (digest, ["x"]))
    equal(bare.stat().st_size, used)
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    equal(read(rig, packed, env=env).text, "pfam 36\n")


@test()
def garbage(rig):
    """data gc removes what was not used, never what a run holds or a kept image names"""
    env = store(rig)
    held, held_digest = make(rig, "held", "held\n")
    kept, kept_digest = make(rig, "kept", "kept\n")
    unused, _ = make(rig, "unused", "unused\n")
    for image in (held, kept, unused):
        rootlet(rig, "data", "add", image, env=env)
    holding = tool(rig, "holds.AppImage", ("held", held_digest, True))
    keeping = tool(rig, "keeps.AppImage", ("kept", kept_digest, True))
    running = rig.start(holding, "-c", "echo on; sleep 60", env=env)
    running.stdout.readline()
    dry = rootlet(rig, "data", "gc", "--unused-for=0", f"--keep={keeping}", "--dry-run", env=env)
    contains(dry.text, "would remove")
    contains(dry.text, "in use, kept:")
    rootlet(rig, "data", "gc", "--unused-for=0", f"--keep={keeping}", env=env)
    left = json.loads(rootlet(rig, "data", "list", "--json", env=env).text)
    equal(sorted(entry["names"][0] for entry in left), ["held", "kept"])
    running.terminate()
    running.communicate()
    rootlet(rig, "data", "gc", "--max-size=1", env=env)
    equal(json.loads(rootlet(rig, "data", "list", "--json", env=env).text), [])
    rig.run(rig.rootlet, "data", "gc", env=env).failed_by_us("--unused-for")


@test()
def killed_add(rig):
    """a `data add` that is killed leaves the store as it was, and the next one works"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n", big=os.urandom(3_000_000))
    for moment in (0.0, 0.002, 0.005, 0.01, 0.02):
        adding = rig.start(rig.rootlet, "data", "add", image, env=env)
        time.sleep(moment)
        adding.kill()
        adding.communicate()
        for entry in json.loads(rootlet(rig, "data", "list", "--json", env=env).text):
            rootlet(rig, "data", "verify", entry["file"], env=env)
    rootlet(rig, "data", "add", image, env=env)
    there = [path.name for path in Path(env["XDG_DATA_HOME"]).rglob("*") if not path.is_dir()]
    equal(sorted(there), sorted([digest[7:], "pfam.sqfs"]))


@test()
def huge(rig):
    """a sparse image of 100 GiB is found and attached like a small one"""
    env = store(rig)
    image, _ = make(rig, "pfam", "pfam 36\n")
    far = rig.top / "given"
    shutil.rmtree(far, ignore_errors=True)
    far.mkdir()
    with open(far / "pfam.sqfs", "wb") as file:
        file.write(image.read_bytes())
        file.truncate(100 << 30)
    digest = json.loads(rootlet(rig, "inspect", "--json", image).text)["seal"]
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    done = read(rig, packed, f"data-path={far}", env=env, timeout=10)
    equal((done.status, done.text), (0, "pfam 36\n"), repr(done))


@test()
def another_dataset(rig):
    """a run on one dataset cannot see another one of the same account, nor the store"""
    env = store(rig)
    mine, digest = make(rig, "mine", "mine\n")
    other, _ = make(rig, "other", "other\n")
    for image in (mine, other):
        rootlet(rig, "data", "add", image, env=env)
    packed = tool(rig, "tool.AppImage", ("mine", digest, True))
    done = read(rig, packed, env=env, what=f"cat /ref/*/where; ls '{env['XDG_DATA_HOME']}' '{other}'")
    equal(done.text, "mine\n", repr(done))
    equal(done.errors.count("No such file"), 2, repr(done))


def release(rig, name, *images, env, more=()):
    """A release of images, all of which go to the store and away from where they were."""
    for image in images:
        rootlet(rig, "data", "add", image, env=env)
    file = rig.top / f"{name}.release"
    file.unlink(missing_ok=True)
    rig.top.chmod(0o777)
    rootlet(rig, "lock", "--name", name, "--version", "1", "-o", file, *images, *more, env=env)
    return file


@test()
def pinned_release(rig):
    """a release runs the tool and data that it pins, wherever they are, and its record says so"""
    env = store(rig)
    data, digest = make(rig, "pfam", "pfam 36\n")
    shown, _ = make(rig, "shown", "shown\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    rootlet(rig, "data", "add", data, shown, env=env)
    file = release(rig, "meta", packed, env=env, more=("--attach", f"{shown}:/ref/shown"))
    packed.write_bytes(tool(rig, "tool.AppImage", ("pfam", digest, False)).read_bytes())
    pinned = json.loads(file.read_text())
    equal([one["name"] for one in pinned["tools"] + pinned["data"]], ["tool", "pfam", "shown"])
    record = rig.cwd / "r.json"
    done = rootlet(rig, "run", f"--record={record}", file, "tool", "-c", "cat /ref/*/where", env=env)
    equal(done.text, "pfam 36\nshown\n")
    told = json.loads(record.read_text())
    equal((told["release"]["name"], told["images"][0]["seal"]), ("meta 1", pinned["tools"][0]["digest"]))
    equal({(one["role"], one.get("path")) for one in told["images"]},
          {("root", ""), ("data", "/ref/pfam"), ("attached", "/ref/shown")})
    rootlet(rig, "check", "--no-selftest", file, env=env)
    rig.run(rig.rootlet, "run", file, "toll", env=env).failed_by_us("no tool toll", "its tools: tool")
    kept = {one["digest"] for one in pinned["tools"] + pinned["data"]}
    rootlet(rig, "data", "gc", "--unused-for=0", f"--keep={file}", env=env)
    equal({one["digest"] for one in json.loads(rootlet(rig, "data", "list", "--json", env=env).text)}, kept)


@test()
def broken_release(rig):
    """a release of which something is missing, changed or damaged is refused by name"""
    env = store(rig)
    packed = tool(rig, "tool.AppImage")
    file = release(rig, "meta", packed, env=env)
    digest = json.loads(file.read_text())["tools"][0]["digest"]
    stored = Path(env["XDG_DATA_HOME"]) / "rootlet/data/sha256" / digest[7:9] / digest[7:]
    stored.chmod(0o644)
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(bytes(content))
    contains(rootlet(rig, "check", "--no-selftest", file, env=env, status=1).text, "damaged")
    stored.unlink()
    rootlet(rig, "check", file, env=env, status=1)
    rig.run(rig.rootlet, "run", file, "tool", env=env).failed_by_us("what the release pins", digest)
    for text in ('{"release":1}', '{"release":1,', '{"release":2,"tools":[],"data":[]}',
                 '{"release":1,"tools":[{"name":"../x","digest":"sha256:0"}],"data":[]}'):
        rig.run(rig.rootlet, "run", rig.copy("bad.release", text.encode()), "tool", env=env).failed_by_us(
            "read the release")


@test(by="root")
def silent_directory(rig):
    """a directory that never answers does not keep a run from data that lies elsewhere"""
    env = store(rig)
    image, digest = make(rig, "pfam", "pfam 36\n")
    packed = tool(rig, "tool.AppImage", ("pfam", digest, True))
    silent = rig.top / "silent"
    silent.mkdir(exist_ok=True)
    fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    mount("silent", str(silent), "fuse", 0,
          f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other")
    try:
        started = time.monotonic()
        done = rig.run(packed, f"--rootlet-data-path={silent}", "-c", "true", env=env)
        done.failed_by_us(f"{silent}: does not answer")
        check(time.monotonic() - started < 20, "it was waited for too long")
        rootlet(rig, "data", "add", image, env=env)
        done = rig.run(packed, f"--rootlet-data-path={silent}", "-c", "cat /ref/pfam/where", env=env)
        equal((done.status, done.text), (0, "pfam 36\n"), repr(done))
    finally:
        os.close(fuse)
        subprocess.run(["umount", "-l", silent], check=True)


if __name__ == "__main__":
    main()
