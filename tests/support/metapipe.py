# SPDX-License-Identifier: MIT
"""The example examples/metapipe where the tests run: its images, its jar, its reads, a root with the same tools.

Images, reads and the root are kept in the build directory: they take minutes to make."""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from maven import built
from place import TESTS, UID, WORK
from promises import Failed, Skip

EXAMPLE = TESTS.parent / "examples/metapipe"
RESULTS = ["contigs.fasta", "prodigal.faa", "glimmer.predict", "blastp.tsv", "hmmscan.tsv", "families.fa", "table.txt",
           "krona.html"]
PAIRS = 5000  # of the lambda phage's 10,000: several contigs


def kept(build):
    """Where all that is: by what it is made of."""
    made_of = b"".join(path.read_bytes() for path in [EXAMPLE / "make-images", *sorted((EXAMPLE / "images").iterdir())])
    place = build / f"metapipe-{hashlib.sha256(made_of).hexdigest()[:12]}"
    place.mkdir(exist_ok=True)
    return place


def run(*command, what, **keywords):
    done = subprocess.run([os.fspath(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **keywords)
    if done.returncode != 0:
        raise Failed(f"{what}: {done.stdout[-3000:]}")
    return done.stdout


def images(rig, build):
    place = kept(build) / "images"
    environment = dict(os.environ, ROOTLET=str(rig.rootlet))
    done = subprocess.run([EXAMPLE / "make-images", place], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Skip(f"the images cannot be made here (packages?): {done.stdout[-800:]}")
    return place


def reads(rig, build):
    """Two files of the plain user's."""
    place = kept(build) / "reads"
    if not place.exists():
        part = kept(build) / "reads.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", "bowtie2-examples", what="reads", cwd=part)
        run("sh", "-ec", "dpkg -x bowtie2-examples_*.deb x; for i in 1 2; do zcat x/usr/share/doc/bowtie2/examples/reads/"
            f"reads_$i.fq.gz | head -n {4 * PAIRS} > reads_$i.fq; done; rm -r x *.deb", what="reads", cwd=part)
        part.rename(place)
    copy = rig.top / "reads"
    if not copy.exists():
        shutil.copytree(place, copy)
    return copy / "reads_1.fq", copy / "reads_2.fq"


def pipeline(rig, build):
    """pipeline.jar, as Maven makes it by the example's own POM."""
    jar = WORK / "metapipe/target/pipeline.jar"
    if not jar.exists():
        shutil.copytree(EXAMPLE, WORK / "metapipe", ignore=shutil.ignore_patterns("target"))
        status, said = built(WORK / "metapipe", f"-Drootlet.program={rig.rootlet}", f"-Dimages={images(rig, build)}", "verify")
        if status != 0:
            raise Failed(said[-3000:])
    return jar


def native_root(rig, build):
    """All roots of the images and the databases in one: the tools, installed at META-pipe's paths."""
    root = kept(build) / "native"
    if not root.exists():
        part = kept(build) / "native.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        sources = [(path, part) for path in sorted(images(rig, build).glob("*.AppImage"))]
        sources.append((images(rig, build) / "bio_databases.sqfs", part / "share/apps/gepan/bio_databases"))
        for source, target in sources:
            one = kept(build) / "one.part"
            shutil.rmtree(one, ignore_errors=True)
            run(rig.rootlet, "extract", source, "-C", one, what=f"extract {source}")
            target.mkdir(parents=True, exist_ok=True)
            run("cp", "-a", "--remove-destination", f"{one}/.", target, what="join")
            shutil.rmtree(one)
        for name in ("proc", "dev", "tmp", "home"):
            (part / name).mkdir(exist_ok=True)
        part.rename(root)
    return root


def natively(rig, build, directory, *command, timeout=900):
    """Runs a command as the plain user in that root, with DIRECTORY at its own path: no Rootlet in it."""
    root = native_root(rig, build)
    script = """
      root=$1 directory=$2 owner=$3; shift 3
      mount --bind "$root" "$root"; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
      mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
      mkdir -p "$root/tmp/x"; mount --bind "$directory" "$root/tmp/x"
      exec chroot --userspec="$owner" "$root" env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 OMPI_MCA_plm=isolated \
        OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_btl=self "$@"
    """
    return run("unshare", "--mount", "bash", "-euc", script, "native", root, directory, f"{UID}:{UID}", *command,
               what="natively", timeout=timeout)


def native_results(rig, build):
    """What chain.sh makes of the same reads; once."""
    place = rig.top / "native"
    if not place.exists():
        shutil.copytree(reads(rig, build)[0].parent, place)
        shutil.copy(EXAMPLE / "chain.sh", place)
        run("chown", "-R", f"{UID}:{UID}", place, what="chown")
        natively(rig, build, place, "/bin/sh", "/tmp/x/chain.sh", "/tmp/x/reads_1.fq", "/tmp/x/reads_2.fq", "/tmp/x/results")
    return place / "results"


def same_results(native, ours):
    """The names of those files that differ."""
    return [name for name in RESULTS if (native / name).read_bytes() != (ours / name).read_bytes()]
