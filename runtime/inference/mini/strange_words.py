"""Words that nobody has seen, put in the place of ordinary ones while training.

The generator knows some thousand words. A model that met only those learns which piece follows which
inside of them, and then writes `document` where it should copy `docket`. So in many conversations some
words of names and contents are replaced, everywhere in the conversation, by random pieces of the
vocabulary: the right next piece can then only be copied. No word that is kept for measurement is made.
"""

import random
import re
from collections import Counter

from ordinary_words import is_unwanted, ordinary_words
from words import is_held_out

WORD = re.compile(r"[A-Za-z]{3,}")
ARGUMENT = re.compile(r'"(?:[^"\\]|\\.)*"(?!:)')  # a string of a call that is no key
CONVERSATIONS, WORDS = 0.7, (0.2, 1.0)  # shares that are changed; that of words differs from one to the next
LANGUAGE_SHARE = 0.02  # a word of more conversations belongs to requests and answers, not to names
LENGTHS = range(3, 15)
# Values of arguments that mean something.
MEANINGS = frozenset("size time name true false".split())


def language(conversations) -> set:
    """The words that many of these conversations have."""
    seen = Counter()
    for count, turns in enumerate(conversations, 1):
        seen.update({word.lower() for _, text in turns for word in WORD.findall(text)})
    return {word for word, times in seen.items() if times > LANGUAGE_SHARE * count}


class StrangeWords:
    """Replaces words of conversations; `kept` are those that stay."""

    def __init__(self, pieces, kept: set):
        self.pieces = sorted({piece for piece in pieces if re.fullmatch(r"[a-z]{2,}", piece)})
        self.kept = kept | MEANINGS
        self.known = {word.lower() for word in ordinary_words()} | self.kept

    def word(self, rng: random.Random) -> str:
        """One to three pieces that are no word."""
        while True:
            word = "".join(rng.choice(self.pieces) for _ in range(rng.choice((1, 2, 2, 3))))
            if len(word) in LENGTHS and word not in self.known:
                if not is_held_out(word) and not is_unwanted(word):
                    return word

    def apply(self, turns, rng: random.Random) -> list:
        """The conversation with some of its words replaced, or as it is."""
        if rng.random() >= CONVERSATIONS:
            return turns
        found = set()
        for kind, text in turns:
            parts = ARGUMENT.findall(text) if kind == "call" else [text] if kind == "tool" else ()
            for part in parts:
                found.update(word.lower() for word in WORD.findall(part))
        share = rng.uniform(*WORDS)
        chosen = {word: self.word(rng) for word in sorted(found - self.kept) if rng.random() < share}

        def replace(match):
            word = match[0]
            new = chosen.get(word.lower())
            if new is None:
                return word
            return new.upper() if word.isupper() else new.capitalize() if word[0].isupper() else new

        return [(kind, WORD.sub(replace, text)) for kind, text in turns]
