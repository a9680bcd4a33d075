"""Two to four tasks that have nothing to do with each other, or the same for several files, in one request.

The tasks are clauses, as in sequence.py; here the ways to put several into one request are many:
numbered, as a list below each other, sentence after sentence, with commas, with a word before and after.
"""

import re

import everyday
import words
from stories.builder import CLOSE, OPEN, Redraw, body, copied, file_form, folder_form, names_in, place_form, quoted
from stories.chains import save_names, target_file
from stories.common import SHOW, a_file, a_pattern, counted, matching_names
from stories.daily import CONNECTING, ORDINALS, a_change, a_text, everyday_file
from stories.listing import BIGGEST, NEWEST, tell_extreme, tell_kind, tell_listing
from stories.notes import a_fact
from stories.programs import tell_run
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import Needle, tell_search
from stories.sequence import choose
from stories.writing import told_edit, told_write

# Each task returns its clauses (imperatives), its questions, its slots and what is done.


def marked(rng, text: str) -> str:
    """A text of the user's inside of a longer request: between marks unless it is one word or plain ones."""
    plain = re.fullmatch(r"[\w'-]+( [\w'-]+)*", text) and not CONNECTING.search(text)
    return quoted(rng, text, 0.15 if text.isalnum() else 1) if not plain or rng.random() < 0.6 else OPEN + text + CLOSE


def read(story):
    path, _ = everyday_file(story, 1, 6)
    return (
        ("(read|show|show me|print|open) {f}", "(show|tell) me what (is in {f}|{f} says)", "read {f} to me"),
        ("what (is in {f}|does {f} say)?", "what does {f} say?"),
        {"f": file_form(story.rng, path)},
        lambda: tell_text(story, path, story.call("fs.read", path=path)),
    )


def count_lines(story):
    path, _ = everyday_file(story, 1, 12)
    return (
        ("count the lines (of|in) {f}", "tell me how many lines {f} has", "(check|see) how long {f} is in lines"),
        ("how many lines (has|are in) {f}?", "how many lines does {f} have?"),
        {"f": file_form(story.rng, path)},
        lambda: tell_length(story, path),
    )


def show_line(story):
    rng = story.rng
    path, _ = everyday_file(story, 4, 10)
    at = rng.randint(2, 5)
    first = rng.random() < 0.5
    word = "first" if first else ORDINALS[at - 1]
    return (
        (f"(show|show me|read|print) the {word} line (of|from) {{f}}", f"tell me the {word} line of {{f}}"),
        (f"what is the {word} line (of|in) {{f}}?",),
        {"f": file_form(rng, path)},
        lambda: tell_part(story, path, None if first else at, 1),
    )


def look(story):
    folder = words.folder_path(story.rng)
    story.fill(folder, (0, 6), (0, 1))
    return (
        ("(list|show|show me) (the files in|what is in|everything in) {d}", "list {d}", "tell me what is in {d}"),
        ("what is in {d}?", "which files are in {d}?"),
        {"d": folder_form(story.rng, folder)},
        lambda: tell_listing(story, folder, story.call("fs.list", path=folder)),
    )


def count_files(story):
    folder = words.folder_path(story.rng)
    story.fill(folder, (0, 7), (0, 1))

    def tell():
        result = story.call("fs.list", path=folder)
        if not story.failed(result, f"list {folder}"):
            count = counted(result) or "0 files"
            story.answer(f"There {'is' if count.startswith('1 ') else 'are'} {count} in {folder}.")

    return (
        ("count the files in {d}", "tell me how many files are in {d}", "(check|see|say) how many files {d} has"),
        ("how many files are in {d}?", "how many files does {d} have?"),
        {"d": folder_form(story.rng, folder)},
        tell,
    )


def the_most(story):
    rng, folder = story.rng, words.folder_path(story.rng)
    story.fill(folder, (1, 6), (0, 0))
    kind = rng.choice(("biggest", "newest"))
    word = BIGGEST if kind == "biggest" else NEWEST
    return (
        (f"(find|tell me|show me|name) the {word} file in {{d}}", f"(tell me|say) which file in {{d}} is the {word}"),
        (f"(what|which) is the {word} file in {{d}}?", f"which file in {{d}} is (the|) {word}?"),
        {"d": folder_form(rng, folder)},
        lambda: tell_extreme(
            story, folder, kind, story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=1)
        ),
    )


