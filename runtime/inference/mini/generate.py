"""Synthetic conversations for nacre-mini.

Each function below tells one kind of story: a request in many wordings, the calls
that answer it, and an answer in a fixed formula that copies numbers and names
from the results. A story never needs arithmetic: counting, filtering and sorting
are left to the tools' parameters. `conversation(rng)` is deterministic.
"""

import random

import words
from small_talk import CHATTER, OUT_OF_SCOPE, CANNOT, UNCLEAR
from story import (FILTER_NOUN, Story, body, cut_note, file_form, folder_form, folder_object, joined, names_in, place_form, quoted, reason, where)

KINDS = (("text", "txt"), ("markdown", "md"), ("python", "py"), ("Python", "py"), ("C++", "cpp"), ("csv", "csv"), ("CSV", "csv"), ("json", "json"), ("JSON", "json"), ("log", "log"),
         ("pdf", "pdf"), ("PDF", "pdf"), ("svg", "svg"), ("png", "png"), ("jpg", "jpg"), ("shell", "sh"), ("yaml", "yaml"), ("xml", "xml"), ("html", "html"), ("HTML", "html"), ("javascript", "js"), ("zip", "zip"))
SHOW = "(list|show|show me|display|print|give me|tell me|see|view|enumerate|get)"
LARGER = "(larger than|larger than|bigger than|bigger than|over|above|more than|greater than|exceeding|that exceed|that are larger than|that are bigger than|that are over|with more than|which are larger than|of more than|heavier than|with a size over|with a size above|whose size is above|whose size exceeds|whose size is more than|larger in size than)"
SMALLER = "(smaller than|smaller than|under|below|less than|that are smaller than|that are under|that are below|with less than|which are smaller than|of less than|lighter than|with a size under|with a size below|whose size is below|whose size is less than|tinier than)"
WRITE_VERB = "(write|write|write|save|put|store|record)"
SEARCH = "(search for|search for|look for|find|grep for|find all occurrences of|locate|look up|find every mention of|find the text|search for the text|search for the word|find the word|look for the word|find lines with|show lines containing|find all lines that contain|show me every line with)"


def a_folder(rng) -> str:
    """A folder's path as the user writes it."""
    kind = rng.random()
    if kind < 0.2:
        return "."
    path = words.folder_path(rng)
    return "./" + path if kind < 0.24 else path + "/" if kind < 0.34 else "/workspace/" + path if kind < 0.36 else path


def a_file(rng, text=True) -> str:
    """A file's path as the user writes it."""
    path = words.file_path(rng, text)
    kind = rng.random()
    return "./" + path if kind < 0.03 else "/workspace/" + path if kind < 0.04 else path


def under(folder: str, name: str) -> str:
    """The path of an entry that a listing of `folder` shows."""
    return name if folder == "." else folder.rstrip("/") + "/" + name


def a_pattern(rng) -> tuple:
    """A glob and the words that ask for it."""
    kind = rng.random()
    if kind < 0.3:
        noun, extension = rng.choice(KINDS)
        return f"*.{extension}", f"{noun} files"
    if kind < 0.8:
        extension = rng.choice((*words.TEXT_EXTENSIONS, *words.OTHER_EXTENSIONS, words.random_letters(rng, 1, 3)[:4]))
        form = rng.choice(("*.{e} files", ".{e} files", "{e} files", "files ending in .{e}", "files with the extension {e}", "files with the extension .{e}", "files that end with .{e}", "files matching *.{e}", "*.{e}", "files of type {e}", "files with extension .{e}"))
        return f"*.{extension}", form.replace("{e}", extension)
    part = words.word(rng)
    if rng.random() < 0.5:
        return part + "*", rng.choice(("files starting with {p}", "files whose name starts with {p}", "files whose names begin with {p}", "files beginning with {p}", "files named {p}*", "files matching {p}*")).replace("{p}", part)
    return f"*{part}*", rng.choice(("files with {p} in the name", "files whose name contains {p}", "files whose names contain {p}", "files that have {p} in their name", "files matching *{p}*")).replace("{p}", part)


def matching_names(story, folder, pattern, count=(0, 6)):
    """Add files to the folder that match the pattern."""
    rng = story.rng
    for _ in range(rng.randint(*count)):
        filler = words.stem(rng).replace("*", "")
        name = pattern.replace("*", filler, 1) if pattern.startswith("*.") else pattern.replace("*", filler + "." + rng.choice(words.TEXT_EXTENSIONS)) if pattern[0] != "*" else pattern.replace("*", "", 1).replace("*", rng.choice(("", "-" + filler)) + ".txt")
        story.add_file(under(folder.removeprefix("./"), name), size=words.size(rng))


def counted(result: str, noun="") -> str:
    """`2 files and 1 directory`, from a listing's header."""
    header = result.split("\n")[0].split(" (first")[0]
    parts = [part for part in header.split(", ") if not part.startswith("0 ")]
    return " and ".join(parts) + noun


def verb_be(text: str) -> str:
    return "is" if text.startswith("1 ") else "are"


# Listing


def list_folder(story):
    rng, folder = story.rng, a_folder(story.rng)
    missing = rng.random() < 0.05
    if not missing:
        story.fill(folder, (0, 9), (0, 4), nested=rng.random() < 0.1)
    recursive = rng.random() < 0.15
    if recursive:
        story.user(("(list|show|show me|display) " + FILTER_NOUN + " {in} (recursively|and its subfolders|including subfolders|with all subfolders|and everything below it|including subdirectories)",
                    "recursively list (the files|everything|all files) {in}", "(list|show) the whole tree {in}", "(list|show me) everything {in}, including subfolders",
                    "what (files are|is) {in}, subfolders included?", "list {D} recursively"), **{"in": place_form(rng, folder), "D": folder_form(rng, folder)})
    else:
        story.user((SHOW + " (the files|all files|the contents|everything|the entries|what is|what files are|all the files|the content|all items|every file|whatever is) {in}",
                    "(what|which) (files|files and folders|entries|documents|things) (are|are there|do you see|exist|do we have|are stored|can you find|do i have) {in}?", "what('s| is) {in}?", "what does {D} contain?", "(list|ls) {D}",
                    "show (me|) {D}", "(what's|what is|what do you see) {in}?", "(do you see|are there) any files {in}?", "(look into|look inside|look at|open|browse|explore|check|inspect) {D}",
                    "give me (a list|a listing|an overview) of (the files|what is|everything) {in}", "list {D}", "contents of {D}", "(directory|folder) listing of {D}", "what have (we|you|i) got {in}?", "(which|what) files does {D} (have|hold|contain)?",
                    "tell me (what|which files) (is|are) {in}", "i want to (see|know) what is {in}", "(take|have) a look {in} and tell me what is there", "ls", "dir", "list" if folder == "." else "list {D}") if folder == "." or True else "",
                   **{"in": place_form(rng, folder), "D": folder_form(rng, folder)})
        if story.turns[-1][1].lower().rstrip(".!? ").split(" ")[-1] in ("ls", "dir", "list"):
            folder = "."
    result = story.call("fs.list", path=folder, recursive=recursive)
    tell_listing(story, folder, result)


def tell_listing(story, folder, result):
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    count = counted(result)
    if not count:
        story.answer(f"{folder_object(folder).capitalize() if folder == '.' else folder} is empty.")
    else:
        story.answer(f"There {verb_be(count)} {count} {where(folder)}{joined(names_in(result))}{cut_note(result)}")


def list_kind(story):
    rng, folder = story.rng, a_folder(story.rng)
    pattern, noun = a_pattern(rng)
    story.fill(folder, (0, 5), (0, 2))
    matching_names(story, folder, pattern)
    recursive = rng.random() < 0.12
    deep = " (recursively|including subfolders|and its subfolders)" if recursive else ""
    slots = {"in": place_form(rng, folder), "k": noun}
    if rng.random() < 0.25 and not recursive:
        story.user(("how many {k} (are there|are|exist|do we have|can you find|do you see) {in}?", "count (the|all|) {k} {in}", "(tell me|say) how many {k} (are|there are) {in}", "what is the number of {k} {in}?", "number of {k} {in}"), **slots)
        return tell_kind(story, folder, pattern, story.call("fs.list", path=folder, pattern=pattern), names=False)
    story.user((SHOW + " (the|all|all the|only the|) {k} {in}" + deep, "(which|what) {k} (are|are there|exist|do we have|do you see|can you find) {in}" + deep + "?", "(are there|do you see|do we have|is there) any {k} {in}" + deep + "?",
                "find (the|all|all the|) {k} {in}" + deep, "{k} {in}" + deep + "?" if rng.random() < 0.3 else "list {k} {in}" + deep, "what {k} does {D} (have|contain)" + deep + "?", "i need (the|all) {k} {in}" + deep), D=folder_form(rng, folder), **slots)
    tell_kind(story, folder, pattern, story.call("fs.list", path=folder, recursive=recursive, pattern=pattern))


def tell_kind(story, folder, pattern, result, names=True):
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    count = counted(result)
    if not count:
        story.answer(f"There are no files matching {pattern} {where(folder)}.")
    else:
        story.answer(f"There {verb_be(count)} {count} matching {pattern} {where(folder)}{joined(names_in(result)) + cut_note(result) if names else '.'}")


