"""Requests about what is in a folder: lists, kinds, sizes, the biggest and the newest."""

import words
from stories.builder import (
    FILTER_NOUN,
    Redraw,
    body,
    cut_note,
    file_form,
    folder_form,
    folder_object,
    joined,
    names_in,
    place_form,
    quoted,
    where,
)
from stories.common import LARGER, SHOW, SMALLER, a_folder, a_pattern, counted, matching_names, under, verb_be
from words import clean_path, parse_size


def list_folder(story):
    rng, folder = story.rng, a_folder(story.rng)
    missing = rng.random() < 0.05
    if not missing:
        story.fill(folder, (0, 9), (0, 4), nested=rng.random() < 0.1)
    recursive = rng.random() < 0.15
    if recursive:
        yield
        story.user(
            (
                "(list|show|show me|display) "
                + FILTER_NOUN
                + " {in} (recursively|and its subfolders|including subfolders|with all subfolders|and everything below it|including subdirectories)",
                "recursively list (the files|everything|all files) {in}",
                "(list|show) the whole tree {in}",
                "(list|show me) everything {in}, including subfolders",
                "what (files are|is) {in}, subfolders included?",
                "list {D} recursively",
            ),
            **{"in": place_form(rng, folder), "D": folder_form(rng, folder)},
        )
    else:
        yield
        story.user(
            (
                SHOW
                + " (the files|all files|the contents|everything|the entries|what is|what files are|all the files|the content|all items|every file) {in}",
                "(what|which) (files|files and folders|entries|documents|things) (are|are there|do you see|exist|do we have|are stored|can you find|do i have) {in}?",
                "what('s| is) {in}?",
                "what does {D} contain?",
                "(list|ls) {D}",
                "show (me|) {D}",
                "(what's|what is|what do you see) {in}?",
                "(do you see|are there) any files {in}?",
                "(look into|look inside|look at|open|browse|explore|check|inspect) {D}",
                "give me (a list|a listing|an overview) of (the files|what is|everything) {in}",
                "(give|get|make) me an overview of {D}",
                "i (forgot|don't know|wonder|can't remember|want to know) what is {in}",
                "is (there|) (anything|something) {in}?",
                "which files live {in}?",
                "(tell me|what are) the names of (the|all) files {in}",
                "the files {in}, please",
                "what's stored {in}?",
                "what can be found {in}?",
                "go through {D} and tell me (which|what) files (you find|there are)",
                "name (all|the|all the) files {in}",
                "take stock of {D}",
                "i'd like (a list of|to see) the files {in}",
                "what all is {in}?",
                "what lies {in}?",
                "could i (get|have) a list of the files {in}?",
                "what sort of files are {in}?",
                "(walk|go) through {D}",
                "which things are kept {in}?",
                "is {D} empty?",
                "files {in}",
                "list {D}",
                "contents of {D}",
                "(directory|folder) listing of {D}",
                "what have (we|you|i) got {in}?",
                "(which|what) files does {D} (have|hold|contain)?",
                "tell me (what|which files) (is|are) {in}",
                "i want to (see|know) what is {in}",
                "(take|have) a look {in} and tell me what is there",
                *(("ls", "dir", "list") if folder == "." else ("ls {D}",)),
            ),
            **{"in": place_form(rng, folder), "D": folder_form(rng, folder)},
        )
    result = story.call("fs.list", path=folder, recursive=recursive)
    tell_listing(story, folder, result)


DEEP = (
    "(recursively|including subfolders|and its subfolders|and all subfolders|with all subfolders|and below"
    "|including sub-folders|at any depth|in all subdirectories too|, subfolders included|and in the folders below|with everything below"
    "|, also in the subfolders|down to the last folder|and all folders in it)"
)


