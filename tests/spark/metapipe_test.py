#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""META-pipe's chain as one jar, on a real Spark, equal to the same tools installed natively."""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from jars import JARS, add
from metapipe import (EXAMPLE, RESULTS, images, native_results, native_root, natively, pipeline, reads, run,
                      same_results)
from place import WORK
from rig import Skip, check, contains, equal, main, test
from spark import HOME, Cluster, java_home, make_spark, plain_jar, settings, spark_java, submit

BUILD = Path(sys.argv[sys.argv.index("--build") + 1]).resolve()
NO_FUSE = "mount -t tmpfs x /mnt; touch /mnt/f; mount --bind /mnt/f /dev/fuse"


def submitted(rig, master, *words, host=None, timeout=1500):
    """spark-submit pipeline.jar WORDS."""
    make_spark(rig)
    signal.alarm(timeout + 60)
    jar = pipeline(rig, BUILD)
    environment = {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": java_home(),
                   "SPARK_LOCAL_DIRS": str(rig.top / "spark-work"), "SPARK_SCALA_VERSION": "2.13"}
    return rig.run(*spark_java("org.apache.spark.deploy.SparkSubmit", "--master", master, *settings(rig, {}), jar, *words),
                   env=environment, timeout=timeout, host=host)


def place_for(rig, name):
    place = rig.top / name
    place.mkdir(exist_ok=True)
    os.chown(place, rig.uid, rig.uid)
    return place


def run_words(rig, out):
    first, second = reads(rig, BUILD)
    return ["run", "-1", str(first), "-2", str(second), "-o", str(out)]


def chain_equals(rig, master, name, host=None):
    signal.alarm(3000)
    native = native_results(rig, BUILD)
    out = place_for(rig, name)
    done = submitted(rig, master, *run_words(rig, out), host=host)
    check(done.status == 0, f"{done.text[-1500:]} {done.errors[-4000:]}")
    equal(same_results(native, out), [], "files that differ")
    check(all((out / name).stat().st_size > 0 for name in RESULTS), "an empty result")
    return out


@test(by="user")
def validated(rig):
    """`spark-submit pipeline.jar validate` finds every tool at META-pipe's own path"""
    done = submitted(rig, "local[2]", "validate")
    equal(done.status, 0, done.text + done.errors[-3000:])
    for path in ("/opt/bio/ncbi/bin/blastp", "/opt/local/hmmer30rc2/binaries/hmmscan", "/opt/bio/glimmer/bin/glimmer3",
                 "/opt/local/kronatools20/bin/ktImportText"):
        contains(done.text, f"ok      {path}", "validate")


@test(by="user")
def one_jar(rig):
    """`spark-submit pipeline.jar` on local[2] gives what the installed tools give, byte for byte"""
    out = chain_equals(rig, "local[2]", "local")
    successes = sorted((out / "work").rglob("STEP_SUCCESS"))
    check(len(successes) > 60 and all(path.read_text().startswith("0 ") for path in successes), f"{len(successes)}")
    # Started again, it leaves out what is done.
    before = {path: path.stat().st_mtime_ns for path in successes}
    done = submitted(rig, "local[2]", *run_words(rig, out))
    equal(done.status, 0, done.errors[-3000:])
    equal({path: path.stat().st_mtime_ns for path in before}, before, "steps that were done again")


@test(by="user")
def standalone_cluster(rig):
    """on a standalone master and two workers: the same"""
    make_spark(rig)
    signal.alarm(1500)  # Maven builds, perhaps images are made
    pipeline(rig, BUILD)
    with Cluster(rig, 2) as cluster:
        chain_equals(rig, cluster.master, "standalone")


@test(by="user")
def executors_without_fuse(rig):
    """executors without /dev/fuse, as in pods and YARN's containers that allow user namespaces: the same"""
    make_spark(rig)
    signal.alarm(1500)  # Maven builds, perhaps images are made
    pipeline(rig, BUILD)
    with Cluster(rig, 2, host=NO_FUSE) as cluster:
        chain_equals(rig, cluster.master, "no-fuse")


@test(by="user")
def executors_in_docker(rig):
    """executors under Docker's filter, Kubernetes' RuntimeDefault: validate says what is missing, nothing hangs"""
    make_spark(rig)
    signal.alarm(1500)  # Maven builds, perhaps images are made
    pipeline(rig, BUILD)
    with Cluster(rig, 1, confined=True) as cluster:
        done = submitted(rig, cluster.master, "validate")
    equal(done.status, 1, done.text + done.errors[-3000:])
    contains(done.text, "SECCOMP", f"validate: {done.errors[-2500:]}")
    contains(done.text, "MISSING /opt/bio/ncbi/bin/blastp", "validate")


PARTITIONS = 200


def chunks(rig):
    """200 files of three proteins each: windows over HMMER's globins."""
    place = place_for(rig, "chunks")
    if (place / "chunk0").exists():
        return place
    root = native_root(rig, BUILD)  # made of the images: the tutorial's proteins are in their database's source
    names = run("chroot", root, "/opt/bio/ncbi/bin/blastdbcmd", "-db", "/share/apps/gepan/bio_databases/uniref50_split_1",
                "-entry", "all", "-outfmt", "%f", what="blastdbcmd")
    proteins = [">" + text for text in names.split(">")[1:]]
    for number in range(PARTITIONS):
        (place / f"chunk{number}").write_text("".join(proteins[(number + i) % len(proteins)] for i in range(3)))
    run("chown", "-R", f"{rig.uid}:{rig.uid}", place, what="chown")
    return place


