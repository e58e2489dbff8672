"""-log softmax_j(q_i·k_j)[positive of i] for every row i, without the matrix, and its gradient.

Two forms. `row_nce` gives one value per row and computes the products anew for the gradient: 8·N·M·D operations in all.
`row_nce_sum` gives their sum only; every row then has the same weight in the gradient, which is taken in the forward
pass: 6·N·M·D, the number that the full matrix takes too. Neither gradient can be differentiated again; both say so.
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses._first_order import first_order
from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import tiles


def row_nce(query: Tensor, key: Tensor, positive: Tensor, own: int | None = None) -> Tensor:
    """One value per row of `query` (row, unit) over `key` (key, unit); `positive` (row,) numbers the right key.

    With `own`, row i leaves out key i + own, which is itself.
    """
    return _RowNce.apply(query, key, positive, own)  # type: ignore[no-any-return]


def row_nce_sum(query: Tensor, key: Tensor, positive: Tensor, own: int | None = None) -> Tensor:
    """The sum of `row_nce`, its gradient taken at once where one is needed."""
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad):
        return _RowNceSum.apply(query, key, positive, own)[0]  # type: ignore[index]
    return row_nce(query, key, positive, own).sum()


def _log_softmax(query: Tensor, key: Tensor, own: int | None, first: int, last: int) -> Tensor:
    """Log-probabilities of all keys for some rows."""
    block = query[first:last] @ key.T
    if own is not None:
        block.diagonal(first + own).fill_(-torch.inf)
    return torch.log_softmax(block, 1)


def _to_products_(log_probability: Tensor, right: Tensor) -> Tensor:
    """Turn log-probabilities into the gradient of each row's value with respect to its products, in place."""
    block = log_probability.exp_()
    return block.scatter_add_(1, right, torch.full_like(right, -1, dtype=block.dtype))


class _RowNce(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, positive: Tensor, own: int | None) -> Tensor:
        found = query.new_empty(len(query))
        right = positive.unsqueeze(1)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = _log_softmax(query, key, own, first, last)
                found[first:last] = -block.gather(1, right[first:last]).squeeze(1)
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.own = inputs[3]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        query, key, positive = ctx.saved_tensors
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        right = positive.unsqueeze(1)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = _to_products_(_log_softmax(query, key, ctx.own, first, last), right[first:last])
                block.mul_(gradient[first:last].unsqueeze(1))
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return to_query, to_key, None, None


class _RowNceSum(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, positive: Tensor, own: int | None) -> tuple[Tensor, Tensor, Tensor]:
        to_query, to_key = torch.empty_like(query), torch.zeros_like(key)
        total, right = query.new_zeros(()), positive.unsqueeze(1)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = _log_softmax(query, key, own, first, last)
                total = total - block.gather(1, right[first:last]).sum()
                block = _to_products_(block, right[first:last])
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return total, to_query, to_key

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1], output[2])
        ctx.save_for_backward(inputs[0], inputs[1], output[1], output[2])

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor, Tensor, None, None]:
        _, _, to_query, to_key = ctx.saved_tensors
        return gradient * to_query, gradient * to_key, None, None
