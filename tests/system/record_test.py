#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records of runs: record=FILE, and rootlet record show | diff | rerun | crate."""
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import crate
from rig import check, contains, equal, main, test

INPUT = "b\nc\na\n"
SORT = "sort in.txt > out.txt; cat out.txt"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def tool(rig, name="sorter.AppImage", *more):
    tree = rig.top / "sorter.tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    for applet in ("sh", "cat", "sort", "sleep", "rm", "ln", "mkdir"):
        (tree / "bin" / applet).symlink_to("busybox")
    policy = rig.top / "sorter.toml"
    policy.write_text('[tool]\nname = "sorter"\nversion = "1.2"\nentrypoint = ["/bin/sh"]\n')
    return rig.build(tree, name, "--policy", policy, *more)


def place(rig, name):
    """A new directory with the input."""
    directory = rig.top / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / "in.txt").write_text(INPUT)
    os.chown(directory, rig.uid, rig.uid)
    return directory


def recorded(rig, image, where, script=SORT, options=(), **keywords):
    """How the run ended, and its record."""
    done = rig.run(image, "--rootlet-record=r.json", "--rootlet-record-input=in.txt",
                   "--rootlet-record-output=out.txt", *("--rootlet-" + o for o in options), "-c", script,
                   cwd=where, **keywords)
    return done, json.loads((where / "r.json").read_text())


def verb(rig, *words, status=0, **keywords):
    done = rig.run(rig.rootlet, "record", *words, **keywords)
    equal(done.status, status, repr(done))
    return done


@test()
def made_of(rig):
    """a record names images, policy, arguments, inputs, outputs and end, as others compute them"""
    image, where = tool(rig), place(rig, "made_of")
    done, record = recorded(rig, image, where, SORT + "; exit 3",
                            ["env=N=2", "env=MY_TOKEN=hush", "memory=1g", "best-effort"],
                            env={"API_TOKEN": "hush"})
    equal((done.status, done.text), (3, "a\nb\nc\n"), repr(done))
    equal((record["record"], record["state"], record["code"], record["signal"]), (1, "ended", 3, None))
    shown = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)
    root = record["images"][0]
    equal((root["role"], root["file"], root["seal"]), ("root", str(image), shown["seal"]))
    policy = subprocess.run([rig.rootlet, "cat", image, ".rootlet/policy.bin"], capture_output=True)
    equal(record["policy"], "sha256:" + hashlib.sha256(policy.stdout).hexdigest())
    equal((record["tool"]["name"], record["tool"]["version"]), ("sorter", "1.2"))
    equal(record["argv"], ["/bin/sh", "-c", SORT + "; exit 3"])
    equal((record["directory"], record["program"]), (str(where), "/bin/sh"))
    equal(record["inputs"], [{"path": "in.txt", "size": len(INPUT), "sha256": digest(INPUT)}])
    equal(record["outputs"], [{"path": "out.txt", "size": 6, "sha256": digest("a\nb\nc\n")}])
    equal((record["environment"]["N"], record["environment"]["MY_TOKEN"]), ("2", None))
    check("hush" not in json.dumps(record), "a secret is told")
    check(record["read_bytes"][0] > 100_000, "what was read of the image is not counted")
    check(record["max_rss_kib"] > 0 and record["start"] < record["end"], str(record))
    equal((record["plan"]["profile"], record["plan"]["network"]), ("contained", "none"))
    user = pwd.getpwuid(rig.uid).pw_name if rig.root else record["host"]["user"]
    equal((record["host"]["user"], record["host"]["name"]), (user, os.uname().nodename))
    equal(sorted(os.listdir(where)), ["in.txt", "out.txt", "r.json"])
    page = verb(rig, "show", where / "r.json").text
    for part in ("sorter 1.2", shown["seal"], digest(INPUT), "outcome     3"):
        contains(page, part)


