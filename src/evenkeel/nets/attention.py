"""Self-attention with a key-value cache, and the pre-norm transformer block around it.

    h = h + drop(softmax(q k' / sqrt(d)) v) W_o,    q, k, v = norm(h) W
    h = h + drop(phi(norm(h) W_1)) W_2

Source: Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745 (norm in front)
First weights, W ~ N(0, s / fan_in) and b = 0, so that all branches together add a variance of at most one:

    W and W_1 s = 1,   W_o s = share / 2,   W_2 s = matched · share / 2

with share = 1 / depth of the net, and matched = 1 / E[phi'(z)²].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.nets.blocks import activation_named, draw_, matched_variance
from evenkeel.nets.positions import turned
from evenkeel.nets.step_norm import StepNorm
from evenkeel.shapes import Bool, Float, Tensor

WIDER = 4  # units of the hidden layer for each unit of the stream, as in the paper

# Which keys a query sees: all (None), those up to its own step ("past"), or those where it is True.
Sight = Bool[Tensor, "..."] | Literal["past"] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class KeysAndValues:
    """What one block has computed of the steps so far, each (batch, head, step, unit)."""

    keys: Tensor
    values: Tensor

    def followed_by(self, later: KeysAndValues) -> KeysAndValues:
        """The cache with further steps behind its own."""
        return KeysAndValues(
            keys=torch.cat((self.keys, later.keys), dim=2), values=torch.cat((self.values, later.values), dim=2)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Cache:
    """What a net keeps of the steps that it has read, so that it need not read them again: one entry a block."""

    blocks: tuple[KeysAndValues, ...]

    @property
    def batch(self) -> int:
        """Number of examples read side by side."""
        return self.blocks[0].keys.shape[0]

    @property
    def steps(self) -> int:
        """Number of steps read so far."""
        return self.blocks[0].keys.shape[2]


class Attention(nn.Module):
    """Attention of each step to the steps that it sees.

    Shapes: x (batch, step, unit) -> (batch, step, unit), and the keys and values of all steps so far.
    """

    def __init__(self, width: int, heads: int, *, dropout: float, share: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.inward = draw_(nn.Linear(width, 3 * width))
        self.outward = draw_(nn.Linear(width, width), share)

    @override
    def forward(
        self,
        x: Float[Tensor, "batch step unit"],
        *,
        rotation: Float[Tensor, "2 step pair"] | None = None,
        sight: Sight = None,
        before: KeysAndValues | None = None,
    ) -> tuple[Float[Tensor, "batch step unit"], KeysAndValues]:
        apart = self.inward(x).unflatten(-1, (3, self.heads, -1))  # (batch, step, unit) -> (batch, step, 3, head, unit)
        query, key, value = (each.transpose(1, 2) for each in apart.unbind(2))  # each (batch, head, step, unit)
        if rotation is not None:
            query, key = turned(query, rotation), turned(key, rotation)
        known = KeysAndValues(keys=key, values=value)
        known = known if before is None else before.followed_by(known)
        mask, past = (None, True) if isinstance(sight, str) else (sight, False)
        mixed = functional.scaled_dot_product_attention(query, known.keys, known.values, attn_mask=mask, is_causal=past)
        mixed = mixed.transpose(1, 2).flatten(2)  # (batch, head, step, unit) -> (batch, step, head · unit)
        mixed = functional.dropout(mixed, self.dropout, self.training)
        return self.outward(mixed), known


class TransformerBlock(nn.Module):
    """Attention, then two layers at each step, each beside the identity and behind a norm.

    Shapes: hidden (batch, step, unit) -> (batch, step, unit), and the keys and values of all steps so far.
    """

    def __init__(self, width: int, heads: int, *, activation: str, norm: str, dropout: float, share: float) -> None:
        super().__init__()
        self.attention_norm, self.layers_norm = StepNorm(norm, width), StepNorm(norm, width)
        self.attention = Attention(width, heads, dropout=dropout, share=share / 2)
        self.widen = draw_(nn.Linear(width, WIDER * width))
        self.narrow = draw_(nn.Linear(WIDER * width, width), matched_variance(activation) * share / 2)
        self.activation, self.dropout = activation_named(activation), dropout

    @override
    def forward(
        self,
        hidden: Float[Tensor, "batch step unit"],
        *,
        rotation: Float[Tensor, "2 step pair"] | None = None,
        sight: Sight = None,
        before: KeysAndValues | None = None,
    ) -> tuple[Float[Tensor, "batch step unit"], KeysAndValues]:
        normed = self.attention_norm(hidden)
        mixed, known = self.attention(normed, rotation=rotation, sight=sight, before=before)
        hidden = hidden + mixed
        inner = self.activation(self.widen(self.layers_norm(hidden)))  # (batch, step, WIDER · unit)
        return hidden + self.narrow(functional.dropout(inner, self.dropout, self.training)), known
