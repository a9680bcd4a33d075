"""What is drawn in one conversation, and from which words: the split of words that training never sees."""

import random
import zlib
from functools import lru_cache

from ordinary_words import ordinary_words

PEOPLE = tuple("""Alice Anna Ben Bob Carlos Chen Clara David Diego Elena Emma Eva Fatima Felix Frank Grace Hanna Hugo Ivan
Jack Jane John Julia Karl Kim Laura Leo Lena Lucas Maria Mark Max Mia Mina Nina Noah Olga Omar Otto Paul Petra Priya Rosa
Ruth Sam Sara Sofia Tom Uma Victor Wei Yuki Zoe""".split())
PLACES = tuple("""Berlin Boston Cairo Chicago Delhi Dublin Geneva Hamburg Lagos Lima Lisbon London Madrid Milan Munich Oslo
Paris Prague Rome Seoul Sydney Tokyo Vienna Warsaw Zurich""".split())
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
TEXT_EXTENSIONS = "txt txt txt md md csv csv json log py c h cpp js html xml yaml yml ini toml sh tex sql java rs go css cfg conf tsv rst".split()

HELD_OUT_SHARE = 14  # every 14th word and wording is kept for measurement


class Dice(random.Random):
    """Random numbers of one conversation. `held_out`: use what training never sees, and only that."""

    def __init__(self, seed: str, held_out: bool):
        super().__init__(seed)
        self.held_out = held_out
        # The share of names and texts that are those of everyday.py, and the areas that occur.
        self.everyday = self.choice((1, 0.95, 0.9, 0.6, 0.4, 0.15, 0))
        self.areas = None

    def is_everyday(self) -> bool:
        return self.random() < self.everyday


def is_held_out(text: str) -> bool:
    return zlib.crc32(text.lower().encode()) % HELD_OUT_SHARE == 0


@lru_cache(None)
def split(words: tuple, held_out: bool) -> tuple:
    """Those of the words that the split may use; all where it would have none."""
    return tuple(word for word in words if is_held_out(word) == held_out) or words


def pick(rng, words) -> str:
    """One of a closed list of words, of the split; where that has few, mostly another word instead."""
    pool = split(tuple(words), rng.held_out)
    if rng.held_out and len(pool) < 6 and rng.random() < 0.7:
        pool = split(ordinary(), True)
    return rng.choice(pool)


@lru_cache(None)
def ordinary() -> tuple:
    return ordinary_words()
