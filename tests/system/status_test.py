#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program that watches a run is told: status=PATH and status-fd=N."""
import json
import os
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import MASKED, Untouched, check, contains, equal, main, test


def told(rig, *words, options=(), **keywords):
    """Runs the probe with a status file; how it ended, and the events."""
    path = rig.top / "status.json"
    path.unlink(missing_ok=True)
    done = rig.probe(*words, options=(f"status={path}", *options), **keywords)
    return done, [json.loads(line) for line in path.read_text().splitlines()]


def kinds(events):
    return [event["event"] for event in events]


@test()
def started_and_exit(rig):
    """started names run, version, image and program; exit has the tool's own status"""
    done, events = told(rig, "exit", "7")
    equal(done.status, 7, repr(done))
    equal(kinds(events), ["started", "exit"])
    started, end = events
    equal(started["image"], str(rig.image))
    equal(started["program"], "/opt/foo/bin/probe")
    equal(started["isolated"], True)
    equal(started["notes"], [])
    check(started["pid"] > 1 and started["rootlet"], str(started))
    equal((end["code"], end["signal"], end["limits"]), (7, None, []))


@test()
def tells_ours_from_the_tools(rig):
    """a tool that exits with 124 to 127 is told from a launcher that does"""
    for code in (124, 125, 126, 127):
        done, events = told(rig, "exit", str(code))
        equal((done.status, kinds(events), events[-1]["code"]), (code, ["started", "exit"], code))
        equal(events[-1]["limits"], [])
    for option, code in (("exec=/nowhere/x", 127), ("exec=/opt/foo/share/data.txt", 126),
                         ("bind=/nowhere", 125)):
        done, events = told(rig, options=[option])
        equal((done.status, kinds(events), events[-1]["code"]), (code, ["error"], code), option)
        for part in (events[-1]["action"], events[-1]["subject"], events[-1]["reason"]):
            check(part != "" and part in done.errors, f"{part!r} is not in {done.errors!r}")
    done, events = told(rig, options=["timeout=0.3"], *["wait"])
    equal((done.status, events[-1]["code"], events[-1]["limits"]), (124, 124, ["timeout"]))


@test()
def signals(rig):
    """the death by a signal is told as one"""
    for number, name in ((9, "SIGKILL"), (15, "SIGTERM"), (11, "SIGSEGV")):
        done, events = told(rig, "die", str(number), env={"PROBE_NO_CORE": "1"})
        equal(done.status, -number)
        end = events[-1]
        equal((end["code"], end["signal"], end["signal_name"]), (None, number, name))


@test()
def errors_of_every_stage(rig):
    """an error is told wherever it happens: options, image, plan, namespaces, root, program"""
    damaged = rig.copy("damaged.AppImage", rig.image.read_bytes()[:-100000])
    path = rig.top / "status.json"
    stages = {"options": lambda: rig.probe(options=[f"status={path}", "nett=host"]),
              "image": lambda: rig.run(damaged, f"--rootlet-status={path}"),
              "plan": lambda: rig.probe(options=[f"status={path}", "hostname=x", "uts=host"]),
              "namespaces": lambda: rig.start_limited("0", rig.image, f"--rootlet-status={path}"),
              "root": lambda: rig.probe(options=[f"status={path}"], host=MASKED)}
    for stage, run in stages.items():
        path.unlink(missing_ok=True)
        done = run()
        equal(done.status, 125, f"{stage}: {done}")
        events = [json.loads(line) for line in path.read_text().splitlines()]
        equal(kinds(events), ["error"], stage)
        event = events[0]
        equal(event["code"], 125)
        contains(done.errors, event["action"])
        check((event["errno"] is None) == (event["errno_name"] is None), str(event))
        if event["errno_name"]:
            contains(done.errors, f"({event['errno_name']})")
        if event["hint"]:
            contains(done.errors, "hint: " + event["hint"])


@test()
def notes(rig):
    """what the user is told about less isolation stands in the status too"""
    done, events = told(rig, "exit", "0", options=["best-effort"], host=MASKED)
    equal(kinds(events), ["started", "exit"], repr(done))
    contains(" ".join(events[0]["notes"]), "best effort")
    done, events = told(rig, "exit", "0", options=["no-isolation"])
    equal(kinds(events), ["started", "exit"], repr(done))
    equal(events[0]["isolated"], False)