def sorted_listing(story):
    """A listing in an order, or between two sizes, or of the whole tree."""
    rng, folder = story.rng, a_folder(story.rng)
    story.fill(folder, (0, 8), (0, 2), nested=rng.random() < 0.3)
    kind = rng.choice(("name", "size", "size", "time", "time", "between", "tree", "tree"))
    slots = {"in": place_form(rng, folder), "D": folder_form(rng, folder)}
    arguments, description = {"sort": kind}, ""
    if kind == "between":
        low, high = sorted((words.size_phrase(rng), words.size_phrase(rng)), key=parse_size)
        if parse_size(low) == parse_size(high):
            raise Redraw
        arguments, description = {"min_size": low, "max_size": high}, f" larger than {low} and smaller than {high}"
        slots |= {"a": low, "b": high}
        templates = (
            SHOW + " (the|all|all the|) files {in} (between {a} and {b}|larger than {a} and smaller than {b}|over {a} but under {b})",
            "(which|what) files {in} are (between {a} and {b}|larger than {a} but smaller than {b})?",
            "find files {in} (between|from) {a} (and|to) {b} (in size|)",
            "files {in} bigger than {a} and less than {b}",
            "(are there|do we have) files {in} between {a} and {b}?",
        )
    elif kind == "tree":
        arguments = {"recursive": True}
        templates = (
            SHOW + " (all files|everything|the files|every file) {in} " + DEEP,
            "(which|what) files are {in} " + DEEP + "?",
            "(list|show) (every|each) (single|) file {in} " + DEEP,
            "(list|show|print) the (whole|complete|full|entire) (tree|structure|file tree|folder tree) (of|under) {D}",
            "what (files|) (are|is) there {in} " + DEEP + "?",
            "how is {D} (structured|organised|organized|laid out)?",
            "(give|show) me the (structure|layout|tree) of {D}",
            "how many files are {in} " + DEEP + "?",
            "walk (through|) {D} (recursively|with all its subfolders) and list (the files|everything)",
            "all files {in}, (also|even) those in (subfolders|sub-folders|subdirectories)",
        )
    else:
        by = {
            "name": "(by name|alphabetically|in alphabetical order|sorted by name|ordered by name|from a to z)",
            "size": "(by size|sorted by size|ordered by size|largest first|biggest first|from largest to smallest|in order of size)",
            "time": "(by date|by time|by age|sorted by date|newest first|latest first|most recent first|ordered by modification time|by last change)",
        }[kind]
        templates = (
            SHOW + " (the files|all files|everything|the content) {in} " + by,
            "(list|ls) {D} " + by,
            "(sort|order|arrange) the files {in} " + by.replace("sorted ", "").replace("ordered ", ""),
            "what is {in}, " + by + "?",
            "files {in} " + by,
            "(i need|i want|give me) a list of the files {in}, " + by,
            "(which|what) files are {in}? " + by,
        )
    yield
    story.user(templates, **slots)
    result = story.call("fs.list", path=folder, **arguments)
    if kind != "between":
        return tell_listing(story, folder, result)
    if not story.failed(result, f"list {folder_object(folder)}"):
        count = counted(result)
        story.answer(
            f"I found {count}{description} {where(folder)}{joined(names_in(result))}{cut_note(result)}"
            if count
            else f"I found no files{description} {where(folder)}."
        )


def mine(story):
    """Questions about the workspace that do not name a place."""
    rng = story.rng
    story.fill(".", (0, 9), (0, 4))
    kind = rng.choice(("list", "list", "list", "count", "kind", "kind", "big", "new"))
    pattern, noun = a_pattern(rng)
    have = "(do i have|do we have|have i got|are there|are here|do you see|can you see|exist|did i put here|are available)"
    if kind == "kind":
        matching_names(story, ".", pattern, (0, 4))
    yield
    story.user(
        {
            "list": (
                f"(what|which) (files|documents|things|files and folders|folders and files) {have}(?| here?| in total?| at the moment?)",
                "what (have|do) i (got|have)( here| stored here|)?",
                "what('s| is) (here|in here|there|lying around here|all this)?",
                "(show|list|tell) me (my files|all my files|what i have|what is here|what there is|the files|everything)",
                "(my files|files|all files|everything here|what's here)",
                "which files can you (see|access|read|work with)?",
                "where am i and what is here?",
                "(i|we) (just|) (opened|cloned|unpacked) this (folder|project|thing). what is in it?",
                "what does (my|the|this) (workspace|project|folder|directory) (contain|look like|hold)?",
            ),
            "count": (
                f"how many (files|documents|things) {have}(?| here?| in total?)",
                "(count|number of) (my files|the files|all files|files here)",
            ),
            "kind": (
                "(which|what) {k} " + have + "?",
                "(do i have|have i got|got|is there|are there) any {k}(?| here?)",
                "(show|list) (me|) (my|the|all|all my|all the) {k}",
                "where are (my|the|all my) {k}?",
            ),
            "big": (
                "(what|which) (file|one) is (my|the) (biggest|largest)(?| file?)",
                "what is my (biggest|largest) file?",
                "(my|the) (biggest|largest) file",
                "what (takes|uses|needs) (the|) most (space|room|disk)( here|)?",
            ),
            "new": (
                "(what|which) file did i (change|edit|save|touch|work on) last?",
                "what is my (newest|latest|most recent) file?",
                "what did i (do|change|work on) last( here|)?",
                "(my|the) (newest|latest) file",
            ),
        }[kind],
        k=noun,
    )
    if kind in ("big", "new"):
        sort = "size" if kind == "big" else "time"
        tell_extreme(story, ".", "biggest" if kind == "big" else "newest", story.call("fs.list", sort=sort, limit=1))
    elif kind == "kind":
        tell_kind(story, ".", pattern, story.call("fs.list", pattern=pattern))
    elif kind == "list":
        tell_listing(story, ".", story.call("fs.list"))
    else:
        result = story.call("fs.list")
        if not story.failed(result, "list the workspace"):
            count = counted(result) or "0 files"
            story.answer(f"There {verb_be(count)} {count} in the workspace.")


