#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two runs of one user at once, each at the other: META-pipe runs the jobs of all its users as one."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import Attack, Lines, attack_image, program
from rig import Done, Failed, Untouched, equal, main, test
from servers import runtime


class Peer:
    """A run that shares what it can under its name, then attacks the other."""

    def __init__(self, rig, command, mine, other, **keywords):
        self.process = rig.start(*command, "peer", mine, other, "42000", stdin=subprocess.PIPE,
                                 **keywords)
        self.text = b""

    def until(self, word):
        while True:
            line = self.process.stdout.readline()
            if line.strip() == word:
                return
            if not line:
                raise Failed(f"ended: {self.text!r} {self.process.communicate()[1]!r}")
            self.text += line

    def go(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def end(self):
        out, err = self.process.communicate(timeout=10)
        return Done(self.process.returncode, self.text + out, err)


def meet(rig, first, second, **keywords):
    """Both share, then both attack, then both end; what each said."""
    peers = [Peer(rig, first, "one", "two", **keywords), Peer(rig, second, "two", "one", **keywords)]
    for peer in peers:
        peer.until(b"ready")
    for peer in peers:
        peer.go()
    for peer in peers:
        peer.until(b"done")
    for peer in peers:  # a traced process ends when its tracer does
        peer.go()
    return [peer.end() for peer in peers]


def inside(rig, *options, image=None):
    return [image or attack_image(rig), *("--rootlet-" + option for option in options)]


def shared(rig, *options):
    place = runtime(rig) / "rootlet"  # stays, empty, as in a session
    place.mkdir(mode=0o700, exist_ok=True)
    os.chown(place, rig.uid, rig.uid)
    return inside(rig, "mount=share", "keep=2", *options)


def both_safe(rig, label, first, second, **keywords):
    attack = Attack(rig, label, "peer")
    with Untouched(4):
        for done in meet(rig, first, second, **keywords):
            attack.judged(done)


@test()
def one_image(rig):
    """runs of one image: no signal, trace, /proc, socket, IPC, file or key of the other"""
    both_safe(rig, "pair", inside(rig), inside(rig))
    attack = Attack(rig, "pair", "peer")
    for done in meet(rig, [program()], [program()]):
        attack.shown(done, "run on the host", at_least=12)


@test()
def profiles(rig):
    """the same between isolated and contained runs, served and unpacked ones, files and rootlet run"""
    both_safe(rig, "isolated", inside(rig, "profile=isolated"), inside(rig))
    both_safe(rig, "unpacked", inside(rig, "mount=extract"), inside(rig))
    both_safe(rig, "shared server", shared(rig), shared(rig))
    both_safe(rig, "private server", inside(rig, "mount=private"), inside(rig))


@test()
def shared_network(rig):
    """with net=host abstract sockets stay apart; ports are the host's, as asked for"""
    attack = Attack(rig, "net=host", "peer")
    for done in meet(rig, inside(rig, "net=host"), inside(rig, "net=host")):
        said = Lines(done)
        equal([risk.split(":")[0] for risk in said.risks], ["RISK TCP port"], repr(done))
    attack.say("with", "SAFE", "but for TCP ports")


@test()
def compat(rig):
    """profile=compat is no boundary between runs either: /tmp and IPC are the host's"""
    attack = Attack(rig, "compat", "peer")
    for done in meet(rig, inside(rig, "profile=compat"), inside(rig, "profile=compat")):
        attack.shown(done, "profile=compat", at_least=6)


@test()
def locks(rig):
    """a lock on a file of the image stops no isolated run of it; runs that share a server see it"""
    lock = ("env=PEER_LOCK=/opt/data",)
    isolated = inside(rig, "profile=isolated", *lock)
    both_safe(rig, "locks", isolated, isolated)
    attack = Attack(rig, "locks", "peer")
    attack.shown(meet(rig, shared(rig, *lock), shared(rig, *lock))[1],
                 "a shared server: one file system")


if __name__ == "__main__":
    main()
