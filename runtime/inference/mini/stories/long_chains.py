"""Requests of two to four calls in which a later call needs the result of an earlier one."""

import words
from stories.builder import (
    Redraw,
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
from stories.chains import NEXT, target_file
from stories.common import SHOW, WRITE_VERB, a_folder, a_pattern, counted, matching_names, under
from stories.listing import BIGGEST, NEWEST, tell_extreme
from stories.notes import a_fact
from stories.programs import tell_run
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import files_of
from stories.writing import a_content, told_edit, told_write
from words import clean_path

SPELLED = dict(zip(range(2, 5), "two three four".split()))


def texts_in(story, folder, amount, needle=None, extension=None) -> list:
    """Text files of a folder, as paths; with the needle once in each."""
    rng, paths = story.rng, []
    for _ in range(amount):
        name = words.file_name(rng, True)
        if extension:
            name = words.stem(rng) + "." + extension
        path = under(folder, name)
        lines = words.lines(rng, words.kind_of(path), rng.randint(1, 5))
        if needle:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(("", words.word(rng) + " ")) + needle)
        story.add_file(clean_path(path), lines)
        paths.append(path)
    return paths


def write_and_tell(story, target, content, found, append=False):
    """Write and say so, after what was found."""
    written = story.call("fs.write", path=target, content=content, append=append)
    if bad(written):
        story.answer(f"{found}, but I could not {'append to' if append else 'write'} {target}: {reason(written)}")
    else:
        amount = written.rsplit(": ", 1)[1].split(",")[0]
        story.answer(f"{found} and {'appended' if append else 'wrote'} {amount} to {target}.")
    return not bad(written)


def replace_everywhere(story):
    """Search, then edit each file that was found."""
    rng, folder = story.rng, a_folder(story.rng)
    old, new = words.word(rng), words.fragment(rng)
    texts_in(story, folder, rng.choice((0, 1, 1, 2, 2, 3, 3)), old)
    story.add_folder(folder)
    texts_in(story, folder, rng.randint(0, 2))
    yield
    story.user(
        (
            "(replace|change) {a} (with|to|by) {b} in (all|all the|every one of the) files {in}",
            "in (all|every one of) the files {in}, (replace|change) {a} (with|to) {b}",
            "(change|rename|replace) {a} (to|with) {b} everywhere {in}",
            "(replace|change) every {a} (by|to|with) {b} in {D}",
            "(find|look for) {a} {in} and (replace|change) it (with|to) {b} wherever it (occurs|stands|appears)",
            "(find|search) (the|all|all the) files {in} (that contain|with|containing) {a} and (replace|change) it (with|to|by) {b}",
            "{a} should be {b} in all files {in}",
            "wherever {a} (occurs|stands|appears) {in}, (write|put) {b}",
            "in every file {in} (that mentions|with) {a}, (change|turn) it (to|into) {b}",
            "we renamed {a} to {b}. (update|fix|change) all files {in}",
        ),
        a=quoted(rng, old, 0.4),
        b=quoted(rng, new, 0.5),
        D=folder_form(rng, folder),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.search", pattern=old, path=folder)
    if story.failed(result, f"search {folder_object(folder)}"):
        return
    if not body(result):
        return story.answer(f'I found no matches for "{old}" {where(folder)}, so I changed nothing.')

    def teller(path):
        return lambda: told_edit(
            story, path, old, new, story.call("fs.edit", path=path, old=old, new=new, all=True)
        )

    story.together([teller(path) for path in files_of(result)[:4]])


def read_what_mentions(story):
    """Search, then read (or measure) the file that was found; perhaps save its beginning."""
    rng, folder = story.rng, a_folder(story.rng)
    needle = words.fragment(rng)
    story.add_folder(folder)
    texts_in(story, folder, rng.choice((0, 1, 1, 1, 1, 2)), needle)
    texts_in(story, folder, rng.randint(0, 2))
    kind = rng.choice(("read", "read", "count", "save", "append"))
    target, form = target_file(story)
    content, text_form = a_content(rng)
    yield
    which = "(that contains|that mentions|with|which mentions|containing|where it says|about)"
    find = "(find|look for|search for|locate) the file {in} " + which + " {w}"
    templates = {
        "read": (
            find + " " + NEXT + " (read|show|open|print|show me) it",
            "(read|show|open|show me|print) the file {in} " + which + " {w}",
            "which file {in} (mentions|contains) {w}? (show|read|open) it",
            "what (does|is in) the file {in} " + which + " {w}(| say| contain)?",
            "(look|search) for {w} {in} " + NEXT + " (show|read|open) (me|) the file",
        ),
        "count": (
            find + " " + NEXT + " (count its lines|tell me how many lines it has|say how long it is)",
            "how many lines (has|does) the file {in} " + which + " {w}(| have)?",
            "which file {in} (mentions|contains) {w} and how many lines does it have?",
        ),
        "save": (
            find + " " + NEXT + " (copy|write|save) its first line (to|into) {f}",
            "(write|save|put) the first line of the file {in} " + which + " {w} (to|into|in) {f}",
            "which file {in} (mentions|contains) {w}? (write|save) its first line (to|in) {f}",
        ),
        "append": (
            find + " " + NEXT + " (append|add) {t} to it",
            "(append|add) {t} to the file {in} " + which + " {w}",
            "which file {in} (mentions|contains) {w}? add {t} (at the end|to it|at its end)",
        ),
    }[kind]
    story.user(
        templates, w=quoted(rng, needle, 0.6), f=form, t=text_form, **{"in": place_form(rng, folder)}
    )
    result = story.call("fs.search", pattern=needle, path=folder)
    if story.failed(result, f"search {folder_object(folder)}"):
        return
    if not body(result):
        return story.answer(f'I found no matches for "{needle}" {where(folder)}.')
    path = files_of(result)[0]
    if kind == "read":
        tell_text(story, path, story.call("fs.read", path=path))
    elif kind == "count":
        tell_length(story, path)
    elif kind == "append":
        told_write(
            story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}"
        )
    else:
        read = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(read, f"read {path}"):
            write_and_tell(story, target, (body(read) or [""])[0], f"I read {path}")


