# SPDX-License-Identifier: MIT
"""A host and a world for tests of the network: two network namespaces of the
tests' own, connected by a veth pair. Never the machine's own network.

The tests' process is in the host's; a child that answers to TCP, UDP and DNS
is in the world's. The host's default route leads there.
"""
import ctypes
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
from pathlib import Path

from leftovers import OURS
from place import MS_BIND, WORK, mount
from promises import Skip

HOST, WORLD, METADATA = "10.99.0.1", "10.99.0.2", "169.254.169.254"
PORT, SECRET = 7001, 7002  # the world's service; the host's on its loopback alone
ADDRESS = "10.99.0.77"  # what DNS answers for every name

_made = []


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def serve_tcp(address, port, answer):
    listener = socket.create_server((address, port))

    def loop():
        while True:
            connection, _ = listener.accept()
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)  # closed with something unread it would be a reset
            try:
                while connection.recv(64):
                    pass
            except OSError:
                pass
            connection.close()
    threading.Thread(target=loop, daemon=True).start()


def serve_udp(address, port, answer):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))

    def loop():
        while True:
            question, sender = sock.recvfrom(2048)
            sock.sendto(answer(question), sender)
    threading.Thread(target=loop, daemon=True).start()


def dns_answer(question):
    """ADDRESS for every name, whatever was asked."""
    head = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    asked = question[12:question.index(b"\0", 12) + 5]
    if asked[-4:-2] != b"\0\1":  # not A: no answer
        return question[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + asked
    return head + asked + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(ADDRESS)


def world(ready, go):
    """The other side of the default route."""
    ctypes.CDLL(None).unshare(0x40000000)  # CLONE_NEWNET
    os.write(ready, b"x")
    os.read(go, 1)
    ip("link", "set", "lo", "up")
    ip("addr", "add", METADATA + "/32", "dev", "lo")
    ip("addr", "add", WORLD + "/24", "dev", "w0")
    ip("link", "set", "w0", "up")
    for address in (WORLD, METADATA):
        serve_tcp(address, PORT, b"tcp of the world\n")
    serve_udp(WORLD, PORT, lambda question: b"udp of the world: " + question)
    serve_udp(WORLD, 53, dns_answer)
    os.write(ready, b"x")
    signal.pause()


def make_lab():
    """Once; later calls do nothing. The tests' process then lives in it."""
    if _made:
        return
    for program in ("ip", "pasta", "slirp4netns"):
        if not shutil.which(program):
            raise Skip(f"no {program} here: scripts/setup installs iproute2, passt, slirp4netns")
    if "tun" not in Path("/proc/misc").read_text():
        raise Skip("this kernel has no tun device")
    if ctypes.CDLL(None).unshare(0x40000000) != 0:
        raise Skip("no network namespace can be made here")
    ready, to_ready = os.pipe()
    go, to_go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            world(to_ready, go)
        finally:
            os._exit(1)
    os.read(ready, 1)
    ip("link", "set", "lo", "up")
    ip("link", "add", "h0", "type", "veth", "peer", "name", "w0", "netns", str(child))
    ip("addr", "add", HOST + "/24", "dev", "h0")
    ip("link", "set", "h0", "up")
    os.write(to_go, b"x")
    os.read(ready, 1)
    ip("route", "add", "default", "via", WORLD)
    serve_tcp("127.0.0.1", SECRET, b"secret\n")
    serve_udp("127.0.0.53", 53, dns_answer)
    make_tun()
    for name, text in (("resolv.conf", f"search lab.test\nnameserver 127.0.0.53\n"),
                       ("hosts", "10.1.2.3 named-by-the-host\n")):
        (WORK / name).write_text(text)
        mount(str(WORK / name), f"/etc/{name}", None, MS_BIND)
    _made.append(child)
    OURS.add(child)


def make_tun():
    """Open to everyone, as udev makes it; the machine's own stays as it is."""
    node = WORK / "tun"
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(10, 200))
    node.chmod(0o666)
    if not Path("/dev/net/tun").exists():
        raise Skip("no /dev/net/tun here to be covered")
    mount(str(node), "/dev/net/tun", None, MS_BIND)

