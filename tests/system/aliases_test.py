#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who comes from Apptainer finds the options by the names he knows: the spellings of
launcher/aliases.cpp do what they say (each is also read in tests/unit/launcher/aliases_test.cpp)."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import check, contains, equal, main, test


def inside(rig, *words):
    return rig.run(rig.rootlet, "exec", *words[:-1], rig.image, "sh", "-c", words[-1],
                   env={"MINE": "1", "LANG": "C"})


@test()
def what_they_do(rig):
    """-B -e -c -C -H --no-home --pwd -W -S --writable-tmpfs -o -i -n --uts --env --env-file do what they say"""
    data = rig.top / "apptainer"
    data.mkdir(exist_ok=True)
    os.chown(data, rig.uid, rig.uid)
    (data / "f").write_text("data\n")
    (data / "env").write_text("FROM=file\n")
    layer = data / "layer"
    table = [
        (["-B", f"{data}:/data:ro"], "cat /data/f; echo x > /data/new; exit 0", "data\n"),
        (["--bind", f"{data}:/a,{data}:/b"], "cat /a/f /b/f", "data\ndata\n"),
        (["-e"], "echo ${MINE-unset}", "unset\n"),
        (["--cleanenv", "--env", "MINE=2"], "echo $MINE", "2\n"),
        (["--env-file", f"{data}/env"], "echo $FROM $MINE", "file 1\n"),
        (["-C"], f"ls -A '{rig.cwd}' 2>/dev/null; echo ${{MINE-unset}}", "unset\n"),
        (["-ec"], "pwd; echo ${MINE-unset}", f"{rig.cwd}\nunset\n"),
        (["-H", str(data)], "cat \"$HOME/f\"", "data\n"),
        (["--no-home"], "ls -A \"$HOME\" | grep -v project; exit 0", ""),
        (["--pwd", "/opt/foo"], "pwd", "/opt/foo\n"),
        (["-W", str(data)], "echo x > /tmp/t && cat /tmp/t", "x\n"),
        (["-S", "/opt/scratch"], "echo x > /opt/scratch/t && cat /opt/scratch/t", "x\n"),
        (["--writable-tmpfs"], "echo x > /opt/t && cat /opt/t", "x\n"),
        (["-n"], "cat /proc/net/dev | grep -c :", "1\n"),
        (["--uts", "--hostname", "node"], "hostname", "node\n"),
        (["--mount", f"type=bind,source={data},destination=/m,ro"], "cat /m/f", "data\n"),
        (["-p", "-i", "-u", "--no-init"], "echo fine", "fine\n"),
    ]
    for words, script, wanted in table:
        equal(inside(rig, *words, script).text, wanted, str(words))
    check(not (data / "new").exists(), "-B SRC:DST:ro was written")
    equal(sorted(os.listdir(data)), ["env", "f"])
    equal(inside(rig, "-o", f"{layer}/", "echo x > /opt/t").status, 0)
    equal(inside(rig, "--overlay", str(layer), "cat /opt/t").text, "x\n")


@test()
def what_there_is_not(rig):
    """an option that cannot be had says what can"""
    for words, part in ((["--compat"], "--containall"), (["--no-mount", "tmp"], "--contain"),
                        (["--security", "seccomp:x"], "--seccomp"), (["-w"], "--overlay")):
        contains(inside(rig, *words, "exit 3").failed_by_us(words[0]).errors, part)


if __name__ == "__main__":
    main()
