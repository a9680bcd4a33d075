"""One request about everyday files: nouns instead of `files`, questions of yes or no, values, corrections."""

import re

import everyday
import words
from ordinary_words import plural
from stories.builder import Redraw, body, cut_note, few, file_form, joined, names_in, place_form, quoted, where
from stories.chains import NEXT, save_names, target_file
from stories.common import LARGER, SMALLER, a_file, counted, under
from stories.listing import BIGGEST, NEWEST, tell_extreme, tell_listing
from stories.long_chains import write_and_tell
from stories.programs import tell_run
from stories.reading import tell_part, tell_text
from stories.searching import Needle, files_of, tell_search
from stories.writing import told_edit, told_write

# What a folder of that name (in the plural) holds.
HELD = tuple(
    """recipe invoice letter photo report log script test draft poem song contract receipt lecture exercise order ticket plan
    backup template picture story article form statement protocol essay chapter sketch map bill offer slide sample recording
    proposal summary review guide manual tutorial experiment measurement drawing figure table lesson project task idea list
    budget quote speech card puzzle interview schedule survey result example note""".split()
)
EXTENSIONS = {
    "photo": "jpg", "picture": "png", "log": "log", "script": "py", "test": "py", "recording": "mp3", "drawing": "svg", "figure": "png",
    "invoice": "pdf", "table": "csv", "measurement": "csv", "slide": "pdf", "budget": "csv", "result": "csv",
}  # fmt: skip


class Held:
    """A folder that is called like what is in it: `recipes`, `docs/letters`."""

    def __init__(self, story, low=0, texts=False):
        rng = story.rng
        self.noun = words.pick(rng, HELD if rng.random() < 0.75 else words.THINGS)
        self.nouns = plural(self.noun)
        self.named = rng.random() < 0.45 or self.noun in ("note", "log", "test", "result")
        self.folder = self.nouns
        if self.named and rng.random() < 0.6:
            self.folder = words.folder_path(rng, (1, 1, 2)) + "/" + self.nouns
        self.shown = place_form(rng, self.folder) if self.named else ""
        self.paths = []
        story.add_folder(self.folder)
        extension = EXTENSIONS.get(self.noun, rng.choice(("txt", "md", "txt", "pdf")))
        if texts:
            extension = extension if extension in words.TEXT_EXTENSIONS else rng.choice(("txt", "md"))
        for _ in range(few(rng, low, 7)):
            name = rng.choice(
                (
                    words.stem(rng),
                    everyday.stem_and_extension(rng)[0],
                    words.pick(rng, words.ordinary()),
                    f"{self.noun}-{rng.randint(1, 40)}",
                    f"{self.noun}_{words.pick(rng, words.ordinary())}",
                    f"{self.noun} {words.pick(rng, words.PEOPLE)}".lower(),
                    f"{words.pick(rng, words.ordinary())} {self.noun}",
                )
            )
            path = f"{self.folder}/{name}.{extension if rng.random() < 0.85 else rng.choice(words.TEXT_EXTENSIONS)}"
            try:
                if texts:
                    story.add_text(path, 1, 6)
                else:
                    story.add_file(path, size=words.size(rng))
                self.paths.append(path)
            except Redraw:
                pass
        self.slots = {"n": self.noun, "N": self.nouns, "in": self.shown}


HAVE = "(do we have|have we got|are there|do we keep|did we collect|do you see|do i have|exist|are stored|did we save)"


