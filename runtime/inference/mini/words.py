"""Vocabulary of the generated data: words, file names, paths and file contents.

A conversation plays in an everyday workspace (everyday.py), among random strings, which force the
model to copy instead of guessing a likely word, or in a mixture; see `Dice` of dice.py.
"""

import posixpath
import re
import string

import everyday
from dice import DAYS, Dice, MONTHS, PEOPLE, PLACES, TEXT_EXTENSIONS, is_held_out, ordinary, pick, split  # noqa: F401, also as words.NAME
from ordinary_words import ACTIONS, QUALITIES, THINGS, is_unwanted

NOUNS, VERBS, ADJECTIVES = THINGS, ACTIONS, QUALITIES
FOLDERS = tuple("""src docs data tests test lib bin include build scripts tools assets images img config etc logs notes reports
reports2 demo examples samples archive old new backup public private www web static templates tmp work home projects misc
input output results raw vendor core api cli ui app server client common utils models fixtures media music photos papers
drafts letters invoices 2023 2024 2025 2026 q1 q2""".split())
OTHER_EXTENSIONS = "svg png jpg gif pdf zip gz bin dat db mp3 wav exe iso tar doc xlsx bak".split()
PLAIN_NAMES = (
    "README LICENSE Makefile Dockerfile CHANGELOG TODO NOTES VERSION AUTHORS notes todo hosts INSTALL".split()
)
SYLLABLES = [
    a + b
    for a in "b c d f g h j k l m n p r s t v w z br ch cl dr fl gr pl sh st th tr kn wh qu".split()
    for b in "a e i o u ai ea ou ar en in on er al".split()
]


def random_letters(rng, low=2, high=9) -> str:
    """Letters without any pattern, or pronounceable, or a real word bent."""
    while True:
        kind = rng.random()
        if kind < 0.4:
            word = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(low, high)))
        elif kind < 0.85:
            word = "".join(rng.choices(SYLLABLES, k=rng.randint(1, 4)))
        else:
            word = rng.choice(NOUNS)
            at = rng.randrange(len(word))
            word = word[:at] + rng.choice(string.ascii_lowercase) + word[at + rng.randint(0, 1) :]
        if (is_held_out(word) == rng.held_out or high < 4) and not is_unwanted(word):
            return word


def word(rng) -> str:
    """One lower-case word: ordinary, or of no language."""
    kind = rng.random()
    if kind < 0.3:
        return pick(rng, rng.choice((NOUNS, NOUNS, VERBS, ADJECTIVES)))
    return pick(rng, ordinary()) if kind < 0.45 + 0.5 * rng.everyday else random_letters(rng)


def number(rng) -> str:
    """A number as it stands in files; small ones are frequent."""
    return str(rng.randint(0, 10 ** rng.randint(1, 5)))


def stem(rng) -> str:
    """A file name without its extension."""
    if rng.is_everyday():
        return everyday.stem_and_extension(rng)[0]
    kind = rng.random()
    if kind < 0.42:
        return word(rng)
    if kind < 0.72:
        joint = rng.choice("--__. ") if rng.random() < 0.3 else rng.choice("-_")
        return joint.join(word(rng) for _ in range(rng.randint(2, 3)))
    if kind < 0.80:
        return (
            word(rng)
            + rng.choice(("", "-", "_"))
            + rng.choice((number(rng), str(rng.randint(1, 12)), "v" + str(rng.randint(1, 5))))
        )
    if kind < 0.85:
        return rng.choice(("%d-%02d-%02d", "%d_%02d_%02d", "%d%02d%02d")) % (
            rng.randint(2019, 2027),
            rng.randint(1, 12),
            rng.randint(1, 28),
        )
    if kind < 0.91:
        return "".join(word(rng).capitalize() for _ in range(rng.randint(1, 3)))
    if kind < 0.94:
        return word(rng).upper()
    if kind < 0.97:
        return "".join(rng.choices(string.ascii_letters + string.digits, k=rng.randint(3, 9)))
    return rng.choice(PLAIN_NAMES)


def file_name(rng, text=False) -> str:
    """A name as found in real folders; `text` asks for an extension of text files."""
    if rng.is_everyday():
        return everyday.file_name(rng, text)
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(PLAIN_NAMES)
    if kind < 0.07 and not text:
        return "." + rng.choice(("env", "gitignore", "config", "bashrc", "editorconfig", word(rng)))
    if kind < 0.10:
        return stem(rng)
    extension = rng.choice(TEXT_EXTENSIONS) if text or rng.random() < 0.7 else rng.choice(OTHER_EXTENSIONS)
    if kind > 0.95:
        extension = random_letters(rng, 1, 4)[:4]
    return stem(rng) + "." + extension


def folder_name(rng) -> str:
    if rng.is_everyday():
        return everyday.folder_path(rng, 1)
    return pick(rng, FOLDERS) if rng.random() < 0.5 else stem(rng).lower().replace(" ", "-").replace(".", "")


