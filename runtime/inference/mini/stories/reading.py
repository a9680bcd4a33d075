"""Requests to read a file or a part of it, and about its length."""

import words
from stories.builder import body, cut_note, file_form
from stories.common import SHOW, a_file
from words import clean_path


SHOWN, BEGINNING = 16, 4  # lines that an answer repeats: of a short text, of a longer one


def text_file(story, low=1, high=12) -> tuple:
    """A path and, mostly, a file there; returns also its lines."""
    rng, path = story.rng, a_file(story.rng)
    if rng.random() < 0.07:
        return path, []
    lines = story.add_text(path, low, high)
    if rng.random() < 0.14:
        lines = lines + words.lines(rng, words.kind_of(path), rng.randint(1, rng.choice((30, 30, 100, 400))))
        story.add_file(path, lines)
    return path, lines


READ = (
    "(read|show|show me|display|print|open|view|cat|see|type|output) {f}",
    "(show me|print|display|read|give me|tell me|read out) (the content|the contents|the text|everything|all the text|the whole text|the lines) (of|in|from) {f}",
    "what('s| is) (in|inside|written in|the content of) {f}?",
    "what does {f} (say|contain|look like|tell|hold|have in it)?",
    "(let me see|i want to see|i want to read|i'd like to see) {f}",
    "what (are|is) the (contents|content) of {f}?",
    "read {f} (to me|aloud|for me|completely|and tell me what it says|and show me the content)",
    "(look at|look into|check|inspect|summarize|summarise|explain) {f}",
    "can i (see|read) {f}?",
    "(what do we have|what stands|what can i read|what is stored|what text is) in {f}?",
    "contents of {f}",
    "(recite|repeat|quote|dump|load|fetch|bring up|pull up|get|present|list) (me|) {f}",
    "i (want|need|would like|'d like) to (look at|view|check|know|have|see) (what is in|the content of|) {f}",
    "tell me (what {f} says|what is in {f}|the text of {f}|about {f})",
    "give me {f}",
    "what did i write in {f}?",
    "does {f} (have any text|contain anything|have content)? (show|read) it",
    "(read|tell) me what is (in|inside|written in) {f}",
    "{f}, please",
    "what's up with {f}?",
    "how does {f} read?",
    "may i see {f}?",
    "(take|have) a look at {f}",
    "(go|read) through {f}",
    "please get me the text of {f}",
    "what information is in {f}?",
    "what is {f} about?",
    "read the (list|text|notes|code|report|letter|table) in {f}",
    "what's the content of {f}?",
    "let's have a look at {f}",
    "i want to know what {f} says",
    "show what is in {f}",
    "i (can't remember|forgot|don't know any more|have no idea) what i (wrote|put|have) in {f}(, show me|, can you show it|)",
    "would you (be so kind as to|be so good as to|mind to) (read|show) {f} to me?",
    "could you (possibly|perhaps|maybe) (read|show) me (what is in|) {f}?",
    "(i need|i want) the (whole|complete|full) (text|content) of {f}",
    "what's (written|noted|on|said) in {f}?".replace("|on|", "|"),
    "i would like to know what is in {f}",
    "(show|read) me the whole of {f}",
    "(show|give|read) me everything {f} (has|says|contains)",
    "what did (we|they|somebody) (write|put) in {f}?",
    "{f} - what does it say?",
    "{f}: (read|show|print|open|cat|display) (it|this|)(| please)",
    "i haven't read {f} yet, (what does it say|show it to me)?",
    "(tell me|i wonder) what {f} is about",
    "what can you tell me about the content of {f}?",
    "(remind me|refresh my memory): what (is in|does) {f}(| say)?",
    "show me {f} (in full|completely|as it is|, all of it)",
    "the (text|content|contents) of {f}",
)


def tell_text(story, path, result):
    """Repeat a short text; for a longer one say its length and how it begins."""
    if story.failed(result, f"read {path}"):
        return
    header, lines = result.split("\n")[0], body(result)
    if not lines:
        story.answer(f"{path} is empty.")
    elif len(lines) <= SHOWN and "shown)" not in header and not cut_note(result):
        story.answer(f"{path} contains:\n" + "\n".join(lines))
    else:
        story.answer(
            f"{path} has {header.split(',')[0]}. It begins:\n" + "\n".join(lines[:BEGINNING]) + cut_note(result)
        )


def read_file(story):
    rng = story.rng
    if rng.random() < 0.1:
        path = rng.choice((a_file(rng, text=False), words.folder_path(rng)))
        if rng.random() < 0.5:
            story.add_folder(path)
        else:
            story.add_file(path, size=words.size(rng))
    else:
        path, _ = text_file(story, rng.choice((0, 1, 1, 1)), rng.choice((6, 6, 12, 20)))
    yield
    story.user(READ, f=file_form(rng, path))
    tell_text(story, path, story.call("fs.read", path=path))


