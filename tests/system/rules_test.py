#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rules=FILE: what the rules allow, and nothing else (docs/rules.md)."""
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from place import WORK
from rig import Skip, check, contains, equal, main, test
from rules import CALLS, rules_file, shell_rules

PROBE = "/opt/foo/bin/probe"


def find(value, key):
    """The value of that key, wherever it is."""
    if isinstance(value, dict):
        return value[key] if key in value else next(
            (found for inner in value.values() if (found := find(inner, key)) is not None), None)
    return None


def run(rig, rules, script, *options, **keywords):
    """A line of shell under rules, in a packed file."""
    files = rules if isinstance(rules, list) else [rules]
    return rig.shell(script, options=[*(f"rules={f}" for f in files), *options], **keywords)


@test()
def what_is_allowed(rig):
    """a tool does under its rules what they name, and gets their errno for the rest"""
    file = rules_file(rig, shell_rules(error="25 ENOTTY"))
    done = run(rig, file, "cat /opt/foo/share/data.txt; chmod 700 /var/tmp; echo $?; exit 7")
    equal((done.status, done.text), (7, "data of the image\n1\n"), repr(done))
    contains(done.errors, "Inappropriate ioctl", "stderr")


@test()
def told_in_words(rig):
    """a refused call is told on stderr and in the status: who, what, by which rules, what allows it"""
    file = rules_file(rig, shell_rules())
    status = rig.top / "status"
    status.unlink(missing_ok=True)
    done = run(rig, file, "chmod 700 /var/tmp; chmod 700 /var/tmp; exit 0", f"status={status}")
    line = next(l for l in done.errors.splitlines() if "was refused" in l)
    for part in (str(file), "/bin/busybox (pid ", "chmod(", 'add to system_calls: {"name": "chmod"}'):
        contains(line, part, "the line")
    equal(done.errors.count("chmod("), 1, "told once")
    contains(done.errors, "the same, 1 times more", "the sum")
    events = [json.loads(l) for l in status.read_text().splitlines()]
    told = next(e for e in events if e["event"] == "refused")
    equal(told["program"], "/bin/busybox", "program")
    equal((told["allow"], told["enforced"]), ('system_calls: {"name": "chmod"}', True), "event")
    check(told["pid"] > 1, "a pid of the host's")


@test(by="user")
def what_it_says_to_add(rig):
    """the line that is said to allow a call allows it"""
    rules = shell_rules()
    script = "cd /var/tmp && touch f && chmod 700 f && stty -a </dev/null; ls -l f | cut -c1-10"
    for _ in range(20):
        done = run(rig, rules_file(rig, rules), script)
        told = [l.split("to allow it, add to ")[1] for l in done.errors.splitlines()
                if "was refused" in l]
        if not told:
            break
        for line in told:
            kind, entry = line.split(": ", 1)
            rules[kind].append(json.loads(entry))
    equal((told, done.text), ([], "-rwx------\n"), repr(done))


@test()
def paths(rig):
    """files and directories are reached as the rules say, and no others"""
    (rig.cwd / "in").mkdir(exist_ok=True)
    (rig.cwd / "out").mkdir(exist_ok=True)
    (rig.cwd / "in/a").write_text("a\n")
    (rig.cwd / "other").write_text("b\n")
    for name in ("in", "out", "in/a", "other"):
        os.chown(rig.cwd / name, rig.uid, rig.uid)
    rules = shell_rules()
    rules["paths"] += [{"path": "$CWD/in", "below": True, "access": ["read", "list"]},
                       {"path": "$CWD/out", "below": True,
                        "access": ["create", "write", "read", "list", "delete"]}]
    file = rules_file(rig, rules)
    script = ("cat in/a; ls in; cat other; echo c > other; echo c > in/a; echo c > out/c; cat out/c; "
              "mkdir out/d; mv out/c out/d/c; rm -r out/d; rm in/a; ls .; mkdir new; exit 0")
    done = run(rig, file, script)
    equal(done.text, "a\na\nc\n", repr(done))
    equal(done.errors.count("Permission denied"), 6, done.errors)
    equal((rig.cwd / "other").read_text() + (rig.cwd / "in/a").read_text(), "b\na\n", "files")
    equal(list((rig.cwd / "out").iterdir()), [], "out")