def of_kind(story):
    rng, folder = story.rng, words.folder_path(story.rng)
    pattern, noun = a_pattern(rng)
    story.fill(folder, (0, 3), (0, 0))
    matching_names(story, folder, pattern, (0, 3))
    return (
        ("(list|find|show me) (the|all) {k} in {d}",),
        ("which {k} are in {d}?", "are there any {k} in {d}?"),
        {"d": folder_form(rng, folder), "k": noun},
        lambda: tell_kind(story, folder, pattern, story.call("fs.list", path=folder, pattern=pattern)),
    )


def search(story):
    rng = story.rng
    path, lines = everyday_file(story, 1, 8)
    known = [word for line in lines for word in line.split() if word.isalnum() and len(word) > 2]
    text = rng.choice(known) if known and rng.random() < 0.8 else everyday.fragment(rng)

    def tell():
        tell_search(story, Needle.of(text, path), story.call("fs.search", pattern=text, path=path), "lines")

    return (
        ("(search|check|scan) {f} for {w}", "look for {w} in {f}", "(check|see|tell me) (if|whether) {w} is in {f}"),
        ("is {w} (mentioned|) in {f}?", "does {f} (mention|contain) {w}?"),
        {"f": file_form(rng, path), "w": marked(rng, text)},
        tell,
    )


def write(story):
    rng, path = story.rng, a_file(story.rng)
    text, several = a_text(rng)
    if several:
        text = text.split("\n")[0]
    return (
        ("(write|save|put) {t} (to|into|in) {f}", "(create|make) {f} (with|containing|that says) {t}", "(create|make) (a file|a new file) {f} with {t}"),
        (),
        {"f": quoted(rng, path, 0.1) if rng.random() < 0.7 else file_form(rng, path), "t": marked(rng, text)},
        lambda: told_write(story, path, story.call("fs.write", path=path, content=text)),
    )


def append(story):
    rng = story.rng
    path, _ = everyday_file(story, 1, 4)
    text = a_text(rng)[0].split("\n")[0]

    def tell():
        told_write(story, path, story.call("fs.write", path=path, content=text, append=True), f"append to {path}")

    return (
        ("(append|add) {t} to {f}", "(add|put|write) {t} (at|to) the (end|bottom) of {f}", "put {t} on {f}"),
        (),
        {"f": file_form(rng, path), "t": marked(rng, text)},
        tell,
    )


def edit(story):
    rng = story.rng
    path, lines = everyday_file(story, 1, 6)
    old, new = a_change(rng, lines)
    return (
        ("(replace|change) {a} (with|to|by) {b} in {f}", "in {f}, (replace|change) {a} (with|to) {b}", "(put|write) {b} instead of {a} in {f}", "correct {a} to {b} in {f}"),
        (),
        {"f": file_form(rng, path), "a": marked(rng, old), "b": marked(rng, new)},
        lambda: told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new)),
    )


def note(story):
    text = a_fact(story.rng)[0]

    def tell():
        if not story.failed(story.call("memory.note", text=text), "take the note"):
            story.answer(f"Noted: {text}.")

    return (("(remember|note|keep in mind|don't forget) that {t}", "make a note that {t}", "(remember|note): {t}"), (), {"t": text}, tell)


def recall(story):
    fact, subject = a_fact(story.rng)
    if subject in "\n".join(story.notes):
        raise Redraw
    story.notes = [*story.notes, fact]

    def tell():
        result = story.call("memory.search", query=subject)
        if story.failed(result, "search the notes"):
            return
        notes = body(result)
        if len(notes) == 1:
            story.answer(f"I noted: {notes[0]}.")
        else:
            story.answer("I have " + result.replace("\n", ":\n", 1) if notes else f"I have no notes about {subject}.")

    return (
        ("(tell me|say) what you (know|noted|remember) about {q}", "(check|look in|search) your notes for {q}"),
        ("what did i tell you about {q}?", "what do your notes say about {q}?"),
        {"q": subject},
        tell,
    )


def shell(story, argv, clauses, **slots):
    return clauses, (), slots, lambda: tell_run(story, argv, story.call("proc.run", argv=argv))


def copy(story):
    rng = story.rng
    path, _ = everyday_file(story, 1, 4)
    target = words.file_path(rng, True, (0,))
    return shell(
        story,
        ["cp", path, target],
        ("copy {f} to {g}", "make a copy of {f} (called|named) {g}", "(back up|duplicate) {f} as {g}"),
        f=file_form(rng, path),
        g=quoted(rng, target, 0.1),
    )


