"""What the toy models of this folder are: a transformer's layers, how they learn, and how they become the
files that CTranslate2 reads. PyTorch is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS = 64, 4

Activation = Callable[[torch.Tensor], torch.Tensor]


class Attention(nn.Module):
    """biased: whether keys have a bias; Whisper's have none."""

    def __init__(self, *, biased: bool) -> None:
        super().__init__()
        self.query, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.key = nn.Linear(WIDTH, WIDTH, bias=biased)

    def forward(self, at: torch.Tensor, to: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        parts = (self.query(at), self.key(to), self.value(to))
        heads = [each.unflatten(2, (HEADS, -1)).transpose(1, 2) for each in parts]
        found = functional.scaled_dot_product_attention(*heads, attn_mask=mask)
        return self.out(found.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """inner: width between its two halves. decodes: it reads another's output as well."""

    def __init__(self, inner: int, activation: Activation, *, decodes: bool, biased: bool = True) -> None:
        super().__init__()
        self.own, self.own_norm = Attention(biased=biased), nn.LayerNorm(WIDTH)
        self.other = Attention(biased=biased) if decodes else None
        self.other_norm = nn.LayerNorm(WIDTH) if decodes else None
        self.first, self.second = nn.Linear(WIDTH, inner), nn.Linear(inner, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.activation = activation

    def forward(
        self,
        at: torch.Tensor,
        mask: torch.Tensor | None = None,
        read: torch.Tensor | None = None,
        readable: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """mask, readable: bool, where it may look at its own and at `read`; None for everywhere."""
        near = self.own_norm(at)
        at = at + self.own(near, near, mask)
        if self.other is not None and self.other_norm is not None and read is not None:
            at = at + self.other(self.other_norm(at), read, readable)
        return at + self.second(self.activation(self.first(self.norm(at))))


def causal(length: int) -> torch.Tensor:
    """A mask: everybody looks at what was before."""
    return torch.ones(length, length, dtype=torch.bool).tril()[None, None]


def waves(length: int, first: int) -> torch.Tensor:
    """Sinusoids (Vaswani et al., 2017) of the places from `first` on."""
    scale = torch.exp(-torch.log(torch.tensor(10000.0)) / (WIDTH // 2 - 1) * torch.arange(WIDTH // 2))
    turns = torch.arange(first, first + length)[:, None] * scale[None, :]
    return torch.cat([turns.sin(), turns.cos()], dim=1)


def optimiser_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), weight_decay=0.01)


def train(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    steps: Iterable[int],
    loss: Callable[[], torch.Tensor],
    rate: Callable[[int], float],
    every: int,
) -> None:
    """A batch a step. loss: of the next one; rate: of learning, at a step; every: steps between two lines."""
    for step in steps:
        for group in optimiser.param_groups:
            group["lr"] = rate(step)
        found = loss()
        optimiser.zero_grad()
        found.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % every == every - 1:
            print(f"step {step + 1}: {found.item():.4f}", flush=True)


# --- into CTranslate2's specifications, whose own classes `to` are


def copy(to: object, module: nn.Module) -> None:
    to.weight, to.bias = module.weight, module.bias


def normed(to: object, module: nn.LayerNorm) -> None:
    to.gamma, to.beta = module.weight, module.bias


def layered(to: object, layer: Layer) -> None:
    _attention(to.self_attention, layer.own, layer.own_norm, together=3)
    if layer.other is not None:
        _attention(to.attention, layer.other, layer.other_norm, together=2)
    normed(to.ffn.layer_norm, layer.norm)
    copy(to.ffn.linear_0, layer.first)
    copy(to.ffn.linear_1, layer.second)


def _attention(to: object, module: Attention, norm: nn.LayerNorm, together: int) -> None:
    """CTranslate2 has the projections of what is attended to in one."""
    normed(to.layer_norm, norm)
    parts = [module.query, module.key, module.value]
    cut = 3 - together
    if cut:
        copy(to.linear[0], module.query)
    biases = [part.bias if part.bias is not None else torch.zeros(WIDTH) for part in parts]
    to.linear[cut].weight = torch.cat([part.weight for part in parts[cut:]])
    to.linear[cut].bias = torch.cat(biases[cut:])
    copy(to.linear[-1], module.out)
