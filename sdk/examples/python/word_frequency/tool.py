"""word_frequency: a tool for AI agents in Python."""
import collections
import re

from nacre_tool import ToolError, tool_main


def call(arguments, context):
    del context
    path = arguments["path"]
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            words = re.findall(r"\w+", file.read().lower())
    except OSError as problem:
        raise ToolError(f"cannot read {path}: {problem.strerror}") from problem
    counted = collections.Counter(words).most_common(arguments.get("most", 10))
    return "\n".join(f"{count} {word}" for word, count in counted) or "no words"


tool_main(call)
