"""Requests that name a file or a text in passing: who, which of, every, all of them, no, the other one."""

import everyday
import words
from stories.builder import Redraw, body, file_form, folder_form, names_in, place_form, quoted, where
from stories.chains import NEXT, continue_save_sizes, save_matches, target_file
from stories.common import WRITE_VERB, a_file, a_pattern, matching_names, under
from stories.daily import TOLD, a_change, a_piece, a_text, everyday_file
from stories.errands import marked
from stories.listing import BIGGEST, NEWEST, SizeQuestion, tell_by_size, tell_extreme, tell_listing
from stories.long_chains import texts_in
from stories.reading import tell_length, tell_text
from stories.searching import Needle, tell_search
from stories.writing import told_edit, told_write

# Where the answer is, said behind the question.
SEE = (
    "? see {f}", "? (look|look it up|check) in {f}", "? {f} has (it|them|that|the list)", "? (it|that) is in {f}", "? it should be in {f}",
    " [see {f}]?", " according to {f}?", ", according to {f}?", "? (look into|consult|check|read) {f}", "? {f} (knows|says|tells)",
    " in {f}?", "? use {f}", " - look in {f}", "? you find (it|them|that) in {f}",
)  # fmt: skip
PEOPLE_DO = "(lives in|comes from|is from|works in|has|ordered|bought|brings|owes|likes|needs|paid|booked|chose|takes|plays|sits in|is responsible for|does|got|is on)"
THINGS_DO = "(are in|are from|come from|cost|have|need|say|belong to|are called|are on|go to|end in|are for|were bought by|are with|use|show)"


def who_and_which(story):
    """The lines of a table or a list that have a value: `who plays the oboe? the list is in band.csv`."""
    rng = story.rng
    path, lines = everyday_file(story, 3, 12, ("csv", "txt", "md", "csv", "log", "tsv"))
    full = [line for line in lines if line.strip()]
    text = a_piece(rng, rng.choice(full)) if full and rng.random() < 0.85 else everyday.fragment(rng)
    noun = rng.choice((everyday.name_of(path) or "entries", "people", "lines", "rows", words.pick(rng, words.NOUNS) + "s", "entries", "ones"))
    save = rng.random() < 0.3
    target, form = target_file(story)
    yield
    slots = {"f": file_form(rng, path), "w": quoted(rng, text, 0.15), "n": noun, "g": form}
    end = ". " + WRITE_VERB + " (them|the lines|it|what you find) " + TOLD + " {g}" if save else ""
    story.user(
        (
            "who " + PEOPLE_DO + " {w}" + rng.choice(SEE) + end,
            "(which|what|which of our|which of the|which of my) {n} " + THINGS_DO + " {w}" + rng.choice(SEE) + end,
            "(all|every|all the|find all|find the|get the|take the) (lines|rows|entries) (of|in|from) {f} (with|that say|that have|about|for|that mention|that go to|from) {w}" + (rng.choice((" -> {g}", ", (put|write|save) them " + TOLD + " {g}", " " + TOLD + " {g}")) if save else ""),
            "(grep|grep for|look for|search) {w} in {f}" + (" " + NEXT + " " + WRITE_VERB + " (the result|what you find|it|the hits|the output|the lines) " + TOLD + " {g}" if save else ""),
            "grep {w} {f}" + (" > {g}" if save else ""),
            *(
                (
                    WRITE_VERB + " (all|the|all the|every|our) {n} (with|from|of|that have|in) {w} [see {f}] " + TOLD + " {g}",
                    WRITE_VERB + " (everything|whatever|what) {f} (says|has|lists) (about|on|for) {w} " + TOLD + " {g}",
                    "{g} should (have|get|contain) (the|all|all the) (lines|rows|entries) (of|in) {f} (with|about|for) {w}",
                )
                if save
                else (
                    "(show|show me|list|tell me) (the|all|all our|our) {n} (with|from|of|that have|in) {w}; (see|look in|it's in) {f}",
                    "(everything|anything) (about|on|for) {w} in {f}",
                    "(what|who) in {f} (has to do with|belongs to|is about|is with) {w}?",
                    "how many {n} in {f} (have|are from|mention|are) {w}? (show|list) them",
                    "{f}: who (has|is|gets) {w}?",
                )
            ),
        ),
        **slots,
    )
    needle = Needle.of(text, path)
    result = needle.ask(story)
    if save:
        save_matches(story, needle, result, target, True)
    else:
        tell_search(story, needle, result, "lines")