@test()
def however_it_ends(rig):
    """there is a record of a run that fails, dies of a signal, times out, or whose image is damaged"""
    image, where = tool(rig), place(rig, "ends")
    _, record = recorded(rig, image, where, "kill -11 $$")
    equal((record["state"], record["code"], record["signal_name"]), ("ended", None, "SIGSEGV"))
    _, record = recorded(rig, image, where, "sleep 60", ["timeout=0.3"])
    equal((record["code"], record["limits_met"]), (124, ["timeout"]))
    for options, action in ((["bind=/nowhere"], "/nowhere"), (["net=hots"], "hots")):
        done, record = recorded(rig, image, where, "true", options)
        done.failed_by_us(action)
        equal((record["state"], record["code"]), ("failed", 125))
        contains(json.dumps(record["error"]), action)
    bad = bytearray(image.read_bytes())
    begin = int(rig.run(image, "--appimage-offset").text)
    at = bad.index(Path("/bin/busybox").read_bytes()[50_000:50_064], begin)
    bad[at] ^= 1
    done, record = recorded(rig, rig.copy("bad.AppImage", bytes(bad)), where)
    done.failed_by_us("is not what was sealed")
    contains(record["error"]["reason"], "is not what was sealed")
    equal(verb(rig, "show", "--json", where / "r.json").status, 0)


@test()
def launcher_killed(rig):
    """a launcher that is killed leaves a whole record that says it is incomplete, and nothing else"""
    image, where = tool(rig), place(rig, "killed")
    running = rig.start(image, "--rootlet-record=r.json", "-c", "echo on; sleep 60", cwd=where)
    running.stdout.readline()
    running.kill()
    running.communicate()
    record = json.loads((where / "r.json").read_text())
    equal((record["state"], record["pid"]), ("running", running.pid))
    equal(sorted(os.listdir(where)), ["in.txt", "r.json"])
    contains(verb(rig, "show", where / "r.json").text, "its launcher was killed")


@test()
def where_to(rig):
    """record=DIR/ gives each run a file of its own; other files are never overwritten; none is none"""
    image, where = tool(rig), place(rig, "where")
    for _ in range(2):
        equal(rig.run(image, "--rootlet-record=all/", "-c", "true", cwd=where).status, 0)
    names = os.listdir(where / "all")
    equal(len(names), 2, names)
    for name in names:
        equal(name, time.strftime("%Y-%m-%d-", time.gmtime())
              + json.loads((where / "all" / name).read_text())["id"] + ".json")
    rig.run(image, "--rootlet-record=in.txt", "-c", "true", cwd=where).failed_by_us("no record")
    equal((where / "in.txt").read_text(), INPUT)
    rig.run(image, "--rootlet-record=no/such/r.json", "-c", "true", cwd=where).failed_by_us("no/such")
    env = {"ROOTLET_RECORD": "env.json"}
    for options in (["--rootlet-record=none"], ["--rootlet-dry-run"], ["--rootlet-help"]):
        equal(rig.run(image, *options, "-c", "true", cwd=where, env=env).status, 0)
        check(not (where / "env.json").exists(), f"{options}: a record was written")
    equal(rig.run(rig.rootlet, "run", "--record=run.json", "--record-private", "--no-isolation", image,
                  "-c", "exit 4", cwd=where).status, 4)
    record = json.loads((where / "run.json").read_text())
    equal((record["code"], "host" in record, "plan" in record), (4, False, False))
    policy = rig.top / "asks.toml"
    policy.write_text('[tool]\nname = "x"\nentrypoint = ["/bin/sh"]\n[isolation]\nrecord = "/tmp/x"\n')
    asks = rig.build(rig.top / "sorter.tree", "asks.AppImage", "--policy", policy)
    rig.run(asks, "-c", "true").failed_by_us("the image asks for more")


