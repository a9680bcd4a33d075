"""nacre audit export --to: records to a TLS syslog server and to an OpenTelemetry collector."""
import array
import fcntl
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import termios
import threading
import time

import nacre_case
from nacre_case import NacreCase
from scripted_engine import ScriptedEngine, answer, call

# Like a syslog frame, a header and a JSON string's end, wherever the text may come to stand.
HOSTILE = "x\n9 <13>1 - - - - - - forged\r\n\"}]}]} \x1b[2J\u202e"


class Collector:
    """Takes OTLP/HTTP. `answers`: the status codes of its first answers; then it says 200."""

    def __init__(self, answers=(), body=b"{}"):
        outer = self
        self.requests, self.tokens, self.answers, self.body = [], [], list(answers), body

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 200
                if status == 200:
                    outer.requests.append(json.loads(content))
                    outer.tokens.append(self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/logs"

    def records(self):
        return [record for request in self.requests for resource in request["resourceLogs"]
                for scope in resource["scopeLogs"] for record in scope["logRecords"]]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class SyslogServer:
    """Takes syslog over TLS (RFC 5425) and keeps whole messages."""

    def __init__(self, certificate, key, client_ca=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if client_ca is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.received, self.messages = b"", []

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def serve(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as stream:
                    while part := stream.recv(65536):
                        self.received += part
                        self.split()
            except OSError:
                pass  # a client that does not believe us, or has gone

    def split(self):
        while match := re.match(rb"([1-9][0-9]*) ", self.received):
            end = match.end() + int(match[1])
            if len(self.received) < end:
                return
            self.messages.append(self.received[match.end():end].decode("ascii"))
            self.received = self.received[end:]


def follow_unread(case, cursor, stderr=None):
    """`audit export --follow` whose reader takes nothing: the process, once it waits for the pipe, and the pipe's end."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ: fewer bytes than there are records
    follower = subprocess.Popen(case.command("audit", "export", "--format", "jsonl", "--follow", "--cursor", cursor),
                                env=case.environment(), stdin=subprocess.DEVNULL, stdout=writing, stderr=stderr)
    os.close(writing)
    case.addCleanup(follower.wait)
    case.addCleanup(follower.kill)
    waiting = array.array("i", [0])
    while waiting[0] < 4096:
        fcntl.ioctl(reading, termios.FIONREAD, waiting)
        time.sleep(0.01)
    return follower, reading


class Delivery(NacreCase):
    def setUp(self):
        super().setUp()
        policy = self.policy("nacre: policy/1\nname: t\nextends: [builtin/coding]\naudit: {content: full}\n")
        with ScriptedEngine([call("fs.write", path="x", content=HOSTILE), call("fs.read", path="/etc/shadow"),
                             answer(HOSTILE)]) as engine:
            self.run_task(HOSTILE, "--engine", engine.url, "--policy", policy)
        self.cursor = self.folder / "cursor"

    def record_something(self):
        self.nacre("sandbox", "exec", "--", "true")

    def test_a_reader_that_takes_nothing_holds_up_no_call_and_misses_no_record(self):
        for _ in range(4):
            self.record_something()
        cursor = self.folder / "cursor"
        export, reading = follow_unread(self, cursor)
        self.addCleanup(os.close, reading)
        self.record_something()  # what is recorded meanwhile waits for nobody
        self.assertIsNone(export.poll())
        self.assertFalse(cursor.exists())  # nothing was taken
        self.nacre("audit", "prune", "--before", "256", "--unless-exported", cursor, exit_code=1)  # nor may it go before
        records = self.audit()
        with os.fdopen(os.dup(reading)) as lines:
            taken = [json.loads(lines.readline()) for _ in records]
        self.assertEqual([line["index"] for line in taken], [record["index"] for record in records])
        export.terminate()
        self.assertEqual(export.wait(timeout=60), 0)

    def certificate(self, name, host):
        """A certificate that vouches for itself."""
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                        "-addext", f"subjectAltName={host}", "-out", paths[0], "-keyout", paths[1]],
                       check=True, capture_output=True, timeout=60)
        return paths

    def export(self, form, url, *options, exit_code=0, **environment):
        return self.nacre("audit", "export", "--content", "--format", form, "--to", url, "--cursor", self.cursor, *options,
                          exit_code=exit_code, **environment)

    def test_a_collector_gets_each_record_once_and_as_it_is(self):
        records = self.audit()
        with Collector() as collector:
            done = self.export("otlp", collector.url, "--json", NACRE_EXPORT_TOKEN="t0ken")
            self.assertEqual(json.loads(done.stdout), {"exported": len(records)})
            self.export("otlp", collector.url)
            got = collector.records()
            self.assertEqual(collector.tokens, ["Bearer t0ken"])
            self.record_something()
            self.export("otlp", collector.url)
            self.assertEqual(len(collector.records()), len(self.audit()))
        self.assertEqual([r["eventName"] for r in got], [r["event"] for r in records])
        self.assertEqual([json.loads(r["body"]["stringValue"]) for r in got], [r["data"] for r in records])
        self.assertEqual([r.get("traceId", "") for r in got], [r["trace"] for r in records])
        denied = next(r for r in got if '"deny"' in r["body"]["stringValue"])
        attributes = {a["key"]: a["value"] for a in denied["attributes"]}
        self.assertEqual(attributes["nacre.verdict"], {"stringValue": "deny"})
        self.assertEqual(denied["severityText"], "INFO2")
        for index, record in enumerate(got):
            self.assertIn({"key": "nacre.index", "value": {"intValue": str(index)}}, record["attributes"])
            self.assertRegex(record["timeUnixNano"], r"^1[0-9]{18}$")

    def test_what_a_collector_does_not_take_is_not_passed_over(self):
        with Collector(answers=[503]) as collector:
            self.export("otlp", collector.url, exit_code=3)
            self.assertFalse(self.cursor.exists())
        with Collector(answers=[400]) as collector:
            self.assertIn("will not take", self.export("otlp", collector.url, exit_code=1).stderr)
        with Collector(body=b'{"partialSuccess":{"rejectedLogRecords":"2"}}') as collector:
            self.assertIn("rejected", self.export("otlp", collector.url, exit_code=1).stderr)
        self.assertFalse(self.cursor.exists())
        self.export("otlp", collector.url, exit_code=3)  # nobody is there any more
        # --follow tries again, and a person can end it while it waits.
        with Collector(answers=[503]) as collector:
            follower = self.start("audit", "export", "--format", "otlp", "--to", collector.url, "--follow", "--cursor",
                                  self.cursor)
            nacre_case.wait_until(lambda: len(collector.records()) == len(self.audit()), "the records")
            self.assertIn("trying again in 1 s", follower.stderr.readline())
            nacre_case.wait_until(self.cursor.exists, "the cursor")
            collector.answers.extend([503] * 100)
            self.record_something()
            self.assertIn("taken again", follower.stderr.readline())
            self.assertIn("trying again", follower.stderr.readline())
            follower.send_signal(signal.SIGINT)
            self.assertEqual(follower.wait(timeout=30), 0)

    def test_a_syslog_server_gets_each_record_as_one_message(self):
        records = self.audit()
        certificate, key = self.certificate("server", "IP:127.0.0.1")
        with SyslogServer(certificate, key) as server:
            self.export("syslog", f"syslog+tls://127.0.0.1:{server.port}", "--ca", certificate)
            nacre_case.wait_until(lambda: len(server.messages) == len(records), "the messages")
            self.assertEqual(server.received, b"")
            for index, message in enumerate(server.messages):
                self.assertRegex(message, rf'^<[0-9]+>1 .* \[nacre@32473 index="{index}" ')
                self.assertTrue(message.isprintable(), message)
            self.assertEqual(json.loads(self.cursor.read_text())["next"], len(records))

    def test_a_syslog_server_that_is_not_believed_gets_nothing(self):
        certificate, key = self.certificate("server", "IP:127.0.0.1")
        other, other_key = self.certificate("other", "DNS:logs.example.org")
        with SyslogServer(certificate, key) as server:
            url = f"syslog+tls://127.0.0.1:{server.port}"
            self.export("syslog", url, exit_code=3)  # signed by nobody whom the host believes
            self.export("syslog", url, "--ca", other, exit_code=3)
            self.export("syslog", url, "--ca", self.folder / "none.pem", exit_code=3)
        with SyslogServer(other, other_key) as wrong_name:
            self.export("syslog", f"syslog+tls://127.0.0.1:{wrong_name.port}", "--ca", other, exit_code=3)
        self.assertEqual((server.messages, wrong_name.messages), ([], []))
        self.assertFalse(self.cursor.exists())

    def test_a_syslog_server_that_wants_to_know_us(self):
        certificate, key = self.certificate("server", "IP:127.0.0.1")
        own, own_key = self.certificate("own", "DNS:client.example.org")
        with SyslogServer(certificate, key, client_ca=own) as server:
            url = f"syslog+tls://127.0.0.1:{server.port}"
            self.export("syslog", url, "--ca", certificate, "--cert", own, "--key", own_key)
            nacre_case.wait_until(lambda: len(server.messages) == len(self.audit()), "the messages")

    def test_wrong_use_is_refused(self):
        for options in (("--format", "otlp", "--to", "http://logs.example.org/v1/logs"),
                        ("--format", "jsonl", "--to", "https://logs.example.org/v1/logs"),
                        ("--format", "otlp", "--to", "syslog+tls://logs.example.org"),
                        ("--format", "syslog", "--to", "syslog+tls://a/b"),
                        ("--format", "syslog", "--ca", "x.pem"),
                        ("--format", "syslog", "--to", "syslog+tls://a", "--cert", "x.pem"),
                        ("--format", "syslog", "--to", "syslog+tls://a", "--output", "x")):
            with self.subTest(options):
                self.nacre("audit", "export", *options, exit_code=2)


class Anchors(NacreCase):
    def test_an_anchor_is_sent_to_a_webhook(self):
        self.nacre("sandbox", "exec", "--", "true")
        log = self.state / "audit"
        for answers, file, exit_code in (([], [], 0), ([], [self.folder / "anchor"], 0), ([503], [self.folder / "second"], 3)):
            with self.subTest(answers), Collector(answers) as collector:
                done = self.nacre("audit", "anchor", *file, "--webhook", collector.url, "--json", exit_code=exit_code,
                                  NACRE_ANCHOR_TOKEN="tok-en")
                for each in file:
                    self.assertEqual(each.read_text(), (log / "checkpoint").read_text() + "\n")
                self.assertNotIn(collector.url, done.stdout + done.stderr)
                self.assertNotIn("tok-en", done.stdout + done.stderr)
                if exit_code != 0:
                    self.assertIn("the webhook did not take it: status 503", json.loads(done.stdout)["message"])
                    continue
                self.assertTrue(json.loads(done.stdout)["sent"])
                self.assertEqual(collector.tokens, ["Bearer tok-en"])
                sent, = collector.requests
                self.assertEqual(sent, {"log": sent["log"], "records": len(self.audit()),
                                        "checkpoint": (log / "checkpoint").read_text()})
                self.assertTrue(sent["checkpoint"].startswith(sent["log"] + "\n"))
        # What was received shows an older copy.
        kept = self.folder / "received"
        kept.write_text(sent["checkpoint"] + "\n")
        self.nacre("audit", "verify", "--since", kept)

    def test_a_url_that_is_a_secret_is_told_nobody(self):
        self.nacre("sandbox", "exec", "--", "true")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        url = f"HTTP://127.0.0.1:{port}/T0/s3cr3t/"
        done = self.nacre("audit", "anchor", exit_code=3, NACRE_ANCHOR_WEBHOOK=url)
        self.assertIn("the webhook did not take it", done.stderr)
        self.assertNotIn("s3cr3t", done.stderr)
        rules = self.policy(json.dumps({"alerts": [{"id": "a", "match": {"event": "log.opened"}, "notify": ["hook"]}],
                                        "sinks": {"hook": {"webhook": url}}}), "alerts.json")
        watched = self.nacre("audit", "watch", "--rules", rules, "--cursor", self.folder / "cursor", "--once", exit_code=1)
        self.assertNotIn("s3cr3t", watched.stdout + watched.stderr)
        failed = [record["data"]["reason"] for record in self.audit() if record["event"] == "alert.failed"]
        self.assertEqual(len(failed), 1)
        self.assertIn("the webhook", failed[0])
        self.assertNotIn("s3cr3t", failed[0])

    def test_a_token_is_one_header_or_none(self):
        self.nacre("sandbox", "exec", "--", "true")
        with Collector() as collector:
            for name, exit_code, command in (
                    ("NACRE_ANCHOR_TOKEN", 3, ["anchor", "--webhook", collector.url]),
                    ("NACRE_EXPORT_TOKEN", 1, ["export", "--format", "otlp", "--to", collector.url])):
                with self.subTest(name):
                    done = self.nacre("audit", *command, exit_code=exit_code, **{name: "s3cr3t\r\nX-Evil: 1"})
                    self.assertIn("the bearer token holds a control character", done.stderr)
                    self.assertNotIn("s3cr3t", done.stderr)
            self.assertEqual(collector.requests, [])

    def test_what_is_no_anchor_of_this_log_is_sent_nowhere(self):
        self.nacre("sandbox", "exec", "--", "true")
        with Collector() as collector:
            for arguments in ([], ["--webhook", "http://192.0.2.1/"], ["--webhook", "ftp://localhost/"],
                              ["--webhook", "https://user:secret@localhost/"]):
                with self.subTest(arguments):
                    done = self.nacre("audit", "anchor", *arguments, exit_code=2)
                    self.assertNotIn("secret", done.stderr)
            tile = self.state / "audit" / "tile" / "entries" / "000"
            changed = bytearray(tile.read_bytes())
            changed[-20] ^= 1
            tile.write_bytes(changed)
            self.nacre("audit", "anchor", "--webhook", collector.url, exit_code=2)
            (self.state / "audit" / "key.pub").unlink()
            self.nacre("audit", "anchor", "--webhook", collector.url, exit_code=2)
            self.assertEqual(collector.requests, [])

    def test_a_file_that_must_not_grow_refuses_and_does_not_end_the_process(self):
        self.nacre("sandbox", "exec", "--", "true")
        command = ["prlimit", "--fsize=4096", *self.command("sandbox", "exec", "--", "touch", "evidence")]
        done = subprocess.run(command, cwd=self.workspace, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("File too large", done.stderr)
        self.assertFalse((self.workspace / "evidence").exists())
        self.nacre("audit", "verify")


class SmallDisk(NacreCase):
    """A folder of the state is a file system of its own, in a mount namespace that ends with the test."""

    folder_of_disk = "."

    def setUp(self):
        super().setUp()
        disk = self.state / self.folder_of_disk
        disk.mkdir(mode=0o700, parents=True)
        self.state.chmod(0o700)
        if os.geteuid() != 0:
            self.skipTest("who mounts as an ordinary user is root in a namespace, and no sandbox can be set up in there")
        mount = f"mount -t tmpfs -o size=2m,mode=0700 none '{disk}' && echo mounted && exec sleep 600"
        holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", mount], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        if holder.stdout.readline() != "mounted\n":
            self.skipTest("this host lets us mount nothing")
        self.inside = ["nsenter", f"--target={holder.pid}", "--mount", f"--wd={self.workspace}", "--"]
        self.ballast = disk / "ballast"

    def command(self, *arguments):
        return [*self.inside, *super().command(*arguments)]

    def shell(self, script):
        subprocess.run([*self.inside, "sh", "-c", script], check=True, timeout=60)

    def fill(self):
        self.shell(f"cat /dev/zero > '{self.ballast}' 2>/dev/null; true")


class FullDisk(SmallDisk):
    def test_a_full_disk_behind_a_slow_reader_refuses_calls_and_drops_no_record(self):
        cursor, told = self.state / "cursor", self.folder / "told"
        rules = self.policy(json.dumps({
            "alerts": [{"id": "started", "match": {"event": "sandbox.exec.started"}, "notify": ["file"]}],
            "sinks": {"file": {"command": ["/usr/bin/tee", "-a", str(told)]}}}), "alerts.json")
        watch = ("audit", "watch", "--rules", rules, "--cursor", self.state / "watched", "--once")
        export = ("audit", "export", "--format", "jsonl", "--cursor", cursor)

        def run(number):
            return self.nacre("sandbox", "exec", "--", "touch", f"evidence-{number}", exit_code=None)

        def indexes_of(event):
            return [record["index"] for record in self.audit() if record["event"] == event]

        for number in range(4):
            self.assertEqual((done := run(number)).returncode, 0, done)
        follower, reading = follow_unread(self, cursor, stderr=subprocess.DEVNULL)

        self.fill()
        for number in range(4, 40):  # the last pages of the log's files have some room yet
            refused = run(number)
            if refused.returncode != 0:
                break
        self.assertRegex(refused.stderr, "audit log.*No space left on device: free some space")
        self.assertFalse((self.workspace / f"evidence-{number}").exists())
        self.assertIsNone(follower.poll())
        found = {each["part"]: each for each in self.nacre("doctor", "--json", exit_code=1).events}["audit log"]
        self.assertEqual(found["state"], "missing")
        self.assertIn("No space left on device", found["detail"])
        self.assertNotEqual(self.nacre(*watch, exit_code=None).returncode, 0)
        alerts = indexes_of("alert.raised")
        self.assertLessEqual(len(told.read_text().splitlines()) if told.exists() else 0, len(alerts))

        # What it took it gets again: that it took it could not be noted.
        with os.fdopen(reading) as lines:
            taken = [json.loads(line) for line in lines]
        self.assertEqual(follower.wait(timeout=60), 3)
        self.shell(f"test ! -e '{cursor}' && rm '{self.ballast}'")
        self.assertEqual(run("again").returncode, 0)
        self.assertTrue((self.workspace / "evidence-again").exists())
        records = self.audit()
        exported = [json.loads(line) for line in self.nacre(*export).stdout.splitlines()]
        self.assertEqual([line["index"] for line in exported], [record["index"] for record in records])
        self.assertEqual(exported[:len(taken)], taken)
        self.assertGreater(len(taken), 4)
        self.assertEqual(self.nacre(*export).stdout, "")
        self.nacre(*watch)
        started = indexes_of("sandbox.exec.started")
        self.assertEqual(len(started), len(list(self.workspace.iterdir())))  # nothing ran that is not recorded
        self.assertEqual(sorted({json.loads(line)["index"] for line in told.read_text().splitlines()}), started)
        self.assert_verified()


class FullLog(SmallDisk):
    """Only the log has no room: what a gateway does then is the policy's audit.on_failure."""

    folder_of_disk = "audit"

    def serve(self, on_failure):
        engine = self.enterContext(ScriptedEngine([answer("Done.")] * 100))
        policy = self.policy(f"nacre: policy/1\nname: test\nextends: [builtin/coding]\naudit: {{on_failure: {on_failure}}}\n")
        gateway = self.start("serve", "--json", "--socket", self.folder / "s", "--workspace", self.workspace, "--engine",
                             engine.url, "--model", "scripted", "--policy", policy)
        self.assertEqual((said := json.loads(gateway.stdout.readline()))["event"], "listening", said)
        self.assertEqual(self.ask().returncode, 0)
        return gateway

    def ask(self):
        return self.nacre("run", "--connect", self.folder / "s", "Hello", exit_code=None)

    def ask_until_full(self):
        self.fill()
        for _ in range(80):  # the log has made place for some records
            if (refused := self.ask()).returncode != 0:
                return refused
        self.fail("the log has room for everything")

    def test_a_gateway_goes_on_when_the_log_does(self):
        gateway = self.serve("refuse")
        refused = self.ask_until_full()
        self.assertEqual(refused.returncode, 3)
        self.assertIsNone(gateway.poll())
        self.assertIn("No space left on device", json.loads(gateway.stdout.readline())["text"])
        self.shell(f"rm '{self.ballast}'")
        time.sleep(1.1)  # how often it is looked at
        self.assertEqual((done := self.ask()).returncode, 0, done)
        resumed = [record for record in self.audit() if record["event"] == "log.resumed"]
        self.assertGreaterEqual(len(resumed), 1)
        self.assertGreaterEqual(resumed[-1]["data"]["refused"], 1)
        self.assertIn("No space left on device", resumed[0]["data"]["reason"])
        self.assert_verified()
        gateway.terminate()
        self.assertEqual(gateway.wait(timeout=60), 0)

    def test_a_gateway_that_is_to_stop_does_so_until_it_is_started_again(self):
        gateway = self.serve("stop")
        self.assertNotEqual(self.ask_until_full().returncode, 0)
        self.assertEqual(gateway.wait(timeout=60), 3)
        said = gateway.stdout.read()
        self.assertRegex(said, '"event":"audit","text":"the audit log is not writable: .*No space left on device.*; calls are refused"')
        self.assertIn("audit.on_failure is stop: the audit log is not writable: ", said)
        self.shell(f"rm '{self.ballast}'")
        self.assertNotEqual(self.ask().returncode, 0)
        before = len(self.audit())
        self.assert_verified()
        gateway = self.serve("stop")
        self.assertGreater(len(self.audit()), before)
        gateway.terminate()
        self.assertEqual(gateway.wait(timeout=60), 0)
        self.assert_verified()


if __name__ == "__main__":
    nacre_case.main()
