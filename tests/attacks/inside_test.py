#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a tool that was taken over tries from inside; A numbers as in docs/security.md."""
import os
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from attacks import PROGRAM, Attack, Lines, attack_image, program, secret, weak_root
from rig import Untouched, check, equal, main, processes, test
from terminal import Terminal


class Left:
    """A process of the same user on the host, for as long as it is needed."""

    def __init__(self, rig):
        self.process = rig.start("/bin/sleep", "60")

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def in_terminal(rig, *command):
    """What COMMAND writes in a terminal, and what the shell after it would read."""
    terminal = Terminal(rig, "/bin/sh", "-c", '"$@"; echo END; read -r line; echo "READ $line"',
                        "sh", *command)
    text = terminal.expect("END", 10)
    terminal.type("typed by the user\n")
    terminal.expect("READ ")
    read = terminal.quiet(0.2)
    terminal.wait()
    terminal.hang_up()
    return Said(text), read


class Said:
    """The output of a terminal, as a process that ended."""

    def __init__(self, text):
        self.text, self.status = text, 0

    def __repr__(self):
        return repr(self.text)


def typed(rig, label, name):
    attack = Attack(rig, label, name)
    image = attack_image(rig)
    said, read = in_terminal(rig, image, name)
    attack.judged(said)
    check("PWNED" not in read, f"the shell read {read!r}")
    said, _ = in_terminal(rig, image, "--rootlet-seccomp=none", name)
    attack.shown(said, "seccomp=none")


@test()
def a01_types_into_the_terminal(rig):
    """A01 nothing can be typed into the caller's terminal (TIOCSTI)"""
    typed(rig, "A01", "tiocsti")


@test()
def a02_types_with_high_bits(rig):
    """A02 nor with bits above the 32 that the kernel looks at"""
    typed(rig, "A02", "tiocsti-high")


@test()
def a03_pastes_on_a_console(rig):
    """A03 nor by a console's selection (TIOCLINUX), and its line discipline stays (TIOCSETD)"""
    typed(rig, "A03", "tioclinux")
    typed(rig, "A03 line discipline", "tiocsetd")


@test()
def a04_other_doors(rig):
    """A04 calls by the i386 entry or with x32 numbers do not get past the filter"""
    attack = Attack(rig, "A04", "other-doors")
    attack.refused()
    attack.without_filter()


@test()
def a08_what_init_shows(rig):
    """A08 nothing of the host can be learnt from PID 1"""
    attack = Attack(rig, "A08", "disclosure")
    attack.refused()
    Attack(rig, "A08", "disclosure", "parent").shown(
        Attack(rig, "A08", "disclosure", "parent").bare(), "no namespaces")


@test()
def a09_kills_everyone(rig):
    """A09 every signal to every number kills neither init, server nor anything of the host"""
    with Left(rig) as left:
        attack = Attack(rig, "A09", "kill-all", "/opt/data")
        attack.refused()
        equal(left.poll(), None, "a process of the host")
        reach = Attack(rig, "A09", "reach", left.pid)
        reach.shown(reach.bare(), "no namespaces")


@test()
def a10_traces(rig):
    """A10 neither init, nor the launcher, nor a process of the host can be traced or read"""
    with Left(rig) as left:
        attack = Attack(rig, "A10", "reach", 1, left.pid)
        attack.refused()
        parent = Attack(rig, "A10", "reach", "parent")
        parent.shown(parent.bare(), "no namespaces")


@test()
def a11_starves_the_server(rig):
    """A11 forks, open files, unmounts and fusectl leave the image readable and the status right"""
    attack = Attack(rig, "A11", "starve", "/opt/data")
    with Untouched():
        attack.refused("tmp=8M")
    if rig.root:
        attack.shown(attack.rig.run("unshare", "--mount", program(), "starve", "/etc/passwd"),
                     "root's mounts")
    else:
        attack.not_shown("fusectl is root's alone on this kernel, in every namespace")


