"""Train nacre-mini on conversations that generate.py wrote; resumable at any time.

Batches hold conversations of similar length, padded, one to a row: none can attend
to another. The run has a length in minutes: the learning rate is constant first, then falls
linearly to zero over most of it. A moving average of the weights is what gets exported, so that a
checkpoint from the middle of a run is usable too.

`--grow` goes on from an exported file, in a deeper network that computes the same at
first: what a smaller network has learned is not paid for twice.
"""

import argparse
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F

import gguf
from batches import batches, batches_ahead
from generate import turns_of
from model import Config, Model
from muon import optimizers
from tokenizer import Tokenizer, learn_merges


@dataclass(frozen=True)
class Scale:
    """The network that a machine can train in an evening, and what it does at a time."""

    width: int
    layers: int
    heads: int
    ff: int
    tokens: int  # of a forward pass, padding included
    widths: tuple  # of batches
    passes: int  # forward passes of a step
    readers: int  # processes that read ahead
    muon_rate: float
    adam_rate: float


# More than 1,536 tokens no longer fit the caches.
CPU = Scale(
    width=224, layers=8, heads=7, ff=608, tokens=1536, widths=tuple(range(32, 2049, 32)), passes=3, readers=0,
    muon_rate=0.01, adam_rate=2e-3,
)  # fmt: skip
# All widths divide the tokens: see gpu.py.
GPU = Scale(
    width=320, layers=10, heads=10, ff=864, tokens=73_728,
    widths=(128, 192, 256, 384, 512, 768, 1024, 1536, 2048), passes=1, readers=6, muon_rate=0.02, adam_rate=3e-3,
)  # fmt: skip

DECAY_SHARE = 0.7
WARM_UP = 100  # steps
AVERAGE_EVERY, AVERAGE_SHARE = 10, 0.05  # the average follows the weights over about 200 steps
# Until this share of the run, conversations are at most this long: copying is learned on short ones.
CURRICULUM = ((0.04, 160), (0.08, 320), (2, 2048))
SAVE_SECONDS = 240
REPORT_EVERY = 50


def learning_rate_share(progress: float, steps: int) -> float:
    """Warm-up, plateau, linear decay to (almost) zero."""
    return max(0.002, min(1.0, (steps + 1) / WARM_UP, (1 - progress) / DECAY_SHARE))


@torch.no_grad()
def follow(average: dict, model):
    """Move the average a little towards the model's weights."""
    averages = list(average.values())
    torch._foreach_mul_(averages, 1 - AVERAGE_SHARE)
    torch._foreach_add_(averages, list(model.state_dict().values()), alpha=AVERAGE_SHARE)


class Run:
    """A model, its optimizers and how far they are; what a checkpoint holds."""

    def __init__(self, options, scale: Scale, device: str):
        self.path = options.folder / "checkpoint.pt"
        self.step = self.tokens = self.seconds = 0
        saved = torch.load(self.path, map_location=device) if self.path.exists() else None
        weights = None
        if saved:
            config = Config(**saved["config"])
        elif options.grow:
            config, weights = gguf.load(options.grow)
            config, weights = gguf.grow(config, weights, options.layers or config.layers)
        else:
            config = Config(
                vocab=len(Tokenizer.load().pieces), width=scale.width, layers=options.layers or scale.layers,
                heads=scale.heads, ff=scale.ff,
            )  # fmt: skip
        self.model = Model(config)
        if weights:
            self.model.load_state_dict(weights)
        self.model.to(device)
        self.optimizers = optimizers(self.model, scale.muon_rate, scale.adam_rate)
        self.base = [one.param_groups[0]["lr"] for one in self.optimizers]
        if saved:
            self.model.load_state_dict(saved["model"])
            for one, state in zip(self.optimizers, saved["optimizers"]):
                one.load_state_dict(state)
            self.step, self.tokens, self.seconds = saved["step"], saved["tokens"], saved["seconds"]
            self.average = saved["average"]
        else:
            self.average = {name: weight.clone() for name, weight in self.model.state_dict().items()}

    def save(self):
        """Write a checkpoint that replaces the last one at once."""
        temporary = self.path.with_suffix(".part")
        torch.save(
            {
                "config": asdict(self.model.config),
                "model": self.model.state_dict(),
                "average": self.average,
                "optimizers": [one.state_dict() for one in self.optimizers],
                "step": self.step,
                "tokens": self.tokens,
                "seconds": self.seconds,
            },
            temporary,
        )
        temporary.rename(self.path)

    def learn(self, passes: list, share: float, train_forward):
        """One step from these batches; the mean loss of a token."""
        for one, rate in zip(self.optimizers, self.base):
            one.param_groups[0]["lr"] = rate * share
            one.zero_grad()
        wanted_total = sum(int(mine[:, 1:].sum()) for _, mine in passes)
        device, loss_sum = self.model.embed.weight.device, 0.0
        for batch, mine in passes:
            tokens = batch.to(device, torch.long, non_blocking=True)
            wanted = mine[:, 1:].to(device, non_blocking=True)
            logits = train_forward(self.model, tokens[:, :-1].contiguous(), wanted)
            loss = F.cross_entropy(logits, tokens[:, 1:][wanted], reduction="sum") / wanted_total
            loss.backward()
            loss_sum += loss.detach()
            self.tokens += int((batch != 0).sum())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for one in self.optimizers:
            one.step()
        self.step += 1
        if self.step % AVERAGE_EVERY == 0:
            follow(self.average, self.model)
        return loss_sum