def use_extreme(story):
    """List the biggest or newest, read it, and perhaps write what was read."""
    rng, folder = story.rng, a_folder(story.rng)
    texts_in(story, folder, rng.randint(1, 5))
    kind = rng.choice(("biggest", "newest"))
    adjective = BIGGEST if kind == "biggest" else NEWEST
    amount = rng.choice((1, 1, 2, 3))
    part = "the first line" if amount == 1 else f"the first ({amount}|{SPELLED.get(amount)}) lines"
    task = rng.choice(("save", "save", "part", "append", "edit"))
    target, form = target_file(story)
    content, text_form = a_content(rng)
    old, new = words.word(rng), words.word(rng)
    yield
    the_file = "the " + adjective + " file {in}"
    templates = {
        "save": (
            f"(write|save|copy|put) {part} of {the_file} (to|into|in) {{f}}",
            f"(take|read|get) {part} of {the_file} {NEXT} (write|save|put) (it|that) (to|into|in) {{f}}",
            f"find {the_file} {NEXT} (write|save|copy) its {part[4:]} (to|into) {{f}}",
            f"(what is|which is) {the_file}? (write|save|copy) its {part[4:]} (to|into) {{f}}",
        ),
        "part": (
            f"{SHOW} {part} of {the_file}",
            f"what (is|are) {part} of {the_file}?",
            f"find {the_file} {NEXT} (show|read|print) its {part[4:]}",
            f"how does {the_file} begin? show {part}",
        ),
        "append": (
            f"(append|add) {{t}} to {the_file}",
            f"find {the_file} {NEXT} (append|add) {{t}} to it",
            f"{the_file} needs another line: {{t}}",
        ),
        "edit": (
            f"(replace|change) {{a}} (with|to|by) {{b}} in {the_file}",
            f"in {the_file}, (replace|change) {{a}} (with|to) {{b}}",
            f"find {the_file} {NEXT} (replace|change) {{a}} (with|to) {{b}} in it",
        ),
    }[task]
    story.user(
        templates,
        f=form,
        t=text_form,
        a=quoted(rng, old, 0.4),
        b=quoted(rng, new, 0.4),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=1)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    if not body(result) or body(result)[0].endswith("/"):
        return story.answer(f"There are no files {where(folder)}.")
    path = under(folder, names_in(result)[0])
    if task == "append":
        written = story.call("fs.write", path=path, content=content, append=True)
        return told_write(story, path, written, f"append to {path}")
    if task == "edit":
        return told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    if task == "part":
        return tell_part(story, path, None, amount)
    read = story.call("fs.read", path=path, max_lines=amount)
    if not story.failed(read, f"read {path}"):
        write_and_tell(story, target, "\n".join(body(read)), f"I read {path}")