def find_file(story):
    rng, name = story.rng, words.file_name(story.rng)
    folder = a_folder(rng)
    if rng.random() < 0.5:
        story.fill(folder, (0, 4), (0, 2))
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            story.add_file(words.folder_path(rng) + "/" + name, size=words.size(rng))
        folder = "."
        story.user(("where is {f}?", "(find|locate) {f}", "in (which|what) folder is {f}?", "(find|search for) {f} (in all folders|anywhere|recursively|in any subfolder|somewhere in the workspace)", "(find|tell me) where {f} is", "i can't find {f}, where is it?", "where did {f} go?", "which (directory|folder) contains {f}?"), f=file_form(rng, name))
        return tell_kind(story, folder, name, story.call("fs.list", path=".", recursive=True, pattern=name))
    story.fill(folder, (0, 4), (0, 2))
    if rng.random() < 0.6:
        story.add_file(under(folder.removeprefix("./"), name), size=words.size(rng))
    story.user(("is there (a file|a file called|a file named|the file|) {n} {in}?", "does {D} (have|contain) (a file|a file called|the file|) {n}?", "check (if|whether) {n} (exists|is) {in}", "does {n} exist {in}?", "is {n} {in}?", "do we have {n} {in}?"), n=quoted(rng, name, 0.15), D=folder_form(rng, folder), **{"in": place_form(rng, folder)})
    tell_kind(story, folder, name, story.call("fs.list", path=folder, pattern=name))


def count_files(story):
    rng, folder = story.rng, a_folder(story.rng)
    story.fill(folder, (0, 9), (0, 3))
    story.user(("how many (files|files|entries|items|documents|files and folders) (are there|are|do we have|exist|do you see|can you count|do i have) {in}?", "count (the|all|all the|) (files|entries|items) {in}", "(tell me|say|i want to know) how many (files|entries) (there are|are) {in}",
                "how many files does {D} (have|contain|hold)?", "(what is|give me) the number of (files|entries) {in}", "number of files {in}", "file count of {D}"), D=folder_form(rng, folder), **{"in": place_form(rng, folder)})
    result = story.call("fs.list", path=folder)
    if not story.failed(result, f"list {folder_object(folder)}"):
        count = counted(result) or "0 files"
        story.answer(f"There {verb_be(count)} {count} {where(folder)}.")


class SizeQuestion:
    """Files of a folder above or below a size, half of them on either side."""

    def __init__(self, story, kind=None):
        rng = self.rng = story.rng
        self.folder = a_folder(rng)
        self.size = words.size_phrase(rng)
        self.large = rng.random() < 0.65
        self.pattern, self.noun = (None, "files")
        limit = int(words_size(self.size))
        share = rng.choice((0.0, 0.3, 0.5, 0.5, 0.7, 1.0))

        def sizes():
            above = rng.random() < share
            return rng.randint(limit + 1, limit * 5 + 10) if above == self.large else rng.randint(0, max(0, limit - 1))

        story.fill(self.folder, (0, 10), (0, 2), sizes)
        if rng.random() < 0.12:
            self.pattern, self.noun = a_pattern(rng)
            matching_names(story, self.folder, self.pattern)
        self.slots = {"s": quoted(rng, self.size, 0) if " " not in self.size else self.size, "in": place_form(rng, self.folder), "k": self.noun, "D": folder_form(rng, self.folder)}
        self.than = LARGER if self.large else SMALLER

    def ask(self, story):
        return story.call("fs.list", path=self.folder, pattern=self.pattern, min_size=self.size if self.large else None, max_size=None if self.large else self.size)

    def description(self) -> str:
        return (f" matching {self.pattern}" if self.pattern else "") + (" larger than " if self.large else " smaller than ") + self.size


def words_size(text: str) -> float:
    from tool_emulation import parse_size

    return parse_size(text)


def list_by_size(story):
    asked = SizeQuestion(story)
    than = asked.than
    story.user(("(which|what) {k} {in} are (larger|bigger) than {s}?" if asked.large else "(which|what) {k} {in} are smaller than {s}?", "(which|what) {k} " + than + " {s} (are|are there|exist|do we have|do you find) {in}?", SHOW + " (the|all|all the|) {k} {in} " + than + " {s}", SHOW + " (the|all|) {k} " + than + " {s} {in}",
                "find (the|all|all the|) {k} " + than + " {s} {in}", "find (the|all|) {k} {in} " + than + " {s}", "(are there|is there|do we have) any {k} " + than + " {s} {in}?", "{in}, which {k} are (over|above) {s}?" if asked.large and asked.slots["in"] else "which of the {k} {in} are " + ("(over|above|larger than|bigger than)" if asked.large else "(under|below|smaller than)") + " {s}?",
                "i need (the|all) {k} {in} " + than + " {s}", "how many {k} {in} are " + ("(larger|bigger) than" if asked.large else "smaller than") + " {s}?", "(does|has) {D} (contain|got) (any|) {k} " + than + " {s}?"), **asked.slots)
    result = asked.ask(story)
    tell_by_size(story, asked, result)


def tell_by_size(story, asked, result):
    if story.failed(result, f"list {folder_object(asked.folder)}"):
        return
    count = counted(result)
    if count:
        story.answer(f"I found {count}{asked.description()} {where(asked.folder)}{joined(names_in(result))}{cut_note(result)}")
    else:
        story.answer(f"I found no files{asked.description()} {where(asked.folder)}.")


def extreme_request(story, folder):
    """Words for the biggest, newest, smallest or oldest; returns the sort key and what is meant."""
    kind = story.rng.choice(("biggest", "biggest", "newest", "newest", "smallest", "oldest"))
    adjective = {"biggest": "(biggest|largest|biggest|heaviest|largest)", "newest": "(newest|latest|most recent|most recently changed|last modified|youngest)", "smallest": "(smallest|tiniest|smallest|lightest)", "oldest": "(oldest|least recent|oldest|earliest)"}[kind]
    return kind, adjective


def extreme(story):
    rng, folder = story.rng, a_folder(story.rng)
    story.fill(folder, (1, 8), (0, 2))
    kind, adjective = extreme_request(story, folder)
    several = rng.random() < 0.25 and kind in ("biggest", "newest")
    slots = {"in": place_form(rng, folder), "D": folder_form(rng, folder)}
    limit = 1 if kind in ("biggest", "newest") else None
    if several:
        limit = rng.randint(2, 10)
        spelled = dict(zip(range(2, 11), "two three four five six seven eight nine ten".split()))
        slots["n"] = rng.choice((str(limit), spelled[limit]))
        story.user((SHOW + " the {n} " + adjective + " files {in}", "(what|which) are the {n} " + adjective + " files {in}?", "find the {n} " + adjective + " files {in}", "the top {n} " + adjective + " files {in}"), **slots)
    else:
        story.user(("(what|which) is the " + adjective + " file {in}?", "which (file|of the files) {in} is (the|) " + adjective + "?", "(find|show me|tell me|give me|name) the " + adjective + " file {in}", "what('s| is) the " + adjective + " file {in}?", "(tell me|say) which file {in} is the " + adjective, "which file {in} is (the|) " + adjective + "?",
                    *(("which file {in} (takes|needs|uses) the most space?", "which file {in} has the largest size?") if kind == "biggest" else ("which file {in} was (changed|modified|written) last?", "what was (changed|modified) last {in}?") if kind == "newest" else ())), **slots)
    result = story.call("fs.list", path=folder, sort="size" if kind in ("biggest", "smallest") else "time", limit=limit)
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


# Reading


def text_file(story, low=1, high=12) -> tuple:
    """A path and, mostly, a file there; returns also its lines."""
    rng, path = story.rng, a_file(story.rng)
    if rng.random() < 0.07:
        return path, []
    lines = story.add_text(path, low, high)
    if rng.random() < 0.1:
        total = len(lines) + rng.randint(1, 10 ** rng.randint(1, 4))
        story.add_file(path, lines, total=total, size=total * rng.randint(4, 60))
    return path, lines


READ = ("(read|show|show me|display|print|open|view|cat|see|type|output) {f}", "(show me|print|display|read|give me|tell me|read out) (the content|the contents|the text|everything|all the text|the whole text|the lines) (of|in|from) {f}", "what('s| is) (in|inside|written in|the content of) {f}?",
        "what does {f} (say|contain|look like|tell|hold|have in it)?", "(let me see|i want to see|i want to read|i'd like to see) {f}", "what (are|is) the (contents|content) of {f}?", "read {f} (to me|aloud|for me|completely|and tell me what it says|and show me the content)", "(look at|look into|check|inspect|summarize|summarise|explain) {f}",
        "can i (see|read) {f}?", "(what do we have|what stands|what can i read|what is stored|what text is) in {f}?", "contents of {f}")


def tell_text(story, path, result):
    """Repeat a short text; for a longer one say its length and how it begins."""
    if story.failed(result, f"read {path}"):
        return
    header, lines = result.split("\n")[0], body(result)
    if not lines:
        story.answer(f"{path} is empty.")
    elif len(lines) <= 6 and "shown)" not in header:
        story.answer(f"{path} contains:\n" + "\n".join(lines))
    else:
        story.answer(f"{path} has {header.split(',')[0]}. It begins:\n" + "\n".join(lines[:3]) + cut_note(result))


def read_file(story):
    rng = story.rng
    if rng.random() < 0.1:
        path = rng.choice((a_file(rng, text=False), words.folder_path(rng)))
        if rng.random() < 0.5:
            story.workspace.directories.add(path.removeprefix("./").removeprefix("/workspace/"))
        else:
            story.add_file(path, binary=True, size=words.size(rng))
    else:
        path, _ = text_file(story, rng.choice((0, 1, 1, 1)), rng.choice((6, 6, 12, 20)))
    story.user(READ, f=file_form(rng, path))
    tell_text(story, path, story.call("fs.read", path=path))


