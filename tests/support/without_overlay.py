#!/usr/bin/env python3
"""without_overlay.py PROGRAM ARGUMENT...: runs a program on a host that makes no overlays in user namespaces.

An outer seccomp filter answers EINVAL to fsconfig(2) of a flag, as a kernel does that does not know the option
userxattr. What else the sandbox mounts has no flags. See missing_call.h."""
import ctypes
import os
import struct
import sys

FSCONFIG, SET_FLAG, EINVAL = 431, 0, 22
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SECOND_ARGUMENT = 16 + 8  # of struct seccomp_data, its lower half
INSTRUCTIONS = [
    (LOAD, 0, 0, 0),
    (JUMP_IF_EQUAL, 0, 3, FSCONFIG),
    (LOAD, 0, 0, SECOND_ARGUMENT),
    (JUMP_IF_EQUAL, 0, 1, SET_FLAG),
    (RETURN, 0, 0, 0x00050000 | EINVAL),
    (RETURN, 0, 0, 0x7FFF0000),
]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("=HBBI", *each) for each in INSTRUCTIONS)
    program = Program(len(INSTRUCTIONS), code)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0 or \
            libc.prctl(set_seccomp, filter_mode, ctypes.byref(program), 0, 0) != 0:
        sys.exit(f"no outer filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
