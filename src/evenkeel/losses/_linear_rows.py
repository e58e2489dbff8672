"""Cross-entropy of a linear layer, a few rows at a time, so that all logits never exist at once.

    z = W f + b;  L_i = a_i (-ln softmax(z)_y) + k_i Σ_c u_c (-ln softmax(z)_c)
    dL_i/dz_c = (a_i + k_i Σ u) softmax(z)_c - a_i [c = y] - k_i u_c

a: weight of the true token's term, u: what label smoothing spreads, k: 0 for ignored rows, else 1. Logits and loss are
float32 at any dtype of the features (float64 for float64). Where all rows share one upstream gradient (mean, sum) the
gradient is taken in the forward pass, 6·N·V·D operations, and handed over by the first backward pass; else the logits
are computed again, 8·N·V·D.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from evenkeel.losses._first_order import first_order
from evenkeel.losses._precision import HALF, exact_products, widen

CPU_ROWS = 256
"""Rows of a chunk on the CPU: 16 MB of logits at 16 384 tokens; fewer waste the products, more leave the cache."""

GPU_ROWS = 4096
"""Rows of a chunk on a GPU: the gradient of the weight is read and written once for each chunk."""


class Problem(NamedTuple):
    """One call. `true` (row,) is a, `kept` (row,) is k, `spread` (token,) is u or None; see the top of the file."""

    features: Tensor  # (row, unit)
    weight: Tensor  # (token, unit)
    bias: Tensor | None  # (token,)
    target: Tensor  # (row,), some valid token for ignored rows
    true: Tensor
    kept: Tensor
    spread: Tensor | None


def row_values(problem: Problem) -> Tensor:
    """One value per row, (row,); its gradient computes the logits again."""
    return _Rows.apply(*problem)  # type: ignore[no-any-return]


def weighted_sum(problem: Problem, share: Tensor) -> Tensor:
    """The sum of all values times `share` (a number), with the gradient taken at once where one is needed."""
    trained = [x for x in problem[:3] if x is not None]
    needed = torch.is_grad_enabled() and any(x.requires_grad for x in trained)
    if needed and not torch.compiler.is_compiling():  # a compiled graph cannot hand its gradients over
        return _Sum.apply(share, *problem)[0]  # type: ignore[index]
    return row_values(problem).sum() * share


def product(left: Tensor, right: Tensor) -> Tensor:
    """A matrix product in float32 at least; a GPU takes halves as they are and adds up in float32."""
    if left.dtype in HALF and left.is_cuda:
        return torch.mm(left, right, out_dtype=torch.float32)
    return widen(left) @ widen(right)


class _Chunk(NamedTuple):
    """Some rows of a problem, with features and weight as the products take them."""

    rows: slice
    features: Tensor
    weight: Tensor


def _chunks(problem: Problem) -> Iterator[_Chunk]:
    features, weight = problem.features, problem.weight
    if not features.is_cuda:
        features, weight = widen(features), widen(weight)  # once, not for every chunk
    size = GPU_ROWS if features.is_cuda else CPU_ROWS
    for first in range(0, len(features), size):
        rows = slice(first, min(first + size, len(features)))
        yield _Chunk(rows, features[rows], weight)


def _log_softmax(problem: Problem, chunk: _Chunk) -> Tensor:
    logits = product(chunk.features, chunk.weight.T)
    return torch.log_softmax(logits if problem.bias is None else logits.add_(problem.bias), 1)


def _values(problem: Problem, rows: slice, log_probability: Tensor) -> Tensor:
    true = log_probability.gather(1, problem.target[rows].unsqueeze(1)).squeeze(1)
    values = torch.where(problem.true[rows] == 0, 0.0, -problem.true[rows] * true)
    if problem.spread is None:
        return values
    return values - problem.kept[rows] * (log_probability @ problem.spread)


class _Pull(NamedTuple):
    """The gradient of some rows' logits, (row, token), as a block times a number for each row."""

    block: Tensor
    each: Tensor


