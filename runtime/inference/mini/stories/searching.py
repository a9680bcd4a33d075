"""Requests to search for a text."""

import words
from stories.builder import (
    body,
    cut_note,
    file_form,
    folder_form,
    folder_object,
    joined,
    place_form,
    quoted,
    where,
)
from stories.common import SEARCH, a_file, a_folder
from words import clean_path

SHOWN, BEGINNING = 12, 4  # matches that an answer repeats: of a few, of many


class Needle:
    """A text to search for and files that (mostly) contain it."""

    def __init__(self, story, in_file=None):
        rng = story.rng
        self.text = words.fragment(rng)
        self.path = a_folder(rng) if in_file is None else in_file
        self.in_file = in_file is not None
        self.options = {}
        base = "" if self.path == "." else clean_path(self.path) + "/"
        targets = (
            [base.rstrip("/")]
            if self.in_file
            else [base + words.file_path(rng, True, (0, 0, 0, 1)) for _ in range(rng.randint(1, 3))]
        )
        for target in targets:
            lines = story.add_text(target, 1, 14)
            for _ in range(rng.choice((0, 1, 1, 1, 2)) if rng.random() < 0.94 else rng.randint(3, 9)):
                at = rng.randrange(len(lines) + 1)
                lines.insert(
                    at,
                    (words.sentence(rng) + " " if rng.random() < 0.3 else "")
                    + self.text
                    + (" " + words.sentence(rng) if rng.random() < 0.3 else rng.choice(("", ";", ".", ","))),
                )
            story.add_file(target, lines)
        if base and not self.in_file:
            story.add_folder(base[:-1])

    @classmethod
    def of(cls, text: str, path: str):
        """A text to search for in a file that stands already."""
        needle = cls.__new__(cls)
        needle.text, needle.path, needle.in_file, needle.options = text, path, True, {}
        return needle

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
    if story.asks_whether and kind == "lines":
        story.preface("Yes, " if found else "No, ")
    if not found:
        story.answer(f"I found no matches for {quote} {where(needle.path)}.")
    elif kind == "count":
        story.answer(f"I found {header} for {quote}.")
    elif kind == "files":
        story.answer(f"I found {header} for {quote}{joined(files_of(result))}{cut_note(result)}")
    elif len(found) <= SHOWN:
        story.answer(f"I found {header} for {quote}:\n" + "\n".join(found) + cut_note(result))
    else:
        story.answer(f"I found {header} for {quote}, among them:\n" + "\n".join(found[:BEGINNING]) + cut_note(result))