def train(options):
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scale = GPU if device == "cuda" else CPU
    options.folder.mkdir(parents=True, exist_ok=True)
    # Before a GPU is touched: the processes that read ahead are forks of this one.
    seed = f"{options.seed}-{time.time_ns()}"  # a run that goes on reads elsewhere
    reading = (options.data, seed, scale.tokens, scale.widths)
    pending = batches_ahead(scale.readers, *reading) if scale.readers else batches(*reading)
    next(pending)
    if device == "cuda":
        from gpu import train_forward
    else:
        train_forward = Model.train_forward
    run = Run(options, scale, device)
    curriculum = CURRICULUM[-1:] if options.grow else CURRICULUM
    first_step, before, begun, saved = run.step, run.seconds, time.time(), time.time()
    losses, reported = 0.0, time.time()
    while run.seconds < options.minutes * 60:
        progress = run.seconds / (options.minutes * 60)
        limit = next(length for until, length in curriculum if progress < until)
        passes = []
        while len(passes) < scale.passes:
            batch = next(pending)
            if batch[0].shape[1] <= limit + 1:
                passes.append(batch)
        share = options.rate * learning_rate_share(progress, run.step - first_step)
        losses += run.learn(passes, share, train_forward)
        if run.step % REPORT_EVERY == 0:
            mean, losses, now = float(losses) / REPORT_EVERY, 0.0, time.time()
            pace, reported = (now - reported) / REPORT_EVERY, now
            print(
                f"step {run.step} loss {mean:.4f} tokens {run.tokens} time {run.seconds:.0f} s,"
                f" {pace:.3f} s/step, rate {share:.3f}",
                flush=True,
            )
        run.seconds = before + time.time() - begun
        if time.time() - saved > SAVE_SECONDS:
            run.save()
            saved = time.time()
    run.save()


def learn_vocabulary(count: int):
    """Write the merges learned from generated text to `vocabulary.json`."""
    import json

    texts = [text for turns in islice(turns_of("vocabulary"), 20_000) for _, text in turns]
    merges = learn_merges(texts, count)
    path = Path(__file__).with_name("vocabulary.json")
    path.write_text(json.dumps({"letter_merges": [" ".join(merge) for merge in merges]}, indent=0) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("build/nacre-mini"), help="where the checkpoint lies"
    )
    parser.add_argument("--minutes", type=float, default=340, help="of training, all runs together")
    parser.add_argument("--rate", type=float, default=1, help="of learning; less mends a trained model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="conversations that generate.py wrote: a file, or a folder of some")
    parser.add_argument("--layers", type=int, help="of a new network")
    parser.add_argument("--grow", type=Path, metavar="GGUF", help="begin with these weights, in a deeper network")
    parser.add_argument(
        "--learn-vocabulary", type=int, metavar="MERGES", help="make vocabulary.json instead of training"
    )
    arguments = parser.parse_args()
    if arguments.learn_vocabulary:
        learn_vocabulary(arguments.learn_vocabulary)
    else:
        torch.set_num_threads(1)
        train(arguments)