def tell_listing(story, folder, result):
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    count = counted(result)
    if not count:
        story.answer(f"{folder_object(folder).capitalize() if folder == '.' else folder} is empty.")
    else:
        story.answer(
            f"There {verb_be(count)} {count} {where(folder)}{joined(names_in(result))}{cut_note(result)}"
        )


def list_kind(story):
    rng, folder = story.rng, a_folder(story.rng)
    pattern, noun = a_pattern(rng)
    story.fill(folder, (0, 5), (0, 2))
    matching_names(story, folder, pattern)
    recursive = rng.random() < 0.12
    flat = not recursive and rng.random() < 0.06
    deep = DEEP if recursive else " (only the top folder|not in the subfolders|without subfolders|directly there|only on the top level)" if flat else ""
    deep = deep and " " + deep.strip()
    if recursive and folder == "." and rng.random() < 0.7:
        deep = ""
    slots = {"in": place_form(rng, folder), "k": noun}
    if recursive and not deep:
        slots["in"] = rng.choice(
            ("in all folders", "in the whole workspace", "anywhere in the workspace", "in any folder", "in all subfolders", "everywhere", "wherever they are", "across all folders", "in the whole project", "in every folder")
        )
    if rng.random() < 0.25 and not recursive and not flat:
        yield
        story.user(
            (
                "how many {k} (are there|are|exist|do we have|can you find|do you see) {in}?",
                "count (the|all|) {k} {in}",
                "(tell me|say) how many {k} (are|there are) {in}",
                "what is the number of {k} {in}?",
                "number of {k} {in}",
            ),
            **slots,
        )
        return tell_kind(
            story, folder, pattern, story.call("fs.list", path=folder, pattern=pattern), names=False
        )
    yield
    story.user(
        (
            SHOW + " (the|all|all the|only the|) {k} {in}" + deep,
            "(which|what) {k} (are|are there|exist|do we have|do you see|can you find) {in}" + deep + "?",
            "(are there|do you see|do we have|is there) any {k} {in}" + deep + "?",
            "find (the|all|all the|) {k} {in}" + deep,
            "{k} {in}" + deep + "?" if rng.random() < 0.3 else "list {k} {in}" + deep,
            "what {k} does {D} (have|contain)" + deep + "?",
            "(pick|filter|select|give me|get) (the|all|only the|just the) {k} {in}" + deep,
            "do i have any {k} {in}" + deep + "?",
            "got any {k} {in}" + deep + "?",
            "i'm looking for {k} {in}" + deep,
            "name (the|all) {k} {in}" + deep,
            "(the|all) {k} {in}" + deep + ", please",
            "can you see {k} {in}" + deep + "?",
            "what are the {k} {in}" + deep + "?",
            "i need (the|all) {k} {in}" + deep,
        ),
        D=folder_form(rng, folder),
        **slots,
    )
    tell_kind(
        story, folder, pattern, story.call("fs.list", path=folder, recursive=recursive, pattern=pattern)
    )


def tell_kind(story, folder, pattern, result, names=True):
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    count = counted(result)
    if not count:
        story.answer(f"There are no files matching {pattern} {where(folder)}.")
    else:
        story.answer(
            f"There {verb_be(count)} {count} matching {pattern} {where(folder)}{joined(names_in(result)) + cut_note(result) if names else '.'}"
        )


