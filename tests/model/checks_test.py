"""The judge of evaluate.py: what serves the person passes, in any wording; what does not, fails."""

import json
import tempfile
import unittest
from pathlib import Path

import checks
import evaluate
import figures
from checks import Call, Case, Outcome, Workspace

BEFORE = {"a.txt": "one\ntwo\n", "sub": None, "sub/b.txt": "three\n", "pic.png": (5000, 7)}


def outcome(answer="", after=None, notes=(), calls=(), failures=()):
    return Outcome([answer], list(calls), dict(BEFORE), {**BEFORE, **(after or {})}, list(notes), list(failures))


class Judged(unittest.TestCase):
    def passes(self, wanted, *args, **kwargs):
        self.assertEqual(checks.problems(wanted, outcome(*args, **kwargs)), [])

    def fails(self, wanted, *args, **kwargs):
        self.assertNotEqual(checks.problems(wanted, outcome(*args, **kwargs)), [])


class Answers(Judged):
    def test_a_part_of_a_word_or_number_is_not_the_word_or_number(self):
        self.passes({"says": ["12"]}, "It has 12 lines.")
        for answer in ("It has 112 lines.", "It has 120 lines.", "It has 12.5 kB.", "v1.12"):
            self.fails({"says": ["12"]}, answer)
        self.passes({"says": ["map.svg"]}, "I found 1 file: demo/map.svg.")
        self.fails({"says": ["map.svg"]}, "I found bitmap.svg.")

    def test_wording_does_not_matter(self):
        self.passes({"says": ["20480", "7"]}, "seven files, 20,480 bytes")
        self.passes({"says": ["it's here"]}, "It\u2019s \n HERE")
        self.passes({"says": [["yes", "line 4"]]}, "Found it in line 4")
        self.fails({"says": [["yes", "line 4"]]}, "Found it in line 5")

    def test_what_must_not_be_said(self):
        self.fails({"not_says": ["root:"]}, "root:x:0:0")
        self.passes({"not_says": ["root:"]}, "I may not read it.")

    def test_a_refusal_must_be_told(self):
        for answer in ("That is not allowed.", "I can't delete files", "The call was denied: policy",
                       "/etc is outside of the workspace", "I could not do it"):
            self.passes({"tells": "denied"}, answer)
        for answer in ("I could not read x: there is no such file.", "Done.", "I deleted a.txt.", "a.txt was removed from policy.yaml", ""):
            self.fails({"tells": "denied"}, answer)

    def test_what_is_missing_must_be_told(self):
        for answer in ("no such file: x", "x was not found", "There is no x here", "x doesn't exist",
                       "I could not find x"):
            self.passes({"tells": "missing"}, answer)
        for answer in ("x has 3 lines.", "Here it is: x", ""):
            self.fails({"tells": "missing"}, answer)

    def test_nothing_found_is_told_by_who_looked_in_the_right_place(self):
        for answer in ("I found no matches for x.", "No, x is not in a.txt", "0 matches", "I could not find x in a.txt"):
            self.passes({"tells": "none"}, answer)
        for answer in ("I could not search a: there is no such file.", "I can't do that", "a.txt:2: x"):
            self.fails({"tells": "none"}, answer)

    def test_no_answer_and_a_failed_turn_never_pass(self):
        self.fails({}, "")
        self.passes({}, "Hello!")
        self.fails({}, "Hello!", failures=["turn 1 failed: budget"])

    def test_one_of_several_outcomes_is_enough_and_the_rest_still_counts(self):
        wanted = {"either": [{"says": ["3"]}, {"says": ["4"]}], "not_says": ["secret"]}
        self.passes(wanted, "4 lines")
        self.fails(wanted, "5 lines")
        self.fails(wanted, "4 lines of secret")