@test()
def forged(rig):
    """what a tool makes of its own record is gone when it ends"""
    image, where = tool(rig), place(rig, "forged")
    (where / "victim").write_text("mine\n")
    for script in ("echo '{\"record\":1}' > r.json", "rm r.json; ln -s victim r.json", "rm r.json"):
        done, record = recorded(rig, image, where, script + "; exit 5")
        equal((done.status, record["code"]), (5, 5), repr(done))
        check(not (where / "r.json").is_symlink(), "it is a symlink")
        equal((where / "victim").read_text(), "mine\n")
    done = rig.run(image, "--rootlet-record=r.json", "-c", "rm r.json; mkdir r.json; exit 5", cwd=where)
    equal(done.status, 5)
    contains(done.errors, "the record stays incomplete")


@test()
def same_elsewhere(rig):
    """the same run of another image file in another directory differs only in time and place"""
    image = tool(rig)
    other = rig.copy("moved.AppImage", image.read_bytes())
    first, second, third = place(rig, "here"), place(rig, "there"), place(rig, "changed")
    (third / "in.txt").write_text("z\n" + INPUT)
    for file, where in ((image, first), (other, second), (image, third)):
        equal(recorded(rig, file, where, SORT + f"; : {where}")[0].status, 0)
    done = verb(rig, "diff", first / "r.json", second / "r.json")
    contains(done.text, "differ only in time and place")
    done = verb(rig, "diff", "--json", first / "r.json", third / "r.json", status=1)
    found = {(one["kind"], one["what"]) for one in json.loads(done.text)}
    for wanted in (("made of", "input in.txt"), ("result", "output out.txt")):
        check(wanted in found, f"{wanted} is not in {found}")
    rig.run(rig.rootlet, "record", "diff", first / "r.json", image).failed_by_us("no record")


@test()
def again(rig):
    """rerun repeats a run beside its outputs, and says whether they are the same"""
    image, where = tool(rig), place(rig, "again")
    with open(where / "stdout.txt", "wb") as out:
        recorded(rig, image, where, stdout=out)
    (where / "out.txt").write_text("changed since\n")
    done = verb(rig, "rerun", where / "r.json")
    contains(done.text, "2 outputs are equal")
    equal((where / "out.txt").read_text(), "changed since\n")
    equal(sorted(os.listdir(where)), ["in.txt", "out.txt", "r.json", "stdout.txt"])
    (where / "in.txt").write_text("z\n")
    contains(verb(rig, "rerun", where / "r.json", status=1).text, "another result")
    moved = place(rig, "again-moved")
    contains(verb(rig, "rerun", where / "r.json", f"--directory={moved}").text, "2 outputs are equal")
    recorded(rig, image, where, "echo $$ $(cat /proc/uptime) > out.txt")
    verb(rig, "rerun", where / "r.json", status=1)
    image.rename(rig.top / "elsewhere.AppImage")
    refused = rig.run(rig.rootlet, "record", "rerun", where / "r.json")
    refused.failed_by_us("find the image")
    verb(rig, "rerun", where / "r.json", "--image", rig.top / "elsewhere.AppImage", status=1)


@test()
def again_unnamed(rig):
    """files that are only among the arguments are there again, as copies; an old output is not"""
    image, where = tool(rig), place(rig, "unnamed")
    script = 'test ! -e out.txt && sort "$1" > out.txt && echo more >> "$1"'
    (where / "out.txt").unlink(missing_ok=True)
    os.chown(where / "in.txt", rig.uid, rig.uid)
    done = rig.run(image, "--rootlet-record=r.json", "--rootlet-record-output=out.txt", "-c", script, "x", "in.txt",
                   "out.txt", cwd=where)
    equal(done.status, 0, repr(done))
    before = (where / "in.txt").read_text()
    contains(verb(rig, "rerun", where / "r.json", status=1).text, "another result")  # for in.txt has grown
    equal((where / "in.txt").read_text(), before, "the file itself")
    (where / "in.txt").write_text(before.removesuffix("more\n"))
    contains(verb(rig, "rerun", where / "r.json").text, "1 output is equal")


