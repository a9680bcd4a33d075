"""Requests that take two calls, where the second uses the result of the first."""

import words
from stories.builder import (
    bad,
    body,
    cut_note,
    file_form,
    folder_form,
    folder_object,
    joined,
    names_in,
    place_form,
    quoted,
    reason,
    where,
)
from stories.common import (
    SEARCH,
    SHOW,
    WRITE_VERB,
    a_file,
    a_folder,
    a_pattern,
    counted,
    matching_names,
    under,
)
from stories.listing import SizeQuestion
from stories.programs import shown_command, tell_run
from stories.reading import tell_text, text_file
from stories.searching import Needle, files_of
from stories.writing import a_content, edit_texts, maybe_there, told_edit
from words import clean_path


def save_names(story, names, found, path, append=False, what="them", note=""):
    """Write names to a file and say so; `found` is the first half of the answer, `note` its end."""
    result = story.call("fs.write", path=path, content="\n".join(names), append=append)
    if bad(result):
        story.answer(
            f"{found}, but I could not {'append to' if append else 'write'} {path}: {reason(result)}"
        )
    else:
        story.answer(f"{found} and {'appended' if append else 'wrote'} {what} to {path}{joined(names)}{note}")


NAMES = "(them|the names|their names|the list|the result|the file names|them|the results|it|these|those names|this list|these names)"
NEXT = "(and|, then|, and then|, and|. Then|; then|and)"


def save_matches(story, needle, result, path, by_line, append=False):
    """Write the lines of a search, or the names of its files, to a file and say so."""
    if story.failed(result, f"search {needle.object()}"):
        return
    if not body(result):
        return story.answer(
            f'I found no matches for "{needle.text}" {where(needle.path)}, so I wrote nothing.'
        )
    header = result.split("\n")[0]
    found = f"I found {header}"
    if by_line:
        content = "\n".join(body(result))
        written = story.call("fs.write", path=path, content=content, append=append)
        return story.answer(
            f"{found}, but I could not {'append to' if append else 'write'} {path}: {reason(written)}"
            if bad(written)
            else f"{found} and {'appended' if append else 'wrote'} the lines to {path}.{cut_note(result)}"
        )
    save_names(story, files_of(result), found, path, append, "the file names", cut_note(result))


def target_file(story) -> tuple:
    """Where to write, whether to append, and the words for it."""
    rng = story.rng
    path = (
        a_file(rng)
        if rng.random() < 0.5
        else rng.choice(
            (
                "big",
                "list",
                "result",
                "out",
                "files",
                "names",
                "output",
                "found",
                "large",
                "report",
                words.word(rng),
            )
        )
        + rng.choice((".txt", ".txt", ".txt", ".md", ".csv", ".log", ""))
    )
    maybe_there(story, path, 0.12)
    return path, file_form(rng, path)