def held_in_folder(story):
    """Lists, counts, extremes and sizes of `our recipes`."""
    rng = story.rng
    held = Held(story)
    kind = rng.choice(("list", "list", "list", "count", "biggest", "newest", "newest", "size"))
    spoken, limit = words.spoken_size(rng)
    large = rng.random() < 0.75
    yield
    slots = held.slots
    if kind == "list":
        story.user(
            (
                "(which|what) {N} " + HAVE + " {in}?",
                "(have a look|take a look|look) at (the|our|my) {N} {in}",
                "(list|show me|give me|name|tell me) (the|our|all|all our|my) {N} {in}",
                "(what|how) are (our|the) {N} called {in}?",
                "what is the name of each {n} {in}?",
                "(our|my|the) {N} {in}",
                "i (need|want|would like) (to see|a list of|to know) (the|our|all) {N} {in}",
                "(what|which) {N} can i (choose from|pick|read) {in}?",
                "what do we have (in the way of|in terms of) {N} {in}?",
                "i am looking for a {n}, what is there {in}?",
                "(let me|can i) see (the|our) {N} {in}",
            ),
            **slots,
        )
        return tell_listing(story, held.folder, story.call("fs.list", path=held.folder))
    if kind == "count":
        story.user(
            (
                "how many {N} " + HAVE + " {in}?",
                "(count|number of) (the|our|all) {N} {in}",
                "(tell me|i want to know) how many {N} there are {in}",
                "do we have many {N} {in}? how many?",
                "what number of {N} " + HAVE + " {in}?",
            ),
            **slots,
        )
        result = story.call("fs.list", path=held.folder)
        if not story.failed(result, f"list {held.folder}"):
            count = counted(result) or "0 files"
            story.answer(f"There {'is' if count.startswith('1 ') else 'are'} {count} in {held.folder}.")
        return None
    if kind == "size":
        than = LARGER if large else SMALLER
        story.user(
            (
                "(which|what) {N} {in} " + ("(exceed|need more than|are over|are bigger than)" if large else "(stay below|are under|are smaller than)") + " {s}?",
                "(list|show|find|name) (the|all|our) {N} {in} " + than + " {s}",
                "(are there|do we have) {N} {in} " + than + " {s}?",
                "{N} " + than + " {s} {in}",
            ),
            s=spoken,
            **slots,
        )
        result = story.call("fs.list", path=held.folder, **{"min_size" if large else "max_size": limit})
        if not story.failed(result, f"list {held.folder}"):
            said = f"{'larger' if large else 'smaller'} than {limit} in {held.folder}"
            count = counted(result)
            story.answer(f"I found {count} {said}{joined(names_in(result))}{cut_note(result)}" if count else f"I found no files {said}.")
        return None
    story.user(
        (
            f"(what|which) is (the|our|my) {BIGGEST} {{n}} {{in}}?",
            "which {n} {in} (takes up|takes|needs|uses) (the|) most (space|room)?",
            f"(find|show me|tell me|name) (the|our) {BIGGEST} {{n}} {{in}}",
            f"which (of the|of our) {{N}} {{in}} is (the|) {BIGGEST}?",
            f"(the|our) {BIGGEST} {{n}} {{in}}",
        )
        if kind == "biggest"
        else (
            f"(what|which) is (the|our|my) (last|{NEWEST}) {{n}} {{in}}?",
            "which {n} {in} (did i|did we|did somebody) (change|touch|edit|save|write|add) last?",
            "(which|what) {n} {in} was (changed|added|saved|edited|written) (last|most recently)?",
            f"(find|show me|tell me|name) (the|our) {NEWEST} {{n}} {{in}}",
            f"(the|our) {NEWEST} {{n}} {{in}}",
            "(what|which) was the last {n} (i|we) worked on {in}?",
        ),
        **slots,
    )
    result = story.call("fs.list", path=held.folder, sort="size" if kind == "biggest" else "time", limit=1)
    return tell_extreme(story, held.folder, kind, result)


def held_texts(story):
    """Search in `our recipes`, or read the newest or the one that says something."""
    rng = story.rng
    held = Held(story, 1, True)
    needle = everyday.fragment(rng)
    for path in held.paths:
        if rng.random() < 0.4:
            story.add_file(path, [*story.lines_of(path), rng.choice(("", "- ", everyday.phrase(rng) + " ")) + needle])
    kind = rng.choice(("search", "search", "newest", "mention", "save", "first"))
    target, form = target_file(story)
    yield
    slots = {**held.slots, "w": quoted(rng, needle, 0.35), "f": form}
    if kind in ("newest", "first"):
        part = "" if kind == "newest" else "(the first line|the beginning|the top line) of "
        story.user(
            (
                f"(read|show|open|print) (me|) {part}(the|our|my) (last|{NEWEST}) {{n}} {{in}}",
                f"(what does|what is in) (the|our) (last|{NEWEST}) {{n}} {{in}}(| say| tell us)?" if kind == "newest" else f"(show me|what is) {part}(the|our) {NEWEST} {{n}} {{in}}",
                f"i want to (read|see) {part}(the|our) (last|{NEWEST}) {{n}} {{in}}",
                f"which {{n}} {{in}} is the {NEWEST}? (read|show|open) (it|the whole file|the whole thing|it to me)" if kind == "newest" else f"which {{n}} {{in}} is the {NEWEST}? show its first line",
                f"(find|look for) the {NEWEST} {{n}} {{in}} {NEXT} (read|show|print) {part or ''}it",
            ),
            **slots,
        )
        result = story.call("fs.list", path=held.folder, sort="time", limit=1)
        if story.failed(result, f"list {held.folder}"):
            return None
        if not body(result):
            return story.answer(f"There are no files in {held.folder}.")
        path = under(held.folder, names_in(result)[0])
        return tell_text(story, path, story.call("fs.read", path=path)) if kind == "newest" else tell_part(story, path, None, 1)
    searching = (
        "(which|what) {N} {in} (use|need|mention|contain|have|talk about|are about|say|name|include) {w}?",
        "in which {N} {in} (does {w} occur|does {w} appear|is {w} mentioned|can i find {w})?",
        "which {n} {in} (mentions|contains|has|is about|uses|needs) {w}?",
        "(find|list|show|name|tell me) (the|all|all our) {N} {in} (with|about|that mention|that need|that use|containing) {w}",
        "(look|search|go) through (the|our|all) {N} {in} for {w}",
        "(do|does) (any|one) of (the|our) {N} {in} (mention|contain|need) {w}? which?",
        "{w}: which {N} {in} have it?",
    )
    ends = {
        "search": "",
        "mention": NEXT + " (read|show|open|print) (it|the whole file|the first one|the first of them|it to me)",
        "save": NEXT + " (write|save|put|note down|store) (the names|their names|the file names|the list) (to|into|in) {f}",
    }
    if kind == "search":
        story.user(searching, **slots)
    else:
        story.user(
            (
                "(which|what) {N} {in} (mention|contain|need|use|have) {w}? " + ends[kind].replace(NEXT + " ", ""),
                "(find|search|look for) (the {n}|the {N}|{N}) {in} (with|about|that mention|containing) {w} " + ends[kind],
                "(search|look through) (the|our) {N} {in} for {w} " + ends[kind],
                *(
                    ("(read|show|open) (me|) the {n} {in} (with|about|that mentions|which says) {w}", "what does the {n} {in} (with|about|that mentions) {w} say?")
                    if kind == "mention"
                    else ("{N} {in} (with|that mention|that need) {w} -> {f}", "(put|write|save) the names of (the|all) {N} {in} (with|that mention|that use) {w} (into|in|to) {f}")
                ),
            ),
            **slots,
        )
    result = story.call("fs.search", pattern=needle, path=held.folder)
    if kind == "search":
        return tell_search(story, Needle.of(needle, held.folder), result, "files")
    if story.failed(result, f"search {held.folder}"):
        return None
    if not body(result):
        return story.answer(f'I found no matches for "{needle}" {where(held.folder)}' + (", so I wrote nothing." if kind == "save" else "."))
    found = files_of(result)
    if kind == "mention":
        return tell_text(story, found[0], story.call("fs.read", path=found[0]))
    written = story.call("fs.write", path=target, content="\n".join(found))
    if not story.failed(written, f"write {target}"):
        story.answer(f"I found {result.split(chr(10))[0]} and wrote the file names to {target}{joined(found)}{cut_note(result)}")
    return None


