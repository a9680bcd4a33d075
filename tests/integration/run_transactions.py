#!/usr/bin/env python3
"""The workspace as a transaction, through the built program: what a call changes is shown, taken back, and
never half there."""
import json
import os
import pathlib
import signal
import sys
import time

from nacre_case import NacreCase, main
from scripted_engine import ScriptedEngine, answer, call

POLICY = """nacre: policy/1
name: quick
extends: [builtin/coding]
sandbox:
  limits: {wall: 500ms}
"""

# Writes, and goes on for long unless there is a file "go".
SCRIPT = """import os, time
open('out', 'a').write('x')
time.sleep(0 if os.path.exists('go') else 61.25)
"""


def running(marker):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    found += [entry] if marker.encode() in file.read() else []
            except OSError:
                pass
    return found


def without(what, command):
    wrapper = pathlib.Path(__file__).resolve().parent.parent / "support" / "without.py"
    return [sys.executable, str(wrapper), what, *command]


class Transactions(NacreCase):
    def scripted(self, *replies, task="Do it", options=(), exit_code=0):
        with ScriptedEngine(list(replies)) as engine:
            return self.run_task(task, "--engine", engine.url, "--model", "scripted", *options, exit_code=exit_code)

    def execute(self, script, *options, exit_code=0):
        return self.nacre("sandbox", "exec", "--workspace", self.workspace, *options, "--", "sh", "-c", script,
                          exit_code=exit_code)

    def test_show_diff_and_undo(self):
        self.write("notes.md", "one\ntwo\n")
        before = self.snapshot()
        done = self.scripted(call("fs.write", path="notes.md", content="one\nthree\nfour\n"),
                             call("fs.write", path="new/file.txt", content="new\n"), answer("Done."))
        first, second = [event["workspace"] for event in done.named("call.finished")]
        self.assertEqual((first["end"], first["lines_added"], first["lines_removed"]), ("committed", 2, 1))
        self.assertEqual((second["created"], second["changed"], second["deleted"]), (2, 0, 0))
        self.assertEqual((self.workspace / "notes.md").read_text(), "one\nthree\nfour\n")
        ids = [event["call"] for event in done.named("call.finished")]

        shown = json.loads(self.nacre("call", "show", "--json", ids[0]).stdout)
        self.assertEqual((shown["rule"], shown["outcome"]["workspace"]["end"]), ("tools.write-workspace", "committed"))
        self.assertEqual([c["path"] for c in shown["diff"]["changes"]], ["notes.md"])
        self.assertIn("undo       nacre call undo " + ids[1], self.nacre("call", "show", "last").stdout)
        self.assertIn("-two\n+three\n+four\n", self.nacre("call", "diff", ids[0]).stdout)

        self.nacre("call", "undo", "last")
        self.assertFalse((self.workspace / "new").exists())
        self.nacre("call", "undo", ids[0])
        self.assertEqual(self.snapshot(), before)
        self.assertIn("undone already", self.nacre("call", "undo", ids[0], exit_code=1).stderr)
        self.nacre("call", "undo", "01ZZZZZZ", exit_code=1)
        events = [record["event"] for record in self.audit()]
        self.assertLess(events.index("workspace.commit"), events.index("call.finished"))
        self.assertEqual(events.count("workspace.undone"), 2)
        # In the records of the session, in which the call was.
        started = next(record for record in self.audit() if record["event"] == "call.started")
        for record in self.audit():
            if record["event"].startswith("workspace.und"):
                self.assertEqual((record["session"], record["turn"]), (started["session"], started["turn"]), record)
        self.assert_verified()

    def test_undo_refuses_where_later_changes_overlap(self):
        self.write("notes.md", "one\n")
        self.scripted(call("fs.write", path="notes.md", content="two\n"), answer("Done."))
        self.write("notes.md", "three\n")
        refused = self.nacre("call", "undo", "last", exit_code=1)
        self.assertIn("notes.md was changed", refused.stderr)
        self.assertEqual((self.workspace / "notes.md").read_text(), "three\n")

    def test_a_call_that_does_not_end_well_changes_nothing(self):
        self.write("kept", "kept\n")
        policy = self.policy(POLICY)
        before = self.snapshot()
        done = self.execute("echo x > new; rm kept; sleep 9", "--policy", policy, exit_code=124)
        self.assertIn("not kept", done.stderr)
        self.execute("echo x > new; kill -9 $$", "--policy", policy, exit_code=137)
        self.assertEqual(self.snapshot(), before)

    def test_a_program_that_fails_keeps_what_it_wrote(self):
        done = self.execute("echo x > new; exit 3", exit_code=3)
        self.assertIn("undo: nacre call undo", done.stderr)
        self.assertEqual(self.snapshot(), {"new": b"x\n"})
        self.nacre("call", "undo")
        self.assertEqual(self.snapshot(), {})

    def test_what_the_policy_protects_is_not_created_either(self):
        done = self.execute("mkdir -p sub/.git/hooks; echo x > sub/.git/hooks/pre-commit; echo x > fine", exit_code=1)
        self.assertIn("sub/.git: the policy protects it", done.stderr)
        done = self.execute("ln -s /etc/passwd link", exit_code=1)
        self.assertIn("link: a link that leads out of the workspace", done.stderr)
        done = self.execute("mkfifo pipe", exit_code=1)
        self.assertIn("pipe: a device, FIFO or socket", done.stderr)
        self.assertEqual(list(self.workspace.iterdir()), [])

    def test_killed_during_a_call_it_never_happened_and_is_run_again(self):
        self.write("work.py", SCRIPT)
        with ScriptedEngine([call("proc.run", argv=["python3", "work.py"])]) as engine:
            process = self.start("run", "--json", "--workspace", self.workspace, "--engine", engine.url, "--model",
                                 "scripted", "Work")
            end = time.monotonic() + 60
            while not running("work.py") and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(1)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.assertFalse((self.workspace / "out").exists())
        self.write("go", "")
        with ScriptedEngine([answer("Done.")]) as engine:
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted")
        self.assertEqual(len(done.named("call.started")), 1)
        self.assertEqual((self.workspace / "out").read_text(), "x")
        self.assert_verified()

    def test_names_of_every_kind_survive(self):
        done = self.execute(r"""printf 1 > "$(printf '\377\033[2Jx')"; printf 2 > 'a b%'; mkdir 'new
line'; printf 3 > 'new
line/"'""")
        self.assertNotIn("\x1b", self.nacre("call", "diff").stdout + done.stderr)
        paths = [c["path"] for c in json.loads(self.nacre("call", "diff", "--json").stdout)["changes"]]
        self.assertEqual(sorted(paths), sorted(["a b%25", "new%0Aline", 'new%0Aline/"', "%FF%1B[2Jx"]))
        self.assertEqual(len(os.listdir(os.fsencode(self.workspace))), 3)
        self.nacre("call", "undo")
        self.assertEqual(os.listdir(self.workspace), [])


