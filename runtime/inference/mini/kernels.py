"""Fused steps of the network for training, over kernels.c; see there for why.

The library is compiled when it is first called, for this machine, into the folder of the
temporary files of this process. Results are bfloat16; sums are made in float32.
"""

import ctypes
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import torch


@lru_cache(None)
def _library() -> ctypes.CDLL:
    source = Path(__file__).with_name("kernels.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernels.so"
        subprocess.run(
            ["cc", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC"]
            + [str(source), "-o", str(library), "-lm"],
            check=True,
        )
        return ctypes.CDLL(str(library))


def _call(name: str, *arguments):
    """Call a function of kernels.c; tensors go as pointers, floats as C floats."""
    converted = [
        ctypes.c_void_p(value.data_ptr())
        if isinstance(value, torch.Tensor)
        else ctypes.c_float(value)
        if isinstance(value, float)
        else value
        for value in arguments
    ]
    getattr(_library(), name)(*converted)


class RmsNorm(torch.autograd.Function):
    """float32 [..., width] and a gain to bfloat16."""

    @staticmethod
    def forward(context, x, gain, eps: float):
        x = x.contiguous()
        width = x.shape[-1]
        rows = x.numel() // width
        y = torch.empty(x.shape, dtype=torch.bfloat16)
        inverse = torch.empty(rows)
        _call("rms_forward", rows, width, float(eps), x, gain, y, inverse)
        context.save_for_backward(x, gain, inverse)
        return y

    @staticmethod
    def backward(context, dy):
        x, gain, inverse = context.saved_tensors
        dx, dgain = torch.empty_like(x), torch.zeros_like(gain)
        rows, width = inverse.numel(), x.shape[-1]
        _call("rms_backward", rows, width, x, gain, inverse, dy.contiguous(), dx, dgain)
        return dx, dgain, None


class SwiGlu(torch.autograd.Function):
    """bfloat16 [..., gate then up] to silu(gate) * up."""

    @staticmethod
    def forward(context, gate_up):
        gate_up = gate_up.contiguous()
        width = gate_up.shape[-1] // 2
        y = torch.empty(gate_up.shape[:-1] + (width,), dtype=torch.bfloat16)
        _call("swiglu_forward", y.numel() // width, width, gate_up, y)
        context.save_for_backward(gate_up)
        return y

    @staticmethod
    def backward(context, dy):
        (gate_up,) = context.saved_tensors
        d = torch.empty_like(gate_up)
        width = dy.shape[-1]
        _call("swiglu_backward", dy.numel() // width, width, gate_up, dy.contiguous(), d)
        return d


class Attention(torch.autograd.Function):
    """Causal self-attention: bfloat16 [batch, length, 3 * width] to [batch, length, width]."""

    @staticmethod
    def forward(context, qkv, cosine, sine, heads: int):
        batch, length, triple = qkv.shape
        size = triple // 3 // heads
        qkv = qkv.contiguous()
        q, k, v = (torch.empty(batch * heads, length, size, dtype=torch.bfloat16) for _ in range(3))
        _call("rotate_forward", batch, length, heads, size, qkv, cosine, sine, q, k, v)
        weights = torch.bmm(q, k.transpose(1, 2))
        _call("softmax_forward", batch * heads, length, size**-0.5, weights)
        mixed = torch.bmm(weights, v).view(batch, heads, length, size)
        context.save_for_backward(q, k, v, weights, cosine, sine)
        return mixed.transpose(1, 2).reshape(batch, length, triple // 3)

    @staticmethod
    def backward(context, dy):
        q, k, v, weights, cosine, sine = context.saved_tensors
        batch, length, width = dy.shape
        size = q.shape[-1]
        heads = width // size
        dy = dy.view(batch, length, heads, size).transpose(1, 2).reshape(-1, length, size)
        dv = torch.bmm(weights.transpose(1, 2), dy)
        d = torch.bmm(dy, v.transpose(1, 2))
        _call("softmax_backward", batch * heads, length, size**-0.5, weights, d)
        dq, dk = torch.bmm(d, k), torch.bmm(d.transpose(1, 2), q)
        dqkv = torch.empty(batch, length, 3 * width, dtype=torch.bfloat16)
        _call("rotate_backward", batch, length, heads, size, dq, dk, dv, cosine, sine, dqkv)
        return dqkv, None, None, None
