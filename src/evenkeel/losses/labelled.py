"""The contrastive loss of labelled embeddings, row by row, without the N x N matrix, and its gradient.

    S = query keyᵀ; P_i: other rows with the label of i; N_i: rows with another label
    negatives: v_i = mean_{p in P_i} -log exp(S_ip) / (exp(S_ip) + Σ_{n in N_i} exp(S_in))
    all:       v_i = mean_{p in P_i} -log exp(S_ip) / Σ_{a≠i} exp(S_ia)

The products are computed anew for the gradient: 8·N²·D operations. Rows without a positive have value 0.
"""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from evenkeel.losses.fast_products import fast_products
from evenkeel.losses.first_order import first_order
from evenkeel.losses.precision import exact_products
from evenkeel.losses.tiles import tiles

Denominator = Literal["negatives", "all"]
"""What a positive competes with: the rows of other labels, or every other row (supervised contrastive)."""


class Contrast(NamedTuple):
    """One value per row, and how many positives the row has (a floating-point number)."""

    value: Tensor
    positives: Tensor


def contrast(
    query: Tensor, key: Tensor, labels: Tensor, key_labels: Tensor, own: int, denominator: Denominator
) -> Contrast:
    """The loss of each query (row, unit) among keys (key, unit); row i is itself key i + own."""
    value, positives = _Contrast.apply(query, key, labels, key_labels, own, denominator)  # type: ignore[misc]
    return Contrast(value, positives)


class _Tile(NamedTuple):
    """Some rows of the matrix, which columns are their positives, and the log-sum of what those compete with."""

    similarity: Tensor
    positive: Tensor
    rival: Tensor
    rest: Tensor


def _tile(inputs: tuple[Any, ...], first: int, last: int) -> _Tile:
    query, key, labels, key_labels, own, denominator = inputs
    similarity = query[first:last] @ key.T
    same = labels[first:last].unsqueeze(1) == key_labels
    oneself = torch.zeros_like(same)
    oneself.diagonal(first + own).fill_(True)
    rival = ~same if denominator == "negatives" else ~oneself
    rest = torch.logsumexp(similarity.masked_fill(~rival, -torch.inf), 1, keepdim=True)
    return _Tile(similarity, same & ~oneself, rival, rest)


def _gradient(tile: _Tile, scale: Tensor, denominator: Denominator) -> Tensor:
    """The gradient with respect to the similarities; `scale` is the row's gradient over its number of positives."""
    level = torch.where(tile.rest.isinf(), 0.0, tile.rest)
    spread = (tile.similarity - level).exp_().masked_fill_(~tile.rival, 0.0)
    if denominator == "all":
        return spread.mul_(scale * tile.positive.sum(1, keepdim=True)).sub_(scale * tile.positive)
    wrong = torch.sigmoid(tile.rest - tile.similarity).mul_(tile.positive).mul_(scale)
    return spread.mul_(wrong.sum(1, keepdim=True)).sub_(wrong)


class _Contrast(torch.autograd.Function):
    @staticmethod
    def forward(
        query: Tensor, key: Tensor, labels: Tensor, key_labels: Tensor, own: int, denominator: Denominator
    ) -> tuple[Tensor, Tensor]:
        value, positives = query.new_zeros(len(query)), query.new_zeros(len(query))
        with exact_products(query), fast_products(query, key):
            for first, last in tiles(len(query), len(key), query.device):
                tile = _tile((query, key, labels, key_labels, own, denominator), first, last)
                if denominator == "all":
                    each = -torch.log_softmax(tile.similarity.masked_fill(~tile.rival, -torch.inf), 1)
                else:
                    each = -torch.nn.functional.logsigmoid(tile.similarity - tile.rest)
                count = tile.positive.sum(1)
                positives[first:last] = count
                value[first:last] = torch.where(tile.positive, each, 0.0).sum(1) / count.clamp(min=1)
        return value, positives

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs[:4], output[1])
        ctx.own, ctx.denominator = inputs[4:]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        query, key, labels, key_labels, positives = ctx.saved_tensors
        to_query, to_key = torch.zeros_like(query), torch.zeros_like(key)
        scale = (gradient / positives.clamp(min=1)).unsqueeze(1)
        with exact_products(query), fast_products(query, key):
            for first, last in tiles(len(query), len(key), query.device):
                tile = _tile((query, key, labels, key_labels, ctx.own, ctx.denominator), first, last)
                block = _gradient(tile, scale[first:last], ctx.denominator)
                to_query[first:last] = block @ key
                to_key.addmm_(block.T, query[first:last])
        return to_query, to_key, None, None, None, None
