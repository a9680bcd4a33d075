"""Several tasks in one request, on one file (named once, then `it`) or on several.

Each task is a clause and what is done for it; requests join clauses in the ways that people join them.
"""

import words
from stories.builder import file_form, folder_form, quoted
from stories.common import WRITE_VERB, a_file
from stories.listing import tell_listing
from stories.notes import a_fact
from stories.programs import tell_run
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import Needle, tell_search
from stories.writing import a_content, told_edit, told_write

COUNTS = dict(zip(range(2, 6), "two three four five".split()))


class Subject:
    """A file of the request, as it will be when the tasks before are done."""

    def __init__(self, story, there=True):
        rng = story.rng
        self.path = a_file(rng)
        self.lines = []
        self.named = False
        if there:
            self.lines = list(story.add_text(self.path, 1, 7))

    def mention(self, rng) -> str:
        """Its name at first; later mostly a word for it."""
        if self.named and rng.random() < 0.8:
            return rng.choice(("it", "it", "it", "it", "the file", "that file", "this file"))
        self.named = True
        return file_form(rng, self.path)

    def some_word(self, rng) -> str:
        known = [word for line in self.lines for word in line.split() if word.isalnum()]
        return rng.choice(known) if known and rng.random() < 0.9 else words.fragment(rng)


def content_of(rng) -> tuple:
    """A text and its words; between marks where the sentence that goes on could be taken for it."""
    content, form = a_content(rng)
    if form.endswith((".", "!", "?", content)) and (" " in content or not content.isalnum()):
        mark = rng.choice([mark for mark in ('"', "'", "`") if mark not in content] or [""])
        form = form.removesuffix(content) + mark + content + mark
    return content, form


def read(story, subject):
    path = subject.path
    clause = (
        "(read|show|show me|print|open|display|cat) {f}",
        "(show|tell) me what (is in {f}|{f} says|{f} contains)",
        "(show|print|give me) the (content|text|contents) of {f}",
    )
    return clause, {"f": subject.mention(story.rng)}, lambda: tell_text(story, path, story.call("fs.read", path=path))


def count(story, subject):
    path, by_size = subject.path, story.rng.random() < 0.3
    clause = (
        ("tell me (how big {f} is|the size of {f})", "(check|say) how large {f} is", "(show|give) me the size of {f}")
        if by_size
        else (
            "count (the lines of {f}|the lines in {f}|its lines|how many lines it has)"
            if subject.named
            else "count the lines (of|in) {f}",
            "tell me how many lines {f} has",
            "say how many lines are in {f}",
            "(give me|tell me|show) the (number of lines|line count) of {f}",
        )
    )
    return clause, {"f": subject.mention(story.rng)}, lambda: tell_length(story, path, by_size)


def beginning(story, subject):
    path, amount = subject.path, story.rng.randint(1, 5)
    part = "the first line" if amount == 1 else f"the first ({amount}|{COUNTS[amount]}) lines"
    clause = (f"(read|show|show me|print|give me) {part} (of|from) {{f}}", f"(show|tell) me {part} of {{f}}")
    return clause, {"f": subject.mention(story.rng)}, lambda: tell_part(story, path, None, amount)


def append(story, subject):
    path, (content, form) = subject.path, content_of(story.rng)
    subject.lines += content.split("\n")
    clause = (
        "(append|add) {t} to {f}",
        "(add|put|write) {t} (at|to) the (end|bottom) of {f}",
        "add (a line|another line|the line) to {f}: {t}",
    )

    def tell():
        result = story.call("fs.write", path=path, content=content, append=True)
        told_write(story, path, result, f"append to {path}")

    return clause, {"f": subject.mention(story.rng), "t": form}, tell


def write(story, subject):
    path, (content, form) = subject.path, content_of(story.rng)
    subject.lines = content.split("\n")
    clause = (
        WRITE_VERB + " {t} (to|into|in) {f}",
        "(create|make) {f} (with|containing|that says) {t}",
        "(create|make) (a file|a new file) {f} with {t}",
    )
    return (
        clause,
        {"f": subject.mention(story.rng), "t": form},
        lambda: told_write(story, path, story.call("fs.write", path=path, content=content)),
    )


