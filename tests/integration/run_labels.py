#!/usr/bin/env python3
"""Labels of files across sessions: what one session wrote comes back with what that session knew, in every later one,
until it is written anew, deleted, or a person clears it."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from nacre_case import NacreCase, main  # noqa: E402
from scripted_engine import ScriptedEngine, answer, call  # noqa: E402

POLICY = """nacre: policy/1
name: labels
workspace: {mode: %s}
sandbox: {require: {cgroup: false, id_maps: false}}
tools:
  - {id: all, reason: r, tool: ["fs.*", "memory.*", proc.run], decision: allow}
data:
  sources:
    - {path: "/workspace/secret/**", confidentiality: secret, categories: [pii]}
    - {path: "/workspace/**", integrity: trusted}
    - {tool: proc.run, integrity: trusted}
    - {memory: true, integrity: trusted}
  flows:
    - id: secrets-stay
      reason: what is secret is not run
      when: {confidentiality: {at_least: secret}}
      to: {effects: [execute]}
      decision: deny
"""

SECRET = ["category:pii", "confidentiality:secret"]


class FileLabels(NacreCase):
    def setUp(self):
        super().setUp()
        self.write("secret/a.txt", "the number is 4711\n")
        self.mode = "transactional"

    def session(self, *script, policy=None, workspace=None):
        """A session of its own: the labels after each of its calls, as its last event has them."""
        with ScriptedEngine([*script, answer("done")]) as engine:
            done = self.nacre("run", "--json", "--workspace", workspace or self.workspace, "--policy",
                              self.policy(policy or POLICY % self.mode), "--engine", engine.url, "--model", "scripted",
                              "Do it")
        self.told = "\n".join(message["content"] or "" for request in engine.requests
                              for message in request["messages"])
        self.assertEqual(done.last["answer"], "done", done)
        self.done = done
        return [event["labels"] for event in done.named("call.finished")]

    def labels(self, *options, exit_code=0):
        done = self.nacre("workspace", "labels", "--json", *options, exit_code=exit_code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def taint(self, path="copy.txt"):
        self.session(call("fs.read", path="secret/a.txt"), call("fs.write", path=path, content="noted here\n"))

    def test_a_file_comes_back_with_its_label_in_every_later_session(self):
        self.taint()
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.assertEqual(self.session(call("fs.list")), [SECRET])
        # Nobody read it: but a program may.
        self.assertEqual(self.session(call("proc.run", argv=["cat", "copy.txt"])), [])
        self.assertEqual(self.done.named("call.decided")[0]["rule"], "data.secrets-stay")
        # What was not written is what it was.
        self.write("other.txt", "mine\n")
        self.assertEqual(self.session(call("fs.read", path="other.txt")), [[]])
        # Also where the workspace is another, which it lies in.
        self.taint("deep/er/copy.txt")
        self.assertEqual(self.session(call("fs.read", path="er/copy.txt"), workspace=self.workspace / "deep"), [SECRET])

    def test_what_is_made_of_it_is_as_delicate_and_what_is_written_anew_is_not(self):
        self.taint()
        self.session(call("fs.edit", path="copy.txt", old="noted", new="changed"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.session(call("fs.write", path="copy.txt", content="more\n", append=True))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.session(call("fs.write", path="copy.txt", content="anew"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [[]])
        self.assertEqual(self.labels(), [])
        # Taken back, it is what it was; and again.
        self.nacre("call", "undo", self.done_call("fs.write"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.assertEqual(self.labels()[0]["labels"], SECRET)

    def done_call(self, tool):
        """The newest call of that tool that changed the workspace."""
        sessions = [json.loads(line)["session"] for line in self.nacre("session", "list", "--json").stdout.splitlines()]
        for session in sessions:
            shown = json.loads(self.nacre("session", "show", "--json", session).stdout)
            for turn in shown["turn_list"]:
                for step in turn["steps"]:
                    if step.get("call", {}).get("tool") == tool:
                        return step["call"]["call"]
        raise AssertionError(f"no call of {tool}")

    def test_a_program_may_have_copied_what_it_could_read(self):
        quiet = (POLICY % self.mode).split("  flows:")[0]
        self.taint()
        self.assertEqual(self.session(call("proc.run", argv=["cp", "copy.txt", "b.txt"]), policy=quiet), [SECRET])
        self.assertEqual(self.session(call("fs.read", path="b.txt")), [SECRET])
        self.session(call("proc.run", argv=["mv", "copy.txt", "c.txt"]), policy=quiet)
        self.assertEqual({each["path"]: each["labels"] for each in self.labels()}, {"b.txt": SECRET, "c.txt": SECRET})
        self.session(call("proc.run", argv=["rm", "b.txt", "c.txt"]), policy=quiet)
        self.assertEqual(self.labels(), [])

    def test_a_program_that_writes_one_of_its_arguments_may_say_something_by_it(self):
        quiet = (POLICY % self.mode).split("  flows:")[0]
        self.taint()
        self.session(call("proc.run", argv=["sh", "-c", 'grep -q noted copy.txt && printf %s "$1" > b.txt', "-", "yes"]),
                     policy=quiet)
        self.assertEqual((self.workspace / "b.txt").read_text(), "yes")
        self.assertEqual(self.session(call("fs.read", path="b.txt")), [SECRET])

    def test_another_name_for_the_workspace_is_no_way_around_its_labels(self):
        self.taint()
        self.session(call("fs.read", path="/proc/self/cwd/copy.txt"))
        self.assertIn("name the file by its own path", self.told)
        (self.workspace / "link").symlink_to("/workspace/copy.txt")
        self.assertEqual(self.session(call("fs.read", path="link"))[0], SECRET)

    def test_a_session_without_labels_takes_none_off_also_when_it_is_undone(self):
        self.taint()
        plain = (POLICY % self.mode).split("data:")[0]
        self.session(call("fs.write", path="copy.txt", content="anew"), policy=plain)
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.nacre("call", "undo", self.done_call("fs.write"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])

    def test_taking_back_what_only_a_mode_was_changed_by_keeps_the_label(self):
        quiet = (POLICY % self.mode).split("  flows:")[0]
        self.taint()
        self.session(call("proc.run", argv=["sh", "-c", "chmod 600 copy.txt && echo x > b.txt"]), policy=quiet)
        self.nacre("call", "undo", self.done_call("proc.run"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])

    def test_a_persons_edit_takes_no_label_off_and_a_person_who_says_so_does(self):
        self.taint()
        self.taint("d/two.txt")
        self.assertEqual([(each["path"], each["state"]) for each in self.labels()],
                         [("copy.txt", "as written"), ("d", "folder"), ("d/two.txt", "as written")])
        self.write("copy.txt", "a person's own words\n")
        self.assertEqual(self.labels()[0]["state"], "changed since")
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.assertIn("secret, pii", self.nacre("workspace", "labels").stdout)
        cleared = self.labels("--clear", "copy.txt", "--reason", "read it")[0]
        self.assertEqual((cleared["cleared"], cleared["files"][0]["labels"]), (1, SECRET))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [[]])
        record = [record for record in self.audit() if record["event"] == "workspace.labels_cleared"]
        self.assertEqual(record[0]["data"]["files"][0]["path"], "copy.txt", record)
        self.assertEqual((record[0]["data"]["reason"], record[0]["data"]["count"]), ("read it", 1))
        self.labels("--clear", "copy.txt", exit_code=1)
        self.labels("--clear", "d")
        self.assertEqual(self.labels(), [])
        self.nacre("audit", "verify")

    def test_links_lead_to_the_label_of_what_they_lead_to(self):
        self.taint()
        (self.workspace / "link").symlink_to("copy.txt")
        self.assertEqual(self.session(call("fs.read", path="link"))[0], SECRET)

    def test_in_a_direct_workspace_labels_are_only_added(self):
        self.mode = "direct"
        self.taint()
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.session(call("fs.write", path="copy.txt", content="anew\n"))
        self.assertEqual(self.session(call("fs.read", path="copy.txt")), [SECRET])
        self.assertEqual(self.session(call("fs.read", path="secret/../other/../copy.txt")), [SECRET])
        quiet = (POLICY % self.mode).split("  flows:")[0]
        self.write("other.txt", "mine\n")
        self.assertEqual(self.session(call("fs.read", path="other.txt")), [[]])
        self.session(call("fs.read", path="secret/a.txt"), call("proc.run", argv=["true"]), policy=quiet)
        self.assertEqual(self.session(call("fs.read", path="other.txt")), [SECRET])

    def test_a_note_has_the_label_of_who_wrote_it(self):
        self.session(call("fs.read", path="secret/a.txt"), call("memory.note", text="the meeting is at noon"))
        self.session(call("memory.note", text="the harbour is north"))
        self.assertEqual(self.session(call("memory.search", query="meeting")), [SECRET])
        self.assertEqual(self.session(call("memory.search", query="harbour")), [[]])

    def test_a_session_that_goes_on_knows_what_it_knew(self):
        self.taint()
        self.session(call("fs.read", path="copy.txt"))
        session = self.done.last["session"]
        self.labels("--clear", "copy.txt")
        with ScriptedEngine([call("fs.list", path="secret"), answer("done")]) as engine:
            done = self.nacre("run", "--json", "--workspace", self.workspace, "--policy",
                              self.policy(POLICY % self.mode), "--engine", engine.url, "--model", "scripted",
                              "--session", session, "And now?")
        self.assertEqual(done.named("call.decided")[0]["labels"], SECRET, done)


if __name__ == "__main__":
    main()
