#!/usr/bin/env python3
"""Measures nacre-mini through the real runtime: `nacre run --json` in a workspace made for each request,
with the default policy, the real sandbox, greedy decoding and grammar-constrained calls.

    evaluate.py                        the hand-written sets and held-out generated conversations
    evaluate.py --set handwritten --kind edit --verbose      what goes wrong, and how
    evaluate.py --update               also writes figures.json and the tables of README.md
    evaluate.py --check                a fixed sample, compared with figures.json; exit code 1 below it

Needs the release build (or --nacre and $NACRE_BUILD), and nothing beyond Python's standard library.
"""

import argparse
import concurrent.futures
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

import checks
import figures
from checks import Call, Case, Outcome, Workspace

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
TURN_LIMIT_S = 120
HELD_OUT_SAMPLE = HERE / "held_out_sample.jsonl"
HELD_OUT = 300  # conversations in a full measurement
OLDEST_FILE_S = 1_770_000_000  # the oldest file; each other is a minute younger than the one before


# ---- the requests --------------------------------------------------------------------------------
def handwritten(count: int = 0, name: str = "handwritten.toml") -> list:
    """All of a file, or `count`, always the same ones, of all kinds in proportion."""
    workspaces = {}
    for place, table in tomllib.loads((HERE / "handwritten_workspaces.toml").read_text()).items():
        files = {entry["path"]: entry.get("text", entry.get("size")) for entry in table["file"]}
        workspaces[place] = Workspace(files, table.get("folders", []), table.get("notes", []))
    cases = []
    for table in tomllib.loads((HERE / name).read_text())["request"]:
        ask = table.pop("ask")
        turns = [ask] if isinstance(ask, str) else ask
        cases.append(Case(table.pop("kind"), table.pop("steps"), workspaces[table.pop("in")], turns, table))
    if not count or count >= len(cases):
        return cases
    cases.sort(key=lambda case: (case.steps, case.kind))  # stable
    return [cases[index * len(cases) // count] for index in range(count)]


def held_out(count: int = 0) -> list:
    """The first `count` generated conversations of wordings, words and trees that training never sees."""
    count = count or HELD_OUT
    with tempfile.NamedTemporaryFile(prefix="nacre-evaluate-") as lines:
        # Some are left out, see `played` there.
        subprocess.run([sys.executable, "-B", HERE / "generate.py", "--split", "held_out", "--seed", "1",
                        "--conversations", str(count * 5 // 4 + 10), "--out", lines.name], check=True)
        tables = [json.loads(line) for line in lines]
    return [_generated(table) for table in tables if not table["played"]][:count]


def held_out_sample(count: int) -> list:
    """The first of them as they were when the weights were measured: the generator goes on changing."""
    return [_generated(json.loads(line)) for line in HELD_OUT_SAMPLE.read_text().splitlines()[:count]]


def _generated(table: dict) -> Case:
    world, effects = table["world"], table["effects"]
    asked, told, calls, results, longest = [], [], [], [], 0
    for kind, text in table["turns"]:
        if kind == "user":
            asked.append(text)
            results = []
        elif kind == "call":
            call = json.loads(text)
            calls.append((call["name"], call["arguments"]))
        elif kind == "tool":
            results.append(text)
            longest = max(longest, len(results))
        elif kind == "answer":
            refused = results and results[-1].startswith("denied")
            # The home of the story is not that of whoever measures.
            says = [fact for fact in table["facts"][len(told)] if world["home"] not in fact]
            told.append({"says": says, **({"tells": "denied"} if refused else {})})
    files = {**world["files"], **world["sizes"]}
    workspace = Workspace(files, world["directories"], world["notes"], world["times"], world["policy"])
    wanted = {
        "turns": told,
        "files": {path.rstrip("/"): {"folder": True} if path.endswith("/") else text
                  for path, text in effects.items() if text is not None},
        "gone": [path for path, text in effects.items() if text is None],
    }
    notes = [arguments["text"] for name, arguments in calls if name == "memory.note"]
    if notes and not any(result.startswith("denied") for result in results):
        wanted["notes"] = notes
    return Case(table["kind"].replace("_", " "), longest, workspace, asked, wanted, calls, table)


# All requests of a set, and a fixed sample of them.
second = functools.partial(handwritten, name="handwritten_second.toml")
SETS = {"handwritten": (handwritten, handwritten), "second": (second, second), "held_out": (held_out, held_out_sample)}


# ---- one request ---------------------------------------------------------------------------------
def materialise(workspace: Workspace, folder: Path):
    for name in workspace.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for age, (name, content) in enumerate(workspace.files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            path.touch()
            os.truncate(path, content)
        else:
            path.write_text(content, encoding="utf-8", newline="")
        os.utime(path, (workspace.times.get(name, OLDEST_FILE_S + 60 * age),) * 2)


def snapshot(folder: Path) -> dict:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if "__pycache__" in name:
            continue
        if path.is_dir():
            found[name] = None
        else:
            info = path.stat()
            binary = info.st_size > 1_000_000 or b"\0" in (content := path.read_bytes())
            found[name] = (info.st_size, info.st_mtime_ns) if binary else content.decode("utf-8", "replace")
    return found


class Runtime:
    """The built program, with a state directory for each request."""

    def __init__(self, nacre: Path, model: Path):
        self.nacre, self.model = nacre, model
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("NACRE_", "XDG_"))}

    def events(self, state: Path, workspace: Path, *options: str) -> list:
        command = [self.nacre, "--state", state, "run", "--json", "--workspace", workspace]
        command += ["--model", self.model] if self.model else []
        done = subprocess.run([*command, *options], cwd=workspace, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=TURN_LIMIT_S)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        if not events or events[-1]["event"] == "error":
            sys.exit(f"nacre could not do its job (exit {done.returncode}): {done.stdout[-500:]}{done.stderr[-500:]}")
        return events

    @functools.cached_property
    def empty_state(self) -> bytes:
        """A database without sessions and notes."""
        with tempfile.TemporaryDirectory(prefix="nacre-evaluate-") as folder:
            subprocess.run([self.nacre, "--state", folder, "session", "list"], check=True, capture_output=True,
                           env=self.environment)
            return (Path(folder) / "nacre.db").read_bytes()

    def play(self, case: Case) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="nacre-evaluate-") as name:
            folder = Path(name).resolve()
            state, workspace = folder / "state", folder / "workspace"
            state.mkdir(mode=0o700)
            workspace.mkdir()
            materialise(case.workspace, workspace)
            database = state / "nacre.db"
            database.write_bytes(self.empty_state)
            _remember(database, workspace, case.workspace.notes)
            policy = case.workspace.policy
            if "\n" in policy:
                (folder / "policy.yaml").write_text(policy)
                policy = folder / "policy.yaml"
            outcome = Outcome([], [], snapshot(workspace), {}, [])
            begun, session = time.monotonic(), ()
            for index, request in enumerate(case.turns):
                events = self.events(state, workspace, "--policy", policy, *session, "--", request)
                outcome.calls += _calls(events, index)
                last = events[-1]
                outcome.answers.append(last["answer"])
                if last["state"] != "finished":
                    outcome.failures.append(f"turn {index + 1} {last['state']}: {last['error']}")
                session = ("--session", last["session"])
            outcome.seconds = time.monotonic() - begun
            outcome.after = snapshot(workspace)
            outcome.notes = _notes(database)[len(case.workspace.notes) :]
            return outcome


def _remember(database: Path, workspace: Path, notes: list):
    """What SessionStore::AddNote writes."""
    with sqlite3.connect(database) as connection:
        for note in notes:
            row = connection.execute("INSERT INTO notes (workspace, created_ms, text) VALUES (?, 0, ?)",
                                     (str(workspace), note)).lastrowid
            connection.execute("INSERT INTO notes_words (rowid, text) VALUES (?, ?)", (row, note))
    connection.close()


def _notes(database: Path) -> list:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]
    finally:
        connection.close()


def _calls(events: list, turn: int) -> list:
    calls = {}
    for event in events:
        if event["event"] == "call.decided":
            calls[event["call"]] = Call(event["tool"], event["arguments"], event["verdict"] == "allow", turn=turn,
                                        result=event["reason"])
        elif event["event"] == "call.finished":
            calls[event["call"]].error = event["error"]
            calls[event["call"]].result = event["result"]
    return list(calls.values())


# ---- all of them ---------------------------------------------------------------------------------
def show(case: Case, outcome: Outcome, problems: list):
    print(f"--- {case.kind}, {case.steps} steps")
    for index, request in enumerate(case.turns):
        print(f"    asked    {request}")
        for call in (call for call in outcome.calls if call.turn == index):
            shown = json.dumps(call.arguments, ensure_ascii=False)
            result = call.result if len(call.result) < 300 else call.result[:300] + "..."
            print(f"    call     {call.tool} {shown}\n    {'result  ' if call.allowed else 'denied  '} "
                  + result.replace("\n", "\n             "))
        print(f"    answered {outcome.answers[index]}")
    for problem in problems:
        print(f"    PROBLEM  {problem}")


def measure(runtime: Runtime, cases: list, jobs: int, verbose: bool) -> tuple:
    """The figures of these cases, and the turns of those that were served."""
    passed, tried = Counter(), Counter()
    copied, refused, seconds, served = [0, 0], [0, 0], [], set()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for case, outcome in zip(cases, pool.map(runtime.play, cases)):
            problems = checks.problems(case.wanted, outcome)
            for group in ("all", "kind " + case.kind, "steps " + _steps(case)):
                tried[group] += 1
                passed[group] += not problems
            for sums, pair in ((copied, checks.copied(case, outcome)), (refused, checks.denials(outcome))):
                sums[0] += pair[0]
                sums[1] += pair[1]
            seconds.append(outcome.seconds / len(case.turns))
            if not problems:
                served.add(json.dumps(case.turns))
            if verbose and problems:
                show(case, outcome, problems)
    share = {group: [passed[group], tried[group]] for group in tried}
    found = {
        "all": share["all"],
        "steps": {g[6:]: v for g, v in sorted(share.items()) if g.startswith("steps ")},
        "kind": {g[5:]: v for g, v in share.items() if g.startswith("kind ")},
        "denials": refused,
    }
    if copied[1]:
        found["copied"] = copied
    print(f"    {sum(seconds) / len(seconds):.2f} s a turn, {jobs} at a time", file=sys.stderr)
    return found, served


def _steps(case: Case) -> str:
    return {0: "none", 1: "one", 2: "two"}.get(case.steps, "three and four")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--nacre", type=Path, default=REPOSITORY / "build/release/nacre", help="the built program")
    parser.add_argument("--model", type=Path, help="a GGUF file; default: the bundled weights")
    parser.add_argument("--set", choices=[*SETS, "all"], default="all", help="which requests")
    parser.add_argument("--kind", help="only requests of this kind")
    parser.add_argument("--sample", type=int, default=0, help="this many of each set, always the same ones")
    parser.add_argument("--jobs", type=int, default=2, help="requests at a time")
    parser.add_argument("--verbose", action="store_true", help="show what went wrong")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object, in the last line")
    parser.add_argument("--update", action="store_true", help="write figures.json and the tables of README.md")
    parser.add_argument("--check", action="store_true", help="compare a fixed sample with figures.json")
    options = parser.parse_args()
    if options.update and (options.kind or options.sample or options.check):
        parser.error("--update measures whole sets: it takes no --kind, --sample or --check")
    stated = figures.load() if options.check or options.update else {}
    runtime = Runtime(options.nacre.resolve(), options.model and options.model.resolve())
    found = {}
    for name, (all_of, sample_of) in SETS.items():
        if options.set not in (name, "all"):
            continue
        sampled = stated["check"]["sample"].get(name, 0) if stated else 0
        if options.check and not sampled:
            continue
        cases = sample_of(sampled) if options.check else all_of(options.sample)
        cases = [case for case in cases if options.kind in (None, case.kind)]
        if not cases:
            parser.error(f"no request of the kind {options.kind!r} in {name}")
        found[name], served = measure(runtime, cases, options.jobs, options.verbose)
        if options.update:
            if name == "held_out":
                lines = [json.dumps(case.line, ensure_ascii=False) + "\n" for case in cases[:sampled]]
                HELD_OUT_SAMPLE.write_text("".join(lines))
            if sampled:
                picked = {json.dumps(case.turns) for case in sample_of(sampled)}
                found[name]["sample"] = [len(picked & served), len(picked)]
        print(figures.as_text(name, found[name]))
    if options.update:
        figures.update(stated, found, options.model or HERE / "nacre-mini.gguf")
    if options.json:
        print(json.dumps(found))
    if options.check:
        below = figures.below(stated, found)
        print("\n".join(below) or "as stated in figures.json")
        sys.exit(1 if below else 0)


if __name__ == "__main__":
    main()