def read_top(story):
    """List the biggest or newest few, then read or measure each."""
    rng, folder = story.rng, a_folder(story.rng)
    texts_in(story, folder, rng.randint(1, 5))
    kind, amount = rng.choice(("biggest", "newest")), rng.choice((2, 2, 3))
    adjective = BIGGEST if kind == "biggest" else NEWEST
    task = rng.choice(("read", "count", "first"))
    the_files = f"the ({amount}|{SPELLED[amount]}) {adjective} files {{in}}"
    yield
    story.user(
        {
            "read": (
                f"(read|show|show me|open|print) {the_files}",
                f"find {the_files} {NEXT} (read|show|open) them",
                f"what is in {the_files}?",
                f"(which|what) are {the_files}? (show|read|open) them",
            ),
            "count": (
                f"how many lines do {the_files} have?",
                f"count the lines of {the_files}",
                f"find {the_files} {NEXT} (count their lines|tell me how many lines each has)",
            ),
            "first": (
                f"(show|read|print|show me) the first line of {the_files}",
                f"find {the_files} {NEXT} (show|read) the first line of each",
                f"what are the first lines of {the_files}?",
            ),
        }[task],
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=amount)
    each_of_listing(story, folder, result, task)


def each_of_listing(story, folder, result, task):
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    names = [name for name in names_in(result) if not name.endswith("/")][:3]
    if not names:
        return story.answer(f"There are no files {where(folder)}.")

    def teller(path):
        def tell():
            if task == "count":
                tell_length(story, path)
            elif task == "first":
                tell_part(story, path, None, 1)
            else:
                tell_text(story, path, story.call("fs.read", path=path))

        return tell

    story.together([teller(under(folder, name)) for name in names])


def each_of_kind(story):
    """List the files of a kind, then read or measure each."""
    rng, folder = story.rng, a_folder(story.rng)
    extension = rng.choice(words.TEXT_EXTENSIONS)
    texts_in(story, folder, rng.choice((0, 1, 2, 2, 3, 3)), extension=extension)
    story.fill(folder, (0, 3), (0, 1))
    if any(name.endswith("." + extension) for name in story.sizes):
        raise Redraw
    task = rng.choice(("read", "count", "count", "first"))
    kind = rng.choice((".{e} file", "*.{e} file", "{e} file", ".{e} file")).replace("{e}", extension)
    yield
    story.user(
        {
            "read": (
                f"(read|show|show me|print|open) (all|all the|every one of the) {kind}s {{in}}",
                f"what (does|is in) each {kind} {{in}}(| say| contain)?",
                f"(find|list) the {kind}s {{in}} {NEXT} (read|show|open) (each|each of them|all of them)",
            ),
            "count": (
                f"how many lines does (each|every) {kind} {{in}} have?",
                f"count the lines of (each|every) {kind} {{in}}",
                f"count the lines of (all|all the|the) {kind}s {{in}}",
                f"(tell me|show|give me) the line count of (each|every) {kind} {{in}}",
                f"(find|list) the {kind}s {{in}} {NEXT} (count their lines|tell me how many lines each has)",
            ),
            "first": (
                f"(show|read|print|show me) the first line of (each|every) {kind} {{in}}",
                f"how does each {kind} {{in}} (begin|start)?",
                f"(find|list) the {kind}s {{in}} {NEXT} (show|read) the first line of each",
            ),
        }[task],
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, pattern=f"*.{extension}")
    if not bad(result) and not body(result):
        return story.answer(f"There are no files matching *.{extension} {where(folder)}.")
    each_of_listing(story, folder, result, task)


