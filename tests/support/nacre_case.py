"""NacreCase: a test case that drives the built program as a person would, each test in a state
directory and a workspace of its own.

A script ends with main(): `SCRIPT BUILD_FOLDER [CLASS...]` runs the classes, all by default.
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = None  # pathlib.Path; set by main()
TIMEOUT_S = 100


def wait_until(condition, what, seconds=60):
    """Polls: what is waited for is another process's doing."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def processes_with(marker):
    """Pids whose command line holds the marker."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if marker in (folder / "cmdline").read_bytes().decode(errors="replace").split("\0"):
                found.append(int(folder.name))
        except OSError:
            pass  # gone meanwhile
    return found


class Finished:
    """What a command did."""

    def __init__(self, command, returncode, stdout, stderr):
        self.command = command
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr

    @property
    def events(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    def named(self, name):
        return [event for event in self.events if event["event"] == name]

    @property
    def last(self):
        return self.events[-1]

    def __str__(self):
        return (f"{' '.join(map(str, self.command))}\nexit {self.returncode}\n"
                f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}")


class NacreCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nacre-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state = self.folder / "state"
        self.workspace = self.folder / "workspace"
        self.workspace.mkdir()

    # ---- running ----
    def command(self, *arguments):
        return [str(BUILD / "nacre"), "--state", str(self.state), *map(str, arguments)]

    @staticmethod
    def environment(**extra):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("NACRE_", "XDG_")) and "proxy" not in k.lower()}
        return {**kept, **extra}

    def nacre(self, *arguments, exit_code=0, **environment):
        command = self.command(*arguments)
        done = subprocess.run(command, cwd=self.workspace, env=self.environment(**environment), timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        finished = Finished(command, done.returncode, done.stdout, done.stderr)
        if exit_code is not None:
            self.assertEqual(done.returncode, exit_code, finished)
        return finished

    def run_task(self, task, *options, exit_code=0, **environment):
        """`nacre run --json` in the workspace."""
        return self.nacre("run", "--json", "--workspace", self.workspace, *options, task,
                          exit_code=exit_code, **environment)

    def start(self, *arguments):
        """Starts a command in a process group of its own; the test ends it."""
        command = self.command(*arguments)
        process = subprocess.Popen(command, cwd=self.workspace, env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

        def end():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

        self.addCleanup(end)
        return process

    # ---- files ----
    def write(self, name, text):
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def snapshot(self):
        """Every file of the workspace with its content."""
        return {str(p.relative_to(self.workspace)): p.read_bytes() for p in sorted(self.workspace.rglob("*"))
                if p.is_file() and not p.is_symlink()}

    def policy(self, text, name="test.yaml"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    # ---- evidence ----
    def audit(self):
        """All records of the log."""
        return [json.loads(line) for line in
                self.nacre("audit", "tail", "--json", "--count", "1000000").stdout.splitlines()]

    def query(self, *options, exit_code=0):
        """The records that match."""
        return [json.loads(line) for line in
                self.nacre("audit", "query", "--json", *options, exit_code=exit_code).stdout.splitlines()]

    def standalone(self, *arguments, exit_code=0):
        """nacre-verify."""
        done = subprocess.run([BUILD / "nacre-verify", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, exit_code, done)
        return done

    def rows(self, query):
        with sqlite3.connect(f"file:{self.state / 'nacre.db'}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def assert_verified(self):
        report = json.loads(self.nacre("audit", "verify", "--json").stdout)
        self.assertTrue(report["ok"], report)


def main():
    global BUILD
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_FOLDER [CLASS...]")
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    # The helper module's BUILD is read by methods defined here, whichever module is __main__.
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
