"""What is forgotten on purpose: sessions that a person deletes, contents whose keys are destroyed, and records that the policy lets go."""
import fcntl
import json
import resource
import shutil
import sqlite3

from nacre_case import NacreCase, main
from scripted_engine import ScriptedEngine, answer, call

ALLOW_ALL = "nacre: policy/1\nname: t\nextends: [builtin/coding]\n"


class Deletion(NacreCase):
    def bytes_of_state(self):
        return b"".join(path.read_bytes() for path in self.state.rglob("*") if path.is_file())

    def test_a_deleted_session_is_in_no_file_of_the_state_and_the_log_says_so(self):
        policy = self.policy(ALLOW_ALL + "audit: {content: full}\n")
        self.write("notes.md", "an old wheatear\n")
        with ScriptedEngine([call("fs.write", path="notes.md", content="the heron\n"), call("memory.note", text="the heron nests"),
                             answer("The heron is noted.")]) as engine:
            self.run_task("Note the heron", "--engine", engine.url, "--policy", policy)
        with ScriptedEngine([call("fs.write", path="other.md", content="the stork\n"), answer("Done.")]) as engine:
            self.run_task("Note the stork", "--engine", engine.url, "--policy", policy)
        sessions = [json.loads(line) for line in self.nacre("session", "list", "--json").stdout.splitlines()]
        session = next(each["session"] for each in sessions if "heron" in each["title"])
        changed = self.rows("SELECT id FROM calls WHERE tool = 'fs.write' ORDER BY id")[0]["id"]
        self.nacre("call", "diff", changed)
        before = self.bytes_of_state()
        self.assertIn(b"heron", before)
        self.assertIn(b"wheatear", before)  # for taking the call back

        self.nacre("session", "delete", exit_code=2)
        self.nacre("session", "delete", "last", exit_code=2)
        self.nacre("session", "delete", "01J00000000000000000000000", exit_code=1)
        hold = json.loads(self.nacre("audit", "hold", "--session", session, "--reason", "case 17", "--json").stdout)["hold"]
        self.assertIn(hold, self.nacre("session", "delete", session, exit_code=1).stderr)
        self.assertIn(b"heron", self.bytes_of_state())
        self.nacre("audit", "release", hold, "--reason", "closed")

        done = json.loads(self.nacre("session", "delete", session, "--reason", "asked for", "--json").stdout)
        self.assertEqual({key: done[key] for key in ("session", "turns", "calls", "notes", "transactions")},
                         {"session": session, "turns": 1, "calls": 2, "notes": 1, "transactions": 1})
        after = self.bytes_of_state()
        self.assertNotIn(b"heron", after)
        self.assertNotIn(b"wheatear", after)
        self.assertIn(b"stork", after)
        self.nacre("session", "show", session, exit_code=1)
        self.nacre("call", "undo", changed, exit_code=1)
        self.nacre("session", "delete", session, exit_code=1)
        self.assertEqual((self.workspace / "notes.md").read_text(), "the heron\n")  # what was done is done
        record = json.loads(self.nacre("audit", "show", done["record"], "--json").stdout)["record"]
        self.assertEqual((record["event"], record["data"]["session"], record["data"]["reason"]),
                         ("session.deleted", session, "asked for"))
        self.assert_verified()
        # The log has the contents still, until their key is destroyed.
        self.assertIn("heron", self.nacre("audit", "query", "--session", session, "--json").stdout)
        self.assertIn("erased", self.nacre("audit", "erase", "--session", session, "--reason", "asked for").stdout)
        self.assertNotIn("heron", self.nacre("audit", "query", "--session", session, "--json").stdout)

    def test_a_session_whose_records_were_pruned_takes_its_notes_along(self):
        for bird in ("heron", "stork"):
            with ScriptedEngine([call("memory.note", text=f"the {bird} nests"), answer("Noted.")]) as engine:
                self.run_task("Note it", "--engine", engine.url)
        sessions = [json.loads(line)["session"] for line in self.nacre("session", "list", "--json").stdout.splitlines()]
        for _ in range(270):  # each opens the log, which is a record
            self.nacre("audit", "release", "nothing", "--reason", "x", exit_code=1)
        self.nacre("audit", "prune", "--before", "256")
        done = json.loads(self.nacre("session", "delete", sessions[-1], "--json").stdout)
        self.assertEqual(done["notes"], 1)
        self.assertEqual([row["text"] for row in self.rows("SELECT text FROM notes")], ["the stork nests"])
        self.assert_verified()

    def test_erasing_everywhere_does_both(self):
        policy = self.policy(ALLOW_ALL + "audit: {content: full}\n")
        with ScriptedEngine([answer("The heron is noted.")]) as engine:
            self.run_task("Note the heron", "--engine", engine.url, "--policy", policy)
        session = json.loads(self.nacre("session", "list", "--json").stdout)["session"]
        done = json.loads(self.nacre("audit", "erase", "--everywhere", "--session", session, "--reason", "x", "--json").stdout)
        self.assertEqual((len(done["keys"]), done["deleted"]["turns"]), (1, 1))
        self.assertNotIn(b"heron", self.bytes_of_state())
        self.assertNotIn("heron", self.nacre("audit", "query", "--json").stdout)
        events = [record["event"] for record in self.audit()]
        self.assertIn("content.erased", events)
        self.assertIn("session.deleted", events)
        self.nacre("audit", "erase", "--everywhere", "--session", session, exit_code=1)
        # Without contents under a key there is still a session to delete.
        with ScriptedEngine([answer("The stork is noted.")]) as engine:
            self.run_task("Note the stork", "--engine", engine.url)
        session = json.loads(self.nacre("session", "list", "--json").stdout)["session"]
        self.nacre("audit", "erase", "--session", session, exit_code=1)
        self.nacre("audit", "erase", "--everywhere", "--session", session)
        self.assertNotIn(b"stork", self.bytes_of_state())
        self.assert_verified()


