"""-log softmax_j(s u_i·v_j)[positive of i] for every row i, u, v at unit length, without the matrix.

The products are computed anew for the gradient: 8·N·M·D operations in all, where the full matrix takes 6 but has to be
written and read several times. The gradient cannot be differentiated again, and says so.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evenkeel.losses.cosine import (
    SimilarityScale,
    band,
    exponentials,
    keep_band_,
    pull_,
    scale_of,
    side,
    spans,
    to_embeddings_,
)
from evenkeel.losses.fast_products import fast_products
from evenkeel.losses.first_order import first_order
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import exact_products


@dataclass(frozen=True, kw_only=True)
class Positives:
    """Row i belongs to key i + positive (None: to no key, and its value is the plain log-sum) and is key i + own."""

    positive: int | None = None
    own: int | None = None


def row_nce(query: Tensor, key: Tensor, temperature: PlainNumber | Tensor, layout: Positives) -> Tensor:
    """One value per row of `query` (row, unit) over `key` (key, unit); with `own`, that key is left out."""
    scale = scale_of(temperature, query)
    return _RowNce.apply(query, key, scale.value, scale.dtype, layout)[0]  # type: ignore[index]


def _exponentials(
    unit: Tensor, other: Tensor, scale: SimilarityScale, rows: slice, keys: slice, own: int | None
) -> Tensor:
    block = exponentials(unit, other, scale)
    if own is not None:
        band(block, rows, keys, own).zero_()
    return block


class _RowNce(torch.autograd.Function):
    @staticmethod
    def forward(
        query: Tensor, key: Tensor, scale: Tensor, dtype: torch.dtype, layout: Positives
    ) -> tuple[Tensor, Tensor]:
        left, right, factor = side(query), side(key), SimilarityScale(scale, dtype)
        total, own = (torch.zeros(len(query), dtype=dtype, device=query.device) for _ in range(2))
        with exact_products(query), fast_products(query, key):
            for rows in spans(query):
                unit = left.unit(rows)
                for keys in spans(key):
                    block = _exponentials(unit, right.unit(keys), factor, rows, keys, layout.own)
                    total[rows] += block.sum(1)
                    if layout.positive is not None:
                        keep_band_(own, block, rows, keys, layout.positive)
        # The ratio of exponentials first, its logarithm after: both are large, what they leave is small.
        value = torch.log(total if layout.positive is None else total / own)
        return value.to(scale.dtype), total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs[:3], output[1])
        ctx.dtype, ctx.layout = inputs[3:]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        query, key, scale, total = ctx.saved_tensors
        left, right, factor, layout = side(query), side(key), SimilarityScale(scale, ctx.dtype), ctx.layout
        weight = torch.where(total > 0, gradient / total, 0.0)  # a row without keys asks for nothing
        to_query, to_key = (torch.zeros_like(x, dtype=scale.dtype) for x in (query, key))
        with exact_products(query), fast_products(query, key):
            for rows in spans(query):
                unit = left.unit(rows)
                for keys in spans(key):
                    other = right.unit(keys)
                    block = _exponentials(unit, other, factor, rows, keys, layout.own)
                    block = block.mul_(weight[rows].unsqueeze(1)).to(unit.dtype)
                    to_query[rows].addmm_(block, other)
                    to_key[keys].addmm_(block.T, unit)
        if layout.positive is not None:
            pull_(to_query, to_key, left, right, gradient, layout.positive)
        to_scale = to_embeddings_(to_query, left, factor)
        to_embeddings_(to_key, right, factor)
        return to_query.to(query.dtype), to_key.to(key.dtype), to_scale, None, None