def folder_path(rng, depths=(1, 1, 1, 2, 2, 3)) -> str:
    depth = rng.choice(depths)
    if rng.is_everyday():
        return everyday.folder_path(rng, depth)
    return "/".join(folder_name(rng) for _ in range(depth))


def file_path(rng, text=True, depths=(0, 0, 0, 1, 1, 2, 3)) -> str:
    depth = rng.choice(depths)
    prefix = folder_path(rng, (depth,)) + "/" if depth else ""
    return prefix + file_name(rng, text)


def size(rng) -> int:
    """File sizes over six orders of magnitude."""
    return rng.randint(0, 10 ** rng.randint(2, 6)) if rng.random() < 0.95 else rng.randint(0, 10**8)


SPOKEN_SIZES = (
    ("a kilobyte", "1 kB"),
    ("one kilobyte", "1 kB"),
    ("ten kilobytes", "10 kB"),
    ("twenty kilobytes", "20 kB"),
    ("fifty kilobytes", "50 kB"),
    ("a hundred kilobytes", "100 kB"),
    ("one hundred kilobytes", "100 kB"),
    ("a megabyte", "1 MB"),
    ("one megabyte", "1 MB"),
    ("two megabytes", "2 MB"),
    ("five megabytes", "5 MB"),
    ("ten megabytes", "10 MB"),
    ("half a megabyte", "0.5 MB"),
    ("a hundred bytes", "100"),
    ("a thousand bytes", "1000"),
)


def spoken_size(rng) -> tuple:
    """A size in words or digits, and as the tool takes it."""
    if rng.random() < 0.06:
        return rng.choice(SPOKEN_SIZES)
    text = size_phrase(rng)
    return text, text


def size_phrase(rng) -> str:
    """`10 kB` and its many relatives."""
    value = rng.choice(
        (
            "1",
            "2",
            "5",
            "10",
            "10",
            "10",
            "20",
            "50",
            "100",
            "200",
            "500",
            str(rng.randint(1, 999)),
            "1.5",
            "2.5",
            "0.5",
        )
    )
    if rng.random() < 0.15:
        return rng.choice(
            ("100", "500", "1000", "2048", "4096", "10000", str(rng.randint(10, 99999)))
        ) + rng.choice(("", " bytes", " bytes", " B", "B"))
    return (
        value
        + rng.choice((" ", " ", ""))
        + rng.choice(
            ("kB", "kB", "kB", "KB", "kb", "K", "KiB", "MB", "MB", "mb", "MiB", "k", "kilobytes", "megabytes")
        )
    )


def sentence(rng) -> str:
    """A line of prose, half of it sense, half of it not."""
    if rng.is_everyday():
        return everyday.phrase(rng)
    patterns = (
        "The N is A.",
        "P will V the N on D.",
        "We V the A N in L.",
        "Remember to V the N",
        "the N and the N",
        "A N, A N",
        "P likes A N",
        "Every N has a A N.",
        "It was a A N in M.",
        "P said: V the N!",
        "W W W",
        "W W W W W.",
        "Do not V the N yet",
        "P and P V a N",
        "No N in L before #",
        "Total: #",
        "N # of #",
        "# N",
        "I V # N every D",
        "Chapter #: The A N",
        "W W",
        "The N of P costs # euros",
        "If the N is A, V it.",
        "W, W and W",
        "Why is the N so A?",
        "P: W W W W",
    )
    table = {
        "N": lambda: word(rng),
        "A": lambda: pick(rng, ADJECTIVES),
        "V": lambda: pick(rng, VERBS),
        "P": lambda: pick(rng, PEOPLE),
        "L": lambda: pick(rng, PLACES),
        "D": lambda: rng.choice(DAYS),
        "M": lambda: rng.choice(MONTHS),
        "W": lambda: word(rng),
        "#": lambda: number(rng),
    }
    return re.sub(r"\b[NAVPLDMW]\b|#", lambda match: table[match.group(0)](), rng.choice(patterns))


def fragment(rng) -> str:
    """A short text as people search for it, write it or replace it."""
    if rng.is_everyday():
        return everyday.fragment(rng)
    kind = rng.random()
    if kind < 0.35:
        return word(rng)
    if kind < 0.5:
        return word(rng) + " " + word(rng)
    if kind < 0.6:
        return rng.choice(
            (
                "TODO",
                "FIXME",
                "ERROR",
                "error",
                "warning",
                "WARN",
                "import",
                "return",
                "main",
                "def",
                "int",
                "password",
                "total",
                "class",
                "http",
                "null",
            )
        )
    if kind < 0.68:
        return pick(rng, rng.choice((PEOPLE, PLACES, PEOPLE))) if rng.random() < 0.7 else rng.choice(DAYS + MONTHS)
    if kind < 0.76:
        return number(rng)
    if kind < 0.84:
        return word(rng) + rng.choice(("_", "-", ".", "=", "(", ": ", "/")) + word(rng)
    if kind < 0.9:
        return word(rng).capitalize() if rng.random() < 0.5 else word(rng).upper()
    return sentence(rng).rstrip(".")