def rename(story):
    rng = story.rng
    path, _ = everyday_file(story, 1, 4)
    target = words.file_path(rng, True, (0,))
    clauses = ("rename {f} to {g}", "(rename|move) {f} to {g}", "give {f} the name {g}")
    return shell(story, ["mv", path, target], clauses, f=file_form(rng, path), g=quoted(rng, target, 0.1))


def delete(story):
    path, _ = everyday_file(story, 1, 4)
    return shell(story, ["rm", path], ("(delete|remove) {f}", "get rid of {f}"), f=file_form(story.rng, path))


def make_folder(story):
    folder = words.folder_path(story.rng)
    argv = ["mkdir", *["-p"] * ("/" in folder), folder]
    return shell(story, argv, ("(create|make) (a folder|a new folder|the folder) {d}", "(create|make) a folder (called|named) {d}"), d=quoted(story.rng, folder, 0.1))


def sort(story):
    path, _ = everyday_file(story, 2, 6)
    return shell(story, ["sort", path], ("sort {f}", "(show me|print) {f} sorted", "sort the lines of {f}"), f=file_form(story.rng, path))


def run(story):
    rng = story.rng
    path = words.folder_path(rng, (0, 1, 1)) if rng.random() < 0.5 else "tools"
    path = (path + "/" if path else "") + words.pick(rng, words.ordinary()) + ".py"
    story.add_file(path, [f"print({everyday.phrase(rng)!r})"])
    return shell(story, ["python3", path], ("(run|execute|start) {p}", "(run|execute) the script {p}"), p=quoted(rng, path, 0.1))


def save(story):
    """A task of two calls: list, and write the names."""
    rng, folder = story.rng, words.folder_path(story.rng)
    target, form = target_file(story)
    story.fill(folder, (1, 5), (0, 0))

    def tell():
        result = story.call("fs.list", path=folder)
        if not story.failed(result, f"list {folder}"):
            if not body(result):
                return story.answer(f"I found no files in {folder}, so I wrote nothing.")
            save_names(story, names_in(result), f"I found {counted(result)}", target)
        return None

    return (
        ("(write|save|put) the names of the files in {d} (to|into|in) {g}", "(write|save|put) a list of the files in {d} (to|into|in) {g}"),
        (),
        {"d": folder_form(rng, folder), "g": form},
        tell,
    )


TASKS = (
    (read, 4),
    (count_lines, 3),
    (show_line, 2),
    (look, 3),
    (count_files, 2.5),
    (the_most, 2.5),
    (of_kind, 1.5),
    (search, 3),
    (write, 5),
    (append, 4),
    (edit, 4),
    (note, 3),
    (recall, 1.5),
    (copy, 2),
    (rename, 2),
    (delete, 1.5),
    (make_folder, 2),
    (sort, 1),
    (run, 2),
    (save, 2),
)
HEADS = (
    "(please|) do (this|the following|these things|these) (for me|):",
    "(two|some|a few|several) things:",
    "(my|today's|here is my|the) (list|tasks|todo list|to-do list|plan):",
    "i need the following:",
    "(tasks|todo|to do|steps):",
    "(in this order|one after the other|step by step):",
    "(can|could) you do these for me:",
    "",
    "",
)
JOINED = (
    "( and|, then|, and then| and then|, and|; then|, after that| and after that|, afterwards| and afterwards)",
    "(,|;| -|, and)",
    "( and also|, also| as well as|, plus| and besides| and, while you are at it,| and separately)",
    "(. Then|. Also,|. After that|. Afterwards,|. And|. Next,|. Besides,|. And then|. Finally,|.)",
)


def indexed(parts) -> tuple:
    """Clauses with slots of their own: `{f}` becomes `{f0}`, `{f1}`."""
    texts, slots = [], {}
    for index, (text, names) in enumerate(parts):
        for name, value in names.items():
            text = text.replace("{%s}" % name, "{%s%d}" % (name, index))
            slots[f"{name}{index}"] = value
        texts.append(text)
    return texts, slots