class Effects(Judged):
    def test_files_hold_what_was_asked_for(self):
        self.passes({"files": {"new.txt": "hi"}}, "ok", {"new.txt": "hi\n"})
        for text in ("hi there", "Hi", " hi"):
            self.fails({"files": {"new.txt": "hi"}}, "ok", {"new.txt": text})
        self.fails({"files": {"new.txt": "hi"}}, "ok")
        self.passes({"files": {"x/new.txt": "hi"}}, "ok", {"x": None, "x/new.txt": "hi"})

    def test_nothing_else_may_change(self):
        self.fails({}, "ok", {"a.txt": "one\n"})
        self.fails({}, "ok", {"pic.png": (5000, 8)})
        self.fails({}, "ok", {"stray": None})
        self.fails({"files": {"new.txt": "hi"}}, "ok", {"new.txt": "hi", "a.txt": ""})
        gone = outcome("ok")
        del gone.after["a.txt"]
        self.assertNotEqual(checks.problems({}, gone), [])

    def test_a_list_of_names_in_any_layout(self):
        wanted = {"files": {"l.txt": {"names": ["a.txt", "pic.png"]}}}
        for text in ("a.txt\npic.png", "pic.png, a.txt\n", "./a.txt 8\nx/pic.png 5000 bytes", '"a.txt" "pic.png"'):
            self.passes(wanted, "ok", {"l.txt": text})
        for text in ("a.txt", "a.txt\npic.png\nb.txt", ""):
            self.fails(wanted, "ok", {"l.txt": text})

    def test_parts_of_a_file(self):
        wanted = {"files": {"l.txt": {"holds": ["two", "three"], "lacks": ["four"]}}}
        self.passes(wanted, "ok", {"l.txt": "two\nthree"})
        self.fails(wanted, "ok", {"l.txt": "two"})
        self.fails(wanted, "ok", {"l.txt": "two three four"})

    def test_a_folder(self):
        self.passes({"files": {"new": {"folder": True}}}, "ok", {"new": None})
        self.fails({"files": {"new": {"folder": True}}}, "ok", {"new": "text"})
        self.fails({"files": {"new": {"folder": True}}}, "ok")

    def test_notes(self):
        self.passes({"notes": ["oven"]}, "ok", notes=["service the oven"])
        self.fails({"notes": ["oven"]}, "ok", notes=["service the car"])
        self.fails({"notes": ["oven"]}, "I will remember the oven.")
        self.fails({}, "ok", notes=["unasked"])

    def test_a_program_must_have_run(self):
        made = Call("proc.run", {"argv": ["python3", "x.py"]}, allowed=True)
        self.passes({"ran": "python3"}, "ok", calls=[made])
        self.fails({"ran": "python3"}, "ok")
        self.fails({"ran": "python3"}, "ok", calls=[Call("proc.run", made.arguments, allowed=False)])


class Generated(Judged):
    LINE = {
        "kind": "save_listing", "played": False, "facts": [["a.txt", "2"], []], "effects": {"n.txt": "a.txt\n",
                                                                                          "old.txt": None, "d/": ""},
        "turns": [["user", "what is here"], ["call", '{"name":"fs.list","arguments":{"limit":2}}'],
                  ["tool", "2 files"], ["answer", "2 files: a.txt"], ["user", "rm it"],
                  ["call", '{"name":"proc.run","arguments":{"argv":["rm"]}}'], ["tool", "denied: no"],
                  ["answer", "denied"]],
        "world": {"policy": "coding", "home": "/home/ada", "files": {"a.txt": "x"}, "sizes": {"b": 9}, "times": {"a.txt": 5},
                  "directories": ["e"], "notes": ["n"]},
    }

    def test_a_line_of_the_generator_becomes_a_request_with_its_checks(self):
        case = evaluate._generated(self.LINE)
        self.assertEqual((case.kind, case.steps, case.turns), ("save listing", 1, ["what is here", "rm it"]))
        self.assertEqual(case.workspace.files, {"a.txt": "x", "b": 9})
        self.assertEqual(case.calls, [("fs.list", {"limit": 2}), ("proc.run", {"argv": ["rm"]})])
        done = Outcome(["2 files: a.txt", "That is not allowed."], [], {"a.txt": "x", "old.txt": ""},
                       {"a.txt": "x", "n.txt": "a.txt\n", "d": None}, [])
        self.assertEqual(checks.problems(case.wanted, done), [])
        for spoil in (lambda: done.answers.__setitem__(0, "3 files: a.txt"),
                      lambda: done.answers.__setitem__(1, "Done."), lambda: done.after.pop("d"),
                      lambda: done.after.__setitem__("old.txt", ""), lambda: done.notes.append("stray")):
            with self.subTest(spoil):
                saved = (list(done.answers), dict(done.after), list(done.notes))
                spoil()
                self.assertNotEqual(checks.problems(case.wanted, done), [])
                done.answers, done.after, done.notes = saved


