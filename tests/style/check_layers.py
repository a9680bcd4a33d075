#!/usr/bin/env python3
"""Holds the dependency arrows of docs/architecture.md: one way down the tree, and each foreign
vocabulary in the files that own it. `check_layers.py ROOT`; `check_layers.py --self-test`."""
import re
import sys

import source_tree

# Who may include whom. A file belongs to the longest matching entry; it may include its own entry
# and those listed. "sdk" means the public headers, sdk/include.
ARROWS = {
    "base": [],
    "policy": ["base"],
    "sandbox": ["base"],
    "memory": ["base"],
    "sdk/include": [],
    "sdk/src": ["sdk/include", "base"],
    "sdk/examples": ["sdk/include"],
    "sdk/client": ["base", "sdk/include"],
    "tools": ["base", "sdk/include"],
    "tools/builtin": ["base", "sdk/include"],
    "runtime/audit": ["base"],
    "runtime/plot": ["base", "runtime/audit"],
    "runtime/verify": ["base", "runtime/audit"],
    "runtime/net": ["base"],
    "runtime/inference": ["base", "runtime/net"],
    "runtime/alert": ["base", "runtime/audit", "runtime/net"],
    "runtime/export": ["base", "runtime/audit", "runtime/net"],
    "runtime/inference/worker": ["base", "runtime/inference"],
    # No part of the runtime: a user of all of it, which links the tools as they are.
    "runtime/inference/mini": ["base", "policy", "sandbox", "memory", "tools", "sdk/include", "sdk/src",
                               "runtime/agent", "runtime/audit", "runtime/inference"],
    "runtime/agent": ["base", "policy", "sandbox", "memory", "tools", "sdk/include", "runtime/audit",
                      "runtime/inference"],
    # Judges recorded runs with the agent's own parts; "memory" for the session machine's header.
    "runtime/redteam": ["base", "policy", "memory", "runtime/agent", "runtime/inference"],
    "runtime/server": ["base", "policy", "memory", "tools", "runtime/agent"],
    "runtime": ["base", "policy", "sandbox", "memory", "tools", "runtime/agent", "runtime/audit",
                "runtime/inference"],
    "runtime/cli": ["base", "policy", "sandbox", "memory", "tools", "sdk/client", "runtime",
                    "runtime/agent", "runtime/alert", "runtime/audit", "runtime/export", "runtime/inference", "runtime/plot", "runtime/redteam",
                    "runtime/server"],
}

# Headers of other people's libraries: (what the include looks like, which files may have it).
VOCABULARIES = [
    (r"yaml-cpp/", r"tools/manifest[^/]*"),
    (r"yaml\.h", r"policy/internal/yaml_tree\.cc"),
    (r"sqlite3\.h", r"memory/sqlite\.(h|cc)"),
    (r"(grpcpp|google/protobuf)/|nacre/v1/", r"(runtime/server|sdk/client)/.*"),
    (r"curl/", r"runtime/net/.*"),
    (r"(llama|ggml|gguf|chat|common|sampling)(-[a-z]+)?\.h", r"runtime/inference/worker/.*"),
    (r"zstd\.h", r"runtime/redteam/trace_reader\.cc|runtime/audit/bundle_codec\.cc"),
    (r"openssl/", r"base/digest\.cc|runtime/audit/.*"),
    (r"spdlog/", r"base/log\.cc"),
    (r"re2/", r"policy/.*|tools/builtin/fs/search/.*"),
    (r"seccomp\.h", r"sandbox/seccomp/.*|runtime/inference/worker/lockdown\.cc"),
    (r"CLI/", r"runtime/cli/.*"),
    (r"z3(\+\+)?\.h", r"policy/analysis/solver\.cc"),
    (r"catch2/", r"tests/.*"),
]

