#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every system call of the start fails in turn: a clean message and no residue.

strace fails the n-th call of a kind in one of the run's processes. The run
then either ends in 125 with one line, or, where the step is optional, as the
tool ends; it never hangs, crashes, or runs the tool with less isolation.
"""
import resource
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import Failed, Skip, Untouched, check, main, test

MOST = 40  # calls of one kind; more means that the loop does not end

# The errno that each call fails with. What the kernel may really answer: a
# call for which the run has a fallback gets the errno that leads there.
CALLS = {"mount": "EPERM", "clone": "EAGAIN", "pivot_root": "EPERM", "umount2": "EINVAL",
         "prctl": "EPERM", "capset": "EPERM", "landlock_create_ruleset": "EOPNOTSUPP",
         "landlock_restrict_self": "EPERM", "seccomp": "EINVAL", "sendmsg": "ENOBUFS",
         "recvmsg": "ECONNRESET", "socketpair": "EMFILE", "setsid": "EPERM", "fchdir": "EACCES",
         "sethostname": "EPERM", "open_tree": "EPERM", "move_mount": "EPERM",
         "mount_setattr": "ENOSYS", "openat2": "ENOSYS", "mkdirat": "ENOSPC",
         "mknodat": "ENOSPC", "signalfd4": "EMFILE", "setpgid": "EPERM", "chdir": "EACCES",
         "close_range": "ENOSYS", "fstat": "EIO", "newfstatat": "EIO", "pread64": "EIO",
         "unlinkat": "EACCES", "symlinkat": "ENOSPC", "readlinkat": "EACCES", "dup2": "EMFILE",
         "unshare": "EPERM", "setns": "EPERM", "memfd_create": "EMFILE", "socket": "EMFILE",
         "ioctl": "EPERM"}
def strace(rig, inject, log, command):
    trace = ["strace", "-f", "-qq", "-o", log, "-e", "trace=" + inject.split(":")[0],
             "-e", "inject=" + inject]
    return rig.run(*trace, *command, timeout=20)


def stopped_at(log):
    """Whether the injected failure happened, and in what words."""
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line for line in text.splitlines() if "(INJECTED)" in line]
    return lines[0] if lines else None


def command(rig):
    """A tool that ends with 42 if it is isolated as it should be."""
    return [rig.image, "isolated", "/usr/bin/setpriv"]  # the host has it, the image does not


def judge(done, inject, at):
    """The end of a run with a failure in it."""
    where = f"{inject} at {at}"
    if done.code == 42:
        return "went on"
    check(done.code != 43, f"{where}: the tool ran with less isolation: {done}")
    check(done.code in (125, 126), f"{where}: {done}")
    lines = [l for l in done.errors.splitlines() if not l.startswith("strace:")]
    lines = [l for l in lines if "the current directory is not shown" not in l]  # said before
    named = [l for l in lines if l.startswith("rootlet: ")]
    check(done.out == b"" and len(named) == 1 and len(lines) <= 2, f"{where}: {done}")
    return "refused"


def fails_in_turn(call, error):
    def run(rig):
        """the n-th of its calls fails, for every n: one line and 125, or no harm"""
        if not shutil.which("strace"):
            raise Skip("no strace here: scripts/setup installs it")
        log = rig.top / "trace"
        ends, troubles = [], []
        for n in range(1, MOST + 1):
            # Each process of the run counts its own calls.
            inject = f"{call}:error={error}:when={n}"
            log.unlink(missing_ok=True)
            log.touch()
            log.chmod(0o666)
            try:
                with Untouched():
                    done = strace(rig, inject, log, command(rig))
                at = stopped_at(log)
                if at is None:
                    check(done.code == 42, f"{inject}, which never happened: {done}")
                    break
                ends.append(judge(done, inject, at))
            except Failed as trouble:
                troubles.append(str(trouble))
                if len(troubles) > 3:
                    break
        print(f"        {call}: {len(ends)} failures: {ends.count('refused')} refused, "
              f"{ends.count('went on')} went on")
        check(not troubles, "\n    ".join(troubles))
    run.__name__ = call
    return run


for call_, error_ in CALLS.items():
    test()(fails_in_turn(call_, error_))


@test()
def busy_for_a_moment(rig):
    """a mount that cannot be made read-only at once, since somebody writes to it, is tried again"""
    if not shutil.which("strace"):
        raise Skip("no strace here: scripts/setup installs it")
    log = rig.top / "trace"
    for call, is_meant in (("mount_setattr", lambda at: True), ("mount", lambda at: "MS_REMOUNT" in at)):
        tried = 0
        for n in range(1, MOST + 1):
            inject = f"{call}:error=EBUSY:when={n}"
            log.write_text("")
            log.chmod(0o666)
            with Untouched():
                done = strace(rig, inject, log, command(rig))
            at = stopped_at(log)
            if at is None:
                break
            tried += is_meant(at)
            check(done.code == 42 or not is_meant(at), f"{inject} at {at}: {done}")
        check(tried > 0, f"no {call} was tried")


@test()
def fuse_device(rig):
    """an open of /dev/fuse that fails: unpacked, or one line and 125"""
    log = rig.top / "trace"
    for error in ("ENODEV", "EPERM", "EACCES", "EMFILE"):
        log.unlink(missing_ok=True)
        log.touch()
        log.chmod(0o666)
        with Untouched():
            trace = ["strace", "-f", "-qq", "-o", log, "-P", "/dev/fuse", "-e",
                     "trace=openat,open,access,faccessat,faccessat2", "-e",
                     f"inject=openat:error={error}"]
            done = rig.run(*trace, *command(rig), timeout=20)
        judge(done, f"openat /dev/fuse {error}", stopped_at(log))


@test()
def no_memory(rig):
    """too little address space: it ends by itself, without a hang or residue"""
    for megabytes in (1, 2, 4, 8, 16, 32):
        size = megabytes << 20
        with Untouched():
            rig.run(*command(rig), timeout=20, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (size, size)))


if __name__ == "__main__":
    main()
