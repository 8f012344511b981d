#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In a terminal, a packed tool behaves as the tool does."""
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, contains, equal, main, test
from terminal import Terminal


def shell(rig):
    """An interactive shell with job control."""
    terminal = Terminal(rig, "/bin/bash", "--norc", "--noprofile", "-i")
    terminal.type("PS1='$ '; unset HISTFILE; stty -echo\n")
    terminal.quiet(0.4)
    return terminal


@test()
def interrupt(rig):
    """Ctrl-C and Ctrl-\\ end a tool that does not catch them"""
    for key, number in (("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)):
        with Untouched():
            terminal = Terminal(rig, rig.image, "wait")
            terminal.expect("ready")
            terminal.type(key)
            equal(terminal.wait(), -number)
            terminal.hang_up()


@test()
def caught_interrupt(rig):
    """a tool that catches Ctrl-C survives it, gets it once, and so does the launcher"""
    with Untouched():
        terminal = Terminal(rig, rig.image, "catch", "2", "3")
        terminal.expect("ready")
        for _ in range(3):
            terminal.type("\x03")
            equal(terminal.quiet().count("got 2"), 1, "Ctrl-C")
        terminal.type("\x1c")
        equal(terminal.quiet().count("got 3"), 1, "Ctrl-\\")
        terminal.type("q\n")
        equal(terminal.wait(), 0)
        terminal.hang_up()


@test()
def job_control(rig):
    """Ctrl-Z, jobs, bg and fg work, and the tool goes on where it was"""
    with Untouched():
        terminal = shell(rig)
        terminal.type(f"'{rig.image}' catch 10\n")
        terminal.expect("ready")
        for _ in range(2):
            terminal.type("\x1a")
            terminal.expect("Stopped")
            terminal.type("jobs\n")
            terminal.expect("Stopped")
            terminal.type("fg\n")
            terminal.quiet(0.2)
            terminal.type("q\n") if _ else None
        terminal.expect("$ ")
        terminal.type("echo status $?\n")
        terminal.expect("status 0")
        terminal.type("exit\nexit\n")
        terminal.wait()
        terminal.hang_up()


@test()
def background(rig):
    """a background run that reads the terminal is stopped, as the tool would be"""
    with Untouched():
        terminal = shell(rig)
        terminal.type(f"'{rig.image}' copy &\n")
        terminal.quiet(0.5)
        terminal.type("jobs\n")
        terminal.expect("Stopped")
        terminal.type("kill -9 %1\n")
        terminal.quiet(0.3)
        # Twice: the first only warns while the shell has not heard of the kill.
        terminal.type("\nexit\nexit\n")
        terminal.wait()
        terminal.hang_up()


@test()
def resize(rig):
    """a resized window reaches the tool, once"""
    with Untouched():
        terminal = Terminal(rig, rig.image, "catch", str(int(signal.SIGWINCH)))
        terminal.expect("ready")
        terminal.resize(33, 99)
        equal(terminal.quiet().count("got 28"), 1)
        terminal.type("q\n")
        terminal.wait()
        terminal.hang_up()
        terminal = Terminal(rig, rig.image, "window")
        terminal.resize(33, 99)
        terminal.wait()
        terminal.hang_up()


@test()
def window_size(rig):
    """the tool sees the size of the window"""
    terminal = Terminal(rig, "/bin/sh", "-c", "stty rows 31 cols 97; exec \"$0\" window", rig.image)
    terminal.expect("31 x 97")
    terminal.wait()
    terminal.hang_up()


@test()
def hang_up(rig):
    """a closed terminal ends the run, and leaves nothing"""
    for words in (("wait",), ("catch", "10")):
        with Untouched():
            terminal = Terminal(rig, rig.image, *words)
            terminal.expect("ready")
            terminal.hang_up()
            terminal.wait()


@test()
def hang_up_of_a_shell(rig):
    """a terminal closed over a shell with a stopped and a running job leaves nothing"""
    with Untouched(2):
        terminal = shell(rig)
        terminal.type(f"'{rig.image}' wait\n")
        terminal.expect("ready")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.type(f"'{rig.image}' wait\n")
        terminal.expect("ready")
        terminal.hang_up()
        terminal.wait()


@test()
def a_terminal_inside(rig):
    """stdin is a terminal inside, /dev/tty opens, and typed lines arrive"""
    terminal = Terminal(rig, rig.image, "--rootlet-exec=/bin/sh", "-c",
                        "test -t 0 && test -t 1 && echo yes > /dev/tty; read line; echo =$line=")
    terminal.expect("yes")
    terminal.type("hello\n")
    terminal.expect("=hello=")
    equal(terminal.wait(), 0)
    terminal.hang_up()


@test()
def killed_launcher_gives_the_terminal_back(rig):
    """kill -9 of the launcher: the shell has its prompt and its terminal again"""
    with Untouched(2):
        terminal = shell(rig)
        terminal.type(f"'{rig.image}' wait\n")
        terminal.expect("ready")
        children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        terminal.expect("Killed")
        terminal.type("echo back\n")
        terminal.expect("back")
        terminal.type("exit\nexit\n")
        terminal.wait()
        terminal.hang_up()


@test()
def not_typed_into(rig):
    """the tool cannot type into the caller's terminal (TIOCSTI)"""
    terminal = Terminal(rig, rig.image, "break")
    seen = terminal.expect("AF_ALG")
    contains(seen, "TIOCSTI: EPERM")
    contains(seen, "TIOCSTI high: EPERM")
    terminal.wait()
    terminal.hang_up()


if __name__ == "__main__":
    main()
