"""Message layers of torch_geometric with the initial weights of this package, and the blocks that a net makes of them.

    gcn    sum over neighbours and self of W h_j / sqrt(d_i d_j)       Kipf and Welling 2017, arXiv:1609.02907
    sage   W1 mean over neighbours of h_j + W2 h_i                     Hamilton et al. 2017, arXiv:1706.02216
    gat    sum over neighbours and self of a_ij W h_j, a learned       Velickovic et al. 2018, arXiv:1710.10903
    gin    W (h_i + sum over neighbours of h_j)                        Xu et al. 2019, arXiv:1810.00826

    residual   h = h + drop(phi(norm(messages(h)))) W        each node keeps what is its own, however deep the net
    plain      h = drop(phi(norm(messages(h))))              as in the first papers: two or three layers, no more

The second layer that GIN's paper puts upon its sum is that of the block. The norm follows the messages: how large they
are depends on how many neighbours a node has (Li et al. 2019, arXiv:1904.03751). First weights, W ~ N(0, s / fan_in)
and b = 0, so that all branches of a residual net together add a variance of about one to what came in:

    residual   messages s = 1, W s = matched / depth          plain   messages s = matched
    sage       half of that for each of W1 and W2             gat     attention vectors such that scores have variance 1

with matched = 1 / E[phi'(z)²], 2 for ReLU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.nets.blocks import activation_named, check_choice, draw_, matched_variance, shared_heads
from evenkeel.nets.graph_norm import CENTRED, NodeNorm
from evenkeel.nets.graph_wiring import GraphWiring, graph_library
from evenkeel.shapes import Float, Tensor

MessageKind = Literal["gcn", "gat", "gin", "sage"]
LAYERS = ("gcn", "gat", "gin", "sage")
HEAD_WIDTH = 8  # units of an attention head by default, as in GAT's paper


class MessageLayer(nn.Module):
    """One layer of messages between neighbours.

    Args:
        kind: gcn, gat, gin or sage.
        width: units that come in and go out.
        heads: attention heads of a gat, which share the width evenly.
        variance: s of the initial W ~ N(0, s / fan_in).
        bias: whether a bias follows.
        dropout: share of a gat's attention silenced while training.

    Shapes: hidden (node, unit) -> (node, unit).

    Raises:
        RequestError: a layer that does not exist, heads that do not fit, torch_geometric not installed.

    Example:
        >>> wiring = GraphWiring(edges=torch.tensor([[0, 1], [1, 0]]), weight=None, graph=None, graphs=1)
        >>> MessageLayer("gin", 8)(torch.zeros(2, 8), wiring).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        kind: MessageKind,
        width: int,
        *,
        heads: int | None = None,
        variance: float = 1.0,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_choice("layer", kind, LAYERS)
        self.kind = kind
        self.layer = _build(kind, width, _heads(kind, width, heads), bias, dropout)
        with torch.no_grad():
            for parameter in self.layer.parameters():
                _draw_(parameter, variance / 2 if kind == "sage" else variance)

    @override
    def forward(self, hidden: Float[Tensor, "node unit"], wiring: GraphWiring) -> Float[Tensor, "node unit"]:
        if wiring.weight is None:
            return self.layer(hidden, wiring.edges)
        return self.layer(hidden, wiring.edges, wiring.weight.to(hidden.dtype))


def _build(kind: MessageKind, width: int, heads: int, bias: bool, dropout: float) -> nn.Module:
    library = graph_library()
    if kind == "gcn":
        return library.GCNConv(width, width, normalize=False, bias=bias)  # its shares come with the wiring
    if kind == "gat":
        return library.GATConv(width, width // heads, heads=heads, dropout=dropout, bias=bias)
    if kind == "sage":
        return library.SAGEConv(width, width, bias=bias)
    return library.GINConv(nn.Linear(width, width, bias=bias))


def _heads(kind: str, width: int, heads: int | None) -> int:
    """How many heads share the width of a gat."""
    if kind != "gat":
        if heads is not None:
            raise RequestError(f"only a gat has attention heads, got attention_heads={heads} and layer={kind!r}")
        return 1
    return shared_heads(width, heads, HEAD_WIDTH)


def _draw_(parameter: Tensor, variance: float) -> None:
    """W ~ N(0, s / fan_in), b = 0, and attention vectors that give scores of variance 1."""
    if parameter.dim() == 1:
        parameter.zero_()
    else:
        scale = variance if parameter.dim() == 2 else 1.0
        parameter.normal_(std=math.sqrt(scale / parameter.shape[-1]))


@dataclass(frozen=True, kw_only=True)
class GraphBlockOptions:
    """What all blocks of a net have in common."""

    layer: MessageKind
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

    def __init__(self, width: int, options: GraphBlockOptions, *, skip: str) -> None:
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
    def forward(self, hidden: Float[Tensor, "node unit"], wiring: GraphWiring) -> Float[Tensor, "node unit"]:
        heard = self.activation(self.norm(self.messages(hidden, wiring), wiring))
        heard = functional.dropout(heard, self.dropout, self.training)
        return heard if self.outward is None else hidden + self.outward(heard)
