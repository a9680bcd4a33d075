"""What a request should come to, and whether it did: effects and answers, never wording.

Values and pure functions; evaluate.py runs the requests. `wanted` is a table of the keys that
handwritten.toml explains at its top, or for generated conversations: `turns`, a table of says and
tells for each turn, and `gone`, files that are no more.
"""

import re
from dataclasses import dataclass, field

# What an answer says in whatever words. The words of the request itself must not satisfy these.
TELLS = {
    "denied": r"not allowed|n[o']t permitted|denied|refus|forbid|may not|can(no|')?t\b|can not|could( not|n't)"
    r"|unable|not able|won't|outside|only (work|use|see|read|write|change)",
    "unable": r"can(no|')?t\b|can not|could( not|n't)|unable|not able|don't|do not|only|no way|sorry|not something"
    r"|not allowed|denied|beyond",
    "missing": r"no such|no file|no folder|no directory|no match|nothing|(not|n't|cannot) (found|find|exist|there)"
    r"|(isn't|is not|not) (in|there|any)|there (is|are|was|were) (no|not)|does( not|n't) (exist|occur|contain|have)"
    r"|missing|no \S+ (in|called|named)",
    "none": r"\bno\b|\bnot\b|n't\b|\bnone\b|nothing|\b0\b|empty|never|neither",
}
# What an answer says instead that is something else: it looked in the wrong place.
TELLS_OTHERWISE = {
    "denied": r"no such (file|directory|folder)\b",
    "none": r"no such (file|directory|folder)\b|(could not|cannot|can't) (list|read|search|run|open|do)\b",
}
NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()


@dataclass
class Workspace:
    """Files in the order of their age, oldest first: text, or the size of what is not text."""

    files: dict
    folders: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    times: dict = field(default_factory=dict)  # seconds since 1970, where the order is not enough
    policy: str = "coding"  # a name, or a document


@dataclass
class Case:
    kind: str
    steps: int
    workspace: Workspace
    turns: list
    wanted: dict
    calls: list = None  # the expected calls, [(tool, arguments)] of all turns, if they are known
    line: dict = None  # of the generator, if it made this


@dataclass
class Call:
    tool: str
    arguments: dict
    allowed: bool
    error: bool = False
    result: str = ""
    turn: int = 0


@dataclass
class Outcome:
    answers: list  # one a turn
    calls: list  # of all turns
    before: dict  # path: text, or (size, time) of what is not text, or None for a folder
    after: dict
    notes: list  # the new ones
    failures: list = field(default_factory=list)  # turns that did not finish, and why
    seconds: float = 0


