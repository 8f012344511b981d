#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rootlet learn: what is recorded of a run, and the rules that are made of it."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from learned import Learned, image_of
from rig import Skip, check, contains, equal, main, processes, test


def said(learned):
    return dict(line.split(" ", 1) for line in learned.done.text.splitlines())


def remove_made(rig):
    for path in rig.cwd.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "closed.txt":
            path.unlink()


@test()
def files(rig):
    """each path is recorded by kind of access and place, and what was refused with its errno"""
    seen = Learned(rig, "files")
    equal(seen.done.status, 0, repr(seen.done))
    told = said(seen)
    equal((told["image"], told["image-new"], told["missing"]), ("EROFS", "EROFS", "ENOENT"))
    row = seen.rows("paths", path="/opt/data/one", access="read")[0]
    equal((row["count"], row["where"], row["type"]), (2, "image", "f"), "itself and by its link")
    equal(row["first"]["program"], "/bin/learn")
    equal(seen.errors("paths", path="/opt/data/one", access="write"), {"EROFS": (1, 0)})
    equal(seen.errors("paths", path="/opt/data/new", access="create"), {"EROFS": (1, 0)})
    equal(seen.errors("paths", path="/opt/data/missing", access="read"), {"ENOENT": (0, 1)})
    if not rig.root:
        equal(told["closed"], "EACCES")
        equal(seen.errors("paths", path=f"{rig.cwd}/closed.txt", access="read"), {"EACCES": (1, 0)})
    for path, access, where in ((f"{rig.cwd}/out.txt", "create", "bind"),
                                (f"{rig.cwd}/passing.txt", "delete", "bind"),
                                ("/tmp/d", "create", "scratch"),
                                ("/opt/data", "list", "image"),
                                ("/opt/data/two", "metadata", "image")):
        equal(seen.rows("paths", path=path, access=access)[0]["where"], where, path)
    # the rules: what came off, and nothing else
    equal(seen.allowed("/opt/data/one"), ["read"])
    equal(seen.allowed("/opt/data/missing"), None)
    check("write" in seen.allowed("$CWD/out.txt"), str(seen.allowed("$CWD/out.txt")))
    check("below" in seen.allowed("$CWD"), "a passing name stands for its directory")
    check({"create", "below"} <= set(seen.allowed("/tmp")), str(seen.allowed("/tmp")))
    (rig.cwd / "out.txt").unlink()


@test()
def network_and_calls(rig):
    """addresses, deciding arguments, and calls that are refused, are recorded as they ended"""
    seen = Learned(rig, "network", "calls")
    told = said(seen)
    for subject, rows, wanted in (
            ("far", "network", dict(address="192.0.2.1", port=80, direction="connect", type="stream")),
            ("unix", "network", dict(address="@nobody")),
            ("packet", "system_calls", dict(name="socket", detail="refused by the default filter")),
            ("key", "system_calls", dict(name="add_key")),
            ("uring", "system_calls", dict(name="io_uring_setup")),
            ("mount", "system_calls", dict(name="mount"))):
        equal(seen.errors(rows, **wanted), {told[subject]: (1, 0)}, subject)
    equal((told["key"], told["uring"]), ("EPERM", "ENOSYS"), "the default filter's own errnos")
    check(any("io_uring" in note for note in seen.recording["notes"]), str(seen.recording["notes"]))
    equal(seen.rows("network", direction="bind", address="127.0.0.1", port=4711)[0]["count"], 1)
    check(not seen.errors("network", direction="connect", address="127.0.0.1"), "it came off")
    seen.rows("system_calls", name="kill", detail="0 to itself")
    seen.rows("system_calls", name="mmap", detail="of memory")
    equal([entry["port"] for entry in seen.rules["network"]], [4711, 4711])
    equal(seen.call("add_key"), [])
    contains(json.dumps(seen.call("ioctl")), "0x5401 TCGETS")
    contains(json.dumps(seen.call("prctl")), "PR_SET_NAME")
    contains(json.dumps(seen.call("mmap")), "MAP_ANONYMOUS")


@test()
def programs(rig):
    """programs, scripts with their interpreters, and failed starts, by fork and by vfork"""
    seen = Learned(rig, "programs")
    contains(seen.done.text, "done")
    equal(sorted(entry["path"] for entry in seen.rules["programs"]),
          ["/bin/busybox", "/bin/learn", "/opt/script"])
    equal(seen.rows("programs", path="/bin/learn", **{"as": "interpreter"})[0]["count"], 1)
    equal(seen.errors("programs", path="/opt/nobody"), {"ENOENT": (0, 1)})
    equal([row["program"] for row in seen.recording["processes"]],
          ["/bin/learn", "/opt/script", "/bin/busybox"])
    pids = [row["pid"] for row in seen.recording["processes"]]
    equal([row["parent"] for row in seen.recording["processes"]][1:], [pids[0], pids[0]])


