#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may say what: the site's file, the command line, the environment, the user's file, the image."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test

SITE = Path("/etc/rootlet/config.toml")


def site(text):
    """Shell commands that make a site's file, in a mount namespace of the run's own."""
    return ("mount -t tmpfs -o mode=755 none /opt; mkdir /opt/upper /opt/work;"
            "mount -t overlay -o lowerdir=/etc,upperdir=/opt/upper,workdir=/opt/work none /etc;"
            f"mkdir -p /etc/rootlet; cat > /etc/rootlet/config.toml <<'END'\n{text}\nEND\n"
            "chmod -R go-w /etc/rootlet")


def network(rig, *words, text="", environment=None, user=None, image=None):
    """"host" or "none": whether a run has the host's network."""
    file = rig.home / ".config/rootlet/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    for path in (rig.home / ".config", file.parent):
        os.chown(path, rig.uid, rig.uid)
    file.write_text(user or "")
    os.chown(file, rig.uid, rig.uid)
    try:
        done = rig.run(rig.rootlet, "exec", *words, image or rig.image, "readlink", "/proc/self/ns/net",
                       host=site(text), env=environment)
    finally:
        file.unlink()
    if done.status != 0:
        return done
    return "host" if done.text.strip() == os.readlink("/proc/self/ns/net") else "none"


@test()
def order(rig):
    """command line over environment over the user's file over the site's defaults over the profile"""
    none, host = '[isolation]\nnet = "none"', '[isolation]\nnet = "host"'
    equal(network(rig), "none")
    equal(network(rig, text=host), "host")
    equal(network(rig, text=host, user=none), "none")
    equal(network(rig, text=none, user=host), "host")
    equal(network(rig, user=none, environment={"ROOTLET_NET": "host"}), "host")
    equal(network(rig, "--net=none", user=host, environment={"ROOTLET_NET": "host"}), "none")


@test()
def lists_add_up(rig):
    """binds of all sources are shown, the stronger over the weaker"""
    for name in ("weak", "strong"):
        (rig.home / name).mkdir(exist_ok=True)
        (rig.home / name / "name").write_text(name)
    text = f'[isolation]\nbind = ["{rig.home}/weak:/a", "{rig.home}/weak:/b"]'
    done = rig.run(rig.rootlet, "exec", f"--bind={rig.home}/strong:/a", rig.image, "cat", "/a/name", "/b/name",
                   host=site(text))
    equal(done.text, "strongweak", repr(done))


@test()
def locks(rig):
    """what the site has locked cannot be widened, by a profile or by no-isolation either; narrowed it can be"""
    text = '[isolation]\nnet = "none"\nlocked = ["net", "bind", "profile"]'
    for words in (["--net=host"], ["--net", "host"], ["--bind=/srv"], ["--mount=type=bind,src=/srv,dst=/x"],
                  ["-B", "/srv"], ["--profile=compat"], ["--no-isolation"], ["--best-effort"]):
        done = network(rig, *words, text=text)
        check(not isinstance(done, str), f"{words}: ran with {done}")
        done.failed_by_us(str(SITE), "locked")
    network(rig, text=text, environment={"ROOTLET_NET": "host"}).failed_by_us(str(SITE))
    network(rig, text=text, user='[isolation]\nnet = "host"').failed_by_us(str(SITE))
    equal(network(rig, "--profile=isolated", "--net=none", text=text), "none")
    equal(network(rig, "--profile=compat", text='[isolation]\nlocked = ["net"]'), "none")
    for verb in (["chroot", "-v", "/srv:/srv", "/"], ["encapsulate", "/srv"]):
        done = rig.run(rig.rootlet, *verb, "/bin/true", host=site(text))
        check(done.status == 125 and "locked" in done.errors, f"{verb}: {done!r}")


@test()
def files_of_others(rig):
    """a file that others could have written is refused, one of another user is not read"""
    good = '[isolation]\nnet = "host"'
    for command, part in (("chmod 666 /etc/rootlet/config.toml", "go-w"),
                          ("chmod 777 /etc/rootlet", "go-w"),
                          ("chown 4711 /etc/rootlet/config.toml", "root")):
        done = rig.run(rig.rootlet, "exec", rig.image, "true", host=f"{site(good)}\n{command}")
        done.failed_by_us("/etc/rootlet", part)
    config = rig.home / ".config/rootlet"
    config.mkdir(parents=True, exist_ok=True)
    file = config / "config.toml"
    file.write_text(good)
    for path in (rig.home / ".config", config, file):
        os.chown(path, rig.uid, rig.uid)
    try:
        file.chmod(0o664)
        rig.run(rig.rootlet, "exec", rig.image, "true").failed_by_us(str(file), "go-w")
        file.chmod(0o600)
        os.chown(file, 4711 if rig.root else 0, -1)
        if rig.root:
            done = rig.run(rig.rootlet, "exec", rig.image, "readlink", "/proc/self/ns/net")
            check(done.status == 0 and done.text.strip() != os.readlink("/proc/self/ns/net"), repr(done))
            contains(done.errors, "not yours")
    finally:
        file.unlink()


@test()
def mistakes(rig):
    """a mistake in a file is named with its line and the nearest that is right"""
    for text, parts in (('[isolation]\nnte = "host"', (":2", "did you mean", "net")),
                        ('[isolation]\n\nnet = "hots"', (":3", "host")),
                        ('[isolation]\nbind = 7x', (":2",)),
                        ('net = "none"', (":1", "[isolation]")),
                        ('[isolation]\nno-isolation = true', (":2", "no-isolation")),
                        ('[isolation]\nlocked = ["nte"]', ("nte",))):
        done = rig.run(rig.rootlet, "exec", rig.image, "true", host=site(text))
        done.failed_by_us(str(SITE), *parts)


@test()
def stubs_read_no_file(rig):
    """a packed file that is executed itself reads neither file: it is as trusted as its own stub"""
    done = rig.run(rig.image, "--rootlet-exec=/bin/readlink", "/proc/self/ns/net",
                   host=site('[isolation]\nnet = "host"\nlocked = ["bind"]'))
    check(done.status == 0 and done.text.strip() != os.readlink("/proc/self/ns/net"), repr(done))


@test()
def own_file_is_guarded(rig):
    """the tool cannot change the user's file that the next run reads"""
    file = rig.home / ".config/rootlet/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[isolation]\n")
    for path in (rig.home / ".config", file.parent, file):
        os.chown(path, rig.uid, rig.uid)
    rig.run(rig.rootlet, "exec", rig.image, "sh", "-c",
            "echo 'net = \"host\"' >> .config/rootlet/config.toml; rm -rf .config/rootlet; mv .config c; exit 0",
            cwd=rig.home)
    equal(file.read_text(), "[isolation]\n")
    file.unlink()


@test()
def images_narrow_defaults(rig):
    """an image may narrow a default of a file; what is typed stands"""
    policy = rig.top / "narrow.toml"
    policy.write_text('[tool]\nname = "n"\nentrypoint = ["/opt/foo/bin/probe"]\n[isolation]\nnet = "none"\n')
    image = rig.build("/tmp/rootlet tests/tree", "narrow-net.AppImage", "--policy", policy)
    host = '[isolation]\nnet = "host"'
    equal(network(rig, text=host, image=image), "none")
    equal(network(rig, "--net=host", image=image), "host")


if __name__ == "__main__":
    main()
