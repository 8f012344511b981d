#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install, uninstall, list: AppImages in the menus of a user's desktop, in a scratch home."""
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from appimages import DESKTOP, appdir, jar_with, need, oracle, png, squashfs, type_1, type_2
from rig import Skip, check, contains, equal, main, test

ICONS = "usr/share/icons/hicolor"


class Home:
    """A scratch home of this identity, and the tools of a desktop in it."""

    def __init__(self, rig, name="desk", top=None):
        self.rig = rig
        self.top = (top or rig.top) / name
        shutil.rmtree(self.top, ignore_errors=True)
        self.top.mkdir()
        os.chown(self.top, rig.uid, rig.uid)
        self.data = self.top / ".local/share"
        self.env = {"HOME": str(self.top)}

    def rootlet(self, *words, **keywords):
        return self.rig.run(self.rig.rootlet, *words, env=self.env, **keywords)

    def run(self, *words, **keywords):
        return self.rig.run(*words, env=self.env, **keywords)

    def oracle(self, *words):
        return oracle(self.rig, *words, env={**self.env, "XDG_DATA_HOME": str(self.data)})

    def install(self, *words):
        done = self.rootlet("install", *words)
        equal(done.status, 0, repr(done))
        return done

    def entries(self):
        return sorted((self.data / "applications").glob("*.desktop"))

    def entry(self):
        equal(len(self.entries()), 1, f"desktop entries: {self.entries()}")
        return self.entries()[0]

    def list(self):
        return json.loads(self.rootlet("list", "--json").text)

    def tree(self):
        """All names, and what is in the files."""
        found = {}
        for directory, names, files in os.walk(self.top):
            for name in names + files:
                path = Path(directory, name)
                found[str(path.relative_to(self.top))] = (path.read_bytes() if path.is_file()
                                                          else b"")
        return found


def parsed(text):
    """A desktop entry: group, key, value."""
    found, group = {}, None
    for line in text.splitlines():
        if line.startswith("["):
            group = line
        elif "=" in line:
            key, _, value = line.partition("=")
            found[group, key] = value
    return found


def registered(home):
    """What a registration wrote, less the desktop's own caches; entries parsed."""
    names = {}
    for path, data in home.tree().items():
        if "appimagekit_" in path:
            names[path] = parsed(data.decode()) if path.endswith(".desktop") else data
    return names


@test()
def as_libappimage_registers(rig):
    """type 1 and 2: the same names, entries and icons that libappimage's own registration writes"""
    tree = appdir(rig)
    for image in (type_2(rig, tree), type_1(rig, tree), rig.image):
        ours, theirs = Home(rig, "ours"), Home(rig, "theirs")
        ours.install(image)
        theirs.data.mkdir(parents=True)
        subprocess.run(["chown", "-R", str(rig.uid), theirs.top], check=True)
        equal(theirs.oracle("register", image).status, 0, "libappimage")
        one, two = registered(ours), registered(theirs)
        equal(sorted(one), sorted(two), f"names, {image}")
        for name in one:
            if name.endswith(".xml"):  # written anew, the same types
                contains(one[name].decode(), 'type="image/x-foo"')
                contains(one[name].decode(), '<glob pattern="*.foo">')
            else:
                equal(one[name], two[name], name)
        equal(ours.entry().stat().st_mode & 0o111 != 0, True, "an entry of a desktop is executable")


@test()
def libappimage_knows_it(rig):
    """libappimage says that it is registered, and its own unregister removes it"""
    image = type_2(rig, appdir(rig))
    home = Home(rig)
    equal(home.oracle("registered", image).status, 1, "before")
    home.install(image)
    equal(home.oracle("registered", image).status, 0, "installed")
    home.oracle("unregister", image)
    equal(home.entries(), [], "entries after libappimage's unregister")
    # libappimage 1.0.3 skips files where it removes others; that is told, and cleaned.
    check(all(one["state"] == "incomplete" for one in home.list()), str(home.list()))
    equal(home.rootlet("uninstall", "--missing").status, 0)
    equal(registered(home), {}, "after uninstall --missing")
    # And the other way round.
    equal(home.oracle("register", image).status, 0, "libappimage registers")
    equal([(one["name"], one["state"]) for one in home.list()], [("Foo Viewer", "ok")])
    equal(home.rootlet("uninstall", image).status, 0)
    equal(registered(home), {}, "after uninstall")


