"""Cross-entropy of a last linear layer, without ever holding all its logits: for large vocabularies.

L = cross_entropy(features weightᵀ + bias, target), computed and differentiated a few rows at a time   [nats]
Source: Wijmans 2024, arXiv:2411.09009; Hsu 2024, arXiv:2410.10989
"""

import torch

from evenkeel.errors import ShapeError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import class_target
from evenkeel.losses.linear_rows import Problem, row_values, weighted_sum
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Int, Reduction, Tensor


def linear_cross_entropy(
    features: Float[Tensor, "..."],
    weight: Float[Tensor, "..."],
    target: Int[Tensor, "..."],
    *,
    bias: Float[Tensor, "token"] | None = None,
    ignore_index: int = -100,
    label_smoothing: PlainNumber = 0.0,
    class_weight: Float[Tensor, "token"] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of features (..., unit) through weight (token, unit) against tokens (...), in nats.

    Equal to `cross_entropy` of the logits, with the same options; softmax and loss are float32 even for half-precision
    features. One value per row, 0 for ignored ones; the mean is over the weights of the true tokens, and 0 where every
    row is ignored. In large calls a CPU that multiplies bfloat16 rounds logits to it, all but the true token's. The
    gradient cannot be differentiated again, and says so.

    Example:
        >>> import torch
        >>> linear_cross_entropy(torch.ones(3, 8), torch.zeros(100, 8), torch.tensor([1, 5, 99]))  # ln 100
        tensor(4.6052)

    """
    if weight.ndim != 2 or features.ndim == 0 or features.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"expected features (..., unit) and weight (token, unit), got {tuple(features.shape)} and "
            f"{tuple(weight.shape)}; try weight.T"
        )
    rows = class_target(target, features)
    problem, total = _problem(features, weight, rows.reshape(-1), bias, ignore_index, label_smoothing, class_weight)
    if reduction == "none":
        return row_values(problem).reshape(rows.shape)
    ones = torch.ones_like(total)
    share = 1 / torch.where(total == 0, ones, total) if reduction == "mean" else ones
    return reduce(weighted_sum(problem, share), "sum")


def _problem(
    features: Tensor,
    weight: Tensor,
    target: Tensor,
    bias: Tensor | None,
    ignore_index: int,
    label_smoothing: PlainNumber,
    class_weight: Tensor | None,
) -> tuple[Problem, Tensor]:
    """The call in flat form, and the divisor of its mean."""
    kept = target != ignore_index
    safe = torch.where(kept, target, 0)
    wide = widen(features).new_ones(len(weight)) if class_weight is None else class_weight.to(widen(features))
    wanted = wide[safe] * kept
    spread = wide * (label_smoothing / len(weight)) if label_smoothing else None
    flat = features.reshape(-1, features.shape[-1])
    problem = Problem(flat, weight, bias, safe, wanted * (1 - label_smoothing), kept.to(wide), spread)
    return problem, wanted.sum()


LinearCrossEntropyLoss = module_form(linear_cross_entropy)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    features = torch.randn(batch, 4, generator=generator, dtype=torch.float64).to(dtype)
    weight, bias = torch.randn(7, 5, generator=generator, dtype=torch.float64).to(dtype).split([4, 1], 1)
    target = torch.randint(7, (batch,), generator=generator)
    options = {"bias": bias.flatten(), "label_smoothing": 0.1}
    return Example(output=(features, weight.contiguous()), target=(target,), options=options)


LINEAR_CROSS_ENTROPY = Loss(
    name="linear_cross_entropy",
    summary="the next token, or one of very many classes",
    source="Wijmans et al. 2024, arXiv:2411.09009; Hsu et al. 2024, arXiv:2410.10989",
    call=linear_cross_entropy,
    expects=("features",),
    example=_example,
    each="example",
    batch="joint",
    derivatives="first order",
)
