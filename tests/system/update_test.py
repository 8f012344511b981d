#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Updates: through Debian's zsync, at once or not at all, never to something
older or somebody else's unasked."""
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, check, contains, equal, main, test, times
from signatures import Keys, replace, sections, write_at


class Server:
    """HTTP on the loopback, with parts of files as zsync asks for them."""

    def __init__(self, directory, parts=True, delay=0.0, changes=None):
        served = self
        self.bytes = 0
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                served.asked.append(self.path)
                file = directory / self.path.split("?")[0].lstrip("/")
                if not file.is_file():
                    self.answer(404, b"", {})
                    return
                data = (changes or {}).get(file.name, file.read_bytes())
                wanted = self.headers.get("Range")
                time.sleep(delay)
                if not wanted or not parts:
                    self.answer(200, data, {})
                    return
                spans = [tuple(map(int, s.split("-"))) for s in wanted[6:].split(",")]
                if len(spans) == 1:
                    first, last = spans[0]
                    self.answer(206, data[first:last + 1],
                                {"Content-Range": f"bytes {first}-{last}/{len(data)}"})
                    return
                body = b"".join(
                    b"\r\n--X\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes "
                    b"%d-%d/%d\r\n\r\n" % (a, b, len(data)) + data[a:b + 1] for a, b in spans)
                self.answer(206, body + b"\r\n--X--\r\n",
                            {"Content-Type": "multipart/byteranges; boundary=X"})

            def answer(self, code, body, headers):
                served.bytes += len(body)
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked was killed

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # whoever asked was killed
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Release:
    """Two versions of a tool, and a directory of a server for them."""

    def __init__(self, rig, name, sign=True):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
        self.rig = rig
        self.keys = Keys(rig, name)
        self.sign = sign
        if sign:
            self.keys.minisign()
        self.www = self.keys.home / "www"
        self.www.mkdir()
        os.chown(self.www, rig.uid, rig.uid)
        self.old = self.keys.home / "tool.AppImage"

    def build(self, version, path, information="", keys=None, name="tool"):
        tree = self.keys.home / "tree"
        if not tree.exists():
            shutil.copytree(WORK / "tree", tree, symlinks=True)
            (tree / "noise").write_bytes(os.urandom(1 << 20))
        (tree / "version").write_text(version * 1000 + "\n")
        words = [self.rig.rootlet, "build", tree, "-q", "--force", "-o", path, "--zsync",
                 "--entry", "/opt/foo/bin/probe", "--tool-version", version, "--name", name,
                 "--comp-level", "3"]
        if information:
            words += ["--update-information", information]
        if self.sign:
            words += ["--sign-key", (keys or self.keys).secret]
        made = subprocess.run([os.fspath(w) for w in words], capture_output=True,
                              env=dict(os.environ, GNUPGHOME="/nonexistent"))
        check(made.returncode == 0, f"build: {made.stderr!r}")
        for file in (path, Path(f"{path}.zsync")):
            os.chown(file, self.rig.uid, self.rig.uid)
        return path

    def install(self, version, information=""):
        self.build(version, self.old, information)
        Path(f"{self.old}.zsync").unlink()
        return self.old.read_bytes()

    def update(self, *words, **keywords):
        return self.keys.rootlet("update", *words, self.old, **keywords)

    def left(self):
        return sorted(p.name for p in self.keys.home.iterdir()
                      if p.name.startswith((".", self.old.name)))


