"""Read nacre-mini's GGUF file back into the network's form, to go on training from it.

Only what export.py writes is understood. The 8-bit weights lose less than what a
few steps of training change.
"""

import struct
from pathlib import Path

import numpy as np
import torch

from model import Config

SCALARS = {4: "<I", 5: "<i", 6: "<f", 7: "<?"}
STRING, ARRAY = 8, 9
F32, F16, Q8_0 = 0, 1, 8


class Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def scalar(self, form: str):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self) -> str:
        length = self.scalar("<Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind: int):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            item = self.scalar("<I")
            return [self.value(item) for _ in range(self.scalar("<Q"))]
        return self.scalar(SCALARS[kind])


def tensor(data: bytes, shape: tuple, kind: int, start: int) -> np.ndarray:
    count = int(np.prod(shape))
    if kind == F32:
        values = np.frombuffer(data, np.float32, count, start)
    elif kind == F16:
        values = np.frombuffer(data, np.float16, count, start).astype(np.float32)
    else:
        assert kind == Q8_0
        blocks = np.frombuffer(data, np.dtype([("scale", np.float16), ("values", np.int8, 32)]), count // 32, start)
        values = (blocks["values"].astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return values.reshape(shape)


def separate(weight: np.ndarray, heads: int) -> np.ndarray:
    """From llama.cpp's rotary pairs back to (first half, second half)."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def load(path: Path) -> tuple:
    """(Config, state of the model) of a file that export.py wrote."""
    reader = Reader(path.read_bytes())
    assert reader.data[:4] == b"GGUF"
    reader.at = 4
    _, tensor_count, entry_count = reader.scalar("<I"), reader.scalar("<Q"), reader.scalar("<Q")
    meta = {}
    for _ in range(entry_count):
        key = reader.string()
        meta[key] = reader.value(reader.scalar("<I"))
    infos = []
    for _ in range(tensor_count):
        name = reader.string()
        shape = tuple(reversed([reader.scalar("<Q") for _ in range(reader.scalar("<I"))]))
        infos.append((name, shape, reader.scalar("<I"), reader.scalar("<Q")))
    alignment = meta["general.alignment"]
    begin = -(-reader.at // alignment) * alignment
    found = {name: tensor(reader.data, shape, kind, begin + offset) for name, shape, kind, offset in infos}
    config = Config(
        vocab=meta["llama.vocab_size"],
        width=meta["llama.embedding_length"],
        layers=meta["llama.block_count"],
        heads=meta["llama.attention.head_count"],
        ff=meta["llama.feed_forward_length"],
        context=meta["llama.context_length"],
        rope_base=meta["llama.rope.freq_base"],
    )
    state = {
        "embed.weight": found["token_embd.weight"],
        "norm.weight": found["output_norm.weight"],
        "head.weight": found["output.weight"],
    }
    for layer in range(config.layers):
        own, block = f"blocks.{layer}.", f"blk.{layer}."
        query, key = (separate(found[block + f"attn_{part}.weight"], config.heads) for part in "qk")
        state[own + "qkv.weight"] = np.concatenate([query, key, found[block + "attn_v.weight"]])
        state[own + "gate_up.weight"] = np.concatenate(
            [found[block + "ffn_gate.weight"], found[block + "ffn_up.weight"]]
        )
        for to, name in (
            ("attn_norm", "attn_norm"),
            ("out", "attn_output"),
            ("ffn_norm", "ffn_norm"),
            ("down", "ffn_down"),
        ):
            state[own + to + ".weight"] = found[block + name + ".weight"]
    return config, {name: torch.from_numpy(np.array(value)) for name, value in state.items()}


def grow(config: Config, state: dict, layers: int) -> tuple:
    """A deeper network that computes the same, with the context of today's `Config`.

    Between the layers stand copies whose outputs are silent: they begin as nothing and learn.
    """
    spare = layers - config.layers
    assert 0 <= spare < config.layers
    context = Config(vocab=config.vocab).context
    order = []
    for layer in range(config.layers):
        order.append((layer, False))
        if 1 <= layer <= spare:
            order.append((layer, True))
    grown = {name: value for name, value in state.items() if not name.startswith("blocks.")}
    for place, (layer, silent) in enumerate(order):
        for name, value in state.items():
            if name.startswith(f"blocks.{layer}."):
                part = name.split(".", 2)[2]
                quiet = silent and part in ("out.weight", "down.weight")
                grown[f"blocks.{place}.{part}"] = torch.zeros_like(value) if quiet else value.clone()
    return Config(**{**vars(config), "layers": layers, "context": context}), grown
