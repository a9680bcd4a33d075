#!/usr/bin/env python3
"""Measures what each layer of the sandbox holds alone, and writes the table of it into
docs/threat-model.md: `update_threat_model.py BUILD_FOLDER`. The escape suite runs once with each layer
switched off, as an ordinary user (root becomes one). Takes a few minutes."""
import collections
import concurrent.futures
import datetime
import os
import platform
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = os.path.join(ROOT, "docs", "threat-model.md")
BEGIN = "<!-- defence in depth: written by tests/security/update_threat_model.py -->"
END = "<!-- end of defence in depth -->"


def run(build, *arguments):
    command = [os.path.join(build, "tests", "security", "run_probes"), *arguments]
    if os.geteuid() == 0:
        # Not as nobody, which root's calls run as.
        command = ["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups", "--", *command]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout.splitlines()


def layers(build):
    """[(name, why it cannot be switched off alone, or "")]"""
    return [tuple(line.partition(": ")[::2]) for line in run(build, "--layers")]


def verdicts(build, layer=None):
    """probe -> (verdict, layer)"""
    lines = run(build, *(["--without", layer] if layer else []))
    return {words[2]: (words[0], words[1]) for words in (line.split(None, 3) for line in lines)}


def table(build):
    everything = layers(build)
    switched = [name for name, why in everything if not why]
    # Side by side: the probes wait more than they compute.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        whole, *rest = pool.map(lambda name: verdicts(build, name), [None, *switched])
    without = dict(zip(switched, rest))
    classes = sorted({probe.partition("/")[0] for probe in whole})
    count = collections.Counter(probe.partition("/")[0] for probe in whole)
    lines = ["| class | probes | " + " | ".join(switched) + " |", "|---|" + "---|" * (len(switched) + 1)]

    def escaped(name, of):
        return [probe for probe, (verdict, _) in without[name].items()
                if verdict == "escaped" and whole[probe][0] != "escaped" and probe.startswith(of)]

    def cells(of):
        return " | ".join(str(len(escaped(name, of)) or "-") for name in switched)

    for each in classes:
        lines.append(f"| {each} | {count[each]} | {cells(each + '/')} |")
    lines.append(f"| **all** | {len(whole)} | {cells('')} |")
    lines += ["", "Not switched off alone:", ""]
    lines += [f"- `{name}`: {why}" for name, why in everything if why]
    lines += ["", "Which attacks each layer stops alone:", ""]
    for name in switched:
        names = ", ".join(f"`{probe}`" for probe in escaped(name, "")) or "none"
        lines.append(f"- **{name}**: {names}")
    first = collections.Counter(layer for verdict, layer in whole.values() if verdict == "stopped")
    stopped = ", ".join(f"{layer} {number}" for layer, number in first.most_common())
    skipped = [probe for probe, (verdict, _) in whole.items() if verdict == "skipped"]
    made = (f"Measured on {datetime.date.today()}, Linux {platform.release()}, as an ordinary user. With all layers, "
            f"{sum(first.values())} of {len(whole)} attacks were stopped, first by: {stopped}."
            + (f" Not tried there: {', '.join(f'`{probe}`' for probe in skipped)}." if skipped else ""))
    return "\n".join([made, "", *lines])


def main():
    text = open(DOCUMENT, encoding="utf-8").read()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    text = text[:start] + "\n" + table(os.path.abspath(sys.argv[1])) + "\n" + text[end:]
    with open(DOCUMENT, "w", encoding="utf-8") as document:
        document.write(text)


if __name__ == "__main__":
    main()