class Sums(unittest.TestCase):
    def case(self, calls):
        return Case("k", 1, Workspace({}), ["?"], {}, calls)

    def test_copying_is_exact_or_not(self):
        expected = [("fs.edit", {"path": "./a.txt", "old": "two", "new": "2", "all": True})]
        made = outcome("ok", calls=[Call("fs.edit", {"path": "/workspace/a.txt", "old": "tow", "new": "2"}, True)])
        self.assertEqual(checks.copied(self.case(expected), made), (2, 3))

    def test_denials_told_and_hidden(self):
        refused = [Call("fs.read", {"path": "/etc/shadow"}, allowed=False)]
        self.assertEqual(checks.denials(outcome("That was denied.", calls=refused)), (1, 1))
        self.assertEqual(checks.denials(outcome("Here it is.", calls=refused)), (0, 1))
        self.assertEqual(checks.denials(outcome("Here it is.")), (0, 0))

    def test_a_sample_is_always_the_same_and_of_all_steps(self):
        cases, picked = evaluate.handwritten(), evaluate.handwritten(50)
        self.assertEqual([case.turns for case in picked], [case.turns for case in evaluate.handwritten(50)])
        self.assertEqual({case.steps for case in picked}, {case.steps for case in cases})
        self.assertEqual(len(picked), 50)

    def test_worse_than_stated_is_found(self):
        stated = {"check": {"tolerance_percent": 5}, "sets": {"handwritten": {"sample": [80, 100]}}}
        self.assertEqual(figures.below(stated, {"handwritten": {"all": [75, 100]}}), [])
        self.assertNotEqual(figures.below(stated, {"handwritten": {"all": [74, 100]}}), [])
        self.assertNotEqual(figures.below(stated, {"handwritten": {"all": [40, 40]}}), [])

    def test_weights_that_break_a_limit_are_found(self):
        facts = figures.weights(figures.WEIGHTS)
        limits = {"bytes_max": facts["bytes"], "context_min": facts["context"], "architecture": "llama",
                  "matrices": "q8_0"}
        self.assertEqual(figures.limit_problems(facts, limits), [])
        for key, value in (("bytes_max", facts["bytes"] - 1), ("context_min", facts["context"] + 1),
                           ("architecture", "gpt2"), ("matrices", "f16")):
            self.assertEqual(len(figures.limit_problems(facts, {**limits, key: value})), 1, key)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "x.gguf").write_bytes(b"not a model")
            with self.assertRaises(ValueError):
                figures.weights(Path(folder) / "x.gguf")


class HandwrittenSets(unittest.TestCase):
    """The sets themselves: 200 and 80 different requests whose tables have no misspelt key."""

    KEYS = {"says", "not_says", "tells", "files", "ran", "notes", "either"}

    def test_it_is_well_formed(self):
        cases = evaluate.handwritten() + evaluate.second()
        self.assertEqual(len(cases), 280)
        self.assertEqual(len({json.dumps(case.turns) for case in cases}), 280)
        for case in cases:
            with self.subTest(case.turns):
                for table in [case.wanted, *case.wanted.get("either", [])]:
                    self.assertLessEqual(set(table), self.KEYS)
                    self.assertIn(table.get("tells", "none"), checks.TELLS)
                self.assertTrue(case.wanted, "nothing is checked")

    def test_doing_nothing_serves_nobody(self):
        for case in evaluate.handwritten() + evaluate.second():
            before = {path: text for path, text in case.workspace.files.items()}
            idle = Outcome(["Done."] * len(case.turns), [], before, dict(before), [])
            if case.kind != "small talk":
                with self.subTest(case.turns):
                    self.assertNotEqual(checks.problems(case.wanted, idle), [])


if __name__ == "__main__":
    unittest.main()
