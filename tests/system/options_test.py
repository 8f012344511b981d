#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The options do what they say, and refuse what they cannot do."""
import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test


def escaped(path):
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


def directory(rig, name, **files):
    made = rig.top / name
    made.mkdir(exist_ok=True)
    os.chown(made, rig.uid, rig.uid)
    for file, text in files.items():
        (made / file).write_text(text)
        os.chown(made / file, rig.uid, rig.uid)
    return made


@test()
def bind(rig):
    """bind shows a path, read-write or read-only, and makes a missing target, nested ones too"""
    data = directory(rig, "data", one="1\n", two="2\n")
    other = directory(rig, "other", three="3\n")
    equal(rig.shell(f"cat '{data}/one'", options=[f"bind={escaped(data)}"]).text, "1\n")
    done = rig.shell("cat /new/deep/place/one; echo w > /new/deep/place/written",
                     options=[f"bind={data}:/new/deep/place"])
    equal((done.status, done.text), (0, "1\n"), repr(done))
    equal((data / "written").read_text(), "w\n")
    done = rig.shell("echo x > /data/written2", options=[f"bind={data}:/data:ro"])
    check(done.status != 0 and not (data / "written2").exists(), "a read-only bind was written")
    done = rig.shell("cat /data/one /data/inner/three 2>&1; ls /data",
                     options=[f"bind={data}:/data", f"bind={other}:/data/two2"])
    check(done.status in (0, 1, 125), repr(done))
    done = rig.shell("cat /etc/one.conf /opt/foo/share/data.txt",
                     options=[f"bind={data}/one:/etc/one.conf"])
    equal(done.text, "1\ndata of the image\n", repr(done))
    done = rig.shell("cat /a/three /a/b/one", options=[f"bind={other}:/a", f"bind={data}:/a/b"])
    if done.status == 125:
        contains(done.errors, "/a/b")
        check(not (other / "b").exists(), "a directory was made on the host")
    else:
        equal(done.text, "3\n1\n", repr(done))


@test()
def bind_of_nothing(rig):
    """a source that is not there, a file on a directory, or / as target are refused, named"""
    rig.probe("exit", "0", options=["bind=/no/such/thing"]).failed_by_us("/no/such/thing")
    rig.probe("exit", "0", options=["bind=/etc/passwd:/opt"]).failed_by_us("/opt")
    rig.probe("exit", "0", options=["bind=/tmp:/"]).failed_by_us("/")


@test()
def isolated_input_and_output(rig):
    """under isolated, input is readable, output writable, and nothing else is there"""
    given = directory(rig, "given", sequences="acgt\n")
    (given / "private").write_text("x")
    out = directory(rig, "out")
    done = rig.shell(f"cat '{given}/sequences' > '{out}/result'; ls -A '{given}'; ls -A '{rig.top}';"
                     f"echo x > '{given}/sequences'",
                     options=["profile=isolated", f"input={given}/sequences", f"output={out}"])
    equal(done.text.splitlines(), ["sequences", "given", "home", "out"], repr(done))
    equal((out / "result").read_text(), "acgt\n")
    equal((given / "sequences").read_text(), "acgt\n")


@test()
def environment(rig):
    """env, clean-env and pass-env; LD_*, PYTHONPATH and their like stay out"""
    caller = {"MINE": "1", "LD_PRELOAD": "/x.so", "PYTHONPATH": "/x", "PERL5LIB": "/x",
              "R_LIBS_USER": "/x", "BASH_ENV": "/x", "JAVA_TOOL_OPTIONS": "x", "LC_ALL": "C"}
    seen = rig.shell("env", env=caller).text.splitlines()
    names = {line.split("=")[0] for line in seen}
    check("MINE" in names and "LC_ALL" in names, f"{names}")
    check(not names & (set(caller) - {"MINE", "LC_ALL"}), f"came in: {names & set(caller)}")
    equal(rig.shell("echo $MINE$OTHER", options=["env=MINE=2", "env=OTHER=a b=c"], env=caller).text,
          "2a b=c\n")
    names = {line.split("=")[0] for line in
             rig.shell("env", options=["clean-env", "pass-env=MI*"], env=dict(caller, NOT="1"))
             .text.splitlines()}
    check("MINE" in names and "NOT" not in names and "LC_ALL" in names, f"{names}")
    check("PYTHONPATH=/x" in rig.shell("env", options=["pass-env=PYTHONPATH"], env=caller).text,
          "pass-env")


