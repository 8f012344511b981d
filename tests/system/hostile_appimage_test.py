#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""AppImages that were made to do harm to who looks at them or installs them."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from appimages import DESKTOP, MIME, SVG, appdir, png, runtime, squashfs, type_1, type_2
from install_test import Home, parsed, registered
from rig import _tests, check, contains, equal, main, test, times

_tests.clear()  # those of install_test
ICONS = "usr/share/icons/hicolor"
MAIN = "[Desktop Entry]"


def entry_of(home, image):
    done = home.install(image)
    found = parsed(home.entry().read_text())
    return found, done.errors


def exec_line(rig, home, value, extra=""):
    image = type_2(rig, appdir(rig, files={
        "foo.desktop": DESKTOP.replace("Exec=fooview %F", f"Exec={value}").replace(
            "Icon=foo", f"Icon=foo\n{extra}" if extra else "Icon=foo")}))
    found, said = entry_of(home, image)
    return str(image), found, said


@test(by="user")
def exec_tricks(rig):
    """whatever Exec says, only the file itself is started, with words that nothing else interprets"""
    home = Home(rig)
    for value, rest in ((r'sh -c "rm -rf ~"', r' -c "rm -rf ~"'),
                        ("fooview; rm -rf /", ' rm -rf /'),
                        ("fooview `id` $(id) | tee x > y",
                         r' "\\`id\\`" "\\$(id)" "|" tee x ">" y'),
                        ('"fooview" %u --x=%f %%', ' %u --x=%f %%')):
        path, found, _ = exec_line(rig, home, value)
        equal(found[MAIN, "Exec"].replace(path, "FILE", 1).replace('"FILE"', "FILE"),
              "FILE" + rest, value)
        equal(found[MAIN, "TryExec"], path)
    for value, why in ((r"fooview a\nExec=evil", "control character"),
                       ('fooview "open', "a quote that does not end"),
                       ("fooview %z", "an unknown field code")):
        path, found, said = exec_line(rig, home, value)
        check("evil" not in found[MAIN, "Exec"] and "open" not in found[MAIN, "Exec"], str(found))
        contains(said, why)


@test()
def entry_tricks(rig):
    """second values, other groups, keys that start other things, and no UTF-8 are left out and told"""
    home = Home(rig)
    extra = ("Exec=evil\nDBusActivatable=true\nX-KDE-SubstituteUID=true\nURL=http://evil\n"
             "Hidden=true\nX-Evil=a\x07b\nno line\nb\xc3d=1")
    text = DESKTOP + ("\n[Desktop Entry]\nExec=evil2\n\n[Desktop Action Other]\nName=o\n"
                      "Exec=evil3\n\n[X-Group]\nExec=evil4\n")
    text = text.replace("Icon=foo", "Icon=foo\n" + extra)
    image = type_2(rig, appdir(rig, files={"foo.desktop": text}))
    found, said = entry_of(home, image)
    whole = home.entry().read_text()
    check("evil" not in whole.lower(), whole)
    for key in ("DBusActivatable", "X-KDE-SubstituteUID", "Hidden", "URL"):
        check(key not in whole, whole)
        contains(said, key + " is left out")
    contains(said, "said twice")
    for group in ("Desktop Action Other", "X-Group"):
        contains(said, f"[{group}] is left out")
    image = type_2(rig, appdir(rig, files={"foo.desktop": DESKTOP.encode() + b"Comment=\xff\xfe\n"}))
    home.rootlet("install", image).failed_by_us("no UTF-8")
    image = type_2(rig, appdir(rig, files={"foo.desktop": DESKTOP + "#" * 300000}))
    home.rootlet("install", image).failed_by_us("desktop entry")
    for wrong, why in (("Type=Link\nURL=x", "no application"), ("Type=Directory", "no application")):
        image = type_2(rig, appdir(rig, files={
            "foo.desktop": DESKTOP.replace("Type=Application", wrong)}))
        home.rootlet("install", image).failed_by_us(why)


@test()
def names_that_climb(rig):
    """names with .. and / end in the directories they belong to, or nowhere"""
    home = Home(rig)
    text = DESKTOP.replace("Name=Foo Viewer", "Name=../../../evil/x")
    image = type_2(rig, appdir(rig, files={"foo.desktop": text,
                                           f"{ICONS}/we ird/apps/foo.png": png(16),
                                           f"{ICONS}/1/2/3/4/5/6/7/foo.png": png(16)}))
    found, said = entry_of(home, image)
    equal(home.entry().name.partition("-")[2], ".._.._.._evil_x.desktop")
    contains(said, "no place for an icon")
    for path in registered(home):
        check(".." not in Path(path).parent.parts and "we ird" not in path, path)
    for icon, why in (("../../evil", "a path"), ("/etc/passwd", "a path")):
        image = type_2(rig, appdir(rig, files={
            "foo.desktop": DESKTOP.replace("Icon=foo", f"Icon={icon}")}))
        home.rootlet("install", image).failed_by_us(why)


