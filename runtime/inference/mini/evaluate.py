"""Greedy evaluation: generated conversations of another seed, and hand-written requests.

On generated conversations each turn of the assistant is compared, exactly, with
what the generator says, given the true history. Hand-written requests are played
to their end against the emulated tools; a request counts when its last calls are
the expected ones and its answer contains the expected texts.
"""

import argparse
import json
import random
import shlex
from collections import defaultdict
from pathlib import Path

import torch

import handwritten
import handwritten_final
from generate import conversation
from world import World, find_build
from model import Config, Model
from tokenizer import CALL_CLOSE, CALL_OPEN, IM_END, Tokenizer, render_prompt

LONGEST_TURN = 400
MOST_CALLS = 4


class Assistant:
    """The model with its greedy decoding."""

    def __init__(self, checkpoint: Path):
        saved = torch.load(checkpoint, map_location="cpu")
        self.model = Model(Config(**saved["config"])).eval()
        self.model.load_state_dict(saved["average"])
        self.tokenizer = Tokenizer.load()
        self.step = saved["step"]

    @torch.no_grad()
    def next_turn(self, turns) -> tuple:
        """(kind, text) of the assistant's next turn."""
        pending, offset, produced = render_prompt(self.tokenizer, turns), 0, []
        past = [[] for _ in self.model.blocks]
        longest = min(LONGEST_TURN, self.model.config.context - len(pending))
        while len(produced) < longest:
            logits = self.model(torch.tensor([pending]), past=past, offset=offset)
            offset += len(pending)
            token = int(logits[0, -1].argmax())
            if token == IM_END:
                break
            produced.append(token)
            pending = [token]
        if produced[:1] == [CALL_OPEN] and produced[-1:] == [CALL_CLOSE]:
            return "call", self.tokenizer.decode(produced[1:-1])
        return "answer", self.tokenizer.decode(produced)


def short_form(text: str) -> tuple:
    """`fs.list path=docs` as (name, arguments)."""
    name, *pairs = shlex.split(text)
    arguments = {}
    for pair in pairs:
        key, value = pair.split("=", 1)
        value = value.replace("\\n", "\n")
        if key == "argv":
            value = value.split(",")
        elif key in ("limit", "max_lines", "start_line"):
            value = int(value)
        elif value == "true":
            value = True
        arguments[key] = value
    return name, arguments


def play(assistant: Assistant, workspace, requests) -> tuple:
    """Run a conversation against the emulated tools: (turns, calls of the last request)."""
    turns, calls = [], []
    for request in requests:
        turns.append(("user", request))
        calls = []
        while True:
            kind, text = assistant.next_turn(turns)
            turns.append((kind, text))
            if kind == "answer" or len(calls) == MOST_CALLS:
                break
            try:
                call = json.loads(text)
                calls.append((call["name"], call["arguments"]))
                result = workspace.call(call["name"], call["arguments"])
            except Exception as problem:  # any malformed call is the model's failure
                result = f"error: malformed call: {problem}"
            turns.append(("tool", result))
    return turns, calls


def evaluate_handwritten(assistant: Assistant, listed, verbose: bool):
    """`listed` is a module with `REQUESTS` and the `workspace` they are about."""
    passed, tried, first_right = defaultdict(int), defaultdict(int), 0
    for category, request, expected, contained in listed.REQUESTS:
        turns, calls = play(
            assistant, listed.workspace(), (request,) if isinstance(request, str) else request
        )
        wanted = [[short_form(part) for part in way.split(" ; ") if part] for way in expected.split(" OR ")]
        right_calls = calls in wanted
        first_right += any(calls[:1] == way[:1] for way in wanted)
        good = right_calls and all(part in turns[-1][1] for part in contained.split("|"))
        tried[category] += 1
        passed[category] += good
        if verbose and not good:
            print(f"--- {category}{'' if right_calls else ' (calls)'}")
            for kind, text in turns:
                print(f"    {kind:6} {text}")
    print(
        f"{listed.__name__}: {sum(passed.values())} of {sum(tried.values())}; right first call or answer {first_right}"
    )
    print("   " + ", ".join(f"{name} {passed[name]}/{tried[name]}" for name in tried))


def evaluate_generated(assistant: Assistant, count: int, verbose: bool):
    world = World(find_build())
    calls, answers = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])
    for index in range(count):
        made = conversation(f"held_out-1-{index}", "held_out", world)
        name, turns = made["kind"], made["turns"]
        for index, (kind, text) in enumerate(turns):
            if kind not in ("call", "answer"):
                continue
            said = assistant.next_turn(turns[:index])
            table = calls if kind == "call" else answers
            table[name][0] += said == (kind, text)
            table[name][1] += 1
            if verbose and said != (kind, text):
                print(f"--- {name}: {turns[index - 1]}\n    wanted {text}\n    said   {said[1]}")
    for title, table in (("calls", calls), ("answers", answers)):
        print(
            f"generated, exact {title}: {sum(good for good, _ in table.values())} of {sum(all_ for _, all_ in table.values())}"
        )
        print("   " + ", ".join(f"{name} {good}/{all_}" for name, (good, all_) in sorted(table.items())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--generated", type=int, default=300, help="how many generated conversations")
    parser.add_argument("--verbose", action="store_true", help="show what went wrong")
    options = parser.parse_args()
    torch.set_num_threads(1)
    the_assistant = Assistant(options.checkpoint)
    print(f"step {the_assistant.step}")
    evaluate_handwritten(the_assistant, handwritten, options.verbose)
    evaluate_handwritten(the_assistant, handwritten_final, options.verbose)
    evaluate_generated(the_assistant, options.generated, options.verbose)
