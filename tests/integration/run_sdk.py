"""A tool of one's own: the SDK installs, the example builds outside of the tree and runs as an agent's tool."""
import pathlib
import json
import os
import re
import shutil
import subprocess

import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "sdk" / "examples" / "word_count"

POLICY = """\
nacre: policy/1
name: with-word-count
extends: [builtin/base]
tools:
  - id: count-words
    reason: counting is harmless
    tool: word.count
    args: {path: {under: /workspace}}
    decision: allow
"""


class OutsideTool(NacreCase):
    def step(self, *command):
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_word_count_builds_outside_the_tree_and_runs_as_a_tool(self):
        prefix, source, build = self.folder / "sdk", self.folder / "word_count", self.folder / "build"
        self.step("cmake", "--install", nacre_case.BUILD, "--prefix", prefix, "--component", "sdk")
        shutil.copytree(EXAMPLE, source)
        self.step("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
        self.step("cmake", "--build", build)

        text = self.write("poem.txt", "one two three\nfour five\n")
        by_hand = self.step(build / "tools/word_count/word_count", "--call", '{"path": "%s"}' % text)
        self.assertEqual(by_hand.strip(), "5 words")

        with ScriptedEngine([call("word.count", path="poem.txt"), answer("Five words.")]) as engine:
            done = self.run_task("How many words?", "--engine", engine.url, "--model", "scripted",
                                 "--tools", build / "tools", "--policy", self.policy(POLICY))
        finished = done.named("call.finished")[0]
        self.assertEqual((finished["tool"], finished["error"], finished["result"]), ("word.count", False, "5 words"))
        # The public headers need only the standard library and nlohmann/json.
        for header in (prefix / "include").rglob("*.h"):
            self.assertNotIn('#include "base/', header.read_text(encoding="utf-8"), header)


PYTHON_POLICY = """\
nacre: policy/1
name: python-tools
extends: [builtin/coding]
tools:
  - id: python
    reason: it only looks
    tool: TOOL
    decision: allow
"""

CONTEXT_TOOL = """\
import os, sys
from nacre_tool import ToolError, tool_main
import helper  # beside this file

def call(arguments, context):
    what = arguments["what"]
    if what == "memory":
        context.memory.note("the bike is blue")
        return ", ".join(context.memory.search("bike"))
    if what == "refuse":
        raise ToolError("not today")
    if what == "crash":
        return 1 // 0
    if what == "exit":
        os._exit(3)
    if what == "long":
        return "x" * 79 + "\\n" + ("y" * 79 + "\\n") * 10000
    if what == "bytes":
        return os.fsdecode(b"caf\\xe9")
    if what == "channel":
        held = sorted(os.readlink("/proc/self/fd/" + fd).split(":")[0] for fd in "012")
        return f"{held} {repr(sys.stdin.read())} {os.path.exists('/proc/self/fd/3')}"
    if what == "hijack":
        import workspace_module
    return helper.WORD

tool_main(call)
"""

CONTEXT_MANIFEST = """\
name: word.context
description: For tests.
effect: read
interpreter: python3
program: tool.py
host_services: [memory]
parameters: {type: object, properties: {what: {type: string}}, required: [what]}
"""


class PythonTool(NacreCase):
    def run_calls(self, tool, calls, tools):
        with ScriptedEngine([*calls, answer("Done.")]) as engine:
            done = self.run_task("Do it.", "--engine", engine.url, "--model", "scripted", "--tools", tools,
                                 "--policy", self.policy(PYTHON_POLICY.replace("TOOL", tool)))
        return done.named("call.finished")

    def test_the_example_runs_by_hand_and_as_a_tool_in_a_started_interpreter(self):
        examples = REPOSITORY / "sdk" / "examples" / "python"
        text = self.write("poem.txt", "one two three\nTwo three\nthree\n")
        by_hand = subprocess.run(
            ["python3", examples / "word_frequency" / "tool.py", "--call", json.dumps({"path": str(text), "most": 2})],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "sdk" / "python")}, capture_output=True, text=True,
            check=True)
        self.assertEqual(by_hand.stdout, "3 three\n2 two\n")
        mistaken = subprocess.run(
            ["python3", examples / "word_frequency" / "tool.py", "--call", "notjson"],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "sdk" / "python")}, capture_output=True, text=True,
            check=False)
        self.assertEqual((mistaken.returncode, mistaken.stdout), (2, ""))
        self.assertIn("as a JSON object", mistaken.stderr)
        self.assertNotIn("Traceback", mistaken.stderr)
        finished = self.run_calls("word.frequency", [call("word.frequency", path="poem.txt", most=2)] * 3, examples)
        for each in finished:
            self.assertEqual((each["error"], each["result"]), (False, "3 three\n2 two"))
        # A busy machine may have none ready, and then the record says so.
        outcomes = [record["data"]["outcome"] for record in self.audit() if record["event"] == "call.finished"]
        self.assertEqual(len(outcomes), 3)
        for outcome in outcomes:
            self.assertTrue(outcome["warm"] or outcome["cold_because"], outcome)

    def test_what_a_script_can_do_and_how_it_fails_is_as_in_any_tool(self):
        folder = self.folder / "tools" / "context"
        folder.mkdir(parents=True)
        (folder / "tool.py").write_text(CONTEXT_TOOL)
        (folder / "tool.yaml").write_text(CONTEXT_MANIFEST)
        (folder / "helper.py").write_text("WORD = 'from beside'\n")
        self.write("workspace_module.py", "print('hijacked')\n")
        self.write("json.py", "raise SystemExit('hijacked')\n")
        wanted = {
            "memory": (False, "the bike is blue"),
            "refuse": (True, "error: not today"),
            "crash": (True, "error: ZeroDivisionError: integer division or modulo by zero"),
            "exit": (True, "error: the call exited with code 3"),
            "bytes": (False, "caf\ufffd"),
            "channel": (False, "['/dev/null', 'pipe', 'pipe'] '' False"),
            "hijack": (True, "error: ModuleNotFoundError: No module named 'workspace_module'"),
            "other": (False, "from beside"),
        }
        finished = self.run_calls("word.context", [call("word.context", what=what) for what in wanted], self.folder / "tools")
        self.assertEqual([(each["error"], each["result"]) for each in finished], list(wanted.values()))

    def test_a_tool_in_another_language_is_what_the_page_about_the_messages_shows(self):
        folder = self.folder / "tools" / "lines"
        folder.mkdir(parents=True)
        page = (REPOSITORY / "sdk" / "README.md").read_text(encoding="utf-8")
        (folder / "count_lines").write_text(re.search(r"```perl\n(.*?)```", page, re.DOTALL)[1])
        (folder / "count_lines").chmod(0o755)
        (folder / "tool.yaml").write_text(
            "name: count.lines\ndescription: For tests.\neffect: read\nprogram: count_lines\n"
            "parameters: {type: object, properties: {path: {type: string, format: path}}}\n")
        self.write("poem.txt", "one\ntwo\nthree\n")
        finished = self.run_calls("count.lines", [call("count.lines", path="poem.txt"), call("count.lines", path="no")],
                                  self.folder / "tools")
        self.assertEqual([(each["error"], each["result"]) for each in finished],
                         [(False, "3 lines"), (True, "cannot read /workspace/no: No such file or directory")])

    def test_a_tool_that_fails_can_be_mended_by_what_it_wrote_on_standard_error(self):
        folder = self.folder / "tools" / "broken"
        folder.mkdir(parents=True)
        (folder / "broken").write_text("#!/bin/sh\nseq 1 2000 >&2\nprintf 'SECRET \\033]0;title\\007 no module\\n' >&2\nexit 1\n")
        (folder / "broken").chmod(0o755)
        (folder / "tool.yaml").write_text("name: my.broken\ndescription: For tests.\neffect: read\nprogram: broken\n"
                                          "parameters: {type: object, properties: {}}\n")
        with ScriptedEngine([call("my.broken"), answer("It failed.")]) as engine:
            done = self.run_task("Do it.", "--engine", engine.url, "--model", "scripted", "--tools", self.folder / "tools",
                                 "--policy", self.policy(PYTHON_POLICY.replace("TOOL", "my.broken")))
        self.assertEqual(done.named("call.finished")[0]["result"], "error: the call exited with code 1")
        self.assertNotIn("SECRET", done.stdout + json.dumps(engine.requests))
        for file in (self.state / "audit").rglob("*"):
            self.assertFalse(file.is_file() and b"SECRET" in file.read_bytes(), file)
        shown = self.nacre("call", "show", "last").stdout
        self.assertNotIn("\x1b", shown)
        self.assertRegex(shown, r"\nstderr     │ [0-9]{4}\n")
        self.assertRegex(shown, r"│ 2000\n +│ SECRET \\x1b\]0;title\\x07 no module\n")
        kept = json.loads(self.nacre("call", "show", "last", "--json").stdout)["outcome"]["error_output"]
        self.assertLessEqual(len(kept), 2048)
        self.assertRegex(kept, r"^[0-9]{4}\n")

    def test_a_breach_of_the_protocol_is_told_once(self):
        folder = self.folder / "tools" / "broken"
        folder.mkdir(parents=True)
        (folder / "broken").write_text("#!/bin/sh\nprintf '\\002\\000\\000\\000{}' >&3\n")
        (folder / "broken").chmod(0o755)
        (folder / "tool.yaml").write_text("name: my.broken\ndescription: For tests.\neffect: read\nprogram: broken\n"
                                          "parameters: {type: object, properties: {}}\n")
        finished = self.run_calls("my.broken", [call("my.broken")], self.folder / "tools")
        self.assertEqual(finished[0]["result"], "error: the tool broke its protocol: its frame is neither a result nor a "
                                                "call of the host")

    def test_what_a_call_that_succeeds_writes_on_standard_error_is_not_kept(self):
        folder = self.folder / "tools" / "context"
        folder.mkdir(parents=True)
        (folder / "tool.py").write_text("import sys\nfrom nacre_tool import tool_main\n\n"
                                        "def call(arguments, context):\n    print('SECRET', file=sys.stderr)\n"
                                        "    return 'done'\n\ntool_main(call)\n")
        (folder / "tool.yaml").write_text(CONTEXT_MANIFEST)
        self.assertEqual(self.run_calls("word.context", [call("word.context", what="x")], self.folder / "tools")[0]["result"],
                         "done")
        self.assertNotIn("SECRET", self.nacre("call", "show", "last", "--json").stdout)


if __name__ == "__main__":
    nacre_case.main()
