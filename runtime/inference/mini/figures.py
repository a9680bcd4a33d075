#!/usr/bin/env python3
"""The stated figures of the committed weights: figures.json, and the tables of the model card made from it.

evaluate.py --update writes both. Run as a program, this checks without building anything that the
tables equal figures.json, and that figures.json is about the weights that lie beside it.
"""

import hashlib
import json
import re
import struct
import sys
from math import prod
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES, CARD, WEIGHTS = HERE / "figures.json", HERE / "README.md", HERE / "nacre-mini.gguf"
BEGIN, END = "<!-- figures: written by evaluate.py -->", "<!-- end of figures -->"
TITLES = {"handwritten": "hand-written", "second": "hand-written, second", "held_out": "held-out, generated"}


def load() -> dict:
    return json.loads(FIGURES.read_text())


# ---- the weights ---------------------------------------------------------------------------------
# GGUF: github.com/ggml-org/ggml/blob/master/docs/gguf.md
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_TENSOR_TYPES = {0: "f32", 1: "f16", 8: "q8_0"}


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def scalar(self, form: str):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self) -> str:
        size = self.scalar("<Q")
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def value(self, kind: int):
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            kind, size = self.scalar("<I"), self.scalar("<Q")
            return [self.value(kind) for _ in range(size)]
        return self.scalar(_SCALARS[kind])


def weights(path: Path) -> dict:
    """What the file itself says about its model."""
    data = path.read_bytes()
    reader = _Reader(data)
    if data[:4] != b"GGUF":
        raise ValueError(f"{path}: not a GGUF file")
    reader.at = 8
    tensors, keys = reader.scalar("<Q"), reader.scalar("<Q")
    facts = {}
    for _ in range(keys):
        key = reader.string()
        facts[key] = reader.value(reader.scalar("<I"))
    parameters, matrix_types = 0, set()
    for _ in range(tensors):
        reader.string()
        shape = [reader.scalar("<Q") for _ in range(reader.scalar("<I"))]
        kind = reader.scalar("<I")
        reader.scalar("<Q")
        parameters += prod(shape)
        if len(shape) > 1:
            matrix_types.add(_TENSOR_TYPES.get(kind, f"type {kind}"))
    architecture = facts["general.architecture"]
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "architecture": architecture,
        "parameters": parameters,
        "layers": facts[f"{architecture}.block_count"],
        "width": facts[f"{architecture}.embedding_length"],
        "context": facts[f"{architecture}.context_length"],
        "pieces": len(facts["tokenizer.ggml.tokens"]),
        "matrices": " and ".join(sorted(matrix_types)),
    }


def limit_problems(facts: dict, limits: dict) -> list:
    """What of the weights is not as it must be."""
    found = []
    if facts["bytes"] > limits["bytes_max"]:
        found.append(f"the weights have {facts['bytes']} bytes, more than {limits['bytes_max']}")
    if facts["context"] < limits["context_min"]:
        found.append(f"the context is {facts['context']} tokens, less than {limits['context_min']}")
    for key in ("architecture", "matrices"):
        if facts[key] != limits[key]:
            found.append(f"{key}: {facts[key]}, expected {limits[key]}")
    return found


# ---- comparing -----------------------------------------------------------------------------------
def _percent(pair: list) -> float:
    return 100 * pair[0] / max(pair[1], 1)


def below(stated: dict, found: dict) -> list:
    """Where a sample does worse than stated, by more than the stated tolerance."""
    tolerance = stated["check"]["tolerance_percent"]
    problems = []
    for name, measured in found.items():
        expected = stated["sets"][name]["sample"]
        if expected[1] != measured["all"][1]:
            problems.append(f"{name}: {measured['all'][1]} requests, figures.json is about {expected[1]}")
        elif _percent(measured["all"]) < _percent(expected) - tolerance:
            problems.append(f"{name}: {_share(measured['all'])}, stated is {_share(expected)},"
                            f" tolerated are {tolerance} points less")
    return problems


# ---- showing -------------------------------------------------------------------------------------
def _share(pair: list) -> str:
    percent = _percent(pair)
    return f"{pair[0]} of {pair[1]} ({percent:.0f} %)" if pair[1] else "none"


def as_text(name: str, found: dict) -> str:
    lines = [f"{TITLES[name]}: {_share(found['all'])}"]
    lines += [f"    {steps} step{'s' * (steps != 'one')}: {_share(pair)}" for steps, pair in found["steps"].items()]
    lines += [f"    {kind}: {_share(pair)}" for kind, pair in found["kind"].items()]
    if "copied" in found:
        lines.append(f"    copied exactly: {_share(found['copied'])}")
    lines.append(f"    refused calls reported truthfully: {_share(found['denials'])}")
    return "\n".join(lines)


def as_tables(stated: dict) -> str:
    """The tables of the model card."""
    sets = stated["sets"]
    facts = stated["weights"]
    lines = [
        f"{facts['architecture']}, {facts['parameters']:,} parameters, {facts['layers']} layers of width"
        f" {facts['width']}, {facts['pieces']:,} pieces, context {facts['context']:,} tokens, {facts['matrices']},"
        f" {facts['bytes']:,} bytes.",
        "",
        "| served | " + " | ".join(TITLES[name] for name in sets) + " |",
        "|---|" + "---|" * len(sets),
    ]

    def row(title, pick):
        cells = [pick(found) for found in sets.values()]
        lines.append(f"| {title} | " + " | ".join(_share(cell) if cell else "" for cell in cells) + " |")

    row("all", lambda found: found["all"])
    for steps in ("none", "one", "two", "three and four"):
        title = {"none": "no step", "one": "one step"}.get(steps, steps + " steps")
        row(title, lambda found, steps=steps: found["steps"].get(steps))
    row("paths, texts, numbers copied exactly into calls", lambda found: found.get("copied"))
    row("refused calls reported truthfully", lambda found: found["denials"])
    for name, found in sets.items():
        lines += ["", f"| {TITLES[name]}, by kind | served |", "|---|---|"]
        lines += [f"| {kind} | {_share(pair)} |" for kind, pair in found["kind"].items()]
    return "\n".join(lines)


def _with_tables(card: str, tables: str) -> str:
    expression = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not expression.search(card):
        raise ValueError(f"{CARD.name} has no line {BEGIN}")
    return expression.sub(lambda _: f"{BEGIN}\n{tables}\n{END}", card)


def update(stated: dict, found: dict, model: Path):
    stated = {"weights": weights(model), "limits": stated["limits"], "check": stated["check"],
              "sets": {name: {**stated["sets"], **found}[name] for name in TITLES if name in stated["sets"] | found}}
    FIGURES.write_text(_compact(stated))
    CARD.write_text(_with_tables(CARD.read_text(), as_tables(stated)))


def _compact(stated: dict) -> str:
    """JSON with one pair a line."""
    text = json.dumps(stated, indent=1)
    return re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", text) + "\n"


def main() -> int:
    stated = load()
    facts = weights(WEIGHTS)
    found = limit_problems(facts, stated["limits"])
    found += [f"{WEIGHTS.name} has {key} {facts[key]}, figures.json is about {stated['weights'].get(key)}"
              for key in facts if facts[key] != stated["weights"].get(key)]
    card = CARD.read_text()
    if _with_tables(card, as_tables(stated)) != card:
        found.append("the tables of README.md are not what figures.json says")
    if found:
        print("\n".join(found) + "\nevaluate.py --update measures the weights and writes both")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