@test()
def again_isolated(rig):
    """what `input` and `output` named in an isolated run is repeated beside it as well"""
    image, where = tool(rig), place(rig, "isolated")
    (where / "out").mkdir()
    os.chown(where / "out", rig.uid, rig.uid)
    done = rig.run(image, "--rootlet-record=r.json", "--rootlet-profile=isolated",
                   f"--rootlet-input={where}/in.txt", f"--rootlet-output={where}/out", "-c",
                   f"sort '{where}/in.txt' > '{where}/out/sorted'", cwd=where)
    equal(done.status, 0, repr(done))
    record = json.loads((where / "r.json").read_text())
    equal([one["path"] for one in record["inputs"] + record["outputs"]], ["in.txt", "out/sorted"])
    contains(verb(rig, "rerun", where / "r.json").text, "1 output is equal")


@test()
def published(rig):
    """crate writes a Process Run Crate with the files that are still what they were"""
    image, where = tool(rig), place(rig, "published")
    recorded(rig, image, where)
    target = where / "crate"
    verb(rig, "crate", where / "r.json", "-o", target, "--name=Sorting", "--licence=CC0-1.0")
    entities = crate.read(target)
    run, = crate.actions(entities)
    copied = entities[run["result"]["@id"]]
    equal((target / copied["@id"]).read_text(), "a\nb\nc\n")
    equal(entities[run["instrument"]["@id"]]["softwareVersion"], "1.2")
    found = crate.issues(target)
    check(not found or not [one for one in found if one[0] == "REQUIRED"], str(found))
    (where / "out.txt").write_text("changed\n")
    again = verb(rig, "crate", where / "r.json", "-o", where / "second")
    contains(again.errors, "out.txt")
    equal(entities[run["object"]["@id"]]["identifier"],
          "sha256:" + digest(INPUT))
    rig.run(rig.rootlet, "record", "crate", where / "r.json", "-o", target).failed_by_us("not empty")


@test()
def found(rig):
    """learn records which files the tool read and wrote, though nobody named them; rerun compares them"""
    image, where = tool(rig), place(rig, "found")
    (where / "table.txt").write_text("1\n")
    (where / "unread.txt").write_text("2\n")
    os.chown(where / "in.txt", rig.uid, rig.uid)
    script = "sort in.txt table.txt > out.txt; cat < /bin/busybox > /tmp/x; cat gone.txt; sort -o in.txt in.txt"
    done = rig.run(rig.rootlet, "learn", "-o", "/dev/null", "--record=r.json", "--record-input=table.txt", image,
                   "-c", script, cwd=where)
    equal(done.status, 0, repr(done))
    record = json.loads((where / "r.json").read_text())
    equal([file["path"] for file in record["inputs"]], ["table.txt"], "named")
    check("found_inputs" not in record, "in.txt was written, and table.txt is named")
    equal({file["path"]: file["sha256"] for file in record["outputs"]},
          {name: digest((where / name).read_text()) for name in ("in.txt", "out.txt")}, "outputs")
    done = rig.run(rig.rootlet, "learn", "-o", "/dev/null", "--record=r.json", image, "-c", "sort table.txt > out.txt",
                   cwd=where)
    record = json.loads((where / "r.json").read_text())
    equal([(file["path"], file["sha256"]) for file in record["found_inputs"]], [("table.txt", digest("1\n"))])
    contains(verb(rig, "show", where / "r.json").text, "table.txt")
    (where / "odd.json").write_text(json.dumps({**record, "inputs": "none"}))
    contains(verb(rig, "show", where / "odd.json").text, "table.txt")
    contains(verb(rig, "rerun", where / "r.json").text, "1 output is equal")


@test(by="root")
def schema(rig):
    """records are what docs/record.schema.json says"""
    try:
        import jsonschema
    except ImportError:
        return
    text = (Path(__file__).parents[2] / "docs/record.schema.json").read_text()
    image, where = tool(rig), place(rig, "schema")
    for script, options in ((SORT, []), ("kill -9 $$", ["memory=1g", "best-effort"]), ("", ["net=x"])):
        _, record = recorded(rig, image, where, script, options)
        jsonschema.validate(record, json.loads(text))


if __name__ == "__main__":
    main()
