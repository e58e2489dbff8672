"""The symmetric contrastive loss, row i against column i, from one pass over the similarities and without the matrix.

One computation of the products feeds the sums over rows and over columns, and one more both gradients: 8·N²·D
operations, against 12 for two one-sided losses.

    v_i = ln(Σ_j E_ij / E_ii) / 2 + ln(Σ_j E_ji / E_ii) / 2,  E_ij = exp(s u_i·v_j), u, v at unit length
    dS_ij = E_ij (g_i / row_i + g_j / column_j) / 2 - [i = j] g_i,  du = dS v,  dv = dSᵀ u
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses.cosine import (
    SimilarityScale,
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


def both_nce(query: Tensor, key: Tensor, temperature: PlainNumber | Tensor) -> Tensor:
    """One value per pair of `query` and `key` (row, unit); the gradient cannot be differentiated again."""
    scale = scale_of(temperature, query)
    return _BothNce.apply(query, key, scale.value, scale.dtype)[0]  # type: ignore[index]


class _BothNce(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, scale: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        left, right, factor = side(query), side(key), SimilarityScale(scale, dtype)
        row, column, own = (torch.zeros(len(query), dtype=dtype, device=query.device) for _ in range(3))
        with exact_products(query), fast_products(query, key):
            for rows in spans(query):
                unit = left.unit(rows)
                for keys in spans(key):
                    block = exponentials(unit, right.unit(keys), factor)
                    row[rows] += block.sum(1)
                    column[keys] += block.sum(0)
                    keep_band_(own, block, rows, keys, 0)
        # The ratio of exponentials first, its logarithm after: both are large, what they leave is small.
        value = 0.5 * (torch.log(row / own) + torch.log(column / own))
        return value.to(scale.dtype), row, column

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1], output[2])
        ctx.save_for_backward(*inputs[:3], output[1], output[2])
        ctx.dtype = inputs[3]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        query, key, scale, row, column = ctx.saved_tensors
        left, right, factor = side(query), side(key), SimilarityScale(scale, ctx.dtype)
        to_query, to_key = (torch.zeros_like(x, dtype=scale.dtype) for x in (query, key))
        along, across = 0.5 * gradient / row, 0.5 * gradient / column
        with exact_products(query), fast_products(query, key):
            for rows in spans(query):
                unit = left.unit(rows)
                for keys in spans(key):
                    other = right.unit(keys)
                    block = exponentials(unit, other, factor)
                    block = block.mul_(along[rows].unsqueeze(1) + across[keys]).to(scale.dtype)
                    to_query[rows].addmm_(block, other)
                    to_key[keys].addmm_(block.T, unit)
        pull_(to_query, to_key, left, right, gradient, 0)
        to_scale = to_embeddings_(to_query, left, factor)
        to_embeddings_(to_key, right, factor)
        return to_query.to(query.dtype), to_key.to(key.dtype), to_scale, None