def find_file(story):
    rng, name = story.rng, words.file_name(story.rng)
    folder = a_folder(rng)
    if rng.random() < 0.5:
        story.fill(folder, (0, 4), (0, 2))
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            story.add_file(words.folder_path(rng) + "/" + name, size=words.size(rng))
        folder = "."
        yield
        story.user(
            (
                "where is {f}?",
                "(find|locate) {f}",
                "in (which|what) folder is {f}?",
                "(find|search for) {f} (in all folders|anywhere|recursively|in any subfolder|somewhere in the workspace)",
                "(find|tell me) where {f} is",
                "i can't find {f}, where is it?",
                "where did {f} go?",
                "which (directory|folder) contains {f}?",
                "where did i (put|leave|save|store) {f}?",
                "i lost {f}, (find it|where is it?)",
                "in which directory (does|do) {f} (live|lie)?",
                "(look|search) everywhere for {f}",
                "what is the path of {f}?",
                "where can {f} be found?",
            ),
            f=file_form(rng, name),
        )
        return tell_kind(story, folder, name, story.call("fs.list", path=".", recursive=True, pattern=name))
    story.fill(folder, (0, 4), (0, 2))
    if rng.random() < 0.6:
        story.add_file(under(clean_path(folder), name), size=words.size(rng))
    yield
    story.user(
        (
            "is there (a file|a file called|a file named|the file|) {n} {in}?",
            "does {D} (have|contain) (a file|a file called|the file|) {n}?",
            "check (if|whether) {n} (exists|is) {in}",
            "does {n} exist {in}?",
            "is {n} {in}?",
            "do we have {n} {in}?",
        ),
        n=quoted(rng, name, 0.15),
        D=folder_form(rng, folder),
        **{"in": place_form(rng, folder)},
    )
    tell_kind(story, folder, name, story.call("fs.list", path=folder, pattern=name))


def count_files(story):
    rng, folder = story.rng, a_folder(story.rng)
    story.fill(folder, (0, 9), (0, 3))
    yield
    story.user(
        (
            "how many (files|files|entries|items|documents|files and folders) (are there|are|do we have|exist|do you see|can you count|do i have) {in}?",
            "count (the|all|all the|) (files|entries|items) {in}",
            "(tell me|say|i want to know) how many (files|entries) (there are|are) {in}",
            "how many files does {D} (have|contain|hold)?",
            "(what is|give me) the number of (files|entries) {in}",
            "number of files {in}",
            "file count of {D}",
            "what number of files is {in}?",
            "how full is {D}?",
            "(determine|compute|find out) how many files (are|there are) {in}",
            "count what is {in}",
            "how many (things|documents|files) did we put {in}?",
            "give me a count of the files {in}",
            "is the number of files {in} known? count them",
        ),
        D=folder_form(rng, folder),
        **{"in": place_form(rng, folder)},
    )
    result = story.call("fs.list", path=folder)
    if not story.failed(result, f"list {folder_object(folder)}"):
        count = counted(result) or "0 files"
        story.answer(f"There {verb_be(count)} {count} {where(folder)}.")


class SizeQuestion:
    """Files of a folder above or below a size, half of them on either side."""

    def __init__(self, story, kind=None):
        rng = self.rng = story.rng
        self.folder = a_folder(rng)
        spoken, self.size = words.spoken_size(rng)
        self.large = rng.random() < 0.65
        self.pattern, self.noun = (None, "files")
        limit = int(parse_size(self.size))
        share = rng.choice((0.0, 0.3, 0.5, 0.5, 0.7, 1.0))

        def sizes():
            above = rng.random() < share
            return (
                rng.randint(limit + 1, limit * 5 + 10)
                if above == self.large
                else rng.randint(0, max(0, limit - 1))
            )

        story.fill(self.folder, (0, 10), (0, 2), sizes)
        if rng.random() < 0.12:
            self.pattern, self.noun = a_pattern(rng)
            matching_names(story, self.folder, self.pattern)
        self.slots = {
            "s": spoken,
            "in": place_form(rng, self.folder),
            "k": self.noun,
            "D": folder_form(rng, self.folder),
        }
        self.than = LARGER if self.large else SMALLER
        self.recursive = rng.random() < 0.1
        if self.recursive:
            deep = rng.choice(("including subfolders", "and its subfolders", "recursively", "and below", "including all sub-folders"))
            self.slots["in"] = (self.slots["in"] or "here") + " " + deep

    def ask(self, story):
        return story.call(
            "fs.list",
            path=self.folder,
            recursive=self.recursive,
            pattern=self.pattern,
            min_size=self.size if self.large else None,
            max_size=None if self.large else self.size,
        )

    def description(self) -> str:
        return (
            (f" matching {self.pattern}" if self.pattern else "")
            + (" larger than " if self.large else " smaller than ")
            + self.size
        )