def lines(rng, kind: str, count: int) -> list:
    """The content of a file of an extension's kind."""
    if rng.is_everyday():
        return everyday.lines(rng, kind, count)
    if kind in ("csv", "tsv"):
        joint = "," if kind == "csv" else "\t"
        columns = rng.randint(2, 4)
        rows = [
            [rng.choice((word(rng), number(rng), pick(rng, PEOPLE))) for _ in range(columns)]
            for _ in range(count)
        ]
        return [joint.join(row) for row in rows]
    if kind in ("json",):
        return (
            ["{"]
            + [
                f'  "{word(rng)}": {rng.choice((number(rng), chr(34) + word(rng) + chr(34), "true"))},'
                for _ in range(max(0, count - 2))
            ]
            + ["}"]
        )
    if kind == "log":
        return [
            f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d} {rng.choice(('INFO', 'WARN', 'ERROR', 'DEBUG'))} {word(rng)} {word(rng)} {number(rng)}"
            for _ in range(count)
        ]
    if kind in ("py", "sh"):
        makers = (
            lambda: f"import {word(rng)}",
            lambda: f"def {word(rng)}({word(rng)}):",
            lambda: f"    return {word(rng)} + {number(rng)}",
            lambda: f'print("{word(rng)} {word(rng)}")',
            lambda: f"# {sentence(rng)}",
            lambda: f"{word(rng)} = {number(rng)}",
            lambda: f"for {word(rng)} in {word(rng)}:",
            lambda: "",
        )
    elif kind in ("c", "h", "cpp", "js", "java", "rs", "go"):
        makers = (
            lambda: f"int {word(rng)} = {number(rng)};",
            lambda: f"#include <{word(rng)}.h>",
            lambda: f"// {sentence(rng)}",
            lambda: f"{word(rng)}({word(rng)});",
            lambda: f"    return {word(rng)};",
            lambda: "}",
            lambda: f"void {word(rng)}() {{",
            lambda: f"    if ({word(rng)} == {number(rng)}) {{",
        )
    elif kind in ("ini", "toml", "cfg", "conf", "yaml", "yml"):
        joint = ": " if kind in ("yaml", "yml") else " = "
        makers = (
            lambda: f"{word(rng)}{joint}{word(rng)}",
            lambda: f"{word(rng)}{joint}{number(rng)}",
            lambda: f"# {sentence(rng)}",
            lambda: f"[{word(rng)}]",
            lambda: f"{word(rng)}_{word(rng)}{joint}true",
        )
    elif kind in ("md", "rst", "tex"):
        makers = (
            lambda: "# " + word(rng).capitalize() + " " + word(rng),
            lambda: "- " + sentence(rng),
            lambda: sentence(rng),
            lambda: sentence(rng),
            lambda: f"## {word(rng)}",
            lambda: "",
        )
    else:
        style = rng.random()
        if style < 0.25:
            makers = (lambda: word(rng), lambda: word(rng), lambda: word(rng) + " " + word(rng))
        elif style < 0.35:
            makers = (lambda: number(rng), lambda: word(rng) + " " + number(rng))
        elif style < 0.5:
            makers = (
                lambda: rng.choice(("- ", "[ ] ", "[x] ", "* "))
                + pick(rng, VERBS)
                + " "
                + rng.choice(("the ", ""))
                + word(rng),
            )
        else:
            makers = (lambda: sentence(rng),)
    return [rng.choice(makers)() for _ in range(count)]


def kind_of(name: str) -> str:
    return name.rsplit(".", 1)[-1] if "." in name else "txt"


ROOT = "/workspace"
UNITS = {"": 1, "b": 1, "kb": 1e3, "k": 1e3, "kib": 1024, "mb": 1e6, "m": 1e6, "mib": 1024**2, "gb": 1e9}


def parse_size(text: str) -> float:
    """Bytes in `10 kB`, `1.5MB`, `500`: to make files on both sides of a size."""
    match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]*)\s*", text)
    unit = match.group(2).lower()
    for name, short in (("bytes", ""), ("byte", ""), ("kilobytes", "kb"), ("megabytes", "mb"), ("gigabytes", "gb"),
                        ("kilobyte", "kb"), ("megabyte", "mb"), ("gigabyte", "gb")):
        unit = short if unit == name else unit
    return float(match.group(1)) * UNITS[unit]


def clean_path(path: str) -> str:
    """A path as results show it: relative to the workspace, or absolute outside of it."""
    full = posixpath.normpath(posixpath.join(ROOT, path))
    return posixpath.relpath(full, ROOT) if full == ROOT or full.startswith(ROOT + "/") else full