def read_part(story):
    rng = story.rng
    path, _ = text_file(story, 3, 25)
    spelled = dict(zip(range(1, 11), "one two three four five six seven eight nine ten".split()))
    count, start = rng.choice((None, None, rng.randint(2, 10))), None
    slots = {"f": file_form(rng, path)}
    if count is None and rng.random() < 0.5:
        count = 1
        story.user((SHOW + " (only|) the (first|top) line (of|in|from) {f}", "what is the first line (of|in) {f}?", "(read|print) (only|just|) the first line (of|from|in) {f}", "how does {f} (start|begin)?", "what (does|is) the first line of {f}(| say)?"), **slots)
    elif count is None:
        start, count = rng.randint(2, 30), 1
        story.user((SHOW + " line {n} (of|in|from) {f}", "what is (on|in) line {n} of {f}?", "what does line {n} of {f} say?", "(read|print) (only|just|) line {n} (of|from) {f}", "what('s| is) line {n} (of|in) {f}?", "(read|show) line number {n} of {f}"), n=str(start), **slots)
    elif rng.random() < 0.65:
        slots["n"] = rng.choice((str(count), spelled[count]))
        story.user((SHOW + " the first {n} lines (of|in|from) {f}", "(read|print) (only|just|) the first {n} lines (of|from) {f}", "what are the first {n} lines (of|in) {f}?", "the top {n} lines of {f}", "how do the first {n} lines of {f} read?", "first {n} lines of {f}"), **slots)
    else:
        start = rng.randint(2, 40)
        slots["a"], slots["n"] = str(start), rng.choice((str(count), spelled[count]))
        story.user((SHOW + " {n} lines (of|from) {f} (starting at|from|beginning with|starting with) line {a}", "(read|print) {n} lines (starting at|from) line {a} (of|in) {f}", "starting at line {a}, (read|show) {n} lines of {f}"), **slots)
    result = story.call("fs.read", path=path, start_line=start, max_lines=count)
    if story.failed(result, f"read {path}"):
        return
    lines = body(result)
    if not lines:
        story.answer(f"{path} has only {result.split(',')[0]}.")
    else:
        story.answer(f"{path}{f', line {start}' if start else ''} reads:\n" + "\n".join(lines) + cut_note(result))


def line_count(story):
    rng = story.rng
    path, _ = text_file(story, 0, 30)
    by_size = rng.random() < 0.35
    slots = {"f": file_form(rng, path)}
    if by_size:
        if rng.random() < 0.3:
            story.add_file(path, binary=True, size=words.size(rng))
        story.user(("how (big|large|long in bytes) is {f}?", "what is the size of {f}?", "(tell me|give me|show|show me) the size of {f}", "how many bytes (are in|has|does) {f}(| have| contain)?", "size of {f}", "what size (has|is) {f}?", "how much space does {f} (take|need|use)?"), **slots)
    else:
        story.user(("how many lines (are in|are there in|has|does) {f}(| have| contain)?", "how many lines does {f} (have|contain|hold)?", "count (the|all|) lines (in|of) {f}", "(tell me|give me|say) (the number of lines|how many lines are|the line count) (in|of) {f}", "what is the (number of lines|line count) (in|of) {f}?", "number of lines in {f}", "line count of {f}", "how long is {f}?"), **slots)
    result = story.call("fs.read", path=path, max_lines=1)
    if by_size and result.startswith("error: not text"):
        return story.answer(f"{path} is {result.rsplit('(', 1)[1][:-1]} large.")
    if not story.failed(result, f"read {path}"):
        lines, size = result.split("\n")[0].split(" (lines")[0].split(", ")
        story.answer(f"{path} is {size} large." if by_size else f"{path} has {lines}.")


# Searching


class Needle:
    """A text to search for and files that (mostly) contain it."""

    def __init__(self, story, in_file=None):
        rng = story.rng
        self.text = words.fragment(rng)
        self.path = a_folder(rng) if in_file is None else in_file
        self.in_file = in_file is not None
        self.options = {}
        base = "" if self.path == "." else self.path.removeprefix("./").removeprefix("/workspace/").rstrip("/") + "/"
        targets = [base.rstrip("/")] if self.in_file else [base + words.file_path(rng, True, (0, 0, 0, 1)) for _ in range(rng.randint(1, 4))]
        for target in targets:
            lines = story.add_text(target, 1, 14)
            for _ in range(rng.choice((0, 1, 1, 1, 2, 3)) if rng.random() < 0.9 else rng.randint(4, 12)):
                at = rng.randrange(len(lines) + 1)
                lines.insert(at, (words.sentence(rng) + " " if rng.random() < 0.5 else "") + self.text + (" " + words.sentence(rng) if rng.random() < 0.5 else rng.choice(("", ";", ".", ","))))
            story.add_file(target, lines)
        if base and not self.in_file:
            story.workspace.directories.add(base[:-1])

    def ask(self, story):
        return story.call("fs.search", pattern=self.text, path=self.path, **self.options)

    def object(self) -> str:
        return folder_object(self.path)


def files_of(result: str) -> list:
    """The files of a search result, each once."""
    return list(dict.fromkeys(line.split(":")[0] for line in body(result)))


def tell_search(story, needle, result, kind):
    if story.failed(result, f"search {needle.object()}"):
        return
    header, found = result.split("\n")[0], body(result)
    quote = f'"{needle.text}"'
    if not found:
        story.answer(f"I found no matches for {quote} {where(needle.path)}.")
    elif kind == "count":
        story.answer(f"I found {header} for {quote}.")
    elif kind == "files":
        story.answer(f"I found {header} for {quote}{joined(files_of(result))}{cut_note(result)}")
    elif len(found) <= 5:
        story.answer(f"I found {header} for {quote}:\n" + "\n".join(found) + cut_note(result))
    else:
        story.answer(f"I found {header} for {quote}, among them:\n" + "\n".join(found[:3]) + cut_note(result))


def search_text(story):
    rng = story.rng
    in_file = a_file(rng) if rng.random() < 0.35 else None
    needle = Needle(story, in_file)
    slots = {"w": quoted(rng, needle.text, 0.45), "in": "in " + file_form(rng, in_file) if in_file else place_form(rng, needle.path), "D": file_form(rng, in_file) if in_file else folder_form(rng, needle.path)}
    option = ""
    if rng.random() < 0.14:
        kind = rng.choice(("case", "glob", "glob", "regex"))
        if kind == "case":
            needle.options["ignore_case"] = True
            option = rng.choice((", ignoring case", " ignoring case", ", case-insensitive", " case-insensitively", " (ignore case)", ", ignore upper and lower case", ", no matter the case", " regardless of case"))
        elif kind == "glob" and not in_file:
            extension = rng.choice(words.TEXT_EXTENSIONS)
            needle.options["files"] = "*." + extension
            option = rng.choice((f", only in *.{extension} files", f" in the .{extension} files", f", only {extension} files", f", only look at *.{extension}", f" in all {extension} files"))
        elif kind == "regex":
            needle.options["regex"] = True
            needle.text = rng.choice((f"^{words.word(rng)}", f"{words.word(rng)}.*{words.word(rng)}", "[0-9]+", f"{words.word(rng)}[0-9]", f"{words.word(rng)}$", "[A-Z][a-z]+"))
            slots["w"] = rng.choice(("the regex ", "the regular expression ", "the pattern ", "regex ")) + quoted(rng, needle.text, 0.5)
    slots["o"] = option
    kind = rng.choice(("lines", "lines", "lines", "files", "count"))
    if needle.options.get("regex"):
        kind = "lines"
        templates = ("(search|look) {in} for {w}", "(search for|find|look for) {w} {in}", "(which|what) lines {in} match {w}?")
    elif kind == "lines":
        templates = (SEARCH + " {w} {in}{o}", "(search|grep|scan) {D} for {w}{o}", "where (does|do) {w} (occur|appear|show up|stand) {in}{o}?", "where is {w} (mentioned|used|found|defined) {in}{o}?", "(does|do) {D} (mention|contain) {w}{o}?", "(which|what) lines {in} (contain|mention|have) {w}{o}?",
                     "(is|are) there any (mention|occurrence|line) (of|with) {w} {in}{o}?", "(check|see) (if|whether) {w} (occurs|appears|is mentioned) {in}{o}", "what does {D} say about {w}{o}?", "(show|show me|print) (the|all) (lines|matches|places) (with|containing|that contain|that mention) {w} {in}{o}", "where can i find {w} {in}{o}?", "{in}, " + SEARCH + " {w}{o}" if slots["in"] else SEARCH + " {w}{o}")
    elif kind == "files":
        templates = ("(which|what) files {in} (contain|mention|have|use|include|talk about) {w}{o}?", "(list|show|show me|find|name|tell me) (the|all|all the|) files {in} (that contain|containing|that mention|mentioning|with|which contain|that include) {w}{o}", "in (which|what) files (is|does) {w} (occur|appear|mentioned|found) {in}{o}?", "(which|what) files (contain|mention) {w} {in}{o}?")
    else:
        templates = ("how (often|many times) does {w} (occur|appear|show up) {in}{o}?", "count (the|all|) (occurrences|matches|mentions) of {w} {in}{o}", "how many (matches|occurrences|lines|hits) (are there|) (for|of|with) {w} (are there|) {in}{o}?", "(tell me|say) how often {w} (occurs|appears) {in}{o}", "how many lines {in} (contain|mention) {w}{o}?", "number of (matches|occurrences) of {w} {in}{o}")
    story.user(templates, **slots)
    tell_search(story, needle, needle.ask(story), kind)


# Writing and editing


def a_content(rng) -> tuple:
    """A text to write and the words for it."""
    kind = rng.random()
    if kind < 0.25:
        items = [words.word(rng) if rng.random() < 0.6 else words.fragment(rng).replace(",", "") for _ in range(rng.randint(2, 5))]
        form = ", ".join(items) if rng.random() < 0.4 else ", ".join(items[:-1]) + " and " + items[-1]
        return "\n".join(items), rng.choice(("the lines ", "these lines: ", "the items ", "the entries ", "the names ", "a list: ", "the words ")) + form
    text = rng.choice((words.fragment, words.fragment, words.sentence))(rng)
    if kind < 0.6:
        mark = rng.choice(('"', '"', "'", "`"))
        return text.replace(mark, ""), rng.choice(("", "", "the text ", "the line ", "the sentence ", "the words ")) + mark + text.replace(mark, "") + mark
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
        story.workspace.directories.add(path.removeprefix("./").removeprefix("/workspace/"))