def everyday_file(story, low=2, high=9, kinds=None) -> tuple:
    """A file with everyday lines; its path and lines."""
    rng = story.rng
    path = a_file(rng)
    if kinds:
        path = path.rsplit(".", 1)[0] + "." + rng.choice(kinds)
    kind = words.kind_of(path)
    lines = everyday.lines(rng, kind, few(rng, low, high))
    story.add_file(path, lines)
    return path, lines


def a_piece(rng, line: str) -> str:
    """A word, a value or two words of a line; the line where it has none."""
    parts = [part.strip(".,:;!?()[]\"'") for part in line.replace(",", " ").replace("\t", " ").split()]
    parts = [part for part in parts if len(part) > 2 or part.isdigit()]
    if not parts:
        return line
    at = rng.randrange(len(parts))
    two = " ".join(parts[at : at + 2])
    return two if rng.random() < 0.25 and two in line else parts[at]


def whether_in_file(story):
    """Does a file say something? A search in it, answered with yes or no."""
    rng = story.rng
    path, lines = everyday_file(story, 1, 12)
    person = rng.random() < 0.3
    known = [one for line in lines for one in line.replace(",", " ").split() if one in words.PEOPLE]
    if person:
        text = rng.choice(known) if known and rng.random() < 0.6 else words.pick(rng, words.PEOPLE)
    else:
        full = [line for line in lines if line]
        text = a_piece(rng, rng.choice(full)) if full and rng.random() < 0.6 else everyday.fragment(rng)
    yield
    story.user(
        (
            "is {w} (in|on|part of|listed in|named in) {f}?",
            "is there (any|a|some|an entry for|something about|anything about) {w} (in|on) {f}?",
            "does {f} (mention|contain|have|list|include|name|say anything about|talk about|know) {w}?",
            "(do|did) (we|i|they|you) (mention|list|write down|have|note|put) {w} in {f}?",
            "can {w} be found in {f}?",
            "is {w} (mentioned|listed|written|noted|named|spoken of) (anywhere|somewhere|) in {f}?",
            "has {w} been (mentioned|written down|listed|added) in {f}?",
            "(check|see|tell me|find out) (if|whether) {w} is (in|on|mentioned in|listed in) {f}",
            "(i wonder|i want to know) (if|whether) {w} is (mentioned|listed|) in {f}",
            "is it true that {f} (mentions|contains|lists) {w}?",
            "did (someone|anyone|we) (add|write) {w} to {f}?",
            "are there lines (with|about) {w} in {f}?",
            "does {w} (occur|appear|show up|stand|come up) (anywhere|) in {f}?",
            *(
                (
                    "(does|did) (anybody|anyone|somebody|someone) (called|named|by the name of) {w} (appear|occur|show up) in {f}?",
                    "is (anybody|anyone|somebody|someone) (called|named) {w} (in|on|mentioned in) {f}?",
                    "is there (a person|someone|anyone) (called|named) {w} in {f}?",
                    "was {w} (there|present|mentioned), according to {f}?".replace("was", "is"),
                    "do we know (a|any) {w} from {f}?",
                )
                if person
                else ()
            ),
        ),
        f=file_form(rng, path),
        w=quoted(rng, text, 0.2),
    )
    tell_search(story, Needle.of(text, path), story.call("fs.search", pattern=text, path=path), "lines")


