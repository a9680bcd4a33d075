"""Conversations whose later requests say only what is different, or point at what was shown."""

import words
from stories.builder import Redraw, bad, file_form, folder_form, names_in, place_form, quoted
from stories.common import SEARCH, SHOW, a_pattern, counted, matching_names, under, verb_be
from stories.listing import BIGGEST, NEWEST, SizeQuestion, tell_by_size, tell_extreme, tell_kind, tell_listing
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import Needle, files_of, tell_search
from stories.writing import a_content, told_edit, told_write

ORDINALS = ("first", "second", "third", "fourth")
SAME = (
    "(do|and do|now do) the same (for|with|to) {x}",
    "(and|now) {x}(?|)",
    "(same|the same) (for|with) {x}(| please)",
    "(what|how) about {x}?",
    "and (for|with|in) {x}?",
    "now (do it|this|that) (for|with) {x}",
    "{x} too(| please)",
    "also {x}",
    "(thanks|ok|good|great|fine), (and|now) {x}(| please)",
    "(thanks|thank you), and (the same for|) {x}?",
    "(now|then) (the same|that) for {x}(| too)",
    "and {x}?",
    "what (about|of) {x}?",
    "{x}?",
    "next: {x}",
    "(again|once more), but (for|with|in) {x}",
)


def same_again(story):
    """One task for a file, then the same for another one or two."""
    rng = story.rng
    kind = rng.choice(("read", "read", "count", "size", "first", "append", "edit", "search"))
    old, new = words.word(rng), words.fragment(rng)
    content, form = a_content(rng)
    paths = []
    for _ in range(rng.choice((2, 2, 2, 3))):
        path = words.file_path(rng)
        paths.append(path)
        if rng.random() < 0.93:
            lines = words.lines(rng, words.kind_of(path), rng.randint(1, 5))
            story.add_file(path, lines + [old] * (kind in ("edit", "search") and rng.random() < 0.8))
    yield
    templates = {
        "read": ("(read|show|show me|open|print) {f}", "what is in {f}?", "what does {f} say?"),
        "count": ("how many lines (has|are in) {f}?", "count the lines (of|in) {f}", "how many lines does {f} have?"),
        "size": ("how (big|large) is {f}?", "what is the size of {f}?", "tell me the size of {f}"),
        "first": (SHOW + " the first line of {f}", "what is the first line of {f}?"),
        "append": ("(append|add) {t} to {f}", "add {t} (at|to) the end of {f}"),
        "edit": ("(replace|change) {a} (with|to|by) {b} in {f}", "in {f}, (replace|change) {a} (with|to) {b}"),
        "search": ("(search|grep) {f} for {a}", "does {f} (contain|mention) {a}?", "(look|search) for {a} in {f}"),
    }[kind]
    for index, path in enumerate(paths):
        if index == 0:
            slots = {"f": file_form(rng, path), "t": form, "a": quoted(rng, old, 0.5), "b": quoted(rng, new, 0.5)}
            story.user(templates, **slots)
        else:
            story.user(SAME, leads=False, x=file_form(rng, path) if rng.random() < 0.3 else quoted(rng, path, 0.1))
        if kind == "read":
            tell_text(story, path, story.call("fs.read", path=path))
        elif kind in ("count", "size"):
            tell_length(story, path, kind == "size")
        elif kind == "first":
            tell_part(story, path, None, 1)
        elif kind == "append":
            result = story.call("fs.write", path=path, content=content, append=True)
            told_write(story, path, result, f"append to {path}")
        elif kind == "edit":
            told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
        else:
            tell_search(story, Needle.of(old, path), story.call("fs.search", pattern=old, path=path), "lines")


