"""Requests to write, extend and change files."""

import words
from stories.builder import few, file_form, quoted
from stories.common import WRITE_VERB, a_file
from words import clean_path


def long_content(rng) -> tuple:
    """Several lines, sentences or code, as they are pasted below or after a request."""
    kind = rng.choice(("txt", "txt", "md", "csv", "json", "py", "c", "yaml", "prose", "prose"))
    if kind == "prose":
        text = " ".join(words.sentence(rng).rstrip(".") + "." for _ in range(rng.randint(2, 5)))
        mark = rng.choice(('"', '"', ""))
        text = text.replace('"', "")
        return text, rng.choice(("", "the text ", "this text: ", "the sentences ")) + mark + text + mark
    lines = words.lines(rng, kind, few(rng, 2, rng.choice((6, 6, 12, 30))))
    text = "\n".join(lines).strip("\n") or words.sentence(rng)
    fence = rng.random()
    form = "```\n" + text + "\n```" if fence < 0.25 else '"' + text + '"' if fence < 0.35 else text
    return text, rng.choice(("the following text:", "this:", "these lines:", "the following:", "the lines", "this text:")) + "\n" + form


def a_content(rng) -> tuple:
    """A text to write and the words for it."""
    kind = rng.random()
    if kind > 0.97:
        number = words.number(rng)
        return number, rng.choice(("the number ", "the value ", "")) + number
    if kind < 0.25:
        items = [
            words.word(rng) if rng.random() < 0.6 else words.fragment(rng).replace(",", "")
            for _ in range(rng.randint(2, 5))
        ]
        form = ", ".join(items) if rng.random() < 0.4 else ", ".join(items[:-1]) + " and " + items[-1]
        return (
            "\n".join(items),
            rng.choice(
                (
                    "the lines ",
                    "these lines: ",
                    "the items ",
                    "the entries ",
                    "the names ",
                    "a list: ",
                    "the words ",
                )
            )
            + form,
        )
    text = rng.choice((words.fragment, words.fragment, words.sentence))(rng)
    if kind < 0.6:
        mark = rng.choice(('"', '"', "'", "`"))
        return (
            text.replace(mark, ""),
            rng.choice(("", "", "the text ", "the line ", "the sentence ", "the words "))
            + mark
            + text.replace(mark, "")
            + mark,
        )
    return text, rng.choice(("", "", "", "the text ", "the line ", "the word ")) + text


def told_write(story, path, result, what=None):
    if story.failed(result, what or f"write {path}"):
        return
    verb, rest = result.split(" ", 1)
    if verb == "appended":
        story.answer(f"I appended {result.rsplit(': ', 1)[1].split(',')[0]} to {path}.")
    else:
        story.answer(f"I {verb} {path} ({result.rsplit(': ', 1)[1]}).")


def maybe_there(story, path, share):
    """Existing files make the difference between `wrote` and `replaced`."""
    if story.rng.random() < share:
        story.add_text(path, 1, 5)
    elif story.rng.random() < 0.04:
        story.add_folder(path)