@test()
def descriptor(rig):
    """status-fd=N writes to a descriptor, which the tool does not get"""
    reading, writing = os.pipe()
    done = rig.probe("fds", options=[f"status-fd={writing}"], pass_fds=[writing])
    os.close(writing)
    with os.fdopen(reading) as pipe:
        equal(kinds([json.loads(line) for line in pipe]), ["started", "exit"])
    equal(done.text.split(), ["0", "1", "2"])
    for bad in ("x", "", "-1", "999"):
        rig.probe("exit", "3", options=[f"status-fd={bad}"]).failed_by_us()


@test()
def fifo_and_socket(rig):
    """a FIFO may be opened by its reader later; a socket is connected to"""
    fifo = rig.top / "status.fifo"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo, 0o666)
    os.chmod(fifo, 0o666)
    process = rig.start(rig.image, f"--rootlet-status={fifo}", "catch", "15",
                        stdin=-1)
    equal(process.stdout.readline(), b"ready\n")
    with open(fifo) as pipe:
        equal(json.loads(pipe.readline())["event"], "started")
        process.communicate(b"q", 20)
        equal(json.loads(pipe.readline())["event"], "exit")
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        path = rig.top / "status.socket"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, kind)
        listener.bind(str(path))
        os.chmod(path, 0o777)
        if kind != socket.SOCK_DGRAM:
            listener.listen()
        equal(rig.probe("exit", "3", options=[f"status={path}"]).status, 3)
        end = listener if kind == socket.SOCK_DGRAM else listener.accept()[0]
        end.settimeout(10)
        text = b""
        while text.count(b"\n") < 2:
            text += end.recv(65536)
        equal(kinds([json.loads(line) for line in text.splitlines()]), ["started", "exit"])
        listener.close()
    rig.probe("exit", "3", options=[f"status={rig.top}/status.socket"]).failed_by_us(
        "report the status")
    rig.probe("exit", "3", options=[f"status={rig.top}"]).failed_by_us("report the status")


@test()
def reader_that_never_reads(rig):
    """a reader that never reads stalls nothing; what was dropped is marked"""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    with Untouched():
        started = time.monotonic()
        equal(rig.probe("exit", "3", options=[f"status-fd={writing}"], pass_fds=[writing]).status, 3)
        check(time.monotonic() - started < 10, "stalled")
    check(os.get_blocking(writing), "the caller's descriptor was changed")
    process = rig.start(rig.image, f"--rootlet-status-fd={writing}", "catch", "15", stdin=-1,
                        pass_fds=[writing])
    equal(process.stdout.readline(), b"ready\n")
    time.sleep(0.2)  # `started` comes about when the tool does, and is dropped
    os.read(reading, 1 << 20)
    process.communicate(b"q", 20)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        events = [json.loads(line) for line in pipe]
    equal(kinds(events), ["dropped", "exit"])
    equal(events[0]["lines"], 1)


@test()
def reader_that_goes(rig):
    """a reader that is gone harms neither the run nor its exit status"""
    reading, writing = os.pipe()
    os.close(reading)
    done = rig.probe("exit", "3", options=[f"status-fd={writing}"], pass_fds=[writing])
    equal((done.status, done.errors), (3, ""))
    os.close(writing)


@test()
def any_names(rig):
    """names with quotes, line ends and bytes that are no UTF-8 give valid lines"""
    name = b"a \"quoted\"\n\xff\xfe name.AppImage"
    path = Path(os.fsdecode(os.fsencode(rig.top) + b"/" + name))
    image = rig.copy(path.name)
    status = rig.top / "status.json"
    status.unlink(missing_ok=True)
    equal(rig.run(image, f"--rootlet-status={status}", "exit", "3").status, 3)
    first, last = [json.loads(line) for line in status.read_text().splitlines()]
    contains(first["image"], "a \"quoted\"\n\ufffd\ufffd name.AppImage")
    equal(last["code"], 3)
    # A line is never cut: it fits into a pipe whole.
    done, events = told(rig, options=["exec=/" + "\n" * 3000])
    equal((done.status, kinds(events)), (127, ["error"]))


@test()
def through_rootlet_run(rig):
    """rootlet run tells the same"""
    path = rig.top / "status.json"
    path.unlink(missing_ok=True)
    equal(rig.run(rig.rootlet, "run", "--status", path, rig.image, "exit", "3").status, 3)
    equal(kinds([json.loads(line) for line in path.read_text().splitlines()]), ["started", "exit"])


if __name__ == "__main__":
    main()
