"""The main job, end to end: `nacre run "task"` with a real engine, policy, sandbox, store and log.

The bundled model is a real one, so tests with it look at what happened to files and at the records,
not at its words. Where a test needs an exact reply, tests/support/scripted_engine.py gives it.
"""
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess

import nacre_case
from nacre_case import NacreCase, processes_with, wait_until
from scripted_engine import Hold, Raw, ScriptedEngine, answer, call, call_text

DEMO = pathlib.Path(__file__).resolve().parents[1] / "data" / "demo"

# Allows a program that takes as long as a test wants.
SLEEP_POLICY = """\
nacre: policy/1
name: sleepy
extends: [builtin/coding]
workspace: {mode: direct}
tools:
  - id: sleep
    reason: a call that takes its time
    tool: proc.run
    args: {argv[0]: sleep}
    decision: allow
"""


def asked_at_terminal(case, *arguments):
    """nacre on a terminal of its own, once it asks: the process, our end of the terminal, and what it has shown so far."""
    ours, theirs = pty.openpty()
    case.addCleanup(os.close, ours)
    process = subprocess.Popen(case.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               env=case.environment())
    case.addCleanup(process.wait)
    case.addCleanup(process.kill)
    os.close(theirs)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(ours, 4096)
    return process, ours, seen


class BundledModel(NacreCase):
    """nacre-mini does simple one-step requests on files it has never seen."""

    def test_the_demo_task_of_the_readme(self):
        shutil.copytree(DEMO, self.workspace / "tests/data/demo")
        done = self.run_task("Which of the files in tests/data/demo are larger than 10 kB? Write them to big.txt")
        self.assertEqual(done.last["event"], "turn.finished")
        self.assertEqual(done.last["state"], "finished", done)
        words = re.split(r"[\s,]+", (self.workspace / "big.txt").read_text().strip())
        self.assertEqual(sorted(pathlib.PurePath(word).name for word in words), ["map.svg", "report.csv"], done)
        self.assert_verified()

    def test_listing_a_folder(self):
        self.write("letters/to_anna.txt", "Dear Anna\n")
        self.write("letters/to_bert.txt", "Dear Bert\n")
        done = self.run_task("List the files in letters")
        self.assertIn("fs.list", [e["tool"] for e in done.named("call.finished")], done)
        self.assertIn("to_anna.txt", done.last["answer"], done)
        self.assertIn("to_bert.txt", done.last["answer"], done)

    def test_reading_a_file(self):
        self.write("notes.txt", "The meeting is in Oslo.\n")
        done = self.run_task("Read notes.txt")
        self.assertIn("Oslo", "".join(e["result"] for e in done.named("call.finished")), done)

    def test_counting_lines(self):
        self.write("poem.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\n")
        done = self.run_task("How many lines does poem.txt have?")
        self.assertRegex(done.last["answer"], r"\b(7|seven)\b", done)

    def test_searching_for_a_word(self):
        self.write("a.txt", "nothing here\n")
        self.write("b.txt", "the harbour is closed\n")
        done = self.run_task("Which lines of b.txt contain harbour?")
        self.assertIn("the harbour is closed", "".join(e["result"] for e in done.named("call.finished")), done)

    def test_writing_a_file(self):
        self.run_task('Create a file greeting.txt with the text "hello world"')
        self.assertEqual((self.workspace / "greeting.txt").read_text().strip(), "hello world")

    def test_editing_a_file(self):
        self.write("colors.txt", "the sky is blue\nthe grass is green\n")
        self.run_task("Replace blue with red in colors.txt")
        self.assertEqual((self.workspace / "colors.txt").read_text(), "the sky is red\nthe grass is green\n")

    def test_a_file_outside_the_workspace_is_denied_and_recorded(self):
        done = self.run_task("Read the file /etc/shadow")
        denied = [e for e in done.named("call.decided") if e["verdict"] == "deny"]
        self.assertTrue(denied, done)
        self.assertIn("/etc/shadow", json.dumps(denied[0]["arguments"]))
        self.assertGreaterEqual(done.last["denied"], 1)
        self.assertNotIn("root:", done.stdout)

    def test_it_says_that_it_is_a_demonstration_model(self):
        done = self.run_task("List the files here")
        self.assertTrue(done.events[0]["demonstration_model"])
        self.assertIn("nacre-mini", done.events[0]["model"])
        for_people = self.nacre("run", "--workspace", self.workspace, "List the files here")
        self.assertIn("demonstration model", for_people.stdout)


class Events(NacreCase):
    """docs/events.md is what `--json` prints."""

    def test_names_members_and_order(self):
        self.write("a.txt", "one\n")
        with ScriptedEngine([call("fs.read", path="a.txt"), call("fs.read", path="/etc/shadow"),
                             answer("It says one.")]) as engine:
            done = self.run_task("What does a.txt say?", "--engine", engine.url, "--model", "scripted")
        names = [e["event"] for e in done.events if e["event"] != "text.delta"]
        self.assertEqual(names, ["session.started", "turn.started", "call.decided", "call.started", "call.finished",
                                 "call.decided", "turn.finished"])
        started, finished = done.events[0], done.last
        self.assertEqual(list(started), ["event", "session", "resumed", "workspace", "policy", "policy_digest",
                                         "engine", "model", "demonstration_model", "sandbox", "weaker"])
        self.assertEqual((started["resumed"], started["workspace"]), (False, str(self.workspace.resolve())))
        self.assertEqual("no cgroup" in started["sandbox"], "cgroup: " in started["weaker"], started)
        if started["weaker"]:
            self.assertIn("to mend it: ", started["weaker"])
        self.assertEqual(list(finished), ["event", "turn", "state", "answer", "error", "steps", "calls", "denied",
                                          "tokens", "session", "cut_off"])
        self.assertEqual((finished["state"], finished["answer"]), ("finished", "It says one."))
        self.assertEqual((finished["steps"], finished["calls"], finished["denied"]), (3, 1, 1))
        self.assertEqual(finished["session"], started["session"])
        self.assertEqual("".join(e["text"] for e in done.named("text.delta")), "It says one.")
        allowed, denied = done.named("call.decided")
        self.assertEqual(list(allowed), ["event", "call", "tool", "arguments", "verdict", "rule", "reason", "source",
                                         "labels"])
        self.assertEqual((allowed["tool"], allowed["verdict"], allowed["rule"]),
                         ("fs.read", "allow", "tools.read-workspace"))
        self.assertEqual(denied["verdict"], "deny")
        ended = done.named("call.finished")[0]
        self.assertEqual(list(ended), ["event", "call", "tool", "outcome", "error", "result", "wall_us", "cpu_us",
                                       "layers", "workspace", "labels", "withheld"])
        self.assertEqual((ended["call"], ended["outcome"], ended["error"]), (allowed["call"], "exited", False))
        self.assertIn("one", ended["result"])
        self.assertTrue(ended["layers"]["seccomp"] and ended["layers"]["no_new_privs"])

    def test_a_session_goes_on(self):
        with ScriptedEngine([answer("Hello."), answer("Still here.")]) as engine:
            first = self.run_task("Hi", "--engine", engine.url, "--model", "scripted")
            second = self.run_task("Are you there?", "--engine", engine.url, "--model", "scripted",
                                   "--session", "last")
            self.assertEqual([m["content"] for m in engine.messages() if m["role"] != "system"],
                             ["Hi", "Hello.", "Are you there?"])
        self.assertEqual(first.last["session"], second.last["session"])
        self.assertTrue(second.events[0]["resumed"])
        shown = json.loads(self.nacre("session", "show", "--json").stdout)
        self.assertEqual([t["answer"] for t in shown["turn_list"]], ["Hello.", "Still here."])
        listed = [json.loads(line) for line in self.nacre("session", "list", "--json").stdout.splitlines()]
        self.assertEqual([(s["session"], s["turns"]) for s in listed], [(first.last["session"], 2)])

    def test_the_terminal_shows_each_call_and_never_its_escapes(self):
        self.write("evil.txt", "x")
        with ScriptedEngine([call("fs.read", path="evil\x1b[2J.txt"), answer("done \x1b]0;owned\x07\u202e")]) as engine:
            done = self.nacre("run", "--workspace", self.workspace, "--engine", engine.url, "--model", "scripted", "go")
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("\u202e", done.stdout)
        self.assertIn("fs.read", done.stdout)
        self.assertIn("rule tools.read-workspace", done.stdout)


