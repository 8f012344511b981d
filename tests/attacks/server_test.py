#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What reaches for the shared image server, from inside and from beside it; A numbers as in docs/security.md."""
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import Attack, program
from rig import Skip, check, contains, equal, main, mount, processes, test
from servers import descriptors, keepers, pretend_init, readers, rendezvous, runtime, server, sockets, wait_until

KEEP = "keep=30"


def live_server(rig):
    """A server without runs, and its socket."""
    runtime(rig)
    equal(rig.probe("exit", "3", options=(KEEP,)).status, 3)
    server()
    return sockets(rig)[0]


def as_shown(rig):
    """How the directory of the servers is shown inside: (options, its name there)."""
    place = rendezvous(rig)
    link = rig.cwd / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(place.parent)
    return [((f"bind={rig.top}",), place),
            ((f"bind={place.parent}:/mnt",), "/mnt/rootlet"),
            ((f"bind={place}:/mnt/deep",), "/mnt/deep"),
            ((f"bind={link}:/mnt",), "/mnt/rootlet"),
            (("bind=/tmp:/mnt",), f"/mnt/{place.relative_to('/tmp')}"),
            (("profile=compat",), place)]


@test()
def a49_squats_before_the_first_run(rig):
    """A49 a tool with everything bound cannot take the server's place before there is one"""
    runtime(rig)
    for options, name in as_shown(rig):
        for net in ("none", "host"):
            attack = Attack(rig, f"A49 {options[0].split('=')[0]}, net={net}", "squat", name)
            attack.refused(*options, f"net={net}", "keep=0")
        equal(sockets(rig), [])
    equal(rig.probe("exit", "3", options=("mount=share", KEEP)).status, 3)
    server()
    attack.shown(Attack(rig, "A49", "squat", rendezvous(rig)).bare(), "no run around it")


@test()
def a50_replaces_the_socket(rig):
    """A50 the socket of a live server can be neither replaced, nor moved, nor seen from inside"""
    door = live_server(rig)
    pair, inode = server(), door.stat().st_ino
    for options, name in as_shown(rig):
        Attack(rig, f"A50 {options[0].split('=')[0]}", "squat", name).refused(*options, "net=host",
                                                                            "keep=0")
    equal(door.stat().st_ino, inode)
    equal(server(), pair)
    Attack(rig, "A50", "squat", door.parent).shown(
        Attack(rig, "A50", "squat", door.parent).bare(), "no run around it")


def greeting(rig, door):
    """What the server says to a process of the host, less the number that it begins with."""
    text = rig.run(program(), "greeting", door).text
    return text[text.index(" "):]


@test()
def a51_answers_with_another_file_system(rig):
    """A51 who answers at the socket from another user or PID namespace is not believed, and replaced"""
    for words in (["unshare", "-Ur"], ["unshare", "-Urpf", "--mount-proc", "--kill-child"]):
        door = live_server(rig)
        said = greeting(rig, door)
        os.kill(server()[0], signal.SIGKILL)
        wait_until(lambda: not processes(), 2, "the server is left")
        forger = rig.start(*words, program(), "forge", door, said)
        equal(forger.stdout.readline(), b"ready\n")
        done = rig.probe("exit", "3", options=(KEEP, "verbose"))
        equal(done.status, 3)
        contains(done.errors, "namespace", "stderr")
        contains(done.errors, "it is replaced", "stderr")
        forger.kill()
        forger.communicate()
        for pid in keepers():
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not processes(), 2, "the server is left")
    # Without the look at who it is: a forger of the same namespaces is believed.
    door = live_server(rig)
    said = greeting(rig, door)
    os.kill(server()[0], signal.SIGKILL)
    wait_until(lambda: not processes(), 2, "the server is left")
    forger = rig.start(program(), "forge", door, said)
    equal(forger.stdout.readline(), b"ready\n")
    done = rig.probe("exit", "3", options=(KEEP,))
    equal(done.status, 125)
    print(f"        A51 without (the same namespaces): RISK {done.errors.splitlines()[0]}")
    forger.kill()
    forger.communicate()


@test()
def a52_joins_from_inside(rig):
    """A52 a live server gives its mount to nobody of another user or PID namespace, nor to another user"""
    door = live_server(rig)
    attack = Attack(rig, "A52", "visit", door)
    for words in (["unshare", "-Ur"], ["unshare", "-Urpf", "--mount-proc"],
                  ["unshare", "-Urpf"]):
        attack.judged(rig.run(*words, program(), "visit", door))
    if not rig.root:
        attack.judged(rig.as_root(program(), "visit", door))  # root, and so another user
    attack.shown(attack.bare(), "the same namespaces and user")
    equal(rig.probe("exit", "3", options=(KEEP,)).status, 3)
    server()