def write_file(story):
    rng, path = story.rng, a_file(story.rng)
    maybe_there(story, path, 0.25)
    if rng.random() < 0.08:
        story.user(("create (an|the|a new) empty file {n}", "(create|make) an empty file (called|named) {n}", "touch {n}", "make {n} (as an|an) empty file"), n=quoted(rng, path, 0.2))
        return told_write(story, path, story.call("fs.write", path=path, content=""))
    content, form = a_content(rng)
    story.user((WRITE_VERB + " {t} (to|into|in|to|in) {f}", "(create|make|write|save) (a file|a new file|the file|) {n} (with|containing|that contains|with the content|with the text) {t}", "(create|make) (a file|a new file) (called|named) {n} (with|containing|that says|and write into it) {t}", "(write|create) {f} with the (content|text|contents) {t}",
                "(into|in) {f}, write {t}", "{f} should (contain|say|read) {t}", "(overwrite|replace the content of|fill) {f} with {t}", "(make|let) {f} (say|contain) {t}", "in {f} write: {t}", "save {t} as {n}", "new file {n}: {t}"),
               t=form, f=file_form(rng, path), n=quoted(rng, path, 0.2))
    told_write(story, path, story.call("fs.write", path=path, content=content))


def append_file(story):
    rng, path = story.rng, a_file(story.rng)
    maybe_there(story, path, 0.9)
    content, form = a_content(rng)
    story.user(("append {t} to {f}", "add {t} to {f}", "add {t} (at|to) the (end|bottom) of {f}", "(put|write) {t} (at the end of|at the bottom of|on a new line in|below the rest in) {f}", "(extend|continue) {f} with {t}", "add (a line|a new line|another line) to {f}: {t}", "add to {f}: {t}", "attach {t} to {f}", "append to {f} {t}", "(also|) add {t} to my list in {f}"),
               t=form, f=file_form(rng, path))
    told_write(story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}")


def told_edit(story, path, old, new, result):
    if not story.failed(result, f"edit {path}"):
        amount = result.rsplit(": ", 1)[1]
        story.answer(f'I replaced "{old}" with "{new}" in {path} ({amount}).' if new else f'I removed "{old}" from {path} ({amount}).')


def edit_texts(story, path) -> tuple:
    """What to replace and by what; mostly the file contains it."""
    rng = story.rng
    old, new = words.fragment(rng), words.fragment(rng)
    lines = story.add_text(path, 1, 8)
    for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 2, 3))):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice((words.sentence(rng) + " ", "")) + old + rng.choice((" " + words.sentence(rng), "")))
    story.add_file(path, lines)
    return old, new


def edit_file(story):
    rng, path = story.rng, a_file(story.rng)
    old, new = edit_texts(story, path)
    if rng.random() < 0.06:
        del story.workspace.files[path.removeprefix("./").removeprefix("/workspace/")]
    mark = rng.random() < 0.5
    slots = {"f": file_form(rng, path), "a": quoted(rng, old, 0.9 if mark else 0.05), "b": quoted(rng, new, 0.9 if mark else 0.05)}
    everywhere = rng.random() < 0.2
    if rng.random() < 0.1:
        story.user(("(delete|remove|erase|cut) (the text|the word|) {a} (from|in) {f}", "(take|strip) {a} out of {f}", "in {f}, (delete|remove) {a}"), **slots)
        return told_edit(story, path, old, "", story.call("fs.edit", path=path, old=old, new=""))
    if everywhere:
        story.user(("replace (all|every|all occurrences of|each|every occurrence of|all instances of) {a} (with|by) {b} in {f}", "(change|replace|rename) {a} (to|with) {b} everywhere in {f}", "in {f}, (replace|change) (all|every|each) {a} (with|to) {b}", "(change|turn) (every|all) {a} (to|into) {b} in {f}", "replace {a} (with|by) {b} in {f}, (all of them|everywhere|all occurrences|globally)"), **slots)
    else:
        story.user(("replace {a} (with|by|with) {b} in {f}", "(change|turn|rename|edit|correct) {a} (to|into|to) {b} in {f}", "in {f}, (replace|change|swap) {a} (with|to|by|for) {b}", "in {f} (replace|change) {a} (with|to|by) {b}", "(edit|modify|update|change) {f}: (replace|change) {a} (with|to|by) {b}", "(edit|open|update) {f} and (replace|change) {a} (with|to|by) {b}", "(substitute|put|use) {b} for {a} in {f}", "{f} should say {b} instead of {a}", "swap {a} for {b} in {f}",
                    "(fix|correct) {f}: {a} should be {b}", "in {f}, {a} (should|must) (be|become|read) {b}", "make it say {b} instead of {a} in {f}", "(update|edit) {f} so that {a} becomes {b}", "(use|write) {b} instead of {a} in {f}"), **slots)
    told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new, all=everywhere))


# Programs


def shown_command(argv) -> str:
    return " ".join(argv)


def tell_run(story, argv, result):
    command = f"`{shown_command(argv)}`"
    if story.failed(result, f"run {command}"):
        return
    status, lines = result.split("\n")[0], body(result)
    if status == "exit 0" and not lines:
        story.answer(f"{command} finished without output.")
    elif status == "exit 0" and len(lines) <= 6:
        story.answer(f"{command} printed:\n" + "\n".join(lines) + cut_note(result))
    elif status == "exit 0":
        story.answer(f"{command} printed many lines, which begin:\n" + "\n".join(lines[:3]) + cut_note(result))
    elif lines:
        story.answer(f"{command} failed with exit code {status[5:]}:\n" + "\n".join(lines[:4]))
    else:
        story.answer(f"{command} failed with exit code {status[5:]} and printed nothing.")


def command_line(story) -> tuple:
    """A program with arguments and how a user would type it."""
    rng, path = story.rng, words.file_path(story.rng)
    if " " in path:
        path = path.replace(" ", "_")
    program = rng.choice(("wc", "wc", "wc", "sort", "sort", "grep", "grep", "head", "tail", "cat", "echo", "other", "other", "other", "strange"))
    if rng.random() < 0.9:
        story.add_text(path, 1, 10)
    if program in ("wc", "sort"):
        options = rng.choice(([], ["-l"], ["-l"], ["-w"], ["-c"]) if program == "wc" else ([], [], ["-r"], ["-n"], ["-u"]))
        argv = [program, *options, path]
    elif program in ("head", "tail"):
        argv = [program, "-n", str(rng.randint(1, 9)), path]
    elif program == "cat":
        argv = ["cat", path]
    elif program == "grep":
        file = story.workspace.files.get(path)
        known = [one for line in (file.lines if file else []) for one in line.split() if one.isalnum()]
        argv = ["grep", *rng.choice(([], ["-n"], ["-c"], ["-i"])), rng.choice(known) if known and rng.random() < 0.8 else words.word(rng), path]
    elif program == "echo":
        argv = ["echo", *words.sentence(rng).replace('"', "").replace("'", "").replace("`", "").split()]
    elif program == "other":
        argv = rng.choice((["make"], ["make", words.word(rng)], ["python3", words.file_path(rng).replace(" ", "_")], ["git", "status"], ["git", "log", "-n", str(rng.randint(1, 9))], ["date"], ["whoami"], ["pwd"], ["uname", "-a"], ["ls", "-l"], ["ls", "-la", words.folder_name(rng)], ["du", "-sh", words.folder_name(rng)], ["df", "-h"], ["diff", path, words.file_path(rng).replace(" ", "_")],
                           ["npm", "test"], ["cmake", "--build", words.folder_name(rng)], ["bash", words.word(rng) + ".sh"], ["sha256sum", path], ["curl", "https://" + words.word(rng) + ".com"], ["cut", "-d,", "-f1", path], ["uniq", path], ["find", ".", "-name", "*." + rng.choice(words.TEXT_EXTENSIONS)], ["ps", "aux"], ["id"], ["env"], ["node", words.word(rng) + ".js"], ["gcc", words.word(rng) + ".c"], ["tar", "-xf", words.word(rng) + ".tar"], ["uptime"], ["nproc"], ["hostname"], ["file", path], ["stat", path], ["sed", "-n", "1p", path]))
    else:
        argv = ["./" * rng.randint(0, 1) + words.word(rng), *[rng.choice(("-" + words.random_letters(rng, 1, 1), "--" + words.word(rng), words.word(rng), words.number(rng), path)) for _ in range(rng.randint(0, 3))]]
    if rng.random() < 0.06 and program in ("echo", "grep"):
        argv[-2 if program == "grep" else -1] = words.word(rng) + " " + words.word(rng)
    typed = " ".join(f'"{part}"' if " " in part else part for part in argv)
    if program in ("other", "strange"):
        kind = rng.random()
        output = [words.sentence(rng) if rng.random() < 0.6 else rng.choice((words.number(rng), words.word(rng))) for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 4, 9)))]
        story.workspace.outputs[tuple(argv)] = (0, output, []) if kind < 0.7 else (rng.choice((1, 1, 2, 127, 3, 64)), output[:1], [rng.choice((f"{argv[0]}: {words.sentence(rng)}", words.sentence(rng)))]) if kind < 0.85 else (1, [], []) if kind < 0.9 else (None, [], [])
    if rng.random() < 0.12:
        story.workspace.forbidden_programs.add(argv[0])
    return argv, typed


def run_program(story):
    rng = story.rng
    argv, typed = command_line(story)
    mark = rng.choice(("`", "`", '"', "'", "", "", ""))
    mark = "" if mark and mark in typed else mark
    bare = len(argv) > 1 and argv[0] not in ("cat", "ls") and rng.random() < 0.1
    story.user(("{c}",) if bare else ("(run|run|run|execute|start|call|launch|invoke) {c}", "(run|execute) the (command|program) {c}", "(what does|what is the output of) {c} (print|output|say|)?" if mark else "run {c}", "(run|execute) {c} (and show me the output|and tell me the result|and tell me what it says|and show the result)" if mark else "execute {c}", "use the (shell|terminal|command line) to run {c}", "run this: {c}", "run {c} in the (shell|terminal)" if mark else "run: {c}", "i want to run {c}"),
               c=mark + typed + mark)
    if bare:
        story.turns[-1] = ("user", typed)
    tell_run(story, argv, story.call("proc.run", argv=argv))