@test()
def icons_that_lead_out(rig):
    """icons that are links out of the image show nothing of the host"""
    home = Home(rig)
    secret = rig.home / "secret.png"
    secret.write_bytes(png(32))
    image = type_2(rig, appdir(rig, links={
        ".DirIcon": "../" * 20 + str(secret).lstrip("/"), f"{ICONS}/16x16/apps/foo.png": str(secret),
        f"{ICONS}/24x24/apps/foo.png": "foo.png", f"{ICONS}/32x32/apps/foo.png": "../../128x128/apps/foo.png"}))
    done = home.install(image)
    icons = {Path(path).parts[-3]: data for path, data in registered(home).items() if "/icons/" in path}
    equal(sorted(icons), ["128x128", "32x32", "scalable"], "icons")
    equal(icons["32x32"], icons["128x128"], "a link inside of the image")
    contains(done.errors, "a link to nothing in the image")
    rig.run(rig.rootlet, "cat", image, ".DirIcon").failed_by_us("not in the image")
    secret.unlink()


@test(by="user")
def pictures_that_explode(rig):
    """a picture of a gigabyte, bombs of SVG and PNG, and files that are none: left out, in seconds"""
    home = Home(rig)
    uses = "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 30))
    bomb = ('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><g id="a0">'
            f'<rect width="1" height="1"/></g>{uses}</defs><use href="#a29"/></svg>')
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{entities}]><svg xmlns="http://www.w3.org/2000/svg"><text>&e9;</text></svg>'
    deep = '<svg xmlns="http://www.w3.org/2000/svg">' + "<g>" * 300000 + "</g>" * 300000 + "</svg>"
    huge = bytearray(png(16))
    huge[16:24] = (50000).to_bytes(4, "big") * 2
    outside = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
               'width="9" height="9"><image width="9" height="9" xlink:href="file:///etc/passwd"/></svg>')
    tree = appdir(rig, files={f"{ICONS}/scalable/apps/foo-bomb.svg": bomb,
                              f"{ICONS}/scalable/apps/foo-laughs.svg": laughs,
                              f"{ICONS}/scalable/apps/foo-deep.svg": deep,
                              f"{ICONS}/scalable/apps/foo-out.svg": outside,
                              f"{ICONS}/64x64/apps/foo.png": bytes(huge),
                              f"{ICONS}/48x48/apps/foo.png": b"no picture",
                              f"{ICONS}/40x40/apps/foo.png": SVG,
                              f"{ICONS}/96x96/apps/foo.png": b""})
    with open(tree / f"{ICONS}/96x96/apps/foo.png", "wb") as file:
        file.write(png(96))
        file.truncate(1 << 30)
    started = time.monotonic()
    done = home.install(type_2(rig, tree))
    icons = sorted(Path(path).name[45:] for path in registered(home) if "/icons/" in path)
    equal(icons, ["foo-out.svg", "foo.png", "foo.svg"], f"icons: {done.errors}")
    for part in ("foo-bomb.svg: ", "foo-laughs.svg: ", "foo-deep.svg: ", "64x64/apps/foo.png: a PNG of more",
                 "48x48/apps/foo.png: neither", "40x40/apps/foo.png: it is svg by another name",
                 "96x96/apps/foo.png: larger than"):
        contains(done.errors, part)
    check(time.monotonic() - started < 90, "it took too long")


@test()
def types_that_take_all(rig):
    """a MIME package cannot take files of others away: catch-alls, deletions, heavy weights, entities"""
    home = Home(rig)
    package = MIME.replace('<glob pattern="*.foo"/>', '<glob pattern="*.foo" weight="100"/>'
                           '<glob pattern="*"/><glob-deleteall/><evil a="b">x</evil>'
                           '<comment onclick="x">&lt;b&gt;</comment>')
    package = package.replace("</mime-info>", '<mime-type type="../../evil"><glob pattern="*.e"/>'
                              "</mime-type></mime-info>")
    tree = appdir(rig, files={"usr/share/mime/packages/foo.xml": package,
                              "usr/share/mime/packages/bad.xml": "<mime-info><mime-type",
                              "usr/share/mime/packages/ent.xml": "<!DOCTYPE m [<!ENTITY x SYSTEM "
                              '"file:///etc/passwd">]><mime-info xmlns="u"><mime-type type="a/b">'
                              "<comment>&x;</comment></mime-type></mime-info>"})
    done = home.install(type_2(rig, tree))
    packages = {Path(path).name[45:]: data.decode() for path, data in registered(home).items()
                if path.endswith(".xml")}
    equal(sorted(packages), ["foo.xml"], "packages")
    text = packages["foo.xml"]
    for bad in ('pattern="*"', "deleteall", "evil", "onclick", 'weight="100"', "<b>"):
        check(bad not in text, f"{bad} in {text}")
    contains(text, 'weight="50"')
    for part in ("matches anything", "glob-deleteall", "type of no sound form", "bad.xml: ", "ent.xml: "):
        contains(done.errors, part)