@test()
def a53_aborts_by_fusectl(rig):
    """A53 the switches of FUSE mounts are in reach of no run, whatever it binds"""
    switches = Path("/sys/fs/fuse/connections")
    if not switches.is_dir():
        raise Skip("this kernel shows no /sys/fs/fuse/connections")
    if not os.path.ismount(switches):
        mount("fusectl", str(switches), "fusectl")
    live_server(rig)
    for options, name in ((("bind=/sys",), switches), (("profile=compat",), switches),
                          (("bind=/sys/fs:/mnt",), "/mnt/fuse/connections"),
                          (("bind=/sys/fs/fuse/connections:/mnt",), "/mnt")):
        Attack(rig, f"A53 {options[0]}", "abort", name).refused(*options, "net=host", KEEP)
    attack = Attack(rig, "A53", "abort", switches)
    attack.shown(attack.bare(), "no run around it")


@test()
def a54_stops_in_mid_handshake(rig):
    """A54 visitors that stop in the middle of the exchange delay no run, and are forgotten when they go"""
    door = live_server(rig)
    visitors = [rig.start(program(), "linger", door) for _ in range(40)]
    for number, process in enumerate(visitors):
        equal(process.stdout.readline(), b"ready\n")
        os.kill(process.pid, signal.SIGSTOP if number % 2 else signal.SIGCONT)
    done = rig.probe("exit", "3", options=(KEEP, "verbose"), timeout=3)
    equal(done.status, 3)
    contains(done.errors, "shares a running", "stderr")
    keeper, _ = server()
    for process in visitors:
        process.kill()
        process.communicate()
    wait_until(lambda: len(descriptors(keeper)) < 15, 2, "visitors are held")


# Each ends the server, or is not to be had (hole.cpp).
HOLES = ["open", "write", "list", "socket", "connect", "accept", "execute", "fork", "namespace",
         "kill", "trace", "memory-of-others", "pidfd", "mount", "clone-mount", "remove", "terminal",
         "code", "traceable", "gigabytes", "secret"]
ALIVE = ("gigabytes", "secret")  # not had, and no reason to end the server


def with_hole(rig, script, *options):
    """A run of the probe's image, served by a reader that its image has taken over."""
    return rig.run(rig.tools / "rootlet-with-hole", f"--rootlet-image={rig.image}",
                   *("--rootlet-" + option for option in options), "--rootlet-exec=/bin/sh", "-c",
                   script, env={"HOLE_SECRET": "of the caller"})


@test()
def taken_over_reader(rig):
    """a reader that its image has taken over opens, starts, kills and reaches nothing"""
    runtime(rig)
    for way in ("mount=private", "mount=share"):
        for hole in HOLES:
            done = with_hole(rig, f"echo begin; ls /hole-{hole} > /dev/null 2>&1 && echo RISK", way)
            check("RISK" not in done.text, f"{way} {hole}: {done!r}")
            check(done.status == 125 or hole in ALIVE, f"{way} {hole}: {done!r}")
        # Shown to be able to fail: a hole that asks for nothing is no end.
        done = with_hole(rig, "ls /hole-nothing > /dev/null 2>&1 && echo RISK", way)
        equal((done.text, done.status), ("RISK\n", 0))


@test()
def reader_that_hangs(rig):
    """a reader that loops or waits for ever is noticed: its run ends with 125, the next has another server"""
    runtime(rig)
    wanted = {"loop": 125, "wait": 125, "slow-disk": 0}
    cases = [(way, hole) for way in ("mount=private", "mount=share") for hole in wanted]
    with ThreadPoolExecutor(len(cases)) as all_at_once:
        # keep is part of what a server is known by: each case has its own.
        done = all_at_once.map(lambda case: with_hole(
            rig, f"ls -d /hole-{case[1]} > /dev/null && echo answered", case[0], f"keep={cases.index(case)}"), cases)
        for (way, hole), run in zip(cases, done):
            equal(run.status, wanted[hole], f"{way} {hole}: {run!r}")
            equal("did not answer any more" in run.errors, wanted[hole] == 125, f"{way} {hole}: {run!r}")
    equal(with_hole(rig, "echo again", "mount=share").status, 0)


@test()
def taken_over_reader_lies(rig):
    """a reader that its image has taken over can lie about that image, and about nothing else"""
    runtime(rig)
    (rig.cwd / "file").write_text("of the host\n")
    os.chown(rig.cwd / "file", rig.uid, rig.uid)
    done = with_hole(rig, "cat /opt/foo/share/lie-data.txt file; id -u; ls /opt/foo/share/none",
                     "mount=share", "keep=30")
    contains(done.text, "data of the image\nof the host\n", "output")
    victim = rig.copy("victim.AppImage")
    sound = rig.run(victim, "--rootlet-keep=30", "--rootlet-exec=/bin/sh", "-c",
                    "ls /opt/foo/share/lie-data.txt 2>&1 || echo sound")
    contains(sound.text, "sound", "another image's run")
    equal(len(readers()), 2)


@test()
def out_of_sight(rig):
    """no run sees, signals or traces the server that serves it"""
    live_server(rig)
    pair = server()
    done = rig.shell("ls -d /proc/[0-9]* | tr '\\n' ' '; kill -9 -1; sleep 0.1; cat /opt/foo/share/data.txt",
                     options=(KEEP, "net=host"))
    for pid in pair:
        check(f"/proc/{pid} " not in done.text, done.text)
    equal(server(), pair)


if __name__ == "__main__":
    pretend_init()
    main()
