"""Requests that need no tool."""

import words
from stories.small_talk import CANNOT, CHATTER, OUT_OF_SCOPE, UNCLEAR


def chatter(story):
    requests, answer = story.rng.choice(CHATTER)
    yield
    story.user(requests, leads=False)
    story.answer(answer)


def out_of_scope(story):
    rng = story.rng
    yield
    story.user(
        OUT_OF_SCOPE,
        w=words.word(rng),
        p=words.pick(rng, words.PEOPLE),
        l=words.pick(rng, words.PLACES),
        n=words.number(rng),
        m=str(rng.randint(2, 99)),
        d=rng.choice(words.DAYS),
    )
    story.answer(CANNOT)


def unclear(story):
    requests, answer = story.rng.choice(UNCLEAR)
    yield
    story.user(requests)
    story.answer(answer)
