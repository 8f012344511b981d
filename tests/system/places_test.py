#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Places: what of the host is shown where, and what may be written."""
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Untouched, check, contains, equal, main, test


def directory(rig, name, **files):
    made = rig.top / name
    made.mkdir(exist_ok=True)
    os.chown(made, rig.uid, rig.uid)
    for file, text in files.items():
        (made / file).write_text(text)
        os.chown(made / file, rig.uid, rig.uid)
    return made


def listing(top):
    return sorted(str(path.relative_to(top)) for path in Path(top).rglob("*"))


@test()
def several_and_long_forms(rig):
    """bind=A,B; bind=SRC::ro; mount=type=bind takes any path, also one with commas and colons"""
    one, two = directory(rig, "one", f="1"), directory(rig, "two", f="2")
    equal(rig.shell("cat /a/f /b/f", options=[f"bind={one}:/a,{two}:/b:ro"]).text, "12")
    done = rig.shell(f"cat '{one}/f'; echo x > '{one}/new'", options=[f"bind={one}::ro"])
    check(done.text == "1" and not (one / "new").exists(), repr(done))
    odd = directory(rig, "odd, a:b=c", f="odd")
    for form in (f'type=bind,"src={odd}",dst=/odd',
                 "type=bind,source=" + str(odd).replace(",", "\\,") + ",destination=/odd,ro"):
        equal(rig.shell("cat /odd/f", options=[f"mount={form}"]).text, "odd", form)
    done = rig.shell("echo x > /opt/foo/new/f && cat /opt/foo/new/f",
                     options=["mount=type=tmpfs,dst=/opt/foo/new"])
    equal(done.text, "x\n", repr(done))


@test()
def nested_in_any_order(rig):
    """binds inside of binds, in the order in which they lie; nothing is made on the host"""
    outer, inner = directory(rig, "outer", f="o"), directory(rig, "inner", f="i")
    (outer / "sub").mkdir(exist_ok=True)
    os.chown(outer / "sub", rig.uid, rig.uid)
    before = listing(rig.top)
    for options in ([f"bind={outer}:/a", f"bind={inner}:/a/sub"],
                    [f"bind={inner}:/a/sub", f"bind={outer}:/a"]):
        equal(rig.shell("cat /a/f /a/sub/f", options=options).text, "oi", str(options))
    rig.shell("exit 0", options=[f"bind={outer}:/a", f"bind={inner}:/a/not/there"]) \
        .failed_by_us("/a/not/there")
    equal(listing(rig.top), before, "files of the host")


@test()
def sockets_pipes_and_files(rig):
    """a socket, a FIFO and a file can be bound; the socket answers, the FIFO carries"""
    top = directory(rig, "kinds", file="file\n")
    path = top / "socket"
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    path.chmod(0o777)
    server.listen(1)
    fifo = top / "fifo"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    options = [f"bind={path}:/run/app/socket", f"bind={fifo}:/fifo", f"bind={top}/file:/etc/app.conf"]
    with server:
        done = rig.shell("test -S /run/app/socket && test -p /fifo && cat /etc/app.conf", options=options)
        equal(done.text, "file\n", repr(done))
        started = rig.start(rig.image, *("--rootlet-" + o for o in options), "--rootlet-exec=/bin/sh", "-c",
                            "echo through > /fifo")
        equal(fifo.read_text(), "through\n")
        started.wait()