# "tests/..." may include anything of ours; it is here so that nothing of ours includes tests.
MODULES = ["base", "policy", "sandbox", "memory", "sdk", "tools", "runtime", "tests"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


def owner(path):
    """The entry of ARROWS that a path belongs to, or None."""
    if path.startswith("nacre/sdk/"):  # as the public headers are included
        return "sdk/include"
    fits = [entry for entry in ARROWS if path.startswith(entry + "/")]
    return max(fits, key=len) if fits else None


def module(path):
    return path.split("/", 1)[0]


def problems_of(path, text):
    problems = []
    in_tests = path.startswith("tests/")
    for match in INCLUDE.finditer(text):
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        included = match.group(2)
        foreign = [allowed for pattern, allowed in VOCABULARIES if re.match(pattern, included)]
        if foreign and module(included) not in MODULES:
            if not in_tests and not any(re.fullmatch(allowed, path) for allowed in foreign):
                problems.append(f"{where}: <{included}> belongs to {' and '.join(foreign)}")
            continue
        if match.group(1) == "<":
            continue
        if module(included) not in MODULES and not included.startswith("nacre/sdk/"):
            if in_tests:
                continue  # a helper beside the test
            problems.append(f'{where}: "{included}": includes are written from the root of the tree')
            continue
        if "/internal/" in included and module(included) != module(path) and not in_tests:
            problems.append(f'{where}: "{included}" is internal to {module(included)}')
        if in_tests:
            continue
        if module(included) == "tests":
            problems.append(f'{where}: "{included}": nothing but tests may include tests')
            continue
        mine, its = owner(path), owner(included)
        if mine is None or its is None:
            problems.append(f"{where}: check_layers.py has no entry for {path if mine is None else included}")
        elif its != mine and its not in ARROWS[mine]:
            problems.append(f'{where}: "{included}": {mine} must not depend on {its}')
    return problems


def cycle():
    """A cycle in ARROWS, as a list, or None: the table itself must go one way."""
    done, path = set(), []

    def walk(entry):
        if entry in path:
            return path[path.index(entry):] + [entry]
        if entry in done:
            return None
        path.append(entry)
        for below in ARROWS[entry]:
            found = walk(below)
            if found:
                return found
        path.pop()
        done.add(entry)
        return None

    for entry in ARROWS:
        found = walk(entry)
        if found:
            return found
    return None


def self_test():
    bad = [
        ("policy/a.cc", '#include "sandbox/sandbox.h"'),
        ("sandbox/a.cc", '#include "runtime/agent/events.h"'),
        ("memory/store.cc", "#include <sqlite3.h>"),
        ("runtime/agent/a.cc", '#include "policy/internal/glob.h"'),
        ("runtime/cli/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("base/a.cc", '#include "tests/support/skip.h"'),
        ("base/a.cc", '#include "result.h"'),
        ("tools/builtin/fs/a.cc", '#  include "tools/manifest.h"'),
        ("runtime/inference/a.cc", '#include "llama.h"'),
    ]
    good = [
        ("policy/a.cc", '#include "policy/internal/glob.h"\n#include <re2/re2.h>'),
        ("runtime/agent/a.cc", '#include "sandbox/sandbox.h"\n#include "nacre/sdk/schema.h"'),
        ("tests/unit/a.cc", '#include "policy/internal/glob.h"\n#include <catch2/catch.hpp>'),
        ("memory/sqlite.cc", "#include <sqlite3.h>"),
    ]
    problems = [f"not found: {path}: {text}" for path, text in bad if not problems_of(path, text)]
    problems += [p for path, text in good for p in problems_of(path, text)]
    source_tree.finish(problems, f"self-test of {len(bad) + len(good)} cases")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    root = sys.argv[1]
    problems = []
    loop = cycle()
    if loop:
        problems.append("check_layers.py: the arrows go round: " + " -> ".join(loop))
    count = 0
    for path in source_tree.files(root, (".h", ".cc", ".c")):
        if module(path) in MODULES:
            count += 1
            problems += problems_of(path, source_tree.read(root, path))
    source_tree.finish(problems, f"layers of {count} files")


if __name__ == "__main__":
    main()
