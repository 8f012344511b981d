#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs with windows, ours and others': X11, Wayland and D-Bus with `gui`, and with it alone.
The X server is Xvfb; what it shows is read from its frame buffer."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from leftovers import OURS
from rig import Skip, WORK, check, contains, equal, main, test

WIDTH, HEIGHT = 320, 240
RED, BLUE, BLACK = 0xFF0000, 0x0000FF, 0

# A window of its own place and colours, without any toolkit: what is seen is what was drawn.
WINDOW = r"""
#include <X11/Xlib.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  Display* display = XOpenDisplay(NULL);
  if (display == NULL) return fputs("no display\n", stderr), 3;
  XSetWindowAttributes attributes = {.override_redirect = True, .background_pixel = 0xFF0000};
  Window window = XCreateWindow(display, DefaultRootWindow(display), 40, 30, 200, 120, 0,
                                CopyFromParent, InputOutput, CopyFromParent,
                                CWOverrideRedirect | CWBackPixel, &attributes);
  XSelectInput(display, window, ExposureMask);
  XMapRaised(display, window);
  for (XEvent event;;) {
    XNextEvent(display, &event);
    if (event.type != Expose) continue;
    GC pen = XCreateGC(display, window, 0, NULL);
    XSetForeground(display, pen, 0x0000FF);
    XFillRectangle(display, window, pen, 50, 20, 60, 40);
    XSync(display, False);
    puts("drawn");
    fflush(stdout);
    char end;
    return read(0, &end, 1) == 1 ? 7 : 8;
  }
}
"""

# Connects to a socket and says what it was told there.
TALK = r"""
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char said[64] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, argv[i], sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr*)&address, sizeof address) == 0) read(fd, said, sizeof said - 1);
    else strcpy(said, "refused");
    puts(said);
  }
}
"""