class Erasing(NacreCase):
    def test_erased_contents_are_told_everywhere_and_the_log_verifies(self):
        policy = self.policy(ALLOW_ALL + "audit: {content: full}\n")
        with ScriptedEngine([call("fs.write", path="notes.md", content="the heron"), answer("The heron is noted.")]) as engine:
            self.run_task("Note the heron", "--engine", engine.url, "--policy", policy)
        log = self.state / "audit"
        self.assertNotIn(b"heron", (log / "tile/entries/000").read_bytes())
        decided = self.query("--event", "call.decided")[0]
        session = decided["session"]
        self.assertIn("heron", decided["data"]["arguments"]["content"])
        self.assertEqual(len(self.query("--text", "heron")), 3)  # request, arguments and answer
        replayed = json.loads(self.nacre("policy", "replay", policy, "--json").stdout)
        copy = self.folder / "copy"
        shutil.copytree(log, copy)
        self.assertIn("copy of the log", self.nacre("audit", "query", "--offline", copy, "--event", "call.decided", "--json").stdout)
        exported = self.nacre("audit", "export").stdout
        self.assertNotIn("heron", exported)
        self.assertIn("heron", self.nacre("audit", "export", "--content").stdout)

        hold = json.loads(self.nacre("audit", "hold", "--session", session, "--reason", "case 17", "--json").stdout)
        self.assertIn(hold["hold"], self.nacre("audit", "erase", "--session", session, exit_code=1).stderr)
        self.nacre("audit", "release", hold["hold"], "--reason", "closed")
        done = json.loads(self.nacre("audit", "erase", "--session", session, "--reason", "asked for", "--json").stdout)
        self.assertEqual(done["session"], session)
        self.assertEqual(list((self.state / "audit-keys").iterdir()), [])
        self.nacre("audit", "erase", "--session", session, exit_code=1)
        self.nacre("audit", "erase", "--session", "last", exit_code=2)

        self.assert_verified()
        self.standalone(log)
        self.assertEqual(self.query("--text", "heron"), [])
        after = self.query("--event", "call.decided")[0]["data"]["arguments"]
        self.assertEqual((after["erased"], "content" in after, "sealed" in after), (True, False, False))
        self.assertRegex(after["erased_on"], r"^20\d\d-")
        self.assertIn("erased_reason", after)
        shown = self.nacre("audit", "show", decided["index"])
        self.assertIn("erased", shown.stdout)
        self.assertNotIn("heron", shown.stdout)
        opened = json.loads(self.nacre("audit", "show", decided["index"], "--json").stdout)
        self.assertTrue(opened["opened"]["data"]["arguments"]["erased"])
        self.assertIn("sealed", opened["record"]["data"]["arguments"])
        self.assertNotIn("heron", self.nacre("audit", "export", "--content").stdout)
        self.nacre("audit", "plot", "session", "last", "-o", self.folder / "p.svg")
        self.assertNotIn("heron", (self.folder / "p.svg").read_text())
        again = self.nacre("policy", "replay", policy, "--json").stdout
        self.assertIn("its arguments were erased", again)
        self.assertNotIn("its arguments were erased", json.dumps(replayed))

    def test_records_say_their_tenant_and_all_contents_of_one_are_erased_or_none(self):
        policy = self.policy(ALLOW_ALL + "audit: {content: full}\n")
        sessions = {}
        for tenant, word in (("acme", "heron"), ("acme", "egret"), ("local", "crane")):
            with ScriptedEngine([answer(f"The {word} is noted.")]) as engine:
                self.nacre("run", "--engine", engine.url, "--policy", policy, f"Note the {word}",
                           NACRE_TENANT="" if tenant == "local" else tenant)
            sessions[word] = self.query("--event", "session.created")[-1]["session"]
        held = self.nacre("audit", "hold", "--session", sessions["egret"], "--reason", "case 17", "--json", NACRE_TENANT="acme")
        hold = json.loads(held.stdout)["hold"]
        records = self.query()
        self.assertEqual({record["tenant"] for record in records}, {"acme", "local"})  # on each, whoever wrote it
        self.assertTrue(all(record["actor"] for record in records))
        of_acme = self.query("--tenant", "acme")
        self.assertEqual([record for record in records if record["tenant"] == "acme"], of_acme)
        self.assertIn("hold.placed", {record["event"] for record in of_acme})
        self.assertIn("a tenant's name is", self.nacre("audit", "verify", exit_code=2, NACRE_TENANT="../acme").stderr)

        keys = self.state / "audit-keys"
        before = sorted(keys.iterdir())
        refused = self.nacre("audit", "erase", "--tenant", "acme", "--reason", "asked for", exit_code=1)
        self.assertIn(hold, refused.stderr)
        self.assertEqual(sorted(keys.iterdir()), before)  # all or none
        self.nacre("audit", "release", hold, "--reason", "closed")
        self.nacre("audit", "erase", "--tenant", "nobody", exit_code=1)
        self.nacre("audit", "erase", "--tenant", "acme", "--session", sessions["heron"], exit_code=2)
        self.nacre("audit", "erase", exit_code=2)
        done = json.loads(self.nacre("audit", "erase", "--tenant", "acme", "--reason", "asked for", "--everywhere",
                                     "--json").stdout)
        self.assertEqual((done["tenant"], done["left"], done["unknown"]), ("acme", [], []))
        self.assertEqual({one["session"] for one in done["sessions"]}, {sessions["heron"], sessions["egret"]})
        self.assertTrue(all(one["keys"] and one["deleted"] for one in done["sessions"]))
        erased = self.query("--event", "content.erased")
        self.assertEqual({record["data"]["session"] for record in erased}, {sessions["heron"], sessions["egret"]})
        self.assertEqual({record["data"]["reason"] for record in erased}, {"asked for"})
        for word, left in (("heron", 0), ("egret", 0), ("crane", 2)):
            self.assertEqual(len(self.query("--text", word)), left, word)
        self.assertNotIn(b"heron", (self.state / "nacre.db").read_bytes())
        self.assertIn("crane", self.nacre("session", "show", sessions["crane"]).stdout)
        self.assert_verified()
        self.nacre("audit", "erase", "--tenant", "acme", "--everywhere", exit_code=1)  # nothing is left

    def test_a_tenant_with_more_sessions_than_files_may_be_open_is_erased(self):
        count = 30
        with ScriptedEngine([answer("noted")] * count) as engine:
            for _ in range(count):
                self.nacre("run", "--engine", engine.url, "Note the heron", NACRE_TENANT="acme")
        usual = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, usual[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, usual)
        done = self.nacre("audit", "erase", "--tenant", "acme", "--everywhere", "--json").stdout
        self.assertEqual(len(json.loads(done)["sessions"]), count)

    def test_what_cannot_go_of_a_tenant_is_left_with_its_reason_and_goes_the_next_time(self):
        policy = self.policy(ALLOW_ALL + "audit: {content: full}\n")
        acme = {"NACRE_TENANT": "acme"}
        for word in ("heron", "egret"):
            with ScriptedEngine([call("fs.write", path=f"{word}.md", content=f"the {word}\n"), answer("Done.")]) as engine:
                self.nacre("run", "--engine", engine.url, "--policy", policy, f"Note the {word}", **acme)
        with ScriptedEngine([answer("Nothing to say.")]) as engine:  # without a content, so without a key
            self.nacre("run", "--engine", engine.url, "Look", **acme)
        heron, egret, look = [record["session"] for record in self.query("--event", "session.created")]
        nobodys = "01J0000000000000000000000C"  # of which no record is there
        # Of these neither, but the database says whose they are.
        acmes, betas = "01J0000000000000000000000D", "01J0000000000000000000000E"
        for session in (nobodys, acmes, betas):
            (self.state / "audit-keys" / f"{session}.0123456789abcdef").write_bytes(bytes(range(32)))
        with sqlite3.connect(self.state / "nacre.db") as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(sessions)")]
            for session, tenant in ((acmes, "acme"), (betas, "beta")):
                values = ", ".join({"id": f"'{session}'", "tenant": f"'{tenant}'"}.get(column, column) for column in columns)
                database.execute(f"INSERT INTO sessions ({', '.join(columns)}) SELECT {values} FROM sessions WHERE id = '{look}'")
        erase = ("audit", "erase", "--tenant", "acme", "--reason", "asked for")

        # One that runs stops all, also when it has no content yet: it may have one the next moment.
        before = sorted((self.state / "audit-keys").iterdir())
        lock = self.state / "locks" / look
        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            for everywhere in ([], ["--everywhere"]):
                self.assertIn(f"session {look} is in use", self.nacre(*erase, *everywhere, exit_code=1).stderr)
        self.assertEqual(sorted((self.state / "audit-keys").iterdir()), before)

        # A call that is not settled, and cannot be: its workspace is elsewhere.
        changed = self.rows(f"SELECT calls.id FROM calls JOIN turns ON turns.id = turn_id WHERE session_id = '{heron}'")[0]["id"]
        transactions = self.state / "transactions"
        (transactions / f"{changed}.done").rename(transactions / f"{changed}.pending")
        away = self.workspace.rename(self.folder / "away")
        self.workspace = away  # where commands run
        part = json.loads(self.nacre(*erase, "--everywhere", "--json", exit_code=1).stdout)
        self.assertEqual([left["session"] for left in part["left"]], [heron])
        self.assertIn(f"call {changed} is not settled", part["left"][0]["reason"])
        self.assertEqual((sorted(each["session"] for each in part["sessions"]), part["unknown"]), ([acmes, egret, look], [nobodys]))
        self.assertEqual({row["id"] for row in self.rows("SELECT id FROM sessions")}, {betas, heron})
        again = self.nacre(*erase, "--everywhere", exit_code=1)
        self.assertIn(f"left: session {heron}: ", again.stdout)
        self.assertIn(f"left: 1 sessions of which nobody knows the tenant any more", again.stdout)
        self.assertIn(f"  {nobodys}\n", again.stdout)

        self.workspace = away.rename(self.folder / "workspace")
        done = json.loads(self.nacre(*erase, "--everywhere", "--json", exit_code=1).stdout)  # one may be the tenant's
        self.assertEqual(([each["session"] for each in done["sessions"]], done["left"], done["unknown"]), ([heron], [], [nobodys]))
        self.assertEqual([row["id"] for row in self.rows("SELECT id FROM sessions")], [betas])
        self.assertEqual({path.name for path in (self.state / "audit-keys").iterdir()},
                         {f"{session}.0123456789abcdef" for session in (nobodys, betas)})
        self.assert_verified()


