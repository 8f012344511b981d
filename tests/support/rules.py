# SPDX-License-Identifier: MIT
"""Rules for what the tests run, written by hand."""
import json
import os

from promises import Failed, equal

CALLS = {
    # A shell of busybox, and the small programs that it starts.
    "shell": "read write open openat close fstat newfstatat stat lstat lseek mmap mprotect munmap brk "
             "pread64 access arch_prctl set_tid_address set_robust_list rseq prlimit64 getrandom "
             "futex getuid geteuid getgid getegid getpid getppid rt_sigaction rt_sigprocmask "
             "getdents64 fcntl clone fork vfork wait4 getcwd uname dup dup2 pipe pipe2 dup3 readlink poll "
             "sysinfo statx sendfile mkdir unlink rmdir rename unlinkat chdir setuid setgid umask "
             "kill nanosleep clock_nanosleep getpgrp setpgid readlinkat faccessat madvise mremap "
             "writev readv utimensat prctl setitimer".split(),
    "network": "socket bind listen accept connect setsockopt getsockopt select pselect6 shutdown "
               "sendto recvfrom getsockname getpeername".split(),
}


def shell_rules(action="deny", error="1 EPERM"):
    """The image's files may be read, its programs executed, /tmp written."""
    calls = [{"name": name} for name in CALLS["shell"]]
    calls.append({"name": "ioctl", "arguments": [
        {"index": 1, "values": ["0x5401 TCGETS", "0x5413 TIOCGWINSZ", "0x540f TIOCGPGRP"]}]})
    otherwise = {"action": action}
    if action == "deny":
        otherwise["errno"] = error
    return {
        "rootlet_rules": 1, "machine": os.uname().machine, "otherwise": otherwise,
        "system_calls": calls,
        "paths": [
            {"path": "/bin", "below": True, "access": ["list", "read"], "where": "image"},
            {"path": "/opt", "below": True, "access": ["list", "read"], "where": "image"},
            {"path": "/var/tmp", "below": True, "access": ["create", "delete", "list", "read", "write"]},
            {"path": "/dev/null", "access": ["read", "write"]},
            {"path": "/proc/self/status", "access": ["read"]}],
        "programs": [{"path": "/bin/busybox"}, {"path": "/opt/foo/bin", "below": True}],
        "network": []}


def rules_file(rig, rules, name="rules.json"):
    path = rig.top / name
    path.write_text(rules if isinstance(rules, str) else json.dumps(rules, indent=1))
    os.chown(path, rig.uid, rig.uid)
    return path


def learn_from_log(rig, run):
    """Rules from what `log` tells, until it tells nothing: run(OPTION...) runs the tool once."""
    rules = {"rootlet_rules": 1, "machine": os.uname().machine, "otherwise": {"action": "log"},
             "system_calls": [], "paths": [], "programs": [], "network": []}
    for _ in range(10):
        status = rig.top / "told"
        status.unlink(missing_ok=True)
        done = run(f"rules={rules_file(rig, rules, 'log.json')}", f"status={status}")
        events = [json.loads(line) for line in status.read_text().splitlines()]
        told = [e["allow"] for e in events if e["event"] == "refused"]
        if not told:
            equal(done.status, 0, repr(done))
            return dict(rules, otherwise={"action": "deny", "errno": "1 EPERM"})
        for line in told:
            kind, entry = line.split(": ", 1)
            entry = json.loads(entry)
            if entry.get("path", "").startswith(f"{rig.cwd}/"):
                entry.update(path="$CWD", below=True)
            rules[kind].append(entry)
    raise Failed("log still tells something new")
