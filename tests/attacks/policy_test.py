#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A47: an image whose policy asks for all that it must not get, under rootlet run."""
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import Attack, attack_tree
from place import TESTS
from rig import check, main, test

ISOLATION, ENTRYPOINT = 12, 5  # tags of runtime/policy/policy.cpp
SECRET = "the host's own"


def policy(*pairs):
    """A compiled policy that `build` would refuse to write."""
    def record(tag, payload):
        return struct.pack("<HHI", tag, 0, len(payload)) + payload

    records = record(ENTRYPOINT, b"/bin/sh")
    for name, value in pairs:
        records += record(ISOLATION, name.encode() + b"\0" + value.encode())
    return b"RLPOLICY" + struct.pack("<II", 1, 16 + len(records)) + records


def image(rig, *pairs):
    top = rig.top / "hostile"
    shutil.rmtree(top, ignore_errors=True)
    shutil.copytree(attack_tree(), top, symlinks=True)
    (top / "opt/data").unlink()
    (top / ".rootlet").mkdir()
    (top / ".rootlet/policy.bin").write_bytes(policy(*pairs))
    made = rig.top / "hostile.sqfs"
    subprocess.run(["mksquashfs", top, made, "-noappend", "-quiet", "-no-progress", "-noD", "-noF"],
                   check=True, stdout=subprocess.DEVNULL)
    os.chown(made, rig.uid, rig.uid)
    return made


# What a run sees of the host, one fact a line; the same for every run of one caller.
REPORT = """id -u; grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd):' /proc/self/status
cat '{secret}' /stolen /mnt/secret 2>/dev/null
for n in net ipc uts pid cgroup; do test $(readlink /proc/self/ns/$n) = "$(cat ids/$n)" && echo host $n; done
ls -a '{home}' '{top}' /tmp /run /dev 2>/dev/null
test -n "$CALLER_SECRET" && echo variable
cut -d' ' -f5 /proc/self/mountinfo | sort
wc -l < /proc/self/uid_map; cat /proc/sys/kernel/hostname; exit 0"""


def hostile_values(rig, secret):
    """A value for every key that a policy can have; what it would give if it were obeyed."""
    home, stolen = str(rig.home), f"{secret}:/stolen"
    return {
        "profile": ["compat"], "bind": [stolen, f"{home}:/mnt:rw", "/:/host"], "input": [str(secret)],
        "output": [home], "bind-args": ["rw", ""], "writable": [],
        "overlay": [str(rig.top / "upper")], "tmp": [home, "90%"],
        "net": ["host", "private"], "veth": ["veth0"], "ipc": ["host"], "pid": ["host"],
        "uts": ["host"], "cgroup": ["host"], "time": ["host"], "user-namespaces": ["allow"], "hostname": [],
        "uid-map": ["0 0 65536"], "gid-map": ["0 0 65536"], "fake-root": [], "home": [home],
        "cwd": ["/proc/self/cwd", "/proc/1/cwd"], "env": [], "env-file": [str(secret)],
        "clean-env": [], "pass-env": ["CALLER_*", "*"], "exec": [], "seccomp": ["none", str(secret)],
        "rules": [str(secret)], "memory": [], "cpus": [], "pids": [], "file-size": [],
        "timeout": [], "attach": [f"{rig.image}:/stolen"], "data-path": [home],
        "record": [str(rig.top / "record")], "nv": [""], "rocm": [""], "gui": [""], "verbose": [],
        "no-isolation": [""], "best-effort": [""], "image": [f"{rig.image}"], "pass-fd": ["0", "2"],
        "status-fd": ["1"], "status": [str(rig.top / "status")], "keep": ["100"],
        "cache": ["1g"], "die-with-parent": [""], "mount": ["share", "extract"], "dry-run": [""], "doctor": [""],
    }


def all_keys():
    """The keys that `build` knows, so that a new one cannot be forgotten here."""
    text = (TESTS.parent / "packaging/policy_keys.hpp").read_text()
    return re.findall(r'\{"([a-z-]+)", IsolationKey', text)


def namespaces(rig):
    place = rig.cwd / "ids"
    place.mkdir(exist_ok=True)
    for name in ("net", "ipc", "uts", "pid", "cgroup"):
        (place / name).write_text(os.readlink(f"/proc/self/ns/{name}"))


def report(rig, secret, *pairs):
    made = image(rig, *pairs)
    before = sorted(os.listdir(rig.top))
    done = rig.run(rig.rootlet, "run", made, "-c",
                   REPORT.format(secret=secret, home=rig.home, top=rig.top),
                   env={"CALLER_SECRET": "x"}, timeout=15)
    check(sorted(os.listdir(rig.top)) == before, f"{pairs}: files {os.listdir(rig.top)}")
    return done


@test()
def a47_asks_for_everything(rig):
    """A47 no key of a hostile policy widens a run: it is refused, or the run is the same as without"""
    attack = Attack(rig, "A47", "none")
    secret = rig.home / "secret"
    secret.write_text(SECRET + "\n")
    os.chown(secret, rig.uid, rig.uid)
    namespaces(rig)
    values = hostile_values(rig, secret)
    missing = set(all_keys()) - set(values)
    check(not missing, f"keys without a hostile value: {missing}")
    plain = report(rig, secret)
    check(plain.status == 0 and SECRET not in plain.text, repr(plain))
    tried = refused = 0
    for name, asked in values.items():
        for value in asked:
            done = report(rig, secret, (name, value))
            check(SECRET not in done.text + done.errors, f"{name}={value}: {done!r}")
            same = done.status == 0 and done.text == plain.text
            check(same or done.status == 125 and not done.out,
                  f"{name}={value}: {done.status} {set(done.text.splitlines()) ^ set(plain.text.splitlines())} "
                  f"{done.errors[:300]}")
            tried, refused = tried + 1, refused + (done.status == 125)
    attack.say("with", "SAFE", f"({tried} requests, {refused} refused, the rest without effect)")
    done = rig.run(rig.rootlet, "run", "--bind", f"{secret}:/stolen", image(rig), "-c", "cat /stolen")
    check(SECRET in done.text, repr(done))
    attack.say("without (the caller asks)", "RISK", "bind shows the secret")


@test()
def a47_narrowing_is_obeyed(rig):
    """A47 what narrows is obeyed all the same, so that the comparison can see a difference"""
    secret = rig.home / "secret"
    namespaces(rig)
    plain = report(rig, secret)
    narrow = report(rig, secret, ("profile", "isolated"))
    check(narrow.status == 0 and narrow.text != plain.text, repr(narrow))


if __name__ == "__main__":
    main()