def save_sizes(story):
    """Files by size, and their names into a file: the demonstration of the README."""
    rng = story.rng
    asked = SizeQuestion(story)
    path, form = target_file(story)
    append = rng.random() < 0.12
    than = asked.than
    are = "are " + (
        "(larger than|bigger than|over|above|larger than|more than)"
        if asked.large
        else "(smaller than|under|below|less than)"
    )
    verb, to = ("(append|add)", "to") if append else (WRITE_VERB, "(to|to|into|in|in)")
    end = f"{verb} {NAMES} {to} {{f}}"
    templates = [
        "{k} {in} " + than + " {s} -> {f}" if not append else "{k} {in} " + than + " {s}: add their names to {f}",
        "{k} {in} " + than + " {s}: " + end,
        "which {k} {in} " + are + " {s}? (note|note down|jot down|put down|keep) (them|the names|their names) in {f}"
        if not append
        else "which {k} {in} " + are + " {s}? they (belong|go) at the end of {f}",
        "which {k} {in} " + are + " {s}? (the answer|the list|the names|that) (goes|should go|go) (into|in|to) {f}".replace("|go) (", "|should go) (")
        if not append
        else "{f} needs the names of {k} {in} " + than + " {s} (added|appended) to it",
        "(collect|gather|find) {k} {in} " + than + " {s}; (result|output|names) (goes to|into|in) {f}"
        if not append
        else "put the names of {k} {in} " + than + " {s} at the end of {f}",
        "(which|what) (of the|of the|) {k} {in} " + are + " {s}? " + end,
        "(which|what) {k} {in} " + are + " {s}? " + end,
        SHOW + " (the|all|) {k} {in} " + than + " {s} " + NEXT + " " + end,
        "find (the|all|all the|) {k} {in} " + than + " {s} " + NEXT + " " + end,
        "find (the|all|) {k} " + than + " {s} {in} " + NEXT + " " + end,
        f"{verb} (the names of|the list of|a list of|the names of all|all|the) (the|) {{k}} {{in}} "
        + than
        + f" {{s}} {to} {{f}}",
        f"{verb} the names of (all|the) {{k}} " + than + f" {{s}} {{in}} {to} {{f}}",
        "look {in} for {k} " + than + " {s} " + NEXT + " " + end,
        "(check|see|determine|tell me|find out) which {k} {in} " + are + " {s} " + NEXT + " " + end,
        "are there {k} {in} " + than + " {s}? (if so, |then |if yes, |)" + end,
        "(get|collect|gather|select|pick) (the|all|) {k} {in} " + than + " {s} " + NEXT + " " + end,
        "which {k} {in} " + are + " {s}, " + end + "?",
        "(pick|pick out|filter|filter out|sort out|choose) (the|all|those|) {k} {in} "
        + than
        + " {s} "
        + NEXT
        + " "
        + end,
        "go through {D}, (find|pick out|take|collect) (the|all|) {k} " + than + " {s} and " + end,
        "(look|search) through {D} for {k} " + than + " {s} and " + end,
        "any {k} " + than + " {s} {in}? (if so,|if there are any,|then|) " + end,
        "(from|of) all the {k} {in}, " + verb + " those " + than + " {s} " + to + " {f}",
        "there are {k} {in}. Which " + are + " {s}? " + end,
        "(please|) " + verb + " to {f} which {k} {in} " + are + " {s}",
        verb + " (everything|anything|all) {in} " + than + " {s} " + to + " {f}"
        if asked.noun == "files"
        else verb + " {k} {in} " + than + " {s} " + to + " {f}",
    ]
    if not append:
        templates += [
            "(store|save|write|put|note|record) in {f} (which|what) {k} {in} " + are + " {s}",
            "i need (a file called|a file named|) {n} (listing|with|that contains|with the names of) (the|all|) {k} {in} "
            + than
            + " {s}",
            "(produce|generate|build|prepare) {f} (listing|with|containing|from) (the|all|) {k} {in} "
            + than
            + " {s}",
            "i (want|need|would like) (the names of|) (the|all) {k} {in} "
            + than
            + " {s} (written|saved|stored|put) (to|in|into) {f}",
            "in {f}, (write|put|list|save) the names of (the|all|) {k} {in} " + than + " {s}",
            "(make|create|save|write) a list of (the|all|) {k} {in} " + than + " {s} (in|as|to|into) {f}",
            "(create|make|write) {f} with the names of (the|all|) {k} {in} " + than + " {s}",
            "{f} should (list|contain) (the|all|) {k} {in} " + than + " {s}",
            "(i want|i need|please make) a file {n} (with|listing|that lists) (the|all|) {k} {in} "
            + than
            + " {s}",
        ]
    yield
    story.user(tuple(templates), f=form, n=quoted(rng, path, 0.1), **asked.slots)
    continue_save_sizes(story, asked, path, append)


def continue_save_sizes(story, asked, path, append):
    result = asked.ask(story)
    if story.failed(result, f"list {folder_object(asked.folder)}"):
        return
    if not body(result):
        return story.answer(
            f"I found no files{asked.description()} {where(asked.folder)}, so I wrote nothing."
        )
    save_names(
        story,
        names_in(result),
        f"I found {counted(result)}{asked.description()}",
        path,
        append,
        note=cut_note(result),
    )