def compiled(rig, name, source, *libraries):
    program = rig.top / name
    if not program.exists():
        (rig.top / f"{name}.c").write_text(source)
        made = subprocess.run(["gcc", "-o", program, rig.top / f"{name}.c", *libraries],
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise Skip(f"{name} cannot be built (libx11-dev): {made.stderr.splitlines()[0]}")
    return program


def foreign(rig):
    """Somebody's AppImage with a window: dynamic, with the host's libX11, behind another runtime."""
    image = rig.top / "window.AppImage"
    if image.exists():
        return image
    for need in ("mksquashfs", "Xvfb"):
        if shutil.which(need) is None:
            raise Skip(f"no {need} here: scripts/setup installs it")
    tree = rig.top / "window AppDir"
    (tree / "usr/bin").mkdir(parents=True)
    shutil.copy(compiled(rig, "window", WINDOW, "-lX11"), tree / "usr/bin/window")
    shutil.copy(compiled(rig, "talk", TALK), tree / "usr/bin/talk")
    (tree / "AppRun").write_text('#!/bin/sh\nprogram=${1:-window}; [ $# -eq 0 ] || shift\n'
                                 'exec "$APPDIR/usr/bin/$program" "$@"\n')
    (tree / "AppRun").chmod(0o755)
    (tree / "window.desktop").write_text("[Desktop Entry]\nName=window\n")
    (rig.top / "runtime.c").write_text("int main(void) { return 99; }\n")
    subprocess.run(["gcc", "-static", "-s", "-o", rig.top / "foreign runtime", rig.top / "runtime.c"],
                   check=True)
    subprocess.run(["mksquashfs", tree, rig.top / "window.squashfs", "-noappend", "-all-root",
                    "-quiet"], check=True, stdout=subprocess.DEVNULL)
    head = bytearray((rig.top / "foreign runtime").read_bytes())
    head[8:11] = b"AI\2"
    image.write_bytes(bytes(head) + (rig.top / "window.squashfs").read_bytes())
    return image


def own(rig):
    """The same window in a root of its own, with all libraries that it needs."""
    image = rig.top / "own window.AppImage"
    if image.exists():
        return image
    foreign(rig)  # or why not
    tree = rig.top / "own window tree"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", WORK / "tree", tree], check=True)
    for program in ("window", "talk"):
        (tree / "usr/bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(rig.top / program, tree / "usr/bin" / program)
    listing = subprocess.run(["ldd", rig.top / "window"], capture_output=True, text=True, check=True)
    for word in listing.stdout.split():
        if not word.startswith("/"):
            continue
        place = tree / word.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(word), place)
    return rig.build(tree, image.name, "--entry", "/usr/bin/window")


class Screen:
    """An X server that asks for a cookie, with its frame buffer in a file."""

    def __init__(self, rig):
        self.directory = rig.top / "screen"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        os.chown(self.directory, rig.uid, rig.uid)
        cookie = os.urandom(16)
        parts = (b"", b"", b"MIT-MAGIC-COOKIE-1", cookie)
        entry = struct.pack(">H", 0xFFFF) + b"".join(struct.pack(">H", len(p)) + p for p in parts)
        self.authority = rig.home / ".Xauthority"
        self.authority.write_bytes(entry)
        os.chown(self.authority, rig.uid, rig.uid)
        Path("/tmp/.X11-unix").mkdir(exist_ok=True)
        Path("/tmp/.X11-unix").chmod(0o1777)
        told, tell = os.pipe()
        self.server = rig.start("Xvfb", "-displayfd", str(tell), "-screen", "0",
                                f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset", "-fbdir", self.directory,
                                "-auth", self.authority, pass_fds=[tell], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        OURS.add(self.server.pid)
        os.close(tell)
        with os.fdopen(told) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise Skip("Xvfb does not start here")
        self.display = f":{number}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(20)
        OURS.discard(self.server.pid)

    def pixels(self):
        """Rows of 0xRRGGBB, as xwd(1) files have them (XWDFile.h)."""
        content = (self.directory / "Xvfb_screen0").read_bytes()
        head = struct.unpack_from(">25I", content)
        size, bits, line, colours = head[0], head[11], head[12], head[19]
        equal(bits, 32, "bits of a pixel")
        order = "<" if head[7] == 0 else ">"
        start = size + 12 * colours
        return [[pixel & 0xFFFFFF for pixel in
                 struct.unpack_from(f"{order}{WIDTH}I", content, start + line * y)]
                for y in range(HEIGHT)]


def drawn():
    """What the window and the empty screen around it look like."""
    def colour(x, y):
        if 90 <= x < 150 and 50 <= y < 90:
            return BLUE
        return RED if 40 <= x < 240 and 30 <= y < 150 else BLACK
    return [[colour(x, y) for x in range(WIDTH)] for y in range(HEIGHT)]


def shows(screen, wanted, seconds=10):
    deadline = time.monotonic() + seconds
    while screen.pixels() != wanted:
        if time.monotonic() > deadline:
            found = screen.pixels()
            differ = [(x, y) for y in range(HEIGHT) for x in range(WIDTH)
                      if found[y][x] != wanted[y][x]]
            check(False, f"{len(differ)} pixels differ, the first at {differ[0]}")
        time.sleep(0.02)


EMPTY = [[BLACK] * WIDTH for _ in range(HEIGHT)]


def window_of(rig, image):
    with Screen(rig) as screen:
        variables = {"DISPLAY": screen.display, "XAUTHORITY": None}
        shows(screen, EMPTY)
        refused = rig.run(rig.rootlet, "run", image, env=variables)
        equal((refused.status, refused.errors), (3, "no display\n"), "without gui")
        # It listens under an abstract name too, of the host's network (Landlock keeps it out from 6.12 on).
        if tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 12):
            refused = rig.run(rig.rootlet, "run", "--net=host", image, env=variables)
            equal((refused.status, refused.errors), (3, "no display\n"), "with net=host alone")
        run = rig.start(rig.rootlet, "run", "--gui", image, env=variables, stdin=subprocess.PIPE)
        equal(run.stdout.readline(), b"drawn\n", "with gui")
        shows(screen, drawn())
        _, errors = run.communicate(b"\n", timeout=20)
        equal((run.returncode, errors), (7, b""))
        shows(screen, EMPTY)
        # The display is reached, but not without the cookie.
        done = rig.run(rig.rootlet, "run", "--gui", image, env={**variables, "XAUTHORITY": "/dev/null"})
        equal(done.status, 3, repr(done))


@test()
def window_of_a_foreign_image(rig):
    """somebody's AppImage shows its window, pixel by pixel, with gui; without it has no display"""
    window_of(rig, foreign(rig))


@test()
def window_of_our_image(rig):
    """a packed tool with libraries of its own shows its window with gui, and not without"""
    window_of(rig, own(rig))


class Answering:
    """Stands for a compositor or a bus: says its name to whoever connects."""

    def __init__(self, path, owner):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        os.chown(path, owner, owner)
        self.listener.listen()
        self.name = path.name.encode()
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            connection, _ = self.listener.accept()
            connection.sendall(self.name)
            connection.close()


@test()
def wayland_and_bus(rig):
    """Wayland and the session bus are reached with gui alone, and nothing else of the runtime directory"""
    foreign(rig)
    runtime = rig.top / "r"  # a socket's name is short
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.mkdir(mode=0o700)
    os.chown(runtime, rig.uid, rig.uid)
    paths = [runtime / name for name in ("wayland-0", "bus", "secrets")]
    for path in paths:
        Answering(path, rig.uid)
    variables = {"XDG_RUNTIME_DIR": str(runtime), "WAYLAND_DISPLAY": "wayland-0", "DISPLAY": None}
    talk = ["talk", *map(str, paths)]
    for image, words in ((foreign(rig), ["run"]), (own(rig), ["exec"])):
        program = [] if words == ["run"] else ["/usr/bin/talk"]
        arguments = talk if words == ["run"] else [*program, *talk[1:]]
        done = rig.run(rig.rootlet, *words, image, *arguments, env=variables)
        equal(done.text, "refused\n" * 3, f"without gui: {done}")
        done = rig.run(rig.rootlet, *words, "--gui", image, *arguments, env=variables)
        equal(done.text, "wayland-0\nbus\nrefused\n", f"with gui: {done}")
        for more in ({"DBUS_SESSION_BUS_ADDRESS": f"unix:path={paths[1]},guid=1"},
                     {"WAYLAND_DISPLAY": str(paths[0])}):
            done = rig.run(rig.rootlet, *words, "--gui", image, *arguments, env={**variables, **more})
            equal(done.text, "wayland-0\nbus\nrefused\n", f"{more}: {done}")


@test()
def nothing_to_show(rig):
    """gui where there is no desktop is refused, with what to set"""
    rig.run(rig.image, "--rootlet-gui", env={"DISPLAY": None}).failed_by_us(
        "gui", "no socket of X11, Wayland or a session bus", "hint: set DISPLAY")


if __name__ == "__main__":
    main()