def ask_all(story, parts):
    """One request of all parts: pairs of a clause or a question and its slots."""
    rng = story.rng
    texts, slots = indexed(parts)
    questions = any(text.endswith("?") for text in texts)
    kind = rng.random()
    if kind < 0.2 or len(texts) > 2 and kind < 0.4:
        mark = rng.choice(("{i}. ", "{i}. ", "{i}) ", "- ", "* ", "{i}: ", ""))
        joint = rng.choice(("\n", "\n", " ")) if "{i}" in mark else "\n"
        capital = rng.random() < 0.5
        head = rng.choice(HEADS)
        rows = [mark.replace("{i}", str(index + 1)) + (text[0].upper() + text[1:] if capital and text[0] not in "{(" else text) for index, text in enumerate(texts)]
        text = (head + rng.choice(("\n", "\n\n", "\n" if joint == "\n" else " ")) if head else "") + joint.join(rows)
        return story.user(text, leads=False, **slots)
    if questions:
        text = texts[0]
        for part in texts[1:]:
            end = "" if text.endswith("?") else rng.choice((".", ".", ";"))
            text += end + " " + rng.choice(("", "", "and ", "also, ", "then ", "besides, ", "and ")) + part
        return story.user(text, **slots)
    join = rng.choice(JOINED)
    text = ("first " if join.startswith("( and|") and rng.random() < 0.3 else "") + texts[0]
    for index, part in enumerate(texts[1:]):
        last = index == len(texts) - 2
        text += (join if last or rng.random() < 0.5 else "(,|,|, then|;)") + " " + part
    return story.user(text, **slots)


def errands(story):
    """Independent tasks."""
    rng = story.rng
    made = []
    for _ in range(rng.choice((2, 2, 2, 2, 3, 3, 4))):
        clauses, questions, slots, tell = choose(rng, TASKS)(story)
        pool = questions if questions and rng.random() < 0.3 else clauses
        made.append((rng.choice(pool), slots, tell))
    yield
    ask_all(story, [(text, slots) for text, slots, _ in made])
    story.together([tell for _, _, tell in made])


def create_several(story):
    """New files, each with a text of its own; then perhaps a look at them, a folder before or a note after."""
    rng = story.rng
    folder = words.folder_path(rng, (1, 1, 2)) if rng.random() < 0.5 else ""
    parts, tells = [], []
    amount = rng.choice((2, 2, 3))
    for index in range(amount):
        path = (folder + "/" if folder else "") + words.file_name(rng, True)
        text = a_text(rng)[0].split("\n")[0]
        clause = rng.choice(
            (
                "(create|make|write) {f} with {t}",
                "(write|put|save) {t} (to|into|in) {f}",
                "(create|make) a file {f} (that says|containing|with) {t}",
            )
            if index == 0 or rng.random() < 0.6
            else ("{f} with {t}",)
        )
        parts.append((clause, {"f": quoted(rng, path, 0.1), "t": marked(rng, text)}))
        tells.append(lambda path=path, text=text: told_write(story, path, story.call("fs.write", path=path, content=text)))
    last = rng.choice(("", "list", "list", "note", "read"))
    if last == "list":
        place = folder or "."
        story.add_folder(place)
        parts.append((rng.choice(("list (the files in|) {d}", "show me what is in {d}", "(show|list) {d}")), {"d": folder_form(rng, place)}))
        tells.append(lambda: tell_listing(story, place, story.call("fs.list", path=place)))
    elif last == "note":
        clauses, _, slots, tell = note(story)
        parts.append((rng.choice(clauses), slots))
        tells.append(tell)
    elif last == "read":
        path = copied(parts[0][1]["f"])
        parts.append((rng.choice(("(read|show) the first one", "(read|show me) {f}")), {"f": parts[0][1]["f"]}))
        tells.append(lambda: tell_text(story, path, story.call("fs.read", path=path)))
    yield
    ask_all(story, parts)
    story.together(tells)