def plain(text: str) -> str:
    """Without what does not matter: case, kinds of blanks and apostrophes, commas within numbers."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text.replace("\u2019", "'"))
    return " ".join(text.split()).casefold()


def holds(text: str, part: str) -> bool:
    """Whether `part` stands in `text`, not as a piece of a longer word or number."""
    part = plain(part)
    if re.fullmatch(r"\d+", part):
        words = [part] + ([NUMBER_WORDS[int(part)]] if int(part) < len(NUMBER_WORDS) else [])
        expression = rf"(?<![\w.])({'|'.join(words)})(?!\w|\.\d)"
    else:
        before = r"(?<!\w)" if part[0].isalnum() else ""
        after = r"(?!\w)" if part[-1].isalnum() else ""
        expression = before + re.escape(part) + after
    return re.search(expression, plain(text)) is not None


def tells(what: str, answer: str) -> bool:
    answer = plain(answer)
    otherwise = what in TELLS_OTHERWISE and re.search(TELLS_OTHERWISE[what], answer)
    return re.search(TELLS[what], answer) is not None and not otherwise


def _names(text: str) -> list:
    """The names in a list of files, however it is laid out; sizes beside them do not count."""
    words = re.split(r"[\s,;]+", text)
    words = [word.strip("\"'`").rstrip("/").rpartition("/")[2] for word in words]
    return sorted(word for word in words if re.search(r"[^\W\d]", word) and word.lower() not in ("b", "kb", "bytes"))


def _same(got: str, wanted: str) -> bool:
    return got.rstrip("\n") == wanted.rstrip("\n")


def _file_problem(path: str, wanted, after: dict) -> str:
    if path not in after:
        return f"{path} was not made"
    got = after[path]
    if wanted == {"folder": True}:
        return "" if got is None else f"{path} is no folder"
    if not isinstance(got, str):
        return f"{path} is not text"
    if isinstance(wanted, str):
        return "" if _same(got, wanted) else f"{path} holds {got!r}"
    if "names" in wanted and _names(got) != sorted(wanted["names"]):
        return f"{path} holds {got!r}"
    lines = got.replace("\r", "")
    for part in wanted.get("holds", []):
        if plain(part) not in plain(lines):
            return f"{path} lacks {part!r}: {got!r}"
    for part in wanted.get("lacks", []):
        if plain(part) in plain(lines):
            return f"{path} should not hold {part!r}: {got!r}"
    return ""


def _is_changed(path: str, before: dict, after: dict) -> bool:
    if path not in before or path not in after:
        return True
    old, new = before[path], after[path]
    return not (old == new or (isinstance(old, str) and isinstance(new, str) and _same(old, new)))


def _effects(wanted: dict, outcome: Outcome) -> list:
    problems = [_file_problem(path, value, outcome.after) for path, value in wanted.get("files", {}).items()]
    expected = set(wanted.get("files", {})) | set(wanted.get("gone", []))
    problems += [f"{path} is still there" for path in wanted.get("gone", []) if path in outcome.after]
    for path in sorted(outcome.before.keys() | outcome.after.keys()):
        is_parent = any(other.startswith(path + "/") for other in expected)
        if path not in expected and not is_parent and _is_changed(path, outcome.before, outcome.after):
            problems.append(f"{path} was changed, made or removed")
    if outcome.notes and "notes" not in wanted:
        problems.append(f"unexpected note {outcome.notes!r}")
    kept = "\n".join(outcome.notes)
    problems += [f"no new note holds {part!r}" for part in wanted.get("notes", []) if not holds(kept, part)]
    return problems


def _sayings(wanted: dict, answer: str) -> list:
    problems = []
    for part in wanted.get("says", []):
        if not any(holds(answer, one) for one in ([part] if isinstance(part, str) else part)):
            problems.append(f"the answer lacks {part!r}")
    problems += [f"the answer should not hold {part!r}" for part in wanted.get("not_says", []) if holds(answer, part)]
    if "tells" in wanted and not tells(wanted["tells"], answer):
        problems.append(f"the answer does not tell: {wanted['tells']}")
    if not answer.strip():
        problems.append("no answer")
    return problems


def problems(wanted: dict, outcome: Outcome) -> list:
    """Why the outcome does not serve the person; empty when it does."""
    if outcome.failures:
        return outcome.failures
    found = []
    if "either" in wanted:
        shared = {key: value for key, value in wanted.items() if key != "either"}
        tried = [problems({**shared, **alternative}, outcome) for alternative in wanted["either"]]
        return min(tried, key=len)
    found += _effects(wanted, outcome) + _sayings(wanted, outcome.answers[-1])
    for table, answer in zip(wanted.get("turns", []), outcome.answers):
        found += _sayings(table, answer)
    if "ran" in wanted and not any(
        call.tool == "proc.run" and call.allowed and not call.error and wanted["ran"] in str(call.arguments.get("argv"))
        for call in outcome.calls
    ):
        found.append(f"{wanted['ran']} did not run")
    return [problem for problem in found if problem]


def _relative(value):
    """A path as judged, `/workspace/a/b`, in the form in which people write it."""
    if isinstance(value, str) and (value == "/workspace" or value.startswith("/workspace/")):
        value = value[len("/workspace/") :] or "."
    return value[2:] if isinstance(value, str) and value.startswith("./") else value


def copied(case: Case, outcome: Outcome) -> tuple:
    """(exact, all): the paths, texts and numbers of the expected calls which were made."""
    exact = total = 0
    for (tool, expected), made in zip(case.calls or [], outcome.calls):
        if made.tool != tool:
            break  # another way was taken: nothing to compare from here on
        for key, value in expected.items():
            if key not in made.arguments or isinstance(value, bool):
                continue
            total += 1
            exact += _relative(made.arguments[key]) == _relative(value)
    return exact, total


def denials(outcome: Outcome) -> tuple:
    """(truthful, all): turns whose last call was refused, and whether their answers say so."""
    truthful = total = 0
    for turn, answer in enumerate(outcome.answers):
        calls = [call for call in outcome.calls if call.turn == turn]
        if calls and not calls[-1].allowed:
            total += 1
            truthful += tells("denied", answer)
    return truthful, total
