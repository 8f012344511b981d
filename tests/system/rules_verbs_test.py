#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rootlet rules: show, diff, merge, test and lint of files of rules."""
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from learned import Learned
from rig import check, contains, equal, main, test

BASE = {"rootlet_rules": 1, "machine": "x86_64", "otherwise": {"action": "deny", "errno": "0x1 EPERM"},
        "runs": [], "system_calls": [], "paths": [], "programs": [], "network": []}


def write(rig, name, **parts):
    path = rig.top / name
    path.write_text(json.dumps(dict(BASE, **parts)))
    os.chown(path, rig.uid, rig.uid)
    return path


def rules(rig, *words):
    return rig.run(rig.rootlet, "rules", *words)


@test()
def replay(rig):
    """test says what of a recorded run rules would refuse, and the line that allows it"""
    known, other = Learned(rig, "done"), Learned(rig, "files", "calls", name="b")
    same = rules(rig, "test", known.rules_file, known.recording_file)
    equal((same.status, same.text), (0, "nothing would be refused\n"), repr(same))
    done = rules(rig, "test", known.rules_file, other.recording_file)
    equal(done.status, 1, repr(done))
    contains(done.text, "refused: read /opt/data/one (2 times)")
    contains(done.text, '{"path":"/opt/data/one","access":["read"]}')
    contains(done.text, "ioctl: TCGETS")
    # what would be refused, added line by line, is then allowed
    whole = json.loads(known.text)
    for entry in json.loads(rules(rig, "test", "--json", known.rules_file, other.recording_file).text):
        line = json.loads(entry["line"])
        kind = "system_calls" if "name" in line else "paths" if "access" in line else "programs"
        whole[kind].append(line)
    repaired = write(rig, "repaired.rules", **whole)
    equal(rules(rig, "test", repaired, other.recording_file).status, 0)
    rules(rig, "test", known.rules_file, rig.top / "none").failed_by_us("none")
    (rig.cwd / "out.txt").unlink(missing_ok=True)


@test()
def merged(rig):
    """merge allows what any of them allows, of files and of recordings, and keeps whose it was"""
    first, second = Learned(rig, "many"), Learned(rig, "calls", name="b")
    out = rig.top / "merged.rules"
    equal(rules(rig, "merge", first.rules_file, second.recording_file, "-o", out).status, 0)
    for recording in (first.recording_file, second.recording_file):
        equal(rules(rig, "test", out, recording).status, 0)
    equal([run["name"] for run in json.loads(out.read_text())["runs"]], ["run", "run-2"])
    again = rules(rig, "merge", out)
    equal(again.text, out.read_text(), "merging one changes nothing")


@test()
def differences(rig):
    """diff tells in words what only one of two files allows, and nothing of their evidence"""
    first = write(rig, "a.rules", paths=[{"path": "/opt/a", "access": ["read"]}])
    second = write(rig, "b.rules", paths=[{"path": "/opt/a", "access": ["read", "write"]}],
                   programs=[{"path": "/bin/sh"}])
    done = rules(rig, "diff", first, second)
    equal((done.status, done.text), (1, "+ execute /bin/sh\n- read /opt/a\n+ read, write /opt/a\n"))
    same = write(rig, "c.rules", paths=[{"path": "/opt/a", "access": ["read"], "runs": ["x"], "count": 3}],
                 runs=[{"name": "x", "date": "2026-11-24", "image": "x", "command": []}])
    equal((rules(rig, "diff", first, same).status, rules(rig, "diff", first, same).text), (0, ""))


@test()
def a_page(rig):
    """show is a page in words: programs, files by place, network, calls, runs, and what no kernel holds"""
    seen = Learned(rig, "files", "network", "programs")
    done = rules(rig, "show", seen.rules_file)
    equal((done.status, done.errors), (0, ""))
    for part in ("is refused with EPERM", "Programs that may be executed", "/opt/script",
                 "Files of the image", "Private places", "connect inet stream 127.0.0.1 port 4711",
                 "openat: O_RDONLY or", "run: 20", "Not enforced", "metadata:", "addresses:"):
        contains(done.text, part, "the page")
    (rig.cwd / "out.txt").unlink(missing_ok=True)


@test()
def wide_rules(rig):
    """lint names what is dangerously wide, and why; what is narrow passes"""
    narrow = write(rig, "narrow.rules", programs=[{"path": "/opt/tool"}],
                   system_calls=[{"name": "read"}], paths=[{"path": "/opt/data", "access": ["read"]}])
    equal(rules(rig, "lint", narrow).status, 0)
    for number, (part, words) in enumerate((
            (dict(paths=[{"path": "/", "below": True, "access": ["read"]}]), "everything"),
            (dict(paths=[{"path": "$HOME", "below": True, "access": ["read"]}]), "keys"),
            (dict(programs=[{"path": "/usr/bin", "below": True}]), "each program"),
            (dict(programs=[{"path": "$CWD/x"}],
                  paths=[{"path": "$CWD", "below": True, "access": ["write"]}]), "may change it"),
            (dict(system_calls=[{"name": "ptrace"}]), "takes over"),
            (dict(system_calls=[{"name": "ioctl"}]), "every argument"),
            (dict(otherwise={"action": "log"}), "nothing is refused"))):
        done = rules(rig, "lint", write(rig, f"wide{number}.rules", **part))
        equal(done.status, 1, repr(done))
        contains(done.text, words)
        found = json.loads(rules(rig, "lint", "--json", rig.top / f"wide{number}.rules").text)
        check(any(one["kind"] == "wide" and words in one["why"] for one in found), str(found))


@test()
def bad_input(rig):
    """a damaged file of rules is an error that names the file"""
    for name, text in (("cut", '{"rootlet_rules": 1,'), ("empty", ""), ("other", "[]")):
        path = rig.top / f"{name}.rules"
        path.write_text(text)
        for verb in ("show", "lint"):
            rules(rig, verb, path).failed_by_us(f"{name}.rules")
    damaged = rig.top / "damaged.rec"
    damaged.write_text('{"rootlet_recording": 1}')
    rules(rig, "merge", damaged).failed_by_us("damaged.rec")


if __name__ == "__main__":
    main()
