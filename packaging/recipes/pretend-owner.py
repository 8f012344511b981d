#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs COMMAND so that every change of owner, user or group succeeds and does nothing.

A user namespace without subordinate ids knows one user; dpkg would fail at the
first file that belongs to another. The owners do not matter: inside an image
every file appears as the caller's own.

    unshare --user --map-root-user pretend-owner.py COMMAND [ARGUMENT]...
"""
import ctypes
import os
import struct
import sys

# chown fchown lchown fchownat, set{u,g,reu,reg,resu,resg,fsu,fsg}id setgroups
MACHINES = {
    'x86_64': (0xC000003E, (92, 93, 94, 260, 105, 106, 113, 114, 117, 119, 122, 123, 116)),
    'aarch64': (0xC00000B7, (55, 54, 146, 144, 145, 143, 147, 149, 151, 152, 159)),
}
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, SUCCEED = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 0


def filter_program(architecture, calls):
    def instruction(code, on_true, on_false, operand):
        return struct.pack('HBBI', code, on_true, on_false, operand)

    program = [instruction(LOAD, 0, 0, 4),  # seccomp_data.arch: another one's numbers mean other calls
               instruction(JUMP_IF_EQUAL, 1, 0, architecture),
               instruction(RETURN, 0, 0, ALLOW),
               instruction(LOAD, 0, 0, 0)]  # seccomp_data.nr
    for call in calls:
        program += [instruction(JUMP_IF_EQUAL, 0, 1, call), instruction(RETURN, 0, 0, SUCCEED)]
    program.append(instruction(RETURN, 0, 0, ALLOW))
    return program


def install(program):
    code = ctypes.create_string_buffer(b''.join(program))
    header = struct.pack('HP', len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header)):
        sys.exit('rootlet: install seccomp filter: ' + os.strerror(ctypes.get_errno()))


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if os.uname().machine not in MACHINES:
        sys.exit('rootlet: pretend owners: ' + os.uname().machine + ': machine not known')
    install(filter_program(*MACHINES[os.uname().machine]))
    os.execvp(sys.argv[1], sys.argv[1:])
