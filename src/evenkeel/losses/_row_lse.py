"""log Σ_j exp(q_i·k_j) for every row i, without the matrix, and its gradient.

The products are computed anew for the gradient: 8·N·M·D operations in all. The gradient cannot be differentiated again.
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses._first_order import first_order
from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import tiles


def row_lse(query: Tensor, key: Tensor) -> Tensor:
    """One value per row of `query` (row, unit) over `key` (key, unit); -inf where there are no keys."""
    return _RowLse.apply(query, key)  # type: ignore[no-any-return]


class _RowLse(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor) -> Tensor:
        found = query.new_empty(len(query))
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                found[first:last] = torch.logsumexp(query[first:last] @ key.T, 1)
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        query, key = ctx.saved_tensors
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = torch.softmax(query[first:last] @ key.T, 1).mul_(gradient[first:last].unsqueeze(1))
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return to_query, to_key