def same_change(story):
    """The same edit, line or question for two or three everyday files."""
    rng = story.rng
    kind = rng.choice(("edit", "edit", "append", "search", "read", "count", "copy"))
    paths, lines = [], []
    for _ in range(rng.choice((2, 2, 3))):
        path, these = everyday_file(story, 1, 4)
        paths.append(path)
        lines += these
    old, new = a_change(rng, lines)
    text = a_text(rng)[0].split("\n")[0]
    if kind in ("edit", "search"):
        for path in paths:
            if rng.random() < 0.92 and not any(old in line for line in story.lines_of(path)):
                story.add_file(path, [*story.lines_of(path), old])
    target = words.folder_path(rng, (1,))
    if kind == "copy":
        story.add_folder(target)
    names = [quoted(rng, path, 0.08) if rng.random() < 0.8 else file_form(rng, path) for path in paths]
    both = "both " if len(paths) == 2 and rng.random() < 0.3 else ""
    listed = ", ".join(names[:-1]) + rng.choice((" and ", " and ", ", and ", " and in " if kind in ("edit", "search") else " and ")) + names[-1]
    yield
    story.user(
        {
            "edit": (
                "(replace|change) {a} (with|to|by) {b} in {f}",
                "in {f}, (replace|change) {a} (with|to) {b}",
                "in {f} it should (say|be) {b} instead of {a}",
                *(
                    ("(replace|change) {a} (with|to|by) {b} in {x}, (and|then|) do the same in {y}", "(replace|change) {a} (with|to) {b} in {x}. (Do the same|The same) (in|for) {y}", "in {x}, (replace|change) {a} (with|to) {b}, (and|) the same in {y}")
                    if len(paths) == 2
                    else ()
                ),
                "(replace|change) {a} (with|to) {b}, in {f}",
                "{a} (is now|becomes|should be) {b} in {f}",
                "the same change in {f}: {b} instead of {a}",
            ),
            "append": ("(add|append) {t} to {f}", "(add|append) the line {t} (to|at the end of) {f}", "{f} (need|should get) one more line: {t}", "put {t} at the end of {f}"),
            "search": ("is {a} (mentioned|) in {f}?", "(search|check) {f} for {a}", "(look for|find) {a} in {f}", "(do|does) {f} (mention|contain) {a}?"),
            "read": ("(read|show|show me|print) {f}", "what is in {f}?", "what (do|does) {f} say?"),
            "count": ("how many lines (have|are in) {f}?", "count the lines (of|in) {f}", "how long are {f}, in lines?"),
            "copy": ("copy {f} (to|into) {g}", "(put|make) copies of {f} (in|into) {g}", "back up {f} (to|in|into) {g}"),
        }[kind],
        f=both + listed,
        x=names[0],
        y=names[1],
        a=marked(rng, old),
        b=marked(rng, new),
        t=marked(rng, text),
        g=folder_form(rng, target),
    )

    def teller(path):
        def tell():
            if kind == "edit":
                told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
            elif kind == "append":
                told_write(story, path, story.call("fs.write", path=path, content=text, append=True), f"append to {path}")
            elif kind == "search":
                tell_search(story, Needle.of(old, path), story.call("fs.search", pattern=old, path=path), "lines")
            elif kind == "read":
                tell_text(story, path, story.call("fs.read", path=path))
            elif kind == "count":
                tell_length(story, path)
            else:
                argv = ["cp", path, target + "/" + path.rsplit("/", 1)[-1]]
                tell_run(story, argv, story.call("proc.run", argv=argv))

        return tell

    story.together([teller(path) for path in paths])


AGAIN = (
    "(and|now) {x}?",
    "and {x}?",
    "(thanks|ok|good|great|fine), (and|now) {x}(| please)",
    "(thanks|thank you), (and|now) (the same for|) {x}",
    "what about {x}?",
    "(and|) how about {x}?",
    "{x} too",
    "(and|also) {x}, please",
    "(then|next) {x}",
    "the same for {x}",
)
IT = ("it", "it", "that file", "this file", "the file")