def edit(story, subject):
    rng, path = story.rng, subject.path
    old, new = subject.some_word(rng), words.fragment(rng)
    everywhere = rng.random() < 0.2
    subject.lines = [line.replace(old, new) for line in subject.lines]
    clause = (
        "replace (all|every) {a} (with|by) {b} in {f}" if everywhere else "replace {a} (with|by|with) {b} in {f}",
        "(change|replace) {a} (to|with) {b} everywhere in {f}" if everywhere else "(change|turn|correct) {a} (to|into) {b} in {f}",
        "in {f}, (change|replace) (all|every) {a} (to|with) {b}" if everywhere else "in {f}, (change|replace) {a} (to|with) {b}",
    )

    def tell():
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new, all=everywhere))

    return clause, {"f": subject.mention(rng), "a": quoted(rng, old, 0.4), "b": quoted(rng, new, 0.4)}, tell


def search(story, subject):
    path, text = subject.path, subject.some_word(story.rng)
    clause = (
        "(search|check|grep|scan) {f} for {w}",
        "(look|search) for {w} in {f}",
        "(check|see|tell me) (if|whether) {f} (contains|mentions|has) {w}",
        "find {w} in {f}",
    )

    def tell():
        needle = Needle.of(text, path)
        tell_search(story, needle, story.call("fs.search", pattern=text, path=path), "lines")

    return clause, {"f": subject.mention(story.rng), "w": quoted(story.rng, text, 0.4)}, tell


def program(story, subject, argv, clause, **slots):
    return clause, {"f": subject.mention(story.rng), **slots}, lambda: tell_run(
        story, argv, story.call("proc.run", argv=argv)
    )


def copy(story, subject):
    rng, path = story.rng, subject.path
    target = words.file_name(rng, True).replace(" ", "_")
    clause = (
        "copy {f} to {g}",
        "(make|create|save) a copy of {f} (as|called|named) {g}",
        "(back up|duplicate) {f} (to|as) {g}",
    )
    return program(story, subject, ["cp", path, target], clause, g=quoted(rng, target, 0.1))


def rename(story, subject):
    rng, path = story.rng, subject.path
    subject.path = words.file_name(rng, True).replace(" ", "_")
    clause = ("(rename|move) {f} to {g}", "give {f} the (new|) name {g}", "rename {f} (as|into) {g}")
    made = program(story, subject, ["mv", path, subject.path], clause, g=quoted(rng, subject.path, 0.1))
    subject.named = True
    return made


def sort(story, subject):
    clause = ("sort {f}", "(show|print|give me) {f} sorted", "sort the lines of {f}")
    return program(story, subject, ["sort", subject.path], clause)


def delete(story, subject):
    clause = ("(delete|remove|erase) {f}", "get rid of {f}", "throw {f} away")
    return program(story, subject, ["rm", subject.path], clause)


def note(story, _):
    text = a_fact(story.rng)[0]

    def tell():
        if not story.failed(story.call("memory.note", text=text), "take the note"):
            story.answer(f"Noted: {text}.")

    return ("(remember|note|keep in mind) that {t}", "(remember|note): {t}", "make a note that {t}"), {"t": text}, tell


def look(story, _):
    folder = words.folder_path(story.rng)
    story.fill(folder, (0, 6), (0, 2))
    clause = ("(list|show|show me) (the files in|what is in|everything in) {d}", "list {d}", "tell me what is in {d}")
    return (
        clause,
        {"d": folder_form(story.rng, folder)},
        lambda: tell_listing(story, folder, story.call("fs.list", path=folder)),
    )


def make_folder(story, _):
    folder = words.folder_path(story.rng)
    argv = ["mkdir", *["-p"] * ("/" in folder), folder]
    clause = ("(create|make|add) (a folder|a directory|the folder|a new folder) {d}", "mkdir {d}")
    return (
        clause,
        {"d": quoted(story.rng, folder, 0.1)},
        lambda: tell_run(story, argv, story.call("proc.run", argv=argv)),
    )


ON_A_FILE = (
    (read, 5),
    (count, 4),
    (beginning, 2),
    (append, 5),
    (edit, 5),
    (search, 3),
    (copy, 2),
    (rename, 1.5),
    (sort, 1),
    (delete, 1),
)
APART = ((note, 1), (look, 1.5), (make_folder, 1))
JOINS = (
    ("", "( and|, then|, and then| and then|, and|. Then|; then|, after that|. After that| and after that|. Afterwards,)"),
    ("first ", "(, then|. Then|, and then|, after that)"),
    ("", "(.|;|,)"),
    ("", "(. Also,|, also|. And|. Finally,|, finally| and also|. Next,)"),
)


def choose(rng, table):
    makers, weights = zip(*table)
    return rng.choices(makers, weights)[0]


