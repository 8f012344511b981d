#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `rootlet build` makes of container images, AppImages, conda environments and bad archives."""
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Skip, check, contains, equal, main, test


def fresh(rig, name, top=None):
    """An empty directory of the user's."""
    path = (top or rig.top) / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    os.chown(path, rig.uid, rig.uid)
    return path


def build(rig, *words, **keywords):
    return rig.run(rig.rootlet, "build", *words, timeout=90, **keywords)


def built(rig, *words, **keywords):
    done = build(rig, *words, **keywords)
    equal(done.status, 0, repr(done))
    return done


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"no {program} here: scripts/setup installs it")


def root_with_shell(path):
    """A root with busybox as its shell, and env(1)."""
    (path / "bin").mkdir(parents=True)
    (path / "usr/bin").mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", path / "bin/busybox")
    for applet in ("sh", "cat", "ls", "echo", "stat", "id"):
        (path / "bin" / applet).symlink_to("busybox")
    (path / "usr/bin/env").symlink_to("/bin/busybox")
    return path


def umoci(work, *words):
    subprocess.run(["umoci", *words], check=True, capture_output=True, cwd=work)


def greeter(work):
    """An OCI layout of two layers: the second hides a file and a directory."""
    umoci(work, "init", "--layout", "img")
    umoci(work, "new", "--image", "img:v1")
    umoci(work, "unpack", "--image", "img:v1", "bundle")
    root = work / "bundle/rootfs"
    root_with_shell(root)
    for name in ("etc/one", "etc/d/two", "etc/kept"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    os.link(root / "etc/one", root / "etc/uno")
    umoci(work, "repack", "--image", "img:v1", "bundle")
    shutil.rmtree(work / "bundle")
    umoci(work, "unpack", "--image", "img:v1", "bundle")
    (root / "etc/one").unlink()
    shutil.rmtree(root / "etc/d")
    (root / "etc/new").write_text("new")
    umoci(work, "repack", "--image", "img:v1", "bundle")
    umoci(work, "config", "--image", "img:v1", "--config.entrypoint", "/bin/sh",
          "--config.entrypoint", "-c", "--config.entrypoint", 'echo "$GREETING $@" in $PWD', "--config.entrypoint", "-",
          "--config.cmd", "nobody", "--config.env", "GREETING=hello", "--config.workingdir", "/srv",
          "--config.label", "org.opencontainers.image.title=greeter")
    return work / "img"


@test(by="root")
def oci_and_docker(rig):
    """an image made by umoci, as layout, archive and docker archive, runs as it would in a container"""
    need("umoci", "skopeo")
    work = fresh(rig, "oci")
    layout = greeter(work)
    shutil.rmtree(work / "bundle")
    subprocess.run(["tar", "-C", layout, "-czf", work / "img.tar.gz", "."], check=True)
    subprocess.run(["skopeo", "copy", "-q", f"oci:{layout}:v1",
                    f"docker-archive:{work}/docker.tar:lib/greet:9"], check=True)
    for number, source in enumerate((layout, f"oci:{layout}:v1", work / "img.tar.gz",
                                     work / "docker.tar", f"docker-archive:{work}/docker.tar:greet:9")):
        file = work / f"{number}.AppImage"
        built(rig, source, "-o", file)
        equal(rig.run(file, cwd="/").text, "hello nobody in /srv\n")
        equal(rig.run(file, "you", "and you", cwd="/").text, "hello you and you in /srv\n")
        done = rig.run(file, "--rootlet-exec=/bin/ls", "/etc")
        for name in ("kept", "new", "uno"):
            contains(done.text, name)
        check("one" not in done.text.split() and "d" not in done.text.split(), repr(done))
    shown = json.loads(rig.run(rig.rootlet, "inspect", "--json", work / "0.AppImage").text)
    contains(json.dumps(shown), "greeter")


@test(by="user")
def sparse_file(rig):
    """a sparse file of 5 GiB in a tar needs no 5 GiB, and is as long in the image"""
    work = fresh(rig, "sparse")
    root = root_with_shell(work / "root")
    with open(root / "huge", "wb") as huge:
        huge.truncate(5 << 30)
        huge.seek(3 << 30)
        huge.write(b"in the middle")
    subprocess.run(["tar", "-C", root, "--sparse", "-cf", work / "x.tar", "."], check=True)
    check((work / "x.tar").stat().st_size < 16 << 20, "the tar is not sparse")
    tmp = fresh(rig, "small")
    built(rig, work / "x.tar", "--entry", "stat", "-o", work / "x.AppImage", "--comp-level", "1",
          env={"TMPDIR": str(tmp)},
          host=f"mount -t tmpfs -o size=32m,mode=1777 tmpfs '{tmp}'")
    equal(rig.run(work / "x.AppImage", "-c", "%s", "/huge").text, f"{5 << 30}\n")
    check((work / "x.AppImage").stat().st_size < 16 << 20, "the image is as large as the file")


@test(by="user")
def bomb(rig):
    """a few hundred kilobytes that unpack to gigabytes are refused, with how to insist"""
    need("zstd")
    work = fresh(rig, "bomb")
    one = subprocess.run("head -c 1G /dev/zero | zstd -q -1", shell=True, capture_output=True,
                         check=True).stdout
    header = tarfile.TarInfo("zeros")
    header.size = 100 << 30
    start = subprocess.run(["zstd", "-q"], input=header.tobuf(tarfile.GNU_FORMAT),
                           capture_output=True, check=True).stdout
    (work / "bomb.tar.zst").write_bytes(start + 3 * one)
    tmp = fresh(rig, "small")
    done = build(rig, work / "bomb.tar.zst", "--entry", "x", "-o", work / "x", env={"TMPDIR": str(tmp)})
    done.failed_by_us("it unpacks to more than 2048 MiB", "--max-size")
    equal(os.listdir(tmp), [])
    check(not (work / "x").exists(), "it left a file")


@test(by="user")
def full_disk(rig):
    """an output that finds no room leaves the old file as it was, and nothing beside it"""
    work, out = fresh(rig, "noise"), fresh(rig, "out")
    root = root_with_shell(work / "root")
    (root / "noise").write_bytes(os.urandom(8 << 20))
    look = f"'{rig.rootlet}' build '{root}' --entry busybox --force -o x; echo $?; cat x; ls -A"
    done = rig.run("sh", "-c", f"cd '{out}'; echo old > x; {look}", timeout=60,
                   host=f"mount -t tmpfs -o size=4m,mode=1777 tmpfs '{out}'")
    equal(done.text, "125\nold\nx\n", repr(done))
    contains(done.errors, "ENOSPC")


@test(by="user")
def foreign_appimage(rig):
    """an AppImage that counts on a host gets a root, and its AppRun finds its files by APPDIR"""
    work = fresh(rig, "foreign")
    appdir = work / "Tool.AppDir"
    (appdir / "usr/share").mkdir(parents=True)
    (appdir / "usr/share/text").write_text("of the AppDir\n")
    (appdir / "tool.desktop").write_text("[Desktop Entry]\nType=Application\nName=My Tool\n"
                                         "Exec=tool\nIcon=tool\nCategories=Utility;\n")
    (appdir / "AppRun").write_text('#!/bin/sh\ncat "$APPDIR/usr/share/text"\nexec echo "$@"\n')
    (appdir / "AppRun").chmod(0o755)
    subprocess.run(["mksquashfs", appdir, work / "payload", "-quiet", "-no-progress"], check=True,
                   stdout=subprocess.DEVNULL)
    other = work / "other.AppImage"
    other.write_bytes(rig.stub.read_bytes() + (work / "payload").read_bytes())
    other.chmod(0o755)
    root = root_with_shell(work / "root")
    refused = build(rig, other, "-o", work / "no")
    refused.failed_by_us("/bin/sh", "--with-root")
    for number, source in enumerate((f"appimage:{other}", other, f"appdir:{appdir}")):
        file = work / f"{number}.AppImage"
        done = built(rig, source, "--with-root", f"dir:{root}", "-o", file)
        contains(done.text, "My Tool")
        equal(rig.run(file, "a", "b c").text, "of the AppDir\na b c\n")
        equal(rig.run(file, "--rootlet-exec=/bin/ls", "/opt").text, "My_Tool\n")


@test(by="user")
def conda_prefix(rig):
    """a conda environment that lies in a home or /tmp works, its commands are those asked for"""
    work = fresh(rig, "conda", Path("/tmp"))  # conda cannot do with a blank, either
    prefix = work / "envs/seq"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    for name in ("tool", "tool-index", "dependency"):
        (prefix / "bin" / name).write_text(
            f'#!{prefix}/bin/sh\necho {name} "$CONDA_PREFIX" "$@"\n')
        (prefix / "bin" / name).chmod(0o755)
    shutil.copy("/usr/bin/busybox", prefix / "bin/sh")
    (prefix / "conda-meta/history").write_text("# cmd: create\n# update specs: ['tool=1.2']\n")
    for name, files in (("tool", ["bin/tool", "bin/tool-index"]), ("base", ["bin/dependency"])):
        (prefix / f"conda-meta/{name}-1.2-0.json").write_text(json.dumps(
            {"name": name, "version": "1.2", "license": "MIT", "files": files}))
    root = root_with_shell(work / "root")
    file = work / "tool.AppImage"
    done = built(rig, prefix, "--with-root", f"dir:{root}", "-o", file)
    contains(done.text, "tool 1.2")
    contains(done.errors, f"the environment is at /opt/seq in the image: a run hides {prefix}")
    equal(rig.run(file, "x", env={"CONDA_PREFIX": "/elsewhere"}).text, "tool /opt/seq x\n")
    equal(rig.run(file, "--rootlet-exec=tool-index").text, "tool-index /opt/seq\n")
    check("dependency" not in done.text, repr(done))


CLIENT = """#!/bin/sh
# Stands in for micromamba: notes how it is called, makes an environment.
case " $* " in
  *" --download-only "*) (exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; echo fetched > "$CONDA_PKGS_DIRS.fetched"; exit 0 ;;
esac
[ -e "$CONDA_PKGS_DIRS.fetched" ] || exit 9
while [ "$1" != --prefix ]; do shift; done
prefix=$2
case " $* " in *" --offline "*) ;; *) exit 8 ;; esac
mkdir -p "$prefix/bin" "$prefix/conda-meta"
: > /var/tmp/escaped 2>/dev/null; : > "$HOME/../../../escaped" 2>/dev/null
{ echo '#!/bin/sh'; echo "echo at $prefix; cat $prefix/interfaces"; } > "$prefix/bin/tool"
chmod 755 "$prefix/bin/tool"
grep : /proc/net/dev | grep -v lo: > "$prefix/interfaces"
echo "# update specs: ['tool']" > "$prefix/conda-meta/history"
echo '{"name": "tool", "version": "3", "files": ["bin/tool"]}' > "$prefix/conda-meta/tool-3-0.json"
"""


@test(by="user")
def conda_lock(rig):
    """a lock file becomes an environment: the client fetches first, and installs without a network"""
    work = fresh(rig, "lock", Path("/tmp"))
    (work / "clients").mkdir()
    (work / "clients/micromamba").write_text(CLIENT)
    (work / "clients/micromamba").chmod(0o755)
    (work / "seq.lock").write_text("@EXPLICIT\nhttps://example.org/noarch/tool-3-0.conda\n")
    root = root_with_shell(work / "root")
    tmp = fresh(rig, "tmp")
    missing = build(rig, work / "seq.lock", "--with-root", f"dir:{root}", "-o", work / "x",
                    env={"PATH": "/nonexistent"})
    missing.failed_by_us("no micromamba, mamba or conda in PATH")
    built(rig, work / "seq.lock", "--with-root", f"dir:{root}", "-o", work / "x",
          env={"PATH": f"{work}/clients:/usr/bin:/bin", "TMPDIR": str(tmp)})
    equal(rig.run(work / "x").text, "at /opt/conda-seq\n")
    equal(os.listdir(tmp), [])
    check(not Path("/var/tmp/escaped").exists(), "the client wrote outside")


if __name__ == "__main__":
    main()
