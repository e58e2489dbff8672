"""Log-sum-exp over the rows *and* the columns of query·key, from one pass, without the matrix.

One computation of the products feeds both sums, and one more both gradients: 8·N·M·D operations, against 12 for two
one-sided losses.

    dS_ij = exp(S_ij - row_i) g_i + exp(S_ij - column_j) h_j,   d query = dS key,   d key = dSᵀ query
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import lowest, merge, tiles


class BothLse(NamedTuple):
    """log Σ_j exp(q_i·k_j) for every row i, and log Σ_i exp(q_i·k_j) for every column j."""

    row: Tensor
    column: Tensor


def both_lse(query: Tensor, key: Tensor) -> BothLse:
    """Both sums for `query` (row, unit) and `key` (key, unit); the gradient cannot be differentiated again."""
    row, column = _BothLse.apply(query, key)  # type: ignore[misc]
    return BothLse(row, column)


class _BothLse(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        row = query.new_zeros(len(query))
        peak, total = query.new_full((len(key),), lowest(query)), query.new_zeros(len(key))
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = query[first:last] @ key.T
                row[first:last] = torch.logsumexp(block, 1)
                peak, total = merge(peak, total, block, 0)
        return row, peak + torch.log(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_row: Tensor, to_column: Tensor) -> tuple[Tensor, Tensor]:
        query, key, row, column = ctx.saved_tensors
        to_query, to_key = torch.zeros_like(query), torch.zeros_like(key)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = query[first:last] @ key.T
                across = (block - row[first:last].unsqueeze(1)).exp_().mul_(to_row[first:last].unsqueeze(1))
                block.sub_(column).exp_().mul_(to_column).add_(across)
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return to_query, to_key