@test()
def programs(rig):
    """only the programs that are named are executed"""
    rules = shell_rules()
    rules["programs"] = [{"path": "/bin/busybox"}]
    file = rules_file(rig, rules)
    done = run(rig, file, f"/bin/cat /opt/foo/share/data.txt; {PROBE} exit 3; echo $?")
    equal(done.text, "data of the image\n126\n", repr(done))
    done = rig.probe("exit", "3", options=[f"rules={file}"])
    equal(done.status, 126, repr(done))
    contains(done.errors, "hint: the rules may not allow it", "hint")


@test()
def ends_as_without(rig):
    """under rules a run ends as without: status, signal, a program that is not there"""
    file = rules_file(rig, shell_rules())
    equal(run(rig, file, "exit 9").status, 9)
    equal(run(rig, file, "kill -9 $$").status, -9)
    missing = rig.probe(options=["exec=/nowhere", f"rules={file}"])
    equal(missing.status, 127, repr(missing))
    contains(missing.errors, "the image has no such program", "stderr")


@test()
def kill(rig):
    """rules that kill end the whole run at the first refused call, as by SIGSYS"""
    file = rules_file(rig, shell_rules(action="kill"))
    done = run(rig, file, "echo before; (chmod 700 /var/tmp; sleep 20); echo behind")
    equal((done.status, done.text), (-signal.SIGSYS, "before\n"), repr(done))
    contains(done.errors, "was refused: chmod(", "stderr")


@test()
def log(rig):
    """rules that log refuse nothing and tell everything: calls, paths, programs"""
    rules = shell_rules(action="log")
    rules["programs"] = [{"path": "/bin/busybox"}]
    file = rules_file(rig, rules)
    (rig.cwd / "other").write_text("b\n")
    os.chown(rig.cwd / "other", rig.uid, rig.uid)
    script = f"chmod 700 /var/tmp; cat other; echo x > new; rm new; {PROBE} exit 3; echo $?"
    done = run(rig, file, script)
    equal((done.status, done.text), (0, "b\n3\n"), repr(done))
    for part in ("would be refused: chmod(", f"refused: read {rig.cwd}/other",
                 f"refused: create write {rig.cwd}/new", f"refused: delete {rig.cwd}/new",
                 f"refused: execute {PROBE}", f'programs: {{"path": "{PROBE}"}}'):
        contains(done.errors, part, "stderr")
    check("data.txt" not in run(rig, file, "cat /opt/foo/share/data.txt").errors, "what is allowed")


@test(by="user")
def told_of_paths_when_asked(rig):
    """with verbose a path that is refused is told as well"""
    (rig.cwd / "other").write_text("b\n")
    file = rules_file(rig, shell_rules())
    done = run(rig, file, "cat other", "verbose")
    contains(done.errors, f"was refused: read {rig.cwd}/other; to allow it, add to paths", "stderr")
    contains(done.errors, "not enforced: metadata", "what is not enforced")


@test(by="user")
def two_files_add_up(rig):
    """of two files both hold"""
    first, second = shell_rules(), shell_rules()
    first["system_calls"].append({"name": "chmod"})
    second["paths"].append({"path": "$CWD", "below": True, "access": ["read"]})
    (rig.cwd / "other").write_text("b\n")
    files = [rules_file(rig, first, "first.json"), rules_file(rig, second, "second.json")]
    done = run(rig, files, "chmod 700 /var/tmp || echo one; cat other || echo two")
    equal(done.text, "one\ntwo\n", repr(done))


@test()
def of_an_image(rig):
    """rules that an image brings hold in the packed file; locked ones cannot be left out"""
    rules = shell_rules()
    rules["runs"] = [{"name": "globins", "note": "evidence stays outside"}]
    (rig.top / "r.json").write_text(json.dumps(rules))
    for locked in (False, True):
        policy = rig.top / "policy.toml"
        policy.write_text('[tool]\nname = "sh"\nentrypoint = ["/bin/sh"]\n[isolation]\n'
                          'rules = "r.json"\n' + ('locked = ["rules"]\n' if locked else ""))
        image = rig.build(WORK / "tree", f"ruled{locked}.AppImage", "--policy", policy)
        shown = json.loads(rig.run(rig.rootlet, "inspect", "--json", image).text)
        equal(len(find(shown, "rules")["system_calls"]), len(rules["system_calls"]), "inspect")
        check("globins" not in json.dumps(find(shown, "rules")), "no evidence in the image")
        script = ("-c", "chmod 700 /var/tmp; echo $?")
        done = rig.run(image, *script)
        equal(done.text, "1\n", repr(done))
        contains(done.errors, "the image's rules: /bin/busybox", "stderr")
        done = rig.run(rig.rootlet, "run", image, *script)
        equal(done.text, "1\n", repr(done))
        without = rig.run(image, "--rootlet-rules=none", *script)
        bare = rig.run(image, "--rootlet-no-isolation", *script)
        if locked:
            without.failed_by_us("locked")
            bare.failed_by_us("the image's rules")
        else:
            equal(without.text, "0\n", repr(without))
        narrower = shell_rules()
        narrower["programs"] = [{"path": "/bin/busybox"}]
        more = rig.run(image, f"--rootlet-rules={rules_file(rig, narrower)}", "-c", PROBE)
        equal(more.status, 126, repr(more))


