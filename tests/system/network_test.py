#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The network of a run: none, the host's, one of its own with a way out, a veth pair."""
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from lab import ADDRESS, HOST, METADATA, PORT, SECRET, WORLD, make_lab
from leftovers import processes
from rig import Untouched, check, contains, equal, main, test

PROGRAMS = {"pasta": None, "slirp4netns": "mount --bind /dev/null /usr/bin/passt"}


def fetch(address, port=PORT):
    return f"/opt/foo/bin/probe tcp-ask {address} {port} x"


def interfaces():
    listed = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout
    return [line.split(":")[1].split("@")[0].strip() for line in listed.splitlines()]


def host_state():
    """What a run must leave as it is: interfaces, addresses, routes, rules, sysctls."""
    shown = [subprocess.run(["ip", *what], capture_output=True, text=True).stdout
             for what in (["-o", "addr"], ["route", "show", "table", "all"], ["rule"])]
    return [*shown, Path("/proc/sys/net/ipv4/ip_forward").read_text()]


class SameHost(Untouched):
    """Nothing is left, and the host's network is as it was."""

    def __enter__(self):
        self.state = host_state()
        return super().__enter__()

    def check(self):
        super().check()
        deadline = time.monotonic() + self.seconds
        while host_state() != self.state and time.monotonic() < deadline:
            time.sleep(0.005)
        equal(host_state(), self.state, "the host's network")


@test()
def out_through_a_program(rig):
    """with net=private TCP, UDP and DNS reach the world, through pasta and through slirp4netns"""
    make_lab()
    for program, host in PROGRAMS.items():
        with SameHost():
            done = rig.shell(f"{fetch(WORLD)}; /opt/foo/bin/probe udp-ask {WORLD} {PORT} question;"
                             "echo; cat /etc/resolv.conf; busybox nslookup -type=a name.test 2>&1;"
                             "cat /etc/hosts", options=["net=private"], host=host)
            contains(done.text, "tcp of the world\n", program)
            contains(done.text, "udp of the world: question", program)
            contains(done.text, ADDRESS, program)
            contains(done.text, "search lab.test", program)
            contains(done.text, "named-by-the-host", program)
            check("127.0.0.53" not in done.text, f"{program}: {done}")
            equal(done.errors, "", program)


@test()
def not_the_hosts_loopback(rig):
    """with net=private neither what listens on the host's loopback nor metadata is reached"""
    make_lab()
    gateways = {"pasta": WORLD, "slirp4netns": "10.0.2.2"}
    for program, host in PROGRAMS.items():
        for address, port in (("127.0.0.1", SECRET), (gateways[program], SECRET), (METADATA, PORT),
                              ("127.0.0.53", 53)):
            done = rig.shell(fetch(address, port) + "; echo ended", options=["net=private"], host=host)
            contains(done.text, "ended", repr(done))
            check("secret" not in done.text and "world" not in done.text,
                  f"{program} reaches {address}:{port}: {done}")
        # The harness can tell: without the rule the same address answers.
    with socket.create_connection((METADATA, PORT), 3) as there:
        equal(there.recv(99), b"tcp of the world\n", "metadata from the host")


@test()
def nobody_comes_in(rig):
    """with net=private a port that the tool opens is open to nobody on the host"""
    make_lab()
    process = rig.start(rig.image, "--rootlet-net=private", "--rootlet-exec=/bin/sh", "-c",
                        "exec /opt/foo/bin/probe listen 7009 inside")
    process.stdout.readline()
    for address in ("127.0.0.1", HOST):
        with socket.socket() as sock:
            equal(sock.connect_ex((address, 7009)), 111, address)  # ECONNREFUSED
    process.kill()
    process.wait()


@test()
def none_and_host(rig):
    """net=none reaches nothing, net=host what the host reaches; each with its files in /etc"""
    make_lab()
    done = rig.shell(f"{fetch(WORLD)}; {fetch('127.0.0.1', SECRET)}; cat /etc/resolv.conf /etc/hosts")
    check("world" not in done.text and "secret" not in done.text and "lab.test" not in done.text
          and "named-by-the-host" not in done.text, repr(done))
    done = rig.shell(f"{fetch(WORLD)}; {fetch('127.0.0.1', SECRET)}; cat /etc/resolv.conf /etc/hosts",
                     options=["net=host"])
    for part in ("tcp of the world", "secret", "nameserver 127.0.0.53", "named-by-the-host"):
        contains(done.text, part)


@test()
def own_names_win(rig):
    """with net=private an image's own nsswitch.conf stays, and resolv.conf cannot be written"""
    make_lab()
    done = rig.shell("echo x > /etc/resolv.conf; echo x > /etc/hosts; echo done",
                     options=["net=private"])
    equal(done.text, "done\n")
    equal(done.errors.count("Read-only"), 2, repr(done))


@test()
def the_program_goes_with_the_run(rig):
    """killed at any moment, launcher or connecting program, a connected run leaves nothing"""
    make_lab()
    for host in PROGRAMS.values():
        with SameHost():
            for i in range(12):
                process = rig.start(rig.image, "--rootlet-net=private", "--rootlet-exec=/bin/sleep",
                                    "20", host=host)
                time.sleep(0.004 * i)
                process.kill()
                process.wait()
            process = rig.start(rig.image, "--rootlet-net=private", "--rootlet-exec=/bin/sh", "-c",
                                "echo ready; sleep 20", host=host)
            process.stdout.readline()
            helpers = [p for p, c in processes().items() if "pass" in c or "slirp" in c]
            check(helpers, f"no helper: {processes()}")
            for pid in helpers:
                os.kill(pid, signal.SIGKILL)
            process.terminate()
            process.wait()


