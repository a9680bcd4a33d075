"""The optimizers of nacre-mini: Muon for the layers' matrices, AdamW for the rest.

Muon (momentum whose update is made orthogonal) reached exact copying in far fewer tokens than AdamW alone.
"""

import torch


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
    """Orthogonalized momentum; matrices of one shape are updated together, fused ones part by part."""

    def __init__(self, matrices, lr, momentum=0.95, decay=0.01):
        """`matrices` holds pairs (parameter, number of matrices stacked in it)."""
        self.shapes = {}
        for parameter, parts in matrices:
            shape = (parameter.shape[0] // parts, parameter.shape[1])
            self.shapes.setdefault(shape, []).append((parameter, parts))
        super().__init__(
            [parameter for parameter, _ in matrices], dict(lr=lr, momentum=momentum, decay=decay)
        )

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        for shape, matrices in self.shapes.items():
            parameters, parts = map(list, zip(*matrices))
            gradient = torch.cat([parameter.grad.view(-1, *shape) for parameter in parameters])
            state = self.state[parameters[0]]
            if not state:
                state["momentum"] = torch.zeros_like(gradient)
            state["momentum"].lerp_(gradient, 1 - group["momentum"])
            update = orthogonal(gradient.lerp(state["momentum"], group["momentum"])).split(parts)
            scale = max(1.0, shape[0] / shape[1]) ** 0.5
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["decay"])
            changes = [part.reshape_as(parameter) for part, parameter in zip(update, parameters)]
            torch._foreach_add_(parameters, changes, alpha=-group["lr"] * scale)


def optimizers(model, muon_rate: float, adam_rate: float) -> list:
    """Muon for the layers' matrices, AdamW for embeddings, output and norms."""
    stacked = {"qkv": 3, "gate_up": 2}
    matrices = [
        (weight, stacked.get(name.split(".")[-2], 1))
        for name, weight in model.blocks.named_parameters()
        if weight.dim() == 2
    ]
    chosen = {id(weight) for weight, _ in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    return [
        Muon(matrices, lr=muon_rate),
        torch.optim.AdamW(rest, lr=adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]