def list_by_size(story):
    asked = SizeQuestion(story)
    than = asked.than
    yield
    story.user(
        (
            "(which|what) {k} {in} are (larger|bigger) than {s}?"
            if asked.large
            else "(which|what) {k} {in} are smaller than {s}?",
            "(which|what) {k} " + than + " {s} (are|are there|exist|do we have|do you find) {in}?",
            SHOW + " (the|all|all the|) {k} {in} " + than + " {s}",
            SHOW + " (the|all|) {k} " + than + " {s} {in}",
            "find (the|all|all the|) {k} " + than + " {s} {in}",
            "find (the|all|) {k} {in} " + than + " {s}",
            "(are there|is there|do we have) any {k} " + than + " {s} {in}?",
            "{in}, which {k} are (over|above) {s}?"
            if asked.large and asked.slots["in"]
            else "which of the {k} {in} are "
            + ("(over|above|larger than|bigger than)" if asked.large else "(under|below|smaller than)")
            + " {s}?",
            "i need (the|all) {k} {in} " + than + " {s}",
            "how many {k} {in} are " + ("(larger|bigger) than" if asked.large else "smaller than") + " {s}?",
            "(does|has) {D} (contain|got) (any|) {k} " + than + " {s}?",
            "(filter|pick out|select|get) (the|all|those|) {k} {in} " + than + " {s}",
            "i am looking for {k} {in} " + than + " {s}",
            "(what|which) {k} " + than + " {s} does {D} (have|contain|hold)?",
            "show (me|) (everything|anything|all) " + than + " {s} {in}"
            if asked.noun == "files"
            else "{k} " + than + " {s} {in}",
            "list (everything|anything|all) {in} " + than + " {s}"
            if asked.noun == "files"
            else "name the {k} {in} " + than + " {s}",
            "anything " + than + " {s} {in}?" if asked.noun == "files" else "any {k} " + than + " {s} {in}?",
            "(what|which) (things|documents) {in} (are|take up|take|need|use|weigh) "
            + ("(more than|over)" if asked.large else "(less than|under)")
            + " {s}?"
            if asked.noun == "files"
            else "which {k} " + than + " {s} are {in}?",
        ),
        **asked.slots,
    )
    result = asked.ask(story)
    tell_by_size(story, asked, result)


def tell_by_size(story, asked, result):
    if story.failed(result, f"list {folder_object(asked.folder)}"):
        return
    count = counted(result)
    if count:
        story.answer(
            f"I found {count}{asked.description()} {where(asked.folder)}{joined(names_in(result))}{cut_note(result)}"
        )
    else:
        story.answer(f"I found no files{asked.description()} {where(asked.folder)}.")


BIGGEST = "(biggest|largest|biggest|heaviest|largest|bulkiest)"
NEWEST = "(newest|latest|most recent|most recently changed|last modified|youngest)"


def extreme_request(story, folder):
    """Words for the biggest, newest, smallest or oldest; returns the sort key and what is meant."""
    kind = story.rng.choice(("biggest", "biggest", "newest", "newest", "smallest", "oldest"))
    adjective = {
        "biggest": BIGGEST,
        "newest": NEWEST,
        "smallest": "(smallest|tiniest|smallest|lightest)",
        "oldest": "(oldest|least recent|oldest|earliest)",
    }[kind]
    return kind, adjective