@test()
def threads(rig):
    """threads are recorded as one process, and execve from one of them is followed"""
    seen = Learned(rig, "threads")
    equal(seen.done.text, "done\n")
    equal(seen.rows("paths", path="/opt/data/two", access="read")[0]["count"], 8 * 50)
    process = seen.rows("processes", program="/bin/learn")[0]
    check(process["threads"] >= 9, str(process))
    equal(seen.rows("programs", path="/bin/learn", **{"as": "program"})[0]["count"], 2)


@test()
def signals(rig):
    """a tool that gets signals all the time sees no error that it would not see unwatched"""
    seen = Learned(rig, "signals")
    equal(seen.done.text, "failed 0, ticks many\n")


@test()
def other_door(rig):
    """a call by the 32-bit door ends its process, as in any run, and is told"""
    seen = Learned(rig, "door32")
    check(seen.done.status != 0 and "went through" not in seen.done.text, repr(seen.done))
    contains(seen.done.errors, "32-bit door")


@test()
def own_filter_and_tracer(rig):
    """a tool that filters or traces itself works, and what is not seen is said"""
    seen = Learned(rig, "filter", "traced")
    equal(seen.done.text.splitlines()[0], "filter ok")
    equal(seen.done.text.splitlines()[-2:], ["stopped ok", "ended 7"])
    contains(seen.done.text, "listener EBUSY")
    contains(seen.done.errors, "uses seccomp itself")
    contains(seen.done.errors, "traces (ptrace)")
    contains(seen.rules["runs"][0]["note"], "uses seccomp itself")


@test()
def ends(rig):
    """learn ends as the tool ends, and the rules say how that was"""
    for word, status, end in (("seven", 7, "exit 7"), ("abort", -signal.SIGKILL, "signal SIGKILL")):
        seen = Learned(rig, word)
        equal(seen.done.status, status, repr(seen.done))
        equal(seen.rules["runs"][0]["end"], end)
        contains(seen.done.errors, "until then")


@test()
def folds(rig):
    """a directory is folded from 16 distinct entries on, and not before; or on request"""
    seen = Learned(rig, "many")
    equal(seen.allowed("/opt/many"), ["read", "below"])
    equal(seen.allowed("/opt/few/00"), ["read"])
    equal(seen.allowed("/opt/few"), None)
    seen = Learned(rig, "many", options=("--fold", "/opt/few"))
    equal(seen.allowed("/opt/few"), ["read", "below"])


@test()
def same_rules(rig):
    """two runs that do the same give the same rules, and --append adds what is new and whose it is"""
    strip = lambda text: re.sub(r'"count":\d+|"date":"[^"]*"', "", text)
    first, again = Learned(rig, "many", "calls"), Learned(rig, "many", "calls")
    equal(strip(first.text), strip(again.text))
    refused = rig.run(rig.rootlet, "learn", "-o", again.rules_file, image_of(rig), "done")
    refused.failed_by_us("there are rules already", "--append")
    more = Learned(rig, "files", options=("--append", "--name", "files"), fresh=False)
    equal([run["name"] for run in more.rules["runs"]], ["files", "run"])
    sources = {entry["path"]: entry["runs"] for entry in more.rules["paths"]}
    equal((sources["/opt/data/one"], sources["/opt/many"]), (["files"], ["run"]))
    equal(len(more.call("ioctl")), 1, "one line for all requests")


@test()
def every_call(rig):
    """what touches only memory, clocks and open files is allowed unwatched; --every-call watches it too"""
    full, less = Learned(rig, "files", options=("--every-call",)), Learned(rig, "files", name="b")
    equal((full.recording["detail"], less.recording["detail"]), ("all", "deciding"))
    check(less.call("sched_yield") and not full.call("sched_yield"), "sched_yield")
    check(less.recording["calls"] < full.recording["calls"], "no fewer calls")
    equal(rig.run(rig.rootlet, "rules", "test", less.rules_file, full.recording_file).status, 0)
    check("PROT_EXEC" not in json.dumps([c["arguments"][0]["values"] for c in less.call("mprotect")]),
          "executable memory is not quiet")