def read_part(story):
    rng = story.rng
    path, _ = text_file(story, 3, 25)
    spelled = dict(zip(range(1, 11), "one two three four five six seven eight nine ten".split()))
    count, start = rng.choice((None, None, rng.randint(2, 10))), None
    slots = {"f": file_form(rng, path)}
    if count is None and rng.random() < 0.5:
        count = 1
        yield
        story.user(
            (
                SHOW + " (only|) the (first|top) line (of|in|from) {f}",
                "what is the first line (of|in) {f}?",
                "(read|print) (only|just|) the first line (of|from|in) {f}",
                "how does {f} (start|begin)?",
                "what (does|is) the first line of {f}(| say)?",
                "just the first line of {f}",
                "{f}: what is its first line?",
                "what comes first in {f}?",
                "the very first line (of|in) {f}",
            ),
            **slots,
        )
    elif count is None:
        start, count = rng.randint(2, 30), 1
        yield
        story.user(
            (
                SHOW + " line {n} (of|in|from) {f}",
                "what is (on|in) line {n} of {f}?",
                "what does line {n} of {f} say?",
                "(read|print) (only|just|) line {n} (of|from) {f}",
                "what('s| is) line {n} (of|in) {f}?",
                "(read|show) line number {n} of {f}",
                "what (stands|is written|do you see) (on|in) line {n} of {f}?",
                "line {n} of {f}",
                "in {f}, what is line {n}?",
                "i need line {n} of {f}",
                "go to line {n} of {f} and (read|show) it",
            ),
            n=str(start),
            **slots,
        )
    elif rng.random() < 0.65:
        slots["n"] = rng.choice((str(count), spelled[count]))
        yield
        story.user(
            (
                SHOW + " the first {n} lines (of|in|from) {f}",
                "(read|print) (only|just|) the first {n} lines (of|from) {f}",
                "what are the first {n} lines (of|in) {f}?",
                "the top {n} lines of {f}",
                "how do the first {n} lines of {f} read?",
                "first {n} lines of {f}",
                "just the first {n} lines of {f}",
                "the beginning of {f}, {n} lines",
                "show the {n} first lines (of|in) {f}",
                "{n} lines from the (top|start|beginning) of {f}",
            ),
            **slots,
        )
    else:
        start = rng.randint(2, 40)
        slots["a"], slots["n"] = str(start), rng.choice((str(count), spelled[count]))
        yield
        story.user(
            (
                SHOW + " {n} lines (of|from) {f} (starting at|from|beginning with|starting with) line {a}",
                "(read|print) {n} lines (starting at|from) line {a} (of|in) {f}",
                "starting at line {a}, (read|show) {n} lines of {f}",
            ),
            **slots,
        )
    tell_part(story, path, start, count)


def tell_length(story, path, by_size=False):
    """Ask for the first line, whose head has the lines and bytes of all."""
    result = story.call("fs.read", path=path, max_lines=1)
    if by_size and result.startswith("error: not text"):
        return story.answer(f"{path} is {result.rsplit('(', 1)[1][:-1]} large.")
    if not story.failed(result, f"read {path}"):
        lines, size = result.split("\n")[0].split(" (lines")[0].split(", ")
        story.answer(f"{path} is {size} large." if by_size else f"{path} has {lines}.")


def tell_part(story, path, start=None, count=None):
    """Repeat some lines."""
    result = story.call("fs.read", path=path, start_line=start, max_lines=count)
    if story.failed(result, f"read {path}"):
        return
    lines = body(result)
    if not lines:
        story.answer(f"{path} is empty.")
    else:
        story.answer(
            f"{path}{f', line {start}' if start else ''} reads:\n" + "\n".join(lines) + cut_note(result)
        )


def line_count(story):
    rng = story.rng
    path, _ = text_file(story, 0, 30)
    by_size = rng.random() < 0.35
    slots = {"f": file_form(rng, path)}
    if by_size:
        if rng.random() < 0.3:
            story.add_file(path, size=words.size(rng))
        yield
        story.user(
            (
                "how (big|large|long in bytes) is {f}?",
                "what is the size of {f}?",
                "(tell me|give me|show|show me) the size of {f}",
                "how many bytes (are in|has|does) {f}(| have| contain)?",
                "size of {f}",
                "what size (has|is) {f}?",
                "how much space does {f} (take|need|use)?",
                "how (heavy|many bytes) is {f}?",
                "(check|determine|find out) (the size of|how big|how large) {f}(| is)",
                "file size of {f}",
                "is {f} large? tell me its size",
            ),
            **slots,
        )
    else:
        yield
        story.user(
            (
                "how many lines (are in|are there in|has|does) {f}(| have| contain)?",
                "how many lines does {f} (have|contain|hold)?",
                "count (the|all|) lines (in|of) {f}",
                "(tell me|give me|say) (the number of lines|how many lines are|the line count) (in|of) {f}",
                "what is the (number of lines|line count) (in|of) {f}?",
                "number of lines in {f}",
                "line count of {f}",
                "how long is {f}?",
                "what is the length of {f}(| in lines)?",
                "the length of {f} in lines",
                "(determine|find out|i want to know|i need) (the number of lines in|how many lines are in) {f}",
                "how many rows (are in|has|does) {f}(| have)?",
                "how many lines did i write in {f}?",
                "how long is {f} in lines?",
                "(in|counted in) lines, how long is {f}?",
                "(what|which) is the line count of {f}?",
                "(how many|number of) (entries|records|rows|lines) (are in|has|in) {f}?".replace("|number of", "").replace("|in)", ")"),
                "count how many lines there are in {f}",
                "{f} has how many lines?",
            ),
            **slots,
        )
    tell_length(story, path, by_size)