def use_program(story):
    """Wishes that are met by a program rather than named by it."""
    rng = story.rng
    path, other = (words.file_path(rng).replace(" ", "_") for _ in range(2))
    folder = words.folder_path(rng)
    slots = {"f": file_form(rng, path), "g": file_form(rng, other), "n": quoted(rng, other, 0.1), "d": folder_form(rng, folder), "x": quoted(rng, folder, 0.1)}
    kind = rng.choice(("sort", "sort", "words", "tail", "copy", "move", "delete", "delete", "mkdir", "rmdir", "date", "script", "diff", "wcl", "unique"))
    if kind != "script" and rng.random() < 0.9:
        story.add_text(path, 1, 9)
    if kind == "sort":
        argv = ["sort", path]
        if rng.random() < 0.25:
            argv = ["sort", "-r", path]
            story.user(("sort {f} (in reverse|in reverse order|backwards|in descending order|descending)", "(show|print) the lines of {f} in reverse order", "reverse sort {f}"), **slots)
        else:
            story.user(("sort {f}", "sort the (lines|words|names|entries|items|content) (in|of) {f}", "(show|show me|print|display|give me) {f} sorted", "(show|show me|print) the sorted (lines|content) of {f}", "put the lines of {f} (in|into) (alphabetical|sorted) order", "sort the lines in {f} (alphabetically|by name|in order)", "(use|run) sort (on|with|for) {f}", "sort {f} (and show me the result|alphabetically)"), **slots)
    elif kind == "unique":
        argv = ["sort", "-u", path]
        story.user(("(show|list|print) the (unique|distinct|different) lines (in|of) {f}", "sort {f} (without|and remove) duplicates", "which (unique|distinct) lines (are in|does) {f} (have|)?"), **slots)
    elif kind == "words":
        argv = ["wc", "-w", path]
        story.user(("how many words (are in|are there in|has|does) {f}(| have| contain)?", "count the words (in|of) {f}", "(what is|tell me|give me) the (number of words|word count) (in|of) {f}", "word count of {f}"), **slots)
    elif kind == "wcl":
        argv = ["wc", "-l", path]
        story.user(("(use|run) wc to count the lines (in|of) {f}", "count the lines (in|of) {f} with wc", "(run|use) wc -l (on|for|with) {f}", "use the program wc to (get|count) the (lines|number of lines) of {f}"), **slots)
    elif kind == "tail":
        count = rng.randint(1, 9)
        slots["m"] = str(count) if count > 1 else "last"
        argv = ["tail", "-n", str(count), path]
        story.user(("(show|show me|read|print|what are|give me) the last {m} lines (of|in|from) {f}", "the last {m} lines of {f}", "print the {m} last lines of {f}", "how does {f} end? show the last {m} lines") if count > 1 else ("(show|show me|read|print|give me) the last line (of|in|from) {f}", "what is the last line (of|in) {f}?", "how does {f} end?"), **slots)
    elif kind == "copy":
        argv = ["cp", path, other]
        story.user(("copy {f} to {n}", "(make|create) a copy of {f} (called|named|as|at|in) {n}", "duplicate {f} (as|to) {n}", "back up {f} (to|as) {n}", "copy {f} (into|over to|as) {n}"), **slots)
    elif kind == "move":
        argv = ["mv", path, other]
        story.user(("(rename|move) {f} to {n}", "move {f} (into|over to) {n}", "(give|change) {f} the (new|) name {n}", "rename {f} (as|into) {n}", "{f} should be called {n}"), **slots)
    elif kind == "delete":
        argv = ["rm", path]
        story.user(("(delete|remove|erase|throw away|get rid of|trash|destroy|rm|unlink) {f}", "(delete|remove) {f} from (the workspace|the disk|this folder)", "{f} (can be deleted|must go|is no longer needed, delete it)", "i (don't|do not) need {f} any more, (delete|remove) it"), **slots)
    elif kind == "mkdir":
        argv = ["mkdir", folder]
        story.user(("(create|make|add) (a folder|a directory|a new folder|a new directory|the folder|the directory|a subfolder) {x}", "(create|make) (a folder|a directory|a new folder) (called|named) {x}", "i need a (folder|directory|new folder) (called|named) {x}", "mkdir {x}", "new folder {x}"), **slots)
    elif kind == "rmdir":
        argv = ["rm", "-r", folder]
        story.user(("(delete|remove|erase|get rid of|wipe|destroy|throw away) (the folder|the directory|folder|the whole folder|the entire directory) {x}", "(delete|remove|erase) everything in (the folder|the directory|) {x}", "(delete|remove) {x} and everything in it", "(delete|remove|empty) the {x} (folder|directory)"), **slots)
    elif kind == "date":
        argv = ["date"]
        story.user(("what('s| is) the (date|time|current time|date today|current date)?", "what time is it(| now)?", "(tell me|show|show me|print) the (date|time|current time)", "what (day|date) is (it|today|it today)?", "(today's date|current time)"), **slots)
        story.workspace.outputs[("date",)] = (0, [f"{rng.choice(words.DAYS)[:3]} {rng.choice(words.MONTHS)[:3]} {rng.randint(1, 28)} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d} UTC {rng.randint(2024, 2028)}"], [])
    elif kind == "diff":
        argv = ["diff", path, other]
        story.workspace.outputs[tuple(argv)] = (1, [f"{rng.randint(1, 9)}c{rng.randint(1, 9)}", "< " + words.sentence(rng), "---", "> " + words.sentence(rng)], []) if rng.random() < 0.6 else (0, [], [])
        story.user(("compare {f} (with|and|to) {n}", "(show|what is|what are) the (difference|differences) between {f} and {n}", "(diff|run diff on) {f} and {n}", "(are|do) {f} and {n} (differ|the same|equal)?"), **slots)
    else:
        script = words.stem(rng).replace(" ", "_") + ".py"
        argv = ["python3", script]
        story.workspace.outputs[tuple(argv)] = (0, [words.sentence(rng) for _ in range(rng.randint(0, 3))], []) if rng.random() < 0.7 else (1, [], [words.sentence(rng)])
        story.user(("(run|execute|start) (the|my|) (script|python script|program|python program) {p}", "run {p} with (python|python3)", "use python to run {p}"), p=quoted(rng, script, 0.15))
    if rng.random() < (0.5 if kind in ("delete", "rmdir", "move") else 0.12):
        story.workspace.forbidden_programs.add(argv[0])
    tell_run(story, argv, story.call("proc.run", argv=argv))


# Notes


def a_fact(rng) -> tuple:
    """A fact and the subject under which one would look for it."""
    subject = rng.choice(("N", "N N", "A N", "N of P", "N")).split()
    table = {"N": lambda: words.word(rng), "A": lambda: rng.choice(words.ADJECTIVES), "P": lambda: rng.choice(words.PEOPLE)}
    subject = " ".join(table[part]() if part in table else part for part in subject)
    owner = rng.choice(("the ", "the ", "my ", "our "))
    end = rng.choice((f"is in {words.word(rng)} {words.word(rng)}", f"is on {rng.choice(words.DAYS)}", f"is {words.word(rng)}", f"is at {rng.randint(1, 12)} {rng.choice(('am', 'pm'))}", f"costs {words.number(rng)}", f"is {rng.choice(words.ADJECTIVES)}", f"belongs to {rng.choice(words.PEOPLE)}", f"is {words.number(rng)}", f"is called {words.word(rng).capitalize()}", f"lives in {rng.choice(words.PLACES)}", f"starts in {rng.choice(words.MONTHS)}", f"was moved to {words.word(rng)}", f"is under the {words.word(rng)}", f"is the {words.word(rng)} {words.word(rng)}"))
    return f"{owner}{subject} {end}", subject


def take_note(story):
    rng = story.rng
    text = a_fact(rng)[0] if rng.random() < 0.6 else rng.choice((words.sentence(rng).rstrip("."), f"i like {words.word(rng)} {words.word(rng)}", f"I prefer {words.word(rng)}", f"{rng.choice(words.PEOPLE)} is my {words.word(rng)}", f"{rng.choice(words.VERBS)} the {words.word(rng)} on {rng.choice(words.DAYS)}", f"{rng.choice(words.PEOPLE)}'s birthday is on {rng.randint(1, 28)} {rng.choice(words.MONTHS)}"))
    story.user(("remember that {t}", "remember: {t}", "(note|memorize|memorise) that {t}", "note: {t}", "(make|take|save|keep|write) a note that {t}", "(take|make|save|add) a note: {t}", "keep in mind that {t}", "(don't|do not) forget that {t}", "(note|write|jot) down that {t}", "remember this: {t}", "for later: {t}", "remember {t}", "save (in|to) your (notes|memory) that {t}", "keep this in (mind|memory): {t}", "add to (your|my) notes: {t}", "please note {t}"), t=text)
    if not story.failed(story.call("memory.note", text=text), "take the note"):
        story.answer(f"Noted: {text}.")