def look_up(story):
    """The value of something in a file: a search for its key."""
    rng = story.rng
    kind = rng.choice(("table", "table", "setting", "setting", "line"))
    path, lines = everyday_file(story, 3, 10, {"table": ["csv", "csv", "tsv"], "setting": ["ini", "conf", "yaml", "toml", "cfg"]}.get(kind))
    mark = "," if path.endswith("csv") else "\t"
    rows = [line for line in lines if line and line[0] not in "[#{}"]
    if len(rows) < 2:
        raise Redraw
    row = rng.choice(rows[1:])
    column = ""
    if kind == "table":
        key = row.split(mark)[0]
        column = rng.choice(rows[0].split(mark)[1:] or ["value"])
        if not column.isalpha():
            column = rng.choice(("price", "value", "number"))
    elif kind == "setting":
        key = row.split(" = ")[0].split(": ")[0].split("=")[0].strip()
    else:
        key = a_piece(rng, row)
    if rng.random() < 0.08:
        key = words.pick(rng, words.ordinary())
    yield
    templates = {
        "table": (
            "(what is|what's|tell me|give me|look up|find) the {c} (of|for) {k} (in|according to|from) {f}",
            "(which|what) {c} (has|does) {k} (in|according to) {f}(| have)?".replace("(has|does)", "(has|does)"),
            "{f}: (what|which) {c} is (listed|given) for {k}?",
            "i need the {c} (of|for) {k} from {f}",
            "what does {f} (say|list|give) (as|for) the {c} of {k}?",
            "how much is {k} (in|according to) {f}?",
            "(read|find|show me) the {c} for {k} in {f}",
        ),
        "setting": (
            "(what|which) {k} is (set|used|configured|given) in {f}?",
            "what is (the value of|the setting|) {k} in {f}?",
            "(what is|what's) {k} set to in {f}?",
            "(look up|find|check|tell me) (the value of|) {k} in {f}",
            "what does {f} say (for|about) {k}?",
            "{k} in {f}: what is it?",
            "(which|what) value has {k} in {f}?",
            "to what is {k} set in {f}?",
        ),
        "line": (
            "(what|which) line of {f} (mentions|has|contains) {k}?",
            "what does {f} (say|tell us) about {k}?",
            "what about {k} in {f}?",
            "what is (written|said) about {k} in {f}?",
        ),
    }[kind] + (
        "(show|print|give) me the (row|line|entry|record) (for|of|with|about) {k} (in|from) {f}",
        "(show|find|print) the (row|line|entry) (with|for) {k} in {f}",
        "which (row|line|entry) in {f} is about {k}?",
    )
    story.user(templates, f=file_form(rng, path), k=quoted(rng, key, 0.12), c=column or "value")
    tell_search(story, Needle.of(key, path), story.call("fs.search", pattern=key, path=path), "lines")


def another_value(rng, old: str) -> str:
    """What could stand instead: a number for a number, a person for a person."""
    if old.isdigit():
        return str(rng.randint(1, 10 ** max(1, len(old))))
    if old.replace(".", "", 1).isdigit():
        return everyday.decimal(rng)
    if old in words.PEOPLE:
        return words.pick(rng, words.PEOPLE)
    for mark in (" = ", ": ", "="):
        if old.count(mark) == 1:
            key, value = old.split(mark)
            return key + mark + another_value(rng, value)
    if old in ("true", "false", "yes", "no", "on", "off"):
        return {"true": "false", "false": "true", "yes": "no", "no": "yes", "on": "off", "off": "on"}[old]
    if old.lower() in [day.lower() for day in words.DAYS]:
        return rng.choice(words.DAYS)
    kind = rng.random()
    if kind < 0.5 or " " not in old:
        return words.pick(rng, words.ordinary()) if kind < 0.8 else everyday.fragment(rng)
    parts = old.split(" ")
    parts[rng.randrange(len(parts))] = words.pick(rng, words.ordinary())
    return " ".join(parts)


def a_change(rng, lines) -> tuple:
    """What a file says, and what it should say instead."""
    full = [line for line in lines if line.strip()]
    line = rng.choice(full) if full else "nothing"
    old = line.strip() if rng.random() < 0.35 else a_piece(rng, line)
    if rng.random() < 0.06:
        old = everyday.fragment(rng)
    new = another_value(rng, old)
    if old == new:
        raise Redraw
    return old, new


# Words that could belong to the request: a text with one of them is put between marks.
CONNECTING = re.compile(r"\b(to|for|in|with|by|of|not|is|into|but|and|from|should|instead)\b")
CHANGES = (
    "{f} says {a} but (i want|it should be|it should say|it must say|i meant) {b}",
    "it should be {b}, not {a}, in {f}",
    "in {f} it should (be|say|read) {b}, not {a}",
    "in {f}, {b}, not {a}",
    "{b} instead of {a} in {f}",
    "(i want|i'd like|please have) {b} instead of {a} in {f}",
    "swap {a} for {b} in {f}",
    "swap {a} (for|against|with) {b} in {f}",
    "change {f} from {a} to {b}",
    "(put|write|use) {b} (in place of|rather than|instead of) {a} in {f}",
    "(correct|fix|update) {f}: {b} instead of {a}",
    "{f} has {a}, (make that|make it|it must be|that should be) {b}",
    "{a} is (wrong|outdated|old|no longer right) in {f}, (it is|it should be|correct is|make it) {b}",
    "set {b} where {f} (has|says) {a}",
    "{a} => {b} in {f}",
    "the (text|word|part|entry) {a} in {f} must become {b}",
    "(update|change|adapt) {a} in {f}; the new (value|text) is {b}",
    "(please|) let {b} replace {a} in {f}",
    "where it says {a} in {f}, (put|write) {b}",
    "in {f} (change|set|turn|switch) {a} (to|into) {b}",
    "(make|turn) {a} into {b} in {f}",
    "(modify|adjust|amend) {f} so that it (says|reads|has) {b} (instead of|and not|rather than) {a}",
    "{f} (contains|has) (a mistake|an error|a typo): {a} should be {b}",
    "{a} has to be {b} in {f}",
    "(replace|change) in {f} {a} (with|by|to) {b}",
    "could it be {b} and not {a} in {f}?",
    "i wrote {a} in {f}, but i meant {b}",
    "not {a} but {b} (should stand|belongs) in {f}",
)
DELETIONS = (
    "(delete|remove|drop|strike|cross out|take out|erase) {a} (from|in) {f}",
    "(delete|remove|drop) the (line|text|entry|part|item) {a} (from|in) {f}",
    "{a} (can|should|must) (go|be removed|be deleted) (from|in) {f}",
    "i don't need {a} in {f} any more",
    "(take|cross) {a} off {f}",
    "(get rid of|throw out) {a} in {f}",
    "{f} (should|must) no longer (contain|have|say|list) {a}",
)


