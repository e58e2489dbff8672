"""Cross-entropy of a linear layer, a few rows at a time, so that all logits never exist at once.

    z = W f + b;  ln Σ_c exp(z_c) = m - ln p_m, m the largest z, p = softmax(z), p_m its largest
    L_i = a_i (m - z_y - ln p_m) + k_i Σ_c u_c (m - z_c - ln p_m)
    dL_i/dz_c = (a_i + k_i Σ u) p_c - a_i [c = y] - k_i u_c

a: weight of the true token's term, u: what label smoothing spreads, k: 0 for ignored rows, else 1. Softmax and loss are
float32 at any dtype of the features (float64 for float64). Logits become probabilities and then gradients in one
buffer, which all chunks use. Where all rows share one upstream gradient (mean, sum) the gradient is taken in the
forward pass, 6·N·V·D operations, and handed over by the first backward pass; else the logits are computed again,
8·N·V·D.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from evenkeel.losses.fast_products import fast_products
from evenkeel.losses.first_order import first_order
from evenkeel.losses.linear_products import Products, products_of
from evenkeel.losses.precision import exact_products, widen

CPU_ROWS = 256
"""Rows of a chunk on the CPU, of many; fewer waste the products."""

CPU_LOGITS = 2**22
"""Logits of a chunk on the CPU where that makes more rows: 16 MiB in float32, more leave the cache."""

CPU_BLOCK = 2**18
"""Logits of which the CPU takes the softmax at once: 1 MiB in float32, which stays near between the passes over it."""

CHUNKS = 5
"""Least number of chunks: the plain formula holds the logits three times, a fifth of them once is a fifteenth."""

HALF_CHUNKS = 4
"""The same where halves are multiplied: what each chunk adds to the weight's gradient costs more than its products."""

ROW_STEP = 32
"""A chunk's rows are a multiple of this: products of odd sizes are slower."""

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
    return _RowValues.apply(*problem)  # type: ignore[no-any-return]


def weighted_sum(problem: Problem, share: Tensor) -> Tensor:
    """The sum of all values times `share` (a number), with the gradient taken at once where one is needed."""
    trained = [x for x in problem[:3] if x is not None]
    needed = torch.is_grad_enabled() and any(x.requires_grad for x in trained)
    if needed and not torch.compiler.is_compiling():  # a compiled graph cannot hand its gradients over
        return _SumOfValues.apply(share, *problem)[0]  # type: ignore[index]
    return row_values(problem).sum() * share