def other_folder(story):
    """One question about a folder, then the same about another one."""
    rng = story.rng
    kind = rng.choice(("list", "count", "kind", "biggest", "newest", "search"))
    pattern, noun = a_pattern(rng)
    needle = words.fragment(rng)
    folders = [words.folder_path(rng) for _ in range(rng.choice((2, 2, 3)))]
    for folder in folders:
        story.fill(folder, (0, 5), (0, 2))
        if kind == "kind":
            matching_names(story, folder, pattern, (0, 3))
        if kind == "search" and rng.random() < 0.7:
            story.add_text(folder + "/" + words.file_name(rng, True), 1, 4)
            story.add_file(folder + "/" + words.file_name(rng, True), [needle, words.sentence(rng)])
    adjective = {"biggest": BIGGEST, "newest": NEWEST}.get(kind)
    yield
    first = {
        "list": (SHOW + " (the files|everything) {in}", "(which|what) files are {in}?", "what is {in}?", "list {D}"),
        "count": ("how many files are {in}?", "count the files {in}"),
        "kind": (SHOW + " (the|all) {k} {in}", "which {k} are {in}?", "are there any {k} {in}?"),
        "search": ("(search|look) for {w} {in}", "(search|grep) {D} for {w}", "is {w} mentioned {in}?"),
    }.get(kind, (f"(what|which) is the {adjective} file {{in}}?", f"(find|show) the {adjective} file {{in}}"))
    for index, folder in enumerate(folders):
        if index == 0:
            story.user(
                first,
                k=noun,
                w=quoted(rng, needle, 0.5),
                D=folder_form(rng, folder),
                **{"in": place_form(rng, folder)},
            )
        else:
            within = ("(and|now) in {x}(?|)", "(the|) same in {x}", "(and|now) (search|look) in {x}", "also in {x}?")
            story.user(
                within if kind == "search" else SAME + within[:2],
                leads=False,
                x=folder_form(rng, folder),
            )
        if kind == "search":
            needle_of = Needle.of(needle, folder)
            tell_search(story, needle_of, story.call("fs.search", pattern=needle, path=folder), "lines")
        elif kind == "kind":
            tell_kind(story, folder, pattern, story.call("fs.list", path=folder, pattern=pattern))
        elif kind == "list":
            tell_listing(story, folder, story.call("fs.list", path=folder))
        elif kind == "count":
            result = story.call("fs.list", path=folder)
            if not story.failed(result, f"list {folder}"):
                count = counted(result) or "0 files"
                story.answer(f"There {verb_be(count)} {count} in {folder}.")
        else:
            sort = "size" if kind == "biggest" else "time"
            tell_extreme(story, folder, kind, story.call("fs.list", path=folder, sort=sort, limit=1))


def other_needle(story):
    """A search, then another text at the same place; or the lines of what was found."""
    rng = story.rng
    needle = Needle(story)
    texts = [needle.text] + [words.fragment(rng) for _ in range(rng.choice((1, 1, 2)))]
    yield
    for index, text in enumerate(texts):
        if index == 0:
            story.user(
                (SEARCH + " {w} {in}", "is {w} mentioned {in}?", "(which|what) lines {in} (contain|mention) {w}?"),
                w=quoted(rng, text, 0.5),
                **{"in": place_form(rng, needle.path)},
            )
        else:
            story.user(
                ("(and|now) for {w}(?|)", "(and|what about) {w}?", "(now|then) (search|look) for {w}", "the same for {w}", "also {w}"),
                leads=False,
                w=quoted(rng, text, 0.5),
            )
        needle.text = text
        tell_search(story, needle, needle.ask(story), "lines")


def one_of_the_shown(story):
    """Files are shown by a listing or a search; then `the second one`, `the last one`, `it`."""
    rng, folder = story.rng, words.folder_path(story.rng)
    needle = words.fragment(rng)
    for _ in range(rng.randint(1, 4)):
        path = folder + "/" + words.file_name(rng, True)
        lines = words.lines(rng, words.kind_of(path), rng.randint(1, 5))
        story.add_file(path, lines + [needle] * (rng.random() < 0.8))
    by_search = rng.random() < 0.35
    content, form = a_content(rng)
    yield
    slots = {"in": place_form(rng, folder), "D": folder_form(rng, folder), "w": quoted(rng, needle, 0.6)}
    if by_search:
        story.user(("which files {in} (contain|mention) {w}?", "(find|list) the files {in} (with|containing) {w}"), **slots)
        result = story.call("fs.search", pattern=needle, path=folder)
        tell_search(story, Needle.of(needle, folder), result, "files")
        shown = [] if bad(result) else files_of(result)
    else:
        story.user((SHOW + " (the files|everything) {in}", "(which|what) files are {in}?", "list {D}"), **slots)
        result = story.call("fs.list", path=folder)
        tell_listing(story, folder, result)
        shown = [] if bad(result) else [under(folder, name) for name in names_in(result)]
    if not shown:
        return
    index = rng.randrange(min(4, len(shown)))
    word = rng.choice((f"the {ORDINALS[index]} one", f"the {ORDINALS[index]} file", f"the {ORDINALS[index]}", f"number {index + 1}"))
    if index == len(shown) - 1 and rng.random() < 0.5:
        word = rng.choice(("the last one", "the last file", "the last"))
    if len(shown) == 1 and rng.random() < 0.7:
        word = rng.choice(("it", "that file", "this one", "that one"))
    path = shown[index]
    task = rng.choice(("read", "read", "read", "count", "size", "first", "append", "delete"))
    story.user(
        {
            "read": ("(read|show|open|print|show me) {x}", "(now|) (read|open) {x}", "what is in {x}?", "{x}, please"),
            "count": ("how many lines (has|does) {x}(| have)?", "count the lines of {x}"),
            "size": ("how (big|large) is {x}?", "what is the size of {x}?"),
            "first": ("(show|read) the first line of {x}", "how does {x} (begin|start)?"),
            "append": ("(append|add) {t} to {x}", "(now|) add {t} to {x}"),
            "delete": ("(delete|remove) {x}", "get rid of {x}"),
        }[task],
        x=word,
        t=form,
    )
    act(story, task, path, content)


