"""Requests in few words: texts without marks, short names, one thing after the other, questions cut short."""

import everyday
import words
from stories.builder import Redraw, body, file_form, names_in, place_form, quoted
from stories.common import a_file, under
from stories.daily import TOLD, a_piece, a_text, everyday_file
from stories.errands import marked
from stories.listing import BIGGEST, NEWEST, tell_extreme, tell_kind, tell_listing
from stories.long_chains import write_and_tell
from stories.programs import tell_run
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import Needle, tell_search
from stories.writing import told_write

# Words that also belong to requests; inside of a text they mean nothing.
INSIDE = "in to with for from on and of at into by then as not before after under".split()


def said_text(rng) -> str:
    """A text of several words as one says it, often with words that requests have too."""
    kind = rng.random()
    if kind < 0.25:
        return a_text(rng)[0].split("\n")[0]
    if kind < 0.45:
        return everyday.phrase(rng).rstrip(".!?")
    if kind < 0.55:
        return rng.choice((str(rng.randint(0, 99)), everyday.decimal(rng), "0." + str(rng.randint(1, 9)), f"{rng.randint(1, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}"))
    pick = lambda: words.pick(rng, words.ordinary())  # noqa: E731
    inside = rng.choice(INSIDE)
    text = rng.choice(
        (
            f"{pick()} {inside} the {pick()}",
            f"{pick()} {inside} {words.pick(rng, words.PLACES)}",
            f"{words.pick(rng, words.VERBS)} the {pick()}",
            f"{words.pick(rng, words.VERBS)} {pick()} {inside} {words.pick(rng, words.PEOPLE)}",
            f"{pick()} {pick()} {inside} {pick()}",
            f"{pick()}, {pick()}, {rng.choice(('two', 'three', 'some', 'no'))} {pick()}s",
            f"{rng.choice(('- ', '* ', '# ', ''))}{pick()} {pick()}",
            f"{pick()} {inside} {rng.choice(words.DAYS)}",
        )
    )
    return text.capitalize() if rng.random() < 0.3 else text


def said_texts(story):
    """A text stands at the end, without marks: all of it belongs into the file."""
    rng, path = story.rng, a_file(story.rng)
    text, add = said_text(rng), rng.random() < 0.35
    if rng.random() < (0.85 if add else 0.3):
        story.add_text(path, 1, 6)
    name = quoted(rng, path, 0.08)
    yield
    story.user(
        (
            "(add|append) (this|the line|the following line|one line|) to {f}: {t}",
            "(add|append|put) (a line|one more line|another line) (to|in|at the end of) {f}: {t}",
            "(new|next|another) line (for|in) {f}: {t}",
            "{f} needs (one more|another|a new) line: {t}",
            "(write|put|note) (at the end of|below the rest of|at the bottom of) {f}: {t}",
            "(add|append) to {f} the (line|text|words) {t}",
            "(extend|complete) {f} (by|with): {t}",
        )
        if add
        else (
            "(make|create|write|start|open|begin) (a|the|a new|new|) file {n}(, |; | - | with )content: {t}",
            "(overwrite|replace|fill) {f} with: {t}",
            "(overwrite|replace|fill) {f} with {t}",
            "(write|put|save) (this|the following|the text|the line) (to|into|in) {f}: {t}",
            "(save|store|keep|write) this as {n}: {t}",
            "(make|create|write) (a|a new|the|) (file|text file|) {n} (with|containing|that says|saying|which says|with the text|with the line|with the words) {t}",
            "i (want|need|would like) (a|the|a new|) {n} (that says|with|with the text|containing|which says) {t}",
            "(put|write) (in|into|to) {f}: {t}",
            "{n} (should say|should contain|must say|has to contain|shall read): {t}",
            "{n} with the (text|content|line|words) {t}",
            "(make|create) (a file|an empty file|a small file) (called|named) {n}, (just|only|with just|with only) {t} in it",
            "(a|one) (new|) file {n}, (text|content|it says): {t}",
            "(change|set) the (text|content|contents) of {f} to {t}",
        ),
        f=file_form(rng, path),
        n=name,
        t=text if rng.random() < 0.85 else quoted(rng, text, 1),
    )
    result = story.call("fs.write", path=path, content=text, append=add)
    told_write(story, path, result, f"append to {path}" if add else None)


