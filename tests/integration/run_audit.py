"""The audit log as an auditor uses it: nacre audit and nacre-verify."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call


class Audit(NacreCase):
    def record_something(self):
        self.nacre("sandbox", "exec", "--", "true")

    def test_both_verifiers_say_the_same_of_a_good_and_of_a_changed_log(self):
        self.record_something()
        log = self.state / "audit"
        kept = self.folder / "kept"
        kept.mkdir()
        for file in ("key.pub", "checkpoint"):
            shutil.copy(log / file, kept / file)
        older = self.folder / "older"
        shutil.copytree(log, older)
        self.record_something()
        copy = self.folder / "copy"
        shutil.copytree(log, copy)

        def both(directory, *options, exit_code=0):
            ours = json.loads(self.nacre("audit", "verify", "--json", "--offline", directory, *options,
                                         exit_code=exit_code).stdout)
            alone = json.loads(self.standalone("--json", *options, directory, exit_code=exit_code).stdout)
            self.assertEqual(ours, alone)
            return ours

        whole = both(copy)
        self.assertEqual((whole["ok"], whole["first_bad"]), (True, None))
        since = both(copy, "--since", kept / "checkpoint", "--key", kept / "key.pub")
        self.assertTrue(since["ok"])
        self.assertLess(since["read"], whole["read"])

        # An older copy in its place, a byte of a record, its end: found, and named.
        found = both(older, "--since", kept / "checkpoint")
        self.assertTrue(found["ok"])  # it holds what was kept
        found = both(older, "--since", copy / "checkpoint", exit_code=2)
        self.assertEqual(found["first_bad"], found["records"])
        self.assertIn("missing, the remembered checkpoint covers them", found["problems"][0])
        bundle = copy / "tile/entries/000"
        good = bundle.read_bytes()
        bundle.write_bytes(good.replace(b"sandbox.exec.started", b"sandbox.exec.Started", 1))
        self.assertEqual(both(copy, exit_code=2)["first_bad"], 1)
        bundle.write_bytes(good[:-10])
        self.assertEqual(both(copy, exit_code=2)["first_bad"], whole["records"] - 1)
        self.assertIn("NOT VERIFIED", self.standalone(copy, exit_code=2).stdout)
        bundle.write_bytes(good)
        (copy / "key.pub").write_bytes(b"\x1b[2J\n" + (copy / "key.pub").read_bytes())
        self.assertNotIn("\x1b", self.standalone(copy, exit_code=2).stdout)
        self.assertNotIn("\x1b", self.nacre("audit", "verify", "--offline", copy, exit_code=2).stdout)

    def test_a_new_key_is_introduced_by_the_old_one_and_an_anchor_shows_an_older_copy(self):
        self.record_something()
        log = self.state / "audit"
        kept = self.folder / "kept.pub"
        shutil.copy(log / "key.pub", kept)
        anchor = self.folder / "anchor"
        first = json.loads(self.nacre("audit", "anchor", anchor, "--json").stdout)
        self.assertEqual((first["added"], first["verified"]["ok"]), (True, True))
        older = self.folder / "older"
        shutil.copytree(log, older)
        self.record_something()
        later = self.folder / "later"
        shutil.copy(log / "checkpoint", later)
        changed = json.loads(self.nacre("audit", "rotate-key", "--json").stdout)
        self.assertEqual((log / "key.pub").read_text(), changed["key"] + "\n")
        self.record_something()
        events = [record["event"] for record in self.audit()]
        self.assertIn("log.key_rotated", events)
        self.assertEqual(self.audit()[events.index("log.key_rotated")]["actor"], f"uid {os.getuid()}")
        for key in (kept, log / "key.pub"):  # each of them vouches for what came after it
            report = json.loads(self.standalone("--json", "--key", key, "--since", anchor, log).stdout)
            self.assertEqual((report["ok"], report["keys"]), (True, 2))
        # Another nacre as a witness.
        witness = self.folder / "witness"
        other = ("--state", witness, "audit", "anchor", self.folder / "seen", "--cosign", "--offline", log)
        run = lambda *arguments: subprocess.run([nacre_case.BUILD / "nacre", *map(str, arguments)], capture_output=True,
                                                text=True, timeout=60, env=self.environment())
        done = run(*other)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("signed by the witness nacre/witness/", done.stdout)
        self.assertEqual((witness / "witness.key").stat().st_mode & 0o777, 0o600)
        self.standalone("--since", self.folder / "seen", "--witness", witness / "witness.pub", log)
        self.nacre("audit", "verify", "--since", self.folder / "seen", "--witness", witness / "witness.pub")
        self.standalone("--since", anchor, "--witness", witness / "witness.pub", log, exit_code=2)  # not signed by it
        self.standalone("--witness", witness / "witness.pub", log, exit_code=2)
        # The older copy in its place, with what was seen of it: it verifies, and neither anchor nor witness is deceived.
        self.nacre("audit", "anchor", anchor)
        shutil.rmtree(log)
        shutil.copytree(older, log)
        shutil.copy(older / "checkpoint", self.state / "audit-latest")
        self.nacre("audit", "verify")
        self.assertIn("before a change of the key", self.nacre("audit", "verify", "--since", anchor, exit_code=2).stdout)
        self.assertIn("missing", self.nacre("audit", "verify", "--since", later, exit_code=2).stdout)
        before = anchor.read_bytes()
        self.nacre("audit", "anchor", anchor, exit_code=2)
        self.assertEqual(anchor.read_bytes(), before)
        self.assertEqual(run(*other).returncode, 2)
        self.nacre("audit", "anchor", self.folder / "none" / "x", exit_code=3)

    def test_a_log_that_was_removed_or_put_back_is_found_out_and_the_loss_is_recorded(self):
        self.nacre("audit", "accept-loss", "--reason", "x", exit_code=1)  # nothing is missing of what never was
        self.assertFalse((self.state / "audit").exists())
        self.record_something()
        log, seen = self.state / "audit", self.state / "audit-latest"
        self.assertEqual(seen.read_bytes(), (log / "checkpoint").read_bytes())
        self.assertEqual(seen.stat().st_mode & 0o777, 0o600)
        older, newer = self.folder / "older", self.folder / "newer"
        shutil.copytree(log, older)
        records = len(self.audit())
        self.record_something()
        shutil.copytree(log, newer)
        kept = seen.read_bytes()
        size = int(kept.split(b"\n")[1])
        self.nacre("audit", "verify")
        marker = self.workspace / "ran"

        def assert_refused(*said):
            for command in (["sandbox", "exec", "--", "touch", marker], ["run", "try", "--engine", "http://127.0.0.1:1"],
                            ["audit", "rotate-key"]):
                refused = self.nacre(*command, exit_code=None)
                self.assertNotEqual(refused.returncode, 0)
                for words in (*said, "nacre audit accept-loss --reason TEXT"):
                    self.assertIn(words, refused.stderr)
            self.assertFalse(marker.exists())
            self.assertIn(said[0], self.nacre("doctor", exit_code=None).stdout)
            self.assertEqual(seen.read_bytes(), kept)

        def found(first_bad, *said):
            report = json.loads(self.nacre("audit", "verify", "--json", exit_code=2).stdout)
            self.assertEqual((report["ok"], report["first_bad"], report["seen"]), (False, first_bad, size))
            for words in said:
                self.assertIn(words, report["problems"][0])

        # An older copy, which verifies by itself.
        shutil.rmtree(log)
        shutil.copytree(older, log)
        self.standalone(log)
        self.nacre("audit", "verify", "--offline", log)  # a copy is compared with nothing
        for command in (["tail"], ["query"], ["show", "0"], ["export"], ["plot", "denials"], ["holds"]):
            refused = self.nacre("audit", *command, exit_code=2)
            self.assertEqual(refused.stdout, "", command)
            self.assertIn("are missing, so an older copy of the log lies here", refused.stderr)
            self.nacre("audit", *command, "--offline", log)
        found(records, f"records {records} to {size - 1}: missing, the checkpoint that was seen last covers them")
        assert_refused(f"records {records} to {size - 1} of nacre/audit/", "it is an older copy")
        self.assertIn("an older copy", self.nacre("audit", "anchor", self.folder / "anchor", exit_code=2).stderr)
        self.assertFalse((self.folder / "anchor").exists())
        # None at all: no command says that there never was one.
        shutil.rmtree(log)
        found(0, "missing, there is no log any more")
        for command in (["tail"], ["query"], ["show", "0"], ["export"], ["holds"]):
            self.assertIn("there is no log any more", self.nacre("audit", *command, exit_code=2).stderr)
        self.assertIn("no log any more", self.nacre("sandbox", "exec", "--", "true", exit_code=None).stderr)
        self.assertFalse((log / "key").exists())
        # Another one.
        subprocess.run([nacre_case.BUILD / "nacre", "--state", self.folder / "other", "sandbox", "exec", "--", "true"],
                       check=True, capture_output=True, timeout=60, env=self.environment())
        shutil.rmtree(log, ignore_errors=True)
        shutil.copytree(self.folder / "other/audit", log)
        found(0, "the log is another one")
        assert_refused(f"records 0 to {size - 1} of nacre/audit/", "the log is another one")
        # The newer one is all of it again, and a loss is accepted with a record.
        shutil.rmtree(log)
        shutil.copytree(newer, log)
        self.nacre("audit", "verify")
        self.nacre("audit", "accept-loss", "--reason", "x", exit_code=1)
        shutil.rmtree(log)
        shutil.copytree(older, log)
        self.nacre("audit", "accept-loss", exit_code=2)
        accepted = json.loads(self.nacre("audit", "accept-loss", "--reason", "from Monday's backup", "--json").stdout)
        record = self.audit()[accepted["record"]]
        self.assertEqual((record["event"], record["actor"], record["data"]["reason"], record["data"]["seen"]["records"]),
                         ("log.loss_accepted", f"uid {os.getuid()}", "from Monday's backup", size))
        self.record_something()
        self.assert_verified()
        self.nacre("audit", "verify")
        # Who only reads keeps what was verified, and where that cannot be kept says so.
        seen.unlink()
        self.nacre("audit", "verify")
        self.assertEqual(seen.read_bytes(), (log / "checkpoint").read_bytes())
        seen.write_text("x")
        self.assertIn("audit-latest", self.nacre("audit", "verify", exit_code=2).stderr)
        assert_damaged = self.nacre("sandbox", "exec", "--", "true", exit_code=None).stderr
        self.assertIn("audit-latest: it is not a checkpoint", assert_damaged)

    def test_a_log_that_is_begun_beside_old_sessions_says_so(self):
        with ScriptedEngine([answer("Hello.")]) as engine:
            self.run_task("Hi", "--engine", engine.url)
        shutil.rmtree(self.state / "audit")
        (self.state / "audit-latest").unlink()
        for command in (["verify"], ["tail"], ["query"], ["export"]):
            self.assertIn("the store has 1 session whose records are gone", self.nacre("audit", *command, exit_code=2).stderr)
        self.assertFalse((self.state / "audit").exists())
        database = self.state / "nacre.db"
        good = database.read_bytes()
        database.write_bytes(b"no database" * 1000)
        self.assertIn("whether sessions were recorded cannot be told", self.nacre("audit", "query", exit_code=2).stderr)
        self.nacre("sandbox", "exec", "--", "true", exit_code=3)
        self.assertEqual([path.name for path in (self.state / "audit").iterdir()], ["lock"])  # nothing was begun
        database.write_bytes(good)
        warned = self.nacre("sandbox", "exec", "--", "true")
        self.assertIn("warning: a new audit log begins beside 1 session whose records are gone", warned.stderr)
        self.assertNotIn("warning", self.nacre("sandbox", "exec", "--", "true").stderr)
        records = self.audit()
        self.assertEqual([record["event"] for record in records[:2]], ["log.begun_beside_sessions", "log.opened"])
        self.assertEqual(records[0]["data"], {"sessions": 1})
        said = self.nacre("audit", "verify").stdout
        self.assertIn("note: this log begins after 1 session whose records are gone (record 0, ", said)
        self.assertEqual(self.standalone(self.state / "audit").stdout, said)
        found = {each["part"]: each for each in self.nacre("doctor", "--json", exit_code=None).events}["audit log"]
        self.assertEqual(found["state"], "weaker")
        self.assertIn("it begins after 1 session whose records are gone", found["detail"])
        event = json.loads(self.nacre("audit", "export", "--format", "ocsf").stdout.splitlines()[0])
        self.assertEqual((event["class_uid"], event["severity"]), (2004, "High"))

    def test_redacted_contents_have_their_structure_and_none_of_their_secrets(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: redacted}\n")
        secrets = ("hunter2", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "aHVudGVyMw==")
        text = ("x" * 15_000 + f"\nPASSWORD={secrets[0]}\n" + '{"auth": {"key": "' + secrets[1] + '"}}\n'
                f"Authorization: Basic {secrets[2]}\nlast line\n")
        with ScriptedEngine([call("fs.write", path="notes.md", content=text), call("fs.read", path="notes.md"),
                             call("fs.read", **{"path": "notes.md", secrets[1]: 1}),  # the refusal says what is not known
                             answer(f"the token is {secrets[1]}, and the heron flies")]) as engine:
            self.nacre("run", "--engine", engine.url, "--policy", policy, f"write api_key={secrets[0]}")
        self.assertIn(secrets[1], (self.workspace / "notes.md").read_text())  # the call itself has all of it
        everything = self.nacre("audit", "query", "--json").stdout + self.nacre("audit", "export", "--content").stdout
        for secret in secrets:
            self.assertNotIn(secret, everything)
        decided = self.query("--event", "call.decided")[0]["data"]["arguments"]
        arguments = json.loads(decided["content"]) if not decided["cut"] else None
        self.assertEqual(decided["redacted"], 3)
        self.assertEqual(decided["bytes"], len(json.dumps({"content": text, "path": "/workspace/notes.md"}, separators=(",", ":"))))
        self.assertIsNotNone(arguments)
        self.assertEqual(arguments["path"], "/workspace/notes.md")
        self.assertIn("[redacted named, 7 bytes, ", arguments["content"])
        self.assertTrue(arguments["content"].endswith("\nlast line\n"))
        asked = self.query("--event", "turn.started")[0]["data"]["request"]
        self.assertTrue(asked["content"].startswith("write api_key=[redacted named, 7 bytes, "))
        self.assertIn("heron", self.query("--text", "heron")[-1]["data"]["answer"]["content"])
        # In the log itself all of that is encrypted, and goes with its key.
        bundle = (self.state / "audit/tile/entries/000").read_bytes()
        self.assertFalse(b"redacted named" in bundle or b"heron" in bundle)
        session = self.query("--event", "session.created")[0]["session"]
        self.nacre("audit", "erase", "--session", session)
        self.assertTrue(self.query("--event", "call.decided")[0]["data"]["arguments"]["erased"])
        # What is confidential leaves its shape only.
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: redacted}\n"
                             "data: {sources: [{user: true, integrity: trusted, confidentiality: confidential}]}\n", "c.yaml")
        with ScriptedEngine([call("fs.write", path="anna.md", content="the kestrel"), answer("kestrel")]) as engine:
            self.nacre("run", "--engine", engine.url, "--policy", policy, "a kestrel")
        everything = self.nacre("audit", "query", "--session", "last", "--json").stdout
        for word in ("kestrel", "anna.md"):
            self.assertNotIn(word, everything)
        arguments = json.loads(self.query("--session", "last", "--event", "call.decided")[0]["data"]["arguments"]["content"])
        self.assertEqual(sorted(arguments), ["content", "path"])
        self.assertTrue(arguments["path"].startswith("[redacted confidential, 18 bytes, "))

    def test_a_watch_tells_of_denials_and_first_uses_once_and_records_what_failed(self):
        told = self.folder / "told"
        rules = self.policy(json.dumps({
            "alerts": [{"id": "denials", "match": {"decision": "deny"}, "count": 2, "within": "1h", "by": "rule",
                        "notify": ["file"]},
                       {"id": "new-tool", "match": {"event": "call.decided"}, "first": "tool", "per": "session",
                        "notify": ["broken"]}],
            "sinks": {"file": {"command": ["/usr/bin/tee", "-a", str(told)]}, "broken": {"command": ["/bin/false"]}}}),
            "alerts.json")
        cursor = self.folder / "cursor"
        watch = ("audit", "watch", "--rules", rules, "--cursor", cursor)
        steps = [call("fs.write", path="/etc/a", content="x"), call("fs.write", path="/etc/b", content="x"), answer("no")]
        with ScriptedEngine(steps) as engine:
            self.run_task("try", "--engine", engine.url)
        done = self.nacre(*watch, "--once", "--json", exit_code=1)  # a sink failed
        self.assertEqual([event["alert"] for event in done.events], ["new-tool", "denials"])
        self.assertEqual(done.events[1]["count"], 2)
        exported = self.nacre("audit", "export", "--format", "ocsf").stdout.splitlines()
        self.assertEqual({json.loads(line)["severity"] for line in exported if '"alert.raised"' in line}, {"High"})
        self.assertEqual(json.loads(told.read_text())["alert"], "denials")
        recorded = [(record["event"], record["data"]["alert"]) for record in self.audit() if record["event"].startswith("alert.")]
        self.assertEqual(recorded, [("alert.raised", "new-tool"), ("alert.failed", "new-tool"), ("alert.raised", "denials")])
        self.assertEqual(self.nacre(*watch, "--once", "--json").stdout, "")  # it goes on from there
        # A crash before the cursor was moved counts nothing twice.
        cursor.unlink()
        self.assertEqual(self.nacre(*watch, "--once", "--json").stdout, "")
        # It follows, and one more denial is no alert: two are.
        follower = self.start(*watch, "--json")
        with ScriptedEngine(steps) as engine:
            self.run_task("again", "--engine", engine.url)
        self.assertEqual([json.loads(follower.stdout.readline())["alert"] for _ in range(2)], ["new-tool", "denials"])
        follower.send_signal(signal.SIGTERM)
        follower.communicate(timeout=60)
        self.assert_verified()
        self.nacre("audit", "watch", "--rules", self.policy("{}", "bad.json"), "--cursor", cursor, exit_code=2)
        self.nacre("audit", "watch", "--rules", rules, exit_code=2)
        # What was counted is of this log, as far as it had come then.
        state = self.folder / "cursor.state"
        newest, log, aside = state.read_bytes(), self.state / "audit", self.folder / "aside"
        shutil.copytree(log, aside)
        with ScriptedEngine(steps) as engine:
            self.run_task("once more", "--engine", engine.url)
        self.nacre(*watch, "--once", exit_code=1)  # a sink failed
        newer, at = state.read_bytes(), cursor.read_bytes()
        shutil.rmtree(log)
        shutil.copytree(aside, log)
        self.nacre("audit", "accept-loss", "--reason", "restored")
        for left in (at, None):  # also by the state alone
            if left is None:
                cursor.unlink()
            refused = self.nacre(*watch, "--once", exit_code=2)
            self.assertEqual((refused.stdout, "older copy" in refused.stderr, str(state) in refused.stderr), ("", True, True))
        self.assertEqual(state.read_bytes(), newer)
        shutil.rmtree(log)
        self.nacre("audit", "accept-loss", "--reason", "removed")
        self.record_something()
        refused = self.nacre(*watch, "--once", exit_code=1).stderr
        self.assertIn("is of the log nacre/audit/", refused)
        state.unlink()
        cursor.write_bytes(at)
        self.assertIn("is lost", self.nacre(*watch, "--once", exit_code=1).stderr)
        cursor.unlink()
        self.nacre(*watch, "--once", exit_code=None)  # both removed: from the beginning
        self.assertTrue(state.exists() and newest != state.read_bytes())
        state.write_text("x")
        self.nacre(*watch, "--once", exit_code=1)
        state.write_text('{"next": 5, "engine": {}}')
        self.assertIn("remove it", self.nacre(*watch, "--once", exit_code=1).stderr)

    def test_a_directory_that_is_no_log_is_reported_and_wrong_use_refused(self):
        nothing = self.folder / "nothing"
        file = self.folder / "file"
        file.write_text("x")
        for none in (nothing, file):
            self.assertIn("there is no audit log", self.standalone(none, exit_code=2).stderr)
            for command in (["verify"], ["query"], ["tail"], ["show", "0"], ["holds"], ["export"], ["plot", "denials"]):
                said = self.nacre("audit", *command, "--offline", none, exit_code=2).stderr
                self.assertEqual(said, f"nacre: {none}: there is no audit log\n", command)
        nothing.mkdir()
        self.assertIn("key.pub", self.standalone(nothing, exit_code=2).stdout)
        self.standalone(exit_code=2)
        self.standalone("--what", nothing, exit_code=2)
        for option in ("--key", "--since", "--witness"):  # as nacre audit verify says
            self.standalone(option, self.folder / "none", nothing, exit_code=2)
            self.nacre("audit", "verify", option, self.folder / "none", exit_code=2)
        self.assertIn("Usage", self.standalone("--help").stdout)
        self.nacre("audit", "verify", "--since", self.folder / "none", exit_code=2)

    def test_where_nobody_recorded_anything_all_commands_say_the_same(self):
        for command in (["verify"], ["query"], ["tail"], ["show", "0"], ["show", "01J00000000000000000000000"], ["holds"],
                        ["export"], ["plot", "denials"], ["plot", "session"], ["prune", "--older-than", "1d"], ["compress"],
                        ["anchor", self.folder / "anchor"],
                        ["watch", "--once", "--cursor", self.folder / "cursor", "--rules",
                         self.policy('{"alerts": [{"id": "a", "match": {"decision": "deny"}}]}', "alerts.json")]):
            said = self.nacre("audit", *command, exit_code=1)
            self.assertEqual((said.stdout, said.stderr), ("", "nacre: no audit log here yet; nacre run begins one\n"), command)
        self.assertFalse((self.state / "audit").exists())
        self.record_something()
        missing = self.nacre("audit", "show", "999", exit_code=1).stderr
        self.assertEqual(missing, "nacre: the audit log has no record 999\n")

    def test_what_is_handed_on_verifies_and_has_no_private_key(self):
        self.record_something()
        copy = self.folder / "handed" / "on"
        done = json.loads(self.nacre("audit", "copy", copy, "--json").stdout)
        self.assertEqual(done["records"], len(self.audit()))
        self.assertFalse({"key", "key.next", "lock"} & {file.name for file in copy.iterdir()})
        self.assertEqual(self.standalone(copy).stderr, "")
        self.assertEqual(self.nacre("audit", "verify", "--offline", copy).stderr, "")
        self.nacre("audit", "copy", copy, exit_code=2)  # not empty
        self.assertEqual(json.loads(self.nacre("audit", "copy", self.folder / "again", "--offline", copy, "--json").stdout)["records"],
                         done["records"])
        whole = self.folder / "whole"
        shutil.copytree(self.state / "audit", whole)
        for said in (self.standalone(whole), self.nacre("audit", "verify", "--offline", whole)):
            self.assertIn("holds the log's private key", said.stderr)
        self.nacre("audit", "copy", self.folder / "x", "--offline", self.folder / "none", exit_code=2)
        # A damaged one is evidence, and no copy of a log.
        bundle = whole / "tile/entries/000"
        bundle.write_bytes(bundle.read_bytes().replace(b"sandbox.exec.started", b"sandbox.exec.Started", 1))
        evidence = self.folder / "evidence"
        refused = self.nacre("audit", "copy", evidence, "--offline", whole, exit_code=2)
        self.assertIn("nothing was copied, since the copy would not verify: record 1: ", refused.stderr)
        self.assertEqual(list(evidence.iterdir()), [])
        copied = self.nacre("audit", "copy", evidence, "--offline", whole, "--damaged", "--json", exit_code=2)
        self.assertIn("record 1: ", json.loads(copied.stdout)["problems"][0])
        self.assertEqual((evidence / "tile/entries/000").read_bytes(), bundle.read_bytes())
        self.assertFalse((evidence / "key").exists())
        (whole / "key.pub").unlink()
        self.nacre("audit", "copy", self.folder / "y", "--offline", whole, exit_code=2)

    def test_no_link_of_a_log_is_followed_and_no_pipe_in_it_waited_for(self):
        self.record_something()
        log, secret, copy = self.state / "audit", self.folder / "secret", self.folder / "copy"
        secret.write_text("s3cret\n")
        for name in ("head", "checkpoint", "checkpoints", "key.pub", "tile/entries/000"):
            kept = (log / name).read_bytes()
            (log / name).unlink()
            (log / name).symlink_to(secret)
            self.assertIn("is a symbolic link", self.nacre("audit", "copy", copy, "--offline", log, exit_code=2).stderr, name)
            self.assertFalse(copy.exists() and any(b"s3cret" in file.read_bytes() for file in copy.rglob("*") if file.is_file()))
            shutil.rmtree(copy, ignore_errors=True)
            (log / name).unlink()
            os.mkfifo(log / name)
            self.nacre("sandbox", "exec", "--", "true", exit_code=3)
            self.nacre("audit", "query", exit_code=None)  # some are not needed for it
            (log / name).unlink()
            (log / name).write_bytes(kept)
        self.assert_verified()

    def test_an_export_names_what_is_missing(self):
        for _ in range(3):
            self.record_something()
        log = self.state / "audit"
        whole = len(self.nacre("audit", "export").stdout.splitlines())
        bundle = log / "tile/entries/000"
        kept = bundle.read_bytes()
        bundle.unlink()
        missing = self.nacre("audit", "export", exit_code=2)
        self.assertEqual(missing.stdout, "")
        self.assertIn(f"records 0 to {whole - 1}: ", missing.stderr)
        bundle.symlink_to("000")
        self.assertIn(f"records 0 to {whole - 1}: ", self.nacre("audit", "export", exit_code=2).stderr)
        bundle.unlink()
        bundle.write_bytes(kept)
        self.assertEqual(len(self.nacre("audit", "export").stdout.splitlines()), whole)

    def test_a_copy_is_read_like_the_log_itself(self):
        self.record_something()
        self.nacre("audit", "hold", "--from", "0", "--to", "1", "--reason", "case 17")
        copy = self.folder / "copy"
        shutil.copytree(self.state / "audit", copy)
        for command in (["tail", "--json"], ["show", "1", "--json"], ["holds", "--json"], ["query", "--json"]):
            here = self.nacre("audit", *command).stdout
            self.assertNotEqual(here, "")
            shutil.move(self.state / "audit", self.state / "aside")
            there = self.nacre("audit", *command, "--offline", copy).stdout
            shutil.move(self.state / "aside", self.state / "audit")
            self.assertEqual(here, there, command)

    def test_the_verifier_is_a_program_without_the_rest_of_nacre(self):
        program = nacre_case.BUILD / "nacre-verify"
        libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        names = {line.split()[0].split(".so")[0] for line in libraries.splitlines()}
        names -= {"libasan", "libubsan"}
        self.assertLessEqual({pathlib.Path(name).name for name in names},
                             {"linux-vdso", "libcrypto", "libzstd", "libstdc++", "libgcc_s", "libc", "libm", "ld-linux-x86-64"})

    def test_tail_shows_the_newest_records_only(self):
        for _ in range(2):
            self.record_something()
        lines = self.nacre("audit", "tail", "--json", "--count", "2").stdout.splitlines()
        self.assertEqual([json.loads(line)["event"] for line in lines],
                         ["sandbox.exec.started", "sandbox.exec.finished"])
        # A forged hint at where the end is hides nothing.
        head = self.state / "audit" / "head"
        good = head.read_bytes()
        for size in (b"512", b"77777", b"18446744073709551615", b"x"):
            head.write_bytes(good.split(b"\n")[0] + b"\n" + size + b"\n")
            self.assertEqual(self.nacre("audit", "tail", "--json", "--count", "2").stdout.splitlines(), lines)
        head.write_bytes(good)
        everything = self.audit()
        self.assertEqual([record["index"] for record in everything], list(range(len(everything))))
        self.assertEqual(everything[1]["actor"], f"uid {os.getuid()}")

    def test_tail_shows_no_record_that_is_not_as_it_was_signed(self):
        self.record_something()
        bundle = self.state / "audit" / "tile/entries/000"
        good = bundle.read_bytes()
        bundle.write_bytes(good.replace(b"sandbox.exec.finished", b"sandbox.exec.Finished", 1))
        for follow in ([], ["--follow"]):
            shown = self.nacre("audit", "tail", "--count", "2", *follow, exit_code=2)
            self.assertEqual(shown.stdout, "")
            self.assertIn("records 0 to", shown.stderr)
        bundle.write_bytes(good)
        self.assertIn("sandbox.exec.finished", self.nacre("audit", "tail", "--count", "2").stdout)

    def test_tail_follows_until_it_is_told_to_stop(self):
        self.record_something()
        follower = self.start("audit", "tail", "--follow", "--json", "--count", "1")
        self.assertEqual(json.loads(follower.stdout.readline())["event"], "sandbox.exec.finished")
        self.record_something()
        followed = [json.loads(follower.stdout.readline()) for _ in range(3)]
        self.assertEqual([record["event"] for record in followed],
                         ["log.opened", "sandbox.exec.started", "sandbox.exec.finished"])
        self.assertEqual(followed, self.audit()[-3:])
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(timeout=30), 0)
        # What is not linked to what was shown is not shown.
        follower = self.start("audit", "tail", "--follow", "--count", "1")
        follower.stdout.readline()
        bundle = self.state / "audit" / "tile/entries/000"
        forged = followed[-1] | {"index": len(self.audit()), "previous": "0" * 64, "event": "forged"}
        line = json.dumps(forged, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        with open(bundle, "ab") as file:
            file.write(len(line).to_bytes(2, "big") + line)
        self.assertEqual(follower.wait(timeout=30), 2)
        self.assertNotIn("forged", follower.stdout.read())

    def test_tail_follows_a_log_that_does_not_exist_yet(self):
        follower = self.start("audit", "tail", "-f", "--json")
        self.record_something()
        self.assertEqual(json.loads(follower.stdout.readline())["event"], "log.opened")
        self.assertEqual(json.loads(follower.stdout.readline())["event"], "sandbox.exec.started")
        follower.send_signal(signal.SIGTERM)
        self.assertEqual(follower.wait(timeout=30), 0)

    def test_a_query_finds_the_records_of_a_session_call_path_or_word(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: full}\n")
        steps = [call("fs.write", path="notes/a.md", content="a heron\n"), call("fs.read", path="none.md"),
                 call("fs.write", path="/etc/passwd", content="x"), answer("done")]
        with ScriptedEngine(steps) as engine:
            self.run_task("Write about the heron", "--engine", engine.url, "--policy", policy)
        self.record_something()
        everything = self.audit()
        session = next(record["session"] for record in everything if record["session"])
        self.assertEqual(self.query(), everything)
        self.assertEqual(self.query("--session", session), [r for r in everything if r["session"] == session])
        decided = [r for r in everything if r["event"] == "call.decided"]
        self.assertEqual(self.query("--tool", "fs.write", "--event", "call.decided"),
                         [decided[0], decided[2]])
        self.assertEqual(self.query("--decision", "deny"), [r for r in decided if r["data"]["verdict"] == "deny"])
        first = decided[0]["call"]
        self.assertEqual(self.query("--call", first), [r for r in everything if r["call"] == first])
        for path in ("notes/a.md", "notes", "/workspace/notes/"):
            self.assertEqual([r for r in self.query("--path", path) if r["event"] == "call.decided"], decided[:1], path)
        self.assertEqual(self.query("--path", "note"), [])
        self.assertIn(decided[0], self.query("--text", "HERON"))
        self.assertEqual(self.query("--text", "heron nowhere"), [])
        self.assertEqual(self.query("--since", "1h"), everything)
        self.assertEqual(self.query("--until", "1h"), [])
        self.assertEqual(self.query("--limit", "2"), everything[-2:])
        lines = self.nacre("audit", "query", "--limit", "3").stdout.splitlines()
        self.assertEqual(lines[:3], self.nacre("audit", "tail", "--count", "3").stdout.splitlines())
        self.assertEqual(lines[3], f"3 found; the log is signed up to record {len(everything)}")
        self.query("--since", "yesterday", exit_code=2)
        self.query("--decision", "maybe", exit_code=2)

    def test_a_query_that_finds_nothing_or_everything_by_mistake_is_refused(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\n")
        with ScriptedEngine([call("fs.write", path="notes.md", content="x"), answer("done")]) as engine:
            self.run_task("Note the heron", "--engine", engine.url, "--policy", policy)
        session = self.query("--event", "session.created")[0]["session"]
        whole = self.query("--session", session)
        self.assertGreater(len(whole), 3)
        for which in ("last", session[:12], session[:-1]):
            self.assertEqual(self.query("--session", which), whole, which)
        self.assertIn("no session 01ZZ", self.nacre("audit", "query", "--session", "01ZZ", exit_code=1).stderr)
        refused = self.nacre("audit", "query", "--event", "call.decide", exit_code=2).stderr
        self.assertIn("'call.decide' is no event; there are call.approval, call.decided, ", refused)
        for command in (["query"], ["plot", "denials"]):
            refused = self.nacre("audit", *command, "--since", "1m", "--until", "1h", exit_code=2)
            self.assertIn("nothing is from", refused.stderr)
            self.assertEqual(refused.stdout, "")
        self.assertIn("a label is category:NAME", self.nacre("audit", "query", "--label", "foo:bar", exit_code=2).stderr)
        for wrong in (["--text", "!!!"], ["--text", ""], ["--session", ""], ["--path", ""], ["--event", ""], ["--label", ""],
                      ["--limit", "0"], ["--limit", "-1"], ["--since", "2026-02-31"], ["--since", ""], ["--offline", ""]):
            self.assertEqual(self.nacre("audit", "query", *wrong, exit_code=2).stdout, "", wrong)
        self.nacre("audit", "compress", "--older-than", "", exit_code=2)
        for asked in (["--path", "notes.md"], ["--text", "heron"]):  # the texts are not in this log, and that is said
            found = self.nacre("audit", "query", *asked)
            self.assertIn("0 found", found.stdout)
            self.assertIn("only with the policy's audit: {content: full}", found.stderr)
        self.assertNotIn("content: full", self.nacre("audit", "query", "--tool", "none").stderr)

    def test_a_query_for_what_no_record_has_says_what_was_probably_meant(self):
        with ScriptedEngine([call("fs.read", path="/etc/shadow"), answer("No.")]) as engine:
            self.run_task("Read it", "--engine", engine.url)
        rule = self.query("--event", "call.decided")[0]["rule"]

        def said(*options):
            return self.nacre("audit", "query", *options).stderr

        self.assertIn('no record has the tool "fs.raed"; did you mean "fs.read"?', said("--tool", "fs.raed"))
        self.assertIn(f'no record has the rule "{rule}x"; did you mean "{rule}"?', said("--rule", rule + "x"))
        self.assertIn('no record has the tenant "locla"; did you mean "local"?', said("--tenant", "locla"))
        self.assertIn('no record has the tool "mail.send"; the newest have fs.read', said("--tool", "mail.send"))
        hostile = said("--tool", "\x1b[31m\u202ex\nnacre: verified")
        self.assertNotIn("\x1b", hostile)
        self.assertEqual(hostile.count("\n"), 1)
        # What some record has is no mistake, though nothing of it was found.
        self.assertEqual(said("--tool", "fs.read", "--until", "2020-01-01"), "")
        self.assertEqual(said("--tool", "fs.read"), "")

    def test_the_use_of_a_credential_is_recorded_by_its_name_and_found_by_its_host(self):
        rules = self.policy('{"alerts": [{"id": "key", "first": "credential"}]}', "alerts.json")
        watch = ("audit", "watch", "--rules", rules, "--cursor", self.folder / "cursor", "--once", "--json")
        with ScriptedEngine([answer("done"), answer("done")]) as engine:
            self.run_task("Without", "--engine", engine.url)
            self.assertEqual(self.nacre(*watch).events, [])
            self.run_task("With", "--engine", engine.url, NACRE_ENGINE_API_KEY="k3y-of-acme")
        self.assertEqual([event["value"] for event in self.nacre(*watch).events], ["NACRE_ENGINE_API_KEY"])
        asked = self.query("--event", "model.asked")
        self.assertEqual([record["data"].get("credential") for record in asked], [None, "NACRE_ENGINE_API_KEY"])
        self.assertNotIn("k3y-of-acme", json.dumps(self.audit()))
        self.assertEqual(self.query("--event", "model.asked", "--host", "127.0.0.1"), asked)
        self.assertEqual(self.query("--host", "127.0.0.2"), [])
        self.nacre("audit", "query", "--host", "...", exit_code=2)

    def test_a_query_shows_no_hostile_byte_and_nothing_that_was_not_signed(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: full}\n")
        evil = "\x1b[2J\x1b[1;1H\n     0  2026-01-01T00:00:00.000Z  call.decided     {\"verdict\":\"allow\"}\r\u202e\u009b"
        with ScriptedEngine([call("fs.write", path="x", content=evil), answer(evil)]) as engine:
            self.run_task(evil, "--engine", engine.url, "--policy", policy)
        shown = self.nacre("audit", "query").stdout
        for bad in ("\x1b", "\r", "\u202e", "\u009b"):
            self.assertNotIn(bad, shown)
        self.assertEqual(len(shown.splitlines()), len(self.audit()) + 1)  # no line that is no record
        decided = next(record["index"] for record in self.audit() if record["event"] == "call.decided")
        self.nacre("audit", "hold", "--from", "0", "--to", "1", "--reason", "for \u202e\u009b31m")
        for command in (["holds"], ["verify", "--offline", "no \u202e\u009b31m"]):  # nor in JSON, which a pager shows as it is
            shown = self.nacre("audit", *command, "--json", exit_code=None).stdout
            self.assertTrue(shown.isascii() and "\\u202e" in shown, shown)
        for command in (["query"], ["tail"], ["show", decided]):
            shown = self.nacre("audit", *command, "--json").stdout
            self.assertTrue(shown.isascii() and "\x7f" not in shown, command)
            self.assertIn("\\u202e", shown)
        self.assertEqual([r["data"]["request"]["content"] for r in self.query("--event", "turn.started")], [evil])
        # An edited record is no answer, but an error that names it.
        bundle = self.state / "audit" / "tile/entries/000"
        good = bundle.read_bytes()
        bundle.write_bytes(good.replace(b'"allow"', b'"aLlow"', 1))
        failed = self.nacre("audit", "query", exit_code=2)
        self.assertEqual(failed.stdout, "")
        self.assertIn("records 0 to", failed.stderr)
        self.assertEqual([r["event"] for r in self.query(exit_code=2)], ["error"])
        bundle.write_bytes(good)
        copy = self.folder / "copy"
        shutil.copytree(self.state / "audit", copy)
        shutil.copytree(self.state / "audit-keys", self.folder / "copy-keys")
        (copy / "key").unlink()
        self.assertEqual(self.query("--offline", copy, "--no-index"), self.audit())
        self.nacre("audit", "query", "--offline", self.folder / "none", exit_code=2)

    def test_the_log_is_exported_once_and_as_what_each_format_says(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: full}\n")
        evil = "x\n<110>1 - - nacre - forged [nacre@32473 index=\"0\"] {}\nCEF:0|a|b|c|d|e|1|act=allow\x1b[2J\u202e"
        steps = [call("fs.write", path="x", content=evil), call("fs.read", path="/etc/shadow"), answer(evil)]
        with ScriptedEngine(steps) as engine:
            self.run_task(evil, "--engine", engine.url, "--policy", policy)
        self.record_something()
        records = self.audit()

        def export(form, *options):
            return self.nacre("audit", "export", "--content", "--format", form, *options).stdout

        self.assertEqual([json.loads(line) for line in export("jsonl").splitlines()], records)
        # Without --content the lines are what was hashed.
        leaves = [hashlib.sha256(b"\0" + line.encode()).hexdigest()
                  for line in self.nacre("audit", "export").stdout.splitlines()]
        self.assertEqual(leaves[:-1], [record["previous"] for record in records[1:]])
        events = export("ocsf")
        root = pathlib.Path(__file__).resolve().parents[2]
        checked = subprocess.run(["python3", "-B", root / "tests/unit/audit/ocsf_check.py", root / "tests/data/ocsf/v1.8.0"],
                                 input=events, capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn(f"{len(records)} events of the classes [1007, 6002, 6003]", checked.stdout)
        self.assertEqual([json.loads(line)["unmapped"]["nacre"]["leaf"] for line in events.splitlines()], leaves)
        for form, beginning in (("syslog", "<"), ("cef", "CEF:0|nacre|nacre|")):
            lines = export(form).splitlines()
            self.assertEqual(len(lines), len(records), form)
            self.assertTrue(all(line.startswith(beginning) and line.isprintable() and line.isascii() for line in lines), form)

        # A cursor, a file, a crash in the middle of a line: each record is there, in order.
        cursor, output = self.folder / "cursor", self.folder / "out.jsonl"
        options = ("--cursor", cursor, "--output", output)
        counted = json.loads(export("jsonl", *options, "--json"))
        self.assertEqual(counted, {"exported": len(records)})
        kept = cursor.read_bytes()
        self.record_something()
        export("jsonl", *options)
        whole = output.read_bytes()
        cursor.write_bytes(kept)
        output.write_bytes(whole[:-20])
        export("jsonl", *options)
        lines = output.read_text(encoding="utf-8").splitlines()
        everything = self.audit()
        self.assertEqual([json.loads(line) for line in lines[:len(everything) - 1]], everything[:-1])
        self.assertEqual([json.loads(line) for line in lines[len(everything):]], everything[len(records):])
        self.assertEqual(output.stat().st_mode & 0o777, 0o600)

        # Wrong use, and a log that is not the one of the cursor.
        self.nacre("audit", "export", "--format", "xml", exit_code=2)
        self.nacre("audit", "export", "--json", exit_code=2)
        self.nacre("audit", "export", "--follow", exit_code=2)
        self.nacre("audit", "export", "--output", self.folder, exit_code=1)
        shutil.rmtree(self.state / "audit")
        self.nacre("audit", "accept-loss", "--reason", "removed")
        self.record_something()
        self.assertIn("remove it to export this one", self.nacre("audit", "export", *options, exit_code=1).stderr)
        bundle = self.state / "audit" / "tile/entries/000"
        bundle.write_bytes(bundle.read_bytes().replace(b"log.opened", b"log.Opened", 1))
        self.assertEqual(self.nacre("audit", "export", exit_code=2).stdout, "")

    def test_an_export_follows_until_it_is_told_to_stop(self):
        self.record_something()
        cursor = self.folder / "cursor"
        follower = self.start("audit", "export", "--format", "syslog", "--follow", "--cursor", cursor)
        for _ in self.audit():
            follower.stdout.readline()
        self.record_something()
        self.assertIn("log.opened", follower.stdout.readline())
        self.assertIn("sandbox.exec.started", follower.stdout.readline())
        self.assertIn("sandbox.exec.finished", follower.stdout.readline())
        nacre_case.wait_until(lambda: json.loads(cursor.read_text())["next"] == len(self.audit()), "the cursor")
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(timeout=30), 0)

    def test_one_record_is_shown_with_its_neighbours_and_a_proof(self):
        self.record_something()
        self.record_something()
        records = self.audit()
        proof_file = self.folder / "2.tlog-proof"
        shown = json.loads(self.nacre("audit", "show", "--json", "2", "--proof", proof_file).stdout)
        self.assertEqual((shown["record"], shown["before"], shown["after"]), (records[2], records[1], records[3]))
        self.assertEqual(shown["leaf"], records[3]["previous"])
        self.assertEqual(json.loads(self.nacre("audit", "show", "--json", records[2]["id"]).stdout), shown)
        # RFC 9162, section 2.1.3.2, by hand: the proof leads to the root that was signed.
        lines = proof_file.read_text(encoding="utf-8").split("\n")
        self.assertEqual(lines[:2], ["c2sp.org/tlog-proof@v1", "index 2"])
        hashes = [base64.b64decode(line) for line in lines[2:lines.index("")]]
        size, root = int(lines[lines.index("") + 2]), lines[lines.index("") + 3]
        node, last, found = 2, size - 1, bytes.fromhex(shown["leaf"])
        for sibling in hashes:
            if node & 1 or node == last:
                found = hashlib.sha256(b"\1" + sibling + found).digest()
                while not node & 1 and node:
                    node, last = node >> 1, last >> 1
            else:
                found = hashlib.sha256(b"\1" + found + sibling).digest()
            node, last = node >> 1, last >> 1
        self.assertEqual(base64.b64encode(found).decode(), root)
        self.assertIn("included, by", self.nacre("audit", "show", "2").stdout)

        bundle = self.state / "audit" / "tile/entries/000"
        good = bundle.read_bytes()
        bundle.write_bytes(good.replace(b"sandbox.exec.finished", b"sandbox.exec.finishes", 1))
        self.assertIn("NOT PROVED", self.nacre("audit", "show", "2", exit_code=2).stdout)
        self.assertFalse(json.loads(self.nacre("audit", "show", "--json", "2", exit_code=2).stdout)["proof"]["ok"])
        self.nacre("audit", "show", "2", "--proof", self.folder / "none", exit_code=1)
        self.assertFalse((self.folder / "none").exists())
        # What stands beside it is evidence too.
        bundle.write_bytes(good.replace(records[3]["id"].encode(), records[1]["id"].encode(), 1))
        beside = json.loads(self.nacre("audit", "show", "--json", "2", exit_code=2).stdout)
        self.assertEqual((beside["record"], beside["after"], beside["proof"]["ok"]), (records[2], None, True))
        self.assertIn("record 3 beside it: its hash does not lead", beside["proof"]["beside_problem"])
        self.nacre("audit", "show", "2", "--proof", self.folder / "still", exit_code=2)  # its own proof is good
        self.assertEqual((self.folder / "still").read_text(), proof_file.read_text())
        # One that was signed and was cut off is not one that never was.
        bundle.write_bytes(good[:-9])
        cut = self.nacre("audit", "show", str(len(records) - 1), exit_code=2).stderr
        self.assertIn(f"of the {len(records)} that were signed some are missing", cut)
        bundle.write_bytes(good)
        self.nacre("audit", "show", "999", exit_code=1)
        self.nacre("audit", "show", "01J00000000000000000000000", exit_code=1)
        self.nacre("audit", "show", "-- what", exit_code=2)

    def test_a_session_stays_its_tenants_and_so_do_alerts_of_it(self):
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\n")
        with ScriptedEngine([answer("one"), answer("two")]) as engine:
            run = ("run", "--engine", engine.url, "--policy", policy)
            self.nacre(*run, "first", NACRE_TENANT="acme")
            session = self.query("--event", "session.created")[0]["session"]
            for other in ({}, {"NACRE_TENANT": "beta"}):
                refused = self.nacre(*run, "--session", session, "second", exit_code=None, **other)
                self.assertNotEqual(refused.returncode, 0, refused)
                self.assertIn("is of the tenant acme, and NACRE_TENANT is " + other.get("NACRE_TENANT", "local"), refused.stderr)
            self.nacre(*run, "--session", session, "second", NACRE_TENANT="acme")
        # One from before that was kept is nobody's by name: no other tenant takes it over.
        with sqlite3.connect(self.state / "nacre.db") as database:
            database.execute("UPDATE sessions SET tenant = ''")
        with ScriptedEngine([answer("three")]) as engine:
            run = ("run", "--engine", engine.url, "--policy", policy, "--session", session, "third")
            refused = self.nacre(*run, exit_code=None, NACRE_TENANT="acme")
            self.assertIn("is of the tenant local, and NACRE_TENANT is acme", refused.stderr)
            self.nacre(*run)
        rules = self.policy(json.dumps({"alerts": [{"id": "turn", "match": {"event": "turn.started"}}], "sinks": {}}), "alerts.json")
        self.nacre("audit", "watch", "--rules", rules, "--cursor", self.folder / "cursor", "--once", NACRE_TENANT="watcher")
        raised = self.query("--event", "alert.raised")
        self.assertEqual([(record["session"], record["tenant"]) for record in raised], [(session, "acme")] * 2 + [(session, "local")])
        self.assertEqual({record["tenant"] for record in self.query("--session", session)}, {"acme", "local"})

    def test_pruned_records_are_gone_as_a_signed_record_says_and_held_ones_stay(self):
        self.record_something()
        log = self.state / "audit"
        records = len(self.audit())
        with ScriptedEngine([answer("one")]) as engine:
            self.nacre("run", "--engine", engine.url, "begin")
        session = self.query("--event", "session.created")[0]["session"]
        self.nacre("audit", "prune", exit_code=2)
        self.nacre("audit", "prune", "--keep-bytes", "many", exit_code=2)
        self.nacre("audit", "hold", "--reason", "x", exit_code=2)
        hold = json.loads(self.nacre("audit", "hold", "--from", "1", "--to", "2", "--reason", "case 17", "--json").stdout)
        self.assertEqual((hold["from"], hold["to"], hold["reason"]), (1, 2, "case 17"))
        self.assertIn(hold["hold"], self.nacre("audit", "holds").stdout)
        for _ in range(530):  # each opens the log, which is a record
            self.nacre("audit", "release", "nothing", "--reason", "x", exit_code=1)
        with ScriptedEngine([answer("one more")]) as engine:
            self.nacre("run", "--engine", engine.url, "--session", session, "go on")
        refused = self.nacre("audit", "prune", "--before", "512", exit_code=1)
        self.assertIn(f"record 1 is held by the hold {hold['hold']} (case 17)", refused.stderr)
        self.nacre("audit", "release", hold["hold"], "--reason", "closed")
        self.nacre("audit", "release", hold["hold"], "--reason", "closed", exit_code=1)
        self.assertEqual(self.nacre("audit", "holds", "--json").stdout, "")
        cursor = self.folder / "cursor"
        self.nacre("audit", "export", "--cursor", cursor, "--output", self.folder / "out.jsonl")
        would = json.loads(self.nacre("audit", "prune", "--before", "550", "--dry-run", "--json").stdout)
        self.assertEqual((would["before"], would["bundles"], would["record"]), (512, 2, None))
        done = json.loads(self.nacre("audit", "prune", "--older-than", "0s", "--unless-exported", cursor, "--json").stdout)
        self.assertEqual((done["from"], done["before"], done["bundles"]), (0, 512, 2))
        ours = json.loads(self.nacre("audit", "verify", "--json").stdout)
        alone = json.loads(self.standalone("--json", log).stdout)
        self.assertEqual(ours, alone | {"seen": ours["records"]})  # of which it knows nothing
        self.assertEqual((ours["ok"], ours["pruned"]["before"], ours["pruned"]["rule"], ours["pruned"]["record"]),
                         (True, 512, "older-than 0s", done["record"]))
        self.assertIn("records 0 to 511 were pruned on 20", self.standalone(log).stdout)
        # The beginning of the session is gone, and its end is still found by the first digits of its id.
        self.assertEqual(self.nacre("audit", "query", "--event", "session.created", "--json").stdout, "")
        self.assertEqual({record["session"] for record in self.query("--session", session[:12])}, {session})
        self.nacre("audit", "query", "--session", "01J0ZZ", exit_code=1)
        gone = self.nacre("audit", "show", "511", exit_code=1)
        self.assertIn("were pruned on", gone.stderr)
        self.nacre("audit", "show", "512")
        query = self.nacre("audit", "query", "--event", "log.pruned", "--json")
        self.assertEqual(json.loads(query.stdout)["index"], done["record"])
        self.assertIn("records 0 to 511 were pruned", query.stderr)
        self.assertIn("nothing to prune", self.nacre("audit", "prune", "--before", "512").stdout)
        self.nacre("audit", "export", "--cursor", cursor, "--output", self.folder / "out.jsonl")
        exported = [json.loads(line)["index"] for line in (self.folder / "out.jsonl").read_text().splitlines()]
        self.assertEqual(exported, list(range(ours["records"])))
        # Compressed, it is the same log; a frame that is damaged is named.
        for _ in range(250):
            self.nacre("audit", "release", "nothing", "--reason", "x", exit_code=1)
        packed = json.loads(self.nacre("audit", "compress", "--json").stdout)
        self.assertEqual(packed["bundles"], 1)
        self.assertLess(packed["bytes_after"], packed["bytes_before"])
        frame = log / "tile/entries/002.zst"
        self.assertTrue(frame.exists())
        self.assertTrue(json.loads(self.standalone("--json", log).stdout)["ok"])
        self.nacre("audit", "show", "513")
        good = frame.read_bytes()
        frame.write_bytes(good[:-5])
        self.assertIn("002.zst", self.standalone(log, exit_code=2).stdout)
        frame.write_bytes(good)
        subprocess.run(["zstd", "-dq", "--rm", frame], check=True)
        self.standalone(log)
        # With the bundle of that record nobody says so any more.
        (log / "tile/entries/002").unlink()
        self.assertEqual(json.loads(self.standalone("--json", log, exit_code=2).stdout)["first_bad"], 0)
        self.assertLess(records, 512)

    def test_a_log_that_cannot_be_written_stops_everything(self):
        self.record_something()
        entries = self.state / "audit" / "tile/entries/000"
        # A limit of the kernel's on the size of files stands in for a full disk.
        size = entries.stat().st_size
        command = " ".join(f"'{part}'" for part in self.command("sandbox", "exec", "--", "touch", "evidence"))
        done = subprocess.run(["python3", "-c", f"""
import resource, signal, subprocess, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 100}, {size + 100}))
sys.exit(subprocess.run([{command.replace("' '", "', '")}], restore_signals=False).returncode)
"""], cwd=self.workspace, env=self.environment(), capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("File too large", done.stderr)
        self.assertFalse((self.workspace / "evidence").exists())
        self.assert_verified()
        self.record_something()  # there is room again


if __name__ == "__main__":
    nacre_case.main()