def sequence(story):
    """Two to four tasks, mostly on one file."""
    rng = story.rng
    tasks, amount = [], rng.choice((2, 2, 3, 3, 3, 4, 4))
    kind = rng.random()
    fresh = rng.random() < 0.25
    subject = Subject(story, there=not fresh)
    for index in range(amount):
        if index and kind > 0.6 and rng.random() < 0.8:
            subject = Subject(story)
        maker = write if fresh and not index else choose(rng, ON_A_FILE)
        if kind > 0.7 and rng.random() < 0.3:
            maker = choose(rng, APART)
        tasks.append(maker(story, subject))
        if maker is delete:
            break
    yield
    numbered = rng.random() < 0.08
    start, join = rng.choice(JOINS)
    parts, slots = [], {}
    for index, (clause, names, _) in enumerate(tasks):
        text = rng.choice(clause)
        for name, value in names.items():
            text = text.replace("{%s}" % name, "{%s%d}" % (name, index))
            slots[f"{name}{index}"] = value
        parts.append(f"{index + 1}. {text}" if numbered else text)
    if numbered:
        text = ("(do this|please do the following|tasks|to do|) " + rng.choice((" ", ": "))).strip() + " " + " ".join(parts)
    else:
        text = start + parts[0]
        for index, part in enumerate(parts[1:]):
            last = index == len(parts) - 2
            text += (join if last or rng.random() < 0.5 else "(,|,|, then)") + " " + part
    story.user(text.strip(), **slots)
    story.together([tell for _, _, tell in tasks])


def several(story):
    """One task for two to four files."""
    rng = story.rng
    amount = rng.choice((2, 2, 3, 3, 4))
    kind = rng.choice(("read", "read", "count", "count", "size", "write", "append", "edit", "first"))
    text, form = a_content(rng)
    old, new = words.word(rng), words.fragment(rng)
    paths = []
    for _ in range(amount):
        path = words.file_path(rng)
        paths.append(path)
        if kind == "edit":
            lines = words.lines(rng, words.kind_of(path), rng.randint(1, 4))
            story.add_file(path, lines + [old] * (rng.random() < 0.9))
        elif kind != "write" and rng.random() < 0.93:
            story.add_text(path, 1, 6)
    yield
    names = [quoted(rng, path, 0.05) for path in paths]
    all_names = ", ".join(names[:-1]) + rng.choice((" and ", " and ", ", and ", ", ")) + names[-1]
    templates = {
        "read": (
            "(read|show|show me|print|open|display) (the files|) {f}",
            "what (is in|do|does it say in) {f}(| say| contain)?",
            "(show|give|tell) me (the content|the contents|what is in) (of|) {f}",
            "(what does|show) each of (the files|) {f} (say|contain)(?|)",
        ),
        "count": (
            "how many lines do {f} have?",
            "count the lines (of|in) {f}",
            "(tell me|give me) the number of lines (of|in) {f}",
            "how many lines does each of {f} have?",
            "how long are {f}?",
            "line counts of {f}",
        ),
        "size": ("how (big|large) are {f}?", "(tell me|what are) the sizes of {f}", "what is the size of {f}?"),
        "write": (
            "(create|make) (the files|) {f}, each (with|containing) {t}",
            WRITE_VERB + " {t} (to|into) each of {f}",
            WRITE_VERB + " {t} (to|into) {f}",
        ),
        "append": (
            "(append|add) {t} to {f}",
            "(append|add) {t} to (each|all) of {f}",
            "(add|put) {t} at the end of {f}",
        ),
        "edit": (
            "replace {a} (with|by) {b} in {f}",
            "(change|replace) {a} (to|with) {b} in (all of|each of|) {f}",
            "in {f}, (replace|change) {a} (with|to) {b}",
        ),
        "first": (
            "(show|show me|read|print) the first line of {f}",
            "what (is|are) the first (line|lines) of {f}?",
            "(show|give me) the first line of each of {f}",
        ),
    }[kind]
    story.user(templates, f=all_names, t=form, a=quoted(rng, old, 0.3), b=quoted(rng, new, 0.3))

    def teller(path):
        def tell():
            if kind == "read":
                tell_text(story, path, story.call("fs.read", path=path))
            elif kind in ("count", "size"):
                tell_length(story, path, kind == "size")
            elif kind == "first":
                tell_part(story, path, None, 1)
            elif kind == "edit":
                told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
            else:
                append = kind == "append"
                result = story.call("fs.write", path=path, content=text, append=append)
                told_write(story, path, result, f"append to {path}" if append else None)

        return tell

    story.together([teller(path) for path in paths])