def correct(story):
    """Edits of what a file really says, in all the ways to say it."""
    rng = story.rng
    path, lines = everyday_file(story, 1, 9)
    old, new = a_change(rng, lines)
    delete = rng.random() < 0.15
    mark = rng.choice((0.9, 0.9, 0.1, 0.1, 0.4))
    free = rng.random() < 0.5
    yield
    slots = {"f": file_form(rng, path), "a": quoted(rng, old, mark), "b": quoted(rng, new, 1 if mark == 0.9 else mark)}
    if CONNECTING.search(old + " " + new):
        free = False
    if " " in old or " " in new:
        slots["a"], slots["b"] = (quoted(rng, old, 1), quoted(rng, new, 1)) if not free else (slots["a"], slots["b"])
    story.user(DELETIONS if delete else CHANGES, **slots)
    if delete:
        return told_edit(story, path, old, "", story.call("fs.edit", path=path, old=old, new=""))
    return told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))


def a_text(rng) -> tuple:
    """A text of one line or several, as one would dictate or paste it; and whether it has several."""
    kind = rng.random()
    if kind < 0.25:
        pool = rng.choice((everyday.FOODS, everyday.GOODS, words.PEOPLE, words.ordinary(), words.DAYS))
        return rng.choice((", ", ", ", ",", " - ")).join(words.pick(rng, pool) for _ in range(rng.randint(2, 5))), False
    if kind < 0.4:
        return everyday.table(rng, 2)[-1], False
    if kind < 0.5:
        return rng.choice((" = ", ": ", "=")).join(everyday.setting(rng)), False
    if kind < 0.57:
        return rng.choice(("Total: ", "Sum ", "total = ", "")) + everyday.decimal(rng) + rng.choice(("", "", " EUR", " euros")), False
    if kind < 0.65:
        return everyday.phrase(rng).upper() if rng.random() < 0.4 else everyday.phrase(rng).title(), False
    if kind < 0.85:
        return everyday.phrase(rng), False
    made = everyday.lines(rng, rng.choice(("txt", "md", "csv", "ini", "log", "txt", "py")), rng.randint(2, 6))
    return "\n".join(line for line in made if line) or "nothing", True


def dictate(story):
    """Texts to write as they are said: a list with commas stays one line; pasted lines stay lines."""
    rng, path = story.rng, a_file(story.rng)
    (text, several), add = a_text(rng), rng.random() < 0.35
    if rng.random() < (0.85 if add else 0.15):
        story.add_text(path, 1, 6)
    slots = {"f": file_form(rng, path), "n": quoted(rng, path, 0.1)}
    yield
    if several:
        mark = rng.choice((":\n", ":\n\n", ":\n```\n", ":\n---\n"))
        close = {":\n```\n": "\n```", ":\n---\n": "\n---"}.get(mark, "")
        story.user(
            (
                "(add|append) (this|the following|these lines|the lines below) to {f}{m}{t}",
                "(add|append) to {f}{m}{t}",
                "{f} (needs|gets) (these lines|the following|some more lines) at the end{m}{t}",
            )
            if add
            else (
                "(create|write|make|save) {f} with (this content|this text|the following|these lines|the following content){m}{t}",
                "(create|write|make|save) (a file|the file) {n}. content{m}{t}",
                "new file {n}{m}{t}",
                "(save|write|put) (this|the following|the text below) (to|into|in|as) {n}{m}{t}",
                "{n} (should contain|should have|must read){m}{t}",
                "(i need|make me) (a file|the file|) {n} with content{m}{t}",
            ),
            leads=False,
            m=mark,
            t=text + close,
            **slots,
        )
    else:
        mark = rng.choice(('"', "'", '"', "", "", ""))
        mark = "" if mark and mark in text else mark
        story.user(
            (
                "one more line for {f}: {t}",
                "(below|under|after) the others in {f}, (write|add|put) {t}",
                "(add|append) {t} to {f}",
                "(add|append|put) {t} (at|to) the (end|bottom) of {f}",
                "(put|write|note) {t} (on|onto|below the rest in) {f}",
                "we also need {t}, add it to {f}",
                "{t} is missing (in|from|on) {f}, add it",
                "{t} (belongs|should go) (in|on|into) {f} too",
                "{f} (lacks|needs|should get) one more line: {t}",
                "(add|append) to {f}: {t}",
                "(extend|continue) {f} with {t}",
                "don't change the rest of {f}, just add {t} at the end",
            )
            if add
            else (
                "(write|save|put|store|note|note down|type) {t} (to|into|in) {f}",
                "(create|make|write) (a file|a new file|) {n} (that says|with|containing|saying|which says) {t}",
                "a (file|text file|new file) {n} (that says|with|containing) {t}",
                "(create|make) {n}, content: {t}",
                "(create|make|write) {n}: {t}",
                "content: {t}. file: {n}".replace(". file", " - file"),
                "{t} -> {n}",
                "{t} (goes|should go) (into|in) {f}",
                "(into|in) {f} (goes|belongs|comes): {t}",
                "the (content|text|line) of {f} should be {t}",
                "i need {n}. it should (say|contain|read) {t}",
                "{n} with the (content|text|line) {t}, please",
                "(store|keep|put) the (line|text|words) {t} (in|as) {n}",
                "let's have a file {n} with {t}",
                "overwrite {f} with {t}",
            ),
            t=mark + text + mark,
            **slots,
        )
    result = story.call("fs.write", path=path, content=text, append=add)
    told_write(story, path, result, f"append to {path}" if add else None)


ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
COUNTS = "one two three four five six seven eight nine ten".split()


