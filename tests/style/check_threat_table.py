#!/usr/bin/env python3
"""Checks that the table of defence in depth in docs/threat-model.md is of the probes and layers that
there are: `check_threat_table.py ROOT`; `check_threat_table.py --self-test`."""
import os
import re
import sys

import source_tree

HINT = "measure again: tests/security/update_threat_model.py BUILD_FOLDER"


def layers_of(code):
    """name -> why it cannot be switched off alone."""
    return dict(re.findall(r'Named\{\s*Layer::k\w+, "([a-z-]+)",\s*"([^"]*)"\}', code))


def problems_of(document, layers, classes):
    part = document.partition("<!-- defence in depth")[2].partition("<!-- end of defence in depth -->")[0]
    rows = {cells[0]: cells[1:] for cells in
            ([cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("|"))}
    if "class" not in rows:
        return [f"docs/threat-model.md has no table of defence in depth; {HINT}"]
    problems = []
    switched = [name for name, why in layers.items() if not why]
    if rows["class"][1:] != switched:
        problems.append(f"its columns are not the layers that can be switched off, {', '.join(switched)}; {HINT}")
    for name, why in layers.items():
        if why and f"- `{name}`: {why}" not in part:
            problems.append(f"it does not say why {name} cannot be switched off alone; {HINT}")
        if not why and f"- **{name}**: " not in part:
            problems.append(f"it does not say what {name} stops alone; {HINT}")
    for name, count in classes.items():
        if rows.get(name, ["0"])[0] != str(count):
            problems.append(f"it has {rows.get(name, ['no'])[0]} probes of class {name}, there are {count}; {HINT}")
    for name in set(rows) - set(classes) - {"class", "---", "**all**"}:
        problems.append(f"there is no class {name}; {HINT}")
    return problems


def self_test():
    document = ("<!-- defence in depth: x -->\n| class | probes | a |\n|---|---|---|\n| files | 2 | 1 |\n"
                "| **all** | 2 | 1 |\n- `b`: why\n- **a**: none\n<!-- end of defence in depth -->")
    layers = {"a": "", "b": "why"}
    assert problems_of(document, layers, {"files": 2}) == []
    assert problems_of(document, layers, {"files": 3})
    assert problems_of(document, layers, {"files": 2, "races": 1})
    assert problems_of(document, {**layers, "c": ""}, {"files": 2})
    assert problems_of(document, {**layers, "c": "why"}, {"files": 2})
    assert problems_of(document, layers, {})
    assert problems_of("", layers, {"files": 2})
    assert layers_of('Named{Layer::kX, "a-b",\n "c"},') == {"a-b": "c"}
    print("self-test: ok")


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = sys.argv[1]
    probes = os.path.join(root, "tests", "security", "probes")
    classes = {name: len([file for file in os.listdir(os.path.join(probes, name)) if file.endswith(".c")])
               for name in sorted(os.listdir(probes)) if os.path.isdir(os.path.join(probes, name))}
    layers = layers_of(source_tree.read(root, "sandbox/selftest/layer.cc"))
    source_tree.finish(problems_of(source_tree.read(root, "docs/threat-model.md"), layers, classes),
                       f"defence in depth of {sum(classes.values())} probes, {len(layers)} layers")


if __name__ == "__main__":
    main()
