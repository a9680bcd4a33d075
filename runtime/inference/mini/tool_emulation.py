"""A mirror of the built-in tools, over a workspace in memory.

The model learns from results; these functions give them in exactly the text that
the real tools give (file, process and memory tools) and that the runtime gives
instead of a result (denials, time-outs, truncation). Change them together.
"""

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field

ROOT = "/workspace"
UNITS = {"": 1, "b": 1, "kb": 1000, "k": 1000, "kib": 1024, "mb": 10**6, "m": 10**6, "mib": 1024**2, "gb": 10**9}


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`, `1 directory`, `2 matches`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"


def parse_size(text: str) -> float:
    """Bytes in `10 kB`, `1.5MB`, `500`."""
    match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]*)\s*", text)
    unit = match.group(2).lower()
    for word, short in (("bytes", ""), ("byte", ""), ("kilobytes", "kb"), ("megabytes", "mb")):
        unit = short if unit == word else unit
    return float(match.group(1)) * UNITS[unit]


def clean_path(path: str) -> str:
    """The path relative to the workspace, without `./` and closing slashes."""
    return posixpath.normpath(path.removeprefix(ROOT).lstrip("/") or "." if path.startswith(ROOT) else path)


@dataclass
class File:
    """A file; `lines` may be only the beginning of a long one, then `total` counts all."""

    lines: list
    time: float = 0.0
    size: int = -1
    total: int = -1
    binary: bool = False

    def __post_init__(self):
        if self.total < 0:
            self.total = len(self.lines)
        if self.size < 0:
            self.size = sum(len(line.encode()) + 1 for line in self.lines)


@dataclass
class Workspace:
    """Files by relative path, notes, and what the policy says."""

    files: dict = field(default_factory=dict)
    directories: set = field(default_factory=set)
    notes: list = field(default_factory=list)
    protected: list = field(default_factory=list)  # glob patterns
    forbidden_programs: set = field(default_factory=set)
    outputs: dict = field(default_factory=dict)  # argv as tuple -> (exit status, stdout lines, stderr lines)
    directories_first: bool = True
    shown_lines: int = 40  # a longer result is cut here
    failure: str = ""  # said instead of the next call's result

    def call(self, name: str, arguments: dict) -> str:
        """The result text of a call."""
        if self.failure:
            said, self.failure = self.failure, ""
            return said
        handler = getattr(self, "_" + name.replace(".", "_"))
        denial = self._denial(name, arguments)
        return denial or handler(**arguments)

    def _denial(self, name: str, arguments: dict) -> str:
        path = arguments.get("path", ".")
        if path == ROOT or path.startswith(ROOT + "/"):
            return ""
        if path.startswith(("/", "~")) or clean_path(path).startswith(".."):
            return f"denied: {path} is outside the workspace"
        if name in ("fs.write", "fs.edit"):
            if any(fnmatch.fnmatch(clean_path(path), glob) for glob in self.protected):
                return f"denied: policy protects {path} from changes"
        if name == "proc.run" and arguments["argv"][0] in self.forbidden_programs:
            return "denied: no rule allows proc.run with these arguments"
        return ""

    def all_directories(self) -> set:
        """Every directory, also those that only hold files."""
        found = set(self.directories)
        for path in [*self.files, *self.directories]:
            while "/" in path:
                path = path.rsplit("/", 1)[0]
                found.add(path)
        return found

    def _fs_list(self, path=".", recursive=False, pattern="", min_size="", max_size="", sort="name", limit=0) -> str:
        base = clean_path(path)
        directories = self.all_directories()
        if base in self.files:
            return f"error: not a directory: {path}"
        if base != "." and base not in directories:
            return f"error: no such directory: {path}"
        prefix = "" if base == "." else base + "/"
        entries = []
        for full, entry in [*self.files.items(), *((name, None) for name in directories)]:
            name = full[len(prefix) :]
            if not full.startswith(prefix) or (not recursive and "/" in name):
                continue
            if pattern and not fnmatch.fnmatchcase(posixpath.basename(name), pattern):
                continue
            entries.append((name, entry))
        if min_size or max_size or sort == "size":
            entries = [(name, entry) for name, entry in entries if entry]
        if min_size:
            entries = [(name, entry) for name, entry in entries if entry.size > parse_size(min_size)]
        if max_size:
            entries = [(name, entry) for name, entry in entries if entry.size < parse_size(max_size)]
        entries.sort(key=lambda item: (self.directories_first and item[1] is not None, item[0]))
        if sort == "size":
            entries.sort(key=lambda item: -item[1].size)
        if sort == "time":
            entries.sort(key=lambda item: -(item[1].time if item[1] else 0))
        count = sum(1 for _, entry in entries if entry)
        header = f"{plural(count, 'file')}, {plural(len(entries) - count, 'directory')}"
        if limit and len(entries) > limit:
            header += f" (first {limit} shown)"
            entries = entries[:limit]
        return self._cut([header] + [f"{name} {entry.size}" if entry else f"{name}/" for name, entry in entries])

    def _fs_read(self, path, start_line=1, max_lines=0) -> str:
        clean = clean_path(path)
        if clean in self.all_directories() or clean == ".":
            return f"error: is a directory: {path}"
        if clean not in self.files:
            return f"error: no such file: {path}"
        file = self.files[clean]
        if file.binary:
            return f"error: not text: {path} ({file.size} bytes)"
        header = f"{plural(file.total, 'line')}, {file.size} bytes"
        last = min(file.total, start_line + max_lines - 1) if max_lines else file.total
        if start_line > 1 or last < file.total:
            header += f" (lines {start_line}-{last} shown)"
        shown = file.lines[start_line - 1 : last]
        return self._cut([header] + shown, missing=last - start_line + 1 - len(shown))

    def _fs_write(self, path, content, append=False) -> str:
        clean = clean_path(path)
        if clean in self.all_directories():
            return f"error: is a directory: {path}"
        lines = content.removesuffix("\n").split("\n") if content else []
        new = File(lines)
        known = clean in self.files
        if append and known:
            old = self.files[clean]
            self.files[clean] = File(old.lines + lines, size=old.size + new.size, total=old.total + new.total)
        else:
            self.files[clean] = new
        verb = "appended to" if append else "replaced" if known else "wrote"
        return f"{verb} {path}: {plural(new.total, 'line')}, {new.size} bytes"

    def _fs_edit(self, path, old, new, all=False) -> str:
        clean = clean_path(path)
        if clean in self.all_directories():
            return f"error: is a directory: {path}"
        if clean not in self.files:
            return f"error: no such file: {path}"
        text = "\n".join(self.files[clean].lines)
        count = text.count(old)
        if not count:
            return f"error: text not found in {path}: {old}"
        if count > 1 and not all:
            return f"error: text occurs {count} times in {path}: {old}"
        self.files[clean] = File(text.replace(old, new).split("\n"))
        return f"edited {path}: {plural(count, 'replacement')}"

    def _fs_search(self, pattern, path=".", ignore_case=False, regex=False, files="", limit=0) -> str:
        base = clean_path(path)
        if base != "." and base not in self.files and base not in self.all_directories():
            return f"error: no such file or directory: {path}"
        found = []
        test = re.compile(pattern if regex else re.escape(pattern), re.IGNORECASE if ignore_case else 0)
        for name, file in sorted(self.files.items()):
            if base not in (".", name) and not name.startswith(base + "/"):
                continue
            if file.binary or (files and not fnmatch.fnmatchcase(posixpath.basename(name), files)):
                continue
            found += [(name, number, line) for number, line in enumerate(file.lines, 1) if test.search(line)]
        header = f"{plural(len(found), 'match')} in {plural(len({name for name, _, _ in found}), 'file')}"
        return self._cut([header] + [f"{name}:{number}: {line}" for name, number, line in found])

    def _proc_run(self, argv) -> str:
        status, out, err = self.outputs.get(tuple(argv)) or self._standard_program(argv)
        if status is None:
            return f"error: no such program: {argv[0]}"
        return self._cut([f"exit {status}"] + out + (["stderr:"] + err if err else []))

    def _standard_program(self, argv) -> tuple:
        """The few programs whose output follows from the files."""
        program = argv[0]
        if program == "echo":
            return 0, [" ".join(argv[1:])], []
        if program in ("mkdir", "touch", "cp", "mv", "rm", "true"):
            return 0, [], []
        paths = [word for word in argv[1:] if word in self.files]
        if len(paths) != 1 or program not in ("wc", "sort", "head", "tail", "cat", "grep"):
            missing = [word for word in argv[1:] if not word.startswith("-")]
            if program in ("wc", "sort", "head", "tail", "cat", "grep") and missing:
                return (2 if program in ("sort", "grep") else 1), [], [f"{program}: {missing[-1]}: No such file or directory"]
            return None, [], []
        file = self.files[paths[0]]
        lines = file.lines
        options = [word for word in argv[1:] if word.startswith("-")]
        if program == "wc":
            words = sum(len(line.split()) for line in lines)
            numbers = {"-l": [file.total], "-w": [words], "-c": [file.size]}.get("".join(options), [file.total, words, file.size])
            return 0, [" ".join(map(str, numbers)) + " " + paths[0]], []
        if program == "sort":
            ordered = sorted(set(lines) if "-u" in options else lines, reverse="-r" in options)
            return 0, ordered, []
        if program in ("head", "tail"):
            count = next((int(word) for word in argv[1:] if word.isdigit()), 10)
            return 0, lines[:count] if program == "head" else lines[-count:], []
        if program == "grep":
            needle = [word for word in argv[1:] if not word.startswith("-") and word != paths[0]]
            if not needle:
                return 2, [], ["usage: grep [OPTION]... PATTERNS [FILE]..."]
            fold = (lambda text: text.lower()) if "-i" in options else (lambda text: text)
            hits = [(at, line) for at, line in enumerate(lines, 1) if fold(needle[0]) in fold(line)]
            if "-c" in options:
                return (0 if hits else 1), [str(len(hits))], []
            return (0 if hits else 1), [f"{at}:{line}" if "-n" in options else line for at, line in hits], []
        return 0, lines, []

    def _memory_note(self, text) -> str:
        self.notes.append(text)
        return "noted"

    def _memory_search(self, query) -> str:
        words = set(query.lower().split())
        found = [note for note in self.notes if words & set(note.lower().split())]
        return "\n".join([plural(len(found), "note")] + found)

    def _cut(self, lines, missing=0) -> str:
        """Join a result, dropping what the runtime would not pass on."""
        missing += max(0, len(lines) - 1 - self.shown_lines)
        lines = lines[: 1 + self.shown_lines]
        return "\n".join(lines + ([f"(truncated: {plural(missing, 'more line')})"] if missing else []))