def part_by_words(story):
    """`the third line`, `lines 2 to 5`, `the last three lines`."""
    rng = story.rng
    path, lines = everyday_file(story, 4, 16)
    form = file_form(rng, path)
    kind = rng.choice(("nth", "nth", "range", "range", "last", "last"))
    if kind == "nth":
        at = rng.randint(2, 12)
        yield
        story.user(
            (
                "(show|show me|read|print|give me|tell me) the {o} line (of|in|from) {f}",
                "what (is|does) the {o} line (of|in) {f}(| say)?",
                "what is (on|in) the {o} line of {f}?",
                "the {o} line of {f}",
                "(i need|i want) (only|just|) the {o} line of {f}",
                "what stands in the {o} line of {f}?",
                "line {o} of {f}".replace("{o}", "number {i}"),
            ),
            o=rng.choice((ORDINALS[at - 1], ORDINALS[at - 1], f"{at}{'nd' if at == 2 else 'rd' if at == 3 else 'th'}")),
            i=str(at),
            f=form,
        )
        return tell_part(story, path, at, 1)
    if kind == "range":
        low = rng.randint(1, 9)
        high = low + rng.randint(1, 5)
        yield
        story.user(
            (
                "(show|show me|read|print|give me) lines {a} (to|-|until|through) {b} (of|from|in) {f}",
                "(show|read|print) {f} from line {a} to (line|) {b}",
                "what (is|stands) in lines {a} (to|through|-) {b} of {f}?",
                "lines {a}-{b} of {f}",
                "(the lines|lines) {a} to {b} (of|in) {f}, please",
                "(only|just) lines {a} to {b} of {f}",
                "what do lines {a} to {b} of {f} say?",
            ),
            a=str(low),
            b=str(high),
            f=form,
        )
        return tell_part(story, path, low, high - low + 1)
    amount = rng.choice((1, 1, 2, 3, 4, 5))
    yield
    story.user(
        (
            "(show|show me|read|print|give me) the last line (of|in|from) {f}",
            "what (is|does) the last line (of|in) {f}(| say)?",
            "(how does {f} end|what comes last in {f}|what is at the (end|bottom) of {f})?",
            "the (last|bottom|final) line of {f}",
        )
        if amount == 1
        else (
            "(show|show me|read|print|give me|i want to see) the last {n} lines (of|in|from) {f}",
            "what are the last {n} lines (of|in) {f}?",
            "the last {n} (lines|entries|rows) of {f}",
            "(show|print) the (final|bottom) {n} lines of {f}",
            "{n} lines from the end of {f}",
            "how does {f} end? the last {n} lines, please",
        ),
        n=rng.choice((str(amount), COUNTS[amount - 1])),
        f=form,
    )
    argv = ["tail", "-n", str(amount), path]
    return tell_run(story, argv, story.call("proc.run", argv=argv))