def extreme(story):
    rng, folder = story.rng, a_folder(story.rng)
    story.fill(folder, (1, 8), (0, 2))
    kind, adjective = extreme_request(story, folder)
    several = rng.random() < 0.25 and kind in ("biggest", "newest")
    slots = {"in": place_form(rng, folder), "D": folder_form(rng, folder)}
    limit = 1 if kind in ("biggest", "newest") else None
    recursive = not several and limit and rng.random() < 0.12
    if recursive:
        slots["in"] = rng.choice((slots["in"] or "here", slots["in"] or "here", "in all folders", "in the whole workspace")[: 2 if folder != "." else 4]) + rng.choice(
            (" and its subfolders", " including subfolders", " with all subfolders", " (subfolders too)", ", subfolders included", " and below")
        )
    if several:
        limit = rng.randint(2, 10)
        spelled = dict(zip(range(2, 11), "two three four five six seven eight nine ten".split()))
        slots["n"] = rng.choice((str(limit), spelled[limit]))
        yield
        story.user(
            (
                SHOW + " the {n} " + adjective + " files {in}",
                "(what|which) are the {n} " + adjective + " files {in}?",
                "find the {n} " + adjective + " files {in}",
                "the top {n} " + adjective + " files {in}",
                "(name|i need|tell me) the {n} " + adjective + " files {in}",
                "which {n} files {in} are the " + adjective + "?",
                "the {n} " + adjective + " ones {in}",
            ),
            **slots,
        )
    else:
        yield
        story.user(
            (
                "(what|which) is the " + adjective + " file {in}?",
                "which (file|of the files) {in} is (the|) " + adjective + "?",
                "(find|show me|tell me|give me|name) the " + adjective + " file {in}",
                "what('s| is) the " + adjective + " file {in}?",
                "(tell me|say) which file {in} is the " + adjective,
                adjective + " file {in}",
                "the " + adjective + " file {in}, please",
                "i (want|need|'d like|would like) to know (which is|what is|) the "
                + adjective
                + " file {in}",
                "of all files {in}, which is the " + adjective + "?",
                "which one of the files {in} is the " + adjective + " (one|)?",
                "(look|search) {in} for the " + adjective + " file",
                "which {in} is the " + adjective + " file?",
                "determine the " + adjective + " file {in}",
                "which file {in} is (the|) " + adjective + "?",
                *(
                    (
                        "which file {in} (takes|needs|uses) the most space?",
                        "which file {in} has the largest size?",
                        "what takes (up|) (most space|the most space|the most room) {in}?",
                        "which file {in} (weighs|is) (the|) most?",
                        "what is eating my disk space {in}?",
                        "which of the files {in} should i delete to get the most space?",
                        "(what|which file) is (filling|clogging) my disk {in}?",
                        "what needs the most room {in}?",
                    )
                    if kind == "biggest"
                    else (
                        "which file {in} was (changed|modified|written) last?",
                        "what was (changed|modified) last {in}?",
                        "what did (i|we|you) (change|edit|modify|touch|save) last {in}?",
                        "which file did (i|we|someone) (change|edit|modify|touch|save|write) (last|most recently) {in}?",
                        "what is new {in}?",
                        "which file {in} has the latest (date|change)?",
                        "the last file (i|we) (touched|changed|edited|saved) {in}",
                        "(what|which file) (have i|did i) (worked on|changed|edited) last {in}?".replace("(have i|did i) (worked on|changed|edited)", "have i (worked on|changed|edited)"),
                        "which file {in} (changed|was changed) (last|most recently)?",
                    )
                    if kind == "newest"
                    else ()
                ),
            ),
            **slots,
        )
    result = story.call(
        "fs.list", path=folder, recursive=recursive, sort="size" if kind in ("biggest", "smallest") else "time", limit=limit
    )
    tell_extreme(story, folder, kind, result, several)


def tell_extreme(story, folder, kind, result, several=False):
    """Name the first (or last) entry of a sorted listing; returns it or nothing."""
    if story.failed(result, f"list {folder_object(folder)}"):
        return None
    entries = body(result)
    if not entries:
        story.answer(f"There are no files {where(folder)}.")
        return None
    if several:
        story.answer(f"The {kind} files {where(folder)} are: {', '.join(names_in(result))}.")
        return None
    entry = entries[0] if kind in ("biggest", "newest") else entries[-1]
    if entry.endswith("/"):
        story.answer(f"The {kind} entry {where(folder)} is the directory {entry}.")
        return None
    name, amount = entry.rsplit(" ", 1)
    if kind in ("biggest", "newest") or not cut_note(result):
        story.answer(f"The {kind} file {where(folder)} is {name} ({amount} bytes).")
        return name
    story.answer(f"The listing was truncated, so I cannot tell the {kind} file {where(folder)}.")
    return None
