#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an image lacks is told, and its self-test decides whether it is made."""
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import WORK, Untouched, check, contains, equal, main, test


def tree_of(rig, name, **files):
    """A root with a shell; files: path (with __ for /) to text."""
    tree = rig.top / "check-trees" / name
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    for program in ("busybox", "sh", "cat", "sleep", "env"):
        source = WORK / "tree/bin" / program
        if source.is_symlink():
            (tree / "bin" / program).symlink_to(os.readlink(source))
        else:
            shutil.copy2(source, tree / "bin" / program)
    for path, text in files.items():
        write(tree, path.replace("__", "/"), text)
    subprocess.run(["chown", "-R", f"{rig.uid}:{rig.uid}", rig.top / "check-trees"], check=True)
    return tree


def write(tree, path, text, mode=0o644):
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


def policy(rig, selftest, more=""):
    file = rig.top / "check.toml"
    file.write_text(f'[tool]\nname = "tool"\nentrypoint = ["/bin/sh"]\nselftest = {json.dumps(selftest)}\n{more}')
    return file


def build(rig, tree, out, *options):
    return rig.run(rig.rootlet, "build", tree, "-o", rig.top / out, *options, timeout=60)


@test()
def passes(rig):
    """build and check run the self-test as the user, in the image's root, without network and without our files"""
    tree = tree_of(rig, "passes", etc__mark="in the image\n")
    script = ("set -e; test \"$(cat /etc/mark)\" = 'in the image'; test $(id -u) = %d; echo x > file; cat file; "
              "test ! -e '%s/check.toml'; test -z \"$CALLER\"; ! ls /sys/class/net | grep -v '^lo$' | grep ." % (rig.uid, rig.top))
    made = rig.run(rig.rootlet, "build", tree, "--policy", policy(rig, ["/bin/sh", "-c", script]), "-o",
                   rig.top / "passes.AppImage", env={"ROOTLET_ENV": "CALLER=1", "ROOTLET_NET": "host"})
    equal(made.status, 0, repr(made))
    contains(made.text, "self-test passed", "summary")
    with Untouched():
        done = rig.run(rig.rootlet, "check", rig.top / "passes.AppImage")
    equal(done.status, 0, repr(done))
    contains(done.text, "self-test  ok", "check")


FAILS = (
    (["/bin/sh", "-c", "echo it is wrong; exit 3"], "ended with 3", "it is wrong"),
    (["/bin/sh", "-c", "sleep 60"], "hangs", "2 s"),
    (["/bin/sh", "-c", "kill -9 $$"], "SIGKILL", ""),
    (["/bin/busybox", "wget", "-O", "-", "http://192.0.2.1/"], "network", "unreachable"),
)


@test()
def fails(rig):
    """a self-test that fails, hangs, dies or wants the network says so, and the old file stays"""
    tree = tree_of(rig, "fails")
    place = rig.top / "check-out"
    place.mkdir(exist_ok=True)
    os.chown(place, rig.uid, rig.uid)
    old = place / "old.AppImage"
    for command, *said in FAILS:
        old.write_bytes(b"\x7fELF the old one")
        os.chown(old, rig.uid, rig.uid)
        with Untouched():
            done = build(rig, tree, "check-out/old.AppImage", "--policy", policy(rig, command), "-q",
                         "--selftest-timeout", "2")
        done.failed_by_us("run the self-test", *said)
        equal(old.read_bytes(), b"\x7fELF the old one", str(command))
        equal(os.listdir(place), ["old.AppImage"], str(command))


@test()
def left_out(rig):
    """--no-selftest packs what fails, and check tells of it: 1, with what it wrote"""
    tree = tree_of(rig, "left-out")
    made = build(rig, tree, "left-out.AppImage", "--no-selftest", "--policy",
                 policy(rig, ["/bin/sh", "-c", "echo one; echo two; exit 4"]))
    equal(made.status, 0, repr(made))
    contains(made.text, "left out", "summary")
    done = rig.run(rig.rootlet, "check", rig.top / "left-out.AppImage")
    equal(done.status, 1, repr(done))
    contains(done.text, "| two", "check")
    report = json.loads(rig.run(rig.rootlet, "check", "--json", rig.top / "left-out.AppImage").text)
    equal(report["ok"], False)
    equal([step["output"] for step in report["images"][0]["steps"] if step["what"] == "self-test"], ["one\ntwo\n"])
    equal(rig.run(rig.rootlet, "check", "--no-selftest", rig.top / "left-out.AppImage").status, 0)


@test()
def could_not(rig):
    """a self-test that cannot be run is 125, neither yes nor no"""
    tree = tree_of(rig, "could-not")
    asks = policy(rig, ["/bin/sh", "-c", "true"], '[isolation]\nbind = ["/etc"]\n')
    build(rig, tree, "could-not.AppImage", "--policy", asks, "-q").failed_by_us("run the self-test", "bind=/etc")
    equal(build(rig, tree, "could-not.AppImage", "--policy", asks, "-q", "--no-selftest").status, 0)
    equal(rig.run(rig.rootlet, "check", rig.top / "could-not.AppImage").status, 125)
    for name, text in (("nothing", None), ("text", "no image\n")):
        if text is not None:
            (rig.top / name).write_text(text)
        rig.run(rig.rootlet, "check", rig.top / name).failed_by_us(name)