def run_script(story):
    """Scripts named without their interpreter, with arguments; targets of make."""
    rng = story.rng
    if rng.random() < 0.25:
        target = words.pick(rng, ("test", "clean", "build", "all", "install", "docs", "report", "deploy", "check", "backup", "print", "lint", "release"))
        if rng.random() < 0.85:
            story.add_file("Makefile", [f"{target}:", "\t" + rng.choice((f"@echo {everyday.fragment(rng).replace(chr(39), '').replace('(', '')!r}", "@true", "@exit 2"))])
        argv = ["make", target]
        yield
        story.user(
            (
                "make {t}",
                "(run|execute|start|call|try) make {t}",
                "(run|execute) the (make|Makefile) target {t}",
                "(run|build|do) the target {t} with make",
                "(can you|please) (run|do) a make {t}",
            ),
            t=target,
        )
        return tell_run(story, argv, story.call("proc.run", argv=argv))
    folder = rng.choice(("", "", "tools/", "scripts/", "src/", words.folder_path(rng) + "/"))
    path = folder + words.stem(rng).replace(" ", "_") + ".py"
    arguments = [
        rng.choice((str(rng.randint(1, 99)), words.pick(rng, words.ordinary()), words.file_path(rng).replace(" ", "_"), "--" + words.pick(rng, words.ordinary()), words.pick(rng, words.PEOPLE)))
        for _ in range(rng.choice((0, 0, 1, 1, 2)))
    ]
    if rng.random() < 0.92:
        story.add_file(
            path,
            rng.choice(
                (
                    [f"print({everyday.phrase(rng)!r})"],
                    ["import sys", f"print({words.pick(rng, words.ordinary())!r}, *sys.argv[1:])"],
                    ["import sys", f"print({words.pick(rng, words.ordinary())!r}, len(sys.argv) - 1)", f"print({everyday.decimal(rng)})"],
                    ["import sys", "for one in sys.argv[1:]:", "    print(one)"],
                    ["import sys", f"sys.exit({everyday.fragment(rng)!r})"],
                    [f"print({rng.randint(1, 999)})"],
                )
            ),
        )
    argv = ["python3", path, *arguments]
    save = rng.random() < 0.3
    target, form = target_file(story) if save else ("", "")
    yield
    named = " ".join(arguments) if rng.random() < 0.7 else " and ".join(arguments)
    base = (
        (
            "(run|execute|start|call|launch|try) {p}",
            "(run|execute|start) (the|my|our) (script|program|python script|python program) {p}",
            "python3 {p}",
            "(run|execute) {p} with (python|python3)",
            "what does (the script|) {p} (print|say|output)?",
            "let {p} run",
        )
        if not arguments
        else (
            "(run|execute|start|call) {p} {x}",
            "(run|execute|start|call) {p} with {x}",
            "(run|execute|start|call) (the script|my script|) {p} with the (argument|arguments|parameter|parameters) {x}",
            "python3 {p} {x}",
            "(give|pass) {x} to (the script|) {p} and run it",
            "what does {p} (print|say) (for|with) {x}?",
        )
    )
    keep = (
        (
            "(run|execute|start) {p} {x} " + NEXT + " (write|save|put|store|keep) (its output|the output|what it prints|the result|it) (to|into|in) {f}",
            "(save|write|put|store) (the output|what {p} prints|the result) of {p} {x} (to|into|in) {f}".replace("what {p} prints|", ""),
            "(save|write|put) what {p} {x} (prints|says) (to|into|in) {f}",
            "{p} {x} -> {f}",
            "the output of {p} {x} (goes|should go) (into|to) {f}",
        )
        if save
        else base
    )
    story.user(keep, p=quoted(rng, path, 0.1), x=" ".join(arguments) if save else named, f=form)
    result = story.call("proc.run", argv=argv)
    if not save or not result.startswith("exit 0") or not body(result):
        return tell_run(story, argv, result)
    written = story.call("fs.write", path=target, content="\n".join(body(result)))
    if not story.failed(written, f"write {target}"):
        story.answer(f"I ran `{' '.join(argv)}` and wrote its output to {target} ({written.rsplit(': ', 1)[1]}).")
    return None


TOLD = "(to|into|in|to|into)"
INTO = (
    "{x}, (write|save|put|store|record|note) (it|that|the result) {to} {f}",
    "{x}. (write|save|put|note|store) (it|that|the result|the answer) {to} {f}",
    "{x} -> {f}",
    "{x} and (note|write|jot) (it|that) down in {f}",
    "{x} and (put|write|save|keep) (it|that) in {f}",
    "{x}; (the answer|the result|it) (goes|should go|belongs) (into|in) {f}",
    "{x}, (result|answer|output) in {f}",
    "{x} (then|and then) (save|write|put) (it|that|the result) {to} {f}",
    "{f} should (contain|say|hold) the answer: {x}",
    "i want (the answer|the result) in {f}: {x}",
)