def arrange_kind(story):
    """List the files of a kind, then copy or move each into a folder."""
    rng, folder = story.rng, words.folder_path(story.rng, (1, 1, 2))
    extension = rng.choice(words.TEXT_EXTENSIONS)
    target = words.folder_path(rng, (1, 1, 2))
    story.add_folder(folder)
    story.add_folder(target)
    for _ in range(rng.choice((0, 1, 2, 2, 3))):
        story.add_text(under(folder, words.stem(rng).replace(" ", "_") + "." + extension), 1, 4)
    move = rng.random() < 0.5
    kind = rng.choice((".{e} files", "*.{e} files", "{e} files")).replace("{e}", extension)
    yield
    story.user(
        (
            f"(move|put) (all|all the|the) {kind} {{in}} (to|into) {{t}}"
            if move
            else f"copy (all|all the|the) {kind} {{in}} (to|into) {{t}}",
            f"move every {kind[:-1]} from {{d}} (to|into) {{t}}"
            if move
            else f"copy every {kind[:-1]} from {{d}} (to|into) {{t}}",
            f"find the {kind} {{in}} {NEXT} (move|put) them (to|into|in) {{t}}"
            if move
            else f"find the {kind} {{in}} {NEXT} copy them (to|into) {{t}}",
            f"the {kind} {{in}} should be (in|moved to) {{t}}" if move else f"i need copies of the {kind} {{in}} in {{t}}",
        ),
        t=folder_form(rng, target),
        d=folder_form(rng, folder),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, pattern=f"*.{extension}")
    if story.failed(result, f"list {folder}"):
        return
    names = names_in(result)[:3]
    if not names:
        return story.answer(f"There are no files matching *.{extension} {where(folder)}.")

    def teller(name):
        argv = ["mv" if move else "cp", under(folder, name), under(target, name)]
        return lambda: tell_run(story, argv, story.call("proc.run", argv=argv))

    story.together([teller(name) for name in names])


def merge(story):
    """Read two or three files, write their texts into one."""
    rng = story.rng
    paths = [words.file_path(rng) for _ in range(rng.choice((2, 2, 3)))]
    for path in paths:
        if rng.random() < 0.95:
            story.add_text(path, 1, 4)
    target, form = target_file(story)
    names = [file_form(rng, path) if rng.random() < 0.3 else quoted(rng, path, 0.1) for path in paths]
    yield
    story.user(
        (
            "(merge|combine|join|concatenate) {f} (into|in|to) {g}",
            "(write|put|save|copy) (the content|the contents|the text|everything) of {f} (into|to|in) {g}",
            "read {f} " + NEXT + " (write|save|put) (both texts|their content|everything|all of it) (to|into|in) {g}",
            "(make|create) {g} (from|out of) {f}",
            "{g} should contain the text of {f}",
            "(put|bring) {f} together (in|into) {g}",
        ),
        f=", ".join(names[:-1]) + rng.choice((" and ", " and ", ", and ")) + names[-1],
        g=form,
    )
    parts = []
    for path in paths:
        result = story.call("fs.read", path=path)
        if story.failed(result, f"read {path}"):
            return
        if cut_note(result):
            return story.answer(f"{path} is too long for me to copy: the result was truncated.")
        parts += body(result)
    write_and_tell(story, target, "\n".join(parts), f"I read {', '.join(paths[:-1])} and {paths[-1]}")


