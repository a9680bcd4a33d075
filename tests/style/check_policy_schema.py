#!/usr/bin/env python3
"""Puts policies to docs/policy.schema.json with a validator that is not ours: the shipped profiles, the
samples and the examples of the documents are accepted, each of tests/data/policies/invalid is refused.
(tests/unit/policy/language_test.cc puts the same files to the loader, and compares the schema with
what the program prints.) `check_policy_schema.py ROOT`."""
import glob
import json
import os
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"SKIPPED: {missing}; the packages are python3-jsonschema and python3-yaml")
    sys.exit(0)


def quote_argument_paths(text):
    """nacre reads an argument path inside braces without quotes; the rest of YAML does not."""
    return re.sub(r"([{,]\s*)([\w.-]+(?:\[(?:\d+|\*|\?)\][\w.]*)+):", r'\1"\2":', text)


def load(text):
    return yaml.safe_load(quote_argument_paths(text))


def examples(root):
    """The documents' policies: fenced YAML that begins as one."""
    for path in ["README.md", *glob.glob("docs/*.md", root_dir=root)]:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", file.read(),
                                                      re.DOTALL | re.MULTILINE)):
                if re.search(r"^nacre: policy/1$", block, re.MULTILINE) and "\nname:" in block:
                    yield f"{path}, example {number + 1}", block


def files(root, pattern):
    for path in sorted(glob.glob(pattern, root_dir=root)):
        if path.endswith(".cases.yaml"):
            continue  # of a policy beside it, and none
        with open(os.path.join(root, path), encoding="utf-8") as file:
            yield path, file.read()


def main(root):
    with open(os.path.join(root, "docs/policy.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = [*files(root, "policy/profiles/*.yaml"), *files(root, "tests/data/policies/valid/*.yaml"),
            *examples(root)]
    bad = [*files(root, "tests/data/policies/invalid/*.yaml")]
    problems = []
    for where, text in good:
        problems += [f"{where}: {error.json_path}: {error.message}"
                     for error in validator.iter_errors(load(text))]
    for where, text in bad:
        if validator.is_valid(load(text)):
            problems.append(f"{where}: the schema accepts what the loader refuses")
    if len(good) < 8 or len(bad) < 15:
        problems.append(f"only {len(good)} valid and {len(bad)} invalid policies were found")
    print("\n".join(problems))
    print(f"{len(good)} policies are to be accepted, {len(bad)} refused: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
