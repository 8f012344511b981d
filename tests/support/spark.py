# SPDX-License-Identifier: MIT
"""A real Spark where the tests run: an application's jar, spark-submit, a standalone cluster."""
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

from jars import JARS, JVM, add, make_jars
from place import MS_BIND, WORK, mount
from promises import Failed, Skip, check

HOME = WORK / "spark"
TARGET = JVM / "rootlet-spark/target"
# What Spark's own launcher gives its JVMs on 17.
OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio",
    "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref",
    "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar")]
LOG = """rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
logger.tool.name = io.rootlet.tool
logger.tool.level = info
"""


def own_etc():
    """Once: /etc is a copy of our own. Spark wants its user's name, and a useradd of somebody else meanwhile puts
    another file in the place of the /etc/passwd that ours is mounted on."""
    place = WORK / "etc"
    if place.exists():
        return
    subprocess.run(["cp", "-a", "/etc", place], check=True)
    for name in ("passwd", "group"):
        shutil.copy(WORK / name, place / name)
    mount(str(place), "/etc", None, MS_BIND)


def make_spark(rig):
    """Once: SPARK_HOME, and the application's jar, of which the image is a stored entry."""
    make_jars(rig)
    own_etc()
    if not (TARGET / "spark/jars").is_dir():
        raise Skip(f"{TARGET}/spark is not there: jvm/build makes it")
    if not HOME.exists():
        (HOME / "jars").mkdir(parents=True)
        mount(str(TARGET / "spark/jars"), str(HOME / "jars"), None, MS_BIND)
        (HOME / "conf").mkdir()
        (HOME / "work").mkdir()
        (HOME / "work").chmod(0o777)  # of the workers of a local cluster
        (HOME / "conf/log4j2.properties").write_text(LOG)
        add(plain_jar(JARS / "spark-app.jar"), f"probe={WORK / 'probe.AppImage'}")
    work = rig.top / "spark-work"
    if not work.exists():
        work.mkdir()
        os.chown(work, rig.uid, rig.uid)


def plain_jar(path):
    """The application, the library's two modules and their tests, as a fat jar."""
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
        for source in (JARS / "rootlet-core.jar", TARGET / "rootlet-spark_2.13-0.1.0.jar"):
            with zipfile.ZipFile(source) as parts:
                for name in parts.namelist():
                    if not name.startswith("META-INF/MANIFEST") and not name.endswith("/"):
                        jar.writestr(name, parts.read(name), zipfile.ZIP_DEFLATED)
        for file in sorted((TARGET / "test-classes").rglob("*.class")):
            jar.write(file, file.relative_to(TARGET / "test-classes"))
    return path


def spark_java(*words, memory="512m"):
    return [shutil.which("java"), f"-Xmx{memory}", "-XX:+UseSerialGC", "-XX:-UsePerfData",
            "-XX:TieredStopAtLevel=1", *OPENS, "-Djava.net.preferIPv6Addresses=false",
            "-cp", f"{HOME}/conf:{HOME}/jars/*", *map(str, words)]


def settings(rig, more):
    work = rig.top / "spark-work"
    java = "-XX:+UseSerialGC -XX:-UsePerfData -XX:TieredStopAtLevel=1"
    chosen = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1",
              "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": str(work),
              "spark.executor.memory": "512m", "spark.sql.shuffle.partitions": "2",
              "spark.executor.extraJavaOptions": java, "spark.driver.memory": "512m",
              "spark.sql.warehouse.dir": str(work / "warehouse"), **more}
    return [word for name, value in chosen.items() for word in ("--conf", f"{name}={value}")]


