"""Sum the vectors of a text's pieces: rare ones weigh more, each kind of piece as much, and every text has length one.

    x_p = w_p / (sqrt(kinds) ||w of its kind in this text||),   w_p = rarity_p exp(s_p)
    h = Σ_p x_p E_p                 cosine(kind) = Σ_{p in both} w_p² / (||w||·||w'||)

With s = 0, as training begins, x is tf-idf and the cosine that of tf-idf; weights s and vectors E learn from there.
Source: Spärck Jones 1972, doi:10.1108/eb026526 (rarity); Joulin et al. 2017, arXiv:1607.01759 (sums of vectors)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.kinds.text.bags import Bag
from evenkeel.shapes import Float, Int, Tensor

START = 0.3  # of the vectors: what they learn soon outweighs where they began (LOG.md)
TINY = 1e-12


class Weighed(NamedTuple):
    """The pieces of a batch of texts: their numbers, texts, kinds and weights, and squared norms (text · kind,)."""

    pieces: Int[Tensor, "place"]
    owners: Int[Tensor, "place"]
    groups: Int[Tensor, "place"]
    weights: Float[Tensor, "place"]
    squares: Float[Tensor, "group"]


class Pieces(nn.Module):
    """Map the pieces of each text to one vector.

    Shapes: pieces (place,), counts (batch,) -> (batch, unit). A text without any known piece is a vector of zeros.
    """

    rarity: Tensor
    ends: Tensor

    def __init__(self, bag: Bag, units: int, dropout: float) -> None:
        super().__init__()
        sizes = [bag.tokens, sum(len(keys) for keys in bag.known()), len(bag.letters)]
        ends = torch.tensor([size for size in sizes if size]).cumsum(0)
        self.units, self.kinds, self.dropout = units, len(ends), dropout
        self.vectors = nn.Embedding(bag.size, units)
        nn.init.normal_(self.vectors.weight, std=START)
        self.scale = nn.Parameter(torch.zeros(bag.size))
        self.register_buffer("rarity", torch.ones(bag.size))
        self.register_buffer("ends", ends)

    def start(self, pieces: Int[Tensor, "place"], texts: int) -> None:
        """Learn how rare each piece is, from the training texts."""
        counts = torch.bincount(pieces.long(), minlength=len(self.rarity))
        self.rarity.copy_(((1 + texts) / (1 + counts.double())).log() + 1)

    def weigh(self, pieces: Int[Tensor, "place"], counts: Int[Tensor, "batch"]) -> Weighed:
        """Weigh each piece."""
        owners = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        groups = owners * self.kinds + torch.bucketize(pieces.long(), self.ends, right=True)
        chosen = pieces.long()
        weights = self.rarity[chosen] * self.scale[chosen].exp()
        squares = weights.new_zeros(len(counts) * self.kinds).index_add(0, groups, weights.square())
        return Weighed(chosen, owners, groups, weights, squares)

    @override
    def forward(self, pieces: Int[Tensor, "place"], counts: Int[Tensor, "batch"]) -> Float[Tensor, "batch unit"]:
        return self.sum(self.weigh(pieces, counts), counts)

    def sum(self, weighed: Weighed, counts: Int[Tensor, "batch"]) -> Float[Tensor, "batch unit"]:
        """The vectors of the pieces, added up by weight; while training, some pieces are silenced."""
        share = weighed.weights * (weighed.squares[weighed.groups] * self.kinds + TINY).rsqrt()
        share = functional.dropout(share, self.dropout, self.training)
        starts = counts.cumsum(0) - counts
        return functional.embedding_bag(
            weighed.pieces, self.vectors.weight, starts, mode="sum", per_sample_weights=share
        )

    def cosines(self, left: Weighed, right: Weighed, pairs: int) -> Float[Tensor, "batch kind"]:
        """Cosine of two texts for each kind of pieces: 0 shares nothing, 1 all."""
        size = len(self.rarity)
        shared = torch.isin(left.owners * size + left.pieces, right.owners * size + right.pieces)
        both = left.weights.square() * shared
        dot = both.new_zeros(pairs * self.kinds).index_add(0, left.groups, both)
        return (dot * (left.squares * right.squares + TINY).rsqrt()).view(pairs, self.kinds)