def search_text(story):
    rng = story.rng
    in_file = a_file(rng) if rng.random() < 0.35 else None
    needle = Needle(story, in_file)
    slots = {
        "w": quoted(rng, needle.text, 0.45),
        "in": "in " + file_form(rng, in_file) if in_file else place_form(rng, needle.path),
        "D": file_form(rng, in_file) if in_file else folder_form(rng, needle.path),
    }
    option = ""
    if rng.random() < 0.3:
        kind = rng.choice(("case", "glob", "glob", "regex", "limit"))
        if kind == "case":
            needle.options["ignore_case"] = True
            option = rng.choice(
                (
                    ", ignoring case",
                    " ignoring case",
                    ", case-insensitive",
                    " case-insensitively",
                    " (ignore case)",
                    ", ignore upper and lower case",
                    ", no matter the case",
                    " regardless of case",
                )
            )
        elif kind == "glob" and not in_file:
            extension = rng.choice(words.TEXT_EXTENSIONS)
            needle.options["files"] = "*." + extension
            option = rng.choice(
                (
                    f", only in *.{extension} files",
                    f" in the .{extension} files",
                    f", only {extension} files",
                    f", only look at *.{extension}",
                    f" in all {extension} files",
                )
            )
        elif kind == "limit":
            limit = needle.options["limit"] = rng.randint(1, 5)
            option = rng.choice(
                (
                    f", at most {limit} lines",
                    f", only the first {limit}",
                    f" (show only {limit})",
                    f", the first {limit} matches are enough",
                    f", stop after {limit} matches",
                    f", no more than {limit} results",
                )
            )
        elif kind == "regex":
            needle.options["regex"] = True
            needle.text = rng.choice(
                (
                    f"^{words.word(rng)}",
                    f"{words.word(rng)}.*{words.word(rng)}",
                    "[0-9]+",
                    f"{words.word(rng)}[0-9]",
                    f"{words.word(rng)}$",
                    "[A-Z][a-z]+",
                )
            )
            slots["w"] = rng.choice(
                ("the regex ", "the regular expression ", "the pattern ", "regex ")
            ) + quoted(rng, needle.text, 0.5)
    slots["o"] = option
    kind = rng.choice(("lines", "lines", "lines", "files", "count"))
    if needle.options.get("regex"):
        kind = "lines"
        templates = (
            "(search|look) {in} for {w}",
            "(search for|find|look for) {w} {in}",
            "(which|what) lines {in} match {w}?",
        )
    elif kind == "lines":
        templates = (
            SEARCH + " {w} {in}{o}",
            "(search|grep|scan) {D} for {w}{o}",
            "where (does|do) {w} (occur|appear|show up|stand) {in}{o}?",
            "where is {w} (mentioned|used|found|defined) {in}{o}?",
            "(does|do) {D} (mention|contain) {w}{o}?",
            "(which|what) lines {in} (contain|mention|have) {w}{o}?",
            "(is|are) there any (mention|occurrence|line) (of|with) {w} {in}{o}?",
            "(check|see) (if|whether) {w} (occurs|appears|is mentioned) {in}{o}",
            "what does {D} say about {w}{o}?",
            "(show|show me|print) (the|all) (lines|matches|places) (with|containing|that contain|that mention) {w} {in}{o}",
            "where can i find {w} {in}{o}?",
            "where do (we|i|you) (still have|have|use|see|mention|find) {w} {in}{o}?",
            "is {w} (mentioned|used|written|present|contained) (anywhere|somewhere|) {in}{o}?",
            "(does|do) {D} (say|have|include) (anything|something) (about|on) {w}{o}?",
            "(list|give me|print) (the|all|every) (lines|line|places|place) {in} (containing|with|mentioning|that has|where there is) {w}{o}",
            "(go|look) through {D} (and find|for) {w}{o}",
            "i'm looking for {w} {in}{o}",
            "grep {w} {in}{o}",
            "(please|) (try to|) find {w} {in}{o}",
            "can {w} be found {in}{o}?",
            "did (i|we) (write|mention|say) (something about|) {w} {in}{o}?",
            "{in}, " + SEARCH + " {w}{o}" if slots["in"] else SEARCH + " {w}{o}",
        )
    elif kind == "files":
        templates = (
            "(which|what) files {in} (contain|mention|have|use|include|talk about) {w}{o}?",
            "(list|show|show me|find|name|tell me) (the|all|all the|) files {in} (that contain|containing|that mention|mentioning|with|which contain|that include) {w}{o}",
            "in (which|what) files (is|does) {w} (occur|appear|mentioned|found) {in}{o}?",
            "(which|what) files (contain|mention) {w} {in}{o}?",
            "(what|which) files {in} (talk|say something|speak|tell) about {w}{o}?",
            "(tell me|say|find out|determine) (which|what) files {in} (contain|mention|have) {w}{o}",
            "who mentions {w} {in}{o}? (list|name) the files",
            "(what|which) documents {in} have {w} in them{o}?",
        )
    else:
        templates = (
            "how (often|many times) does {w} (occur|appear|show up) {in}{o}?",
            "count (the|all|) (occurrences|matches|mentions) of {w} {in}{o}",
            "how many (matches|occurrences|lines|hits) (are there|) (for|of|with) {w} (are there|) {in}{o}?",
            "(tell me|say) how often {w} (occurs|appears) {in}{o}",
            "how many lines {in} (contain|mention) {w}{o}?",
            "number of (matches|occurrences) of {w} {in}{o}",
        )
    yield
    story.user(templates, **slots)
    tell_search(story, needle, needle.ask(story), kind)
