"""Requests of three and four steps whose result goes on: what was made is read, extended, copied or noted."""

import everyday
import words
from stories.builder import body, folder_object, names_in, place_form, quoted, where
from stories.chains import NEXT, save_names, target_file
from stories.common import ARCHIVES, KINDS, MUSIC, PICTURES, SCRIPTS, VIDEOS, a_folder, counted, one_of, under
from stories.daily import TOLD, a_text, everyday_file
from stories.errands import ask_all, marked
from stories.listing import BIGGEST, NEWEST, tell_extreme
from stories.long_chains import write_and_tell
from stories.programs import tell_run
from stories.reading import tell_length, tell_part, tell_text
from stories.searching import files_of
from stories.writing import told_write

SINGULAR = tuple((noun + " file", extension) for noun, extension in KINDS) + (
    ("PDF", "pdf"), ("photo", PICTURES), ("picture", PICTURES), ("image", PICTURES), ("song", MUSIC), ("video", VIDEOS), ("script", SCRIPTS), ("python script", "py"), ("log", "log"), ("spreadsheet", "csv"),
    ("text document", "txt"), ("markdown document", "md"), ("web page", "html"), ("archive", ARCHIVES), ("shell script", "sh"),
)  # fmt: skip


def extreme_kind(story):
    """The biggest or newest of a kind: told, read, measured, its name written or noted."""
    rng, folder = story.rng, a_folder(story.rng)
    noun, extension = rng.choice(SINGULAR)
    task = rng.choice(("tell", "tell", "read", "count", "save", "note"))
    if task in ("read", "count") and extension not in words.TEXT_EXTENSIONS:
        task = "tell"
    for _ in range(rng.choice((0, 1, 2, 3, 3))):
        path = under(folder, words.stem(rng) + "." + one_of(rng, extension))
        if task in ("read", "count"):
            story.add_text(path, 1, 6)
        else:
            story.add_file(path, size=words.size(rng))
    story.fill(folder, (0, 3), (0, 0))
    kind = rng.choice(("biggest", "newest"))
    word = BIGGEST if kind == "biggest" else NEWEST
    target, form = target_file(story)
    one = f"the {word} {{n}} {{in}}"
    yield
    story.user(
        {
            "tell": (
                f"(what|which) is {one}?",
                f"(find|show me|tell me|name) {one}",
                f"which {{n}} {{in}} is (the|) {word}?",
                f"of all {{n}}s {{in}}, which is (the|) {word}?",
            ),
            "read": (f"(read|show|open|print) (me|) {one}", f"what (does {one} say|is in {one})?", f"find {one} {NEXT} (read|show|open) it"),
            "count": (f"how many lines does {one} have?", f"count the lines of {one}", f"find {one} {NEXT} (count its lines|tell me how many lines it has)"),
            "save": (
                f"(write|save|put|note) the name of {one} {TOLD} {{f}}",
                f"(which|what) is {one}? (write|save|put) (its name|the name|only its name) {TOLD} {{f}}",
                f"find {one} {NEXT} (write|save|put) its name {TOLD} {{f}}",
                f"the name of {one} -> {{f}}",
                f"{{f}} should contain the name of {one}",
            ),
            "note": (f"(find|look up) {one} {NEXT} (remember|note) (it|its name)", f"(remember|note) (the name of|which is) {one}", f"which is {one}? (remember|note) (it|its name)"),
        }[task],
        n=noun,
        f=form,
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder, pattern="*." + extension, sort="size" if kind == "biggest" else "time", limit=1)
    if not result.startswith(("denied", "error")) and not body(result):
        return story.answer(f"There are no files matching *.{extension} {where(folder)}.")
    if task == "tell":
        return tell_extreme(story, folder, kind, result)
    if story.failed(result, f"list {folder_object(folder)}"):
        return None
    name = names_in(result)[0]
    if task == "read":
        tell_text(story, under(folder, name), story.call("fs.read", path=under(folder, name)))
    elif task == "count":
        tell_length(story, under(folder, name))
    elif task == "save":
        save_names(story, [name], f"I listed {folder_object(folder)}", target, False, "the name")
    else:
        said = f"the {kind} {noun} {where(folder)} is {name}"
        if not story.failed(story.call("memory.note", text=said), "take the note"):
            story.answer(f"Noted: {said}.")
    return None


