"""What is forgotten on purpose: sessions that a person deletes, and records that the policy lets go."""
import json

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
