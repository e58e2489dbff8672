"""The three matrix products of a last linear layer, over pieces of the vocabulary where halves are multiplied.

    z = f Wᵀ;   dW += gᵀ f,   df = g W,   g the gradient of the logits

float32 and float64 are taken as they are. Halves stay halves where the machine multiplies them faster, and what they
give is added up in float32. A GPU also returns float32. A CPU rounds each logit to bfloat16 as it leaves the product,
as a linear layer there would; the true token's logit, which enters every loss with weight 1, is computed anew. Where
float32 products cost next to nothing, they are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from evenkeel.losses.precision import HALF, widen

WORTH_IT = 2**26
"""Multiply-adds of one product from which on a CPU multiplies halves: a millisecond's work in float32."""

PIECE = 2048
"""Tokens of a piece where a CPU multiplies halves: 1 MiB for 256 rows."""


class Products(NamedTuple):
    """Products with `weight` (token, unit): `half` is the dtype that the products are done in, None for wide."""

    weight: Tensor
    half: torch.dtype | None

    def forward(self, features: Tensor, buffer: Tensor) -> Tensor:
        """Logits (row, token) of some features (row, unit), in `buffer` where that has rows."""
        if self.half is not None and features.is_cuda:
            return _half_product(features, self.weight.T)
        taken = self.as_taken(features)
        return torch.mm(taken, self.weight.T, out=buffer[: len(taken)]) if len(buffer) else taken @ self.weight.T

    def true_logits(self, features: Tensor, target: Tensor) -> Tensor | None:
        """The logit of each row's target (row,), where `forward` rounds it."""
        if self.half is None or features.is_cuda:
            return None
        return torch.einsum("ru,ru->r", widen(features), widen(self.weight[target]))

    def buffer(self, rows: int, dtype: torch.dtype) -> Tensor:
        """Room for the logits of so many rows, for `forward` to write them all into; none where it cannot.

        A traced product has no place to write to, and the product of halves that returns float32 makes its own.
        """
        makes_its_own = torch.compiler.is_compiling() or (self.half is not None and self.weight.is_cuda)
        shape = (0 if makes_its_own else rows, len(self.weight))
        return self.weight.new_empty(shape, dtype=dtype if self.half is None else self.half)

    def backward(self, block: Tensor, features: Tensor, to_weight: Tensor, kept: int) -> Tensor:
        """Add blockᵀ features to `kept` times `to_weight` (token, unit) and return block weight (row, unit), both wide.

        `kept` is 1, or 0 where `to_weight` holds nothing yet: to fill it with zeros first would take as long as to add.
        """
        if self.half is None:
            to_weight.addmm_(block.T, features, beta=kept)
            return block @ self.weight
        block = block.to(self.half)
        for part in self._pieces():
            product = _half_product(block[:, part].T, features)
            to_weight[part].add_(product) if kept else to_weight[part].copy_(product)
        return _half_product(block, self.weight).to(to_weight.dtype)

    def as_taken(self, features: Tensor) -> Tensor:
        """Features in the dtype that `backward` takes them in."""
        return widen(features) if self.half is None else features.to(self.half)

    def _pieces(self) -> Iterator[slice]:
        tokens = len(self.weight)
        size = max(tokens, 1) if self.weight.is_cuda else PIECE
        for first in range(0, tokens, size):
            yield slice(first, min(first + size, tokens))


def products_of(features: Tensor, weight: Tensor) -> Products:
    """The products for these dtypes on this machine."""
    same = features.dtype == weight.dtype and features.dtype in HALF and not torch.compiler.is_compiling()
    large = features.numel() * len(weight) >= WORTH_IT
    if same and (features.is_cuda or (large and features.dtype == torch.bfloat16 and multiplies_bfloat16())):
        return Products(weight, features.dtype)
    return Products(widen(weight), None)


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for products of bfloat16."""
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in known)


def _half_product(left: Tensor, right: Tensor) -> Tensor:
    return torch.mm(left, right, out_dtype=torch.float32) if left.is_cuda else left @ right
