"""Requests to note something or to recall it."""

import words
from stories.builder import body


def a_fact(rng) -> tuple:
    """A fact and the subject under which one would look for it."""
    subject = rng.choice(("N", "N N", "A N", "N of P", "N")).split()
    table = {
        "N": lambda: words.word(rng),
        "A": lambda: words.pick(rng, words.ADJECTIVES),
        "P": lambda: words.pick(rng, words.PEOPLE),
    }
    subject = " ".join(table[part]() if part in table else part for part in subject)
    owner = rng.choice(("the ", "the ", "my ", "our "))
    end = rng.choice(
        (
            f"is in {words.word(rng)} {words.word(rng)}",
            f"is on {rng.choice(words.DAYS)}",
            f"is {words.word(rng)}",
            f"is at {rng.randint(1, 12)} {rng.choice(('am', 'pm'))}",
            f"costs {words.number(rng)}",
            f"is {words.pick(rng, words.ADJECTIVES)}",
            f"belongs to {words.pick(rng, words.PEOPLE)}",
            f"is {words.number(rng)}",
            f"is called {words.word(rng).capitalize()}",
            f"lives in {words.pick(rng, words.PLACES)}",
            f"starts in {rng.choice(words.MONTHS)}",
            f"was moved to {words.word(rng)}",
            f"is under the {words.word(rng)}",
            f"is the {words.word(rng)} {words.word(rng)}",
        )
    )
    return f"{owner}{subject} {end}", subject


def take_note(story):
    rng = story.rng
    text = (
        a_fact(rng)[0]
        if rng.random() < 0.6
        else rng.choice(
            (
                words.sentence(rng).rstrip("."),
                f"i like {words.word(rng)} {words.word(rng)}",
                f"I prefer {words.word(rng)}",
                f"{words.pick(rng, words.PEOPLE)} is my {words.word(rng)}",
                f"{words.pick(rng, words.VERBS)} the {words.word(rng)} on {rng.choice(words.DAYS)}",
                f"{words.pick(rng, words.PEOPLE)}'s birthday is on {rng.randint(1, 28)} {rng.choice(words.MONTHS)}",
            )
        )
    )
    yield
    story.user(
        (
            "remember that {t}",
            "remember: {t}",
            "(note|memorize|memorise) that {t}",
            "note: {t}",
            "(make|take|save|keep|write) a note that {t}",
            "(take|make|save|add) a note: {t}",
            "keep in mind that {t}",
            "(don't|do not) forget that {t}",
            "(note|write|jot) down that {t}",
            "remember this: {t}",
            "for later: {t}",
            "remember {t}",
            "save (in|to) your (notes|memory) that {t}",
            "keep this in (mind|memory): {t}",
            "add to (your|my) notes: {t}",
            "(memorize|memorise|store|save|keep) this: {t}",
            "(please|) (don't|never) forget: {t}",
            "i want you to know that {t}",
            "fyi: {t}",
            "be aware that {t}",
            "note to self: {t}",
            "put it in your notes: {t}",
            "learn that {t}",
            "please note {t}",
            "(you should|please) know that {t}",
            "one thing to remember: {t}",
            "so that (you|we) don't forget: {t}",
            "(put|write) this (in|into) your (memory|notes): {t}",
            "can you remember for me that {t}",
            "i tell you this so you remember it: {t}",
            "just so you know, {t}",
            "(make|take) a (mental|quick|short) note: {t}",
            "important: {t}. (remember it|note it|keep it in mind)".replace("{t}. ", "{t} - "),
            "from now on remember that {t}",
            "(note|memo): {t}",
        ),
        t=text,
    )
    if not story.failed(story.call("memory.note", text=text), "take the note"):
        story.answer(f"Noted: {text}.")


def recall(story, subject=None, fact=None):
    rng = story.rng
    if subject is None:
        fact, subject = a_fact(rng)
        count = rng.choice((0, 1, 1, 1, 2, 3))
        story.notes = [fact] * min(1, count) + [
            f"{a_fact(rng)[0]} {subject}" for _ in range(count - 1)
        ]
    yield
    story.user(
        (
            "what do you (know|remember) about (the|my|our|) {q}?",
            "what did i (tell you|say|note) about (the|my|our|) {q}?",
            "do you (remember|know) (anything|something) about (the|my|) {q}?",
            "(search|look in|check|look through) (your|my|the) notes for (the|) {q}",
            "(recall|remember) what (i said|you know|i told you) about (the|my|) {q}",
            "do (you|we|i) have (any|a) (note|notes) (about|on) (the|my|) {q}?",
            "(what|which) notes (do you have|are there) (about|on) (the|my|) {q}?",
            "where did i put (the|my) {q}?",
            "what('s| is) (my|our|the) {q}?",
            "(ok|thanks|good), and what('s| is) (my|our|the) {q}?",
            "when is (the|my|our) {q}?",
            "(show|show me|find|list) (my|the|your) notes (about|on) (the|) {q}",
            "do you remember (the|my|our) {q}?",
            "remind me (about|of) (the|my|our) {q}",
            "what have you noted about (the|my|) {q}?",
            "what was (the|my|our) {q} again?",
            "who is (my|our) {q}?",
            "have you (got|) (any|) notes (on|about) (the|my|) {q}?",
            "did i (mention|say something about|tell you about) (the|my|our) {q}?",
            "(is there|do you have) (anything|something) (noted|in your notes|in your memory) about (the|my|) {q}?",
            "tell me (what you know|what you remember) about (the|my|our|) {q}",
            "do you know (anything|something) (about|of) (the|my|our|) {q}?",
            "do you remember anything (on|about) (the|) {q}?",
            "what is noted (on|about) (the|my|) {q}?",
            "i forgot (the|my|our) {q}, what was it?",
            "look up {q} in (the|your|my) notes",
            "where (is|was) (my|our) {q}?",
            "i told you (something|) about (the|my|our) {q}, what was it?",
            "i told you (once|last week|before|yesterday) about (the|my|our) {q}. what did i say?",
            "(check|look at|read|consult) your notes: (what|when|where|who) is (the|my|our) {q}?",
            "(what|when|where) was (the|my|our) {q}? (i told you|you noted it|it is in your notes)",
            "do you still (know|remember) (what i said about|) (the|my|our) {q}?",
            "didn't i (tell you|mention) (something|anything) about (the|my|our) {q}?",
            "according to your notes, (what|when|where) is (the|my|our) {q}?",
            "what was it again about (the|my|our) {q}?",
            "from memory: (what|where|when) is (the|my|our) {q}?",
            "anything (noted|in memory) (on|about) (the|my|our) {q}?",
            "(tell|remind) me, (what|where|when) (is|was) (the|my|our) {q}?",
            "i (can't|don't) remember (the|my|our) {q}. (do you|what did i tell you)?",
        ),
        q=subject,
    )
    result = story.call("memory.search", query=subject)
    if story.failed(result, "search the notes"):
        return
    notes = body(result)
    if not notes:
        story.answer(f"I have no notes about {subject}.")
    elif len(notes) == 1:
        story.answer(f"I noted: {notes[0]}.")
    else:
        story.answer("I have " + result.replace("\n", ":\n", 1))