@test(by="user")
def two_hundred_partitions_of_real_tools(rig):
    """hmmscan and mafft over 200 partitions in two executors equal the native runs, byte for byte"""
    make_spark(rig)
    signal.alarm(2400)
    place, out = chunks(rig), place_for(rig, "real")
    jar = add(plain_jar(JARS / "real.jar"), *(f"{name}={images(rig, BUILD)}/{name}.AppImage" for name in ("hmmer", "mafft")),
              f"bio_databases={images(rig, BUILD)}/bio_databases.sqfs")
    natively(rig, BUILD, place, "/bin/sh", "-ec", f"""cd /tmp/x; for n in $(seq 0 {PARTITIONS - 1}); do
        /opt/local/hmmer30rc2/binaries/hmmscan --noali -E 10 /share/apps/gepan/bio_databases/Pfam-A.hmm - < chunk$n >> hmmscan
        /opt/bio/mafft/bin/mafft --auto --quiet - < chunk$n >> mafft; done""")
    said = submit(rig, "local-cluster[2,1,512]", "real", str(place), str(out), jar=jar, timeout=1200)
    equal(said["real"], [str(PARTITIONS)])
    for name in ("hmmscan", "mafft"):
        # Less the time that a run took.
        wanted, got = (["" if line.startswith(("# CPU time", "# Mc/sec")) else line
                        for line in (where / name).read_text().splitlines()] for where in (place, out))
        check(got == wanted and len(got) > PARTITIONS * 5, f"{name}: {len(got)} lines, {len(wanted)} natively")


def found(word, why):
    path = shutil.which(word)
    if not path:
        raise Skip(f"no {word} here: {why}")
    return path


def steps(rig):
    """Where a workflow finds the packed file by its name; and the contigs."""
    native = native_results(rig, BUILD)
    place = place_for(rig, "steps")
    shutil.copy(images(rig, BUILD) / "prodigal.AppImage", place)
    shutil.copy(native / "contigs.fasta", place)
    shutil.copytree(EXAMPLE / "workflow", place / "workflow", dirs_exist_ok=True)
    run("chown", "-R", f"{rig.uid}:{rig.uid}", place, what="chown")
    return place, native


def same_proteins(native, proteins):
    wanted = (native / "prodigal.faa").read_text().replace("*", "")
    got = "".join(line.split(" # ID=")[0] + "\n" if line.startswith(">") else line for line in joined(proteins))
    equal(got, wanted, "proteins")


def joined(text):
    """FASTA with each sequence on one line."""
    out, sequence = [], ""
    for line in text.splitlines():
        if line.startswith(">"):
            out += ([sequence + "\n"] if sequence else []) + [line]
            sequence = ""
        else:
            sequence += line.replace("*", "")
    return out + [sequence + "\n"]


@test(by="user")
def cwltool_step(rig):
    """cwltool runs a packed file as a plain command"""
    signal.alarm(1800)
    place, native = steps(rig)
    venv = BUILD / "cwltool"
    if not (venv / "bin/cwltool").exists():
        run("/usr/bin/python3", "-m", "venv", venv, what="python3 -m venv (python3-venv)")
        made = subprocess.run([venv / "bin/pip", "-q", "install", "cwltool==3.1.20250110105449"], capture_output=True, text=True)
        if made.returncode != 0:
            shutil.rmtree(venv)
            raise Skip(f"pip cannot install cwltool here: {made.stderr[-600:]}")
    done = rig.run(venv / "bin/cwltool", "--preserve-environment", "PATH", "--outdir", place / "cwl",
                   place / "workflow/prodigal.cwl", "--contigs", place / "contigs.fasta", timeout=300, cwd=place,
                   env={"PATH": f"{place}:/usr/bin:/bin"})
    equal(done.status, 0, done.errors[-3000:])
    same_proteins(native, (place / "cwl/proteins.faa").read_text())


@test(by="user")
def nextflow_step(rig):
    """Nextflow runs a packed file as a plain command"""
    signal.alarm(1800)
    place, native = steps(rig)
    jars = BUILD / "nextflow"
    if not jars.exists():
        fetched = subprocess.run(["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                                  f"-DoutputDirectory={jars}.part"], cwd=EXAMPLE / "workflow", capture_output=True, text=True)
        if fetched.returncode != 0:
            raise Skip(f"Maven cannot fetch Nextflow here: {fetched.stdout[-600:]}")
        Path(f"{jars}.part").rename(jars)
    done = rig.run(found("java", "scripts/setup installs it"), "-cp", f"{jars}/*", "nextflow.cli.Launcher", "run",
                   place / "workflow/prodigal.nf", "-ansi-log", "false", "--contigs", place / "contigs.fasta",
                   "--results", place / "nextflow", timeout=300, cwd=place,
                   env={"PATH": f"{place}:/usr/bin:/bin", "NXF_OFFLINE": "true", "NXF_HOME": str(place / "nxf"),
                        "NXF_DISABLE_CHECK_LATEST": "true"})
    equal(done.status, 0, done.text[-3000:] + done.errors[-3000:])
    same_proteins(native, (place / "nextflow/proteins.faa").read_text())


main()