@test()
def a12_orphans(rig):
    """A12 a process that left its session ends with the tool, and with a killed launcher"""
    attack = Attack(rig, "A12", "daemon", "rootlet-orphan")
    with Untouched():
        equal(attack.inside().text, "ready\n")
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        with Untouched():
            launcher = rig.start(attack_image(rig), "daemon", "rootlet-orphan", "stay")
            equal(launcher.stdout.readline(), b"ready\n")
            launcher.send_signal(number)
            launcher.wait(5)
    attack.say("with", "SAFE", "(nothing left, 4 ends)")
    attack.bare()
    left = [pid for pid, text in processes().items() if "rootlet-orphan" in text]
    attack.say("without (no namespaces)", "RISK" if left else "SAFE", f"left: {len(left)}")
    check(left, "the attack leaves nothing anyway")
    for pid in left:
        os.kill(pid, signal.SIGKILL)


@test()
def a13_interrupt_reaches_the_server(rig):
    """A13 after a Ctrl-C that the tool survives, its files are still there"""
    attack = Attack(rig, "A13", "interrupted", "/opt/data")
    terminal = Terminal(rig, attack_image(rig), "interrupted", "/opt/data")
    terminal.expect("ready")
    terminal.type("\x03")
    terminal.expect("files after Ctrl-C: there")
    equal(terminal.wait(), 0)
    terminal.hang_up()
    attack.say("with", "SAFE", "")
    terminal = Terminal(rig, "/bin/sh", "-c", '/bin/sleep 60 & "$@"; kill -0 $! && echo lives',
                        "sh", program(), "interrupted", "/etc/passwd")
    terminal.expect("ready")
    terminal.type("\x03")
    check("lives" not in terminal.quiet(0.5), "a process of the group survives Ctrl-C anyway")
    terminal.hang_up()
    attack.say("without (a process of the same group)", "RISK", "it is gone after Ctrl-C")


@test()
def a14_remounts(rig):
    """A14 no mount can be made writable, by any call, nested or not"""
    attack = Attack(rig, "A14", "remount")
    attack.refused()
    attack.shown(attack.weak("caps"), "capabilities kept")


@test()
def a15_uncovers(rig):
    """A15 nothing can be unmounted or shown elsewhere, nested or not"""
    attack = Attack(rig, "A15", "uncover")
    attack.refused()
    attack.shown(attack.weak("caps"), "capabilities kept")


@test()
def a16_walks_out_of_a_chroot(rig):
    """A16 a second chroot does not lead out"""
    attack = Attack(rig, "A16", "walk-out", secret(rig))
    attack.refused()
    attack.shown(attack.weak("chroot"), "chroot instead of pivot_root")


@test()
def a17_looks_for_the_old_root(rig):
    """A17 the host's root has no name inside"""
    attack = Attack(rig, "A17", "old-root", secret(rig))
    attack.refused()
    attack.shown(attack.weak("keep"), "the old root kept")


@test()
def a28_changes_groups(rig):
    """A28 groups cannot be given up, so what is closed to a group stays closed"""
    attack = Attack(rig, "A28", "groups")
    attack.refused()
    if rig.root:
        attack.shown(attack.bare(), "the host's root")
    else:
        attack.not_shown("a plain user has no right to setgroups without us either")


@test()
def a29_maps_ids(rig):
    """A29 ids that are not the caller's cannot be mapped, nested or not"""
    attack = Attack(rig, "A29", "ids")
    attack.refused()
    if rig.root:
        attack.shown(attack.bare(), "the host's root")
    else:
        attack.not_shown("the kernel refuses a plain user without us, too")


def listen(family, address):
    server = socket.socket(family)
    server.bind(address)
    server.listen(4)
    return server


@test()
def a34_abstract_sockets(rig):
    """A34 abstract sockets and path sockets of the host are out of reach, with net=host as well"""
    name = f"rootlet-attacks-{rig.identity}"
    abstract = listen(socket.AF_UNIX, "\0" + name)
    path = listen(socket.AF_UNIX, f"/tmp/{name}")
    os.chmod(f"/tmp/{name}", 0o777)
    try:
        attack = Attack(rig, "A34", "abstract", name)
        attack.refused()
        attack.refused("net=host")
        attack.shown(attack.inside("profile=compat"), "profile=compat")
        attack = Attack(rig, "A34 by path", "path", f"/tmp/{name}")
        attack.refused()
        attack.refused("net=host")
        attack.shown(attack.inside("profile=compat"), "profile=compat")
    finally:
        abstract.close()
        path.close()
        os.unlink(f"/tmp/{name}")


