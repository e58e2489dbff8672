"""Two blocks of a graph net: messages beside the identity, or plain.

    residual   h = h + drop(phi(norm(messages(h)))) W        each node keeps what is its own, however deep the net
    plain      h = drop(phi(norm(messages(h))))              as in the first papers: two or three layers, no more

The norm follows the messages: how large they are depends on how many neighbours a node has. All branches of a residual
net together add a variance of about one to what came in. Source: Li et al. 2019, arXiv:1904.03751
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.nets.blocks import activation_named, draw_, matched_variance
from evenkeel.nets.graph_layers import Layer, MessageLayer
from evenkeel.nets.graph_norm import CENTRED, NodeNorm
from evenkeel.nets.graph_wiring import Wiring
from evenkeel.shapes import Float, Tensor


@dataclass(frozen=True, kw_only=True)
class GraphOptions:
    """What all blocks of a net have in common."""

    layer: Layer
    activation: str
    norm: str | None
    dropout: float
    heads: int | None
    share: float
    """Variance that one branch adds to what passes it by."""


class GraphBlock(nn.Module):
    """Messages, norm, activation and dropout; in a residual block then one layer more, beside the identity.

    Shapes: hidden (node, unit) -> (node, unit).
    """

    def __init__(self, width: int, options: GraphOptions, *, skip: str) -> None:
        super().__init__()
        matched = matched_variance(options.activation)
        self.messages = MessageLayer(
            options.layer,
            width,
            heads=options.heads,
            variance=1.0 if skip == "residual" else matched,
            bias=options.norm not in CENTRED,
            dropout=options.dropout if options.layer == "gat" else 0.0,
        )
        self.norm = NodeNorm(options.norm, width)
        self.outward = draw_(nn.Linear(width, width), matched * options.share) if skip == "residual" else None
        self.activation, self.dropout = activation_named(options.activation), options.dropout

    @override
    def forward(self, hidden: Float[Tensor, "node unit"], wiring: Wiring) -> Float[Tensor, "node unit"]:
        heard = self.activation(self.norm(self.messages(hidden, wiring), wiring))
        heard = functional.dropout(heard, self.dropout, self.training)
        return heard if self.outward is None else hidden + self.outward(heard)