def extreme_then(story):
    """The newest or biggest file of a folder, and two or three things with it."""
    rng, folder = story.rng, words.folder_path(story.rng)
    for _ in range(rng.choice((1, 2, 3, 4))):
        story.add_text(under(folder, words.file_name(rng, True)), 1, 6)
    newest = rng.random() < 0.6
    word = NEWEST if newest else BIGGEST
    tasks = rng.sample(("read", "count", "name", "number", "note", "first", "copy"), rng.choice((2, 2, 3)))
    if "count" in tasks and "number" in tasks:
        tasks.remove("count")
    targets = {task: words.file_name(rng, True) for task in tasks}
    save = "(write|save|put|note)"
    clauses, slots = [], {"in": place_form(rng, folder)}
    for index, task in enumerate(tasks):
        slots[f"f{index}"] = quoted(rng, targets[task], 0.08)
        to = f"{TOLD} {{f{index}}}"
        too = "(| too| as well)" if index else ""
        clauses.append(
            rng.choice(
                {
                    "read": ("(read|show|open|print|show me) (it|the file|that file)", "read it to me", "(show|tell) me what (it says|is in it)"),
                    "count": ("count its lines", "tell me how many lines it has", "(say|check) how long it is in lines"),
                    "name": (f"{save} its name {to}", f"{save} the name {to}", f"{save} (its|the) file name {to}"),
                    "number": (f"count its lines and {save} the number {to}", f"{save} the number of its lines {to}", f"{save} how many lines it has {to}"),
                    "note": (f"(remember|note|memorize|keep in mind) (it|its name|the name){too}", f"(make|take|keep) a note of (it|its name){too}", f"(remember|note) which (one|file) it is{too}"),
                    "first": (f"{save} its first line {to}", f"(copy|write) the first line of it {to}"),
                    "copy": (f"copy it to {{f{index}}}", f"make a copy of it called {{f{index}}}", f"back it up as {{f{index}}}"),
                }[task]
            )
        )
    join = rng.choice((", ", ", then ", "; ", ". Then ", ", and then "))
    rest = join.join(clauses[:-1]) + rng.choice((" and ", ", and ", " and then ", ", then ", ". Finally ", join)) + clauses[-1]
    yield
    story.user(
        (
            f"(find|look up|search|get|take|pick|determine) the {word} file {{in}}, {rest}",
            f"(look at|go to|take|open) the {word} file {{in}}, {rest}",
            f"(which|what) is the {word} file {{in}}? {rest}",
            f"(find|tell me) the {word} file {{in}} and {rest}",
            f"(find|look for) the {word} file {{in}}. (Then|) {rest}",
        ),
        **slots,
    )
    result = story.call("fs.list", path=folder, sort="time" if newest else "size", limit=1)
    if story.failed(result, f"list {folder}"):
        return None
    name = names_in(result)[0]
    if name.endswith("/"):
        raise Redraw
    path = under(folder, name)

    def do(task):
        target = targets[task]
        if task == "read":
            tell_text(story, path, story.call("fs.read", path=path))
        elif task == "count":
            tell_length(story, path)
        elif task == "name":
            write_and_tell(story, target, name, f"I listed {folder}")
        elif task == "note":
            said = f"the {'newest' if newest else 'biggest'} file in {folder} is {name}"
            if not story.failed(story.call("memory.note", text=said), "take the note"):
                story.answer(f"Noted: {said}.")
        elif task == "copy":
            argv = ["cp", path, target]
            tell_run(story, argv, story.call("proc.run", argv=argv))
        else:
            read = story.call("fs.read", path=path, max_lines=1)
            if not story.failed(read, f"read {path}"):
                content = (body(read) or [""])[0] if task == "first" else read.split(" ")[0]
                write_and_tell(story, target, content, f"I read {path}")

    story.together([lambda: tell_extreme(story, folder, "newest" if newest else "biggest", result), *(lambda task=task: do(task) for task in tasks)])
    return None


def tiny_files(story):
    """Files with short names and short texts, several at once; then perhaps a look at them."""
    rng = story.rng
    extension = rng.choice(("txt", "txt", "md", "csv", "log", "cfg"))
    stems = rng.choice(("a b c d", "x y z w", "one two three four", "1 2 3 4", "left right top down", "north south east west", "red green blue black", "mon tue wed thu", "a1 a2 a3 a4", "p q r s"))
    texts = rng.choice((" ".join(rng.sample("one two three four five six seven eight nine ten".split(), 4)), " ".join(str(rng.randint(1, 99)) for _ in range(4)), " ".join(words.pick(rng, words.ordinary()) for _ in range(4)), "yes no maybe later", "alpha beta gamma delta"))
    amount = rng.choice((2, 3, 3, 3, 4))
    files = [f"{stem}.{extension}" for stem in stems.split()[:amount]]
    texts = texts.split()[:amount]
    if len(set(texts)) < amount:
        raise Redraw
    story.fill(".", (0, 3), (0, 1))
    joint = " with " if rng.random() < 0.6 else rng.choice((" with ", ": ", " = ", " [", " containing "))
    close = "]" * (joint == " [")
    said = [f"{quoted(rng, name, 0)}{joint}{quoted(rng, text, rng.choice((0, 0, 1)))}{close}" for name, text in zip(files, texts)]
    listed = ", ".join(said[:-1]) + rng.choice((" and ", ", and ", ", ")) + said[-1]
    last = rng.choice(("", "", "list", "list", "all", "read"))
    yield
    end = {
        "": "",
        "list": "(, then| and then|. Then|; then|, and) (list|show me|show) (the files|all files|everything|what is) here",
        "all": "(, then| and then|. Then|; then|, and) (list|show me|show|find) (all|the|all the) {e} files (here|)",
        "read": "(, then| and then|. Then|; then|, and) (read|show me|open|print) {r}",
    }[last]
    story.user(
        ("(make|create|write|start) {x}" + end, "(make|create|write) (two|three|some|the|) files: {x}" + end, "(i need|i want|we need) {x}" + end),
        x=listed,
        e=extension,
        r=quoted(rng, files[0], 0),
    )
    tells = [lambda path=path, text=text: told_write(story, path, story.call("fs.write", path=path, content=text)) for path, text in zip(files, texts)]
    if last == "list":
        tells.append(lambda: tell_listing(story, ".", story.call("fs.list")))
    elif last == "all":
        tells.append(lambda: tell_kind(story, ".", "*." + extension, story.call("fs.list", pattern="*." + extension)))
    elif last == "read":
        tells.append(lambda: tell_text(story, files[0], story.call("fs.read", path=files[0])))
    story.together(tells)


