"""A tool of one's own: the SDK installs, the example builds outside of the tree and runs as an agent's tool."""
import pathlib
import shutil
import subprocess

import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call

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


if __name__ == "__main__":
    nacre_case.main()
