"""Train nacre-mini on conversations that generate.py wrote; resumable at any time.

Batches hold conversations of similar length, padded, one to a row: none can attend
to another. Matrices are trained with Muon (momentum whose update is made
orthogonal), which reached exact copying in far fewer tokens than AdamW alone; the
rest with AdamW. The learning rate is constant, then falls linearly to zero over most
of the run; a moving average of the weights is what gets exported, so that a
checkpoint from the middle of a run is usable too.

`--grow` goes on from an exported file in a deeper network that computes the same at
first: what a smaller network has learned is not paid for twice.
"""

import argparse
import json
import random
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F

import gguf
from generate import turns_of
from model import Config, Model
from strange_words import StrangeWords, language
from tokenizer import Tokenizer, learn_merges, render

GROUP = 256  # conversations made at a time
ROW_TOKENS = 1536  # padded tokens of a forward pass; more no longer fits the caches
PASSES = 3  # forward passes of a step
DECAY_SHARE = 0.7
WARM_UP = 100
AVERAGE_EVERY, AVERAGE_SHARE = 10, 0.05  # the average follows the weights over about 200 steps
# Until this step, conversations are at most this long: copying is learned on short ones.
CURRICULUM = ((600, 160), (1200, 320), (10**9, 2000))


def orthogonal(batch: torch.Tensor) -> torch.Tensor:
    """Nearest (semi-)orthogonal matrices, by five Newton-Schulz steps."""
    x = (batch / (batch.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    for _ in range(5):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.transpose(1, 2) if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Orthogonalized momentum for matrices; fused ones are treated part by part."""

    def __init__(self, matrices, lr, momentum=0.95, decay=0.01):
        """`matrices` holds pairs (parameter, number of stacked matrices in it)."""
        self.parts = {parameter: parts for parameter, parts in matrices}
        super().__init__(
            [parameter for parameter, _ in matrices], dict(lr=lr, momentum=momentum, decay=decay)
        )

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        for parameter in group["params"]:
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            update = parameter.grad.lerp(state["momentum"], group["momentum"])
            rows = parameter.shape[0] // self.parts[parameter]
            update = orthogonal(update.view(-1, rows, parameter.shape[1])).reshape_as(parameter)
            scale = max(1.0, rows / parameter.shape[1]) ** 0.5
            parameter.mul_(1 - group["lr"] * group["decay"])
            parameter.add_(update, alpha=-group["lr"] * scale)


def optimizers(model):
    """Muon for the layers' matrices, AdamW for embeddings, output and norms."""
    stacked = {"qkv": 3, "gate_up": 2}
    matrices = [
        (weight, stacked.get(name.split(".")[-2], 1))
        for name, weight in model.blocks.named_parameters()
        if weight.dim() == 2
    ]
    chosen = {id(weight) for weight, _ in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    return [Muon(matrices, lr=0.01), torch.optim.AdamW(rest, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.0)]


def conversations_from(path: Path, seed: str, pieces):
    """Turns of one conversation after the other, again and again, from a place that the seed decides."""
    rng = random.Random(seed)
    with path.open() as lines:
        strange = StrangeWords(pieces, language(json.loads(line)["turns"] for line in islice(lines, 4000)))
        lines.seek(rng.randrange(path.stat().st_size))
        lines.readline()
        while True:
            line = lines.readline()
            if line.endswith("\n"):
                yield strange.apply(json.loads(line)["turns"], rng)
            else:
                lines.seek(0)


def batches(tokenizer, conversations, seed: str, limit: int):
    """Padded forward passes of one group, in random order: (tokens, targets wanted)."""
    rng = random.Random(seed)
    rows = []
    while len(rows) < GROUP:
        tokens, own = render(tokenizer, next(conversations))
        if len(tokens) <= limit:
            rows.append((tokens, own))
    rows.sort(key=lambda row: len(row[0]))
    result, start = [], 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and len(rows[end][0]) * (end + 1 - start) <= ROW_TOKENS:
            end += 1
        part = rows[start:end]
        width = len(part[-1][0])
        tokens = torch.zeros(len(part), width, dtype=torch.long)
        own = torch.zeros(len(part), width, dtype=torch.bool)
        for index, (row, mine) in enumerate(part):
            tokens[index, : len(row)] = torch.tensor(row)
            own[index, : len(row)] = torch.tensor(mine)
        result.append((tokens, own))
        start = end
    rng.shuffle(result)
    return result


def learning_rate_share(step: int, total: int) -> float:
    """Warm-up, plateau, linear decay to (almost) zero."""
    left = (total - step) / (DECAY_SHARE * total)
    return max(0.005, min(1.0, (step + 1) / WARM_UP, left))


@torch.no_grad()
def follow(average: dict, model):
    """Move the average a little towards the model's weights."""
    for name, weight in model.state_dict().items():
        average[name].lerp_(weight, AVERAGE_SHARE)


def save(path: Path, model, average, optimizer_list, step, group, tokens, seconds):
    """Write a checkpoint that replaces the last one at once."""
    temporary = path.with_suffix(".part")
    torch.save(
        {
            "config": asdict(model.config),
            "model": model.state_dict(),
            "average": average,
            "optimizers": [one.state_dict() for one in optimizer_list],
            "step": step,
            "group": group,
            "tokens": tokens,
            "seconds": seconds,
        },
        temporary,
    )
    temporary.rename(path)


def train(options):
    torch.manual_seed(options.seed)
    tokenizer = Tokenizer.load()
    options.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = options.folder / "checkpoint.pt"
    state = torch.load(checkpoint) if checkpoint.exists() else None
    step = group = tokens_seen = seconds = 0
    weights = None
    if state:
        config = Config(**state["config"])
    elif options.grow:
        config, weights = gguf.grow(*gguf.load(options.grow), options.layers)
        step, tokens_seen, seconds = options.before
    else:
        config = Config(vocab=len(tokenizer.pieces), layers=options.layers)
    model = Model(config)
    if weights:
        model.load_state_dict(weights)
    optimizer_list = optimizers(model)
    base = [one.param_groups[0]["lr"] for one in optimizer_list]
    if state:
        model.load_state_dict(state["model"])
        for one, saved in zip(optimizer_list, state["optimizers"]):
            one.load_state_dict(saved)
        step, group, tokens_seen, seconds = state["step"], state["group"], state["tokens"], state["seconds"]
    average = (
        state["average"] if state else {name: weight.clone() for name, weight in model.state_dict().items()}
    )
    first_step = step
    conversations = conversations_from(options.data, f"{options.seed}-{group}", tokenizer.pieces)
    begun, reported, running = time.time(), time.time(), []
    last_save = time.time()
    while step < options.steps:
        limit = next(length for until, length in CURRICULUM if step < until)
        pending = batches(tokenizer, conversations, f"{options.seed}-{group}", limit)
        group += 1
        for start in range(0, len(pending) - PASSES + 1, PASSES):
            part = pending[start : start + PASSES]
            share = learning_rate_share(step, options.steps) * min(1.0, (step - first_step + 1) / WARM_UP)
            for one, rate in zip(optimizer_list, base):
                one.param_groups[0]["lr"] = rate * share
                one.zero_grad()
            wanted_total = sum(int(own.sum()) for _, own in part)
            loss_sum = 0.0
            for tokens, own in part:
                wanted = own[:, 1:]
                logits = model.train_forward(tokens[:, :-1], wanted)
                loss = F.cross_entropy(logits, tokens[:, 1:][wanted], reduction="sum") / wanted_total
                loss.backward()
                loss_sum += float(loss)
                tokens_seen += int((tokens != 0).sum())
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for one in optimizer_list:
                one.step()
            step += 1
            if step % AVERAGE_EVERY == 0:
                follow(average, model)
            running.append(loss_sum)
            if step % 50 == 0:
                now = time.time()
                total_seconds = seconds + now - begun
                print(
                    f"step {step} loss {sum(running) / len(running):.4f} tokens {tokens_seen} time {total_seconds:.0f} s, {(now - reported) / 50:.2f} s/step, rate {share:.3f}",
                    flush=True,
                )
                reported, running = now, []
            if step >= options.steps:
                break
        if time.time() - last_save > 240 or step >= options.steps:
            save(
                checkpoint,
                model,
                average,
                optimizer_list,
                step,
                group,
                tokens_seen,
                seconds + time.time() - begun,
            )
            last_save = time.time()


def learn_vocabulary(count: int):
    """Write the merges learned from generated text to `vocabulary.json`."""
    import json

    conversations = islice(turns_of("vocabulary"), 20_000)
    texts = [text for turns in conversations for _, text in turns]
    merges = learn_merges(texts, count)
    path = Path(__file__).with_name("vocabulary.json")
    path.write_text(json.dumps({"letter_merges": [" ".join(merge) for merge in merges]}, indent=0) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("build/nacre-mini"), help="where the checkpoint lies"
    )
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="conversations that generate.py wrote")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--grow", type=Path, metavar="GGUF", help="begin with these weights, in a deeper network")
    parser.add_argument(
        "--before", type=int, nargs=3, default=(0, 0, 0), metavar=("STEPS", "TOKENS", "SECONDS"),
        help="with --grow: what those weights were trained for",
    )
    parser.add_argument(
        "--learn-vocabulary", type=int, metavar="MERGES", help="make vocabulary.json instead of training"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.learn_vocabulary:
        learn_vocabulary(arguments.learn_vocabulary)
    else:
        train(arguments)