MARKS = "TODO TODO FIXME FIXME XXX HACK NOTE BUG TBD WIP DRAFT deprecated urgent password ERROR WARNING error warning".split()


def every_mark(story):
    """`where are warnings left in the manual?`; perhaps the files' names or the lines into a file."""
    rng = story.rng
    folder = rng.choice((words.folder_path(rng), words.folder_path(rng, (1,)), "."))
    text = rng.choice(MARKS) if rng.random() < 0.7 else words.fragment(rng)
    story.add_folder(folder)
    for _ in range(rng.choice((0, 1, 2, 2))):
        texts_in(story, folder, 1, rng.choice((text, "# " + text, "% " + text + " " + words.sentence(rng), "// " + text + ": " + words.sentence(rng))))
    texts_in(story, folder, rng.choice((0, 1)))
    task = rng.choice(("lines", "lines", "files", "save files", "save files", "save lines"))
    target, form = target_file(story)
    last = folder.rsplit("/", 1)[-1]
    place = rng.choice((place_form(rng, folder), place_form(rng, folder), "in the " + last if folder != "." else "", "anywhere in " + folder_form(rng, folder)))
    yield
    every = "(every|each|all|all the|any|the|the remaining|the open)"
    find = "(find|list|show|show me|search for|search|look for|get|grep|grep for|collect|locate)"
    story.user(
        {
            "lines": (
                find + " " + every + " {w}(|s) {in}",
                "(what|which) {w}(|s) (are|are still|do we have|are left|remain) {in}?",
                "are there (any|some|still) {w}(|s) (left|) {in}?",
                "where (do|did) (we|i) (still|) (have|leave|write) (a|) {w} {in}?",
                "grep {w} {in}",
                "grep -rn {w} {D}",
            ),
            "files": (
                "(which|what) files {in} (still|) have (a|) {w}(| in them)?",
                find + " (the|all) files {in} (with|that have|that still have|containing) (a|) {w}",
                "in which files {in} is (there|) (a|still a|) {w}?",
            ),
            "save files": (
                find + " {w} {in} " + NEXT + " " + WRITE_VERB + " (which files have it|the names of the files|in which files it is|the files it is in|the file names) " + TOLD + " {g}",
                "(which|what) files {in} (still|) have (a|) {w}? " + WRITE_VERB + " (them|their names|the names|that) " + TOLD + " {g}",
                WRITE_VERB + " the names of (all|the) files {in} (with|containing) (a|) {w} " + TOLD + " {g}",
                "files {in} with (a|) {w} -> {g}",
            ),
            "save lines": (
                find + " " + every + " {w}(|s) {in} " + NEXT + " " + WRITE_VERB + " (them|what you find|the lines|the results|the hits|all of them) " + TOLD + " {g}",
                "grep {w} {in} " + NEXT + " " + WRITE_VERB + " (the result|what it finds|the lines|the output) " + TOLD + " {g}",
                WRITE_VERB + " " + every + " {w}(|s) {in} " + TOLD + " {g}",
                "{w} lines {in} -> {g}",
                "i (want|need) (a list of|) (every|all the) {w}(|s) {in}, in {g}",
            ),
        }[task],
        w=quoted(rng, text, 0.1),
        D=folder_form(rng, folder) if rng.random() < 0.5 else quoted(rng, folder, 0),
        g=form,
        **{"in": place},
    )
    needle = Needle.of(text, folder)
    result = needle.ask(story)
    if task in ("lines", "files"):
        tell_search(story, needle, result, task)
    else:
        save_matches(story, needle, result, target, task == "save lines")