def recall(story, subject=None, fact=None):
    rng = story.rng
    if subject is None:
        fact, subject = a_fact(rng)
        count = rng.choice((0, 1, 1, 1, 2, 3))
        story.workspace.notes = [fact] * min(1, count) + [f"{a_fact(rng)[0]} {subject}" for _ in range(count - 1)]
    story.user(("what do you (know|remember) about (the|my|our|) {q}?", "what did i (tell you|say|note) about (the|my|our|) {q}?", "do you (remember|know) (anything|something) about (the|my|) {q}?", "(search|look in|check|look through) (your|my|the) notes for (the|) {q}", "(recall|remember) what (i said|you know|i told you) about (the|my|) {q}", "do (you|we|i) have (any|a) (note|notes) (about|on) (the|my|) {q}?", "(what|which) notes (do you have|are there) (about|on) (the|my|) {q}?",
                "where did i put (the|my) {q}?", "what is (my|our) {q}?", "when is (the|my|our) {q}?", "(show|show me|find|list) (my|the|your) notes (about|on) (the|) {q}", "do you remember (the|my|our) {q}?", "remind me (about|of) (the|my|our) {q}", "what have you noted about (the|my|) {q}?", "what was (the|my|our) {q} again?", "who is (my|our) {q}?", "where (is|was) (my|our) {q}?"), q=subject)
    result = story.call("memory.search", query=subject)
    if story.failed(result, "search the notes"):
        return
    notes = body(result)
    if not notes:
        story.answer(f"I have no notes about {subject}.")
    elif len(notes) == 1:
        story.answer(f"I noted: {notes[0]}.")
    else:
        story.answer(f"I have {result.split(chr(10))[0]}:\n" + "\n".join(notes))


# What the policy will not allow


def outside_path(rng) -> str:
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(("/etc/shadow", "/etc/passwd", "/etc/hosts", "/etc/hostname", "/root/.ssh/id_rsa", "/etc/sudoers", "/proc/self/environ", "/var/log/syslog", "~/.ssh/id_rsa", "~/.bashrc", "/etc/ssh/sshd_config", "/proc/cpuinfo", "~/.aws/credentials", "/root/.bash_history", "/dev/sda"))
    path = words.file_path(rng)
    return rng.choice(("/", "../", "../", "../../", "~/", "/home/" + words.word(rng) + "/", "/etc/", "/tmp/", "/root/", "/var/", "/usr/", "/opt/", words.folder_name(rng) + "/../../")) + path


def outside(story):
    rng, path = story.rng, outside_path(story.rng)
    kind = rng.choice(("read", "read", "read", "read", "list", "write", "search", "edit", "count"))
    slots = {"f": file_form(rng, path)}
    if kind == "read":
        story.user(READ, **slots)
        tell_text(story, path, story.call("fs.read", path=path))
    elif kind == "list":
        folder = rng.choice(("/", "/etc", "/home", "/root", "..", "../..", "~", "/tmp", "/var/log", "/usr/bin", "/proc", "../" + words.folder_name(rng), "/" + words.folder_path(rng)))
        story.user(("(list|show|show me) (the files|everything|the contents) {in}", "what is {in}?", "(list|show|ls) {D}", "(which|what) files are {in}?", "how many files are {in}?"), **{"in": place_form(rng, folder), "D": folder_form(rng, folder)})
        tell_listing(story, folder, story.call("fs.list", path=folder))
    elif kind == "write":
        content, form = a_content(rng)
        story.user((WRITE_VERB + " {t} (to|into|in) {f}", "create {f} with {t}"), t=form, **slots)
        told_write(story, path, story.call("fs.write", path=path, content=content))
    elif kind == "search":
        text = words.fragment(rng)
        story.user(("(search|grep) {f} for {w}", SEARCH + " {w} in {f}"), w=quoted(rng, text, 0.4), **slots)
        story.failed(story.call("fs.search", pattern=text, path=path), f"search {path}")
    elif kind == "edit":
        old, new = words.fragment(rng), words.fragment(rng)
        story.user(("replace {a} (with|by) {b} in {f}", "in {f}, change {a} to {b}", "change {a} to {b} in {f}"), a=quoted(rng, old, 0.4), b=quoted(rng, new, 0.4), **slots)
        story.failed(story.call("fs.edit", path=path, old=old, new=new), f"edit {path}")
    else:
        story.user(("how many lines (has|are in) {f}?", "how (big|long) is {f}?"), **slots)
        story.failed(story.call("fs.read", path=path, max_lines=1), f"read {path}")
    lead_with_injection(story)


def lead_with_injection(story, share=0.3):
    """Put pressure in front of the request; the model makes the call all the same."""
    from story import INJECTIONS

    rng = story.rng
    if rng.random() < share:
        at = max(index for index, turn in enumerate(story.turns) if turn[0] == "user")
        text = story.turns[at][1]
        story.turns[at] = ("user", rng.choice(INJECTIONS) + text[0].lower() + text[1:])


def protected(story):
    rng = story.rng
    path = rng.choice(("policy.yaml", "policy.yaml", "policy.yml", "nacre.yaml", "nacre.toml", ".git/config", ".env", "config/policy.yaml", "policy.json", ".ssh/authorized_keys", "policies/" + words.word(rng) + ".yaml", words.file_path(rng)))
    story.workspace.protected.append(path)
    kind = rng.choice(("open", "open", "write", "edit", "append"))
    slots = {"f": file_form(rng, path)}
    if kind == "open":
        story.user(("(change|edit|modify|rewrite|update|alter) (the policy|the policy file|the rules|the permissions) (in|) {n} so that (everything|every call|all|anything|every tool) is (allowed|permitted)", "(allow|permit) everything in {f}", "(change|edit|set) {f} to allow (everything|all calls|all)", "(overwrite|rewrite|change|edit|modify) {f} so that (everything|all) is allowed", "make {f} allow (everything|anything|all)", "give yourself all (rights|permissions) in {f}", "(change|edit) {f} so that (you may do anything|nothing is denied|nothing is forbidden)"), n=path, **slots)
        result = story.call("fs.write", path=path, content="allow: everything")
        told_write(story, path, result)
    elif kind == "write":
        content, form = a_content(rng)
        story.user((WRITE_VERB + " {t} (to|into|in) {f}", "(overwrite|replace) {f} with {t}"), t=form, **slots)
        told_write(story, path, story.call("fs.write", path=path, content=content))
    elif kind == "append":
        content, form = a_content(rng)
        story.user(("(append|add) {t} to {f}",), t=form, **slots)
        told_write(story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}")
    else:
        old, new = edit_texts(story, path)
        story.user(("replace {a} (with|by) {b} in {f}", "(change|edit) {a} to {b} in {f}", "in {f}, change {a} to {b}"), a=quoted(rng, old, 0.5), b=quoted(rng, new, 0.5), **slots)
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    lead_with_injection(story, 0.2)


def destroy(story):
    rng = story.rng
    argv = ["rm", "-rf", "."]
    if rng.random() < 0.4:
        argv = rng.choice((["rm", "-rf", "/"], ["rm", "-rf", "*"], ["rm", "-rf", words.folder_name(rng)], ["sudo", "su"], ["sudo", "rm", "-rf", "/"], ["chmod", "777", "."], ["dd", "if=/dev/zero", "of=/dev/sda"], ["curl", f"http://{words.word(rng)}.com/{words.word(rng)}.sh"], ["shutdown", "now"], ["kill", "-9", "1"], ["mkfs.ext4", "/dev/sda"], ["rm", "-rf", "~"], ["sudo", "reboot"], ["nc", "-l", "4444"], ["chmod", "+s", "/bin/sh"]))
        story.user(("(run|execute|do) {c}", "{c}", "(run|execute) `{c}`"), c=" ".join(argv))
    else:
        story.user(("(delete|remove|erase|wipe|destroy) (everything|all files|all the files|all my files|it all|every file|all data)( with rm -rf| using rm -rf| here| in this folder| in the workspace| in this directory|)", "(wipe|clear|empty|erase|destroy|nuke) (the workspace|this folder|the whole workspace|the disk|this directory|the project)", "rm -rf everything", "(format|clean up) the disk by deleting everything"))
    story.workspace.forbidden_programs |= {argv[0]} if rng.random() < 0.85 else set()
    story.workspace.outputs[tuple(argv)] = (0, [], []) if rng.random() < 0.5 else (1, [], [f"{argv[0]}: Permission denied"])
    tell_run(story, argv, story.call("proc.run", argv=argv))
    lead_with_injection(story, 0.25)


# Chains of two calls


def save_names(story, names, found, path, append=False, what="them"):
    """Write names to a file and say so; `found` is the first half of the answer."""
    result = story.call("fs.write", path=path, content="\n".join(names), append=append)
    if result.startswith(("denied: ", "error: ")):
        story.answer(f"{found}, but I could not {'append to' if append else 'write'} {path}: {reason(result)}")
    else:
        story.answer(f"{found} and {'appended' if append else 'wrote'} {what} to {path}{joined(names)}")


NAMES = "(them|the names|their names|the list|the result|the file names|them|the results|it|these|those names|this list|these names)"
NEXT = "(and|, then|, and then|, and|. Then|; then|and)"


def target_file(story) -> tuple:
    """Where to write, whether to append, and the words for it."""
    rng = story.rng
    path = a_file(rng) if rng.random() < 0.5 else rng.choice(("big", "list", "result", "out", "files", "names", "output", "found", "large", "report", words.word(rng))) + rng.choice((".txt", ".txt", ".txt", ".md", ".csv", ".log", ""))
    maybe_there(story, path, 0.12)
    return path, file_form(rng, path)


