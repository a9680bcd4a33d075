"""The training data of nacre-mini: made again from its seed, split, valid, and what nacre really says."""
import json
import pathlib
import re
import subprocess
import sys
import unittest

import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call, call_text

MINI = pathlib.Path(__file__).resolve().parents[2] / "runtime" / "inference" / "mini"
sys.path.insert(0, str(MINI))
COUNT = 240


def skip_unless_possible():
    """The generator needs user namespaces."""
    probe = subprocess.run(["unshare", "-Urm", "true"], capture_output=True)
    if probe.returncode != 0:
        print("SKIPPED: this host does not allow user namespaces")
        sys.exit(0)


class Data(unittest.TestCase):
    """What generate.py writes."""

    @classmethod
    def setUpClass(cls):
        skip_unless_possible()
        import generate
        from world import World
        cls.generate = generate
        cls.world = World(nacre_case.BUILD)
        cls.addClassCleanup(cls.world.close)
        cls.made = {split: [generate.conversation(f"{split}-test-{index}", split, cls.world) for index in range(COUNT)]
                    for split in ("train", "held_out")}

    def test_strange_words_replace_a_word_everywhere_and_no_word_that_means_something(self):
        from random import Random
        from strange_words import StrangeWords, language
        from tokenizer import Tokenizer
        from words import is_held_out
        conversations = [made["turns"] for made in self.made["train"]]
        kept = language(conversations)
        self.assertLessEqual({"path", "content", "files", "file"}, kept)
        strange = StrangeWords(Tokenizer.load().pieces, kept)
        changed = 0
        for index, turns in enumerate(conversations):
            other = strange.apply(turns, Random(index))
            changed += other != turns
            renamed = {}
            for (kind, text), (_, new) in zip(turns, other):
                if kind == "call":
                    one, two = json.loads(text), json.loads(new)
                    self.assertEqual((one["name"], list(one["arguments"])), (two["name"], list(two["arguments"])))
                words = (re.findall("[A-Za-z]{3,}", part.lower()) for part in (text, new))
                for word, put in zip(*words, strict=True):
                    self.assertEqual(renamed.setdefault(word, put), put, turns)
                    self.assertTrue(word == put or not is_held_out(put), put)
        self.assertGreater(changed, COUNT // 4)

    def calls(self):
        for made in self.made["train"]:
            for kind, text in made["turns"]:
                if kind == "call":
                    yield json.loads(text)

    def test_a_seed_makes_the_same_conversation_again(self):
        for index in range(0, COUNT, 10):
            again = self.generate.conversation(f"train-test-{index}", "train", self.world)
            self.assertEqual(json.dumps(again), json.dumps(self.made["train"][index]))

    def test_conversations_do_not_repeat(self):
        talks = [json.dumps(made["turns"]) for made in self.made["train"] if made["steps"]]
        self.assertEqual(len(set(talks)), len(talks))

    def test_turns_alternate_as_in_a_session(self):
        follows = {"user": ("call", "answer"), "call": ("tool",), "tool": ("call", "answer"), "answer": ("user",)}
        for made in self.made["train"]:
            kinds = [kind for kind, _ in made["turns"]]
            self.assertEqual((kinds[0], kinds[-1]), ("user", "answer"), made)
            for one, other in zip(kinds, kinds[1:]):
                self.assertIn(other, follows[one], made)
            self.assertEqual(len(made["facts"]), kinds.count("answer"))

    def test_every_call_is_valid_by_the_tools_own_schemas(self):
        # The real parser said so for each; a call that it does not accept is answered with this.
        for made in self.made["train"]:
            for kind, text in made["turns"]:
                if kind == "tool":
                    self.assertNotIn("malformed call", text, made["turns"])

    def test_every_tool_and_every_parameter_is_used(self):
        used = {(one["name"], key) for one in self.calls() for key in one["arguments"]}
        for index in range(3000):  # rare ones may need some more
            if not self.missing(used):
                break
            for kind, text in self.generate.conversation(f"train-more-{index}", "train", self.world)["turns"]:
                if kind == "call":
                    one = json.loads(text)
                    used |= {(one["name"], key) for key in one["arguments"]}
        self.assertEqual(self.missing(used), set())

    @staticmethod
    def missing(used):
        manifests = sorted((nacre_case.BUILD / "tools").glob("*/tool.yaml"))
        wanted = set()
        for manifest in manifests:
            in_parameters, name = False, manifest.parent.name
            for line in manifest.read_text().splitlines():
                in_parameters = in_parameters and line.startswith("    ") or line == "  properties:"
                if in_parameters and line.startswith("    ") and line[4] != " ":
                    wanted.add((name, line.strip().split(":")[0]))
        assert len({name for name, _ in wanted}) == len(manifests) >= 8, wanted
        return wanted - used

    def test_the_splits_share_neither_wordings_nor_words(self):
        import words
        from stories import builder
        said = {split: set() for split in self.made}
        original = builder.pattern
        for split in self.made:
            def listen(rng, templates, kept=said[split]):
                text = original(rng, templates)
                kept.add(text)
                return text
            builder.pattern = listen
            try:
                for index in range(150):
                    self.generate.conversation(f"{split}-test-{index}", split, self.world)
            finally:
                builder.pattern = original
        self.assertGreater(len(said["train"]), 120)
        self.assertEqual(said["train"] & said["held_out"], set())
        for held_out in (False, True):
            rng = words.Dice("words", held_out)
            drawn = {words.word(rng) for _ in range(2000)}
            self.assertEqual({words.is_held_out(word) for word in drawn}, {held_out})

    def test_most_conversations_fit_and_some_are_long(self):
        from tokenizer import Tokenizer, render
        tokenizer = Tokenizer.load()
        lengths = sorted(len(render(tokenizer, made["turns"])[0]) for made in self.made["train"])
        self.assertLess(lengths[-1], 2048)
        self.assertLess(lengths[len(lengths) * 9 // 10], 1000)

    def test_facts_stand_in_the_answers(self):
        for made in self.made["train"]:
            answers = [text for kind, text in made["turns"] if kind == "answer"]
            for text, facts in zip(answers, made["facts"]):
                for fact in facts:
                    self.assertIn(fact, text)


class SaysWhatNacreSays(NacreCase):
    """A world without sandboxes must not differ from `nacre run` in any result."""

    POLICY = ("nacre: policy/1\nname: test\nextends: [builtin/coding]\n"
              "workspace: {protect: ['locked/**']}\n"
              "tools:\n  - {id: no, reason: nobody may grep, tool: fs.search, args: {pattern: {equals: secret}}, decision: deny}\n"
              "  - {id: may, reason: a person decides, tool: fs.search, args: {pattern: {equals: maybe}}, decision: ask}\n")
    FILES = {"a.txt": "one\ntwo\n", "sub/b.md": "# two\n", ".env": "KEY=1\n", "locked/c.txt": "c\n",
             "long.log": "".join(f"line {number} of many\n" for number in range(400)), "hi.py": "print('hi')\n"}
    CALLS = [
        ("fs.list", {}), ("fs.list", {"recursive": True, "pattern": "*.md"}), ("fs.list", {"path": "none"}),
        ("fs.list", {"min_size": "1 kB", "sort": "size", "limit": 1}), ("fs.list", {"min_size": "big"}),
        ("fs.read", {"path": "a.txt"}), ("fs.read", {"path": "long.log"}), ("fs.read", {"path": "sub"}),
        ("fs.read", {"path": "a.txt", "start_line": 9}), ("fs.read", {"path": ".env"}), ("fs.read", {"path": "/etc/passwd"}),
        ("fs.search", {"pattern": "two"}), ("fs.search", {"pattern": "[", "regex": True}), ("fs.search", {"pattern": "KEY"}),
        ("fs.search", {"pattern": "secret"}), ("fs.search", {"pattern": "maybe"}),
        ("fs.write", {"path": "new/x.txt", "content": "x"}), ("fs.write", {"path": "a.txt", "content": "three", "append": True}),
        ("fs.write", {"path": "locked/c.txt", "content": "x"}), ("fs.edit", {"path": "a.txt", "old": "one", "new": "1"}),
        ("fs.edit", {"path": "a.txt", "old": "none", "new": "1"}), ("proc.run", {"argv": ["wc", "-l", "a.txt"]}),
        ("proc.run", {"argv": ["cat", "nothing"]}), ("proc.run", {"argv": ["rm", "a.txt"]}), ("proc.run", {"argv": ["ls"]}),
        ("proc.run", {"argv": ["python3", "hi.py"]}), ("memory.note", {"text": "the key is blue"}),
        ("memory.search", {"query": "key"}), ("memory.search", {"query": "nothing"}),
    ]

    def test_the_results_are_the_same(self):
        skip_unless_possible()
        from world import World
        for name, text in self.FILES.items():
            self.write(name, text)
        policy = self.policy(self.POLICY)
        steps = [call(name, **arguments) for name, arguments in self.CALLS] + [call_text("fs.read", "{}"), answer("Done.")]
        with ScriptedEngine(steps) as engine:
            self.run_task("Do it", "--policy", policy, "--engine", engine.url)
            told = [message["content"] for message in engine.requests[-1]["messages"] if message["role"] == "tool"]
        world = World(nacre_case.BUILD)
        self.addCleanup(world.close)
        world.furnish({"policy": self.POLICY, "context": 0, "home": "/root", "files": self.FILES, "now": 1})
        world.user("Do it")
        said = [world.call(name, json.dumps(arguments)) for name, arguments in self.CALLS]
        said.append(world.call("fs.read", "{}"))
        world.answer("Done.")
        self.assertEqual(len(told), len(said))
        for one, real, played in zip(self.CALLS + [("fs.read", {})], told, said):
            self.assertEqual(played, real, one)


if __name__ == "__main__":
    nacre_case.main()