@test()
def desktops_see_it(rig):
    """the entry is valid; gio and xdg-mime know the type, and who opens it; gio starts the file"""
    need("desktop-file-validate", "gio", "xdg-mime", "update-mime-database",
         "update-desktop-database")
    tree = appdir(rig)
    (tree / "AppRun").write_text("")
    home = Home(rig, f"desk-{rig.identity}", Path("/tmp"))  # xdg-mime cannot bear blanks there
    # Blanks and quotes, as names of files have them. What gio starts is the file itself.
    script = rig.copy("it's a \"$file\".AppImage", type_2(rig, tree).read_bytes())
    home.install(script)
    entry = home.entry()
    done = home.run("desktop-file-validate", entry)
    equal((done.status, done.text), (0, ""), "desktop-file-validate")
    sample = home.top / "sample.foo"
    sample.write_text("FOO1 and more")
    os.chown(sample, rig.uid, rig.uid)
    asked = rig.run("xdg-mime", "query", "filetype", sample,  # without a desktop it asks file(1)
                    env={**home.env, "XDG_CURRENT_DESKTOP": "GNOME"})
    equal(asked.text.strip(), "image/x-foo")
    contains(home.run("gio", "info", "-a", "standard::content-type", sample).text, "image/x-foo")
    equal(home.run("xdg-mime", "query", "default", "image/x-foo").text.strip(), entry.name)
    contains(home.run("gio", "mime", "image/x-foo").text, entry.name)
    trace = rig.run("strace", "-f", "-qq", "-e", "trace=execve", "gio", "launch", entry, sample,
                    env=home.env)
    check(any("file" in line and ".AppImage" in line and str(sample) in line and "= 0" in line
              for line in trace.errors.splitlines()), f"gio launch: {trace}")
    shutil.rmtree(home.top)


@test()
def thumbnails(rig):
    """file managers find thumbnails under the file's URI, with its time, 128 and 256 pixels"""
    image = rig.copy("with blank.AppImage", type_2(rig, appdir(rig)).read_bytes())
    home = Home(rig)
    home.install(image)
    import hashlib
    from urllib.parse import quote
    uri = "file://" + quote(str(image), safe="/")
    name = hashlib.md5(uri.encode()).hexdigest() + ".png"
    for size, directory in ((128, "normal"), (256, "large")):
        data = (home.top / ".cache/thumbnails" / directory / name).read_bytes()
        equal(data[:8], b"\x89PNG\r\n\x1a\n", "a PNG")
        equal(int.from_bytes(data[16:20], "big"), size, "its width")
        check(b"Thumb::URI\0" + uri.encode() in data, f"no URI in {data[:300]}")
        check(b"Thumb::MTime\0%d" % int(image.stat().st_mtime) in data, "no time")
    done = home.run("python3", "-c", "import sys, gi; gi.require_version('GdkPixbuf', '2.0')\n"
                    "from gi.repository import GdkPixbuf as G\nprint(G.Pixbuf.new_from_file("
                    f"{str(home.top / '.cache/thumbnails/large' / name)!r}).get_width())")
    if done.status == 0:
        equal(done.text.strip(), "256", "as GdkPixbuf reads it")


@test()
def nothing_is_left(rig):
    """after uninstall the whole tree of the home is what it was, empty or not"""
    tree = appdir(rig)
    images = [type_2(rig, tree), type_1(rig, tree)]
    for full in (False, True):
        home = Home(rig)
        if full:
            for path, text in ((".local/share/applications/mine.desktop", "[Desktop Entry]\nName=x\n"),
                               (".local/share/icons/hicolor/48x48/apps/mine.png", "x"),
                               (".local/share/rootlet/keys/mine", "x"),
                               (".cache/thumbnails/normal/other.png", "x")):
                (home.top / path).parent.mkdir(parents=True, exist_ok=True)
                (home.top / path).write_text(text)
            (home.data / "mime/packages").mkdir(parents=True)
            (home.data / "icons/empty").mkdir()
            subprocess.run(["chown", "-R", str(rig.uid), home.top], check=True)
        before = home.tree()
        home.install(*images)
        equal(len(home.entries()), 3 if full else 2, "entries")
        for image in images:  # the first leaves what the second needs
            equal(home.rootlet("uninstall", image).status, 0)
        after = home.tree()
        equal(sorted(set(after) ^ set(before)), [], "names")
        equal(after, before, "contents")