def save_listing(story):
    """All files, those of a kind, or the biggest ones, into a file."""
    rng, folder = story.rng, a_folder(story.rng)
    path, form = target_file(story)
    append = rng.random() < 0.12
    verb, to = ("(append|add)", "to") if append else (WRITE_VERB, "(to|to|into|in|in)")
    end = f"{verb} {NAMES} {to} {{f}}"
    kind = rng.choice(("all", "kind", "kind", "top"))
    pattern, noun, limit, sort, found = None, "files", None, None, ""
    if kind == "all":
        noun = rng.choice(("files", "the files", "all files", "all the files", "everything"))
    if kind == "kind":
        pattern, noun = a_pattern(rng)
        noun, found = rng.choice(("", "the ", "all ", "all the ")) + noun, f" matching {pattern}"
    if kind == "top":
        limit = rng.randint(1, 5)
        word, sort = rng.choice(
            (("biggest", "size"), ("largest", "size"), ("newest", "time"), ("latest", "time"))
        )
        noun = (
            f"the {word} file"
            if limit == 1
            else f"the {rng.choice((str(limit), 'zero one two three four five'.split()[limit]))} {word} files"
        )
    story.fill(folder, (0, 7), (0, 2) if kind == "all" else (0, 1))
    if pattern:
        matching_names(story, folder, pattern)
    yield
    story.user(
        (
            "(list|find|show|get|look for|collect) {k} {in} " + NEXT + " " + end,
            f"{verb} (the names of|the list of|a list of|the names of|) {{k}} {{in}} {to} {{f}}",
            "(which|what) files (are|do you see) {in}? " + end if kind == "all" else "find {k} {in}. " + end,
            f"{verb} {{k}} {{in}} {to} {{f}}",
            *(
                ()
                if append
                else (
                    "{k} {in} -> {f}",
                    "{k} {in}: (write|save|put|note) (the names|them) {to} {f}".replace("{to}", "(to|into|in)"),
                    "(note down|jot down|note|keep) (the names of|) {k} {in} in {f}",
                    "(list|see) {k} {in}; (result|names|output) (goes to|go into|in) {f}".replace("|go into|", "|into|"),
                    "i want {k} {in} listed in {f}",
                    "{f} should have the names of {k} {in}",
                    "(see|check|look) what is {in} and put the names in {f}" if kind == "all" else "(see|check) which are {k} {in} and put the names in {f}",
                    "(make|create|write|save) a list of {k} {in} (in|as|to|into) {f}",
                    "{f} should (list|contain the names of) {k} {in}",
                    "create {f} with (the names of|a list of) {k} {in}",
                    "store in {f} (which|what) files are {in}"
                    if kind == "all"
                    else "put {k} {in} in a file called {f}",
                    "i need a file {f} (listing|with the names of) {k} {in}",
                    "(look at|go through) {D} and " + WRITE_VERB + " {k} (to|into|in) {f}",
                )
            ),
        ),
        f=form,
        k=noun,
        D=folder_form(rng, folder),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, pattern=pattern, sort=sort, limit=limit)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    if not body(result):
        return story.answer(f"I found no files{found} {where(folder)}, so I wrote nothing.")
    if kind == "top":
        return save_names(
            story,
            names_in(result),
            f"I listed {folder_object(folder)}",
            path,
            append,
            "the name" if limit == 1 else "the names",
        )
    save_names(
        story, names_in(result), f"I found {counted(result)}{found}", path, append, note=cut_note(result)
    )