@test()
def damaged(rig):
    """check reads every byte, and a changed one is found"""
    tree = tree_of(rig, "damaged", data="x" * 200000)
    for options, said in (("--no-seal",), "not what was packed"), ((), "damaged"):
        equal(build(rig, tree, "damaged.AppImage", "--entry", "/bin/sh", "-q", *options).status, 0)
        equal(rig.run(rig.rootlet, "check", rig.top / "damaged.AppImage").status, 0)
        content = bytearray((rig.top / "damaged.AppImage").read_bytes())
        at = content.index(b"BusyBox is copyrighted") + 5  # in a block that is stored as it is
        content[at] ^= 1
        rig.copy("damaged.AppImage", bytes(content))
        done = rig.run(rig.rootlet, "check", rig.top / "damaged.AppImage")
        equal(done.status, 1, repr(done))
        contains(done.text, said, "check")
    rig.copy("damaged.AppImage", bytes(content[:-200000]))
    equal(rig.run(rig.rootlet, "check", rig.top / "damaged.AppImage").status, 1)


@test("user")
def in_a_jar(rig):
    """check looks at every image of a jar"""
    tree = tree_of(rig, "jar")
    for name, code in (("good", 0), ("evil", 1)):
        equal(build(rig, tree, f"{name}.AppImage", "--no-selftest", "-q", "--policy",
                    policy(rig, ["/bin/sh", "-c", f"exit {code}"])).status, 0)
    jar = rig.top / "check.jar"
    with zipfile.ZipFile(jar, "w") as made:
        made.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    os.chown(jar, rig.uid, rig.uid)
    equal(rig.run(rig.rootlet, "jar", "add", jar, rig.top / "good.AppImage").status, 0)
    equal(rig.run(rig.rootlet, "check", jar).status, 0)
    equal(rig.run(rig.rootlet, "jar", "add", jar, rig.top / "evil.AppImage").status, 0)
    done = rig.run(rig.rootlet, "check", jar)
    equal(done.status, 1, repr(done))
    contains(done.text, "check.jar!/evil", "check")


def lacking(rig):
    """A root that lacks one thing of each kind."""
    tree = tree_of(rig, "lacking", etc__nsswitch_conf="")
    write(tree, "etc/nsswitch.conf", "passwd: files systemd\nhosts: files dns\n")
    write(tree, "usr/bin/script", "#!/usr/bin/perl\n", 0o755)
    write(tree, "usr/bin/by-env", "#!/bin/env -S A=1 no-such-python -u\n", 0o755)
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "opt").mkdir()
    (tree / "opt/dangling").symlink_to("nowhere/at/all")
    (tree / "opt/of-the-run").symlink_to("/proc/self/mounts")
    work = tree.parent / "made"
    work.mkdir(exist_ok=True)
    write(work, "lib.c", "int there(void) { return 1; }\n")
    write(work, "gone.c", "int gone(void) { return 1; }\n")
    write(work, "main.c", """int there(void); int gone(void); int main(void) { return there() + gone(); }
__attribute__((section(".note.dlopen"), used, aligned(4))) static const struct {
  unsigned name, size, type; char owner[4]; char text[128]; } note = {
  4, 128, 0x407c0c0a, "FDO", "[{\\"soname\\":[\\"libloaded.so.7\\"],\\"priority\\":\\"required\\",\\"feature\\":\\"speech\\"},"
  "{\\"soname\\":[\\"libmaybe.so\\"],\\"priority\\":\\"suggested\\"}]"};
""")
    for name in ("lib", "gone"):
        subprocess.run(["gcc", "-shared", "-fPIC", f"-Wl,-soname,lib{name}.so.1", "-o", work / f"lib{name}.so.1",
                        work / f"{name}.c"], check=True)
    subprocess.run(["gcc", "-nodefaultlibs", "-nostartfiles", "-Wl,-e,main", "-Wl,-rpath,$ORIGIN/../lib", "-o",
                    tree / "usr/bin/dynamic", work / "main.c", work / "liblib.so.1", work / "libgone.so.1"], check=True)
    shutil.copy2(work / "liblib.so.1", tree / "usr/lib/liblib.so.1")
    return tree


@test("user")
def tells_what_is_missing(rig):
    """interpreter, library, dlopen note, name service, locale, certificates and dangling links: each with what to add"""
    tree = lacking(rig)
    (rig.top / "lacking.toml").write_text('[tool]\nname = "t"\nentrypoint = ["/bin/sh"]\n'
                                          'env = {LANG = "de_DE.UTF-8", SSL_CERT_FILE = "/etc/ssl/none.pem"}\n')
    made = build(rig, tree, "lacking.AppImage", "--policy", rig.top / "lacking.toml")
    equal(made.status, 0, repr(made))
    wanted = ("/usr/bin/script needs the interpreter /usr/bin/perl", "no-such-python", "needs libgone.so.1",
              "loads libloaded.so.7 while it runs (required, for speech)", "libnss_systemd.so.2", "LANG=de_DE.UTF-8",
              "locales-all", "SSL_CERT_FILE", "ca-certificates", "/opt/dangling is a symlink to nowhere/at/all")
    for text in wanted:
        contains(made.errors, text, "warnings")
    for text in ("liblib.so.1", "libmaybe", "of-the-run", "libnss_dns"):
        check(text not in made.errors, f"{text} is there, or nobody's business: {made.errors}")
    done = rig.run(rig.rootlet, "check", "--json", rig.top / "lacking.AppImage")
    equal(done.status, 0, "warnings do not fail it")
    found = [step["text"] for step in json.loads(done.text)["images"][0]["steps"] if step["what"] == "lacks"]
    check(len(found) >= 9, f"{found}")
    # As the entry, what is a warning is an error.
    build(rig, tree, "no.AppImage", "--entry", "/usr/bin/script", "-q").failed_by_us("/usr/bin/perl")
    build(rig, tree, "no.AppImage", "--entry", "/usr/bin/by-env", "-q").failed_by_us("no-such-python")


if __name__ == "__main__":
    main()