@test()
def a35_loopback_services(rig):
    """A35 what listens on the host's loopback, and a cloud's metadata address, are out of reach"""
    server = listen(socket.AF_INET, ("127.0.0.1", 0))
    attack = Attack(rig, "A35", "address", server.getsockname()[1])
    attack.refused()
    attack.shown(attack.inside("net=host"), "net=host")
    server.close()


@test()
def a36_keyrings(rig):
    """A36 a key in the caller's session keyring cannot be found, read or added to"""
    attack = Attack(rig, "A36", "keyring", "rootlet-secret")

    def with_key(*options):
        return rig.run(program(), "with-key", "rootlet-secret", attack_image(rig), *options,
                       "keyring", "rootlet-secret")

    attack.judged(with_key())
    attack.shown(with_key("--rootlet-seccomp=none"), "seccomp=none")


@test()
def a37_files_of_the_kernel(rig):
    """A37 no file of /proc, /sys or /dev that belongs to the host can be written, or read where secret"""
    attack = Attack(rig, "A37", "proc-writes")
    attack.refused()
    if rig.root:
        attack.shown(attack.bare(), "the host's root")
    else:
        attack.not_shown("their modes refuse a plain user without us, too")


@test()
def a38_dangerous_calls(rig):
    """A38 every call of the deny list gives the errno of the table, unknown ones ENOSYS"""
    attack = Attack(rig, "A38", "refused-calls")
    attack.refused()
    attack.without_filter(at_least=20)
    families = Attack(rig, "A38 families", "families")
    families.refused()
    families.without_filter(at_least=4)


@test()
def a40_sandbox_inside(rig):
    """A40 a sandbox inside can mount its own /proc (a root caller's is covered in part: refused)"""
    attack = Attack(rig, "A40", "nested-proc")
    done = attack.inside()
    if rig.root:
        attack.shown(done, "parts of /proc read-only for root")
    else:
        attack.judged(done)


ANYWHERE = [("uncover",), ("walk-out", "/nosuch"), ("groups",), ("disclosure",), ("executable",),
            ("proc-writes",), ("control-groups",), ("refused-calls",), ("families",),
            ("descriptors", "secret"), ("remount",)]


def ways_to_run(rig):
    """Other options and other roots: how each begins, and which attacks mean something there."""
    packed = attack_image(rig)
    here = rig.cwd / "attacks"
    here.write_bytes(program().read_bytes())
    here.chmod(0o755)
    fixed = ANYWHERE[:-1]  # an overlay is asked for to be written
    return {
        "fake-root": ([packed, "--rootlet-fake-root"], ANYWHERE),
        "overlay": ([packed, "--rootlet-overlay=tmpfs"], fixed),
        "host's namespaces": ([packed, "--rootlet-ipc=host", "--rootlet-uts=host",
                               "--rootlet-cgroup=host"], ANYWHERE),
        "a directory": ([rig.rootlet, "run", "--exec", PROGRAM, weak_root(rig)], ANYWHERE),
        "encapsulate": ([rig.rootlet, "encapsulate", rig.cwd, here], ANYWHERE),
    }


@test()
def other_options_and_roots(rig):
    """the attacks fail as well under other options, on a directory, and on a view of the host"""
    with Left(rig) as left:
        for name, (begin, attacks) in ways_to_run(rig).items():
            for words in [*attacks, ("reach", "1", str(left.pid))]:
                attack = Attack(rig, name, *words)
                said = Lines(rig.run(*begin, *words))
                check(said.word == "SAFE" and said.done.status == 0,
                      f"{name} {words[0]}: {said.risks + said.errors} {said.done!r}")
            attack.say("with", "SAFE", f"({len(attacks) + 1} attacks)")
    (rig.cwd / "attacks").unlink()


@test()
def user_namespaces(rig):
    """user-namespaces=deny: the tool makes none, not even one that a sandbox inside would want"""
    attack = Attack(rig, "user namespaces", "make-namespaces")
    attack.refused("user-namespaces=deny")
    attack.shown(attack.inside(), "allowed, the default")


@test()
def control_groups(rig):
    """the caller's control group can be neither mounted nor killed"""
    attack = Attack(rig, "cgroup", "control-groups")
    attack.refused()
    if rig.root:
        attack.shown(attack.rig.run("unshare", "--mount", program(), "control-groups"),
                     "root's mounts")
    else:
        attack.shown(attack.bare(), "no limit of cgroup namespaces")


if __name__ == "__main__":
    main()