def chunk_rows(problem: Problem, products: Products) -> int:
    """Rows of a chunk, so that all logits never exist at once."""
    if problem.features.is_cuda:
        return GPU_ROWS
    most = max(CPU_ROWS, CPU_LOGITS // max(len(problem.weight), 1))
    count = CHUNKS if products.half is None else HALF_CHUNKS
    return max(ROW_STEP, min(most, len(problem.features) // count) // ROW_STEP * ROW_STEP)


def _values_(problem: Problem, rows: slice, logits: Tensor) -> Tensor:
    """Values of some rows; the logits are overwritten by their probabilities."""
    if problem.bias is not None:
        logits.add_(problem.bias)
    top = logits.amax(1)
    if problem.spread is not None:  # near zero they lose no digits in the sum over tokens
        logits.sub_(top.unsqueeze(1))
        top = torch.zeros_like(top)
    below = top - logits.gather(1, problem.target[rows].unsqueeze(1)).squeeze(1)
    others = None if problem.spread is None else logits @ problem.spread
    # From m up to the log-sum: the largest probability cannot underflow. The softmax takes each row's place in turn.
    level = -torch.softmax(logits, 1, out=logits).amax(1).log()
    weight = problem.true[rows]
    values = torch.where(weight == 0, 0.0, weight * (below + level))
    if problem.spread is None or others is None:
        return values
    return values + problem.kept[rows] * (level * problem.spread.sum() - others)


def _to_logits_(problem: Problem, rows: slice, probability: Tensor) -> None:
    """Turn probabilities into the gradient of the logits in place, but for a number for each row: see `_each`."""
    target, true = problem.target[rows].unsqueeze(1), problem.true[rows].unsqueeze(1)
    if problem.spread is None:
        probability.scatter_add_(1, target, -torch.ones_like(true))
        return
    kept = problem.kept[rows].unsqueeze(1)
    probability.mul_(true + kept * problem.spread.sum()).sub_(kept * problem.spread)
    probability.scatter_add_(1, target, -true)


def _each(problem: Problem, rows: slice, scale: Tensor | float) -> Tensor:
    """What the gradient of each row's logits is to be multiplied by, (row, 1): left to the smaller matrices."""
    own = problem.true[rows] if problem.spread is None else torch.ones_like(problem.true[rows])
    return (own * (scale[rows] if isinstance(scale, Tensor) else scale)).unsqueeze(1)


def _blocks(rows: slice, problem: Problem) -> Iterator[slice]:
    """Rows of a chunk in the blocks whose softmax is taken at once."""
    size = rows.stop - rows.start if problem.features.is_cuda else max(1, CPU_BLOCK // max(len(problem.weight), 1))
    for first in range(rows.start, rows.stop, size):
        yield slice(first, min(first + size, rows.stop))


class _Gradients(NamedTuple):
    """What features, weight and bias (empty where there is none) receive; sums are in float32 or float64."""

    features: Tensor
    weight: Tensor
    bias: Tensor

    def add_(self, problem: Problem, products: Products, rows: slice, block: Tensor, each: Tensor) -> None:
        """Add what the logits of some rows pass on: their gradient is `block` (row, token) times `each` (row, 1)."""
        if len(self.bias):
            self.bias.add_((widen(block).T @ each).squeeze(1))
        scaled = products.as_taken(problem.features[rows] * each)
        kept = 0 if rows.start == 0 else 1
        self.features[rows] = products.backward(block, scaled, self.weight, kept).mul_(each)


def _no_gradients(problem: Problem) -> _Gradients:
    wide = problem.true.dtype
    # Rows of float16 wait in float32 for the upstream gradient: a mean over many rows alone would make them underflow.
    rows = wide if problem.features.dtype == torch.float16 else problem.features.dtype
    return _Gradients(
        torch.empty_like(problem.features, dtype=rows),
        # The first chunk writes the weight's gradient; without rows it is 0.
        (torch.empty_like if len(problem.features) else torch.zeros_like)(problem.weight, dtype=wide),
        problem.weight.new_zeros(0 if problem.bias is None else len(problem.bias), dtype=wide),
    )


def _walk(problem: Problem, scale: Tensor | float, gradients: _Gradients | None) -> Tensor:
    """The value of every row; the gradients of values times `scale` are added to `gradients`, where there are any."""
    products, values = products_of(problem.features, problem.weight), torch.empty_like(problem.true)
    size = chunk_rows(problem, products)
    buffer = products.buffer(min(size, len(values)), values.dtype)
    with exact_products(values), fast_products(problem.features, problem.weight):
        for first in range(0, len(values), size):
            rows = slice(first, min(first + size, len(values)))
            logits = products.forward(problem.features[rows], buffer)
            true = products.true_logits(problem.features[rows], problem.target[rows])
            for part in _blocks(rows, problem):
                inside = slice(part.start - first, part.stop - first)
                block = widen(logits[inside])  # a copy of halves; of float32 the logits themselves
                if true is not None:
                    block.scatter_(1, problem.target[part].unsqueeze(1), true[inside].unsqueeze(1))
                values[part] = _values_(problem, part, block)
                if gradients is not None:
                    _to_logits_(problem, part, block)
                    if block.dtype != logits.dtype:
                        logits[inside] = block
            if gradients is not None:
                gradients.add_(problem, products, rows, logits, _each(problem, rows, scale))
    return values


class _RowValues(torch.autograd.Function):
    @staticmethod
    def forward(*problem: Any) -> Tensor:
        return _walk(Problem(*problem), 1.0, None)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        saved = Problem(*ctx.saved_tensors)
        gradients = _no_gradients(saved)
        _walk(saved, gradient, gradients)
        return *_like(saved, gradients), None, None, None, None


class _SumOfValues(torch.autograd.Function):
    @staticmethod
    def forward(share: Tensor, *problem: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        saved = Problem(*problem)
        gradients = _no_gradients(saved)
        total = _walk(saved, 1.0, gradients).sum()
        # bfloat16 has the range of float32, so what is handed over may already be of half the size.
        narrow = saved.weight.dtype == torch.bfloat16
        weight = gradients.weight.to(saved.weight.dtype) if narrow else gradients.weight
        return total * share, gradients.features, weight, gradients.bias

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
        ready, ctx.ready = ctx.ready, None
        if ready is None:  # handed over before; the same steps once more give the same numbers, to the last bit
            ready = _SumOfValues.forward(*ctx.saved_tensors)[1:]
        saved, scale = Problem(*ctx.saved_tensors[1:]), gradient * ctx.saved_tensors[0]
        return None, *_like(saved, _Gradients(*(x.mul_(scale) for x in ready))), None, None, None, None


def _like(problem: Problem, gradients: _Gradients) -> tuple[Tensor, Tensor, Tensor | None]:
    """All three in the dtypes of what they belong to."""
    bias = None if problem.bias is None else gradients.bias.to(problem.bias.dtype)
    return gradients.features.to(problem.features.dtype), gradients.weight.to(problem.weight.dtype), bias