def save_one(story):
    """One fact from a listing or a file, alone, into a file or a note: a name, a number, a line."""
    rng, folder = story.rng, words.folder_path(story.rng)
    target, form = target_file(story)
    note = rng.random() < 0.4
    kind = rng.choice(("biggest", "newest", "count", "count", "lines", "value", "value"))
    key, path = "", ""
    if kind in ("biggest", "newest", "count"):
        story.fill(folder, (1, 7), (0, 1) if kind == "count" else (0, 0))
    elif kind == "lines":
        path, _ = everyday_file(story, 1, 14)
    else:
        path, lines = everyday_file(story, 2, 9, ("ini", "conf", "csv", "yaml", "txt", "cfg"))
        row = rng.choice([line for line in lines if line.strip()])
        key = row.split(" = ")[0].split(": ")[0].split(",")[0].strip("- *")
        if not key:
            raise Redraw
    yield
    asked = {
        "biggest": (
            f"(find|look up|determine|see) (the name of|) the {BIGGEST} file {{in}}",
            f"the name of the {BIGGEST} file {{in}}",
            f"which file {{in}} is (the|) {BIGGEST}",
        ),
        "newest": (
            f"(find|look up|determine|see) (the name of|) the {NEWEST} file {{in}}",
            f"the name of the {NEWEST} file {{in}}",
            "which file {in} was changed last",
        ),
        "count": ("count the files {in}", "the number of files {in}", "how many files are {in}", "(find out|check|see) how many files there are {in}"),
        "lines": ("count the lines (of|in) {g}", "the number of lines in {g}", "how many lines {g} has", "(find out|check|see) how long {g} is in lines"),
        "value": ("(look up|find) {k} in {g}", "(find|get|take) the (line|entry|row) (with|for) {k} in {g}", "(look up|check|see) what {g} says (about|for) {k}"),
    }[kind]
    noting = (
        "{x} and (remember|note|memorize) it",
        "{x}, then (remember|note|keep in mind) it",
        "{x} and (make|take|keep) a note of it",
        "{x}. (remember|note) (that|it|the result)( for later|)",
        "(remember|note) {y}",
        "{x} and (put|write|save) it in your (notes|memory)",
    )
    what = rng.choice(asked)
    bare = what if what.startswith("the ") else rng.choice([one for one in asked if not one.startswith("(")] or [what.replace("(look up|find) ", "what is said about ")])
    templates = tuple(one.replace("{x}", what).replace("{y}", bare).replace("{to}", TOLD) for one in (noting if note else INTO))
    if not note and bare.startswith("the "):
        templates += (f"(write|save|put|note|store) {bare} {TOLD} {{f}}", f"(write|save|put) (only|just) {bare} {TOLD} {{f}}", f"(create|make) {{f}} with {bare}")
    story.user(
        templates,
        f=form,
        k=quoted(rng, key, 0.2),
        g=file_form(rng, path) if path else "",
        **{"in": place_form(rng, folder)},
    )
    if kind in ("biggest", "newest"):
        result = story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=1)
        if story.failed(result, f"list {folder}"):
            return None
        if not body(result):
            return story.answer(f"There are no files in {folder}.")
        fact = names_in(result)[0]
        if not note:
            return save_names(story, [fact], f"I listed {folder}", target, False, "the name")
        said = f"the {kind} file in {folder} is {fact}"
    elif kind == "count":
        result = story.call("fs.list", path=folder)
        if story.failed(result, f"list {folder}"):
            return None
        count = result.split("\n")[0].split(", ")[0]
        fact, found, said = count.split(" ")[0], f"I found {count} in {folder}", f"{folder} has {count}"
    elif kind == "lines":
        result = story.call("fs.read", path=path, max_lines=1)
        if story.failed(result, f"read {path}"):
            return None
        count = result.split(",")[0]
        fact, said = count.split(" ")[0], f"{path} has {count}"
        if not note:
            written = story.call("fs.write", path=target, content=fact)
            if not story.failed(written, f"write {target}"):
                story.answer(f"{said}. I wrote the number to {target}.")
            return None
    else:
        result = story.call("fs.search", pattern=key, path=path)
        if story.failed(result, f"search {path}"):
            return None
        if not body(result):
            return story.answer(f'I found no matches for "{key}" {where(path)}.')
        fact = body(result)[0].removeprefix(path + ":").split(":", 1)[-1].strip()
        found, said = f'I found {result.split(chr(10))[0]} for "{key}"', fact
    if note:
        if not story.failed(story.call("memory.note", text=said), "take the note"):
            story.answer(f"Noted: {said}.")
        return None
    write_and_tell(story, target, fact, found)
    return None


def keep_copy(story):
    """Copy a file, then go on with the copy."""
    rng = story.rng
    path, lines = everyday_file(story, 1, 6)
    stem, dot, extension = path.rpartition(".")
    copy = rng.choice((f"{stem}-copy.{extension}", f"{stem}.bak", f"backup/{path.rsplit('/', 1)[-1]}", words.file_path(rng), f"{stem}-old.{extension}", f"{stem}_backup.{extension}"))
    if not dot or copy == path:
        raise Redraw
    if "/" in copy:
        story.add_folder(copy.rsplit("/", 1)[0])
    then = rng.choice(("nothing", "append", "append", "edit", "read"))
    text = everyday.phrase(rng)
    old, new = a_change(rng, lines)
    first = (
        "(copy|duplicate) {f} to {g}",
        "(make|create) a (copy|backup|backup copy|second copy) of {f} (called|named|as|in) {g}",
        "back {f} up (as|to) {g}",
        "back up {f} (as|to|in) {g}",
        "(keep|save) a copy of {f} (as|in) {g}",
        "i want {f} also as {g}",
    )
    rest = {
        "nothing": ("",),
        "append": (" " + NEXT + " (append|add) {t} to (the copy|{g}|the new file)", " " + NEXT + " add {t} (at the end of|at the bottom of) (the copy|{g})"),
        "edit": (" " + NEXT + " (change|replace) {a} (to|with) {b} in (the copy|{g}|the new one)", " " + NEXT + " in (the copy|{g}), (change|replace) {a} (to|with) {b}"),
        "read": (" " + NEXT + " (show|read|print) (the copy|{g})",),
    }[then]
    yield
    story.user(
        tuple(one + two for one in first for two in rest),
        f=file_form(rng, path),
        g=quoted(rng, copy, 0.1),
        t=quoted(rng, text, 0.6),
        a=quoted(rng, old, 0.6),
        b=quoted(rng, new, 0.6),
    )
    argv = ["cp", path, copy]

    def tell_rest():
        if then == "append":
            told_write(story, copy, story.call("fs.write", path=copy, content=text, append=True), f"append to {copy}")
        elif then == "edit":
            told_edit(story, copy, old, new, story.call("fs.edit", path=copy, old=old, new=new))
        else:
            tell_text(story, copy, story.call("fs.read", path=copy))

    story.together([lambda: tell_run(story, argv, story.call("proc.run", argv=argv)), *[tell_rest] * (then != "nothing")])
