#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever is malformed: one line that names it, the nearest valid form, 125, and nothing started."""
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test

# For each option: malformed values, and what the answer must name.
FLAG = [("yes please", "")]
WRONG = {
    "profile": [("isolatd", "isolated"), ("", "contained"), ("Compat", "compat")],
    "bind": [("", "SRC"), (":/mnt", "SRC"), ("/a:mnt", "/ABSOLUTE"), ("/a:/b:rx", "ro|rw"),
             ("/a:/b:ro:x", "SRC"), ("/a,", "SRC")],
    "input": [("", "PATH"), ("/no/such/thing", "/no/such/thing")],
    "output": [("", "PATH"), ("/no/such/thing", "/no/such/thing")],
    "bind-args": [("rx", "rw")],
    "writable": [("", "/ABSOLUTE"), ("relative", "/ABSOLUTE")],
    "overlay": [("", "tmpfs"), ("tmpsf", "tmpfs"), ("tmpfs:", "SIZE"), ("tmpfs:1x", "SIZE"),
                ("/no/such/directory", "/no/such/directory")],
    "tmp": [("", "SIZE"), ("1x", "SIZE"), ("-1", "SIZE"), ("1 g", "SIZE"), ("1gg", "SIZE"),
            ("99999999999999999999", "SIZE"), ("/no/such/directory", "/no/such/directory")],
    "home": [("", "DIR|none"), ("/no/such/home", "/no/such/home")],
    "cwd": [("", "/ABSOLUTE"), ("relative", "/ABSOLUTE"), ("/no/such", "/no/such")],
    "nv": FLAG, "rocm": FLAG, "gui": FLAG, "fake-root": FLAG, "clean-env": FLAG, "shell": FLAG,
    "no-isolation": FLAG, "best-effort": FLAG, "verbose": FLAG, "inspect": FLAG, "version": FLAG,
    "help": FLAG, "doctor": FLAG,
    "net": [("hots", "host"), ("", "none"), ("no", "none")],
    "veth": [("", "")],
    "ipc": [("privat", "private"), ("", "host")], "pid": [("hos", "host")],
    "uts": [("privte", "private")], "cgroup": [("x", "private")], "time": [("x", "")],
    "hostname": [("", "NAME"), ("x" * 65, "NAME")],
    "uid-map": [("", "INSIDE"), ("0", "INSIDE"), ("0 0 0", ""), ("a b c", "INSIDE"), ("0 1", "INSIDE"),
                ("0 4294967295 1", "")],
    "gid-map": [("", "INSIDE"), ("x", "INSIDE"), ("0 0 -1", "INSIDE")],
    "user-namespaces": [("alow", "allow"), ("", "deny")],
    "seccomp": [("defualt", "default"), ("", "none")],
    "rules": [("", "")],
    "memory": [("", "SIZE"), ("x", "SIZE"), ("-1", "SIZE"), ("0", "")],
    "cpus": [("", ""), ("x", ""), ("0", "")],
    "pids": [("", ""), ("-1", ""), ("1.5", "")],
    "file-size": [("", "SIZE"), ("1y", "SIZE")],
    "timeout": [("", ""), ("-1", ""), ("1y", "")],
    "image": [("/no/such/file", "/no/such/file")],
    "mount": [("aut", "auto"), ("", "private"), ("type=bind", "src="), ("type=bind,src=/a,dst=b", "dst="),
              ("type=bind,src=/a,dst=/b,wr", "ro|rw"), ("type=tmpfs,src=/a,dst=/b", "type=tmpfs"),
              ("type=nfs,src=/a,dst=/b", "type=")],
    "keep": [("", "NUMBER"), ("-1", "NUMBER"), ("x", "NUMBER"), ("1.5", "NUMBER")],
    "attach": [("", "IMAGE"), ("/a", "ABSOLUTE"), ("/a:b", "ABSOLUTE"), ("/no/such/image:/b", "/no/such/image")],
    "data-path": [("", "DIR")],
    "env": [("", "NAME=VALUE"), ("A", "NAME=VALUE"), ("=x", "NAME=VALUE")],
    "env-file": [("", "PATH"), ("/no/such/file", "/no/such/file")],
    "pass-env": [("", "PATH")],
    "exec": [("", "PROGRAM")],
    "pass-fd": [("", "NUMBER"), ("x", "NUMBER"), ("-1", "NUMBER"), ("77", "77")],
    "status-fd": [("", ""), ("x", ""), ("77", "77")],
    "status": [("/no/such/directory/file", "/no/such/directory")],
    "record": [("", "FILE")],
    "record-input": [("", "PATH")],
    "record-output": [("", "PATH")],
    "record-private": [("x", "no value")],
    "die-with-parent": [("x", "NUMBER"), ("-1", "NUMBER"), ("1", "it has ended")],
    "server-cache": [("", "SIZE"), ("2t", "SIZE"), ("50%", "SIZE"), ("1g", "at most 512m")],
    "cache": [("", "SIZE"), ("much", "SIZE"), ("10%", "SIZE"), ("-1", "SIZE"), ("1kk", "SIZE")],
    "dry-run": [("jsno", "json")],
}


