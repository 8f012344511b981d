#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each namespace can be the run's own or the host's, and what it then shows."""
import os
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, Untouched, check, contains, equal, main, test


def namespace(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


@test()
def private_and_host(rig):
    """ipc, uts, cgroup, net and time are the run's own or the host's, as asked; user, mnt, pid its own"""
    kinds = {"ipc": True, "uts": True, "cgroup": True, "net": True, "time": False}
    for kind, own in kinds.items():
        if kind == "time" and not Path("/proc/self/ns/time").exists():
            continue
        look = f"readlink /proc/self/ns/{kind}"
        equal(rig.shell(look).text.strip() != namespace(kind), own, f"default of {kind}")
        other = "none" if kind == "net" else "private"
        equal(rig.shell(look, options=[f"{kind}={other}"]).text.strip() != namespace(kind), True, kind)
        equal(rig.shell(look, options=[f"{kind}=host"]).text.strip(), namespace(kind), kind)
    done = rig.shell("for n in user mnt pid; do readlink /proc/self/ns/$n; done",
                     options=["profile=compat"])
    for kind, line in zip(("user", "mnt", "pid"), done.text.split()):
        check(line != namespace(kind), f"compat shares {kind}")


@test()
def own_clocks(rig):
    """with time=private the run has a time namespace of its own, and the clocks go on as they did"""
    if not Path("/proc/self/ns/time").exists():
        raise Skip("this kernel has no time namespaces")
    done = rig.shell("cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets; exec probe", options=["time=private"])
    uptime = int(done.text.split()[0])
    check(abs(uptime - int(Path("/proc/uptime").read_text().split(".")[0])) <= 2, repr(done))


@test()
def hosts_processes_seen(rig):
    """with pid=host the host's processes are seen, but none of them signalled or looked into"""
    process = rig.start("sleep", "30")
    other = process.pid  # a number that no process inside has
    done = rig.shell(f"ls -d /proc/{other}; head -c 0 /proc/{other}/environ; ls /proc/{other}/root/;"
                     f"ls /proc/{other}/cwd/; kill -0 {other}; readlink /proc/self; echo $$;"
                     "ls /proc/1/root/", options=["pid=host"])
    process.kill()
    process.wait()
    lines = done.text.split("\n")
    equal(lines[0], f"/proc/{other}", repr(done))
    check(len(lines) == 4 and lines[1] != lines[2], f"numbers inside: {done}")
    equal(done.errors.count("denied"), 4, repr(done))
    contains(done.errors, "No such process")


@test()
def hosts_processes_end(rig):
    """with pid=host the whole tree still ends with its main program, and with a killed launcher"""
    script = "(setsid sleep 30 &) ; (setsid sh -c 'sleep 31 & sleep 32' &) ; echo ready;"
    with Untouched():
        equal(rig.shell(script + "sleep 0.1", options=["pid=host"]).status, 0)
    with Untouched():
        process = rig.start(rig.image, "--rootlet-pid=host", "--rootlet-exec=/bin/sh", "-c",
                            script + "sleep 33")
        process.stdout.readline()
        process.kill()
        process.wait()


@test()
def own_server_out_of_reach(rig):
    """with pid=host the image's server can be seen by name, and not be touched"""
    script = ("for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in rootlet-*) n=${p#/proc/};"
              "kill -9 $n 2>/dev/null && echo killed; head -c1 $p/mem 2>/dev/null; "
              "ls $p/fd/ 2>/dev/null; ls $p/cwd/ 2>/dev/null; echo seen;; esac; done;"
              "cat /opt/foo/share/data.txt")
    done = rig.shell(script, options=["pid=host"])
    lines = done.text.splitlines()
    contains(lines, "seen")
    # Root may count the server's descriptors; what they are it may not learn.
    rest = {line for line in lines if not (rig.root and line.isdigit())}
    equal(rest, {"seen", "data of the image"}, repr(done))


@test()
def policy_narrows(rig):
    """an image may forbid user namespaces to itself, and ask for no wider namespace"""
    policy = rig.top / "policy.toml"
    for lines, allowed in (('user-namespaces = "deny"\ntime = "private"', True), ("fake-root = true", False)):
        policy.write_text("[tool]\nname = 'x'\nentrypoint = ['/opt/foo/bin/probe']\n"
                          f"[isolation]\n{lines}\n")
        image = rig.build(rig.top.parent / "tree", "asking.AppImage", "--policy", policy)
        done = rig.run(image, "exit", "3")
        if allowed:
            equal(done.status, 3, f"{lines}: {done}")
        else:
            done.failed_by_us("more than its profile gives", "if you trust it: --rootlet-fake-root\n")
        image.unlink()


@test()
def host_names(rig):
    """hostname is what it is told; one that no host can have is refused by name"""
    equal(rig.shell("hostname", options=["hostname=Node-7.lab"]).text, "Node-7.lab\n")
    equal(rig.shell("hostname").text.strip(), socket.gethostname())
    for bad in ("", "a b", "a/b", "-x", ".x", "x" * 65, "a\nb", "ä"):
        rig.probe("exit", "0", options=[f"hostname={bad}"]).failed_by_us("--rootlet-hostname")
    rig.probe("exit", "0", options=["hostname=x", "uts=host"]).failed_by_us("hostname=x")


@test()
def bad_words(rig):
    """a word that an option does not have is refused with those that it has"""
    for option, words in (("time", "private|host"), ("pid", "private|host")):
        rig.probe("exit", "0", options=[f"{option}=no"]).failed_by_us("--rootlet-" + option, words)


@test(by="root")
def knobs_of_the_host(rig):
    """with pid=host a root caller's tool turns none of the host's knobs in /proc"""
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    done = rig.shell("echo /tmp/core > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger;"
                     "echo alive", options=["pid=host"])
    equal(done.text, "alive\n", repr(done))
    equal(Path("/proc/sys/kernel/core_pattern").read_text(), before)


if __name__ == "__main__":
    main()
