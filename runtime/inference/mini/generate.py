"""Synthetic conversations for nacre-mini.

Each function of the package `stories` tells one kind of story: a request in many
wordings, the calls that answer it, and an answer in a fixed formula that copies numbers and names
from the results. A story never needs arithmetic: counting, filtering and sorting
are left to the tools' parameters.

The command writes conversations ahead of training, one JSON object a line:

  kind, steps   the story, and how many calls it has
  turns         pairs of a kind (user, call, tool, answer) and a text
  world         where it plays, as world.py takes it: files, sizes, times, directories, notes, policy
  effects       what it changes: the new text of each file, null for one that is gone, "" for a
                directory (its path ends in a slash)
  played        whether a failure or a person was played that `nacre run` would not meet
  facts         for each answer, the names and numbers from results that must stand in it

Line `i` depends on the seed, the split and `i` alone. Wordings and words of the split `held_out`
never occur in `train`.
"""

import argparse
import itertools
import json
import multiprocessing
import re
import sys
from functools import lru_cache

import words
from stories import STORIES
from stories.builder import Redraw, Story
from tokenizer import Tokenizer, render
from world import World, find_build

TOKENS_MAX = 1980  # the context is 2048
FUNCTIONS, WEIGHTS = zip(*STORIES)
# What answers say by themselves, or what stands in the head of every result.
FORMULA = set(
    """a allows an and appended are argv[0] arguments as at b by byte bytes call cannot code contains could denied did
    directories directory do exit exited file files first for found has i in is it its line lines lists many match
    matches may memory more no not note notes noted of on one or other out outside proc.run read reads replaced
    replacement replacements rule so stderr such text than that the them then there these they this to too used was
    were what with workspace wrote yes you""".split()
)


def facts(turns) -> list:
    """For each answer, its words that a result of the same turn holds."""
    found, results = [], ""
    for kind, text in turns:
        if kind == "user":
            results = ""
        elif kind == "tool":
            results += "\n" + text
        elif kind == "answer":
            known = set(re.findall(r"[^\s,;:\"()]+", results))
            said = (word.rstrip(".") for word in re.findall(r"[^\s,;:\"()]+", text))
            found.append(list(dict.fromkeys(word for word in said if word in known and word.lower() not in FORMULA)))
    return found


@lru_cache(None)
def tokenizer() -> Tokenizer:
    return Tokenizer.load()


def too_long(turns) -> bool:
    """Whether the model could not hold it; a token is a byte at least."""
    size = sum(len(text.encode()) for _, text in turns)
    return size > TOKENS_MAX // 2 and len(render(tokenizer(), turns)[0]) > TOKENS_MAX


def conversation(seed: str, split: str, world: World) -> dict:
    """One conversation. Stories that cannot be told as they were begun are drawn again."""
    rng = words.Dice(seed, split == "held_out")
    while True:
        function = rng.choices(FUNCTIONS, WEIGHTS)[0]
        story = Story(rng, world)
        try:
            for _ in function(story):
                pass
            if too_long(story.turns):
                raise Redraw
        except Redraw:
            story.abandon()
            continue
        return {
            "kind": function.__name__,
            "steps": sum(kind == "call" for kind, _ in story.turns),
            "turns": story.turns,
            "world": story.describe(),
            "effects": story.effects(),
            "played": story.is_played(),
            "facts": facts(story.turns),
        }


def lines(split: str, seed: int, indices, world: World):
    """The lines of these indices, in order."""
    for index in indices:
        made = conversation(f"{split}-{seed}-{index}", split, world)
        yield json.dumps(made, ensure_ascii=False) + "\n"


def turns_of(seed: str):
    """The turns of one training conversation after the other, without end."""
    world = World(find_build())
    for index in itertools.count():
        yield conversation(f"{seed}-{index}", "train", world)["turns"]


def _part(work) -> list:
    """In a process of its own: what it makes needs a world of its own."""
    global _world
    split, seed, indices, build = work
    if "_world" not in globals():
        _world = World(build)
    return list(lines(split, seed, indices, _world))


def write_lines(options):
    """Write the conversations in order, made by one process or several."""
    build = find_build()
    parts = [
        (options.split, options.seed, range(start, min(start + 100, options.conversations)), build)
        for start in range(0, options.conversations, 100)
    ]
    out = sys.stdout if options.out == "-" else open(options.out, "w")
    with out:
        if options.workers == 1:
            for part in parts:
                out.writelines(_part(part))
        else:
            with multiprocessing.Pool(options.workers) as pool:
                for made in pool.imap(_part, parts):
                    out.writelines(made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--split", choices=("train", "held_out"), default="train")
    parser.add_argument("--out", default="-", help="a file; - is standard output")
    write_lines(parser.parse_args())