def journey(story):
    """Something goes into a file; then one to three steps with that file."""
    rng, folder = story.rng, words.folder_path(story.rng)
    target, _ = target_file(story)
    shown = quoted(rng, target, 0.1)
    kind = rng.choice(("names", "number", "lines", "output", "copy", "text", "top", "first"))
    slots = {"f": shown}
    if kind in ("names", "number", "top"):
        story.fill(folder, (1, 6), (0, 0))
        slots["in"] = place_form(rng, folder)
    needle, path = "", ""
    if kind == "lines":
        path, lines = everyday_file(story, 2, 7)
        known = [word for line in lines for word in line.split() if word.isalnum() and len(word) > 2]
        needle = rng.choice(known) if known else "nothing"
        slots |= {"w": marked(rng, needle), "g": quoted(rng, path, 0.1)}
    if kind in ("copy", "first"):
        path, _ = everyday_file(story, 1, 5)
        slots["g"] = quoted(rng, path, 0.1)
    argv, text = [], ""
    if kind == "output":
        path = "tools/" + words.pick(rng, words.ordinary()) + ".py"
        story.add_file(path, rng.choice(([f"print({everyday.phrase(rng)!r})"], [f"print({rng.randint(1, 999)})"], [f"print({everyday.decimal(rng)})", f"print({everyday.phrase(rng)!r})"])))
        argv = ["python3", path]
        if rng.random() < 0.4:
            path, _ = everyday_file(story, 2, 6)
            argv = rng.choice((["sort", path], ["wc", "-l", path], ["head", "-n", "2", path]))
        slots["c"] = " ".join(argv) if argv[0] != "python3" or rng.random() < 0.3 else path
        slots["c"] = slots["c"] if rng.random() < 0.5 else f"`{slots['c']}`"
    if kind == "text":
        text = a_text(rng)[0].split("\n")[0]
        slots["t"] = marked(rng, text)
    first = {
        "names": ("(write|save|put) the names of the files {in} {to} {f}", "list the files {in} and (write|save|put) (them|the names) {to} {f}", "make a list of the files {in} in {f}"),
        "number": ("count the files {in} and (write|save|put) the number {to} {f}", "(write|save|put) the number of files {in} {to} {f}"),
        "top": (f"(write|save|put) the name of the {BIGGEST} file {{in}} {{to}} {{f}}", f"find the {BIGGEST} file {{in}} and (write|save|put) its name {{to}} {{f}}"),
        "lines": ("(search|check) {g} for {w} and (write|save|put) (the lines|the matches) {to} {f}", "(write|save|put) the lines of {g} (with|that mention) {w} {to} {f}"),
        "output": ("run {c} and (write|save|put) (the output|its output|the result) {to} {f}", "(write|save) the output of {c} {to} {f}"),
        "copy": ("copy {g} to {f}", "(make|create) a copy of {g} (called|named) {f}", "back up {g} as {f}"),
        "text": ("(create|make|write) {f} with {t}", "(write|save|put) {t} {to} {f}", "(create|make) a file {f} that says {t}"),
        "first": ("(write|save|copy|put) the first line of {g} {to} {f}", "read the first line of {g} and (write|save|put) it {to} {f}"),
    }[kind]
    parts = [(rng.choice(first).replace("{to}", TOLD), slots)]
    posts, said = [], set()
    for _ in range(rng.choice((1, 2, 2, 3))):
        post = rng.choice([one for one in ("read", "append", "append", "count", "copy", "note", "first") if one not in said])
        said.add(post)
        # After a copy, `it` could be either.
        it = shown if "copy" in said - {post} else rng.choice((shown, "it", "it", "the file", "that file", "the new file"))
        slots = {"f": it}
        if post == "append":
            line = a_text(rng)[0].split("\n")[0]
            slots["t"] = marked(rng, line)
            clauses = ("(add|append) {t} to {f}", "(add|put) {t} at the end of {f}", "(add|append) the line {t} to {f}")
            posts.append(lambda line=line: told_write(story, target, story.call("fs.write", path=target, content=line, append=True), f"append to {target}"))
        elif post == "copy":
            copy = words.file_name(rng, True)
            slots["g"] = quoted(rng, copy, 0.1)
            clauses = ("copy {f} to {g}", "make a copy of {f} called {g}", "back {f} up as {g}")
            posts.append(lambda copy=copy: tell_run(story, ["cp", target, copy], story.call("proc.run", argv=["cp", target, copy])))
        elif post == "note":
            clauses = ("(remember|note) that {t}", "make a note that {t}")
            fact = f"{rng.choice(('the', 'our', 'my'))} {words.pick(rng, words.ordinary())} {rng.choice(('list', 'report', 'result', 'copy'))} is in {target}"
            slots["t"] = fact

            def noted(fact=fact):
                if not story.failed(story.call("memory.note", text=fact), "take the note"):
                    story.answer(f"Noted: {fact}.")

            posts.append(noted)
        elif post == "count":
            clauses = ("count the lines of {f}", "tell me how many lines {f} has", "(check|say) how long {f} is in lines")
            posts.append(lambda: tell_length(story, target))
        elif post == "first":
            clauses = ("(show|show me|read) the first line of {f}",)
            posts.append(lambda: tell_part(story, target, None, 1))
        else:
            clauses = ("(read|show|show me|print) {f}", "read {f} back", "show me what {f} says")
            posts.append(lambda: tell_text(story, target, story.call("fs.read", path=target)))
        parts.append((rng.choice(clauses), slots))
    yield
    ask_all(story, parts)

    def begin():
        if kind == "copy":
            return tell_run(story, ["cp", path, target], story.call("proc.run", argv=["cp", path, target]))
        if kind == "text":
            return told_write(story, target, story.call("fs.write", path=target, content=text))
        if kind == "output":
            result = story.call("proc.run", argv=argv)
            if not result.startswith("exit 0") or not body(result):
                return tell_run(story, argv, result)
            written = story.call("fs.write", path=target, content="\n".join(body(result)))
            if not story.failed(written, f"write {target}"):
                story.answer(f"I ran `{' '.join(argv)}` and wrote its output to {target} ({written.rsplit(': ', 1)[1]}).")
            return None
        if kind == "first":
            result = story.call("fs.read", path=path, max_lines=1)
            return story.failed(result, f"read {path}") or write_and_tell(story, target, (body(result) or [""])[0], f"I read {path}")
        if kind == "lines":
            result = story.call("fs.search", pattern=needle, path=path)
            if story.failed(result, f"search {path}"):
                return None
            if not body(result):
                return story.answer(f'I found no matches for "{needle}" in {path}, so I wrote nothing.')
            return write_and_tell(story, target, "\n".join(body(result)), f"I found {result.split(chr(10))[0]}")
        top = {"sort": "size", "limit": 1} if kind == "top" else {}
        result = story.call("fs.list", path=folder, **top)
        if story.failed(result, f"list {folder}"):
            return None
        if not body(result):
            return story.answer(f"I found no files in {folder}, so I wrote nothing.")
        if kind == "number":
            count = result.split("\n")[0].split(", ")[0]
            return write_and_tell(story, target, count.split(" ")[0], f"I found {count}")
        if kind == "top":
            return save_names(story, names_in(result), f"I listed {folder}", target, False, "the name")
        return save_names(story, names_in(result), f"I found {counted(result)}", target)

    story.together([begin, *posts])