def save_search(story):
    rng = story.rng
    in_file = a_file(rng) if rng.random() < 0.25 else None
    needle = Needle(story, in_file)
    path, form = target_file(story)
    append = rng.random() < 0.1
    verb, to = ("(append|add)", "to") if append else (WRITE_VERB, "(to|to|into|in|in)")
    by_line = bool(in_file) or rng.random() < 0.35
    what = (
        "(the lines|the matching lines|the matches|those lines|these lines|all matches)"
        if by_line
        else "(the names of the files|the file names|the files|the names of those files|their names|the list of files)"
    )
    slots = {
        "w": quoted(rng, needle.text, 0.45),
        "in": "in " + file_form(rng, in_file) if in_file else place_form(rng, needle.path),
        "f": form,
        "D": file_form(rng, in_file) if in_file else folder_form(rng, needle.path),
    }
    noun = "lines" if by_line else "files"
    contain = "(containing|that contain|with|that mention|mentioning|which contain)"
    yield
    story.user(
        (
            SEARCH + " {w} {in} " + NEXT + f" {verb} {what} {to} {{f}}",
            "search {D} for {w} " + NEXT + f" {verb} {what} {to} {{f}}",
            f"(which|what) {noun} {{in}} (contain|mention) {{w}}? {verb} them {to} {{f}}",
            f"find (the|all|all the|) {noun} {{in}} {contain} {{w}} {NEXT} {verb} (them|the names|the list|them) {to} {{f}}"
            if not by_line
            else f"find (the|all) lines {{in}} {contain} {{w}} {NEXT} {verb} them {to} {{f}}",
            f"{verb} (the names of|a list of|) (the|all|) {noun} {{in}} {contain} {{w}} {to} {{f}}"
            if not by_line
            else f"{verb} (the|all|all the) lines {{in}} {contain} {{w}} {to} {{f}}",
            *(
                ()
                if append
                else (
                    f"{noun} {{in}} {contain} {{w}} -> {{f}}",
                    f"(collect|gather|extract|pick) (the|all|all the) {noun} {{in}} {contain} {{w}} (into|in) {{f}}",
                    f"(which|what) {noun} {{in}} (contain|mention|have) {{w}}? (note them down|put them down|keep them|collect them) in {{f}}",
                    f"{{f}} should (get|contain|have|list) (the|all|all the) {noun} {{in}} {contain} {{w}}",
                    f"i (want|need) (the|all) {noun} {{in}} {contain} {{w}} in {{f}}",
                    f"(search|go|look) through {{D}} for {{w}} and put {what} in {{f}}",
                    f"{{f}}: (the|all) {noun} {{in}} {contain} {{w}}",
                )
            ),
        ),
        **slots,
    )
    save_matches(story, needle, needle.ask(story), path, by_line, append)


def copy_text(story):
    """Some lines of a file into another one."""
    rng = story.rng
    path, _ = text_file(story, 1, 7)
    target, form = target_file(story)
    append = rng.random() < 0.3
    count = rng.choice((None, 1, 1, rng.randint(2, 5)))
    spelled = "zero one two three four five".split()
    if count is None:
        part = "(the content|the contents|the text|all lines|everything|the whole text|all the text)"
    else:
        part = (
            "the first line" if count == 1 else f"the first {rng.choice((str(count), spelled[count]))} lines"
        )
    slots = {"f": file_form(rng, path), "g": form}
    if append:
        yield
        story.user(
            (
                f"(append|add) {part} (of|from) {{f}} to {{g}}",
                f"(append|add) {part} (of|from) {{f}} (to|at) the end of {{g}}",
                f"read {part} of {{f}} {NEXT} (append|add) it to {{g}}",
                f"take {part} (of|from) {{f}} and (append|add) it to {{g}}",
            ),
            **slots,
        )
    else:
        yield
        story.user(
            (
                f"(copy|write|save|put|store) {part} (of|from|in) {{f}} (to|into|in) {{g}}",
                f"read {part} of {{f}} {NEXT} (write|save|put|store) (it|that|them|it) (to|into|in) {{g}}",
                f"take {part} (of|from) {{f}} {NEXT} (write|save|put) (it|that) (to|into|in) {{g}}",
                "read {f} "
                + NEXT
                + " (write|save|copy) (its content|its text|the content|everything|what it says) (to|into) {g}"
                if count is None
                else f"create {{g}} with {part} of {{f}}",
                f"{{g}} should contain {part} of {{f}}",
            ),
            **slots,
        )
    result = story.call("fs.read", path=path, max_lines=count)
    if story.failed(result, f"read {path}"):
        return
    if not body(result):
        return story.answer(f"{path} is empty, so I wrote nothing.")
    if cut_note(result):
        return story.answer(f"{path} is too long for me to copy: the result was truncated.")
    written = story.call("fs.write", path=target, content="\n".join(body(result)), append=append)
    if not story.failed(written, f"{'append to' if append else 'write'} {target}"):
        story.answer(
            f"I {'appended' if append else 'copied'} {written.rsplit(': ', 1)[1].split(',')[0]} from {path} to {target}."
        )


