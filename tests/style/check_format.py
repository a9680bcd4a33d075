#!/usr/bin/env python3
"""Checks that clang-format 14 would leave every C++ file as it is. `check_format.py ROOT`;
`check_format.py --fix ROOT` formats them. Another version formats differently: then it is skipped."""
import concurrent.futures
import os
import shutil
import subprocess
import sys

import source_tree

VERSION = "14."  # Debian 12's


def clang_format():
    """The program, or None with the reason."""
    for name in ("clang-format-14", "clang-format"):
        program = shutil.which(name)
        if program:
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            if f"version {VERSION}" in said:
                return program, None
    return None, "clang-format 14 is not installed (Debian: apt-get install clang-format-14)"


def main():
    fix = sys.argv[1] == "--fix"
    root = sys.argv[-1]
    program, why = clang_format()
    if program is None:
        print(f"SKIPPED: {why}")
        sys.exit(1 if fix else 0)
    paths = list(source_tree.files(root, (".h", ".cc")))
    # In batches, side by side: a process per file would take longer than the formatting.
    batches = [paths[i:i + 16] for i in range(0, len(paths), 16)]
    command = [program, "-i"] if fix else [program, "--dry-run"]

    def run(batch):
        return subprocess.run(command + batch, cwd=root, capture_output=True, text=True, check=True).stderr

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings = "".join(pool.map(run, batches))
    ugly = sorted({line.split(":", 1)[0] for line in warnings.splitlines() if "[-Wclang-format-" in line})
    source_tree.finish([f"{path}: not as clang-format 14 writes it" for path in ugly]
                       + (["fix all: python3 tests/style/check_format.py --fix ."] if ugly else []),
                       f"format of {len(paths)} files")


if __name__ == "__main__":
    main()