@test()
def temporary_directories(rig):
    """TMPDIR and XDG_RUNTIME_DIR are /tmp (isolated: unset); tmp=SIZE ends in ENOSPC"""
    done = rig.shell('echo "$TMPDIR|$XDG_RUNTIME_DIR"', env={"TMPDIR": "/scratch"})
    equal(done.text, "/tmp|/tmp\n")
    equal(rig.shell('echo "$TMPDIR|$XDG_RUNTIME_DIR"', env={"TMPDIR": "/scratch"},
                    options=["profile=isolated"]).text, "|\n")
    done = rig.probe("fill", "/tmp/big", options=["tmp=1m"])
    contains(done.text, "fill: ENOSPC")
    check(900000 <= int(done.text.splitlines()[1]) <= 1200000, done.text)


def listen(family, address):
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.bind(address)
    sock.listen(1)
    return sock


@test()
def network(rig):
    """net=none: loopback works, the host's ports and abstract sockets do not; net=host: they do"""
    port = listen(socket.AF_INET, ("127.0.0.1", 0))
    name = f"rootlet-test-{os.getpid()}"
    abstract = listen(socket.AF_UNIX, "\0" + name)
    number = str(port.getsockname()[1])
    with port, abstract:
        equal(rig.probe("loopback").text, "loopback: ok\n")
        equal(rig.probe("tcp", number).text, "tcp: ECONNREFUSED\n")
        equal(rig.probe("abstract", name).text, "abstract: ECONNREFUSED\n")
        equal(rig.probe("tcp", number, options=["net=host"]).text, "tcp: ok\n")
        check("ok" not in rig.probe("abstract", name, options=["net=host"]).text,
              "contained, net=host: an abstract socket was reached (Landlock scopes it)")


@test()
def host_name(rig):
    """hostname names the run; else the host's is kept"""
    equal(rig.shell("hostname").text.strip(), os.uname().nodename)
    equal(rig.shell("hostname", options=["hostname=node-7"]).text, "node-7\n")
    check(os.uname().nodename != "node-7", "the host was renamed")


@test()
def home(rig):
    """home=DIR is the tool's home; by default it is empty and private"""
    own = directory(rig, "own home", settings="s\n")
    equal(rig.shell('cat "$HOME/settings"', options=[f"home={own}"]).text, "s\n")
    equal(rig.shell('cd "$HOME"; ls -A; echo x > f && echo written', cwd="/").text, "written\n")


@test()
def scratch(rig):
    """writable=PATH is a scratch place over the image, gone at the end"""
    done = rig.shell("echo x > /opt/foo/cache/f && cat /opt/foo/cache/f /opt/foo/share/data.txt",
                     options=["writable=/opt/foo/cache"])
    equal(done.text, "x\ndata of the image\n", repr(done))


@test()
def dry_run_and_verbose(rig):
    """dry-run prints the plan and runs nothing; verbose tells on stderr alone"""
    done = rig.shell("echo ran > ran", options=["dry-run"])
    equal(done.status, 0)
    check(not (rig.cwd / "ran").exists(), "the tool ran")
    contains(done.text, str(rig.cwd), "plan")
    done = rig.probe("say", "ran", options=["verbose"])
    equal((done.status, done.text), (0, "ran"))
    contains(done.errors, "the image is served", "stderr")


@test()
def not_built_yet(rig):
    """what this version lacks is refused, never ignored"""
    for option in ("rules=/x", "record=/nowhere/x"):
        rig.probe("exit", "0", options=[option]).failed_by_us(option.split("=")[0])


@test()
def system_calls(rig):
    """the default filter denies keyrings, TIOCSTI and AF_ALG; seccomp=none does not"""
    done = rig.probe("break")
    for line in ("keyctl: EPERM", "AF_ALG: EAFNOSUPPORT", "TIOCSTI: EPERM", "TIOCSTI high: EPERM"):
        contains(done.text, line)
    contains(rig.shell("grep Seccomp: /proc/self/status").text, "2")
    contains(rig.shell("grep Seccomp: /proc/self/status", options=["seccomp=none"]).text, "0")


