"""Write a checkpoint as a GGUF file that llama.cpp runs (architecture llama, Q8_0)."""

import argparse
import struct
from pathlib import Path

import numpy as np
import torch

from model import Config
from tokenizer import CONTROL, END_OF_TEXT, IM_END, Tokenizer

ALIGNMENT = 32
F32, F16, Q8_0 = 0, 1, 8  # tensor types
MOSTLY_F16, MOSTLY_Q8_0 = 1, 7  # file types
NORMAL, CONTROL_TYPE, USER_DEFINED_TYPE = 1, 3, 4  # token types
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # metadata types

# System messages are ignored: the tools live in the weights.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message.role == 'assistant' and message.tool_calls -%}"
    "{%- for call in message.tool_calls -%}"
    "{%- set function = call.function if call.function else call -%}"
    '{{- \'<|im_start|>assistant\\n<tool_call>{"name":"\' + function.name + \'","arguments":\' -}}'
    "{{- function.arguments if function.arguments is string else function.arguments | tojson(separators=(',', ':')) -}}"
    "{{- '}</tool_call><|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- elif message.role != 'system' -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def pack_string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pack_value(kind: int, value) -> bytes:
    """A metadata value without its type."""
    if kind == STRING:
        return pack_string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def pack_entry(key: str, kind: int, value) -> bytes:
    """A metadata entry; a list becomes an array of `kind`."""
    head = pack_string(key)
    if isinstance(value, list):
        return (
            head
            + struct.pack("<IIQ", ARRAY, kind, len(value))
            + b"".join(pack_value(kind, item) for item in value)
        )
    return head + struct.pack("<I", kind) + pack_value(kind, value)


def metadata(config: Config, tokenizer: Tokenizer, file_type: int) -> list:
    types = [
        CONTROL_TYPE
        if index < len(CONTROL)
        else USER_DEFINED_TYPE
        if index in tokenizer.user_defined
        else NORMAL
        for index in range(len(tokenizer.pieces))
    ]
    return [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, "nacre-mini"),
        ("general.license", STRING, "Apache-2.0"),
        (
            "general.description",
            STRING,
            "Demonstration model of nacre: a tiny tool caller trained on synthetic conversations. Not for real work.",
        ),
        ("general.file_type", UINT32, file_type),
        ("general.quantization_version", UINT32, 2),
        ("general.alignment", UINT32, ALIGNMENT),
        ("llama.context_length", UINT32, config.context),
        ("llama.embedding_length", UINT32, config.width),
        ("llama.block_count", UINT32, config.layers),
        ("llama.feed_forward_length", UINT32, config.ff),
        ("llama.attention.head_count", UINT32, config.heads),
        ("llama.attention.head_count_kv", UINT32, config.heads),
        ("llama.attention.layer_norm_rms_epsilon", FLOAT32, config.eps),
        ("llama.rope.dimension_count", UINT32, config.head_dim),
        ("llama.rope.freq_base", FLOAT32, config.rope_base),
        ("llama.vocab_size", UINT32, config.vocab),
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", STRING, tokenizer.pieces),
        ("tokenizer.ggml.token_type", INT32, types),
        ("tokenizer.ggml.merges", STRING, [" ".join(merge) for merge in tokenizer.merges]),
        ("tokenizer.ggml.bos_token_id", UINT32, END_OF_TEXT),
        ("tokenizer.ggml.eos_token_id", UINT32, IM_END),
        ("tokenizer.ggml.eot_token_id", UINT32, IM_END),
        ("tokenizer.ggml.padding_token_id", UINT32, END_OF_TEXT),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
        ("tokenizer.chat_template", STRING, CHAT_TEMPLATE),
    ]


def interleave(weight: np.ndarray, heads: int) -> np.ndarray:
    """Reorder rows from (first half, second half) to llama.cpp's rotary pairs."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def named_tensors(config: Config, state: dict):
    """Pairs (name in GGUF, array)."""
    state = {name: weight.float().numpy() for name, weight in state.items()}
    yield "token_embd.weight", state["embed.weight"]
    yield "output_norm.weight", state["norm.weight"]
    yield "output.weight", state["head.weight"]
    for layer in range(config.layers):
        own, block = f"blocks.{layer}.", f"blk.{layer}."
        query, key, value = np.split(state[own + "qkv.weight"], 3)
        gate, up = np.split(state[own + "gate_up.weight"], 2)
        yield block + "attn_norm.weight", state[own + "attn_norm.weight"]
        yield block + "attn_q.weight", interleave(query, config.heads)
        yield block + "attn_k.weight", interleave(key, config.heads)
        yield block + "attn_v.weight", value
        yield block + "attn_output.weight", state[own + "out.weight"]
        yield block + "ffn_norm.weight", state[own + "ffn_norm.weight"]
        yield block + "ffn_gate.weight", gate
        yield block + "ffn_up.weight", up
        yield block + "ffn_down.weight", state[own + "down.weight"]


def quantize_q8_0(weight: np.ndarray) -> bytes:
    """Blocks of 32 values: a half-precision scale, then 32 signed bytes."""
    blocks = weight.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / 127
    values = np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)).astype(np.int8)
    return np.concatenate([scale.astype(np.float16).view(np.int8), values], axis=1).tobytes()


def export(checkpoint: Path, target: Path, half: bool):
    """Write the file beside its place, then rename it into place."""
    saved = torch.load(checkpoint, map_location="cpu")
    config, tokenizer = Config(**saved["config"]), Tokenizer.load()
    assert config.vocab == len(tokenizer.pieces)
    entries = [
        pack_entry(*entry) for entry in metadata(config, tokenizer, MOSTLY_F16 if half else MOSTLY_Q8_0)
    ]
    infos, blobs, offset = [], [], 0
    for name, weight in named_tensors(config, saved["average"]):
        if weight.ndim == 1:
            kind, blob = F32, weight.astype(np.float32).tobytes()
        elif half:
            kind, blob = F16, weight.astype(np.float16).tobytes()
        else:
            kind, blob = Q8_0, quantize_q8_0(weight)
        infos.append(
            pack_string(name)
            + struct.pack("<I", weight.ndim)
            + b"".join(struct.pack("<Q", size) for size in reversed(weight.shape))
            + struct.pack("<IQ", kind, offset)
        )
        blob += bytes(-len(blob) % ALIGNMENT)
        blobs.append(blob)
        offset += len(blob)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(entries)) + b"".join(entries) + b"".join(infos)
    temporary = target.with_suffix(".part")
    temporary.write_bytes(head + bytes(-len(head) % ALIGNMENT) + b"".join(blobs))
    temporary.rename(target)
    print(
        f"{target}: {target.stat().st_size} bytes, step {saved['step']}, {saved['tokens']} tokens in {saved['seconds']:.0f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--half", action="store_true", help="F16 weights instead of Q8_0")
    options = parser.parse_args()
    export(options.checkpoint, options.target, options.half)