def find_then(story):
    """Find a file by its name anywhere, then use it."""
    rng, name = story.rng, words.file_name(story.rng, True)
    folder = words.folder_path(rng)
    there = rng.random() < 0.9
    lines = words.lines(rng, words.kind_of(name), rng.randint(1, 6))
    old, new = words.word(rng), words.fragment(rng)
    if there:
        story.add_file(folder + "/" + name, lines + [old + " " + words.word(rng)])
    story.fill(words.folder_path(rng), (0, 4), (0, 1))
    task = rng.choice(("read", "read", "count", "append", "edit", "copy"))
    content, text_form = a_content(rng)
    target, form = target_file(story)
    yield
    find = "(find|locate|look for|search for) {n}( somewhere| in the subfolders| in some folder||)"
    somewhere = "(somewhere (here|in the workspace|in my folders)|in one of the (folders|subfolders))"
    templates = {
        "read": (
            find + " " + NEXT + " (read|show|open|print|show me) it",
            "where is {n}? (show|read|open) it",
            "{n} is " + somewhere + ", (show|read|open) it",
            "i don't know where {n} is, (find|locate) it and (show|read) it",
            "there is a {n} " + somewhere + ". what does it say?",
        ),
        "count": (
            find + " " + NEXT + " (count its lines|tell me how many lines it has)",
            "where is {n} and how many lines does it have?",
            "{n} is " + somewhere + ". how many lines does it have?",
        ),
        "append": (
            find + " " + NEXT + " (append|add) {t} to it",
            "{n} is " + somewhere + ", (append|add) {t} to it",
        ),
        "edit": (
            find + " " + NEXT + " (replace|change) {a} (with|to) {b} in it",
            "{n} is " + somewhere + ", (replace|change) {a} (with|to) {b} in it",
        ),
        "copy": (
            find + " " + NEXT + " (copy|save) its first line (to|into) {f}",
            "{n} is " + somewhere + ", (write|save|copy) its first line (to|into) {f}",
        ),
    }[task]
    story.user(
        templates,
        n=quoted(rng, name, 0.15),
        t=text_form,
        f=form,
        a=quoted(rng, old, 0.4),
        b=quoted(rng, new, 0.4),
    )
    result = story.call("fs.list", path=".", recursive=True, pattern=name)
    if story.failed(result, "list the workspace"):
        return
    found = [one for one in names_in(result) if not one.endswith("/")]
    if not found:
        return story.answer(f"There are no files matching {name} in the workspace.")
    path = found[0]
    if task == "read":
        tell_text(story, path, story.call("fs.read", path=path))
    elif task == "count":
        tell_length(story, path)
    elif task == "append":
        written = story.call("fs.write", path=path, content=content, append=True)
        told_write(story, path, written, f"append to {path}")
    elif task == "edit":
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    else:
        read = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(read, f"read {path}"):
            write_and_tell(story, target, (body(read) or [""])[0], f"I read {path}")


def search_both(story):
    """Two searches, and perhaps their lines into one file."""
    rng, folder = story.rng, a_folder(story.rng)
    needles = [words.fragment(rng), words.fragment(rng)]
    story.add_folder(folder)
    for needle in needles:
        texts_in(story, folder, rng.choice((0, 1, 1, 2)), needle)
    save = rng.random() < 0.5
    target, form = target_file(story)
    yield
    slots = {
        "a": quoted(rng, needles[0], 0.6),
        "b": quoted(rng, needles[1], 0.6),
        "f": form,
        "D": folder_form(rng, folder),
        "in": place_form(rng, folder),
    }
    if save:
        story.user(
            (
                "(write|save|put|collect) the lines {in} (with|containing|that mention) {a} (and|or) (those with|) {b} (to|into|in) {f}",
                "(search|look) {in} for {a} and (for|) {b} " + NEXT + " (write|save|put) (the lines|all matches|the matches) (to|into|in) {f}",
                "find {a} and {b} {in} " + NEXT + " (write|save) the lines (to|into) {f}",
            ),
            **slots,
        )
    else:
        story.user(
            (
                "(search|look) {in} for {a} and (for|) {b}",
                "(search|scan|grep) {D} for {a} and {b}",
                "which lines {in} (contain|mention) {a}, and which {b}?",
                "(find|look for) {a} and {b} {in}",
                "are {a} and {b} mentioned {in}?",
                "where (do|are) {a} and {b} (occur|mentioned|used) {in}?",
            ),
            **slots,
        )
    results = [story.call("fs.search", pattern=needle, path=folder) for needle in needles]
    for result in results:
        if story.failed(result, f"search {folder_object(folder)}"):
            return
    heads = [f'{result.split(chr(10))[0]} for "{needle}"' for result, needle in zip(results, needles)]
    lines = [line for result in results for line in body(result)]
    found = f"I found {heads[0]} and {heads[1]}"
    if not save or not lines:
        tail = ", so I wrote nothing." if save else (":\n" + "\n".join(lines[:5]) if lines else ".")
        return story.answer(found + tail)
    write_and_tell(story, target, "\n".join(lines), found)