@test()
def ends_as_the_tool_ends(rig):
    """a connected run ends with the tool's status, at once, and with its signal"""
    make_lab()
    with SameHost():
        started = time.monotonic()
        equal(rig.probe("exit", "7", options=["net=private"]).status, 7)
        check(time.monotonic() - started < 3, "it took too long")
        equal(rig.probe("die", "15", options=["net=private"]).status, -15)


@test()
def without_a_program(rig):
    """net=private without pasta and slirp4netns is refused, and the packages are named"""
    make_lab()
    rig.shell("echo ran", options=["net=private"],
              host="for p in passt slirp4netns; do mount --bind /dev/null /usr/bin/$p; done"
              ).failed_by_us("pasta", "slirp4netns", "passt")


@test()
def without_tun(rig):
    """net=private where /dev/net/tun is closed is refused, and the device is named"""
    make_lab()
    for host in PROGRAMS.values():
        hosts = (host + "\n" if host else "") + "mount --bind /dev/null /dev/net/tun"
        rig.shell("echo ran", options=["net=private"], host=hosts).failed_by_us(
            "connect the network namespace")


@test()
def bad_values(rig):
    """what cannot be is refused by name, and nothing is started"""
    rig.probe("exit", "0", options=["net=some"]).failed_by_us("none|host|private")
    rig.probe("exit", "0", options=["veth=a b"]).failed_by_us("--rootlet-veth")
    rig.probe("exit", "0", options=["veth=0123456789abcdef"]).failed_by_us("--rootlet-veth")
    rig.probe("exit", "0", options=["veth=x", "net=host"]).failed_by_us("--rootlet-veth")
    if not rig.root:
        rig.probe("exit", "0", options=["veth=x"]).failed_by_us("only root", "net=private")


@test(by="root")
def veth_both_ways(rig):
    """veth: TCP and UDP both ways between host and run; only the pair is new on the host"""
    make_lab()
    before = host_state()
    with SameHost():
        process = rig.start(rig.image, "--rootlet-veth=lab-veth", "--rootlet-exec=/bin/sh", "-c",
                            "ip -o -4 addr show eth0; ip route; echo ready; read port;"
                            "probe=/opt/foo/bin/probe; $probe listen 7009 inside;"
                            "read x; $probe tcp-ask $x 7010 sent; $probe udp-ask $x 7011 asked; read x",
                            stdin=subprocess.PIPE)
        address, gateway = "", ""
        for line in iter(process.stdout.readline, b""):
            if b"inet" in line:
                address = line.decode().split("inet ")[1].split("/")[0]
            if line.startswith(b"default via"):
                gateway = line.decode().split()[2]
            if line == b"ready\n":
                break
        check(address.startswith("198.") and gateway.startswith("198."), f"{address} {gateway}")
        contains(subprocess.run(["ip", "-o", "-4", "addr", "show", "lab-veth"], capture_output=True,
                                text=True).stdout, f"{gateway}/30")
        after = host_state()
        equal(after[2:], before[2:], "rules and sysctls")
        new = set(after[0].splitlines() + after[1].splitlines()) - set(
            before[0].splitlines() + before[1].splitlines())
        check(all("lab-veth" in line for line in new), f"changed on the host: {new}")
        tcp = socket.create_server((gateway, 7010))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((gateway, 7011))
        tcp.settimeout(5), udp.settimeout(5)
        process.stdin.write(b"\n"), process.stdin.flush()
        equal(process.stdout.readline(), b"listens\n")
        with socket.create_connection((address, 7009), 3) as there:
            equal(there.recv(99), b"inside")
        process.stdin.write(f"{gateway}\n".encode()), process.stdin.flush()
        connection, _ = tcp.accept()
        equal(connection.recv(99), b"sent")
        connection.sendall(b"tcp answer")
        connection.close()
        question, sender = udp.recvfrom(99)
        equal((question, sender[0]), (b"asked", address))
        udp.sendto(b"answer", sender)
        tcp.close(), udp.close()
        equal(process.stdout.readline(), b"tcp answer\n")
        equal(process.stdout.readline(), b"answer\n")
        process.stdin.write(b"\n"), process.stdin.close()
        equal(process.wait(timeout=10), 0, process.stderr.read())


@test(by="root")
def veth_goes_with_the_run(rig):
    """a killed run with veth leaves no interface, no address and no route; nor a failed one"""
    make_lab()
    with SameHost():
        for i in range(15):
            process = rig.start(rig.image, "--rootlet-veth=lab-veth", "--rootlet-exec=/bin/sleep", "20")
            time.sleep(0.003 * i)
            process.kill()
            process.wait()
            deadline = time.monotonic() + 2
            while "lab-veth" in interfaces() and time.monotonic() < deadline:
                time.sleep(0.005)
            check("lab-veth" not in interfaces(), "the interface stays")
    with SameHost():
        rig.probe("exit", "0", options=["veth=h0"]).failed_by_us("veth=h0", "EEXIST")


@test(by="root")
def veth_keeps_metadata_away(rig):
    """through veth metadata is out of reach, even where the host forwards"""
    make_lab()
    done = rig.shell("ip rule 2>/dev/null; " + fetch(METADATA) + "; echo ended", options=["veth=lab-veth"])
    contains(done.text, "ended")
    check("world" not in done.text, repr(done))


@test()
def the_plan_tells(rig):
    """dry-run says through what a run is connected"""
    make_lab()
    contains(rig.probe("exit", "0", options=["dry-run", "net=private"]).text,
             "network: private, through /usr/bin/pasta\n")


if __name__ == "__main__":
    main()
