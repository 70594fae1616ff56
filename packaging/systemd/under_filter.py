#!/usr/bin/env python3
"""Runs a command under the system call filter of a unit, where no systemd runs that would set it.

    under_filter.py UNIT COMMAND ...

For checks: whether Chromium still takes pictures under liteset.service. Needs systemd-analyze and libseccomp.
"""

import ctypes
import ctypes.util
import errno
import os
import subprocess
import sys

ALLOW, ERRNO_EPERM = 0x7FFF0000, 0x00050000 | errno.EPERM
PR_SET_NO_NEW_PRIVS = 38


def members(name):
    """The system calls of a group; `@default` is in every allow list."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    found = set()
    for line in said.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= members(word)
    return found


def allowed(unit):
    """The calls that are left when the lines of `SystemCallFilter=` are followed in their order."""
    calls = members("@default")
    with open(unit, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key != "SystemCallFilter":
                continue
            taken = value.startswith("~")
            for word in value.lstrip("~").split():
                calls = calls - members(word) if taken else calls | members(word)
    return calls


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    calls = allowed(unit) | {"execve"}
    seccomp = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO_EPERM)))
    for call in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        # names of other architectures have no number here
        if number >= 0:
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or seccomp.seccomp_load(context):
        sys.exit("the filter could not be loaded")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