def save_count(story):
    rng = story.rng
    path, _ = text_file(story, 1, 20)
    target, form = target_file(story)
    yield
    story.user(
        (
            "count the lines (of|in) {f} "
            + NEXT
            + " (write|save|put) (the number|the result|the count|it|the answer) (to|into|in) {g}",
            "(write|save|put|note|store) (only|just|) the (number of lines|line count) (of|in) {f} (to|into|in|down in) {g}",
            "(number of lines|line count) (of|in) {f} -> {g}",
            "how many lines has {f}? (the number|the answer) (goes|should go) (into|in) {g}",
            "{g} should (say|contain) how many lines {f} has",
            "how many lines (has|are in) {f}? (write|save|put) (the number|the answer|it|the count) (to|into|in) {g}",
        ),
        f=file_form(rng, path),
        g=form,
    )
    result = story.call("fs.read", path=path, max_lines=1)
    if story.failed(result, f"read {path}"):
        return
    count = result.split(",")[0]
    written = story.call("fs.write", path=target, content=count.split(" ")[0])
    if not story.failed(written, f"write {target}"):
        story.answer(f"{path} has {count}. I wrote the number to {target}.")


def read_then_edit(story):
    rng, path = story.rng, a_file(story.rng)
    old, new = edit_texts(story, path)
    yield
    story.user(
        (
            "(read|open|show|look at|show me|check) {f} " + NEXT + " (replace|change) {a} (with|to|by) {b}",
            "(read|show) {f} " + NEXT + " (replace|change) {a} (with|to|by) {b} in it",
            "first (read|show) {f}, then (replace|change) {a} (with|to) {b} (in it|there|)",
        ),
        f=file_form(rng, path),
        a=quoted(rng, old, 0.5),
        b=quoted(rng, new, 0.5),
    )
    result = story.call("fs.read", path=path)
    if not story.failed(result, f"read {path}"):
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))


def list_then_read(story):
    """Read the biggest or newest file of a folder, or the only one of a kind."""
    rng, folder = story.rng, a_folder(story.rng)
    for _ in range(rng.randint(0, 4)):
        story.add_text(under(clean_path(folder), words.file_name(rng)), 1, 6)
    kind = rng.choice(("biggest", "newest"))
    adjective = {
        "biggest": "(biggest|largest)",
        "newest": "(newest|latest|most recent|last modified|most recently changed)",
    }[kind]
    lines_only = rng.random() < 0.3
    slots = {"in": place_form(rng, folder)}
    if lines_only:
        yield
        story.user(
            (
                "how many lines (has|are in|does) the " + adjective + " file {in}(| have)?",
                "count the lines (of|in) the " + adjective + " file {in}",
                "find the "
                + adjective
                + " file {in} "
                + NEXT
                + " (tell me how many lines it has|count its lines)",
            ),
            **slots,
        )
    else:
        yield
        story.user(
            (
                "(read|show|show me|open|print|display) the " + adjective + " file {in}",
                "find the " + adjective + " file {in} " + NEXT + " (read|show|open|print|show me) it",
                "what (does|is in) the " + adjective + " file {in}(| say| contain)?",
                "(list|look at) the files {in} "
                + NEXT
                + " (read|show me|open) the "
                + adjective
                + " (one|file)",
                "what (text is|stands|is written) in the " + adjective + " file {in}?",
                "(show|give|read) (me|) the (content|contents|text) of the " + adjective + " file {in}",
                "let me see the " + adjective + " file {in}",
                "i want to read the " + adjective + " file {in}",
                "what('s| is) the " + adjective + " file {in}? (read|show|open) it",
                "show me the content of the " + adjective + " file {in}",
            ),
            **slots,
        )
    result = story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=1)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    entry = body(result)[0] if body(result) else "/"
    if entry.endswith("/"):
        return story.answer(
            f"The {kind} entry {where(folder)} is the directory {entry}."
            if len(entry) > 1
            else f"There are no files {where(folder)}."
        )
    path = under(folder, entry.rsplit(" ", 1)[0])
    result = story.call("fs.read", path=path, max_lines=1 if lines_only else None)
    if not lines_only:
        tell_text(story, path, result)
    elif not story.failed(result, f"read {path}"):
        story.answer(f"{path} has {result.split(',')[0]}.")


