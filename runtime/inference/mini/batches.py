"""Conversations from files to batches of equal shape, read in this process or ahead in others."""

import json
import multiprocessing
import random
from itertools import chain, islice
from pathlib import Path

import torch

from strange_words import StrangeWords, language
from tokenizer import Tokenizer, render

STRETCH = 2000  # conversations read from one place
LANGUAGE_SAMPLE = 4000
AHEAD = 8  # batches that wait, for each reading process


def files_of(data: Path) -> list:
    """A file, or all conversations of a folder: they may still be growing."""
    return [path for path in sorted(data.glob("*.jsonl")) if path.stat().st_size] if data.is_dir() else [data]


def stretch(path: Path, start: int):
    """Turns of the conversations of a file that lie behind a place in it, which may be inside of a character."""
    with path.open(errors="replace") as lines:
        lines.seek(start)
        lines.readline()
        for line in islice(lines, STRETCH):
            if line.endswith("\n"):
                yield json.loads(line)["turns"]


def conversations(data: Path, seed: str, pieces):
    """Turns of one conversation after the other, without end, from places that the seed decides."""
    rng = random.Random(seed)
    known = chain.from_iterable(stretch(path, 0) for path in files_of(data))
    kept = language(islice(known, LANGUAGE_SAMPLE))
    strange = StrangeWords(pieces, kept)
    while True:
        files = files_of(data)
        sizes = [path.stat().st_size for path in files]
        (chosen,) = rng.choices(range(len(files)), sizes)
        for turns in stretch(files[chosen], rng.randrange(sizes[chosen])):
            yield strange.apply(turns, rng)


def batches(data: Path, seed: str, tokens: int, widths):
    """Pairs (tokens, whether the assistant wrote them) of rows that are one longer than their width.

    Each row holds one conversation, padded to the next of `widths`; a batch has `tokens` of
    them where the width divides that, and one row at least.
    """
    tokenizer = Tokenizer.load()
    waiting = {width: [] for width in widths}
    for turns in conversations(data, seed, tokenizer.pieces):
        row, own = render(tokenizer, turns)
        width = next((width for width in widths if len(row) <= width + 1), None)
        if width is None:
            continue
        rows = waiting[width]
        rows.append((row, own))
        if len(rows) < max(1, tokens // width):
            continue
        batch = torch.zeros(len(rows), width + 1, dtype=torch.short)
        mine = torch.zeros(len(rows), width + 1, dtype=torch.bool)
        for index, (row, own) in enumerate(rows):
            batch[index, : len(row)] = torch.tensor(row, dtype=torch.short)
            mine[index, : len(own)] = torch.tensor(own)
        rows.clear()
        yield batch, mine


def _read(queue, *arguments):
    torch.set_num_threads(1)
    for batch, mine in batches(*arguments):
        queue.put((batch.numpy(), mine.numpy()))


def batches_ahead(processes: int, data: Path, seed: str, tokens: int, widths):
    """The same from several processes, in the order in which they come."""
    queue = multiprocessing.Queue(processes * AHEAD)
    for number in range(processes):
        arguments = (queue, data, f"{seed}-{number}", tokens, widths)
        multiprocessing.Process(target=_read, args=arguments, daemon=True).start()
    while True:
        yield tuple(map(torch.from_numpy, queue.get()))