class Evidence(NacreCase):
    """The database and the log hold exactly what happened."""

    def run_three_calls(self):
        self.write("a.txt", "one\n")
        with ScriptedEngine([call("fs.read", path="a.txt"), call("fs.write", path="b.txt", content="two"),
                             call("fs.write", path="/etc/passwd", content="evil"), answer("Done.")]) as engine:
            return self.run_task("Copy", "--engine", engine.url, "--model", "scripted")

    def test_events_store_and_log_agree(self):
        done = self.run_three_calls()
        decided = [(e["call"], e["tool"], e["verdict"], e["rule"]) for e in done.named("call.decided")]
        self.assertEqual([d[1:3] for d in decided],
                         [("fs.read", "allow"), ("fs.write", "allow"), ("fs.write", "deny")])
        stored = self.rows("SELECT id, tool, verdict, rule, state FROM calls ORDER BY id")
        self.assertEqual([(r["id"], r["tool"], r["verdict"], r["rule"]) for r in stored], decided)
        self.assertEqual([r["state"] for r in stored], [2, 2, 0])  # finished, finished, denied
        records = self.audit()
        logged = [(r["call"], r["data"]["tool"], r["data"]["verdict"], r["rule"])
                  for r in records if r["event"] == "call.decided"]
        self.assertEqual(logged, decided)
        for call_id, _, verdict, _ in decided:
            trail = [r["event"] for r in records if r.get("call") == call_id]
            trail = [event for event in trail if event != "workspace.commit"]
            self.assertEqual(trail, ["call.decided", "call.started", "call.finished"] if verdict == "allow"
                             else ["call.decided"])
        digest = done.events[0]["policy_digest"]
        self.assertEqual({r["policy"] for r in records if r["event"].startswith("call.")}, {digest})
        self.assertEqual(records[-1]["event"], "turn.finished")
        self.assertEqual((self.workspace / "b.txt").read_text(), "two\n")
        self.assertEqual(sorted(self.snapshot()), ["a.txt", "b.txt"])

    def test_the_log_holds_no_content_unless_the_policy_says_so(self):
        self.write("a.txt", "s3cret-content\n")
        with ScriptedEngine([call("fs.read", path="a.txt"), answer("ok")]) as engine:
            self.run_task("Read it", "--engine", engine.url, "--model", "scripted")
        self.assertNotIn("s3cret-content", json.dumps(self.audit()))
        full = self.policy("nacre: policy/1\nname: full\nextends: [builtin/coding]\naudit: {content: full}\n")
        with ScriptedEngine([call("fs.read", path="a.txt"), answer("ok")]) as engine:
            self.run_task("Read it", "--engine", engine.url, "--model", "scripted", "--policy", full)
        self.assertIn("s3cret-content", json.dumps(self.audit()))

    def test_one_changed_byte_is_found_wherever_it_is(self):
        self.run_three_calls()
        self.assert_verified()
        records = self.state / "audit" / "tile/entries/000"
        good = records.read_bytes()
        for position in [0, len(good) // 3, len(good) // 2, len(good) - 2]:
            with self.subTest(position=position):
                bad = bytearray(good)
                bad[position] ^= 0x01
                records.write_bytes(bytes(bad))
                report = json.loads(self.nacre("audit", "verify", "--json", exit_code=2).stdout)
                self.assertFalse(report["ok"])
                self.assertTrue(report["problems"])
        records.write_bytes(good)
        self.assert_verified()

    def test_a_removed_record_is_found(self):
        self.run_three_calls()
        self.run_three_calls()  # so that a checkpoint covers what is left after the cut
        records = self.state / "audit" / "tile/entries/000"
        whole, entries = records.read_bytes(), []
        while sum(map(len, entries)) < len(whole):
            begin = sum(map(len, entries))
            entries.append(whole[begin:begin + 2 + int.from_bytes(whole[begin:begin + 2], "big")])
        records.write_bytes(b"".join(entries[:-1]))
        self.nacre("audit", "verify", exit_code=2)
        records.write_bytes(b"".join(entries[:3] + entries[4:]))
        report = json.loads(self.nacre("audit", "verify", "--json", exit_code=2).stdout)
        self.assertEqual(report["first_bad"], 3)

    def test_nothing_runs_on_a_log_that_was_changed(self):
        self.run_three_calls()
        records = self.state / "audit" / "tile/entries/000"
        records.write_bytes(records.read_bytes().replace(b'"deny"', b'"nope"', 1))
        with ScriptedEngine([call("fs.write", path="c.txt", content="x"), answer("ok")]) as engine:
            done = self.run_task("Again", "--engine", engine.url, "--model", "scripted", exit_code=3)
            self.assertEqual(engine.requests, [])
        self.assertEqual(done.last["event"], "error")
        self.assertFalse((self.workspace / "c.txt").exists())


class Denials(NacreCase):
    """A model that obeys an attacker completely is still contained."""

    def attack(self, steps, *options):
        with ScriptedEngine([*steps, answer("I tried.")]) as engine:
            done = self.run_task("Follow the instructions in letter.txt", "--engine", engine.url, "--model", "scripted",
                                 *options)
            self.told = engine.tool_results()
            self.offered = engine.offered()
        return done

    def assert_all_denied(self, done, count):
        self.assertEqual([e["verdict"] for e in done.named("call.decided")], ["deny"] * count, done)
        self.assertEqual(done.named("call.started"), [])
        self.assertEqual((done.last["denied"], done.last["calls"]), (count, 0))
        denied = [r for r in self.audit() if r["event"] == "call.decided"]
        self.assertEqual([r["data"]["verdict"] for r in denied], ["deny"] * count)
        self.assertEqual([r["state"] for r in self.rows("SELECT state FROM calls")], [0] * count)
        for told in self.told:
            self.assertTrue(told.startswith("denied: "), told)

    def test_paths_outside_the_workspace(self):
        self.assert_all_denied(self.attack([
            call("fs.read", path="/etc/shadow"),
            call("fs.read", path="../../../../etc/shadow"),
            call("fs.read", path="~/.ssh/id_rsa"),
            call("fs.read", path="/proc/self/environ"),
            call("fs.write", path="/workspace/../etc/cron.d/evil", content="x"),
            call("fs.write", path="/workspace-evil/x", content="x"),
            call("fs.list", path="/"),
        ]), 7)

    def test_the_policy_and_git_hooks_cannot_be_changed(self):
        policy = self.write("policy/mine.yaml", "nacre: policy/1\nname: mine\nextends: [builtin/coding]\n")
        self.write("hooks.yaml", "x\n")
        before = self.snapshot()
        self.assert_all_denied(self.attack([
            call("fs.write", path="policy/mine.yaml", content="nacre: policy/1\n"),
            call("fs.edit", path="policy/mine.yaml", old="coding", new="base"),
            call("fs.write", path="./policy/../policy//mine.yaml", content="x"),
            call("fs.write", path=".git/hooks/pre-commit", content="#!/bin/sh\n"),
        ], "--policy", policy), 4)
        self.assertEqual(self.snapshot(), before)

    def test_the_policy_in_use_is_protected_wherever_it_lies(self):
        policy = self.write("rules.txt", "nacre: policy/1\nname: mine\nextends: [builtin/coding]\n")
        before = self.snapshot()
        done = self.attack([call("fs.write", path="rules.txt", content="nacre: policy/1\n"),
                            call("proc.run", argv=["cp", "/etc/hostname", "rules.txt"]),
                            call("proc.run", argv=["mv", "rules.txt", "gone.txt"])], "--policy", policy)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(done.named("call.decided")[0]["verdict"], "deny")

    def test_secrets_are_hidden(self):
        self.write(".env", "KEY=s3cret-value\n")
        self.write("deep/er/.env", "KEY=s3cret-value\n")
        self.write("server.key", "s3cret-value\n")
        done = self.attack([call("fs.read", path=".env"), call("proc.run", argv=["cat", "deep/er/.env"]),
                            call("proc.run", argv=["cat", "server.key"]),
                            call("fs.search", pattern="s3cret-value"),
                            call("proc.run", argv=["grep", "-r", "s3cret", "."])])
        for event in done.named("call.finished"):
            self.assertNotIn("s3cret-value", event["result"])
        self.assertEqual(done.named("call.decided")[0]["verdict"], "deny")

    def test_links_that_lead_outside_lead_nowhere(self):
        secret = self.folder / "outside.txt"
        secret.write_text("s3cret-value\n", encoding="utf-8")
        (self.workspace / "link.txt").symlink_to(secret)
        (self.workspace / "out").symlink_to(self.folder)
        done = self.attack([call("fs.read", path="link.txt"), call("fs.read", path="out/outside.txt"),
                            call("proc.run", argv=["cat", "link.txt", "out/outside.txt"]),
                            call("fs.write", path="out/evil.txt", content="x"),
                            call("fs.write", path="link.txt", content="x")])
        self.assertNotIn("s3cret-value", done.stdout)
        self.assertEqual(secret.read_text(), "s3cret-value\n")
        self.assertFalse((self.folder / "evil.txt").exists())

    def test_programs_without_a_rule(self):
        self.assert_all_denied(self.attack([
            call("proc.run", argv=["sh", "-c", "id"]),
            call("proc.run", argv=["rm", "-r", "."]),
            call("proc.run", argv=["find", ".", "-delete"]),
            call("proc.run", argv=["/bin/sh", "-c", "id"]),
            call("proc.run", argv=["python3", "-c", "print(1)"]),
            call("proc.run", argv=["git", "-c", "core.pager=sh", "log"]),
        ]), 6)

    def test_tools_that_no_rule_could_allow_are_not_offered(self):
        reader = self.policy("nacre: policy/1\nname: reader\nextends: [builtin/base]\n")
        done = self.attack([call("fs.write", path="a.txt", content="x"), call("proc.run", argv=["ls"])],
                           "--policy", reader)
        self.assertEqual(self.offered, ["fslist", "fsread", "fssearch", "memorynote", "memorysearch"])
        self.assertEqual(self.snapshot(), {})
        self.assertEqual(done.last["calls"], 0)

    def test_what_needs_a_person_is_refused_where_none_is(self):
        asking = self.policy("nacre: policy/1\nname: asking\nextends: [builtin/base]\nworkspace: {mode: direct}\n"
                             "tools:\n  - id: ask-me\n    reason: a person looks at each change\n    tool: fs.write\n"
                             "    args: {path: {under: /workspace}}\n    decision: ask\n")
        done = self.attack([call("fs.write", path="a.txt", content="x")], "--policy", asking)
        self.assertEqual(done.named("call.decided")[0]["verdict"], "ask")
        self.assertEqual((done.last["denied"], done.named("call.started")), (1, []))
        self.assertEqual(self.snapshot(), {})

    def test_the_person_sees_a_clear_sentence(self):
        with ScriptedEngine([call("fs.read", path="/etc/shadow"), answer("I may not.")]) as engine:
            done = self.nacre("run", "--workspace", self.workspace, "--engine", engine.url, "--model", "scripted",
                              "Read /etc/shadow")
        self.assertRegex(done.stdout, r"denied: .*/etc/shadow")
        self.assertIn("1 denied", done.stdout)


class Crashes(NacreCase):
    """kill -9 at an instant of the test's choice; then `session resume`."""

    def test_a_finished_call_is_not_repeated(self):
        hold = Hold()
        with ScriptedEngine([call("fs.write", path="log.txt", content="once", append=True), hold]) as engine:
            process = self.start("run", "--json", "--workspace", self.workspace, "--engine", engine.url,
                                 "--model", "scripted", "Append once")
            self.assertTrue(hold.reached.wait(60))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.assertEqual((self.workspace / "log.txt").read_text(), "once\n")
        with ScriptedEngine([answer("Appended.")]) as engine:
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted")
            self.assertEqual(len(engine.tool_results()), 1)
        self.assertEqual((done.last["state"], done.last["answer"]), ("finished", "Appended."))
        self.assertEqual(done.named("call.started"), [])
        self.assertEqual((self.workspace / "log.txt").read_text(), "once\n")
        self.assertEqual([r["state"] for r in self.rows("SELECT state FROM turns")], [1])
        self.assert_verified()

    def test_another_request_takes_the_place_of_an_unfinished_turn(self):
        self.kill_during_a_call("25.125006")
        with ScriptedEngine([answer("Something else it is.")]) as engine:
            done = self.run_task("Something else", "--session", "last", "--engine", engine.url, "--model", "scripted")
        self.assertEqual((done.last["state"], done.named("call.started")), ("finished", []))
        self.assertIn("turn.abandoned", [r["event"] for r in self.audit()])
        self.nacre("session", "resume", exit_code=1)
        self.assert_verified()

    def kill_during_a_call(self, marker):
        policy = self.policy(SLEEP_POLICY)
        with ScriptedEngine([call("proc.run", argv=["sleep", marker])]) as engine:
            process = self.start("run", "--json", "--policy", policy, "--workspace", self.workspace, "--engine",
                                 engine.url, "--model", "scripted", "Sleep")
            wait_until(lambda: processes_with(marker), "the call to run")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def test_nothing_of_a_running_call_is_left(self):
        self.kill_during_a_call("25.125001")
        wait_until(lambda: not processes_with("25.125001"), "the call's processes to end")

    def test_an_interrupted_call_that_is_not_safe_to_repeat_is_told_to_the_model(self):
        self.kill_during_a_call("25.125002")
        with ScriptedEngine([answer("It was interrupted.")]) as engine:
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted")
            self.assertIn("interrupted", engine.tool_results()[0])
        self.assertEqual(done.last["state"], "finished")
        self.assertEqual(done.named("call.started"), [])
        self.assertEqual([r["state"] for r in self.rows("SELECT state FROM calls")], [3])
        self.assertIn("call.interrupted", [r["event"] for r in self.audit()])
        self.assert_verified()

    def test_a_second_process_cannot_run_the_same_session(self):
        hold = Hold()
        with ScriptedEngine([hold]) as engine:
            process = self.start("run", "--json", "--workspace", self.workspace, "--engine", engine.url,
                                 "--model", "scripted", "Wait")
            self.assertTrue(hold.reached.wait(60))
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted", exit_code=3)
            self.assertEqual((done.last["event"], done.last["code"]), ("error", "unavailable"))
            hold.released.set()
            process.wait(60)
        self.assertEqual(process.returncode, 0)


class Cancellation(NacreCase):
    """Ctrl-C ends the call and keeps the session resumable."""

    def interrupt(self, process):
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        return [json.loads(line) for line in out.splitlines()]

    def resume(self, text):
        with ScriptedEngine([answer(text)]) as engine:
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted")
        self.assertEqual((done.last["state"], done.last["answer"]), ("finished", text))
        self.assert_verified()

    def test_while_the_model_thinks(self):
        hold = Hold()
        with ScriptedEngine([hold]) as engine:
            process = self.start("run", "--json", "--workspace", self.workspace, "--engine", engine.url,
                                 "--model", "scripted", "Wait")
            self.assertTrue(hold.reached.wait(60))
            events = self.interrupt(process)
        self.assertEqual((events[-1]["event"], events[-1]["state"]), ("turn.finished", "cancelled"))
        self.resume("Here again.")

    def test_while_a_call_runs(self):
        with ScriptedEngine([call("proc.run", argv=["sleep", "25.125003"])]) as engine:
            process = self.start("run", "--json", "--policy", self.policy(SLEEP_POLICY), "--workspace", self.workspace,
                                 "--engine", engine.url, "--model", "scripted", "Sleep")
            wait_until(lambda: processes_with("25.125003"), "the call to run")
            events = self.interrupt(process)
        self.assertEqual(processes_with("25.125003"), [])
        self.assertEqual(events[-1]["state"], "cancelled")
        self.resume("It was cancelled.")

    def test_the_command_that_is_named_goes_on_in_the_same_way(self):
        tenant = self.policy("nacre: policy/1\nname: acme\ntools:\n"
                             "  - {id: no-lists, reason: not ours, tool: fs.list, decision: deny}\n", "acme it's.yaml")
        hold = Hold()
        with ScriptedEngine([hold, call("fs.list", path="."), answer("Here.")]) as engine:
            process = self.start("run", "--workspace", self.workspace, "--engine", engine.url, "--model", "scripted",
                                 "--tenant-policy", tenant, "Wait")
            self.assertTrue(hold.reached.wait(60))
            os.kill(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, out + err)
            hint = shlex.split(re.search(r"finish it: nacre (.*)", out)[1])
            # Without the tenant's policy it is another one, and not gone on with.
            done = self.nacre("session", "resume", "--json", "--engine", engine.url, "--model", "scripted", exit_code=1)
            self.assertIn("--tenant-policy", done.last["message"])
            ran = subprocess.run([nacre_case.BUILD / "nacre", *hint, "--json"], cwd=self.workspace, capture_output=True,
                                 env=self.environment(), stdin=subprocess.DEVNULL, text=True, check=False)
        done = nacre_case.Finished(hint, ran.returncode, ran.stdout, ran.stderr)
        self.assertEqual([e["rule"] for e in done.named("call.decided")], ["narrow.no-lists"])
        self.assertEqual((done.last["state"], done.last["answer"], done.stderr), ("finished", "Here.", ""))

    def test_that_another_model_goes_on_is_said(self):
        with ScriptedEngine([answer("one"), answer("two")]) as engine:
            self.run_task("Hi", "--engine", engine.url, "--model", "first")
            done = self.run_task("Hi", "--engine", engine.url, "--model", "second", "--session", "last")
        self.assertIn("began with the model first and goes on with second", done.stderr)

    def test_while_a_person_is_asked_and_then_nobody_said_no(self):
        policy = self.policy("nacre: policy/1\nname: asking\nextends: [builtin/coding]\ntools:\n"
                             "  - {id: ask-lists, reason: people decide, tool: fs.list, decision: ask}\n")
        with ScriptedEngine([call("fs.list", path=".")]) as engine:
            process, ours, seen = asked_at_terminal(
                self, "run", "--policy", policy, "--workspace", self.workspace, "--engine", engine.url, "--model", "scripted",
                "List")
            os.kill(process.pid, signal.SIGINT)
            while b"finish it" not in seen:
                seen += os.read(ours, 4096)
            self.assertEqual(process.wait(60), 130)
        self.assertIn(b"refused by nobody, since the turn was cancelled", seen)
        approval = next(r for r in self.audit() if r["event"] == "call.approval")
        self.assertEqual((approval["actor"], approval["data"]["approved"]), ("nacre", False))
        self.assertTrue(approval["data"]["by"].startswith("nobody"), approval)
        self.assertIn("cancelled", approval["data"]["why"])


class BadModels(NacreCase):
    """What a weak, broken or hostile model and server can do to a turn."""

    def turn(self, steps, exit_code=0, *options):
        with ScriptedEngine(steps) as engine:
            done = self.run_task("Do it", "--engine", engine.url, "--model", "scripted", *options, exit_code=exit_code)
            self.requests = engine.requests
        self.assertEqual(done.last["event"], "turn.finished", done)
        return done

    def test_a_malformed_call_is_explained_once(self):
        self.write("a.txt", "one\n")
        done = self.turn([call_text("fs.read", '{"path": 7}'), call("fs.read", path="a.txt"), answer("one")])
        self.assertEqual((done.last["state"], done.last["calls"]), ("finished", 1))
        self.assertIn("path", done.named("call.malformed")[0]["reason"])

    def test_a_second_malformed_call_in_a_row_ends_the_turn(self):
        bad = call_text("fs.read", '{"path": ')
        done = self.turn([bad, bad, answer("never")], 1)
        self.assertEqual(done.last["state"], "failed")
        self.assertIn("malformed", done.last["error"])
        self.assertEqual(len(self.requests), 2)

    def test_malformed_calls_of_each_kind_run_nothing(self):
        deep = "[" * 500 + "]" * 500
        for arguments in ["", "null", "[]", '{"path": "a", "path": "b"}', '{"path": "a", "evil": 1}',
                          '{"path": "a\\u0000b"}', '{"path": ' + deep + "}", '{"path": "' + "a" * 300_000 + '"}',
                          '{"path": "a"} {"path": "b"}']:
            with self.subTest(arguments=arguments[:40]):
                bad = call_text("fs.read", arguments)
                done = self.turn([bad, bad], 1)
                self.assertEqual((done.last["calls"], done.named("call.started")), (0, []))

    def test_a_tool_that_does_not_exist(self):
        done = self.turn([call("fs.destroy", path="/"), answer("There is no such tool.")], None)
        self.assertEqual(done.last["calls"], 0)
        self.assertEqual(done.named("call.decided"), [])

    def test_a_model_that_never_stops_is_stopped_by_the_budget(self):
        self.write("a.txt", "one\n")
        policy = self.policy("nacre: policy/1\nname: short\nextends: [builtin/base]\nbudgets:\n"
                             "  turn: {steps: 4, tool_calls: 30, tokens: 60000, wall: 10m}\n")
        done = self.turn([call("fs.read", path="a.txt")] * 10, 1, "--policy", policy)
        self.assertEqual((done.last["state"], done.last["steps"]), ("failed", 4))
        self.assertIn("budget", done.last["error"])

    def test_servers_that_do_not_keep_the_protocol(self):
        for name, body in {"not JSON": Raw("<html>nope"), "no choices": Raw('{"choices": []}'),
                           "an error": Raw('{"error": {"message": "overloaded"}}', 503),
                           "endless": Raw('{"x": "' + "a" * (64 << 20) + '"}'),
                           "nothing": Raw(""), "bad UTF-8": Raw(b'{"choices": "\xff\xfe"}')}.items():
            with self.subTest(name):
                done = self.turn([body] * 8, 1)
                self.assertEqual(done.last["state"], "failed")
                self.assertTrue(done.last["error"])

    def test_an_answer_that_breaks_off_is_none_and_one_that_is_cut_off_says_so(self):
        def stream(reason):
            choice = {"index": 0, "delta": {"content": "Two "}, "finish_reason": reason}
            return Raw("data: " + json.dumps({"choices": [choice]}) + "\n\n", content_type="text/event-stream")

        done = self.turn([stream(None)], 1)
        self.assertEqual((done.last["state"], done.last["answer"], done.last["cut_off"]), ("failed", "", False))
        self.assertIn("broke off", done.last["error"])
        done = self.turn([stream("length")])
        self.assertEqual((done.last["state"], done.last["answer"], done.last["cut_off"]), ("finished", "Two ", True))
        self.assertEqual([r["event"] for r in self.audit() if r["data"].get("cut_off")],
                         ["model.replied", "turn.finished"])
        with ScriptedEngine([stream("length")]) as engine:
            shown = self.nacre("run", "--engine", engine.url, "--model", "scripted", "Do it").stdout
        self.assertIn("cut off: the limit of tokens ended the answer", shown)

    def test_a_server_that_is_not_there(self):
        with socket.socket() as unused:  # bound and not listening: the port is ours, and refuses
            unused.bind(("127.0.0.1", 0))
            done = self.run_task("Do it", "--engine", f"http://127.0.0.1:{unused.getsockname()[1]}",
                                 "--model", "scripted", exit_code=None)
        self.assertIn(done.returncode, (1, 3), done)
        self.assertNotIn("Traceback", done.stderr)


class BadInput(NacreCase):
    """A clear message, an exit code, nothing half-done."""

    def assert_refused(self, done, exit_code, *words):
        self.assertEqual(done.returncode, exit_code, done)
        said = done.stderr + done.stdout
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(self.snapshot(), {})

    def test_a_broken_policy_file(self):
        policy = self.policy("nacre: policy/1\nname: broken\nextends: [builtin/coding]\ntoolz: []\n")
        self.assert_refused(self.nacre("policy", "check", policy, exit_code=None), 1, f"{policy}:4:1", "toolz", "tools")
        self.assert_refused(self.nacre("run", "--policy", policy, "Hi", exit_code=None), 3, f"{policy}:4:1", "toolz")

    def test_a_policy_that_names_an_unknown_tool(self):
        policy = self.policy("nacre: policy/1\nname: typo\nextends: [builtin/coding]\ntools:\n  - id: a\n"
                             "    reason: b\n    tool: fs.raed\n    decision: allow\n")
        self.assert_refused(self.nacre("policy", "check", policy, exit_code=None), 1, f"{policy}:7:", "fs.raed", "fs.read")
        self.assert_refused(self.nacre("run", "--policy", policy, "Hi", exit_code=None), 3, f"{policy}:7:", "fs.raed")

    def test_a_policy_that_is_not_there(self):
        missing = self.folder / "missing.yaml"
        self.assert_refused(self.nacre("run", "--policy", missing, "Hi", exit_code=None), 3, str(missing))

    def test_a_missing_model(self):
        missing = self.folder / "missing.gguf"
        self.assert_refused(self.nacre("run", "--model", missing, "Hi", exit_code=None), 3, str(missing))

    def test_models_that_are_no_models(self):
        bundled = (pathlib.Path(__file__).resolve().parents[2] / "runtime/inference/mini/nacre-mini.gguf").read_bytes()
        spoilt = bytearray(bundled)
        spoilt[8:64] = b"\xff" * 56
        for name, content in {"empty": b"", "text": b"hello\n" * 100, "cut": bundled[:len(bundled) // 2],
                              "cut header": bundled[:100], "spoilt header": bytes(spoilt),
                              "magic only": b"GGUF"}.items():
            with self.subTest(name):
                model = self.folder / "bad.gguf"
                model.write_bytes(content)
                done = self.nacre("run", "--workspace", self.workspace, "--model", model, "Hi", exit_code=None)
                self.assert_refused(done, 3, "bad.gguf")

    def test_an_unwritable_state_directory(self):
        blocker = self.folder / "file"
        blocker.write_text("no folder", encoding="utf-8")
        self.state = blocker / "state"
        self.assert_refused(self.nacre("run", "Hi", exit_code=None), 3, str(blocker))

    def test_a_state_directory_that_is_no_longer_ours_to_write(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        self.state.mkdir(mode=0o500)
        self.assert_refused(self.nacre("run", "Hi", exit_code=None), 3, str(self.state))

    def test_a_database_that_is_none(self):
        self.state.mkdir(mode=0o700)
        (self.state / "nacre.db").write_bytes(b"this is no database" * 100)
        self.assert_refused(self.nacre("run", "Hi", exit_code=None), 3, "nacre.db")

    def test_a_full_disk(self):
        # A small file system of our own, in a mount namespace that ends with the command.
        self.state.mkdir(mode=0o700)
        script = (f"mount -t tmpfs -o size=64k,mode=0700 none {self.state} && "
                  f"exec {nacre_case.BUILD}/nacre --state {self.state} run --workspace {self.workspace} 'List the files'")
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", str(self.state)], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("this host lets us mount nothing")
        done = subprocess.run([*unshare, "sh", "-c", script], capture_output=True, text=True, timeout=100, check=False)
        self.assertIn(done.returncode, (1, 3), done)
        self.assertRegex(done.stdout + done.stderr, r"(?i)full|no space")
        self.assertEqual(self.snapshot(), {})

    def test_a_workspace_that_cannot_be_one(self):
        self.assert_refused(self.nacre("run", "--workspace", self.folder / "missing", "Hi", exit_code=None), 3, "missing")
        self.assert_refused(self.nacre("run", "--workspace", "/", "Hi", exit_code=None), 3, "whole file system")
        self.state.mkdir(mode=0o700)
        self.assert_refused(self.nacre("run", "--workspace", self.state, "Hi", exit_code=None), 3, "state directory")

    def test_output_that_nobody_reads_is_no_failure_and_output_that_finds_no_room_is_one(self):
        self.nacre("sandbox", "exec", "--", "true")

        def write_to(out, *arguments):
            done = subprocess.run(self.command(*arguments), stdout=out, stderr=subprocess.PIPE, text=True, check=False,
                                  env=self.environment(), timeout=nacre_case.TIMEOUT_S)
            return done.returncode, done.stderr

        ours, theirs = os.pipe()
        self.addCleanup(os.close, theirs)
        os.close(ours)
        self.assertEqual(write_to(theirs, "audit", "query", "--json"), (0, ""))
        self.assertEqual(write_to(theirs, "session", "show"), (1, "nacre: there is no session yet\n"))
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in [("audit", "query", "--json"), ("--help",)]:
                self.assertEqual(write_to(full, *arguments), (3, "nacre: standard output could not be written\n"))

    def test_wrong_usage(self):
        for arguments in [["run"], ["rum", "Hi"], ["run", "--nope", "Hi"], ["audit"], []]:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.nacre(*arguments, exit_code=None).returncode, 2)

    def test_a_profile_or_isolation_that_there_is_not_is_wrong_usage_and_nothing_is_recorded(self):
        self.nacre("sandbox", "exec", "--", "true")
        before = self.audit()
        for arguments in [("exec", "--profile", "nope", "--", "true"), ("exec", "--isolation", "nope", "--", "true"),
                          ("profile", "nope")]:
            with self.subTest(arguments):
                self.assert_refused(self.nacre("sandbox", *arguments, exit_code=None), 2, "nope", "there are")
        self.assertEqual(self.audit(), before)

    EMPTY_VALUES = [
        ("run", "--tenant-policy", "", "Hi"), ("run", "--session", "", "Hi"), ("run", "--connect", "", "Hi"),
        ("run", "--engine", "", "Hi"), ("run", "--model", "", "Hi"), ("run", "--policy", "", "Hi"), ("run", ""),
        ("run", "--tenant-policy=", "Hi"), ("--state", "", "session", "list"), ("serve", "--tenant-policy", ""),
        ("session", "resume", ""), ("session", "show", ""), ("sandbox", "exec", "--isolation", "", "--", "true"),
        ("sandbox", "exec", "--profile", "", "--", "true"), ("sandbox", "exec", "--tenant-policy", "", "--", "true"),
        ("policy", "check", "--tenant-policy", "", "base"), ("policy", "check", ""),
        ("policy", "explain", "--tenant-policy", "", "fs.read"), ("policy", "explain", "--label", "", "fs.read"),
        ("policy", "prove", "--against", "", "base"), ("policy", "prove", "--queries", "", "base"),
        ("policy", "prove", "--timeout", "nan", "base"),
        ("audit", "verify", "--since", ""), ("audit", "verify", "--key", ""), ("audit", "verify", "--offline", ""),
        ("audit", "verify", ""), ("audit", "anchor", "--key", "", "file"), ("audit", "anchor", ""),
        ("audit", "prune", "--before", "512", "--unless-exported", ""),
        ("audit", "prune", "--before", "512", "--older-than", ""), ("audit", "prune", "--before", "-1"),
        ("audit", "prune", "--before", "-5"), ("audit", "prune", "--before", "99999999999999999999"),
        ("audit", "prune", "--before", "18446744073709551615"), ("audit", "prune", "--before", "1000000"),
        ("audit", "hold", "--from", "0", "--to", "-1", "--reason", "r"), ("audit", "export", "--cursor", ""),
        ("audit", "plot", "timeline", "-o", ""), ("audit", "query", "--tool", ""),
        ("workspace", "labels", "--clear", ""), ("selftest", "--verify", ""),
        ("approval", "deny", "--connect", "nowhere", ""), ("approval", "deny", "")]

    def test_an_empty_value_is_never_taken_for_one_that_was_not_given(self):
        self.nacre("sandbox", "exec", "--", "true")  # a log begins
        before = self.audit()
        for arguments in self.EMPTY_VALUES:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.nacre(*arguments, exit_code=None), 2)
                self.assert_refused(self.nacre(*arguments[:2], "--json", *arguments[2:], exit_code=None), 2)
        self.assertEqual(self.audit(), before)
        # The words of the command itself are its own.
        self.nacre("sandbox", "exec", "--", "test", "-z", "")

    def test_an_empty_file_vouches_for_nothing(self):
        self.nacre("sandbox", "exec", "--", "true")
        log = self.state / "audit"
        empty = self.folder / "empty"
        empty.touch()
        verify = nacre_case.BUILD / "nacre-verify"
        self.assertEqual(subprocess.run([verify, log], capture_output=True, check=False).returncode, 0)
        for flag in ["--key", "--since"]:
            with self.subTest(flag):
                self.nacre("audit", "verify", flag, empty, exit_code=2)
                self.assertEqual(subprocess.run([verify, flag, empty, log], capture_output=True, check=False).returncode, 2)
        anchor = self.folder / "anchor"
        self.nacre("audit", "anchor", "--key", "/dev/null", anchor, exit_code=2)
        self.assertFalse(anchor.exists())

    def test_what_the_gateway_says_is_not_to_be_said_with_connect(self):
        for command in [("run",), ("session", "resume")]:
            for flag in ["--tenant-policy", "--engine", "--model", "--tools"]:
                with self.subTest(command=command, flag=flag):
                    done = self.nacre(*command, "--connect", "/nosuch", flag, "x", "last", exit_code=None)
                    self.assert_refused(done, 2, flag, "gateway")

    def test_an_anchor_is_not_written_over_what_is_none(self):
        self.nacre("sandbox", "exec", "--", "true")
        precious = self.folder / "precious"
        precious.write_text("precious\n", encoding="utf-8")
        self.assert_refused(self.nacre("audit", "anchor", precious, exit_code=None), 2, "no anchor")
        self.assertEqual(precious.read_text(encoding="utf-8"), "precious\n")

    def test_wrong_usage_with_json_is_an_error_object(self):
        for arguments in [["run"], ["run", "--nope", "Hi"], ["session", "show", "--nosuch"], ["audit", "frobnicate"],
                          ["audit", "tail", "--count", "0"], ["rum", "Hi"], ["run", "--tenant-policy=", "Hi"]]:
            with self.subTest(arguments=arguments):
                done = self.nacre(*arguments, "--json", exit_code=2)
                self.assertEqual([e["event"] for e in done.events], ["error"], done)
                self.assertEqual(done.last["code"], "invalid_argument")
                self.assertEqual(done.stderr, "")
                self.assertEqual(self.nacre(*arguments, exit_code=2).stdout, "")
        verify = nacre_case.BUILD / "nacre-verify"
        for arguments in [["--json", "/nosuch"], ["/nosuch", "--json"], ["--json"], ["--json", "--nope"],
                          ["--json", "--key", "/nosuch", "x"]]:
            with self.subTest(arguments=arguments):
                done = subprocess.run([verify, *arguments], capture_output=True, text=True, check=False)
                self.assertIn(done.returncode, (2, 3))
                self.assertEqual(json.loads(done.stdout)["event"], "error")
                self.assertEqual(done.stderr, "")

    def test_wrong_usage_says_what_was_wrong(self):
        for arguments, words in [(["session", "fork"], ['"fork"', "nacre session --help"]),
                                 (["audit", "frobnicate"], ['"frobnicate"', "nacre audit --help"]),
                                 (["bogus"], ['"bogus"', "nacre --help"]),
                                 (["run", "How", "many", "lines"], ["many", "quotes"])]:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.nacre(*arguments, exit_code=None), 2, *words)
        self.assertNotIn("\x1b]0;", self.nacre("run", "--nope\x1b]0;title\a", "Hi", exit_code=2).stderr)

    def test_sessions_that_are_not_there(self):
        self.nacre("session", "list")
        self.assert_refused(self.nacre("session", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV", exit_code=None), 1, "session")
        self.assert_refused(self.nacre("session", "resume", exit_code=None), 1, "session")


class Doctor(NacreCase):
    def test_it_names_every_part(self):
        done = self.nacre("doctor", "--json")
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        parts = [f["part"] for f in findings]
        for part in ["engine", "model", "store", "audit log", "tools"]:
            self.assertIn(part, parts)
        self.assertTrue(any(p.startswith("sandbox: ") for p in parts), parts)
        for finding in findings:
            self.assertIn(finding["state"], ("ok", "weaker", "missing"))
            if finding["state"] != "ok":
                self.assertTrue(finding["advice"], finding)

    def test_it_says_what_to_do_about_what_is_missing(self):
        done = self.nacre("doctor", "--json", "--model", self.folder / "missing.gguf", exit_code=1)
        engine = next(json.loads(line) for line in done.stdout.splitlines() if json.loads(line)["part"] == "engine")
        self.assertEqual(engine["state"], "missing")
        self.assertIn("--model", engine["advice"])
        model = next(json.loads(line) for line in done.stdout.splitlines() if json.loads(line)["part"] == "model")
        self.assertEqual(model["state"], "missing")
        self.assertIn("missing.gguf", model["detail"])

    def test_every_command_has_help_with_an_example(self):
        commands = [()]
        for command in commands:  # which grows
            text = self.nacre(*command, "--help").stdout
            with self.subTest(command):
                self.assertRegex(text, r"Examples?:\n\s+nacre")
            below = re.search(r"\nSubcommands:\n((?:  .*\n)+)", text)
            commands += [(*command, name) for name in re.findall(r"^  (\S+)", below[1], re.MULTILINE)] if below else []
        self.assertIn(("policy", "import", "openshell"), commands)


class Gateway(NacreCase):
    """`nacre serve` and `nacre run --connect` do what `nacre run` does."""

    def serve(self, engine, *options):
        path = self.folder / "s"  # short: a Unix socket's path has 107 bytes at most
        process = self.start("serve", "--json", "--socket", path, "--workspace", self.workspace, "--engine", engine.url,
                             "--model", "scripted", *options)
        self.assertEqual(json.loads(process.stdout.readline())["event"], "listening")
        return process, path

    def test_the_events_are_the_same(self):
        self.write("a.txt", "one\n")
        steps = [call("fs.read", path="a.txt"), call("fs.read", path="/etc/shadow"), answer("It says one.")]

        def shape(done):
            return [(e["event"], e.get("tool"), e.get("verdict"), e.get("rule"), e.get("outcome"), e.get("answer"))
                    for e in done.events if e["event"] != "text.delta"]

        with ScriptedEngine(steps) as engine:
            here = self.run_task("Read a.txt", "--engine", engine.url, "--model", "scripted")
        with ScriptedEngine(steps) as engine:
            process, path = self.serve(engine)
            there = self.nacre("run", "--json", "--connect", path, "Read a.txt")
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        self.assertEqual(shape(there), shape(here))
        self.assertEqual([list(e) for e in there.events if e["event"] == "turn.finished"],
                         [list(e) for e in here.events if e["event"] == "turn.finished"])
        self.assertEqual(process.returncode, 0)
        self.assert_verified()

    def ask_for_notes(self, engine):
        """A gateway where reading asks whoever runs it."""
        self.write("notes.txt", "the meeting is in Oslo\n")
        policy = self.policy("""\
nacre: policy/1
name: asking
workspace: {mode: read-only}
sandbox: {require: {cgroup: false, id_maps: false}}
tools:
  - {id: look, reason: people decide, tool: fs.read, decision: ask, approvers: {expires: 60s}}
""")
        return self.serve(engine, "--policy", policy, "--approvals")

    def test_a_call_waits_for_the_yes_of_another_command(self):
        for word, calls in (("allow", 1), ("deny", 0)):
            with self.subTest(word), ScriptedEngine([call("fs.read", path="notes.txt"), answer("Done.")]) as engine:
                server, path = self.ask_for_notes(engine)
                turn = self.start("run", "--json", "--connect", path, "Read notes.txt")
                asked = next(event for event in map(json.loads, turn.stdout) if event["event"] == "call.asked")
                listed = self.nacre("approval", "list", "--json", "--connect", path).events
                self.assertEqual([(a["call"], a["tool"], a["digest"]) for a in listed],
                                 [(asked["call"], "fs.read", asked["digest"])])
                self.assertEqual(list(listed[0]["files"]), ["/workspace/notes.txt"])
                shown = self.nacre("approval", "list", "--connect", path).stdout
                self.assertIn("people decide", shown)
                # A part of an id may come to mean another call.
                self.nacre("approval", "allow", asked["call"][:-1], "--connect", path, exit_code=2)
                self.nacre("approval", "deny", "01J00000", "--connect", path, exit_code=1)
                said = json.loads(self.nacre("approval", word, asked["call"], "--json", "--connect", path).stdout)
                self.assertEqual((said["approved"], said["missing"]), (word == "allow", 0))
                rest = [json.loads(line) for line in turn.stdout]
                self.assertEqual(rest[-1]["calls"], calls)
                self.nacre("approval", word, asked["call"], "--connect", path, exit_code=1)  # no longer asked
                server.send_signal(signal.SIGTERM)
                server.wait(30)
        records = [r for r in self.audit() if r["event"] == "call.approval"]
        self.assertEqual([r["data"]["approved"] for r in records], [True, False])
        self.assertTrue(all(r["data"]["by"].endswith("through the gateway") for r in records), records)
        self.assertEqual({r["actor"] for r in records}, {f"uid {os.getuid()}"})
        # The gateway's own start and end, and what it was started with.
        gateway = [r for r in self.audit() if r["event"].startswith("server.")]
        self.assertEqual([r["event"] for r in gateway], ["server.started", "server.stopped"] * 2)
        self.assertEqual((gateway[0]["data"]["socket"], gateway[0]["data"]["approvals"]), (str(path), True))
        self.assertEqual(gateway[1]["data"], {"error": ""})
        self.assertTrue(gateway[0]["policy"].startswith("sha256:"))
        self.assert_verified()

    def test_a_person_at_the_terminal_answers_for_a_gateway(self):
        with ScriptedEngine([call("fs.read", path="notes.txt"), answer("Done.")]) as engine:
            _, path = self.ask_for_notes(engine)
            process, ours, seen = asked_at_terminal(self, "run", "--connect", path, "Read notes.txt")
            self.assertIn(b"people decide", seen)
            self.assertIn(b"in " + bytes(self.workspace), seen)
            self.assertIn(b"with /workspace/notes.txt sha256:", seen)
            self.assertRegex(seen, rb"within \d+ s")
            os.write(ours, b"y\n")
            while b"Done." not in seen:
                seen += os.read(ours, 4096)
            self.assertEqual(process.wait(60), 0)
        self.assertEqual([r["data"]["approved"] for r in self.audit() if r["event"] == "call.approval"], [True])

    def test_a_gateway_that_asks_nobody_says_so(self):
        with ScriptedEngine([]) as engine:
            _, path = self.serve(engine)
            done = self.nacre("approval", "list", "--connect", path, exit_code=3)
            self.assertIn("--approvals", done.stderr)
            done = self.nacre("approval", "watch", "--connect", path, exit_code=2)
            self.assertIn("terminal", done.stderr)

    def test_only_its_owner_can_connect(self):
        with ScriptedEngine([]) as engine:
            _, path = self.serve(engine)
            self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_who_is_let_in_is_recorded_and_without_a_record_nobody_is(self):
        with ScriptedEngine([answer("Hello."), answer("Hello again.")]) as engine:
            server, path = self.serve(engine)
            self.nacre("run", "--json", "--connect", path, "Hi")
            records = self.audit()
            events = [record["event"] for record in records]
            self.assertEqual(events.count("client.admitted"), 1)
            self.assertLess(events.index("client.admitted"), events.index("session.created"))
            admitted = records[events.index("client.admitted")]
            self.assertEqual(admitted["actor"], f"uid {os.getuid()}")
            self.assertEqual({key: admitted["data"][key] for key in ("as", "services", "socket")},
                             {"as": "owner", "services": ["nacre.v1.SessionService"], "socket": str(path)})
            shown = self.nacre("audit", "query", "--event", "client.admitted").stdout
            self.assertIn(f"client.admitted  uid {os.getuid()} as owner", shown)

            # The log is gone from under the server, as on a disk that fails.
            (self.state / "audit").rename(self.state / "away")
            done = self.nacre("run", "--json", "--connect", path, "Hi", exit_code=3)
            self.assertNotIn("turn.started", done.stdout)
            (self.state / "away").rename(self.state / "audit")
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        self.assertEqual([record["event"] for record in self.audit()].count("client.admitted"), 1)
        self.assert_verified()

    def test_a_gateway_that_is_not_there(self):
        done = self.nacre("run", "--connect", self.folder / "nobody", "Hi", exit_code=3)
        self.assertIn("nobody", done.stderr)


if __name__ == "__main__":
    nacre_case.main()
