"""log Σ_j exp(q_i·k_j) for every row i, without the matrix, and its gradient.

Two forms. `row_lse` gives one value per row and computes the products anew for the gradient: 8·N·M·D operations in all.
`row_lse_sum` gives their sum only; every row then has the same weight in the gradient, which is taken in the forward
pass: 6·N·M·D, the number that the full matrix takes too. Neither gradient can be differentiated again; both say so.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import lowest, tiles


def row_lse(query: Tensor, key: Tensor, own: int | None = None) -> Tensor:
    """One value per row of `query` (row, unit) over `key` (key, unit); row i leaves out key i + own."""
    return _RowLse.apply(query, key, own)  # type: ignore[no-any-return]


def row_lse_sum(query: Tensor, key: Tensor, own: int | None = None) -> Tensor:
    """The sum of `row_lse`, its gradient taken at once where one is needed."""
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad):
        return _RowLseSum.apply(query, key, own)[0]  # type: ignore[index]
    return row_lse(query, key, own).sum()


def _block(query: Tensor, key: Tensor, first: int, last: int, own: int | None) -> Tensor:
    """Similarities of some rows with all keys, those with oneself at -inf."""
    block = query[first:last] @ key.T
    if own is not None:
        block.diagonal(first + own).fill_(-torch.inf)
    return block


def _softmax_(block: Tensor) -> Tensor:
    """Turn similarities into probabilities in place; returns each row's log-sum-exp (-inf of no keys)."""
    peak = block.amax(1, keepdim=True).clamp(min=lowest(block))
    total = block.sub_(peak).exp_().sum(1, keepdim=True)
    block.div_(torch.where(total > 0, total, 1.0))
    return (peak + torch.log(total)).squeeze(1)


class _RowLse(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, own: int | None) -> Tensor:
        found = query.new_full((len(query),), -torch.inf)
        if not len(key):
            return found
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                found[first:last] = _softmax_(_block(query, key, first, last, own))
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], inputs[1], output)
        ctx.own = inputs[2]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        query, key, found = ctx.saved_tensors
        to_query, to_key = torch.zeros_like(query), torch.zeros_like(key)
        level = torch.where(found.isinf(), 0.0, found).unsqueeze(1)
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = _block(query, key, first, last, ctx.own)
                block.sub_(level[first:last]).exp_().mul_(gradient[first:last].unsqueeze(1))
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return to_query, to_key, None


class _RowLseSum(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, own: int | None) -> tuple[Tensor, Tensor, Tensor]:
        to_query, to_key = torch.zeros_like(query), torch.zeros_like(key)
        total = query.new_zeros(())
        with exact_products(query):
            for first, last in tiles(len(query), len(key), query.device):
                block = _block(query, key, first, last, own)
                total += _softmax_(block).sum()
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return total, to_query, to_key

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1], output[2])
        ctx.save_for_backward(output[1], output[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor, Tensor, None]:
        to_query, to_key = ctx.saved_tensors
        return gradient * to_query, gradient * to_key, None
