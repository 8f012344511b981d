#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""seccomp=FILE: a filter of the caller's own, on top of the default one."""
import json
import os
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test

NO_DIRECTORIES = {"defaultAction": "SCMP_ACT_ALLOW",
                  "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
                                "errnoRet": 28}]}
SCRIPT = "mkdir /tmp/d; grep Seccomp_filters: /proc/self/status"


def profile(rig, content, name="profile.json"):
    path = rig.top / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.chown(path, rig.uid, rig.uid)
    return path


def run(rig, *options, script=SCRIPT, image=None):
    return rig.run(rig.rootlet, "exec", *options, image or rig.image, "/bin/sh", "-c", script)


def own_filters():
    text = Path("/proc/self/status").read_text()
    return int(text.split("Seccomp_filters:")[1].split()[0])


@test()
def profile_adds_up(rig):
    """an OCI profile is enforced on top of the default filter, with its own errno"""
    path = profile(rig, NO_DIRECTORIES)
    done = run(rig, f"--seccomp={path}")
    contains(done.errors, "No space left on device", "stderr")
    equal(int(done.text.split()[-1]), own_filters() + 2, "filters")
    # what the default one refuses stays refused
    calls = [rig.rootlet, "exec", f"--seccomp={path}", rig.image, "/opt/foo/bin/probe", "break"]
    equal(rig.run(*calls).text, rig.probe("break").text, "the default filter's answers")
    equal(int(run(rig, "--seccomp=none", f"--seccomp={path}").text.split()[-1]), own_filters() + 1,
          "filters without the default one")


@test()
def what_the_start_needs(rig):
    """a profile that allows little more than the program needs does not hinder the start"""
    allowed = ("execve brk mmap munmap mprotect arch_prctl set_tid_address set_robust_list rseq "
               "prlimit64 readlink readlinkat getrandom exit_group exit write newfstatat fstat "
               "fcntl getuid geteuid getgid getegid rt_sigaction rt_sigprocmask futex")
    path = profile(rig, {"defaultAction": "SCMP_ACT_ERRNO", "syscalls":
                         [{"names": allowed.split(), "action": "SCMP_ACT_ALLOW"}]})
    done = rig.run(rig.rootlet, "exec", f"--seccomp={path}", rig.image, "/bin/busybox", "echo",
                   "started")
    equal((done.status, done.text), (0, "started\n"), repr(done))


@test()
def conditions_and_arguments(rig):
    """conditions on capabilities and arguments of a call count as Docker has them"""
    path = profile(rig, {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args":
         [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]})
    equal(run(rig, f"--seccomp={path}", script="mkdir /tmp/d && echo made").text, "made\n")


@test()
def compiled_filter(rig):
    """a compiled program is taken by a packed file too; a profile is not, and it says who takes it"""
    refuse = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xc000003e if os.uname().machine == "x86_64"
                                else 0xc00000b7), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0),
              (0x15, 0, 1, 34 if os.uname().machine == "aarch64" else 83),
              (0x06, 0, 0, 0x00050000 | 28), (0x06, 0, 0, 0x7fff0000)]
    path = rig.top / "compiled"
    path.write_bytes(b"".join(struct.pack("<HBBI", *row) for row in refuse))
    done = rig.shell("mkdir /tmp/d", options=[f"seccomp={path}"])
    contains(done.errors, "No space left on device", "stderr")
    rig.probe("exit", "3", options=[f"seccomp={profile(rig, NO_DIRECTORIES)}"]).failed_by_us(
        "rootlet run --seccomp")


@test()
def bad_files(rig):
    """what is no filter, or would be weaker than the profile says, is refused in one line"""
    bad = {"not a filter": "neither a profile", "{": "compile the seccomp profile",
           '{"defaultAction": "SCMP_ACT_NOTIFY"}': "SCMP_ACT_NOTIFY",
           json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
                       [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}): "no_such_call",
           '{"defaultAction": 7}': "compile the seccomp profile"}
    for content, part in bad.items():
        run(rig, f"--seccomp={profile(rig, content)}").failed_by_us(part)
    garbage = rig.top / "garbage"
    garbage.write_bytes(b"\xff" * 64)
    run(rig, f"--seccomp={garbage}").failed_by_us("the kernel does not take")
    run(rig, "--seccomp=./missing").failed_by_us("ENOENT")


@test()
def not_from_an_image(rig):
    """an image's policy may not name a file of the host as a filter"""
    policy = rig.top / "policy.toml"
    policy.write_text('[tool]\nname = "probe"\nentrypoint = ["/opt/foo/bin/probe"]\n'
                      '[isolation]\nseccomp = "/etc/passwd"\n')
    image = rig.build(Path("/tmp/rootlet tests/tree"), "policy.AppImage", "--policy", policy)
    rig.run(image, "exit", "3").failed_by_us("seccomp")


@test()
def joined_run(rig):
    """a run under a filter of its own is not joined with less"""
    path = profile(rig, NO_DIRECTORIES)
    process = rig.start(rig.rootlet, "exec", f"--seccomp={path}", rig.image, "/bin/sh", "-c",
                        "echo ready; sleep 20")
    equal(process.stdout.readline(), b"ready\n")
    time.sleep(0.1)
    done = rig.run(rig.rootlet, "exec", str(process.pid), "/bin/sh", "-c", "mkdir /tmp/d")
    check(done.code == 125 and "filter of its own" in done.errors, repr(done))
    process.kill()
    process.communicate()


if __name__ == "__main__":
    main()
