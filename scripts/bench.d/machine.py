# SPDX-License-Identifier: MIT
"""Where and with what it was measured."""
import os
import shutil
import subprocess
import time

VERSIONS = {"bwrap": "--version", "ch-run": "--version", "squashfuse_ll": "--help",
            "mksquashfs": "-version", "tar2sqfs": "--version"}


def first_line(program, option):
    done = subprocess.run([program, option], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.splitlines()[0].strip() if done.stdout else ""


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return os.uname().machine


def memory():
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB"


def virtual():
    done = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True) \
        if shutil.which("systemd-detect-virt") else None
    return done.stdout.strip() if done and done.returncode == 0 else ""


def description(top):
    commit = subprocess.run(["git", "-C", top, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    tools = [first_line(name, option) for name, option in VERSIONS.items() if shutil.which(name)]
    return {"processor": processor(), "processors": len(os.sched_getaffinity(0)), "memory": memory(),
            "virtual": virtual(), "kernel": os.uname().release, "user": "root" if os.geteuid() == 0 else "plain",
            "date": time.strftime("%Y-%m-%d"), "commit": commit.stdout.strip(),
            "load": os.getloadavg()[0], "tools": [tool for tool in tools if tool]}


def text(machine):
    where = f" ({machine['virtual']})" if machine["virtual"] else ""
    return (f"{machine['processor']}{where}, {machine['processors']} processors, {machine['memory']}, "
            f"Linux {machine['kernel']}, as {machine['user']} user, commit {machine['commit']}, "
            f"{machine['date']}, load before {machine['load']:.1f}. " + "; ".join(machine["tools"]) + ".")