def cut_short(story):
    """A question, then the same of other files in two or three words."""
    rng = story.rng
    kind = rng.choice(("search", "search", "search", "count", "first", "read"))
    paths, lines = [], []
    for _ in range(rng.choice((2, 2, 3))):
        path, these = everyday_file(story, 1, 5)
        paths.append(path)
        lines += these
    full = [line for line in lines if line.strip()]
    text = a_piece(rng, rng.choice(full)) if full and rng.random() < 0.7 else rng.choice((words.pick(rng, words.PEOPLE), everyday.fragment(rng)))
    if len(set(paths)) < len(paths):
        raise Redraw
    names = [quoted(rng, path, 0.04) for path in paths]
    whole, shorts = {
        "search": (("does {a} (mention|contain|have|list|say) {w}?", "is {w} (in|mentioned in|listed in) {a}?"), ("(and|) does {x}?", "and {x}?", "(and|) what about {x}?", "{x}?", "(and|) is it in {x}?")),
        "count": (("how many lines (has|are in) {a}?", "how long is {a}, in lines?"), ("and {x}?", "what about {x}?", "{x}?", "and how many has {x}?")),
        "first": (("what is the first line of {a}?", "how does {a} begin?"), ("and {x}?", "what about {x}?", "and of {x}?", "{x}?")),
        "read": (("what is in {a}?", "what does {a} say?"), ("and {x}?", "and in {x}?", "what about {x}?", "{x}?")),
    }[kind]
    yield
    slots = {"a": names[0], "w": quoted(rng, text, 0.1)}
    rest = ""
    for index, name in enumerate(names[1:]):
        short = rng.choice(shorts).replace("{x}", "{x%d}" % index)
        rest += " " + (short.capitalize() if rng.random() < 0.5 and not short.startswith(("(", "{")) else short)
        slots[f"x{index}"] = name
    story.user(tuple(one + rest for one in whole), leads=False, **slots)

    def teller(path):
        def tell():
            if kind == "search":
                tell_search(story, Needle.of(text, path), story.call("fs.search", pattern=text, path=path), "lines")
            elif kind == "count":
                tell_length(story, path)
            elif kind == "first":
                tell_part(story, path, None, 1)
            else:
                tell_text(story, path, story.call("fs.read", path=path))

        return tell

    story.together([teller(path) for path in paths])


def copy_then_add(story):
    """A copy, and a line for the copy, not for the first file."""
    rng = story.rng
    path, _ = everyday_file(story, 1, 5)
    target = words.file_path(rng, True, (0, 1))
    text = said_text(rng) if rng.random() < 0.5 else a_text(rng)[0].split("\n")[0]
    reading = rng.random() < 0.4
    yield
    story.user(
        tuple(
            ("(read|show|open) {f}, " if reading else "")
            + one
            + rng.choice((" and then ", ", then ", " and ", ". Then ", "; then "))
            + rng.choice(("(add|append) (the line|) {t} to (the copy|{h}|the new file)", "(add|append) to the copy: {t}", "put {t} at the end of (the copy|{h})"))
            for one in (
                ("copy it to {g}", "copy what it says to {g}", "(save|make) a copy as {g}", "back it up as {g}")
                if reading
                else ("copy {f} to {g}", "make a copy of {f} (called|named) {g}", "(duplicate|back up) {f} as {g}", "copy the (text|content) of {f} (to|into) {g}")
            )
        ),
        f=file_form(rng, path),
        g=quoted(rng, target, 0.08),
        h=quoted(rng, target, 0.08),
        t=marked(rng, text),
    )
    tells = [lambda: tell_text(story, path, story.call("fs.read", path=path))] if reading else []
    argv = ["cp", path, target]
    tells.append(lambda: tell_run(story, argv, story.call("proc.run", argv=argv)))
    tells.append(lambda: told_write(story, target, story.call("fs.write", path=target, content=text, append=True), f"append to {target}"))
    story.together(tells)