@test(by="user")
def images_that_loop(rig):
    """an ISO whose directory holds itself, links in circles: an end, with a reason"""
    tree = appdir(rig, files={"a/b/c": "x"})
    data = bytearray(type_1(rig, tree).read_bytes())
    # The extent of /a/b becomes that of /a: both records of it, little and big endian.
    root = int.from_bytes(data[0x8000 + 158:0x8000 + 162], "little") * 2048
    record = lambda at, name: data.index(bytes([len(name)]) + name, at) - 32
    a = record(root, b"A")
    inside = int.from_bytes(data[a + 2:a + 6], "little")
    b = record(inside * 2048, b"B")
    data[b + 2:b + 6], data[b + 6:b + 10] = inside.to_bytes(4, "little"), inside.to_bytes(4, "big")
    loop = rig.copy("loop.AppImage", bytes(data))
    for words in (("ls", "-R"), ("inspect",), ("install",)):
        done = rig.run(rig.rootlet, *words, loop, env={"HOME": str(rig.home)})
        done.failed_by_us("loop.AppImage")
    to = rig.cwd / "to"
    rig.run(rig.rootlet, "extract", loop, "-C", to).failed_by_us("loop.AppImage")
    check(not to.exists(), "a part is left")
    circle = type_2(rig, appdir(rig, links={"x": "y", "y": "x", "self": "self"}))
    for name in ("x", "self"):
        rig.run(rig.rootlet, "cat", circle, name).failed_by_us("not in the image")
    # libappimage's own resolver never ends on this one; the examiner does.
    endless = type_2(rig, appdir(rig, links={"p": "q", "q": "r", "r": "q"}), "endless.AppImage")
    done = rig.run(rig.rootlet, "inspect", endless, timeout=90)
    done.failed_by_us("longer than anything sensible")


@test(by="user")
def very_many_files(rig):
    """an image of 100,000 files is listed and installed"""
    tree = appdir(rig)
    count = times(100000, 2000)
    many = "".join(f"many/{n // 1000}/f{n} f 644 0 0 true\n" for n in range(count))
    dirs = "".join(f"many/{n} d 755 0 0\n" for n in range(count // 1000 + 1))
    pseudo = rig.top / "pseudo"
    pseudo.write_text("many d 755 0 0\n" + dirs + many.replace(" f 644 0 0 true", " s 644 0 0 x"))
    data = squashfs(rig, tree, "zstd", "-pf", str(pseudo))
    head = runtime()
    image = rig.copy("many.AppImage", head[:8] + b"AI\2" + head[11:] + data)
    listed = rig.run(rig.rootlet, "ls", "-R", image, "many")
    equal(len(listed.text.splitlines()), count + count // 1000 + 1, "names")
    home = Home(rig)
    home.install(image)
    equal(home.rootlet("uninstall", image).status, 0)


@test(by="user")
def damaged(rig):
    """flipped bits and cut files: an end with 0 or our 125, never a hang or a death of ours"""
    import random
    source = random.Random(5)
    for image in (type_2(rig, appdir(rig)), type_1(rig, appdir(rig))):
        good = image.read_bytes()
        for round in range(times(20, 4)):
            data = bytearray(good)
            for _ in range(source.choice((1, 8, 200))):
                data[source.randrange(32768 if image.name[0] == "o" else 4096, len(data))] = \
                    source.randrange(256)
            if round % 5 == 0:
                data = data[:source.randrange(len(data))]
            bad = rig.copy("bad.AppImage", bytes(data))
            for words in (("ls", "-R"), ("inspect",), ("cat", ".DirIcon")):
                done = rig.run(rig.rootlet, words[0], *words[1:] if words[0] == "ls" else (), bad,
                               *words[1:] if words[0] == "cat" else (), timeout=90)
                check(done.status in (0, 125), f"{words}: {done}")
                check("terminate" not in done.errors, f"{words}: {done}")


if __name__ == "__main__":
    main()