class Retention(NacreCase):
    def grow(self, openings):
        for _ in range(openings):  # each opens the log, which is a record
            self.nacre("audit", "release", "nothing", "--reason", "x", exit_code=1)

    def prunings(self):
        return [json.loads(line)["data"] for line in
                self.nacre("audit", "query", "--event", "log.pruned", "--json").stdout.splitlines()]

    def test_the_policys_bounds_hold_after_a_run_and_while_serving(self):
        cursor = self.folder / "cursor"
        bounds = "audit: {retention: {age: 90d, bytes: 64KiB, exported: " + str(cursor) + "}}\n"
        policy = self.policy(ALLOW_ALL + bounds)
        self.grow(530)

        def run():
            with ScriptedEngine([answer("Done.")]) as engine:
                return self.run_task("Look", "--engine", engine.url, "--policy", policy)

        # No export has begun yet: nothing goes, which is told, and the run ends as it would.
        self.assertIn("audit.retention.exported: nothing is pruned", run().stderr)
        self.assertEqual(self.prunings(), [])
        self.nacre("audit", "export", "--cursor", cursor, "--output", self.folder / "out.jsonl")
        hold = json.loads(self.nacre("audit", "hold", "--from", "300", "--to", "301", "--reason", "case", "--json").stdout)["hold"]
        self.assertIn("the audit log begins with record 256", run().stderr)
        self.assertEqual([(said["from"], said["before"], said["rule"]) for said in self.prunings()],
                         [(0, 256, "audit.retention.bytes 65536")])
        self.assertEqual(run().stderr, "")  # held
        self.nacre("audit", "release", hold, "--reason", "closed")

        with ScriptedEngine([]) as engine:
            gateway = self.start("serve", "--json", "--socket", self.folder / "s", "--workspace", self.workspace, "--engine",
                                 engine.url, "--policy", policy)
            said = [json.loads(gateway.stdout.readline()) for _ in range(2)]
        told = {each["event"]: each for each in said}
        self.assertIn("begins with record 512", told["retention"]["text"])
        self.assertIn("listening", told)
        self.assertEqual(self.prunings()[-1]["before"], 512)
        self.assert_verified()


main()