def kind_by_size(story):
    """`which pictures in album exceed one megabyte`, told or saved."""
    rng = story.rng
    asked = SizeQuestion(story)
    asked.pattern, asked.noun = a_pattern(rng)
    matching_names(story, asked.folder, asked.pattern, (0, 4))
    asked.slots["k"] = asked.noun
    target, form = target_file(story)
    save = rng.random() < 0.35
    than = asked.than
    is_so = "(exceed|are over|are above|are bigger than|are larger than|take more than|are heavier than|weigh more than)" if asked.large else "(stay under|are under|are below|are smaller than|take less than|are lighter than|stay below)"
    yield
    story.user(
        (
            "{k} {in} " + than + " {s} -> {f}",
            "(which|what) {k} {in} " + is_so + " {s}? " + WRITE_VERB + " (them|the names|their names) " + TOLD + " {f}",
            WRITE_VERB + " (the names of|) (the|all|all the) {k} {in} " + than + " {s} " + TOLD + " {f}",
            "(find|pick|get|take) (the|all|all the) {k} {in} " + than + " {s} " + NEXT + " " + WRITE_VERB + " (them|the names) " + TOLD + " {f}",
        )
        if save
        else (
            "(which|what) {k} {in} " + is_so + " {s}?",
            "(tell me|find out|show me|say) which {k} {in} " + is_so + " {s}",
            "(look|go) (into|through) {D} and (tell me|show me|find out) which {k} " + is_so + " {s}",
            "(list|find|show|name) (the|all|all the|our|my) {k} {in} " + than + " {s}",
            "(are there|do we have|have we got) (any|) {k} {in} " + than + " {s}?",
            "{k} {in} " + than + " {s}",
            "{k} " + than + " {s} {in}?",
        ),
        f=form,
        **asked.slots,
    )
    if save:
        continue_save_sizes(story, asked, target, False)
    else:
        tell_by_size(story, asked, asked.ask(story))


def change_then_show(story):
    """A change, then the file again, called by what it is: the list, the result, the whole thing."""
    rng = story.rng
    kind = rng.choice(("append", "append", "edit", "write"))
    if kind == "write":
        path, lines = a_file(rng), []
    else:
        path, lines = everyday_file(story, 1, 7)
    text = a_text(rng)[0].split("\n")[0]
    old, new = a_change(rng, lines or ["one"])
    called = everyday.name_of(path)
    it = rng.choice(("it", "the file", "the result", "the whole thing", "the list", "the new version", "everything", "the whole file", "that file", "the text", "it to me", called or "it"))
    show = rng.choice(("show me", "show", "read", "print", "let me see", "display", "read me", "give me", "open", "tell me what is in"))
    yield
    story.user(
        tuple(
            one + rng.choice((", then ", " and then ", " and ", ". Then ", ", and ", "; then ", ". After that ", ", afterwards ", " and afterwards ")) + f"{show} {it}"
            for one in {
                "append": ("(add|append|put) {t} (to|on|onto|at the end of) {f}", "(write|put) {t} (below|under) the rest (in|of) {f}", "we need {t} (in|on) {f} too: add it"),
                "edit": ("(replace|change) {a} (with|to|by) {b} in {f}", "in {f}, (replace|change|turn) {a} (with|to|into) {b}", "(put|write) {b} instead of {a} in {f}", "(correct|fix) {a} to {b} in {f}"),
                "write": ("(write|save|put) {t} (to|into|in) {f}", "(create|make) {f} (with|containing|saying) {t}", "(create|make|start) (a file|a new file|a list|a text) {f} with {t}"),
            }[kind]
        ),
        f=file_form(rng, path),
        t=marked(rng, text),
        a=marked(rng, old),
        b=marked(rng, new),
    )

    def change():
        if kind == "edit":
            told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
        else:
            append = kind == "append"
            told_write(story, path, story.call("fs.write", path=path, content=text, append=append), f"append to {path}" if append else None)

    story.together([change, lambda: tell_text(story, path, story.call("fs.read", path=path))])