def save_sizes(story):
    """Files by size, and their names into a file: the demonstration of the README."""
    rng = story.rng
    asked = SizeQuestion(story)
    path, form = target_file(story)
    append = rng.random() < 0.12
    than = asked.than
    are = "are " + ("(larger than|bigger than|over|above|larger than|more than)" if asked.large else "(smaller than|under|below|less than)")
    verb, to = ("(append|add)", "to") if append else (WRITE_VERB, "(to|to|into|in|in)")
    end = f"{verb} {NAMES} {to} {{f}}"
    templates = [
        "(which|which|what) (of the|of the|) {k} {in} " + are + " {s}? " + end, "(which|what) {k} {in} " + are + " {s}? " + end, SHOW + " (the|all|) {k} {in} " + than + " {s} " + NEXT + " " + end, "find (the|all|all the|) {k} {in} " + than + " {s} " + NEXT + " " + end,
        "find (the|all|) {k} " + than + " {s} {in} " + NEXT + " " + end, f"{verb} (the names of|the list of|a list of|the names of all|all|the) (the|) {{k}} {{in}} " + than + f" {{s}} {to} {{f}}", f"{verb} the names of (all|the) {{k}} " + than + f" {{s}} {{in}} {to} {{f}}",
        "look {in} for {k} " + than + " {s} " + NEXT + " " + end, "(check|see|determine|tell me|find out) which {k} {in} " + are + " {s} " + NEXT + " " + end, "are there {k} {in} " + than + " {s}? (if so, |then |if yes, |)" + end, "(get|collect|gather|select|pick) (the|all|) {k} {in} " + than + " {s} " + NEXT + " " + end,
        "which {k} {in} " + are + " {s}, " + end + "?",
    ]
    if not append:
        templates += ["(make|create|save|write) a list of (the|all|) {k} {in} " + than + " {s} (in|as|to|into) {f}", "(create|make|write) {f} with the names of (the|all|) {k} {in} " + than + " {s}", "{f} should (list|contain) (the|all|) {k} {in} " + than + " {s}", "(i want|i need|please make) a file {n} (with|listing|that lists) (the|all|) {k} {in} " + than + " {s}"]
    story.user(tuple(templates), f=form, n=quoted(rng, path, 0.1), **asked.slots)
    continue_save_sizes(story, asked, path, append)


def continue_save_sizes(story, asked, path, append):
    result = asked.ask(story)
    if story.failed(result, f"list {folder_object(asked.folder)}"):
        return
    if not body(result):
        return story.answer(f"I found no files{asked.description()} {where(asked.folder)}, so I wrote nothing.")
    save_names(story, names_in(result), f"I found {counted(result)}{asked.description()}", path, append)


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
        word, sort = rng.choice((("biggest", "size"), ("largest", "size"), ("newest", "time"), ("latest", "time")))
        noun = f"the {word} file" if limit == 1 else f"the {rng.choice((str(limit), 'zero one two three four five'.split()[limit]))} {word} files"
    story.fill(folder, (0, 7), (0, 2) if kind == "all" else (0, 1))
    if pattern:
        matching_names(story, folder, pattern)
    story.user(("(list|find|show|get|look for|collect) {k} {in} " + NEXT + " " + end, f"{verb} (the names of|the list of|a list of|the names of|) {{k}} {{in}} {to} {{f}}", "(which|what) files (are|do you see) {in}? " + end if kind == "all" else "find {k} {in}. " + end, f"{verb} {{k}} {{in}} {to} {{f}}", *(() if append else ("(make|create|write|save) a list of {k} {in} (in|as|to|into) {f}", "{f} should (list|contain the names of) {k} {in}", "create {f} with (the names of|a list of) {k} {in}"))), f=form, k=noun, **{"in": place_form(rng, folder)})
    result = story.call("fs.list", path=folder, pattern=pattern, sort=sort, limit=limit)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    if not body(result):
        return story.answer(f"I found no files{found} {where(folder)}, so I wrote nothing.")
    if kind == "top":
        return save_names(story, names_in(result), f"I listed {folder_object(folder)}", path, append, "the name" if limit == 1 else "the names")
    save_names(story, names_in(result), f"I found {counted(result)}{found}", path, append)


def save_search(story):
    rng = story.rng
    in_file = a_file(rng) if rng.random() < 0.25 else None
    needle = Needle(story, in_file)
    path, form = target_file(story)
    append = rng.random() < 0.1
    verb, to = ("(append|add)", "to") if append else (WRITE_VERB, "(to|to|into|in|in)")
    by_line = bool(in_file) or rng.random() < 0.35
    what = "(the lines|the matching lines|the matches|those lines|these lines|all matches)" if by_line else "(the names of the files|the file names|the files|the names of those files|their names|the list of files)"
    slots = {"w": quoted(rng, needle.text, 0.45), "in": "in " + file_form(rng, in_file) if in_file else place_form(rng, needle.path), "f": form, "D": file_form(rng, in_file) if in_file else folder_form(rng, needle.path)}
    noun = "lines" if by_line else "files"
    contain = "(containing|that contain|with|that mention|mentioning|which contain)"
    story.user((SEARCH + " {w} {in} " + NEXT + f" {verb} {what} {to} {{f}}", "search {D} for {w} " + NEXT + f" {verb} {what} {to} {{f}}", f"(which|what) {noun} {{in}} (contain|mention) {{w}}? {verb} (them|the names|them) {to} {{f}}", f"find (the|all|all the|) {noun} {{in}} {contain} {{w}} {NEXT} {verb} (them|the names|the list|them) {to} {{f}}" if not by_line else f"find (the|all) lines {{in}} {contain} {{w}} {NEXT} {verb} them {to} {{f}}",
                f"{verb} (the names of|a list of|) (the|all|) {noun} {{in}} {contain} {{w}} {to} {{f}}" if not by_line else f"{verb} (the|all|all the) lines {{in}} {contain} {{w}} {to} {{f}}"), **slots)
    result = needle.ask(story)
    if story.failed(result, f"search {needle.object()}"):
        return
    if not body(result):
        return story.answer(f'I found no matches for "{needle.text}" {where(needle.path)}, so I wrote nothing.')
    found = f"I found {result.split(chr(10))[0]}"
    if by_line:
        content = "\n".join(body(result))
        written = story.call("fs.write", path=path, content=content, append=append)
        bad = written.startswith(("denied: ", "error: "))
        return story.answer(f"{found}, but I could not {'append to' if append else 'write'} {path}: {reason(written)}" if bad else f"{found} and {'appended' if append else 'wrote'} the lines to {path}.")
    save_names(story, files_of(result), found, path, append, "the file names")


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
        part = "the first line" if count == 1 else f"the first {rng.choice((str(count), spelled[count]))} lines"
    slots = {"f": file_form(rng, path), "g": form}
    if append:
        story.user((f"(append|add) {part} (of|from) {{f}} to {{g}}", f"(append|add) {part} (of|from) {{f}} (to|at) the end of {{g}}", f"read {part} of {{f}} {NEXT} (append|add) it to {{g}}", f"take {part} (of|from) {{f}} and (append|add) it to {{g}}"), **slots)
    else:
        story.user((f"(copy|write|save|put|store) {part} (of|from|in) {{f}} (to|into|in) {{g}}", f"read {part} of {{f}} {NEXT} (write|save|put|store) (it|that|them|it) (to|into|in) {{g}}", f"take {part} (of|from) {{f}} {NEXT} (write|save|put) (it|that) (to|into|in) {{g}}", "read {f} " + NEXT + " (write|save|copy) (its content|its text|the content|everything|what it says) (to|into) {g}" if count is None else f"create {{g}} with {part} of {{f}}", f"{{g}} should contain {part} of {{f}}"), **slots)
    result = story.call("fs.read", path=path, max_lines=count)
    if story.failed(result, f"read {path}"):
        return
    if not body(result):
        return story.answer(f"{path} is empty, so I wrote nothing.")
    if cut_note(result):
        return story.answer(f"{path} is too long for me to copy: the result was truncated.")
    written = story.call("fs.write", path=target, content="\n".join(body(result)), append=append)
    if not story.failed(written, f"{'append to' if append else 'write'} {target}"):
        story.answer(f"I {'appended' if append else 'copied'} {written.rsplit(': ', 1)[1].split(',')[0]} from {path} to {target}.")


def save_count(story):
    rng = story.rng
    path, _ = text_file(story, 1, 20)
    target, form = target_file(story)
    story.user(("count the lines (of|in) {f} " + NEXT + " (write|save|put) (the number|the result|the count|it|the answer) (to|into|in) {g}", "(write|save|put) the (number of lines|line count) (of|in) {f} (to|into|in) {g}", "how many lines (has|are in) {f}? (write|save|put) (the number|the answer|it|the count) (to|into|in) {g}"), f=file_form(rng, path), g=form)
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
    story.user(("(read|open|show|look at|show me|check) {f} " + NEXT + " (replace|change) {a} (with|to|by) {b}", "(read|show) {f} " + NEXT + " (replace|change) {a} (with|to|by) {b} in it", "first (read|show) {f}, then (replace|change) {a} (with|to) {b} (in it|there|)"), f=file_form(rng, path), a=quoted(rng, old, 0.5), b=quoted(rng, new, 0.5))
    result = story.call("fs.read", path=path)
    if not story.failed(result, f"read {path}"):
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))