def write_file(story):
    rng, path = story.rng, a_file(story.rng)
    maybe_there(story, path, 0.25)
    if rng.random() < 0.08:
        yield
        story.user(
            (
                "create (an|the|a new) empty file {n}",
                "(create|make) an empty file (called|named) {n}",
                "touch {n}",
                "make {n} (as an|an) empty file",
            ),
            n=quoted(rng, path, 0.2),
        )
        return told_write(story, path, story.call("fs.write", path=path, content=""))
    if rng.random() < 0.07:
        items = [words.word(rng) for _ in range(rng.randint(2, 5))]
        yield
        story.user(
            (
                "(make|create|write|start) (me |)a (shopping|todo|packing|grocery|guest|wish|) list (in|as|called|named) {n}(:| with) {i}",
                "(create|make|write) {n}, a (shopping|todo|packing|) list (with|of) {i}",
                "(write|save|put) the (list|items|names|words|lines|entries) {i} (to|into|in) {n}",
                "(create|make) {n} with one (line|entry) each for {i}",
                "(write|save) {i} (to|into|in) {n}, one per line",
                "put {i} on separate lines (in|into) {n}",
            ),
            n=quoted(rng, path, 0.15),
            i=", ".join(items[:-1]) + rng.choice((" and ", ", ", ", and ")) + items[-1],
        )
        return told_write(story, path, story.call("fs.write", path=path, content="\n".join(items)))
    if rng.random() < 0.2:
        content, form = long_content(rng)
        yield
        story.user(
            (
                "(create|write|make|save) {f} with {t}",
                "(create|make|write) (a|the|a new) file {n} (with|containing) {t}",
                "(put|write|save) (into|in|to) {f} {t}",
                "{f} should (contain|say) {t}",
                "(overwrite|fill) {f} with {t}",
                "i need (a file|the file|) {n} with {t}",
                "please write {f}. It should have {t}",
            ),
            leads=False,
            t=form,
            f=file_form(rng, path),
            n=quoted(rng, path, 0.2),
        )
        return told_write(story, path, story.call("fs.write", path=path, content=content))
    content, form = a_content(rng)
    yield
    story.user(
        (
            WRITE_VERB + " {t} (to|into|in|to|in) {f}",
            "(create|make|write|save) (a file|a new file|the file|) {n} (with|containing|that contains|with the content|with the text) {t}",
            "(create|make) (a file|a new file) (called|named) {n} (with|containing|that says|and write into it) {t}",
            "(write|create) {f} with the (content|text|contents) {t}",
            "(into|in) {f}, write {t}",
            "{f} should (contain|say|read) {t}",
            "(overwrite|replace the content of|fill) {f} with {t}",
            "(make|let) {f} (say|contain) {t}",
            "in {f} write: {t}",
            "save {t} as {n}",
            "new file {n}: {t}",
            "(set up|start|open|produce|generate) (a file|a new file|) {n} (with|and write|that has|containing) {t}",
            "make me (a file|a note in) {f}: {t}",
            "(jot|note) {t} (down in|into) {f}",
            "i (want|need) (a file|the file|) {n} (with|containing|that says) {t}",
            "(write down|enter|type|drop|place|dump) {t} (in|into) {f}",
            "let {f} contain {t}",
            "fill {f} with {t}",
            "please have {f} say {t}",
        ),
        t=form,
        f=file_form(rng, path),
        n=quoted(rng, path, 0.2),
    )
    told_write(story, path, story.call("fs.write", path=path, content=content))


def append_file(story):
    rng, path = story.rng, a_file(story.rng)
    maybe_there(story, path, 0.9)
    content, form = long_content(rng) if rng.random() < 0.1 else a_content(rng)
    if "\n" in form:
        yield
        story.user(
            ("(append|add) to {f} {t}", "at the end of {f}, (write|add|put) {t}", "(extend|continue) {f} with {t}"),
            leads=False,
            f=file_form(rng, path),
            t=form,
        )
        written = story.call("fs.write", path=path, content=content, append=True)
        return told_write(story, path, written, f"append to {path}")
    yield
    story.user(
        (
            "append {t} to {f}",
            "add {t} to {f}",
            "add {t} (at|to) the (end|bottom) of {f}",
            "(put|write) {t} (at the end of|at the bottom of|on a new line in|below the rest in) {f}",
            "(extend|continue) {f} with {t}",
            "add (a line|a new line|another line) to {f}: {t}",
            "add to {f}: {t}",
            "attach {t} to {f}",
            "append to {f} {t}",
            "(stick|tack|insert|drop|type|enter|include) {t} (at the end of|at the bottom of|onto the end of) {f}",
            "{f} needs (another|one more|a new) line: {t}",
            "{f} should also (contain|have|say) {t}",
            "(don't overwrite|keep) {f}, (just|only) add {t}",
            "at the end of {f}, (write|add|put) {t}",
            "one more (line|entry|item) for {f}: {t}",
            "(also|) add {t} to my list in {f}",
        ),
        t=form,
        f=file_form(rng, path),
    )
    told_write(
        story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}"
    )


