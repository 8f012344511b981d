#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several runs of one image share its server."""
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, Untouched, check, contains, equal, main, processes, test, times
from servers import (bytes_read, descriptors, keepers, pretend_init, readers, rendezvous, runtime,
                     server, sockets, status, wait_until)

MIB = 1 << 20
KEEP = "keep=1"
LONG = "keep=30"


def gone(rig, seconds=3):
    """Every server ends by itself, and its socket with it."""
    wait_until(lambda: not processes(), seconds, "a server is left")
    equal(sockets(rig), [], "sockets left")


def start(rig, *words, options=(LONG,), **keywords):
    runtime(rig)
    return rig.start(rig.image, *("--rootlet-" + o for o in options), *words, **keywords)


def waiting(rig, options=(LONG,), image=None, **keywords):
    """A run that is up and waits for its stdin to end."""
    runtime(rig)
    keywords.setdefault("stdin", subprocess.PIPE)
    process = rig.start(image or rig.image, *("--rootlet-" + o for o in options),
                        "--rootlet-exec=/bin/sh", "-c", "echo up; cat", **keywords)
    equal(process.stdout.readline(), b"up\n")
    return process


def dismiss(rig):
    """Ends the servers, which have no runs."""
    for pid in keepers():
        with contextlib.suppress(ProcessLookupError):  # one whose launcher was killed ends by itself
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes(), 3, "a server is left")


def end(process, seconds=10):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, err.decode()


@test()
def second_run_joins(rig):
    """a second run is served by the server of the first, and sees the same"""
    runtime(rig)
    first = rig.shell("cat /opt/foo/share/data.txt", options=(LONG,))
    pair = server()
    second = rig.shell("cat /opt/foo/share/data.txt; ls -ln /opt/foo/share/data.txt | cut -c-40",
                       options=(LONG, "verbose"))
    contains(second.errors, "shares a running image server", "stderr")
    check(second.text.startswith(first.text), repr(second))
    contains(second.text, f" {rig.uid} ", "the owner")
    equal(server(), pair, "the server")
    equal(second.status, 0)


