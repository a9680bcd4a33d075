"""Conversations in which a later request refers to an earlier one."""

import words
from stories.builder import bad, body, file_form, folder_form, names_in, place_form, quoted
from stories.chains import NAMES, save_sizes, target_file
from stories.common import SHOW, WRITE_VERB, a_folder, under
from stories.daily import (
    correct,
    dictate,
    held_in_folder,
    held_texts,
    keep_copy,
    look_up,
    part_by_words,
    run_script,
    save_one,
    whether_in_file,
)
from stories.listing import (
    SizeQuestion,
    count_files,
    extreme,
    find_file,
    list_by_size,
    list_folder,
    list_kind,
    tell_by_size,
    tell_listing,
)
from stories.notes import a_fact, recall, take_note
from stories.programs import run_program, tell_run
from stories.reading import READ, line_count, read_file, tell_text, text_file
from stories.searching import Needle, search_text, tell_search
from stories.talk import chatter, out_of_scope
from stories.writing import a_content, append_file, edit_file, told_edit, told_write, write_file
from words import clean_path


def then_write_names(story):
    asked = SizeQuestion(story)
    path, form = target_file(story)
    yield
    story.user(
        (
            "(which|what) {k} {in} are "
            + ("(larger|bigger) than" if asked.large else "smaller than")
            + " {s}?",
            SHOW + " (the|all|) {k} {in} " + asked.than + " {s}",
            "find (the|all|) {k} {in} " + asked.than + " {s}",
        ),
        **asked.slots,
    )
    result = asked.ask(story)
    tell_by_size(story, asked, result)
    if bad(result) or not body(result):
        return
    story.user(
        (
            WRITE_VERB + " " + NAMES + " (to|into|in) {f}",
            "now " + WRITE_VERB + " (them|the names) (to|into) {f}",
            "good, " + WRITE_VERB + " (them|that list) (to|in) {f}",
        ),
        f=form,
    )
    written = story.call("fs.write", path=path, content="\n".join(names_in(result)))
    if not story.failed(written, f"write {path}"):
        story.answer(f"I {written.split(' ')[0]} {path} ({written.rsplit(': ', 1)[1]}).")


def then_one_of_them(story):
    rng, folder = story.rng, a_folder(story.rng)
    for _ in range(rng.randint(1, 6)):
        story.add_text(under(clean_path(folder), words.file_name(rng)), 1, 6)
    yield
    story.user(
        (SHOW + " (the files|everything) {in}", "(which|what) files are {in}?", "list {D}"),
        **{"in": place_form(rng, folder), "D": folder_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder)
    tell_listing(story, folder, result)
    listed = [name for name in names_in(result) if not name.endswith("/")]
    if bad(result) or not listed:
        return
    name = rng.choice(listed)
    path = under(folder, name)
    if rng.random() < 0.7:
        story.user(
            (
                "(now|) (read|show|open|print|show me) {f}",
                "what (is in|does) {f}(| say| contain)?",
                "and {f}?",
            ),
            f=quoted(rng, name, 0.1),
        )
        tell_text(story, path, story.call("fs.read", path=path))
    else:
        story.user(
            ("how many lines (has|are in) {f}?", "(now|) count the lines of {f}"), f=quoted(rng, name, 0.1)
        )
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            story.answer(f"{path} has {result.split(',')[0]}.")


def then_it(story):
    """A file is named once, afterwards it is `it`."""
    rng = story.rng
    path, lines = text_file(story, 1, 6)
    it = rng.choice(("it", "it", "it", "that file", "the file", "this file"))
    first = rng.choice(("read", "write", "count"))
    yield
    if first == "read":
        story.user(READ, f=file_form(rng, path))
        tell_text(story, path, story.call("fs.read", path=path))
    elif first == "write":
        content, form = a_content(rng)
        story.user(
            (WRITE_VERB + " {t} (to|into|in) {f}", "create {f} with {t}"), t=form, f=file_form(rng, path)
        )
        told_write(story, path, story.call("fs.write", path=path, content=content))
    else:
        story.user("how many lines (has|are in) {f}?", f=file_form(rng, path))
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            story.answer(f"{path} has {result.split(',')[0]}.")
    second = rng.choice(("read", "count", "append", "edit", "delete", "search", "size"))
    if second == "read":
        story.user(
            ("(now|) (read|show|print|open|show me) {i}", "what is in {i}?", "(show|read) {i} (again|to me)"),
            i=it,
        )
        tell_text(story, path, story.call("fs.read", path=path))
    elif second in ("count", "size"):
        story.user(
            (
                "how many lines does {i} have?",
                "(and|) how many lines are in {i}?",
                "count the lines (of|in) {i}",
            )
            if second == "count"
            else ("how (big|large) is {i}?", "what is the size of {i}?"),
            i=it,
        )
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            parts = result.split("\n")[0].split(" (lines")[0].split(", ")
            story.answer(f"{path} has {parts[0]}." if second == "count" else f"{path} is {parts[1]} large.")
    elif second == "append":
        content, form = a_content(rng)
        story.user(("(append|add) {t} to {i}", "(now|also) add {t} (to|at the end of) {i}"), t=form, i=it)
        told_write(
            story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}"
        )
    elif second == "edit":
        old, new = (
            lines and rng.choice((rng.choice(lines).split() or ["x"])) or words.word(rng)
        ), words.fragment(rng)
        story.user(
            (
                "(now|) (replace|change) {a} (with|to|by) {b} in {i}",
                "in {i}, (replace|change) {a} (with|to) {b}",
            ),
            a=quoted(rng, old, 0.5),
            b=quoted(rng, new, 0.5),
            i=it,
        )
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    elif second == "search":
        text = words.fragment(rng)
        story.user(
            ("(search|grep) {i} for {w}", "does {i} (contain|mention) {w}?"), w=quoted(rng, text, 0.4), i=it
        )
        needle = Needle.of(text, path)
        tell_search(story, needle, story.call("fs.search", pattern=text, path=path), "lines")
    else:
        story.user(("(now|) (delete|remove) {i}", "(delete|remove) {i} again"), i=it)
        tell_run(story, ["rm", path], story.call("proc.run", argv=["rm", path]))


def then_recall(story):
    fact, subject = a_fact(story.rng)
    yield
    story.user(("remember that {t}", "note: {t}", "keep in mind that {t}"), t=fact)
    result = story.call("memory.note", text=fact)
    if not story.failed(result, "take the note"):
        story.answer(f"Noted: {fact}.")
        for _ in recall(story, subject, fact):
            pass


def many_tasks(story):
    """Unrelated requests in a row: none must be mixed with one before."""
    told = []
    for _ in range(story.rng.choice((2, 3, 3, 4, 5, 6, 7, 8))):
        one = story.rng.choice(SINGLE)(story)
        next(one)
        told.append(one)
    yield
    for one in told:
        next(one, None)


SINGLE = (
    held_in_folder,
    held_texts,
    whether_in_file,
    look_up,
    correct,
    correct,
    dictate,
    dictate,
    part_by_words,
    run_script,
    save_one,
    keep_copy,
    list_kind,
    find_file,
    recall,
    out_of_scope,
    list_folder,
    list_by_size,
    read_file,
    line_count,
    search_text,
    write_file,
    append_file,
    edit_file,
    run_program,
    take_note,
    chatter,
    save_sizes,
    extreme,
    count_files,
)
