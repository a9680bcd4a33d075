"""The files that the style checks look at: the source tree without builds and caches."""
import os
import sys

_SKIPPED = {".git", ".cache", "build", "__pycache__", "node_modules"}


def files(root, suffixes=()):
    """Yields paths relative to `root`, with '/', sorted; all files, or those with the suffixes."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(n for n in subfolders if n not in _SKIPPED)
        for name in sorted(set(names) - _SKIPPED):  # in a linked worktree, .git is a file
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            if not suffixes or name.endswith(tuple(suffixes)):
                yield path


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def finish(problems, checked):
    """Prints the problems, one a line, and ends the process."""
    for problem in problems:
        print(problem)
    print(f"{checked}: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)