def compare_folders(story):
    """The same question about two folders."""
    rng = story.rng
    folders = [words.folder_path(rng) for _ in range(2)]
    for folder in folders:
        story.fill(folder, (0, 6), (0, 2))
    task = rng.choice(("list", "count", "biggest", "newest"))
    adjective = {"biggest": BIGGEST, "newest": NEWEST}.get(task)
    yield
    both = f"{folder_form(rng, folders[0])} and {'in ' * (rng.random() < 0.4)}{folder_form(rng, folders[1])}"
    story.user(
        {
            "list": (
                SHOW + " (the files|what is|everything) in {d}",
                "what is in {d}?",
                "(list|ls) {d}",
                "which files (are|do you see) in {d}?",
            ),
            "count": (
                "how many files are in {d}?",
                "count the files in {d}",
                "(tell me|compare) how many files {d} (have|contain)",
            ),
        }.get(
            task,
            (
                f"what is the {adjective} file in {{d}}?",
                f"(find|show|tell me) the {adjective} file in {{d}}",
                f"which files are the {adjective} in {{d}}?",
            ),
        ),
        d=both,
    )

    def teller(folder):
        def tell():
            if task in ("biggest", "newest"):
                sort = "size" if task == "biggest" else "time"
                return tell_extreme(
                    story, folder, task, story.call("fs.list", path=folder, sort=sort, limit=1)
                )
            result = story.call("fs.list", path=folder)
            if story.failed(result, f"list {folder}"):
                return None
            count = counted(result) or "0 files"
            names = joined(names_in(result)) + cut_note(result) if task == "list" else "."
            return story.answer(f"There {'is' if count.startswith('1 ') else 'are'} {count} in {folder}{names}")

        return tell

    story.together([teller(folder) for folder in folders])


def save_then_check(story):
    """List, write the names, then look at what was written."""
    rng, folder = story.rng, a_folder(story.rng)
    target, form = target_file(story)
    pattern, noun = a_pattern(rng) if rng.random() < 0.7 else (None, "files")
    story.fill(folder, (0, 5), (0, 0))
    if pattern:
        matching_names(story, folder, pattern, (0, 4))
    count = rng.random() < 0.5
    yield
    check = (
        "(count the lines of|tell me how many lines are in|say how many lines has) {f}"
        if count
        else "(read it|show it|show me the file|read it back|print it|show me {f}|open {f})"
    )
    if count and rng.random() < 0.5:
        check = "(count its lines|tell me how many lines it has)"
    result = None
    story.user(
        (
            f"{WRITE_VERB} (the names of|a list of) (the|all) {{k}} {{in}} (to|into|in) {{f}} {NEXT} {check}",
            f"(list|find) (the|all) {{k}} {{in}}, {WRITE_VERB} (them|the names) (to|into|in) {{f}} {NEXT} {check}",
            f"(make|create) {{f}} with the names of (the|all) {{k}} {{in}} {NEXT} {check}",
        ),
        k=noun,
        f=form,
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, pattern=pattern)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    matching = f" matching {pattern}" if pattern else ""
    if not body(result):
        return story.answer(f"I found no files{matching} {where(folder)}, so I wrote nothing.")
    written = story.call("fs.write", path=target, content="\n".join(names_in(result)))
    if bad(written):
        return story.answer(f"I found {counted(result)}{matching}, but I could not write {target}: {reason(written)}")
    if count:
        tell_length(story, target)
    else:
        tell_text(story, target, story.call("fs.read", path=target))