def change_what_mentions(story):
    """Search, then work on each file that was found: extend, copy, count."""
    rng, folder = story.rng, words.folder_path(story.rng)
    needle = everyday.fragment(rng)
    story.add_folder(folder)
    for _ in range(rng.choice((1, 2, 2, 3))):
        path = folder + "/" + words.file_name(rng, True)
        lines = everyday.lines(rng, words.kind_of(path), rng.randint(1, 4))
        story.add_file(path, lines + [needle] * (rng.random() < 0.8))
    task = rng.choice(("append", "count", "first", "copy"))
    text = a_text(rng)[0].split("\n")[0]
    target = words.folder_path(rng, (1,))
    story.add_folder(target)
    yield
    which = "(with|that mention|containing|about|that contain|where it says)"
    story.user(
        {
            "append": ("(add|append) {t} to (all|the|all the) files {in} " + which + " {w}", "(find|search) the files {in} " + which + " {w} " + NEXT + " (add|append) {t} to each( of them|)"),
            "count": ("how many lines do the files {in} " + which + " {w} have?", "(find|search) the files {in} " + which + " {w} " + NEXT + " (count the lines of each|tell me how long each is in lines)"),
            "first": ("(show|read) the first line of (all|the) files {in} " + which + " {w}", "(which|what) files {in} mention {w}? (show|read) the first line of each"),
            "copy": ("copy (all|the|all the) files {in} " + which + " {w} (to|into) {g}", "(find|search) the files {in} " + which + " {w} " + NEXT + " copy them (to|into) {g}"),
        }[task],
        w=marked(rng, needle),
        t=marked(rng, text),
        g=quoted(rng, target, 0.1),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.search", pattern=needle, path=folder)
    if story.failed(result, f"search {folder}"):
        return
    if not body(result):
        return story.answer(f'I found no matches for "{needle}" in {folder}, so I changed nothing.' if task == "append" else f'I found no matches for "{needle}" in {folder}.')

    def teller(path):
        def tell():
            if task == "append":
                told_write(story, path, story.call("fs.write", path=path, content=text, append=True), f"append to {path}")
            elif task == "count":
                tell_length(story, path)
            elif task == "first":
                tell_part(story, path, None, 1)
            else:
                argv = ["cp", path, target + "/" + path.rsplit("/", 1)[-1]]
                tell_run(story, argv, story.call("proc.run", argv=argv))

        return tell

    story.together([teller(path) for path in files_of(result)[:3]])