@test()
def updated(rig):
    """installing a changed file again brings entry, icons and types up to date; list says it is due"""
    home = Home(rig)
    image = type_2(rig, appdir(rig))
    os.utime(image, (1000, 1000))
    home.install(image)
    first = home.entry()
    equal(home.list()[0]["state"], "ok")
    newer = appdir(rig, files={"foo.desktop": DESKTOP.replace("Foo Viewer", "Bar")
                               .replace("=1.2", "=2.0").replace("Icon=foo", "Icon=bar"),
                               "usr/share/mime/packages/foo.xml": None,
                               f"{ICONS}/64x64/apps/bar.png": png(64)})
    image.write_bytes(type_2(rig, newer, "new").read_bytes())
    later = time.time() + 5
    os.utime(image, (later, later))
    equal(home.list()[0]["state"], "changed")
    contains(home.rootlet("list").errors, "rootlet install FILE")
    os.utime(image, (1000, 1000))
    home.install(image)
    check(not first.exists(), "the old entry is still there")
    equal(parsed(home.entry().read_text())["[Desktop Entry]", "Name"], "Bar (2.0)")
    names = [Path(name).name.partition("_")[2][33:] for name in registered(home) if "/icons/" in name]
    equal(names, ["bar.png"], "icons")
    check(not list(home.data.glob("mime/packages/*")), "the old package is still there")


@test()
def vanished(rig):
    """list tells which files are gone; uninstall takes them by path, by name, or all of them"""
    home = Home(rig)
    tree = appdir(rig)
    one, two = type_2(rig, tree, "one.AppImage"), type_2(rig, tree, "two.AppImage")
    home.install(one, two)
    two.unlink()
    equal(sorted((Path(a["file"]).name, a["state"]) for a in home.list()),
          [("one.AppImage", "ok"), ("two.AppImage", "missing")])
    shown = home.rootlet("list")
    contains(shown.text, "missing")
    contains(shown.errors, "rootlet uninstall --missing")
    home.rootlet("uninstall", "Foo Viewer").failed_by_us("2 files have that name")
    home.rootlet("uninstall", "nobody").failed_by_us("not installed", "rootlet list")
    equal(home.rootlet("uninstall", "--missing").status, 0)
    equal([Path(a["file"]).name for a in home.list()], ["one.AppImage"])
    equal(home.rootlet("uninstall", "Foo Viewer").status, 0)
    equal(home.tree(), {}, "what is left")


@test()
def killed_in_between(rig):
    """an install that was killed is told by list, and removed by uninstall --missing"""
    home = Home(rig)
    image = type_2(rig, appdir(rig))
    # Ended as the desktop entry is to get its name.
    home.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=linkat", "-e",
             "inject=linkat:signal=SIGKILL:when=3", rig.rootlet, "install", image)
    equal([(one["state"], one["file"]) for one in home.list()], [("incomplete", "")])
    equal(home.rootlet("uninstall", "--missing").status, 0)
    equal(registered(home), {}, "what is left")
    home.install(image)
    equal(home.rootlet("uninstall", image).status, 0)
    equal(home.tree(), {}, "what is left")


@test()
def without_unnamed_files(rig):
    """on a file system that knows no files without a name it works as well, and leaves nothing"""
    home = Home(rig)
    image = type_2(rig, appdir(rig))
    done = home.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-P", ".", "-e",
                    "inject=openat:error=EOPNOTSUPP", rig.rootlet, "install", image)
    equal(done.status, 0, repr(done))
    check(not [name for name in home.tree() if name.endswith(".new")], "a half file")
    equal(len(registered(home)), 4, str(sorted(registered(home))))
    equal(home.rootlet("uninstall", image).status, 0)
    equal(home.tree(), {}, "what is left")


@test()
def not_wanted(rig):
    """refused with the reason: no AppImage, no entry, a maker who says no (but for --force)"""
    home = Home(rig)
    install = lambda image: home.rootlet("install", image)
    tree = appdir(rig)
    install(rig.copy("bare", squashfs(rig, tree))).failed_by_us("AppImages only", "squashfs")
    install(type_2(rig, tree, "zero", magic=b"\0\0\0")).failed_by_us("AppImages only")
    jar = jar_with(rig, type_2(rig, tree).read_bytes())
    install(f"{jar}!/tool.AppImage").failed_by_us("a part of another file")
    install(type_2(rig, appdir(rig, files={"foo.desktop": None}))).failed_by_us("desktop entry")
    for key in ("X-AppImage-Integrate=false", "NoDisplay=true"):
        image = type_2(rig, appdir(rig, files={
            "foo.desktop": DESKTOP.replace("Icon=foo", f"Icon=foo\n{key}")}))
        install(image).failed_by_us("not to be integrated", "--force")
        home.install("--force", image)
        equal(home.rootlet("uninstall", image).status, 0)
    install(rig.top / "nothing").failed_by_us("No such file")
    equal(home.tree(), {}, "what is left")


@test()
def executable(rig):
    """a file that was not executable is made so, and the user is told"""
    home = Home(rig)
    image = type_2(rig, appdir(rig))
    image.chmod(0o644)
    contains(home.install(image).errors, "executable now")
    equal(oct(image.stat().st_mode & 0o777), "0o755")


if __name__ == "__main__":
    main()
