"""The forward pass of training on a GPU: what kernels.c does on a CPU, left to PyTorch's compiler.

Everything but attention works on the tokens of a batch as one long row, so that its shapes never change
and it is compiled once, whatever the lengths of the conversations.
"""

import torch
import torch.nn.functional as F


def norm(x, gain, eps: float):
    """float32 to bfloat16."""
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * gain).bfloat16()


def matrix(x, weight):
    return F.linear(x, weight.bfloat16())


@torch.compile(dynamic=False)
def queries_keys_values(x, gain, weight, cos, sin, heads: int, eps: float):
    """[tokens, width] to three of [tokens, heads, width of a head], two of them rotated."""
    q, k, v = matrix(norm(x, gain, eps), weight).view(x.shape[0], 3, heads, -1).unbind(1)

    def rotate(part):
        a, b = part.float().chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).bfloat16()

    return rotate(q), rotate(k), v.contiguous()


@torch.compile(dynamic=False)
def after_attention(x, mixed, out, gain, gate_up, down, eps: float):
    x = x + matrix(mixed, out)
    gate, up = matrix(norm(x, gain, eps), gate_up).chunk(2, dim=-1)
    return x + matrix(F.silu(gate) * up, down)


def block(own, x, cos, sin, rows: int, length: int):
    heads, eps = own.config.heads, own.config.eps
    parts = queries_keys_values(x, own.attn_norm.weight, own.qkv.weight, cos, sin, heads, eps)
    q, k, v = (part.view(rows, length, heads, -1).transpose(1, 2) for part in parts)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(rows * length, -1)
    return after_attention(
        x, mixed, own.out.weight, own.ffn_norm.weight, own.gate_up.weight, own.down.weight, eps
    )


def train_forward(model, tokens, wanted):
    """As `Model.train_forward`; all batches need the same number of tokens, padding included."""
    rows, length = tokens.shape
    cos, sin = (table[:length].repeat(rows, 1).unsqueeze(1) for table in (model.cos, model.sin))
    x = model.embed(tokens).view(rows * length, -1)
    for own in model.blocks:
        x = block(own, x, cos, sin, rows, length)
    x = norm(x[wanted.reshape(-1)], model.norm.weight, model.config.eps)
    return matrix(x, model.head.weight).float()