SMALLEST = "(smallest|oldest|longest|first)"
OOPS = ("... no, ", ", no, ", ", no wait, ", "... sorry, ", ", sorry, i mean ", " - i mean ", ", wait, ", ", or rather ", "... hm, no, ", ", pardon, ", " [no, i mean ", ", well, ", "... actually ", ", correction: ", ", not that, ")  # fmt: skip


def changed_mind(story):
    """Somebody corrects themselves in the middle of the sentence: only the last thing counts."""
    rng = story.rng
    kind = rng.choice(("file", "file", "folder", "extreme", "extreme", "text"))
    oops = rng.choice(OOPS)
    close = "]" * oops.startswith(" [")
    if kind in ("folder", "extreme"):
        folder, other = words.folder_path(rng), words.folder_path(rng)
        if folder == other:
            raise Redraw
        story.fill(folder, (1, 6), (0, 1))
        if kind == "folder":
            yield
            story.user(("(list|show|show me) {a}" + oops + "{b}" + close, "what is in {a}" + oops + "{b}" + close + "?", "how many files are in {a}" + oops + "{b}" + close + "?"), a=folder_form(rng, other), b=folder_form(rng, folder))
            return tell_listing(story, folder, story.call("fs.list", path=folder))
        biggest = rng.random() < 0.5
        right, wrong = (BIGGEST, rng.choice((NEWEST, SMALLEST))) if biggest else (NEWEST, rng.choice((BIGGEST, SMALLEST)))
        read = rng.random() < 0.4
        for name in [name for name in story.sizes if name.startswith(folder + "/")] if read else ():
            story.add_text(name, 1, 5)
        yield
        story.user(
            (f"(what is in|what's in|read|show me|open|print) the {wrong}{oops}the {right} file{close} {{in}}", f"(read|open|show me) the {wrong} file{oops}the {right} file{close} {{in}}")
            if read
            else (f"(what|which) is the {wrong}{oops}the {right} file{close} {{in}}?", f"(find|tell me|name) the {wrong} file{oops}the {right} (file|one){close} {{in}}"),
            **{"in": place_form(rng, folder)},
        )
        result = story.call("fs.list", path=folder, sort="size" if biggest else "time", limit=1)
        if not read:
            return tell_extreme(story, folder, "biggest" if biggest else "newest", result)
        if story.failed(result, f"list {folder}"):
            return None
        names = names_in(result)
        if not names or names[0].endswith("/"):
            return story.answer(f"There are no files in {folder}.")
        return tell_text(story, under(folder, names[0]), story.call("fs.read", path=under(folder, names[0])))
    path, lines = everyday_file(story, 1, 7)
    other = a_file(rng)
    if kind == "file":
        count = rng.random() < 0.4
        yield
        story.user(
            ("how many lines (has|are in) {a}" + oops + "{b}" + close + "?", "count the lines of {a}" + oops + "{b}" + close)
            if count
            else ("(read|show|show me|open|print) {a}" + oops + "{b}" + close, "what is in {a}" + oops + "{b}" + close + "?", "what does {a}" + oops + "{b}" + close + " say?"),
            a=quoted(rng, other, 0.05),
            b=quoted(rng, path, 0.05),
        )
        return tell_length(story, path) if count else tell_text(story, path, story.call("fs.read", path=path))
    texts = [a_text(rng)[0].split("\n")[0] for _ in range(2)]
    append = rng.random() < 0.5
    yield
    story.user(
        ("(add|append) {a}" + oops + "{b}" + close + " to {f}", "(add|append) to {f}: {a}" + oops + "{b}" + close) if append else ("(write|save|put) {a}" + oops + "{b}" + close + " (to|into|in) {f}",),
        a=quoted(rng, texts[0], 1),
        b=quoted(rng, texts[1], 1),
        f=file_form(rng, path),
    )
    return told_write(story, path, story.call("fs.write", path=path, content=texts[1], append=append), f"append to {path}" if append else None)