def _to_logits_(problem: Problem, rows: slice, log_probability: Tensor, scale: Tensor) -> _Pull:
    """Turn log-probabilities into the gradient of the logits in place; `scale` is each row's upstream gradient."""
    target, true = problem.target[rows].unsqueeze(1), problem.true[rows].unsqueeze(1)
    block = log_probability.exp_()
    if problem.spread is None:  # the common case: a number for each row is left to the smaller matrices
        return _Pull(block.scatter_add_(1, target, -torch.ones_like(true)), scale.unsqueeze(1) * true)
    kept = problem.kept[rows].unsqueeze(1)
    block.mul_(true + kept * problem.spread.sum()).sub_(kept * problem.spread)
    return _Pull(block.scatter_add_(1, target, -true), scale.unsqueeze(1))


class _Gradients(NamedTuple):
    """What features, weight and bias (empty where there is none) receive, summed up in float32 or float64."""

    features: Tensor
    weight: Tensor
    bias: Tensor

    def add_(self, chunk: _Chunk, pull: _Pull) -> None:
        """Add what the logits of some rows pass on."""
        block, scaled = pull.block, (chunk.features * pull.each).to(chunk.features.dtype)
        if len(self.bias):
            self.bias.add_((block.T @ pull.each).squeeze(1))
        if chunk.weight.dtype in HALF:  # a GPU: the products are of halves, their sums are not
            block = block.to(chunk.weight.dtype)
            self.weight.add_(product(block.T, scaled))
        else:
            self.weight.addmm_(block.T, scaled)
        self.features[chunk.rows] = product(block, chunk.weight).mul_(pull.each)

    def like(self, problem: Problem) -> tuple[Tensor, Tensor, Tensor]:
        """All three in the dtypes of what they belong to."""
        bias = self.bias if problem.bias is None else self.bias.to(problem.bias.dtype)
        return self.features.to(problem.features.dtype), self.weight.to(problem.weight.dtype), bias


def _no_gradients(problem: Problem) -> _Gradients:
    wide = problem.true.dtype
    return _Gradients(
        torch.empty_like(problem.features, dtype=wide),
        torch.zeros_like(problem.weight, dtype=wide),
        problem.weight.new_zeros(0 if problem.bias is None else len(problem.bias), dtype=wide),
    )


def _differentiate(problem: Problem, chunk: _Chunk, scale: Tensor, found: _Gradients) -> Tensor:
    """Add the gradients of some rows and return the sum of their values; their logits die with the call."""
    log_probability = _log_softmax(problem, chunk)
    total = _values(problem, chunk.rows, log_probability).sum()
    found.add_(chunk, _to_logits_(problem, chunk.rows, log_probability, scale))
    return total


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(*problem: Any) -> Tensor:
        given = Problem(*problem)
        found = torch.empty_like(given.true)
        with exact_products(given.features):
            for chunk in _chunks(given):
                found[chunk.rows] = _values(given, chunk.rows, _log_softmax(given, chunk))
        return found

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        given = Problem(*ctx.saved_tensors)
        found = _no_gradients(given)
        with exact_products(gradient):
            for chunk in _chunks(given):
                _differentiate(given, chunk, gradient[chunk.rows], found)
        features, weight, bias = found.like(given)
        return features, weight, None if given.bias is None else bias, None, None, None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(share: Tensor, *problem: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        given = Problem(*problem)
        found = _no_gradients(given)
        total = torch.zeros_like(share)
        with exact_products(given.features):
            for chunk in _chunks(given):
                total = total + _differentiate(given, chunk, share.expand(len(chunk.features)), found)
        return total * share, *found.like(given)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)  # else torch makes zeros of the size of every output
        ctx.save_for_backward(*inputs)
        ctx.ready = output[1:]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        if gradient is None:
            return (None,) * 8
        found, ctx.ready = ctx.ready, None
        if found is None:  # handed over before; the same steps once more give the same numbers, to the last bit
            found = _Sum.forward(*ctx.saved_tensors)[1:]
        features, weight, bias = (x.mul_(gradient) for x in found)
        return None, features, weight, bias if ctx.saved_tensors[3] is not None else None, None, None, None, None