@test()
def products(rig):
    """the order of first use, untouched files, a policy and a page come of the same run"""
    names = ("trace", "untouched", "policy", "page")
    files = {name: rig.top / f"out.{name}" for name in names}
    seen = Learned(rig, "files", "many",
                   options=[word for name in names for word in (f"--{name}", files[name])])
    equal(seen.done.status, 0, repr(seen.done))
    trace = files["trace"].read_text().splitlines()
    equal(trace[:2], ["/bin/learn", "/opt/data/one"])
    equal(trace[2:5], ["/opt/many/00", "/opt/many/01", "/opt/many/02"])
    left = files["untouched"].read_text().splitlines()
    check("/bin/busybox" in left and "/opt/data/two" not in left and "/opt/many/00" not in left, str(left))
    policy = files["policy"].read_text()
    for part in ('net = "none"', 'profile = "isolated"', f'--output="{rig.cwd}"', "/opt/data"):
        contains(policy, part)
    again = Learned(rig, "programs", options=("--append", "--untouched", files["untouched"]), fresh=False)
    equal(again.done.status, 0, repr(again.done))
    check("/bin/busybox" not in files["untouched"].read_text().splitlines(), "the second run used it")


@test()
def schema(rig):
    """a recording is what its schema says"""
    try:
        import jsonschema
    except ImportError:
        raise Skip("no python3-jsonschema here: scripts/setup installs it")
    rules = json.loads((Path(__file__).parents[2] / "docs/rules.schema.json").read_text())
    recording = json.loads((Path(__file__).parents[2] / "docs/recording.schema.json").read_text())
    seen = Learned(rig, "files", "network", "calls", "programs", "threads",
                   options=("--untouched", rig.top / "schema.untouched"))
    jsonschema.validate(seen.recording, recording)
    jsonschema.validate(seen.rules, rules)
    remove_made(rig)


@test()
def names_without_end(rig):
    """a tool that asks for names without end is recorded up to a limit, and the rules say so"""
    seen = Learned(rig, "endless", "files")
    equal(seen.done.status, 0, repr(seen.done))
    contains(seen.done.text, "all asked")
    equal(len(seen.recording["paths"]), 30000)
    contains(seen.done.errors, "more than 30000 different paths")
    contains(seen.rules["runs"][0]["note"], "rules made of this run may refuse them")
    equal(seen.allowed("/opt/data/one"), None, "what came too late")
    remove_made(rig)


@test()
def hostile_names(rig):
    """names with line ends, quotes and script tags stay data in rules, page and messages"""
    page = rig.top / "hostile.html"
    seen = Learned(rig, "hostile", options=("--page", page))
    equal(seen.done.status, 0, repr(seen.done))
    text = page.read_text()
    equal(text.count("</script>"), 2, "script elements that end")
    contains(json.dumps(seen.rules), "</script>")
    check(rig.run(rig.rootlet, "rules", "show", seen.rules_file).text.count("\n\"'") == 0,
          "a line end of a name reached the page")
    remove_made(rig)


@test()
def drawn_in_a_browser(rig):
    """a browser draws the page: tree, timeline, network and refusals, and runs no name as a script"""
    browser = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-headless-shell")
                    if Path(p).exists()), None)
    if browser is None:
        raise Skip("no chromium here: scripts/setup installs it")
    page = rig.top / "drawn.html"
    Learned(rig, "hostile", "files", "network", "calls", "programs", options=("--page", page))
    home = rig.top / "browser"
    shown = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={home}", "--virtual-time-budget=4000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=90, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    contains(shown.stdout, 'data-drawn="yes"', "the page")
    contains(shown.stdout, "<rect", "the timeline")
    for part in ("EROFS 1×", "192.0.2.1", "add_key", "io_uring_setup", "out.txt", "/bin/learn"):
        contains(shown.stdout, part, "the page")
    check("<title>hit" not in shown.stdout, "a name ran as a script")
    remove_made(rig)


@test()
def killed(rig):
    """kill -9 of learn leaves no process and no file; of the watcher, a clear end"""
    rules = rig.top / "killed.rules"
    before = set(os.listdir(rig.top)) | set(os.listdir(rig.cwd))
    process = rig.start(rig.rootlet, "learn", "-o", rules, image_of(rig), "wait")
    equal(process.stdout.readline(), b"waiting\n")
    process.kill()
    process.wait()
    deadline = time.time() + 10
    while any("watcher" in str(line) or "learn" in str(line) for line in processes()):
        check(time.time() < deadline, f"left: {processes()}")
        time.sleep(0.05)
    equal((set(os.listdir(rig.top)) | set(os.listdir(rig.cwd))) - before, set())


@test()
def impossible(rig):
    """what cannot be watched is refused before the tool runs"""
    image = image_of(rig)
    for words, part in ((["--no-isolation", image, "done"], "without isolation"),
                        (["--name"], "needs a value"), ([], "no IMAGE"),
                        (["-o", "/nowhere/x", image, "done"], "/nowhere")):
        done = rig.run(rig.rootlet, "learn", *words)
        equal(done.status, 125, repr(done))
        contains(done.errors, part)
        equal(done.text, "", "the tool ran")


if __name__ == "__main__":
    main()
