"""A tool for AI agents, in Python.

    from nacre_tool import ToolError, tool_main

    def call(arguments, context):
        try:
            text = open(arguments["path"], encoding="utf-8").read()
        except OSError as problem:
            raise ToolError(f"cannot read {arguments['path']}: {problem.strerror}")
        return f"{len(text.split())} words"

    tool_main(call)

Beside it a tool.yaml says what the tool is called and what it takes, with `interpreter: python3`.
A call runs the file once, in a sandbox of its own; the current directory is the workspace, standard
input is empty. nacre provides this module. By hand, with its folder in PYTHONPATH:

    python3 tool.py --call '{"path": "README.md"}'

calls the function once with these arguments, prints the text, and exits 0, or 1 when it is an error.
"""
import ctypes
import json
import os
import struct
import sys

# For scripts: in a warm sandbox what is imported here costs a call nothing.
import collections, csv, datetime, hashlib, io, pathlib, re, shutil, subprocess, tempfile  # noqa: E401,F401 pylint: disable=unused-import,multiple-imports

__all__ = ["ToolError", "tool_main"]

_CHANNEL_OUT = 3
_FRAME_BYTES_MAX = 4 << 20
# Six times this, the worst that JSON escapes can make of it, still fits a frame.
_TEXT_BYTES_MAX = 512 << 10
_PR_SET_DUMPABLE = 4


class ToolError(Exception):
    """The call cannot do what was asked; the model is shown "error: WHAT" and may try again."""


class Context:
    """What a call may use besides its sandbox."""

    def __init__(self, call_id, memory):
        self.call_id = call_id  # unique; for naming things that belong to the call
        # note(text) and search(query) -> list of texts, best first: the notes of the session's owner.
        # For tools whose tool.yaml says `host_services: [memory]`. Raises ToolError on refusal.
        self.memory = memory


class _ForgetfulMemory:  # for calls by hand: starts empty, dies with the process
    def __init__(self):
        self._notes = []

    def note(self, text):
        self._notes.append(str(text))

    def search(self, query):
        return [note for note in self._notes if str(query) in note]


class _Channel:
    """Frames: a 4-byte little-endian length and that many bytes of JSON."""

    def __init__(self):
        # A child of the same user could otherwise attach, or open our descriptors through /proc.
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl PR_SET_DUMPABLE")
        # Out of reach: what the tool starts inherits neither.
        self._in, self._out = os.dup(0), os.dup(_CHANNEL_OUT)
        empty = os.open("/dev/null", os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        os.close(_CHANNEL_OUT)

    def _read_bytes(self, size):
        parts = []
        while size > 0:
            part = os.read(self._in, min(size, 1 << 16))
            if not part:
                raise EOFError("the host has closed the channel")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read(self):
        (size,) = struct.unpack("<I", self._read_bytes(4))
        if size > _FRAME_BYTES_MAX:
            raise ValueError("a frame is too large")
        return json.loads(self._read_bytes(size))

    def write(self, message):
        payload = json.dumps(message, ensure_ascii=False).encode("utf-8")
        frame = memoryview(struct.pack("<I", len(payload)) + payload)
        while frame:
            frame = frame[os.write(self._out, frame):]

    def _host(self, method, arguments):
        self.write({"host": method, "arguments": arguments})
        answer = self.read()
        if not answer["ok"]:
            raise ToolError(answer["value"])
        return answer["value"]

    def note(self, text):
        self._host("memory.note", {"text": _valid(text)})

    def search(self, query):
        return self._host("memory.search", {"query": _valid(query)})


def _valid(text):
    """As UTF-8 can have it: what is no character becomes U+FFFD."""
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _bounded(text):
    data = text.encode("utf-8")
    if len(data) <= _TEXT_BYTES_MAX:
        return text
    end = data.rfind(b"\n", 0, _TEXT_BYTES_MAX - 64)
    end = _TEXT_BYTES_MAX - 64 if end < 0 else end
    missing = data.count(b"\n", end + 1) + 1
    lines = "more line" if missing == 1 else "more lines"
    return data[:end].decode("utf-8", "ignore") + f"\n(truncated: {missing} {lines})"


def _call(function, arguments, context):
    """(text, whether it is an error): everything that an author's code may raise ends here."""
    try:
        if not isinstance(arguments, dict):
            raise ToolError("bad arguments: not an object")
        text, error = function(arguments, context), False
        text = "" if text is None else str(text)
    except ToolError as problem:
        text, error = f"error: {problem}", True
    except Exception as problem:  # pylint: disable=broad-exception-caught
        text, error = f"error: {type(problem).__name__}: {problem}", True
    return _bounded(_valid(text)), error


def tool_main(function):
    """The whole of a tool: `function(arguments, context)` answers the text that the model is shown.

    Ends the process. Call it before starting threads."""
    if len(sys.argv) == 3 and sys.argv[1] == "--call":
        try:
            arguments = json.loads(sys.argv[2])
        except ValueError as problem:
            print(f"--call needs the arguments as a JSON object, such as '{{\"path\": \".\"}}': {problem}", file=sys.stderr)
            sys.exit(2)
        text, error = _call(function, arguments, Context("by-hand", _ForgetfulMemory()))
        print(text)
        sys.exit(1 if error else 0)
    try:
        os.fstat(_CHANNEL_OUT)
        has_channel = len(sys.argv) == 1 and not os.isatty(0)
    except OSError:
        has_channel = False
    if not has_channel:
        sys.exit("This is a tool for AI agents. nacre starts it and sends it one request frame.\n"
                 "To try it by hand, give it the arguments as JSON:\n"
                 f"  python3 {sys.argv[0]} --call '{{\"path\": \".\"}}'")
    channel = _Channel()
    request = channel.read()
    text, error = _call(function, request["arguments"], Context(request["call"], channel))
    sys.stdout.flush()
    channel.write({"result": {"text": text, "error": error}})
    sys.exit(0)