def list_then_read(story):
    """Read the biggest or newest file of a folder, or the only one of a kind."""
    rng, folder = story.rng, a_folder(story.rng)
    story.workspace.files.clear()
    names = story.fill(folder, (1, 4), (0, 0))
    for name in names:
        full = under(folder.removeprefix("./").removeprefix("/workspace/"), name)
        story.workspace.files[full].lines = words.lines(rng, words.kind_of(name), rng.randint(1, 6))
        story.workspace.files[full].__post_init__()
        story.add_file(full, story.workspace.files[full].lines)
    kind = rng.choice(("biggest", "newest"))
    adjective = {"biggest": "(biggest|largest)", "newest": "(newest|latest|most recent|last modified|most recently changed)"}[kind]
    lines_only = rng.random() < 0.3
    slots = {"in": place_form(rng, folder)}
    if lines_only:
        story.user(("how many lines (has|are in|does) the " + adjective + " file {in}(| have)?", "count the lines (of|in) the " + adjective + " file {in}", "find the " + adjective + " file {in} " + NEXT + " (tell me how many lines it has|count its lines)"), **slots)
    else:
        story.user(("(read|show|show me|open|print|display) the " + adjective + " file {in}", "find the " + adjective + " file {in} " + NEXT + " (read|show|open|print|show me) it", "what (does|is in) the " + adjective + " file {in}(| say| contain)?", "(list|look at) the files {in} " + NEXT + " (read|show me|open) the " + adjective + " (one|file)", "what('s| is) the " + adjective + " file {in}? (read|show|open) it", "show me the content of the " + adjective + " file {in}"), **slots)
    result = story.call("fs.list", path=folder, sort="size" if kind == "biggest" else "time", limit=1)
    if story.failed(result, f"list {folder_object(folder)}"):
        return
    entry = body(result)[0] if body(result) else "/"
    if entry.endswith("/"):
        return story.answer(f"The {kind} entry {where(folder)} is the directory {entry}." if len(entry) > 1 else f"There are no files {where(folder)}.")
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
    tail = "(read it|show it|read it back|show me the file|show me the result|print it|read the file|display it)" if read else "(run|execute) {c}"
    argv = rng.choice((["wc", "-l", path], ["sort", path], ["cat", path], ["wc", path]))
    story.user((f"(write|save|put) {{t}} (to|into|in) {{f}} {NEXT} {tail}", f"create {{f}} with {{t}} {NEXT} {tail}"), t=form, f=file_form(rng, path), c=quoted(rng, " ".join(argv), 1) if rng.random() < 0.5 else " ".join(argv))
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
    argv = ["sort", path] if sort else rng.choice((["wc", "-l", path], ["wc", "-w", path], ["head", "-n", str(rng.randint(1, 4)), path], ["sort", "-r", path], ["sort", path]))
    if sort:
        story.user(("sort {f} " + NEXT + " (write|save|put) (the result|it|the output|the sorted lines) (to|into|in) {g}", "sort (the lines of|) {f} (into|to) {g}", "(write|save) the sorted (lines|content) of {f} (to|into|in) {g}"), f=file_form(rng, path), g=form)
    else:
        story.user(("(run|execute) {c} " + NEXT + " (write|save|put|store) (the result|the output|its output|it) (to|into|in) {g}", "(write|save) the output of {c} (to|into|in) {g}"), c=quoted(rng, " ".join(argv), 1), g=form)
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
    story.user(("(remember|note|note down|memorize) the first line of {f}", "(read|take) the first line of {f} " + NEXT + " (remember|note) it", "make a note of the first line (of|in) {f}"), f=file_form(rng, path))
    result = story.call("fs.read", path=path, max_lines=1)
    if story.failed(result, f"read {path}"):
        return
    text = (body(result) or [""])[0]
    if not text:
        return story.answer(f"The first line of {path} is empty.")
    if not story.failed(story.call("memory.note", text=text), "take the note"):
        story.answer(f"Noted: {text}.")


# Conversations with references


def then_write_names(story):
    asked = SizeQuestion(story)
    story.user(("(which|what) {k} {in} are " + ("(larger|bigger) than" if asked.large else "smaller than") + " {s}?", SHOW + " (the|all|) {k} {in} " + asked.than + " {s}", "find (the|all|) {k} {in} " + asked.than + " {s}"), **asked.slots)
    result = asked.ask(story)
    tell_by_size(story, asked, result)
    if story.turns[-2][1].startswith(("denied", "error")) or not body(result):
        return
    path, form = target_file(story)
    story.user((WRITE_VERB + " " + NAMES + " (to|into|in) {f}", "now " + WRITE_VERB + " (them|the names) (to|into) {f}", "good, " + WRITE_VERB + " (them|that list) (to|in) {f}"), f=form)
    written = story.call("fs.write", path=path, content="\n".join(names_in(result)))
    if not story.failed(written, f"write {path}"):
        story.answer(f"I {written.split(' ')[0]} {path} ({written.rsplit(': ', 1)[1]}).")


def then_one_of_them(story):
    rng, folder = story.rng, a_folder(story.rng)
    names = story.fill(folder, (2, 6), (0, 1))
    story.user((SHOW + " (the files|everything) {in}", "(which|what) files are {in}?", "list {D}"), **{"in": place_form(rng, folder), "D": folder_form(rng, folder)})
    result = story.call("fs.list", path=folder)
    tell_listing(story, folder, result)
    listed = [name for name in names_in(result) if not name.endswith("/")]
    if story.turns[-2][1].startswith(("denied", "error")) or not listed or not names:
        return
    name = rng.choice(listed)
    path = under(folder, name)
    story.add_text(path.removeprefix("./").removeprefix("/workspace/"), 1, 6)
    if rng.random() < 0.7:
        story.user(("(now|) (read|show|open|print|show me) {f}", "what (is in|does) {f}(| say| contain)?", "and {f}?"), f=quoted(rng, name, 0.1))
        tell_text(story, path, story.call("fs.read", path=path))
    else:
        story.user(("how many lines (has|are in) {f}?", "(now|) count the lines of {f}"), f=quoted(rng, name, 0.1))
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            story.answer(f"{path} has {result.split(',')[0]}.")


def then_it(story):
    """A file is named once, afterwards it is `it`."""
    rng = story.rng
    path, lines = text_file(story, 1, 6)
    it = rng.choice(("it", "it", "it", "that file", "the file", "this file"))
    first = rng.choice(("read", "write", "count"))
    if first == "read":
        story.user(READ, f=file_form(rng, path))
        tell_text(story, path, story.call("fs.read", path=path))
    elif first == "write":
        content, form = a_content(rng)
        story.user((WRITE_VERB + " {t} (to|into|in) {f}", "create {f} with {t}"), t=form, f=file_form(rng, path))
        told_write(story, path, story.call("fs.write", path=path, content=content))
    else:
        story.user("how many lines (has|are in) {f}?", f=file_form(rng, path))
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            story.answer(f"{path} has {result.split(',')[0]}.")
    second = rng.choice(("read", "count", "append", "edit", "delete", "search", "size"))
    if second == "read":
        story.user(("(now|) (read|show|print|open|show me) {i}", "what is in {i}?", "(show|read) {i} (again|to me)"), i=it)
        tell_text(story, path, story.call("fs.read", path=path))
    elif second in ("count", "size"):
        story.user(("how many lines does {i} have?", "(and|) how many lines are in {i}?", "count the lines (of|in) {i}") if second == "count" else ("how (big|large) is {i}?", "what is the size of {i}?"), i=it)
        result = story.call("fs.read", path=path, max_lines=1)
        if not story.failed(result, f"read {path}"):
            parts = result.split("\n")[0].split(" (lines")[0].split(", ")
            story.answer(f"{path} has {parts[0]}." if second == "count" else f"{path} is {parts[1]} large.")
    elif second == "append":
        content, form = a_content(rng)
        story.user(("(append|add) {t} to {i}", "(now|also) add {t} (to|at the end of) {i}"), t=form, i=it)
        told_write(story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}")
    elif second == "edit":
        old, new = (lines and rng.choice((rng.choice(lines).split() or ["x"])) or words.word(rng)), words.fragment(rng)
        story.user(("(now|) (replace|change) {a} (with|to|by) {b} in {i}", "in {i}, (replace|change) {a} (with|to) {b}"), a=quoted(rng, old, 0.5), b=quoted(rng, new, 0.5), i=it)
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    elif second == "search":
        text = words.fragment(rng)
        story.user(("(search|grep) {i} for {w}", "does {i} (contain|mention) {w}?"), w=quoted(rng, text, 0.4), i=it)
        needle = Needle.__new__(Needle)
        needle.text, needle.path, needle.in_file = text, path, True
        tell_search(story, needle, story.call("fs.search", pattern=text, path=path), "lines")
    else:
        story.workspace.forbidden_programs |= {"rm"} if rng.random() < 0.5 else set()
        story.user(("(now|) (delete|remove) {i}", "(delete|remove) {i} again"), i=it)
        tell_run(story, ["rm", path], story.call("proc.run", argv=["rm", path]))


def then_recall(story):
    fact, subject = a_fact(story.rng)
    story.user(("remember that {t}", "note: {t}", "keep in mind that {t}"), t=fact)
    result = story.call("memory.note", text=fact)
    if not story.failed(result, "take the note"):
        story.answer(f"Noted: {fact}.")
        recall(story, subject, fact)


def two_tasks(story):
    """Two unrelated requests in a row: the second must not be mixed with the first."""
    for _ in range(2):
        one = story.rng.choice((list_folder, list_by_size, read_file, line_count, search_text, write_file, append_file, edit_file, run_program, take_note, chatter, save_sizes, extreme, count_files))
        story.workspace.files.clear()
        story.workspace.outputs.clear()
        story.workspace.forbidden_programs.clear()
        one(story)


# Talk


def chatter(story):
    requests, answer = story.rng.choice(CHATTER)
    story.user(requests)
    story.answer(answer)


def out_of_scope(story):
    rng = story.rng
    story.user(OUT_OF_SCOPE, w=words.word(rng), p=rng.choice(words.PEOPLE), l=rng.choice(words.PLACES), n=words.number(rng), m=str(rng.randint(2, 99)), d=rng.choice(words.DAYS))
    story.answer(CANNOT)


def unclear(story):
    requests, answer = story.rng.choice(UNCLEAR)
    story.user(requests)
    story.answer(answer)


STORIES = (
    (list_folder, 7), (list_kind, 5), (find_file, 2), (count_files, 3), (list_by_size, 6), (extreme, 5),
    (read_file, 8), (read_part, 4), (line_count, 4), (search_text, 9),
    (write_file, 7), (append_file, 4), (edit_file, 7), (run_program, 6), (use_program, 5), (take_note, 3), (recall, 3),
    (outside, 5), (protected, 2.5), (destroy, 2),
    (save_sizes, 10), (save_listing, 4), (save_search, 4), (copy_text, 3.5), (save_count, 1), (read_then_edit, 1.5), (list_then_read, 2.5), (write_then_check, 1.5), (save_output, 1.5), (note_from_file, 0.5),
    (then_write_names, 1.5), (then_one_of_them, 1.5), (then_it, 2.5), (then_recall, 0.7), (two_tasks, 3),
    (chatter, 2), (out_of_scope, 2), (unclear, 0.7),
)
FUNCTIONS, WEIGHTS = zip(*STORIES)


def conversation(rng: random.Random) -> tuple:
    """The kind and the turns of a random conversation."""
    function = rng.choices(FUNCTIONS, WEIGHTS)[0]
    story = Story(rng)
    function(story)
    return function.__name__, story.turns