@test()
def over_http(rig):
    """an image updates itself from its zsync URL, fetching what it lacks, and runs on"""
    release = Release(rig, "http")
    with Server(release.www) as server:
        address = f"zsync|{server.url}/tool.AppImage.zsync"
        old = release.install("1.9", address)
        contains(release.keys.must(rig.rootlet, "inspect", release.old).text, "a zsync file at http")
        equal(release.keys.must(release.old, "--appimage-updateinformation").text, address + "\n")
        fresh = release.build("1.10", release.www / "tool.AppImage", address)
        release.old.chmod(0o754)
        (release.keys.home / "tool.AppImage.home").mkdir()
        running = rig.start(release.old, "sleep", "2", env=release.keys.env, cwd=release.keys.home)
        equal(release.update("--check").code, 1)
        equal(release.old.read_bytes(), old)
        server.bytes = 0
        done = release.update()
        equal(done.code, 0, f"{done}; exit status")
        contains(done.errors, "version 1.10, was 1.9")
        equal(release.old.read_bytes(), fresh.read_bytes())
        check(server.bytes < len(old) // 2, f"{server.bytes} of {len(old)} bytes were fetched")
        equal(release.old.stat().st_mode & 0o7777, 0o754)
        equal(release.old.stat().st_uid, rig.uid)
        equal(running.wait(), 0)
        equal(release.update("--check").code, 0)
        contains(release.update().text, "up to date")
        equal(release.left(), ["tool.AppImage", "tool.AppImage.home"])
        equal(release.keys.run(release.old, "exit", "3").code, 3)


@test()
def from_a_path(rig):
    """--from takes a .zsync or an image that lies here; a symlink's target is replaced"""
    release = Release(rig, "path")
    old = release.install("1.0")
    release.update().failed_by_us("no update information", "--from PATH|URL")
    fresh = release.build("1.1", release.www / "tool.AppImage").read_bytes()
    link = release.keys.home / "link"
    link.symlink_to("tool.AppImage")
    done = release.keys.rootlet("update", "-b", "--from", "www/tool.AppImage.zsync", link)
    equal(done.code, 0, f"{done}; exit status")
    check(link.is_symlink(), "the symlink was replaced")
    equal(release.old.read_bytes(), fresh)
    equal((release.keys.home / "tool.AppImage.zs-old").read_bytes(), old)
    replace(release.old, old)
    equal(release.update("--from", "www/tool.AppImage").code, 0)
    equal(release.old.read_bytes(), fresh)
    replace(release.old, old)
    release.update("--from", "www/nothing.zsync").failed_by_us("No such file")
    release.update("--from", "tree/version").failed_by_us("tree/version")
    equal(release.old.read_bytes(), old)


@test(by="user")
def never_back_unasked(rig):
    """an older version, another tool, an older signature: refused unless told"""
    release = Release(rig, "back")
    old = release.install("1.10")
    older = release.build("1.9", release.www / "older.AppImage")
    other = release.build("2.0", release.www / "other.AppImage", name="another")
    release.update("--from", older).failed_by_us("it is older: 1.9 instead of 1.10",
                                                 "--allow-downgrade")
    release.update("--from", other).failed_by_us("another tool")
    again = release.www / "again.AppImage"
    shutil.copy(release.old, again)
    os.chown(again, rig.uid, rig.uid)
    release.keys.must(rig.rootlet, "sign", "-q", "-s", release.keys.secret, again,
                      env={"SOURCE_DATE_EPOCH": "1500000000"})
    release.update("--from", again).failed_by_us("signed before")
    equal(release.old.read_bytes(), old)
    equal(release.left(), ["tool.AppImage"])
    equal(release.update("--allow-downgrade", "--from", older).code, 0)
    equal(release.old.read_bytes(), older.read_bytes())


@test(by="user")
def never_another_key_unasked(rig):
    """another key, no signature, a bad one: refused, the first two unless told"""
    release = Release(rig, "key")
    thief = Keys(rig, "thief").minisign()
    old = release.install("1.0")
    fresh = release.www / "fresh.AppImage"
    release.build("1.1", fresh, keys=thief)
    release.keys.trust(thief.public)  # trusted, and another one all the same
    release.update("--from", fresh).failed_by_us("another key than the old one", "--allow-key-change")
    release.build("1.1", fresh)
    good = fresh.read_bytes()
    release.keys.must(rig.rootlet, "sign", "-q", "--remove", fresh)
    release.update("--from", fresh).failed_by_us("not signed, and the old one is")
    replace(fresh, good[:-1] + bytes([good[-1] ^ 1]))
    release.update("--from", fresh).failed_by_us("its signature is bad", "not those")
    release.update("--allow-key-change", "--from", fresh).failed_by_us("its signature is bad")
    equal(release.old.read_bytes(), old)
    replace(fresh, good)
    release.update("--verify=require", "--from", fresh).failed_by_us("not a key you trust")
    contains(release.update("--verify=warn", "--from", fresh).errors, "not a key you trust")
    equal(release.old.read_bytes(), good)
    replace(release.old, old)
    release.build("1.1", fresh, keys=thief)
    equal(release.update("--allow-key-change", "--from", fresh).code, 0)
    # A signature beside comes along.
    release.keys.trust(release.keys.public, "--name", "own")
    release.sign = False
    release.install("1.0")
    release.build("1.1", fresh)
    release.keys.must("minisign", "-Sm", release.old, "-s", release.keys.secret)
    release.update("--from", fresh).failed_by_us("not signed, and the old one is")
    release.keys.must("minisign", "-Sm", fresh, "-s", release.keys.secret)
    equal(release.update("--from", fresh).code, 0)
    release.keys.must("minisign", "-Vm", release.old, "-p", release.keys.public)


@test(by="user")
def failures_leave_the_old_file(rig):
    """a server that lies, breaks off or is gone: the old file stays, nothing is left"""
    release = Release(rig, "failures")
    fresh = release.build("1.1", release.www / "tool.AppImage").read_bytes()
    control = (release.www / "tool.AppImage.zsync").read_bytes()
    cases = [
        ({"tool.AppImage": fresh[:len(fresh) // 2] + bytes(len(fresh) - len(fresh) // 2)}, "zsync"),
        ({"tool.AppImage": fresh[:len(fresh) // 2]}, "zsync"),
        ({"tool.AppImage.zsync": control[:80]}, "read the zsync file"),
        ({"tool.AppImage.zsync": b"<html>"}, "read the zsync file"),
        ({"tool.AppImage.zsync": re.sub(rb"SHA-1: .*", b"SHA-1: " + b"0" * 40, control)}, "zsync"),
        ({"tool.AppImage.zsync": control.replace(b"URL: tool", b"URL: gone")}, "gone.AppImage"),
        ({"tool.AppImage.zsync": re.sub(rb"URL: .*", b"URL: file:///etc/passwd", control)},
         "not on a server"),
    ]
    old = release.install("1.0")
    for changes, words in cases:
        with Server(release.www, changes=changes) as server:
            done = release.update("--patience", "1", "--from", f"{server.url}/tool.AppImage.zsync")
            done.failed_by_us(words)
            equal(release.old.read_bytes(), old)
            equal(release.left(), ["tool.AppImage"])
    release.update("--from", f"{server.url}/tool.AppImage.zsync").failed_by_us(
        "fetch: http://127.0.0.1", "is the network there?")
    # A server without parts: the whole file.
    with Server(release.www, parts=False) as server:
        done = release.update("--from", f"{server.url}/tool.AppImage.zsync")
        equal(done.code, 0, f"{done}; exit status")
    equal(release.old.read_bytes(), fresh)


@test(by="user", scaled=30)
def killed_at_any_moment(rig):
    """SIGKILL at any moment leaves the old file or the new one, and nothing beside it"""
    release = Release(rig, "killed")
    old = release.install("1.0")
    fresh = release.build("1.1", release.www / "tool.AppImage").read_bytes()
    seen = set()
    with Server(release.www, delay=0.01) as server:
        for i in range(times(30, 6)):
            process = rig.start(rig.rootlet, "update", "-q", "--from",
                                f"{server.url}/tool.AppImage.zsync", release.old,
                                env=release.keys.env, cwd=release.keys.home)
            time.sleep(0.012 * i)
            process.send_signal(signal.SIGKILL)
            process.wait()
            now = release.old.read_bytes()
            check(now in (old, fresh), "half a file")
            seen.add(now == fresh)
            for _ in range(200):
                if release.left() == ["tool.AppImage"]:
                    break
                time.sleep(0.02)
            equal(release.left(), ["tool.AppImage"], f"after {0.012 * i:.3f} s")
            if now == fresh:
                replace(release.old, old)
    check(False in seen, "every update was done before it was killed")


@test(by="user")
def no_room(rig):
    """a full disk is told, before anything is fetched where that can be known"""
    release = Release(rig, "room")
    release.install("1.0")
    release.build("1.1", release.www / "tool.AppImage")
    size = release.old.stat().st_size
    small = rig.top / "small"
    small.mkdir(exist_ok=True)
    image = small / "tool.AppImage"
    for room, words in ((size + (1 << 20), "make room"), (2 * size + (1 << 16), None)):
        host = f"mount -t tmpfs -o size={room},uid={rig.uid},mode=755 none '{small}'; " \
               f"cp -p '{release.old}' '{image}'"
        done = rig.run("sh", "-c", '"$1" update --from "$2" "$3"; s=$?; ls -A "$4" >&3; '
                       'cmp "$3" "$5" && echo same >&3; exit $s',
                       "sh", rig.rootlet, release.www / "tool.AppImage.zsync", image, small,
                       release.old, host="exec 3>&2; " + host, env=release.keys.env, cwd=rig.top)
        if words:
            equal(done.code, 125, f"{done}; exit status")
            contains(done.errors, words)
            contains(done.errors, "same")
        check(".rootlet-update" not in done.errors, f"left behind: {done}")


@test(by="user")
def githubs_releases(rig):
    """gh-releases-zsync asks GitHub's API for the release, and says when it cannot be reached"""
    release = Release(rig, "github")
    with Server(release.www) as server:
        api = {"GITHUB_API_URL": server.url}
        old = release.install("1.0", "gh-releases-zsync|me|tool|latest|tool-*.AppImage.zsync")
        fresh = release.build("1.1", release.www / "tool-1.1.AppImage",
                              "gh-releases-zsync|me|tool|latest|tool-*.AppImage.zsync").read_bytes()
        release.update(env=api).failed_by_us("no such file on that server")
        place = release.www / "repos/me/tool/releases"
        place.mkdir(parents=True)
        asset = {name: f'{{"name":"{name}","browser_download_url":"{server.url}/{name}"}}'
                 for name in ("notes.txt", "tool-1.1.AppImage.zsync")}
        (place / "latest").write_text('{"assets":[' + asset["notes.txt"] + "]}")
        release.update(env=api).failed_by_us("no file like tool-*.AppImage.zsync")
        (place / "latest").write_text('{"assets":[' + ",".join(asset.values()) + "]}")
        equal(release.update(env=api).code, 0)
        equal(release.old.read_bytes(), fresh)
        (place / "latest").write_text("<html>")
        release.update(env=api).failed_by_us("no answer of GitHub's")
        replace(release.old, old)
    release.update(env={"GITHUB_API_URL": server.url}).failed_by_us("is the network there?")


@test(by="user")
def update_information(rig):
    """build writes update information of the known forms, and refuses what nobody reads"""
    release = Release(rig, "information", sign=False)
    build = lambda text: release.keys.rootlet(
        "build", WORK / "tree", "-q", "--force", "-o", "x", "--entry", "/opt/foo/bin/probe",
        "--update-information", text)
    for text, words in (("zsync|ftp://x/y.zsync", "none of http://"), ("zsync", "fields"),
                        ("zsync|http://a|b", "2 fields"), ("bintray-zsync|a|b|c|d", "ended in 2021"),
                        ("gh-releases-zsync|a|b|latest|*.AppImage", "does not end in .zsync"),
                        ("gh-releases-zsync|a||latest|*.zsync", "empty"),
                        ("gh-releases-direct|a|b|latest|*", "does not read this form"),
                        ("zsync|http://x/a b", "blanks"), ("what", "unknown")):
        build(text).failed_by_us(words, "for example zsync|https://")
    for text, words in (("pling-v1-zsync|123|tool-*.zsync", "product 123 of pling.com"),
                        ("gh-releases-zsync|a|b|latest|*.zsync", "github.com/a/b, latest")):
        equal(build(text).code, 0)
        contains(release.keys.must(rig.rootlet, "inspect", "x").text, words)
    data = (release.keys.home / "x").read_bytes()
    replace(release.keys.home / "x", write_at(data, sections(data)[".upd_info"], b"bintray-zsync|a|b|c|d"))
    release.keys.rootlet("update", "x").failed_by_us("ended in 2021", "--from")


@test(by="user")
def one_at_a_time(rig):
    """a second update of a file says that one goes on; what a crash left is swept"""
    release = Release(rig, "twice")
    release.install("1.0")
    fresh = release.build("1.1", release.www / "tool.AppImage").read_bytes()
    rest = release.keys.home / ".rootlet-update-tool.AppImage-0123456789abcdef"
    rest.mkdir()
    (rest / "new.part").write_text("x")
    for path in (rest, rest / "new.part"):
        os.chown(path, rig.uid, rig.uid)
    with Server(release.www, delay=0.5) as server:
        first = rig.start(rig.rootlet, "update", "--from", f"{server.url}/tool.AppImage.zsync",
                          release.old, env=release.keys.env, cwd=release.keys.home)
        for _ in range(200):
            if server.asked:
                break
            time.sleep(0.02)
        release.update("--from", f"{server.url}/tool.AppImage.zsync").failed_by_us("goes on")
        first.communicate()
        equal(first.returncode, 0)
    equal(release.old.read_bytes(), fresh)
    equal(release.left(), ["tool.AppImage"])


if __name__ == "__main__":
    main()
