#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Arguments reach the tool byte for byte."""
import os
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Untouched, check, contains, equal, main, test

ODD = [b"", b" ", b"a b", b"new\nline", b"\n", b"\xff\xfe\x80", b"--", b"--help", b"-v",
       b"--rootlet-net=host", b"--appimage-extract", b"$(id)", b"`id`", b"'\"", b"\\", b"*",
       "ä€😀".encode(), b"=", b"-", b"x" * 100000]


def received(done):
    return [bytes.fromhex(line[:-1]) for line in done.text.splitlines()]


def arguments(rig, words, command=b"args", **keywords):
    done = rig.run(os.fsencode(rig.image), command, *words, **keywords)
    equal(done.status, 0, repr(done)[:500])
    return received(done)


@test()
def odd_arguments(rig):
    """blanks, nothing, newlines, invalid UTF-8 and options of ours behind the first word"""
    equal(arguments(rig, ODD), ODD)


@test()
def leading_words(rig):
    """what is no option of ours ends our options: --, --help, -x and an empty word too"""
    for word in (b"--", b"--help", b"-h", b"", b"-", b"--version", b"--rootletx", b"rootlet-net",
                 b"\xff", b"--rootle"):
        done = rig.run(os.fsencode(rig.image), word, b"--rootlet-net=host", b"--")
        equal(received(done), [word, b"--rootlet-net=host", b"--"], repr(word))


@test()
def raw_arguments(rig):
    """ROOTLET_RAW_ARGS=1: every argument is the tool's"""
    words = [b"--rootlet-help", b"--appimage-extract", b"--rootlet-nothing"]
    done = rig.run(os.fsencode(rig.image), *words, env={"ROOTLET_RAW_ARGS": "1"})
    equal(received(done), words)


@test()
def paths_of_the_image(rig):
    """an argument that names something of the image is not said to be missing; one that names nothing is"""
    with tempfile.TemporaryDirectory(dir="/opt") as around:  # which the host has, too
        inside = rig.run(rig.image, "args", "/opt/foo", "/opt/foo/share")
        equal((inside.status, inside.errors), (0, ""), repr(inside))
        missing = rig.run(rig.image, "args", f"{around}/new")
        contains(missing.errors, "will not be found inside")
        contains(missing.errors, f"output={around}")


@test()
def unknown_options(rig):
    """an unknown --rootlet- or --appimage- option is an error, with the nearest name"""
    for word, near in (("--rootlet-bnd=/x", "--rootlet-bind"), ("--rootlet-nett=host", "--rootlet-net"),
                       ("--rootlet-profil", "--rootlet-profile"), ("--rootlet-xyzzy", "--rootlet-help"),
                       ("--appimage-nothing", "--appimage-help"), ("--rootlet-", "--rootlet-")):
        with Untouched():
            rig.run(rig.image, word, "exit", "0").failed_by_us(word.split("=")[0], near)
    contains(rig.probe(options=["bnd=/x"]).errors, "did you mean")


@test()
def wrong_values(rig):
    """a value that cannot be is an error that says which can"""
    for option in ("net=maybe", "profile=", "bind=", "tmp=lots", "keep=-1", "mount=nfs", "net",
                   "cwd=relative", "hostname=", "verbose=yes", "env=novalue"):
        rig.probe("exit", "0", options=[option]).failed_by_us("--rootlet-" + option.split("=")[0])


@test()
def hundred_thousand(rig):
    """100,000 arguments arrive"""
    words = [str(i) for i in range(100000)]
    hash_ = 14695981039346656037
    for word in words:
        for byte in word.encode() + b"\0":
            hash_ = (hash_ ^ byte) * 1099511628211 % (1 << 64)
    equal(rig.run(rig.image, "sum", *words).text, f"100000 {hash_:016x}\n")


def deep_directory(rig):
    """A directory with a name of 3 KB: it costs the tool's environment (OWD), not ours."""
    path = rig.cwd
    while len(str(path)) < 3000:
        path = path / ("d" * 200)
    path.mkdir(parents=True, exist_ok=True)
    return path


def fits(rig, size, env, cwd):
    """How a run ends whose arguments and environment take SIZE bytes of the kernel's limit."""
    # Each string counts with its NUL, and each pointer with 8 bytes (execve(2)).
    fixed = [os.fspath(rig.image), "sum"]
    cost = lambda words: sum(len(os.fsencode(w)) + 1 + 8 for w in words)
    used = cost(fixed) + cost(f"{k}={v}" for k, v in env.items()) + cost([fixed[0]])
    words = []
    left = size - used
    while left > 20:
        length = min(100000, left - 9)
        words.append("x" * length)
        left -= length + 9
    try:
        return rig.run(*fixed, *words, cwd=cwd), len(words)
    except OSError as error:
        return error, len(words)


@test()
def up_to_the_limit(rig):
    """up to the kernel's limit less 8 KiB they arrive; beyond it 126 names E2BIG"""
    cwd = deep_directory(rig)
    limit = min(resource.getrlimit(resource.RLIMIT_STACK)[0] // 4, 6 << 20)
    if resource.getrlimit(resource.RLIMIT_STACK)[0] == resource.RLIM_INFINITY:
        limit = 6 << 20
    done, count = fits(rig, limit - 8192, rig.env, cwd)
    check(not isinstance(done, OSError), "the kernel itself refused it")
    equal(done.status, 0, repr(done)[:500])
    equal(done.text.split()[0], str(count))
    refused = 0
    for less in range(7680, 0, -256):
        done, _ = fits(rig, limit - less, rig.env, cwd)
        if isinstance(done, OSError):
            break
        if done.status == 126:
            contains(done.errors, "E2BIG")
            refused += 1
        else:
            equal(done.status, 0, repr(done)[:500])
    check(refused > 0, "the limit was never met")


@test()
def names_of_the_program(rig):
    """the tool's argv[0] is its own path inside; ARGV0 keeps the caller's"""
    done = rig.run("/bin/bash", "-c", 'exec -a "odd name" "$0" raw', rig.image)
    equal(received(done)[0], b"raw")
    done = rig.shell("echo $ARGV0; cat /proc/self/cmdline | head -c 8")
    contains(done.text, str(rig.image))
    contains(done.text, "cat")


@test()
def contract_variables(rig):
    """APPIMAGE, APPDIR, ARGV0 and OWD are set; OWD and APPIMAGE are the host's"""
    done = rig.shell('echo "$APPIMAGE|$APPDIR|$ARGV0|$OWD"')
    equal(done.text, f"{rig.image}|/|{rig.image}|{rig.cwd}\n")


@test()
def no_arguments_at_all(rig):
    """argc 0, an empty environment: it runs"""
    done = rig.run("/usr/bin/env", "-i", rig.image, "exit", "3")
    equal(done.status, 3)


@test()
def help_and_version(rig):
    """--rootlet-help, --rootlet-version, --rootlet-inspect and --appimage-* answer on every file"""
    for option, part in (("--rootlet-help", "--rootlet-bind"), ("--rootlet-version", "rootlet "),
                         ("--rootlet-inspect", "zstd"), ("--appimage-offset", "")):
        done = rig.run(rig.image, option)
        equal(done.status, 0, option)
        contains(done.text, part)
        check(done.text, option)


if __name__ == "__main__":
    main()