@test()
def nothing_to_break_out_with(rig):
    """no mount can be changed, in a nested user namespace either; /proc/sys is not writable"""
    for options in ([], ["seccomp=none"], ["profile=compat", "seccomp=none"]):
        text = rig.probe("break", options=options).text
        for what in ("own remount", "own umount", "own tmpfs", "own write", "own sysctl",
                     "sethostname", "chroot", "nested umount", "nested write", "nested sysctl"):
            lines = [l for l in text.splitlines() if l.startswith(what + ":")]
            check(lines and all(not l.endswith(": ok") for l in lines), f"{options} {what}: {text}")


@test()
def no_capabilities(rig):
    """all capabilities are zero, no_new_privs is set"""
    text = rig.shell("grep -E 'Cap|NoNewPrivs' /proc/self/status").text
    for line in text.splitlines():
        name, value = line.split(":")
        equal(int(value.strip(), 16), 1 if name == "NoNewPrivs" else 0, name)


@test()
def init_is_out_of_reach(rig):
    """init can be neither signalled, traced nor read; the server is not even seen"""
    done = rig.probe("init")
    equal(done.status, 0, repr(done))
    for line in done.text.splitlines():
        name, answer = line.split(": ")
        if name == "still here":
            continue
        if name == "/proc/1/fd" and rig.root:
            continue  # the list of numbers; what they name is as closed as the rest
        check(answer in ("EACCES", "EPERM"), line)
    contains(done.text, "still here")
    equal(rig.shell("ls -l /proc/1/fd 2>/dev/null | grep -c -- '->'; exit 0").text, "0\n")
    equal(rig.shell("tr -d '\\0' < /proc/1/cmdline").text.strip("\0"), "", "init's command line")


def policy_image(rig, name, isolation):
    policy = rig.top / f"{name}.toml"
    policy.write_text('[tool]\nname = "probe"\nentrypoint = ["/opt/foo/bin/probe"]\n[isolation]\n'
                      + isolation)
    return rig.build("/tmp/rootlet tests/tree", f"{name}.AppImage", "--policy", policy)


@test()
def policy_narrows(rig):
    """a policy may narrow: isolated, clean environment, read-only"""
    image = policy_image(rig, "narrow", 'profile = "isolated"\nclean-env = true\n')
    done = rig.run(image, "--rootlet-exec=/bin/sh", "-c", "pwd; env | grep -c MINE; exit 0",
                   env={"MINE": "1"})
    equal(done.text, "/\n0\n", repr(done))


@test()
def policy_asks_for_more(rig):
    """a policy that asks for more is refused with the line to type, which works"""
    for name, request in (("net", 'net = "host"'), ("seccomp", 'seccomp = "none"'),
                          ("profile", 'profile = "compat"')):
        image = policy_image(rig, f"wide-{name}", request + "\n")
        option = f"--rootlet-{name}=" + request.split('"')[1]
        rig.run(image, "exit", "3").failed_by_us(option)
        equal(rig.run(image, option, "exit", "3").status, 3, option)


@test()
def policy_locks(rig):
    """what a policy locks, the caller cannot widen"""
    image = policy_image(rig, "locked", 'net = "none"\nlocked = ["net"]\n')
    rig.run(image, "--rootlet-net=host", "exit", "3").failed_by_us("net", "locked")
    equal(rig.run(image, "--rootlet-net=none", "exit", "3").status, 3)
    equal(rig.run(image, "exit", "3").status, 3)


@test()
def variables(rig):
    """ROOTLET_NAME sets an option; the command line wins; dangerous ones are ignored or refused"""
    equal(rig.shell("hostname", env={"ROOTLET_HOSTNAME": "from-env"}).text, "from-env\n")
    equal(rig.shell("hostname", options=["hostname=from-line"],
                    env={"ROOTLET_HOSTNAME": "from-env"}).text, "from-line\n")
    done = rig.probe("exit", "3", env={"ROOTLET_BEST_EFFORT": "1", "ROOTLET_NO_ISOLATION": "1"})
    check("no isolation" not in done.errors, repr(done))


if __name__ == "__main__":
    main()