@test()
def joined(rig):
    """what joins a run is under the rules of the run"""
    (rig.cwd / "other").write_text("b\n")
    file = rules_file(rig, shell_rules())
    process = rig.start(rig.rootlet, "exec", f"--rules={file}", rig.image, "/bin/sh", "-c",
                        "echo ready; sleep 20")
    equal(process.stdout.readline(), b"ready\n")
    done = rig.run(rig.rootlet, "exec", str(process.pid), "/bin/sh", "-c",
                   f"chmod 700 /var/tmp || echo call; cat '{rig.cwd}/other' || echo path; cat /opt/foo/share/data.txt")
    process.kill()
    process.wait()
    equal(done.text, "call\npath\ndata of the image\n", repr(done))
    contains(done.errors, "Permission denied", "stderr")


@test(by="user")
def ports(rig):
    """of TCP the ports that are named are bound and connected to, and no others"""
    rules = shell_rules()
    rules["system_calls"] += [{"name": n} for n in CALLS["network"]]
    rules["network"] = [{"direction": "bind", "family": "inet", "type": "stream", "port": 7070},
                        {"direction": "connect", "family": "inet", "type": "stream", "port": 7070}]
    file = rules_file(rig, rules)
    script = ("(echo served | nc -l -p {0}) & sleep 0.3; nc 127.0.0.1 {0} </dev/null; "
              "kill $! 2>/dev/null; exit 0")
    done = run(rig, file, script.format(7070))
    equal(done.text, "served\n", repr(done))
    done = run(rig, file, script.format(7071))
    equal(done.text, "", repr(done))
    contains(done.errors, "Permission denied", "stderr")


@test()
def bad_files(rig):
    """a file of rules that is wrong is refused before anything runs, with its line"""
    bad = {"{": "line 1", "[]": "missing: {", '{"rootlet_rules": 2}': "another version",
           '{"rootlet_rules": 1,\n"deny": []}': "line 2: unknown: deny",
           '{"rootlet_rules": 1, "paths": [{"path": "$TMP/x", "access": []}]}': "none of $CWD",
           '{"rootlet_rules": 1, "system_calls": [{"name": "nosuch"}]}': "nosuch"}
    for content, part in bad.items():
        run(rig, rules_file(rig, content), "echo ran").failed_by_us(part)
    run(rig, "/nowhere/rules.json", "echo ran").failed_by_us("ENOENT")
    good = rules_file(rig, shell_rules())
    run(rig, good, "echo ran", "no-isolation").failed_by_us("without isolation")


@test(by="user")
def plan(rig):
    """dry-run says what the rules are, and what of them no kernel enforces"""
    text = run(rig, rules_file(rig, shell_rules()), "", "dry-run").text
    for part in ("\nrules: ", "system calls", "not enforced: metadata", "loader that may be executed"):
        contains(text, part, "the plan")


@test(by="user")
def of_a_pipe(rig):
    """rules that name /dev/stdout hold where that is a pipe, too"""
    rules = shell_rules()  # our own pipe at the start; then the tool's, which it may open
    rules["paths"].append({"path": "/dev/stdout", "access": ["write"]})
    done = run(rig, rules_file(rig, rules), "(echo started > /dev/stdout) | cat")
    equal((done.status, done.text), (0, "started\n"), repr(done))


@test(by="user")
def schema(rig):
    """the files that these tests use are what the schema says"""
    try:
        import jsonschema
    except ImportError:
        raise Skip("no python3-jsonschema here: scripts/setup installs it")
    schema = json.loads((Path(__file__).parents[2] / "docs/rules.schema.json").read_text())
    jsonschema.validate(shell_rules(), schema)


if __name__ == "__main__":
    main()
