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
# Globs of the default policy.
PROTECTED = (
    "policy.yaml",
    "*/policy.yaml",
    "*.policy.yaml",
    "policy/*",
    ".nacre/*",
    ".git/hooks/*",
    ".git/config",
)
HIDDEN = (
    ".env",
    "*/.env",
    ".env.*",
    "*.pem",
    "*.key",
    "id_rsa*",
    "*/id_rsa*",
    ".ssh/*",
    "*/.ssh/*",
    ".aws/*",
    ".netrc",
)
ALLOWED = ("wc", "grep", "sort", "head")  # how the default policy's list of programs begins
UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "k": 1000,
    "kib": 1024,
    "mb": 10**6,
    "m": 10**6,
    "mib": 1024**2,
    "gb": 10**9,
}


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
    """The path as the runtime shows it: relative to the workspace, or absolute outside of it."""
    full = posixpath.normpath(posixpath.join(ROOT, path))
    return posixpath.relpath(full, ROOT) if full == ROOT or full.startswith(ROOT + "/") else full


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
    protected: list = field(default_factory=lambda: list(PROTECTED))
    hidden: list = field(default_factory=lambda: list(HIDDEN))
    forbidden_programs: set = field(default_factory=set)
    allowed_programs: tuple = ALLOWED  # as a refusal names them
    outputs: dict = field(default_factory=dict)  # argv as tuple -> (exit status, stdout lines, stderr lines)
    result_bytes: int = 1024  # the runtime cuts a longer result
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
        if name == "proc.run":
            program = arguments["argv"][0]
            if program in self.forbidden_programs:
                others = ", ".join([name for name in self.allowed_programs if name != program][:3])
                return f'denied: no rule allows proc.run with these arguments: argv[0] "{program}" is not one of {others}, …'
            return ""
        path = clean_path(arguments.get("path", "."))
        if path.startswith("/"):
            return f"denied: {path} is outside the workspace"
        if any(fnmatch.fnmatch(path, glob) for glob in self.hidden):
            return f"denied: policy hides {path}"
        if name in ("fs.write", "fs.edit") and any(fnmatch.fnmatch(path, glob) for glob in self.protected):
            return f"denied: policy protects {path} from changes"
        return ""

    def all_directories(self) -> set:
        """Every directory, also those that only hold files."""
        found = set(self.directories)
        for path in [*self.files, *self.directories]:
            while "/" in path:
                path = path.rsplit("/", 1)[0]
                found.add(path)
        return found

    def _fs_list(
        self, path=".", recursive=False, pattern="", min_size="", max_size="", sort="name", limit=0
    ) -> str:
        base = clean_path(path)
        directories = self.all_directories()
        if base in self.files:
            return f"error: not a directory: {base}"
        if base != "." and base not in directories:
            return f"error: no such directory: {base}"
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
        entries.sort(key=lambda item: (item[1] is not None, item[0]))
        if sort == "size":
            entries.sort(key=lambda item: -item[1].size)
        if sort == "time":  # directories last: the question is about files
            entries.sort(key=lambda item: -item[1].time if item[1] else 1)
        count = sum(1 for _, entry in entries if entry)
        header = f"{plural(count, 'file')}, {plural(len(entries) - count, 'directory')}"
        if limit and len(entries) > limit:
            header += f" (first {limit} shown)"
            entries = entries[:limit]
        return self._cut(
            [header] + [f"{name} {entry.size}" if entry else f"{name}/" for name, entry in entries]
        )

    def _fs_read(self, path, start_line=1, max_lines=0) -> str:
        clean = clean_path(path)
        if clean in self.all_directories() or clean == ".":
            return f"error: is a directory: {clean}"
        if clean not in self.files:
            return f"error: no such file: {clean}"
        file = self.files[clean]
        if file.binary:
            return f"error: not text: {clean} ({plural(file.size, 'byte')})"
        if file.total and start_line > file.total:
            return f"error: line {start_line} is after the end of {clean} ({plural(file.total, 'line')})"
        header = f"{plural(file.total, 'line')}, {plural(file.size, 'byte')}"
        last = min(file.total, start_line + max_lines - 1) if max_lines else file.total
        if start_line > 1 or last < file.total:
            header += f" (lines {start_line}-{last} shown)"
        shown = file.lines[start_line - 1 : last]
        return self._cut([header] + shown, missing=last - start_line + 1 - len(shown))

    def _fs_write(self, path, content, append=False) -> str:
        clean = clean_path(path)
        if clean in self.all_directories():
            return f"error: is a directory: {clean}"
        lines = content.removesuffix("\n").split("\n") if content else []
        new = File(lines)
        known = clean in self.files
        if append and known:
            old = self.files[clean]
            self.files[clean] = File(old.lines + lines, size=old.size + new.size, total=old.total + new.total)
        else:
            self.files[clean] = new
        verb = "appended to" if append else "replaced" if known else "wrote"
        return f"{verb} {clean}: {plural(new.total, 'line')}, {plural(new.size, 'byte')}"

    def _fs_edit(self, path, old, new, all=False) -> str:
        clean = clean_path(path)
        if clean in self.all_directories():
            return f"error: is a directory: {clean}"
        if clean not in self.files:
            return f"error: no such file: {clean}"
        text = "\n".join(self.files[clean].lines)
        count = text.count(old)
        if not count:
            return f"error: text not found in {clean}: {old}"
        if count > 1 and not all:
            return f"error: text occurs {count} times in {clean}: {old}"
        self.files[clean] = File(text.replace(old, new).split("\n"))
        return f"edited {clean}: {plural(count, 'replacement')}"

    def _fs_search(self, pattern, path=".", ignore_case=False, regex=False, files="", limit=0) -> str:
        base = clean_path(path)
        if base != "." and base not in self.files and base not in self.all_directories():
            return f"error: no such file or directory: {base}"
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
                return (
                    (2 if program in ("sort", "grep") else 1),
                    [],
                    [f"{program}: {missing[-1]}: No such file or directory"],
                )
            return None, [], []
        file = self.files[paths[0]]
        lines = file.lines
        options = [word for word in argv[1:] if word.startswith("-")]
        if program == "wc":
            words = sum(len(line.split()) for line in lines)
            numbers = {"-l": [file.total], "-w": [words], "-c": [file.size]}.get(
                "".join(options), [file.total, words, file.size]
            )
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
        """Join a result, dropping the lines that the runtime would not pass on.

        `missing` counts lines that exist but were not generated.
        """
        size = 0
        for index, line in enumerate(lines):
            size += len(line.encode()) + 1
            if index and size > self.result_bytes + 1:
                missing += len(lines) - index
                lines = lines[:index]
                break
        return "\n".join(lines + ([f"(truncated: {missing} more lines)"] if missing else []))