def write_note(story):
    """What was noted about something, into a file."""
    rng = story.rng
    fact, subject = a_fact(rng)
    story.notes = [fact] * (rng.random() < 0.9) + [f"{a_fact(rng)[0]} {subject}"] * (rng.random() < 0.2)
    target, form = target_file(story)
    again = rng.random() < 0.4
    append = not again and rng.random() < 0.25
    yield
    check = f" {NEXT} (read it back|show it|show me the file|read it)" if again else ""
    own = "(the|my|our)"
    story.user(
        (
            "(append|add) what you (know|remember|noted) about (the|my|) {q} to {f}",
            f"you (know|noted|remember) {own} {{q}}. (append|add) it to {{f}}",
            f"(look up|check|search) {own} {{q}} in your notes {NEXT} (append|add) it to {{f}}",
            f"i told you about {own} {{q}}, (append|add) (it|that) to {{f}}",
            f"{own} {{q}} from your notes should be added to {{f}}",
            f"from your (notes|memory): (append|add) {own} {{q}} to {{f}}",
        )
        if append
        else (
            f"you (know|noted|remember) {own} {{q}}. {WRITE_VERB} it (to|into|in) {{f}}" + check,
            f"(look up|check|search) {own} {{q}} in your notes {NEXT} {WRITE_VERB} it (to|into|in) {{f}}" + check,
            f"{WRITE_VERB} {own} {{q}} (to|into|in) {{f}}, you (have it in your notes|noted it|know it|remember it)" + check,
            f"i told you about {own} {{q}}, {WRITE_VERB} (it|that) (to|into|in) {{f}}" + check,
            f"(find|search) your note (about|on) {own} {{q}} {NEXT} {WRITE_VERB} it (to|into|in) {{f}}" + check,
            f"from your (notes|memory): {WRITE_VERB} {own} {{q}} (to|into|in) {{f}}" + check,
            "(write|save|put) what you (know|remember|noted) about (the|my|) {q} (to|into|in) {f}" + check,
            "(look up|find|recall) my notes (on|about) {q} " + NEXT + " (write|save) them (to|into) {f}" + check,
            "(write|save) my notes (on|about) {q} (to|into|in) {f}" + check,
            "what did i tell you about {q}? (write|save|put|note) it (to|into|in|down in) {f}" + check,
            "(put|write|save) what i told you about {q} (into|in|to) {f}" + check,
            "(look in|check|search) your notes: what about {q}? (the answer goes into|write it to|save it in) {f}" + check,
            "your notes on {q} -> {f}" + check,
            "i need your notes (on|about) {q} in {f}" + check,
            "{f} should contain what you know about {q}" + check,
            "(search|check) your notes for {q} " + NEXT + " (write|save|put) (what you find|the result|it) (to|in) {f}" + check,
        ),
        q=subject,
        f=form,
    )
    result = story.call("memory.search", query=subject)
    if story.failed(result, "search the notes"):
        return
    if not body(result):
        return story.answer(f"I have no notes about {subject}, so I wrote nothing.")
    if not again:
        write_and_tell(story, target, "\n".join(body(result)), f"I have {result.split(chr(10))[0]}", append)
        return
    written = story.call("fs.write", path=target, content="\n".join(body(result)))
    if not story.failed(written, f"write {target}"):
        tell_text(story, target, story.call("fs.read", path=target))


