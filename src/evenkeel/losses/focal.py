"""Focal loss: cross-entropy in which examples that are already right count for little.

    L = -a (1 - p)^gamma log p,   p the probability of the true class or label      Source: Lin 2017

Everything stays in logarithms: (1 - p)^gamma = exp(gamma log(1 - p)), with log(1 - p) = log σ(-x) for labels and the
log-sum-exp over the other classes for classes. The power itself has an infinite slope at p = 1 for gamma < 1.
"""

import torch
from torch.nn.functional import logsigmoid

from evenkeel.errors import RequestError
from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import class_target, share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Bool, Float, Int, Reduction, Tensor


def focal(
    logits: Float[Tensor, "*output"],
    target: Float[Tensor, "*shared"] | Int[Tensor, "*shared"] | Bool[Tensor, "*shared"],
    *,
    gamma: PlainNumber = 2.0,
    alpha: Float[Tensor, "..."] | PlainNumber | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Focal loss, in nats: of labels for a floating-point target, of classes for a whole-number target.

    *Labels*: target 0..1 of the shape of the logits (or its last axes, shared); `alpha` weighs the positive case and
    1 - alpha the negative, one number or one per label; with `reduction="none"` one value per element.
    *Classes*: classes on the last axis of the logits, target of the other axes; `alpha` is one weight per class; with
    `reduction="none"` one value per row. `gamma=0` is cross-entropy; the mean is over all values, whatever alpha.

    Example:
        >>> import torch
        >>> focal(torch.zeros(1, 4), torch.tensor([2]), gamma=1.0)  # 3/4 · ln 4
        tensor(1.0397)
    """
    if gamma < 0:
        raise RequestError(f"gamma must be 0 or more, got {gamma:g}; try gamma=2.0, or 0 for cross-entropy")
    logits = widen(logits)
    if target.is_floating_point() or target.dtype == torch.bool:
        return reduce(_labels(logits, share(target.to(logits), logits.shape), gamma, alpha), reduction)
    return reduce(_classes(logits, class_target(target, logits), gamma, alpha), reduction)


def _labels(logits: Tensor, label: Tensor, gamma: PlainNumber, alpha: Tensor | PlainNumber | None) -> Tensor:
    log_true, log_false = logsigmoid(logits), logsigmoid(-logits)
    alpha = alpha.to(logits) if isinstance(alpha, Tensor) else alpha
    positive = label if alpha is None else alpha * label
    negative = 1 - label if alpha is None else (1 - alpha) * (1 - label)
    return -positive * _times_power(log_true, log_false, gamma) - negative * _times_power(log_false, log_true, gamma)


def _classes(logits: Tensor, target: Tensor, gamma: PlainNumber, alpha: Tensor | PlainNumber | None) -> Tensor:
    if isinstance(alpha, int | float):
        raise RequestError(f"alpha for classes is a tensor of one weight per class, got {alpha:g}; try alpha=None")
    log_probability = torch.log_softmax(logits, -1)
    index = target.unsqueeze(-1)
    log_true = log_probability.gather(-1, index).squeeze(-1)
    # The lowest finite number, not -inf: with every other class impossible, -inf - -inf would be a NaN gradient.
    others = log_probability.scatter(-1, index, torch.finfo(logits.dtype).min)
    values = -_times_power(log_true, torch.logsumexp(others, -1), gamma)
    return values if alpha is None else values * alpha.to(logits)[target]


def _times_power(log_true: Tensor, log_false: Tensor, gamma: PlainNumber) -> Tensor:
    """The product log p · (1 - p)^gamma, from log p and log(1 - p)."""
    return log_true * torch.exp(gamma * log_false) if gamma else log_true


FocalLoss = module_form(focal)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    logits = 3 * torch.randn(batch, 4, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(4, (batch,), generator=generator)
    options = {"gamma": 0.5, "alpha": torch.tensor([1.0, 2.0, 0.5, 1.0], dtype=dtype)}
    return Example(output=(logits,), target=(target,), options=options)


FOCAL = Loss(
    name="focal",
    summary="classes or labels, rare ones among many easy ones",
    source="Lin et al. 2017, arXiv:1708.02002",
    call=focal,
    expects=("logits", "binary-logits"),
    example=_example,
    each="example",
)