def act(story, task, path, content):
    if task == "read":
        tell_text(story, path, story.call("fs.read", path=path))
    elif task in ("count", "size"):
        tell_length(story, path, task == "size")
    elif task == "first":
        tell_part(story, path, None, 1)
    elif task == "append":
        told_write(story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}")
    else:
        result = story.call("proc.run", argv=["rm", path])
        if not story.failed(result, f"run `rm {path}`"):
            story.answer(f"`rm {path}` finished without output.")


def other_size(story):
    """A question by size, then another size, or the other direction."""
    rng = story.rng
    asked = SizeQuestion(story)
    if asked.recursive:
        raise Redraw
    yield
    story.user(
        (
            "(which|what) {k} {in} are " + ("(larger|bigger) than" if asked.large else "smaller than") + " {s}?",
            SHOW + " (the|all) {k} {in} " + asked.than + " {s}",
        ),
        **asked.slots,
    )
    tell_by_size(story, asked, asked.ask(story))
    for _ in range(rng.choice((1, 1, 2))):
        asked.size = words.size_phrase(rng)
        if rng.random() < 0.5:
            asked.large = rng.random() < 0.5
            than = "(larger than|bigger than|over|above)" if asked.large else "(smaller than|under|below|less than)"
        else:
            than = ""
        story.user(
            (
                f"(and|what about|and what about|now) {than} {{s}}(?|)",
                f"(now|) the ones {than} {{s}}" if than else "(and|now) for {s}",
                f"(and|) {than} {{s}}?",
            ),
            leads=False,
            s=asked.size,
        )
        tell_by_size(story, asked, asked.ask(story))


def think_again(story):
    """What was written or changed is changed again, or back."""
    rng = story.rng
    path = words.file_path(rng)
    old, new = words.word(rng), words.word(rng)
    if old == new:
        raise Redraw
    write = rng.random() < 0.5
    content, form = a_content(rng)
    other, other_form = a_content(rng)
    if not write:
        story.add_file(path, words.lines(rng, words.kind_of(path), rng.randint(0, 4)) + [old])
    yield
    if write:
        story.user(("(write|save|put) {t} (to|into|in) {f}", "create {f} with {t}"), t=form, f=file_form(rng, path))
        told_write(story, path, story.call("fs.write", path=path, content=content))
        story.user(
            (
                "(no|sorry|wait), (write|make it|put) {t} instead",
                "(actually|hm), (write|make it) {t}",
                "(change|replace) (it|the content) (to|with) {t}",
                "overwrite it with {t}",
                "i meant {t}",
            ),
            leads=False,
            t=other_form,
        )
        told_write(story, path, story.call("fs.write", path=path, content=other))
        return
    a, b = quoted(rng, old, 0.4), quoted(rng, new, 0.4)
    story.user(
        ("(replace|change) {a} (with|to|by) {b} in {f}", "in {f}, change {a} to {b}"), a=a, b=b, f=file_form(rng, path)
    )
    told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    if rng.random() < 0.5:
        story.user(
            (
                "(undo that|undo it|change it back|put it back|revert that|take that back)( please|)",
                "(sorry|oops|no), (change it back|undo that|that was wrong, undo it)",
            ),
            leads=False,
        )
        told_edit(story, path, new, old, story.call("fs.edit", path=path, old=new, new=old))
    else:
        third = words.word(rng)
        story.user(
            ("(no|sorry|wait), (make it|use|i meant) {c}", "(now|then) change (it|that) to {c}", "{c} (is|would be) better"),
            leads=False,
            c=quoted(rng, third, 0.4),
        )
        told_edit(story, path, new, third, story.call("fs.edit", path=path, old=new, new=third))