def line_elsewhere(story):
    """A line of a file, used in a second and third call."""
    rng = story.rng
    path = words.file_path(rng)
    line = words.fragment(rng)
    story.add_file(path, [line] + words.lines(rng, words.kind_of(path), rng.randint(0, 4)))
    folder = words.folder_path(rng)
    texts_in(story, folder, rng.choice((0, 1, 2)), line)
    task = rng.choice(("search", "note and write", "write both"))
    target, form = target_file(story)
    second = words.file_path(rng)
    story.fill(folder, (0, 1), (0, 0))
    yield
    slots = {
        "f": file_form(rng, path),
        "g": form,
        "h": quoted(rng, second, 0.1),
        "D": folder_form(rng, folder),
        "in": place_form(rng, folder),
    }
    story.user(
        {
            "search": (
                "(search|grep) {D} for the first line of {f}",
                "(take|read) the first line of {f} " + NEXT + " (search|look) for it {in}",
                "does the first line of {f} (occur|appear) {in}?",
                "(find|look for) the first line of {f} {in}",
            ),
            "note and write": (
                "(remember|note) the first line of {f} and (write|save) it (to|into) {g}",
                "(take|read) the first line of {f}, (note|remember) it " + NEXT + " (write|save) it (to|into) {g}",
            ),
            "write both": (
                "(write|save|copy|put) the first line of {f} (to|into) {g} and (to|into) {h}",
                "(take|read) the first line of {f} " + NEXT + " (write|save) it (to|into) {g} and {h}",
            ),
        }[task],
        **slots,
    )
    read = story.call("fs.read", path=path, max_lines=1)
    if story.failed(read, f"read {path}"):
        return
    line = (body(read) or [""])[0]
    if not line:
        return story.answer(f"The first line of {path} is empty.")
    if task == "search":
        result = story.call("fs.search", pattern=line, path=folder)
        if not story.failed(result, f"search {folder}"):
            found = body(result)
            story.answer(
                f'I found {result.split(chr(10))[0]} for "{line}"'
                + (":\n" + "\n".join(found[:5]) if found else ".")
            )
    elif task == "note and write":
        if not story.failed(story.call("memory.note", text=line), "take the note"):
            write_and_tell(story, target, line, f"I noted the first line of {path}")
    else:
        first = story.call("fs.write", path=target, content=line)
        if not story.failed(first, f"write {target}"):
            write_and_tell(story, second, line, f"I wrote the first line of {path} to {target}")


def unless_there(story):
    """Look first; write only if the file is missing (or the text is)."""
    rng, path = story.rng, words.file_name(story.rng, True)
    folder = words.folder_path(rng) if rng.random() < 0.6 else "."
    full = under(folder, path)
    content, form = a_content(rng)
    if rng.random() < 0.5:
        story.add_text(full, 1, 4)
    if folder != ".":
        story.add_folder(folder)
    yield
    story.user(
        (
            "if {f} (does not exist|doesn't exist|is not there|is missing)( yet|), (create|make) it (with|containing) {t}",
            "(create|make) {f} with {t}, but only if (it does not exist|it is not there|it isn't there)( yet|)",
            "(check|see) (if|whether) {f} exists, and if not, (create|write) it with {t}",
            "(write|save) {t} (to|into) {f} unless (it exists|it is there|there is such a file)( already|)",
            "don't overwrite {f}: (write|save) {t} there only if it (does not exist|is missing)",
        ),
        f=quoted(rng, full, 0.15),
        t=form,
    )
    result = story.call("fs.list", path=folder, pattern=path)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    if body(result):
        return story.answer(f"{full} exists already, so I wrote nothing.")
    told_write(story, full, story.call("fs.write", path=full, content=content))


def append_if_missing(story):
    """Search a file; append the line only if it is not in it."""
    rng, path = story.rng, words.file_path(story.rng)
    line = words.fragment(rng)
    lines = words.lines(rng, words.kind_of(path), rng.randint(1, 6))
    story.add_file(path, lines + [line] * (rng.random() < 0.5))
    yield
    story.user(
        (
            "(add|append) {t} to {f}, but only if it is not (in it|there|in there)( yet|)",
            "if {f} does not (contain|mention|have) {t}, (add|append) it",
            "(make sure|ensure) that {f} (contains|has) {t}",
            "(check|see) (if|whether) {f} (contains|has) {t}; if not, (add|append) it",
            "(add|append) {t} to {f} unless it (contains it|has it)( already|)",
        ),
        t=quoted(rng, line, 0.7),
        f=file_form(rng, path),
    )
    result = story.call("fs.search", pattern=line, path=path)
    if story.failed(result, f"search {path}"):
        return
    if body(result):
        return story.answer(f'{path} contains "{line}" already, so I changed nothing.')
    told_write(story, path, story.call("fs.write", path=path, content=line, append=True), f"append to {path}")
