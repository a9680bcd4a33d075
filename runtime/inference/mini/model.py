"""The network of nacre-mini: a small decoder of the llama architecture.

Queries, keys and values (and the two input halves of the feed-forward part)
share one matrix each, because few large products are what a CPU does well.
Rotary positions use the two-halves form; `export.py` reorders the rows into the
interleaved pairs that llama.cpp expects for this architecture.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from kernels import Attention, RmsNorm, SwiGlu


@dataclass
class Config:
    """Shape of the network; stored in every checkpoint."""

    vocab: int
    width: int = 224
    layers: int = 8
    heads: int = 7
    ff: int = 608
    context: int = 2048
    rope_base: float = 10000.0
    eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.width // self.heads


def linear(x: torch.Tensor, layer: nn.Linear) -> torch.Tensor:
    return F.linear(x, layer.weight.bfloat16())


class RMSNorm(nn.Module):
    """Root-mean-square norm with a learned gain."""

    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)
        return x * scale * self.weight


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn each (first half, second half) pair by its position's angle."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Block(nn.Module):
    """One layer: causal self-attention, then SwiGLU."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.attn_norm = RMSNorm(config.width, config.eps)
        self.ffn_norm = RMSNorm(config.width, config.eps)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.gate_up = nn.Linear(config.width, 2 * config.ff, bias=False)
        self.down = nn.Linear(config.ff, config.width, bias=False)

    def train_forward(self, x, cos, sin):
        """The same as `forward` of whole rows: bfloat16 in the matrices, float32 between layers."""
        attended = Attention.apply(
            linear(RmsNorm.apply(x, self.attn_norm.weight, self.config.eps), self.qkv),
            cos,
            sin,
            self.config.heads,
        )
        x = x + linear(attended, self.out)
        hidden = linear(RmsNorm.apply(x, self.ffn_norm.weight, self.config.eps), self.gate_up)
        return x + linear(SwiGlu.apply(hidden), self.down)

    def forward(self, x, cos, sin, mask, past=None):
        """`past` holds the keys and values of earlier tokens while decoding."""
        batch, length, width = x.shape
        qkv = self.qkv(self.attn_norm(x)).view(batch, length, 3, self.config.heads, self.config.head_dim)
        q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if past is not None:
            if past:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            past[:] = [k, v]
        scores = q @ k.transpose(-1, -2) * self.config.head_dim**-0.5 + mask
        mixed = scores.softmax(-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    """Embedding, layers, final norm and an untied output matrix."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.eps)
        self.head = nn.Linear(config.width, config.vocab, bias=False)
        nn.init.normal_(self.embed.weight, std=0.5)
        for name, weight in self.named_parameters():
            if weight.dim() == 2 and name != "embed.weight":
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(weight)
        half = config.head_dim // 2
        rates = config.rope_base ** (-torch.arange(half) / half)
        angles = torch.outer(torch.arange(config.context), rates)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        causal = torch.full((config.context, config.context), float("-inf")).triu(1)
        self.register_buffer("causal", causal, persistent=False)

    def train_forward(self, tokens, wanted):
        """Logits where the mask `wanted` is set. Rows begin at position 0."""
        length = tokens.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        x = self.embed(tokens)
        for block in self.blocks:
            x = block.train_forward(x, cos, sin)
        x = RmsNorm.apply(x[wanted], self.norm.weight, self.config.eps)
        return linear(x, self.head).float()

    def forward(self, tokens, wanted=None, past=None, offset=0):
        """Logits at all positions, or only where the mask `wanted` is set.

        For decoding, `past` is a list with one (initially empty) list per
        layer and `offset` the number of tokens already seen.
        """
        end = offset + tokens.shape[1]
        cos, sin = self.cos[offset:end], self.sin[offset:end]
        mask = self.causal[offset:end, :end]
        x = self.embed(tokens)
        for index, block in enumerate(self.blocks):
            x = block(x, cos, sin, mask, None if past is None else past[index])
        x = self.norm(x)
        return self.head(x if wanted is None else x[wanted])