@test()
def devices(rig):
    """a device of /dev that is bound by name works; one in a directory bound elsewhere does not"""
    done = rig.shell("head -c 3 /dev/mine/zero | wc -c", options=["bind=/dev/zero:/dev/mine/zero"])
    equal(done.text.strip(), "3", repr(done))
    if rig.root:
        top = directory(rig, "nodes")
        os.mknod(top / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        done = rig.shell(f"head -c 3 '{top}/zero' | wc -c", options=[f"bind={top}"])
        equal(done.text.strip(), "0", repr(done))
        (top / "zero").unlink()


@test()
def sources_that_are_links_or_gone(rig):
    """a symlinked source is what it leads to on the host; one that is gone is named"""
    target = directory(rig, "real", f="real")
    link = rig.top / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    equal(rig.shell(f"cat /x/f '{link}/f'", options=[f"bind={link}:/x", f"bind={link}"]).text, "realreal")
    link.unlink()
    link.symlink_to(rig.top / "vanished")
    rig.shell("exit 3", options=[f"bind={link}"]).failed_by_us(str(link), "no such path")
    link.unlink()


@test(by="root")
def read_only_goes_down(rig):
    """ro holds for mounts below the source too"""
    top = directory(rig, "mounted")
    script = f"mkdir -p '{top}/sub'; mount -t tmpfs none '{top}/sub'"
    done = rig.shell("echo x > /m/sub/f; echo x > /m/f; exit 0", options=[f"bind={top}:/m:ro"],
                     host=script)
    check(done.errors.count("Read-only file system") == 2, repr(done))


@test()
def isolated_knows_of_nothing_else(rig):
    """isolated: a second dataset beside the input is not readable, not even known to exist"""
    data = directory(rig, "datasets", first="1\n", second="2\n")
    out = directory(rig, "results")
    done = rig.shell(f"cat '{data}/first'; ls -A '{data}'; cat '{data}/second'; ls -A '{rig.top}';"
                     f"cp '{data}/first' '{out}/copy'; grep -c second /proc/self/mountinfo",
                     options=["profile=isolated", f"input={data}/first", f"output={out}"])
    equal(done.text.splitlines(), ["1", "first", "datasets", "home", "results", "0"], repr(done))
    equal(listing(out), ["copy"])


@test()
def writable_over_what_is_there(rig):
    """writable over a full directory and a file keeps their content; the image does not change"""
    done = rig.shell("cat /opt/foo/share/data.txt; echo mine >> /opt/foo/share/data.txt;"
                     "cat /opt/foo/share/data.txt; rm /opt/foo/share/big; ls /opt/foo/share;"
                     "echo more >> /usr/lib/mafft/lib/tool && tail -1 /usr/lib/mafft/lib/tool",
                     options=["writable=/opt/foo/share", "writable=/usr/lib/mafft/lib/tool"])
    equal(done.text.split("\n"), ["data of the image", "data of the image", "mine", "data.txt", "more", ""],
          repr(done))
    equal(rig.shell("cat /opt/foo/share/data.txt; tail -1 /usr/lib/mafft/lib/tool").text.split("\n")[0],
          "data of the image")


@test()
def tmp_on_disk(rig):
    """tmp=DIR: the private places lie in a directory there, which is gone at the end"""
    where = directory(rig, "scratch")
    (where / "other").mkdir(exist_ok=True)
    with Untouched():
        done = rig.shell("echo x > /tmp/t; echo h > \"$HOME/h\"; cat /tmp/t \"$HOME/h\"; df /tmp | tail -1;"
                         "stat -c %a /tmp", options=[f"tmp={where}"], cwd="/")
        check(done.text.startswith("x\nh\n") and done.text.endswith("1777\n"), repr(done))
    equal(listing(where), ["other"])


@test()
def tmp_on_disk_of_killed_runs(rig):
    """what a killed run left in tmp=DIR the next run sweeps, and leaves a living one's alone"""
    where = directory(rig, "swept")

    def begin():
        run = rig.start(rig.image, f"--rootlet-tmp={where}", "--rootlet-exec=/bin/sh", "-c",
                        "echo x > /tmp/t; echo in; read y; cat /tmp/t", stdin=subprocess.PIPE)
        equal(run.stdout.readline(), b"in\n")
        return run
    killed, living = begin(), begin()
    killed.kill()
    killed.wait()
    time.sleep(0.1)
    equal(len(list(where.glob("rootlet-*/run-*"))), 2)
    rig.shell("exit 0", options=[f"tmp={where}"])
    equal(len(list(where.glob("rootlet-*/run-*"))), 1, "after the sweep")
    out, _ = living.communicate(b"y\n", 10)
    equal(out, b"x\n")
    equal(listing(where), [])


@test()
def directories_of_arguments(rig):
    """bind-args shows the directories of paths among the arguments, linked ones too"""
    data, real = directory(rig, "args data", f="data\n"), directory(rig, "args real", g="real\n")
    link = data / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(real / "g")
    options = ["bind-args", "exec=/bin/cat"]
    equal(rig.probe(f"{data}/f", str(link), options=options).text, "data\nreal\n")
    equal(rig.probe(f"{data}/f", options=[*options, "profile=isolated"]).text, "data\n")
    done = rig.probe(f"of={data}/new", f"if={data}/f", options=["bind-args", "exec=/bin/dd"])
    check(done.status != 0 and not (data / "new").exists(), repr(done))
    done = rig.probe(f"if={data}/f", f"of={data}/new", options=["bind-args=rw", "exec=/bin/dd"])
    equal((done.status, (data / "new").read_text()), (0, "data\n"), repr(done))
    # Of the image's own directories none is hidden.
    equal(rig.probe("/etc/passwd", options=["bind-args", "exec=/bin/wc"]).status, 0)


@test()
def arguments_that_will_not_be_found(rig):
    """a path argument that is not visible inside gets one line with the command that shows it"""
    data = directory(rig, "hidden data", **{"in.fa": "acgt\n"})
    done = rig.probe(f"{data}/in.fa", f"--out={data}/result", options=["exec=/bin/true"])
    lines = done.errors.splitlines()
    equal(len(lines), 1, repr(done))
    contains(lines[0], f"'--rootlet-input={data}/in.fa'")
    contains(lines[0], f"'--rootlet-output={data}'")
    again = rig.probe(f"{data}/in.fa", options=["exec=/bin/cat", f"input={data}/in.fa"])
    equal((again.text, again.errors), ("acgt\n", ""))
    for quiet in (["/usr/bin/env"], ["-n", "in.fa"], ["/etc/hostname"], ["/no/such/x"], [str(rig.cwd)]):
        equal(rig.probe(*quiet, options=["exec=/bin/true"]).errors, "", str(quiet))


@test()
def variables_of_a_file(rig):
    """env-file sets what it names, as it is; env wins; a wrong line is named"""
    file = rig.top / "variables"
    file.write_text('# comment\nA=one two "three"\n\nB=2\nC=\n')
    done = rig.shell('echo "$A|$B|${C-unset}"', options=[f"env-file={file}", "env=B=mine"])
    equal(done.text, 'one two "three"|mine|\n', repr(done))
    file.write_text("A=1\nwrong\n")
    rig.shell("exit 3", options=[f"env-file={file}"]).failed_by_us("variables:2")
    rig.shell("exit 3", options=["env-file=/no/such"]).failed_by_us("/no/such")


@test()
def plan_as_json(rig):
    """dry-run=json prints the whole plan as one object, and runs nothing"""
    done = rig.shell("echo ran > ran", options=["dry-run=json", "bind=/dev/null:/x:ro", "env=A=\"\\"])
    plan = json.loads(done.text)
    check(not (rig.cwd / "ran").exists(), "it ran")
    check({"kind": "bind", "target": "/x", "source": "/dev/null", "writable": False,
           "read_only": []} in plan["mounts"], done.text)
    equal((plan["profile"], plan["network"], plan["program"]), ("contained", "none", "/bin/sh"))
    check('A="\\' in plan["variables"] and plan["arguments"][-1] == "echo ran > ran", done.text)
    contains(plan["settings"][0], "said by the command line")
    text = rig.shell("exit 0", options=["dry-run", f"bind={WORK}/tools:/t"]).text
    names = {line.split(": ")[0] for line in text.splitlines()}
    check({"profile", "root", "namespaces", "mount", "program", "variable"} <= names, text)


GPU = """
mount -t tmpfs none /dev && mknod /dev/null c 1 3 && chmod 666 /dev/null && mkdir /dev/pts
for name in zero full random urandom tty; do
  case $name in zero) n=5;; full) n=7;; random) n=8;; urandom) n=9;; tty) n=0;; esac
  mknod /dev/$name c $([ $name = tty ] && echo 5 || echo 1) $n; chmod 666 /dev/$name
done
mknod /dev/fuse c 10 229; chmod 666 /dev/fuse
mknod /dev/nvidia0 c 1 5; mknod /dev/nvidiactl c 1 3; chmod 666 /dev/nvidia*
mkdir -p /tmp/drivers; echo new > /tmp/drivers/libcuda.so.550.1
ln -sf libcuda.so.550.1 /tmp/drivers/libcuda.so.1; ln -sf nowhere /tmp/drivers/libnvidia-ml.so.1
echo other > /tmp/drivers/libother.so
"""


@test()
def gpu(rig):
    """nv shows the devices, which work, and the driver's libraries; without a device it is refused"""
    look = ("head -c 2 /dev/nvidia0 | wc -c; cat /run/rootlet/drivers/libcuda.so.1; "
            "ls /run/rootlet/drivers; echo $LD_LIBRARY_PATH; echo x > /run/rootlet/drivers/libcuda.so.1")
    done = rig.shell(look, options=["nv"], host=GPU, env={"LD_LIBRARY_PATH": "/tmp/drivers"})
    equal(done.text.split(), ["2", "new", "libcuda.so.1", "libcuda.so.550.1", "/run/rootlet/drivers"],
          repr(done))
    contains(done.errors, "Read-only")
    for option, device in (("nv", "nvidia"), ("rocm", "kfd")):
        if not Path("/dev", device).exists() and not list(Path("/dev").glob("nvidia*")):
            rig.shell("exit 3", options=[option]).failed_by_us(option, device)


@test()
def desktop(rig):
    """gui shows the sockets of X11, Wayland and the session bus, and the variables that name them"""
    runtime = directory(rig, "runtime dir")
    runtime.chmod(0o700)
    x11 = Path("/tmp/.X11-unix")
    x11.mkdir(exist_ok=True)
    sockets = [x11 / "X7", runtime / "wayland-0", runtime / "bus"]
    servers = []
    for path in sockets:
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        path.chmod(0o777)
        servers.append(server)
    env = {"DISPLAY": ":7.0", "WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(runtime),
           "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus,guid=1"}
    look = ('test -S /tmp/.X11-unix/X7 && cd "$XDG_RUNTIME_DIR" && test -S wayland-0 && test -S bus &&'
            'ls -A; stat -c %a .; echo $DISPLAY $WAYLAND_DISPLAY $DBUS_SESSION_BUS_ADDRESS')
    wanted = ["bus", "wayland-0", "700", ":7.0", "wayland-0", "unix:path=" + str(runtime) + "/bus,guid=1"]
    for profile in ("contained", "isolated"):
        done = rig.shell(look, options=["gui", f"profile={profile}"], env=env)
        equal(done.text.split(), " ".join(wanted).split(), f"{profile}: {done!r}")
    check("bus" not in rig.shell('ls -A "$XDG_RUNTIME_DIR"; env', env=env).text, "shown without gui")
    rig.shell("exit 3", options=["gui"], env={"DISPLAY": None, "XDG_RUNTIME_DIR": None}) \
        .failed_by_us("gui")
    for server, path in zip(servers, sockets):
        server.close()
        path.unlink()
    x11.rmdir()


@test()
def links_to_start_up_files(rig):
    """a start-up file that is a symlink can be neither replaced nor written through"""
    dotfiles = directory(rig, "home/dotfiles", bashrc="mine\n")
    (rig.home / ".config").mkdir(exist_ok=True)
    os.chown(rig.home / ".config", rig.uid, rig.uid)
    links = {rig.home / ".zshrc": dotfiles / "bashrc", rig.home / ".config/fish": dotfiles}
    for link, target in links.items():
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    rig.shell("echo evil > .zshrc; rm -f .zshrc; mv .zshrc z; echo evil > x; mv x .zshrc; ln -sfn /tmp .config/fish;"
              "rm -f .config/fish; mv .config c2; echo evil > dotfiles/bashrc; mv dotfiles d2", cwd=rig.home)
    for link, target in links.items():
        check(link.is_symlink() and os.readlink(link) == str(target), f"{link} was replaced")
    equal((rig.home / ".zshrc").read_text(), "mine\n")
    for link in links:
        link.unlink()


@test()
def new_start_up_files(rig):
    """one that is made while a tool runs is told of"""
    made = rig.home / ".zlogin"
    done = rig.shell("echo evil > .zlogin", cwd=rig.home)
    contains(done.errors, str(made))
    made.unlink()
    equal(rig.shell("echo good > ordinary", cwd=rig.home).errors, "")


@test()
def directory_that_is_swapped(rig):
    """the directory that the run was started in is shown, whatever has got its name since"""
    swap = directory(rig, "swap")
    for name in ("a", "b"):
        (swap / name).mkdir(exist_ok=True)
        (swap / name / "name").write_text(name)
    renames = subprocess.Popen([sys.executable, "-c",
                                "import os\nwhile True:\n os.rename('a', 'c'); os.rename('b', 'a');"
                                " os.rename('c', 'b')"], cwd=swap)
    try:
        for _ in range(12):
            done = rig.run("/bin/sh", "-c", 'cat name; exec "$0" --rootlet-exec=/bin/cat name', rig.image,
                           cwd=swap / "a" if (swap / "a").exists() else swap / "b")
            if done.status == 0 and not done.errors:
                check(done.text in ("aa", "bb"), f"started in one, showed the other: {done!r}")
    except FileNotFoundError:
        pass  # between two renames there is no such directory to start in
    finally:
        renames.kill()
        renames.wait()


@test()
def mounted_later_on_the_host(rig):
    """what the host mounts below a read-only bind later does not become writable inside"""
    shown = directory(rig, "shown")
    late = directory(rig, "shown/late")
    script = (f"echo ready; read go; echo bad > '{late}/bad' && echo written; ls -A '{late}'")
    process = rig.start(rig.image, f"--rootlet-bind={shown}::ro", "--rootlet-exec=/bin/sh", "-c",
                        script, stdin=subprocess.PIPE,
                        host=f"mount --bind '{shown}' '{shown}'; mount --make-rshared '{shown}'")
    equal(process.stdout.readline(), b"ready\n")
    # In the same mount namespace, that of the launcher: the host of this run.
    subprocess.run(["nsenter", f"--mount=/proc/{process.pid}/ns/mnt", "mount", "-t", "tmpfs", "-o",
                    "mode=777", "none", late], check=True)
    out, err = process.communicate(b"go\n", 20)
    check(b"written" not in out and b"bad" not in out, f"{out!r} {err!r}")


if __name__ == "__main__":
    main()