class TransactionsWithoutOverlay(Transactions):
    """The same where no overlay can be made: calls work on copies, and nothing else differs."""

    def command(self, *arguments):
        return without("overlay", super().command(*arguments))

    def test_the_record_and_the_doctor_say_so(self):
        self.write("notes.md", "one\n")
        done = self.scripted(call("fs.write", path="notes.md", content="two\n"), answer("Done."))
        finished = done.named("call.finished")[0]
        self.assertEqual(finished["layers"]["workspace"], "copy")
        self.assertRegex(self.nacre("call", "show", finished["call"]).stdout, r"view +a copy of the workspace")
        overlay = [part for part in self.nacre("doctor", "--json", exit_code=None).events
                   if part.get("part") == "sandbox: overlay"]
        self.assertEqual(overlay[0]["state"], "weaker")
        self.assertIn("copy of the workspace", overlay[0]["why"])

    def test_a_workspace_that_is_too_large_is_refused_and_nothing_runs(self):
        self.write("large", "x" * (3 << 20))
        self.write("policy.yaml", "nacre: policy/1\nname: small\nextends: [builtin/coding]\n"
                                  "sandbox: {limits: {disk: 2MiB}}\n")
        done = self.execute("echo x > made", "--policy", self.workspace / "policy.yaml", exit_code=3)
        self.assertIn("larger than the call's disk limit of 2097152 bytes", done.stderr)
        self.assertIn("mode: direct", done.stderr)
        self.assertFalse((self.workspace / "made").exists())


class TransactionsWithoutOwners(NacreCase):
    """The same on a file system that lets root give files to nobody."""

    def command(self, *arguments):
        return without("owners", super().command(*arguments))

    def test_what_could_not_be_given_to_its_owner_is_told_and_recorded(self):
        if os.geteuid() != 0:
            self.skipTest("only root gives files to others")
        self.write("gone", "old\n")
        for path in (self.workspace, self.workspace / "gone"):
            os.chown(path, 4242, 4242)
        done = self.nacre("sandbox", "exec", "--workspace", self.workspace, "--", "sh", "-c", "echo x > made; rm gone")
        told = "made: belongs to 0:0 and not to 4242:4242"
        self.assertIn("nacre: " + told, done.stderr)
        finished = [record for record in self.audit() if record["event"] == "sandbox.exec.finished"][-1]
        self.assertEqual(finished["data"]["outcome"]["workspace"]["reason"], told)
        undone = self.nacre("call", "undo", "last")
        self.assertIn("could not be given to their owners:\n  gone belongs to 0:0 and not to 4242:4242", undone.stderr)
        ended = [record for record in self.audit() if record["event"] == "workspace.undone"]
        self.assertEqual([record["data"]["misowned"] for record in ended], [1])


if __name__ == "__main__":
    main()