@test()
def nothing_is_decoded_twice(rig):
    """what one run has read, the next takes from the page cache: one memory for all"""
    runtime(rig)
    wanted = rig.probe("read", "/opt/foo/share/big", options=(LONG,)).out
    _, reader = server()
    before = bytes_read(reader)
    for _ in range(3):
        equal(rig.probe("read", "/opt/foo/share/big", options=(LONG,)).out, wanted)
    grown = bytes_read(reader) - before
    check(grown < MIB // 4, f"{grown} bytes read again for 12 MiB")
    # Shown to be able to fail: a server of one's own reads them all.
    process = rig.start(rig.image, "--rootlet-mount=private", "--rootlet-exec=/bin/sh", "-c",
                        "cat /opt/foo/share/big > /dev/null; echo up; cat", stdin=subprocess.PIPE)
    equal(process.stdout.readline(), b"up\n")
    own = [pid for pid in readers() if pid != reader]
    check(bytes_read(own[0]) > MIB // 4, "a private server has read nothing")
    end(process)


@test()
def memory_of_many(rig):
    """eight runs of one image have one server, and it has not grown with them"""
    with_one = waiting(rig)
    pair = server()
    pss = sum(memory(pid) for pid in pair)
    others = [waiting(rig) for _ in range(7)]
    equal(server(), pair)
    check(sum(memory(pid) for pid in pair) < pss * 1.2 + 256, "the server has grown")
    for process in (with_one, *others):
        equal(end(process), (0, ""))


def memory(pid):
    """KiB that are this process's share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


@test(scaled=20)
def two_that_start_at_once(rig):
    """runs that start at the same moment agree on one server"""
    for _ in range(times(20, 4)):
        together = [start(rig, "exit", "3", options=("mount=share",)) for _ in range(8)]
        for process in together:
            equal(end(process), (3, ""))
        equal(len(sockets(rig)), 1, "sockets")
        server()
        dismiss(rig)
        equal(sockets(rig), [])


@test()
def changed_image(rig):
    """a replaced, a touched and a moved image file have servers of their own"""
    runtime(rig)
    image = rig.copy("shared.AppImage")
    run = lambda: equal(rig.run(image, "--rootlet-" + LONG, "exit", "5").status, 5)
    run()
    first = server()
    run()
    equal(server(), first)
    new = rig.copy("shared.AppImage.new")
    os.rename(new, image)
    run()
    equal(len(readers()), 2, "after a replacement")
    os.utime(image, (1, 1))
    run()
    equal(len(readers()), 3, "after touch")
    os.rename(image, rig.top / "moved.AppImage")
    equal(rig.run(rig.top / "moved.AppImage", "--rootlet-" + LONG, "exit", "5").status, 5)
    equal(len(readers()), 4, "after a move (the change time tells)")


@test()
def overwritten_under_runs(rig):
    """an image that is overwritten while runs share its server ends them all with 125 and the reason"""
    runtime(rig)
    image = rig.copy("overwritten.AppImage")
    command = [rig.rootlet, "run", "--keep", "30", "--exec", "/bin/sh", image, "-c",
               "echo up; cat > /dev/null; cat /opt/foo/share/big > /dev/null; cat"]
    runs = [rig.start(*command, stdin=subprocess.PIPE) for _ in range(3)]
    for process in runs:
        equal(process.stdout.readline(), b"up\n")
    server()
    content = bytearray(image.read_bytes())
    content[-5000:] = bytes(5000)
    image.write_bytes(content)
    os.utime(image, (7, 7))
    runs[0].stdin.close()  # it reads what nobody has read yet
    runs[0].stdin = None
    for process in runs:
        code, errors = end(process)
        equal(code, 125)
        contains(errors, "the image file was changed", "stderr")
    gone(rig)


@test()
def keep_ends(rig):
    """a server stays for `keep` seconds after its last run, then it and its socket are gone"""
    runtime(rig)
    with Untouched(3.0):
        equal(rig.probe("exit", "4", options=("keep=2",)).status, 4)
        equal(len(sockets(rig)), 1)
        time.sleep(1.2)
        server()
        # A later run begins it anew.
        equal(rig.probe("exit", "4", options=("keep=2",)).status, 4)
        time.sleep(1.2)
        server()
        gone(rig)


@test()
def while_a_run_lives(rig):
    """a server does not end while a run needs it, however short `keep` is"""
    process = waiting(rig, options=(KEEP,))
    pair = server()
    time.sleep(2.2)
    equal(server(), pair)
    equal(end(process), (0, ""))
    gone(rig)


@test()
def captured_output(rig):
    """$(./tool.AppImage) returns when the tool ends, though its server stays"""
    runtime(rig)
    started = time.monotonic()
    done = rig.run("/bin/sh", "-c", f"x=$('{rig.image}' --rootlet-{LONG} say text 2>&1); echo $x")
    equal(done.text, "text\n")
    check(time.monotonic() - started < 5, "the pipe stayed open")
    server()


@test()
def where_it_is_on_by_itself(rig):
    """with a runtime directory a server is kept for 2 s; in batch steps, `isolated`, and without one it is not"""
    runtime(rig)
    off = [{"SLURM_JOB_ID": "7"}, {"PBS_JOBID": "7.host"}, {"LSB_JOBID": "7"},
           {"ROOTLET_KEEP": "0"}, {"ROOTLET_MOUNT": "private"},
           {"XDG_RUNTIME_DIR": str(rig.top / "nowhere")}]
    for variables in off:
        with Untouched(0.5):
            equal(rig.probe("exit", "6", env=variables).status, 6)
    # Makes the key by which unpacked images are known again.
    equal(rig.probe("exit", "6", options=("mount=extract",)).status, 6)
    for options in (("profile=isolated",), ("keep=0",), ("mount=private",), ("mount=extract",)):
        with Untouched(0.5):
            equal(rig.probe("exit", "6", options=options).status, 6)
    equal(rig.probe("exit", "6").status, 6)
    server()
    gone(rig, 4)
    # Asked for, it is there in all of them.
    equal(rig.probe("exit", "6", options=("mount=share", "profile=isolated"),
                    env={"SLURM_JOB_ID": "7"}).status, 6)
    server()


@test()
def unknown_init(rig):
    """under a PID 1 that is no known init no server is left to it"""
    runtime(rig)
    drop = [] if rig.root else ["/usr/bin/setpriv", f"--reuid={rig.uid}", f"--regid={rig.uid}",
                                "--clear-groups", "--"]
    made = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", rig.host_maker, "deaf",
                           *drop, rig.image, "leave"], env=rig.env, cwd=rig.cwd,
                          capture_output=True, text=True, timeout=20)
    contains(made.stdout, "status 0 zombies 0 living 0")


@test()
def refused_where_it_cannot_be(rig):
    """mount=share without a private directory, or with keep=0, is refused with a reason, not ignored"""
    runtime(rig)
    rig.probe("exit", "0", options=("mount=share", "keep=0")).failed_by_us("keep=0")
    open_to_all = rig.top / "open"
    open_to_all.mkdir(exist_ok=True)
    open_to_all.chmod(0o755)
    os.chown(open_to_all, rig.uid, rig.uid)
    for place in (open_to_all, rig.top / "nowhere"):
        rig.probe("exit", "0", options=("mount=share",),
                  env={"XDG_RUNTIME_DIR": str(place)}).failed_by_us("share the image server")
        done = rig.probe("exit", "9", options=(LONG, "verbose"), env={"XDG_RUNTIME_DIR": str(place)})
        equal(done.status, 9)
        contains(done.errors, "an image server of its own", "stderr")
    equal(processes(), {})


@test()
def born_alike(rig):
    """a server serves only runs of the same limits, nice value, processors and groups"""
    runtime(rig)
    run = [rig.image, "--rootlet-" + LONG, "exit", "2"]
    equal(rig.run(*run).status, 2)
    server()
    for number, before in enumerate((["nice", "-n", "3"], ["prlimit", "--nofile=512:512"],
                                     ["taskset", "-c", "0"])):
        equal(rig.run(*before, *run).status, 2)
        equal(len(readers()), 2 + number, " ".join(before))
    if rig.root:
        return
    equal(rig.run(*run, extra_groups=[47012]).status, 2)
    equal(len(readers()), 5, "another group")


@test()
def reader_killed(rig):
    """kill -9 of the reader: all runs end with 125 and a reason, and the next run has a new server"""
    runs = [waiting(rig) for _ in range(4)]
    old = server()
    os.kill(old[1], signal.SIGKILL)
    wait_until(lambda: not keepers(), 2, "the keeper is left")
    for process in runs:
        code, errors = end(process)
        equal(code, 125)
        contains(errors, "rootlet: serve the image", "stderr")
    equal(rig.probe("exit", "3", options=(LONG,)).status, 3)
    check(server()[0] != old[0], "the old keeper lives")
    equal(len(sockets(rig)), 1)


@test()
def keeper_killed(rig):
    """kill -9 of the keeper: the same, and the next run removes the socket that it left"""
    runs = [waiting(rig) for _ in range(4)]
    keeper, reader = server()
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not readers(), 2, "the reader is left")
    for process in runs:
        code, errors = end(process)
        equal(code, 125)
        contains(errors, "its server was killed", "stderr")
    wait_until(lambda: not processes(), 2, "the reader is left")
    equal(len(sockets(rig)), 1)
    dead = sockets(rig)[0].stat().st_ino
    equal(rig.probe("exit", "3", options=(LONG,)).status, 3)
    check(sockets(rig)[0].stat().st_ino != dead, "the dead socket is still there")
    equal(len(sockets(rig)), 1)


@test()
def dead_sockets_of_others(rig):
    """sockets that killed servers of other images left are removed by the next server that starts"""
    runtime(rig)
    other = rig.copy("other.AppImage")
    equal(rig.run(other, "--rootlet-" + LONG, "exit", "1").status, 1)
    os.kill(server()[0], signal.SIGKILL)
    wait_until(lambda: not processes(), 2, "the reader is left")
    equal(len(sockets(rig)), 1)
    equal(rig.probe("exit", "3", options=(KEEP,)).status, 3)
    equal(len(sockets(rig)), 1)
    gone(rig)


@test(scaled=40)
def killed_while_it_runs(rig):
    """kill -9 of keeper or reader at random moments: 125, or a run that never needed them, nothing else"""
    ends = {}
    for index in range(times(40, 8)):
        process = start(rig, "read", "/opt/foo/share/big", "30", options=("mount=auto", KEEP),
                        env={"PROBE_DROP": "1"})
        time.sleep(random.Random(index).uniform(0, 0.04))
        victims = (readers() if index % 2 else keepers()) if process.poll() is None else []
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        code, errors = end(process)
        check(code in (0, 125), f"status {code}: {errors}")
        check((code == 0) == (errors == ""), errors)
        ends[code] = ends.get(code, 0) + 1
        dismiss(rig)
    print(f"        ends: {ends}")
    check(ends.get(125), "no kill hit a run")


@test(scaled=40)
def launcher_killed(rig):
    """kill -9 of the launcher at random moments leaves a server without runs, or an empty socket, at most"""
    runtime(rig)
    equal(rig.probe("exit", "1", options=("keep=0",)).status, 1)  # makes the empty directory
    for index in range(times(40, 8)):
        with Untouched(3.0):
            process = start(rig, "read", "/opt/foo/share/big", "2000", options=("mount=share", KEEP))
            time.sleep(random.Random(index).uniform(0, 0.02))
            process.kill()
            end(process)
            dismiss(rig)
            for socket in sockets(rig):
                socket.unlink()  # killed between its making and its server's


@test()
def reader_stopped(rig):
    """a reader that is stopped is noticed within seconds: its runs end with 125, others have a new server"""
    process = waiting(rig)
    _, reader = server()
    os.kill(reader, signal.SIGSTOP)
    wait_until(lambda: status(reader)["State"].startswith("T"), 2, "the reader is not stopped")
    started = time.monotonic()
    done = rig.probe("exit", "3", options=(LONG, "verbose"))
    equal(done.status, 3)
    contains(done.errors, "is stopped", "stderr")
    check(time.monotonic() - started < 2, "a new run had to wait")
    process.wait(timeout=6)  # with its stdin open: the tool itself would wait for ever
    code, errors = end(process)
    equal(code, 125)
    contains(errors, "its server was stopped", "stderr")
    os.kill(reader, signal.SIGKILL)


@test()
def keeper_stopped(rig):
    """a keeper that is stopped stops nobody: its run goes on, a new run gets a new server"""
    process = waiting(rig)
    keeper, _ = server()
    os.kill(keeper, signal.SIGSTOP)
    started = time.monotonic()
    equal(rig.probe("exit", "3", options=(LONG,)).status, 3)
    check(time.monotonic() - started < 8, "the deadline was not kept")
    equal(rig.probe("exit", "3", options=(LONG,)).status, 3)
    equal(len(sockets(rig)), 1)
    os.kill(keeper, signal.SIGCONT)
    equal(end(process), (0, ""))


@test()
def whole_job_stopped(rig):
    """a job that is stopped as a whole, its server too, goes on as if nothing had been"""
    process = waiting(rig)
    everyone = list(processes())
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3)
    for pid in everyone:
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.3)
    equal(end(process), (0, ""))


@test()
def told_to_end(rig):
    """SIGTERM ends a server that has no runs, and waits for those that it has"""
    process = waiting(rig)
    keeper, _ = server()
    os.kill(keeper, signal.SIGTERM)
    time.sleep(0.3)
    server()
    equal(end(process), (0, ""))
    gone(rig, 1)


@test()
def others_live(rig):
    """the death of one image's server touches no run of another image"""
    other = rig.copy("second.AppImage")
    first, second = waiting(rig), waiting(rig, image=other)
    victim = [pid for pid in readers()
              if os.readlink(f"/proc/{pid}/fd/3").endswith("second.AppImage")]
    equal(len(victim), 1)
    os.kill(victim[0], signal.SIGKILL)
    wait_until(lambda: len(keepers()) == 1, 2, "the keeper is left")
    equal(end(second)[0], 125)
    equal(end(first), (0, ""))


def is_fuse(pid, number):
    try:
        return os.stat(f"/proc/{pid}/fd/{number}").st_rdev == os.makedev(10, 229)
    except PermissionError:  # the image's mount, closed to root too
        return False


@test()
def holds_nothing(rig):
    """keeper and reader hold the image, /dev/fuse, mount and sockets, and nothing of their caller"""
    process = waiting(rig, env={"SECRET_OF_THE_CALLER": "x"})
    keeper, reader = server()
    for pid in (keeper, reader):
        held = descriptors(pid)
        equal([held[n] for n in (0, 1, 2)], ["/dev/null"] * 3)
        equal(os.readlink(f"/proc/{pid}/cwd"), "/")
        equal(Path(f"/proc/{pid}/cmdline").read_bytes().strip(b"\0"), b"")
        equal(Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0"), b"")
        equal(status(pid)["NoNewPrivs"], "1")
        equal(status(pid)["Seccomp"], "2")
        check(os.getsid(pid) != os.getsid(process.pid), "the caller's session")
        equal(os.stat(f"/proc/{pid}/environ").st_uid, 0, "dumpable")
    caps = lambda pid: [int(status(pid)[n], 16) for n in ("CapPrm", "CapEff", "CapInh")]
    equal(caps(reader), [0, 0, 0])
    equal(caps(keeper), [1 << 21, 1 << 21, 0])
    image = [what for what in descriptors(reader).values() if what == str(rig.image)]
    equal(len(image), 1)
    def kinds(pid):
        return sorted("/dev/fuse" if is_fuse(pid, n) else what.split(":")[0]
                      for n, what in descriptors(pid).items() if n > 2)
    equal(kinds(reader), sorted(["socket", "socket", "/dev/fuse", str(rig.image)]))
    # The image's mount, /proc, the rendezvous, the tally; sockets: the door, the reader, its life, the run.
    equal(kinds(keeper), sorted(["/", "/", "/memfd", str(rendezvous(rig)), "anon_inode", *["socket"] * 4]))
    equal(Path(f"/proc/{keeper}/mountinfo").read_text().count("\n"), 2)
    limits = {pid: Path(f"/proc/{pid}/limits").read_text() for pid in (keeper, reader)}
    for pid in limits:
        check("Max address space         unlimited" not in limits[pid], limits[pid])
    end(process)


@test()
def unwanted_visitors(rig):
    """who comes to the door and says nothing, or much, or goes, delays nobody"""
    import socket
    process = waiting(rig)
    door = sockets(rig)[0]
    where = f"/proc/self/fd/{os.open(door.parent, os.O_PATH)}/{door.name}"
    visitors = []
    for index in range(200):
        visitor = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        visitor.connect(where)
        if index % 3 == 0:
            try:
                visitor.send(b"x" * 1000)
            except OSError:
                pass
        if index % 3 != 1:
            visitors.append(visitor)
    started = time.monotonic()
    equal(rig.probe("exit", "3", options=(LONG, "verbose")).status, 3)
    check(time.monotonic() - started < 2, "a run had to wait")
    server()
    for visitor in visitors:
        visitor.close()
    equal(end(process), (0, ""))


@test(scaled=200)
def many_in_a_row(rig):
    """10,000 runs in a row (here: fewer) and 200 at once: no process, descriptor or byte more"""
    runtime(rig)
    equal(rig.probe("exit", "1", options=(LONG,)).status, 1)
    pair = server()
    def weigh():
        return [len(descriptors(pid)) for pid in pair], [int(status(pid)["VmRSS"].split()[0]) for pid in pair]
    for _ in range(20):
        rig.probe("exit", "1", options=(LONG,))
    time.sleep(0.3)  # until the last one's end is noticed
    before = weigh()
    for _ in range(times(200, 20)):
        equal(rig.probe("exit", "1", options=(LONG,)).status, 1)
    at_once = [start(rig, "exit", "8") for _ in range(times(200, 40))]
    for process in at_once:
        equal(end(process, 60), (8, ""))
    wait_until(lambda: len(processes()) == 2 and weigh()[0] == before[0], 3, "processes or descriptors left")
    equal(server(), pair)
    after = weigh()
    check(all(a < b * 1.1 + 128 for a, b in zip(after[1], before[1])), f"grew: {before} {after}")


if __name__ == "__main__":
    pretend_init()
    main()