# Options of `rootlet run` alone: a file does not judge itself.
OF_THE_COMMAND = {"verify": ("reqiure", "require")}


def options(rig):
    """The names of all options that --help-all lists, and that a packed file has."""
    text = rig.run(rig.rootlet, "run", "--help-all").text
    return [name for name in re.findall(r"^  --([a-z-]+)", text, re.M) if name not in OF_THE_COMMAND]


@test()
def every_value(rig):
    """of every option, each malformed value is refused with what was meant, in both spellings"""
    names = options(rig)
    check(len(names) > 40, f"--help-all lists {names}")
    for name in names:
        check(name in WRONG, f"say in this test which values of {name} are malformed")
        for value, part in WRONG[name]:
            done = rig.probe("say", "started", options=[f"{name}={value}"])
            done.failed_by_us(part)
            check(name in done.errors or part in done.errors, f"{name}={value}: {done!r}")
    for name, value, part in (("net", "hots", "--net=host"), ("profile", "isolatd", "--profile=isolated")):
        rig.run(rig.rootlet, "run", f"--{name}={value}", rig.image).failed_by_us(f"did you mean {part}?")
    for name, (value, part) in OF_THE_COMMAND.items():
        for word in (f"{name}={value}", f"{name}="):
            rig.run(rig.rootlet, "run", f"--{word}", rig.image).failed_by_us(f"--{word}", part)
        wrong = rig.run(rig.rootlet, "run", f"--{name[:-2]}{name[-1]}{name[-2]}=x", rig.image)
        wrong.failed_by_us(f"did you mean --{name}?")


@test()
def every_name(rig):
    """a mistyped name is refused with the nearest, and a value that is missing with its form"""
    for name in options(rig):
        if len(name) < 4:
            continue
        wrong = name[:-2] + name[-1] + name[-2]  # the last two letters changed places
        if wrong == name:
            continue
        done = rig.probe("say", "started", options=[f"{wrong}=1"]).failed_by_us("no such option")
        contains(done.errors, f"did you mean --rootlet-{name}?", wrong)
    for line in rig.run(rig.rootlet, "run", "--help-all").text.splitlines():
        found = re.match(r"  --([a-z-]+)=(\S+)", line)
        if found and found[1] not in OF_THE_COMMAND:
            rig.probe("say", "started", options=[found[1]]).failed_by_us(f"--rootlet-{found[1]}=", "value")


@test()
def in_the_environment(rig):
    """a malformed variable is named as it is spelled"""
    rig.probe("say", "x", env={"ROOTLET_NET": "hots"}).failed_by_us("ROOTLET_NET", "host")
    rig.probe("say", "x", env={"ROOTLET_BIND": ":/x"}).failed_by_us("ROOTLET_BIND", "SRC")
    rig.probe("say", "x", env={"ROOTLET_NO_ISOLATION": "1"}).failed_by_us("ROOTLET_NO_ISOLATION")
    equal(rig.probe("say", "x", env={"ROOTLET_NET": "", "ROOTLET_UNKNOWN": "1"}).text, "x")


@test(by="user")
def in_a_policy(rig):
    """what a policy says wrongly is refused when it is built, with its line and what was meant"""
    for name in options(rig):
        value = WRONG[name][0][0]
        policy = rig.top / "wrong.toml"
        policy.write_text('[tool]\nname = "x"\nentrypoint = ["/opt/foo/bin/probe"]\n[isolation]\n'
                          + f'{name} = "{value}"\n')
        if name in ("input", "output", "home", "record", "image") and value == "":
            continue
        made = subprocess.run([rig.rootlet, "build", WORK / "tree", "-q", "--force", "--policy", policy, "-o",
                               rig.top / "wrong.AppImage"], capture_output=True, text=True)
        check(made.returncode == 125 and "wrong.toml:5" in made.stderr and name in made.stderr,
              f"{name} = {value!r}: {made}")
    policy.write_text('[tool]\nname = "x"\nentrypoint = ["/x"]\n[isolation]\nprofil = "isolated"\n')
    made = subprocess.run([rig.rootlet, "build", WORK / "tree", "--policy", policy, "-o", rig.top / "w"],
                          capture_output=True, text=True)
    check("did you mean" in made.stderr and "profile" in made.stderr, str(made))


if __name__ == "__main__":
    main()
