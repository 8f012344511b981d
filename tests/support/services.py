# SPDX-License-Identifier: MIT
"""Services of the host that listen on UNIX sockets, and who tries to reach them."""
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

# Run inside: one word for each path, "reached" or the error.
CALL = """
import errno, os, socket, sys
for path in sys.argv[1:]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(socket.AF_UNIX, kind)
        try:
            os.chdir(os.path.dirname(path) or "/")
            s.connect(os.path.basename(path))
            print("reached")
            break
        except OSError as e:
            if e.errno != errno.EPROTOTYPE:
                print(errno.errorcode[e.errno])
                break
"""


def call(paths):
    """The words of a command that tries to reach these sockets."""
    return ["/usr/bin/python3", "-c", CALL, *map(str, paths)]


@contextlib.contextmanager
def listening(*paths, kind=socket.SOCK_STREAM):
    """Services of any user's at these paths."""
    sockets = []
    here = os.getcwd()
    try:
        for path in map(Path, paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            service = socket.socket(socket.AF_UNIX, kind)
            service.bind(str(path))
            os.chmod(path, 0o666)
            if kind == socket.SOCK_STREAM:
                service.listen(64)
            sockets.append(service)
        yield
    finally:
        os.chdir(here)
        for service in sockets:
            service.close()
        for path in map(Path, paths):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def listening_elsewhere(path):
    """A service in a network namespace of its own."""
    code = ("import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
            "os.chmod(sys.argv[1], 0o666); s.listen(8); print('ready', flush=True);"
            "sys.stdin.read()")
    service = subprocess.Popen(["unshare", "--net", sys.executable, "-c", code, str(path)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        service.stdout.readline()
        yield
    finally:
        service.stdin.close()
        service.wait(10)
        Path(path).unlink(missing_ok=True)
