"""Binary cross-entropy: the surprise at each label, in nats, of a sigmoid over its logit.

L = -w⁺ y log σ(x) - (1 - y) log σ(-x),   x the logit, y the label in 0..1, w⁺ the weight of the positive case
with label_smoothing e: y becomes (1 - e)·y + e / 2                                Source: Good 1952
"""

import torch
from torch.nn.functional import logsigmoid

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Bool, Float, Int, Reduction, Tensor


def binary_cross_entropy(
    logits: Float[Tensor, "*output"],
    target: Float[Tensor, "*shared"] | Int[Tensor, "*shared"] | Bool[Tensor, "*shared"],
    *,
    positive_weight: Float[Tensor, "..."] | PlainNumber | None = None,
    label_smoothing: PlainNumber = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """Binary cross-entropy of logits against labels 0..1 of the same shape, or of its last axes (shared), in nats.

    `positive_weight` multiplies the positive case (one number, or one per label on the last axis); the mean is over
    all elements, whatever their weights. With `reduction="none"` there is one value per element.

    Example:
        >>> import torch
        >>> binary_cross_entropy(torch.zeros(2, 3), torch.ones(2, 3))  # ln 2
        tensor(0.6931)
    """
    logits = widen(logits)
    label = share(target.to(logits), logits.shape)
    label = label * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else label
    weight = positive_weight.to(logits) if isinstance(positive_weight, Tensor) else positive_weight
    positive = label if weight is None else label * weight
    # logsigmoid is exact at both ends; log(1 - sigmoid(x)) is -inf from x = 17 on in float32.
    return reduce(-positive * logsigmoid(logits) - (1 - label) * logsigmoid(-logits), reduction)


BinaryCrossEntropyLoss = module_form(binary_cross_entropy)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    logits = 3 * torch.randn(batch, 3, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(2, (batch, 3), generator=generator).to(dtype)
    options = {"positive_weight": torch.tensor([1.0, 2.0, 0.5], dtype=dtype), "label_smoothing": 0.1}
    return Example(output=(logits,), target=(target,), options=options)


BINARY_CROSS_ENTROPY = Loss(
    name="binary_cross_entropy",
    summary="several labels that may hold together",
    source="Good 1952, Rational decisions",
    call=binary_cross_entropy,
    expects=("binary-logits",),
    example=_example,
    each="element",
    ensemble="mixture",
)