def submit(rig, master, *arguments, jar=None, conf=None, start=False, timeout=240, jars=()):
    """spark-submit of the application; what it said, {name: [values]}."""
    make_spark(rig)
    signal.alarm(400)  # four JVMs start, on whatever else the machine does
    words = spark_java("org.apache.spark.deploy.SparkSubmit", "--master", master, *settings(rig, conf or {}),
                       *jars, "--class", "io.rootlet.spark.run.Acceptance", jar or JARS / "spark-app.jar",
                       *arguments)
    environment = {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1",
                   "SPARK_LOCAL_DIRS": str(rig.top / "spark-work"), "SPARK_SCALA_VERSION": "2.13",
                   "SPARK_WORKER_DIR": str(rig.top / "spark-work"), "JAVA_HOME": java_home()}
    if start:
        return rig.start(*words, env=environment)
    done = rig.run(*words, env=environment, timeout=timeout)
    return results(done.text, done.errors)


def java_home():
    return str(Path(os.path.realpath(shutil.which("java"))).parents[1])


def results(text, errors):
    found = {}
    for name, value in re.findall(r"^RESULT ([^:]+): (.*)$", text, re.M):
        found.setdefault(name, []).append(value)
    if not found:
        raise Failed(errors[-4000:])
    found["stderr"] = errors
    return found


def process_tree(pid):
    """All that descends from a process, itself included: {pid: command line}."""
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            parents[int(entry.name)] = int(stat[stat.rindex(")") + 4:].split()[0])
            lines[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    tree, more = {pid}, True
    while more:
        found = {child for child, parent in parents.items() if parent in tree} - tree
        tree |= found
        more = bool(found)
    return {number: lines.get(number, "") for number in tree}


def of_class(tree, name):
    return [pid for pid, line in tree.items() if name in line and line.split()[0].endswith("java")]


def living(pids):
    """Those that have not ended; zombies wait for whoever adopted them."""
    found = []
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if stat[stat.rindex(")") + 2] != "Z":
            found.append(pid)
    return found


def busy_executor(*pids):
    """The processes of an executor below these that is in the middle of a task; the executor first."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for top in pids:
            for pid in of_class(process_tree(top), "CoarseGrainedExecutorBackend"):
                tree = process_tree(pid)
                if any(line.startswith("sleep 4321") for line in tree.values()):
                    return [pid, *(other for other in tree if other != pid)]
        time.sleep(0.05)
    raise Failed("no executor runs a tool")


class Cluster:
    """A standalone master and workers, of one core each, on the loopback."""

    def __init__(self, rig, workers, host=None, confined=False):
        """host: what makes the workers' host poor. confined: they are under Docker's system-call filter."""
        make_spark(rig)
        self.rig = rig
        environment = {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": java_home(),
                       "SPARK_NO_DAEMONIZE": "1", "SPARK_SCALA_VERSION": "2.13"}
        self.log = open(rig.top / "cluster.log", "wb")
        common = ["--webui-port", "0", "--host"]
        self.parts = [rig.start(*spark_java("org.apache.spark.deploy.master.Master", *common, "127.0.0.1",
                                            "--port", "17077", memory="256m"),
                                env=environment, stdout=self.log, stderr=self.log)]
        time.sleep(2)
        for number in range(workers):
            work = rig.top / f"worker{number}"
            work.mkdir(exist_ok=True)
            os.chown(work, rig.uid, rig.uid)
            words = spark_java("org.apache.spark.deploy.worker.Worker", *common, f"127.0.0.{number + 1}",
                               "--cores", "1", "--memory", "600m", "--work-dir", work, "spark://127.0.0.1:17077",
                               memory="256m")
            if confined:  # it becomes the user itself
                words = [rig.host_maker, "docker", rig.uid, *words]
            self.parts.append(rig.start(
                *map(str, words), env=environment, stdout=self.log, stderr=self.log, host=host,
                **({"user": 0, "group": 0} if confined else {})))
        self.master = "spark://127.0.0.1:17077"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in self.parts:
            part.send_signal(signal.SIGTERM)
        for part in self.parts:
            try:
                part.wait(20)
            except subprocess.TimeoutExpired:
                part.kill()
        self.log.close()