def write_then_check(story):
    rng = story.rng
    path = words.file_path(rng).replace(" ", "_")
    content, form = a_content(rng)
    read = rng.random() < 0.6
    tail = (
        "(read it|show it|read it back|show me the file|show me the result|print it|read the file|display it)"
        if read
        else "(run|execute) {c}"
    )
    argv = rng.choice((["wc", "-l", path], ["sort", path], ["cat", path], ["wc", path]))
    yield
    story.user(
        (
            f"(write|save|put) {{t}} (to|into|in) {{f}} {NEXT} {tail}",
            f"create {{f}} with {{t}} {NEXT} {tail}",
        ),
        t=form,
        f=file_form(rng, path),
        c=quoted(rng, " ".join(argv), 1) if rng.random() < 0.5 else " ".join(argv),
    )
    result = story.call("fs.write", path=path, content=content)
    if story.failed(result, f"write {path}"):
        return
    if read:
        tell_text(story, path, story.call("fs.read", path=path))
    else:
        tell_run(story, argv, story.call("proc.run", argv=argv))


def save_output(story):
    rng = story.rng
    path = words.file_path(rng).replace(" ", "_")
    story.add_text(path, 1, 7)
    target, form = target_file(story)
    sort = rng.random() < 0.5
    argv = (
        ["sort", path]
        if sort
        else rng.choice(
            (
                ["wc", "-l", path],
                ["wc", "-w", path],
                ["head", "-n", str(rng.randint(1, 4)), path],
                ["sort", "-r", path],
                ["sort", path],
            )
        )
    )
    if sort:
        yield
        story.user(
            (
                "sort {f} "
                + NEXT
                + " (write|save|put) (the result|it|the output|the sorted lines) (to|into|in) {g}",
                "sort (the lines of|) {f} (into|to) {g}",
                "sort {f}, result (to|in|into) {g}",
                "{g} should (contain|have) the sorted lines of {f}",
                "(make|create) {g} with the sorted (lines|content) of {f}",
                "(write|save) the sorted (lines|content) of {f} (to|into|in) {g}",
            ),
            f=file_form(rng, path),
            g=form,
        )
    else:
        yield
        story.user(
            (
                "(run|execute) {c} "
                + NEXT
                + " (write|save|put|store) (the result|the output|its output|it) (to|into|in) {g}",
                "(write|save) the output of {c} (to|into|in) {g}",
            ),
            c=quoted(rng, " ".join(argv), 1),
            g=form,
        )
    result = story.call("proc.run", argv=argv)
    command = f"`{shown_command(argv)}`"
    if story.failed(result, f"run {command}"):
        return
    if not result.startswith("exit 0") or not body(result):
        return tell_run(story, argv, result)
    written = story.call("fs.write", path=target, content="\n".join(body(result)))
    if not story.failed(written, f"write {target}"):
        story.answer(f"I ran {command} and wrote its output to {target} ({written.rsplit(': ', 1)[1]}).")


def note_from_file(story):
    rng = story.rng
    path, _ = text_file(story, 1, 4)
    yield
    story.user(
        (
            "(remember|note|note down|memorize) the first line of {f}",
            "(read|take) the first line of {f} " + NEXT + " (remember|note) it",
            "make a note of the first line (of|in) {f}",
        ),
        f=file_form(rng, path),
    )
    result = story.call("fs.read", path=path, max_lines=1)
    if story.failed(result, f"read {path}"):
        return
    text = (body(result) or [""])[0]
    if not text:
        return story.answer(f"The first line of {path} is empty.")
    if not story.failed(story.call("memory.note", text=text), "take the note"):
        story.answer(f"Noted: {text}.")
