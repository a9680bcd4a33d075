"""Byte-level BPE of nacre-mini, equal to llama.cpp's `gpt2` tokenizer on its vocabulary.

A small model copies a name well only if the name has the same pieces wherever it
stands. Merges therefore stay inside runs of ASCII letters (plus a few inside JSON
punctuation), so neither a space, a slash nor a quote before a name changes its
pieces. GPT-2's pre-tokenizer would break this in two places, which user-defined
pieces (matched before pre-tokenization) repair: the apostrophe ('s is split off as
a contraction) and the JSON escapes (`\\nreport` would start a letter run with n).

With such merges the pre-tokenizer's other rules make no difference, so `encode`
needs none of them (it was compared with llama_tokenize on 7,006 texts).
"""

import json
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
END_OF_TEXT, IM_START, IM_END, CALL_OPEN, CALL_CLOSE = range(5)

TOOLS = ["fs.list", "fs.read", "fs.write", "fs.edit", "fs.search", "proc.run", "memory.note", "memory.search"]
# Ordinary text that always is one piece; longest first, as llama.cpp matches it.
USER_DEFINED = sorted(
    ['{"name":"%s","arguments":{' % tool for tool in TOOLS] + ["\\n", '\\"', "\\t"], key=len, reverse=True
)
APOSTROPHE = "'"
JSON_MERGES = [
    ('"', ":"),
    ('"', ","),
    ('"', "}"),
    ('"', "]"),
    ('":', '"'),
    ('",', '"'),
    ('"}', "}"),
    ('":', "["),
    ('":[', '"'),
    ('"]', "}"),
    ('"]}', "}"),
]

_RUNS = re.compile(rb'[A-Za-z]+|["{}\[\]:,]+|.', re.DOTALL)


def byte_map() -> dict:
    """GPT-2's map from bytes to printable characters."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    mapping = {byte: chr(byte) for byte in printable}
    mapping.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return mapping


BYTES = byte_map()


class Tokenizer:
    """Pieces and merges, read from `vocabulary.json` beside this file."""

    def __init__(self, letter_merges):
        self.merges = [tuple(merge) for merge in JSON_MERGES] + [tuple(merge) for merge in letter_merges]
        self.rank = {merge: rank for rank, merge in enumerate(self.merges)}
        self.pieces = list(CONTROL) + USER_DEFINED + [BYTES[byte] for byte in range(256)]
        self.pieces += [left + right for left, right in self.merges]
        self.ids = {piece: index for index, piece in enumerate(self.pieces)}
        self.user_defined = {self.ids[piece] for piece in [*USER_DEFINED, APOSTROPHE]}
        self._split = re.compile("(%s)" % "|".join(map(re.escape, USER_DEFINED)))
        self._unmap = {char: byte for byte, char in BYTES.items()}
        self._run = lru_cache(100_000)(self._encode_run)

    @classmethod
    def load(cls) -> "Tokenizer":
        path = Path(__file__).with_name("vocabulary.json")
        return cls([merge.split(" ") for merge in json.loads(path.read_text())["letter_merges"]])

    def _encode_run(self, run: bytes) -> tuple:
        parts = [BYTES[byte] for byte in run]
        while len(parts) > 1:
            ranks = [self.rank.get(pair, len(self.rank)) for pair in zip(parts, parts[1:])]
            best = min(ranks)
            if best == len(self.rank):
                break
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return tuple(self.ids[part] for part in parts)

    def encode(self, text: str) -> list:
        """Content: never yields a control piece."""
        result = []
        for part in self._split.split(text):
            if part in self.ids and part in USER_DEFINED:
                result.append(self.ids[part])
                continue
            for run in _RUNS.findall(part.encode("utf-8", "surrogateescape")):
                result.extend(self._run(run))
        return result

    def decode(self, tokens) -> str:
        """Text of tokens; control pieces appear by their names."""
        data = b""
        for token in tokens:
            piece = self.pieces[token]
            if token < len(CONTROL):
                data += piece.encode()
            else:
                data += bytes(self._unmap[char] for char in piece)
        return data.decode("utf-8", "replace")


def learn_merges(texts, count: int) -> list:
    """The `count` most useful merges inside letter runs; a capital only begins a piece."""
    words = Counter(word for text in texts for word in re.findall(r"[A-Z]?[a-z]+", text))
    split = {word: list(word) for word in words}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, parts in split.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        pair = min(pairs, key=lambda item: (-pairs[item], item))
        merges.append(pair)
        joined = pair[0] + pair[1]
        for parts in split.values():
            at = 0
            while at + 1 < len(parts):
                if parts[at] == pair[0] and parts[at + 1] == pair[1]:
                    parts[at : at + 2] = [joined]
                at += 1
    return merges


def render(tokenizer: Tokenizer, turns) -> tuple:
    """Tokens of a conversation and, for each, whether the assistant wrote it.

    Every content is a segment of its own, as in the runtime. `turns` holds pairs
    (kind, text) with the kinds user, tool, call and answer.
    """
    tokens, own = [], []

    def add(part, mine):
        tokens.extend(part)
        own.extend([mine] * len(part))

    for kind, text in turns:
        role = "assistant" if kind in ("call", "answer") else kind
        add([IM_START] + tokenizer.encode(role) + tokenizer.encode("\n"), False)
        if kind == "call":
            add([CALL_OPEN] + tokenizer.encode(text) + [CALL_CLOSE, IM_END], True)
        else:
            add(tokenizer.encode(text), kind == "answer")
            add([IM_END], kind == "answer")
        add(tokenizer.encode("\n"), False)
    return tokens, own


def render_prompt(tokenizer: Tokenizer, turns) -> list:
    """The tokens after which the assistant's next turn begins."""
    return render(tokenizer, turns)[0] + [IM_START] + tokenizer.encode("assistant") + tokenizer.encode("\n")
