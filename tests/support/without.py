#!/usr/bin/env python3
"""without.py overlay|owners PROGRAM ARGUMENT...: runs a program on a host that lacks something.

An outer seccomp filter answers in the kernel's place. See missing_call.h.
overlay: EINVAL to fsconfig(2) of a flag, as a kernel does that does not know the option userxattr of overlays in
user namespaces. What else the sandbox mounts has no flags.
owners: EPERM to whoever gives a file to somebody, as a file server does that trusts no root."""
import ctypes
import os
import struct
import sys

FSCONFIG, SET_FLAG, FCHOWN, FCHOWNAT = 431, 0, 93, 260
EPERM, EINVAL = 1, 22
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SECOND_ARGUMENT = 16 + 8  # of struct seccomp_data, its lower half
ERROR, ALLOW = 0x00050000, 0x7FFF0000
FILTERS = {
    "overlay": [
        (LOAD, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 3, FSCONFIG),
        (LOAD, 0, 0, SECOND_ARGUMENT),
        (JUMP_IF_EQUAL, 0, 1, SET_FLAG),
        (RETURN, 0, 0, ERROR | EINVAL),
        (RETURN, 0, 0, ALLOW),
    ],
    "owners": [
        (LOAD, 0, 0, 0),
        (JUMP_IF_EQUAL, 1, 0, FCHOWN),
        (JUMP_IF_EQUAL, 0, 1, FCHOWNAT),
        (RETURN, 0, 0, ERROR | EPERM),
        (RETURN, 0, 0, ALLOW),
    ],
}


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = FILTERS[sys.argv[1]]
    code = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    program = Program(len(instructions), code)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0 or \
            libc.prctl(set_seccomp, filter_mode, ctypes.byref(program), 0, 0) != 0:
        sys.exit(f"no outer filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