def told_edit(story, path, old, new, result):
    if not story.failed(result, f"edit {path}"):
        amount = result.rsplit(": ", 1)[1]
        story.answer(
            f'I replaced "{old}" with "{new}" in {path} ({amount}).'
            if new
            else f'I removed "{old}" from {path} ({amount}).'
        )


def edit_texts(story, path) -> tuple:
    """What to replace and by what; mostly the file contains it."""
    rng = story.rng
    old, new = words.fragment(rng), words.fragment(rng)
    lines = story.add_text(path, 1, 8)
    if rng.random() < 0.4 and any(line.strip() for line in lines):
        line = rng.choice([line for line in lines if line.strip()])
        return (line.strip() if rng.random() < 0.4 else rng.choice(line.split())), new
    for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 2, 3))):
        lines.insert(
            rng.randrange(len(lines) + 1),
            rng.choice((words.sentence(rng) + " ", "")) + old + rng.choice((" " + words.sentence(rng), "")),
        )
    story.add_file(path, lines)
    return old, new


def edit_file(story):
    rng, path = story.rng, a_file(story.rng)
    old, new = edit_texts(story, path)
    if rng.random() < 0.06:
        story.remove_file(path)
    mark = rng.random() < 0.5
    slots = {
        "f": file_form(rng, path),
        "a": quoted(rng, old, 0.9 if mark else 0.05),
        "b": quoted(rng, new, 0.9 if mark else 0.05),
    }
    everywhere = rng.random() < 0.2
    if rng.random() < 0.1:
        yield
        story.user(
            (
                "(delete|remove|erase|cut) (the text|the word|) {a} (from|in) {f}",
                "(take|strip) {a} out of {f}",
                "in {f}, (delete|remove) {a}",
            ),
            **slots,
        )
        return told_edit(story, path, old, "", story.call("fs.edit", path=path, old=old, new=""))
    if everywhere:
        yield
        story.user(
            (
                "replace (all|every|all occurrences of|each|every occurrence of|all instances of) {a} (with|by) {b} in {f}",
                "(change|replace|rename) {a} (to|with) {b} everywhere in {f}",
                "in {f}, (replace|change) (all|every|each) {a} (with|to) {b}",
                "(change|turn) (every|all) {a} (to|into) {b} in {f}",
                "replace {a} (with|by) {b} in {f}, (all of them|everywhere|all occurrences|globally)",
            ),
            **slots,
        )
    else:
        yield
        story.user(
            (
                "replace {a} (with|by|with) {b} in {f}",
                "(change|turn|rename|edit|correct) {a} (to|into|to) {b} in {f}",
                "in {f}, (replace|change|swap) {a} (with|to|by|for) {b}",
                "in {f} (replace|change) {a} (with|to|by) {b}",
                "(edit|modify|update|change) {f}: (replace|change) {a} (with|to|by) {b}",
                "(edit|open|update) {f} and (replace|change) {a} (with|to|by) {b}",
                "(substitute|put|use) {b} for {a} in {f}",
                "{f} should say {b} instead of {a}",
                "swap {a} for {b} in {f}",
                "(fix|correct) {f}: {a} should be {b}",
                "in {f}, {a} (should|must) (be|become|read) {b}",
                "make it say {b} instead of {a} in {f}",
                "(update|edit) {f} so that {a} becomes {b}",
                "(use|write) {b} instead of {a} in {f}",
                "there is (a mistake|an error|a typo) in {f}: {a} should be {b}",
                "{a} in {f} (should|must|has to|ought to) (be|become|read) {b}",
                "(exchange|swap) {a} (for|with) {b} in {f}",
                "(please|) (set|put) {b} where {f} (has|says) {a}",
                "{a} is wrong in {f}, (make it|write|put) {b}",
                "(find|look for) {a} in {f} and (replace|change) it (with|to|by) {b}",
                "in {f} (put|write) {b} instead of {a}",
                "{f}: {a} -> {b}",
                "let {f} say {b} instead of {a}",
                "turn {a} into {b} in {f}",
                "(rewrite|amend|adjust) {f}: {a} becomes {b}",
            ),
            **slots,
        )
    told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new, all=everywhere))