def talk_on(story):
    """A few turns about everyday files: `and X?`, `the second one`, `it`."""
    rng, folder = story.rng, words.folder_path(story.rng)
    paths = []
    for _ in range(rng.randint(2, 5)):
        path = folder + "/" + words.file_name(rng, True)
        story.add_file(path, everyday.lines(rng, words.kind_of(path), rng.randint(1, 5)) or [everyday.phrase(rng)])
        paths.append(path)
    start = rng.choice(("list", "list", "newest", "biggest", "again", "again"))
    yield
    if start == "again":
        kind = rng.choice(("read", "count", "first", "last"))
        for index, path in enumerate(paths[: rng.choice((2, 2, 3))]):
            if index:
                story.user(AGAIN, leads=False, x=file_form(rng, path) if rng.random() < 0.4 else quoted(rng, path, 0.05))
            else:
                story.user(
                    {
                        "read": ("(read|show|open|show me) {f}", "what (does {f} say|is in {f})?"),
                        "count": ("how many lines (has|are in) {f}?", "how long is {f}?"),
                        "first": (SHOW + " the first line of {f}", "how does {f} (begin|start)?", "what is the first line of {f}?"),
                        "last": ("(show|show me|what is) the last line of {f}", "how does {f} end?"),
                    }[kind],
                    f=file_form(rng, path),
                )
            if kind == "read":
                tell_text(story, path, story.call("fs.read", path=path))
            elif kind == "count":
                tell_length(story, path)
            elif kind == "first":
                tell_part(story, path, None, 1)
            else:
                argv = ["tail", "-n", "1", path]
                tell_run(story, argv, story.call("proc.run", argv=argv))
        return
    slots = {"in": place_form(rng, folder), "D": folder_form(rng, folder)}
    if start == "list":
        story.user((SHOW + " (the files|everything) {in}", "(which|what) files (are|do we have) {in}?", "what is {in}?", "list {D}", "what do we have {in}?"), **slots)
        result = story.call("fs.list", path=folder)
        tell_listing(story, folder, result)
    else:
        adjective = BIGGEST if start == "biggest" else NEWEST
        story.user((f"(what|which) is the {adjective} file {{in}}?", f"(find|tell me|show me) the {adjective} file {{in}}", f"which file {{in}} is (the|) {adjective}?"), **slots)
        result = story.call("fs.list", path=folder, sort="size" if start == "biggest" else "time", limit=1)
        tell_extreme(story, folder, start, result)
    if not body(result) or result.startswith(("error", "denied")):
        return
    shown = [folder + "/" + name for name in names_in(result) if not name.endswith("/")]
    for turn in range(rng.choice((1, 1, 2))):
        at = rng.randrange(min(len(shown), 6))
        word = f"the {ORDINALS[at]}( one| file| one| of them|)"
        if at == len(shown) - 1 and rng.random() < 0.4:
            word = "the last( one| file|)"
        if len(shown) == 1:
            word = rng.choice(IT)
        path = shown[at]
        task = rng.choice(("read", "read", "count", "append", "edit", "search", "copy", "delete", "name"))
        if turn:
            word = rng.choice(IT) if rng.random() < 0.5 else word
            path = last if word in IT else path
        last = path
        text, (old, new) = everyday.phrase(rng), a_change(rng, story.lines_of(path))
        target = words.file_name(rng, True)
        clause = {
            "read": ("(read|show|open|show me|print) {x}", "what (is in {x}|does {x} say)?", "what does {x} say?", "(ok|thanks|good), (now|) (read|open) {x}", "let me see {x}"),
            "count": ("how many lines (has|are in|are there in) {x}?", "and how long is {x}, in lines?", "count the lines of {x}"),
            "append": ("(add|append) {t} to {x}", "(now|then|ok,) add {t} at the end of {x}", "put {t} (in|at the end of) {x} too"),
            "edit": ("(replace|change) {a} (with|to) {b} in {x}", "in {x}, (change|replace) {a} (to|with) {b}", "(ok|good), now change {a} to {b} in {x}"),
            "search": ("is {w} (mentioned|) in {x}?", "does {x} (mention|contain|say anything about) {w}?"),
            "copy": ("copy {x} to {g}", "make a copy of {x} called {g}", "back up {x} as {g}"),
            "delete": ("(delete|remove) {x}", "i don't need {x} any more, delete it", "get rid of {x}"),
            "name": ("rename {x} to {g}", "call {x} {g}", "{x} should be called {g}"),
        }[task]
        story.user(
            tuple(one.replace("{x}", word) for one in clause),
            leads=rng.random() < 0.3,
            t=marked(rng, text),
            a=marked(rng, old),
            b=marked(rng, new),
            w=marked(rng, old),
            g=quoted(rng, target, 0.1),
        )
        if task == "read":
            tell_text(story, path, story.call("fs.read", path=path))
        elif task == "count":
            tell_length(story, path)
        elif task == "append":
            told_write(story, path, story.call("fs.write", path=path, content=text, append=True), f"append to {path}")
        elif task == "edit":
            told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
        elif task == "search":
            tell_search(story, Needle.of(old, path), story.call("fs.search", pattern=old, path=path), "lines")
        else:
            argv = {"copy": ["cp", path, target], "delete": ["rm", path], "name": ["mv", path, target]}[task]
            tell_run(story, argv, story.call("proc.run", argv=argv))
            if task != "copy":
                return
