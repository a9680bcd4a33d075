#!/usr/bin/env python3
"""Checks what the documents say against the tree: links lead somewhere, docs/limits.md and the
constants in the code agree in both directions, docs/specification.md names tests that exist, and no
file holds what belongs to one machine only. `check_docs.py ROOT`; `check_docs.py --self-test`."""
import os
import re
import sys

import source_tree

# ---- links --------------------------------------------------------------------------------------
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def without_code(markdown):
    """The text with fenced and inline code blanked; lines stay where they are."""
    markdown = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group()), markdown,
                      flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group()), markdown)


def anchors(markdown):
    """GitHub's anchors of the headings."""
    headings = re.findall(r"^#+[ \t]+(.*?)[ \t]*$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def link_problems(root, path, markdown):
    for match in LINK.finditer(without_code(markdown)):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue  # another machine's: not looked at, tests need no network
        file, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        where = f"{path}:{markdown.count(chr(10), 0, match.start()) + 1}: {target}"
        if full.startswith("..") or not os.path.exists(os.path.join(root, full)):
            yield f"{where}: there is no such file"
        elif anchor and full.endswith(".md") and anchor not in anchors(source_tree.read(root, full)):
            yield f"{where}: {full} has no such heading"


# ---- limits -------------------------------------------------------------------------------------
# A limit in code: constexpr, and its name says so.
LIMIT = re.compile(r"\bconstexpr\s+[\w:<> ]+?\b(k\w*(?:Max|Limit))\s*(?:=\s*([^;]+)|\{([^}]*)\})\s*;")
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ms": 1, "s": 1}


def value_of(expression):
    """The number that a simple constant expression stands for, or None."""
    plain = re.sub(r"(?<=[0-9a-fA-F])[uUlL]+\b", "", expression.replace("'", "")).strip()
    if not re.fullmatch(r"[0-9a-fA-Fx+*\-<() ]+", plain):
        return None
    try:
        return eval(plain, {"__builtins__": {}})  # digits and operators only
    except (SyntaxError, TypeError):
        return None


def stated_value(cell):
    """"256 KiB" -> 262144, "1,000,000" -> 1000000; None when the cell is no plain number."""
    match = re.fullmatch(r"([0-9][0-9,]*) ?(KiB|MiB|GiB|ms|s)?(?: .*)?", cell)
    return int(match.group(1).replace(",", "")) * UNITS[match.group(2) or ""] if match else None


def limits_in_code(root):
    """(file, constant) -> expression."""
    found = {}
    for path in source_tree.files(root, (".h", ".cc")):
        if not path.startswith("tests/"):
            for name, assigned, braced in LIMIT.findall(source_tree.read(root, path)):
                found[path, name] = assigned or braced
    return found


def limit_problems(markdown, code, read):
    """Rows: | limit | value | `file`: `kConstant` | owner | what happens |"""
    stated = {}
    for number, line in enumerate(markdown.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 5 or cells[0] == "limit" or set(cells[0]) <= {"-", ":"}:
            continue
        where = f"docs/limits.md:{number}"
        for cell in cells:
            if not cell:
                yield f"{where}: an empty cell"
        place = re.match(r"`([^`]+)`(?:: `([\w:]+)`)?", cells[2])
        if not place:
            yield f"{where}: the third column names the file: `path` or `path`: `kConstant`"
            continue
        text = read(place.group(1))
        if text is None:
            yield f"{where}: there is no file {place.group(1)}"
        elif place.group(2):
            stated[place.group(1), place.group(2)] = True
            if not re.search(rf"\b{place.group(2)}\b", text):
                yield f"{where}: {place.group(1)} has no {place.group(2)}"
                continue
            in_code = value_of(code.get((place.group(1), place.group(2)), "unknown"))
            in_table = stated_value(cells[1])
            if None not in (in_code, in_table) and in_code != in_table:
                yield f"{where}: {place.group(2)} is {in_code} in the code and {cells[1]} here"
    for path, name in code:
        if (path, name) not in stated:
            yield f"{path}: {name} has no row in docs/limits.md"


# ---- tests that a specification names -----------------------------------------------------------
def specification_problems(markdown, read):
    """Each promise ends in its tests: `tests/...: claim of the test` or `tests/...`. A claim may be
    broken over lines, as a C++ string may."""
    for match in re.finditer(r"`(tests/[^`:]+)(?:: ([^`]+))?`", markdown):
        where = f"docs/specification.md:{markdown.count(chr(10), 0, match.start()) + 1}"
        text = read(match.group(1))
        if text is None:
            yield f"{where}: there is no {match.group(1)}"
        elif match.group(2) and match.group(2) not in re.sub(r'"\s*\n\s*"', "", text):
            yield f"{where}: {match.group(1)} has no test \"{match.group(2)}\""


# ---- words that belong in no file ---------------------------------------------------------------
# Written in pieces, so that this file passes its own check.
FORBIDDEN = [
    (re.compile(r"\b" + "TO" + r"DO\b|\b" + "FIX" + r"ME\b|\b" + "XX" + r"X\b"),
     "unfinished work belongs in an issue",
     r"(?!runtime/inference/mini/)(.*\.(h|cc|c|py|sh|cmake|yaml|md)|.*/CMakeLists\.txt)"),
    (re.compile(r"registry\.npm" + r"js|deb\.debian\." + r"org|security\.debian\." + r"org|py" + r"pi\.org"
                r"|hub\.dock" + r"er\.com"),
     "name no registry's host", r".*"),
    (re.compile(r"(?<![\w.])/wo" + r"rk/|/tmp/" + r"w/"), "a path of one machine", r".*"),
    (re.compile(r"(?<![\w.~])/ro" + r"ot\b"), "a path of one machine", r"(docs/.*|[^/]*)\.md"),
]
DATA = re.compile(r"tests/(data|fuzz/corpus|golden)/|runtime/inference/mini/.*\.(json|gguf|txt)$|LICENSE$")


def word_problems(path, text):
    for pattern, why, where in FORBIDDEN:
        if re.fullmatch(where, path):
            for match in pattern.finditer(text):
                yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: \"{match.group()}\": {why}"


def self_test():
    def read(path):
        return {"a.h": "constexpr size_t kRowsMax = 4U << 10;", "tests/a_test.cc": "it works"}.get(path)

    code = {("a.h", "kRowsMax"): "4U << 10"}
    row = "| rows | %s | `%s`: `%s` | a | refused |"
    bad = [
        list(limit_problems(row % ("5 KiB", "a.h", "kRowsMax"), code, read)),
        list(limit_problems(row % ("4 KiB", "b.h", "kRowsMax"), {}, read)),
        list(limit_problems(row % ("4 KiB", "a.h", "kColumnsMax"), {}, read)),
        list(limit_problems("", code, read)),
        list(specification_problems("- x (`tests/b_test.cc`)", read)),
        list(specification_problems("- x (`tests/a_test.cc: it fails`)", read)),
        list(link_problems(".", "a.md", "[a](no-such-file.md)")),
        list(link_problems(".", "a.md", "[a](#nothing)")),
        list(word_problems("a.cc", "// TO" + "DO: later")),
        list(word_problems("a.sh", "cd /wo" + "rk/main")),
    ]
    good = [
        list(limit_problems(row % ("4 KiB", "a.h", "kRowsMax"), code, read)),
        list(specification_problems("- x (`tests/a_test.cc: it works`)", read)),
        list(link_problems(".", "a.md", "`[a](no-such-file.md)` [b](https://example.com)")),
        list(word_problems("a.cc", 'Check("/workspace/a");')),
    ]
    problems = [f"bad case {i} was not found" for i, found in enumerate(bad) if not found]
    problems += [p for found in good for p in found]
    source_tree.finish(problems, f"self-test of {len(bad) + len(good)} cases")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    root = sys.argv[1]

    def read(path):
        full = os.path.join(root, path)
        return source_tree.read(root, path) if os.path.isfile(full) else None

    problems, count = [], 0
    for path in source_tree.files(root):
        if DATA.match(path):
            continue
        try:
            text = source_tree.read(root, path)
        except UnicodeDecodeError:
            continue  # no text
        count += 1
        problems += word_problems(path, text)
        if path.endswith(".md"):
            problems += link_problems(root, path, text)
    problems += limit_problems(read("docs/limits.md") or "", limits_in_code(root), read)
    problems += specification_problems(read("docs/specification.md") or "", read)
    source_tree.finish(problems, f"documents and words of {count} files")


if __name__ == "__main__":
    main()
